"""Setting budgets, and drawing on them."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date

from sqlalchemy import text
from sqlmodel import Session

from orders.budgets import queries
from orders.budgets.errors import BelowDrawn, BudgetExceeded, BuyersBudgetShort, OwnBudgetShort, SetAbove
from orders.budgets.rules import Holder
from orders.budgets.schemas import BudgetIn, BudgetPatch
from orders.ledger.queries import SOLD
from orders.money.queries import ALLOWED_OF_ORDER
from shop.core import audit, clock
from shop.core.errors import IfMatch, NotFound
from shop.core.money import yuan_from_fen
from shop.identity.actor import Actor
from shop.identity.queries import UPWARDS

_ADD = text(
    "INSERT INTO budget (organisation_id, year, fund_source, limit_fen, set_by_id)"
    " VALUES (:organisation_id, :year, :fund_source, :limit, :unit_id) RETURNING id"
)
_LIMIT = text("UPDATE budget SET limit_fen = :limit, set_by_id = :unit_id, version = version + 1 WHERE id = :id")
_LOCK = text(
    """
    SELECT b.version, b.limit_fen, b.reserved_fen + b.consumed_fen AS drawn_fen, o.path, setter.path AS setter_path
    FROM budget b JOIN organisation o ON o.id = b.organisation_id JOIN organisation setter ON setter.id = b.set_by_id
    WHERE b.id = :id FOR NO KEY UPDATE OF b
    """
)
#: A budget of this year and fund that a unit above the caller's has.
_ABOVE = text(
    f"""
    SELECT 1 FROM {UPWARDS.format(path="CAST(:path AS text)")} JOIN budget b ON b.organisation_id = up.id
    WHERE up.id <> :unit_id AND b.year = :year AND b.fund_source = :fund_source LIMIT 1
    """  # noqa: S608
)
# The UPDATE looks at the newest version of the row: of two orders for the last fen one finds nothing left, whatever both read before.
_RESERVE = text(
    """
    WITH drawn AS (
        UPDATE budget SET reserved_fen = reserved_fen + :amount
        WHERE id = :budget_id AND reserved_fen + consumed_fen + :amount <= limit_fen RETURNING id
    )
    INSERT INTO budget_draw (budget_id, holder_kind, holder_id, reserved_fen)
    SELECT id, :holder_kind, :holder_id, :amount FROM drawn RETURNING budget_id
    """
)
_RELEASE = text(
    """
    WITH gone AS (DELETE FROM budget_draw WHERE holder_kind = :holder_kind AND holder_id = :holder_id RETURNING *)
    UPDATE budget b SET reserved_fen = b.reserved_fen - gone.reserved_fen, consumed_fen = b.consumed_fen - gone.consumed_fen
    FROM gone WHERE b.id = gone.budget_id
    """
)
_LEFT = text(
    "SELECT b.limit_fen - b.reserved_fen - b.consumed_fen AS available, b.year, b.fund_source, o.name AS unit"
    " FROM budget b JOIN organisation o ON o.id = b.organisation_id WHERE b.id = :id"
)
# What an order costs is split: what the ledger holds of it is used up, returns and corrections taken off; what else will have to be paid is
# reserved. Goods rejected, lost or not to come cost nothing. Freight is used up with the first goods of its part that are accepted. What a
# dispute gave back without goods is used up no more; what was not used up yet of it will not be.
STANDS = f"""
    SELECT greatest(goods.reserved + freight.reserved - greatest(allowed.fen - sold.fen - freight.consumed, 0), 0) AS reserved,
           greatest(sold.fen + freight.consumed - allowed.fen, 0) AS consumed
    FROM (
        SELECT coalesce(sum(round((l.quantity - l.rejected_quantity - l.difference_quantity - l.closed_quantity) * l.unit_price_fen)
                            - round(l.accepted_quantity * l.unit_price_fen)), 0)::bigint AS reserved
        FROM order_line l JOIN supplier_order so ON so.id = l.supplier_order_id AND so.status NOT IN ('rejected', 'cancelled')
        WHERE l.purchase_order_id = {{order}}
    ) goods, (
        SELECT coalesce(sum(so.freight_fen) FILTER (WHERE is_sold), 0)::bigint AS consumed,
               coalesce(sum(so.freight_fen) FILTER (WHERE NOT is_sold AND so.status NOT IN ('rejected', 'cancelled', 'accepted')), 0)::bigint AS reserved
        FROM supplier_order so CROSS JOIN LATERAL (SELECT {SOLD} AS is_sold) part WHERE so.purchase_order_id = {{order}}
    ) freight, (
        SELECT coalesce(sum(amount_fen), 0)::bigint AS fen FROM sale_entry WHERE order_id = {{order}}
    ) sold, (SELECT {ALLOWED_OF_ORDER.format(id="{order}")} AS fen) allowed
