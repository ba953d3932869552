"""Proposing a change of a bound order, and answering it. Without the other side's consent nothing changes."""

import json
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from sqlalchemy import text
from sqlmodel import Session

from orders.amendments import queries, rules
from orders.amendments.errors import (
    AmendmentOver,
    BeyondApproval,
    ChangesWrong,
    LineMoved,
    NoLongerPossible,
    NotAmendable,
    OtherSideAnswers,
    OwnSideWithdraws,
)
from orders.amendments.rules import BoundLine
from orders.amendments.schemas import AmendmentIn
from orders.amendments.states import AMENDABLE, AMENDMENT, AmendmentAction
from orders.approvals import queries as approvals
from orders.approvals.errors import ApprovalNeeded
from orders.budgets import actions as budgets
from orders.contracts import actions as contracts
from orders.fulfilment.actions.accepting import acceptance_step
from orders.purchasing import rules as purchasing
from orders.purchasing.actions import answering
from orders.purchasing.actions.amending import amend_lines, substitutes
from orders.purchasing.actions.cancelling import give_back_stock
from orders.purchasing.actions.moving import hold_agreements, locked, side_of, step
from orders.purchasing.errors import AboveApproved, LinesRefused
from orders.purchasing.rules import LineChange
from orders.purchasing.states import SUPPLIER_ORDER, EndReason, SupplierOrderAction, SupplierOrderStatus
from orders.requests.actions import require_cover
from orders.terms import actions as terms
from shop.core import audit, clock, outbox, workdays
from shop.core.audit import SYSTEM
from shop.core.errors import Fault, IfMatch, any_version
from shop.identity.actor import Actor
from shop.programmes import queries as programmes

_WRITE = text(
    """
    WITH proposed AS (
        INSERT INTO amendment (supplier_order_id, side, reason, cancels, deliver_by, proposed_by, proposed_at, expires_at)
        VALUES (:order, :side, :reason, :cancels, :deliver_by, :user, :now, :expires_at) RETURNING id
    ), lines AS (
        INSERT INTO amendment_line (amendment_id, order_line_id, open_quantity, quantity, sku_id, unit_price_fen)
        SELECT proposed.id, u.* FROM proposed CROSS JOIN unnest(CAST(:lines AS bigint[]), CAST(:open AS numeric[]),
            CAST(:quantities AS numeric[]), CAST(:skus AS bigint[]), CAST(:prices AS bigint[])) AS u
    )
    SELECT id FROM proposed
    """
)
_ANSWER = text(
    """
    UPDATE amendment SET status = :status, answered_by = :user, answered_at = :now, answer = :answer, change_fen = :change_fen,
           changes = CAST(:changes AS text[]), version = version + 1
    WHERE id = :id
    """
)
_MADE = text(
    """
    UPDATE amendment_line a SET new_line_id = m.value::bigint FROM jsonb_each_text(CAST(:made AS jsonb)) m
    WHERE a.amendment_id = :id AND a.order_line_id = m.key::bigint
    """
)
#: One that is being answered at this moment is left to who answers it.
_OVERDUE = text(
    "SELECT id, status FROM amendment WHERE status = 'proposed' AND expires_at <= :now ORDER BY id LIMIT 200 FOR UPDATE SKIP LOCKED"
)


def propose(session: Session, actor: Actor, supplier_order_id: int, body: AmendmentIn) -> int:
    """Propose a change of what is not shipped; returns the amendment's id. The price of a substitute is fixed now.

    Raises:
        NotFound: not an order of either side of the caller.
        NotAmendable: it is not confirmed, or delivered, or over (409). AmendmentOpen: another change awaits its answer (409).
        ChangesWrong: lines, quantities, packs or a day that cannot be (422).
    """
    order = locked(session, actor, supplier_order_id, "either")
    _require_amendable(order, cancels=body.cancels)
    lines = queries.bound_lines(session, supplier_order_id)
    changes = [_change(line.model_dump(), lines) for line in body.lines]
    faults = rules.faults_of(lines, changes)
    if body.deliver_by and (fault := rules.day_fault(body.deliver_by, clock.today())):
        faults.append(fault)
    if not faults:
        changes, faults = _priced(session, order, changes)
    if faults:
        raise ChangesWrong(count=len(faults), faults=faults)
    now, today = clock.now(), clock.today()
    days = programmes.config_of(session, today).ordering.amendment_working_days
    amendment_id: int = session.execute(
        _WRITE,
        {
            "order": order.id,
            "side": side_of(actor, order),
            "reason": body.reason,
            "cancels": body.cancels,
            "deliver_by": body.deliver_by,
            "user": actor.user_id,
            "now": now,
            "expires_at": clock.end_of_day(workdays.calendar(session, today).add(today, days)),
            "lines": [change.order_line_id for change in changes],
            "open": [change.open_quantity for change in changes],
            "quantities": [change.quantity for change in changes],
            "skus": [change.sku_id for change in changes],
            "prices": [change.unit_price_fen for change in changes],
        },
    ).scalar_one()
    audit.record(session, actor, "amendment.proposed", "supplier_order", order.id, reason=body.reason, amendment_id=amendment_id)
    outbox.publish(session, "amendment.proposed", amendment_id=amendment_id)
    return amendment_id


