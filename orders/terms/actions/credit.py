"""How much a buyer may owe: set by who keeps the money, drawn on by orders that are not paid ahead.

Whoever draws holds the buyer's credit shared; whoever sets its first limit holds it alone. So no order that is being placed is missed by a limit
that is being set, and the limit's row is there to be locked from then on.
"""

from collections.abc import Sequence

from sqlalchemy import text
from sqlmodel import Session

from orders.terms.errors import BuyersCreditShort, BuysNothing, CreditExceeded, LimitBelowUsed
from orders.terms.queries import OUTSTANDING
from orders.terms.rules import on_credit
from orders.terms.schemas import CreditLimitIn, PaymentTerms
from shop.core import audit, clock, outbox
from shop.core.db import array
from shop.core.errors import IfMatch, NotFound
from shop.core.money import yuan_from_fen
from shop.identity import queries as identity
from shop.identity import rules as identity_rules
from shop.identity.actor import Actor
from shop.identity.permissions import Permission, Role

_KEY = "hashtextextended('credit:' || {}, 0)"
_HOLD_ONE = text(f"SELECT pg_advisory_xact_lock_shared({_KEY.format('CAST(:buyer_id AS bigint)')})")
_HOLD_ALONE = text(f"SELECT pg_advisory_xact_lock({_KEY.format('CAST(:buyer_id AS bigint)')})")
_HOLD = text(
    f"""
    SELECT pg_advisory_xact_lock_shared({_KEY.format("b.buyer_id")})
    FROM (SELECT DISTINCT buyer_id FROM purchase_order WHERE id = ANY (CAST(:ids AS bigint[])) ORDER BY buyer_id) b
    """  # noqa: S608
)
# The UPDATE looks at the newest version of the row: of two orders for the last fen one finds nothing left, whatever both read before.
_DRAW = text(
    """
    WITH drawn AS (
        UPDATE credit_limit SET used_fen = used_fen + :amount
        WHERE organisation_id = :buyer_id AND (limit_fen IS NULL OR used_fen + over_fen + :amount <= limit_fen) RETURNING id
    ), noted AS (
        INSERT INTO credit_draw (credit_limit_id, purchase_order_id, amount_fen) SELECT id, :order_id, :amount FROM drawn
    )
    SELECT EXISTS (SELECT FROM credit_limit WHERE organisation_id = :buyer_id) AND NOT EXISTS (SELECT FROM drawn) AS refused
    """
)
_LEFT = text(
    "SELECT l.limit_fen - l.used_fen - l.over_fen AS available, o.name AS unit FROM credit_limit l JOIN organisation o ON o.id = l.organisation_id"
    " WHERE l.organisation_id = :buyer_id"
)
_LOCK = text(
    """
    SELECT l.id FROM credit_limit l
    WHERE l.id IN (SELECT credit_limit_id FROM credit_draw WHERE purchase_order_id = ANY (CAST(:ids AS bigint[])))
    ORDER BY l.id FOR NO KEY UPDATE
    """
)
# Neither greatest nor least minds a limit that is null: everything is used then, and nothing above it.
# A statement of its own after the lock: of two changes of one order the later one sees what the earlier one wrote.
_REDRAW = text(
    f"""
    WITH stands AS (
        SELECT d.id, d.credit_limit_id, now.fen, now.fen - d.amount_fen AS more
        FROM credit_draw d CROSS JOIN LATERAL (SELECT greatest({OUTSTANDING.format(order="d.purchase_order_id")}, 0) AS fen) now
        WHERE d.purchase_order_id = ANY (CAST(:ids AS bigint[]))
    ), changed AS (
        SELECT credit_limit_id AS id, sum(more)::bigint AS more FROM stands GROUP BY credit_limit_id
    ), moved AS (
        UPDATE credit_limit l SET used_fen = least(l.used_fen + l.over_fen + c.more, l.limit_fen),
               over_fen = greatest(l.used_fen + l.over_fen + c.more - l.limit_fen, 0)
        FROM changed c WHERE l.id = c.id AND (:fact OR c.more <= 0 OR l.limit_fen IS NULL OR l.used_fen + l.over_fen + c.more <= l.limit_fen)
        RETURNING l.id
    ), redrawn AS (
        UPDATE credit_draw d SET amount_fen = s.fen FROM stands s JOIN moved ON moved.id = s.credit_limit_id WHERE d.id = s.id AND s.more <> 0
    )
    SELECT (SELECT count(*) FROM changed) - (SELECT count(*) FROM moved) AS refused
    """  # noqa: S608
)
_LOCK_BOTH = text("SELECT 1 FROM credit_limit WHERE organisation_id IN (:from_id, :to_id) ORDER BY id FOR NO KEY UPDATE")
_RELEASE = text(
    """
    WITH gone AS (DELETE FROM credit_draw WHERE purchase_order_id = :id RETURNING credit_limit_id, amount_fen)
    UPDATE credit_limit l SET used_fen = least(l.used_fen + l.over_fen - gone.amount_fen, l.limit_fen),
           over_fen = greatest(l.used_fen + l.over_fen - gone.amount_fen - l.limit_fen, 0)
    FROM gone WHERE l.id = gone.credit_limit_id
    """
)
_STANDING = text(f"SELECT greatest({OUTSTANDING.format(order=':id')}, 0)")
_LOCK_OF = text(
    "SELECT id, limit_fen, used_fen + over_fen AS used, version FROM credit_limit WHERE organisation_id = :id FOR NO KEY UPDATE"
)
#: What the orders of a buyer come to that are not paid ahead.
_OWED = f"""
    SELECT po.id, greatest({OUTSTANDING.format(order="po.id")}, 0) AS fen
    FROM purchase_order po JOIN payment_plan p ON p.purchase_order_id = po.id AND p.kind <> 'prepayment' WHERE po.buyer_id = :id
"""  # noqa: S608
_OWED_IN_ALL = text(f"SELECT coalesce(sum(fen), 0)::bigint FROM ({_OWED}) owed")  # noqa: S608
_FIRST = text(
    f"""
    WITH owed AS ({_OWED}), made AS (
        INSERT INTO credit_limit (organisation_id, limit_fen, used_fen, reason, set_by, set_at)
        SELECT :id, CAST(:limit AS bigint), coalesce(sum(fen), 0)::bigint, :reason, :user_id, :now FROM owed RETURNING id
    )
    INSERT INTO credit_draw (credit_limit_id, purchase_order_id, amount_fen) SELECT made.id, owed.id, owed.fen FROM owed CROSS JOIN made ORDER BY owed.id
    """  # noqa: S608
)
_CHANGE = text(
    """
    UPDATE credit_limit SET limit_fen = :limit, reason = :reason, set_by = :user_id, set_at = :now, version = version + 1,
        used_fen = used_fen + over_fen, over_fen = 0
    WHERE organisation_id = :id
    """
)


