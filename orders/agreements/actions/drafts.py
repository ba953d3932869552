"""Drafting the orders of a schedule some days ahead, and ordering or discarding what was drafted; closures; late instalments."""

from datetime import timedelta
from typing import Any

from sqlalchemy import text
from sqlmodel import Session

from orders.agreements.actions import harvest as promises
from orders.agreements.actions import planning
from orders.agreements.actions.calling_off import address_of, draw
from orders.agreements.errors import DraftNotOpen, NothingLeft, StillOrdered
from orders.agreements.queries import harvest
from orders.agreements.queries.late import ANSWERED, LATE
from orders.agreements.queries.reach import locked_to_call_off
from orders.agreements.rules import Side
from orders.agreements.schemas.calling import ClosureIn
from orders.agreements.states import DraftStatus
from orders.purchasing.schemas import OrderHeadIn
from orders.requests.actions import Submitted
from shop.core import audit, clock, outbox
from shop.core.errors import IfMatch, NotFound, any_version
from shop.identity.actor import Actor

# Who drafts the same instalments at the same moment skips them; an open draft of the day and place takes up what came later.
_DRAFT = text(
    """
    WITH due AS MATERIALIZED (
        SELECT i.id, l.agreement_id, i.delivery_place_id, i.due_on
        FROM instalment i JOIN agreement_line l ON l.id = i.agreement_line_id JOIN agreement a ON a.id = l.agreement_id
        WHERE i.status = 'planned' AND i.due_on <= CAST(:today AS date) + a.call_off_lead_days AND a.status = 'active'
          AND i.due_on BETWEEN a.valid_from AND coalesce(a.terminated_on, a.valid_until)
          AND coalesce(a.terminated_on, a.valid_until) >= :today AND a.valid_from <= :today
        ORDER BY i.id FOR UPDATE OF i SKIP LOCKED
    ), drafts AS (
        INSERT INTO call_off_draft AS d (agreement_id, delivery_place_id, due_on, drafted_at)
        SELECT DISTINCT agreement_id, delivery_place_id, due_on, CAST(:now AS timestamptz) FROM due
        ORDER BY agreement_id, delivery_place_id, due_on
        ON CONFLICT (agreement_id, delivery_place_id, due_on) WHERE status = 'open'
        DO UPDATE SET drafted_at = excluded.drafted_at, version = d.version + 1
        RETURNING id, agreement_id, delivery_place_id, due_on
    ), taken AS (
        UPDATE instalment i SET status = 'drafted', call_off_draft_id = drafts.id
        FROM due JOIN drafts USING (agreement_id, delivery_place_id, due_on) WHERE i.id = due.id
    )
    SELECT id FROM drafts ORDER BY id
    """
)
# Holidays are published late in the year before; what was planned for one is skipped before it is drafted.
_SKIP_HOLIDAYS = text(
    """
    UPDATE instalment i SET status = 'skipped', skip_reason = 'public_holiday'
    FROM schedule_entry e, workday w
    WHERE i.status = 'planned' AND e.id = i.schedule_entry_id AND e.skips_public_holidays AND w.day = i.due_on AND NOT w.working
      AND EXTRACT(isodow FROM i.due_on) < 6 AND i.due_on BETWEEN :today AND CAST(:today AS date) + 90
    """
)


def draft_due(session: Session) -> int:
    """Draft the orders of every instalment whose lead time has begun; one draft for each agreement, place and day, however often and by however
    many at once this runs. Returns how many drafts were made or added to."""
    session.execute(_SKIP_HOLIDAYS, {"today": clock.today()})
    ids = session.execute(_DRAFT, clock.present()).scalars().all()
    for draft_id in ids:
        outbox.publish(session, "call_off.drafted", call_off_draft_id=draft_id)
    return len(ids)


_LOCK = text(
    """
    SELECT d.*, unit.path AS unit_path FROM call_off_draft d JOIN delivery_place p ON p.id = d.delivery_place_id
    LEFT JOIN organisation unit ON unit.id = p.unit_id WHERE d.id = :id FOR UPDATE OF d
    """
)


def _locked(session: Session, actor: Actor, draft_id: int) -> tuple[Any, Any]:
    """The agreement and its draft, both locked, in this order.

    Raises:
        NotFound: none of the buyer's branch, or for a place at another unit than the caller's.
    """
    agreement_id = session.execute(
        text("SELECT agreement_id FROM call_off_draft WHERE id = :id"), {"id": draft_id}
    ).scalar_one_or_none()
    if agreement_id is None:
        raise NotFound
    agreement = locked_to_call_off(session, actor, agreement_id)
    draft = session.execute(_LOCK, {"id": draft_id}).one()
    if not (actor.within_branch(agreement.buyer_path) or actor.within_branch(draft.unit_path or "")):
        raise NotFound
    return agreement, draft