def accept(session: Session, actor: Actor, amendment_id: int, if_match: IfMatch = any_version) -> None:
    """Agree to a change: lines, stock, totals and the supplement to the contract change in this one transaction.

    Raises:
        NotFound: not an amendment of an order of the caller. OtherSideAnswers: the own side proposed it (409).
        Changed: another version than the caller read (412).
        IllegalMove, AmendmentOver: it was answered, or its time has passed (409).
        NotAmendable, LineMoved: the order has gone on since (409). NoLongerPossible: a new pack cannot be had any more (409).
        BeyondApproval: dearer than the buyer's approvals cover (409). BuyersBudgetShort: or its budget (409).
    """
    # both before the order's parts, as whoever orders for the unit and calls off holds them
    supplier_order_id = queries.order_of(session, amendment_id)
    hold_agreements(session, supplier_order_id)
    approvals.hold_spending(session, queries.buyer_of(session, supplier_order_id))
    order, amendment = _answering(session, actor, amendment_id, AmendmentAction.ACCEPT, if_match)
    _require_amendable(order, cancels=amendment.cancels)
    lines = queries.bound_lines(session, order.id)
    changes = queries.changes(session, amendment_id)
    by_id = {line.order_line_id: line for line in lines}
    if any(
        by_id[change.order_line_id].open != change.open_quantity or by_id[change.order_line_id].by_voucher for change in changes
    ):
        raise LineMoved
    names = queries.names(session, [change.sku_id for change in changes if change.sku_id])
    worded = [rules.worded(by_id[c.order_line_id], c, names.get(c.sku_id or 0)) for c in changes]
    change_fen = _change_lines(session, actor, order, amendment_id, changes) if changes else 0
    if amendment.deliver_by:
        session.execute(
            text("UPDATE supplier_order SET deliver_by = :day, version = version + 1 WHERE id = :id"),
            {"id": order.id, "day": amendment.deliver_by},
        )
        worded.append(f"交货期限改为 {amendment.deliver_by:%Y-%m-%d}。")
    if amendment.cancels:
        step(session, actor, order, SupplierOrderAction.CANCEL, reason=amendment.reason, code=EndReason.AGREED)
        give_back_stock(session, [order.id])
        outbox.publish(session, "purchase_order.cancelled", purchase_order_id=order.purchase_order_id)
        worded.append("双方同意取消订单，合同解除。")
    contracts.supplement(session, order.id, amendment_id, worded)
    if amendment.cancels:
        terms.redraw(session, order.purchase_order_id)
    _answer(session, actor, amendment, AmendmentAction.ACCEPT, change_fen=change_fen, changes=worded)


def agree_freight(session: Session, actor: Actor, supplier_order_id: int, freight_fen: int) -> None:
    """Agree to the freight, in fen, that a supplier asks for before it confirms.

    Raises:
        NotFound: not an order of the caller's branch (404). OtherFreight, FreightFixed, BuyersBudgetShort: see there (409).
        BeyondApproval: the buyer's rules ask for an approval of what the order would cost (409).
    """
    approvals.hold_spending(session, queries.buyer_of(session, supplier_order_id))
    purchase_order_id = answering.agree_freight(session, actor, supplier_order_id, freight_fen)
    _require_approval(session, purchase_order_id, buyer=True)


def refuse(session: Session, actor: Actor, amendment_id: int, reason: str, if_match: IfMatch = any_version) -> None:
    """Say no to a change, with the reason; the order stays as it is.

    Raises:
        NotFound, OtherSideAnswers, Changed, IllegalMove, AmendmentOver: as for :func:`accept`.
    """
    _, amendment = _answering(session, actor, amendment_id, AmendmentAction.REFUSE, if_match)
    _answer(session, actor, amendment, AmendmentAction.REFUSE, answer=reason)


def withdraw(session: Session, actor: Actor, amendment_id: int, if_match: IfMatch = any_version) -> None:
    """Take a proposed change back.

    Raises:
        NotFound: not an amendment of an order of the caller. OwnSideWithdraws: the other side proposed it (409).
        IllegalMove: it was answered (409). Changed: another version than the caller read (412).
    """
    _, amendment = _answering(session, actor, amendment_id, AmendmentAction.WITHDRAW, if_match)
    _answer(session, actor, amendment, AmendmentAction.WITHDRAW)


def expire(session: Session) -> int:
    """Let changes lapse that nobody answered in time; returns how many. Safe to run at any time."""
    overdue = session.execute(_OVERDUE, {"now": clock.now()}).all()
    for amendment in overdue:
        _answer(session, SYSTEM, amendment, AmendmentAction.EXPIRE)
    return len(overdue)


def _require_amendable(order: Any, *, cancels: bool) -> None:
    if order.status not in AMENDABLE or (cancels and SupplierOrderAction.CANCEL not in SUPPLIER_ORDER.possible(order.status)):
        raise NotAmendable(state=order.status)


