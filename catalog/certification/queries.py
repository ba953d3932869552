"""Reads of applications and certificates, each within the reach of who asks; notices and certificate checks for everybody."""

# ruff: noqa: S608  statements are put together from constants only; every value that a caller gives is bound

from datetime import date, timedelta
from typing import Any

from sqlalchemy import Row, text
from sqlmodel import Session

from catalog.certification import rules
from catalog.certification.schemas import (
    CaseOut,
    CaseRow,
    CertificateOut,
    DocumentOut,
    MissingItem,
    NoticeOut,
    PublicCertificateOut,
    StepOut,
)
from catalog.certification.states import CASE, CERTIFICATE, EDITABLE, CaseMove, CaseStatus, Level, certificate_state, level_of
from shop.core import clock, paging
from shop.core.errors import Language, NotFound
from shop.core.paging import Page
from shop.identity.actor import Actor
from shop.identity.permissions import Permission

# The supplier's own branch; the officers of the place, who do not see drafts. ``c`` has the district, ``o`` is the supplier.
_OWN = "coalesce(o.path LIKE CAST(:branch AS text), false)"
_IN_REGION = (
    "(c.district_code LIKE ANY (CAST(:regions AS text[])) OR coalesce(p.township_code LIKE ANY (CAST(:regions AS text[])), false))"
)
_REACH = f"({_OWN} OR (c.status <> 'draft' AND {_IN_REGION}))"

_CASE = """
    SELECT c.*, p.name AS product_name, p.kind, p.category, p.status AS product_status, p.township_code,
           o.name AS supplier_name, o.uscc AS supplier_uscc, o.path AS supplier_path, r.name_zh AS district_name
    FROM certification_case c
    JOIN product p ON p.id = c.product_id
    JOIN organisation o ON o.id = c.supplier_id
    JOIN region r ON r.code = c.district_code
"""
_ONE_CASE = text(f"{_CASE} WHERE c.id = :id AND {_REACH}")
_CASES = text(
    f"""{_CASE} WHERE {_REACH}
    AND (CAST(:status AS text) IS NULL OR c.status = :status)
    AND (CAST(:district AS text) IS NULL OR c.district_code = :district)
    AND (CAST(:supplier_id AS bigint) IS NULL OR c.supplier_id = :supplier_id)
    AND (CAST(:product_id AS bigint) IS NULL OR c.product_id = :product_id)
    AND (CAST(:before AS bigint) IS NULL OR c.id < :before)
    ORDER BY c.id DESC LIMIT :rows"""
)
_STEPS = text("SELECT * FROM certification_step WHERE case_id = :id ORDER BY id")
_DOCUMENTS = text(
    "SELECT d.id, d.kind, f.name, f.content_type, f.size, f.sha256, f.uploaded_at"
    " FROM certification_document d JOIN stored_file f ON f.id = d.file_id WHERE d.case_id = :id ORDER BY d.id"
)
_DOCUMENT = text(
    f"""SELECT f.name, f.content_type, f.storage_key
    FROM certification_document d
    JOIN stored_file f ON f.id = d.file_id
    JOIN certification_case c ON c.id = d.case_id
    JOIN product p ON p.id = c.product_id
    JOIN organisation o ON o.id = c.supplier_id
    WHERE d.id = :id AND {_REACH}"""
)
_PRICED_SKUS = text(
    "SELECT count(*) FROM sku s WHERE s.product_id = :id AND s.status = 'active'"
    " AND EXISTS (SELECT FROM price_tier t WHERE t.sku_id = s.id)"
)
_CERTIFICATE = """
    SELECT c.*, r.name_zh AS district_name
    FROM certificate c
    JOIN product p ON p.id = c.product_id
    JOIN organisation o ON o.id = c.supplier_id
    JOIN region r ON r.code = c.district_code
"""
_ONE_CERTIFICATE = text(f"{_CERTIFICATE} WHERE c.id = :id AND ({_OWN} OR {_IN_REGION})")
_CERTIFICATE_OF_CASE = text(f"{_CERTIFICATE} WHERE c.case_id = :id")
_CERTIFICATE_BY_NUMBER = text(f"{_CERTIFICATE} WHERE c.number = :number")
_CERTIFICATES = text(
    f"""{_CERTIFICATE} WHERE ({_OWN} OR {_IN_REGION})
    AND (CAST(:district AS text) IS NULL OR c.district_code = :district)
    AND (CAST(:supplier_id AS bigint) IS NULL OR c.supplier_id = :supplier_id)
    AND (CAST(:product_id AS bigint) IS NULL OR c.product_id = :product_id)
    AND (CAST(:before AS bigint) IS NULL OR c.id < :before)
    ORDER BY c.id DESC LIMIT :rows"""
)
_NOTICES = text(
    f"""{_CASE} WHERE c.status = 'public_notice' AND :today < c.notice_until
    AND (CAST(:district AS text) IS NULL OR c.district_code = :district)
    AND (CAST(:before AS bigint) IS NULL OR c.id < :before)
    ORDER BY c.id DESC LIMIT :rows"""
)


