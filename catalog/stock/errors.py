"""Refusals of stock movements."""

from shop.core.errors import Conflict


class StockOutOfRange(Conflict):
    """``least`` is what orders were promised."""

    code = "stock_out_of_range"
    zh = "调整后的库存不能低于已预留数量（{least}），也不能超过上限（{most}）"
    en = "The stock would be below what orders were promised ({least}) or above the limit ({most})"


class StockShort(Conflict):
    code = "stock_short"
    zh = "可用库存不足"
    en = "There is not enough in stock that is not promised to orders"
