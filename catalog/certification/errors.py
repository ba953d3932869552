"""Refusals of certification."""

from shop.core.errors import CONSTRAINTS, Conflict, Forbidden, Invalid, NotFound


class DistrictNotEligible(Conflict):
    code = "district_not_eligible"
    zh = "产地（{district}）不在可认定的区县范围内"
    en = "Products from {district} cannot be certified: it is not among the designated districts"


class ItemsMissing(Conflict):
    """``errors`` name every item."""

    code = "items_missing"
    zh = "申请材料不完整，共缺 {count} 项"
    en = "The application is not complete: {count} items are missing"


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


class OwnCase(Forbidden):
    code = "own_case"
    zh = "不能审核本单位的申请"
    en = "Nobody decides on the own organisation's application"


class SamePerson(Forbidden):
    code = "same_person"
    zh = "同一人不能参与同一申请的两级审核"
    en = "One person cannot act at two levels of the same application"


class NotYourRegion(Forbidden):
    code = "not_your_region"
    zh = "该申请不在您的管辖区域或职责内"
    en = "This application is not before you"


class UnreadableFile(Invalid):
    code = "file_type_not_accepted"
    zh = "仅接受 PDF、PNG、JPEG、DOCX 和 XLSX 文件"
    en = "Only PDF, PNG, JPEG, DOCX and XLSX files are accepted"


class TooManyDocuments(Conflict):
    code = "too_many_documents"
    zh = "一个申请最多可上传 {most} 份材料"
    en = "An application holds at most {most} papers"


class FileMissing(NotFound):
    code = "file_missing"
    zh = "文件内容不在存储中，请联系管理员"
    en = "The content is not in the file store; tell the administrator"


CONSTRAINTS["uq_certification_case_open"] = CaseOpen
