"""Reads of what was sold and promised against certified capacity."""

# ruff: noqa: S608  statements are put together from constants only; every value that a caller gives is bound

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, text
from sqlmodel import Session

from catalog.certificates import queries as certificates
from catalog.certificates.reach import IN_REGION, OWN, reach
from catalog.supervision import rules
from catalog.supervision.schemas.capacity import CapacityFlagOut, CapacityOut, MonthOut
from shop.core import paging
from shop.core.errors import NotFound
from shop.core.paging import Page
from shop.identity.actor import Actor

#: What each line still holds of a stock, by the day on which it was reserved: what is released, or comes back, counts back there. A line belongs to the
#: certificate of its product that was valid on that day; of two the older one, whose time it was. Certificates are joined, not looked up for each line:
#: of the whole city that is half the work.
COMMITTED = """
    SELECT c.id AS certificate_id, extract(year FROM line.day)::int AS year, extract(month FROM line.day)::int AS month,
           round(sum(line.grams))::bigint AS grams
    FROM (
        SELECT s.product_id, sum(CASE WHEN m.kind IN ('return', 'replace') THEN -m.on_hand ELSE m.reserved END) * s.net_grams AS grams, (min(m.at) AT TIME ZONE 'Asia/Shanghai')::date AS day
        FROM stock_movement m JOIN sku s ON s.id = m.sku_id
        WHERE m.kind IN ('reserve', 'release', 'return', 'replace') AND s.net_grams IS NOT NULL AND {which}
        GROUP BY m.order_line_id, s.id
    ) line JOIN certificate c ON c.product_id = line.product_id AND line.day BETWEEN c.valid_from AND c.valid_until
    WHERE line.day >= :since AND NOT EXISTS (
        SELECT FROM certificate older WHERE older.product_id = c.product_id AND older.id < c.id
          AND line.day BETWEEN older.valid_from AND older.valid_until)
    GROUP BY 1, 2, 3
"""
_OF_ONE = text(
    f"SELECT month, grams FROM ({COMMITTED.format(which='s.product_id = :product_id')}) committed"
    " WHERE certificate_id = :id AND year = :year ORDER BY month"
)
_FLAG = """
    SELECT f.*, c.number AS certificate_number, c.product_name, c.supplier_id, c.supplier_name, c.district_code,
           c.held_at IS NOT NULL AS held, o.path AS supplier_path
    FROM capacity_flag f
    JOIN certificate c ON c.id = f.certificate_id
    JOIN organisation o ON o.id = c.supplier_id
"""
_REACH = f"({OWN} OR {IN_REGION})"
_ONE = text(f"{_FLAG} WHERE f.id = :id AND {_REACH}")


def flag_row(session: Session, actor: Actor, flag_id: int) -> Row[Any]:
    """One flag as it stands.

    Raises:
        NotFound: there is none within reach (404).
    """
    row = session.execute(_ONE, {"id": flag_id, **reach(actor)}).first()
    if row is None:
        raise NotFound
    return row


def flag(session: Session, actor: Actor, flag_id: int) -> CapacityFlagOut:
    """One flag. Raises as :func:`flag_row`."""
    return _out(flag_row(session, actor, flag_id))


@dataclass(frozen=True)
class Filters:
    open: bool | None = None
    district: str | None = None
    certificate_id: int | None = None


_CONDITIONS = {
    "open": "(f.cleared_at IS NULL) = :open",
    "district": "c.district_code = :district",
    "certificate_id": "f.certificate_id = :certificate_id",
}


def flags(session: Session, actor: Actor, filters: Filters, *, limit: int = 50, after: str | None = None) -> Page[CapacityFlagOut]:
    """The flags of an officer's region, or of a supplier's own certificates; the newest first."""
    values: dict[str, Any] = {name: value for name in _CONDITIONS if (value := getattr(filters, name)) is not None}
    conditions = [_REACH, *(_CONDITIONS[name] for name in values)]
    if start := paging.position(after, int):
        conditions.append("f.id < :start")
        values["start"] = start[0]
    statement = text(f"{_FLAG} WHERE {' AND '.join(conditions)} ORDER BY f.id DESC LIMIT :rows")
    rows = session.execute(statement, {**values, **reach(actor), "rows": limit + 1}).all()
    return paging.page(rows, limit, _out, lambda row: [row.id])


def _out(row: Row[Any]) -> CapacityFlagOut:
    shown = {name: getattr(row, name) for name in CapacityFlagOut.model_fields if hasattr(row, name)}
    return CapacityFlagOut(**shown, percent=rules.percent_of(row.committed_grams, row.capacity_grams))


def capacity(session: Session, actor: Actor, certificate_id: int, year: int) -> CapacityOut:
    """What was sold and promised of a certificate in a year, month by month.

    Raises:
        NotFound: there is no such certificate within reach (404).
    """
    row = certificates.certificate_row(session, actor, certificate_id)
    values = {"product_id": row.product_id, "id": certificate_id, "year": year, "since": f"{year}-01-01"}
    sold = {found.month: found.grams for found in session.execute(_OF_ONE, values)}
    certified = row.annual_capacity_kg * 1000 if row.annual_capacity_kg else None
    by_month = [kg * 1000 for kg in row.monthly_capacity_kg] if row.monthly_capacity_kg else [None] * 12
    months = [
        MonthOut(
            month=month,
            capacity_grams=grams,
            committed_grams=sold.get(month, 0),
            percent=None if grams is None else rules.percent_of(sold.get(month, 0), grams),
        )
        for month, grams in enumerate(by_month, start=1)
    ]
    total = sum(sold.values())
    return CapacityOut(
        certificate_id=certificate_id,
        year=year,
        capacity_grams=certified,
        committed_grams=total,
        percent=rules.percent_of(total, certified) if certified else None,
        months=months,
    )
