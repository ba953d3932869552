"""What is open when a month is to be closed, by county and for the city; who has closed."""

from collections import Counter, defaultdict
from collections.abc import Mapping
from datetime import date
from typing import Any

from sqlalchemy import Row, text
from sqlmodel import Session

from orders.bulletins.errors import NotAClosingRegion
from orders.bulletins.queries.facts import MonthDays
from orders.bulletins.rules import closing
from orders.bulletins.rules.closing import Explained
from orders.bulletins.schemas.closing import CloseItemOut, CloseOut, CountyOut, ExplanationOut
from orders.bulletins.words import HINTS, ITEMS
from orders.counting.queries import BATCH_SOLD_AT, BATCH_WAITS, SOLD_ON
from orders.reports import forms
from orders.reports.forms import Scope
from orders.reports.queries import expected as reports
from orders.reports.queries import moved
from shop.core.errors import Language
from shop.identity.actor import CITY, Actor
from shop.identity.permissions import Permission
from shop.programmes import queries as programmes
from shop.programmes.reporting import CloseItem, ClosingRules
from shop.regions import queries as regions
from shop.regions.rules import Designation

# What is open of the month, by item and district: batches where the outlet stands, all else by the district of origin. Nothing stands in two items: a
# batch that is held is no hold besides, and a claim that is held stands among the holds.
_OPEN = text(
    f"""
    SELECT item, region_code, count(*) FROM (
        SELECT 'batches_held' AS item, left(o.region_code, 6) AS region_code
        FROM sales_batch b JOIN outlet o ON o.id = b.outlet_id WHERE b.status = 'held' AND {BATCH_SOLD_AT} < :end
        UNION ALL
        SELECT 'batches_waiting', left(o.region_code, 6)
        FROM sales_batch b JOIN outlet o ON o.id = b.outlet_id WHERE {BATCH_WAITS} AND {BATCH_SOLD_AT} < :end
        UNION ALL
        SELECT 'holds_open', h.district_code FROM counting_hold h
        WHERE h.status = 'open' AND h.subject_kind <> 'sales_batch' AND {SOLD_ON} <= :last
        UNION ALL
        SELECT 'claims_undecided', district_code FROM external_sale
        WHERE status = 'submitted' AND side = 'seller' AND sold_on <= :last
    ) found GROUP BY 1, 2
    """  # noqa: S608
)
_WAITING = text("SELECT count(*) FROM sale_entry_pending p JOIN sale_entry e ON e.id = p.entry_id WHERE e.sold_on <= :last")
#: What the last run after the month's end found, of the hourly job or one that somebody asked for; nothing: there was none.
_DIFFERENCES = text("SELECT differences FROM reconciliation WHERE ran_at >= :end ORDER BY ran_at DESC LIMIT 1")
_CLOSED = text(
    "SELECT c.region_code, c.closed_at, c.items, c.lacking, c.reason, u.name AS closed_by FROM month_close c JOIN app_user u ON u.id = c.closed_by"
    " WHERE c.month = :first"
)
#: The city's close that took a month along, of a county its own month: none is open before one that is closed.
_CLOSED_WITH = text("SELECT month, closed_at FROM month_close WHERE region_code = :city AND month >= :first ORDER BY month LIMIT 1")
_EXPLAINED = text(
    "SELECT DISTINCT ON (e.item) e.item, e.open_count, e.explanation, e.at, u.name AS by FROM close_explanation e JOIN app_user u ON u.id = e.by"
    " WHERE e.month = :first AND e.region_code = :region_code ORDER BY e.item, e.id DESC"
)
#: Where to look, up to the month's last day: each link lists what its item counts.
_PLACES: Mapping[CloseItem, str] = {
    "batches_waiting": "/v1/sales-batches?waits=true&sold_to={last}{region}",
    "batches_held": "/v1/sales-batches?status=held&sold_to={last}{region}",
    "holds_open": "/v1/counting-holds?status=open&whole_batches=false&sold_to={last}{district}",
    "claims_undecided": "/v1/external-sales?status=submitted&side=seller&sold_to={last}{district}",
    "reports_missing": "/v1/reports/unreported?month={month}&form={form}{district}",
    "reports_moved": "/v1/reports?month={month}&moved=true{of_form}{district}",
    "differences": "/v1/reconcile/runs",
    "entries_waiting": "/v1/reconcile/runs",
}


def rules_of(session: Session, month: MonthDays) -> ClosingRules:
    """What closing a month asks for."""
    return programmes.config_of(session, month.last).closing


def counties(session: Session, month: MonthDays, rules: ClosingRules) -> list[str]:
    """The districts that close the month before the city does, as they stood on its last day."""
    codes = regions.designated(session, [Designation(rules.designation)], month.last)
    successors = regions.successors(session, month.last)
    return sorted({successors.get(code, code) for code in codes if len(code) == len(CITY)})


