"""What a reported figure may be refused for."""

from shop.core.errors import CONSTRAINTS, Conflict, Forbidden, Invalid


class ReportRefused(Invalid):
    code = "report_refused"
    zh = "上报数据有 {count} 处错误"
    en = "The report has {count} fault(s)"


class AlreadyReported(Conflict):
    """What was reported once is revised, with a reason."""

    code = "already_reported"
    zh = "该期间的数据已上报，修改请说明理由"
    en = "A value of this period was reported already; a change is a revision and needs a reason"


class OwnReport(Forbidden):
    code = "own_report"
    zh = "不能审核本人上报的数据"
    en = "Nobody reviews what they reported themselves"


class OtherRevision(Conflict):
    """What was reviewed is not what lies there now."""

    code = "other_revision"
    zh = "待审核的是第 {number} 次上报，请重新查看"
    en = "Revision {number} awaits review now; read it first"


CONSTRAINTS["ck_reported_value_revision_second_person"] = OwnReport
