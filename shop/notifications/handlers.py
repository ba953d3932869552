"""Who hears of the events of the organisations, and who gets a mail. Workers run these beside the handlers of the other parts."""

from datetime import timedelta
from typing import Any

from sqlalchemy import Row, text
from sqlmodel import Session

from shop.core import clock
from shop.core.outbox import Handler
from shop.identity.actor import CITY
from shop.notifications import mailing
from shop.notifications.actions import notify


def _organisation(session: Session, payload: dict[str, Any]) -> Row[Any]:
    return session.execute(
        text("SELECT id, name, region_code FROM organisation WHERE id = :id"),
        {"id": payload["organisation_id"]},
    ).one()


def deciding_region(region_code: str) -> str:
    """Whose officers decide on an organisation: those of its district; the city's for one from elsewhere.

    A township's code begins with the six digits of its district.
    """
    return region_code[:6] if region_code.startswith(CITY[:2]) else CITY


def _tell_officers(kind: str) -> Handler:
    """The officers of the organisation's district have something to decide."""

    def tell(session: Session, payload: dict[str, Any]) -> None:
        row = _organisation(session, payload)
        notify(
            session,
            origin=f"{kind}:{row.id}:{payload['version']}",
            kind=kind,
            subject_type="organisation",
            subject_id=row.id,
            region_code=deciding_region(row.region_code),
            name=row.name,
        )

    return tell


def _tell_organisation(kind: str) -> Handler:
    """The organisation hears how its registration was decided."""

    def tell(session: Session, payload: dict[str, Any]) -> None:
        row = _organisation(session, payload)
        notify(
            session,
            origin=f"{kind}:{row.id}:{payload['version']}",
            kind=kind,
            subject_type="organisation",
            subject_id=row.id,
            organisation_id=row.id,
            name=row.name,
            # of this decision: the organisation's row may hold a later one by now
            reason=payload.get("reason"),
        )

    return tell


_ENDING_KEYS = text(
    "SELECT k.id, k.name, coalesce(k.system, u.name) AS system, k.expires_at, u.organisation_id FROM api_key k JOIN app_user u ON u.id = k.user_id"
    " WHERE k.revoked_at IS NULL AND u.active AND u.organisation_id IS NOT NULL AND k.expires_at > :now AND k.expires_at <= :soon"
    # a key that was made for less than that needs no reminder
    " AND k.expires_at - k.created_at > CAST(:notice AS interval) ORDER BY k.id"
)
KEY_NOTICE = timedelta(days=14)


def tell_of_ending_keys(session: Session) -> None:
    """Keys end by date, with no event: their organisation hears once, two weeks before, whenever this runs next."""
    now = clock.now()
    for row in session.execute(_ENDING_KEYS, {"now": now, "soon": now + KEY_NOTICE, "notice": KEY_NOTICE}).all():
        notify(
            session,
            origin=f"api_key.ending:{row.id}",
            kind="api_key.ending",
            subject_type="api_key",
            subject_id=row.id,
            organisation_id=row.organisation_id,
            name=row.name,
            system=row.system,
            ends=clock.shanghai_date(row.expires_at).isoformat(),
        )


def _made(session: Session, payload: dict[str, Any]) -> None:
    mailing.fan_out(session, payload["notification_id"])


HANDLERS: dict[str, Handler] = {
    "notification.made": _made,
    "organisation.approved": _tell_organisation("organisation.approved"),
    "organisation.registered": _tell_officers("organisation.registered"),
    "organisation.rejected": _tell_organisation("organisation.rejected"),
    "organisation.resubmitted": _tell_officers("organisation.resubmitted"),
}