def reach(actor: Actor) -> dict[str, Any]:
    """The parameters that the conditions above take."""
    return {
        "branch": f"{actor.organisation_path}%" if actor.organisation_path else None,
        "regions": [f"{prefix}%" for prefix in actor.regions(Permission.CERTIFICATIONS_READ)],
    }


def case_row(session: Session, actor: Actor, case_id: int) -> Row[Any]:
    """One application as it stands.

    Raises:
        NotFound: there is none within the caller's reach (404).
    """
    row = session.execute(_ONE_CASE, {"id": case_id, **reach(actor)}).first()
    if row is None:
        raise NotFound
    return row


def application(session: Session, case: Row[Any]) -> rules.Application:
    """What an application holds, for the checklist."""
    documents = session.execute(_DOCUMENTS, {"id": case.id}).all()
    fields = ("kind", "category", "statement", "annual_capacity_kg", "households", "persons", "linkage")
    return rules.Application(
        **{field: getattr(case, field) for field in fields},
        comparable_price_fen=case.comparable_price_fen,
        comparable_price_source=case.comparable_price_source,
        priced_skus=session.execute(_PRICED_SKUS, {"id": case.product_id}).scalar_one(),
        documents=frozenset(document.kind for document in documents),
    )


def case(session: Session, actor: Actor, case_id: int, language: Language) -> CaseOut:
    """One application with its steps, papers, what is missing and what the caller may do now. Raises as :func:`case_row`."""
    row = case_row(session, actor, case_id)
    steps = session.execute(_STEPS, {"id": case_id}).all()
    missing = rules.missing_items(application(session, row)) if row.status in EDITABLE else []
    certificate = session.execute(_CERTIFICATE_OF_CASE, {"id": case_id}).first()
    return CaseOut(
        **{name: getattr(row, name) for name in CaseOut.model_fields if hasattr(row, name)},
        comparable_price=row.comparable_price_fen,
        steps=[StepOut.model_validate(step, from_attributes=True) for step in steps],
        documents=[_document(document, language) for document in session.execute(_DOCUMENTS, {"id": case_id})],
        missing_items=[MissingItem.model_validate(item.told(language)) for item in missing],
        possible_actions=_possible(actor, row, levels_of(steps, actor.user_id)),
        certificate=_certificate(actor, certificate) if certificate else None,
    )


def _document(row: Row[Any], language: Language) -> DocumentOut:
    zh, en = rules.document_name(row.kind)
    fields = {name: getattr(row, name) for name in DocumentOut.model_fields if name != "label"}
    return DocumentOut(**fields, label=zh if language == "zh" else en)


def levels_of(steps: Any, user_id: int | None) -> set[Level]:
    """The levels at which a person acted on a case."""
    return {level_of(step.from_status, CaseMove(step.action)) for step in steps if step.actor_id == user_id}


def _possible(actor: Actor, row: Row[Any], acted: set[Level]) -> list[CaseMove]:
    return [move for move in CASE.possible(row.status) if may_act(actor, row, row.supplier_path, level_of(row.status, move), acted)]


def is_related(actor: Actor, supplier_path: str) -> bool:
    """Whether a supplier is the actor's organisation, a unit below it or one above it: then somebody else must decide."""
    return actor.within_branch(supplier_path) or (actor.organisation_path or "").startswith(supplier_path)


def may_act(actor: Actor, case: Any, supplier_path: str, level: Level, acted: set[Level]) -> bool:
    """Whether a person may act on a case at a level, given the levels at which this person acted already."""
    if level is Level.SUPPLIER:
        return case.supplier_id == actor.organisation_id and actor.may(level.permission)
    return (
        not is_related(actor, supplier_path)
        and actor.covers_region(level.permission, case.district_code)
        and actor.may(level.permission)
        and acted <= {level}
    )


