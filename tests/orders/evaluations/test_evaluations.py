"""Rating what was accepted, the answer to it, what everybody reads of it, and the signal of low ratings."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import text

from catalog.supervision.actions import signals
from shop.core import outbox
from shop.identity.permissions import Role
from tests.conftest import connect
from tests.factories.catalog import PDF
from tests.factories.identity import access_token, make_organisation, make_user
from tests.factories.orders import make_market
from tests.factories.pictures import PNG
from workers.handlers import HANDLERS

GOOD = {"quality": 5, "price": 4, "delivery": 5, "packaging": 3}
LOW = {"quality": 2, "price": 5, "delivery": 5, "packaging": 5}


def code(answer):
    return answer.status_code, answer.json().get("code")


class Scene:
    def __init__(self, api, database):
        self.api, self.database, self.market = api, database, make_market(database)
        self.product, self.honey = self.market.products[0], self.market.products[1]
        with database.unit_of_work() as session:
            other = make_organisation(session, kind="hospital", region_code="500112", name="渝北医院")
            self.users = {
                "buyer": self.market.purchaser,
                "finance": self.market.finance,
                "other": make_user(session, Role.PURCHASER, other),
                "seller": self.market.sellers[0],
                "rival": self.market.sellers[1],
                "county": make_user(session, Role.COUNTY_OFFICER, region_code="500236"),
                "elsewhere": make_user(session, Role.COUNTY_OFFICER, region_code="500240"),
                "monitor": make_user(session, Role.MONITOR),
            }
        self.sign_in()

    def sign_in(self):
        self.clients = {name: self.api.as_(user) for name, user in self.users.items()}

    def __getitem__(self, who):
        return self.clients[who]

    def order(self, *quantities, who="buyer"):
        placed = self[who].post("/v1/purchase-orders", json=self.market.order(*quantities))
        return placed.json()["supplier_orders"][0]["id"]

    def delivered(self, *quantities, who="buyer", seller="seller", **answer):
        part = self.order(*(quantities or (1,)), who=who)
        self[seller].post(f"/v1/supplier-orders/{part}/confirm")
        shipment = self[seller].post(f"/v1/supplier-orders/{part}/shipments", json={}).json()["id"]
        if answer.get("rejected"):
            line = self[who].get(f"/v1/supplier-orders/{part}").json()["lines"][0]
            lines = [
                {"order_line_id": line["id"], "accepted_quantity": "0", "rejected_quantity": line["quantity"], "reason": "破损"}
            ]
            answer = {"lines": lines}
        assert self[who].post(f"/v1/shipments/{shipment}/acceptance", json=answer).status_code == 201
        return part

    def rate(self, part, body=GOOD, who="buyer", headers=None):
        return self[who].put(f"/v1/supplier-orders/{part}/evaluation", json=body, headers=headers)

    def answer(self, part, who="seller", text="感谢，下次改进"):
        return self[who].post(f"/v1/supplier-orders/{part}/evaluation/answer", json={"text": text})

    def photo(self, part, content=PNG, who="buyer"):
        return self[who].post(f"/v1/supplier-orders/{part}/evaluation/photos", files={"file": ("果.png", content)})

    def of_product(self, who="monitor", product=None, **params):
        return self[who].get(f"/v1/products/{(product or self.product).product_id}/evaluations", params=params).json()

    def told(self, who):
        outbox.drain(self.database, HANDLERS)
        return [each["kind"] for each in self[who].get("/v1/notifications").json()["items"]]

    def risks(self, who="county"):
        rows = self[who].get("/v1/risk-list").json()["items"]
        return {row["certificate_id"]: {flag["code"]: flag["evidence"] for flag in row["flags"]} for row in rows}


@pytest.fixture
def scene(api, database, on):
    on(2026, 3, 2)
    return Scene(api, database)


def test_rated_changed_answered_and_read(scene):
    part = scene.delivered(2)
    assert code(scene["buyer"].get(f"/v1/supplier-orders/{part}/evaluation")) == (404, "not_found")
    rated = scene.rate(part, {**GOOD, "text": "果子新鲜，有两箱压坏"})
    assert rated.status_code == 200, rated.text
    assert rated.headers["ETag"] == '"1"'
    assert (rated.json()["product_ids"], rated.json()["changed_at"]) == ([scene.product.product_id], None)
    assert rated.json()["changeable_until"].startswith("2026-04-01")
    assert scene.rate(part, {**GOOD, "packaging": 4}, headers={"If-Match": '"1"'}).json()["version"] == 2
    assert code(scene.rate(part, headers={"If-Match": '"1"'})) == (412, "changed_meanwhile")
    assert scene.photo(part).status_code == 201
    answered = scene.answer(part)
    assert (answered.status_code, answered.json()["answer"]) == (201, "感谢，下次改进")
    assert code(scene.answer(part)) == (409, "already_answered")
    listed = scene.of_product()
    row = listed["items"][0]
    assert (row["buyer_kind"], row["buyer_district_code"], row["answer"], row["packaging"]) == (
        "school",
        "500106",
        "感谢，下次改进",
        4,
    )
    assert not {"buyer_id", "buyer_name", "supplier_order_id", "rated_by"} & set(row)
    photo = scene["monitor"].get(f"/v1/evaluations/{row['id']}/photos/{row['photos'][0]['id']}")
    assert (photo.status_code, photo.content) == (200, PNG)
    assert scene.told("seller").count("evaluation.written") == 1
    assert scene.told("buyer").count("evaluation.answered") == 1


def test_averages_of_products_and_suppliers(scene):
    assert scene.of_product()["averages"] == {
        "count": 0, "quality": None, "price": None, "delivery": None, "packaging": None, "overall": None
    }  # fmt: skip
    for body in (GOOD, LOW, {**GOOD, "quality": 4}):
        scene.rate(scene.delivered(1), body)
    scene.rate(scene.delivered(1, who="other"), GOOD, who="other")
    listed = scene.of_product(limit=3)
    assert listed["averages"] == {
        "count": 4, "quality": "4.00", "price": "4.25", "delivery": "5.00", "packaging": "3.50", "overall": "4.19"
    }  # fmt: skip
    assert [row["buyer_kind"] for row in listed["items"]] == ["hospital", "school", "school"]
    rest = scene.of_product(limit=3, after=listed["next"])
    assert (len(rest["items"]), rest["next"], rest["averages"]) == (1, None, listed["averages"])
    supplier = scene.market.suppliers[0].id
    assert scene["buyer"].get(f"/v1/suppliers/{supplier}/evaluations").json()["averages"] == listed["averages"]
    assert scene.of_product(product=scene.honey)["averages"]["count"] == 0
    assert code(scene["buyer"].get("/v1/products/999999/evaluations")) == (404, "not_found")
    assert code(scene["buyer"].get(f"/v1/suppliers/{scene.market.school.id}/evaluations")) == (404, "not_found")
    assert scene["buyer"].get(f"/v1/suppliers/{supplier}/evaluations", params={"after": "x"}).status_code == 422


def test_only_what_was_accepted_is_rated_and_only_by_its_buyer(scene):
    part = scene.order(1)
    assert code(scene.rate(part)) == (409, "nothing_accepted")
    assert code(scene.rate(scene.delivered(1, rejected=True))) == (409, "nothing_accepted")
    part = scene.delivered(1)
    assert code(scene.rate(part, who="other")) == (404, "not_found")
    assert code(scene.rate(part, who="finance")) == code(scene.rate(part, who="seller")) == (403, "forbidden")
    assert code(scene.answer(part)) == code(scene.photo(part)) == (404, "not_found")  # nothing to answer yet
    scene.rate(part)
    assert code(scene.answer(part, who="rival")) == (404, "not_found")
    assert code(scene.answer(part, who="buyer")) == (403, "forbidden")
    for who, status in {
        "buyer": 200,
        "finance": 200,
        "seller": 200,
        "county": 200,
        "rival": 404,
        "other": 404,
        "elsewhere": 404,
    }.items():
        assert scene[who].get(f"/v1/supplier-orders/{part}/evaluation").status_code == status, who


@pytest.mark.parametrize(
    "bad", [{"quality": 0}, {"price": 6}, {"delivery": "5"}, {"packaging": 4.5}, {"quality": True}, {"text": " "}, {"x": 1}]
)
def test_ratings_are_whole_numbers_from_one_to_five(scene, bad):
    assert scene.rate(scene.delivered(1), {**GOOD, **bad}).status_code == 422


def test_after_thirty_days_it_stays_as_it_is(scene, on):
    part = scene.delivered(1)
    scene.rate(part)
    on(2026, 4, 1)
    scene.sign_in()
    assert code(scene.rate(part, LOW)) == code(scene.photo(part)) == (409, "no_longer_changeable")
    assert code(scene["buyer"].delete(f"/v1/supplier-orders/{part}/evaluation/photos/1")) == (409, "no_longer_changeable")
    assert scene.answer(part).status_code == 201
    late = scene.delivered(1)
    on(2026, 9, 1)
    scene.sign_in()
    assert scene.rate(late).status_code == 200


def test_photos_are_photos_and_few(scene):
    part = scene.delivered(1)
    scene.rate(part)
    assert code(scene.photo(part, PDF)) == (422, "photos_only")
    assert code(scene.photo(part, b"MZ")) == (422, "file_type_not_accepted")
    for _ in range(6):
        assert scene.photo(part).status_code == 201
    assert code(scene.photo(part)) == (409, "too_many_files")
    photos = [each["id"] for each in scene["buyer"].get(f"/v1/supplier-orders/{part}/evaluation").json()["photos"]]
    path = f"/v1/supplier-orders/{part}/evaluation/photos/{photos[0]}"
    assert code(scene["other"].delete(path)) == (404, "not_found")
    assert code(scene["seller"].delete(path)) == (403, "forbidden")
    assert scene["buyer"].delete(path).status_code == 204
    assert code(scene["buyer"].delete(path)) == (404, "not_found")
    assert [each["id"] for each in scene.of_product()["items"][0]["photos"]] == photos[1:]
    assert scene.photo(part).status_code == 201
    assert code(scene["buyer"].get("/v1/evaluations/999999/photos/1")) == (404, "not_found")


@pytest.mark.slow
def test_three_low_ratings_are_one_signal_to_the_county(scene, on):
    certificate = scene.product.certificate_id
    for _ in range(2):
        scene.rate(scene.delivered(1), LOW)
    scene.rate(scene.delivered(1), GOOD)
    assert "quality_signal.raised" not in scene.told("county")
    scene.rate(scene.delivered(1, who="other"), {**GOOD, "quality": 1}, who="other")
    assert scene.told("county").count("quality_signal.raised") == 1
    assert scene.told("elsewhere").count("quality_signal.raised") == 0
    (signal,) = scene["county"].get("/v1/quality-signals", params={"open": True}).json()["items"]
    assert (signal["certificate_id"], signal["ratings"], signal["buyers"]) == (certificate, 3, 2)
    assert scene.risks()[certificate]["low_ratings"] == {"quality_signal_id": signal["id"], "ratings": 3, "buyers": 2}
    # more low ones, and the same ones changed, are no further signal
    scene.rate(scene.delivered(1), LOW)
    assert scene.told("county").count("quality_signal.raised") == 1
    clear = f"/v1/quality-signals/{signal['id']}/clear"
    assert code(scene["elsewhere"].post(clear, json={"reason": "已约谈"})) == (404, "not_found")
    assert code(scene["buyer"].post(clear, json={"reason": "已约谈"})) == (403, "forbidden")
    assert scene["county"].post(clear, json={"reason": "已约谈供应商并整改"}).json()["clearing_reason"] == "已约谈供应商并整改"
    assert code(scene["county"].post(clear, json={"reason": "已约谈"})) == (409, "signal_cleared")
    assert "low_ratings" not in scene.risks().get(certificate, {})
    # those before it was cleared count no more; three new ones do
    on(2026, 3, 10)
    scene.sign_in()
    for _ in range(2):
        scene.rate(scene.delivered(1), LOW)
    assert scene.told("county").count("quality_signal.raised") == 1
    scene.rate(scene.delivered(1), LOW)
    assert scene.told("county").count("quality_signal.raised") == 2


def test_old_low_ratings_are_no_signal(scene, on):
    for day in ((2026, 3, 3), (2026, 5, 1), (2026, 6, 2)):  # the first is more than 90 days old by the third
        on(*day)
        scene.sign_in()
        scene.rate(scene.delivered(1), LOW)
    assert "quality_signal.raised" not in scene.told("county")


def raise_at_once(scene, copies=8):
    gate = threading.Barrier(copies)

    def run(_):
        with scene.database.unit_of_work() as session:
            gate.wait()
            return signals.raise_signal(session, scene.product.certificate_id, ratings=3, buyers=1)

    with ThreadPoolExecutor(copies) as pool:
        return sorted(pool.map(run, range(copies)))


def test_of_many_handlers_at_once_one_raises_the_signal(scene):
    assert raise_at_once(scene) == [False] * 7 + [True]


@pytest.mark.control
def test_without_the_index_several_are_raised(scene, monkeypatch):
    """The control: when this fails, the test above proves nothing."""
    with scene.database.unit_of_work() as session:
        session.execute(text("DROP INDEX uq_quality_signal_open"))
    unguarded = str(signals._RAISE).replace(" ON CONFLICT (certificate_id) WHERE cleared_at IS NULL DO NOTHING", "")
    unguarded = unguarded.replace("VALUES (:certificate_id, :ratings, :buyers, :now)", (
        "SELECT :certificate_id, :ratings, :buyers, CAST(:now AS timestamptz) FROM pg_sleep(0.3) WHERE NOT EXISTS ("
        "SELECT FROM quality_signal WHERE certificate_id = :certificate_id AND cleared_at IS NULL)"
    ))  # fmt: skip
    monkeypatch.setattr(signals, "_RAISE", text(unguarded))
    assert raise_at_once(scene).count(True) > 1


def test_two_who_rate_at_once_leave_one_evaluation(scene):
    part = scene.delivered(1)
    with scene.database.unit_of_work() as session:
        token = access_token(session, scene.market.purchaser)
    gate = threading.Barrier(6)

    def rate(stars):
        client = connect(str(scene.api.base_url), scene.database, {"Authorization": f"Bearer {token}"})
        gate.wait()
        return client.put(f"/v1/supplier-orders/{part}/evaluation", json={**GOOD, "quality": 1 + stars % 5}).status_code

    with ThreadPoolExecutor(6) as pool:
        assert set(pool.map(rate, range(6))) == {200}
    with scene.database.unit_of_work() as session:
        assert session.execute(text("SELECT count(*), max(version) FROM evaluation")).one() == (1, 6)


def test_a_complaint_names_the_order(scene):
    part = scene.delivered(1)
    body = {"certificate_id": scene.product.certificate_id, "kind": "quality", "text": "到货霉变"}
    filed = scene["buyer"].post("/v1/complaints", json={**body, "supplier_order_id": part})
    assert (filed.status_code, filed.json()["supplier_order_id"]) == (201, part), filed.text
    assert scene["seller"].get(f"/v1/complaints/{filed.json()['id']}").json()["supplier_order_id"] == part
    assert scene["buyer"].post("/v1/complaints", json=body).json()["supplier_order_id"] is None
    wrong = [
        ("other", {**body, "supplier_order_id": part}),
        ("buyer", {**body, "supplier_order_id": 10**12}),
        ("buyer", {**body, "certificate_id": scene.honey.certificate_id, "supplier_order_id": part}),
    ]
    for who, asked in wrong:
        answer = scene[who].post("/v1/complaints", json=asked)
        assert (code(answer), answer.json()["errors"][0]["field"]) == ((422, "unknown_order"), "supplier_order_id")
