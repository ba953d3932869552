"""Who hears of closed months and of bulletins: the city when its counties have closed, the counties of the city, and the second person of a draft."""

from typing import Any

from sqlalchemy import text
from sqlmodel import Session

from orders.bulletins import states
from orders.bulletins.queries import checklists
from orders.bulletins.queries.facts import MonthDays
from orders.bulletins.rules import closing
from shop.core.outbox import Handler
from shop.identity.actor import CITY
from shop.identity.permissions import Permission
from shop.notifications.actions import notify, notify_second

_BULLETIN = text("SELECT id, month, year, number, edition, drafted_by FROM bulletin WHERE id = :id")


def _counties(session: Session, month: str) -> list[str]:
    of = MonthDays.of(month)
    return checklists.counties(session, of, checklists.rules_of(session, of))


def _closed(session: Session, payload: dict[str, Any]) -> None:
    """The city hears once, when no county is lacking any more: until then the checklist tells who is. The counties hear of the city."""
    month, region_code = payload["month"], payload["region_code"]
    of, counties = MonthDays.of(month), _counties(session, month)
    subject = {"subject_type": "monthly_close", "subject_id": int(month.replace("-", "")), "month": month}
    if region_code == CITY:
        for code in counties:
            notify(session, origin=f"month.closed:{month}:city:{code}", kind="month.closed", region_code=code, **subject)
    elif not closing.lacking(counties, checklists.closed(session, of.first)):
        told = {"kind": "month.closed_by_counties", "count": len(counties), **subject}
        notify(session, origin=f"month.closed:{month}:counties", region_code=CITY, **told)


def _drafted(session: Session, payload: dict[str, Any]) -> None:
    """Whoever may publish it, but not who drafted it."""
    row = session.execute(_BULLETIN, {"id": payload["bulletin_id"]}).first()
    if row is None:  # discarded meanwhile
        return
    notify_second(
        session,
        Permission.BULLETINS_PUBLISH,
        CITY,
        but=[row.drafted_by],
        origin=f"bulletin.drafted:{row.id}",
        kind="bulletin.drafted",
        subject_type="bulletin",
        subject_id=row.id,
        month=f"{row.month:%Y-%m}",
    )


def _published(session: Session, payload: dict[str, Any]) -> None:
    row = session.execute(_BULLETIN, {"id": payload["bulletin_id"]}).one()
    month = f"{row.month:%Y-%m}"
    number = states.shown(row.year, row.number, row.edition) or ""
    title = states.titled(number)
    for code in _counties(session, month):
        notify(
            session,
            origin=f"bulletin.published:{row.id}:{code}",
            kind="bulletin.published",
            subject_type="bulletin",
            subject_id=row.id,
            region_code=code,
            month=month,
            number=number,
            title_zh=title["zh"],
            title_en=title["en"],
        )


HANDLERS: dict[str, Handler] = {
    "month.closed": _closed,
    "bulletin.drafted": _drafted,
    "bulletin.published": _published,
}
