"""What it is called when two links of a chain do not say the same: code -> (Chinese, English). Pure."""

from collections.abc import Mapping

REASONS: Mapping[str, tuple[str, str]] = {
    "contract_missing": ("已确认但没有合同", "Confirmed without a contract"),
    "contract_differs": ("合同货款与订单不同", "The contract's goods cost another sum than the order's"),
    "waybill_missing": ("发货没有运单号", "A delivery without a waybill"),
    "delivery_differs": ("验收、拒收与短少之和不等于发货", "Accepted, rejected and missing are not what was shipped"),
    "acceptance_differs": ("验收金额与验收数量乘单价不同", "The accepted amount is not the accepted quantity at its price"),
    "statistic_differs": ("统计分录与验收金额不同", "The entries of the statistics are not what was accepted"),
    "invoice_missing": ("验收后没有发票", "Accepted without an invoice"),
    "invoice_differs": ("发票净额与验收净额不同", "Invoices, less credit notes, are not what was accepted, less returns"),
    "due_differs": ("应付计划与应付金额不同", "What is due is not what is to be paid"),
    "payment_overdue": ("到期未付", "Not paid in time"),
    "overpaid": ("付款超过应付", "Paid more than is to be paid"),
}

BATCH_REASONS: Mapping[str, tuple[str, str]] = {
    "lines_differ": ("批次合计与明细之和不同", "The batch's sum is not that of its lines"),
    "not_booked": ("计入统计的明细没有分录", "Lines that count have no entry"),
    "booked_differs": ("分录金额与明细不同", "Entries are not what their lines say"),
    "booked_without_counting": ("不计入的明细仍有分录", "Lines that do not count are booked"),
}

EXTERNAL_REASONS: Mapping[str, tuple[str, str]] = {
    "lines_differ": ("申报合计与明细之和不同", "The claim's sum is not that of its lines"),
    "documents_missing": ("没有带金额的发票或银行回单", "No invoice or bank receipt with an amount"),
    "documents_differ": ("发票或银行回单金额少于明细", "Invoices or bank receipts come to less than the lines"),
    "not_booked": ("已认可但没有分录", "Accepted without entries"),
    "booked_differs": ("分录金额与明细不同", "Entries are not what the lines say"),
    "booked_without_counting": ("未认可但仍有分录", "Booked, though not accepted"),
}
