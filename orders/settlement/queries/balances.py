"""What waits and why, and where the money of each supplier stands."""

# ruff: noqa: S608  statements are put together from constants only

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, text
from sqlmodel import Session

from orders.money.queries.reach import reach
from orders.settlement.queries import statements
from orders.settlement.queries.owed import JUDGED, parameters
from orders.settlement.queries.reach import IN_REACH
from orders.settlement.queries.statements import ABOUT, KIND
from orders.settlement.rules import Hold, period_of
from orders.settlement.schemas.settlements import BalanceOut, DashboardOut, HeldOut, HeldSum
from orders.settlement.sheets import why
from shop.core import clock, paging
from shop.core.errors import Language
from shop.core.paging import Page
from shop.identity.actor import Actor
from shop.programmes.queries import config_of

_HELD = text(
    f"""{JUDGED}
    SELECT j.posting_id, j.supplier_id, o.name AS supplier_name, po.id AS purchase_order_id, po.number AS purchase_order_number, j.supplier_order_id,
           g.name AS product_name, j.booked_on, {KIND} AS kind, j.amount_fen AS amount, j.hold, j.waits_until
    FROM judged j JOIN organisation o ON o.id = j.supplier_id JOIN money_posting mp ON mp.id = j.posting_id {ABOUT}
    WHERE j.hold IS NOT NULL AND (CAST(:hold AS text) IS NULL OR j.hold = :hold) AND (CAST(:start AS bigint) IS NULL OR j.posting_id > :start)
    ORDER BY j.posting_id LIMIT :rows"""
)
_SUMS = text(f"{JUDGED} SELECT hold, count(*) AS lines, sum(amount_fen)::bigint AS amount FROM judged GROUP BY hold ORDER BY hold")
_BALANCES = text(
    f"""
    SELECT o.id AS supplier_id, o.name AS supplier_name,
           coalesce(-sum(b.fen) FILTER (WHERE b.account = 'payable'), 0)::bigint AS owed,
           coalesce(-sum(b.fen) FILTER (WHERE b.account = 'settled'), 0)::bigint AS settled,
           coalesce(-sum(b.fen) FILTER (WHERE b.account = 'payouts'), 0)::bigint AS on_its_way,
           coalesce(sum(b.fen) FILTER (WHERE b.account = 'advances'), 0)::bigint AS advances,
           coalesce(-sum(b.fen) FILTER (WHERE b.account = 'commission'), 0)::bigint AS commission,
           coalesce((SELECT sum(p.amount_fen - p.returned_fen) FROM payout p WHERE p.supplier_id = o.id AND p.status = 'paid'), 0)::bigint AS paid
    FROM organisation o
    JOIN (SELECT party_id, account, sum(amount_fen) AS fen FROM money_posting
          WHERE account IN ('payable', 'settled', 'payouts', 'advances', 'commission') GROUP BY 1, 2) b ON b.party_id = o.id
    WHERE {IN_REACH} AND (CAST(:supplier_id AS bigint) IS NULL OR o.id = :supplier_id) AND (CAST(:start AS bigint) IS NULL OR o.id > :start)
    GROUP BY o.id ORDER BY o.id LIMIT :rows
    """
)


def held_rows(
    session: Session, actor: Actor, *, supplier_id: int | None, hold: Hold | None, start: int | None, rows: int
) -> Sequence[Row[Any]]:
    """What is owed by now and has to wait, from posting ``start`` on."""
    today = clock.today()
    asked = parameters(config_of(session, today).settlement, until=today, supplier_id=supplier_id)
    return session.execute(_HELD, {**asked, **reach(actor), "hold": hold, "start": start, "rows": rows}).all()


def held(
    session: Session, actor: Actor, language: Language, *, supplier_id: int | None, hold: Hold | None, limit: int, after: str | None
) -> Page[HeldOut]:
    """What is owed by now to suppliers within reach and has to wait, each with why; oldest first."""
    start = paging.position(after, int)
    rows = held_rows(session, actor, supplier_id=supplier_id, hold=hold, start=start[0] if start else None, rows=limit + 1)
    fields = [name for name in HeldOut.model_fields if name != "why"]

    def shown(row: Row[Any]) -> HeldOut:
        return HeldOut(**{name: getattr(row, name) for name in fields}, why=why(Hold(row.hold), language))

    return paging.page(rows, limit, shown, lambda row: [row.posting_id])


def balances(session: Session, actor: Actor, *, supplier_id: int | None, limit: int, after: str | None) -> Page[BalanceOut]:
    """Where the money of each supplier within reach stands."""
    start = paging.position(after, int)
    values = {"supplier_id": supplier_id, "start": start[0] if start else None, "rows": limit + 1, **reach(actor)}
    return paging.page(session.execute(_BALANCES, values).all(), limit, _balance, lambda row: [row.supplier_id])


def dashboard(session: Session, actor: Actor, language: Language) -> DashboardOut:
    """Where the money of the caller's own organisation stands: what comes next, what is held and why, what was settled and paid.

    Raises:
        Forbidden: the caller belongs to none (403).
    """
    own, today = actor.organisation, clock.today()
    found = balances(session, actor, supplier_id=own, limit=1, after=None).items
    rules = config_of(session, today).settlement
    period = period_of(today, rules.period)
    sums = session.execute(_SUMS, {**parameters(rules, until=today, supplier_id=own), **reach(actor)}).all()
    name = session.execute(text("SELECT name FROM organisation WHERE id = :id"), {"id": own}).scalar_one()
    nothing = dict.fromkeys(("owed", "settled", "on_its_way", "paid", "advances", "commission"), 0)
    return DashboardOut(
        **(found[0].model_dump() if found else {"supplier_id": own, "supplier_name": name, **nothing}),
        next_period_start=period.first,
        next_period_end=period.last,
        next_due=sum(row.amount for row in sums if row.hold is None),
        held=[
            HeldSum(hold=Hold(row.hold), why=why(Hold(row.hold), language), lines=row.lines, amount=row.amount)
            for row in sums
            if row.hold is not None
        ],
        latest=statements.settlements(session, actor, supplier_id=own, limit=5).items,
    )


def _balance(row: Row[Any]) -> BalanceOut:
    return BalanceOut(**{name: getattr(row, name) for name in BalanceOut.model_fields})
