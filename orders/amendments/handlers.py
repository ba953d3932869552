"""Who hears of proposed changes."""

from datetime import timedelta
from typing import Any

from sqlalchemy import text
from sqlmodel import Session

from orders.amendments.states import AmendmentStatus
from orders.purchasing.handlers import part
from shop.core import clock
from shop.core.outbox import Handler
from shop.notifications.actions import notify

_AMENDMENT = text("SELECT * FROM amendment WHERE id = :id")


def _proposed(session: Session, payload: dict[str, Any]) -> None:
    """The other side has to answer."""
    amendment = session.execute(_AMENDMENT, {"id": payload["amendment_id"]}).one()
    until = clock.shanghai_date(amendment.expires_at - timedelta(seconds=1)).isoformat()
    _tell(session, "amendment.proposed", amendment, {_other(amendment.side)}, reason=amendment.reason, until=until)


def _answered(session: Session, payload: dict[str, Any]) -> None:
    """Who proposed it hears the answer; of one taken back the other side hears, and both of one that lapsed."""
    amendment = session.execute(_AMENDMENT, {"id": payload["amendment_id"]}).one()
    told = {
        AmendmentStatus.WITHDRAWN: {_other(amendment.side)},
        AmendmentStatus.EXPIRED: {"supplier", "buyer"},
    }.get(AmendmentStatus(amendment.status), {amendment.side})
    _tell(session, f"amendment.{amendment.status}", amendment, told, reason=amendment.answer)


def _other(side: str) -> str:
    return "buyer" if side == "supplier" else "supplier"


def _tell(session: Session, kind: str, amendment: Any, sides: set[str], **data: Any) -> None:
    each = part(session, amendment.supplier_order_id)
    for side in sorted(sides):
        notify(
            session,
            origin=f"{kind}:{amendment.id}:{side}",
            kind=kind,
            subject_type="amendment",
            subject_id=amendment.id,
            organisation_id=each.supplier_id if side == "supplier" else each.buyer_id,
            number=each.number,
            **data,
        )


HANDLERS: dict[str, Handler] = {"amendment.answered": _answered, "amendment.proposed": _proposed}
