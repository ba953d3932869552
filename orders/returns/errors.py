"""What a return or a correction may be refused for."""

from shop.core.errors import CONSTRAINTS, Conflict, Forbidden, Invalid


class NotAccepted(Conflict):
    code = "not_accepted"
    zh = "该批发货尚未验收"
    en = "This shipment has not been accepted yet"


class ReturnPeriodOver(Conflict):
    """``until`` was the last day, for the reason given."""

    code = "return_period_over"
    zh = "退换货期限已于 {until} 届满"
    en = "These goods could be given back for this reason until {until}"


class ReturnLinesWrong(Invalid):
    code = "return_lines_wrong"
    zh = "有 {count} 行不能退换"
    en = "{count} line(s) cannot be given back"


class ReceiptLinesWrong(Invalid):
    code = "receipt_lines_wrong"
    zh = "有 {count} 行收货数量有误"
    en = "Wrong quantity in {count} line(s)"


class CertificateStopped(Conflict):
    """The goods of an exchange are not sent again; the supplier takes the sale back instead."""

    code = "certificate_stopped"
    zh = "证书 {certificates} 已暂停或撤销，不能换货，请改为退款"
    en = "Certificate {certificates} was suspended or revoked; take the sale back instead of sending the goods again"


class AboveAccepted(Conflict):
    """Somebody else asked for the same goods this moment."""

    code = "above_accepted"
    zh = "可退数量刚刚发生变化，请重试"
    en = "What can be given back changed this moment; try again"


class ReturnEnded(Conflict):
    code = "return_ended"
    zh = "该退换货已结束"
    en = "This return is closed"


class TooManyFiles(Conflict):
    code = "too_many_files"
    zh = "每方最多可上传 {most} 份材料"
    en = "Each side can add at most {most} files"


class CorrectionLinesWrong(Invalid):
    code = "correction_lines_wrong"
    zh = "有 {count} 行更正有误"
    en = "{count} line(s) cannot be corrected like this"


class CorrectionOpen(Conflict):
    code = "correction_open"
    zh = "该次验收已有待确认的更正"
    en = "A correction of this acceptance waits for its answer already"


class OwnProposal(Forbidden):
    code = "own_proposal"
    zh = "更正须由对方确认"
    en = "The other side agrees to a correction"


class NotYourProposal(Forbidden):
    code = "not_your_proposal"
    zh = "只有提出方可以撤回"
    en = "Only the side that proposed it can take it back"


CONSTRAINTS["ck_acceptance_balance_not_above_accepted"] = AboveAccepted
CONSTRAINTS["uq_acceptance_correction_proposed"] = CorrectionOpen
