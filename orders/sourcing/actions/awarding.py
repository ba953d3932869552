"""Awarding: one decision makes one order, or one agreement, at the prices quoted, or nothing at all."""

import json
from datetime import date
from typing import Any

from sqlalchemy import Row, text
from sqlmodel import Session

from orders.agreements.actions.drafting import create as create_agreement
from orders.agreements.schemas.terms import MAX_LINES, AgreementIn, AgreementLineIn, FixedPrice
from orders.purchasing.rules import AgreedLine, Source, SourceKind
from orders.purchasing.schemas import OrderHeadIn
from orders.requests.actions import submit
from orders.sourcing import rules
from orders.sourcing.actions.moving import keep, lock, locked
from orders.sourcing.errors import AwardRefused, OneSupplierOneSku, SeveralPlaces
from orders.sourcing.queries import comparison
from orders.sourcing.queries.comparison import Table
from orders.sourcing.rules import Awarded, Choice
from orders.sourcing.schemas.quotations import AgreedTermsIn, AwardedOut, AwardIn
from orders.sourcing.states import RequestAction
from shop.core import clock, outbox
from shop.core.audit import SYSTEM
from shop.core.errors import Fault
from shop.core.money import yuan_from_fen
from shop.identity.actor import Actor

# The counts of what is awarded are guarded by constraints besides: no line twice, no offer beyond what it offers.
_WRITE = text(
    """
    WITH decided AS (
        INSERT INTO quotation_award (quotation_request_id, awarded_by, awarded_at, reason, result, purchase_order_id, purchase_request_id,
            agreement_id, total_fen)
        VALUES (:id, :user_id, :now, :reason, :result, CAST(:purchase_order_id AS bigint), CAST(:purchase_request_id AS bigint),
            CAST(:agreement_id AS bigint), :total_fen)
        RETURNING id
    ), given AS (
        SELECT * FROM jsonb_to_recordset(CAST(:lines AS jsonb)) AS w (position int, line_id bigint, quotation_line_id bigint,
            quantity numeric, packs numeric, unit_price_fen bigint, amount_fen bigint, lowest boolean, reason_code text)
    ), asked AS (
        UPDATE quotation_request_line l SET awarded_quantity = l.awarded_quantity + g.quantity
        FROM (SELECT line_id, sum(quantity) AS quantity FROM given GROUP BY line_id) g WHERE l.id = g.line_id
    ), offered AS (
        UPDATE quotation_line q SET awarded_quantity = q.awarded_quantity + g.packs FROM given g WHERE q.id = g.quotation_line_id
    ), written AS (
        INSERT INTO quotation_award_line (quotation_award_id, position, quotation_request_line_id, quotation_line_id, quantity, packs,
            unit_price_fen, amount_fen, lowest, reason_code)
        SELECT decided.id, g.position, g.line_id, g.quotation_line_id, g.quantity, g.packs, g.unit_price_fen, g.amount_fen, g.lowest,
            g.reason_code
        FROM given g, decided
    )
    SELECT id FROM decided
    """
)

_OF_REFUSED = text(
    "SELECT quotation_request_id FROM quotation_award"
    " WHERE purchase_request_id = CAST(:purchase_request_id AS bigint) OR agreement_id = CAST(:agreement_id AS bigint)"
)
# What fell through: the purchase request or the agreement that an award came to, or a supplier's part of its order.
_GIVE_BACK = text(
    """
    WITH back AS (
        UPDATE quotation_award_line w SET given_back_at = :now
        FROM quotation_award a, quotation_line ql, quotation t
        WHERE a.quotation_request_id = :id AND w.quotation_award_id = a.id AND w.given_back_at IS NULL
          AND ql.id = w.quotation_line_id AND t.id = ql.quotation_id
          AND (a.purchase_request_id = CAST(:purchase_request_id AS bigint) OR a.agreement_id = CAST(:agreement_id AS bigint) OR EXISTS (
              SELECT FROM purchase_order po JOIN supplier_order so ON so.purchase_order_id = po.id
              WHERE po.id = CAST(:purchase_order_id AS bigint) AND (po.id = a.purchase_order_id OR po.purchase_request_id = a.purchase_request_id)
                AND so.supplier_id = t.supplier_id AND so.status IN ('rejected', 'cancelled')))
        RETURNING w.quotation_award_id, w.quotation_request_line_id, w.quotation_line_id, w.quantity, w.packs
    ), asked AS (
        UPDATE quotation_request_line l SET awarded_quantity = l.awarded_quantity - g.quantity
        FROM (SELECT quotation_request_line_id, sum(quantity) AS quantity FROM back GROUP BY 1) g WHERE l.id = g.quotation_request_line_id
    ), offered AS (
        UPDATE quotation_line q SET awarded_quantity = q.awarded_quantity - g.packs
        FROM (SELECT quotation_line_id, sum(packs) AS packs FROM back GROUP BY 1) g WHERE q.id = g.quotation_line_id
    )
    SELECT DISTINCT quotation_award_id FROM back ORDER BY 1
    """
)
_VOID = text(
    """
    UPDATE quotation_award a SET voided_at = :now WHERE a.quotation_request_id = :id AND a.voided_at IS NULL
      AND NOT EXISTS (SELECT FROM quotation_award_line w WHERE w.quotation_award_id = a.id AND w.given_back_at IS NULL)
    """
)
_ANY_LEFT = text("SELECT count(*) FROM quotation_award WHERE quotation_request_id = :id AND voided_at IS NULL")