"""  # noqa: S608
# What the units that draw on it ordered and asked for before it was set, in its year and of its fund, and what draws on no budget. Their orders
# are locked, so that none of it changes meanwhile.
_BEFORE = """
    FROM {holder} h JOIN organisation o ON o.id = h.buyer_id
    WHERE o.path LIKE CAST(:path AS text) || '%' AND h.fund_source = :fund_source AND h.{moment} >= :since AND h.{moment} < :until {waiting}
      AND NOT EXISTS (SELECT FROM budget_draw d WHERE d.holder_kind = '{holder}' AND d.holder_id = h.id)
      AND NOT EXISTS (
          SELECT FROM budget b JOIN organisation n ON n.id = b.organisation_id
          WHERE b.year = :year AND b.fund_source = :fund_source AND b.id <> :budget_id AND starts_with(o.path, n.path)
            AND length(n.path) > length(CAST(:path AS text)))
"""
_ORDERS_BEFORE = _BEFORE.format(holder="purchase_order", moment="placed_at", waiting="")
_REQUESTS_BEFORE = _BEFORE.format(
    holder="purchase_request", moment="requested_at", waiting="AND h.status IN ('waiting', 'approved')"
)
_LOCK_BEFORE = text(
    f"SELECT so.id FROM supplier_order so WHERE so.purchase_order_id IN (SELECT h.id {_ORDERS_BEFORE}) ORDER BY so.id FOR UPDATE"  # noqa: S608
)
_TAKE_UP = text(
    f"""
    WITH taken AS (
        INSERT INTO budget_draw (budget_id, holder_kind, holder_id, reserved_fen, consumed_fen)
        SELECT :budget_id, 'purchase_order', b.id, s.reserved, s.consumed
        FROM (SELECT h.id {_ORDERS_BEFORE}) b CROSS JOIN LATERAL ({STANDS.format(order="b.id")}) s
        UNION ALL
        SELECT :budget_id, 'purchase_request', b.id, b.total_fen, 0 FROM (SELECT h.id, h.total_fen {_REQUESTS_BEFORE}) b
        RETURNING reserved_fen, consumed_fen
    ), sums AS (SELECT coalesce(sum(reserved_fen), 0)::bigint AS reserved, coalesce(sum(consumed_fen), 0)::bigint AS consumed FROM taken
    ), drawn AS (
        UPDATE budget SET reserved_fen = sums.reserved, consumed_fen = sums.consumed
        FROM sums WHERE id = :budget_id AND sums.reserved + sums.consumed <= limit_fen
    )
    SELECT reserved + consumed FROM sums
    """  # noqa: S608
)
_STANDING = text(STANDS.format(order=":id"))
_SHORT = text(
    f"""
    SELECT now.reserved + now.consumed - d.reserved_fen - d.consumed_fen AS needed, b.limit_fen - b.reserved_fen - b.consumed_fen AS available,
           b.year, b.fund_source, o.name AS unit
    FROM budget_draw d JOIN budget b ON b.id = d.budget_id JOIN organisation o ON o.id = b.organisation_id
    CROSS JOIN LATERAL ({STANDS.format(order="d.holder_id")}) now WHERE d.holder_kind = 'purchase_order' AND d.holder_id = :id
    """  # noqa: S608
)
_LOCK_DRAWS = text(
    "SELECT id, budget_id FROM budget_draw WHERE holder_kind = 'purchase_order' AND holder_id = ANY (CAST(:ids AS bigint[])) ORDER BY id FOR UPDATE"
)
_LOCK_BUDGETS = text("SELECT 1 FROM budget WHERE id = ANY (CAST(:ids AS bigint[])) ORDER BY id FOR NO KEY UPDATE")
_DRAWN_ON = text("SELECT budget_id FROM budget_draw WHERE holder_kind = :holder_kind AND holder_id = :holder_id FOR UPDATE")
# A statement of its own after the lock: of two acceptances of one order the later one sees what the earlier one wrote.
_REDRAW = text(
    f"""
    WITH stands AS (
        SELECT d.id, d.budget_id, now.reserved, now.consumed, now.reserved - d.reserved_fen AS more_reserved,
               now.consumed - d.consumed_fen AS more_consumed
        FROM budget_draw d CROSS JOIN LATERAL ({STANDS.format(order="d.holder_id")}) now WHERE d.id = :draw_id
    ), moved AS (
        UPDATE budget b SET reserved_fen = b.reserved_fen + s.more_reserved, consumed_fen = b.consumed_fen + s.more_consumed
        FROM stands s WHERE b.id = s.budget_id
          AND (s.more_reserved + s.more_consumed <= 0
               OR b.reserved_fen + b.consumed_fen + s.more_reserved + s.more_consumed <= b.limit_fen)
        RETURNING b.id
    ), redrawn AS (
        UPDATE budget_draw d SET reserved_fen = s.reserved, consumed_fen = s.consumed FROM stands s JOIN moved ON moved.id = s.budget_id
        WHERE d.id = s.id
    )
    SELECT EXISTS (SELECT FROM moved) AS moved
    """  # noqa: S608
)


def create(session: Session, actor: Actor, body: BudgetIn) -> int:
    """Set the limit of a unit, year and fund source. What was ordered before on no budget of the year counts from the start.

    Raises:
        NotFound: not a unit of the caller's branch (404). BudgetExists: there is one (409).
        SetAbove: a unit above the caller's has a budget for it, which this one would take the orders from (403).
        BelowDrawn: more was ordered in the year already (409).
    """
    organisation_id = body.organisation_id or actor.organisation
    path = session.execute(text("SELECT path FROM organisation WHERE id = :id"), {"id": organisation_id}).scalar()
    if path is None or not actor.within_branch(path):
        raise NotFound
    asked = {"year": body.year, "fund_source": body.fund_source, "unit_id": actor.organisation}
    if session.execute(_ABOVE, {**asked, "path": actor.organisation_path}).first():
        raise SetAbove
    budget_id: int = session.execute(_ADD, {**asked, "organisation_id": organisation_id, "limit": body.limit}).scalar_one()
    year = {"since": clock.start_of_day(date(body.year, 1, 1)), "until": clock.end_of_day(date(body.year, 12, 31))}
    before = {**asked, **year, "budget_id": budget_id, "path": path}
    session.execute(_LOCK_BEFORE, before).all()
    drawn: int = session.execute(_TAKE_UP, before).scalar_one()
    if drawn > body.limit:
        raise BelowDrawn(drawn=yuan_from_fen(drawn))
    audit.record(session, actor, "budget.created", "budget", budget_id, limit_fen=body.limit)
    return budget_id


def change(session: Session, actor: Actor, budget_id: int, body: BudgetPatch, if_match: IfMatch) -> None:
    """Raise or lower a limit, not below what is drawn.

    Raises:
        NotFound: not a budget of the caller's branch (404). SetAbove: a unit above the caller's set it (403).
        Changed: somebody else was faster (412). BelowDrawn: see there (409).
    """
    queries.budget(session, actor, budget_id)
    found = session.execute(_LOCK, {"id": budget_id}).one()
    if not actor.within_branch(found.path):
        raise NotFound
    if not actor.within_branch(found.setter_path):
        raise SetAbove
    if_match(found.version)
    if found.drawn_fen > body.limit:
        raise BelowDrawn(drawn=yuan_from_fen(found.drawn_fen))
    session.execute(_LIMIT, {"id": budget_id, "limit": body.limit, "unit_id": actor.organisation})
    audit.record(
        session,
        actor,
        "budget.changed",
        "budget",
        budget_id,
        reason=body.reason,
        from_fen=found.limit_fen,
        to_fen=body.limit,
    )


def reserve(session: Session, budget_id: int, holder: Holder, holder_id: int, amount_fen: int) -> None:
    """Hold a part of a budget for an order or a request.

    Raises:
        BudgetExceeded: less than that is left (409).
    """
    values = {"budget_id": budget_id, "holder_kind": holder, "holder_id": holder_id, "amount": amount_fen}
    if session.execute(_RESERVE, values).first() is None:
        left = session.execute(_LEFT, {"id": budget_id}).one()
        raise BudgetExceeded(
            needed=yuan_from_fen(amount_fen),
            available=yuan_from_fen(left.available),
            unit=left.unit,
            year=left.year,
            fund_source=left.fund_source,
        )


def release(session: Session, holder: Holder, holder_id: int) -> None:
    """Give back everything that an order or a request holds; nothing happens if that is nothing."""
    session.execute(_RELEASE, {"holder_kind": holder, "holder_id": holder_id})


def lock_both(session: Session, holder: Holder, holder_id: int, budget_id: int | None) -> None:
    """Before a draw goes from one budget to another: lock it and both of them, by id, so that two that go opposite ways do not wait for one
    another.
    """
    drawn_on = session.execute(_DRAWN_ON, {"holder_kind": holder, "holder_id": holder_id}).scalar()
    session.execute(_LOCK_BUDGETS, {"ids": [each for each in (drawn_on, budget_id) if each is not None]})


def redraw(session: Session, purchase_order_id: int) -> None:
    """Bring an order's draw to what it is by now: reserved for what is open, consumed for what was accepted and not given back. Called by
    whatever changes either, in its transaction, as its last step.

    Raises:
        BuyersBudgetShort: it costs more by now than is left (409): a higher price, or freight.
    """
    redraw_all(session, [purchase_order_id])


def redraw_all(session: Session, purchase_order_ids: Sequence[int]) -> None:
    """The same for several orders: all their draws are locked, then all budgets, each by id."""
    draws = session.execute(_LOCK_DRAWS, {"ids": list(purchase_order_ids)}).all()
    if len(draws) > 1:
        session.execute(_LOCK_BUDGETS, {"ids": [draw.budget_id for draw in draws]})
    for draw in draws:
        if not session.execute(_REDRAW, {"draw_id": draw.id}).scalar_one():
            raise BuyersBudgetShort


@contextmanager
def telling_sums(session: Session, purchase_order_id: int, *, to_buyer: bool) -> Iterator[None]:
    """Where the buyer itself makes its order dearer than its budget has left, tell it the sums; nobody else is told them.

    Raises:
        OwnBudgetShort: the same refusal, with the sums (409).
    """
    try:
        yield
    except BuyersBudgetShort:
        if not to_buyer:
            raise
        left = session.execute(_SHORT, {"id": purchase_order_id}).one()
        raise OwnBudgetShort(
            needed=yuan_from_fen(left.needed),
            available=yuan_from_fen(left.available),
            unit=left.unit,
            year=left.year,
            fund_source=left.fund_source,
        ) from None


def redraw_part(session: Session, supplier_order_id: int) -> None:
    """The same for the order that a part belongs to."""
    order = text("SELECT purchase_order_id FROM supplier_order WHERE id = :id")
    redraw(session, session.execute(order, {"id": supplier_order_id}).scalar_one())


def move(session: Session, purchase_order_id: int, budget_id: int | None) -> None:
    """Have an order draw on another budget, or on none.

    Raises:
        BudgetExceeded: the other one has less left than the order takes (409).
    """
    lock_both(session, Holder.PURCHASE_ORDER, purchase_order_id, budget_id)
    release(session, Holder.PURCHASE_ORDER, purchase_order_id)
    if budget_id is not None:
        stands = session.execute(_STANDING, {"id": purchase_order_id}).one()
        reserve(session, budget_id, Holder.PURCHASE_ORDER, purchase_order_id, stands.reserved + stands.consumed)
        redraw(session, purchase_order_id)
