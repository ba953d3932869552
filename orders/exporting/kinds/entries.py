"""Single sales, with the names of everything in them."""

from sqlmodel import Session

from catalog.products.rules import unit_labels
from orders.exporting import words
from orders.exporting.kinds.filters import PERIOD, SaleParameters, check, filters_of
from orders.exporting.table import Column, Kind, Table, Type, of_sql, yuan_sql
from orders.ledger.booking import parent
from orders.ledger.queries import listed
from orders.ledger.selection import reach_of
from shop.core.errors import Language
from shop.core.quantities import Id, PastDay
from shop.identity.actor import Actor
from shop.identity.permissions import Permission

COLUMNS = [
    Column("id", "分录编号", "Entry", Type.WHOLE),
    Column("sold_on", "计入日期", "Counted on", Type.DATE),
    # only where the sale was told after its month was closed; else it counts on its own day
    Column("occurred_on", "销售日期（补报时）", "Sold on (where told late)", Type.DATE),
    Column("recorded_at", "入账时间", "Recorded at", Type.MOMENT),
    Column("source", "来源", "Source"),
    Column("direction", "方向", "Direction"),
    Column("origin_kind", "依据", "Origin"),
    Column("reverses_id", "冲销分录", "Reverses", Type.WHOLE),
    Column("order_id", "订单 ID", "Order id", Type.WHOLE),
    Column("order_number", "订单号", "Order"),
    Column("outlet_id", "网点 ID", "Outlet id", Type.WHOLE),
    Column("outlet_name", "网点", "Outlet"),
    Column("batch_number", "批次号", "Batch"),
    Column("line_number", "销售流水号", "Line of the till"),
    Column("claim_number", "申报单号", "Claim"),
    Column("product_id", "产品 ID", "Product id", Type.WHOLE),
    Column("product_name", "产品", "Product"),
    Column("sku_code", "规格编码", "SKU"),
    Column("pack", "规格", "Pack"),
    Column("unit", "单位", "Unit"),
    Column("kind", "商品或服务", "Goods or service"),
    Column("category", "类别", "Category"),
    Column("supplier_id", "供应商 ID", "Supplier id", Type.WHOLE),
    Column("supplier_name", "供应商", "Supplier"),
    Column("district_code", "区县代码", "District code"),
    Column("district_name", "区县", "District"),
    Column("township_code", "乡镇代码", "Township code"),
    Column("township_name", "乡镇", "Township"),
    Column("village", "村", "Village"),
    Column("certificate_number", "证书编号", "Certificate"),
    Column("certified", "认定产品", "Certified", Type.FLAG),
    Column("buyer_id", "采购单位 ID", "Buyer id", Type.WHOLE),
    Column("buyer_name", "采购单位", "Buyer"),
    Column("buyer_kind", "采购主体类型", "Kind of buyer"),
    Column("buyer_region_code", "采购单位所在地代码", "Buyer's region code"),
    Column("buyer_region_name", "采购单位所在地", "Buyer's region"),
    Column("fund_source", "经费来源", "Fund"),
    Column("mode", "销售模式", "Mode"),
    Column("relation", "帮扶关系", "Relation"),
    Column("channel", "销售渠道", "Channel"),
    Column("channel_basis", "渠道依据", "Basis of the channel"),
    Column("quantity", "数量", "Quantity", Type.QUANTITY),
    Column("grams", "净重（克）", "Net weight (g)", Type.WHOLE),
    Column("amount", "金额（元）", "Amount (yuan)", Type.MONEY),
]


#: SQL: the sale at the root of entry ``e``, made elsewhere: what a correction took back, or was booked again.
_ROOT = f"""
    CASE WHEN e.source = 'platform' THEN NULL
         WHEN {parent("e")} IS NULL THEN e.id
         ELSE (
            WITH RECURSIVE up (id, depth) AS (
                SELECT e.id, 0
                UNION ALL
                SELECT {parent("s")}, up.depth + 1 FROM up JOIN sale_entry s ON s.id = up.id WHERE {parent("s")} IS NOT NULL)
            SELECT id FROM up ORDER BY depth DESC LIMIT 1) END
"""  # noqa: S608
_LINE = (
    "FROM sale_entry s JOIN sales_batch_line l ON l.id = s.origin_id JOIN sales_batch b ON b.id = l.batch_id"
    " WHERE s.id = e.root_id AND s.origin_kind = 'outlet_line'"
)
_CLAIM = (
    "FROM sale_entry s JOIN external_sale_line l ON l.id = s.origin_id JOIN external_sale x ON x.id = l.sale_id"
    " WHERE s.id = e.root_id AND s.origin_kind = 'external_line'"
)
#: SQL: what is no column of an entry itself. Each is asked for by its key, and only where rows are shown.
_WORKED_OUT = {
    "amount": yuan_sql("e.amount_fen"),
    "district_name": "(SELECT name_{language} FROM region WHERE code = e.district_code)",
    "township_name": "(SELECT name_{language} FROM region WHERE code = e.township_code)",
    "buyer_region_name": "(SELECT name_{language} FROM region WHERE code = e.buyer_region_code)",
    "outlet_name": "(SELECT name FROM outlet WHERE id = e.outlet_id)",
    "batch_number": f"(SELECT b.batch_id {_LINE})",
    "line_number": f"(SELECT l.line_id {_LINE})",
    "claim_number": f"(SELECT x.number {_CLAIM})",
}


class EntriesIn(SaleParameters):
    """The filters of ``/v1/sale-entries``."""

    order_id: Id | None = None
    known_on: PastDay | None = None


def _table(session: Session, actor: Actor, asked: EntriesIn, language: Language) -> Table:
    selection = filters_of(asked).selection(session, asked.known_on)
    sql, values = listed(reach_of(actor), selection, order_id=asked.order_id)
    plain = ", ".join(f"e.{column.name}" for column in COLUMNS if column.name not in _WORKED_OUT)
    more = ", ".join(f"{taken.format(language=language)} AS {name}" for name, taken in _WORKED_OUT.items())
    rooted = f"SELECT e.*, {_ROOT} AS root_id FROM ({sql}) e"  # noqa: S608
    named = f"SELECT {plain}, {more} FROM ({rooted}) e"  # noqa: S608
    return of_sql(session, "销售分录" if language == "zh" else "Sales", _spoken(session, language), named, values, "sold_on, id")


def _spoken(session: Session, language: Language) -> list[Column]:
    term = words.of_terms(session, language)
    of_group = {name: term(name) for name in ("source", "kind", "category", "fund_source", "mode", "relation", "channel")}
    told = {
        **of_group,
        "direction": words.in_language(words.DIRECTIONS, language),
        "origin_kind": words.in_language(words.ORIGINS, language),
        "unit": unit_labels(language),
        "buyer_kind": term("organisation_kind"),
        "channel_basis": {**term("organisation_role"), **words.in_language(words.BASES, language)},
    }
    return words.spoken(COLUMNS, told)


KIND = Kind(Permission.STATISTICS_READ, EntriesIn, _table, PERIOD, check=check)
