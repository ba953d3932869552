"""What suppliers bear of payments that buyers' banks took back for good, where the programme has them bear it, and what they get back of that.

The buyer owes the order again and whoever bears the loss waits for it. What a supplier bears is taken off what it is owed, stands on ``borne``, and is
owed to it again as far as the buyer pays after all, its bank gives the money back, or goods go back that it was settled for. Nothing is done to
amounts that no settlement took up: they wait as unpaid.
"""

# ruff: noqa: S608  statements are put together from constants only

from collections.abc import Mapping, Sequence
from itertools import groupby

from sqlalchemy import text
from sqlmodel import Session

from orders.money import actions as money
from orders.money.queries import NOT_ARRIVED, PAID
from orders.money.rules import Account, Kind, Place, carry
from orders.purchasing.queries import PAYABLE
from orders.settlement import rules
from orders.settlement.rules import LossReason, SettledPart
from shop.core import audit, clock, locks, outbox
from shop.core.audit import SYSTEM
from shop.core.db import array
from shop.programmes.queries import config_of

_LOST = text(
    """
    SELECT o.purchase_order_id, d.amount_fen, EXISTS (SELECT FROM loss_share l WHERE l.charge_dispute_id = d.id) AS shared
    FROM charge_dispute d JOIN online_payment o ON o.id = d.online_payment_id WHERE d.id = :id AND d.status = 'lost'
    """
)
_ORDER_OF = text(
    "SELECT o.purchase_order_id FROM charge_dispute d JOIN online_payment o ON o.id = d.online_payment_id WHERE d.id = :id"
)
_BORNE = text(
    """
    SELECT DISTINCT so.purchase_order_id FROM (
        SELECT supplier_order_id AS id FROM loss_share GROUP BY 1 HAVING sum(amount_fen) > 0
    ) l JOIN supplier_order so ON so.id = l.id ORDER BY 1
    """
)
_IS_BORNE = text(
    "SELECT EXISTS (SELECT FROM loss_share l JOIN supplier_order so ON so.id = l.supplier_order_id WHERE so.purchase_order_id = :id)"
)
_PARTS = text(
    f"""
    SELECT so.purchase_order_id, so.id, greatest({PAYABLE}, 0)::bigint AS cost_fen, so.supplier_id,
           (SELECT coalesce(sum(l.amount_fen), 0)::bigint FROM settlement_line l JOIN money_posting p ON p.id = l.posting_id
            JOIN money_transaction t ON t.id = p.transaction_id WHERE l.supplier_order_id = so.id AND t.kind <> 'loss_borne') AS settled_fen,
           (SELECT coalesce(sum(b.amount_fen), 0)::bigint FROM loss_share b WHERE b.supplier_order_id = so.id) AS borne_fen,
           greatest({PAID.format(order="so.purchase_order_id")} - {NOT_ARRIVED.format(order="so.purchase_order_id")}, 0)::bigint AS there_fen
    FROM supplier_order so WHERE so.purchase_order_id = ANY (CAST(:ids AS bigint[])) ORDER BY so.purchase_order_id, so.id
    """
)
_WRITE = text(
    "INSERT INTO loss_share (supplier_order_id, charge_dispute_id, amount_fen, reason, booked_at)"
    " VALUES (:part, :dispute, :fen, :reason, :now) RETURNING id"
)


def bear(session: Session, charge_dispute_id: int) -> None:
    """Have the suppliers of an order bear what its buyer's bank took back, as far as settlements took it up; each dispute once, and nothing where
    the programme has the marketplace bear it, or the dispute was won after all."""
    if config_of(session, clock.today()).settlement.lost_payments != "supplier":
        return
    alone(session)
    row = session.execute(_LOST, {"id": charge_dispute_id}).first()
    if row is None or row.shared:
        return
    for there, parts in _read(session, [row.purchase_order_id]):
        _book(session, parts, rules.to_bear(parts, there, row.amount_fen), LossReason.LOST, charge_dispute_id)


def reinstate(session: Session, charge_dispute_id: int) -> None:
    """A dispute was won after all: suppliers get back what is covered again."""
    order_id = session.execute(_ORDER_OF, {"id": charge_dispute_id}).scalar_one()
    _give_back(session, [order_id], LossReason.WON, charge_dispute_id)


def give_back(session: Session, purchase_order_id: int | None = None) -> None:
    """Suppliers get back what the buyer of an order (of all orders, if none is named) paid after all, or does not owe any more."""
    if purchase_order_id is None:
        alone(session)
        _give_back(session, session.execute(_BORNE).scalars().all(), LossReason.COVERED)
    elif session.execute(_IS_BORNE, {"id": purchase_order_id}).scalar_one():
        _give_back(session, [purchase_order_id], LossReason.COVERED)


def _give_back(session: Session, order_ids: Sequence[int], reason: LossReason, charge_dispute_id: int | None = None) -> None:
    if not order_ids:
        return
    alone(session)
    for there, parts in _read(session, order_ids):
        back = {part_id: -fen for part_id, fen in rules.to_give_back(parts, there).items()}
        _book(session, parts, back, reason, charge_dispute_id)


def alone(session: Session) -> None:
    """One run, or sharing of a loss, at a time; who waited sees what the other took up. A lock that is held already is simply held."""
    locks.hold(session, "settlement")


def _read(session: Session, order_ids: Sequence[int]) -> list[tuple[int, list[SettledPart]]]:
    """Of each order: what is there of its buyer's money, and its parts."""
    rows = session.execute(_PARTS, {"ids": array(order_ids)}).all()
    by_order = [list(parts) for _, parts in groupby(rows, lambda row: int(row.purchase_order_id))]
    return [
        (
            parts[0].there_fen,
            [
                SettledPart(row.id, row.cost_fen, row.settled_fen, row.borne_fen, row.supplier_id, row.purchase_order_id)
                for row in parts
            ],
        )
        for parts in by_order
    ]


def _book(
    session: Session, parts: Sequence[SettledPart], shares: Mapping[int, int], reason: LossReason, charge_dispute_id: int | None
) -> None:
    for part in parts:
        fen = shares.get(part.id, 0)
        if not fen:
            continue
        values = {"part": part.id, "dispute": charge_dispute_id, "fen": fen, "reason": reason, "now": clock.now()}
        share_id = session.execute(_WRITE, values).scalar_one()
        owed, borne = (
            Place(account, part.supplier_id, part.purchase_order_id, part.id) for account in (Account.PAYABLE, Account.BORNE)
        )
        money.book(session, Kind.LOSS_BORNE, share_id, carry(fen, to=owed, out_of=borne))
        audit.record(
            session, SYSTEM, f"loss_share.{reason}", "supplier_order", part.id, amount_fen=fen, charge_dispute_id=charge_dispute_id
        )
        outbox.publish(session, "loss_share.booked", loss_share_id=share_id)
