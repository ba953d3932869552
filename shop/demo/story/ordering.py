"""Orders of the newly certified product and from a spreadsheet, up to the districts' figures."""

import time
from collections import defaultdict
from decimal import Decimal

from shop.core.money import fen_from_yuan, yuan_from_fen
from shop.demo.cast import Cast, same, weighed
from shop.demo.people import COUNTY, DATA
from shop.demo.visitor import PATIENCE_SECONDS, Surprise


class Ordering(Cast):
    """From the order to the figures."""

    # --- the order --------------------------------------------------------------------------------------------------

    def before(self) -> str:
        """监测人员查看区县销售数据（之前） · The monitor looks at the districts' figures, before"""
        self.figures_before = self.figures()
        amount, grams = self.figures_before[COUNTY]
        return f"奉节 {COUNTY}: {yuan_from_fen(amount)} yuan, {grams:,} g this year"

    def spreadsheet(self) -> str:
        """学校用食堂采购表下单 · The school orders with its canteen's spreadsheet"""
        content = (DATA / "canteen_order.xlsx").read_bytes()
        head = {
            "fund_source": "canteen",
            "delivery_address": "重庆市沙坪坝区大学城中路1号食堂",
            "buyer_reference": f"ST-{self.tag}",
        }
        sent = self.school.post("/v1/order-imports", 202, files={"file": ("canteen_order.xlsx", content)})
        self.until_checked(sent["id"])
        # the canteen sends the same list whenever the story is told
        placed = self.school.post(f"/v1/order-imports/{sent['id']}/order", json={**head, "again": True})["purchase_order"]
        same("lines", placed["line_count"], 60)
        self.orders.append(placed)
        return f"{placed['number']}: 60 lines, {len(placed['supplier_orders'])} suppliers, {placed['total']} yuan"

    def until_checked(self, import_id: int) -> None:
        """Wait until the worker has read and checked a list."""
        give_up = time.monotonic() + PATIENCE_SECONDS
        while (status := self.school.get(f"/v1/order-imports/{import_id}")["status"]) != "ready":
            if status == "failed" or time.monotonic() > give_up:
                raise Surprise(f"the canteen's list is {status}")
            time.sleep(0.3)

    def direct(self) -> str:
        """学校再订购新认定的产品 · The school also orders the newly certified product"""
        body = {
            "fund_source": "union",
            "delivery_address": "重庆市沙坪坝区大学城中路1号",
            "lines": [{"sku_id": self.sku_id, "quantity": "60"}],
        }
        placed = self.school.post("/v1/purchase-orders", json=body)
        same("total", placed["total"], "3720.00")
        self.orders.append(placed)
        return f"{placed['number']}: 60 x 62.00 = {placed['total']} yuan"

    def delivery(self) -> str:
        """各供应商确认并发货 · The suppliers confirm and ship"""
        parts = [part for order in self.orders for part in order["supplier_orders"]]
        for part in parts:
            seller = self.seller_of(part["supplier_id"])
            seller.post(f"/v1/supplier-orders/{part['id']}/confirm", expect=200)
            body = {"carrier": "邮政快递", "waybill": f"YD{self.tag}{part['id']}"}
            self.shipments.append(seller.post(f"/v1/supplier-orders/{part['id']}/shipments", json=body))
        grams = sum(line["grams"] for shipment in self.shipments for line in shipment["lines"])
        return f"{len(parts)} suppliers, {len(self.shipments)} shipments, {grams:,} g"

    def acceptance(self) -> str:
        """学校验收，部分按重量拒收 · The school accepts; a part is weighed and rejected"""
        for shipment in self.shipments:
            last = shipment is self.shipments[-1]
            body = {"lines": [weighed(line) for line in shipment["lines"]]} if last else {}
            self.accepted.append(self.school.post(f"/v1/shipments/{shipment['id']}/acceptance", json=body))
        rejected = [line for line in self.accepted[-1]["lines"] if line["rejected_grams"]]
        return f"{len(self.accepted)} shipments; rejected {rejected[0]['rejected_grams']:,} g of {rejected[0]['product_name']}"

    def announcement(self) -> str:
        """财务按汇款单付款并登记 · Finance takes the transfer slip to the bank, and announces the payment"""
        order = self.orders[0]
        told = self.finance.get(f"/v1/purchase-orders/{order['id']}/transfer-instructions")
        same("what is to be paid", told["amount"], yuan_from_fen(self.accepted_fen(order)))
        slip = self.finance.download(f"/v1/purchase-orders/{order['id']}/transfer-instructions.pdf")
        same("the beginning of the slip", slip[:5], b"%PDF-")
        body = {
            "amount": told["amount"],
            "bank_reference": f"DEMO-{self.tag}",
            "payer_name": told["payer_name"],
            "paid_on": self.today(),
        }
        paid = self.finance.post(f"/v1/purchase-orders/{order['id']}/payments", json=body)
        same("where it stands until the bank shows it", paid["source"], "announced")
        seen = self.school.get(f"/v1/purchase-orders/{paid['purchase_order_id']}")
        same("what is announced, apart from what has arrived", (seen["announced"], seen["paid"]), (paid["amount"], "0.00"))
        return f"{paid['amount']} yuan to {told['payee_name']}, {told['payment_reference_printed']}"

    # --- the figures ------------------------------------------------------------------------------------------------

    def after(self) -> str:
        """区县数据的增量与验收金额分毫不差 · The figures have grown by exactly what was accepted"""
        expected: dict[str, tuple[int, int]] = defaultdict(lambda: (0, 0))
        for order in self.orders:
            for line in self.accepted_lines(order):
                amount, grams = expected[line["district"]]
                expected[line["district"]] = (amount + fen_from_yuan(line["amount"]), grams + line["accepted_grams"])
        after = self.figures()
        for district in sorted({*after, *self.figures_before, *expected}):
            now, then = after.get(district, (0, 0)), self.figures_before.get(district, (0, 0))
            same(f"the growth of {district} in fen and grams", (now[0] - then[0], now[1] - then[1]), expected[district])
        amount, grams = (sum(pair[place] for pair in expected.values()) for place in (0, 1))
        touched = sum(1 for pair in expected.values() if pair != (0, 0))
        county = expected[COUNTY]
        return (
            f"{touched} districts, +{yuan_from_fen(amount)} yuan, +{Decimal(grams) / 1_000_000} t;"
            f" 奉节 +{yuan_from_fen(county[0])} yuan, +{county[1]:,} g"
        )

    def reconciliation(self) -> str:
        """全账核对，零差异 · Everything reconciles"""
        asked = self.monitor.post("/v1/reconcile/runs", 202)
        give_up = time.monotonic() + PATIENCE_SECONDS
        while (status := self.monitor.get("/v1/reconcile/asked")["status"]) != "done":
            if status == "failed" or time.monotonic() > give_up:
                raise Surprise(f"the books are not compared: the run that was asked for is {status}")
            time.sleep(0.3)
        found = self.monitor.get("/v1/reconcile")
        if found["differences"]:
            wrong = [check for check in found["checks"] if check["count"]]
            raise Surprise(f"reconciliation found differences: {wrong}")
        return f"{asked['checks']} checks, 0 differences"
