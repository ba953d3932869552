"""What a measure against a certificate means for orders that are open, and the past sales of a certificate."""

import io
from datetime import UTC, datetime, timedelta

import pytest
from python_calamine import CalamineWorkbook
from sqlalchemy import text

from catalog.certificates.actions import measures
from orders.effects.handlers import tell_of_expired_papers
from shop.core import clock, outbox
from shop.identity import tokens
from shop.identity.permissions import Role
from tests.factories.catalog import make_product
from tests.factories.identity import access_token, make_organisation, make_user
from tests.factories.orders import make_market
from workers.handlers import HANDLERS


class Scene:
    """A market whose first product, of Fengjie, is measured against by its county."""

    def __init__(self, api, database):
        self.api, self.database, self.market = api, database, make_market(database)
        self.certificate = self.market.products[0].certificate_id
        with database.unit_of_work() as session:
            other = make_organisation(session, kind="school", role="budget_unit", region_code="500106")
            users = {
                "county": make_user(session, Role.COUNTY_OFFICER, region_code="500236"),
                "elsewhere": make_user(session, Role.COUNTY_OFFICER, region_code="500240"),
                "monitor": make_user(session, Role.MONITOR, region_code="500236"),
                "stranger": make_user(session, Role.PURCHASER, other),
                "buyer": self.market.purchaser,
                "seller": self.market.sellers[0],
                "rival": self.market.sellers[1],
                "finance": self.market.finance,
            }
            self.actor = tokens.actor_of(session, token=access_token(session, users["county"]), api_key=None)
        self.users = users
        self.sign_in()

    def sign_in(self):
        """Again, when days have passed."""
        self.clients = {name: self.api.as_(user) for name, user in self.users.items()}

    def order(self, *quantities, who="buyer"):
        placed = self.clients[who].post("/v1/purchase-orders", json=self.market.order(*quantities))
        assert placed.status_code == 201, placed.text
        return [part["id"] for part in placed.json()["supplier_orders"]]

    def act(self, verb, *arguments):
        with self.database.unit_of_work() as session:
            verb(session, self.actor, self.certificate, *arguments)

    def suspend(self, until=None):
        self.act(measures.suspend, "quality_failure", "抽检不合格", until)

    def open_orders(self, who="buyer", **params):
        return self.clients[who].get(f"/v1/certificates/{self.certificate}/open-orders", params=params)

    def choose(self, part, choice, who="buyer", **body):
        asked = {"certificate_id": self.certificate, "choice": choice, "reason": "已商定", **body}
        return self.clients[who].post(f"/v1/supplier-orders/{part}/disposition", json=asked)

    def ship(self, part):
        return self.clients["seller"].post(f"/v1/supplier-orders/{part}/shipments", json={})

    def confirm(self, part):
        assert self.clients["seller"].post(f"/v1/supplier-orders/{part}/confirm").status_code == 200

    def status(self, part):
        return self.clients["seller"].get(f"/v1/supplier-orders/{part}").json()["status"]


@pytest.fixture
def scene(api, database):
    return Scene(api, database)


def code(answer):
    return answer.status_code, answer.json().get("code")


def test_open_orders_are_listed_to_buyer_supplier_and_county(scene):
    (mine,), (theirs,) = scene.order(10), scene.order(3, who="stranger")
    scene.order(None, 5)  # of another certificate
    assert [row["waiting"] for row in scene.open_orders().json()["items"]] == [False]
    scene.suspend()
    expected = {"buyer": [mine], "stranger": [theirs], "seller": [theirs, mine], "county": [theirs, mine]}
    for who, parts in expected.items():
        answer = scene.open_orders(who).json()
        assert [row["supplier_order_id"] for row in answer["items"]] == parts, who
        assert (answer["stop"], answer["items"][0]["choices"]) == ("suspended", ["deliver", "cancel"])
        assert {row["waiting"] for row in answer["items"]} == {True}
    row = scene.open_orders().json()["items"][0]
    assert (row["quantity_open"], row["amount_open"], row["choice"]) == ("10", "699.00", None)
    assert scene.open_orders("elsewhere").status_code == scene.open_orders("rival").status_code == 404
    first = scene.open_orders("county", limit=1).json()
    second = scene.open_orders("county", limit=1, after=first["next"]).json()
    assert [page["items"][0]["supplier_order_id"] for page in (first, second)] == [theirs, mine]


def test_nothing_is_shipped_before_the_buyer_has_chosen(scene):
    (part,) = scene.order(10)
    scene.confirm(part)
    scene.suspend()
    assert code(scene.ship(part)) == (409, "disposition_needed")
    assert scene.status(part) == "confirmed"
    assert scene.choose(part, "deliver").json()["choice"] == "deliver"
    assert scene.ship(part).status_code == 201


