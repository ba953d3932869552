"""What a harvest bears, and what is lost of it."""

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
from sqlalchemy import text

from orders.agreements.actions import drafts, harvest
from shop.core import clock
from tests.factories.catalog import PDF
from tests.orders.agreements.scene import Scene, code

KG = 1000
TERM = {"valid_from": "2026-09-01", "valid_until": "2026-12-31"}


@pytest.fixture
def scene(api, database):
    with clock.fixed(datetime(2026, 8, 24, 2, tzinfo=UTC)):
        yield Scene(api, database)


def declare(scene, who="farm", **months):
    body = {
        "product_id": scene.cabbage.product_id,
        "months": [{"month": f"2026-{m[1:]}-01", "grams": g} for m, g in months.items()],
    }
    return scene.post(who, "harvest-capacities", body)


def capacity(scene, month):
    rows = scene.get("farm", "harvest-capacities").json()["items"]
    return next(row for row in rows if row["month"] == f"2026-{month}-01")


def test_schedules_caps_and_orders_draw_on_a_month(scene):
    declare(scene, m09=5000 * KG, m10=5000 * KG, m12=100_000 * KG)
    made = scene.propose(schedule=scene.weekly(), **TERM)
    says = scene.sign("farm", made).json()["harvest"]
    assert says == "partly_declared"
    caps = scene.propose(scene.line(quantity_cap="400"), **TERM)
    scene.sign("farm", caps)
    order = {"fund_source": "canteen", "delivery_address": "某处", "deliver_by": "2026-09-20"}
    placed = scene.post("buyer", "purchase-orders", {**order, "lines": [{"sku_id": scene.cabbage.sku_id, "quantity": "300"}]})
    assert placed.status_code == 201
    row = capacity(scene, "09")
    assert (row["schedule_grams"], row["cap_grams"], row["order_grams"]) == (2000 * KG, 100 * KG, 300 * KG)
    assert row["free_grams"] == 2600 * KG
    assert capacity(scene, "10")["schedule_grams"] == 1500 * KG  # one Monday is a holiday


def test_more_than_the_harvest_is_not_signed(scene):
    declare(scene, m09=2500 * KG, m10=1400 * KG)
    made = scene.propose(schedule=scene.weekly(), **TERM)
    refused = scene.sign("farm", made)
    assert code(refused) == (409, "over_committed")
    (fault,) = refused.json()["errors"]
    sums = {name: fault[name] for name in ("month", "declared_grams", "promised_grams", "asked_grams", "over_grams")}
    assert sums == {
        "month": "2026-10",
        "declared_grams": 1400 * KG,
        "promised_grams": 0,
        "asked_grams": 1500 * KG,
        "over_grams": 100 * KG,
    }
    assert "2026-10" in refused.json()["title"]
    assert scene.get("farm", f"agreements/{made['id']}").json()["supplier"]["signed_at"] is None
    assert declare(scene, m10=1500 * KG).status_code == 200
    assert scene.sign("farm", made).status_code == 200
    lower = declare(scene, m10=1499 * KG)
    assert code(lower) == (409, "capacity_below_drawn")
    assert capacity(scene, "10")["declared_grams"] == 1500 * KG
    scene.sign("head", made)
    more = {"reason": "扩招", "schedule": scene.weekly((200, 200, 200))}
    assert code(scene.post("farm", f"agreements/{made['id']}/changes", more)) == (409, "over_committed")


def race(scene, agreements):
    clients = [scene.api.as_(scene.users["farm"]) for _ in agreements]

    def sign(pair):
        client, made = pair
        return client.post(f"/v1/agreements/{made['id']}/sign", json={"terms_hash": made["terms_hash"]}).status_code

    with ThreadPoolExecutor(len(agreements)) as pool:
        return list(pool.map(sign, zip(clients, agreements, strict=True)))


def rivals(scene):
    declare(scene, m09=5000 * KG)
    return [scene.propose(schedule=scene.weekly(), **TERM) for _ in range(8)]  # two of them fit


def test_of_many_signed_at_once_no_more_than_the_harvest(scene):
    assert sorted(race(scene, rivals(scene))) == [200] * 2 + [409] * 6
    assert capacity(scene, "09")["schedule_grams"] == 4000 * KG


@pytest.mark.control
def test_without_the_lock_more_is_signed(scene, monkeypatch):
    """The control: when this fails, the test above proves nothing."""
    made = rivals(scene)
    monkeypatch.setattr(harvest, "hold", lambda session, supplier_id: None)
    checked = harvest.refuse_over

    def slowly(before, after):
        said = checked(before, after)
        time.sleep(0.2)
        return said

    monkeypatch.setattr(harvest, "refuse_over", slowly)
    assert race(scene, made).count(200) > 2


