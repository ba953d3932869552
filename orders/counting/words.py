"""The words for the codes of doubts and books, in files that people read."""

from orders.counting.rules import DocumentKind, HoldStatus, Reason, Subject
from shop.core.errors import Language

REASONS: dict[Reason, dict[Language, str]] = {
    Reason.DOCUMENT_SEEN: {"zh": "票据重复", "en": "document seen before"},
    Reason.SUSPECTED_DUPLICATE: {"zh": "疑似重复", "en": "suspected duplicate"},
    Reason.NOT_CERTIFIED: {"zh": "未认定产品", "en": "not certified"},
    Reason.OVER_CAPACITY: {"zh": "超出认定产能", "en": "more than the capacity"},
    Reason.BROKEN_CHAIN: {"zh": "批次不连续", "en": "broken chain of batches"},
    Reason.CORRECTS_NOTHING: {"zh": "更正的批次不存在", "en": "corrects nothing"},
    Reason.CLOCK: {"zh": "时间异常", "en": "time cannot be"},
    Reason.OUTLET_CLOSED: {"zh": "网点未营业", "en": "outlet was closed"},
    Reason.LATE: {"zh": "逾期上报", "en": "told too late"},
    Reason.IMPLAUSIBLE: {"zh": "数量或价格异常", "en": "quantity or price cannot be"},
    Reason.WITHDRAWAL: {"zh": "撤出金额较大", "en": "takes much out of the figures"},
    Reason.NO_SALE: {"zh": "退货无原销售", "en": "refund without a sale"},
    Reason.REFUND: {"zh": "退货多于销售", "en": "more given back than sold"},
}
STATUSES: dict[HoldStatus, dict[Language, str]] = {
    HoldStatus.OPEN: {"zh": "待处理", "en": "open"},
    HoldStatus.COUNTED: {"zh": "已计入", "en": "counted"},
    HoldStatus.VOID: {"zh": "不计入", "en": "not counted"},
}
SUBJECTS: dict[Subject, dict[Language, str]] = {
    Subject.EXTERNAL_SALE: {"zh": "平台外销售", "en": "sale made elsewhere"},
    Subject.SALES_BATCH: {"zh": "网点销售批次", "en": "batch of an outlet"},
    Subject.SALES_BATCH_LINE: {"zh": "网点销售行", "en": "line of an outlet's batch"},
    Subject.PURCHASE_ORDER: {"zh": "采购订单", "en": "purchase order"},
}
DOCUMENTS: dict[DocumentKind, dict[Language, str]] = {
    DocumentKind.INVOICE: {"zh": "发票", "en": "invoice"},
    DocumentKind.BANK_RECEIPT: {"zh": "银行回单", "en": "bank receipt"},
    DocumentKind.WAYBILL: {"zh": "运单", "en": "waybill"},
}
SIDES: dict[str, dict[Language, str]] = {
    "seller": {"zh": "供方账", "en": "seller's book"},
    "buyer": {"zh": "购方账", "en": "buyer's book"},
}
#: Decisions that nobody took: what made them needless. Before it may stand what it became of, by its number.
DECISIONS: dict[str, dict[Language, str]] = {
    "replaced": {"zh": "批次已更正或撤回", "en": "its batch was replaced or taken back"},
    "its sale came": {"zh": "原销售已报送", "en": "its sale came"},
    "it fits its sale": {"zh": "与原销售相符", "en": "it fits its sale"},
    "waybill corrected": {"zh": "运单已更正", "en": "waybill corrected"},
    "withdraw": {"zh": "已撤回", "en": "withdrawn"},
    "return": {"zh": "已退回", "en": "returned"},
    "refuse": {"zh": "不予通过", "en": "refused"},
    "void": {"zh": "已作废", "en": "voided"},
    "issued": {"zh": "发票已开具", "en": "invoice issued"},
    "sent": {"zh": "发票已交付", "en": "invoice sent"},
    "partly_credited": {"zh": "发票部分冲红", "en": "invoice partly credited"},
    "credited": {"zh": "发票已冲红", "en": "invoice credited"},
}
#: Why a sale stands in one book only.
ALONE: dict[str, dict[Language, str]] = {
    "no_counterpart": {"zh": "对方无此笔", "en": "the other book has none"},
    "amount_differs": {"zh": "金额不符", "en": "amount differs"},
    "not_yet_accepted": {"zh": "对方尚未审定", "en": "the other claim is not accepted yet"},
    "seller_not_listed": {"zh": "供应单位未入驻", "en": "the seller is not registered here"},
    "buyer_not_registered": {"zh": "采购单位未入驻", "en": "the buyer is not registered here"},
}


def decided(said: str | None, language: Language) -> str | None:
    """A decision as people read it: an officer's own words, or those of what made a decision needless."""
    number, colon, code = (said or "").rpartition(": ")
    return f"{number}{colon}{DECISIONS[code][language]}" if code in DECISIONS else said
