"""Reading budgets, within the caller's branch."""

from typing import Any

from sqlalchemy import Row, text
from sqlmodel import Session

from orders.budgets.schemas import BudgetDrawOut, BudgetOut
from shop.core import paging
from shop.core.errors import NotFound
from shop.core.paging import Page
from shop.identity.actor import Actor
from shop.identity.queries import UPWARDS

#: The budget that an order falls under: that of its unit for the year and fund, else of the nearest unit above that has one.
NEAREST = f"""
    SELECT b.id FROM {UPWARDS} JOIN budget b ON b.organisation_id = up.id AND b.year = :budget_year AND b.fund_source = :fund_source
    ORDER BY up.depth DESC LIMIT 1
"""  # noqa: S608

_BUDGET = """
    SELECT b.id, b.organisation_id, o.name AS organisation_name, b.year, b.fund_source, b.limit_fen AS limit, b.reserved_fen AS reserved,
           b.consumed_fen AS consumed, b.limit_fen - b.reserved_fen - b.consumed_fen AS available, b.set_by_id, b.version
    FROM budget b JOIN organisation o ON o.id = b.organisation_id
"""
#: The own branch, and the units above it, whose budgets the branch may draw on.
_SEEN = "(o.path LIKE CAST(:branch AS text) OR starts_with(CAST(:own AS text), o.path))"
_LIST = text(
    f"""{_BUDGET} WHERE {_SEEN} AND (CAST(:organisation_id AS bigint) IS NULL OR b.organisation_id = :organisation_id)
    AND (CAST(:year AS int) IS NULL OR b.year = :year) AND (CAST(:fund_source AS text) IS NULL OR b.fund_source = :fund_source)
    AND (CAST(:start AS bigint) IS NULL OR b.id < :start) ORDER BY b.id DESC LIMIT :rows"""
)
_ONE = text(f"{_BUDGET} WHERE {_SEEN} AND b.id = :id")
_DRAWS = text(
    """
    SELECT d.id, d.holder_kind, d.holder_id, coalesce(po.number, pr.number) AS number, u.name AS ordering_unit, d.reserved_fen AS reserved,
           d.consumed_fen AS consumed
    FROM budget_draw d
    LEFT JOIN purchase_order po ON d.holder_kind = 'purchase_order' AND po.id = d.holder_id
    LEFT JOIN purchase_request pr ON d.holder_kind = 'purchase_request' AND pr.id = d.holder_id
    JOIN organisation u ON u.id = coalesce(po.ordering_unit_id, pr.ordering_unit_id)
    JOIN organisation buyer ON buyer.id = coalesce(po.buyer_id, pr.buyer_id)
    WHERE d.budget_id = :id AND (u.path LIKE CAST(:branch AS text) OR buyer.path LIKE CAST(:branch AS text)) AND (CAST(:start AS bigint) IS NULL OR d.id < :start)
    ORDER BY d.id DESC LIMIT :rows
    """
)


def _reach(actor: Actor) -> dict[str, Any]:
    own = actor.organisation_path
    return {"own": own, "branch": f"{own}%" if own else None}


def budgets(
    session: Session,
    actor: Actor,
    *,
    organisation_id: int | None,
    year: int | None,
    fund_source: str | None,
    limit: int,
    after: str | None,
) -> Page[BudgetOut]:
    """Budgets of the own branch and of the units above it, newest first."""
    start = paging.position(after, int)
    rows = session.execute(
        _LIST,
        {
            **_reach(actor),
            "organisation_id": organisation_id,
            "year": year,
            "fund_source": fund_source,
            "start": start[0] if start else None,
            "rows": limit + 1,
        },
    ).all()
    return paging.page(rows, limit, _shown, lambda row: [row.id])


def budget(session: Session, actor: Actor, budget_id: int) -> BudgetOut:
    """One budget.

    Raises:
        NotFound: none of the caller's branch or above it.
    """
    row = session.execute(_ONE, {**_reach(actor), "id": budget_id}).first()
    if row is None:
        raise NotFound
    return _shown(row)


def draws(session: Session, actor: Actor, budget_id: int, *, limit: int, after: str | None) -> Page[BudgetDrawOut]:
    """The orders and requests of the own branch that draw on a budget, newest first.

    Raises:
        NotFound: none of the caller's branch or above it.
    """
    budget(session, actor, budget_id)
    start = paging.position(after, int)
    rows = session.execute(
        _DRAWS, {**_reach(actor), "id": budget_id, "start": start[0] if start else None, "rows": limit + 1}
    ).all()
    return paging.page(rows, limit, lambda row: BudgetDrawOut.model_validate(row, from_attributes=True), lambda row: [row.id])


def _shown(row: Row[Any]) -> BudgetOut:
    return BudgetOut.model_validate(row, from_attributes=True)
