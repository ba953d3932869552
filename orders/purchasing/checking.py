"""Trying an order without placing it: every line at today's price, why it cannot be met, and what could take its place.

The facts and rules are those of placing. Nothing is locked or reserved, so an order placed later may still find something changed.
"""

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sqlalchemy import text
from sqlmodel import Session

from catalog.certificates.states import in_force_sql
from orders.purchasing import rules
from orders.purchasing.actions.pricing import Wanted, facts_of
from orders.purchasing.rules import LineFacts, Reason
from orders.purchasing.schemas import CheckedLineOut, CheckOut, LineFaultOut, SubstituteOut
from shop.core import clock
from shop.core.errors import Fault, Language
from shop.core.money import line_amount
from shop.core.quantities import weight_of

#: For so many goods that cannot be had substitutes are looked for; a list with more faults has other troubles.
MOST_SUBSTITUTED = 200
#: What another product may help against.
SUBSTITUTED = frozenset(
    {
        Reason.WITHDRAWN,
        Reason.SUPPLIER_NOT_APPROVED,
        Reason.NOT_CERTIFIED,
        Reason.CERTIFICATE_SUSPENDED,
        Reason.OWN_PRODUCT,
        Reason.STOCK_SHORT,
    }
)

# What can be had is gathered once; then each wanted SKU takes the nearest of its category: of the same district first, then by weight of the
# pack, then by list price. What the three of them cost at the wanted quantity is looked up last.
_SUBSTITUTES = text(
    f"""
    WITH wanted AS (
        SELECT w.sku_id, w.quantity, p.category, p.district_code, coalesce(s.net_grams, 0) AS grams, coalesce(t.unit_price_fen, 0) AS fen
        FROM unnest(CAST(:skus AS bigint[]), CAST(:quantities AS numeric[])) AS w (sku_id, quantity)
        JOIN sku s ON s.id = w.sku_id
        JOIN product p ON p.id = s.product_id
        LEFT JOIN price_tier t ON t.sku_id = s.id AND t.min_quantity = s.min_quantity
    ), offered AS MATERIALIZED (
        SELECT s.id AS sku_id, s.code AS sku_code, s.pack, s.step, s.min_quantity, coalesce(s.net_grams, 0) AS grams, p.id AS product_id,
               p.name AS product_name, p.category, p.district_code, p.supplier_id, k.on_hand - k.reserved AS available,
               t.unit_price_fen AS fen
        FROM product p
        JOIN sku s ON s.product_id = p.id AND s.status = 'active'
        JOIN stock k ON k.sku_id = s.id AND k.on_hand - k.reserved >= s.min_quantity
        JOIN price_tier t ON t.sku_id = s.id AND t.min_quantity = s.min_quantity
        JOIN organisation o ON o.id = p.supplier_id AND o.status = 'approved'
        WHERE p.status = 'active' AND p.supplier_id <> :buyer_id AND p.category IN (SELECT category FROM wanted)
          AND EXISTS (SELECT FROM certificate c WHERE c.product_id = p.id AND c.supplier_id = p.supplier_id AND {in_force_sql("c")})
    )
    SELECT w.sku_id AS wanted_id, w.quantity AS wanted_quantity, n.sku_id, n.sku_code, n.product_id, n.product_name, n.pack,
           r.name_zh AS district_name, o.name AS supplier_name, t.unit_price_fen AS unit_price, n.available
    FROM wanted w
    CROSS JOIN LATERAL (
        SELECT f.*, f.district_code <> w.district_code AS elsewhere, abs(f.grams - w.grams) AS heavier, abs(f.fen - w.fen) AS dearer
        FROM offered f
        WHERE f.category = w.category AND f.sku_id <> w.sku_id AND f.available >= w.quantity AND f.min_quantity <= w.quantity
          AND w.quantity % f.step = 0
        ORDER BY elsewhere, heavier, dearer, f.sku_id LIMIT 3
    ) n
    CROSS JOIN LATERAL (
        SELECT unit_price_fen FROM price_tier WHERE sku_id = n.sku_id AND min_quantity <= w.quantity ORDER BY min_quantity DESC LIMIT 1
    ) t
    JOIN region r ON r.code = n.district_code
    JOIN organisation o ON o.id = n.supplier_id
    ORDER BY w.sku_id, w.quantity, n.elsewhere, n.heavier, n.dearer, n.sku_id
    """  # noqa: S608
)

