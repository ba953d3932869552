"""Refusals about certificates."""

from shop.core.errors import Conflict, DoneBefore, Forbidden, Invalid


class OwnCase(Forbidden):
    code = "own_case"
    zh = "不能审核本单位的申请"
    en = "Nobody decides on the own organisation's application"


class NotYourRegion(Forbidden):
    code = "not_your_region"
    zh = "该申请不在您的管辖区域或职责内"
    en = "This application is not before you"


class SuspensionStands(DoneBefore):
    """``since`` is when the level's suspension began. Another end or reason changes it; that of another level stands beside it."""

    code = "suspension_stands"
    zh = "本级已按同样的理由和期限暂停该证书"
    en = "Your level has suspended this certificate for this reason and time already"


class HeldByBar(Conflict):
    """``until`` is the last day of the bar; the certificate comes back with its end."""

    code = "held_by_bar"
    zh = "供应商已列入黑名单，{until} 前证书不能恢复；可先解除黑名单"
    en = "The supplier is barred until {until}; the certificate comes back when the bar ends or is lifted"


class HeldByCity(Conflict):
    """``reason`` is the city's; ``until`` its end, none: until the city reinstates."""

    code = "held_by_city"
    zh = "该证书由市级暂停（{reason}），只能由市级恢复"
    en = "The city has suspended this certificate ({reason}); only the city reinstates it"


class RevocationOpen(DoneBefore):
    """One for another reason code is not what was asked for."""

    code = "revocation_open"
    zh = "该证书已有撤销程序正在进行"
    en = "A revocation of this certificate is under way already"


class NoRevocationOpen(Conflict):
    """A certificate is revoked in two steps: opened by one officer, with time for the supplier's statement, and decided by another."""

    code = "no_revocation_open"
    zh = "该证书没有正在进行的撤销程序，请先立案并通知供应商陈述"
    en = "No revocation of this certificate was opened; open one first, so that the supplier can make a statement"


class StatementPending(Conflict):
    """``until`` is the last day for the supplier's statement."""

    code = "statement_pending"
    zh = "供应商陈述期至 {until}，在此之前且未收到陈述时不能撤销"
    en = "The supplier may make its statement until {until}; there is none yet"


class StatementTooLate(Conflict):
    code = "statement_too_late"
    zh = "陈述期已于 {until} 届满"
    en = "The time for a statement ended on {until}"


class SameOfficer(Forbidden):
    code = "same_officer"
    zh = "撤销的立案与决定须由不同人员作出"
    en = "A revocation is opened by one person and decided by another"


class UnknownReason(Invalid):
    code = "unknown_reason"
    zh = "没有此原因代码"
    en = "There is no such code of a reason"
