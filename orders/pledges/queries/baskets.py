"""Reading what baskets can be made of, and the baskets proposed."""

# ruff: noqa: S608  statements are put together from constants only; every value that a caller gives is bound

from dataclasses import asdict
from decimal import Decimal
from typing import Any

from sqlalchemy import Row, text
from sqlmodel import Session

from catalog.certificates.states import in_force_sql
from orders.pledges.queries.pledges import REACH, head, reach
from orders.pledges.rules.asking import Demand, Limit
from orders.pledges.rules.choosing import Facts, Totals
from orders.pledges.rules.figures import per_head
from orders.pledges.schemas import BasketFigures, ObstacleOut, ProposalIn, ProposalLineOut, ProposalOut, ProposalRow
from orders.pledges.states import PROGRESS, ProposalStatus
from shop.core import clock, paging
from shop.core.errors import NotFound
from shop.core.paging import Page
from shop.identity.actor import Actor
from shop.programmes import queries as programmes

_TERM = "({0}.valid_from IS NULL OR {0}.valid_from <= :today) AND ({0}.valid_to IS NULL OR :today < {0}.valid_to)"

# Whatever could be ordered now, from the pledged regions, with its price tiers. A village that sold nothing has no line in this year's ledger.
_CATALOGUE = text(
    f"""
    WITH sold AS MATERIALIZED (
        SELECT DISTINCT district_code, coalesce(township_code, '') AS township_code, village FROM sale_entry
        WHERE sold_on >= date_trunc('year', CAST(:today AS timestamp))::date AND village <> ''
    ), deep AS MATERIALIZED (
        SELECT g.region_code FROM region_designation g WHERE g.designation = 'deep_township' AND {_TERM.format("g")}
    ), eligible AS MATERIALIZED (
        SELECT g.region_code FROM region_designation g WHERE g.designation = :designation AND {_TERM.format("g")}
    )
    SELECT s.id AS sku_id, p.id AS product_id, p.supplier_id, p.category, s.step, s.min_quantity, k.on_hand - k.reserved AS available,
           ARRAY(SELECT t.min_quantity FROM price_tier t WHERE t.sku_id = s.id ORDER BY t.min_quantity) AS minimums,
           ARRAY(SELECT t.unit_price_fen FROM price_tier t WHERE t.sku_id = s.id ORDER BY t.min_quantity) AS prices,
           coalesce(p.township_code IN (SELECT region_code FROM deep), false) AS deep,
           coalesce(p.village, '') <> '' AND NOT EXISTS (
               SELECT FROM sold WHERE sold.district_code = p.district_code AND sold.township_code = coalesce(p.township_code, '')
               AND sold.village = p.village) AS new_village,
           p.kind = 'goods' AND EXISTS (SELECT FROM eligible e WHERE e.region_code IN (o.region_code, left(o.region_code, 6))) AS eligible
    FROM product p
    JOIN organisation o ON o.id = p.supplier_id AND o.status = 'approved'
    JOIN sku s ON s.product_id = p.id AND s.status = 'active'
    JOIN stock k ON k.sku_id = s.id AND k.on_hand - k.reserved >= s.min_quantity
    WHERE p.status = 'active' AND p.supplier_id <> :buyer_id
      AND EXISTS (SELECT FROM pledge_region r WHERE r.pledge_id = :pledge_id
                  AND starts_with(coalesce(p.township_code, p.district_code), r.region_code))
      AND EXISTS (SELECT FROM certificate c WHERE c.product_id = p.id AND c.supplier_id = p.supplier_id AND {in_force_sql("c")})
      AND EXISTS (SELECT FROM price_tier t WHERE t.sku_id = s.id)
    ORDER BY s.id
    """
)


def catalogue(session: Session, pledge_id: int, buyer_id: int) -> list[Facts]:
    """Every pack that the buyer of a pledge could order now from its regions."""
    present = clock.present()
    designation = programmes.config_of(session, clock.today()).reserved_share.eligible_designation
    rows = session.execute(_CATALOGUE, {**present, "pledge_id": pledge_id, "buyer_id": buyer_id, "designation": designation})
    return [
        Facts(
            sku_id=row.sku_id,
            product_id=row.product_id,
            supplier_id=row.supplier_id,
            category=row.category,
            step=row.step,
            min_quantity=row.min_quantity,
            available=row.available,
            tiers=tuple(zip(row.minimums, row.prices, strict=True)),
            deep=row.deep,
            new_village=row.new_village,
            eligible=row.eligible,
        )
        for row in rows
    ]


