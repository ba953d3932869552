"""Reading commission rules."""

# ruff: noqa: S608  statements are put together from constants only

from datetime import date
from typing import Any

from sqlalchemy import Row, text
from sqlmodel import Session

from catalog.products.rules import Category
from orders.money.queries.reach import reach
from orders.settlement.queries.reach import IN_REACH
from orders.settlement.rules import CommissionKind
from orders.settlement.schemas.commission import CommissionOut, CommissionRuleOut
from shop.core import clock, paging
from shop.core.errors import NotFound
from shop.core.paging import Page
from shop.identity.actor import Actor
from shop.programmes import queries as programmes

#: The rule for goods is the nearest of those in force when the order was placed: of supplier and category, supplier, category, programme.
NEAREST = """
    SELECT r.id, r.kind, r.rate_bp, r.fixed_fen FROM (
        SELECT DISTINCT ON (supplier_id, category) * FROM commission_rule
        WHERE programme_code = {programme} AND (supplier_id IS NULL OR supplier_id = {supplier}) AND (category IS NULL OR category = {category})
          AND valid_from <= {day}
        ORDER BY supplier_id, category, valid_from DESC, version DESC
    ) r WHERE r.kind <> 'none' ORDER BY r.supplier_id IS NULL, r.category IS NULL LIMIT 1
"""
# what holds for all suppliers is no secret
_RULE = f"""
    SELECT r.*, r.fixed_fen AS fixed, o.name AS supplier_name,
           r.valid_from <= :today AND NOT EXISTS (
               SELECT FROM commission_rule n WHERE n.programme_code = r.programme_code AND n.supplier_id IS NOT DISTINCT FROM r.supplier_id
               AND n.category IS NOT DISTINCT FROM r.category AND n.valid_from <= :today AND (n.valid_from, n.version) > (r.valid_from, r.version)) AS in_force
    FROM commission_rule r LEFT JOIN organisation o ON o.id = r.supplier_id WHERE (r.supplier_id IS NULL OR {IN_REACH})
"""
_ONE = text(f"{_RULE} AND r.id = :id")
_MANY = text(
    f"""{_RULE} AND (CAST(:supplier_id AS bigint) IS NULL OR r.supplier_id = :supplier_id)
    AND (CAST(:category AS text) IS NULL OR r.category = :category) AND (CAST(:start AS bigint) IS NULL OR r.id < :start)
    ORDER BY r.id DESC LIMIT :rows"""
)
_SUPPLIER = text(f"SELECT 1 FROM organisation o WHERE o.id = :id AND {IN_REACH}")
_NEAREST = text(
    f"""
    SELECT c.category, n.id AS rule_id, n.kind, n.rate_bp, n.fixed_fen FROM unnest(CAST(:categories AS text[])) WITH ORDINALITY AS c (category, place)
    LEFT JOIN LATERAL ({NEAREST.format(programme="CAST(:programme AS text)", supplier="CAST(:supplier_id AS bigint)", category="c.category", day="CAST(:on AS date)")}) n
      ON true ORDER BY c.place
    """
)


def rule(session: Session, actor: Actor, rule_id: int) -> CommissionRuleOut:
    """One version of a rule.

    Raises:
        NotFound: there is none within reach (404).
    """
    row = session.execute(_ONE, {"id": rule_id, "today": clock.today(), **reach(actor)}).first()
    if row is None:
        raise NotFound
    return _shown(row)


def rules(
    session: Session, actor: Actor, *, supplier_id: int | None, category: Category | None, limit: int, after: str | None
) -> Page[CommissionRuleOut]:
    """Every version of every rule that concerns the caller, newest first."""
    start = paging.position(after, int)
    values = {"supplier_id": supplier_id, "category": category, "start": start[0] if start else None, "today": clock.today()}
    rows = session.execute(_MANY, {**values, "rows": limit + 1, **reach(actor)}).all()
    return paging.page(rows, limit, _shown, lambda row: [row.id])


def effective(session: Session, actor: Actor, *, supplier_id: int, on: date) -> list[CommissionOut]:
    """What goods of a supplier bear when they are ordered on a day, by category.

    Raises:
        NotFound: no supplier within reach (404). NoProgramme: none is in force on that day (404).
    """
    if session.execute(_SUPPLIER, {"id": supplier_id, **reach(actor)}).first() is None:
        raise NotFound
    programme = programmes.in_force(session, on).code
    asked = {"programme": programme, "supplier_id": supplier_id, "on": on, "categories": [str(each) for each in Category]}
    return [
        CommissionOut(
            category=row.category,
            rule_id=row.rule_id,
            kind=row.kind or CommissionKind.NONE,
            rate_bp=row.rate_bp or 0,
            fixed=row.fixed_fen or 0,
        )
        for row in session.execute(_NEAREST, asked)
    ]


def _shown(row: Row[Any]) -> CommissionRuleOut:
    return CommissionRuleOut(**{name: getattr(row, name) for name in CommissionRuleOut.model_fields})
