"""Refusals of supervision."""

from shop.core.errors import Conflict, Invalid

# --- complaints -----------------------------------------------------------------------------------------------------


class UnknownCertificate(Invalid):
    code = "unknown_certificate"
    zh = "没有此编号的证书"
    en = "There is no such certificate"


class ComplaintStatementPending(Conflict):
    """``until`` is the last day for the supplier's statement."""

    code = "statement_pending"
    zh = "供应商说明期至 {until}，在此之前且未收到说明时不能作出处理"
    en = "The supplier may make its statement until {until}; there is none yet"


class ComplaintClosed(Conflict):
    code = "complaint_closed"
    zh = "该投诉已处理完毕或已撤回"
    en = "This complaint was decided or withdrawn"


class MeasureWithoutFault(Invalid):
    code = "measure_without_fault"
    zh = "投诉不属实时不能对证书采取措施"
    en = "A complaint that is dismissed has no measure"


class MeasureReasonNeeded(Invalid):
    """A verified complaint takes the product off the list at once (domain rule S4); leaving the certificate in force is to be explained."""

    code = "reason_needed"
    zh = "投诉属实而不暂停证书的，须说明理由"
    en = "A complaint was found true: leaving the certificate in force needs a reason"


class TooManyComplaints(Conflict):
    code = "too_many_complaints"
    zh = "该证书待处理的投诉已达 {most} 件，暂不再受理"
    en = "{most} complaints about this certificate are waiting already; no more are taken for now"


class TooManyComplaintFiles(Conflict):
    code = "too_many_files"
    zh = "每方最多可上传 {most} 份材料"
    en = "Each side can add at most {most} files"
