"""Which rules hold for a unit, what it has spent, and who may approve today."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy import Row, text
from sqlmodel import Session

from orders.approvals.errors import NobodyToApprove
from orders.approvals.rules import Purchase, Rule, Step, first_unmet, may_decide, steps_for
from orders.approvals.schemas import ApprovalRuleOut, DeputyOut
from shop.core import clock, locks, paging
from shop.core.errors import NotFound
from shop.core.paging import Page
from shop.identity.actor import Actor

_RULES_FOR = text(
    """
    SELECT r.id, length(o.path) AS depth, r.organisation_id, r.position, r.min_fen, r.cumulative, r.fund_sources, r.categories, r.steps
    FROM approval_rule r JOIN organisation o ON o.id = r.organisation_id
    WHERE r.active AND r.organisation_id = ANY (CAST(:units AS bigint[]))
    """
)
#: What a unit ordered in a Shanghai year and has to pay for, and what it asked for and waits for, in fen by fund source and category.
#: Whenever that was asked for: it will be ordered in this year, if at all.
_SPENT = text(
    """
    SELECT fund_source, category, sum(fen)::bigint AS fen FROM (
        SELECT po.fund_source, p.category,
               round((l.quantity - l.rejected_quantity - l.difference_quantity - l.closed_quantity) * l.unit_price_fen) AS fen
        FROM purchase_order po
        JOIN supplier_order so ON so.purchase_order_id = po.id AND so.status NOT IN ('rejected', 'cancelled')
        JOIN order_line l ON l.supplier_order_id = so.id JOIN product p ON p.id = l.product_id
        WHERE po.buyer_id = :buyer_id AND po.placed_at >= :since AND po.placed_at < :until
          AND po.id IS DISTINCT FROM CAST(:besides_order AS bigint)
        UNION ALL
        SELECT r.fund_source, p.category, l.amount_fen
        FROM purchase_request r JOIN purchase_request_line l ON l.purchase_request_id = r.id
        JOIN sku s ON s.id = l.sku_id JOIN product p ON p.id = s.product_id
        WHERE r.buyer_id = :buyer_id AND r.status IN ('waiting', 'approved') AND r.id IS DISTINCT FROM CAST(:besides AS bigint)
    ) spent GROUP BY fund_source, category
    """
)
_HOLDERS = text(
    """
    SELECT DISTINCT u.id FROM app_user u JOIN user_role r ON r.user_id = u.id
    WHERE u.active AND (u.organisation_id = :organisation_id AND r.role = :role
                        OR u.id = ANY (CAST(:user_ids AS bigint[])) AND r.role IN ('approver', 'finance', 'buyer_admin'))
    ORDER BY u.id
    """
)
_DEPUTIES = text(
    """
    SELECT d.deputy_id, array_agg(d.user_id) AS absent FROM approval_deputy d JOIN app_user u ON u.id = d.deputy_id
    WHERE u.active AND d.revoked_at IS NULL AND :today BETWEEN d.first_day AND d.last_day AND d.user_id = ANY (CAST(:users AS bigint[]))
    GROUP BY d.deputy_id
    """
)


def steps_needed(
    session: Session,
    *,
    buyer_id: int,
    paths: Sequence[str],
    fund_source: str,
    amounts: Mapping[str, int],
    besides: int | None = None,
    besides_order: int | None = None,
) -> list[Step]:
    """The steps that an order of these amounts (fen by category) takes by the rules of its unit, of the unit that orders, and of those above
    both (``paths``); ``besides`` is the request that asks, and ``besides_order`` the order itself, which are not counted twice.

    Where what was spent before counts, others who order for the same unit wait until this transaction ends: else two halves of a large order,
    sent at once, would each stay below the limit.
    """
    rules = [
        _rule(row)
        for row in session.execute(
            _RULES_FOR, {"units": sorted({int(unit) for path in paths for unit in path.strip("/").split("/")})}
        )
    ]
    spent: dict[tuple[str, str], int] = {}
    if any(rule.cumulative for rule in rules):
        hold_spending(session, buyer_id)
        spent = _spent(session, buyer_id, besides, besides_order)
    return steps_for(rules, Purchase(fund_source, amounts, spent))


def hold_spending(session: Session, buyer_id: int) -> None:
    """Wait for others who order for the unit; also for who asks later for :func:`steps_needed`, but locks rows before that."""
    locks.hold(session, f"spend:{buyer_id}")


def _spent(session: Session, buyer_id: int, besides: int | None, besides_order: int | None) -> dict[tuple[str, str], int]:
    year = clock.today().year
    rows = session.execute(
        _SPENT,
        {
            "buyer_id": buyer_id,
            "since": clock.start_of_day(date(year, 1, 1)),
            "until": clock.end_of_day(date(year, 12, 31)),
            "besides": besides,
            "besides_order": besides_order,
        },
    )
    return {(row.fund_source, row.category): row.fen for row in rows}


def _rule(row: Row[Any]) -> Rule:
    return Rule(
        id=row.id,
        depth=row.depth,
        position=row.position,
        min_fen=row.min_fen,
        cumulative=row.cumulative,
        fund_sources=frozenset(row.fund_sources),
        categories=frozenset(row.categories),
        steps=tuple(
            Step(step["name"], row.organisation_id, step.get("role"), tuple(step.get("user_ids", ()))) for step in row.steps
        ),
    )


def deciders(session: Session, step: Step, requester: int, decided: frozenset[int]) -> dict[int, int]:
    """Who may take a step today, and in whose place; see :func:`~orders.approvals.rules.may_decide`."""
    holders = holders_of(session, step)
    deputies = session.execute(_DEPUTIES, {"today": clock.today(), "users": holders})
    return may_decide(holders, {row.deputy_id: frozenset(row.absent) for row in deputies}, requester, decided)


def holders_of(session: Session, step: Step) -> Sequence[int]:
    """The active people whom a step names, by id."""
    return (
        session.execute(_HOLDERS, {"organisation_id": step.organisation_id, "role": step.role, "user_ids": list(step.user_ids)})
        .scalars()
        .all()
    )


def require_somebody(session: Session, steps: Sequence[Step], gone: frozenset[int]) -> None:
    """That each of the steps can be taken, each by somebody else, and by none who has ``gone``: taken another one, or asked for it.

    Raises:
        NobodyToApprove: see there (409).
    """
    able = [set(holders_of(session, step)) - gone for step in steps]
    if (unmet := first_unmet(able)) is not None:
        raise NobodyToApprove(step=steps[unmet].name)


_RULE = """
    SELECT r.id, r.organisation_id, o.name AS organisation_name, r.name, r.min_fen AS min_amount, r.cumulative, r.fund_sources, r.categories,
           r.steps, r.position, r.active, r.set_by_id, r.version
    FROM approval_rule r JOIN organisation o ON o.id = r.organisation_id
    WHERE (o.path LIKE CAST(:branch AS text) OR starts_with(CAST(:own AS text), o.path))
