"""What an uploaded list, or an order of it, may be refused for."""

from shop.core.errors import Conflict, DoneBefore, Invalid, NotFound


class RowsRefused(Invalid):
    """Rows that cannot be ordered; ``errors`` names each with its row, column and reason. Nothing was ordered."""

    code = "rows_refused"
    zh = "订单未提交：表格有 {count} 行不能下单"
    en = "Nothing was ordered: {count} row(s) of the list cannot be ordered"


class RowsChanged(RowsRefused):
    """The same, of rows that could be ordered when they were checked."""


class NothingToOrder(Conflict):
    code = "nothing_to_order"
    zh = "没有可以下单的行"
    en = "There is no row that can be ordered"


class AlreadyOrdered(DoneBefore):
    code = "already_ordered"
    zh = "相同内容的文件已经下单（{number}）；如确需再次下单，请注明 again"
    en = "A file with the same content was ordered already ({number}); say `again` if a second order is meant"


class NoSuchRow(NotFound):
    code = "no_such_row"
    zh = "表格没有这一行，或该行不是产品行"
    en = "The list has no such row, or it is no line"


class NoQuantity(Invalid):
    """The row tells no quantity that can be read, or one in another unit, so a choice has to say it."""

    code = "quantity_needed"
    zh = "第 {row_no} 行没有可识别的数量，或其单位与所选规格不同，请同时填写 quantity"
    en = "Row {row_no} tells no quantity, or one in another unit; send `quantity` in the unit of the SKU with the choice"


class UnknownSku(Invalid):
    code = "unknown_sku"
    zh = "没有此规格（{sku_id}）"
    en = "There is no such SKU ({sku_id})"
