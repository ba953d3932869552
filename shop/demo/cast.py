"""The people of the demo's story, and what they look up."""

import secrets
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Self

from shop.core.clock import shanghai_date
from shop.core.money import fen_from_yuan, yuan_from_fen
from shop.demo.logins import PASSWORD
from shop.demo.papers import paper
from shop.demo.visitor import Surprise, Visitor

#: Fen and grams by district.
Figures = dict[str, tuple[int, int]]


class Cast:
    """What the people of the story know from one scene to the next. Every run uses new names, so it can be played again."""

    #: The cooperative, once it is registered.
    organisation: dict[str, Any]
    #: Its product, the case and the certificate; the notice's days and the receipt of the objection against it.
    product_id: int
    sku_id: int
    case_id: int
    case_path: str
    certificate_id: int
    notice_days: int
    receipt: str
    #: The marketplace's time when the demo last moved its clock.
    moved_to: datetime
    #: Supplier orders that are open when the certificate is suspended.
    open_parts: list[int]
    #: The canteen's budget; the request for quotation and its end; the agreement; the pledge and what was ordered for it.
    budget_id: int
    rfq_path: str
    closes_at: datetime
    agreement_path: str
    pledge_path: str
    gift: dict[str, Any]
    #: The line of the bank by which too much was paid; the refund of it; the settlement with the cooperative.
    surplus_line: dict[str, Any]
    refund: dict[str, Any]
    settlement: dict[str, Any]
    #: The cabinet and its device.
    cabinet: dict[str, Any]
    till: Visitor
    #: The month that is closed, and whether this story closed it; its bulletin's number and files; the claim that came late.
    month: str
    closes_it: bool
    number: str
    files: dict[str, bytes]
    late: dict[str, Any]
    #: The monitor's figures before anything was ordered.
    figures_before: Figures

    def __init__(self, base_url: str) -> None:
        self.base_url = base_url
        self.tag = secrets.token_hex(3)
        self.visitors: list[Visitor] = []
        self.public = self.visitor()
        self.admin = self.person("admin")
        self.township = self.person("township")
        self.department = self.person("department")
        self.county = self.person("county")
        #: Two of the city's office: what one drafts, the other publishes.
        self.city = self.person("city")
        self.publisher = self.person("publisher")
        self.monitor = self.person("monitor")
        self.school = self.person("buyer")
        self.finance = self.person("finance")
        self.unit = self.person("unit")
        self.approver = self.person("approver")
        self.firm = self.person("firm")
        #: Two who keep the marketplace's money: what one asks for, the other releases.
        self.cashier = self.person("cashier")
        self.treasurer = self.person("treasurer")
        #: Another cooperative that sells navel oranges.
        self.rival = self.person("supplier")
        #: Who operates outlets.
        self.operator = self.person("outlet")
        self.coop_password = secrets.token_urlsafe(12)
        self.coop = self.visitor(f"coop-{self.tag}", self.coop_password)
        self.product_name = f"奉节白龙脐橙 {self.tag}"
        self.sellers: dict[int, Visitor] = {}
        self.orders: list[dict[str, Any]] = []
        self.shipments: list[dict[str, Any]] = []
        self.accepted: list[dict[str, Any]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for visitor in self.visitors:
            visitor.close()

    def visitor(self, username: str = "", password: str = "") -> Visitor:
        self.visitors.append(Visitor(self.base_url, username, password))
        return self.visitors[-1]

    def person(self, username: str) -> Visitor:
        """Somebody of the demo's logins."""
        return self.visitor(username, PASSWORD)

    def machine(self, key: str) -> Visitor:
        """A device with a key of its own."""
        self.visitors.append(Visitor(self.base_url, key=key))
        return self.visitors[-1]

    def figures(self) -> Figures:
        """Fen and grams of each district this year, as the monitor sees them."""
        answer = self.monitor.get("/v1/statistics/sales", group_by="district", measure=["amount", "tonnes"])
        return {
            row["keys"]["district"]["code"]: (fen_from_yuan(row["figures"]["amount"]), row["figures"]["grams"])
            for row in answer["rows"]
        }

    def seller_of(self, supplier_id: int) -> Visitor:
        """Who ships for a supplier; the platform's administrator knows the names."""
        if supplier_id == self.organisation["id"]:
            return self.coop
        if supplier_id not in self.sellers:
            users = self.admin.get("/v1/users", organisation_id=supplier_id, active=True)["items"]
            self.sellers[supplier_id] = self.person(users[0]["username"])
        return self.sellers[supplier_id]

    def accepted_lines(self, order: dict[str, Any]) -> list[dict[str, Any]]:
        """The accepted lines of an order with their districts of origin."""
        parts = {part["id"] for part in order["supplier_orders"]}
        products = {line["id"]: line["product_id"] for line in all_rows(self.school, f"/v1/purchase-orders/{order['id']}/lines")}
        districts = self.districts()
        return [
            {**line, "district": districts[products[line["order_line_id"]]]}
            for shipment in self.accepted
            if shipment["supplier_order_id"] in parts
            for line in shipment["lines"]
        ]

    def accepted_fen(self, order: dict[str, Any]) -> int:
        """What was accepted of an order, in fen."""
        return sum(fen_from_yuan(line["amount"]) for line in self.accepted_lines(order))

    def claim(self, seller: Visitor, invoice: str, sold_on: date, fen: int) -> dict[str, Any]:
        """A sale of fifty boxes to a supermarket in Shandong, with its papers, handed in by whoever sold it."""
        supplier_id = seller.get("/v1/me")["organisation"]["id"]
        product_id = seller.get("/v1/products", supplier_id=supplier_id, q="脐橙", certified=True)["items"][0]["id"]
        body = {
            "side": "seller",
            "platform": "offline",
            "supplier_id": supplier_id,
            "buyer_name": "滨州市某超市",
            "buyer_kind": "enterprise",
            "buyer_region_code": "371600",
            "sold_on": sold_on.isoformat(),
            "lines": [{"product_id": product_id, "quantity": "50", "grams": 250_000, "unit": "箱", "amount": yuan_from_fen(fen)}],
        }
        sale: dict[str, Any] = seller.post("/v1/external-sales", json=body)
        number = f"{supplier_id}-{invoice}"
        for kind, shown in (("invoice", invoice), ("bank_receipt", f"HD{number}"), ("contract", f"HT{number}")):
            data = {"kind": kind, "number": shown, "amount": yuan_from_fen(fen)}
            seller.post(f"/v1/external-sales/{sale['id']}/documents", data=data, files={"file": (f"{kind}.pdf", paper(kind))})
        seller.post(f"/v1/external-sales/{sale['id']}/submit", expect=200)
        return sale

    def districts(self) -> dict[int, str]:
        return {product["id"]: product["district_code"] for product in all_rows(self.school, "/v1/products")}

    def today(self) -> str:
        """The marketplace's date, which the demo may have moved."""
        return shanghai_date(datetime.fromisoformat(self.accepted[-1]["accepted_at"])).isoformat()


def all_rows(visitor: Visitor, path: str, **query: Any) -> list[dict[str, Any]]:
    """Every row of a list, page by page."""
    rows, after = [], None
    while True:
        page = visitor.get(path, limit=200, **query, **({"after": after} if after else {}))
        rows += page["items"]
        if not (after := page["next"]):
            return rows


def weighed(line: dict[str, Any]) -> dict[str, Any]:
    """Three units spoilt on the way, and the rest a little lighter than declared."""
    quantity, share = Decimal(line["quantity"]), line["grams"] * 3 // int(Decimal(line["quantity"]))
    return {
        "order_line_id": line["order_line_id"],
        "accepted_quantity": str(quantity - 3),
        "accepted_grams": line["grams"] - share - 137,
        "rejected_quantity": "3",
        "rejected_grams": share,
        "reason": "运输途中破损",
    }


def same(what: str, found: Any, expected: Any) -> None:
    if found != expected:
        raise Surprise(f"{what}: expected {expected!r}, found {found!r}")
