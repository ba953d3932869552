"""Handing a request in again after it was returned, or when it could not be placed as approved."""

from sqlalchemy import text
from sqlmodel import Session

from orders.purchasing.actions import placing, pricing
from orders.requests.actions.deciding import move_to, order, own
from orders.requests.actions.submitting import columns, write_lines, write_steps
from orders.requests.errors import FixedLines
from orders.requests.schemas import PurchaseRequestIn
from orders.requests.states import PURCHASE_REQUEST, RequestMove
from shop.core import outbox
from shop.core.errors import IfMatch, any_version
from shop.identity.actor import Actor

_REWRITE = text(
    """
    UPDATE purchase_request SET buyer_id = :buyer_id, reason = :reason, fund_source = :fund_source, platform = :platform,
        declared_relation_id = CAST(:declared_relation_id AS bigint), buyer_reference = :buyer_reference, cost_centre = :cost_centre,
        deliver_by = CAST(:deliver_by AS date), delivery_address = :delivery_address, delivery_contact = :delivery_contact,
        delivery_phone = :delivery_phone, payment_terms = CAST(:payment_terms AS jsonb), line_count = :line_count, total_fen = :total_fen, round = round + 1
    WHERE id = :id
    """
)


def resubmit(session: Session, actor: Actor, request_id: int, body: PurchaseRequestIn, if_match: IfMatch = any_version) -> None:
    """Hand a request in again, changed; every step is taken anew. Where no step is left by now, it is placed at once.

    Raises:
        NotFound (404), NotYourRequest (403), IllegalMove (409).
        FixedLines: its prices were agreed on elsewhere (409). Otherwise as :func:`~orders.requests.actions.submit`.
    """
    request = own(session, actor, request_id)
    if_match(request.version)
    PURCHASE_REQUEST.after(request.status, RequestMove.RESUBMIT)
    agreed = session.execute(
        text("SELECT 1 FROM purchase_request_line WHERE purchase_request_id = :id AND agreed LIMIT 1"), {"id": request_id}
    ).first()
    if agreed:
        raise FixedLines
    pricing.require_day(body)
    prepared = pricing.prepare(session, actor, body, body.lines)
    steps = pricing.steps_of(session, actor, prepared, besides=request_id)
    session.execute(_REWRITE, {"id": request_id, "reason": body.reason, **columns(prepared)})
    session.execute(text("DELETE FROM purchase_request_line WHERE purchase_request_id = :id"), {"id": request_id})
    write_lines(session, request_id, prepared)
    move_to(session, actor, request, RequestMove.RESUBMIT, reason=body.reason, total_fen=prepared.total_fen)
    if steps:
        write_steps(session, request.requested_by, request_id, request.round + 1, steps)
        outbox.publish(session, "purchase_request.waiting", purchase_request_id=request_id, round=request.round + 1, position=1)
    else:
        session.execute(text("UPDATE purchase_request SET status = 'approved' WHERE id = :id"), {"id": request_id})
        if order(session, actor, request_id):
            return
    # budgets are locked last, after the stock that an order takes
    placing.redraw_on_budget(session, prepared, request_id)
