"""What an order would be: who buys on whose budget, where it goes, every line at today's price, and who has to approve it. Nothing is locked or
written, but for the lock by which orders that are counted together wait for one another.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text
from sqlmodel import Session

from catalog.certificates.states import in_force_sql, pausing_sql
from catalog.products.rules import highest_agreed_sql
from orders.approvals import queries as approvals
from orders.approvals.rules import Step
from orders.budgets.queries import NEAREST
from orders.purchasing import rules
from orders.purchasing.errors import BuyerNotApproved, LinesRefused, NotYourUnit, OutsideProgramme
from orders.purchasing.rules import DIRECT, AgreedLine, LineFacts, PricedLine, Reason, Source, SourceKind, WantedLine
from orders.purchasing.schemas import OrderHeadIn, OrderLineIn
from orders.terms import rules as payment
from orders.terms.errors import CreditNeeded
from orders.terms.queries import read
from orders.units import queries as units
from orders.units.queries import SETTINGS_ABOVE
from shop.core import clock, workdays
from shop.core.db import array
from shop.core.errors import Invalid, NotFound
from shop.core.money import MAX_FEN
from shop.identity.actor import Actor
from shop.identity.queries import UPWARDS
from shop.programmes.payment import PaymentRules, PaymentTerms
from shop.programmes.schemas import OrderingRules

# The unit that the order belongs to: the one named, else the one whose budget the caller's unit buys on, else the caller's own. With the
# programme in force, and the last day on which a supplier may confirm an order of today.
_BUYER = text(
    f"""
    SELECT o.id, o.name, o.status, unit.status AS unit_status, o.path, coalesce(o.id = s.budget_unit_id, false) AS lent, p.code AS programme_code,
           {workdays.add_sql("CAST(:today AS date)", "p.confirm_days")} AS confirm_on,
           ({NEAREST.format(path="o.path")}) AS budget_id,
           ({SETTINGS_ABOVE.format(column="budget_required", path="o.path")}) AS budget_required,
           ({SETTINGS_ABOVE.format(column="payment_terms", path="o.path")}) AS payment_terms, p.payment_rules,
           EXISTS (SELECT FROM {UPWARDS.format(path="o.path")} JOIN organisation_role r ON r.organisation_id = up.id
                   WHERE r.role IN ('budget_unit', 'authority') AND r.valid_from <= :today AND (r.valid_to IS NULL OR :today < r.valid_to))
           OR EXISTS (SELECT FROM credit_limit l WHERE l.organisation_id = o.id AND l.limit_fen > 0) AS may_owe,
           EXISTS (SELECT FROM {UPWARDS.format(path="o.path || ltrim(CAST(:unit_path AS text), '/')")} JOIN approval_rule r ON r.organisation_id = up.id AND r.active)
           AS has_rules
    FROM organisation o
    JOIN organisation unit ON unit.id = :unit_id
    LEFT JOIN buying_settings s ON s.organisation_id = :unit_id
    LEFT JOIN (SELECT code, coalesce((config -> 'ordering' ->> 'confirm_working_days')::int, {OrderingRules().confirm_working_days}) AS confirm_days,
                      coalesce(config -> 'payment', '{{}}') AS payment_rules
               FROM programme WHERE valid_from <= :today AND (valid_to IS NULL OR valid_to > :today)) p ON true
    WHERE o.id = coalesce(CAST(:buyer_id AS bigint), s.budget_unit_id, :unit_id)
    """  # noqa: S608
)

_FACTS = text(
    f"""
    SELECT w.line_no::int, w.sku_id, w.quantity, p.id AS product_id, p.supplier_id, o.status = 'approved' AS supplier_approved,
           (s.status = 'active' AND p.status = 'active') AS active, c.id AS certificate_id, s.net_grams, s.step, s.min_quantity,
           s.vat_bp, coalesce(w.agreed_fen, t.unit_price_fen) AS unit_price_fen, k.on_hand - k.reserved AS available,
           w.agreed_fen IS NOT NULL AS agreed, w.agreement_line_id, p.category,
           CASE WHEN w.agreed_fen IS NOT NULL THEN {highest_agreed_sql("p", "s")} END AS highest_fen, c.id IS NULL AND {pausing_sql("p")} AS paused
    FROM unnest(CAST(:skus AS bigint[]), CAST(:quantities AS numeric[]), CAST(:agreed AS bigint[]), CAST(:agreement_lines AS bigint[]))
        WITH ORDINALITY AS w (sku_id, quantity, agreed_fen, agreement_line_id, line_no)
    LEFT JOIN sku s ON s.id = w.sku_id
    LEFT JOIN product p ON p.id = s.product_id
    LEFT JOIN organisation o ON o.id = p.supplier_id
    LEFT JOIN stock k ON k.sku_id = s.id
    LEFT JOIN LATERAL (
        SELECT unit_price_fen FROM price_tier WHERE sku_id = s.id AND min_quantity <= w.quantity ORDER BY min_quantity DESC LIMIT 1
    ) t ON true
    LEFT JOIN LATERAL (
        SELECT f.id FROM certificate f
        WHERE f.product_id = p.id AND f.supplier_id = p.supplier_id AND {in_force_sql("f")}
        ORDER BY f.valid_until DESC LIMIT 1
    ) c ON true
    ORDER BY w.line_no
    """  # noqa: S608
)

Wanted = OrderLineIn | WantedLine | AgreedLine


@dataclass(frozen=True, slots=True)
class Prepared:
    """An order that could be placed: who buys (a row of ``_BUYER``), where it goes, its lines at today's prices, and by when it is paid."""

    buyer: Any
    head: OrderHeadIn
    facts: list[LineFacts]
    priced: list[PricedLine]
    terms: PaymentTerms

    @property
    def total_fen(self) -> int:
        return sum(line.amount_fen for line in self.priced)


