"""A contract as PDF, printed from the frozen content and nothing else."""

from pathlib import Path

from orders.contracts.schemas import SupplementOut
from shop.core import printing

_TEMPLATE = Path(__file__).with_name("contract.typ")


def contract_pdf(contract: SupplementOut) -> bytes:
    """The PDF in Chinese; the QR code holds number and digest, so that a print can be compared with the record."""
    it = contract.content
    supplier, buyer, delivery = it["supplier"], it["buyer"], it["delivery"]
    shown = {
        "title": "购销合同补充协议" if contract.supplement_no else "消费帮扶产品购销合同",
        "number": contract.number,
        "rows": [
            ["供方", f"{supplier['name']}（统一社会信用代码 {supplier['uscc']}）"],
            ["供方地址", supplier["address"] or "—"],
            ["需方", f"{buyer['name']}（统一社会信用代码 {buyer['uscc']}）"],
            ["需方地址", buyer["address"] or "—"],
            *([["下单单位", buyer["ordering_unit"]]] if buyer["ordering_unit"] != buyer["name"] else []),
            ["订单", f"{it['order_number']}（{it['ordered_on']}）"],
            ["方案", it["programme"]["name"]],
            ["签订日期", it["made_on"]],
        ],
        "changes": it.get("changes", []),
        "head": ["序号", "产品（产地）", "规格", "数量", "单价（元）", "金额（元）", "税率", "证书编号"],
        "lines": [
            [
                str(line["line_no"]),
                f"{line['product']}（{line['origin']}）",
                line["pack"],
                line["quantity"],
                line["unit_price"],
                line["amount"],
                line["vat_rate"],
                line["certificate"],
            ]
            for line in it["lines"]
        ],
        "sums": [["货款", it["goods"]], ["运费", it["freight"]], ["合计", it["total"]]],
        "delivery": [
            ["交货地址", delivery["address"]],
            ["收货人", "　".join(part for part in (delivery["contact"], delivery["phone"]) if part) or "—"],
            ["交货期限", delivery["deliver_by"] or "以双方约定为准"],
            ["付款", it["payment"]],
        ],
        "terms": it["terms"],
        "signatures": ["供方（盖章）", "需方（盖章）"],
        "digest": contract.sha256,
    }
    return printing.pdf(_TEMPLATE, shown, f"{contract.number} sha256:{contract.sha256}")
