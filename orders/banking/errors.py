"""What the import of a statement, or a match, may be refused for."""

from collections.abc import Mapping
from enum import StrEnum

from shop.core.errors import CONSTRAINTS, Conflict, DoneBefore, Forbidden, Invalid, Language, NotFound
from shop.core.words import STATES


class NoAccount(Conflict):
    code = "no_bank_account"
    zh = "平台尚未设置收款银行账户（SHOP_BANK_ACCOUNT_NUMBER）"
    en = "The marketplace has no bank account: set SHOP_BANK_ACCOUNT_NUMBER"


class UnreadableFile(Invalid):
    """No statement, a broken one, or one that takes more memory or time than any honest one."""

    code = "unreadable_file"
    zh = "无法读取该文件，请上传网上银行导出的对账单（CSV、XLSX、XLS、CAMT.053 或 MT940）"
    en = "The file cannot be read; send the statement as the online bank exports it (CSV, XLSX, XLS, CAMT.053 or MT940)"


class StatementUnreadable(Invalid):
    """``errors`` names every cell that cannot be read. Nothing was imported."""

    code = "statement_unreadable"
    zh = "对账单有 {count} 处无法识别，未导入任何流水"
    en = "{count} cell(s) of the statement cannot be read; nothing was imported"


class HeaderNotFound(Invalid):
    code = "header_not_found"
    zh = "未找到表头，请用 columns 指定表头所在行和各列"
    en = "No header was found: say with `columns` in which row it is and what its columns are"


class NoLines(Invalid):
    code = "no_lines"
    zh = "对账单没有流水"
    en = "The statement holds no lines"


class OtherAccount(Invalid):
    code = "other_account"
    zh = "对账单属于其他账户（{account}）"
    en = "The statement is of another account ({account})"


class OtherCurrency(Invalid):
    code = "other_currency"
    zh = "对账单币种不是人民币（{currency}）"
    en = "The statement is not in yuan ({currency})"


class LineInFuture(Invalid):
    code = "line_in_future"
    zh = "第 {row} 行的流水日期（{day}）晚于今天（{today}）"
    en = "Row {row} is dated {day}, which is after today ({today})"


class BalanceBroken(Invalid):
    """``row`` is where; none: the statement as a whole."""

    code = "balance_broken"
    zh = "余额与发生额不符（第 {row} 行）：应为 {expected}，对账单为 {found}"
    en = "Balance and amounts do not agree (row {row}): {expected} expected, {found} found"


class BalanceMissing(Invalid):
    code = "balance_missing"
    zh = "对账单没有余额，请用 closing_balance 填写期末余额"
    en = "The statement tells no balance: say the closing one with `closing_balance`"


class StatementGap(Conflict):
    """Lines between this statement and the one before it are missing, or what was imported before is told otherwise now."""

    code = "statement_gap"
    zh = "与已导入的流水不连续：导入后余额应为 {expected}，对账单期末余额为 {found}；请先导入缺少的对账单"
    en = "It does not follow on what was imported: the balance would be {expected}, the statement closes at {found}; import what lies between first"


class LineChanged(Conflict):
    """A serial number of the file is known, of the same day, with another amount; or the balances do not follow on, and it is known of any. ``errors``
    names the rows."""

    code = "line_changed"
    zh = "对账单有 {count} 笔流水与已导入的同号流水不一致，未导入任何流水"
    en = "Not as imported under the same serial number: {count} line(s); nothing was imported"


class LineTooEarly(Invalid):
    """``errors`` names the rows: before the account's first statement, or long before its latest day."""

    code = "line_too_early"
    zh = "对账单有 {count} 笔新流水日期过早，未导入任何流水"
    en = "Dated too early: {count} new line(s); nothing was imported"


class NoSuchLayout(Invalid):
    code = "no_such_layout"
    zh = "没有此银行版式（{layout}）"
    en = "There is no such layout ({layout})"


class LineTaken(Conflict):
    """Somebody else matched it, or more of it, meanwhile."""

    code = "line_matched"
    zh = "该流水可核销的余额不足（剩余 {left} 元）"
    en = "Less than that is left of the line ({left} yuan)"


