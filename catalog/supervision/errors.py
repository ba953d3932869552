"""Refusals of supervision."""

from catalog.certificates.errors import NotYourRegion
from shop.core.errors import Conflict, DoneBefore, Invalid

# --- complaints -----------------------------------------------------------------------------------------------------


class UnknownCertificate(Invalid):
    code = "unknown_certificate"
    zh = "没有此编号的证书"
    en = "There is no such certificate"


class UnknownOrder(Invalid):
    code = "unknown_order"
    zh = "本单位没有此订单，或订单中没有该证书的产品"
    en = "Your organisation has no such order, or it holds nothing of this certificate"


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


# --- capacity and blacklist -----------------------------------------------------------------------------------------


class FlagCleared(DoneBefore):
    code = "flag_cleared"
    zh = "该预警已解除"
    en = "This flag was cleared"


class AlreadyBarred(DoneBefore):
    code = "already_barred"
    zh = "该单位已在黑名单内"
    en = "This organisation is barred already"


class NotBarred(DoneBefore):
    code = "not_barred"
    zh = "该黑名单记录已到期或已解除"
    en = "This bar has ended or was lifted"


class SignalCleared(DoneBefore):
    code = "signal_cleared"
    zh = "该质量信号已处理"
    en = "This signal was cleared"


# --- checks ---------------------------------------------------------------------------------------------------------


class NothingToDraw(Conflict):
    """``population`` certificates match, fewer than are to be drawn."""

    code = "nothing_to_draw"
    zh = "符合条件的证书只有 {population} 个，不足抽取数量"
    en = "Only {population} certificates match, fewer than are to be drawn"


class DistrictNeeded(Invalid):
    code = "district_needed"
    zh = "请指明区县"
    en = "Name the district"


class NotSupervised(NotYourRegion):
    zh = "不在您的监管区域内"
    en = "This is not in the region that you supervise"


class CertificateNotLive(Conflict):
    code = "certificate_not_live"
    zh = "证书已撤销或已过期"
    en = "The certificate was revoked or has expired"


class TooManyCheckFiles(Conflict):
    code = "too_many_files"
    zh = "一次检查最多可上传 {most} 份材料"
    en = "A check holds at most {most} files"


class NotOfCertificate(Invalid):
    code = "sku_of_other_product"
    zh = "该规格不属于证书对应的产品"
    en = "This pack is not of the certified product"
