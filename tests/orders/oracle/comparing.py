"""What the database says of one school's orders, held against the telling of them."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import text
from sqlmodel import Session

from orders.ledger.selection import Dimension, Reach, Selection
from orders.purchasing.queries.costs import PAYABLE_AND_PAID
from orders.statistics.queries import ask
from orders.statistics.question import Measure, Question
from shop.core import clock
from tests.orders.oracle.telling import AGREED_PRICE, LIMIT, MOST_CALLED_OFF, ORANGES, Tale

COUNTED = ("id", "status", "freight", "quantity", "shipped", "accepted", "rejected", "missing")
SUMMED = (Measure.AMOUNT, Measure.TONNES, Measure.QUANTITY)


def rows(session: Session, statement: str, **values: Any) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in session.execute(text(statement), values)]


@dataclass
class Compared:
    """Where the telling's things are: SKUs and suppliers by goods, the budget and the agreement's line."""

    skus: list[int]
    suppliers: list[int]
    budget_id: int
    agreement_line: int

    def counters(self, session: Session, tale: Tale) -> None:
        """Stock, budget and cap."""
        for goods, held in tale.stock.items():
            assert rows(session, "SELECT on_hand, reserved FROM stock WHERE sku_id = :s", s=self.skus[goods]) == [tuple(held)]
        [drawn] = rows(session, "SELECT reserved_fen, consumed_fen FROM budget WHERE id = :id", id=self.budget_id)
        assert drawn == tale.drawn
        assert sum(drawn) <= LIMIT
        [(called_off, fen)] = rows(
            session,
            "SELECT coalesce(sum(quantity), 0), coalesce(sum(amount_fen), 0) FROM agreement_drawn WHERE agreement_line_id = :id",
            id=self.agreement_line,
        )
        assert (called_off, fen) == (tale.called_off, tale.called_off * AGREED_PRICE[ORANGES])
        assert called_off - tale.found_since <= MOST_CALLED_OFF

    def records(self, session: Session, tale: Tale) -> None:
        """Parts with their quantities, what is due, requests and returns."""
        found = rows(
            session,
            "SELECT so.id, so.status, so.freight_fen, l.quantity, l.shipped_quantity, l.accepted_quantity, l.rejected_quantity,"
            " l.difference_quantity FROM supplier_order so JOIN order_line l ON l.supplier_order_id = so.id WHERE so.id = ANY (:ids)",
            ids=[part.id for part in tale.parts],
        )
        assert sorted(found) == sorted(tuple(getattr(part, name) for name in COUNTED) for part in tale.parts)
        for order in tale.orders:
            assert session.execute(PAYABLE_AND_PAID, {"id": order.id}).one().payable == sum(part.due_fen for part in order.parts)
        for table, told in (("purchase_request", tale.requests), ("goods_return", tale.backs)):
            statuses = rows(session, f"SELECT id, status FROM {table} WHERE id = ANY (:ids)", ids=[each.id for each in told])
            assert dict(statuses) == {each.id: each.status for each in told}

    def ledger(self, session: Session, tale: Tale, column: str, key: str) -> None:
        """What was sold, in fen, grams and units, by a column of the ledger or the order."""
        found = rows(
            session,
            f"SELECT {column}, sum(e.amount_fen), sum(e.grams), sum(e.quantity)"
            " FROM sale_entry e JOIN purchase_order po ON po.id = e.order_id WHERE e.supplier_id = ANY (:ids) GROUP BY 1",
            ids=self.suppliers,
        )
        assert {name: tuple(sums) for name, *sums in found if any(sums)} == tale.sums(key)

    def figures(self, session: Session, tale: Tale) -> None:
        """The statistics, whatever part of them is stored by now."""
        today = clock.today()
        selection = Selection(today, today, {Dimension.SUPPLIER: self.suppliers})
        for group in ((Dimension.DISTRICT,), (Dimension.DISTRICT, Dimension.MONTH)):
            answer = ask(session, Question(selection, group, SUMMED, Reach(("",))))
            found = {key[0]: tuple(row[0].value(measure) for measure in SUMMED) for key, row in answer.rows.items()}
            assert {key: sums for key, sums in found.items() if any(sums)} == tale.sums("district")