class WrongDirection(Invalid):
    code = "wrong_direction"
    zh = "收款流水不能核销付款事项，反之亦然"
    en = "What came in cannot be matched with what went out, nor the other way"


class AboveDue(Conflict):
    code = "match_above_due"
    zh = "超过订单 {number} 的未付金额（{due} 元）；如确为多付，请注明 allow_credit"
    en = "More than is due for order {number} ({due} yuan); say `allow_credit` if the buyer did pay too much"


class AnnouncedWaits(Conflict):
    """More than is due only because transfers are announced that have not arrived: this may be one of them, at another amount."""

    code = "announced_waits"
    zh = (
        "订单 {number} 有登记未到账的付款（{announced}），未付金额已扣除（余 {due} 元）：金额相符的请按登记核销（announced）；"
        "金额不符的请采购单位先撤回登记；如确为另一笔多付，请注明 allow_credit"
    )
    en = (
        "Transfers announced for order {number} have not arrived ({announced}) and are taken off what is due ({due} yuan): match the one of this amount as "
        "`announced`, or have the buyer take back the announcement that this one is instead of; say `allow_credit` if it is another one, paid too much"
    )


class PayerDiffers(Conflict):
    code = "payer_not_declared"
    zh = "付款人（{payer}）不是订单 {number} 的采购单位，须先登记代付并经他人批准"
    en = "The payer ({payer}) is not the buyer of order {number}: declare it and have another person approve it"


class PayerUnnamed(Conflict):
    """The line names nobody who paid, so two persons have to say that it pays the order."""

    code = "payer_not_named"
    zh = "流水没有付款人名称，核销订单 {number} 须先以“{payer}”为付款人登记代付并经他人批准；若为银行利息等，请申请核销流水"
    en = (
        "The line names no payer: to match it with order {number} declare {payer} as its payer and have another person approve it; if it is the bank's"
        " own, such as interest, ask to write it off"
    )


class AnnouncedTaken(Conflict):
    code = "announced_not_open"
    zh = "该登记付款已撤销、已核销，或金额不一致"
    en = "The announced payment was taken back, is matched already, or is of another amount"


class Remedy(StrEnum):
    """What is to be done about a refund or payout that does not fit a line."""

    RELEASE = "release"
    SHOWN = "shown"
    CAME_BACK = "came_back"
    NOT_LEFT = "not_left"
    LIVE = "live"
    WITHDRAW = "withdraw"
    ENDED = "ended"
    PROVIDER = "provider"
    ON_LIST = "on_list"
    LESS = "less"
    OTHER_PAYEE = "other_payee"
    OTHER_NUMBER = "other_number"


_REMEDIES: Mapping[Remedy, tuple[str, str]] = {
    Remedy.RELEASE: ("请先审批并放行", "have it approved and released first"),
    Remedy.SHOWN: (
        "已有其他流水与之核销；如应核销本流水，请先撤销该核销",
        "another line is matched with it: if this one is the right one, undo that match first",
    ),
    Remedy.CAME_BACK: (
        "已有流水显示其退回；请与此后重新办理的一笔核销",
        "a line shows that it came back: match this one with what was released in its place",
    ),
    Remedy.NOT_LEFT: ("请先核销显示其付出的流水", "match the line that shows that it left first"),
    Remedy.LIVE: (
        "已重新放行，或金额不一致；请按现行放行核销",
        "it was released anew, or with another amount: match the line with the release that stands",
    ),
    Remedy.WITHDRAW: (
        "记为失败后已重新审批；请先撤回审批（withdraw），再核销本流水，即恢复为已付",
        "it was approved again after it had failed: take that approval back (`withdraw`) and match the line, which makes it paid",
    ),
    Remedy.ENDED: ("未放行即已结束；请查明该流水的其他用途", "it ended without a release: find out what else the line is for"),
    Remedy.PROVIDER: ("由支付渠道付出，不在银行流水中", "the provider's statement shows it, not the bank's"),
    Remedy.LESS: ("流水中重复付出的金额不能超过该笔付款", "no more of a line is a payment once more than that payment came to"),
    Remedy.OTHER_PAYEE: (
        "流水对方不是其收款人；确为重复付出的，请在 despite 中说明理由",
        "the line's other side is not its payee: name what the line shows, or say in `despite` why it is this one",
    ),
    Remedy.OTHER_NUMBER: (
        "流水附言写的是另一笔款项的编号；确为重复付出的，请在 despite 中说明理由",
        "the line's text has the number of another one: name what the line shows, or say in `despite` why it is this one",
    ),
    Remedy.ON_LIST: ("名单中没有尚待核销的款项", "nothing on the list waits for a line"),
}


