"""The quotations of a request side by side. Only for what is opened: the caller makes sure of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sqlalchemy import Row, text
from sqlmodel import Session

from catalog.certificates.states import in_force_sql, pausing_sql
from orders.sourcing import rules
from orders.sourcing.rules import Asked, Bar, Offer, Prices, Valued
from orders.sourcing.schemas.quotations import ComparedLineOut, ComparedSupplierOut, ComparisonOut, OfferOut
from shop.core import clock
from shop.core.money import half_up

_LINES = text("SELECT * FROM quotation_request_line WHERE quotation_request_id = :id ORDER BY line_no")
_DATED = "({0}.valid_from IS NULL OR {0}.valid_from <= :today) AND ({0}.valid_to IS NULL OR :today < {0}.valid_to)"
# What counts for the reserved share is what sellers of the programme's counties sell of their goods (as the ledger books it).
_OFFERS = text(
    f"""
    SELECT ql.id, ql.quotation_request_line_id AS line_id, t.id AS quotation_id, t.supplier_id, o.name AS supplier_name, t.submitted_at,
           t.valid_until, ql.sku_id, p.name AS product_name, s.pack, s.net_grams, s.step, ql.quantity, ql.awarded_quantity, ql.list_price_fen,
           ql.deliver_on, ql.note, c.until AS certified_until,
           (SELECT jsonb_agg(jsonb_build_array(a.min_quantity::text, a.unit_price_fen) ORDER BY a.min_quantity)
            FROM quotation_price a WHERE a.quotation_line_id = ql.id) AS prices,
           CASE WHEN t.valid_until < :today THEN 'quotation_expired' WHEN o.status <> 'approved' THEN 'supplier_not_approved'
                WHEN s.status <> 'active' OR p.status <> 'active' THEN 'withdrawn' WHEN c.until IS NULL THEN CASE WHEN {pausing_sql("p")} THEN 'certificate_suspended' ELSE 'not_certified' END END AS bar,
           p.kind = 'goods' AND EXISTS (SELECT FROM region_designation g JOIN programme r ON {_DATED.format("r")}
               WHERE g.region_code IN (o.region_code, left(o.region_code, 6)) AND {_DATED.format("g")}
               AND g.designation = r.config -> 'reserved_share' ->> 'eligible_designation') AS reserved_share_eligible
    FROM quotation t
    JOIN quotation_line ql ON ql.quotation_id = t.id AND NOT ql.declined
    JOIN sku s ON s.id = ql.sku_id
    JOIN product p ON p.id = s.product_id
    JOIN organisation o ON o.id = t.supplier_id
    LEFT JOIN LATERAL (
        SELECT least(f.valid_until, f.papers_valid_until) AS until FROM certificate f
        WHERE f.product_id = p.id AND f.supplier_id = p.supplier_id AND {in_force_sql("f")} ORDER BY 1 DESC LIMIT 1
    ) c ON true
    WHERE t.quotation_request_id = :id AND t.status = 'submitted'
    ORDER BY t.submitted_at, ql.id
    """  # noqa: S608
)


@dataclass(frozen=True)
class Table:
    """What is asked and what is offered, as it stands now; each with the row that it was read from."""

    asked: dict[int, Asked]
    offers: dict[tuple[int, int], Offer]
    line_rows: dict[int, Row[Any]]
    offer_rows: dict[int, Row[Any]]


def prices_of(found: Sequence[tuple[str, int]] | None) -> Prices:
    """Prices as a statement gives them: ``[["1", 6990], ["100", 6500]]``."""
    return [(Decimal(least), price) for least, price in found or []]


def table(session: Session, request_id: int) -> Table:
    """All lines and all offers of the quotations in force: two statements, however many there are."""
    lines = session.execute(_LINES, {"id": request_id}).all()
    offers = session.execute(_OFFERS, {"id": request_id, **clock.present()}).all()
    return Table(
        asked={
            row.line_no: Asked(row.id, row.line_no, row.quantity, row.unit_grams, row.target_price_fen, row.awarded_quantity)
            for row in lines
        },
        offers={
            (row.line_id, row.supplier_id): Offer(
                id=row.id,
                line_id=row.line_id,
                supplier_id=row.supplier_id,
                sku_id=row.sku_id,
                net_grams=row.net_grams,
                step=row.step,
                quantity=row.quantity,
                prices=prices_of(row.prices),
                list_fen=row.list_price_fen,
                awarded=row.awarded_quantity,
                bar=Bar(row.bar) if row.bar else None,
            )
            for row in offers
        },
        line_rows={row.id: row for row in lines},
        offer_rows={row.id: row for row in offers},
    )


def comparison(session: Session, head: Row[Any]) -> ComparisonOut:
    """Each line with its offers, the cheapest first, and each supplier with its total."""
    found = table(session, head.id)
    by_line: dict[int, list[tuple[Offer, Valued | None]]] = {asked.id: [] for asked in found.asked.values()}
    asked_by_id = {asked.id: asked for asked in found.asked.values()}
    for offer in found.offers.values():
        by_line[offer.line_id].append((offer, rules.valued(asked_by_id[offer.line_id], offer)))
    best = {line_id: rules.lowest(valued for _, valued in offers if valued) for line_id, offers in by_line.items()}
    lines = [_line(found, asked, by_line[asked.id], best[asked.id]) for asked in found.asked.values()]
    cheapest = [_least(line.offers) for line in lines]
    return ComparisonOut(
        quotation_request_id=head.id,
        number=head.number,
        title=head.title,
        lines=lines,
        suppliers=_suppliers(found, by_line, len(lines)),
        lowest_total=None if None in cheapest else sum(amount for amount in cheapest if amount is not None),
    )


def _least(offers: list[OfferOut]) -> int | None:
    """The least that a line can be had for in full from one supplier."""
    return min(
        (offer.amount for offer in offers if offer.complete and offer.bar is None and offer.amount is not None), default=None
    )


def _line(found: Table, asked: Asked, offers: list[tuple[Offer, Valued | None]], best: Any) -> ComparedLineOut:
    row = found.line_rows[asked.id]
    # what can be awarded first, then by price; what sells no quantity so small comes last
    ordered = sorted(offers, key=lambda each: (each[0].bar is not None, each[1] is None, each[1].comparable if each[1] else 0))
    return ComparedLineOut(
        line_no=asked.line_no,
        name=row.name,
        category=row.category,
        unit=row.unit,
        quantity=asked.quantity,
        awarded_quantity=asked.awarded,
        target_price=asked.target_fen,
        deliver_by=row.deliver_by,
        offers=[_offer(found.offer_rows[offer.id], row, offer, valued, best) for offer, valued in ordered],
    )


def _offer(row: Row[Any], line: Row[Any], offer: Offer, valued: Valued | None, best: Any) -> OfferOut:
    lowest = valued is not None and offer.bar is None and valued.comparable == best
    deliver_on = row.deliver_on or line.deliver_by
    return OfferOut(
        quotation_id=row.quotation_id,
        supplier_id=row.supplier_id,
        supplier_name=row.supplier_name,
        sku_id=row.sku_id,
        product_name=row.product_name,
        pack=row.pack,
        net_grams=row.net_grams,
        covered_quantity=valued.covered if valued else None,
        packs=valued.packs if valued else None,
        unit_price=valued.unit_price_fen if valued else None,
        price_per_unit=half_up(Decimal(valued.comparable.numerator) / valued.comparable.denominator) if valued else None,
        amount=valued.amount_fen if valued else None,
        over_target=valued.over_target_fen if valued else None,
        over_list=valued.over_list_fen if valued else None,
        deliver_on=deliver_on,
        in_time=None if line.deliver_by is None or deliver_on is None else deliver_on <= line.deliver_by,
        complete=valued is not None and valued.complete,
        lowest=lowest,
        certified_until=row.certified_until,
        reserved_share_eligible=row.reserved_share_eligible,
        bar=offer.bar,
        note=row.note,
    )


def _suppliers(found: Table, by_line: dict[int, list[tuple[Offer, Valued | None]]], lines: int) -> list[ComparedSupplierOut]:
    totals: dict[int, list[Valued]] = {}
    heads: dict[int, Row[Any]] = {}
    for offers in by_line.values():
        for offer, valued in offers:
            heads[offer.supplier_id] = found.offer_rows[offer.id]
            totals.setdefault(offer.supplier_id, [])
            if valued:
                totals[offer.supplier_id].append(valued)
    complete = {supplier: len(each) == lines and all(one.complete for one in each) for supplier, each in totals.items()}
    sums = {supplier: sum(one.amount_fen for one in each) for supplier, each in totals.items()}
    ready = [s for s, each in totals.items() if complete[s] and all(one.offer.bar is None for one in each)]
    least = min((sums[supplier] for supplier in ready), default=None)
    shown = [
        ComparedSupplierOut(
            quotation_id=row.quotation_id,
            supplier_id=supplier,
            supplier_name=row.supplier_name,
            submitted_at=row.submitted_at,
            valid_until=row.valid_until,
            lines_offered=len(totals[supplier]),
            complete=complete[supplier],
            total=sums[supplier],
            lowest=supplier in ready and sums[supplier] == least,
        )
        for supplier, row in heads.items()
    ]
    return sorted(shown, key=lambda each: (not each.lowest, not each.complete, -each.lines_offered, each.total))
