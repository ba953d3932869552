"""An education bureau with three schools, a cooperative that sells vegetables by the kilogram, and an agreement between them."""

from datetime import date, timedelta
from decimal import Decimal

from sqlalchemy import text

from shop.core import clock, outbox
from shop.identity.permissions import Role
from tests.databases import begin_with, step
from tests.factories.catalog import make_product
from tests.factories.identity import make_organisation, make_supplier, make_user
from workers.handlers import HANDLERS

YEAR = timedelta(days=364)


def _made(database, stock):
    with database.unit_of_work() as session:
        bureau = make_organisation(session, kind="agency", name="区教委")
        schools = [make_organisation(session, kind="school", parent=bureau, name=f"第{n}小学") for n in "一二三"]
        farm, rival = make_supplier(session, "500236"), make_supplier(session, "500240")
        cabbage = make_product(
            session,
            farm,
            name="高山甘蓝",
            category="vegetables",
            prices=((1, 450), (100, 400)),
            stock=stock,
            net_grams=1000,
        )
        radish = make_product(session, farm, name="高山萝卜", category="vegetables", prices=((1, 333),), net_grams=1000)
        other = make_product(session, rival, name="土蜂蜜", category="honey", stock=stock)
        stranger = make_organisation(session, kind="school", name="外区中学")
        users = {
            "buyer": make_user(session, Role.PURCHASER, bureau),
            "head": make_user(session, Role.BUYER_ADMIN, bureau),
            "school": make_user(session, Role.PURCHASER, schools[0]),
            "farm": make_user(session, Role.SUPPLIER_ADMIN, farm),
            "farmhand": make_user(session, Role.SUPPLIER_STAFF, farm),
            "rival": make_user(session, Role.SUPPLIER_ADMIN, rival),
            "stranger": make_user(session, Role.BUYER_ADMIN, stranger),
            "viewer": make_user(session, Role.VIEWER, bureau),
            "county": make_user(session, Role.COUNTY_OFFICER, region_code="500236"),
            "elsewhere": make_user(session, Role.COUNTY_OFFICER, region_code="500240"),
        }
    return {
        "bureau": bureau,
        "schools": schools,
        "farm": farm,
        "rival": rival,
        "cabbage": cabbage,
        "radish": radish,
        "other": other,
        "users": users,
    }


class Scene:
    def __init__(self, api, database, stock=100_000):
        self.api, self.database = api, database
        vars(self).update(begin_with(database, f"agreements {stock}", lambda: _made(database, stock)))
        self.sign_in()

    def sign_in(self):
        """Again, when days have passed."""
        self.clients = {name: self.api.as_(user) for name, user in self.users.items()}

    def post(self, who, path, body=None, **headers):
        return self.clients[who].post(f"/v1/{path}", json={} if body is None else body, headers=headers)

    def get(self, who, path, **params):
        return self.clients[who].get(f"/v1/{path}", params=params)

    def body(self, *lines, **head):
        today = clock.today()
        return {
            "title": "蔬菜长期供货",
            "supplier_id": self.farm.id,
            "fund_source": "canteen",
            "valid_from": str(today),
            "valid_until": str(today + YEAR),
            "lines": list(lines) or [self.line()],
            **head,
        }

    def line(self, price=None, product=None, **caps):
        product = product or self.cabbage
        return {"sku_id": product.sku_id, "price": price or {"kind": "fixed", "unit_price": "3.80"}, **caps}

    def draft(self, *lines, who="buyer", schedule=None, **head):
        made = self.post(who, "agreements", self.body(*lines, **head))
        assert made.status_code == 201, made.text
        if schedule:
            answer = self.clients[who].put(f"/v1/agreements/{made.json()['id']}/schedule", json=schedule)
            assert answer.status_code == 200, answer.text
        return made.json()

    def propose(self, *lines, **head):
        made = self.draft(*lines, **head)
        answer = self.post("buyer", f"agreements/{made['id']}/propose")
        assert answer.status_code == 200, answer.text
        return answer.json()

    def sign(self, who, agreement):
        return self.post(who, f"agreements/{agreement['id']}/sign", {"terms_hash": agreement["terms_hash"]})

    def agreed(self, *lines, **head):
        """An agreement that both have signed."""
        return step(self.database, f"agreed {lines} {head}", lambda: self._agreed(*lines, **head))

    def _agreed(self, *lines, **head):
        made = self.propose(*lines, **head)
        for who in ("farm", "head"):
            answer = self.sign(who, made)
            assert answer.status_code == 200, answer.text
        return answer.json()

    def call_off(self, agreement, *quantities, who="buyer", **body):
        lines = [
            {"agreement_line_id": line["id"], "quantity": str(quantity)}
            for line, quantity in zip(agreement["lines"], quantities, strict=False)
            if quantity
        ]
        asked = {"lines": lines, "delivery_address": "重庆市沙坪坝区大学城中路1号", **body}
        return self.post(who, f"agreements/{agreement['id']}/call-offs", asked)

    def weekly(self, quantities=(170, 165, 165), weekday=1, line_no=1, **entry):
        places = [
            {"name": f"第{n}小学食堂", "address": f"沙坪坝区第{n}小学", "unit_id": school.id}
            for n, school in zip("一二三", self.schools, strict=True)
        ]
        entries = [
            {"line_no": line_no, "place": place["name"], "weekdays": [weekday], "quantity": str(quantity), **entry}
            for place, quantity in zip(places, quantities, strict=True)
        ]
        return {"places": places, "entries": entries}

    def position(self, agreement, who="buyer"):
        return self.get(who, f"agreements/{agreement['id']}/position").json()

    def instalments(self, agreement, who="buyer", **params):
        items, after = [], {}
        while True:
            page = self.get(who, f"agreements/{agreement['id']}/instalments", limit=200, **params, **after).json()
            items += page["items"]
            if not page["next"]:
                return items
            after = {"after": page["next"]}

    def deliver(self, order, rejected=0):
        """Confirm, ship and accept the first part of an order; returns the shipment."""
        part = order["supplier_orders"][0]["id"]
        assert self.post("farm", f"supplier-orders/{part}/confirm").status_code == 200
        shipment = self.post("farm", f"supplier-orders/{part}/shipments").json()
        line = shipment["lines"][0]
        answer = {
            "order_line_id": line["order_line_id"],
            "accepted_quantity": str(Decimal(line["quantity"]) - rejected),
            "rejected_quantity": str(rejected),
            "reason": "变质" if rejected else None,
        }
        done = self.post("buyer", f"shipments/{shipment['id']}/acceptance", {"lines": [answer]})
        assert done.status_code in (200, 201), done.text
        return shipment

    def run(self, action):
        with self.database.unit_of_work() as session:
            return action(session)

    def hear(self):
        """Do every event that waits; none may fail."""
        with self.database.unit_of_work() as session:
            events = outbox.due(session)
        for event in events:
            outbox.work(self.database, HANDLERS, event)
        with self.database.unit_of_work() as session:
            assert session.execute(text("SELECT last_error FROM outbox_event WHERE last_error IS NOT NULL")).all() == []

    def told(self, kind, organisation=None):
        with self.database.unit_of_work() as session:
            rows = session.execute(
                text("SELECT organisation_id, data FROM notification WHERE kind = :kind ORDER BY id"), {"kind": kind}
            ).all()
        return [row.data for row in rows if organisation is None or row.organisation_id == organisation.id]


def code(answer):
    return answer.status_code, answer.json().get("code")


def month(day: date) -> str:
    return str(day.replace(day=1))
