"""The delivery note that goes with the goods, as PDF."""

from pathlib import Path

from orders.fulfilment.schemas import ShipmentOut
from orders.purchasing.schemas import SupplierOrderOut
from shop.core import clock, printing
from shop.core.quantities import plain

_TEMPLATE = Path(__file__).with_name("note.typ")


def delivery_note(shipment: ShipmentOut, order: SupplierOrderOut) -> bytes:
    """The PDF of a delivery note, in Chinese; the QR code holds the shipment's number."""
    ordered = {line.id: line for line in order.lines}
    content = {
        "title": "送货单",
        "number": shipment.number,
        "rows": [
            ["订单编号", order.purchase_order_number],
            ["供应单位", order.supplier_name],
            ["采购单位", order.buyer_name],
            ["收货地址", order.delivery_address or "—"],
            ["收货人", "　".join(part for part in (order.delivery_contact, order.delivery_phone) if part) or "—"],
            ["承运", "　".join(part for part in (shipment.carrier, shipment.waybill) if part) or "—"],
            ["发货时间", clock.shanghai_text(shipment.shipped_at, "minutes")],
            ["预计到达", f"{shipment.expected_on:%Y-%m-%d}" if shipment.expected_on else "—"],
        ],
        "head": ["产品", "规格", "数量", "净重（kg）", "批次 / 产地", "生产日期", "保质期至"],
        "lines": [
            [
                line.product_name,
                ordered[line.order_line_id].pack,
                plain(line.quantity),
                f"{line.grams / 1000:.3f}" if line.grams else "—",
                " / ".join(part for part in (line.lot, line.origin) if part) or "—",
                f"{line.produced_on:%Y-%m-%d}" if line.produced_on else "—",
                f"{line.best_before:%Y-%m-%d}" if line.best_before else "—",
            ]
            for line in shipment.lines
        ],
        "signatures": ["供应单位（盖章）", "送货人（签字）", "收货人（签字）", "收货日期"],
    }
    return printing.pdf(_TEMPLATE, content, shipment.number)
