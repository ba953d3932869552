"""A new agreement with the terms of an old one, for another time."""

from datetime import timedelta
from typing import Any

from sqlalchemy import text
from sqlmodel import Session

from orders.agreements.actions import planning
from orders.agreements.actions.drafting import freeze, require_prices
from orders.agreements.actions.signing import require_approved
from orders.agreements.errors import AlreadyRenewed, TermsRefused
from orders.agreements.rules import Side
from orders.agreements.schemas.terms import RenewalIn
from shop.core import clock
from shop.core.errors import Fault

_COPY = text(
    """
    INSERT INTO agreement (id, number, title, buyer_id, supplier_id, fund_source, valid_from, valid_until, amount_cap_fen, tolerance_percent,
        minimum_amount_fen, call_off_lead_days, auto_order, terms, payment_terms, status, renews_id, created_by, created_at, proposed_at)
    SELECT n.id, 'AG' || CAST(:day AS text) || lpad(n.id::text, greatest(6, length(n.id::text)), '0'), a.title, a.buyer_id, a.supplier_id,
        a.fund_source, :valid_from, :valid_until, a.amount_cap_fen, a.tolerance_percent, a.minimum_amount_fen, a.call_off_lead_days,
        a.auto_order, a.terms, a.payment_terms, 'proposed', a.id, :user_id, :now, :now
    FROM agreement a, (SELECT nextval(pg_get_serial_sequence('agreement', 'id')) AS id) n WHERE a.id = :id
    RETURNING *
    """
)
# Entries move with the agreement; what ran to the end of the old one runs to the end of the new one. What an agreed change put in the place of
# an earlier schedule begins where that one began.
_COPY_LINES = text(
    """
    WITH lines AS (
        INSERT INTO agreement_line (agreement_id, line_no, sku_id, price_kind, unit_price_fen, percent_off, quantity_cap, amount_cap_fen,
            minimum_quantity)
        SELECT :new_id, line_no, sku_id, price_kind, unit_price_fen, percent_off, quantity_cap, amount_cap_fen, minimum_quantity
        FROM agreement_line WHERE agreement_id = :id RETURNING id, line_no
    ), pairs AS (
        SELECT o.id AS old_id, lines.id AS new_id FROM lines JOIN agreement_line o ON o.agreement_id = :id AND o.line_no = lines.line_no
    ), tiers AS (
        INSERT INTO agreement_price_tier (agreement_line_id, min_quantity, unit_price_fen)
        SELECT pairs.new_id, t.min_quantity, t.unit_price_fen FROM agreement_price_tier t JOIN pairs ON pairs.old_id = t.agreement_line_id
    ), places AS (
        INSERT INTO delivery_place (agreement_id, name, address, contact, phone, unit_id)
        SELECT :new_id, name, address, contact, phone, unit_id FROM delivery_place WHERE agreement_id = :id RETURNING id, name
    ), firsts AS (
        SELECT min(e.starts_on) AS ever, min(e.starts_on) FILTER (WHERE NOT e.ended) AS at_last
        FROM schedule_entry e JOIN pairs ON pairs.old_id = e.agreement_line_id
    )
    INSERT INTO schedule_entry (agreement_line_id, delivery_place_id, weekdays, every_weeks, quantity, starts_on, ends_on, in_term_only,
        skips_public_holidays)
    SELECT pairs.new_id, places.id, e.weekdays, e.every_weeks, e.quantity, moved.starts_on, moved.ends_on, e.in_term_only,
        e.skips_public_holidays
    FROM schedule_entry e JOIN pairs ON pairs.old_id = e.agreement_line_id JOIN delivery_place d ON d.id = e.delivery_place_id
    JOIN places ON places.name = d.name CROSS JOIN firsts
    CROSS JOIN LATERAL (
        SELECT greatest(CAST(:valid_from AS date), CAST(:shift AS int)
                   + CASE WHEN e.starts_on = firsts.at_last THEN firsts.ever ELSE e.starts_on END) AS starts_on,
               CASE WHEN e.ends_on >= CAST(:old_end AS date) THEN CAST(:valid_until AS date)
                    ELSE least(CAST(:valid_until AS date), e.ends_on + CAST(:shift AS int)) END AS ends_on
    ) moved
    WHERE NOT e.ended AND moved.starts_on <= moved.ends_on ORDER BY e.id
    """
)
_SIGNED = text(
    """
    UPDATE agreement SET status = 'active', buyer_signed_by = :buyer, supplier_signed_by = :supplier, buyer_signed_at = :now,
        supplier_signed_at = :now WHERE id = :id
    """
)


def renew(session: Session, agreement: Any, body: RenewalIn, signers: dict[Side, int | None]) -> int:
    """Make the renewal, signed by both: by who proposed it and by who accepts it. Returns its id.

    Raises:
        PartyNotApproved: one side is not approved any more (409). AlreadyRenewed: see there (409).
        TermsRefused: its time is over, turned about, longer than five years, or begins before the old one ends; or a price lies above the ceiling
            by now (422).
    """
    require_approved(session, agreement)
    if session.execute(text("SELECT 1 FROM agreement WHERE renews_id = :id"), {"id": agreement.id}).first():
        raise AlreadyRenewed
    old_end = agreement.terminated_on or agreement.valid_until
    today, now = clock.today(), clock.now()
    valid_from = body.valid_from or max(old_end + timedelta(days=1), today)
    if valid_from <= old_end or not max(valid_from, today) <= body.valid_until <= valid_from + timedelta(days=366 * 5):
        zh, en = (
            "续约须始于原协议结束之后，且不超过五年",
            "a renewal begins after the old agreement ends and holds for five years at most",
        )
        raise TermsRefused(count=1, faults=[Fault("valid_until", "not_possible", zh, en)])
    require_prices(session, agreement.id)
    time = {"valid_from": valid_from, "valid_until": body.valid_until}
    made = session.execute(
        _COPY, {**time, "id": agreement.id, "day": today.strftime("%Y%m%d"), "user_id": signers[Side.BUYER], "now": now}
    ).one()
    shift = (valid_from - agreement.valid_from).days
    session.execute(_COPY_LINES, {**time, "id": agreement.id, "new_id": made.id, "old_end": agreement.valid_until, "shift": shift})
    freeze(session, made.id)
    session.execute(_SIGNED, {"id": made.id, "buyer": signers[Side.BUYER], "supplier": signers[Side.SUPPLIER], "now": now})
    planning.materialise(session, [made.id], max(valid_from, today))
    made_id: int = made.id
    return made_id
