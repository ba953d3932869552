"""Setting what the marketplace keeps of sales."""

from sqlalchemy import text
from sqlmodel import Session

from orders.settlement.errors import RuleInPast, RuleReachesBack
from orders.settlement.models import CommissionRule
from orders.settlement.rules import CommissionKind
from orders.settlement.schemas.commission import CommissionRuleIn
from shop.core import audit, clock, locks
from shop.core.errors import Forbidden, Invalid, NotFound
from shop.identity.actor import CITY, Actor
from shop.identity.permissions import Permission

_SUPPLIER = text(
    "SELECT region_code FROM organisation o WHERE id = :id"
    " AND EXISTS (SELECT FROM organisation_role r WHERE r.organisation_id = o.id AND r.role = 'supplier')"
)
_VERSION = text(
    "SELECT coalesce(max(version), 0) + 1 FROM commission_rule WHERE programme_code = :programme"
    " AND supplier_id IS NOT DISTINCT FROM CAST(:supplier_id AS bigint) AND category IS NOT DISTINCT FROM CAST(:category AS text)"
)
# an order bears the rules of the day when it was placed
_ORDERED_TODAY = text(
    """
    SELECT EXISTS (
        SELECT FROM purchase_order po JOIN supplier_order so ON so.purchase_order_id = po.id
        WHERE po.placed_at >= :since AND po.programme_code = :programme AND (CAST(:supplier_id AS bigint) IS NULL OR so.supplier_id = :supplier_id)
          AND (CAST(:category AS text) IS NULL OR EXISTS (
              SELECT FROM order_line l JOIN product p ON p.id = l.product_id WHERE l.supplier_order_id = so.id AND p.category = :category)))
    """
)


def set_rule(session: Session, actor: Actor, body: CommissionRuleIn) -> int:
    """Have a rule hold for orders placed from a day on; the version before it stands for those placed earlier. Returns its id.

    Raises:
        NotFound: not a supplier of the caller's region (404). Forbidden: a rule for all suppliers is the city's (403).
        RuleInPast, RuleReachesBack: it would change what was agreed when orders were placed (422). Invalid: no such programme, or the rate or amount does not go
        with the kind (422).
    """
    if body.valid_from < clock.today():
        raise RuleInPast
    if (body.kind == CommissionKind.RATE) != (body.rate_bp is not None) or (body.kind == CommissionKind.FIXED) != (
        body.fixed is not None
    ):
        raise Invalid.one(
            "kind", "rate_or_fixed", "比例佣金填 rate_bp，定额佣金填 fixed", "A rate takes rate_bp, a fixed commission fixed"
        )
    if session.execute(text("SELECT 1 FROM programme WHERE code = :code"), {"code": body.programme_code}).first() is None:
        raise Invalid.one("programme_code", "unknown_programme", "没有此方案", "There is no such programme")
    if body.supplier_id is None:
        if not actor.covers_region(Permission.MONEY_MANAGE, CITY):
            raise Forbidden(permission=Permission.MONEY_MANAGE)
    else:
        region = session.execute(_SUPPLIER, {"id": body.supplier_id}).scalar()
        if region is None or not actor.covers_region(Permission.MONEY_MANAGE, region):
            raise NotFound
    locks.hold(session, "commission_rules")
    scope = {"programme": body.programme_code, "supplier_id": body.supplier_id, "category": body.category}
    if body.valid_from == clock.today():
        since = clock.start_of_day(body.valid_from)
        if session.execute(_ORDERED_TODAY, {**scope, "since": since}).scalar_one():
            raise RuleReachesBack
    made = CommissionRule(
        **body.model_dump(exclude={"fixed"}),
        fixed_fen=body.fixed,
        version=session.execute(_VERSION, scope).scalar_one(),
        set_by=actor.user_id or 0,
        set_at=clock.now(),
    )
    session.add(made)
    session.flush()
    audit.record(
        session,
        actor,
        "commission_rule.set",
        "commission_rule",
        made.id,
        reason=body.reason,
        **scope,
        kind=body.kind,
        rate_bp=body.rate_bp,
        fixed_fen=body.fixed,
        valid_from=str(body.valid_from),
    )
    return made.id
