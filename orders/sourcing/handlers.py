"""Who hears of a request for quotation: whoever was asked or takes part; the buyer; and of the outcome each supplier its own, nothing of others."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, TextClause, text
from sqlmodel import Session

from orders.sourcing.actions import awarding
from orders.sourcing.queries.reach import MATCHING
from orders.sourcing.states import RequestStatus, is_open_sql
from shop.core import clock
from shop.core.outbox import Handler
from shop.notifications.actions import notify_each

_HEAD = text(
    "SELECT q.*, u.organisation_id AS asking_unit_id FROM quotation_request q JOIN app_user u ON u.id = q.created_by WHERE q.id = :id"
)
# Whoever was asked and whoever takes part. A demand that is open to whoever matches is told to them, and so is what comes after; one that is open
# to all stands in the list.
_PARTIES = text(
    f"""
    SELECT supplier_id FROM quotation_invitation WHERE quotation_request_id = :id
    UNION SELECT supplier_id FROM quotation WHERE quotation_request_id = :id
    UNION SELECT supplier_id FROM quotation_question WHERE quotation_request_id = :id
    UNION SELECT o.id FROM quotation_request q JOIN organisation buyer ON buyer.id = q.buyer_id
          JOIN organisation o ON {MATCHING}
          WHERE q.id = :id AND q.kind = 'published' AND q.matching
    ORDER BY 1
    """  # noqa: S608
)
# Who was invited and neither quotes nor declined, a day before the end, or when half of a shorter time is over. Each once for each end.
_SILENT = text(
    f"""
    SELECT q.id, i.supplier_id
    FROM quotation_request q JOIN quotation_invitation i ON i.quotation_request_id = q.id AND i.declined_at IS NULL
    WHERE {is_open_sql("q")} AND q.closes_at - least(CAST(:ahead AS interval), (q.closes_at - q.published_at) / 2) <= :now
      AND NOT EXISTS (SELECT FROM quotation t
                      WHERE t.quotation_request_id = q.id AND t.supplier_id = i.supplier_id AND t.status = 'submitted')
      AND NOT EXISTS (SELECT FROM notification n
                      WHERE n.origin = format('quotation_request.closing:%s:%s:%s', q.id, floor(extract(epoch FROM q.closes_at))::bigint, i.supplier_id))
    ORDER BY q.id, i.supplier_id
    """  # noqa: S608
)
_AHEAD = timedelta(days=1)
_IN_FORCE = "SELECT count(*) FROM quotation WHERE quotation_request_id = :id AND status = 'submitted'"
# An award that waits for approval is none yet.
_EFFECTIVE = (
    "a.voided_at IS NULL AND (a.purchase_request_id IS NULL"
    " OR EXISTS (SELECT FROM purchase_order o WHERE o.purchase_request_id = a.purchase_request_id))"
)
_WON = text(
    f"""
    SELECT a.id AS award_id, t.supplier_id, count(*) AS lines
    FROM quotation_award a JOIN quotation_award_line w ON w.quotation_award_id = a.id
    JOIN quotation_line ql ON ql.id = w.quotation_line_id JOIN quotation t ON t.id = ql.quotation_id
    WHERE a.quotation_request_id = :id AND w.given_back_at IS NULL AND {_EFFECTIVE}
    GROUP BY a.id, t.supplier_id ORDER BY a.id, t.supplier_id
    """  # noqa: S608
)
_WAITING = text(
    f"SELECT count(*) FROM quotation_award a WHERE a.quotation_request_id = :id AND a.voided_at IS NULL AND NOT ({_EFFECTIVE})"  # noqa: S608
)
_SENT = text("SELECT supplier_id FROM quotation WHERE quotation_request_id = :id AND status = 'submitted' ORDER BY supplier_id")
_OF_PURCHASE_REQUEST = text("SELECT quotation_request_id FROM quotation_award WHERE purchase_request_id = :id")
_FROM_QUOTATION = "SELECT po.source_id, po.id FROM purchase_order po {} AND po.source_kind = 'quotation'"
_OF_ORDER = text(_FROM_QUOTATION.format("WHERE po.id = :id"))
_OF_PART = text(_FROM_QUOTATION.format("JOIN supplier_order so ON so.purchase_order_id = po.id WHERE so.id = :id"))


def _head(session: Session, payload: dict[str, Any]) -> Row[Any]:
    return session.execute(_HEAD, {"id": payload["quotation_request_id"]}).one()


def _tell(session: Session, head: Row[Any], kind: str, cause: str, addressed: Sequence[int], **data: Any) -> None:
    """Tell organisations; ``cause`` makes the telling of one event unlike that of another."""
    words = {"number": head.number, "title": head.title, **data}
    notify_each(
        session,
        dict.fromkeys(addressed, words),
        origin=f"{kind}:{head.id}:{cause}",
        kind=kind,
        subject_type="quotation_request",
        subject_id=head.id,
    )


def _asking(head: Row[Any]) -> list[int]:
    """The unit that the goods are for, and the one above it that asks in its place."""
    return [each for each in dict.fromkeys([head.buyer_id, head.asking_unit_id]) if each is not None]


def _parties(session: Session, head: Row[Any]) -> Sequence[int]:
    return session.execute(_PARTIES, {"id": head.id, **clock.present()}).scalars().all()


def _published(session: Session, payload: dict[str, Any]) -> None:
    head = _head(session, payload)
    _tell(
        session,
        head,
        "quotation_request.published",
        "",
        _parties(session, head),
        closes_at=clock.shanghai_text(head.closes_at, "minutes"),
    )


def _extended(session: Session, payload: dict[str, Any]) -> None:
    head = _head(session, payload)
    told = {"closes_at": clock.shanghai_text(datetime.fromisoformat(payload["closes_at"]), "minutes"), "reason": payload["reason"]}
    _tell(session, head, "quotation_request.extended", payload["closes_at"], _parties(session, head), **told)


def _cancelled(session: Session, payload: dict[str, Any]) -> None:
    head = _head(session, payload)
    _tell(session, head, "quotation_request.cancelled", "", _parties(session, head), reason=payload["reason"])


def _asked(session: Session, payload: dict[str, Any]) -> None:
    head = _head(session, payload)
    _tell(session, head, "quotation_request.asked", str(payload["question_id"]), _asking(head))


def _answered(session: Session, payload: dict[str, Any]) -> None:
    head = _head(session, payload)
    _tell(session, head, "quotation_request.answered", str(payload["question_id"]), _parties(session, head))


def _closed(session: Session, payload: dict[str, Any]) -> None:
    """The buyer hears how many quotations there are, or that there is none and the request failed."""
    head = _head(session, payload)
    count = session.execute(text(_IN_FORCE), {"id": head.id}).scalar_one()
    _tell(session, head, "quotation_request.closed" if count else "quotation_request.failed", "", _asking(head), count=count)


def _outcome(session: Session, payload: dict[str, Any]) -> None:
    """Who won hears it once the order stands; who got nothing, once all is decided. Nobody hears anything of others."""
    head = _head(session, payload)
    won = session.execute(_WON, {"id": head.id}).all()
    for row in won:
        _tell(session, head, "quotation.won", str(row.award_id), [row.supplier_id], lines=row.lines)
    if head.status == RequestStatus.AWARDED and not session.execute(_WAITING, {"id": head.id}).scalar_one():
        winners = {row.supplier_id for row in won}
        sent = session.execute(_SENT, {"id": head.id}).scalars()
        _tell(session, head, "quotation.lost", "", [supplier for supplier in sent if supplier not in winners])


def _approved(session: Session, payload: dict[str, Any]) -> None:
    request_id = session.execute(_OF_PURCHASE_REQUEST, {"id": payload["purchase_request_id"]}).scalar()
    if request_id is not None:
        _outcome(session, {"quotation_request_id": request_id})


def _refused(session: Session, payload: dict[str, Any]) -> None:
    awarding.refused(session, purchase_request_id=payload.get("purchase_request_id"), agreement_id=payload.get("agreement_id"))


def _order_cancelled(session: Session, payload: dict[str, Any]) -> None:
    _not_delivered(session, _OF_ORDER, payload["purchase_order_id"])


def _part_rejected(session: Session, payload: dict[str, Any]) -> None:
    _not_delivered(session, _OF_PART, payload["supplier_order_id"])


def _not_delivered(session: Session, order: TextClause, subject_id: int) -> None:
    if found := session.execute(order, {"id": subject_id}).first():
        awarding.not_delivered(session, found.source_id, found.id)


def remind(session: Session) -> int:
    """Tell suppliers who were invited and have not answered that the end comes near; returns how many were told. Safe to run at any time and any
    number of times."""
    silent = session.execute(_SILENT, {"ahead": _AHEAD, **clock.present()}).all()
    by_request: dict[int, list[int]] = {}
    for row in silent:
        by_request.setdefault(row.id, []).append(row.supplier_id)
    for request_id, suppliers in by_request.items():
        head = session.execute(_HEAD, {"id": request_id}).one()
        end = str(int(head.closes_at.timestamp()))
        _tell(session, head, "quotation_request.closing", end, suppliers, closes_at=clock.shanghai_text(head.closes_at, "minutes"))
    return len(silent)


HANDLERS: dict[str, Handler] = {
    "agreement.declined": _refused,
    "agreement.withdrawn": _refused,
    "purchase_order.cancelled": _order_cancelled,
    "purchase_request.ordered": _approved,
    "purchase_request.rejected": _refused,
    "purchase_request.withdrawn": _refused,
    "quotation_request.answered": _answered,
    "quotation_request.asked": _asked,
    "quotation_request.awarded": _outcome,
    "quotation_request.cancelled": _cancelled,
    "quotation_request.closed": _closed,
    "quotation_request.decided": _outcome,
    "quotation_request.extended": _extended,
    "quotation_request.published": _published,
    "supplier_order.rejected": _part_rejected,
}
