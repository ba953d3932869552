"""The story of the demo: from a cooperative's registration to the district's figures."""

import random
import time
from collections import defaultdict
from collections.abc import Callable
from datetime import date
from decimal import Decimal

from shop.core.money import fen_from_yuan, yuan_from_fen
from shop.demo.cast import Cast, all_rows, same, weighed
from shop.demo.papers import paper
from shop.demo.people import COUNTY, DATA, credit_code
from shop.demo.visitor import Surprise

#: How long the worker may take to notify somebody.
NEWS_SECONDS = 30


class Story(Cast):
    """The scenes. Each says in its first line what it shows, and returns what happened; one that fails raises ``Surprise``."""

    # --- the cooperative --------------------------------------------------------------------------------------------

    def opening(self) -> str:
        """服务器已就绪，可以调整演示时钟 · The server is ready and lets the demo move its clock"""
        paths = self.public.get("/openapi.json")["paths"]
        if "/v1/demo/clock" not in paths:
            raise Surprise("this server does not let the demo move its clock; start it with SHOP_DEMO=1")
        return f"{len(paths)} paths"

    def registration(self) -> str:
        """合作社注册 · A cooperative registers"""
        number = random.randrange(900_000, 1_000_000)  # noqa: S311  a name, no secret
        body = {
            "uscc": credit_code("cooperative", COUNTY, number),
            "name": f"奉节县白龙果业专业合作社 {self.tag}",
            "kind": "cooperative",
            "region_code": COUNTY,
            "address": "重庆市奉节县白帝镇白龙村1号",
            "contact_name": "向永福",
            "contact_phone": "023-55500000",
            "register_as": "supplier",
            "admin": {"username": self.coop.username, "name": "向永福", "password": self.coop_password},
        }
        self.organisation = self.public.post("/v1/organisations", json=body)
        same("status", self.organisation["status"], "pending")
        return f"{self.organisation['name']}, {self.organisation['uscc']}: {self.organisation['status']}"

    def approval(self) -> str:
        """区县主管部门审核注册 · The county officer approves the registration"""
        waiting = self.county.get("/v1/organisations", status="pending", limit=200)["items"]
        if self.organisation["id"] not in [each["id"] for each in waiting]:
            raise Surprise("the registration is not in the county officer's queue")
        approved = self.county.post(f"/v1/organisations/{self.organisation['id']}/approve", expect=200)
        same("status", approved["status"], "approved")
        return f"{len(waiting)} in the queue; approved"

    def product(self) -> str:
        """建立产品、规格、价格和库存 · It lists a product with its pack, prices and stock"""
        tiers = [{"min_quantity": "1", "unit_price": "66.80"}, {"min_quantity": "50", "unit_price": "62.00"}]
        body = {
            "name": self.product_name,
            "kind": "goods",
            "category": "fruit",
            "district_code": COUNTY,
            "township_code": f"{COUNTY}T01",
            "skus": [{"pack": "5kg/箱", "unit": "box", "net_grams": 5000, "vat_bp": 900, "tiers": tiers}],
        }
        made = self.coop.post("/v1/products", json=body)
        self.product_id, self.sku_id = made["id"], made["skus"][0]["id"]
        stock = self.coop.post(f"/v1/skus/{self.sku_id}/stock-movements", json={"kind": "receive", "quantity": "500"})
        return f"{made['name']}, 5kg/箱 at 66.80 and 62.00 yuan; stock {stock['available']}"

    # --- certification ----------------------------------------------------------------------------------------------

    def application(self) -> str:
        """申请产品认定：先指出缺项，补齐后提交 · It applies for certification: what is missing is named, then handed in"""
        case = self.coop.post("/v1/certification-cases", json={"product_id": self.product_id})
        self.case_path = f"/v1/certification-cases/{case['id']}"
        lacking = self.coop.post(f"{self.case_path}/submit", expect=409)["errors"]
        statement = {
            "statement": "本社自有基地脐橙，质量合格，价格不高于同类产品。",
            "annual_capacity_kg": 200_000,
            "households": 42,
            "persons": 137,
            "linkage": "订单收购、基地务工",
            "comparable_price": "69.90",
            "comparable_price_source": "主城三家超市同期均价",
        }
        case = self.coop.ask("PATCH", self.case_path, 200, json=statement)
        for item in case["missing_items"]:
            kind = item["code"].removesuffix("_missing")
            file = {"file": (f"{kind}.pdf", paper(kind.replace("_", " ").title()), "application/pdf")}
            case = self.coop.post(f"{self.case_path}/documents", data={"kind": kind}, files=file)
        same("what is missing", case["missing_items"], [])
        case = self.coop.post(f"{self.case_path}/submit", expect=200)
        same("status", case["status"], "submitted")
        return f"{len(lacking)} items were missing; {len(case['documents'])} documents uploaded; submitted"

    def notice(self) -> str:
        """区县受理并公示，提前结束被拒绝 · The county publishes the notice; closing it early is refused"""
        self.county.post(f"{self.case_path}/take-up", expect=200)
        case = self.county.post(f"{self.case_path}/publish-notice", expect=200)
        refusal = self.county.post(f"{self.case_path}/close-notice", expect=409, json={"reason": "异议期内无异议"})
        shown = all_rows(self.public, "/v1/public/notices", district=COUNTY)
        if case["id"] not in [each["case_id"] for each in shown]:
            raise Surprise("the notice is not among the public ones")
        self.notice_days = (date.fromisoformat(case["notice_until"]) - date.fromisoformat(case["notice_from"])).days
        return f"until {case['notice_until']}; refused: {refusal['title']}"

    def waiting(self) -> str:
        """演示时钟前移，公示期满 · The demo's clock moves on until the notice has run its time"""
        moved = self.admin.post("/v1/demo/clock", expect=200, json={"days": self.notice_days})
        return f"{self.notice_days} days on: {moved['today']}"

    def certificate(self) -> str:
        """区县结束公示，市级认定，公众查验证书 · County and city decide; anybody can check the certificate"""
        self.county.post(f"{self.case_path}/close-notice", expect=200, json={"reason": "公示期满无异议"})
        case = self.city.post(f"{self.case_path}/certify", expect=200, json={"reason": "符合认定条件"})
        same("status", case["status"], "certified")
        number = case["certificate"]["number"]
        seen = self.public.get(f"/v1/public/certificates/{number}")
        same("the certificate's product", seen["product_name"], self.product_name)
        same("the certificate's state", seen["state"], "in_force")
        return f"{number}, {seen['valid_from']} to {seen['valid_until']}: {seen['state']}"

    def news(self) -> str:
        """后台任务通知合作社 · The worker tells the cooperative"""
        give_up = time.monotonic() + NEWS_SECONDS
        while time.monotonic() < give_up:
            for message in self.coop.get("/v1/notifications")["items"]:
                if message["kind"] == "certificate.issued":
                    return str(message["text"])
            time.sleep(0.5)
        raise Surprise(f"no notification of the certificate within {NEWS_SECONDS} s; does a worker run?")

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
        placed = self.school.post(
            "/v1/purchase-orders/from-spreadsheet", data=head, files={"file": ("canteen_order.xlsx", content)}
        )
        same("lines", placed["line_count"], 60)
        self.orders.append(placed)
        return f"{placed['number']}: 60 lines, {len(placed['supplier_orders'])} suppliers, {placed['total']} yuan"

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

    def payment(self) -> str:
        """财务登记银行付款 · Finance records the bank transfers"""
        told = []
        for order in self.orders:
            due = sum(fen_from_yuan(line["amount"]) for line in self.accepted_lines(order))
            body = {
                "amount": yuan_from_fen(due),
                "bank_reference": f"DEMO-{self.tag}-{order['id']}",
                "payer_name": order["buyer_name"],
                "paid_on": self.today(),
            }
            paid = self.finance.post(f"/v1/purchase-orders/{order['id']}/payments", json=body)
            told.append(f"{paid['amount']} of {paid['order_total']} yuan")
        return "; ".join(told)

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
        found = self.monitor.get("/v1/reconcile")
        wrong = [check for check in found["checks"] if check["count"]]
        if found["differences"]:
            raise Surprise(f"reconciliation found differences: {wrong}")
        return f"{len(found['checks'])} checks, 0 differences"


#: The scenes in their order.
SCENES: list[Callable[[Story], str]] = [
    Story.opening,
    Story.registration,
    Story.approval,
    Story.product,
    Story.application,
    Story.notice,
    Story.waiting,
    Story.certificate,
    Story.news,
    Story.before,
    Story.spreadsheet,
    Story.direct,
    Story.delivery,
    Story.acceptance,
    Story.payment,
    Story.after,
    Story.reconciliation,
]
