"""Reads of plans, inspections and price checks, each within the region of who asks."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, text
from sqlmodel import Session

from catalog.products.rules import per_kg
from catalog.supervision.schemas.checking import CheckFileOut, InspectionOut, InspectionRow, PlanRow, PriceCheckOut
from shop.core import clock, paging
from shop.core.errors import NotFound
from shop.core.paging import Page
from shop.identity.actor import Actor
from shop.identity.permissions import Permission
from shop.programmes import queries as programmes

_IN_REGION = "c.district_code LIKE ANY (CAST(:regions AS text[]))"
#: A plan of the whole city is everybody's who supervises; one of a county that county's.
_PLAN = """
    SELECT p.*, coalesce(i.open, 0) AS open, coalesce(i.failed, 0) AS failed
    FROM check_plan p
    LEFT JOIN LATERAL (SELECT count(*) FILTER (WHERE status = 'open') AS open, count(*) FILTER (WHERE status = 'failed') AS failed
                       FROM inspection WHERE plan_id = p.id) i ON true
    WHERE (p.district_code IS NULL OR p.district_code LIKE ANY (CAST(:regions AS text[])))
"""
_ONE_PLAN = text(f"{_PLAN} AND p.id = :id")
_PLANS = text(f"{_PLAN} AND (CAST(:before AS bigint) IS NULL OR p.id < :before) ORDER BY p.id DESC LIMIT :rows")
_INSPECTION = """
    SELECT i.*, c.number AS certificate_number, c.product_name, c.supplier_id, c.supplier_name, c.district_code, o.path AS supplier_path,
           u.name AS done_by_name
    FROM inspection i
    JOIN certificate c ON c.id = i.certificate_id
    JOIN organisation o ON o.id = c.supplier_id
    LEFT JOIN app_user u ON u.id = i.done_by
"""
_ONE_INSPECTION = text(f"{_INSPECTION} WHERE i.id = :id AND {_IN_REGION}")
_FILES = text(
    "SELECT s.id, s.name, s.content_type, s.size, s.sha256, s.uploaded_at, s.storage_key"
    " FROM inspection_file f JOIN stored_file s ON s.id = f.file_id WHERE f.inspection_id = :id ORDER BY s.id"
)
_FILES_OF_PRICES = text(
    "SELECT f.price_check_id, s.id, s.name, s.content_type, s.size, s.sha256, s.uploaded_at, s.storage_key"
    " FROM price_check_file f JOIN stored_file s ON s.id = f.file_id WHERE f.price_check_id = ANY (:ids) ORDER BY s.id"
)
_PRICE_CHECK = """
    SELECT p.*, c.number AS certificate_number, c.product_name FROM price_check p JOIN certificate c ON c.id = p.certificate_id