def demand(asked: ProposalIn) -> Demand:
    """What was asked, as the rules take it."""
    return Demand(
        budget_fen=asked.budget,
        hard=asked.hard,
        heads=asked.heads,
        identical=asked.identical,
        per_head_cap_fen=asked.per_head_cap,
        deep_bp=_basis_points(asked.deep_township_share),
        new_village_bp=_basis_points(asked.new_village_share),
        supplier_bp=None if asked.supplier_share is None else _basis_points(asked.supplier_share),
        max_products=asked.max_products,
        include=frozenset(asked.include_categories),
        exclude=frozenset(asked.exclude_categories),
        reserved_share_only=asked.reserved_share_only,
        aim=asked.aim,
    )


def _basis_points(share: Decimal) -> int:
    return int(share * 100)


def asked_of(row: Row[Any]) -> ProposalIn:
    return ProposalIn.model_validate(row.asked)


def stored(of: Totals, missed: list[Limit]) -> dict[str, Any]:
    """The figures of a basket as they are kept."""
    return {**asdict(of), "missed": [str(limit) for limit in missed]}


def _figures(kept: dict[str, Any] | None, heads: int | None) -> BasketFigures | None:
    if kept is None:
        return None
    return BasketFigures(
        amount=kept["amount_fen"],
        deep_townships=kept["deep_fen"],
        new_villages=kept["new_village_fen"],
        largest_supplier=kept["largest_supplier_fen"],
        products=kept["products"],
        suppliers=kept["suppliers"],
        per_head=per_head(kept["amount_fen"], heads or 0),
        missed=kept["missed"],
    )


_PROPOSAL = text(
    f"""
    SELECT b.* FROM basket_proposal b JOIN pledge p ON p.id = b.pledge_id JOIN organisation o ON o.id = p.organisation_id
    WHERE b.id = :id AND {REACH}
    """
)
_PROPOSAL_LINES = text(
    """
    SELECT l.*, s.code AS sku_code, s.pack, s.unit, p.name AS product_name, p.supplier_id, o.name AS supplier_name
    FROM basket_proposal_line l JOIN sku s ON s.id = l.sku_id JOIN product p ON p.id = s.product_id JOIN organisation o ON o.id = p.supplier_id
    WHERE l.proposal_id = :id ORDER BY l.line_no
    """
)
_PROPOSALS = text(
    """
    SELECT b.* FROM basket_proposal b
    WHERE b.pledge_id = :pledge_id AND (CAST(:start AS bigint) IS NULL OR b.id < :start) ORDER BY b.id DESC LIMIT :rows
    """
)


def proposal(session: Session, actor: Actor, proposal_id: int) -> ProposalOut:
    """One proposed basket with its lines.

    Raises:
        NotFound: no such proposal within reach.
    """
    row = session.execute(_PROPOSAL, {"id": proposal_id, **reach(actor)}).first()
    if row is None:
        raise NotFound
    asked = asked_of(row)
    lines = session.execute(_PROPOSAL_LINES, {"id": proposal_id}).all()
    return ProposalOut(
        **_brief(row).model_dump(),
        asked=asked,
        candidates=row.candidates,
        result=_figures(row.result, asked.heads),
        baseline=_figures(row.baseline, asked.heads),
        obstacles=None if row.obstacles is None else [ObstacleOut.model_validate(each) for each in row.obstacles],
        proven=row.proven,
        lines=[_line(line, asked) for line in lines],
        purchase_order_id=row.purchase_order_id,
        purchase_request_id=row.purchase_request_id,
    )


def _brief(row: Row[Any]) -> ProposalRow:
    return ProposalRow(
        id=row.id,
        pledge_id=row.pledge_id,
        status=row.status,
        progress=PROGRESS.get(ProposalStatus(row.status), 100),
        budget=row.budget_fen,
        amount=row.result["amount_fen"] if row.result else None,
        requested_at=row.requested_at,
        finished_at=row.finished_at,
    )


def _line(row: Row[Any], asked: ProposalIn) -> ProposalLineOut:
    computed = {
        "per_head_quantity": row.quantity / asked.heads if asked.identical and asked.heads else None,
        "unit_price": row.unit_price_fen,
        "amount": row.amount_fen,
        "deep_township": row.deep,
    }
    return ProposalLineOut(
        **{name: getattr(row, name) for name in ProposalLineOut.model_fields if name not in computed}, **computed
    )


def proposals(session: Session, actor: Actor, pledge_id: int, *, limit: int, after: str | None) -> Page[ProposalRow]:
    """The baskets proposed for a pledge, newest first.

    Raises:
        NotFound: no such pledge within reach.
    """
    head(session, actor, pledge_id)
    start = paging.position(after, int)
    rows = session.execute(_PROPOSALS, {"pledge_id": pledge_id, "start": start[0] if start else None, "rows": limit + 1}).all()
    return paging.page(rows, limit, _brief, lambda row: [row.id])
