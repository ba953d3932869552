"""The papers of a case: brought by the supplier, attached by officers."""

import dataclasses
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import text
from sqlmodel import Session

from catalog.certificates.errors import NotYourRegion, OwnCase
from catalog.certification.actions.applying import own_editable, require_editable
from catalog.certification.actions.cases import Outcomes, alone, keep, locked, locked_each
from catalog.certification.errors import TooManyDocuments
from catalog.certification.models import CertificationCase, CertificationDocument
from catalog.certification.queries import cases as queries
from catalog.certification.rules import DocumentKind
from shop.core import audit, clock, uploads
from shop.core.errors import Invalid, NotFound
from shop.identity.actor import Actor
from shop.identity.permissions import Permission

MOST = 100

_FULL = text("SELECT case_id FROM certification_document WHERE case_id = ANY (:ids) GROUP BY case_id HAVING count(*) >= :most")


@dataclass(frozen=True)
class Printed:
    """What is printed on a paper. ``valid_until``: its last day; None: no end."""

    number: str | None = None
    issuer: str | None = None
    issued_on: date | None = None
    valid_until: date | None = None


def bring(
    session: Session, actor: Actor, case_id: int, kind: DocumentKind, printed: Printed, name: str | None, content: bytes
) -> None:
    """Add a paper to the own application. The newest of a kind counts; those before stay on record.

    Raises:
        NotFound (404), Forbidden (403), CaseNotEditable (409): as every change of an application.
        TooLarge (413), UnreadableFile (422), TooManyDocuments (409): see there. Invalid: dates that cannot be (422).
    """
    alone(bring_many(session, actor, [case_id], kind, printed, name, content))


def bring_many(
    session: Session,
    actor: Actor,
    case_ids: Sequence[int],
    kind: DocumentKind,
    printed: Printed,
    name: str | None,
    content: bytes,
) -> Outcomes:
    """Add one paper to many own applications as :func:`bring` does to one, each by itself. The file is kept once.

    Raises:
        TooLarge (413), UnreadableFile (422), Invalid (422): what is wrong with the paper itself; no application gets it.
    """
    if printed.issued_on and printed.issued_on > clock.today():
        raise Invalid.one("issued_on", "in_the_future", "签发日期不能在将来", "it was issued in the future")
    if printed.issued_on and printed.valid_until and printed.valid_until < printed.issued_on:
        raise Invalid.one("valid_until", "before_issue", "有效期不能早于签发日期", "it ends before it was issued")
    several = locked_each(session, actor, case_ids)
    several.sift(lambda case: require_editable(actor, case))
    full = _full(session, list(several.cases))
    several.sift(lambda case: _refuse_full(case, full))
    cases = list(several.cases.values())
    _add(session, actor, cases, "supplier", kind, printed, name, content)
    keep(session, *cases)
    return several.outcomes()


def attach(session: Session, actor: Actor, case_id: int, kind: DocumentKind, name: str | None, content: bytes) -> None:
    """Attach a paper to a case as an officer, to be named by an opinion or a decision.

    Raises:
        NotFound: there is none within reach (404). OwnCase, NotYourRegion: somebody else's to review (403).
        TooLarge (413), UnreadableFile (422), TooManyDocuments (409): see there.
    """
    case = locked(session, actor, case_id)
    if queries.is_own(session, actor, case):
        raise OwnCase
    places = [place for place in (case.district_code, case.township_code) if place]
    if not any(actor.covers_region(Permission.CERTIFICATIONS_OPINE, place) for place in places):
        raise NotYourRegion
    _refuse_full(case, _full(session, [case.id]))
    _add(session, actor, [case], "officer", kind, Printed(), name, content)


def remove(session: Session, actor: Actor, document_id: int) -> int:
    """Take back a paper of the own application before it is handed in (again); returns the case's id. What was decided upon stays: after a
    return only papers that were added since can go.

    Raises:
        NotFound: there is none within reach (404). Forbidden (403), CaseNotEditable (409): as every change.
        Invalid: reviewers have seen it (422).
    """
    document = session.get(CertificationDocument, document_id)
    if document is None or document.side != "supplier":
        raise NotFound
    case = own_editable(session, actor, document.case_id)
    if session.get(CertificationDocument, document_id, populate_existing=True) is None:
        raise NotFound  # somebody else removed it while this waited
    handed_in = session.execute(
        text("SELECT :submitted_at > uploaded_at FROM stored_file WHERE id = :id"),
        {"id": document.file_id, "submitted_at": case.submitted_at},
    ).scalar_one()
    if handed_in:
        told = "审核人员已看过该材料，不能删除，请补充新的材料", "Reviewers have seen this paper; add a newer one instead"
        raise Invalid.one("document_id", "seen_by_reviewers", *told)
    session.delete(document)
    keep(session, case)
    audit.record(session, actor, "certification.document_removed", "certification_case", case.id, kind=document.kind)
    return case.id


def _full(session: Session, case_ids: Sequence[int]) -> set[int]:
    """Those of these cases that hold as many papers as a case may."""
    return set(session.execute(_FULL, {"ids": list(case_ids), "most": MOST}).scalars())


def _refuse_full(case: CertificationCase, full: Collection[int]) -> None:
    if case.id in full:
        raise TooManyDocuments(most=MOST)


def _add(
    session: Session,
    actor: Actor,
    cases: Sequence[CertificationCase],
    side: str,
    kind: DocumentKind,
    printed: Printed,
    name: str | None,
    content: bytes,
) -> None:
    if not cases:
        return
    file = uploads.keep(session, actor.user_id, name, content)
    shown = {"side": side, "kind": kind.value, "file_id": file.id, **dataclasses.asdict(printed)}
    session.add_all(CertificationDocument(case_id=case.id, **shown) for case in cases)
    session.flush()
    detail = {"side": side, "kind": kind, "sha256": file.sha256}
    audit.record_each(session, actor, "certification.document_added", "certification_case", [(case.id, detail) for case in cases])