def test_the_buyer_reads_at_the_order_and_the_product_what_stands_against_the_certificate(scene):
    (part,) = scene.order(10)
    scene.confirm(part)
    buyer, product = scene.clients["buyer"], scene.market.products[0].product_id

    def told():
        order, goods = buyer.get(f"/v1/supplier-orders/{part}").json(), buyer.get(f"/v1/products/{product}").json()
        [line], [row] = order["lines"], [row for row in buyer.get("/v1/products").json()["items"] if row["id"] == product]
        assert (line["certificate_id"], line["certificate_number"]) == (scene.certificate, goods["last_certificate"]["number"])
        assert (
            (goods["certificate"] is None) == (row["certified_until"] is None) == (goods["last_certificate"]["state"] != "in_force")
        )
        seller = scene.clients["seller"].get(f"/v1/supplier-orders/{part}").json()
        assert order["possible_actions"] == ["cancel"]
        return line["certificate_stop"], goods["last_certificate"]["state"], row["paused"], seller["possible_actions"]

    assert told() == (None, "in_force", False, ["ship_part", "ship_rest"])
    scene.suspend()
    assert told() == ("suspended", "suspended", True, [])
    scene.choose(part, "deliver")
    assert told() == ("suspended", "suspended", True, ["ship_part", "ship_rest"])


def test_a_cancelled_order_frees_its_stock(scene):
    (part,) = scene.order(10)
    scene.suspend()
    answer = scene.choose(part, "cancel")
    assert (answer.status_code, answer.json()["status"]) == (201, "cancelled")
    with scene.database.unit_of_work() as session:
        reserved = session.execute(text("SELECT reserved FROM stock WHERE sku_id = :sku"), {"sku": scene.market.products[0].sku_id})
        assert reserved.scalar_one() == 0
    assert scene.open_orders().json()["items"] == []
    assert code(scene.choose(part, "deliver")) == (409, "nothing_open")


def test_a_line_that_was_replaced_holds_no_other_goods(scene):
    with scene.database.unit_of_work() as session:
        plum = make_product(session, scene.market.suppliers[0], name="巫山脆李")
    (part,) = scene.order(10)
    scene.confirm(part)
    line = scene.clients["seller"].get(f"/v1/supplier-orders/{part}").json()["lines"][0]["id"]
    change = {"reason": "换货", "lines": [{"order_line_id": line, "sku_id": plum.sku_id}]}
    amendment = scene.clients["seller"].post(f"/v1/supplier-orders/{part}/amendments", json=change).json()["id"]
    assert scene.clients["buyer"].post(f"/v1/amendments/{amendment}/accept").status_code == 200
    scene.certificate = plum.certificate_id
    scene.suspend()
    cancelled = scene.choose(part, "cancel")
    assert (cancelled.status_code, cancelled.json()["status"]) == (201, "cancelled"), cancelled.text


def test_what_cannot_be_chosen(scene):
    (part,) = scene.order(10)
    assert code(scene.choose(part, "deliver")) == (409, "no_choice_needed")
    scene.suspend()
    assert code(scene.choose(part, "deliver", who="stranger")) == (404, "not_found")
    assert code(scene.choose(part, "deliver", who="seller")) == (403, "forbidden")
    assert code(scene.choose(part, "burn")) == (422, "invalid")
    assert code(scene.choose(part, "deliver", certificate_id=10**15)) == (422, "invalid")
    with scene.database.unit_of_work() as session:
        session.execute(
            text("UPDATE programme SET config = jsonb_set(config, '{certification,choices_when_suspended}', '[\"cancel\"]')")
        )
    assert code(scene.choose(part, "deliver")) == (409, "choice_not_allowed")


def test_a_later_measure_asks_again(scene):
    (part,) = scene.order(10)
    scene.confirm(part)
    scene.suspend()
    scene.choose(part, "deliver")
    scene.act(measures.reinstate, "复检合格")
    assert scene.open_orders().json()["items"][0]["waiting"] is False
    scene.suspend()
    assert code(scene.ship(part)) == (409, "disposition_needed")
    assert scene.open_orders().json()["items"][0]["choice"] is None


def test_another_cause_beside_the_first_asks_again(scene):
    (part,) = scene.order(10)
    scene.confirm(part)
    with scene.database.unit_of_work() as session:
        city = tokens.actor_of(session, token=access_token(session, make_user(session, Role.CITY_OFFICER)), api_key=None)
    county = scene.actor
    started = clock.now()
    causes = [
        (county, "price_above", None),
        (city, "quality_failure", None),  # of another level
        (county, "quality_failure", started + timedelta(days=9)),  # of the same, for something else
    ]
    for hours, (actor, code_, until) in enumerate(causes, 1):
        with clock.fixed(started + timedelta(hours=hours)):
            scene.actor = actor
            scene.act(measures.suspend, code_, "核查", until)
            assert code(scene.ship(part)) == (409, "disposition_needed")
            assert scene.open_orders().json()["items"][0]["waiting"] is True
        with clock.fixed(started + timedelta(hours=hours, minutes=30)):
            assert scene.choose(part, "deliver").status_code == 201
            assert scene.open_orders().json()["items"][0]["waiting"] is False
    # a new end of the same cause is none
    with clock.fixed(started + timedelta(hours=5)):
        scene.act(measures.suspend, "quality_failure", "核查", started + timedelta(days=20))
        assert scene.ship(part).status_code == 201
    history = scene.clients["county"].get(f"/v1/certificates/{scene.certificate}/history").json()
    assert [row["until"] for row in history if row["kind"].startswith("suspen")].count(None) == 2


