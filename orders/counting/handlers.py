"""Who hears of doubts: the officers that decide. Whoever claimed hears what became of the claim, from where it is kept."""

from typing import Any

from sqlalchemy import text
from sqlmodel import Session

from shop.core.money import yuan_from_fen
from shop.core.outbox import Handler
from shop.identity.actor import CITY
from shop.notifications.actions import notify

_HOLD = text("SELECT id, reason_code, district_code, amount_fen, status, decided_by, decision FROM counting_hold WHERE id = :id")
#: Another claim's number and district, where only the city decides about both; ``pair`` is the same for the doubt that the other claim has.
_ABROAD = text(
    """
    SELECT x.number, y.number AS other_number, concat_ws(':', h.reason_code, least(x.id, y.id), greatest(x.id, y.id), h.opened_at) AS pair
    FROM counting_hold h JOIN external_sale x ON x.id = h.subject_id JOIN external_sale y ON y.id = h.other_id AND y.district_code <> h.district_code
    WHERE h.id = :id AND h.subject_kind = 'external_sale' AND h.other_kind = 'external_sale'
    """
)


def _opened(session: Session, payload: dict[str, Any]) -> None:
    """The officers of the district have a doubt to decide; of claims of two districts the city's."""
    row = session.execute(_HOLD, {"id": payload["hold_id"]}).one()
    _tell(session, row, "opened", row.reason_code)
    abroad = session.execute(_ABROAD, {"id": row.id}).first()
    if abroad is not None:
        notify(
            session,
            origin=f"counting_hold.abroad:{abroad.pair}",
            kind="counting_hold.two_districts",
            subject_type="counting_hold",
            subject_id=row.id,
            region_code=CITY,
            amount=yuan_from_fen(row.amount_fen),
            number=abroad.number,
            other=abroad.other_number,
        )


def _decided(session: Session, payload: dict[str, Any]) -> None:
    """The officers of the district hear what somebody decided about a doubt of theirs."""
    row = session.execute(_HOLD, {"id": payload["hold_id"]}).one()
    if row.decided_by is not None:
        _tell(session, row, "decided", row.status, reason=row.decision)


def _tell(session: Session, row: Any, event: str, kind: str, **words: Any) -> None:
    notify(
        session,
        origin=f"counting_hold.{event}:{row.id}",
        kind=f"counting_hold.{kind}",
        subject_type="counting_hold",
        subject_id=row.id,
        region_code=row.district_code,
        amount=yuan_from_fen(row.amount_fen),
        **words,
    )


HANDLERS: dict[str, Handler] = {
    "counting_hold.decided": _decided,
    "counting_hold.opened": _opened,
}
