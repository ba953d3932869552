"""Why a line of the bank may be for something, how much that weighs, and in words."""

from collections.abc import Mapping
from enum import StrEnum


class Reason(StrEnum):
    """Why a line may be for something."""

    REFERENCE = "reference"
    BANK_REFERENCE = "bank_reference"
    ORDER_NUMBER = "order_number"
    ANNOUNCED_AMOUNT = "announced_amount"
    EXACT_DUE = "exact_due"
    EXACT_DUES = "exact_dues"
    BELOW_DUE = "below_due"
    ABOVE_DUE = "above_due"
    ANNOUNCED_WAITS = "announced_waits"
    PAYER_IS_BUYER = "payer_is_buyer"
    PAYER_APPROVED = "payer_approved"
    PAYER_SIMILAR = "payer_similar"
    PAYER_UNKNOWN = "payer_unknown"
    PAYER_DIFFERS = "payer_differs"
    PAID_FROM_BEFORE = "paid_from_before"
    REFUND_NUMBER = "refund_number"
    PAYOUT_NUMBER = "payout_number"
    ADVANCE_NUMBER = "advance_number"
    PAYOUT_FILE_NUMBER = "payout_file_number"
    REFUND_FILE_NUMBER = "refund_file_number"
    PAYOUT_FILE_DAY = "payout_file_day"
    LESS_FAILED = "less_failed"
    PAYEE = "payee"
    AMOUNT = "amount"
    AMOUNT_DIFFERS = "amount_differs"
    SHOWN_ALREADY = "shown_already"
    SAME_SIDE = "same_side"
    RETURNED = "returned"
    REVERSAL = "reversal"
    SAID_FAILED = "said_failed"
    LEFT_TWICE = "left_twice"
    BANK_WORDS = "bank_words"


#: How much a reason weighs; a score is at most 100.
WEIGHTS: Mapping[Reason, int] = {
    Reason.REFERENCE: 60,
    Reason.BANK_REFERENCE: 60,
    Reason.ORDER_NUMBER: 50,
    Reason.ANNOUNCED_AMOUNT: 20,
    Reason.EXACT_DUE: 25,
    Reason.EXACT_DUES: 20,
    Reason.BELOW_DUE: 10,
    Reason.ABOVE_DUE: -10,
    Reason.ANNOUNCED_WAITS: 0,
    Reason.PAYER_IS_BUYER: 25,
    Reason.PAYER_APPROVED: 20,
    Reason.PAYER_SIMILAR: 10,
    Reason.PAYER_UNKNOWN: 0,
    Reason.PAYER_DIFFERS: -20,
    Reason.PAID_FROM_BEFORE: 15,
    Reason.REFUND_NUMBER: 60,
    Reason.PAYOUT_NUMBER: 60,
    Reason.ADVANCE_NUMBER: 60,
    Reason.PAYOUT_FILE_NUMBER: 60,
    Reason.REFUND_FILE_NUMBER: 60,
    Reason.PAYOUT_FILE_DAY: 25,
    Reason.LESS_FAILED: 0,
    Reason.PAYEE: 25,
    Reason.AMOUNT: 15,
    Reason.AMOUNT_DIFFERS: -20,
    Reason.SHOWN_ALREADY: -20,
    Reason.SAME_SIDE: 25,
    Reason.RETURNED: 20,
    Reason.REVERSAL: 20,
    Reason.SAID_FAILED: 0,
    Reason.LEFT_TWICE: 10,
    Reason.BANK_WORDS: 50,
}
WORDS: Mapping[Reason, tuple[str, str]] = {
    Reason.REFERENCE: ("附言中有该订单的付款识别码", "the order's payment reference stands in the text"),
    Reason.BANK_REFERENCE: ("与登记付款的银行流水号一致", "the bank's number is that of an announced transfer"),
    Reason.ORDER_NUMBER: ("附言中有该订单编号", "the order's number stands in the text"),
    Reason.ANNOUNCED_AMOUNT: ("与登记的付款金额一致", "the amount is that of an announced transfer"),
    Reason.EXACT_DUE: ("等于该订单未付金额", "the amount is exactly what is due"),
    Reason.EXACT_DUES: ("等于几个订单未付金额之和", "the amount is exactly what is due for these orders together"),
    Reason.BELOW_DUE: ("小于该订单未付金额", "the amount is below what is due"),
    Reason.ABOVE_DUE: ("大于该订单未付金额", "the amount is above what is due"),
    Reason.ANNOUNCED_WAITS: (
        "该订单登记的付款尚未到账，金额与此不同，见 announced",
        "transfers announced for the order have not arrived, and are of other amounts: see `announced`",
    ),
    Reason.PAYER_IS_BUYER: ("付款人即采购单位", "the payer is the buyer"),
    Reason.PAYER_APPROVED: ("付款人已经批准代付", "the payer was approved to pay for the buyer"),
    Reason.PAYER_SIMILAR: ("付款人名称与采购单位相近", "the payer's name is like the buyer's"),
    Reason.PAYER_UNKNOWN: ("流水没有付款人名称", "the line names no payer"),
    Reason.PAYER_DIFFERS: (
        "付款人不是采购单位，须先登记并批准代付",
        "the payer is not the buyer: declare it and have it approved first",
    ),
    Reason.PAID_FROM_BEFORE: ("该账户此前为该单位付过款", "this account has paid for the buyer before"),
    Reason.REFUND_NUMBER: ("附言中有该退款编号", "the refund's number stands in the text"),
    Reason.PAYOUT_NUMBER: ("附言中有该笔付款的编号", "the payout's number stands in the text"),
    Reason.ADVANCE_NUMBER: ("附言中有该预付款的编号", "the advance's number stands in the text"),
    Reason.PAYOUT_FILE_NUMBER: ("附言中有该付款名单的编号", "the number of the list of payouts stands in the text"),
    Reason.REFUND_FILE_NUMBER: ("附言中有该退款文件的编号", "the number of the file of refunds stands in the text"),
    Reason.LESS_FAILED: ("金额已扣除其中记为失败的款项", "what was said to have failed on it is left out of the amount"),
    Reason.PAYOUT_FILE_DAY: ("日期在名单制作之后数日内", "it was booked within days of the list"),
    Reason.PAYEE: ("对方即收款人", "the other side is the payee"),
    Reason.AMOUNT: ("金额一致", "the amounts are equal"),
    Reason.AMOUNT_DIFFERS: ("金额不一致，差额见 difference", "the amounts differ, see `difference`"),
    Reason.SHOWN_ALREADY: ("已有其他流水与之核销", "another line is matched with it already"),
    Reason.SAME_SIDE: ("对方与该收款相同", "the other side is that of the receipt"),
    Reason.RETURNED: ("附言提到退汇", "the text speaks of a returned transfer"),
    Reason.REVERSAL: ("银行红字冲正该笔付款", "the bank takes the payment back"),
    Reason.SAID_FAILED: (
        "该笔款项此前记为失败，银行流水显示已付出",
        "it was said to have failed, and the bank shows that it left",
    ),
    Reason.LEFT_TWICE: (
        "该笔款项曾重复付出，退回的可能是多付的一笔",
        "it left twice, and what came back may be the one too many",
    ),
    Reason.BANK_WORDS: ("附言为银行收费或利息", "the text speaks of the bank's fees or interest"),
}
