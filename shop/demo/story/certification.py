"""A cooperative registers, and its product is certified: checklist, reviews, notice with an objection, batch, certificate."""

import random
import time
from datetime import date, datetime, timedelta
from typing import Any

from shop.core.clock import shanghai_date
from shop.demo.cast import Cast, all_rows, same
from shop.demo.households import id_number
from shop.demo.papers import paper
from shop.demo.people import COUNTY, TOWNSHIP, credit_code
from shop.demo.visitor import Surprise

#: How long the worker may take to notify somebody.
NEWS_SECONDS = 30
VILLAGE = "白龙村"


class Certification(Cast):
    """From the registration to the certificate."""

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
            "township_code": TOWNSHIP,
            "village": VILLAGE,
            "producer": self.organisation["name"],
            "grade": "特级",
            "specification": "5kg/箱，GB/T 20355",
            "skus": [{"pack": "5kg/箱", "unit": "box", "net_grams": 5000, "vat_bp": 900, "tiers": tiers}],
        }
        made = self.coop.post("/v1/products", json=body)
        self.product_id, self.sku_id = made["id"], made["skus"][0]["id"]
        stock = self.coop.post(f"/v1/skus/{self.sku_id}/stock-movements", json={"kind": "receive", "quantity": "500"})
        return f"{made['name']}, 5kg/箱 at 66.80 and 62.00 yuan; stock {stock['available']}"

    # --- the application --------------------------------------------------------------------------------------------

    def application(self) -> str:
        """申请产品认定：一次指出全部缺项 · It applies for certification: everything that is missing is named at once"""
        case = self.coop.post("/v1/certification-cases", json={"product_id": self.product_id})
        self.case_id = case["id"]
        self.case_path = f"/v1/certification-cases/{case['id']}"
        lacking = self.coop.post(f"{self.case_path}/submit", expect=409)["errors"]
        drawn_up = shanghai_date(datetime.fromisoformat(case["created_at"]))
        statement = {
            "statement": "本社自有基地脐橙，质量合格，价格不高于同类产品。",
            "annual_capacity_kg": 200_000,
            "linkage_modes": ["purchase_contract", "employment"],
            "linkage": "订单收购、基地务工",
            "comparable_price": "69.90",
            "comparable_pack_grams": 5000,
            "comparable_price_source": "主城三家超市同期均价",
            "comparable_price_on": (drawn_up - timedelta(days=10)).isoformat(),
        }
        self.coop.ask("PATCH", self.case_path, 200, json=statement)
        return f"{len(lacking)} items missing: {', '.join(item['code'] for item in lacking[:4])} …"

    def households(self) -> str:
        """上传带动农户名单，身份信息加密保存 · It uploads the list of households; identities are sealed"""
        people = [
            {
                "name": surname + given,
                "id_number": id_number(COUNTY, date(1960 + 9 * number, 3, 7 + number), 101 + 2 * number + person),
                "household_no": f"BL{number:02}",
                "mode": "purchase_contract" if person else "employment",
                "village": VILLAGE,
            }
            for number, surname in enumerate("向冉田")
            for person, given in enumerate(("永福", "桂英"))
        ]
        self.coop.ask("PUT", f"{self.case_path}/households", 200, json={"members": people})
        case = self.coop.get(self.case_path)
        same("households and persons", (case["households"], case["persons"]), (3, 6))
        shown = self.coop.get(f"{self.case_path}/households")["items"]
        if any(person["id_number"] in str(shown) for person in people):
            raise Surprise("an ID number is shown in full")
        return f"3 households, 6 persons; shown as {shown[0]['name']} {shown[0]['id_number']}"

    def papers(self) -> str:
        """补齐证照并提交 · The papers follow, and the application is handed in"""
        case = self.coop.get(self.case_path)
        for item in case["missing_items"]:
            case = self._upload(item["code"].removesuffix("_missing"))
        same("what is missing", case["missing_items"], [])
        case = self.coop.post(f"{self.case_path}/submit", expect=200)
        same("status", case["status"], "township_review")
        way = " → ".join(step["label"] for step in case["way"])
        return f"{len(case['documents'])} papers; {way}"

    # --- the reviews ------------------------------------------------------------------------------------------------

    def township_review(self) -> str:
        """乡镇初审 · The township passes it on"""
        case = self.township.post(f"{self.case_path}/approve", expect=200, json={"reason": "基地和农户情况属实"})
        same("status", case["status"], "county_review")
        return f"to the county, due by {case['due_on']}"

    def departments(self) -> str:
        """没有部门意见不能通过，部门会审 · Nothing passes unheard: a department gives its opinion"""
        refusal = self.county.post(f"{self.case_path}/approve", expect=409, json={})
        same("the refusal", refusal["code"], "opinions_missing")
        opinion = {"department": "agriculture", "verdict": "support", "opinion": "产地真实，种植规模与申报产能相符。"}
        self.department.post(f"{self.case_path}/opinions", json=opinion)
        return f"refused: {refusal['title']}; then: agriculture supports"

    def correction(self) -> str:
        """区县退回补正，合作社补交后重新提交 · The county asks for a correction; the cooperative brings it"""
        item = {"field": "documents.test_report", "message": "检测报告缺少农残项目"}
        reason = {"reason": "请补充检测报告", "corrections": [item]}
        case = self.county.post(f"{self.case_path}/return", expect=200, json=reason)
        same("status", case["status"], "returned")
        same("what the cooperative reads", self.coop.get(self.case_path)["corrections"], [item])
        self._upload("test_report")
        again = self.coop.post(f"{self.case_path}/submit", expect=200)
        same("status", again["status"], "county_review")
        return f"returned until {case['due_on']}: {item['message']}; corrected, back at the county"

    # --- the public -------------------------------------------------------------------------------------------------

    def notice(self) -> str:
        """区县通过并公示，提前结束被拒绝 · The county publishes the notice; closing it early is refused"""
        case = self.county.post(f"{self.case_path}/approve", expect=200, json={})
        same("status", case["status"], "public_notice")
        refusal = self.county.post(f"{self.case_path}/approve", expect=409, json={"reason": "无异议"})
        same("the refusal", refusal["code"], "notice_running")
        shown = all_rows(self.public, "/v1/public/notices", district=COUNTY)
        if case["id"] not in [each["case_id"] for each in shown]:
            raise Surprise("the notice is not among the public ones")
        self.notice_days = (date.fromisoformat(case["notice_last_day"]) - date.fromisoformat(case["notice_from"])).days + 1
        return f"up to {case['notice_last_day']}; refused: {refusal['title']}"

    def objection(self) -> str:
        """村民提出异议，凭回执查询 · A villager objects and gets a receipt"""
        body = {"name": "冉先生", "phone": "13900000000", "text": "听说这批脐橙不是本村所产，请核实。"}
        self.receipt = self.public.post(f"/v1/public/notices/{self.case_id}/objections", json=body)["receipt"]
        seen = self.public.get(f"/v1/public/objections/{self.receipt}")
        same("its state", seen["state"], "received")
        return f"{self.receipt}: answer due by {seen['due_on']}"

    def waiting(self) -> str:
        """演示时钟前移，公示期满；异议未结不能通过 · The notice has run its time; the open objection stands against passing"""
        moved = self.admin.post("/v1/demo/clock", expect=200, json={"days": self.notice_days})
        self.moved_to = datetime.fromisoformat(moved["now"])
        refusal = self.county.post(f"{self.case_path}/approve", expect=409, json={})
        same("the refusal", refusal["code"], "objection_open")
        return f"{self.notice_days} days on: {moved['today']}; refused: {refusal['title']}"

    def answer(self) -> str:
        """区县核查并答复异议 · The county looks into the objection and answers it"""
        found = self.county.get("/v1/objections", case_id=self.case_id)["items"]
        same("objections against the case", len(found), 1)
        path = f"/v1/objections/{found[0]['id']}"
        self.county.post(f"{path}/investigate", expect=200)
        answer = {"findings": "现场核对采摘记录", "answer": "经现场核查，产品为本村所产，异议不成立。"}
        self.county.post(f"{path}/dismiss", expect=200, json=answer)
        seen = self.public.get(f"/v1/public/objections/{self.receipt}")
        same("its state", seen["state"], "dismissed")
        return f"{self.receipt[:14]}…: {seen['answer']}"

    # --- the certificate --------------------------------------------------------------------------------------------

    def decisions(self) -> str:
        """区县认定，市级复核，进入备案 · County and city pass it; it is filed"""
        case = self.county.post(f"{self.case_path}/approve", expect=200, json={"reason": "公示期满，异议不成立"})
        same("status", case["status"], "city_review")
        case = self.city.post(f"{self.case_path}/approve", expect=200, json={"reason": "符合认定条件"})
        same("status", case["status"], "filing")
        return "county_review → public_notice → city_review → filing"

    def batch(self) -> str:
        """市级发布产品目录批次 · The city publishes a batch of the catalogue"""
        body = {"level": "city", "title": f"消费帮扶产品目录（演示 {self.tag}）", "case_ids": [self.case_id]}
        draft = self.city.post("/v1/catalogue-batches", json=body)
        published = self.city.post(f"/v1/catalogue-batches/{draft['id']}/publish", expect=200)
        same("status", published["status"], "published")
        return f"{published['number']} {published['title']}"

    def certificate(self) -> str:
        """公众查验证书，合作社下载证书 · Anybody can check the certificate; the cooperative prints it"""
        case = self.coop.get(self.case_path)
        same("status", case["status"], "approved")
        self.certificate_id, number = case["certificate"]["id"], case["certificate"]["number"]
        seen = self.public.get(f"/v1/public/certificates/{number}")
        same("the certificate's product", seen["product_name"], self.product_name)
        same("the certificate's state", seen["state"], "in_force")
        pdf = self.coop.download(f"/v1/certificates/{self.certificate_id}/pdf")
        same("the beginning of the PDF", pdf[:5], b"%PDF-")
        return f"{number}, {seen['valid_from']} to {seen['valid_until']}: {seen['state']}; PDF of {len(pdf):,} bytes"

    def news(self) -> str:
        """后台任务通知合作社 · The worker tells the cooperative"""
        give_up = time.monotonic() + NEWS_SECONDS
        while time.monotonic() < give_up:
            for message in self.coop.get("/v1/notifications")["items"]:
                if message["kind"] == "certificate.issued":
                    return str(message["text"])
            time.sleep(0.5)
        raise Surprise(f"no notification of the certificate within {NEWS_SECONDS} s; does a worker run?")

    def _upload(self, kind: str) -> dict[str, Any]:
        """Bring one paper; returns the case."""
        case = self.coop.get(self.case_path)
        issued = shanghai_date(datetime.fromisoformat(case["created_at"])) - timedelta(days=30)
        data = {"kind": kind, "number": f"DEMO-{self.tag}", "issued_on": issued.isoformat()}
        file = {"file": (f"{kind}.pdf", paper(kind.replace("_", " ").title()), "application/pdf")}
        brought: dict[str, Any] = self.coop.post(f"{self.case_path}/documents", data=data, files=file)
        return brought
