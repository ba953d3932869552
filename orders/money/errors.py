"""Refusals of what is said against the bank."""

from shop.core.errors import Conflict


class ShownByBank(Conflict):
    code = "shown_by_bank"
    zh = "银行流水显示该笔款项已付出；如已退回，请核销退汇流水"
    en = "A line of the bank shows that the money left; if it came back, match the line that shows this"
