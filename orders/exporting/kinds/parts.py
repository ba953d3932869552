"""Orders, one row for each part that one supplier delivers."""

from sqlmodel import Session

from orders.exporting import words
from orders.exporting.table import Column, Kind, Table, Type, of_sql, yuan_sql
from orders.ledger.rules import FundSource
from orders.purchasing.queries import IN_REACH, PAYABLE, SIDES, reach
from orders.purchasing.states import SupplierOrderStatus
from shop.core import clock
from shop.core.errors import Language
from shop.core.quantities import Day, Id
from shop.identity.actor import Actor
from shop.identity.permissions import Permission
from shop.identity.schemas import In

_COLUMNS = [
    Column("number", "订单号", "Order"),
    Column("placed_at", "下单时间", "Placed at", Type.MOMENT),
    Column("buyer_name", "采购单位", "Buyer"),
    Column("supplier_name", "供应商", "Supplier"),
    Column("status", "状态", "Status"),
    Column("fund_source", "经费来源", "Fund"),
    Column("deliver_by", "要求到货日期", "Wanted by", Type.DATE),
    Column("lines", "明细行数", "Lines", Type.WHOLE),
    Column("grams", "净重（克）", "Net weight (g)", Type.WHOLE),
    Column("goods", "货款（元）", "Goods (yuan)", Type.MONEY),
    Column("freight", "运费（元）", "Freight (yuan)", Type.MONEY),
    Column("payable", "应付（元）", "Payable (yuan)", Type.MONEY),
]
_SQL = f"""
    SELECT so.id, po.number, po.placed_at, buyer.name AS buyer_name, supplier.name AS supplier_name, so.status, po.fund_source,
           coalesce(so.deliver_by, po.deliver_by) AS deliver_by, (SELECT count(*) FROM order_line l WHERE l.supplier_order_id = so.id) AS lines,
           so.total_grams AS grams, {yuan_sql("so.total_fen")} AS goods, {yuan_sql("so.freight_fen")} AS freight,
           {yuan_sql(f"({PAYABLE})")} AS payable
    FROM supplier_order so {SIDES}
    WHERE {IN_REACH}
      AND (CAST(:buyer_id AS bigint) IS NULL OR po.buyer_id = :buyer_id)
      AND (CAST(:supplier_id AS bigint) IS NULL OR so.supplier_id = :supplier_id)
      AND (CAST(:status AS text) IS NULL OR so.status = :status)
      AND (CAST(:fund_source AS text) IS NULL OR po.fund_source = :fund_source)
      AND (CAST(:placed_from AS timestamptz) IS NULL OR po.placed_at >= :placed_from)
      AND (CAST(:placed_until AS timestamptz) IS NULL OR po.placed_at < :placed_until)
"""  # noqa: S608


class OrdersIn(In):
    """Orders of the own branch or region, bought or delivered."""

    buyer_id: Id | None = None
    supplier_id: Id | None = None
    status: SupplierOrderStatus | None = None
    fund_source: FundSource | None = None
    placed_from: Day | None = None
    placed_to: Day | None = None


def _table(session: Session, actor: Actor, asked: OrdersIn, language: Language) -> Table:
    values = {
        **reach(actor),
        **asked.model_dump(exclude={"placed_from", "placed_to"}),
        "placed_from": clock.start_of_day(asked.placed_from) if asked.placed_from else None,
        "placed_until": clock.end_of_day(asked.placed_to) if asked.placed_to else None,
    }
    term = words.of_terms(session, language)
    columns = words.spoken(_COLUMNS, {"status": term("supplier_order_status"), "fund_source": term("fund_source")})
    return of_sql(session, "订单" if language == "zh" else "Orders", columns, _SQL, values, "id")


KIND = Kind(Permission.ORDERS_READ, OrdersIn, _table, ("placed_from", "placed_to"))
