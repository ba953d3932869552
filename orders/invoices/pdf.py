"""Invoices and credit notes as PDF: in Chinese, or for who reads English with every label in both. What is Chinese by rule, the amount in capitals
and that it is no tax invoice, stands there in both."""

from pathlib import Path
from typing import Any

from orders.invoices.schemas import CreditNoteOut, InvoiceOut, PartyOut
from orders.money.labels import label
from shop.core import printing
from shop.core.errors import Language
from shop.core.money import yuan_from_fen
from shop.core.quantities import plain

_TEMPLATE = Path(__file__).with_name("invoice.typ")
_WORDS = {
    "invoice": ("结算发票", "Invoice"),
    "credit_note": ("红字结算发票（贷项通知单）", "Credit note"),
    "number": ("编号", "No."),
    "seller": ("销售方", "Seller"),
    "buyer": ("购买方", "Buyer"),
    "uscc": ("统一社会信用代码", "USCC"),
    "order": ("订单", "Order"),
    "of": ("对应发票", "Of invoice"),
    "reason": ("冲红原因", "Reason"),
    "issued_on": ("开具日期", "Issued on"),
    "note": ("备注", "Note"),
    "net": ("不含税合计", "Net"),
    "vat": ("税额合计", "VAT"),
    "gross": ("价税合计", "Gross"),
    "yuan": ("元", "yuan"),
    "in_words": ("价税合计（大写）", "Gross in words"),
    "below_zero": ("（负数）", "(below zero)"),
    "grounds": ("免税依据", "Exempt by"),
    "exempt": ("免税", "exempt"),
    "notice": (
        "本单据为平台结算凭证，不是税务机关监制的发票；税务发票见登记的数电票或增值税发票。",
        "This is a document of the marketplace's own books and no invoice of the tax authority; see the tax invoice that is registered.",
    ),
}
_HEAD = {
    "zh": ["序号", "名称", "规格", "数量", "含税金额（元）", "税率", "税额（元）", "不含税金额（元）"],
    "en": ["序号 No.", "名称 Item", "规格 Pack", "数量 Quantity", "含税金额 Gross (yuan)", "税率 Rate", "税额 VAT (yuan)", "不含税金额 Net (yuan)"],
}  # fmt: skip


def _word(name: str, language: Language) -> str:
    zh, en = _WORDS[name]
    return zh if language == "zh" else f"{zh} {en}"


def invoice_pdf(it: InvoiceOut, language: Language) -> bytes:
    return _printed("invoice", it, [[_word("order", language), it.purchase_order_number]], language)


def credit_note_pdf(it: CreditNoteOut, language: Language) -> bytes:
    why = label("credit_reason", it.reason, "zh")
    told = why if language == "zh" else f"{why} {label('credit_reason', it.reason, 'en')}"
    return _printed("credit_note", it, [[_word("of", language), it.invoice_number], [_word("reason", language), told]], language)


def _party(side: PartyOut, language: Language) -> str:
    return f"{side.name}（{_word('uscc', language)} {side.uscc}）{side.address or ''}"


def _printed(title: str, it: Any, told: list[list[str]], language: Language) -> bytes:
    # a credit note takes back: what it shows is below zero
    sign = 1 if isinstance(it, InvoiceOut) else -1
    grounds = dict.fromkeys(f"{line.exemption.label}（{line.exemption.source}）" for line in it.lines if line.exemption)
    shown = {
        "title": _word(title, language),
        "number": it.number,
        "number_label": _word("number", language),
        "rows": [
            [_word("seller", language), _party(it.seller, language)],
            [_word("buyer", language), _party(it.buyer, language)],
            *told,
            [_word("issued_on", language), it.issued_on.isoformat()],
            *([[_word("note", language), it.note]] if it.note else []),
        ],
        "head": _HEAD[language],
        "lines": [
            [
                str(line.line_no),
                line.name,
                line.pack or line.unit or "—",
                plain(sign * line.quantity),
                yuan_from_fen(sign * line.gross),
                f"{line.vat_bp / 100:g}%" if line.vat_bp else _word("exempt", language),
                yuan_from_fen(sign * line.vat),
                yuan_from_fen(sign * line.net),
            ]
            for line in it.lines
        ],
        "sums": [[_word(name, language), yuan_from_fen(sign * getattr(it, name))] for name in ("net", "vat", "gross")],
        "yuan": _word("yuan", language),
        "words_label": _word("in_words", language),
        "words": it.in_words if sign > 0 else f"{_word('below_zero', language)}{it.in_words}",
        "grounds_label": _word("grounds", language),
        "grounds": list(grounds),
        "notice": _word("notice", language),
    }
    return printing.pdf(_TEMPLATE, shown, f"{it.number} {yuan_from_fen(sign * it.gross)} {it.issued_on.isoformat()}")
