"""The slip for the cashier: what a bank transfer for an order has to say, on paper."""

from pathlib import Path

from orders.banking.schemas.payers import TransferInstructionsOut
from orders.terms.errors import NothingDue
from shop.core import printing
from shop.core.errors import Language
from shop.core.money import yuan_from_fen

_TEMPLATE = Path(__file__).with_name("transfer.typ")
_TITLE = {"zh": "对公转账付款单", "en": "Bank transfer"}
_ROWS: dict[Language, list[str]] = {
    "zh": ["订单", "收款户名", "收款账号", "开户行（联行号）", "金额（元）", "最晚付款日", "付款户名"],
    "en": ["order", "payee", "account", "bank (number)", "amount (yuan)", "due on", "payer"],
}
_HINT = {
    "zh": "请将上面的付款识别码填入转账附言或用途，其他内容可不填。须由上列付款户名的账户转出；由他人代付的，请先登记并经平台批准。",
    "en": "Write the reference above into the text of the transfer; nothing else is needed. It has to come from an account of the payer named above;"
    " anybody else is declared and approved first.",
}


def transfer_slip(told: TransferInstructionsOut, language: Language) -> bytes:
    """The slip as PDF; its QR code holds the reference.

    Raises:
        NothingDue: there is nothing to transfer (409).
    """
    if told.amount <= 0:
        raise NothingDue
    bank = " ".join(filter(None, [told.payee_bank, told.payee_bank_code and f"({told.payee_bank_code})"])) or "-"
    payers = "、".join([told.payer_name, *told.approved_payers])
    due_on = str(told.due_on or "-")
    cells = [told.purchase_order_number, told.payee_name, told.payee_account, bank, yuan_from_fen(told.amount), due_on, payers]
    content = {
        "title": _TITLE[language],
        "rows": [list(row) for row in zip(_ROWS[language], cells, strict=True)],
        "reference": told.payment_reference_printed,
        "hint": _HINT[language],
    }
    return printing.pdf(_TEMPLATE, content, told.payment_reference)
