"""Writing an agreement and proposing it. From the proposal on its terms stand still."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import text
from sqlmodel import Session

from catalog.products.rules import dear_faults, highest_agreed_sql
from orders.agreements.actions import planning
from orders.agreements.errors import AwardedTerms, PartyNotApproved, SignedByOne, TermsRefused
from orders.agreements.queries.reach import locked, moves_of
from orders.agreements.queries.terms import document_of
from orders.agreements.rules import Side
from orders.agreements.schemas.terms import (
    AgreementIn,
    AgreementLineIn,
    FixedPrice,
    LineChangeIn,
    ListMinusPrice,
    ScheduleIn,
    TierPrice,
)
from orders.agreements.states import AGREEMENT, AgreementMove, AgreementStatus
from orders.terms.queries import settled
from shop.core import audit, clock, outbox
from shop.core.errors import Fault, IfMatch, NotFound, any_version
from shop.identity.actor import Actor

_PARTIES = text(
    """
    SELECT o.id, o.path, o.status, EXISTS (
        SELECT FROM organisation_role r WHERE r.organisation_id = o.id AND r.role = 'supplier' AND r.valid_from <= :today
          AND (r.valid_to IS NULL OR r.valid_to > :today)) AS supplies
    FROM organisation o WHERE o.id = ANY (:ids)
    """
)
_SKUS = text(
    f"""
    SELECT s.id, p.supplier_id, s.step, (s.status = 'active' AND p.status = 'active') AS active,
           {highest_agreed_sql("p", "s")} AS highest_fen
    FROM sku s JOIN product p ON p.id = s.product_id WHERE s.id = ANY (:ids)
    """  # noqa: S608
)
_HEAD = (
    "title",
    "fund_source",
    "valid_from",
    "valid_until",
    "amount_cap_fen",
    "tolerance_percent",
    "minimum_amount_fen",
    "call_off_lead_days",
    "auto_order",
    "terms",
    "payment_terms",
    "buyer_id",
    "supplier_id",
)
_VALUES = {c: f"CAST(:{c} AS jsonb)" if c == "payment_terms" else f":{c}" for c in _HEAD}
_INSERT = text(
    f"""
    INSERT INTO agreement (id, number, {", ".join(_HEAD)}, quotation_request_id, status, created_by, created_at)
    SELECT n.id, 'AG' || CAST(:day AS text) || lpad(n.id::text, greatest(6, length(n.id::text)), '0'), {", ".join(_VALUES.values())},
           CAST(:quotation_request_id AS bigint), 'draft', :user_id, :now
    FROM (SELECT nextval(pg_get_serial_sequence('agreement', 'id')) AS id) n
    RETURNING id
    """  # noqa: S608
)
_REPLACE = text(
    f"UPDATE agreement SET {', '.join(f'{c} = {value}' for c, value in _VALUES.items())}, version = version + 1 WHERE id = :id"  # noqa: S608
)
_LINES = text(
    """
    WITH lines AS (
        INSERT INTO agreement_line (agreement_id, line_no, sku_id, price_kind, unit_price_fen, percent_off, quantity_cap, amount_cap_fen,
            minimum_quantity)
        SELECT :id, u.* FROM unnest(CAST(:line_nos AS int[]), CAST(:skus AS bigint[]), CAST(:kinds AS text[]), CAST(:prices AS bigint[]),
            CAST(:percents AS numeric[]), CAST(:quantity_caps AS numeric[]), CAST(:amount_caps AS bigint[]), CAST(:minimums AS numeric[])) u
        RETURNING id, line_no
    )
    INSERT INTO agreement_price_tier (agreement_line_id, min_quantity, unit_price_fen)
    SELECT lines.id, t.least, t.fen
    FROM unnest(CAST(:tier_lines AS int[]), CAST(:tier_least AS numeric[]), CAST(:tier_fen AS bigint[])) AS t (line_no, least, fen)
    JOIN lines USING (line_no)
    """
)
_AGREED = text(
    f"""
    SELECT l.line_no, l.unit_price_fen, {highest_agreed_sql("p", "s")} AS highest_fen,
           (SELECT array_agg(t.unit_price_fen ORDER BY t.min_quantity) FROM agreement_price_tier t WHERE t.agreement_line_id = l.id) AS tiers
    FROM agreement_line l JOIN sku s ON s.id = l.sku_id JOIN product p ON p.id = s.product_id WHERE l.agreement_id = :id ORDER BY l.line_no
    """  # noqa: S608
)
_CLEAR_SCHEDULE = [
    text("DELETE FROM instalment WHERE agreement_line_id IN (SELECT id FROM agreement_line WHERE agreement_id = :id)"),
    text("DELETE FROM schedule_entry WHERE agreement_line_id IN (SELECT id FROM agreement_line WHERE agreement_id = :id)"),
    text("DELETE FROM delivery_place WHERE agreement_id = :id"),
]
_CLEAR_LINES = [
    text("DELETE FROM agreement_price_tier WHERE agreement_line_id IN (SELECT id FROM agreement_line WHERE agreement_id = :id)"),
    text("DELETE FROM agreement_line WHERE agreement_id = :id"),
]


def create(session: Session, actor: Actor, body: AgreementIn, *, quotation_request_id: int | None = None) -> int:
    """Write a draft; with ``quotation_request_id``, what an award agreed on, proposed to the supplier at once. Returns its id.

    Raises:
        NotFound: no such buyer or supplier, or not a buyer of the caller's branch (404).
        PartyNotApproved: one side is not approved (409).
        TermsRefused: no supplier, lines that are not the supplier's, or withdrawn, or caps off the step (422). PaymentTooLate: see there (422).
    """
    values = _checked(session, actor, body)
    agreement_id: int = session.execute(
        _INSERT,
        {
            **values,
            "quotation_request_id": quotation_request_id,
            "day": clock.today().strftime("%Y%m%d"),
            "user_id": actor.user_id,
            "now": clock.now(),
        },
    ).scalar_one()
    write_lines(session, agreement_id, body.lines)
    audit.record(
        session,
        actor,
        "agreement.drafted",
        "agreement",
        agreement_id,
        lines=len(body.lines),
        quotation_request_id=quotation_request_id,
    )
    if quotation_request_id is not None:
        propose(session, actor, agreement_id)
    return agreement_id


def replace(session: Session, actor: Actor, agreement_id: int, body: AgreementIn, if_match: IfMatch) -> None:
    """Write the draft anew; its schedule, which names its lines, is gone.

    Raises:
        NotFound, IllegalMove: no draft of the caller's branch (404, 409). Changed: it is not the version that was read (412).
        AwardedTerms: it came by an award (409).
        PartyNotApproved, TermsRefused: as for :func:`create`.
    """
    agreement, _ = locked(session, actor, agreement_id, Side.BUYER)
    if_match(agreement.version)
    AGREEMENT.after(agreement.status, AgreementMove.EDIT, moves_of(actor, agreement))
    if agreement.quotation_request_id is not None:
        raise AwardedTerms
    values = _checked(session, actor, body)
    for statement in (*_CLEAR_SCHEDULE, *_CLEAR_LINES):
        session.execute(statement, {"id": agreement_id})
    session.execute(_REPLACE, {**values, "id": agreement_id})
    write_lines(session, agreement_id, body.lines)
    audit.record(session, actor, "agreement.edited", "agreement", agreement_id)


def schedule(session: Session, actor: Actor, agreement_id: int, body: ScheduleIn, if_match: IfMatch) -> None:
    """Say what is delivered where and when, in place of what was said before. A proposal that nobody signed may still get its schedule.

    Raises:
        NotFound, IllegalMove: no draft or proposal of the caller's branch (404, 409). SignedByOne: see there (409).
        Changed: it is not the version that was read (412).
        ScheduleRefused: unknown lines, places or units, days outside the agreement, too many instalments (422).
    """
    agreement, _ = locked(session, actor, agreement_id, Side.BUYER)
    if_match(agreement.version)
    if agreement.status != AgreementStatus.PROPOSED:
        AGREEMENT.after(agreement.status, AgreementMove.EDIT, moves_of(actor, agreement))
    elif agreement.buyer_signed_at or agreement.supplier_signed_at:
        raise SignedByOne
    for statement in _CLEAR_SCHEDULE:
        session.execute(statement, {"id": agreement_id})
    planning.write_schedule(session, agreement, body, from_day=agreement.valid_from)
    session.execute(text("UPDATE agreement SET version = version + 1 WHERE id = :id"), {"id": agreement_id})
    audit.record(session, actor, "agreement.scheduled", "agreement", agreement_id, entries=len(body.entries))
    if agreement.status == AgreementStatus.PROPOSED:
        freeze(session, agreement_id)


def propose(session: Session, actor: Actor, agreement_id: int, if_match: IfMatch = any_version) -> None:
    """Put the agreement before the supplier. What both sign is from here on fixed by its hash.

    Raises:
        NotFound, IllegalMove: no draft of the caller's branch (404, 409).
        TermsRefused: its last day is over, or a price lies above the ceiling by now (422).
    """
    agreement, _ = locked(session, actor, agreement_id, Side.BUYER)
    if_match(agreement.version)
    status = AGREEMENT.after(agreement.status, AgreementMove.PROPOSE, moves_of(actor, agreement))
    if agreement.valid_until < clock.today():
        fault = Fault("valid_until", "in_the_past", "截止日已过", "the last day is over")
        raise TermsRefused(count=1, faults=[fault])
    require_prices(session, agreement_id)
    session.execute(
        text("UPDATE agreement SET status = :status, proposed_at = :now, version = version + 1 WHERE id = :id"),
        {"id": agreement_id, "status": status, "now": clock.now()},
    )
    freeze(session, agreement_id)
    audit.record(session, actor, "agreement.proposed", "agreement", agreement_id)
    outbox.publish(session, "agreement.proposed", agreement_id=agreement_id, version=agreement.version + 1)


def revise(session: Session, actor: Actor, agreement_id: int, if_match: IfMatch = any_version) -> None:
    """Take a proposal back to be changed; signatures under it are void.

    Raises:
        NotFound, IllegalMove: no proposal of the caller's branch (404, 409). AwardedTerms: it came by an award (409).
    """
    agreement, _ = locked(session, actor, agreement_id, Side.BUYER)
    if_match(agreement.version)
    status = AGREEMENT.after(agreement.status, AgreementMove.REVISE, moves_of(actor, agreement))
    if agreement.quotation_request_id is not None:
        raise AwardedTerms
    session.execute(
        text(
            "UPDATE agreement SET status = :status, proposed_at = NULL, terms_hash = NULL, terms_document = NULL, buyer_signed_at = NULL,"
            " buyer_signed_by = NULL, supplier_signed_at = NULL, supplier_signed_by = NULL, version = version + 1 WHERE id = :id"
        ),
        {"id": agreement_id, "status": status},
    )
    audit.record(session, actor, "agreement.revised", "agreement", agreement_id, signed=agreement.supplier_signed_at is not None)
    outbox.publish(session, "agreement.revised", agreement_id=agreement_id, version=agreement.version + 1)


def freeze(session: Session, agreement_id: int) -> str:
    """Write the terms down as they stand, with their hash; returns the hash."""
    document, digest = document_of(session, agreement_id)
    session.execute(
        text("UPDATE agreement SET terms_document = :document, terms_hash = :hash WHERE id = :id"),
        {"id": agreement_id, "document": document, "hash": digest},
    )
    return digest


def _checked(session: Session, actor: Actor, body: AgreementIn) -> dict[str, Any]:
    """The columns of the head, once both sides and all lines are found to be possible."""
    buyer_id = body.buyer_id or actor.organisation
    rows = session.execute(_PARTIES, {"ids": [buyer_id, body.supplier_id], "today": clock.today()})
    parties = {row.id: row for row in rows}
    buyer, supplier = parties.get(buyer_id), parties.get(body.supplier_id)
    if buyer is None or not actor.within_branch(buyer.path) or supplier is None:
        raise NotFound
    if buyer_id == body.supplier_id or not supplier.supplies:
        zh, en = "须为另一家供应单位", "this is no supplier, or the buyer itself"
        raise TermsRefused(count=1, faults=[Fault("supplier_id", "not_a_supplier", zh, en)])
    if buyer.status != "approved" or supplier.status != "approved":
        raise PartyNotApproved
    if faults := _line_faults(session, body):
        raise TermsRefused(count=len(faults), faults=faults)
    values = body.model_dump(exclude={"lines", "buyer_id", "amount_cap", "minimum_amount", "payment_terms"})
    return values | {
        "buyer_id": buyer_id,
        "payment_terms": settled(session, body.payment_terms),
        "amount_cap_fen": body.amount_cap,
        "minimum_amount_fen": body.minimum_amount,
    }


def _line_faults(session: Session, body: AgreementIn) -> list[Fault]:
    skus = {row.id: row for row in session.execute(_SKUS, {"ids": [line.sku_id for line in body.lines]})}
    faults = []
    for i, line in enumerate(body.lines):
        sku = skus.get(line.sku_id)
        if sku is None or sku.supplier_id != body.supplier_id:
            faults.append(Fault(f"lines[{i}].sku_id", "not_of_supplier", "不是该供应单位的规格", "not a SKU of this supplier"))
        elif not sku.active:
            faults.append(Fault(f"lines[{i}].sku_id", "withdrawn", "产品已下架", "the product was withdrawn"))
        elif line.minimum_quantity is not None and line.minimum_quantity % sku.step:
            zh, en = "数量不是步长的整数倍", "the quantity is not a multiple of the step"
            faults.append(Fault(f"lines[{i}].minimum_quantity", "wrong_step", zh, en))
        else:
            faults += price_faults(f"lines[{i}].price", line.price, sku.highest_fen)
    return faults


def require_prices(session: Session, agreement_id: int) -> None:
    """Refuse prices that nothing could be called off at by now: the ceilings may be newer than the terms.

    Raises:
        TermsRefused: prices above the ceiling of the certification, by line (422).
    """
    faults = []
    for line in session.execute(_AGREED, {"id": agreement_id}):
        field = f"lines[{line.line_no - 1}].price"
        prices = {f"{field}.tiers[{n}].unit_price": fen for n, fen in enumerate(line.tiers or [])}
        faults += dear_faults(
            prices if line.unit_price_fen is None else {f"{field}.unit_price": line.unit_price_fen}, line.highest_fen
        )
    if faults:
        raise TermsRefused(count=len(faults), faults=faults)


def price_faults(field: str, price: FixedPrice | ListMinusPrice | TierPrice | None, highest_fen: int | None) -> list[Fault]:
    """Why both sides may not agree on a price: it lies above the ceiling of the certification. What follows the list never does."""
    prices: dict[str, int] = {}
    if isinstance(price, TierPrice):
        prices = {f"{field}.tiers[{n}].unit_price": tier.unit_price for n, tier in enumerate(price.tiers)}
    elif isinstance(price, FixedPrice):
        prices = {f"{field}.unit_price": price.unit_price}
    return dear_faults(prices, highest_fen)


def write_lines(session: Session, agreement_id: int, lines: list[AgreementLineIn]) -> None:
    """One statement however many lines."""
    numbered = list(enumerate(lines, start=1))
    session.execute(_LINES, {**columns_of(numbered), "id": agreement_id, "skus": [line.sku_id for line in lines]})


def columns_of(lines: Sequence[tuple[int, AgreementLineIn | LineChangeIn]]) -> dict[str, list[Any]]:
    """Numbered lines as columns of their prices and caps; tiers lie in a table of their own."""
    prices = [line.price for _, line in lines]
    tiers = [(n, tier) for n, line in lines if isinstance(line.price, TierPrice) for tier in line.price.tiers]
    return {
        "line_nos": [n for n, _ in lines],
        "kinds": [price.kind if price else None for price in prices],
        "prices": [price.unit_price if isinstance(price, FixedPrice) else None for price in prices],
        "percents": [price.percent_off if isinstance(price, ListMinusPrice) else None for price in prices],
        "quantity_caps": [line.quantity_cap for _, line in lines],
        "amount_caps": [line.amount_cap for _, line in lines],
        "minimums": [line.minimum_quantity for _, line in lines],
        "tier_lines": [n for n, _ in tiers],
        "tier_least": [tier.min_quantity for _, tier in tiers],
        "tier_fen": [tier.unit_price for _, tier in tiers],
    }
