"""Who hears of closed months and of bulletins: the city of its counties, the counties of the city, and the second person of a draft."""

from typing import Any

from sqlalchemy import text
from sqlmodel import Session

from orders.bulletins import states
from orders.bulletins.queries import checklists
from orders.bulletins.queries.facts import MonthDays
from shop.core.outbox import Handler
from shop.identity.actor import CITY
from shop.identity.permissions import Permission
from shop.notifications.actions import notify, notify_second

_NAME = text("SELECT name_zh FROM region WHERE code = :code")
_BULLETIN = text("SELECT id, month, year, number, edition, drafted_by FROM bulletin WHERE id = :id")


def _counties(session: Session, month: str) -> list[str]:
    of = MonthDays.of(month)
    return checklists.counties(session, of, checklists.rules_of(session, of))


def _closed(session: Session, payload: dict[str, Any]) -> None:
    month, region_code = payload["month"], payload["region_code"]
    number = int(month.replace("-", ""))
    if region_code != CITY:
        name = session.execute(_NAME, {"code": region_code}).scalar_one()
        subject = {"kind": "month.closed_by_county", "subject_type": "monthly_close", "subject_id": number, "month": month}
        notify(session, origin=f"month.closed:{month}:{region_code}", region_code=CITY, county=name, **subject)
        return
    for code in _counties(session, month):
        subject = {"kind": "month.closed", "subject_type": "monthly_close", "subject_id": number, "month": month}
        notify(session, origin=f"month.closed:{month}:city:{code}", region_code=code, **subject)


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
