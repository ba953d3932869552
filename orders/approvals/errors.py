"""What approval rules and deputies may be refused for."""

from shop.core.errors import Conflict, Forbidden, Invalid


class ApprovalNeeded(Conflict):
    code = "approval_needed"
    zh = "此订单需要审批（{steps}），请提交采购申请"
    en = "This order needs approval ({steps}); hand in a purchase request"


class NobodyToApprove(Conflict):
    code = "nobody_to_approve"
    zh = "审批环节“{step}”没有可审批的人员（不能审批本人的申请，同一人不能审批两个环节）"
    en = "Nobody can take the step “{step}”: nobody approves the own request, and nobody takes two steps of one"


class RuleSetAbove(Forbidden):
    code = "rule_set_above"
    zh = "此规则由上级单位设定，本单位不能启用或停用"
    en = "A unit above set this rule, and switches it"


class UnknownApprover(Invalid):
    code = "unknown_approver"
    zh = "所列人员须为该单位或其上级单位的审批、财务或管理人员：{user_ids}"
    en = "These people are no approvers, finance or administrators of the unit or one above it: {user_ids}"


class UnknownDeputy(Invalid):
    code = "unknown_deputy"
    zh = "代理人须为本单位可审批的在职人员"
    en = "A deputy is an active colleague of the own unit who may approve"


class DeputyEnded(Conflict):
    code = "deputy_ended"
    zh = "该代理已结束"
    en = "This deputy's time is over"
