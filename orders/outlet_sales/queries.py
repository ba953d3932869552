"""Reading batches, their lines, and the days of outlets, within the reach that one has of the outlets."""

# ruff: noqa: S608  statements are put together from constants only; every value that a caller gives is bound

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any

from sqlalchemy import Row, text
from sqlmodel import Session, col, select

from orders.counting.queries import BATCH_SOLD_AT, BATCH_WAITS
from orders.ledger.selection import Binds
from orders.outlet_sales.models import SalesTrial
from orders.outlet_sales.rules import BatchStatus, LineStatus
from orders.outlet_sales.schemas import (
    Group,
    OutletGroup,
    OutletSales,
    OutletSalesOut,
    OutletSalesRow,
    SalesBatchOut,
    SalesLineOut,
    SalesTrialOut,
)
from orders.outlets.queries import FILTERED, IN_REACH, REGION_NAME, Filters, reach, some
from orders.statistics.cover import Stretch, Unit, cover, rows_over
from orders.statistics.rules import Part, growth, parts, same_period_last_year
from shop.core import clock, paging
from shop.core.errors import Invalid, Language, NotFound, unknown_code
from shop.core.paging import Page
from shop.identity.actor import Actor

# Line ``s`` of a batch is, or gives back of, a sale of goods that come from the caller's region: who follows a sale sees nothing else of a batch.
_FROM_THERE = """EXISTS (
    SELECT FROM sale_entry e JOIN unnest(CAST(:regions AS text[])) AS within (prefix)
        ON starts_with(e.district_code, within.prefix) OR starts_with(e.township_code, within.prefix)
    WHERE e.origin_kind = 'outlet_line' AND e.origin_id = coalesce(s.refunded_id, s.id))"""