def test_reinstated_orders_go_on_by_themselves(scene):
    (part,) = scene.order(10)
    scene.confirm(part)
    scene.suspend()
    scene.act(measures.reinstate, "复检合格")
    assert scene.ship(part).status_code == 201


def test_a_suspension_that_ends_by_itself_lets_orders_and_deliveries_go_on(scene):
    now = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)
    until = now + timedelta(minutes=30)
    with clock.fixed(now):
        (part,) = scene.order(10)
        scene.confirm(part)
        scene.suspend(until)
    line = {"sku_id": scene.market.products[0].sku_id, "quantity": "1"}
    body = {"fund_source": "canteen", "delivery_address": "-", "lines": [line]}
    with clock.fixed(until - timedelta(seconds=1)):
        refused = scene.clients["buyer"].post("/v1/purchase-orders", json=body)
        assert (refused.status_code, refused.json()["errors"][0]["code"]) == (422, "certificate_suspended")
        assert code(scene.ship(part)) == (409, "disposition_needed")
    with clock.fixed(until):
        assert scene.clients["buyer"].post("/v1/purchase-orders", json=body).status_code == 201
        assert scene.ship(part).status_code == 201


def test_papers_that_expire_stop_deliveries_until_the_buyer_chooses_or_they_are_renewed(scene):
    with scene.database.unit_of_work() as session:
        last = clock.today() + timedelta(days=3)
        session.execute(
            text("UPDATE certificate SET papers_valid_until = :last WHERE id = :id"), {"last": last, "id": scene.certificate}
        )
    first, second = scene.order(10) + scene.order(4)
    scene.confirm(first)
    scene.confirm(second)
    with clock.fixed(clock.end_of_day(last) - timedelta(seconds=1)):
        scene.sign_in()
        assert scene.open_orders().json()["stop"] is None
    expired = clock.end_of_day(last)
    with clock.fixed(expired):
        scene.sign_in()
        shown = scene.open_orders().json()
        assert (shown["stop"], datetime.fromisoformat(shown["stopped_at"])) == ("papers_expired", expired)
        assert [row["waiting"] for row in shown["items"]] == [True, True]
        assert code(scene.ship(first)) == (409, "disposition_needed")
        assert scene.choose(first, "deliver").status_code == 201
        assert scene.ship(first).status_code == 201
        for _ in range(2):  # told once, however often somebody looks
            with scene.database.unit_of_work() as session:
                tell_of_expired_papers(session)
        told = [row["kind"] for row in scene.clients["buyer"].get("/v1/notifications").json()["items"]]
        assert told.count("open_orders.papers_expired") == 1
        with scene.database.unit_of_work() as session:
            session.execute(
                text("UPDATE certificate SET papers_valid_until = valid_until WHERE id = :id"), {"id": scene.certificate}
            )
        assert scene.ship(second).status_code == 201


def test_who_hears_of_open_orders(scene):
    scene.order(10)
    scene.order(3, who="stranger")
    scene.suspend()
    outbox.drain(scene.database, HANDLERS)
    told = {}
    for who in ("buyer", "stranger", "seller", "county", "rival", "elsewhere"):
        items = scene.clients[who].get("/v1/notifications").json()["items"]
        told[who] = [row["data"]["count"] for row in items if row["kind"] == "open_orders.suspended"]
    assert told == {"buyer": [1], "stranger": [1], "seller": [2], "county": [2], "rival": [], "elsewhere": []}


def sell(scene, *quantities, who="buyer"):
    (part,) = scene.order(*quantities, who=who)
    scene.confirm(part)
    shipment = scene.ship(part).json()["id"]
    assert scene.clients[who].post(f"/v1/shipments/{shipment}/acceptance", json={}).status_code == 201


def test_every_past_sale_of_a_certificate_in_one_call(scene):
    sell(scene, 10)
    sell(scene, 100)
    sell(scene, 2, who="stranger")
    scene.suspend()
    path = f"/v1/certificates/{scene.certificate}/sales"
    answer = scene.clients["county"].get(path).json()
    assert [row["quantity"] for row in answer["items"]] == ["2", "100", "10"]
    totals = answer["totals"]
    assert (totals["amount"], totals["grams"], totals["entries"], totals["buyers"], totals["districts"]) == (
        "7338.80",
        560_000,
        3,
        2,
        1,
    )
    assert {row["buyer_name"] for row in answer["items"]} >= {"沙坪坝中学"}
    for who, status in {"seller": 200, "monitor": 200, "rival": 404, "elsewhere": 404, "buyer": 404}.items():
        assert scene.clients[who].get(path).status_code == status, who
    lines = scene.clients["county"].get(path, params={"format": "csv"}).content.decode("utf-8-sig").splitlines()
    assert len(lines) == 4
    sheet = scene.clients["county"].get(path, params={"format": "xlsx"}).content
    rows = CalamineWorkbook.from_filelike(io.BytesIO(sheet)).get_sheet_by_index(0).to_python()
    assert sum(row[11] for row in rows[1:]) == pytest.approx(7338.80)
