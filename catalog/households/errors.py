"""Refusals about lists of households."""

from shop.core.errors import Conflict, Invalid


class ListFrozen(Conflict):
    code = "case_not_editable"
    zh = "申请已提交，退回后方可修改名单"
    en = "The application was handed in; its list cannot be changed unless it is returned"


class ListRefused(Invalid):
    """``errors`` name each fault by its person or row; what was written is never repeated."""

    code = "list_refused"
    zh = "名单有 {count} 处错误"
    en = "The list has {count} fault(s)"
