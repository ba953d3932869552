"""What each person wants to hear of, and how."""

import json

import pytest

from shop.notifications.rules import TEXTS

PLACE = "/v1/me/notification-preferences"


@pytest.fixture
def staff(api, post):
    return api.as_(post.person("li@example.org"))


def put(client, **kinds):
    return client.put(PLACE, json={"kinds": {kind.replace("__", "."): choice for kind, choice in kinds.items()}})


def test_every_kind_is_on_until_it_is_switched_off(staff):
    listed = staff.get(PLACE).json()["kinds"]
    assert [row["kind"] for row in listed] == sorted(TEXTS)
    assert all(row["inbox"] and row["email"] for row in listed)
    label = {row["kind"]: row["label"] for row in listed}["purchase_order.placed"]
    assert label == "You have a new order, …"
    in_chinese = staff.get(PLACE, headers={"Accept-Language": "zh"}).json()["kinds"]
    assert {row["kind"]: row["label"] for row in in_chinese}["purchase_order.placed"] == "收到新订单 …"


def test_only_what_is_sent_changes(staff):
    def chosen(answer):
        assert answer.status_code == 200, answer.text
        return {row["kind"]: (row["inbox"], row["email"]) for row in answer.json()["kinds"] if not (row["inbox"] and row["email"])}

    assert chosen(put(staff, shipment__sent={"email": False})) == {"shipment.sent": (True, False)}
    assert chosen(put(staff, shipment__sent={"inbox": False})) == {"shipment.sent": (False, False)}
    assert chosen(put(staff, shipment__sent={}, payment__recorded={"email": False})) == {
        "shipment.sent": (False, False),
        "payment.recorded": (True, False),
    }
    assert chosen(put(staff, shipment__sent={"email": True, "inbox": True})) == {"payment.recorded": (True, False)}
    assert chosen(put(staff)) == chosen(staff.get(PLACE))


def test_a_kind_switched_off_is_not_listed_nor_counted_for_that_person(api, post, staff):
    colleague = api.as_(post.person(None))
    post.tell(2)
    post.tell(kind="shipment.sent")
    put(staff, purchase_order__placed={"inbox": False})
    assert [row["kind"] for row in staff.get("/v1/notifications").json()["items"]] == ["shipment.sent"]
    assert staff.get("/v1/notifications/count").json() == {"unread": 1}
    assert staff.post("/v1/notifications/read-all").json() == {"read": 1}
    assert colleague.get("/v1/notifications/count").json() == {"unread": 3}
    put(staff, purchase_order__placed={"inbox": True})
    assert staff.get("/v1/notifications/count").json() == {"unread": 2}


@pytest.mark.parametrize("kind", ["nothing.known", "", "\x00", "a" * 100, "shipment.sent "])
def test_an_unknown_kind_is_named(staff, kind):
    refused = staff.put(PLACE, json={"kinds": {"shipment.sent": {"email": False}, kind: {"email": False}}})
    assert (refused.status_code, refused.json()["code"]) == (422, "unknown_kind")
    assert [fault["field"] for fault in refused.json()["errors"]] == [f"kinds.{kind}"]
    assert all(row["email"] for row in staff.get(PLACE).json()["kinds"])


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"kinds": None},
        {"kinds": []},
        {"kinds": {"shipment.sent": None}},
        {"kinds": {"shipment.sent": {"email": None}}},
        {"kinds": {"shipment.sent": {"email": "no"}}},
        {"kinds": {"shipment.sent": {"email": 0}}},
        {"kinds": {"shipment.sent": {"sms": True}}},
        {"kinds": {"a" * 101: {}}},
        {"kinds": {str(n): {} for n in range(201)}},
        {"kinds": {"\ud800": {}}},
        {"kinds": {}, "more": 1},
    ],
)
def test_bad_choices_are_refused(staff, body):
    refused = staff.put(PLACE, content=json.dumps(body).encode(), headers={"Content-Type": "application/json"})
    assert refused.status_code == 422, refused.text


def test_somebody_must_be_signed_in(api):
    assert api.get(PLACE).status_code == api.put(PLACE, json={"kinds": {}}).status_code == 401