# What became of the lines, less what was given back in them: of what was left out, replaced or withdrawn nothing.
_BATCH = """
    SELECT b.*, o.number AS outlet_number, l.certified, l.resale, l.other, l.undecided
    FROM sales_batch b JOIN outlet o ON o.id = b.outlet_id JOIN organisation op ON op.id = o.operator_id
    CROSS JOIN LATERAL (
        SELECT coalesce(sum(fen) FILTER (WHERE status = 'counted'), 0)::bigint AS certified,
               coalesce(sum(fen) FILTER (WHERE status = 'resale'), 0)::bigint AS resale,
               coalesce(sum(fen) FILTER (WHERE status = 'other'), 0)::bigint AS other,
               coalesce(sum(fen) FILTER (WHERE status IN ('held', 'waiting')), 0)::bigint AS undecided
        FROM (SELECT status, CASE WHEN refunds_line_id IS NULL THEN amount_fen ELSE -amount_fen END AS fen
              FROM sales_batch_line s WHERE batch_id = b.id AND {lines}) signed
    ) l
    WHERE {seen}
"""
_WITHIN_REACH = _BATCH.format(lines="true", seen=f"(b.device_id = CAST(:device AS bigint) OR {IN_REACH})")
_BATCHES = text(
    f"""
    {_WITHIN_REACH} AND (CAST(:outlet AS bigint) IS NULL OR b.outlet_id = :outlet) AND (CAST(:status AS text) IS NULL OR b.status = :status)
    AND (CAST(:region AS text) IS NULL OR starts_with(o.region_code, :region)) AND (CAST(:until AS timestamptz) IS NULL OR {BATCH_SOLD_AT} < :until)
    AND (CAST(:reason AS text) IS NULL OR b.reason_code = :reason) AND (CAST(:waits AS boolean) IS NULL OR ({BATCH_WAITS}) = :waits)
    AND (CAST(:start AS bigint) IS NULL OR b.id < :start)
    ORDER BY b.id DESC LIMIT :rows
    """
)
_ONE = text(f"{_WITHIN_REACH} AND b.id = :id")
_FOLLOWED = text(
    _BATCH.format(
        lines=_FROM_THERE, seen=f"b.id = :id AND EXISTS (SELECT FROM sales_batch_line s WHERE s.batch_id = b.id AND {_FROM_THERE})"
    )
)
_LINES = text(
    f"""
    SELECT s.*, CASE WHEN s.status = 'waiting' THEN
        CAST(:today AS date) - ((SELECT received_at FROM sales_batch WHERE id = s.batch_id) AT TIME ZONE 'Asia/Shanghai')::date END AS waits_days
    FROM sales_batch_line s WHERE batch_id = :id AND (:whole OR {_FROM_THERE}) AND (CAST(:status AS text) IS NULL OR status = :status)
    AND (CAST(:start AS bigint) IS NULL OR line_no > :start) ORDER BY line_no LIMIT :rows
    """
)
#: How sales of outlets are counted.
DEFINITION: dict[Language, str] = {
    "zh": "网点按上报批次的销售，按销售当日计；退货冲减其批次的退货当日，不追溯到原销售日。认定商品为计入台账的销售，转售为首次销售已计入的认定商品，其他商品不进入台账；存疑、等待或被更正、撤回的不在其中。"
    "台账口径不同之处：退货计入告知当日，已关账月份的销售计入首个未关账日。增长为认定商品与上年同期相比。",
    "en": "What batches of outlets tell, on the day of the sale; what was given back counts on the day on which it was given back, not on that of its sale."
    " Certified goods are those that count in the ledger; resale are certified goods whose first sale counts already; others are not in the ledger. What"
    " is held, waits, was corrected or withdrawn is left out. The ledger differs in this: it takes a refund on the day on which it was told, and a sale of"
    " a closed month on the first open day. Growth is of certified goods against the same days a year before.",
}
#: What outlets are grouped by: its code, and what a group is called.
_GROUPS: dict[Group, tuple[str, str]] = {
    "outlet": ("o.number", "o.name"),
    "county": ("o.region_code", REGION_NAME),
    "operator": ("op.uscc", "op.name"),
    "kind": ("o.kind", "''"),
}
#: What days are grouped by, and how its code is written.
_TIMES: dict[Group, str] = {"day": "YYYY-MM-DD", "month": "YYYY-MM"}
_FIGURES = ("certified_fen", "resale_fen", "other_fen", "grams", "lines")
#: The tables of what the outlets of counties sold, and of what waits to be added.
_COUNTIES = ("county", "county_pending")
#: SQL: a sum is of a county within reach (see ``IN_REACH``) and filter.
_PLACES = """region_code = ANY (ARRAY(
    SELECT code FROM region r WHERE (CAST(:region AS text) IS NULL OR starts_with(r.code, :region))
      AND EXISTS (SELECT FROM unnest(CAST(:regions AS text[])) AS within (prefix) WHERE starts_with(r.code, within.prefix))))"""
#: What of a row has a sum over all rows.
_SUMMED = ("certified", "resale", "other", "grams", "lines", "certified_a_year_before")


def _few(first: date, last: date) -> list[Stretch]:
    """What is read of a period. Nothing is sold in days to come: a year that is not over has no other days."""
    last = last.replace(month=12, day=31) if last >= clock.today() else last
    return cover(first, last, [Unit.TEN_DAYS, Unit.MONTH, Unit.YEAR])


def sold_over(first: date, last: date) -> tuple[str, dict[str, Any]]:
    """SQL and its values: what outlets sold over a period, as rows to be added up by outlet."""
    bind = Binds()
    return rows_over(_few(first, last), "outlet", ("outlet_id",), _FIGURES, bind), bind.values


def _by_outlet(period: tuple[date, date], names: Sequence[str], bind: Binds) -> str:
    """SQL: what each outlet sold over a period, in one row."""
    stretches = _few(*period)
    sold = rows_over(stretches, "outlet", ("outlet_id",), names, bind)
    if len(stretches) == 1 and stretches[0].first == stretches[0].last:
        return sold
    return f"SELECT outlet_id, {_sums(names)} FROM ({sold}) AS rows GROUP BY outlet_id"


