"""Refusals of what is asked of days ahead, and of what is said, or done once more, against the bank."""

from shop.core.errors import Conflict, Invalid


class DayAhead(Invalid):
    code = "day_ahead"
    zh = "日期尚未到来"
    en = "That day lies ahead"


class ShownByBank(Conflict):
    """``line_id``: a line that is matched with it; or that is not matched and names it, or has its amount and payee."""

    code = "shown_by_bank"
    zh = "银行流水 {line_id}（{day}，{amount} 元）显示该笔款项已付出：请先核销该流水；如已退回，请核销退汇流水"
    en = "Line {line_id} of the bank ({day}, {amount} yuan) shows that the money left: match it first; if it came back, match the line that shows this"


class LeftBefore(Conflict):
    """It would be paid a second time: what was said to have failed, or to stand on a list that was never handed over, did leave, as a line shows."""

    code = "failed_one_shown_by_bank"
    zh = "银行流水 {line_id}（{day}，{amount} 元）显示此前记为失败或名单已作废的 {number} 可能已付出：请先核销该流水（整份名单的，按名单核销）；仍要付款的，请在 despite 中说明理由"
    en = (
        "Line {line_id} of the bank ({day}, {amount} yuan) may show that {number}, which was said to have failed or stood on a void list, did leave: match it first,"
        " with the list as a whole if it shows that; or say in `despite` why it is paid nevertheless"
    )
