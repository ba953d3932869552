"""Asking for an order: it is placed at once where nobody has to approve it, else it waits."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text
from sqlmodel import Session

from orders.approvals.queries import require_somebody
from orders.approvals.rules import Step
from orders.budgets.rules import Holder
from orders.purchasing.actions import placing, pricing
from orders.purchasing.actions.pricing import Prepared, Wanted
from orders.purchasing.rules import DIRECT, Source
from orders.purchasing.schemas import OrderHeadIn, PurchaseOrderOut
from shop.core import audit, clock, outbox
from shop.identity.actor import Actor

_WRITE = text(
    """
    INSERT INTO purchase_request (id, number, buyer_id, ordering_unit_id, requested_by, requested_at, reason, fund_source, platform,
        declared_relation_id, buyer_reference, cost_centre, deliver_by, delivery_address, delivery_contact, delivery_phone, payment_terms,
        source_kind, source_id, line_count, total_fen)
    SELECT n.id, 'PR' || CAST(:day AS text) || lpad(n.id::text, greatest(6, length(n.id::text)), '0'), :buyer_id, :ordering_unit_id,
        :user_id, :now, :reason, :fund_source, :platform, CAST(:declared_relation_id AS bigint), :buyer_reference, :cost_centre,
        CAST(:deliver_by AS date), :delivery_address, :delivery_contact, :delivery_phone,
        CAST(:payment_terms AS jsonb), :source_kind, CAST(:source_id AS bigint),
        :line_count, :total_fen
    FROM (SELECT nextval(pg_get_serial_sequence('purchase_request', 'id')) AS id) n
    RETURNING id
    """
)
_LINES = text(
    """
    INSERT INTO purchase_request_line (purchase_request_id, line_no, sku_id, quantity, unit_price_fen, amount_fen, agreed, agreement_line_id)
    SELECT :id, * FROM unnest(CAST(:line_nos AS int[]), CAST(:skus AS bigint[]), CAST(:quantities AS numeric[]), CAST(:prices AS bigint[]),
        CAST(:amounts AS bigint[]), CAST(:agreed AS boolean[]), CAST(:agreement_lines AS bigint[]))
    """
)
_STEPS = text(
    """
    INSERT INTO purchase_request_step (purchase_request_id, round, position, name, organisation_id, role, user_ids, status)
    VALUES (:id, :round, :position, :name, :organisation_id, :role, :user_ids, 'waiting')
    """
)


@dataclass(frozen=True, slots=True)
class Submitted:
    """What became of it: an order, or a request that waits for approval."""

    purchase_order: PurchaseOrderOut | None = None
    purchase_request_id: int | None = None


def submit(
    session: Session,
    actor: Actor,
    head: OrderHeadIn,
    lines: Sequence[Wanted],
    source: Source = DIRECT,
    *,
    reason: str | None = None,
) -> Submitted:
    """Place an order, or hand it in for approval where the rules of its unit ask for that. A request holds its budget but no stock.

    Raises:
        NobodyToApprove: a step for which nobody is left but the caller and who takes the others (409).
        Whatever :func:`orders.purchasing.actions.place` raises, but ``ApprovalNeeded``.
    """
    pricing.require_day(head, source)
    prepared = pricing.prepare(session, actor, head, lines)
    steps = pricing.steps_of(session, actor, prepared)
    if not steps:
        return Submitted(placing.carry_out(session, actor, prepared, source))
    request_id = _write(session, actor, prepared, source, reason)
    write_lines(session, request_id, prepared)
    write_steps(session, actor.user_id or 0, request_id, 1, steps)
    placing.draw_on_budget(session, prepared, Holder.PURCHASE_REQUEST, request_id)
    audit.record(
        session,
        actor,
        "purchase_request.submitted",
        "purchase_request",
        request_id,
        reason=reason,
        total_fen=prepared.total_fen,
    )
    outbox.publish(session, "purchase_request.waiting", purchase_request_id=request_id, round=1, position=1)
    return Submitted(purchase_request_id=request_id)


def _write(session: Session, actor: Actor, prepared: Prepared, source: Source, reason: str | None) -> int:
    now = clock.now()
    request_id: int = session.execute(
        _WRITE,
        {
            **columns(prepared),
            "ordering_unit_id": actor.organisation,
            "user_id": actor.user_id,
            "reason": reason,
            "source_kind": source.kind,
            "source_id": source.id,
            "now": now,
            "day": clock.shanghai_date(now).strftime("%Y%m%d"),
        },
    ).scalar_one()
    return request_id


def columns(prepared: Prepared) -> dict[str, Any]:
    """What a request keeps of the order that it asks for, besides its lines."""
    return {
        **prepared.head.model_dump(exclude={"lines", "reason", "buyer_id", "delivery_address_id"}),
        "buyer_id": prepared.buyer.id,
        "payment_terms": prepared.terms.model_dump_json(),
        "line_count": len(prepared.priced),
        "total_fen": prepared.total_fen,
    }


def write_lines(session: Session, request_id: int, prepared: Prepared) -> None:
    priced = prepared.priced
    session.execute(
        _LINES,
        {
            "id": request_id,
            "line_nos": [line.line_no for line in priced],
            "skus": [line.sku_id for line in priced],
            "quantities": [line.quantity for line in priced],
            "prices": [line.unit_price_fen for line in priced],
            "amounts": [line.amount_fen for line in priced],
            "agreed": [facts.agreed for facts in prepared.facts],
            "agreement_lines": [line.agreement_line_id for line in priced],
        },
    )


def write_steps(session: Session, requester: int, request_id: int, round_: int, steps: Sequence[Step]) -> None:
    """The steps of one round.

    Raises:
        NobodyToApprove: see there (409).
    """
    require_somebody(session, steps, frozenset({requester}))
    session.execute(
        _STEPS,
        [
            {
                "id": request_id,
                "round": round_,
                "position": position,
                "name": step.name,
                "organisation_id": step.organisation_id,
                "role": step.role,
                "user_ids": list(step.user_ids),
            }
            for position, step in enumerate(steps, start=1)
        ],
    )