def _of_keys(group: Group, period: tuple[date, date], before: tuple[date, date], bind: Binds) -> str:
    """SQL: what outlets sold by what they are grouped by. An outlet is a group of its own, of which nothing is to be added up."""
    now, then = _by_outlet(period, _FIGURES, bind), _by_outlet(before, ("certified_fen",), bind)
    figures = {
        "outlets": "(sold.lines > 0)::int",
        **{name: f"sold.{name}" for name in _FIGURES},
        "before_fen": "earlier.certified_fen",
    }
    alone = group == "outlet"
    shown = [f"coalesce({figure if alone else f'sum_bigint({figure})'}, 0) AS {name}" for name, figure in figures.items()]
    return f"""
        SELECT key, {"name" if alone else "max(name) AS name"}, {", ".join(shown)}
        FROM seen LEFT JOIN ({now}) AS sold ON sold.outlet_id = seen.id LEFT JOIN ({then}) AS earlier ON earlier.outlet_id = seen.id
        {"" if alone else "GROUP BY key"}
    """


def _of_times(
    group: Group, period: tuple[date, date], before: tuple[date, date], bind: Binds, *, seen: str, counties: str | None
) -> str:
    """SQL: what outlets sold by day or month. A year before stands what was certified then, and none of its outlets. ``counties``: a condition on sums
    by county and kind, if they can tell it."""
    sold = [
        *_times(group, period, _FIGURES, bind, before=False, seen=seen, counties=counties),
        *_times(group, before, ("certified_fen",), bind, before=True, seen=seen, counties=counties),
    ]
    return f"""
        SELECT key, '' AS name, {_sums(("outlets", *_FIGURES, "before_fen"))} FROM ({" UNION ALL ".join(sold)}) AS sold GROUP BY key
    """


def _times(
    group: Group, period: tuple[date, date], names: Sequence[str], bind: Binds, *, before: bool, seen: str, counties: str | None
) -> Iterator[str]:
    """SQL: rows for each day or month of a period; keys may come again."""
    for part in [Part(*period, whole=True)] if group == "day" else parts(*period, clock.today()):
        # of a part of a month nobody has kept how many outlets sold in it
        if counties is not None and (part.whole or before):
            yield from _of_counties(group, part, names, bind, counties, before=before)
        else:
            yield _of_outlets(group, part, names, bind, seen, before=before)


def _of_outlets(group: Group, part: Part, names: Sequence[str], bind: Binds, seen: str, *, before: bool) -> str:
    """SQL: each day or month of an outlet as such. Of months that the period does not hold whole an outlet has several rows."""
    stretches = _read_together(group, part, [Unit.TEN_DAYS, Unit.MONTH])
    on_day = "{unit}" if part.whole else f"date_trunc('{group}', {{unit}}::timestamp)::date"
    sold = rows_over(stretches, "outlet", ["outlet_id AS outlet_id", f"{on_day} AS on_day"], names, bind)
    # an outlet of several rows is counted once, if it sold
    if not part.whole and not before:
        sold = f"SELECT outlet_id, on_day, {_sums(names)} FROM ({sold}) AS rows GROUP BY outlet_id, on_day"
    columns = _shown(names, "count(*) FILTER (WHERE lines > 0)", before=before)
    return f"SELECT {_key(group, 'on_day', before=before)}, {columns} FROM ({sold}) AS sold {seen} GROUP BY on_day"


def _of_counties(group: Group, part: Part, names: Sequence[str], bind: Binds, condition: str, *, before: bool) -> Iterator[str]:
    """SQL: the same of whole counties, with what waits to be added to them; each added up by itself, which is less work."""
    for stretch in _read_together(group, part, [Unit.MONTH]):
        columns = _shown(names, "sum_bigint(outlets)", before=before, minus=stretch.minus)
        for book in _COUNTIES:
            yield f"""
                SELECT {_key(group, stretch.unit, before=before)}, {columns} FROM {book}_{stretch.unit}
                WHERE {stretch.within(bind)} AND {condition} GROUP BY {stretch.unit}
            """


