"""A market with a history: orders, deliveries, acceptances and their sales, written in bulk and consistent to the fen."""

import random
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import insert, text
from sqlmodel import Session, SQLModel

import shop.tables  # noqa: F401  foreign keys need every table
from catalog.stock.models import StockMovement
from orders.fulfilment.models import Acceptance, AcceptanceLine, Shipment, ShipmentLine
from orders.ledger.actions import book_acceptances
from orders.payments import actions as payments
from orders.payments.models import Payment
from orders.purchasing.models import OrderLine, PurchaseOrder, SupplierOrder
from shop.core.money import line_amount, vat_in_gross
from shop.identity.models import Organisation, User
from shop.identity.permissions import Role
from tests.factories.catalog import MadeProduct, make_product
from tests.factories.identity import make_organisation, make_supplier, make_user

DISTRICTS = ["500236", "500240", "500242", "500101", "500118"]
CATEGORIES = ["fruit", "honey", "tea"]
PRICE = 1234
NET_GRAMS = 750


@dataclass
class Goods:
    made: MadeProduct
    supplier: Organisation
    district: str
    category: str


@dataclass
class Trade:
    """Who trades what."""

    buyers: list[Organisation]
    goods: list[Goods]
    clerk: User
    order_ids: list[int] = field(default_factory=list)
    acceptance_ids: list[int] = field(default_factory=list)


def make_trade(session: Session, *, stock: int = 1_000_000) -> Trade:
    """A school in the paired district, an agency, an enterprise, one in Shandong and a member of a municipal group; six suppliers."""
    group = session.execute(text("SELECT supporter_id FROM support_relation WHERE kind = 'municipal_group' LIMIT 1")).scalar_one()
    buyers = [
        make_organisation(session, kind="school", role="school", region_code="500106"),
        make_organisation(session, kind="agency", role="budget_unit", region_code="500112"),
        make_organisation(session, kind="enterprise", role="enterprise", region_code="500103"),
        make_organisation(session, kind="enterprise", role="enterprise", region_code="371600"),
        make_organisation(session, kind="enterprise", role="group_member", region_code="500103", supporter_id=group),
    ]
    goods = []
    for n, district in enumerate([*DISTRICTS, DISTRICTS[0]]):
        supplier = make_supplier(session, district)
        for category in CATEGORIES[: 1 + n % 3]:
            made = make_product(
                session,
                supplier,
                category=category,
                district_code=district,
                prices=((1, PRICE),),
                stock=stock,
                net_grams=NET_GRAMS,
                vat_bp=900,
            )
            goods.append(Goods(made, supplier, district, category))
    return Trade(buyers, goods, make_user(session, Role.PURCHASER, buyers[0]))


def sell(session: Session, trade: Trade, orders: int, *, first: date, last: date, seed: int = 1, book: bool = True) -> list[int]:
    """So many orders, accepted on random days between two dates; some are shipped in two parts in different months, some lines are partly
    rejected, every fifth order is paid, every tenth is still open. Returns the acceptances; with ``book`` they are in the ledger."""
    chance = random.Random(seed)
    rows = _Rows(session)
    for _ in range(orders):
        _order(rows, chance, trade, first, last)
    rows.write()
    trade.acceptance_ids += rows.acceptance_ids
    if book and rows.acceptance_ids:
        book_acceptances(session, rows.acceptance_ids)
    return rows.acceptance_ids