class Unfit(Conflict):
    """``state`` and ``remedy`` say why, and what to do."""

    words = {"state": STATES}

    def __init__(self, *, number: str, state: str, remedy: Remedy) -> None:
        super().__init__(number=number, state=state, remedy=remedy)

    def _sentence(self, language: Language) -> str:
        return super()._sentence(language) + _REMEDIES[self.data["remedy"]][language == "en"]


class RefundUnfit(Unfit):
    code = "refund_does_not_fit"
    zh = "退款 {number}（{state}）与流水不符："
    en = "Refund {number} ({state}) does not fit the line: "


class PayoutUnfit(Unfit):
    code = "payout_does_not_fit"
    zh = "付款 {number}（{state}）与流水不符："
    en = "Payout {number} ({state}) does not fit the line: "


class AdvanceUnfit(Unfit):
    code = "advance_does_not_fit"
    zh = "预付款 {number}（{state}）与流水不符："
    en = "Advance {number} ({state}) does not fit the line: "


class EntryContradicted(Invalid):
    code = "entry_contradicted"
    zh = "流水与所填类别（{entry}）不符：利息为收入，手续费为支出，除非附言另有说明"
    en = "The line tells against it ({entry}): interest comes in and fees go out, unless the text speaks of them"


class DocumentNamed(Conflict):
    """The text of a line that is said to be the bank's own has the number of a refund, a payout, a list of either, or an advance."""

    code = "document_named"
    zh = "流水附言中有退款、付款或预付款的编号，应与该笔款项核销；确为银行自身收支的，请在 despite 中说明理由"
    en = "The line's text has the number of a refund, payout or advance: match it with that; if it is the bank's own all the same, say in `despite` why"


class OwnFailureReport(Forbidden):
    code = "own_failure_report"
    zh = "不能确认自己登记的失败"
    en = "Who said that it failed cannot confirm it"


class FailureWaiting(Conflict):
    code = "failure_waiting"
    zh = "已有人登记该笔款项失败，等待另一人确认"
    en = "Somebody said that it failed already; another person has to confirm it"


class FailureSuperseded(Conflict):
    """The release that the report speaks of failed without it, and another one stands."""

    code = "failure_superseded"
    zh = "所登记的那次放行已经结束，不能据此将后来的放行记为失败；请拒绝或撤回该登记"
    en = "The release that it speaks of has ended, and a later one does not fail by it: refuse it, or take it back"


class NotOpenInBooks(Conflict):
    code = "movement_not_open"
    zh = "账上没有此笔未达账项，或与流水未核销的金额不一致（其中有银行费用的，请先核销费用）"
    en = "The books hold no such movement that the bank has not shown, or not of what is left of the line (write off the bank's own fee first)"


class MatchUndone(DoneBefore):
    code = "match_undone"
    zh = "该核销已撤销"
    en = "The match was undone before"


class UsedUp(Conflict):
    code = "paid_twice_used_up"
    zh = "重复付出的款项已在后续结算中抵扣，不能撤销该核销；此后退回的，按该笔付款退回核销"
    en = "Settlements have set off what was paid twice by now: the match cannot be undone, and what comes back now is the payout, returned"


class ReturnShown(Conflict):
    """Of what was found to have left once more a line shows that it came back."""

    code = "return_shown"
    zh = "已有流水显示退款 {number} 退回；请先撤销该流水的核销"
    en = "A line shows that refund {number} came back: undo the match of that line first"


