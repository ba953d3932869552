"""What there is: certified products, and outlets. Totals by county, open to every officer."""

from collections.abc import Callable, Sequence
from datetime import date
from enum import StrEnum
from functools import partial

from sqlalchemy import text
from sqlmodel import Session

from catalog.monitoring import showing
from catalog.monitoring.queries import stock as monitoring
from catalog.monitoring.schemas import StockKey
from orders.outlet_sales.queries import sold_over
from orders.panels import tables
from orders.statistics.tables import COUNTY, Filled
from shop.core import clock
from shop.core.errors import Language
from shop.identity.actor import Actor
from shop.programmes import queries as programmes
from shop.regions import queries as regions


class OutletKey(StrEnum):
    COUNTY = "county"
    KIND = "kind"
    STATUS = "status"


def certification(session: Session, actor: Actor, language: Language, *, on: date, district: str | None) -> Filled:
    """Certificates in force on a day by county, with suppliers, products, and the households and persons behind them as a stock."""
    by = [StockKey.COUNTY]
    found = monitoring.stock(session, actor, language, by=by, on=on, district=district, everywhere=True)
    found = showing.protected(session, actor, found, by=by, on=on, district=district, everywhere=True)
    filters = [] if district is None else [f"{COUNTY['county_name'].titled(language)}: {district}"]
    return Filled(tables.CERTIFICATION, found.rows, found.exact_to, found.totals, on=on, filters=filters)


_COLUMNS = {OutletKey.COUNTY: "coalesce(m.code, h.county)", OutletKey.KIND: "h.kind", OutletKey.STATUS: "h.status"}
# The closing day is the last one. What was refused has no day of it: it counts as refused on any. What an outlet sold that was registered or opened
# later, as an officer may have let it count, belongs to the sums, though the outlet is none of the day's.
_OUTLETS = """
    WITH sold AS (
        SELECT outlet_id, sum_bigint(certified_fen) AS certified, sum_bigint(other_fen) AS other, sum_bigint(grams) AS weight, sum_bigint(lines) AS lines
        FROM ({sold}) AS over GROUP BY outlet_id
    ), listed AS (
        SELECT left(o.region_code, 6) AS county, o.kind, o.opened_on <= :on AND o.registered_at < :end AS here,
               CASE WHEN o.closed_on < :on THEN 'closed' WHEN o.status = 'refused' THEN 'refused'
                    WHEN o.verified_at < :end THEN 'verified' ELSE 'registered' END AS status,
               sold.certified, sold.other, sold.weight, sold.lines
        FROM outlet o LEFT JOIN sold ON sold.outlet_id = o.id
    )
    SELECT {keys}, count(*) FILTER (WHERE h.here) AS outlets, count(*) FILTER (WHERE h.here AND h.status = 'verified') AS working,
           count(*) FILTER (WHERE h.lines > 0) AS active, coalesce(sum_bigint(h.certified), 0) AS certified,
           coalesce(sum_bigint(h.other), 0) AS other, coalesce(sum_bigint(h.weight), 0) AS weight
    FROM listed h
    LEFT JOIN unnest(CAST(:ended AS text[]), CAST(:codes AS text[])) AS m (ended, code) ON m.ended = h.county
    WHERE h.here OR (h.certified, h.other, h.weight, h.lines) <> (0, 0, 0, 0)
    GROUP BY {order} ORDER BY {order}
"""


def outlets(session: Session, language: Language, *, by: Sequence[OutletKey], on: date, first: date, last: date) -> Filled:
    """Outlets on a day by some of county, kind and status (one at least); those that sold in a period, and for how much, also where they were
    registered or opened after the day."""
    exact_to = clock.now()
    successors = regions.successors(session, min(on, clock.today()))
    columns = [_COLUMNS[key] for key in by]
    sold, values = sold_over(first, last)
    statement = _OUTLETS.format(
        sold=sold,
        keys=", ".join(f"{column} AS {key.value}" for key, column in zip(by, columns, strict=True)),
        order=", ".join(columns),
    )
    asked = {"on": on, "end": clock.end_of_day(on), **values}
    merged = {"ended": list(successors), "codes": list(successors.values())}
    rows = [dict(row._mapping) for row in session.execute(text(statement), {**asked, **merged})]
    term = programmes.terms(session, min(on, clock.today()), language)
    named: dict[OutletKey, Callable[[str], str]] = {
        OutletKey.COUNTY: regions.names(session, {row["county"] for row in rows} if OutletKey.COUNTY in by else set(), language),
        OutletKey.KIND: partial(term, "outlet_kind"),
        OutletKey.STATUS: partial(term, "outlet_status"),
    }
    for row in rows:
        row |= {f"{key.value}_name": named[key](row[key.value]) for key in by}
    return Filled(tables.outlets([key.value for key in by]), rows, exact_to, on=on, first=first, last=last)