def _change(asked: dict[str, Any], lines: Sequence[BoundLine]) -> LineChange:
    open_quantity = next((line.open for line in lines if line.order_line_id == asked["order_line_id"]), Decimal(0))
    quantity = open_quantity if asked["quantity"] is None else asked["quantity"]
    return LineChange(asked["order_line_id"], open_quantity, quantity, asked["sku_id"], asked["unit_price"])


def _priced(session: Session, order: Any, changes: Sequence[LineChange]) -> tuple[list[LineChange], list[Fault]]:
    """The changes with the prices of their substitutes, and why a substitute cannot be."""
    places = [index for index, change in enumerate(changes) if change.sku_id]
    facts = substitutes(session, changes)
    wanted = purchasing.wanted_by_sku(facts)
    priced, faults = list(changes), []
    for index, line in zip(places, facts, strict=True):
        reason = purchasing.reason_against(line, order.buyer_id, wanted[line.sku_id])
        if line.supplier_id not in (None, order.supplier_id):
            zh, en = "替换产品须为同一供应单位的产品", "A substitute comes from the same supplier"
            faults.append(Fault(f"lines[{index}].sku_id", "other_supplier", zh, en))
        elif reason:
            found = purchasing.fault(line, reason)
            faults.append(Fault(f"lines[{index}]", found.code, found.zh, found.en, found.data))
        else:
            old = changes[index]
            priced[index] = LineChange(old.order_line_id, old.open_quantity, old.quantity, old.sku_id, line.unit_price_fen)
    return priced, faults


def _answering(
    session: Session, actor: Actor, amendment_id: int, action: AmendmentAction, if_match: IfMatch = any_version
) -> tuple[Any, Any]:
    """The order and the amendment, locked in this order, if the caller may do this with it now."""
    order = locked(session, actor, queries.order_of(session, amendment_id), "either")
    amendment = queries.locked(session, amendment_id)
    if_match(amendment.version)
    AMENDMENT.after(amendment.status, action)
    own = side_of(actor, order) == amendment.side
    if own != (action is AmendmentAction.WITHDRAW):
        raise OtherSideAnswers if own else OwnSideWithdraws
    if action is not AmendmentAction.WITHDRAW and amendment.expires_at <= clock.now():
        raise AmendmentOver
    return order, amendment


def _change_lines(session: Session, actor: Actor, order: Any, amendment_id: int, changes: Sequence[LineChange]) -> int:
    """Carry the changes out; returns by how much the total of the supplier order changed, in fen."""
    total = text("SELECT total_fen FROM supplier_order WHERE id = :id")
    before = session.execute(total, {"id": order.id}).scalar_one()
    buyer = side_of(actor, order) == "buyer"
    try:
        with budgets.telling_sums(session, order.purchase_order_id, to_buyer=buyer):
            made = amend_lines(session, order, changes)
    except LinesRefused as refused:
        raise NoLongerPossible(count=len(refused.faults), faults=refused.faults) from refused
    if made:
        session.execute(_MADE, {"id": amendment_id, "made": json.dumps(made)})
    if order.status != SupplierOrderStatus.CONFIRMED and not any(line.open for line in queries.bound_lines(session, order.id)):
        _finish(session, actor, order)
    change_fen = int(session.execute(total, {"id": order.id}).scalar_one() - before)
    if change_fen > 0:
        _require_approval(session, order.purchase_order_id, buyer=buyer)
    return change_fen


def _require_approval(session: Session, purchase_order_id: int, *, buyer: bool) -> None:
    """What the order costs now is covered by the buyer's approvals, or takes none. The buyer is told what was approved, or which steps are missing."""
    try:
        require_cover(session, purchase_order_id)
    except (AboveApproved, ApprovalNeeded) as refused:
        raise BeyondApproval(**(refused.data if buyer else {})) from None


def _finish(session: Session, actor: Actor, order: Any) -> None:
    """Nothing more will be shipped: the order is delivered, and accepted if all that came was answered."""
    status = step(session, actor, order, SupplierOrderAction.SHIP_REST)
    if status == SupplierOrderStatus.PARTLY_ACCEPTED and acceptance_step(session, order.id) is SupplierOrderAction.ACCEPT_REST:
        step(session, actor, locked(session, actor, order.id, "either"), SupplierOrderAction.ACCEPT_REST)


def _answer(
    session: Session,
    actor: audit.Who,
    amendment: Any,
    action: AmendmentAction,
    *,
    answer: str | None = None,
    change_fen: int | None = None,
    changes: Sequence[str] | None = None,
) -> None:
    status = AMENDMENT.after(amendment.status, action)
    session.execute(
        _ANSWER,
        {
            "id": amendment.id,
            "status": status,
            "user": actor.user_id,
            "now": clock.now(),
            "answer": answer,
            "change_fen": change_fen,
            "changes": None if changes is None else list(changes),
        },
    )
    audit.record(session, actor, f"amendment.{status}", "amendment", amendment.id, reason=answer, change_fen=change_fen)
    outbox.publish(session, "amendment.answered", amendment_id=amendment.id)
