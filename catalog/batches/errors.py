"""Refusals about batches."""

from shop.core.errors import Conflict, Invalid


class CasesRefused(Invalid):
    """``errors`` name each case that cannot be put into the batch."""

    code = "cases_refused"
    zh = "{count} 个申请不能列入该批次"
    en = "{count} case(s) cannot be put into the batch"


class BatchEmpty(Conflict):
    code = "batch_empty"
    zh = "批次内没有待备案的申请"
    en = "There is no filed case in the batch"


class NotInBatch(Conflict):
    code = "not_in_batch"
    zh = "该申请不在此批次内"
    en = "The case is not in this batch"
