"""Where the goods of a unit go, and on whose budget it buys."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from shop.core import outbox
from tests.factories.buying import make_bureau
from workers.handlers import HANDLERS


@pytest.fixture
def bureau(api, database):
    return make_bureau(api, database)


PLACE = {"name": "北校区食堂", "address": "重庆市沙坪坝区大学城中路1号", "contact": "李老师", "phone": "023-65100000"}


def test_addresses_are_kept_used_and_taken_out_of_use(bureau):
    school = bureau.as_("school_purchaser")
    first = school.post("/v1/delivery-addresses", json={**PLACE, "is_default": True})
    assert first.status_code == 201, first.text
    second = school.post(
        "/v1/delivery-addresses", json={**PLACE, "name": "南校区食堂", "address": "南校区", "is_default": True}
    ).json()
    shown = school.get("/v1/delivery-addresses").json()["items"]
    assert [(each["name"], each["is_default"]) for each in shown] == [("北校区食堂", False), ("南校区食堂", True)]
    order = bureau.order(1)
    del order["delivery_address"]
    placed = school.post("/v1/purchase-orders", json=order).json()
    assert (placed["delivery_address"], placed["delivery_contact"]) == ("南校区", "李老师")
    named = school.post(
        "/v1/purchase-orders", json={**order, "delivery_address_id": first.json()["id"], "delivery_contact": "王老师"}
    )
    assert (named.json()["delivery_address"], named.json()["delivery_contact"]) == (PLACE["address"], "王老师")
    changed = school.patch(f"/v1/delivery-addresses/{second['id']}", json={"active": False}, headers={"If-Match": '"1"'})
    assert changed.json()["active"] is False
    assert changed.json()["is_default"] is False
    assert school.post("/v1/purchase-orders", json=order).json()["code"] == "delivery_address_missing"
    gone = school.post("/v1/purchase-orders", json={**order, "delivery_address_id": second["id"]})
    assert (gone.status_code, gone.json()["code"]) == (422, "unknown_address")
    stale = school.patch(f"/v1/delivery-addresses/{second['id']}", json={"name": "旧"}, headers={"If-Match": '"1"'})
    assert stale.status_code == 412
    assert [each["name"] for each in school.get("/v1/delivery-addresses", params={"active": "false"}).json()["items"]] == [
        "南校区食堂"
    ]


def test_addresses_are_those_of_the_own_branch(bureau):
    own = bureau.as_("school_purchaser").post("/v1/delivery-addresses", json=PLACE).json()
    assert bureau.as_("bureau_viewer").get("/v1/delivery-addresses").json()["items"][0]["id"] == own["id"]
    for who in ("other_purchaser", "stranger"):
        assert bureau.as_(who).get("/v1/delivery-addresses").json()["items"] == []
        assert bureau.as_(who).patch(f"/v1/delivery-addresses/{own['id']}", json={"name": "x"}).status_code == 404
        order = {**bureau.order(1), "delivery_address_id": own["id"]}
        # whether an address is written beside it or not
        for sent in (order, {name: value for name, value in order.items() if name != "delivery_address"}):
            assert bureau.as_(who).post("/v1/purchase-orders", json=sent).json()["code"] == "unknown_address"
    above = bureau.as_("bureau_purchaser").post("/v1/delivery-addresses", json={**PLACE, "organisation_id": bureau.school.id})
    assert above.status_code == 201
    assert (
        bureau.as_("school_purchaser")
        .post("/v1/delivery-addresses", json={**PLACE, "organisation_id": bureau.bureau.id})
        .status_code
        == 404
    )
    assert bureau.as_("school_viewer").post("/v1/delivery-addresses", json=PLACE).status_code == 403


def settings(bureau, who, unit, **body):
    return bureau.as_(who).patch(f"/v1/organisations/{unit.id}/buying-settings", json=body)


def test_a_school_buys_on_the_budget_of_its_bureau(bureau, database):
    assert settings(bureau, "bureau_buyer_admin", bureau.school, budget_unit_id=bureau.bureau.id).status_code == 200
    school = bureau.as_("school_purchaser")
    placed = school.post("/v1/purchase-orders", json=bureau.order(2)).json()
    assert (placed["buyer_id"], placed["ordering_unit_id"]) == (bureau.bureau.id, bureau.school.id)
    # both see it and may act for it, the other school does not
    for who in ("school_viewer", "bureau_viewer"):
        assert bureau.as_(who).get(f"/v1/purchase-orders/{placed['id']}").status_code == 200
    assert bureau.as_("other_purchaser").get(f"/v1/purchase-orders/{placed['id']}").status_code == 404
    assert [each["id"] for each in school.get("/v1/purchase-orders").json()["items"]] == [placed["id"]]
    assert school.post(f"/v1/purchase-orders/{placed['id']}/cancel", json={"reason": "计划有变"}).status_code == 200
    # and both hear of what becomes of it
    again = school.post("/v1/purchase-orders", json=bureau.order(2)).json()["supplier_orders"][0]["id"]
    bureau.as_("seller").post(f"/v1/supplier-orders/{again}/reject", json={"reason": "缺货"})
    outbox.drain(database, HANDLERS)
    for who in ("school_viewer", "bureau_viewer"):
        kinds = [each["kind"] for each in bureau.as_(who).get("/v1/notifications").json()["items"]]
        assert kinds == ["supplier_order.rejected"]
    own = school.post("/v1/purchase-orders", json=bureau.order(1, buyer_id=bureau.school.id)).json()
    assert own["buyer_id"] == bureau.school.id


def test_nobody_takes_the_budget_of_a_unit_that_is_not_the_own(bureau):
    refused = settings(bureau, "school_buyer_admin", bureau.school, budget_unit_id=bureau.bureau.id)
    assert (refused.status_code, refused.json()["code"]) == (422, "not_above_unit")
    assert settings(bureau, "bureau_buyer_admin", bureau.school, budget_unit_id=bureau.other.id).json()["code"] == "not_above_unit"
    assert settings(bureau, "other_buyer_admin", bureau.school, budget_required=True).status_code == 404
    assert settings(bureau, "school_purchaser", bureau.school, budget_required=True).status_code == 403
    ordered = bureau.as_("school_purchaser").post("/v1/purchase-orders", json=bureau.order(1, buyer_id=bureau.bureau.id))
    assert (ordered.status_code, ordered.json()["code"]) == (403, "not_your_unit")


def test_settings_come_down_the_tree(bureau):
    read = lambda who: bureau.as_(who).get(f"/v1/organisations/{bureau.school.id}/buying-settings").json()  # noqa: E731
    assert read("school_viewer")["budget_required"] is False
    settings(bureau, "bureau_buyer_admin", bureau.bureau, budget_required=True)
    assert read("school_viewer")["budget_required"] is True
    refused = bureau.as_("school_purchaser").post("/v1/purchase-orders", json=bureau.order(1))
    assert (refused.status_code, refused.json()["code"]) == (409, "budget_missing")
    settings(bureau, "bureau_buyer_admin", bureau.school, budget_required=False)
    assert bureau.as_("school_purchaser").post("/v1/purchase-orders", json=bureau.order(1)).status_code == 201


def test_an_address_that_is_not_used_does_not_become_the_default_one(bureau):
    school = bureau.as_("school_purchaser")
    used = school.post("/v1/delivery-addresses", json={**PLACE, "is_default": True}).json()
    gone = school.post("/v1/delivery-addresses", json=PLACE).json()
    path = f"/v1/delivery-addresses/{gone['id']}"
    school.patch(path, json={"active": False})
    for changes in ({"is_default": True}, {"is_default": True, "active": False}):
        refused = school.patch(path, json=changes)
        assert (refused.status_code, refused.json()["code"]) == (409, "address_not_in_use")
    assert [each["id"] for each in school.get("/v1/delivery-addresses").json()["items"] if each["is_default"]] == [used["id"]]
    assert school.patch(path, json={"is_default": True, "active": True}).json()["is_default"] is True


def test_of_two_who_change_the_same_version_one_is_told(bureau):
    school = bureau.as_("school_purchaser")
    address = school.post("/v1/delivery-addresses", json=PLACE).json()
    first = {"If-Match": '"1"'}
    with ThreadPoolExecutor(6) as pool:
        path = f"/v1/delivery-addresses/{address['id']}"
        answers = list(pool.map(lambda n: school.patch(path, json={"name": f"{n}"}, headers=first).status_code, range(6)))
        assert sorted(answers) == [200, *[412] * 5]
        # also where nothing was set before
        admin, path = bureau.as_("bureau_buyer_admin"), f"/v1/organisations/{bureau.school.id}/buying-settings"
        assert admin.get(path).headers["ETag"] == '"1"'
        answers = list(pool.map(lambda n: admin.patch(path, json={"budget_required": True}, headers=first).status_code, range(6)))
        assert sorted(answers) == [200, *[412] * 5]


def test_nobody_lifts_what_a_unit_above_wants(bureau):
    settings(bureau, "bureau_buyer_admin", bureau.bureau, budget_required=True)
    refused = settings(bureau, "school_buyer_admin", bureau.school, budget_required=False)
    assert (refused.status_code, refused.json()["code"]) == (403, "required_above")
    assert settings(bureau, "bureau_buyer_admin", bureau.school, budget_required=False).status_code == 200
    # what is lifted from above may be said again, and the own wish be dropped
    assert settings(bureau, "school_buyer_admin", bureau.school, budget_required=False).status_code == 200
    settings(bureau, "bureau_buyer_admin", bureau.bureau, budget_required=None)
    settings(bureau, "school_buyer_admin", bureau.school, budget_required=True)
    assert settings(bureau, "school_buyer_admin", bureau.school, budget_required=False).json()["budget_required"] is False


def test_a_list_shows_each_order_once_and_loses_none(bureau):
    """Orders of one unit for another, both of the branch, are found by either."""
    settings(bureau, "bureau_buyer_admin", bureau.school, budget_unit_id=bureau.bureau.id)
    head = {"school_purchaser": {}, "bureau_purchaser": {"buyer_id": bureau.other.id}, "other_purchaser": {}}
    placed = [
        bureau.as_(who).post("/v1/purchase-orders", json=bureau.order(1, **head[who])).json()["id"]
        for _ in range(2)
        for who in head
    ]

    def seen(who, **asked):
        found, after = [], {}
        while True:
            page = bureau.as_(who).get("/v1/purchase-orders", params={"limit": 1, **asked, **after}).json()
            found += [each["id"] for each in page["items"]]
            if page["next"] is None:
                return found
            after = {"after": page["next"]}

    assert seen("bureau_viewer") == sorted(placed, reverse=True)
    assert seen("bureau_viewer", buyer_id=bureau.other.id) == sorted(placed[1::3] + placed[2::3], reverse=True)
    assert seen("school_viewer") == sorted(placed[::3], reverse=True)
    assert seen("other_viewer") == sorted(placed[1::3] + placed[2::3], reverse=True)
    assert seen("seller") == seen("stranger") == []
