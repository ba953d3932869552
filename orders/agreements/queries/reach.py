"""Who sees an agreement, and which side of it somebody is on."""

from typing import Any

from sqlalchemy import text
from sqlmodel import Session

from orders.agreements.rules import Side
from orders.agreements.states import AgreementMove
from shop.core.errors import NotFound
from shop.identity.actor import Actor
from shop.identity.permissions import Permission

#: The buyer's branch and the units that it is delivered to; from the proposal on also the supplier's branch and the officers of both regions.
#: ``a`` is the agreement, ``buyer`` and ``supplier`` its sides.
AT_BUYER = (
    "coalesce(buyer.path LIKE CAST(:branch AS text) OR EXISTS (SELECT FROM delivery_place d JOIN organisation u ON u.id = d.unit_id"
    " WHERE d.agreement_id = a.id AND u.path LIKE CAST(:branch AS text)), false)"
)
SEEN = (
    f"({AT_BUYER} OR a.proposed_at IS NOT NULL AND (coalesce(supplier.path LIKE CAST(:branch AS text), false)"
    " OR buyer.region_code LIKE ANY (CAST(:regions AS text[])) OR supplier.region_code LIKE ANY (CAST(:regions AS text[]))))"
)
#: The drafts of a place: the buyer's branch and that of the place's ``unit``, not those of other places.
AT_PLACE = "(buyer.path LIKE CAST(:branch AS text) OR unit.path LIKE CAST(:branch AS text))"
SIDES = "JOIN organisation buyer ON buyer.id = a.buyer_id JOIN organisation supplier ON supplier.id = a.supplier_id"

# Not FOR UPDATE: whoever writes a line of an order holds the agreement's line FOR KEY SHARE, and need not wait.
_LOCK = text(
    f"""
    SELECT a.*, buyer.path AS buyer_path, supplier.path AS supplier_path, {AT_BUYER} AS at_buyer
    FROM agreement a {SIDES} WHERE a.id = :id FOR NO KEY UPDATE OF a
    """  # noqa: S608
)
_SEEN = text(f"SELECT 1 FROM agreement a {SIDES} WHERE a.id = :id AND {SEEN}")  # noqa: S608


def reach(actor: Actor) -> dict[str, Any]:
    """The parameters that the conditions above take."""
    return {
        "branch": f"{actor.organisation_path}%" if actor.organisation_path else None,
        "regions": actor.region_patterns(Permission.AGREEMENTS_READ),
    }


def require_seen(session: Session, actor: Actor, agreement_id: int) -> None:
    """Raises:
    NotFound: no such agreement within reach.
    """
    if session.execute(_SEEN, {"id": agreement_id, **reach(actor)}).first() is None:
        raise NotFound


def moves_of(actor: Actor, row: Any) -> set[AgreementMove]:
    """What the actor may do with an agreement at all: keep it, as its buyer, turn it down, as its supplier, or sign it, for a side that has not;
    ``row`` has the paths of both sides."""
    buys, sells = actor.within_branch(row.buyer_path), actor.within_branch(row.supplier_path)
    moves: set[AgreementMove] = set()
    if buys and actor.may(Permission.AGREEMENTS_MANAGE):
        moves |= {AgreementMove.PROPOSE, AgreementMove.WITHDRAW}
        if row.quotation_request_id is None:
            moves |= {AgreementMove.EDIT, AgreementMove.REVISE}
    if not actor.may(Permission.AGREEMENTS_SIGN):
        return moves
    if sells:
        moves.add(AgreementMove.DECLINE)
    own, other = (row.buyer_signed_at, row.supplier_signed_at) if buys else (row.supplier_signed_at, row.buyer_signed_at)
    if (buys or sells) and own is None:
        moves.add(AgreementMove.SIGN_FIRST if other is None else AgreementMove.SIGN_SECOND)
    return moves


def locked(session: Session, actor: Actor, agreement_id: int, *sides: Side) -> tuple[Any, Side]:
    """An agreement that the caller is a side of, locked until the transaction ends, and which side; default: either.

    Raises:
        NotFound: the caller's branch is none of these sides; the supplier sees no draft.
    """
    row = session.execute(_LOCK, {"id": agreement_id, **reach(actor)}).first()
    allowed = sides or (Side.BUYER, Side.SUPPLIER)
    if row is not None:
        if Side.BUYER in allowed and actor.within_branch(row.buyer_path):
            return row, Side.BUYER
        if Side.SUPPLIER in allowed and actor.within_branch(row.supplier_path) and row.proposed_at is not None:
            return row, Side.SUPPLIER
    raise NotFound


def locked_to_call_off(session: Session, actor: Actor, agreement_id: int) -> Any:
    """The same for who calls off: the buyer's branch, or a unit that the agreement delivers to.

    Raises:
        NotFound: neither.
    """
    row = session.execute(_LOCK, {"id": agreement_id, **reach(actor)}).first()
    if row is None or not row.at_buyer:
        raise NotFound
    return row
