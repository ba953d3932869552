"""A month's close as a table to be exported."""

from collections.abc import Iterable, Iterator

from orders.closing.schemas import ClosePage, CloseRow, CloseTotals
from orders.money.labels import label
from shop.core.errors import Language
from shop.core.exports import TOTAL, Cell
from shop.core.money import yuan

TITLE: dict[Language, str] = {"zh": "月结", "en": "Month's close"}
HEADER: dict[Language, list[str]] = {
    "zh": ["缺项", "订单", "供货单编号", "销售方", "购买方", "期初未开票（元）", "本月入账（元）", "本月开票（元）", "本月冲红（元）", "期末未开票（元）", "本月税额（元）", "未开票（元）", "待冲红（元）", "账票不符（元）", "未登记税务发票（元）", "缺红字（元）", "已付（元）", "已登记未到账（元）", "已验收未付（元）", "验收前已付（元）", "未验收（元）", "逾期（元）", "账款不符（元）", "到期日", "到货", "结算发票", "红字结算发票", "税务发票", "付款", "结算单"],
    "en": ["missing", "order", "part", "seller", "buyer", "opening (yuan)", "booked (yuan)", "invoiced (yuan)", "credited (yuan)", "closing (yuan)", "VAT (yuan)", "not invoiced (yuan)", "credit due (yuan)", "ledger and invoices differ (yuan)", "without tax invoice (yuan)", "without red letter (yuan)", "paid (yuan)", "announced (yuan)", "accepted and unpaid (yuan)", "paid before acceptance (yuan)", "not accepted (yuan)", "overdue (yuan)", "ledger and dues differ (yuan)", "due on", "deliveries", "invoices", "credit notes", "tax invoices", "payments", "settlements"],
}  # fmt: skip


def _joined(words: Iterable[str]) -> str:
    return "; ".join(words)


#: How the list ties to the ledger and to the dues, below it.
_OWED: dict[str, tuple[str, str]] = {
    "unpaid": ("本表已验收未付", "accepted and unpaid, listed above"),
    "paid_ahead": ("减：本表验收前已付", "less: paid before acceptance, listed above"),
    "elsewhere": ("加：未列入本表", "plus: not listed above"),
    "credit": ("减：多付", "less: paid beyond what orders cost"),
    "unexplained": ("未解释（应为零）", "unexplained (has to be zero)"),
    "receivable": ("应收采购单位（账面）", "owed by buyers, by the ledger"),
    "not_accepted": ("加：未验收", "plus: not accepted yet"),
    "dues": ("应付款项未清合计（应收＋多付＋未验收）", "open dues (receivable + credit + not accepted)"),
}
#: What waited at the month's end to be explained, below that.
_UNALLOCATED: dict[str, tuple[str, str]] = {
    "at_end": ("月末待认领款项（账面）", "not explained at the month's end, by the ledger"),
    "matched_since": ("其中：月后已认领", "of that explained since"),
    "waiting": ("其中：仍待认领", "of that still waiting"),
}


def rows(found: ClosePage, language: Language) -> Iterator[list[Cell]]:
    """The parts, what they come to, how that ties to the ledger, and what waits to be explained: these stand in the column of what is accepted and
    unpaid."""
    for row in found.items:
        yield _cells(row, language)
    lead, behind = [None] * 4, [None] * 7
    yield [TOTAL[language], *lead, *_amounts(found.total), *behind]
    at = HEADER["en"].index("accepted and unpaid (yuan)")
    for told, named in ((found.total.owed, _OWED), (found.unallocated, _UNALLOCATED)):
        for name, words in named.items() if told else ():
            line: list[Cell] = [None] * len(HEADER["en"])
            line[0], line[at] = words[language == "en"], yuan(getattr(told, name))
            yield line


def _amounts(row: CloseRow | CloseTotals) -> list[Cell]:
    return [
        yuan(fen)
        for fen in (
            *(row.opening, row.booked, row.invoiced, row.credited, row.closing, row.vat),
            *(row.uninvoiced, row.credit_due, row.unexplained, row.without_tax_invoice, row.without_red_letter),
            *(row.paid, row.announced, row.unpaid, row.paid_ahead, row.not_accepted, row.overdue, row.unpaid_unexplained),
        )
    ]


def _cells(row: CloseRow, language: Language) -> list[Cell]:
    numbers = dict.fromkeys(number for each in row.invoices for number in each.tax_invoices)
    numbers |= dict.fromkeys(number for each in row.credit_notes for number in each.tax_invoices)
    return [
        _joined(label("gap", gap, language) for gap in row.gaps),
        row.purchase_order_number,
        row.supplier_order_id,
        row.seller_name,
        row.buyer_name,
        *_amounts(row),
        row.due_on,
        _joined(f"{each.shipment_id} ({each.accepted_on})" for each in row.deliveries),
        _joined(each.number for each in row.invoices),
        _joined(each.number for each in row.credit_notes),
        _joined(numbers),
        _joined(f"{each.reference} ({each.paid_on})" for each in row.payments),
        _joined(row.settlements),
    ]