"""


def regions(actor: Actor) -> dict[str, Any]:
    """The parameter that the conditions take."""
    return {"regions": actor.region_patterns(Permission.SUPERVISION_READ)}


def plan(session: Session, actor: Actor, plan_id: int) -> PlanRow:
    """One plan.

    Raises:
        NotFound: there is none within the region (404).
    """
    row = session.execute(_ONE_PLAN, {"id": plan_id, **regions(actor)}).first()
    if row is None:
        raise NotFound
    return PlanRow.model_validate(row, from_attributes=True)


def plans(session: Session, actor: Actor, *, limit: int = 50, after: str | None = None) -> Page[PlanRow]:
    """The plans of the region and of the whole city, the newest first."""
    start = paging.position(after, int)
    rows = session.execute(_PLANS, {**regions(actor), "before": start[0] if start else None, "rows": limit + 1}).all()
    return paging.page(rows, limit, lambda row: PlanRow.model_validate(row, from_attributes=True), lambda row: [row.id])


def inspection_row(session: Session, actor: Actor, inspection_id: int) -> Row[Any]:
    """One inspection as it stands.

    Raises:
        NotFound: there is none within the region (404).
    """
    row = session.execute(_ONE_INSPECTION, {"id": inspection_id, **regions(actor)}).first()
    if row is None:
        raise NotFound
    return row


def inspection(session: Session, actor: Actor, inspection_id: int) -> InspectionOut:
    """One inspection with its findings. Raises as :func:`inspection_row`."""
    row = inspection_row(session, actor, inspection_id)
    files = [CheckFileOut.model_validate(file, from_attributes=True) for file in session.execute(_FILES, {"id": row.id})]
    return InspectionOut(
        **_row(row).model_dump(), findings=row.findings, measured=row.measured, done_by=row.done_by_name, files=files
    )


def inspection_file(session: Session, actor: Actor, inspection_id: int, file_id: int) -> Row[Any]:
    """Where the content of a file lies. Raises as :func:`inspection_row`."""
    row = inspection_row(session, actor, inspection_id)
    for file in session.execute(_FILES, {"id": row.id}):
        if file.id == file_id:
            return file
    raise NotFound


@dataclass(frozen=True)
class Filters:
    status: str | None = None
    kind: str | None = None
    plan_id: int | None = None
    certificate_id: int | None = None
    district: str | None = None
    overdue: bool | None = None


_OVERDUE = "(i.status = 'open' AND i.due_on < :today)"
_CONDITIONS = {
    "status": "i.status = :status",
    "kind": "i.kind = :kind",
    "plan_id": "i.plan_id = :plan_id",
    "certificate_id": "i.certificate_id = :certificate_id",
    "district": "c.district_code = :district",
    "overdue": f"{_OVERDUE} = :overdue",
}


def inspections(
    session: Session, actor: Actor, filters: Filters, *, limit: int = 50, after: str | None = None
) -> Page[InspectionRow]:
    """The inspections of the region, the newest first."""
    asked: dict[str, Any] = {name: value for name in _CONDITIONS if (value := getattr(filters, name)) is not None}
    conditions = [_IN_REGION, *(_CONDITIONS[name] for name in asked)]
    if start := paging.position(after, int):
        conditions.append("i.id < :start")
        asked["start"] = start[0]
    statement = text(f"{_INSPECTION} WHERE {' AND '.join(conditions)} ORDER BY i.id DESC LIMIT :rows")
    rows = session.execute(statement, {**asked, **regions(actor), "today": clock.today(), "rows": limit + 1}).all()
    return paging.page(rows, limit, _row, lambda row: [row.id])


def _row(row: Row[Any]) -> InspectionRow:
    shown = {name: getattr(row, name) for name in InspectionRow.model_fields if hasattr(row, name)}
    return InspectionRow(**shown, overdue=row.status == "open" and row.due_on < clock.today())


def price_checks(
    session: Session,
    actor: Actor,
    *,
    certificate_id: int | None = None,
    district: str | None = None,
    above: bool | None = None,
    price_check_id: int | None = None,
    limit: int = 50,
    after: str | None = None,
) -> Page[PriceCheckOut]:
    """The price checks of the region, the newest first."""
    tolerated = programmes.config_of(session, clock.today()).certification.price_tolerance_percent * 100
    narrowed = {
        "certificate_id": ("p.certificate_id = :certificate_id", certificate_id),
        "district": ("c.district_code = :district", district),
        "above": ("(p.above_bp > :tolerated) = :above", above),
        "price_check_id": ("p.id = :price_check_id", price_check_id),
    }
    asked: dict[str, Any] = {name: value for name, (_, value) in narrowed.items() if value is not None}
    conditions = [_IN_REGION, *(narrowed[name][0] for name in asked)]
    if start := paging.position(after, int):
        conditions.append("p.id < :start")
        asked["start"] = start[0]
    statement = text(f"{_PRICE_CHECK} WHERE {' AND '.join(conditions)} ORDER BY p.id DESC LIMIT :rows")
    rows = session.execute(statement, {**asked, **regions(actor), "tolerated": tolerated, "rows": limit + 1}).all()

    files: dict[int, list[CheckFileOut]] = {}
    for file in session.execute(_FILES_OF_PRICES, {"ids": [row.id for row in rows]}):
        files.setdefault(file.price_check_id, []).append(CheckFileOut.model_validate(file, from_attributes=True))

    def shown(row: Row[Any]) -> PriceCheckOut:
        fields = {name: getattr(row, name) for name in PriceCheckOut.model_fields if hasattr(row, name)}
        percent = f"{row.above_bp / 100:.2f}"
        return PriceCheckOut(
            **fields,
            found_price=row.found_fen,
            found_per_kg=per_kg(row.found_fen, row.found_grams),
            own_price=row.own_fen,
            own_per_kg=per_kg(row.own_fen, row.own_grams),
            above_percent=percent,
            above=row.above_bp > tolerated,
            files=files.get(row.id, []),
        )

    return paging.page(rows, limit, shown, lambda row: [row.id])


def price_check(session: Session, actor: Actor, price_check_id: int) -> PriceCheckOut:
    """One price check with its files.

    Raises:
        NotFound: there is none within the region (404).
    """
    found = price_checks(session, actor, price_check_id=price_check_id).items
    if not found:
        raise NotFound
    return found[0]


def price_check_file(session: Session, actor: Actor, price_check_id: int, file_id: int) -> Row[Any]:
    """Where the content of a file lies. Raises as :func:`price_check`."""
    price_check(session, actor, price_check_id)
    for file in session.execute(_FILES_OF_PRICES, {"ids": [price_check_id]}):
        if file.id == file_id:
            return file
    raise NotFound