def _read_together(group: Group, part: Part, longer: Sequence[Unit]) -> list[Stretch]:
    return [Stretch(Unit(group), part.first, part.last)] if part.whole else cover(part.first, part.last, longer)


def _key(group: Group, day: str, *, before: bool) -> str:
    shown = f"{day} + interval '1 year'" if before else day
    return f"to_char({shown}, '{_TIMES[group]}') AS key"


def _shown(names: Sequence[str], outlets: str, *, before: bool, minus: str = "") -> str:
    """SQL: every figure of a row; those that were not asked for are none."""
    shown = dict.fromkeys(("outlets", *_FIGURES, "before_fen"), "0")
    if before:
        shown["before_fen"] = f"{minus}sum_bigint(certified_fen)"
    else:
        shown |= {"outlets": outlets, **{name: f"{minus}sum_bigint({name})" for name in names}}
    return ", ".join(f"({figure})::bigint AS {name}" for name, figure in shown.items())


def _sums(names: Sequence[str]) -> str:
    return ", ".join(f"sum_bigint({name}) AS {name}" for name in names)


def _whole_counties(within: dict[str, Any], filters: Filters) -> str | None:
    """SQL: which sums by county and kind are those of the outlets within reach that are asked for; none: sums of counties cannot tell it."""
    if not within["regions"] or filters != Filters(kind=filters.kind, region=filters.region):
        return None
    places = [] if within["regions"] == [""] and filters.region is None else [_PLACES]
    return " AND ".join([*places, *(["kind = :kind"] if filters.kind else [])]) or "true"


def _sales(
    group: Group, period: tuple[date, date], before: tuple[date, date], within: dict[str, Any], filters: Filters
) -> tuple[str, dict[str, Any]]:
    bind = Binds()
    if group in _TIMES:
        everywhere = within["regions"] == [""] and filters == Filters()
        seen = "" if everywhere else "WHERE outlet_id IN (SELECT id FROM seen)"
        by_key = _of_times(group, period, before, bind, seen=seen, counties=_whole_counties(within, filters))
    else:
        by_key = _of_keys(group, period, before, bind)
    code, called = _GROUPS.get(group, ("NULL", "NULL"))
    figures = (*_FIGURES, "before_fen")
    sql = f"""
    WITH seen AS MATERIALIZED (
        SELECT o.id, {code} AS key, {called} AS name
        FROM outlet o JOIN organisation op ON op.id = o.operator_id JOIN region r ON r.code = o.region_code
        LEFT JOIN outlet_pulse p ON p.outlet_id = o.id WHERE {IN_REACH} {FILTERED}
    ), by_key AS ({by_key}), listed AS MATERIALIZED (
        SELECT key, name, outlets, certified_fen AS certified, resale_fen AS resale, other_fen AS other, grams, lines,
               before_fen AS certified_a_year_before
        FROM by_key WHERE ({", ".join(figures)}) <> ({", ".join("0" for _ in figures)})
    ), total AS (SELECT {", ".join(f"coalesce(sum_bigint({name}), 0) AS total_{name}" for name in _SUMMED)} FROM listed)
    SELECT listed.*, total.* FROM total LEFT JOIN listed ON CAST(:start AS text) IS NULL OR key > :start ORDER BY key LIMIT :rows
    """
    return sql, bind.values


def batches(
    session: Session,
    actor: Actor,
    *,
    outlet_id: int | None,
    status: BatchStatus | None,
    reason: str | None,
    waits: bool | None,
    region: str | None,
    sold_to: date | None,
    limit: int,
    after: str | None,
) -> Page[SalesBatchOut]:
    """Batches, the newest first.

    Raises:
        Invalid: there is no such outlet within reach (422).
    """
    start = paging.position(after, int)
    values = {
        "outlet": outlet_id,
        "status": status,
        "reason": reason,
        "waits": waits,
        "region": region,
        "until": sold_to and clock.end_of_day(sold_to),
        "start": start[0] if start else None,
        "rows": limit + 1,
    }
    rows = session.execute(_BATCHES, {**_reach(actor), **values}).all()
    if not rows and outlet_id is not None and not some(session, actor, [outlet_id]):
        raise Invalid(faults=[unknown_code("outlet_id", outlet_id)])
    return paging.page(rows, limit, _out, lambda row: [row.id])