"""
_RULES = text(
    f"{_RULE} AND (CAST(:organisation_id AS bigint) IS NULL OR r.organisation_id = :organisation_id)"
    " AND (CAST(:active AS boolean) IS NULL OR r.active = :active) AND r.id > :start ORDER BY r.id LIMIT :rows"
)
_ONE_RULE = text(f"{_RULE} AND r.id = :id")


def _reach(actor: Actor) -> dict[str, Any]:
    own = actor.organisation_path
    return {"own": own, "branch": f"{own}%" if own else None}


def rules(
    session: Session, actor: Actor, *, organisation_id: int | None, active: bool | None, limit: int, after: str | None
) -> Page[ApprovalRuleOut]:
    """The rules of the own branch, and those of the units above it, which hold for it too."""
    start = paging.position(after, int)
    rows = session.execute(
        _RULES,
        {
            **_reach(actor),
            "organisation_id": organisation_id,
            "active": active,
            "start": start[0] if start else 0,
            "rows": limit + 1,
        },
    ).all()
    return paging.page(rows, limit, _shown, lambda row: [row.id])


def rule(session: Session, actor: Actor, rule_id: int) -> ApprovalRuleOut:
    """One rule.

    Raises:
        NotFound: none of the caller's branch or above it.
    """
    row = session.execute(_ONE_RULE, {**_reach(actor), "id": rule_id}).first()
    if row is None:
        raise NotFound
    return _shown(row)


def _shown(row: Row[Any]) -> ApprovalRuleOut:
    return ApprovalRuleOut.model_validate(row, from_attributes=True)


_DEPUTY = """
    SELECT d.id, d.user_id, u.name AS user_name, d.deputy_id, s.name AS deputy_name, d.first_day, d.last_day, d.reason, d.revoked_at
    FROM approval_deputy d JOIN app_user u ON u.id = d.user_id JOIN app_user s ON s.id = d.deputy_id
    JOIN organisation o ON o.id = u.organisation_id
    WHERE (d.user_id = :me OR d.deputy_id = :me OR (:admin AND o.path LIKE CAST(:branch AS text)))
"""
_DEPUTIES_LIST = text(
    f"{_DEPUTY} AND (NOT :current OR d.revoked_at IS NULL AND d.last_day >= :today)"
    " AND (CAST(:start AS bigint) IS NULL OR d.id < :start) ORDER BY d.id DESC LIMIT :rows"
)
_ONE_DEPUTY = text(f"{_DEPUTY} AND d.id = :id")


def deputies(session: Session, actor: Actor, *, admin: bool, current: bool, limit: int, after: str | None) -> Page[DeputyOut]:
    """Who stands in for the caller and for whom the caller stands in; administrators: in the whole branch."""
    start = paging.position(after, int)
    rows = session.execute(
        _DEPUTIES_LIST,
        {
            **_reach(actor),
            "me": actor.user_id,
            "admin": admin,
            "current": current,
            "today": clock.today(),
            "start": start[0] if start else None,
            "rows": limit + 1,
        },
    ).all()
    return paging.page(rows, limit, lambda row: DeputyOut.model_validate(row, from_attributes=True), lambda row: [row.id])


def deputy(session: Session, actor: Actor, deputy_id: int, *, admin: bool) -> DeputyOut:
    """One deputy.

    Raises:
        NotFound: none that concerns the caller.
    """
    row = session.execute(_ONE_DEPUTY, {**_reach(actor), "me": actor.user_id, "admin": admin, "id": deputy_id}).first()
    if row is None:
        raise NotFound
    return DeputyOut.model_validate(row, from_attributes=True)