_NAMES = text(
    """
    SELECT s.id, s.code, s.pack, s.unit, p.name FROM sku s JOIN product p ON p.id = s.product_id
    WHERE s.id = ANY (CAST(:skus AS bigint[]))
    """
)


@dataclass(frozen=True, slots=True)
class CheckedLine:
    """A line with what the catalogue knows of it, and why it cannot be met (None: it can)."""

    facts: LineFacts
    reason: Reason | None

    @property
    def fault(self) -> Fault | None:
        return rules.fault(self.facts, self.reason) if self.reason else None

    @property
    def amount_fen(self) -> int | None:
        price = self.facts.unit_price_fen
        return line_amount(self.facts.quantity, price) if price else None

    @property
    def grams(self) -> int | None:
        return weight_of(self.facts.quantity, self.facts.net_grams or 0) if self.facts.product_id else None


#: A SKU and the quantity that is wanted of it.
Lacking = tuple[int, Decimal]


def check(session: Session, buyer_id: int, lines: Sequence[Wanted], set_aside: Container[int] = frozenset()) -> list[CheckedLine]:
    """Every line as an order placed now would find it; one statement, whether it has one line or ten thousand. A line that cannot be met by
    itself takes no stock from the others, nor do those ``set_aside`` (by their place, from 0), which would not be ordered as they are."""
    facts = facts_of(session, lines)
    alone = [rules.reason_against(line, buyer_id, line.quantity) for line in facts]
    takes = [reason is None and at not in set_aside for at, reason in enumerate(alone)]
    wanted = rules.wanted_by_sku(line for line, taking in zip(facts, takes, strict=True) if taking)
    reasons = [
        reason or (rules.reason_against(line, buyer_id, wanted[line.sku_id]) if taking else None)
        for line, reason, taking in zip(facts, alone, takes, strict=True)
    ]
    return [CheckedLine(line, reason) for line, reason in zip(facts, reasons, strict=True)]


def substitutes(session: Session, buyer_id: int, checked: Sequence[CheckedLine]) -> dict[Lacking, list[SubstituteOut]]:
    """For each SKU and quantity that cannot be had the nearest that can: of the same category, certified, with enough in stock; at most three,
    and for at most ``MOST_SUBSTITUTED`` of them."""
    lacking = sorted({(line.facts.sku_id, line.facts.quantity) for line in checked if line.reason in SUBSTITUTED})[
        :MOST_SUBSTITUTED
    ]
    if not lacking:
        return {}
    values = {"skus": [sku for sku, _ in lacking], "quantities": [quantity for _, quantity in lacking], "buyer_id": buyer_id}
    found: dict[Lacking, list[SubstituteOut]] = {}
    for row in session.execute(_SUBSTITUTES, {**values, **clock.present()}):
        fields = {name: getattr(row, name) for name in SubstituteOut.model_fields}
        found.setdefault((row.wanted_id, row.wanted_quantity), []).append(SubstituteOut(**fields))
    return found


def dry_run(session: Session, buyer_id: int, lines: Sequence[Wanted], language: Language) -> CheckOut:
    """The check as a buyer reads it."""
    checked = check(session, buyer_id, lines)
    instead = substitutes(session, buyer_id, checked)
    names = {row.id: row for row in session.execute(_NAMES, {"skus": sorted({line.sku_id for line in lines})})}
    fit = [line for line in checked if line.reason is None]
    return CheckOut(
        orderable=len(fit),
        faulty=len(checked) - len(fit),
        total=sum(line.amount_fen or 0 for line in fit),
        total_grams=sum(line.grams or 0 for line in fit),
        lines=[_line(line, names, instead, language) for line in checked],
    )


def _line(
    line: CheckedLine, names: Mapping[int, Any], instead: Mapping[Lacking, list[SubstituteOut]], language: Language
) -> CheckedLineOut:
    facts, fault = line.facts, line.fault
    named = names.get(facts.sku_id)
    return CheckedLineOut(
        line_no=facts.line_no,
        sku_id=facts.sku_id,
        sku_code=named.code if named else None,
        product_name=named.name if named else None,
        pack=named.pack if named else None,
        unit=named.unit if named else None,
        quantity=facts.quantity,
        unit_price=facts.unit_price_fen,
        amount=line.amount_fen,
        grams=line.grams,
        fault=LineFaultOut.model_validate(fault.told(language)) if fault else None,
        substitutes=instead.get((facts.sku_id, facts.quantity), []),
    )