def document(session: Session, actor: Actor, document_id: int) -> Row[Any]:
    """Where the content of a paper lies, for those who may see its case.

    Raises:
        NotFound: there is none within the caller's reach (404).
    """
    row = session.execute(_DOCUMENT, {"id": document_id, **reach(actor)}).first()
    if row is None:
        raise NotFound
    return row


def cases(
    session: Session,
    actor: Actor,
    *,
    status: CaseStatus | None = None,
    district: str | None = None,
    supplier_id: int | None = None,
    product_id: int | None = None,
    limit: int = 50,
    after: str | None = None,
) -> Page[CaseRow]:
    """An officer's queue, or a supplier's own applications; the newest first."""
    start = paging.position(after, int)
    filters = {"status": status, "district": district, "supplier_id": supplier_id, "product_id": product_id}
    rows = session.execute(_CASES, {**reach(actor), **filters, "before": start[0] if start else None, "rows": limit + 1}).all()
    return paging.page(rows, limit, lambda row: CaseRow.model_validate(row, from_attributes=True), lambda row: [row.id])


def certificate(session: Session, actor: Actor, certificate_id: int) -> CertificateOut:
    """One certificate.

    Raises:
        NotFound: there is none within the caller's reach (404).
    """
    row = session.execute(_ONE_CERTIFICATE, {"id": certificate_id, **reach(actor)}).first()
    if row is None:
        raise NotFound
    return _certificate(actor, row)


def certificates(
    session: Session,
    actor: Actor,
    *,
    district: str | None = None,
    supplier_id: int | None = None,
    product_id: int | None = None,
    limit: int = 50,
    after: str | None = None,
) -> Page[CertificateOut]:
    """The certificates of an officer's region, or a supplier's own; the newest first."""
    start = paging.position(after, int)
    filters = {"district": district, "supplier_id": supplier_id, "product_id": product_id}
    rows = session.execute(
        _CERTIFICATES, {**reach(actor), **filters, "before": start[0] if start else None, "rows": limit + 1}
    ).all()
    return paging.page(rows, limit, lambda row: _certificate(actor, row), lambda row: [row.id])


def state_of(row: Any, on: date) -> Any:
    """The state of a certificate's row on a date."""
    return certificate_state(
        suspended=row.suspended_at is not None,
        revoked=row.revoked_at is not None,
        valid_from=row.valid_from,
        valid_until=row.valid_until,
        on=on,
    )


def _certificate(actor: Actor, row: Row[Any]) -> CertificateOut:
    state = state_of(row, clock.today())
    decides = actor.may(Level.CITY.permission) and actor.covers_region(Level.CITY.permission, row.district_code)
    return CertificateOut(
        **{name: getattr(row, name) for name in CertificateOut.model_fields if hasattr(row, name)},
        state=state,
        possible_actions=CERTIFICATE.possible(state) if decides else [],
    )


def notices(session: Session, *, district: str | None, limit: int, after: str | None) -> Page[NoticeOut]:
    """The public notices that run today, the newest first."""
    start = paging.position(after, int)
    values = {"today": clock.today(), "district": district, "before": start[0] if start else None, "rows": limit + 1}
    rows = session.execute(_NOTICES, values).all()
    return paging.page(rows, limit, _notice, lambda row: [row.id])


def _notice(row: Row[Any]) -> NoticeOut:
    return NoticeOut(
        **{name: getattr(row, name) for name in NoticeOut.model_fields if hasattr(row, name)},
        case_id=row.id,
        comparable_price=row.comparable_price_fen,
        notice_last_day=row.notice_until - timedelta(days=1),
    )


def public_certificate(session: Session, number: str) -> PublicCertificateOut:
    """What a certificate's number stands for today.

    Raises:
        NotFound: nobody was given this number (404).
    """
    row = session.execute(_CERTIFICATE_BY_NUMBER, {"number": number}).first()
    if row is None:
        raise NotFound
    fields = {name: getattr(row, name) for name in PublicCertificateOut.model_fields if hasattr(row, name)}
    return PublicCertificateOut(**fields, state=state_of(row, clock.today()))
