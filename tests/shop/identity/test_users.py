"""People and the keys of their machines."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import text

from shop.core import clock
from tests.factories.identity import make_organisation, make_supplier, make_user, signed_in


def person(*roles, **changes):
    return {
        "username": "colleague",
        "name": "李四",
        "password": "long enough!",
        "roles": [{"role": role} for role in roles],
        **changes,
    }


@pytest.fixture
def bureau(database):
    with database.unit_of_work() as session:
        return make_organisation(session)


@pytest.fixture
def admin(api, bureau):
    return signed_in(api, "buyer_admin", bureau)


def test_an_administrator_adds_colleagues_of_the_own_side(admin, bureau):
    added = admin.post("/v1/users", json=person("purchaser", "approver"))
    assert added.status_code == 201, added.text
    assert added.json()["organisation_id"] == bureau.id
    assert {row["role"] for row in added.json()["roles"]} == {"purchaser", "approver"}
    assert "password" not in added.text
    taken = admin.post("/v1/users", json=person("finance"))
    assert (taken.status_code, taken.json()["code"]) == (409, "username_taken")


@pytest.mark.parametrize("role", ["supplier_admin", "outlet_operator", "platform_admin"])
def test_a_buyer_gives_no_role_of_another_side(admin, role):
    refused = admin.post("/v1/users", json=person(role))
    assert (refused.status_code, refused.json()["code"]) == (403, "role_not_grantable")


def test_a_supplier_gives_supplier_roles_only(api, database):
    with database.unit_of_work() as session:
        supplier = make_supplier(session)
    admin = signed_in(api, "supplier_admin", supplier)
    assert admin.post("/v1/users", json=person("supplier_staff")).status_code == 201
    assert admin.post("/v1/users", json=person("purchaser", username="another")).status_code == 403


def test_nobody_makes_officers_but_the_platform(api, admin):
    officer = person(roles=[{"role": "county_officer", "region_code": "500236"}])
    assert admin.post("/v1/users", json=officer).status_code == 403
    platform = signed_in(api, "platform_admin")
    made = platform.post("/v1/users", json=officer)
    assert made.status_code == 201, made.text
    assert made.json()["roles"] == [{"role": "county_officer", "region_code": "500236"}]
    assert made.json()["organisation_id"] is None


@pytest.mark.parametrize(
    "changes",
    [
        {"roles": []},
        {"roles": [{"role": "county_officer"}]},
        {"roles": [{"role": "purchaser", "region_code": "500236"}]},
        {"roles": [{"role": "county_officer", "region_code": "999999"}]},
        {"roles": [{"role": "purchaser"}]},
        {"username": "短"},
        {"password": "123456789"},
        {"organisation_id": 0},
        {"active": False},
    ],
)
def test_bad_people_are_refused(api, changes):
    # the platform's administrator has no organisation, so a purchaser without one is refused as well
    assert signed_in(api, "platform_admin").post("/v1/users", json=person("monitor") | changes).status_code == 422


def test_an_administrator_reaches_the_own_branch(api, admin, bureau, database):
    with database.unit_of_work() as session:
        child, other = make_organisation(session, parent=bureau), make_organisation(session)
        stranger, below = make_user(session, "purchaser", other), make_user(session, "purchaser", child)
    assert admin.post("/v1/users", json=person("purchaser", organisation_id=child.id)).status_code == 201
    assert admin.post("/v1/users", json=person("purchaser", organisation_id=other.id, username="third")).status_code == 404
    listed = {row["id"] for row in admin.get("/v1/users").json()["items"]}
    assert below.id in listed
    assert stranger.id not in listed
    # it is not told that there is another organisation
    assert admin.get("/v1/users", params={"organisation_id": other.id}).json()["errors"][0]["code"] == "unknown_code"
    assert admin.post(f"/v1/users/{stranger.id}/deactivate").status_code == 404
    assert stranger.id in {row["id"] for row in signed_in(api, "platform_admin").get("/v1/users").json()["items"]}


def test_deactivation_ends_tokens_and_keys_at_once(api, admin, bureau, database):
    with database.unit_of_work() as session:
        leaver = make_user(session, "purchaser", bureau)
    theirs = api.as_(leaver)
    key = theirs.post("/v1/api-keys", json={"name": "ERP", "scopes": ["orders:read"], "valid_days": 30}).json()["key"]
    assert api.get("/v1/me", headers={"X-API-Key": key}).status_code == 200

    ended = admin.post(f"/v1/users/{leaver.id}/deactivate")
    assert (ended.status_code, ended.json()["active"]) == (200, False)
    assert theirs.get("/v1/me").status_code == 401
    assert api.get("/v1/me", headers={"X-API-Key": key}).status_code == 401
    assert admin.post(f"/v1/users/{leaver.id}/deactivate").json()["code"] == "user_inactive"
    assert [row["id"] for row in admin.get("/v1/users", params={"active": False}).json()["items"]] == [leaver.id]


def test_nobody_deactivates_themselves_or_the_platforms_people(api, admin, bureau, database):
    me = admin.get("/v1/me").json()["user"]["id"]
    assert admin.post(f"/v1/users/{me}/deactivate").json()["code"] == "own_user"
    with database.unit_of_work() as session:
        officer = make_user(session, "county_officer", bureau, "500106")
    refused = admin.post(f"/v1/users/{officer.id}/deactivate")
    assert (refused.status_code, refused.json()["code"]) == (403, "role_not_grantable")
    assert signed_in(api, "platform_admin").post(f"/v1/users/{officer.id}/deactivate").status_code == 200


def test_of_parallel_deactivations_one_is_on_record(admin, bureau, database):
    with database.unit_of_work() as session:
        leaver = make_user(session, "purchaser", bureau)
    with ThreadPoolExecutor(6) as pool:
        codes = list(pool.map(lambda _: admin.post(f"/v1/users/{leaver.id}/deactivate").status_code, range(6)))
    assert sorted(codes) == [200] + [409] * 5
    with database.unit_of_work() as session:
        acts = session.execute(text("SELECT count(*) FROM audit_event WHERE action = 'user.deactivated'")).scalar_one()
    assert acts == 1


def test_a_key_has_some_of_the_permissions_for_some_time(api, admin):
    made = admin.post("/v1/api-keys", json={"name": "ERP", "scopes": ["orders:read", "organisations:read"], "valid_days": 366})
    assert made.status_code == 201, made.text
    key = made.json()
    machine = {"X-API-Key": key["key"]}
    me = api.get("/v1/me", headers=machine).json()
    assert me["permissions"] == ["orders:read", "organisations:read"]
    assert api.get("/v1/organisations", headers=machine).status_code == 200
    assert api.get("/v1/users", headers=machine).status_code == 403
    listed = admin.get("/v1/api-keys").json()["items"]
    assert [row["prefix"] for row in listed] == [key["key"][:8]]
    assert key["key"] not in admin.get("/v1/api-keys").text
    with clock.fixed(clock.now() + timedelta(days=366, seconds=1)):
        assert api.get("/v1/me", headers=machine).status_code == 401


def test_a_key_never_exceeds_its_maker(api, admin):
    refused = admin.post("/v1/api-keys", json={"name": "ERP", "scopes": ["orders:read", "audit:read"], "valid_days": 1})
    assert (refused.status_code, refused.json()["code"]) == (403, "scope_not_held")
    narrow = admin.post("/v1/api-keys", json={"name": "keys", "scopes": ["api_keys:manage"], "valid_days": 1}).json()["key"]
    wider = {"name": "more", "scopes": ["orders:place"], "valid_days": 1}
    assert api.post("/v1/api-keys", json=wider, headers={"X-API-Key": narrow}).status_code == 403
    for faulty in ({"valid_days": 367}, {"valid_days": 0}, {"scopes": []}, {"scopes": ["everything"]}, {"name": ""}):
        assert admin.post("/v1/api-keys", json=wider | faulty).status_code == 422, faulty


def test_a_key_is_no_person(api, admin):
    key = admin.post("/v1/api-keys", json={"name": "ERP", "scopes": ["orders:read"], "valid_days": 1}).json()["key"]
    machine = {"X-API-Key": key}
    change = {"current_password": "correct horse battery", "new_password": "a much longer secret"}
    assert api.post("/v1/me/password", json=change, headers=machine).json()["code"] == "not_with_api_key"
    assert api.post("/v1/auth/revoke", headers=machine).json()["code"] == "not_with_api_key"


def test_a_key_is_revoked_by_its_owner_only(api, admin, bureau):
    made = admin.post("/v1/api-keys", json={"name": "ERP", "scopes": ["orders:read"], "valid_days": 1}).json()
    assert signed_in(api, "buyer_admin", bureau).delete(f"/v1/api-keys/{made['id']}").status_code == 404
    assert admin.delete(f"/v1/api-keys/{made['id']}").status_code == 204
    assert api.get("/v1/me", headers={"X-API-Key": made["key"]}).status_code == 401
    assert admin.delete(f"/v1/api-keys/{made['id']}").status_code == 404
