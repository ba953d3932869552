"""What a supplier does: apply, complete, bring papers, submit, withdraw."""

from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import text
from sqlmodel import Session

from catalog.certification import files, queries, rules
from catalog.certification.actions.cases import begin, finish, locked
from catalog.certification.errors import (
    CaseNotEditable,
    DistrictNotEligible,
    ItemsMissing,
    ProductWithdrawn,
    TooManyDocuments,
)
from catalog.certification.models import CertificationCase, CertificationDocument
from catalog.certification.rules import DocumentKind
from catalog.certification.schemas import CaseIn
from catalog.certification.states import EDITABLE, CaseMove, CaseStatus
from catalog.products.errors import NotYourProduct
from catalog.products.models import Product
from catalog.products.states import ListingStatus
from shop.core import audit, clock, outbox, storage
from shop.core.errors import Forbidden, NotFound, TooLarge
from shop.core.models import StoredFile
from shop.core.settings import settings
from shop.identity import queries as organisations
from shop.identity.actor import Actor
from shop.programmes import queries as programmes
from shop.regions import queries as regions

#: Compares the version that the caller read with the present one; raises ``Changed`` (412) when they differ.
CheckVersion = Callable[[int], None]

MAX_DOCUMENTS = 50


def apply(session: Session, actor: Actor, body: CaseIn) -> int:
    """Start an application for an own product; returns the case's id.

    Raises:
        NotFound, NotYourProduct: unknown (404), or another supplier's (403).
        OrganisationNotApproved, ProductWithdrawn, CaseOpen: see there (409).
        DistrictNotEligible: the origin is not among the districts that the programme in force names (409).
    """
    product = session.get(Product, body.product_id)
    if product is None:
        raise NotFound
    if product.supplier_id != actor.organisation:
        raise NotYourProduct
    programme_code = _require_eligible(session, product)
    case = CertificationCase(
        **body.model_dump(exclude={"comparable_price"}),
        comparable_price_fen=body.comparable_price,
        supplier_id=product.supplier_id,
        programme_code=programme_code,
        district_code=product.district_code,
        created_at=clock.now(),
    )
    session.add(case)
    session.flush()
    audit.record(session, actor, "certification.created", "certification_case", case.id)
    return case.id


def edit(session: Session, actor: Actor, case_id: int, changes: Mapping[str, Any], check_version: CheckVersion) -> None:
    """Change what the own application states.

    Raises:
        NotFound: there is none within reach (404). Forbidden: another supplier's (403).
        CaseNotEditable: it was submitted and not returned (409).
    """
    case = _own_editable(session, actor, case_id)
    check_version(case.version)
    for field, value in changes.items():
        setattr(case, "comparable_price_fen" if field == "comparable_price" else field, value)
    _keep(session, case)
    audit.record(session, actor, "certification.edited", "certification_case", case.id, fields=sorted(changes))


def add_document(session: Session, actor: Actor, case_id: int, kind: DocumentKind, name: str | None, content: bytes) -> None:
    """Add a paper to the own application. Content is kept once however often it is sent.

    Raises:
        NotFound, Forbidden, CaseNotEditable: as :func:`edit`.
        TooLarge (413), UnreadableFile (422), TooManyDocuments (409): see there.
    """
    case = _own_editable(session, actor, case_id)
    if len(content) > settings().max_file_bytes:
        raise TooLarge(limit=settings().max_file_bytes)
    content_type = files.content_type(content)
    held = session.execute(text("SELECT count(*) FROM certification_document WHERE case_id = :id"), {"id": case.id}).scalar_one()
    if held >= MAX_DOCUMENTS:
        raise TooManyDocuments(most=MAX_DOCUMENTS)
    storage_key, sha256 = storage.put(content)
    file = StoredFile(
        storage_key=storage_key,
        name=files.safe_name(name, content_type),
        content_type=content_type,
        size=len(content),
        sha256=sha256,
        uploaded_by=actor.user_id or 0,
        uploaded_at=clock.now(),
    )
    session.add(file)
    session.flush()
    session.add(CertificationDocument(case_id=case.id, kind=kind.value, file_id=file.id))
    _keep(session, case)
    audit.record(session, actor, "certification.document_added", "certification_case", case.id, kind=kind, sha256=sha256)


def submit(session: Session, actor: Actor, case_id: int) -> None:
    """Hand the own application in, for the first time or after it was returned.

    Raises:
        NotFound (404), Forbidden (403), IllegalMove (409): as for every move.
        ItemsMissing: everything that is missing, at once (409).
        OrganisationNotApproved, ProductWithdrawn, DistrictNotEligible: as :func:`apply`.
    """
    returned = locked(session, actor, case_id).status == CaseStatus.RETURNED
    move = CaseMove.RESUBMIT if returned else CaseMove.SUBMIT
    case = begin(session, actor, case_id, move)
    product = session.get_one(Product, case.product_id)
    case.programme_code = _require_eligible(session, product)
    case.district_code = product.district_code
    missing = rules.missing_items(queries.application(session, queries.case_row(session, actor, case_id)))
    if missing:
        raise ItemsMissing(count=len(missing), faults=missing)
    case.submitted_at = clock.now()
    case.decision_reason = None
    case.notice_from = case.notice_until = None
    finish(session, actor, case, move)
    outbox.publish(session, "certification.submitted", case_id=case.id, version=case.version)


def withdraw(session: Session, actor: Actor, case_id: int, reason: str | None) -> None:
    """Take the own application back; a new one may be made.

    Raises:
        NotFound (404), Forbidden (403), IllegalMove (409): as for every move.
    """
    case = begin(session, actor, case_id, CaseMove.WITHDRAW)
    finish(session, actor, case, CaseMove.WITHDRAW, reason)


def _require_eligible(session: Session, product: Product) -> str:
    """The code of the programme under which the product may be certified today."""
    organisations.require_approved(session, product.supplier_id)
    if product.status != ListingStatus.ACTIVE:
        raise ProductWithdrawn
    today = clock.today()
    config = programmes.config_of(session, today)
    if not regions.is_designated(session, product.district_code, config.certification.eligible_designation, today):
        raise DistrictNotEligible(district=product.district_code)
    return config.code


def _own_editable(session: Session, actor: Actor, case_id: int) -> CertificationCase:
    case = locked(session, actor, case_id)
    if case.supplier_id != actor.organisation_id:
        raise Forbidden
    if case.status not in EDITABLE:
        raise CaseNotEditable
    return case


def _keep(session: Session, case: CertificationCase) -> None:
    case.version += 1
    session.add(case)
    session.flush()
