"""The papers of a case: brought by the supplier, attached by officers."""

import dataclasses
from dataclasses import dataclass
from datetime import date

from sqlalchemy import text
from sqlmodel import Session

from catalog.certificates.errors import NotYourRegion, OwnCase
from catalog.certification.actions.applying import keep, own_editable
from catalog.certification.actions.cases import locked
from catalog.certification.errors import TooManyDocuments
from catalog.certification.models import CertificationCase, CertificationDocument
from catalog.certification.queries import cases as queries
from catalog.certification.rules import DocumentKind
from shop.core import audit, clock, uploads
from shop.core.errors import Invalid, NotFound
from shop.identity.actor import Actor
from shop.identity.permissions import Permission

MOST = 100

_HELD = text("SELECT count(*) FROM certification_document WHERE case_id = :id")


@dataclass(frozen=True)
class Printed:
    """What is printed on a paper. ``valid_until``: its last day; None: no end."""

    number: str | None = None
    issuer: str | None = None
    issued_on: date | None = None
    valid_until: date | None = None


def bring(
    session: Session, actor: Actor, case_id: int, kind: DocumentKind, printed: Printed, name: str | None, content: bytes
) -> int:
    """Add a paper to the own application; returns its id. The newest of a kind counts; those before stay on record.

    Raises:
        NotFound (404), Forbidden (403), CaseNotEditable (409): as every change of an application.
        TooLarge (413), UnreadableFile (422), TooManyDocuments (409): see there. Invalid: dates that cannot be (422).
    """
    case = own_editable(session, actor, case_id)
    if printed.issued_on and printed.issued_on > clock.today():
        raise Invalid.one("issued_on", "in_the_future", "签发日期不能在将来", "it was issued in the future")
    if printed.issued_on and printed.valid_until and printed.valid_until < printed.issued_on:
        raise Invalid.one("valid_until", "before_issue", "有效期不能早于签发日期", "it ends before it was issued")
    document = _add(session, actor, case, "supplier", kind, printed, name, content)
    keep(session, case)
    return document


def attach(session: Session, actor: Actor, case_id: int, kind: DocumentKind, name: str | None, content: bytes) -> int:
    """Attach a paper to a case as an officer, to be named by an opinion or a decision; returns its id.

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
    return _add(session, actor, case, "officer", kind, Printed(), name, content)


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


def _add(
    session: Session,
    actor: Actor,
    case: CertificationCase,
    side: str,
    kind: DocumentKind,
    printed: Printed,
    name: str | None,
    content: bytes,
) -> int:
    if session.execute(_HELD, {"id": case.id}).scalar_one() >= MOST:
        raise TooManyDocuments(most=MOST)
    file = uploads.keep(session, actor.user_id, name, content)
    document = CertificationDocument(case_id=case.id, side=side, kind=kind.value, file_id=file.id, **dataclasses.asdict(printed))
    session.add(document)
    session.flush()
    audit.record(
        session, actor, "certification.document_added", "certification_case", case.id, side=side, kind=kind, sha256=file.sha256
    )
    return document.id
