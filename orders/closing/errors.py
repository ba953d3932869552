"""What asking for a month's close may be refused for."""

from shop.core.errors import Invalid


class MonthNotBegun(Invalid):
    code = "month_not_begun"
    zh = "{month} 尚未开始"
    en = "{month} has not begun"
