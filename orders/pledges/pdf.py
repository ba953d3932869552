"""A proof of purchase as PDF, with a QR code that leads to its public check."""

from pathlib import Path
from typing import Any

from orders.pledges.schemas import PublicProofOut
from orders.pledges.states import ProofState
from shop.core import clock, printing
from shop.core.money import yuan_from_fen
from shop.core.settings import settings

_TEMPLATE = Path(__file__).with_name("proof.typ")


def check_address(number: str) -> str:
    """Where everybody can check a proof."""
    return f"{settings().public_url.rstrip('/')}/v1/public/purchase-proofs/{number}/page"


def proof_pdf(zh: PublicProofOut, en: PublicProofOut) -> bytes:
    """The PDF of a proof, from what everybody may know of it in both languages. One that does not hold says so across the page."""
    return printing.pdf(_TEMPLATE, _content(zh, en), check_address(zh.number))


def _content(zh: PublicProofOut, en: PublicProofOut) -> dict[str, Any]:
    printed = clock.shanghai_text(clock.now(), "minutes")
    return {
        "title": "消费帮扶购买证明",
        "subtitle": "Proof of Purchase",
        "number": zh.number,
        "statement": f"　　兹证明{zh.organisation_name}通过消费帮扶交易平台采购并验收下列金额的帮扶地区产品。",
        "rows": [
            ["采购单位 Buyer", f"{zh.organisation_name}（{zh.organisation_uscc}）"],
            ["承诺 Pledge", f"{zh.pledge_number}　{zh.title}"],
            ["方式 Kind", f"{zh.kind_label} · {en.kind_label}"],
            ["期限 Period", f"{zh.valid_from:%Y-%m-%d} 至 {zh.valid_until:%Y-%m-%d}"],
            ["验收金额 Accepted", f"人民币 {yuan_from_fen(zh.amount)} 元"],
            ["订单数 Orders", str(zh.orders)],
            ["净重 Net weight", f"{zh.accepted_grams / 1000:,.1f} 公斤"],
        ],
        "places": [
            [f"{each.name} {same.name}", yuan_from_fen(each.amount)] for each, same in zip(zh.districts, en.districts, strict=True)
        ],
        "not_a_receipt": [zh.statement, en.statement],
        "issued": f"出具日期 Issued {zh.issued_on:%Y-%m-%d}",
        "state": f"{printed} 的状态：{zh.state_label}。当前状态以扫码查询为准。",
        "digest": f"SHA-256 {zh.sha256}",
        "check": "扫码查验 Check",
        "stamp": None if zh.state is ProofState.VALID else zh.state_label,
    }