def set_limit(session: Session, actor: Actor, organisation_id: int, body: CreditLimitIn, if_match: IfMatch) -> None:
    """Say how much a buyer may owe, or that it has no limit of its own any more. The first limit counts what its orders owe already; and that
    is counted on without a limit, so that another one can be set.

    Raises:
        NotFound: not a buyer of those whose money the caller keeps (404). BuysNothing: it does not buy (409).
        Changed: somebody else was faster (412). LimitBelowUsed: its orders come to more than that (409).
    """
    region = session.execute(text("SELECT region_code FROM organisation WHERE id = :id"), {"id": organisation_id}).scalar()
    if region is None or not actor.covers_region(Permission.MONEY_MANAGE, region):
        raise NotFound
    if Role.PURCHASER not in identity_rules.grantable_roles(identity.capacities(session, organisation_id, clock.today())):
        raise BuysNothing
    session.execute(_HOLD_ALONE, {"buyer_id": organisation_id})
    before = session.execute(_LOCK_OF, {"id": organisation_id}).first()
    used = before.used if before else session.execute(_OWED_IN_ALL, {"id": organisation_id}).scalar_one()
    if before:
        if_match(before.version)
    if body.limit is not None and body.limit < used:
        raise LimitBelowUsed(used=yuan_from_fen(used))
    values = {"id": organisation_id, "limit": body.limit, "reason": body.reason, "user_id": actor.user_id, "now": clock.now()}
    session.execute(_CHANGE if before else _FIRST, values)
    audit.record(
        session,
        actor,
        "credit_limit.removed" if body.limit is None else "credit_limit.set",
        "organisation",
        organisation_id,
        reason=body.reason,
        from_fen=before.limit_fen if before else None,
        to_fen=body.limit,
    )
    version = before.version + 1 if before else 1
    outbox.publish(session, "credit_limit.set", organisation_id=organisation_id, version=version, limit_fen=body.limit)


def draw(session: Session, buyer_id: int, purchase_order_id: int, terms: PaymentTerms, amount_fen: int) -> None:
    """Hold what an order costs of its buyer's credit, unless it is paid ahead or the buyer has no limit.

    Raises:
        CreditExceeded: less than that is left (409).
    """
    if not on_credit(terms):
        return
    session.execute(_HOLD_ONE, {"buyer_id": buyer_id})
    values = {"buyer_id": buyer_id, "order_id": purchase_order_id, "amount": amount_fen}
    if session.execute(_DRAW, values).scalar_one():
        left = session.execute(_LEFT, {"buyer_id": buyer_id}).one()
        raise CreditExceeded(needed=yuan_from_fen(amount_fen), available=yuan_from_fen(max(left.available, 0)), unit=left.unit)


def hold(session: Session, purchase_order_ids: Sequence[int]) -> bool:
    """Lock the credit that orders draw on, and say whether there is any. Whoever redraws several orders one after the other locks that of all of them
    first: two that come at once would else wait for one another."""
    if not purchase_order_ids:
        return False
    ids = array(purchase_order_ids)
    session.execute(_HOLD, {"ids": ids})
    return bool(session.execute(_LOCK, {"ids": ids}).all())


def redraw(session: Session, purchase_order_ids: Sequence[int], *, fact: bool = False) -> None:
    """Bring what orders draw to what they cost and has not arrived. ``fact``: also above the limit, because money moved already.

    Raises:
        BuyersCreditShort: they cost more by now than is left (409).
    """
    drawn = hold(session, purchase_order_ids)
    if drawn and session.execute(_REDRAW, {"ids": array(purchase_order_ids), "fact": fact}).scalar_one():
        raise BuyersCreditShort


def move(session: Session, purchase_order_id: int, terms: PaymentTerms, *, from_id: int, to_id: int) -> None:
    """Have an order that belongs to another buyer by now draw on its credit. Both limits are locked first, by id, so that two orders that
    change places do not wait for one another.

    Raises:
        CreditExceeded: less than that is left (409).
    """
    for buyer_id in sorted((from_id, to_id)):
        session.execute(_HOLD_ONE, {"buyer_id": buyer_id})
    session.execute(_LOCK_BOTH, {"from_id": from_id, "to_id": to_id})
    session.execute(_RELEASE, {"id": purchase_order_id})
    draw(session, to_id, purchase_order_id, terms, session.execute(_STANDING, {"id": purchase_order_id}).scalar_one())
