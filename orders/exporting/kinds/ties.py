"""Whether the accounts of orders tie (账账相符): one row for each part of an order."""

from sqlmodel import Session

from orders.exporting import words
from orders.exporting.table import Column, Kind, Table, Type, of_sql, yuan_sql
from orders.ties.queries.orders import listed
from orders.ties.rules import REASONS
from orders.ties.schemas import TiesAsked
from shop.core.errors import Language
from shop.identity.actor import Actor
from shop.identity.permissions import Permission
from shop.identity.schemas import In

_AMOUNTS = {
    "ordered": ("订单（元）", "Order (yuan)"),
    "contracted": ("合同（元）", "Contract (yuan)"),
    "shipped": ("发货（元）", "Shipped (yuan)"),
    "accepted": ("验收（元）", "Accepted (yuan)"),
    "booked": ("统计（元）", "Statistics (yuan)"),
    "allowed": ("争议退款（元）", "Given back by disputes (yuan)"),
    "invoiced": ("发票（元）", "Invoiced (yuan)"),
    "invoice_difference": ("发票差额（元）", "Invoices beyond what is owed (yuan)"),
    "payable": ("应付（元）", "Payable (yuan)"),
    "paid": ("已付（元）", "Paid (yuan)"),
    "overpaid": ("订单多付（元）", "Overpaid for the order (yuan)"),
}
_COLUMNS = [
    Column("number", "订单号", "Order"),
    Column("placed_at", "下单时间", "Placed at", Type.MOMENT),
    Column("buyer_name", "采购单位", "Buyer"),
    Column("supplier_name", "供应商", "Supplier"),
    Column("status", "状态", "Status"),
    Column("contract_number", "合同号", "Contract"),
    Column("waybills", "运单号", "Waybills"),
    *(Column(name, zh, en, Type.MONEY) for name, (zh, en) in _AMOUNTS.items()),
    Column("reasons", "不符原因", "What does not tie"),
]


class TiesIn(TiesAsked, In):
    """The filters of ``/v1/ties``."""


def _table(session: Session, actor: Actor, asked: TiesIn, language: Language) -> Table:
    sql, values = listed(actor, asked)
    amounts = ", ".join(f"{yuan_sql(f't.{name}_fen')} AS {name}" for name in _AMOUNTS)
    told = {f"reason_{code}": words[0 if language == "zh" else 1] for code, words in REASONS.items()}
    cases = " ".join(f"WHEN '{code}' THEN CAST(:reason_{code} AS text)" for code in REASONS)
    shown = f"""
        SELECT t.id, t.number, t.placed_at, t.buyer_name, t.supplier_name, t.status, t.contract_number, array_to_string(t.waybills, ' ') AS waybills,
               {amounts}, (SELECT string_agg(CASE code {cases} END, '; ') FROM unnest(t.reasons) AS code) AS reasons
        FROM ({sql}) t
    """  # noqa: S608
    columns = words.spoken(_COLUMNS, {"status": words.of_terms(session, language)("supplier_order_status")})
    return of_sql(session, "账账相符" if language == "zh" else "Ties", columns, shown, {**values, **told}, "id")


KIND = Kind(Permission.TIES_READ, TiesIn, _table, ("placed_from", "placed_to"))
