"""Reading batches, their lines, and the days of outlets, within the reach that one has of the outlets."""

# ruff: noqa: S608  statements are put together from constants only; every value that a caller gives is bound

from datetime import date
from typing import Any

from sqlalchemy import Row, text
from sqlmodel import Session

from orders.outlet_sales.rules import BatchStatus, LineStatus
from orders.outlet_sales.schemas import Group, OutletSalesOut, OutletSalesRow, SalesBatchOut, SalesLineOut
from orders.outlets.queries import FILTERED, IN_REACH, Filters, reach
from orders.statistics.rules import cover, growth, over_cover, same_period_last_year
from shop.core import clock, paging
from shop.core.errors import Invalid, NotFound
from shop.core.months import month_end
from shop.core.paging import Page
from shop.identity.actor import Actor

# What became of the lines, less what was given back in them: of what was left out or replaced nothing.
_BATCH = f"""
    SELECT b.*, o.number AS outlet_number, l.certified, l.resale, l.other, l.undecided
    FROM sales_batch b JOIN outlet o ON o.id = b.outlet_id JOIN organisation op ON op.id = o.operator_id
    CROSS JOIN LATERAL (
        SELECT coalesce(sum(fen) FILTER (WHERE status = 'counted'), 0)::bigint AS certified,
               coalesce(sum(fen) FILTER (WHERE status = 'resale'), 0)::bigint AS resale,
               coalesce(sum(fen) FILTER (WHERE status = 'other'), 0)::bigint AS other,
               coalesce(sum(fen) FILTER (WHERE status IN ('held', 'waiting')), 0)::bigint AS undecided
        FROM (SELECT status, CASE WHEN refunds_line_id IS NULL THEN amount_fen ELSE -amount_fen END AS fen
              FROM sales_batch_line WHERE batch_id = b.id) signed
    ) l
    WHERE (b.device_id = CAST(:device AS bigint) OR {IN_REACH})
"""
_BATCHES = text(
    f"""
    {_BATCH} AND (CAST(:outlet AS bigint) IS NULL OR b.outlet_id = :outlet) AND (CAST(:status AS text) IS NULL OR b.status = :status)
    AND (CAST(:region AS text) IS NULL OR starts_with(o.region_code, :region)) AND (CAST(:until AS timestamptz) IS NULL OR b.first_sold_at < :until)
    AND (CAST(:reason AS text) IS NULL OR b.reason_code = :reason) AND (CAST(:start AS bigint) IS NULL OR b.id < :start)
    ORDER BY b.id DESC LIMIT :rows
    """
)
_ONE = text(f"{_BATCH} AND b.id = :id")
_LINES = text(
    """
    SELECT * FROM sales_batch_line WHERE batch_id = :id AND (CAST(:status AS text) IS NULL OR status = :status)
    AND (CAST(:start AS bigint) IS NULL OR line_no > :start) ORDER BY line_no LIMIT :rows
    """
)
#: What days are grouped by, its code, and what a group is called.
_GROUPS: dict[Group, tuple[str, str, str]] = {
    "outlet": ("o.number", "o.number", "max(o.name)"),
    "day": ("d.on_day", "to_char(d.on_day, 'YYYY-MM-DD')", "''"),
    "month": ("d.on_day", "to_char(d.on_day, 'YYYY-MM')", "''"),
    "county": ("o.region_code", "o.region_code", "max(r.name_zh)"),
    "operator": ("op.uscc", "op.uscc", "max(op.name)"),
    "kind": ("o.kind", "o.kind", "''"),
}
_FIGURES = ("certified_fen", "resale_fen", "other_fen", "grams", "lines")


def sold_over(prefix: str = "") -> str:
    """SQL: what outlets sold over a period, as rows to be added up by outlet (and ``month``); see :func:`span`, which gives its values."""
    return over_cover("outlet", ("outlet_id",), _FIGURES, prefix)


def span(first: date, last: date, prefix: str = "") -> dict[str, Any]:
    """The values of :func:`sold_over` for a period. Nothing is sold in days to come: a month that is not over has no other days."""
    return cover(first, month_end(last) if last >= clock.today() else last).values(prefix)


def _days(prefix: str) -> str:
    return (
        f"SELECT outlet_id, day, {', '.join(_FIGURES)} FROM outlet_day"
        f" WHERE day BETWEEN CAST(:{prefix}first AS date) AND CAST(:{prefix}last AS date)"
    )


