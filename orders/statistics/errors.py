"""Refusals of the statistics."""

from shop.core.errors import Invalid


class TooManyRows(Invalid):
    code = "too_many_rows"
    zh, en = "结果超过 {limit} 行，请减少分组或缩小范围", "More than {limit} rows; group by less or narrow the filters"
