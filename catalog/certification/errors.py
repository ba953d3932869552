"""What a certification case may be refused for."""

from shop.core.errors import CONSTRAINTS, Conflict, Forbidden, Invalid


class CaseOpen(Conflict):
    code = "certification_case_open"
    zh, en = "该产品已有未办结的认定申请", "An application for this product is under way already"


class NotYourProduct(Forbidden):
    code = "not_your_product"
    zh, en = "只能为本单位的产品申请认定", "A supplier applies for its own products only"


class ProductWithdrawn(Conflict):
    code = "product_withdrawn"
    zh, en = "产品已下架，不能申请认定", "The product is withdrawn"


class OriginNotEligible(Conflict):
    """Only products from the 33 districts with a poverty task may be certified."""

    code = "origin_not_eligible"
    zh, en = "产地（{district_code}）不在可认定的区县范围内", "Products from district {district_code} cannot be certified"


class NotEditable(Conflict):
    code = "case_not_editable"
    zh, en = "申请已提交（状态 {state}），不能修改", "The application is in state '{state}' and cannot be changed"


class Incomplete(Invalid):
    """Something that an application needs is missing; ``errors`` names everything at once."""

    code = "application_incomplete"
    zh, en = "申请材料不完整：缺少 {count} 项", "The application lacks {count} items"


class NoticeStillOpen(Conflict):
    code = "notice_still_open"
    zh, en = "公示尚未结束，{decidable_from} 起方可作出决定", "The public notice still runs; a decision is possible from {decidable_from}"


class NotYourLevel(Forbidden):
    code = "not_your_level"
    zh, en = "当前环节不由您办理", "This case is with another level of review"


class OwnCase(Forbidden):
    code = "own_case"
    zh, en = "不能办理本单位的申请", "Nobody decides on a case of the own organisation"


class SamePersonTwice(Forbidden):
    code = "same_person_twice"
    zh, en = "同一人不能办理同一申请的两级审核", "One person cannot act at both levels of the same case"


class UnknownFileType(Invalid):
    code = "unknown_file_type"
    zh, en = "仅接受 PDF、PNG、JPEG、DOCX 和 XLSX 文件", "Only PDF, PNG, JPEG, DOCX and XLSX files are taken"


class TooManyDocuments(Conflict):
    code = "too_many_documents"
    zh, en = "每份申请最多 {most} 个文件", "An application holds {most} documents at most"


CONSTRAINTS["uq_certification_case_open"] = CaseOpen
