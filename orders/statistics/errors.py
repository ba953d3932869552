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


class QuestionTooWide(Invalid):
    code = "question_too_wide"
    zh = "在 {seconds} 秒内未能算出：请缩短期间或减少分组；订单、采购单位等计数若按供应商、产品、村、乡镇、网点或多个维度组合，须逐笔统计，可去掉这些指标，或改为导出（sales），导出可用更长时间"
    en = (
        "Not found within {seconds} seconds: ask for a shorter period or fewer groups; counts of orders, buyers and the like by supplier, product,"
        " village, township, outlet or several dimensions together are taken from the single sales: leave them out, or have an export (sales) made, which may take longer"
    )


class NothingToCompare(Invalid):
    code = "nothing_to_compare"
    zh, en = (
        "所查期间（或截至 known_on）尚未开始，没有可对比的数",
        "The period has not begun (or not by known_on): there is nothing to compare yet",
    )
