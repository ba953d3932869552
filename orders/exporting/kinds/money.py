"""What is due, and what was paid."""

from sqlmodel import Session

from orders.exporting import words
from orders.exporting.table import Column, Kind, Table, Type, of_sql, yuan_sql
from orders.money.queries.reach import reach
from orders.terms.queries import listed
from orders.terms.schemas import DUE_STATUS, DueFilter
from shop.core.errors import Language
from shop.core.quantities import Day, Id
from shop.identity.actor import Actor
from shop.identity.permissions import Permission
from shop.identity.schemas import In

_DUES = [
    Column("number", "订单号", "Order"),
    Column("buyer_name", "采购单位", "Buyer"),
    Column("supplier_name", "供应商", "Supplier"),
    Column("due_on", "到期日", "Due on", Type.DATE),
    Column("status", "状态", "Status"),
    Column("overdue_days", "逾期天数", "Days overdue", Type.WHOLE),
    Column("amount", "金额（元）", "Amount (yuan)", Type.MONEY),
    Column("arrived", "已到账（元）", "Arrived (yuan)", Type.MONEY),
    Column("announced", "已登记未到账（元）", "Announced (yuan)", Type.MONEY),
    Column("open", "未付（元）", "Open (yuan)", Type.MONEY),
]
_PAYMENTS = [
    Column("number", "订单号", "Order"),
    Column("buyer_name", "采购单位", "Buyer"),
    Column("paid_on", "付款日期", "Paid on", Type.DATE),
    Column("method", "方式", "Method"),
    Column("source", "依据", "Source"),
    Column("bank_reference", "银行流水号", "Bank reference"),
    Column("payer_name", "付款人", "Payer"),
    Column("recorded_at", "登记时间", "Recorded at", Type.MOMENT),
    Column("arrived", "已到账", "Arrived", Type.FLAG),
    Column("undone", "已撤销", "Undone", Type.FLAG),
    Column("amount", "金额（元）", "Amount (yuan)", Type.MONEY),
]
#: What buyers paid is their own side's, and the keepers' of the money.
_PAID = f"""
    SELECT p.id, po.number, buyer.name AS buyer_name, p.paid_on, p.method, p.source, p.bank_reference, p.payer_name, p.recorded_at,
           p.source <> 'announced' OR p.shown_at IS NOT NULL AS arrived, p.undone_at IS NOT NULL AS undone, {yuan_sql("p.amount_fen")} AS amount
    FROM payment p
    JOIN purchase_order po ON po.id = p.purchase_order_id
    JOIN organisation buyer ON buyer.id = po.buyer_id
    JOIN organisation unit ON unit.id = po.ordering_unit_id
    WHERE (buyer.path LIKE CAST(:branch AS text) OR unit.path LIKE CAST(:branch AS text)
           OR buyer.region_code LIKE ANY (CAST(:regions AS text[])))
      AND (CAST(:buyer_id AS bigint) IS NULL OR po.buyer_id = :buyer_id)
      AND (CAST(:paid_from AS date) IS NULL OR p.paid_on >= :paid_from)
      AND (CAST(:paid_to AS date) IS NULL OR p.paid_on <= :paid_to)
"""  # noqa: S608


class DuesIn(DueFilter, In):
    """The filters of ``/v1/dues``."""


class PaymentsIn(In):
    """Payments for the own branch's orders, or those of a region's buyers."""

    buyer_id: Id | None = None
    paid_from: Day | None = None
    paid_to: Day | None = None


def _dues(session: Session, actor: Actor, asked: DuesIn, language: Language) -> Table:
    sql, values = listed(actor, asked)
    amounts = ", ".join(f"{yuan_sql(f'd.{name}_fen')} AS {name}" for name in ("amount", "arrived", "announced", "open"))
    shown = f"SELECT d.id, d.sorted_on, d.number, d.buyer_name, d.supplier_name, d.due_on, d.status, d.overdue_days, {amounts} FROM ({sql}) d"  # noqa: S608
    columns = words.spoken(_DUES, {"status": words.in_language(DUE_STATUS, language)})
    return of_sql(session, "应付账款" if language == "zh" else "Dues", columns, shown, values, "sorted_on, id")


def _payments(session: Session, actor: Actor, asked: PaymentsIn, language: Language) -> Table:
    values = {**reach(actor), **asked.model_dump()}
    told = {"method": words.in_language(words.METHODS, language), "source": words.in_language(words.PAID_FROM, language)}
    return of_sql(session, "付款" if language == "zh" else "Payments", words.spoken(_PAYMENTS, told), _PAID, values, "id")


DUES = Kind(Permission.MONEY_READ, DuesIn, _dues, ("due_from", "due_to"))
PAYMENTS = Kind(Permission.MONEY_READ, PaymentsIn, _payments, ("paid_from", "paid_to"))
