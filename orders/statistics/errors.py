"""Refusals of the statistics."""

from shop.core.errors import Invalid


class TooManyRows(Invalid):
    code = "too_many_rows"
    zh, en = "结果超过 {limit} 行，请减少分组或缩小范围", "More than {limit} rows; group by less or narrow the filters"


class NothingToRunOver(Invalid):
    code = "nothing_to_run_over"
    zh, en = "累计数需要且仅需要一个时间分组", "Running totals need rows by exactly one span of time"


class SortedByNothing(Invalid):
    code = "sorted_by_nothing"
    zh, en = "排序指标必须在所查询的指标中", "Rows are sorted by a measure that is asked for"
