"""Sales that are made elsewhere: a cabinet that was offline for three days, and one invoice in two claims."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from orders.outlet_sales.rules import batch_hash
from shop.core.clock import shanghai_date
from shop.core.money import fen_from_yuan, yuan_from_fen
from shop.demo.cast import Cast, same

#: What the cabinet asks for a box of the new product and for a bottle of water, in fen; and the claim, in fen.
BOX_FEN, WATER_FEN, CLAIM_FEN = 79_90, 2_00, 3_998_00
DAYS = 3


class Elsewhere(Cast):
    """The operator of outlets, a cabinet, and sellers who claim sales."""

    def outlet(self) -> str:
        """经营单位登记专柜，县级核验，设备取得密钥 · An operator registers a cabinet, the county verifies it, the device gets a key"""
        cabinet = {
            "external_number": f"SN-{self.tag}",
            "kind": "cabinet",
            "name": f"奉节高铁站专柜 {self.tag}",
            "region_code": "500236",
            "address": "奉节高铁站候车厅",
            "venue": "station",
            "opened_on": self.today(),
        }
        self.cabinet = self.operator.post("/v1/outlets", json=cabinet)
        [verified] = self.county.post("/v1/outlets/verify", expect=200, json={"outlet_ids": [self.cabinet["id"]]})
        same("status", verified["status"], "verified")
        key = self.operator.post(f"/v1/outlets/{self.cabinet['id']}/devices", json={"number": "till-1"})["key"]
        self.till = self.machine(key)
        listed = {
            "action": "create",
            "goods_id": "BOX",
            "name": self.product_name,
            "is_poverty_goods": "1",
            "poverty_goods_name": self.product_name,
            "supplier_name": self.organisation["name"],
            "supplier_uscc": self.organisation["uscc"],
            "price": yuan_from_fen(BOX_FEN),
        }
        other = {
            "action": "create",
            "goods_id": "WATER",
            "name": "矿泉水",
            "is_poverty_goods": "2",
            "price": yuan_from_fen(WATER_FEN),
        }
        taken = self.till.post("/v1/outlet-goods", expect=200, json={"goods": [listed, other]})
        same("goods that the list does not know", taken["notes"], [])
        return f"{verified['number']}, {taken['taken']} goods; its key may do nothing but report"

    def offline(self) -> str:
        """专柜断网三天后补传，顺序颠倒且重复，每笔只计一次 · Offline for three days, then all at once, out of order and twice: each sale counts once"""
        alive = self.till.post("/v1/outlets/heartbeat", expect=200, json={"software": "1.0"})
        before = self._sold_at_outlets()
        batches = list(self._batches(datetime.fromisoformat(alive["at"])))
        first, second, third = batches
        statuses = [self.till.post("/v1/sales-batches", json=batch)["status"] for batch in (third, second, first, first, third)]
        same("what waits for the batch before it", statuses[:2], ["waiting", "waiting"])
        same("the rest", statuses[2:], ["accepted"] * 3)
        counted = self._sold_at_outlets() - before
        same("what the county's figures gained", yuan_from_fen(counted), yuan_from_fen(DAYS * 2 * BOX_FEN))
        cabinet = self.operator.get(f"/v1/outlets/{self.cabinet['id']}")
        return (
            f"{DAYS} batches, sent five times: {yuan_from_fen(counted)} yuan counted, water apart; last sale {cabinet['sold_at']}"
        )

    def duplicate(self) -> str:
        """同一张发票在两份申报中出现：两份都暂不计入，核实后只计一份 · One invoice in two claims holds both; the county counts one"""
        invoice = f"5023{int(self.tag, 16):016}"
        today = shanghai_date(self.moved_to)
        kept, doubled = [self.claim(seller, invoice, today, CLAIM_FEN) for seller in (self.coop, self.rival)]
        paths = [f"/v1/external-sales/{sale['id']}" for sale in (kept, doubled)]
        same("both claims", [self.county.get(path)["status"] for path in paths], ["held", "held"])
        asked = {"status": "open", "reason": "document_seen", "subject": "external_sale", "subject_id": kept["id"]}
        [hold] = self.county.get("/v1/counting-holds", **asked)["items"]
        said = {"reason": "已向开票方核实，为合作社所售"}
        self.county.post(f"/v1/counting-holds/{hold['id']}/count", expect=200, json=said)
        same("after the decision", [self.county.get(path)["status"] for path in paths], ["submitted", "void"])
        accepted = self.county.post(f"{paths[0]}/accept", expect=200)
        same("status", accepted["status"], "accepted")
        return f"{kept['number']} counts ({accepted['total']} yuan), {doubled['number']} does not; the invoice is {invoice}"

    def _sold_at_outlets(self) -> int:
        """What the cabinet sold since a day before its first sale, which may lie in the last year, as the monitor sees it, in fen."""
        since = shanghai_date(self.moved_to) - timedelta(days=DAYS)
        query = {"outlet": self.cabinet["id"], "from": since.isoformat(), "measure": "amount"}
        answer = self.monitor.get("/v1/statistics/sales", **query)
        return fen_from_yuan(answer["totals"]["figures"]["amount"])

    def _batches(self, now: datetime) -> Iterable[dict[str, Any]]:
        """One for each of the last days, chained: two boxes and three bottles a day."""
        previous = None
        for day in range(1, DAYS + 1):
            sold_at = (now - timedelta(days=DAYS - day, minutes=30)).isoformat()
            sales = (("BOX", "2", 2 * BOX_FEN), ("WATER", "3", 3 * WATER_FEN))
            lines = [
                {
                    "line_id": f"{day}-{n}",
                    "sold_at": sold_at,
                    "goods_id": goods,
                    "quantity": quantity,
                    "amount": yuan_from_fen(fen),
                }
                for n, (goods, quantity, fen) in enumerate(sales, start=1)
            ]
            batch = {
                "batch_id": f"{self.tag}-{day}",
                "sequence": day,
                "previous_hash": previous,
                "sent_at": now.isoformat(),
                "lines": lines,
            }
            previous = batch_hash(batch)
            yield {**batch, "hash": previous}
