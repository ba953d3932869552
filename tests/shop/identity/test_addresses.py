"""E-mail addresses and languages of people: who sets them, who sees them."""

import pytest
from sqlalchemy import text

from tests.factories.identity import make_organisation, make_user, signed_in


@pytest.fixture
def bureau(database):
    with database.unit_of_work() as session:
        return make_organisation(session)


@pytest.fixture
def colleague(database, bureau):
    with database.unit_of_work() as session:
        return make_user(session, "purchaser", bureau)


def test_a_person_sets_the_own_address_and_language(api, colleague, database):
    me = api.as_(colleague)
    before = me.get("/v1/me").json()["user"]
    assert (before["email"], before["language"]) == (None, "zh")
    changed = me.patch("/v1/me", json={"email": " wang.wu+caigou@mail.example.org ", "language": "en"})
    assert changed.status_code == 200, changed.text
    assert changed.json()["user"]["email"] == "wang.wu+caigou@mail.example.org"
    assert me.patch("/v1/me", json={"language": "zh"}).json()["user"]["email"] == "wang.wu+caigou@mail.example.org"
    assert me.patch("/v1/me", json={}).status_code == 200
    after = me.patch("/v1/me", json={"email": None}).json()["user"]
    assert (after["email"], after["language"]) == (None, "zh")
    with database.unit_of_work() as session:
        acts = session.execute(text("SELECT action, detail::text FROM audit_event ORDER BY id")).all()
    assert [action for action, _ in acts] == ["user.edited"] * 3
    assert "wang" not in str(acts)


@pytest.mark.parametrize(
    "faulty",
    [
        *({"email": email} for email in ("", "wang", "wang@", "@example.org", "a b@example.org", "wang@example", "王@example.org")),
        *({"email": email} for email in ("a@exa_mple.org", "a@例子.中国", "a..b@example.org", ".a@example.org", "a.@example.org")),
        *({"email": email} for email in ("a@-example.org", "a@example.org\nBcc: b@example.org", "a@example.org,b@example.org")),
        *(
            {"email": email}
            for email in ("Wang <a@example.org>", '"a b"@example.org', "a@[127.0.0.1]", "a@b@example.org", 5, ["a"])
        ),
        {"email": "a" * 65 + "@example.org"},
        {"email": "a@" + "b." * 130 + "org"},
        {"email": "a\x00@example.org"},
        {"email": "a@example.org\r\n.org"},
        {"language": "fr"},
        {"language": None},
        {"language": ["zh"]},
        {"name": "other"},
        [],
    ],
)
def test_bad_addresses_and_languages_are_refused(api, colleague, faulty):
    me = api.as_(colleague)
    refused = me.patch("/v1/me", json=faulty)
    assert refused.status_code == 422, refused.text
    assert me.get("/v1/me").json()["user"]["email"] is None


def test_who_manages_users_sets_and_sees_them(api, bureau, colleague):
    admin = signed_in(api, "buyer_admin", bureau)
    body = {"username": "new-one", "name": "李四", "password": "long enough!", "roles": [{"role": "finance"}]}
    made = admin.post("/v1/users", json=body | {"email": "li@example.org", "language": "en"})
    assert (made.status_code, made.json()["email"], made.json()["language"]) == (201, "li@example.org", "en")
    edited = admin.patch(f"/v1/users/{colleague.id}", json={"email": "wang@example.org"})
    assert (edited.status_code, edited.json()["email"]) == (200, "wang@example.org")
    assert {row["email"] for row in admin.get("/v1/users").json()["items"]} == {None, "li@example.org", "wang@example.org"}
    assert admin.patch(f"/v1/users/{colleague.id}", json={"email": "nonsense"}).status_code == 422


def test_nobody_else_does(api, bureau, colleague, database):
    with database.unit_of_work() as session:
        other = make_organisation(session)
        officer = make_user(session, "county_officer", bureau, "500106")
    change, place = {"email": "evil@example.org"}, f"/v1/users/{colleague.id}"
    assert api.patch(place, json=change).status_code == 401
    assert api.patch("/v1/me", json=change).status_code == 401
    assert signed_in(api, "purchaser", bureau).patch(place, json=change).status_code == 403
    assert signed_in(api, "county_officer", None, "500106").patch(place, json=change).status_code == 403
    assert signed_in(api, "buyer_admin", other).patch(place, json=change).status_code == 404
    admin = signed_in(api, "buyer_admin", bureau)
    refused = admin.patch(f"/v1/users/{officer.id}", json=change)
    assert (refused.status_code, refused.json()["code"]) == (403, "role_not_grantable")
    assert signed_in(api, "purchaser", bureau).get("/v1/users").status_code == 403
    with database.unit_of_work() as session:
        assert session.execute(text("SELECT count(*) FROM app_user WHERE email IS NOT NULL")).scalar_one() == 0
    assert signed_in(api, "platform_admin").patch(place, json=change).status_code == 200


def test_a_key_is_no_person(api, bureau, colleague):
    key = api.as_(colleague).post("/v1/api-keys", json={"name": "ERP", "scopes": ["orders:read"], "valid_days": 1}).json()["key"]
    refused = api.patch("/v1/me", json={"email": "evil@example.org"}, headers={"X-API-Key": key})
    assert (refused.status_code, refused.json()["code"]) == (403, "not_with_api_key")


def test_an_administrators_address_is_not_told_to_the_public(api, bureau, colleague):
    api.as_(colleague).patch("/v1/me", json={"email": "wang@example.org"})
    for reader in (signed_in(api, "purchaser", bureau), signed_in(api, "county_officer", None, "500106")):
        for place in ("/v1/organisations", f"/v1/organisations/{bureau.id}", "/v1/me"):
            assert "wang@example.org" not in reader.get(place).text
