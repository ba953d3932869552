"""Moving an order to another budget unit: at once before anything is sent, by an application afterwards.

Source: the help pages of the 832 platform on the budget unit of an order (before dispatch: change it; after: a stamped application).
"""

from typing import Any

from sqlalchemy import text
from sqlmodel import Session

from orders.approvals import queries as approvals
from orders.budgets import actions as budgets
from orders.budgets.errors import BudgetMissing
from orders.budgets.queries import NEAREST
from orders.invoices import actions as invoices
from orders.ledger.actions import reassign
from orders.money import actions as money
from orders.purchasing.errors import NotYourUnit
from orders.reassignments import queries
from orders.reassignments.errors import Dispatched, NotDispatched, NothingLeft, NotOfYourTree, OwnUnit, SameUnit
from orders.reassignments.schemas import BudgetUnitIn
from orders.reassignments.states import APPLICATION, ApplicationMove, ApplicationStatus
from orders.requests.actions import require_cover
from orders.terms import actions as terms
from orders.units.queries import SETTINGS_ABOVE
from shop.core import audit, clock, outbox
from shop.core.errors import Forbidden, IfMatch, NotFound, any_version
from shop.identity.actor import Actor
from shop.identity.permissions import Permission

# Every part is locked, as whatever ships or accepts locks one: what is booked meanwhile is booked before, or for the new unit.
_LOCK = text("SELECT id, status FROM supplier_order WHERE purchase_order_id = :id ORDER BY id FOR UPDATE")
_ORDER = text(
    """
    SELECT po.id, po.buyer_id, po.fund_source, po.placed_at, buyer.path AS buyer_path, unit.path AS unit_path,
           (SELECT budget_unit_id FROM buying_settings WHERE organisation_id = po.ordering_unit_id) AS lent_id,
           EXISTS (SELECT FROM shipment s JOIN supplier_order so ON so.id = s.supplier_order_id WHERE so.purchase_order_id = po.id) AS dispatched
    FROM purchase_order po JOIN organisation buyer ON buyer.id = po.buyer_id JOIN organisation unit ON unit.id = po.ordering_unit_id
    WHERE po.id = :id
    """
)
_UNIT = text(
    """
    SELECT o.id, o.path, o.status,
           EXISTS (SELECT FROM organisation_role r WHERE r.organisation_id = o.id AND r.role NOT IN ('supplier', 'outlet_operator')
                   AND r.valid_from <= :today AND (r.valid_to IS NULL OR :today < r.valid_to)) AS buys
    FROM organisation o WHERE o.id = :id
    """
)
_HOLD_BALANCES = text(
    """
    SELECT b.acceptance_line_id FROM acceptance_balance b JOIN sale_entry e ON e.id = b.entry_id
    WHERE e.order_id = :id ORDER BY 1 FOR UPDATE OF b
    """
)
# What returns and corrections take back from then on is the entry for the new unit.
_FOLLOW = text(
    """
    UPDATE acceptance_balance b SET entry_id = n.id
    FROM sale_entry c JOIN sale_entry n ON n.origin_kind = 'reassignment' AND n.origin_id = c.id
    WHERE c.order_id = :id AND c.reverses_id = b.entry_id
    """
)
_MOVE = text("UPDATE purchase_order SET buyer_id = :unit WHERE id = :id")
_BUDGET = text(
    f"""
    SELECT ({NEAREST.format(path="CAST(:path AS text)")}) AS id,
           ({SETTINGS_ABOVE.format(column="budget_required", path="CAST(:path AS text)")}) AS required
    """
)
_FILE = text(
    """
    INSERT INTO budget_unit_application (purchase_order_id, from_unit_id, to_unit_id, reason, filed_by, filed_at)
    VALUES (:order_id, :from, :to, :reason, :user_id, :now) RETURNING id
    """
)
_LOCK_APPLICATION = text(
    """
    SELECT a.*, f.region_code, f.path AS from_path, t.path AS to_path, unit.path AS unit_path
    FROM budget_unit_application a JOIN organisation f ON f.id = a.from_unit_id JOIN organisation t ON t.id = a.to_unit_id
    JOIN purchase_order po ON po.id = a.purchase_order_id JOIN organisation unit ON unit.id = po.ordering_unit_id
    WHERE a.id = :id FOR UPDATE OF a
    """
)
_DECIDE = text(
    """
    UPDATE budget_unit_application SET status = :status, version = version + 1, decision_reason = :reason,
        decided_by = CASE WHEN :decided THEN CAST(:user_id AS bigint) END, decided_at = CASE WHEN :decided THEN CAST(:now AS timestamptz) END
    WHERE id = :id
    """
)