def batch(session: Session, actor: Actor, batch_id: int) -> SalesBatchOut:
    """One batch; of one of another region's outlet an officer or monitor sees what was sold of the own region's goods.

    Raises:
        NotFound: there is none within reach (404).
    """
    return _out(_found(session, actor, batch_id)[0])


def _found(session: Session, actor: Actor, batch_id: int) -> tuple[Row[Any], bool]:
    """A batch, and whether all of it is open, or only sales of the caller's region."""
    values = {**_reach(actor), "id": batch_id}
    if (row := session.execute(_ONE, values).first()) is not None:
        return row, True
    if (row := session.execute(_FOLLOWED, values).first()) is None:
        raise NotFound
    return row, False


def trial(session: Session, actor: Actor, trial_id: int, language: Language) -> SalesTrialOut:
    """A trial that the actor asked for.

    Raises:
        NotFound: there is none (404).
    """
    found = session.exec(select(SalesTrial).where(col(SalesTrial.id) == trial_id, col(SalesTrial.user_id) == actor.user_id)).first()
    if found is None:
        raise NotFound
    return SalesTrialOut(**found.model_dump(exclude={"problem"}), problem=found.problem and found.problem[language])


def lines(
    session: Session, actor: Actor, batch_id: int, *, status: LineStatus | None, limit: int, after: str | None
) -> Page[SalesLineOut]:
    """The lines of a batch in their order; as far as :func:`batch` shows it. Raises NotFound (404)."""
    _, whole = _found(session, actor, batch_id)
    start = paging.position(after, int)
    asked = {"id": batch_id, "whole": whole, "status": status, "today": clock.today()}
    values = {**_reach(actor), **asked, "start": start[0] if start else None, "rows": limit + 1}
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
    language: Language = "zh",
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
    start, exact_to = paging.position(after, str), clock.now()
    within = reach(actor)
    # of days to come nothing is known that the year before could stand beside
    before = same_period_last_year(first, max(first, min(last, clock.today())))
    sql, values = _sales(group, (first, last), before, within, filters)
    asked = {**values, **within, **filters.values, "language": language, "start": start[0] if start else None, "rows": limit + 1}
    # of reach and filters the planner expects a few rows; where there are all outlets, it would look through them for each of them
    session.execute(text("SET LOCAL enable_nestloop = off"))
    rows = session.execute(text(sql), asked).all()
    totals = {name: getattr(rows[0], f"total_{name}") for name in _SUMMED}
    page = paging.page([row for row in rows if row.key is not None], limit, _sales_out, lambda row: [row.key])
    return OutletSalesOut(
        first=first,
        last=last,
        definition=DEFINITION[language],
        exact_to=exact_to,
        totals=OutletSales(**_grown(totals)),
        items=page.items,
        next=page.next,
    )


def _reach(actor: Actor) -> dict[str, Any]:
    # a device sees what it sent itself
    if actor.device:
        return {"device": actor.device.id, "branch": "-", "regions": []}
    return {"device": None, **reach(actor)}


def _sales_out(row: Row[Any]) -> OutletSalesRow:
    group = {name: getattr(row, name) for name in OutletGroup.model_fields}
    return OutletSalesRow(**group, **_grown({name: getattr(row, name) for name in _SUMMED}))


def _grown(sums: dict[str, Any]) -> dict[str, Any]:
    return {**sums, "growth_percent": growth(sums["certified"], sums["certified_a_year_before"])}


def _out(row: Row[Any]) -> SalesBatchOut:
    return SalesBatchOut.model_validate(row._mapping)


def _line_out(row: Row[Any]) -> SalesLineOut:
    told = row.amount_fen if row.told_fen is None else row.told_fen
    return SalesLineOut.model_validate({**row._mapping, "amount": row.amount_fen, "told": told})
