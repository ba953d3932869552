"""Reading contracts, each within the reach of its order."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import text
from sqlmodel import Session

from orders.contracts import rules
from orders.contracts.errors import NoContract
from orders.contracts.schemas import ContractOut, SupplementOut
from orders.purchasing import queries as purchasing
from orders.purchasing.queries.following import require_followed
from shop.identity.actor import Actor

_ALL = text("SELECT * FROM contract WHERE supplier_order_id = :id ORDER BY supplement_no")

#: Of the sides and of the delivery.
_PERSONAL = frozenset({"address", "contact", "phone"})

_ONE = text("SELECT * FROM contract WHERE supplier_order_id = :id AND supplement_no = :supplement_no")


def contract(session: Session, actor: Actor, supplier_order_id: int) -> ContractOut:
    """The contract of an order with its supplements, for both sides and the officers of either region; without addresses and contacts also for
    whoever only follows a sale to it.

    Raises:
        NotFound: no such order within the caller's reach. NoContract: it was not confirmed, or before there were contracts (404).
    """
    whole = require_followed(session, actor, supplier_order_id)
    rows = session.execute(_ALL, {"id": supplier_order_id}).all()
    if not rows:
        raise NoContract
    first, *others = [_shown(row) if whole else _nowhere(_shown(row)) for row in rows]
    return ContractOut(**dict(first), supplier_order_id=supplier_order_id, supplements=others)


def supplement(session: Session, actor: Actor, supplier_order_id: int, supplement_no: int) -> SupplementOut:
    """One of them; 0 is the contract itself.

    Raises:
        NotFound, NoContract: as :func:`contract`, or there is no such supplement (404).
    """
    purchasing.require_reach(session, actor, supplier_order_id)
    row = session.execute(_ONE, {"id": supplier_order_id, "supplement_no": supplement_no}).first()
    if row is None:
        raise NoContract
    return _shown(row)


def _nowhere(shown: SupplementOut) -> SupplementOut:
    """What it says to those who only follow a sale to it: nothing of where the sides are, and of where and to whom it was delivered."""
    return shown.model_copy(update={"content": {name: _unaddressed(value) for name, value in shown.content.items()}})


def _unaddressed(value: Any) -> Any:
    return {name: each for name, each in value.items() if name not in _PERSONAL} if isinstance(value, Mapping) else value


def _shown(row: Any) -> SupplementOut:
    return SupplementOut(
        number=row.number,
        supplement_no=row.supplement_no,
        made_at=row.made_at,
        sha256=row.sha256,
        intact=rules.digest(row.content) == row.sha256,
        content=row.content,
    )
