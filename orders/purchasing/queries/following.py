"""The papers to which a sale leads: open as a whole within reach, and in part to whoever watches over where a side or the goods come from."""

from typing import Any

from sqlalchemy import Row, TextClause, text
from sqlmodel import Session

from orders.purchasing.queries import FOLLOWED, IN_REACH, SIDES, followers
from shop.core.errors import NotFound
from shop.identity.actor import Actor

_FOLLOWS = text(f"SELECT {IN_REACH} AS reached FROM supplier_order so {SIDES} WHERE so.id = :id AND ({IN_REACH} OR {FOLLOWED})")  # noqa: S608


def require_followed(session: Session, actor: Actor, supplier_order_id: int) -> bool:
    """For the papers of a supplier order to which a sale leads: besides those within reach, whoever watches over a region from which a side or the
    goods come. Returns whether it is within reach, so that the papers are open as a whole.

    Raises:
        NotFound: no such order that the caller may follow a sale to.
    """
    row = session.execute(_FOLLOWS, {"id": supplier_order_id, **followers(actor)}).first()
    if row is None:
        raise NotFound
    return bool(row.reached)


def paper(session: Session, actor: Actor, paper_id: int, within: TextClause, followed: TextClause | None) -> tuple[Row[Any], bool]:
    """One paper by its id, and whether it is open as a whole: it is where ``within`` (with ``IN_REACH``) finds it, and not where only ``followed``
    (with ``FOLLOWED``) does.

    Raises:
        NotFound: neither finds it.
    """
    given = {"id": paper_id, **followers(actor)}
    if (row := session.execute(within, given).first()) is not None:
        return row, True
    if followed is None or (row := session.execute(followed, given).first()) is None:
        raise NotFound
    return row, False
