"""One move of a dispute through its state table, with its record."""

from typing import Any

from sqlalchemy import text
from sqlmodel import Session

from orders.disputes import queries
from orders.disputes.errors import OutsideYourRegion, OwnDispute
from orders.disputes.states import DISPUTE, DisputeMove
from orders.fulfilment.actions.accepting import give_time
from orders.invoices import actions as invoices
from orders.invoices.rules import CreditReason
from orders.money import actions as money
from orders.money.rules import Account, Kind, Place, carry
from orders.payments import actions as payments
from orders.purchasing.queries import SIDES
from orders.returns.queries import side_of
from orders.terms import actions as terms
from shop.core import audit
from shop.core.errors import IfMatch, NotFound, any_version
from shop.identity.actor import Actor
from shop.identity.permissions import Permission

# the order too: what it costs, and that nobody accepts by lapse what is in dispute, must not change meanwhile
_LOCK = text(
    f"""
    SELECT d.*, so.supplier_id, so.purchase_order_id, po.buyer_id, supplier.path AS supplier_path, buyer.path AS buyer_path, unit.path AS unit_path,
           supplier.region_code AS supplier_region, buyer.region_code AS buyer_region
    FROM dispute d JOIN supplier_order so ON so.id = d.supplier_order_id {SIDES}
    WHERE d.id = :id FOR NO KEY UPDATE OF d, so
    """  # noqa: S608
)


def side(actor: Actor, row: Any) -> str:
    """On which side of the order the actor stands.

    Raises:
        NotFound: on neither (404).
    """
    own = side_of(actor, row)
    if own is None:
        raise NotFound
    return own


def locked(session: Session, actor: Actor, dispute_id: int, if_match: IfMatch = any_version) -> Any:
    """A dispute of the caller's organisation, locked with its order until the transaction ends.

    Raises:
        NotFound: there is none of it (404). Changed: another version than the caller read (412).
    """
    row = _locked(session, dispute_id)
    side(actor, row)
    if_match(row.version)
    return row


def locked_for_officer(session: Session, actor: Actor, dispute_id: int, permission: Permission, if_match: IfMatch) -> Any:
    """The same for who mediates or decides it: an officer of either side's region, without an interest in it.

    Raises:
        NotFound: there is none (404). OutsideYourRegion, OwnDispute: not before this officer (403).
        Changed: another version than the caller read (412).
    """
    row = _locked(session, dispute_id)
    if not queries.in_office(actor, row, permission):
        raise OutsideYourRegion
    if queries.is_party(actor, row):
        raise OwnDispute
    if_match(row.version)
    return row


def _locked(session: Session, dispute_id: int) -> Any:
    row = session.execute(_LOCK, {"id": dispute_id}).first()
    if row is None:
        raise NotFound
    return row


def step(session: Session, actor: Actor, row: Any, move: DisputeMove, *, reason: str | None = None, **values: Any) -> None:
    """Check the table, write the new status with what belongs to it, and the audit event.

    Raises:
        IllegalMove: the table has no such move from the present status (409).
    """
    status = DISPUTE.after(row.status, move, queries.moves_of(actor, row))
    written = "".join(f", {name} = :{name}" for name in values)
    session.execute(
        text(f"UPDATE dispute SET status = :status, version = version + 1{written} WHERE id = :id"),  # noqa: S608
        {"id": row.id, "status": status, **values},
    )
    if refund_fen := values.get("refund_fen"):
        _give_back(session, row, refund_fen)
    if not DISPUTE.possible(status):  # over: what was not accepted for its sake has its time again
        give_time(session, row.supplier_order_id)
    audit.record(session, actor, f"dispute.{move}", "dispute", row.id, reason=reason, from_status=row.status, to_status=str(status))


def _give_back(session: Session, row: Any, refund_fen: int) -> None:
    """The buyer owes so much less, and the supplier is owed so much less."""
    # as it is after the lock: who waited for it may have read whose the order was before
    [order] = payments.locked(session, [row.purchase_order_id])
    of = {"purchase_order_id": row.purchase_order_id, "supplier_order_id": row.supplier_order_id}
    buyer = Place(Account.RECEIVABLE, order.buyer_id, **of)
    supplier = Place(Account.PAYABLE, row.supplier_id, **of)
    money.book(session, Kind.ALLOWANCE, row.id, carry(refund_fen, to=supplier, out_of=buyer))
    invoices.follow(session, row.supplier_order_id, CreditReason.PRICE_REDUCTION)
    terms.redraw(session, row.purchase_order_id)
