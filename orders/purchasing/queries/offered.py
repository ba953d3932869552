"""What is offered to whom of a supplier order."""

from typing import Any

from sqlmodel import Session

from orders.purchasing.queries import stopped
from orders.purchasing.states import SENDING, SUPPLIER_ORDER, SupplierOrderAction
from shop.identity.actor import Actor
from shop.identity.permissions import Permission

_A = SupplierOrderAction


def possible_actions(session: Session, actor: Actor, row: Any) -> list[SupplierOrderAction]:
    """What the caller may do with a part now; nothing is sent before the buyer chose what becomes of goods whose certificate is stopped."""
    possible = SUPPLIER_ORDER.possible(row.status, moves_of(actor, row))
    if SENDING.isdisjoint(possible) or not stopped.undecided(session, row.id):
        return possible
    return [action for action in possible if action not in SENDING]


def moves_of(actor: Actor, row: Any) -> set[SupplierOrderAction]:
    """What the actor may do with a part at all: answer and send it, as its supplier, or cancel and accept it, as its buyer; ``row`` has the paths
    of both sides."""
    moves: set[SupplierOrderAction] = set()
    if actor.within_branch(row.supplier_path):
        if actor.may(Permission.SUPPLIER_ORDERS_ANSWER):
            moves |= {_A.CONFIRM, _A.REJECT}
        if actor.may(Permission.SHIPMENTS_CREATE):
            moves |= SENDING
    if actor.within_branch(row.buyer_path) or actor.within_branch(row.unit_path):
        if actor.may(Permission.ORDERS_CANCEL):
            moves.add(_A.CANCEL)
        if actor.may(Permission.ACCEPTANCES_RECORD):
            moves |= {_A.ACCEPT_PART, _A.ACCEPT_REST}
    return moves