class _Rows:
    """Rows of all tables, collected, then written with one statement a table."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.rows: dict[type[SQLModel], list[dict[str, Any]]] = {}
        self.acceptance_ids: list[int] = []
        self._ids: dict[type[SQLModel], list[int]] = {}

    def add(self, model: type[SQLModel], **values: Any) -> int:
        made = self._next(model)
        self.rows.setdefault(model, []).append({"id": made, **values})
        return made

    def _next(self, model: type[SQLModel]) -> int:
        if not self._ids.get(model):
            sequence = text("SELECT nextval(pg_get_serial_sequence(:table, 'id')) FROM generate_series(1, 500)")
            self._ids[model] = list(self.session.execute(sequence, {"table": model.__tablename__}).scalars())[::-1]
        return self._ids[model].pop()

    def write(self) -> None:
        for model in (
            PurchaseOrder,
            SupplierOrder,
            OrderLine,
            Shipment,
            ShipmentLine,
            Acceptance,
            AcceptanceLine,
            StockMovement,
            Payment,
        ):
            if self.rows.get(model):
                self.session.execute(insert(model), self.rows[model])
        payments.book(self.session, [row["id"] for row in self.rows.get(Payment, [])])
        plans = 'INSERT INTO payment_plan (purchase_order_id, kind, terms) SELECT id, \'net\', \'{"kind": "net", "days": 30}\' FROM purchase_order'
        self.session.execute(text(f"{plans} ON CONFLICT DO NOTHING"))
        self.session.execute(
            text(
                "UPDATE stock s SET on_hand = m.on_hand, reserved = m.reserved FROM (SELECT sku_id, sum(on_hand) AS on_hand,"
                " sum(reserved) AS reserved FROM stock_movement GROUP BY sku_id) m WHERE m.sku_id = s.sku_id"
            )
        )


def _order(rows: _Rows, chance: random.Random, trade: Trade, first: date, last: date) -> None:
    buyer = chance.choice(trade.buyers)
    chosen = chance.sample(trade.goods, chance.randint(1, 5))
    quantities = [Decimal(chance.randint(1, 40)) for _ in chosen]
    amounts = [line_amount(quantity, PRICE) for quantity in quantities]
    day = first + timedelta(days=chance.randint(0, (last - first).days))
    placed = _noon(day) - timedelta(days=chance.randint(1, 20))
    order_id = rows.add(
        PurchaseOrder,
        number=f"H{rows._next(PurchaseOrder)}",
        buyer_id=buyer.id,
        ordering_unit_id=buyer.id,
        placed_by=trade.clerk.id,
        programme_code="chongqing-2021",
        fund_source=chance.choice(["canteen", "union"]),
        platform="social_network" if chance.random() < 0.1 else "marketplace",
        delivery_address="重庆市",
        line_count=len(chosen),
        total_fen=sum(amounts),
        total_grams=sum(int(q) * NET_GRAMS for q in quantities),
        placed_at=placed,
    )
    trade.order_ids.append(order_id)
    status = "confirmed" if chance.random() < 0.1 else "accepted"
    by_supplier: dict[int, list[tuple[Goods, Decimal, int, int]]] = {}
    for n, (goods, quantity, amount) in enumerate(zip(chosen, quantities, amounts, strict=True), 1):
        by_supplier.setdefault(goods.supplier.id, []).append((goods, quantity, amount, n))
    for supplier_id, lines in sorted(by_supplier.items()):
        supplier_order_id = rows.add(
            SupplierOrder,
            purchase_order_id=order_id,
            supplier_id=supplier_id,
            status=status,
            total_fen=sum(line[2] for line in lines),
            total_grams=sum(int(line[1]) * NET_GRAMS for line in lines),
        )
        _deliver(rows, chance, trade, order_id, supplier_order_id, lines, status, day, last)
    if status == "accepted" and chance.random() < 0.2:
        rows.add(
            Payment,
            purchase_order_id=order_id,
            amount_fen=sum(amounts),
            bank_reference=f"B{order_id}",
            payer_name=buyer.name,
            paid_on=day,
            recorded_by=trade.clerk.id,
            recorded_at=_noon(day),
        )


def _deliver(
    rows: _Rows,
    chance: random.Random,
    trade: Trade,
    order_id: int,
    supplier_order_id: int,
    lines: list[tuple[Goods, Decimal, int, int]],
    status: str,
    day: date,
    last: date,
) -> None:
    """Lines with what was shipped and accepted of them, in one or two deliveries some weeks apart."""
    parts = [Decimal(1)] if chance.random() < 0.7 else [Decimal("0.5"), Decimal("0.5")]
    line_ids = []
    for goods, quantity, amount, number in lines:
        rejected = Decimal(1) if quantity > 2 and chance.random() < 0.1 and len(parts) == 1 else Decimal(0)
        done = status == "accepted"
        line_id = rows.add(
            OrderLine,
            purchase_order_id=order_id,
            supplier_order_id=supplier_order_id,
            line_no=number,
            sku_id=goods.made.sku_id,
            product_id=goods.made.product_id,
            certificate_id=goods.made.certificate_id,
            quantity=quantity,
            unit_price_fen=PRICE,
            amount_fen=amount,
            vat_bp=900,
            vat_fen=vat_in_gross(amount, 900),
            grams=int(quantity) * NET_GRAMS,
            shipped_quantity=quantity if done else 0,
            accepted_quantity=quantity - rejected if done else 0,
            rejected_quantity=rejected if done else 0,
        )
        line_ids.append((line_id, goods, quantity, rejected))
        rows.add(
            StockMovement,
            sku_id=goods.made.sku_id,
            kind="reserve",
            on_hand=0,
            reserved=quantity,
            order_line_id=line_id,
            at=_noon(day),
        )
    if status != "accepted":
        return
    sent = dict.fromkeys((line[0] for line in line_ids), Decimal(0))
    for n, share in enumerate(parts):
        on = _noon(min(last, day + timedelta(days=25 * n)))
        shipment_id = rows.add(Shipment, supplier_order_id=supplier_order_id, shipped_by=trade.clerk.id, shipped_at=on)
        acceptance_id = rows.add(
            Acceptance, shipment_id=shipment_id, supplier_order_id=supplier_order_id, accepted_by=trade.clerk.id, accepted_at=on
        )
        rows.acceptance_ids.append(acceptance_id)
        for line_id, goods, quantity, rejected in line_ids:
            part = quantity - sent[line_id] if n == len(parts) - 1 else quantity * share // 1
            if not part:
                continue
            before = sent[line_id]
            sent[line_id] += part
            rows.add(ShipmentLine, shipment_id=shipment_id, order_line_id=line_id, quantity=part, grams=int(part) * NET_GRAMS)
            rows.add(
                AcceptanceLine,
                acceptance_id=acceptance_id,
                order_line_id=line_id,
                accepted_quantity=part - rejected,
                accepted_grams=int(part - rejected) * NET_GRAMS,
                rejected_quantity=rejected,
                rejected_grams=int(rejected) * NET_GRAMS,
                amount_fen=line_amount(before + part - rejected, PRICE) - line_amount(before, PRICE),
                reason="破损" if rejected else None,
            )
            rows.add(
                StockMovement, sku_id=goods.made.sku_id, kind="ship", on_hand=-part, reserved=-part, order_line_id=line_id, at=on
            )


def _noon(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, 4, tzinfo=UTC)
