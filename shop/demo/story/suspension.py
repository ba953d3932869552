"""A certificate is suspended while orders of its product are open, and reinstated."""

from typing import Any

from shop.demo.cast import Cast, same


class Suspension(Cast):
    """What a suspension means for who ordered."""

    def open_orders(self) -> str:
        """学校再下两单，尚未发货 · The school orders twice more; nothing is shipped yet"""
        self.open_parts = [self._order(quantity)["supplier_orders"][0]["id"] for quantity in ("10", "20")]
        for part in self.open_parts:
            self.coop.post(f"/v1/supplier-orders/{part}/confirm", expect=200)
        return f"supplier orders {self.open_parts[0]} and {self.open_parts[1]}: 10 and 20 boxes"

    def suspension(self) -> str:
        """区县暂停证书：新订单立即被拒绝 · The county suspends the certificate: new orders are refused at once"""
        body = {"reason_code": "quality_failure", "reason": "抽检标签不合格，限期整改"}
        certificate = self.county.post(f"/v1/certificates/{self.certificate_id}/suspend", expect=200, json=body)
        same("state", certificate["state"], "suspended")
        refusal = self._order("1", expect=422)
        same("why nothing was ordered", refusal["errors"][0]["code"], "certificate_suspended")
        return f"{certificate['number']}: {certificate['reason']}; refused: {refusal['errors'][0]['message']}"

    def choice(self) -> str:
        """未完成订单由采购人选择：继续履约或取消 · For open orders the buyer chooses: deliver or cancel"""
        found = self.school.get(f"/v1/certificates/{self.certificate_id}/open-orders")["items"]
        same("open orders", sorted(row["supplier_order_id"] for row in found), self.open_parts)
        delivered, cancelled = self.open_parts
        parcel = {"carrier": "邮政快递", "waybill": f"YD{self.tag}S"}
        refusal = self.coop.post(f"/v1/supplier-orders/{delivered}/shipments", expect=409, json=parcel)
        same("why it is not shipped", refusal["code"], "disposition_needed")
        self._choose(delivered, "deliver", "已验看样品")
        self._choose(cancelled, "cancel", "改订其他产品")
        self.coop.post(f"/v1/supplier-orders/{delivered}/shipments", json=parcel)
        same("the other order", self.school.get(f"/v1/supplier-orders/{cancelled}")["status"], "cancelled")
        return f"refused before: {refusal['title']}; {delivered} is delivered, {cancelled} is cancelled"

    def reinstatement(self) -> str:
        """整改完成，证书恢复，又可下单 · The certificate is reinstated; orders work again"""
        body = {"reason": "整改完成，复检合格"}
        certificate = self.county.post(f"/v1/certificates/{self.certificate_id}/reinstate", expect=200, json=body)
        same("state", certificate["state"], "in_force")
        placed = self._order("1")
        return f"{certificate['number']}: in force; {placed['number']}: {placed['total']} yuan"

    def _order(self, quantity: str, expect: int = 201) -> dict[str, Any]:
        body = {
            "fund_source": "union",
            "delivery_address": "重庆市沙坪坝区大学城中路1号",
            "lines": [{"sku_id": self.sku_id, "quantity": quantity}],
        }
        answer: dict[str, Any] = self.school.post("/v1/purchase-orders", expect=expect, json=body)
        return answer

    def _choose(self, part: int, choice: str, reason: str) -> None:
        body = {"certificate_id": self.certificate_id, "choice": choice, "reason": reason}
        self.school.post(f"/v1/supplier-orders/{part}/disposition", json=body)