def _sales(group: Group) -> str:
    by, key, name = _GROUPS[group]
    now, before = (_days(prefix) if group == "day" else sold_over(prefix) for prefix in ("", "before_"))
    on_day = {"day": "day", "month": "month"}.get(group, "CAST(NULL AS date)")
    sums = ", ".join(f"sum({figure})::bigint AS {figure}" for figure in (*_FIGURES, "before_fen"))
    # a day of an outlet is one row already, and one of the year before counts no outlet
    summed = "SELECT * FROM sold" if group == "day" else f"SELECT outlet_id, on_day, {sums} FROM sold GROUP BY outlet_id, on_day"
    # an outlet with nothing left, of a period or of all, has no row in it
    return f"""
    WITH sold AS (
        SELECT outlet_id, {on_day} AS on_day, {", ".join(_FIGURES)}, 0 AS before_fen FROM ({now}) AS now
        UNION ALL
        SELECT outlet_id, ({on_day} + interval '1 year')::date, 0, 0, 0, 0, 0, certified_fen FROM ({before}) AS before
    ), summed AS ({summed})
    SELECT {key} AS key, {name} AS name, count(*) FILTER (WHERE d.lines > 0) AS outlets, sum(d.certified_fen)::bigint AS certified,
           sum(d.resale_fen)::bigint AS resale, sum(d.other_fen)::bigint AS other, sum(d.grams)::bigint AS grams, sum(d.lines)::bigint AS lines,
           sum(d.before_fen)::bigint AS certified_a_year_before
    FROM summed d JOIN outlet o ON o.id = d.outlet_id JOIN organisation op ON op.id = o.operator_id JOIN region r ON r.code = o.region_code
    LEFT JOIN outlet_pulse p ON p.outlet_id = o.id
    WHERE {IN_REACH} {FILTERED} AND (CAST(:start AS text) IS NULL OR {key} > :start)
      AND (d.certified_fen, d.resale_fen, d.other_fen, d.grams, d.lines, d.before_fen) <> (0, 0, 0, 0, 0, 0)
    GROUP BY {by} ORDER BY {by} LIMIT :rows
    """


_SALES = {group: text(_sales(group)) for group in _GROUPS}


def batches(
    session: Session,
    actor: Actor,
    *,
    outlet_id: int | None,
    status: BatchStatus | None,
    reason: str | None,
    region: str | None,
    sold_to: date | None,
    limit: int,
    after: str | None,
) -> Page[SalesBatchOut]:
    """Batches, the newest first."""
    start = paging.position(after, int)
    values = {
        "outlet": outlet_id,
        "status": status,
        "reason": reason,
        "region": region,
        "until": sold_to and clock.end_of_day(sold_to),
        "start": start[0] if start else None,
        "rows": limit + 1,
    }
    rows = session.execute(_BATCHES, {**_reach(actor), **values}).all()
    return paging.page(rows, limit, _out, lambda row: [row.id])


def batch(session: Session, actor: Actor, batch_id: int) -> SalesBatchOut:
    """One batch. Raises NotFound: there is none within reach (404)."""
    row = session.execute(_ONE, {**_reach(actor), "id": batch_id}).first()
    if row is None:
        raise NotFound
    return _out(row)


def lines(
    session: Session, actor: Actor, batch_id: int, *, status: LineStatus | None, limit: int, after: str | None
) -> Page[SalesLineOut]:
    """The lines of a batch in their order. Raises NotFound (404)."""
    batch(session, actor, batch_id)
    start = paging.position(after, int)
    values = {"id": batch_id, "status": status, "start": start[0] if start else None, "rows": limit + 1}
    rows = session.execute(_LINES, values).all()
    return paging.page(rows, limit, _line_out, lambda row: [row.line_no])


def sales(
    session: Session,
    actor: Actor,
    group: Group,
    filters: Filters,
    *,
    first: date | None,
    last: date | None,
    limit: int,
    after: str | None,
) -> OutletSalesOut:
    """What outlets sold between two days, by outlet, day, month, county, operator or kind; certified goods and others apart.

    Raises:
        Invalid: the days stand the wrong way round, or lie more than three years apart (422).
    """
    last = last or clock.today()
    first = first or last.replace(day=1)
    if first > last or (last - first).days > 1100:
        zh, en = "起止日期有误，最多跨三年", "from is after to, or more than three years before it"
        raise Invalid.one("from", "bad_period", zh, en)
    start = paging.position(after, str)
    first_before, last_before = same_period_last_year(first, last)
    days: dict[str, Any] = {"first": first, "last": last, "before_first": first_before, "before_last": last_before}
    if group != "day":
        days = {**span(first, last), **span(first_before, last_before, "before_")}
    values = {**days, "start": start[0] if start else None, "rows": limit + 1}
    # of reach, filters and sums the planner expects a few rows; where there are all outlets, it would look through them for each of them
    session.execute(text("SET LOCAL enable_nestloop = off"))
    rows = session.execute(_SALES[group], {**reach(actor), **filters.values, **values}).all()
    page = paging.page(rows, limit, _sales_out, lambda row: [row.key])
    return OutletSalesOut(first=first, last=last, items=page.items, next=page.next)


def _reach(actor: Actor) -> dict[str, Any]:
    # a device sees what it sent itself
    if actor.device:
        return {"device": actor.device.id, "branch": "-", "regions": []}
    return {"device": None, **reach(actor)}


def _sales_out(row: Row[Any]) -> OutletSalesRow:
    return OutletSalesRow(**row._mapping, growth_percent=growth(row.certified, row.certified_a_year_before))


def _out(row: Row[Any]) -> SalesBatchOut:
    return SalesBatchOut.model_validate(row._mapping)


def _line_out(row: Row[Any]) -> SalesLineOut:
    return SalesLineOut.model_validate({**row._mapping, "amount": row.amount_fen})
