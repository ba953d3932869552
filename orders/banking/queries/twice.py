"""What may have left once more: payouts, refunds and advances that left by the bank."""

from typing import Any

from sqlalchemy import text
from sqlmodel import Session

from orders.banking.known import Paid
from orders.banking.queries.payees import payees_of
from orders.money.names import plain_name
from orders.money.references import plain

_PAYOUT = text(
    """
    SELECT p.status, p.amount_fen, p.supplier_id, s.number, coalesce(array_agg(s.number || '-' || a.id) FILTER (WHERE a.id IS NOT NULL), '{}') AS numbers,
           array(SELECT f.number FROM payout_file f JOIN payout_file_line l ON l.payout_file_id = f.id AND NOT l.void
                 JOIN payout_attempt x ON x.id = l.attempt_id WHERE x.payout_id = p.id) AS lists, coalesce(bool_or(a.outcome = 'paid'), false) AS has_left
    FROM payout p JOIN settlement s ON s.id = p.settlement_id LEFT JOIN payout_attempt a ON a.payout_id = p.id AND a.method = 'bank'
    WHERE p.id = :id GROUP BY p.id, s.id
    """
)
_ADVANCE = text("SELECT v.*, status IN ('paid', 'returning', 'returned') AS has_left FROM advance v WHERE v.id = :id")
_REFUND = text(
    """
    SELECT r.*, po.buyer_id AS owner_id, r.method = 'bank_transfer' AND r.status = 'paid' AS has_left,
           array(SELECT f.number FROM refund_file f JOIN refund_file_line l ON l.refund_file_id = f.id AND NOT l.void WHERE l.refund_id = r.id) AS lists
    FROM refund r JOIN purchase_order po ON po.id = r.purchase_order_id WHERE r.id = :id
    """
)


def payout(session: Session, payout_id: int) -> Paid | None:
    """A payout with all its releases by bank; none: there is none."""
    row = session.execute(_PAYOUT, {"id": payout_id}).first()
    return None if row is None else _to_supplier(session, row, (row.number, *row.numbers), tuple(row.lists))


def advance(session: Session, advance_id: int) -> Paid | None:
    """An advance; none: there is none."""
    row = session.execute(_ADVANCE, {"id": advance_id}).first()
    return None if row is None else _to_supplier(session, row, (row.number,), ())


def refund(session: Session, refund_id: int) -> Paid | None:
    """A refund; none: there is none."""
    row = session.execute(_REFUND, {"id": refund_id}).first()
    if row is None:
        return None
    return Paid(
        row.number,
        row.status,
        row.amount_fen,
        row.has_left,
        (row.number,),
        tuple(row.lists),
        frozenset({plain_name(row.payee_name or "")}),
        frozenset({plain(row.payee_account or "")}),
        row.owner_id,
        row.purchase_order_id,
    )


def _to_supplier(session: Session, row: Any, numbers: tuple[str, ...], lists: tuple[str, ...]) -> Paid:
    payees, accounts = payees_of(session, [row.supplier_id])[row.supplier_id]
    return Paid(row.number, row.status, row.amount_fen, row.has_left, numbers, lists, payees, accounts, row.supplier_id)
