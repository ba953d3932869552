"""What a monthly report may be refused for."""

from shop.core.errors import Conflict, Forbidden, Invalid, NotFound


class NoForm(NotFound):
    code = "no_form"
    zh = "{month} 没有表式 {form}"
    en = "There is no form {form} for {month}"


class NotReporting(Conflict):
    """The form is not asked of whoever wants to report."""

    code = "not_reporting"
    zh = "该单位或区县在 {month} 不填报此表"
    en = "This form is not asked of them for {month}"


class MonthNotOver(Conflict):
    code = "month_not_over"
    zh = "{month} 尚未结束"
    en = "{month} is not over yet"


class ReportThere(Conflict):
    """``data.report_id`` names it."""

    code = "report_there"
    zh = "{month} 的报表已存在（编号 {report_id}）"
    en = "There is a report of {month} already (number {report_id})"


class ReportRefused(Invalid):
    code = "report_refused"
    zh = "报表有 {count} 处错误"
    en = "The report has {count} fault(s)"


class NotReviewing(Forbidden):
    code = "not_the_reviewing_office"
    zh = "单位报表由所在区县或市级审核，区县报表由市级审核"
    en = "The county or the city reviews what units report, the city what counties report"


class OwnReport(Forbidden):
    code = "own_report"
    zh = "不能审核本单位或本人报送的报表"
    en = "Nobody reviews a report of the own unit, or one that the same person submitted"