def test_who_declares(scene):
    assert code(declare(scene, who="buyer", m09=1)) == (403, "forbidden")
    assert code(declare(scene, who="rival", m09=1)) == (404, "not_found")
    assert declare(scene, who="farmhand", m09=1).status_code == 200
    assert scene.get("rival", "harvest-capacities").json()["items"] == []
    body = {"product_id": scene.cabbage.product_id, "months": [{"month": "2026-09-02", "grams": 1}]}
    assert code(scene.post("farm", "harvest-capacities", body)) == (422, "invalid")


def lose(scene, who="farm", month="2026-10-01", grams=300 * KG):
    body = {"product_id": scene.cabbage.product_id, "months": [{"month": month, "grams": grams}], "reason": "暴雨"}
    return scene.post(who, "crop-losses", body)


def test_a_loss_is_shared_pro_rata_and_every_buyer_told(scene):
    declare(scene, m10=9000 * KG)
    ours = scene.agreed(schedule=scene.weekly(), **TERM)
    stranger = scene.body(scene.line(), title="外区", **TERM)
    made = scene.post("stranger", "agreements", stranger).json()
    places = {
        "places": [{"name": "食堂", "address": "外区"}],
        "entries": [{"line_no": 1, "place": "食堂", "weekdays": [1], "quantity": "100"}],
    }
    scene.clients["stranger"].put(f"/v1/agreements/{made['id']}/schedule", json=places)
    made = scene.post("stranger", f"agreements/{made['id']}/propose").json()
    scene.sign("farm", made)
    scene.sign("stranger", made)
    planned = capacity(scene, "10")["schedule_grams"]
    assert planned == 1800 * KG
    assert code(lose(scene, who="buyer")) == (403, "forbidden")
    assert code(lose(scene, who="rival")) == (404, "not_found")
    answer = lose(scene)
    assert answer.status_code == 201, answer.text
    (loss,) = answer.json()["items"]
    assert loss["cut_grams"] == loss["grams"] == sum(share["cut_grams"] for share in loss["shares"]) == 300 * KG
    assert {share["agreement_id"]: share["cut_grams"] for share in loss["shares"]} == {ours["id"]: 250 * KG, made["id"]: 50 * KG}
    found = scene.instalments(ours, first="2026-10-01", last="2026-10-31")
    cut = [each for each in found if each["status"] == "planned"]
    assert sum(each["lost_grams"] for each in cut) == 250 * KG
    assert all(int(each["quantity"]) * KG <= int(each["planned_quantity"]) * KG - each["lost_grams"] for each in cut)
    (seen,) = scene.get("buyer", "crop-losses").json()["items"]
    assert [share["agreement_id"] for share in seen["shares"]] == [ours["id"]]
    assert scene.get("county", f"crop-losses/{loss['id']}").json()["shares"] == loss["shares"]
    assert scene.get("elsewhere", f"crop-losses/{loss['id']}").status_code == 404
    scene.hear()
    assert scene.told("crop_loss.declared", scene.bureau) == [
        {"product": "高山甘蓝", "month": "2026-10", "planned": "1500", "cut": "250", "left": "1250"}
    ]
    assert len(scene.told("crop_loss.declared")) == 2
    row = capacity(scene, "10")
    assert (row["lost_grams"], row["declared_grams"]) == (300 * KG, 9000 * KG)


def test_a_loss_of_all_leaves_nothing_to_order(scene):
    made = scene.agreed(schedule=scene.weekly(), call_off_lead_days=20, **TERM)
    with clock.fixed(datetime(2026, 9, 1, 2, tzinfo=UTC)):
        scene.sign_in()
        scene.run(drafts.draft_due)
        (loss,) = lose(scene, month="2026-09-01", grams=10**9).json()["items"]
        assert loss["cut_grams"] == 2000 * KG
        assert {each["skip_reason"] for each in scene.instalments(made, last="2026-09-30")} == {"crop_loss"}
        assert scene.get("buyer", "call-off-drafts").json()["items"] == []
        (nothing,) = lose(scene, month="2026-09-01", grams=1).json()["items"]
        assert (nothing["cut_grams"], nothing["shares"]) == (0, [])


