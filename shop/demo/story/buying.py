"""Institutional buying: a budget and an approval, a request for quotation, a long-term agreement, and a firm that buys instead of donating."""

import time
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from shop.core.clock import shanghai_date
from shop.core.money import fen_from_yuan, yuan_from_fen
from shop.demo.cast import Cast, same
from shop.demo.visitor import PATIENCE_SECONDS, Surprise, Visitor

CANTEEN = "重庆市沙坪坝区大学城中路1号食堂"
#: What must be left in the canteen's budget for the story, in yuan; otherwise the limit is raised by as much.
NEEDED = Decimal(2_000_000)
#: Where the firm buys: Shizhu and Chengkou.
BENEFITING = ["500240", "500229"]
#: What the other cooperative quotes for a kilogram, in fen.
QUOTED_FEN = 660


class Buying(Cast):
    """What agencies, schools and firms do besides ordering from the list."""

    # --- budget and approval ----------------------------------------------------------------------------------------

    def budget(self) -> str:
        """财务查看本年食堂预算，不足则追加 · Finance looks at the canteen's budget of the year, and raises it if little is left"""
        year = self._day().year
        found = self.finance.get("/v1/budgets", year=year, fund_source="canteen")["items"]
        if not found:
            body = {"year": year, "fund_source": "canteen", "limit": "6000000.00"}
            found = [self.finance.post("/v1/budgets", json=body)]
        budget = found[0]
        if Decimal(budget["available"]) < NEEDED:
            raised = {"limit": str(Decimal(budget["limit"]) + NEEDED), "reason": "追加预算"}
            budget = self.finance.ask("PATCH", f"/v1/budgets/{budget['id']}", 200, json=raised)
        self.budget_id = budget["id"]
        return f"{year}: {budget['limit']} yuan, ordered {budget['reserved']}, accepted {budget['consumed']}, left {budget['available']}"

    def large_purchase(self) -> str:
        """大额采购按规则提交审批，批准后下单 · A large purchase waits for approval by the unit's rule, and is ordered once approved"""
        rule = {
            "name": f"两万元以上 {self.tag}",
            "min_amount": "20000.00",
            "fund_sources": ["canteen"],
            "steps": [{"name": "分管领导", "role": "approver"}],
        }
        made = self.unit.post("/v1/approval-rules", json=rule)
        try:
            wanted = self._ask_for(self._rivals_sku()["id"], "400", reason="开学储备")
            same("an order without approval", wanted["purchase_order"], None)
            request = wanted["purchase_request"]
            before = fen_from_yuan(self.finance.get(f"/v1/budgets/{self.budget_id}")["reserved"])
            path = f"/v1/purchase-requests/{request['id']}"
            approved = self.approver.post(f"{path}/approve", expect=200, json={"reason": "同意"})
            same("status", approved["status"], "ordered")
            after = fen_from_yuan(self.finance.get(f"/v1/budgets/{self.budget_id}")["reserved"])
            same("what the approval adds to what was reserved already", after - before, 0)
        finally:
            self.unit.ask("PATCH", f"/v1/approval-rules/{made['id']}", 200, json={"active": False})
        order = self.school.get(f"/v1/purchase-orders/{approved['purchase_order_id']}")
        same("total", order["total"], request["total"])
        return f"{request['number']} → {order['number']}: {order['total']} yuan, reserved in the budget since it was asked for"

    # --- request for quotation --------------------------------------------------------------------------------------

    def quotation_request(self) -> str:
        """学校向两家供应商询价，答疑对所有人公开 · The school asks two suppliers for quotations; answers are for both"""
        self.closes_at = self.moved_to + timedelta(days=1)
        body = {
            "title": f"食堂冬季脐橙 {self.tag}",
            "supplier_ids": [self.organisation["id"], self._rival_id()],
            "fund_source": "canteen",
            "delivery_address": CANTEEN,
            "closes_at": self.closes_at.isoformat(),
            "lines": [
                {
                    "name": "脐橙",
                    "specification": "一级果，单果 200 克以上",
                    "category": "fruit",
                    "unit": "kg",
                    "quantity": "500",
                    "target_price": "9.00",
                }
            ],
        }
        draft = self.school.post("/v1/quotation-requests", json=body)
        self.rfq_path = f"/v1/quotation-requests/{draft['id']}"
        self.school.post(f"{self.rfq_path}/publish", expect=200)
        asked = self.coop.post(f"{self.rfq_path}/questions", json={"text": "可否分两批送货？"})["items"][0]
        answer = {"text": "可以，每批不少于 200 公斤。"}
        self.school.post(f"{self.rfq_path}/questions/{asked['id']}/answer", expect=200, json=answer)
        seen = self.rival.get(f"{self.rfq_path}/questions")["items"][0]
        same("what the other supplier reads", seen["answer"], answer["text"])
        return f"{draft['number']}: 500 kg; {seen['question']} {seen['answer']}"

    def quotations(self) -> str:
        """两家报价，截止前密封 · Both quote; until the end the quotations are sealed"""
        sku = self._rivals_sku()
        self._quote(self.coop, self.sku_id, "60.00")  # for 5 kg
        self._quote(self.rival, sku["id"], yuan_from_fen(sku["net_grams"] * QUOTED_FEN // 1000))
        refusal = self.school.ask("GET", f"{self.rfq_path}/comparison", 409)
        same("the refusal", refusal["code"], "quotations_sealed")
        return f"refused: {refusal['title']}"

    def comparison(self) -> str:
        """到期开标，逐行比价 · The end comes; the offers stand side by side"""
        self.moved_to = datetime.fromisoformat(self.admin.post("/v1/demo/clock", expect=200, json={"days": 1})["now"])
        line = self.school.get(f"{self.rfq_path}/comparison")["lines"][0]
        same("the cheapest first", [offer["supplier_id"] for offer in line["offers"]], [self._rival_id(), self.organisation["id"]])
        return "; ".join(
            f"{offer['supplier_name']}: {offer['packs']} x {offer['unit_price']} = {offer['amount']} yuan"
            for offer in line["offers"]
        )

    def award(self) -> str:
        """定标给一家，按报价下单，价格锁定 · The award makes an order at the price quoted, whatever the list says later"""
        body = {"supplier_id": self._rival_id(), "reason": "报价最低，质量符合要求"}
        order = self.school.post(f"{self.rfq_path}/award", json=body)["purchase_order"]
        same("where it comes from", order["source_kind"], "quotation")
        line = self.school.get(f"/v1/purchase-orders/{order['id']}/lines")["items"][0]
        quoted = yuan_from_fen(self._rivals_sku()["net_grams"] * QUOTED_FEN // 1000)
        same("price", line["unit_price"], quoted)
        return f"{order['number']}: {line['quantity']} x {line['unit_price']} = {order['total']} yuan"

    # --- long-term agreement ----------------------------------------------------------------------------------------

    def agreement(self) -> str:
        """学校与合作社起草长期协议和送货计划 · School and supplier draft a long-term agreement with a schedule"""
        today = self._day()
        body = {
            "title": f"奉节脐橙长期供货 {self.tag}",
            "supplier_id": self._rival_id(),
            "fund_source": "canteen",
            "valid_from": today.isoformat(),
            "valid_until": (today + timedelta(days=90)).isoformat(),
            "lines": [
                {"sku_id": self._rivals_sku()["id"], "price": {"kind": "fixed", "unit_price": "88.00"}, "quantity_cap": "300"}
            ],
        }
        draft = self.school.post("/v1/agreements", json=body)
        self.agreement_path = f"/v1/agreements/{draft['id']}"
        schedule = {
            "places": [{"name": "食堂", "address": CANTEEN}],
            "entries": [{"line_no": 1, "place": "食堂", "weekdays": [2], "quantity": "20"}],
        }
        self.school.ask("PUT", f"{self.agreement_path}/schedule", 200, json=schedule)
        self.school.post(f"{self.agreement_path}/propose", expect=200)
        planned = self.school.get(f"{self.agreement_path}/instalments", limit=200)["items"]
        return f"{draft['number']}: 300 at 88.00 yuan; {len(planned)} Tuesdays, 20 each"

    def signatures(self) -> str:
        """双方签署同一文本 · Both sign the same terms"""
        terms = self.unit.get(f"{self.agreement_path}/terms")["terms_hash"]
        for side in (self.unit, self.rival):
            signed = side.post(f"{self.agreement_path}/sign", expect=200, json={"terms_hash": terms})
        same("state", signed["state"], "active")
        return f"SHA-256 {terms[:16]}…: {signed['state']}"

    def call_off(self) -> str:
        """按协议下单，查看执行情况 · A call-off, and where the agreement stands"""
        line = self.school.get(f"{self.agreement_path}/position")["lines"][0]
        body = {"delivery_address": CANTEEN, "lines": [{"agreement_line_id": line["agreement_line_id"], "quantity": "40"}]}
        order = self.school.post(f"{self.agreement_path}/call-offs", json=body)["purchase_order"]
        same("total", order["total"], "3520.00")
        line = self.school.get(f"{self.agreement_path}/position")["lines"][0]
        same("drawn and left", (line["drawn_quantity"], line["remaining_quantity"]), ("40", "260"))
        return f"{order['number']}: {order['total']} yuan; drawn 40 of 300, {line['percent']} %"

    # --- buying instead of donating ---------------------------------------------------------------------------------

    def pledge(self) -> str:
        """企业承诺以购代捐 · A firm pledges to buy instead of donating"""
        today = self._day()
        body = {
            "title": f"以购代捐慰问一线医护人员 {self.tag}",
            "kind": "donate_by_purchase",
            "amount": "50000.00",
            "regions": BENEFITING,
            "purpose": "采购石柱、城口农产品慰问医护人员",
            "valid_from": today.isoformat(),
            "valid_until": (today + timedelta(days=60)).isoformat(),
            "fund_source": "welfare",
            "recipients": [{"name": "沙坪坝区嘉陵医院", "heads": 100, "delivery_address": "重庆市沙坪坝区渝碚路50号"}],
        }
        self.pledge_path = f"/v1/pledges/{self.firm.post('/v1/pledges', json=body)['id']}"
        opened = self.firm.post(f"{self.pledge_path}/open", expect=200)
        same("status", opened["status"], "open")
        return f"{opened['number']}: {opened['organisation_name']}, {opened['amount']} yuan for {' and '.join(region['name'] for region in opened['regions'])}"

    def basket(self) -> str:
        """系统按预算推荐采购清单 · A basket within a budget is worked out in the background"""
        asked = self.firm.post(
            f"{self.pledge_path}/basket-proposals", expect=202, json={"budget": "20000.00", "hard": True, "supplier_share": "60"}
        )
        found = self._until_worked_out(asked["id"])
        recipient = self.firm.get(self.pledge_path)["recipients"][0]["id"]
        ordered = self.firm.post(f"/v1/basket-proposals/{found['id']}/order", json={"recipient_id": recipient})
        self.gift = ordered["purchase_order"]
        same("total", self.gift["total"], found["result"]["amount"])
        return f"{len(found['lines'])} products of {found['candidates']}; {self.gift['number']}: {self.gift['total']} yuan"

    def gift_delivery(self) -> str:
        """货款未到账时系统不放行，供应商自愿先发货，企业验收 · Nothing has arrived and goods are held back; the suppliers ship all the same, the firm accepts"""
        for part in self.gift["supplier_orders"]:
            seller = self.seller_of(part["supplier_id"])
            seller.post(f"/v1/supplier-orders/{part['id']}/confirm", expect=200)
            path = f"/v1/supplier-orders/{part['id']}"
            body = {"carrier": "邮政快递", "waybill": f"YD{self.tag}{part['id']}"}
            missing = seller.post(f"{path}/shipments", expect=409, json=body)["data"]["due"]
            same("what has to arrive before", missing, seller.get(path)["due"])
            shipment = seller.post(f"{path}/shipments", json={**body, "before_payment": True})
            self.firm.post(f"/v1/shipments/{shipment['id']}/acceptance", json={})
        figures = self.firm.get(self.pledge_path)["figures"]
        same("what counts for the pledge", figures["accepted"], self.gift["total"])
        return (
            f"{figures['accepted']} yuan accepted: {figures['accepted_percent']} % of the pledge, {figures['per_head']} yuan a head"
        )

    def proof(self) -> str:
        """开具带编号的采购证明，公众可查验 · A numbered proof of purchase, which anybody can check"""
        proof = self.firm.post(f"{self.pledge_path}/purchase-proofs")
        seen = self.public.get(f"/v1/public/purchase-proofs/{proof['number']}")
        same("what the public sees", (seen["amount"], seen["state"]), (self.gift["total"], "valid"))
        pdf = self.firm.download(f"/v1/purchase-proofs/{proof['number']}/pdf")
        same("the beginning of the PDF", pdf[:5], b"%PDF-")
        return f"{seen['number']}: {seen['amount']} yuan, {seen['state_label']}; {seen['statement']}"

    # --- what they look up ------------------------------------------------------------------------------------------

    def _day(self) -> date:
        return shanghai_date(self.moved_to)

    def _rival_id(self) -> int:
        """The other cooperative that sells navel oranges."""
        found: int = self.rival.get("/v1/me")["organisation"]["id"]
        return found

    def _rivals_sku(self) -> dict[str, Any]:
        listed = self.rival.get("/v1/products", supplier_id=self._rival_id(), q="脐橙", certified=True)["items"][0]
        sku: dict[str, Any] = self.rival.get(f"/v1/products/{listed['id']}")["skus"][0]
        return sku

    def _ask_for(self, sku_id: int, quantity: str, reason: str) -> dict[str, Any]:
        body = {
            "fund_source": "canteen",
            "delivery_address": CANTEEN,
            "reason": reason,
            "lines": [{"sku_id": sku_id, "quantity": quantity}],
        }
        submitted: dict[str, Any] = self.school.post("/v1/purchase-requests", json=body)
        return submitted

    def _quote(self, supplier: Visitor, sku_id: int, price: str) -> None:
        line = {"line_no": 1, "sku_id": sku_id, "tiers": [{"min_quantity": "1", "unit_price": price}]}
        body = {"valid_until": (shanghai_date(self.closes_at) + timedelta(days=30)).isoformat(), "lines": [line]}
        supplier.post(f"{self.rfq_path}/quotations", json=body)

    def _until_worked_out(self, proposal_id: int) -> dict[str, Any]:
        """Wait until the worker has found a basket."""
        give_up = time.monotonic() + PATIENCE_SECONDS
        while True:
            found: dict[str, Any] = self.firm.get(f"/v1/basket-proposals/{proposal_id}")
            if found["status"] == "ready":
                return found
            if found["status"] == "infeasible" or time.monotonic() > give_up:
                raise Surprise(f"the basket is {found['status']}")
            time.sleep(0.3)
