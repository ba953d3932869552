"""Commission rules over HTTP."""

from catalog.products.rules import Category
from orders.settlement.actions import commission
from orders.settlement.queries import commission as queries
from orders.settlement.schemas.commission import CommissionOut, CommissionRuleIn, CommissionRuleOut
from shop.core import clock
from shop.core.paging import After, Limit, Page
from shop.core.quantities import AnyDay, Id
from shop.identity.access import Call, Routes
from shop.identity.permissions import Permission

routes = Routes("commission", "/v1")


@routes.post("/commission-rules", Permission.MONEY_MANAGE)
def set_rule(call: Call, body: CommissionRuleIn) -> CommissionRuleOut:
    """Have a rule hold for orders placed from a day on. Versions are kept; none is changed."""
    return queries.rule(call.session, call.actor, commission.set_rule(call.session, call.actor, body))


@routes.get("/commission-rules", Permission.MONEY_READ)
def rules(
    call: Call, supplier_id: Id | None = None, category: Category | None = None, limit: Limit = 50, after: After = None
) -> Page[CommissionRuleOut]:
    """Every version of the rules that concern the caller, newest first."""
    return queries.rules(call.session, call.actor, supplier_id=supplier_id, category=category, limit=limit, after=after)


@routes.get("/suppliers/{supplier_id}/commission", Permission.MONEY_READ)
def effective(call: Call, supplier_id: Id, on: AnyDay | None = None) -> list[CommissionOut]:
    """What goods of a supplier bear by category when they are ordered on a day; today unless one is named."""
    return queries.effective(call.session, call.actor, supplier_id=supplier_id, on=on or clock.today())