def award(session: Session, actor: Actor, request_id: int, body: AwardIn) -> AwardedOut:
    """Give lines, or parts of them, to suppliers: at the prices quoted for the quantities awarded, whatever the list says by now.

    Raises:
        NotFound: no such request of the caller's branch (404).
        IllegalMove: it is not closed yet, or everything is awarded (409).
        AwardRefused: lines that cannot be awarded so, each with its reason (422). SeveralPlaces, OneSupplierOneSku: see there (422).
        LinesRefused and others: whatever :func:`orders.requests.actions.submit`, or the making of an agreement, raises; then nothing is
        awarded either.
    """
    row = locked(session, actor, request_id, RequestAction.AWARD_PART)
    table = comparison.table(session, row.id)
    split = rules.split(table.asked, table.offers, _choices(table, body))
    faults = split.faults
    if not faults and not split.lines:
        zh, en = rules.TOLD[rules.Refusal.NOTHING_OFFERED]
        faults = [Fault("supplier_id", rules.Refusal.NOTHING_OFFERED, zh, en)]
    if faults:
        raise AwardRefused(count=len(faults), faults=faults)
    total_fen = split.total_fen
    if body.agreement is not None:
        made = _agreement(session, actor, row, split.lines, body.agreement)
    else:
        made = _order(session, actor, row, table, split.lines, body.reason)
    award_id = _write(session, actor, row, body, split.lines, made)
    rest = rules.all_awarded(table.asked.values(), split.lines)
    action = RequestAction.AWARD_REST if rest else RequestAction.AWARD_PART
    keep(session, actor, row, action, reason=body.reason, award_id=award_id, total_fen=total_fen, result=str(body.result))
    outbox.publish(session, "quotation_request.awarded", quotation_request_id=row.id, award_id=award_id)
    if rest:
        outbox.publish(session, "quotation_request.decided", quotation_request_id=row.id)
    return AwardedOut(award_id=award_id, total=total_fen, **made)


def refused(session: Session, *, purchase_request_id: int | None = None, agreement_id: int | None = None) -> None:
    """What an award came to was refused or taken back: what it took can be awarded again. Done once, however often it is called."""
    came_to = {"purchase_request_id": purchase_request_id, "agreement_id": agreement_id}
    request_id = session.execute(_OF_REFUSED, came_to).scalar()
    if request_id is not None:
        _give_back(session, request_id, **came_to)


def not_delivered(session: Session, request_id: int, purchase_order_id: int) -> None:
    """Suppliers rejected their part of an order that an award made, or it was cancelled: what they were to deliver can be awarded again. Done
    once for each part, however often it is called."""
    _give_back(session, request_id, purchase_order_id=purchase_order_id)


def _give_back(session: Session, request_id: int, **came_to: int | None) -> None:
    row = lock(session, request_id)
    values = {
        "purchase_request_id": None,
        "agreement_id": None,
        "purchase_order_id": None,
        **came_to,
        "id": request_id,
        "now": clock.now(),
    }
    award_ids = list(session.execute(_GIVE_BACK, values).scalars())
    if not award_ids:
        return
    session.execute(_VOID, values)
    left = session.execute(_ANY_LEFT, values).scalar_one()
    action = RequestAction.GIVE_BACK_PART if left else RequestAction.GIVE_BACK_ALL
    keep(session, SYSTEM, row, action, reason=None, award_ids=award_ids, **came_to)


