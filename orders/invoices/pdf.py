"""Invoices and credit notes as PDF, in Chinese."""

from pathlib import Path
from typing import Any

from orders.invoices.schemas import CreditNoteOut, InvoiceOut, PartyOut
from shop.core import printing
from shop.core.money import yuan_from_fen
from shop.core.quantities import plain

_TEMPLATE = Path(__file__).with_name("invoice.typ")
_REASONS = {
    "return": "销货退回",
    "correction": "验收更正",
    "price_reduction": "销售折让",
    "reassignment": "购买方变更",
    "issued_in_error": "开票有误",
}
_NOTICE = "本单据为平台结算凭证，不是税务机关监制的发票；税务发票见登记的数电票或增值税发票。"


def invoice_pdf(it: InvoiceOut) -> bytes:
    rows = [
        *_parties(it.seller, it.buyer),
        ["订单", it.purchase_order_number],
        ["开具日期", it.issued_on.isoformat()],
        *([["备注", it.note]] if it.note else []),
    ]
    return _printed("结算发票", it, rows)


def credit_note_pdf(it: CreditNoteOut) -> bytes:
    rows = [
        *_parties(it.seller, it.buyer),
        ["对应发票", it.invoice_number],
        ["冲红原因", _REASONS[it.reason]],
        ["开具日期", it.issued_on.isoformat()],
        *([["备注", it.note]] if it.note else []),
    ]
    return _printed("红字结算发票（贷项通知单）", it, rows)


def _parties(seller: PartyOut, buyer: PartyOut) -> list[list[str]]:
    return [
        [title, f"{side.name}（统一社会信用代码 {side.uscc}）{side.address or ''}"]
        for title, side in (("销售方", seller), ("购买方", buyer))
    ]


def _printed(title: str, it: Any, rows: list[list[str]]) -> bytes:
    # a credit note takes back: what it shows is below zero
    sign = 1 if isinstance(it, InvoiceOut) else -1
    grounds = dict.fromkeys(f"{line.exemption.label}（{line.exemption.source}）" for line in it.lines if line.exemption)
    shown = {
        "title": title,
        "number": it.number,
        "rows": rows,
        "head": ["序号", "名称", "规格", "数量", "含税金额（元）", "税率", "税额（元）", "不含税金额（元）"],
        "lines": [
            [
                str(line.line_no),
                line.name,
                line.pack or line.unit or "—",
                plain(sign * line.quantity),
                yuan_from_fen(sign * line.gross),
                _rate(line.vat_bp),
                yuan_from_fen(sign * line.vat),
                yuan_from_fen(sign * line.net),
            ]
            for line in it.lines
        ],
        "sums": [
            ["不含税合计", yuan_from_fen(sign * it.net)],
            ["税额合计", yuan_from_fen(sign * it.vat)],
            ["价税合计", yuan_from_fen(sign * it.gross)],
        ],
        "words": it.in_words if sign > 0 else f"（负数）{it.in_words}",
        "grounds": list(grounds),
        "notice": _NOTICE,
    }
    return printing.pdf(_TEMPLATE, shown, f"{it.number} {yuan_from_fen(sign * it.gross)} {it.issued_on.isoformat()}")


def _rate(vat_bp: int) -> str:
    return f"{vat_bp / 100:g}%" if vat_bp else "免税"