def open_items(session: Session, month: MonthDays, region_code: str) -> dict[CloseItem, int]:
    """How much is open: of a county, or (500000) of all together with what concerns the whole city."""
    asked = month.values
    found: dict[str, Counter[str]] = defaultdict(Counter)
    for item, district, count in session.execute(_OPEN, asked):
        found[item][district] += count
    if region_code != CITY:
        found["reports_missing"] = Counter(reports.not_accepted(session, "organisation", month.first))
        own = regions.with_predecessors(session, [region_code])
        # the county's own report, too
        found["reports_moved"] = Counter(moved.since_accepted(session, month.first, districts=own).values())
        return {item: count for item, by in found.items() if (count := sum(by[code] for code in own))}  # type: ignore[misc]
    found["reports_missing"] = Counter(reports.not_accepted(session, "county", month.first))
    found["reports_moved"] = Counter(moved.since_accepted(session, month.first, scope="county").values())
    sums: dict[str, int] = {item: sum(by.values()) for item, by in found.items()}
    differences = session.execute(_DIFFERENCES, asked).scalar()
    # books that nobody compared since the month was over are no books that agree
    sums["differences"] = 1 if differences is None else differences
    sums["entries_waiting"] = session.execute(_WAITING, asked).scalar_one()
    return {item: count for item, count in sums.items() if count}  # type: ignore[misc]


def explained(session: Session, first: date, region_code: str) -> dict[str, Explained]:
    """What was said of what is open, by item."""
    rows = session.execute(_EXPLAINED, {"first": first, "region_code": region_code})
    return {row.item: Explained(row.open_count, row.explanation) for row in rows}


def closed(session: Session, first: date) -> dict[str, Any]:
    """Who has closed a month, by region."""
    return {row.region_code: row for row in session.execute(_CLOSED, {"first": first})}


def own_region(actor: Actor) -> str:
    """The county whose officer somebody is; else the city."""
    own = [prefix for prefix in actor.own_regions(Permission.BULLETINS_READ) if prefix]
    return own[0][: len(CITY)] if len(own) == 1 else CITY


def closed_with(session: Session, first: date) -> Row[Any] | None:
    """The close of the city, ``month`` and ``closed_at``, that closed a month, its own or a later one that took it along; None while it is open."""
    return session.execute(_CLOSED_WITH, {"city": CITY, "first": first}).first()


def close(session: Session, actor: Actor, month: str, region_code: str, language: Language) -> CloseOut:
    """The list of a month's close. Everybody who watches over figures may read it, of the city as of another county: state and counts. What was said of
    them, and by whom, is for the region's own office and whoever stands above it.

    Raises:
        NotAClosingRegion: the region does not close that month (404).
    """
    of = MonthDays.of(month)
    rules = rules_of(session, of)
    expected = counties(session, of, rules)
    if region_code not in (*expected, CITY):
        raise NotAClosingRegion(region=region_code, month=month, **regions.both_names(session, [region_code])[region_code])
    within = actor.covers_region(Permission.BULLETINS_READ, region_code)
    done = closed(session, of.first)
    row = done.get(region_code)
    along = None if row else closed_with(session, of.first)
    items = row.items if row else open_items(session, of, region_code)
    said = {each.item: each for each in session.execute(_EXPLAINED, {"first": of.first, "region_code": region_code})}
    held = {item: Explained(each.open_count, each.explanation) for item, each in said.items()}
    named = regions.names(session, expected, language)
    return CloseOut(
        month=month,
        region=region_code,
        closed_at=row.closed_at if row else along.closed_at if along else None,
        closed_with=f"{along.month:%Y-%m}" if along else None,
        closed_by=row.closed_by if row and within else None,
        reason=row.reason if row else None,
        without=row.lacking if row else [],
        items=[
            CloseItemOut(
                item=item,
                label=ITEMS[item][language],
                count=items.get(item, 0),
                blocking=item in rules.blocking,
                link=_link(item, of, region_code),
                hint=HINTS[item][language] if item in HINTS else None,
                explanation=ExplanationOut.model_validate(said[item], from_attributes=True) if within and item in said else None,
            )
            for item in (*rules.blocking, *rules.warning)
            if region_code == CITY or item not in ("differences", "entries_waiting")
        ],
        standing=[] if row or along else closing.standing(items, held, rules),
        counties=[
            CountyOut(code=code, name=named(code), closed_at=done[code].closed_at if code in done else None) for code in expected
        ]
        if region_code == CITY
        else [],
    )


def _link(item: CloseItem, month: MonthDays, region_code: str) -> str:
    """Where to look at what is open."""
    scope: Scope = "county" if region_code == CITY else "organisation"
    asked = forms.of_scope(scope, month.first)
    if item == "reports_missing" and not asked:
        return "/v1/report-forms"
    return _PLACES[item].format(
        month=f"{month.first:%Y-%m}",
        last=month.last.isoformat(),
        form=asked[0].code if asked else "",
        of_form=f"&form={asked[0].code}" if asked and region_code == CITY else "",
        district="" if region_code == CITY else f"&district={region_code}",
        region="" if region_code == CITY else f"&region={region_code}",
    )
