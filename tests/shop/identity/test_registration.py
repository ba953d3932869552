"""From a registration to an approved organisation."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import text

from shop.core import outbox
from shop.identity import queries
from shop.identity.errors import OrganisationNotApproved
from shop.notifications.handlers import HANDLERS
from tests.factories.identity import make_organisation, make_supplier, random_uscc, signed_in


def registration(**changes):
    return {
        "uscc": random_uscc("500236"),
        "name": "奉节县夔门脐橙专业合作社",
        "kind": "cooperative",
        "region_code": "500236",
        "register_as": "supplier",
        "admin": {"username": "kuimen", "name": "张三", "password": "long enough!"},
        **changes,
    }


@pytest.fixture
def county(api):
    return signed_in(api, "county_officer", region_code="500236")


@pytest.fixture
def registered(api):
    answer = api.post("/v1/organisations", json=registration())
    assert answer.status_code == 201, answer.text
    return answer.json()


@pytest.fixture
def owner(api, registered):
    form = {"grant_type": "password", "username": "kuimen", "password": "long enough!"}
    token = api.post("/v1/auth/token", data=form).json()["access_token"]
    api.headers["Authorization"] = f"Bearer {token}"
    return api


def test_a_registration_is_pending_and_its_first_user_signs_in(owner, registered, database):
    assert registered["status"] == "pending"
    assert [role["role"] for role in registered["roles"]] == ["supplier"]
    me = owner.get("/v1/me").json()
    assert me["organisation"]["status"] == "pending"
    assert me["user"]["roles"] == [{"role": "supplier_admin", "region_code": None}]
    with database.unit_of_work() as session:
        assert not queries.is_approved(session, registered["id"])
        with pytest.raises(OrganisationNotApproved):
            queries.require_approved(session, registered["id"])


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"name": "奉节🍊合作社"}, "name"),
        ({"contact_name": "张三😀"}, "contact_name"),
        ({"admin": {**registration()["admin"], "name": "张三⭐"}}, "admin.name"),
    ],
)
def test_names_that_go_on_sealed_papers_have_no_pictures(api, changes, field):
    refused = api.post("/v1/organisations", json=registration(**changes), headers={"Accept-Language": "en"})
    assert refused.status_code == 422
    assert [(fault["field"], fault["code"]) for fault in refused.json()["errors"]] == [(field, "picture_in_text")]
    assert api.post("/v1/organisations", json=registration(name="奉节县㙍头䶮合作社")).status_code == 201


def test_the_county_approves(county, registered, database):
    queue = county.get("/v1/organisations", params={"status": "pending"}).json()["items"]
    assert [row["id"] for row in queue] == [registered["id"]]
    approved = county.post(f"/v1/organisations/{registered['id']}/approve")
    assert approved.status_code == 200
    assert approved.json()["status"] == "approved"
    assert approved.json()["decided_at"] is not None
    with database.unit_of_work() as session:
        queries.require_approved(session, registered["id"])
        acts = (
            session.execute(text("SELECT action FROM audit_event WHERE subject_type = 'organisation' ORDER BY id")).scalars().all()
        )
    assert acts == ["organisation.registered", "organisation.approved"]


def test_a_refusal_says_why_and_can_be_answered(county, owner, registered):
    place = f"/v1/organisations/{registered['id']}"
    assert county.post(f"{place}/reject", json={"reason": "  "}).status_code == 422
    rejected = county.post(f"{place}/reject", json={"reason": "名称与执照不符"}).json()
    assert (rejected["status"], rejected["rejection_reason"]) == ("rejected", "名称与执照不符")

    assert owner.get("/v1/me").json()["organisation"]["rejection_reason"] == "名称与执照不符"
    again = owner.post(f"{place}/resubmit", json={"name": "奉节县夔门柑橘专业合作社"})
    assert again.status_code == 200, again.text
    assert (again.json()["status"], again.json()["name"]) == ("pending", "奉节县夔门柑橘专业合作社")
    assert again.json()["rejection_reason"] is None
    assert county.post(f"{place}/approve").json()["status"] == "approved"


def test_moves_that_are_not_in_the_table_change_nothing(county, owner, registered):
    place = f"/v1/organisations/{registered['id']}"
    assert owner.post(f"{place}/resubmit", json={}).json()["code"] == "illegal_move"
    county.post(f"{place}/approve")
    for again in (county.post(f"{place}/approve"), county.post(f"{place}/reject", json={"reason": "late"})):
        assert again.status_code == 409
        assert again.json()["code"] == "illegal_move"
    assert county.get(place).json()["status"] == "approved"


def test_of_two_deciding_at_once_one_wins(county, registered):
    place = f"/v1/organisations/{registered['id']}"
    acts = [lambda: county.post(f"{place}/approve"), lambda: county.post(f"{place}/reject", json={"reason": "no"})] * 4
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda act: act(), acts))
    assert sorted(answer.status_code for answer in answers) == [200] + [409] * 7
    winner = next(answer for answer in answers if answer.status_code == 200).json()
    assert county.get(place).json()["status"] == winner["status"]


def test_an_officer_does_not_approve_what_was_changed_after_reading(county, owner, registered):
    place = f"/v1/organisations/{registered['id']}"
    read = county.get(place)
    owner.patch(place, json={"name": "另一个合作社"})
    late = county.post(f"{place}/approve", headers={"If-Match": read.headers["etag"]})
    assert (late.status_code, late.json()["code"]) == (412, "changed_meanwhile")
    assert county.get(place).json()["status"] == "pending"


def test_only_the_officer_of_that_place_decides(api, database, registered, county):
    place = f"/v1/organisations/{registered['id']}"
    with database.unit_of_work() as session:
        supplier = make_supplier(session)
    elsewhere = signed_in(api, "county_officer", region_code="500237")
    township = signed_in(api, "township_officer", region_code="500236")
    stranger = signed_in(api, "supplier_admin", supplier)
    city = signed_in(api, "city_officer")
    assert elsewhere.post(f"{place}/approve").status_code == 404
    assert township.post(f"{place}/approve").status_code == 403
    assert stranger.post(f"{place}/approve").status_code == 403
    assert stranger.get(place).status_code == 404
    assert city.post(f"{place}/approve").status_code == 200


def test_nobody_decides_on_the_own_organisation(api, database):
    with database.unit_of_work() as session:
        bureau = make_organisation(session, kind="agency", role="authority", region_code="500236", status="pending")
    officer = signed_in(api, "county_officer", bureau, "500236")
    refused = officer.post(f"/v1/organisations/{bureau.id}/approve")
    assert refused.status_code == 403
    assert refused.json()["code"] == "own_organisation"


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"uscc": "91500236MA5U00000X"}, 422, "invalid"),
        ({"uscc": "１" * 18}, 422, "invalid"),
        ({"region_code": "999999"}, 422, "unknown_region"),
        ({"region_code": "500105"}, 422, "unknown_region"),
        ({"region_code": "奉节"}, 422, "invalid"),
        ({"kind": "school"}, 422, "kind_may_not_supply"),
        ({"kind": "household"}, 422, "invalid"),
        ({"register_as": "authority"}, 422, "invalid"),
        ({"status": "approved"}, 422, "invalid"),
        ({"name": "a\x00b"}, 422, "invalid"),
        ({"admin": {"username": "kuimen", "name": "张三", "password": "short"}}, 422, "invalid"),
        ({"admin": {"username": "Kui Men", "name": "张三", "password": "long enough!"}}, 422, "invalid"),
    ],
)
def test_bad_registrations_are_refused_and_leave_nothing(api, database, changes, status, code):
    answer = api.post("/v1/organisations", json=registration(**changes))
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    with database.unit_of_work() as session:
        assert session.execute(text("SELECT count(*) FROM organisation")).scalar_one() == 0
        assert session.execute(text("SELECT count(*) FROM app_user")).scalar_one() == 0


def test_a_code_and_a_name_are_taken_once(api, registered):
    same_code = api.post(
        "/v1/organisations",
        json=registration(uscc=registered["uscc"]) | {"admin": {"username": "other", "name": "李四", "password": "long enough!"}},
    )
    assert (same_code.status_code, same_code.json()["code"]) == (409, "uscc_taken")
    same_name = api.post("/v1/organisations", json=registration())
    assert (same_name.status_code, same_name.json()["code"]) == (409, "username_taken")


def test_of_parallel_registrations_of_one_code_one_wins(api):
    uscc = random_uscc()
    bodies = [registration(uscc=uscc, admin={"username": f"user{n}", "name": "张三", "password": "long enough!"}) for n in range(6)]
    with ThreadPoolExecutor(6) as pool:
        codes = list(pool.map(lambda body: api.post("/v1/organisations", json=body).status_code, bodies))
    assert sorted(codes) == [201] + [409] * 5


def test_the_same_key_registers_once(api):
    body, key = registration(), {"Idempotency-Key": "registration-1"}
    first, second = (api.post("/v1/organisations", json=body, headers=key) for _ in range(2))
    assert first.status_code == second.status_code == 201
    assert first.json() == second.json()


def test_officers_and_the_organisation_hear_of_it(county, owner, registered, database):
    outbox.drain(database, HANDLERS)
    heard = county.get("/v1/notifications").json()["items"]
    assert [row["kind"] for row in heard] == ["organisation.registered"]
    assert "奉节县夔门脐橙专业合作社" in heard[0]["text"]
    county.post(f"/v1/organisations/{registered['id']}/reject", json={"reason": "缺少执照"})
    outbox.drain(database, HANDLERS)
    told = owner.get("/v1/notifications").json()["items"]
    assert [row["kind"] for row in told] == ["organisation.rejected"]
    assert "缺少执照" in told[0]["text"]