def change(session: Session, actor: Actor, purchase_order_id: int, body: BudgetUnitIn) -> None:
    """Move an order of which nothing was sent to another unit of the own branch, or to the one whose budget the unit buys on.

    Raises:
        NotFound: not an order of the caller's branch (404). NotYourUnit: not a unit to buy for (403).
        Dispatched, NothingLeft, SameUnit, BudgetExceeded, BudgetMissing, CreditExceeded: see there (409). NotOfYourTree: no approved buyer (422).
        ApprovalNeeded: the other unit's orders take an approval that this one did not get; cancel it and ask for it anew (409).
    """
    _own(session, actor, purchase_order_id)
    # before the order's parts, as whoever orders for the unit holds it
    approvals.hold_spending(session, body.unit_id)
    order = _locked(session, actor, purchase_order_id)
    if order.dispatched:
        raise Dispatched
    unit = _unit(session, order, body.unit_id)
    if not (actor.within_branch(unit.path) or unit.id == order.lent_id):
        raise NotYourUnit
    require_cover(session, order.id, unit.id)
    _move(session, actor, order, unit, body.reason)


def apply(session: Session, actor: Actor, purchase_order_id: int, body: BudgetUnitIn) -> int:
    """Ask to move an order, of which goods were sent, to another unit of the same tree; returns the application's id.

    Raises:
        NotFound: not an order of the caller's branch (404). NotDispatched, NothingLeft, SameUnit, ApplicationOpen: see there (409).
        NotOfYourTree: see there (422).
    """
    order = _locked(session, actor, purchase_order_id)
    if not order.dispatched:
        raise NotDispatched
    unit = _unit(session, order, body.unit_id)
    application_id: int = session.execute(
        _FILE,
        {
            "order_id": order.id,
            "from": order.buyer_id,
            "to": unit.id,
            "reason": body.reason,
            "user_id": actor.user_id,
            "now": clock.now(),
        },
    ).scalar_one()
    audit.record(
        session,
        actor,
        "budget_unit_application.filed",
        "purchase_order",
        order.id,
        reason=body.reason,
        application_id=application_id,
        to_unit_id=unit.id,
    )
    outbox.publish(session, "budget_unit_application.filed", application_id=application_id)
    return application_id


def decide(
    session: Session, actor: Actor, application_id: int, move: ApplicationMove, reason: str, if_match: IfMatch = any_version
) -> None:
    """Approve an application, which moves the order, its sales and its budget; or refuse it.

    Raises:
        NotFound: none within reach (404). OwnUnit, Forbidden: not the caller's to decide (403). IllegalMove: decided already (409).
        BudgetExceeded, BudgetMissing, CreditExceeded: the new unit's budget or credit has too little left, or there is no budget where there has to
            be one (409).
    """
    found = queries.application(session, actor, application_id)
    # the parts first, as who files another application has locked them
    session.execute(_LOCK, {"id": found.purchase_order_id}).all()
    row = session.execute(_LOCK_APPLICATION, {"id": application_id}).one()
    if queries.is_party(actor, row):
        raise OwnUnit
    if not actor.covers_region(Permission.BUDGET_UNITS_DECIDE, row.region_code):
        raise Forbidden
    if_match(row.version)
    _conclude(session, actor, row, move, reason)
    if move is ApplicationMove.APPROVE:
        order = session.execute(_ORDER, {"id": row.purchase_order_id}).one()
        _move(session, actor, order, _unit(session, order, row.to_unit_id), reason)
    outbox.publish(session, "budget_unit_application.decided", application_id=application_id)


