"""What a purchase order may be refused for."""

from shop.core.errors import CONSTRAINTS, Conflict, Forbidden, Invalid


class LinesRefused(Invalid):
    """One or more lines cannot be met; ``errors`` names each with its reason. Nothing was ordered."""

    code = "lines_refused"
    zh = "订单未提交：有 {count} 行不能满足"
    en = "Nothing was ordered: {count} line(s) cannot be met"


class BuyerNotApproved(Conflict):
    code = "buyer_not_approved"
    zh = "采购单位尚未通过审核"
    en = "The buying organisation is not approved"


class OutsideProgramme(Conflict):
    code = "outside_programme"
    zh = "当前日期没有生效的方案"
    en = "No programme is in force today"


class NotYourUnit(Forbidden):
    code = "not_your_unit"
    zh = "只能为本单位及下级单位下单"
    en = "Orders are placed for the own unit or one below it"


class AboveApproved(Conflict):
    code = "above_approved"
    zh = "现价合计 {total} 元，超过审批金额 {approved} 元，请重新提交审批"
    en = "It costs {total} yuan by now and was approved up to {approved}; hand it in again"


class UnknownRelation(Invalid):
    code = "unknown_relation"
    zh = "所填帮扶关系不存在"
    en = "The declared support relation does not exist"


class StockMoved(Conflict):
    code = "stock_moved"
    zh = "库存刚刚发生变化，请重试"
    en = "The stock changed this moment; try again"


class RowsRefused(Invalid):
    """Rows of an uploaded spreadsheet that name no orderable product; ``errors`` gives row and column."""

    code = "rows_refused"
    zh = "订单未提交：表格有 {count} 处错误"
    en = "Nothing was ordered: the spreadsheet has {count} error(s)"


CONSTRAINTS["fk_purchase_order_declared_relation_id"] = UnknownRelation
CONSTRAINTS["ck_stock_not_oversold"] = StockMoved
