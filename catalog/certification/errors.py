"""Refusals of certification."""

from shop.core.errors import CONSTRAINTS, Conflict, DoneBefore, Forbidden, Invalid


class DistrictNotEligible(Conflict):
    code = "district_not_eligible"
    zh = "产地{name_zh}（{district}）不在可认定的区县范围内"
    en = "Products from {name_en} ({district}) cannot be certified: it is not among the designated districts"


class ItemsMissing(Conflict):
    """``errors`` name every item."""

    code = "items_missing"
    zh = "申请材料不完整，共缺 {count} 项"
    en = "The application is not complete; items that are missing: {count}"


class CaseOpen(Conflict):
    code = "case_open"
    zh = "该产品已有正在进行的认定申请"
    en = "There is an application for this product already"


class CaseNotEditable(Conflict):
    code = "case_not_editable"
    zh = "申请已提交，退回后方可修改"
    en = "An application that was submitted cannot be changed unless it is returned"


class ProductWithdrawn(Conflict):
    code = "product_withdrawn"
    zh = "产品已下架"
    en = "The product was withdrawn"


class NoticeRunning(Conflict):
    """``until`` is the first day on which the county may decide."""

    code = "notice_running"
    zh = "公示尚未结束，{until} 起方可作出决定"
    en = "The public notice is still running; a decision is possible from {until} on"


class ObjectionOpen(Conflict):
    """An objection against this notice waits for its answer."""

    code = "objection_open"
    zh = "尚有 {count} 件异议未处理完毕，不能通过"
    en = "Not yet decided: {count} objection(s) against this notice"


class ObjectionUpheld(Conflict):
    """What the public objected to is true: the case can be returned or rejected, not passed."""

    code = "objection_upheld"
    zh = "公示异议成立，只能退回补正或不予认定"
    en = "An objection against this notice was upheld; the case can only be returned or rejected"


class OpinionsMissing(Conflict):
    """``departments`` may still speak; Chinese names are those of the programme."""

    code = "opinions_missing"
    zh = "还需 {count} 个部门的意见：{departments}"
    en = "It needs the opinion of {count} more department(s): {departments}"


class ReasonNeeded(Invalid):
    code = "reason_needed"
    zh = "请填写理由"
    en = "A reason is needed"


class ClaimedByOther(Conflict):
    """``name`` has it on the desk since ``since``."""

    code = "claimed_by_other"
    zh = "该申请已由 {name} 认领"
    en = "{name} has claimed this case"


class NotClaimed(Conflict):
    code = "not_claimed"
    zh = "您未认领该申请"
    en = "You have not claimed this case"


class AppealTooLate(Conflict):
    """``until`` was the last day."""

    code = "appeal_too_late"
    zh = "申诉期限已于 {until} 届满"
    en = "The time for an appeal ended on {until}"


class NoDepartment(Invalid):
    code = "unknown_department"
    zh = "该环节不征求此部门意见"
    en = "This step does not ask this department"


class OpinionGiven(DoneBefore):
    code = "opinion_given"
    zh = "该意见已记录"
    en = "This opinion was recorded before"


class UnknownAttachment(Invalid):
    code = "unknown_attachment"
    zh = "附件不存在或不属于该申请"
    en = "There is no such attachment of this case"


class NoCertificateInForce(Conflict):
    code = "no_certificate_in_force"
    zh = "该产品没有有效证书"
    en = "The product has no certificate in force"


class NothingChanges(Invalid):
    code = "nothing_changes"
    zh = "没有可变更的内容"
    en = "Nothing would change"


class SamePerson(Forbidden):
    code = "same_person"
    zh = "同一人不能参与同一申请的两级审核"
    en = "One person cannot act at two levels of the same application"


class RejectedByYou(SamePerson):
    """Whoever rejected a case does not hear the appeal against that."""

    zh = "作出不予认定决定的人员不能处理对该决定的申诉"
    en = "Whoever rejected an application does not decide the appeal against that"


class RowsRefused(Invalid):
    """``errors`` name each fault by its row and column."""

    code = "rows_refused"
    zh = "表格有 {count} 处错误，未生成申请"
    en = "The spreadsheet has {count} fault(s); nothing was made of it"


class TooManyDocuments(Conflict):
    code = "too_many_documents"
    zh = "一个申请最多可上传 {most} 份材料"
    en = "An application holds at most {most} papers"


class NoList(Conflict):
    code = "no_list"
    zh = "该申请尚无农户名单"
    en = "The case has no list of households"


class ListOfOtherCounty(Conflict):
    """``district`` is the county of the list, with its names."""

    code = "list_of_other_county"
    zh = "名单属于其他区县（{name_zh} {district}），户编号仅在本区县内有效，请另行上传名单"
    en = "The list is of another county, {name_en} ({district}), and the numbers of households hold within their county; bring a list of this one"


class ListTooLong(Invalid):
    """``most``: as many cases as may get a list of so many ``persons`` in one request."""

    code = "list_too_long"
    zh = "名单共 {persons} 人，一次最多复制给 {most} 个申请"
    en = "The list has {persons} persons; one request gives it to {most} cases at most"


class Blacklisted(Conflict):
    """``until`` is the last day on which the supplier may not apply."""

    code = "blacklisted"
    zh = "本单位已列入黑名单，{until} 前不能申请"
    en = "Your organisation is barred from applying until {until}"


class SupplierBlacklisted(Conflict):
    """What officers are told: the entry of the blacklist (``bar_id``), and the last day of it. The case waits where it is."""

    code = "supplier_blacklisted"
    zh = "{supplier} 自 {since} 至 {until} 列入黑名单，期间不能通过其申请"
    en = "{supplier} is barred from {since} to {until}; nothing of it is passed until then"


class ReapplicationBanned(Conflict):
    """A certificate of the product was revoked; ``until`` is the first day on which it may be applied for again."""

    code = "reapplication_banned"
    zh = "该产品的证书已被撤销，{until} 起方可重新申请"
    en = "The product's certificate was revoked; it may be applied for again from {until} on"


class AlreadyCertified(Conflict):
    """``renewable_on`` is the first day on which the certificate may be renewed."""

    code = "already_certified"
    zh = "该产品已有有效证书，{renewable_on} 起可申请续期"
    en = "The product is certified; the certificate may be renewed from {renewable_on} on"


class OriginMoved(Conflict):
    """Another county's offices would have to decide about what these have looked at."""

    code = "origin_moved"
    zh = "产品产地已改到其他区县，请撤回本申请后重新申请"
    en = "The product's origin is in another district now; withdraw this application and make a new one"


class RenewalNotOpen(Conflict):
    """``opens_on`` is the first day on which it may be renewed."""

    code = "renewal_not_open"
    zh = "{opens_on} 起方可申请续期"
    en = "The certificate may be renewed from {opens_on} on"


class RenewedAlready(DoneBefore):
    code = "renewed_already"
    zh = "该证书已续期"
    en = "The certificate was renewed already"


class UnknownLinkageMode(Invalid):
    code = "unknown_linkage_mode"
    zh = "没有此带动方式"
    en = "There is no such way of taking part"


CONSTRAINTS["uq_certification_case_open"] = CaseOpen