def withdraw(session: Session, actor: Actor, application_id: int, reason: str, if_match: IfMatch = any_version) -> None:
    """Take an application of the own branch back.

    Raises:
        NotFound: none within reach (404). IllegalMove: decided already (409).
    """
    found = queries.application(session, actor, application_id)
    row = session.execute(_LOCK_APPLICATION, {"id": application_id}).one()
    _own(session, actor, found.purchase_order_id)
    if_match(row.version)
    _conclude(session, actor, row, ApplicationMove.WITHDRAW, reason)


def _conclude(session: Session, actor: Actor, row: Any, move: ApplicationMove, reason: str) -> None:
    status = APPLICATION.after(row.status, move, queries.moves_of(actor, row))
    session.execute(
        _DECIDE,
        {
            "id": row.id,
            "status": status,
            "decided": status is not ApplicationStatus.WITHDRAWN,
            "user_id": actor.user_id,
            "now": clock.now(),
            "reason": reason,
        },
    )
    audit.record(
        session,
        actor,
        f"budget_unit_application.{status}",
        "purchase_order",
        row.purchase_order_id,
        reason=reason,
        application_id=row.id,
    )


def _own(session: Session, actor: Actor, purchase_order_id: int) -> Any:
    order = session.execute(_ORDER, {"id": purchase_order_id}).first()
    if order is None or not (actor.within_branch(order.buyer_path) or actor.within_branch(order.unit_path)):
        raise NotFound
    return order


def _locked(session: Session, actor: Actor, purchase_order_id: int) -> Any:
    parts = session.execute(_LOCK, {"id": purchase_order_id}).all()
    order = _own(session, actor, purchase_order_id)
    if all(part.status in ("cancelled", "rejected") for part in parts):
        raise NothingLeft
    return order


def _unit(session: Session, order: Any, unit_id: int) -> Any:
    unit = session.execute(_UNIT, {"id": unit_id, "today": clock.today()}).first()
    root = f"/{order.buyer_path.split('/')[1]}/"
    if unit is None or not unit.path.startswith(root) or unit.status != "approved" or not unit.buys:
        raise NotOfYourTree
    if unit.id == order.buyer_id:
        raise SameUnit
    return unit


def _move(session: Session, actor: Actor, order: Any, unit: Any, reason: str) -> None:
    session.execute(_MOVE, {"id": order.id, "unit": unit.id})
    session.execute(_HOLD_BALANCES, {"id": order.id}).all()
    moved = reassign(session, actor, order.id, reason=reason)
    money.reassign(session, order.id, from_id=order.buyer_id, to_id=unit.id)
    session.execute(_FOLLOW, {"id": order.id})
    invoices.move(session, order.id)
    year = clock.shanghai_date(order.placed_at).year
    budget = session.execute(_BUDGET, {"path": unit.path, "budget_year": year, "fund_source": order.fund_source}).one()
    if budget.id is None and budget.required:
        raise BudgetMissing(year=year, fund_source=order.fund_source)
    budgets.move(session, order.id, budget.id)
    terms.move(session, order.id, from_id=order.buyer_id, to_id=unit.id)
    audit.record(
        session,
        actor,
        "purchase_order.reassigned",
        "purchase_order",
        order.id,
        reason=reason,
        from_unit_id=order.buyer_id,
        to_unit_id=unit.id,
        entries=moved,
    )
    outbox.publish(
        session,
        "purchase_order.reassigned",
        purchase_order_id=order.id,
        from_unit_id=order.buyer_id,
        to_unit_id=unit.id,
        at=clock.now().isoformat(),
    )