def test_evidence_is_given_once_and_read_by_whom_it_concerns(scene):
    scene.agreed(schedule=scene.weekly(), **TERM)
    (loss,) = lose(scene).json()["items"]
    path = f"/v1/crop-losses/{loss['id']}/evidence"
    files = {"file": ("受灾照片.pdf", PDF, "application/pdf")}
    assert scene.clients["rival"].post(path, files=files).status_code == 404
    assert scene.clients["farm"].post(path, files=files).json()["evidence_file_id"]
    assert code(scene.clients["farm"].post(path, files=files)) == (409, "evidence_given")
    assert scene.clients["buyer"].get(path).content == PDF
    assert scene.clients["stranger"].get(path).status_code == 404


def test_what_is_ordered_is_not_cut(scene):
    made = scene.agreed(schedule=scene.weekly(), call_off_lead_days=20, **TERM)
    with clock.fixed(datetime(2026, 9, 1, 2, tzinfo=UTC)):
        scene.sign_in()
        scene.run(drafts.draft_due)
        first = scene.get("buyer", "call-off-drafts").json()["items"][0]
        scene.post("buyer", f"call-off-drafts/{first['id']}/order")
        (loss,) = lose(scene, month="2026-09-01", grams=10**9).json()["items"]
        assert loss["cut_grams"] == (2000 - 170) * KG
        assert {each["status"] for each in scene.instalments(made, last="2026-09-30")} == {"ordered", "skipped"}
    with scene.database.unit_of_work() as session:
        sums = session.execute(text("SELECT sum(lost_grams) FROM instalment")).scalar_one()
        assert sums == session.execute(text("SELECT sum(cut_grams) FROM crop_loss_share")).scalar_one() == loss["cut_grams"]


def test_officers_see_what_the_suppliers_of_their_region_declared(scene):
    declare(scene, m09=5000 * KG)
    seen = scene.get("county", "harvest-capacities", supplier_id=scene.farm.id).json()["items"]
    assert seen == scene.get("farm", "harvest-capacities").json()["items"] != []
    # nor is it told of suppliers elsewhere
    assert scene.get("county", "harvest-capacities", supplier_id=scene.rival.id).status_code == 422
    for who in ("elsewhere", "buyer"):
        assert scene.get(who, "harvest-capacities").json()["items"] == []


def test_a_buyer_is_not_told_what_a_supplier_declared_and_promised_to_others(scene):
    declare(scene, m10=2000 * KG)
    made = scene.agreed(schedule=scene.weekly(), **TERM)
    more = {"reason": "扩招", "schedule": scene.weekly((300, 300, 300))}
    asked = f"agreements/{made['id']}/changes"
    (told,) = scene.post("head", asked, more).json()["errors"]
    (own,) = scene.post("farm", asked, more).json()["errors"]
    assert (own["declared_grams"], own["promised_grams"]) == (2000 * KG, 1500 * KG)
    assert (told["asked_grams"], told["over_grams"]) == (own["asked_grams"], own["over_grams"]) == (1200 * KG, 700 * KG)
    assert set(told) == {"field", "code", "message", "product_id", "month", "asked_grams", "over_grams"}
    assert str(2000 * KG) not in told["message"].replace(str(1200 * KG), "")


def test_days_that_come_back_ask_for_no_more_than_the_harvest(scene):
    closed = {"name": "基建", "starts_on": "2026-10-01", "ends_on": "2026-10-31"}
    closure = scene.post("buyer", "closure-periods", closed).json()
    declare(scene, m10=1000 * KG)
    scene.agreed(schedule=scene.weekly(), **TERM)
    remove = f"/v1/closure-periods/{closure['id']}"
    assert code(scene.clients["buyer"].delete(remove)) == (409, "over_committed")
    assert len(scene.get("buyer", "closure-periods").json()["items"]) == 1
    declare(scene, m10=1500 * KG)
    assert scene.clients["buyer"].delete(remove).status_code == 204
    assert capacity(scene, "10")["schedule_grams"] == 1500 * KG


def test_an_order_takes_from_the_month_in_which_it_is_to_come_by_now(scene):
    declare(scene, m09=5000 * KG, m10=5000 * KG)
    order = {"fund_source": "canteen", "delivery_address": "某处", "deliver_by": "2026-09-20"}
    placed = scene.post("buyer", "purchase-orders", {**order, "lines": [{"sku_id": scene.cabbage.sku_id, "quantity": "300"}]})
    part = placed.json()["supplier_orders"][0]["id"]
    scene.post("farm", f"supplier-orders/{part}/confirm")
    later = {"reason": "推迟", "deliver_by": "2026-10-08"}
    amendment = scene.post("buyer", f"supplier-orders/{part}/amendments", later).json()
    assert scene.post("farm", f"amendments/{amendment['id']}/accept").status_code == 200
    assert (capacity(scene, "09")["order_grams"], capacity(scene, "10")["order_grams"]) == (0, 300 * KG)
