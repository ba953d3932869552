"""Ordering under an agreement: priced by its terms, never beyond its caps.

The agreement is locked before anything is counted, so call-offs of one agreement follow one another, and each sees what those before it drew.
What was drawn is no counter but a sum over orders and requests (the view ``agreement_drawn``): it cannot drift from them. Beneath it a
trigger looks once more when the transaction is committed.
"""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from sqlalchemy import text
from sqlmodel import Session

from orders.agreements import rules
from orders.agreements.errors import CallOffRefused, CapExceeded, NotInForce
from orders.agreements.queries.reach import locked_to_call_off
from orders.agreements.rules import Caps, Drawn, Price, PriceKind, Wanted
from orders.agreements.schemas.calling import CallOffIn
from orders.agreements.states import AgreementState, state_on
from orders.purchasing.rules import AgreedLine, Source, SourceKind
from orders.purchasing.schemas import OrderHeadIn
from orders.requests.actions import Submitted, submit
from shop.core import audit, clock
from shop.core.errors import Fault, Invalid
from shop.identity.actor import Actor

# The list's price for the quantity; below the least that the list sells, its price for the least.
_LINES = text(
    """
    SELECT w.position::int, l.id, l.sku_id, w.quantity, l.price_kind, l.unit_price_fen, l.percent_off, l.quantity_cap, l.amount_cap_fen,
           listed.unit_price_fen AS list_fen,
           (SELECT array_agg(t.min_quantity ORDER BY t.min_quantity) FROM agreement_price_tier t WHERE t.agreement_line_id = l.id) AS tier_least,
           (SELECT array_agg(t.unit_price_fen ORDER BY t.min_quantity) FROM agreement_price_tier t WHERE t.agreement_line_id = l.id) AS tier_fen
    FROM unnest(CAST(:lines AS bigint[]), CAST(:quantities AS numeric[])) WITH ORDINALITY AS w (line_id, quantity, position)
    LEFT JOIN agreement_line l ON l.id = w.line_id AND l.agreement_id = :id
    LEFT JOIN LATERAL (
        SELECT t.unit_price_fen FROM price_tier t WHERE t.sku_id = l.sku_id
        ORDER BY t.min_quantity <= w.quantity DESC, CASE WHEN t.min_quantity <= w.quantity THEN -t.min_quantity ELSE t.min_quantity END LIMIT 1
    ) listed ON true
    ORDER BY w.position
    """
)
# Line by line, as everywhere: joined to the lines, the view would be read for all agreements of the city.
_DRAWN = text(
    """
    SELECT l.id, d.quantity, d.amount_fen
    FROM agreement_line l CROSS JOIN LATERAL (
        SELECT coalesce(sum(quantity), 0) AS quantity, coalesce(sum(amount_fen), 0)::bigint AS amount_fen
        FROM agreement_drawn WHERE agreement_line_id = l.id
    ) d
    WHERE l.agreement_id = :id
    """
)
_PLACE = text("SELECT address, contact, phone FROM delivery_place WHERE id = :place_id AND agreement_id = :id")


def call_off(session: Session, actor: Actor, agreement_id: int, body: CallOffIn) -> Submitted:
    """Order lines of an agreement by hand.

    Raises:
        NotFound: none that the caller may draw from (404). NotInForce, CapExceeded: see there (409).
        CallOffRefused: unknown lines, or quantities without a price (422).
        Whatever placing an order raises, such as LinesRefused (422).
    """
    agreement = locked_to_call_off(session, actor, agreement_id)
    head = OrderHeadIn(
        fund_source=agreement.fund_source,
        buyer_id=agreement.buyer_id,
        payment_terms=agreement.payment_terms,
        **body.model_dump(exclude={"lines", "delivery_place_id"}),
    )
    if body.delivery_place_id is not None:
        head = head.model_copy(update=address_of(session, agreement_id, body.delivery_place_id))
    return draw(session, actor, agreement, head, [(line.agreement_line_id, line.quantity) for line in body.lines])


def address_of(session: Session, agreement_id: int, place_id: int) -> dict[str, str | None]:
    """Where a place of an agreement is, as an order's head says it.

    Raises:
        Invalid: the agreement has no such place (422).
    """
    place = session.execute(_PLACE, {"id": agreement_id, "place_id": place_id}).first()
    if place is None:
        raise Invalid.one("delivery_place_id", "unknown_place", "协议没有此地点", "the agreement has no such place")
    return {"delivery_address": place.address, "delivery_contact": place.contact, "delivery_phone": place.phone}


def draw(session: Session, actor: Actor, agreement: Any, head: OrderHeadIn, lines: Sequence[tuple[int, Decimal]]) -> Submitted:
    """Place an order for lines (id, quantity) of an agreement that is locked.

    Raises:
        As for :func:`call_off`.
    """
    state = state_on(agreement.status, agreement.valid_from, agreement.valid_until, agreement.terminated_on, clock.today())
    if state is not AgreementState.ACTIVE:
        raise NotInForce(state=state)
    rows = session.execute(
        _LINES, {"id": agreement.id, "lines": [line for line, _ in lines], "quantities": [quantity for _, quantity in lines]}
    ).all()
    wanted = _priced(rows)
    caps = {row.id: Caps(row.quantity_cap, row.amount_cap_fen) for row in rows}
    if faults := rules.over_caps(
        Caps(amount_fen=agreement.amount_cap_fen), caps, drawn(session, agreement.id), wanted, agreement.tolerance_percent
    ):
        raise CapExceeded(faults=faults)
    agreed = [
        AgreedLine(row.sku_id, line.quantity, line.unit_price_fen, line.line_id) for row, line in zip(rows, wanted, strict=True)
    ]
    submitted = submit(session, actor, head, agreed, Source(SourceKind.AGREEMENT, agreement.id))
    order = submitted.purchase_order
    audit.record(
        session,
        actor,
        "agreement.called_off",
        "agreement",
        agreement.id,
        purchase_order_id=order.id if order else None,
        purchase_request_id=submitted.purchase_request_id,
    )
    return submitted


def drawn(session: Session, agreement_id: int) -> dict[int, Drawn]:
    """What was drawn from each line by now."""
    return {row.id: Drawn(row.quantity, row.amount_fen) for row in session.execute(_DRAWN, {"id": agreement_id})}


def _priced(rows: Sequence[Any]) -> list[Wanted]:
    wanted, faults = [], []
    for at, row in enumerate(rows):
        if row.id is None:
            faults.append(Fault(f"lines[{at}].agreement_line_id", "unknown_line", "协议没有此行", "the agreement has no such line"))
            continue
        tiers = tuple(zip(row.tier_least or (), row.tier_fen or (), strict=True))
        price = Price(PriceKind(row.price_kind), row.unit_price_fen, row.percent_off, tiers)
        fen = rules.unit_price(price, row.quantity, row.list_fen)
        if fen is None:
            zh, en = "该数量没有协议价格", "there is no agreed price for this quantity"
            faults.append(Fault(f"lines[{at}].quantity", "no_price", zh, en))
            continue
        wanted.append(Wanted(at, row.id, row.quantity, fen))
    if faults:
        raise CallOffRefused(count=len(faults), faults=faults)
    return wanted