class PayoutHasFailed(Conflict):
    """Nothing would be left that the line could show; of the two payments one came back. ``line_id``: the line of its return, if one shows it."""

    code = "paid_twice_of_failed_payout"
    zh = (
        "付款 {number} 已记为失败，撤销后该流水不能再与其核销；请先撤销退回流水的核销，再撤销显示其付出的流水的核销并重新核销（恢复为已付），"
        "退回的如是多付的一笔，将退回流水按重复付款（paid_twice）核销"
    )
    en = (
        "Payout {number} has failed, so the line could not be matched with it any more: undo the match of the line of its return, then that of the line that"
        " shows that it left, and match the latter again, which makes it paid; if what came back is the one too many, write that line off as `paid_twice`"
    )


class TwiceReturned(Conflict):
    """A line that is written off as well shows that what left once more came back."""

    code = "paid_twice_returned"
    zh = "已有流水显示重复付出的款项退回；请先撤销该流水的核销"
    en = "A line shows that what was paid twice came back: undo the match of that line first"


class OwnWriteOff(Forbidden):
    code = "own_write_off"
    zh = "不能审批自己申请的流水核销"
    en = "Who asked to write a line off cannot approve it"


class WriteOffWaiting(Conflict):
    code = "write_off_waiting"
    zh = "该流水已有待审批的核销申请"
    en = "Something of this line waits to be written off already"


class OwnDeclaration(Forbidden):
    code = "own_declaration"
    zh = "不能批准自己登记的代付"
    en = "Who declared a payer cannot approve it"


class Declared(DoneBefore):
    code = "payer_declared"
    zh = "该付款人已登记或已批准"
    en = "This payer is declared or approved already"


class IsBuyer(Invalid):
    code = "payer_is_buyer"
    zh = "付款人就是采购单位，无需登记"
    en = "The payer is the buyer itself; nothing to declare"


class RefundTaken(Conflict):
    code = "refund_in_file"
    zh = "退款已在其他文件中"
    en = "A refund is in another file already"


class OwnRefundFile(Forbidden):
    code = "own_refund_file"
    zh = "不能将自己制作的退款文件作废，须由另一人办理"
    en = "Who made a file of refunds cannot make it void; another person has to"


class RefundFileExecuted(Conflict):
    """A line of the bank shows that a refund of the file left, or may show it."""

    code = "refund_file_executed"
    zh = "文件中已有退款被银行执行，或对账单上有疑似该文件的流水，不能作废"
    en = "The bank shows a refund of the file, or a line that may be one; it cannot be made void"


class NothingToSend(Conflict):
    code = "no_refund_to_send"
    zh = "没有可导出的退款"
    en = "There is no released refund that is not in a file"


class NoSuchRefund(NotFound):
    code = "no_such_refund"
    zh = "没有此退款，或不能放入文件（{refund_id}）"
    en = "There is no such refund that could go into a file ({refund_id})"


CONSTRAINTS["ck_bank_line_not_matched_twice"] = LineTaken
CONSTRAINTS["uq_bank_match_payment"] = AnnouncedTaken
CONSTRAINTS["uq_bank_match_transaction"] = NotOpenInBooks
CONSTRAINTS["ck_failure_report_two_persons"] = OwnFailureReport
CONSTRAINTS["uq_failure_report_attempt_id"] = FailureWaiting
CONSTRAINTS["uq_failure_report_refund_id"] = FailureWaiting
CONSTRAINTS["ck_bank_write_off_two_persons"] = OwnWriteOff
CONSTRAINTS["uq_bank_write_off_requested"] = WriteOffWaiting
CONSTRAINTS["ck_payer_declaration_two_persons"] = OwnDeclaration
CONSTRAINTS["uq_payer_declaration_open"] = Declared
CONSTRAINTS["uq_refund_file_line_refund"] = RefundTaken
CONSTRAINTS["ck_refund_file_two_persons"] = OwnRefundFile