def _choices(table: Table, body: AwardIn) -> list[Choice]:
    if body.supplier_id is not None:
        return rules.whole(table.asked.values(), table.offers.values(), body.supplier_id, body.reason_code)
    return [Choice(line.line_no, line.supplier_id, line.quantity, line.reason_code) for line in body.lines or []]


def _order(session: Session, actor: Actor, row: Row[Any], table: Table, lines: list[Awarded], reason: str) -> dict[str, Any]:
    """One order of all the lines. Goods go to one place; they are due when the last of them was promised."""
    places: dict[str, list[int]] = {}
    for line in lines:
        places.setdefault(table.line_rows[line.asked.id].delivery_place or row.delivery_address, []).append(line.asked.line_no)
    if len(places) > 1:
        raise SeveralPlaces(places=[{"place": place, "line_nos": line_nos} for place, line_nos in places.items()])
    promised: list[date] = [day for line in lines if (day := _promised(table, line))]
    head = OrderHeadIn(
        fund_source=row.fund_source,
        buyer_id=row.buyer_id,
        cost_centre=row.cost_centre,
        payment_terms=row.payment_terms,
        deliver_by=max(promised, default=None),
        delivery_address=next(iter(places)),
        delivery_contact=row.delivery_contact,
        delivery_phone=row.delivery_phone,
    )
    agreed = [AgreedLine(line.offer.sku_id, line.packs, line.unit_price_fen) for line in lines]
    submitted = submit(session, actor, head, agreed, Source(SourceKind.QUOTATION, row.id), reason=reason)
    return {"purchase_order": submitted.purchase_order, "purchase_request_id": submitted.purchase_request_id}


def _agreement(session: Session, actor: Actor, row: Row[Any], lines: list[Awarded], terms: AgreedTermsIn) -> dict[str, Any]:
    """One agreement with one supplier, proposed to it: the price awarded is fixed, the quantity awarded is the cap."""
    suppliers = {line.offer.supplier_id for line in lines}
    if len(suppliers) > 1 or len({line.offer.sku_id for line in lines}) < len(lines) or len(lines) > MAX_LINES:
        raise OneSupplierOneSku(most=MAX_LINES)
    body = AgreementIn(
        title=row.title,
        supplier_id=suppliers.pop(),
        buyer_id=row.buyer_id,
        fund_source=row.fund_source,
        valid_from=terms.valid_from,
        valid_until=terms.valid_until,
        terms=terms.terms,
        payment_terms=row.payment_terms,
        lines=[
            AgreementLineIn(
                sku_id=line.offer.sku_id,
                price=FixedPrice.model_validate({"kind": "fixed", "unit_price": yuan_from_fen(line.unit_price_fen)}),
                quantity_cap=line.packs,
            )
            for line in lines
        ],
    )
    return {"agreement_id": create_agreement(session, actor, body, quotation_request_id=row.id)}


def _promised(table: Table, line: Awarded) -> date | None:
    day: date | None = table.offer_rows[line.offer.id].deliver_on or table.line_rows[line.asked.id].deliver_by
    return day


def _write(session: Session, actor: Actor, row: Row[Any], body: AwardIn, lines: list[Awarded], made: dict[str, Any]) -> int:
    order = made.get("purchase_order")
    written = [
        {
            "position": position,
            "line_id": line.asked.id,
            "quotation_line_id": line.offer.id,
            "quantity": str(line.quantity),
            "packs": str(line.packs),
            "unit_price_fen": line.unit_price_fen,
            "amount_fen": line.amount_fen,
            "lowest": line.lowest,
            "reason_code": line.reason_code,
        }
        for position, line in enumerate(lines, 1)
    ]
    values = {
        "id": row.id,
        "user_id": actor.user_id,
        "now": clock.now(),
        "reason": body.reason,
        "result": body.result,
        "purchase_order_id": order.id if order else None,
        "purchase_request_id": made.get("purchase_request_id"),
        "agreement_id": made.get("agreement_id"),
        "total_fen": sum(line.amount_fen for line in lines),
        "lines": json.dumps(written),
    }
    return int(session.execute(_WRITE, values).scalar_one())
