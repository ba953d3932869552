"""Closing a month: each county, then the city."""

from datetime import date
from typing import Any

from sqlalchemy import text
from sqlmodel import Session

from orders.bulletins.errors import (
    CountiesLacking,
    ItemsOpen,
    MonthClosed,
    NotAClosingRegion,
    NothingToExplain,
    NotInOrder,
    NotYourRegion,
)
from orders.bulletins.models import CloseExplanation, MonthClose
from orders.bulletins.queries import checklists
from orders.bulletins.queries.facts import MonthDays
from orders.bulletins.rules import closing
from orders.bulletins.schemas.closing import CloseIn
from orders.reports.errors import MonthNotOver
from shop.core import audit, clock, locks, outbox
from shop.core.errors import Invalid
from shop.core.months import following
from shop.identity.actor import CITY, Actor
from shop.identity.permissions import Permission
from shop.programmes.reporting import CloseItem
from shop.regions import queries as regions

#: The last month that the city has closed, and the last one that a region has.
_LAST_CLOSED = text(
    "SELECT (SELECT max(month) FROM closed_month) AS city, (SELECT max(month) FROM month_close WHERE region_code = :region) AS own"
)
# The first month that is closed takes all before it along: nothing is booked any more into months that no bulletin shows.
_CLOSE = text(
    """
    INSERT INTO closed_month (month, closed_at, closed_by)
    SELECT m::date, :now, :by FROM generate_series(
        CASE WHEN EXISTS (SELECT FROM closed_month) THEN CAST(:month AS date)
             ELSE least(CAST(:month AS date), coalesce((SELECT min(month) FROM sale_entry), CAST(:month AS date))) END,
        CAST(:month AS date), interval '1 month') m
    ORDER BY 1
    """
)


def explain(session: Session, actor: Actor, month: str, region_code: str, item: CloseItem, explanation: str) -> None:
    """Say why a month may be closed though something is open. It holds for as much as is open now.

    Raises:
        NotAClosingRegion (404), NotYourRegion (403), MonthNotOver, MonthClosed (409): see there. NothingToExplain: nothing is open (409).
    """
    of = _begin(session, actor, month, region_code)
    count = checklists.open_items(session, of, region_code).get(item, 0)
    if not count:
        raise NothingToExplain
    session.add(
        CloseExplanation(
            month=of.first,
            region_code=region_code,
            item=item,
            open_count=count,
            explanation=explanation,
            by=actor.person,
            at=clock.now(),
        )
    )
    session.flush()
    audit.record(
        session,
        actor,
        "month.explained",
        "month",
        of.subject,
        reason=explanation,
        region=region_code,
        item=item,
        count=count,
    )


def close(session: Session, actor: Actor, month: str, region_code: str, body: CloseIn) -> None:
    """Close a month: of a county, or of the city, after which the ledger takes no entry of it any more.

    Months are closed one after the other, and never before they are over. What is open is cleared or was explained by a named person; counties that
    have not closed are named, with the reason. Of several who close at once one does.

    Raises:
        NotAClosingRegion (404), NotYourRegion (403), MonthNotOver, MonthClosed, NotInOrder, ItemsOpen, CountiesLacking (409): see there.
        Invalid: counties are named that closed, or by a county, or without a reason (422).
    """
    of = _begin(session, actor, month, region_code)
    rules = checklists.rules_of(session, of)
    lacking: list[str] = []
    _in_order(session, of, region_code)
    if region_code == CITY:
        lacking = closing.lacking(checklists.counties(session, of, rules), checklists.closed(session, of.first))
        _named(session, lacking, body)
    elif body.without or body.reason:
        raise Invalid.one("without", "only_the_city", "仅市级结账可列出未结账区县", "Only the city closes without somebody")
    items = checklists.open_items(session, of, region_code)
    if standing := closing.standing(items, checklists.explained(session, of.first, region_code), rules):
        raise ItemsOpen(items=[str(item) for item in standing])
    now = clock.now()
    if region_code == CITY:
        # waits for everybody who is booking; who books after this sees the month closed
        session.execute(_CLOSE, {"month": of.first, "now": now, "by": actor.person})
    session.add(
        MonthClose(
            month=of.first,
            region_code=region_code,
            closed_by=actor.person,
            closed_at=now,
            items={str(item): count for item, count in items.items()},
            lacking=lacking,
            reason=body.reason if lacking else None,
        )
    )
    session.flush()
    audit.record(
        session,
        actor,
        "month.closed",
        "month",
        of.subject,
        reason=body.reason,
        region=region_code,
        items=items,
        without=lacking,
    )
    outbox.publish(session, "month.closed", month=month, region_code=region_code)


def _begin(session: Session, actor: Actor, month: str, region_code: str) -> MonthDays:
    """The month, held against others who move its close; open, over, and the actor's to close."""
    of = MonthDays.of(month)
    if region_code != CITY and region_code not in checklists.counties(session, of, checklists.rules_of(session, of)):
        raise NotAClosingRegion(region=region_code, month=month, **regions.both_names(session, [region_code])[region_code])
    prefixes = actor.regions(Permission.MONTHS_CLOSE)
    if ("" if region_code == CITY else region_code) not in prefixes:
        raise NotYourRegion
    if of.last >= clock.today():
        raise MonthNotOver(month=month)
    _hold(session, month)
    if of.first <= (_last_closed(session, region_code).city or date.min) or region_code in checklists.closed(session, of.first):
        raise MonthClosed(month=month)
    return of


def _hold(session: Session, month: str) -> None:
    """Of several who move a month's close one after the other does."""
    locks.hold(session, f"month.close:{month}")


def _last_closed(session: Session, region_code: str) -> Any:
    return session.execute(_LAST_CLOSED, {"region": region_code}).one()


def _in_order(session: Session, of: MonthDays, region_code: str) -> None:
    """After the last month that the region has closed, or the city before it, comes the next one."""
    last = _last_closed(session, region_code)
    if known := [month for month in (last.city, last.own) if month is not None]:
        due = following(max(known))
        if of.first != due:
            raise NotInOrder(next=f"{due:%Y-%m}")


def _named(session: Session, lacking: list[str], body: CloseIn) -> None:
    """Whoever closes without counties says so county by county, and why."""
    if extra := sorted(set(body.without) - set(lacking)):
        named = regions.both_names(session, extra)
        zh = "、".join(f"{named[code]['name_zh']}（{code}）" for code in extra)
        en = ", ".join(f"{named[code]['name_en']} ({code})" for code in extra)
        raise Invalid.one("without", "not_lacking", f"已结账或不参加结账：{zh}", f"they have closed, or do not close: {en}")
    if unnamed := [code for code in lacking if code not in body.without]:
        chinese, english = regions.names(session, unnamed, "zh"), regions.names(session, unnamed, "en")
        raise CountiesLacking(
            count=len(unnamed),
            lacking=unnamed,
            names_zh=[chinese(code) for code in unnamed],
            names_en=[english(code) for code in unnamed],
        )
    if lacking and body.reason is None:
        raise Invalid.one(
            "reason",
            "missing",
            "未结账区县已全部列出，还须说明理由",
            "The counties are all named; say why the city closes without them",
        )
