"""What a proposed change may be refused for."""

from shop.core.errors import CONSTRAINTS, Conflict, Invalid
from shop.core.words import STATES


class NotAmendable(Conflict):
    code = "not_amendable"
    zh = "订单当前状态为“{state}”，不能变更"
    en = "An order in state '{state}' cannot be changed"
    words = {"state": STATES}


class AmendmentOpen(Conflict):
    code = "amendment_open"
    zh = "该订单已有待答复的变更"
    en = "A change of this order already awaits its answer"


class AmendmentOver(Conflict):
    code = "amendment_expired"
    zh = "答复期限已过，变更已失效"
    en = "The time to answer has passed; the change has lapsed"


class OtherSideAnswers(Conflict):
    code = "other_side_answers"
    zh = "变更须由对方答复"
    en = "The other side answers a change"


class OwnSideWithdraws(Conflict):
    code = "own_side_withdraws"
    zh = "变更只能由提出方撤回"
    en = "Only the side that proposed a change takes it back"


class LineMoved(Conflict):
    code = "line_moved"
    zh = "提出变更后该行已发货或已发放服务券，请重新提出"
    en = "A line was shipped from, or vouchers were issued for it, since; propose the change again"


class NoLongerPossible(Conflict):
    """What was proposed cannot be had any more; ``errors`` names each line with its reason."""

    code = "no_longer_possible"
    zh = "变更已不能执行：有 {count} 行不能满足"
    en = "The change cannot be made any more: {count} line(s) cannot be met"


class BeyondApproval(Conflict):
    """``data`` is for the buyer only: who approves its orders, and how much, is no business of its supplier."""

    code = "beyond_approval"
    zh = "变更后的金额超出采购单位已获审批的范围，请取消后重新下单"
    en = "It would cost more than the buyer's approvals cover; cancel it and order anew"


class ChangesWrong(Invalid):
    code = "changes_wrong"
    zh = "变更内容有 {count} 处错误"
    en = "{count} of the changes cannot be made"


CONSTRAINTS["uq_amendment_open"] = AmendmentOpen
