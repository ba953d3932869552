"""What acts on agreements may be refused for."""

from shop.core.errors import CONSTRAINTS, Conflict, DoneBefore, Forbidden, Invalid
from shop.core.words import STATES


class TermsRefused(Invalid):
    """Terms that cannot be; ``errors`` names each place."""

    code = "terms_refused"
    zh = "协议内容有 {count} 处错误"
    en = "{count} place(s) of the agreement cannot be"


class ScheduleRefused(Invalid):
    code = "schedule_refused"
    zh = "供货计划有 {count} 处错误"
    en = "{count} place(s) of the schedule cannot be"


class TermsChanged(Conflict):
    code = "terms_changed"
    zh = "协议内容与您看到的不同，请重新阅读后签署"
    en = "The terms are not those that you read; read them again, then sign"


class AlreadySigned(DoneBefore):
    code = "already_signed"
    zh = "本方已签署"
    en = "Your side has signed already"


class SignedByOne(Conflict):
    code = "signed_by_one"
    zh = "已有一方签署，不能再修改计划；请退回草稿"
    en = "One side has signed; take the proposal back to a draft to change it"


class AwardedTerms(Conflict):
    code = "awarded_terms"
    zh = "此协议来自询价成交，价格不能修改"
    en = "The terms come from an award and cannot be drafted anew"


class NotInForce(Conflict):
    code = "agreement_not_in_force"
    zh = "协议当前不在有效期内（{state}）"
    en = "The agreement is not in force ({state})"
    words = {"state": STATES}


class PartyNotApproved(Conflict):
    code = "party_not_approved"
    zh = "协议一方尚未通过审核"
    en = "One side of the agreement is not approved"


class CapExceeded(Conflict):
    """Caps that a call-off would pass; ``errors`` names each with what was drawn and what is left. Nothing was ordered."""

    code = "cap_exceeded"
    zh = "超出协议上限，订单未提交"
    en = "This would pass a cap of the agreement; nothing was ordered"


class CapPassed(Conflict):
    """The database's own word: something passed a cap that did not come by this way."""

    code = "cap_exceeded"
    zh = "超出协议上限，订单未提交"
    en = "This would pass a cap of the agreement; nothing was ordered"


class CallOffRefused(Invalid):
    code = "call_off_refused"
    zh = "订单未提交：有 {count} 行不能按协议下单"
    en = "Nothing was ordered: {count} line(s) cannot be had under the agreement"


class DraftNotOpen(Conflict):
    code = "call_off_draft_not_open"
    zh = "该供货批次已下单或已放弃"
    en = "The draft was ordered or discarded already"


class AnotherDraftOpen(Conflict):
    code = "another_draft_open"
    zh = "同一地点同一天已有待下单的批次，请先下单或放弃"
    en = "Another draft of this place and day is open; order or discard it first"


class NothingLeft(Conflict):
    code = "nothing_left_to_order"
    zh = "该批次已无可订数量"
    en = "Nothing is left of this draft to be ordered"


class ChangeOpen(Conflict):
    code = "change_open"
    zh = "已有一项待答复的变更"
    en = "A change waits for its answer already"


class AlreadyRenewed(Conflict):
    code = "already_renewed"
    zh = "协议已经续签，请在续签的协议上办理"
    en = "The agreement was renewed already; go on from its renewal"


class OwnChange(Forbidden):
    code = "own_change"
    zh = "须由对方答复"
    en = "The other side answers it"


class CapBelowDrawn(Conflict):
    """A change that would put a cap below what was drawn."""

    code = "cap_below_drawn"
    zh = "新上限低于已下单数量或金额"
    en = "The new cap lies below what was ordered"


class OverCommitted(Conflict):
    """The harvest of some months does not bear what would be promised; ``errors`` names months and sums."""

    code = "over_committed"
    zh = "超出申报的采收能力：{months}"
    en = "More than the declared harvest would be promised: {months}"


class CapacityBelowDrawn(Conflict):
    code = "capacity_below_drawn"
    zh = "低于已承诺的数量；如遇减产请申报灾损：{months}"
    en = "This is less than what is promised; where the harvest failed, declare a crop loss: {months}"


class EvidenceGiven(DoneBefore):
    code = "evidence_given"
    zh = "已上传证明材料"
    en = "Its evidence was given already"


class StillOrdered(Conflict):
    code = "still_ordered"
    zh = "该批次的订单仍然有效"
    en = "The order of this draft still stands"


CONSTRAINTS["ck_agreement_caps"] = CapPassed
CONSTRAINTS["uq_agreement_change_open"] = ChangeOpen
CONSTRAINTS["uq_call_off_draft_open"] = AnotherDraftOpen
