"""What a purchase request may be refused for."""

from orders.purchasing.errors import UnknownRelation
from shop.core.errors import CONSTRAINTS, Conflict, Forbidden, Invalid


class NotYoursToDecide(Forbidden):
    code = "not_yours_to_decide"
    zh = "您不能审批此环节：不是指定的审批人，或为本人的申请，或已审批过其他环节"
    en = "This step is not yours: it names others, or the request is your own, or you took another of its steps"


class ReasonNeeded(Invalid):
    """``lines`` cost more than comparable goods."""

    code = "reason_needed"
    zh = "第 {lines} 行的价格高于同类产品市场价（含允许浮动），通过时须说明理由"
    en = "The price of lines {lines} lies further above that of comparable goods than is tolerated; approving it needs a reason"


class StepTaken(Conflict):
    code = "step_taken"
    zh = "该申请刚刚被他人处理"
    en = "Somebody else decided on it this moment"


class NotYourRequest(Forbidden):
    code = "not_your_request"
    zh = "只有申请人可以修改或撤回申请"
    en = "Only who made the request changes it or takes it back"


class FixedLines(Conflict):
    code = "fixed_lines"
    zh = "此申请的价格来自成交结果或协议，不能修改；请撤回后重新提交"
    en = "The prices of this request were agreed on elsewhere; take it back and order anew"


class TooManyFiles(Conflict):
    code = "too_many_files"
    zh = "附件不能超过 {most} 个"
    en = "There may be {most} files"


class PapersFixed(Conflict):
    code = "papers_fixed"
    zh = "申请已有审批意见，附件不能再撤回"
    en = "Somebody decided in view of the papers; they stay"


CONSTRAINTS["fk_purchase_request_declared_relation_id"] = UnknownRelation
CONSTRAINTS["uq_purchase_request_step_purchase_request_id_round_decided_by"] = StepTaken