def order(session: Session, actor: Actor, draft_id: int) -> Submitted:
    """Place the order of a draft.

    Raises:
        NotFound: none that the caller may order (404). DraftNotOpen, NothingLeft: see there (409).
        Whatever :func:`~orders.agreements.actions.calling_off.call_off` raises.
    """
    agreement, draft = _locked(session, actor, draft_id)
    if draft.status != DraftStatus.OPEN:
        raise DraftNotOpen
    lines = session.execute(
        text(
            "SELECT agreement_line_id, sum(quantity) AS quantity FROM instalment WHERE call_off_draft_id = :id AND status = 'drafted'"
            " AND quantity > 0 GROUP BY agreement_line_id ORDER BY agreement_line_id"
        ),
        {"id": draft_id},
    ).all()
    if not lines:
        raise NothingLeft
    head = OrderHeadIn(
        fund_source=agreement.fund_source,
        buyer_id=agreement.buyer_id,
        payment_terms=agreement.payment_terms,
        deliver_by=draft.due_on,
        **address_of(session, agreement.id, draft.delivery_place_id),
    )
    submitted = draw(session, actor, agreement, head, [(line.agreement_line_id, line.quantity) for line in lines])
    session.execute(
        text(
            "UPDATE call_off_draft SET status = 'ordered', purchase_order_id = :order_id, purchase_request_id = :request_id, problem = NULL,"
            " version = version + 1 WHERE id = :id"
        ),
        {
            "id": draft_id,
            "order_id": submitted.purchase_order.id if submitted.purchase_order else None,
            "request_id": submitted.purchase_request_id,
        },
    )
    _move(session, draft_id, "drafted", "ordered")
    return submitted


def _move(session: Session, draft_id: int, before: str, after: str) -> None:
    session.execute(
        text("UPDATE instalment SET status = :after WHERE call_off_draft_id = :id AND status = :before"),
        {"id": draft_id, "before": before, "after": after},
    )


def discard(session: Session, actor: Actor, draft_id: int, reason: str, if_match: IfMatch = any_version) -> None:
    """Nothing is to come on this day; its instalments are skipped.

    Raises:
        NotFound: none that the caller may order (404). DraftNotOpen: see there (409).
    """
    agreement, draft = _locked(session, actor, draft_id)
    if_match(draft.version)
    if draft.status != DraftStatus.OPEN:
        raise DraftNotOpen
    session.execute(
        text(
            "UPDATE instalment SET status = 'skipped', skip_reason = 'discarded', skip_note = :reason"
            " WHERE call_off_draft_id = :id AND status = 'drafted'"
        ),
        {"id": draft_id, "reason": reason},
    )
    session.execute(text("UPDATE call_off_draft SET status = 'discarded', version = version + 1 WHERE id = :id"), {"id": draft_id})
    audit.record(session, actor, "call_off_draft.discarded", "agreement", agreement.id, reason=reason, call_off_draft_id=draft_id)


_DEAD = text(
    """
    SELECT d.purchase_request_id IS NOT NULL AND EXISTS (
               SELECT FROM purchase_request r WHERE r.id = d.purchase_request_id AND r.status IN ('rejected', 'withdrawn'))
        OR EXISTS (SELECT FROM purchase_order po JOIN supplier_order so ON so.purchase_order_id = po.id
                   WHERE (po.id = d.purchase_order_id OR po.purchase_request_id = d.purchase_request_id)
                     AND so.status IN ('rejected', 'cancelled'))
    FROM call_off_draft d WHERE d.id = :id
    """
)


def reopen(session: Session, actor: Actor, draft_id: int, if_match: IfMatch = any_version) -> None:
    """Make a draft again of what was ordered in vain: the supplier or an approver said no, or the order was cancelled.

    Raises:
        NotFound: none that the caller may order (404). StillOrdered: its order stands, or it was never ordered (409).
        AnotherDraftOpen: see there (409).
    """
    agreement, draft = _locked(session, actor, draft_id)
    if_match(draft.version)
    if draft.status != DraftStatus.ORDERED or not session.execute(_DEAD, {"id": draft_id}).scalar_one():
        raise StillOrdered
    session.execute(
        text(
            "UPDATE call_off_draft SET status = 'open', purchase_order_id = NULL, purchase_request_id = NULL, version = version + 1"
            " WHERE id = :id"
        ),
        {"id": draft_id},
    )
    _move(session, draft_id, "ordered", "drafted")
    audit.record(session, actor, "call_off_draft.reopened", "agreement", agreement.id, call_off_draft_id=draft_id)


