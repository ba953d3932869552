"""Refusals of exports and schedules."""

from shop.core.errors import Conflict, Forbidden, Invalid, NotFound
from shop.core.words import STATES


class TooManyExports(Conflict):
    code = "too_many_exports"
    zh = "您已有 {limit} 个导出在进行，请等其中一个完成或取消一个"
    en = "{limit} of your exports are being made; wait until one is, or cancel one"


class TooManyExportsADay(Conflict):
    code = "too_many_exports_a_day"
    zh = "24 小时内最多导出 {limit} 次，{again_at}（北京时间）起可再导出"
    en = "No more than {limit} exports within 24 hours; the next one from {again_at} on (China time)"


class TooManySchedules(Conflict):
    code = "too_many_schedules"
    zh, en = "定时报送不能超过 {most} 个", "No more than {most} schedules"


class NotReady(Conflict):
    """There is no file: it is being made, or never was."""

    code = "export_not_ready"
    zh, en = "文件尚未生成（{status}）", "There is no file ({status})"
    words = {"status": STATES}


class Expired(NotFound):
    code = "export_expired"
    zh, en = "文件已过期删除，请重新导出", "The file is past its time; ask for it anew"


class RightsChanged(Forbidden):
    """The file holds what the person might see when it was made, and that was more than now."""

    code = "rights_changed"
    zh, en = "生成文件之后您的权限有变，请重新导出", "Your rights have changed since the file was made; ask for it anew"


class NoWebhooks(Invalid):
    code = "no_webhooks"
    zh = "没有接收 export.delivered 的 webhook：须属于某一单位，且该单位或其上级已启用接收它的端点"
    en = "There is no webhook to tell: it takes an organisation with an enabled endpoint for export.delivered, its own or one of a unit above it"


class NoAddress(Invalid):
    code = "no_email_address"
    zh, en = "请先登记您的电子邮箱", "Enter your own e-mail address first"


class TooManyRows(Invalid):
    """Told as the reason why an export failed."""

    code = "too_many_rows"
    zh, en = "超过 {limit} 行，请缩小范围或换用其他格式", "More than {limit} rows; narrow the filters or choose another format"


class TookTooLong(Invalid):
    """Told as the reason why an export failed."""

    code = "took_too_long"
    zh, en = (
        "生成时间过长，可能系统繁忙；请稍后重新导出，或缩小范围、换用 CSV",
        "It took too long, perhaps because much is going on; ask again later, narrow the filters, or choose CSV",
    )


class Unfinished(Invalid):
    """Told as the reason why an export failed: the program's own fault, which is in its log."""

    code = "internal"
    zh, en = "系统内部错误，请联系管理员", "Internal error; tell the administrator"


class NotAllowedAnyMore(Forbidden):
    """Told as the reason why an export failed."""

    code = "forbidden"
    zh, en = "您没有（或不再有）导出所需的权限", "You do not have (any more) the permission that it takes"
