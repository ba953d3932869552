"""Who hears that figures differ: everybody who may look into it."""

from typing import Any

from sqlalchemy import text
from sqlmodel import Session

from shop.core.outbox import Handler
from shop.identity import queries as identity
from shop.identity.actor import CITY
from shop.identity.permissions import Permission, Role
from shop.notifications.actions import notify_persons

_FOUND = text("SELECT day, differences FROM data_check WHERE day = CAST(:day AS date)")
_ADMINISTRATORS = text(
    "SELECT DISTINCT u.id FROM user_role r JOIN app_user u ON u.id = r.user_id WHERE r.role = :role AND u.active ORDER BY u.id"
)


def _differs(session: Session, payload: dict[str, Any]) -> None:
    found = session.execute(_FOUND, payload).one()
    administrators = session.execute(_ADMINISTRATORS, {"role": Role.PLATFORM_ADMIN}).scalars()
    told = sorted({*identity.holders(session, Permission.RECONCILE_RUN, CITY), *administrators})
    notify_persons(
        session,
        told,
        origin=f"data_check.differs:{found.day}",
        kind="data_check.differs",
        subject_type="data_check",
        subject_id=found.day.toordinal(),
        day=str(found.day),
        count=found.differences,
    )


HANDLERS: dict[str, Handler] = {"data_check.differs": _differs}
