"""Refusals of the ledger."""

from shop.core.errors import Conflict, Invalid


class NothingLeftToReverse(Conflict):
    code = "nothing_left_to_reverse"
    zh, en = "该分录可冲销的数量只剩 {left}", "Only {left} of this entry is left to reverse"


class NotReversible(Conflict):
    code = "not_reversible"
    zh, en = "冲销分录不能再冲销", "A correction cannot itself be reversed"


class MixedDesignations(Invalid):
    code = "mixed_designations"
    zh, en = "区县类与乡镇类标签不能同时筛选", "Designations of districts and of townships cannot be asked for together"


class PeriodBackwards(Invalid):
    code = "period_backwards"
    zh, en = "起始日期晚于结束日期", "The period ends before it begins"
