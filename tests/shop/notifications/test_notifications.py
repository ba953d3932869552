"""Telling once, to the right people, in their language."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shop.notifications.actions import notify
from shop.notifications.handlers import HANDLERS, deciding_region
from shop.notifications.rules import TEXTS, told
from tests.factories.identity import make_organisation, make_supplier, signed_in


@pytest.fixture
def supplier(database):
    with database.unit_of_work() as session:
        return make_supplier(session, "500236")


def tell(database, **changes):
    message = {
        "origin": "purchase_order.placed:1",
        "kind": "purchase_order.placed",
        "subject_type": "supplier_order",
        "subject_id": 1,
    }
    with database.unit_of_work() as session:
        notify(session, **(message | changes))


def test_the_same_cause_tells_once(api, database, supplier):
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda _: tell(database, organisation_id=supplier.id, number="PO1"), range(6)))
    messages = signed_in(api, "supplier_staff", supplier).get("/v1/notifications").json()["items"]
    assert [row["text"] for row in messages] == ["You have a new order, PO1"]


def test_each_in_the_own_language(api, database, supplier):
    tell(database, organisation_id=supplier.id, number="PO1")
    staff = signed_in(api, "supplier_staff", supplier)
    answer = staff.get("/v1/notifications", headers={"Accept-Language": "zh-CN"})
    assert answer.json()["items"][0]["text"] == "收到新订单 PO1"


def test_only_the_addressee_is_told(api, database, supplier):
    with database.unit_of_work() as session:
        other = make_organisation(session)
    tell(database, origin="a", organisation_id=supplier.id)
    tell(database, origin="b", region_code="500236")

    def kinds(*who):
        return [row["id"] for row in signed_in(api, *who).get("/v1/notifications").json()["items"]]

    assert len(kinds("supplier_staff", supplier)) == 1
    assert len(kinds("county_officer", None, "500236")) == 1
    assert len(kinds("county_officer", supplier, "500236")) == 2
    nothing = [("purchaser", other), ("county_officer", None, "500237"), ("city_officer",), ("platform_admin",), ("monitor",)]
    assert [kinds(*who) for who in nothing] == [[]] * len(nothing)


def test_reading_is_marked_once_and_by_the_addressee_only(api, database, supplier):
    tell(database, organisation_id=supplier.id)
    staff = signed_in(api, "supplier_staff", supplier)
    message = staff.get("/v1/notifications", params={"unread": True}).json()["items"][0]
    place = f"/v1/notifications/{message['id']}/read"
    assert signed_in(api, "platform_admin").post(place).status_code == 404
    first, second = staff.post(place), staff.post(place)
    assert first.status_code == second.status_code == 200
    assert first.json()["read_at"] == second.json()["read_at"] is not None
    assert staff.get("/v1/notifications", params={"unread": True}).json()["items"] == []
    assert len(staff.get("/v1/notifications", params={"unread": False}).json()["items"]) == 1
    assert staff.post("/v1/notifications/999/read").status_code == 404


def test_a_colleagues_reading_hides_nothing_from_me(api, database, supplier):
    tell(database, organisation_id=supplier.id)
    first, second = signed_in(api, "supplier_staff", supplier), signed_in(api, "supplier_admin", supplier)
    message = first.get("/v1/notifications").json()["items"][0]
    assert first.post(f"/v1/notifications/{message['id']}/read").status_code == 200
    assert [c.get("/v1/notifications/count").json() for c in (first, second)] == [{"unread": 0}, {"unread": 1}]
    assert [row["read_at"] for row in second.get("/v1/notifications", params={"unread": True}).json()["items"]] == [None]


def test_parallel_readings_of_one_person_agree(api, database, supplier):
    tell(database, organisation_id=supplier.id)
    staff = signed_in(api, "supplier_staff", supplier)
    message = staff.get("/v1/notifications").json()["items"][0]
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda _: staff.post(f"/v1/notifications/{message['id']}/read"), range(6)))
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.json()["read_at"] for answer in answers}) == 1


def test_everything_is_read_at_once(api, database, supplier):
    with database.unit_of_work() as session:
        other = make_organisation(session)
    for n in range(3):
        tell(database, origin=f"mine {n}", organisation_id=supplier.id)
    tell(database, origin="theirs", organisation_id=other.id)
    staff, colleague = signed_in(api, "supplier_staff", supplier), signed_in(api, "supplier_staff", supplier)
    stranger = signed_in(api, "purchaser", other)
    staff.post(f"/v1/notifications/{staff.get('/v1/notifications').json()['items'][0]['id']}/read")
    assert staff.post("/v1/notifications/read-all").json() == {"read": 2}
    assert staff.post("/v1/notifications/read-all").json() == {"read": 0}
    assert staff.get("/v1/notifications/count").json() == {"unread": 0}
    assert colleague.get("/v1/notifications/count").json() == {"unread": 3}
    assert stranger.get("/v1/notifications/count").json() == {"unread": 1}
    assert signed_in(api, "platform_admin").get("/v1/notifications/count").json() == {"unread": 0}


def test_newest_first_in_pages(api, database, supplier):
    for n in range(5):
        tell(database, origin=str(n), subject_id=n + 1, organisation_id=supplier.id)
    staff = signed_in(api, "supplier_staff", supplier)
    first = staff.get("/v1/notifications", params={"limit": 3}).json()
    rest = staff.get("/v1/notifications", params={"limit": 3, "after": first["next"]}).json()
    assert [row["subject_id"] for row in first["items"] + rest["items"]] == [5, 4, 3, 2, 1]
    assert rest["next"] is None


def test_one_addressee_is_needed(database, supplier):
    for addressees in ({}, {"organisation_id": supplier.id, "region_code": "500236"}):
        with pytest.raises(ValueError, match="one organisation or to one region"):
            tell(database, **addressees)


@given(st.sampled_from(sorted(TEXTS)), st.dictionaries(st.sampled_from(["number", "product", "reason", "name"]), st.text()))
def test_every_kind_says_something_whatever_the_data(kind, data):
    assert told(kind, data, "zh")
    assert told(kind, data, "en")


def test_a_kind_without_words_shows_its_code():
    assert told("something.new", {}, "zh") == "something.new"
    assert set(HANDLERS) - {"notification.made"} <= set(TEXTS)
    assert told("certificate.revoked", {"number": "C1", "reason": None}, "en") == "Certificate C1 was revoked: …"


@pytest.mark.parametrize(
    ("registered_in", "decides"), [("500236", "500236"), ("500236T01", "500236"), ("370600", "500000"), ("110000", "500000")]
)
def test_who_decides_on_a_registration(registered_in, decides):
    assert deciding_region(registered_in) == decides
