"""What a claim of a sale made elsewhere may be refused for."""

from shop.core.errors import CONSTRAINTS, Conflict, Forbidden, Invalid


class ClaimWrong(Invalid):
    code = "claim_wrong"
    zh = "申报内容有 {count} 处错误"
    en = "{count} fault(s) in what is claimed"


class PapersMissing(Invalid):
    code = "papers_missing"
    zh = "申报材料不齐，缺少 {count} 项"
    en = "Papers that are missing: {count}"


class RowsRefused(Invalid):
    code = "rows_refused"
    zh = "表格有 {count} 处错误，未导入任何记录"
    en = "{count} fault(s) in the file; nothing was imported"


class SomeNotReady(Invalid):
    code = "some_not_ready"
    zh = "{count} 笔申报不能提交，未提交任何一笔"
    en = "{count} of the claims cannot be handed in; none was"


class OwnClaim(Forbidden):
    code = "own_claim"
    zh = "不能审核本人或本单位的申报"
    en = "Nobody reviews a claim of one's own, or of the own organisation"


class ReasonNeeded(Invalid):
    """Accepting a claim against what was looked at; ``errors`` name the checks that it does not pass."""

    code = "reason_needed"
    zh = "该申报有 {count} 项核对未通过，采纳须说明理由"
    en = "The claim does not pass {count} check(s); to accept it needs a reason"


class TooManyPapers(Conflict):
    code = "too_many_papers"
    zh = "每笔申报最多 {most} 份材料"
    en = "A claim has at most {most} papers"


class HasFile(Conflict):
    code = "has_file"
    zh = "该材料已有文件"
    en = "The paper has its file already"


CONSTRAINTS["ck_external_sale_two_persons"] = OwnClaim