_OF = """
    SELECT a.id, a.supplier_id FROM agreement a
    WHERE (a.buyer_id = :id OR EXISTS (SELECT FROM delivery_place d WHERE d.agreement_id = a.id AND d.unit_id = :id))
      AND a.status IN ('draft', 'proposed', 'active') AND a.valid_until >= :today ORDER BY a.id
"""
_OF_ORGANISATION = text(_OF)
_HOLD_OF_ORGANISATION = text(f"{_OF} FOR NO KEY UPDATE OF a")


def close(session: Session, actor: Actor, body: ClosureIn) -> int:
    """Say when a unit takes nothing; schedules that heed it skip those days from now on. Returns its id.

    Raises:
        NotFound: no unit of the caller's branch (404).
    """
    organisation_id = body.organisation_id or actor.organisation
    _require_branch(session, actor, organisation_id)
    closure_id: int = session.execute(
        text(
            "INSERT INTO closure_period (organisation_id, name, starts_on, ends_on, created_by)"
            " VALUES (:organisation_id, :name, :starts_on, :ends_on, :user_id) RETURNING id"
        ),
        {**body.model_dump(), "organisation_id": organisation_id, "user_id": actor.user_id},
    ).scalar_one()
    audit.record(session, actor, "closure_period.added", "organisation", organisation_id, **body.model_dump(mode="json"))
    _look_again(session, organisation_id)
    return closure_id


def reopen_days(session: Session, actor: Actor, closure_id: int) -> None:
    """Take a closure back; what was skipped for it is planned again from today on.

    Raises:
        NotFound: none of the caller's branch (404). OverCommitted: a supplier counts on those days being free (409).
    """
    row = session.execute(
        text("SELECT organisation_id, name FROM closure_period WHERE id = :id FOR UPDATE"), {"id": closure_id}
    ).first()
    if row is None:
        raise NotFound
    _require_branch(session, actor, row.organisation_id)
    session.execute(text("DELETE FROM closure_period WHERE id = :id"), {"id": closure_id})
    audit.record(session, actor, "closure_period.removed", "organisation", row.organisation_id, name=row.name)
    _look_again(session, row.organisation_id)


def _require_branch(session: Session, actor: Actor, organisation_id: int) -> None:
    path = session.execute(text("SELECT path FROM organisation WHERE id = :id"), {"id": organisation_id}).scalar_one_or_none()
    if path is None or not actor.within_branch(path):
        raise NotFound


def _look_again(session: Session, organisation_id: int) -> None:
    """Look at the calendar again under every agreement that heeds it, alone with each: a schedule that is being written meanwhile waits.

    Raises:
        OverCommitted: days that come back ask for more than was declared (409).
    """
    asked = {"id": organisation_id, "today": clock.today()}
    for supplier_id in sorted({row.supplier_id for row in session.execute(_OF_ORGANISATION, asked)}):
        promises.hold(session, supplier_id)
    ids = [row.id for row in session.execute(_HOLD_OF_ORGANISATION, asked)]
    products = promises.products_of(session, ids)
    before = harvest.months(session, products)
    planning.materialise(session, ids, clock.today())
    promises.refuse_over(before, harvest.months(session, products), Side.BUYER)


#: What is late for longer was told, or is on the list all the same.
TELLING_DAYS = 30
_TELL_LATE = text(
    f"""
    WITH late AS ({LATE} AND i.late_told_at IS NULL), told AS (
        UPDATE instalment SET late_told_at = :now FROM late WHERE instalment.id = late.id AND instalment.late_told_at IS NULL
        RETURNING late.agreement_id, late.due_on
    )
    SELECT agreement_id, due_on, count(*) AS instalments FROM told GROUP BY agreement_id, due_on ORDER BY agreement_id, due_on
    """  # noqa: S608
)


_SETTLE = text(f"UPDATE instalment SET settled = true WHERE id IN ({ANSWERED})")  # noqa: S608


def tell_late(session: Session) -> int:
    """Tell both sides once of each day whose instalments are late, and lay aside those that never will be. Returns how many days."""
    session.execute(_SETTLE, {"today": clock.today()})
    days = session.execute(_TELL_LATE, {**clock.present(), "oldest": clock.today() - timedelta(days=TELLING_DAYS)}).all()
    for day in days:
        outbox.publish(
            session,
            "agreement.instalments_late",
            agreement_id=day.agreement_id,
            due_on=day.due_on.isoformat(),
            instalments=day.instalments,
        )
    return len(days)
