"""Refusals about disputes."""

from shop.core.errors import CONSTRAINTS, Conflict, DoneBefore, Forbidden, Invalid


class DisputeOpen(Conflict):
    code = "dispute_open"
    zh = "该事项已有争议正在处理"
    en = "This is in dispute already"


class DisputeEnded(Conflict):
    code = "dispute_ended"
    zh = "该争议已结束"
    en = "This dispute is over"


class NothingToDispute(Conflict):
    code = "nothing_to_dispute"
    zh = "订单未经确认，不能提出争议"
    en = "The order was not confirmed"


class NotOfOrder(Invalid):
    code = "not_of_order"
    zh = "该发货或退货不属于此订单"
    en = "This shipment or return is not of the order"


class OtherSideAnswers(Forbidden):
    code = "other_side_answers"
    zh = "争议须由对方答复"
    en = "The other side answers a dispute"


class NotYourDispute(Forbidden):
    code = "not_your_dispute"
    zh = "只有提出方可以撤回"
    en = "Only the side that opened it can take it back"


class OwnDispute(Forbidden):
    code = "own_dispute"
    zh = "涉及本单位的争议须由他人处理"
    en = "Nobody deals with a dispute of the own organisation"


class OutsideYourRegion(Forbidden):
    code = "outside_your_region"
    zh = "该争议不在您的管辖区域内"
    en = "This dispute is not before you"


class AnswerPending(Conflict):
    """``until`` is the last day for the other side's answer."""

    code = "answer_pending"
    zh = "对方答复期至 {until}，在此之前且未收到答复时不能裁定"
    en = "The other side may answer until {until}; it has not yet"


class OutcomeWrong(Invalid):
    code = "outcome_wrong"
    zh = "裁定结果与金额或措施不符"
    en = "The outcome does not go with the amount or what is to be done"


class AmountTooLarge(Invalid):
    """A claim may be of all that was ordered. Of a refund, those of other disputes and goods on their way back are taken off."""

    code = "above_order"
    zh = "金额超过订单可退金额 {most} 元"
    en = "At most {most} yuan of the order can be claimed or refunded"


class ProposalTooLarge(Conflict):
    code = "proposal_above_order"
    zh = "调解金额已超过订单可退金额，须重新提出调解方案"
    en = "The order costs less by now than the proposal would refund; it takes another proposal"


class ProposalStands(DoneBefore):
    """Another refund or other words are another proposal, to which both sides agree anew."""

    code = "proposal_stands"
    zh = "同样的调解方案已提出，双方的同意仍然有效"
    en = "This has been proposed already; who agreed to it need not do so again"


class AgreedBefore(DoneBefore):
    code = "agreed_before"
    zh = "本方已同意该调解方案"
    en = "Your side has agreed to this proposal already"


class TooManyFiles(Conflict):
    code = "too_many_files"
    zh = "每方最多可上传 {most} 份证据"
    en = "Each side can add at most {most} files"


CONSTRAINTS["uq_dispute_open"] = DisputeOpen
