"""What is due of an order, counted anew and written down."""

from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Any

from sqlalchemy import text
from sqlmodel import Session

from orders.money.queries import CASH_KINDS, NOT_ARRIVED, PAID
from orders.terms import rules
from orders.terms.queries import COST_OF_PART, read, shown
from orders.terms.rules import Due, Part
from orders.terms.schemas import DueOut, PaymentTerms
from shop.core import clock
from shop.core.db import array

_LOCK = text(
    "SELECT 1 FROM payment_plan WHERE purchase_order_id = ANY (CAST(:ids AS bigint[])) ORDER BY purchase_order_id FOR NO KEY UPDATE"
)
# What was accepted or taken back on which day is what the money ledger says that the buyer owes for each part.
_FACTS = text(
    f"""
    WITH head AS MATERIALIZED (
        SELECT p.purchase_order_id, p.terms, p.extended_days, po.placed_at, {PAID.format(order="po.id")} AS paid_fen,
               {NOT_ARRIVED.format(order="po.id")} AS not_arrived_fen
        FROM payment_plan p JOIN purchase_order po ON po.id = p.purchase_order_id WHERE po.id = ANY (CAST(:ids AS bigint[]))
    )
    SELECT head.*, so.id AS part_id, so.confirmed_at, {COST_OF_PART} AS cost_fen, booked.days, booked.amounts
    FROM head JOIN supplier_order so ON so.purchase_order_id = head.purchase_order_id
    CROSS JOIN LATERAL (
        SELECT array_agg(d.booked_on ORDER BY d.booked_on) AS days, array_agg(d.fen ORDER BY d.booked_on) AS amounts FROM (
            SELECT mt.booked_on, sum(mp.amount_fen)::bigint AS fen
            FROM money_posting mp JOIN money_transaction mt ON mt.id = mp.transaction_id
            WHERE mp.supplier_order_id = so.id AND mp.account = 'receivable' AND mt.kind NOT IN ({CASH_KINDS}) GROUP BY mt.booked_on
        ) d WHERE d.fen <> 0
    ) booked
    ORDER BY head.purchase_order_id, so.id
    """  # noqa: S608
)
_COLUMNS = "purchase_order_id, supplier_order_id, position, counted_from, due_on, amount_fen, paid_fen, arrived_fen"
_WANTED = f"""
    SELECT * FROM unnest(CAST(:orders AS bigint[]), CAST(:parts AS bigint[]), CAST(:positions AS int[]), CAST(:counted_from AS text[]),
        CAST(:days AS date[]), CAST(:amounts AS bigint[]), CAST(:paid AS bigint[]),
        CAST(:arrived AS bigint[])) AS u ({_COLUMNS})
"""  # noqa: S608
_WRITE = text(
    f"""
    WITH wanted AS ({_WANTED}), gone AS (
        DELETE FROM payment_due d WHERE d.purchase_order_id = ANY (CAST(:ids AS bigint[]))
          AND NOT EXISTS (SELECT FROM wanted w WHERE w.purchase_order_id = d.purchase_order_id AND w.position = d.position)
    ), counted AS (
        UPDATE payment_plan SET counted_at = :now WHERE purchase_order_id = ANY (CAST(:ids AS bigint[])) AND counted_at IS NULL
    )
    INSERT INTO payment_due AS d ({_COLUMNS}) SELECT * FROM wanted
    ON CONFLICT (purchase_order_id, position) DO UPDATE SET supplier_order_id = excluded.supplier_order_id,
        counted_from = excluded.counted_from, due_on = excluded.due_on, amount_fen = excluded.amount_fen, paid_fen = excluded.paid_fen,
        arrived_fen = excluded.arrived_fen
    WHERE (d.supplier_order_id, d.counted_from, d.due_on, d.amount_fen, d.paid_fen, d.arrived_fen) IS DISTINCT FROM
          (excluded.supplier_order_id, excluded.counted_from, excluded.due_on, excluded.amount_fen, excluded.paid_fen, excluded.arrived_fen)
    """  # noqa: S608
)
_PLAN = text(
    f"""
    WITH plan AS (
        INSERT INTO payment_plan (purchase_order_id, kind, terms, counted_at) VALUES (:id, :kind, CAST(:terms AS jsonb), :now)
    )
    INSERT INTO payment_due ({_COLUMNS}) {_WANTED}
    """  # noqa: S608
)
_UNCOUNTED = text(
    "SELECT purchase_order_id FROM payment_plan WHERE counted_at IS NULL ORDER BY purchase_order_id LIMIT :most FOR NO KEY UPDATE SKIP LOCKED"
)


def settle_terms(session: Session, purchase_order_id: int, terms: PaymentTerms, costs: dict[int, int]) -> list[DueOut]:
    """Write the settled terms of an order that is being placed, and its dues. ``costs``: of each part, in fen."""
    parts = [Part(part_id, fen) for part_id, fen in costs.items()]
    dues = rules.dues_of(parts, rules.shares_of(terms), clock.today(), 0)
    plan = {"id": purchase_order_id, "kind": terms.kind, "terms": terms.model_dump_json(), "now": clock.now()}
    session.execute(_PLAN, {**plan, **_values([(purchase_order_id, dues)])})
    return [shown(due.part_id, due.after, due.due_on, due.amount_fen, due.paid_fen, due.arrived_fen) for due in dues]


def count(session: Session, purchase_order_ids: Sequence[int]) -> None:
    """Count the dues of orders anew. Whoever does the same for one of them waits, and then sees what this transaction wrote."""
    if not purchase_order_ids:
        return
    ids = array(purchase_order_ids)
    session.execute(_LOCK, {"ids": ids})
    rows = session.execute(_FACTS, {"ids": ids}).all()
    found = [(order_id, _dues(list(parts))) for order_id, parts in groupby(rows, lambda row: int(row.purchase_order_id))]
    session.execute(_WRITE, {"ids": ids, "now": clock.now(), **_values(found)})


def catch_up(session: Session, most: int = 500) -> int:
    """Count the dues of orders that were placed before there were any; returns how many. Safe to run at any time."""
    ids = list(session.execute(_UNCOUNTED, {"most": most}).scalars())
    count(session, ids)
    return len(ids)


def _dues(rows: Sequence[Any]) -> list[Due]:
    head = rows[0]
    parts = [
        Part(
            row.part_id,
            row.cost_fen,
            clock.shanghai_date(row.confirmed_at) if row.confirmed_at else None,
            tuple(zip(row.days or (), row.amounts or (), strict=True)),
        )
        for row in rows
    ]
    shares = rules.shares_of(read(head.terms), head.extended_days)
    return rules.dues_of(parts, shares, clock.shanghai_date(head.placed_at), head.paid_fen, head.not_arrived_fen)


def _values(found: Iterable[tuple[int, list[Due]]]) -> dict[str, Any]:
    """The dues of orders as the columns of ``_WANTED``."""
    listed = [(order_id, position, due) for order_id, dues in found for position, due in enumerate(dues, start=1)]
    return {
        "orders": array(order_id for order_id, _, _ in listed),
        "parts": array(due.part_id for _, _, due in listed),
        "positions": array(position for _, position, _ in listed),
        "counted_from": [due.after for _, _, due in listed],
        "days": [due.due_on for _, _, due in listed],
        "amounts": array(due.amount_fen for _, _, due in listed),
        "paid": array(due.paid_fen for _, _, due in listed),
        "arrived": array(due.arrived_fen for _, _, due in listed),
    }