def require_day(head: OrderHeadIn, source: Source = DIRECT) -> None:
    """Refuse a day of delivery that is over, where somebody has just said it; what was agreed or approved before may have come to be late.

    Raises:
        Invalid: the day lies in the past (422).
    """
    if source.kind in (SourceKind.DIRECT, SourceKind.IMPORT) and head.deliver_by and head.deliver_by < clock.today():
        raise Invalid.one("deliver_by", "in_past", "交货日期不能早于今天", "The day of delivery lies in the past")


def prepare(session: Session, actor: Actor, head: OrderHeadIn, lines: Sequence[Wanted]) -> Prepared:
    """Price an order and make sure that it can be met, without reserving anything. Raises as :func:`place`, but for the last two lines."""
    buyer = buyer_of(session, actor, head.buyer_id, head.fund_source)
    facts = facts_of(session, lines)
    if faults := rules.faults_of(facts, buyer.id, rules.wanted_by_sku(facts)):
        raise LinesRefused(count=len(faults), faults=faults)
    priced = [rules.priced(line) for line in facts]
    _check_total(facts, priced)
    terms = _terms(head, buyer)
    return Prepared(
        buyer, _addressed(session, actor, head, buyer).model_copy(update={"payment_terms": terms}), facts, priced, terms
    )


def steps_of(session: Session, actor: Actor, prepared: Prepared, besides: int | None = None) -> list[Step]:
    """The approvals that an order takes; ``besides``: the request that asks for it."""
    buyer = prepared.buyer
    if not buyer.has_rules:
        return []
    amounts: dict[str, int] = {}
    for facts, line in zip(prepared.facts, prepared.priced, strict=True):
        amounts[facts.category or ""] = amounts.get(facts.category or "", 0) + line.amount_fen
    return approvals.steps_needed(
        session,
        buyer_id=buyer.id,
        paths=[buyer.path, actor.organisation_path or buyer.path],
        fund_source=prepared.head.fund_source,
        amounts=amounts,
        besides=besides,
    )


def buyer_of(session: Session, actor: Actor, buyer_id: int | None, fund_source: str | None = None) -> Any:
    """The unit that an order is for, with what holds for its orders; by default the one whose budget the caller's unit buys on.

    Raises:
        NotFound, NotYourUnit: the unit is unknown (404), or none that the caller may order for (403).
        BuyerNotApproved, OutsideProgramme: nobody can order in this state of affairs (409).
    """
    today = clock.today()
    row = session.execute(
        _BUYER,
        {
            "buyer_id": buyer_id,
            "unit_id": actor.organisation,
            "unit_path": actor.organisation_path,
            "fund_source": fund_source,
            "budget_year": today.year,
            "today": today,
        },
    ).first()
    if row is None:
        raise NotFound
    if not (actor.within_branch(row.path) or row.lent):
        raise NotYourUnit
    if row.status != "approved" or row.unit_status != "approved":
        raise BuyerNotApproved
    if row.programme_code is None:
        raise OutsideProgramme
    return row


def _addressed(session: Session, actor: Actor, head: OrderHeadIn, buyer: Any) -> OrderHeadIn:
    """The order with the address written out that it names or that its unit usually uses; one that is written beside it counts first."""
    if head.delivery_address is not None and head.delivery_address_id is None:
        return head
    paths = [actor.organisation_path or buyer.path, buyer.path]
    found = units.address_for_order(session, head.delivery_address_id, actor.organisation, buyer.id, paths)
    return head.model_copy(
        update={
            "delivery_address": head.delivery_address or found.address,
            "delivery_contact": head.delivery_contact or found.contact,
            "delivery_phone": head.delivery_phone or found.phone,
        }
    )


def _terms(head: OrderHeadIn, buyer: Any) -> PaymentTerms:
    """By when the order is paid, with every number.

    Raises:
        CreditNeeded: its buyer may not owe anything (409). PaymentTooLate: see there (422).
    """
    usual = None if buyer.payment_terms is None else read(buyer.payment_terms)
    terms = payment.chosen(head.payment_terms, usual, PaymentRules.model_validate(buyer.payment_rules), may_owe=buyer.may_owe)
    if payment.on_credit(terms) and not buyer.may_owe:
        raise CreditNeeded
    return terms


def facts_of(session: Session, lines: Sequence[Wanted]) -> list[LineFacts]:
    """What the catalogue knows of the lines at this moment: prices, certificates in force, what is there."""
    now = clock.now()
    rows = session.execute(
        _FACTS,
        {
            "skus": array(line.sku_id for line in lines),
            "quantities": array(line.quantity for line in lines),
            "agreed": array(line.unit_price_fen if isinstance(line, AgreedLine) else None for line in lines),
            "agreement_lines": array(line.agreement_line_id if isinstance(line, AgreedLine) else None for line in lines),
            "now": now,
            "today": clock.shanghai_date(now),
        },
    ).all()
    return [LineFacts(*row) for row in rows]


def _check_total(facts: list[LineFacts], priced: list[PricedLine]) -> None:
    if sum(line.amount_fen for line in priced) > MAX_FEN:
        largest = max(range(len(priced)), key=lambda i: priced[i].amount_fen)
        raise LinesRefused(count=1, faults=[rules.fault(facts[largest], Reason.AMOUNT_TOO_LARGE)])
