"""Keys of systems: whose they are, from where they work, when they were used, and that somebody is told before they end."""

import ipaddress
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text

from shop.core import clock
from shop.identity import tokens
from shop.notifications.handlers import tell_of_ending_keys
from tests.factories.identity import make_organisation, signed_in


@pytest.fixture
def school(database):
    with database.unit_of_work() as session:
        return make_organisation(session, kind="school")


@pytest.fixture
def clerk(api, school):
    return signed_in(api, "purchaser", school)


def key(client, **fields):
    made = client.post("/v1/api-keys", json={"name": "接口", "scopes": ["orders:read"], "valid_days": 30, **fields})
    assert made.status_code == 201, made.text
    return made.json()


def used(api, secret, **headers):
    return api.get("/v1/purchase-orders", headers={"X-API-Key": secret, **headers})


def test_administrators_see_and_end_the_keys_of_their_branch(api, database, school, clerk):
    with database.unit_of_work() as session:
        unit, stranger = make_organisation(session, kind="school", parent=school), make_organisation(session)
    own = key(clerk, system="食堂 ERP")
    below = key(signed_in(api, "purchaser", unit))
    other = key(signed_in(api, "purchaser", stranger))
    admin = signed_in(api, "buyer_admin", school)
    listed = admin.get("/v1/organisation/api-keys").json()["items"]
    assert [(row["id"], row["system"]) for row in listed] == [(own["id"], "食堂 ERP"), (below["id"], None)]
    assert all("key" not in row and "hash" not in row and row["username"] for row in listed)
    assert len(admin.get("/v1/organisation/api-keys", params={"limit": 1}).json()["items"]) == 1

    assert used(api, own["key"]).status_code == 200
    assert admin.delete(f"/v1/organisation/api-keys/{own['id']}").status_code == 204
    assert (used(api, own["key"]).status_code, used(api, own["key"]).json()["code"]) == (401, "invalid_key")
    assert admin.delete(f"/v1/organisation/api-keys/{own['id']}").status_code == 404
    assert admin.delete(f"/v1/organisation/api-keys/{other['id']}").status_code == 404
    assert used(api, other["key"]).status_code == 200
    live = admin.get("/v1/organisation/api-keys", params={"live": True}).json()["items"]
    assert [row["id"] for row in live] == [below["id"]]
    assert clerk.get("/v1/organisation/api-keys").status_code == 403
    assert clerk.delete(f"/v1/organisation/api-keys/{below['id']}").status_code == 403


def test_a_key_works_from_its_networks_only(api, clerk):
    here = key(clerk, networks=["10.0.0.0/8", "127.0.0.0/8"])
    elsewhere = key(clerk, networks=["203.0.113.0/24", "2001:db8::/32"])
    assert here["networks"] == ["10.0.0.0/8", "127.0.0.0/8"]
    assert used(api, here["key"]).status_code == 200
    refused = used(api, elsewhere["key"])
    assert (refused.status_code, refused.json()["code"]) == (403, "address_not_allowed")
    # the tests' server believes what this machine forwards, as one behind a proxy does
    assert used(api, here["key"], **{"X-Forwarded-For": "203.0.113.9"}).status_code == 403
    listed = {row["id"]: row for row in clerk.get("/v1/api-keys").json()["items"]}
    assert listed[here["id"]]["last_used_at"] is not None
    assert listed[elsewhere["id"]]["last_used_at"] is None


@pytest.mark.parametrize(
    "network", ["", "10.0.0.1/8", "10.0.0.0/33", "example.org", "0x7f.1", "10.0.0.0/8 ", "::1%eth0", "x" * 100]
)
def test_what_is_no_network_is_refused(clerk, network):
    body = {"name": "接口", "scopes": ["orders:read"], "valid_days": 30, "networks": ["10.0.0.0/8", network]}
    refused = clerk.post("/v1/api-keys", json=body)
    assert refused.status_code == 422
    assert refused.json()["errors"][0]["field"] == "networks[1]"


@given(st.ip_addresses(v=4), st.integers(0, 32))
def test_an_address_is_within_its_own_network_also_in_its_ipv6_form(address, length):
    network = str(ipaddress.ip_network(f"{address}/{length}", strict=False))
    assert tokens.is_within(str(address), [network])
    assert tokens.is_within(f"::ffff:{address}", [network])
    assert not tokens.is_within("2001:db8::1", [network])


@pytest.mark.parametrize("address", [None, "unknown", "", "10.0.0.1, 127.0.0.1"])
def test_an_address_that_is_not_known_is_within_none(address):
    assert not tokens.is_within(address, ["0.0.0.0/0", "::/0"])


def test_use_is_noted_every_five_minutes_and_nobody_waits_for_it(api, database, clerk):
    made = key(clerk)

    def noted():
        with database.unit_of_work() as session:
            return session.execute(text("SELECT last_used_at FROM api_key")).scalar_one()

    assert noted() is None
    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(lambda _: used(api, made["key"]).status_code, range(16))) == {200}
    first = noted()
    used(api, made["key"])
    assert noted() == first
    with clock.fixed(clock.now() + tokens.USED_WITHIN + timedelta(seconds=1)):
        with database.unit_of_work() as holding:  # somebody holds the row
            holding.execute(text("SELECT FROM api_key FOR UPDATE"))
            assert used(api, made["key"]).status_code == 200
        assert noted() == first
        used(api, made["key"])
        assert noted() > first


def test_two_weeks_before_its_end_the_organisation_is_told_once(api, database, school, clerk):
    key(clerk, system="食堂 ERP", valid_days=30)
    key(clerk, name="short", valid_days=10)
    gone = key(clerk, name="revoked", valid_days=30)
    clerk.delete(f"/v1/api-keys/{gone['id']}")
    for days in (1, 15, 17, 18, 29, 40):
        with clock.fixed(clock.now() + timedelta(days=days)), database.unit_of_work() as session:
            tell_of_ending_keys(session)
    with database.unit_of_work() as session:
        rows = session.execute(text("SELECT kind, organisation_id, data, at FROM notification")).all()
    (row,) = rows
    assert (row.kind, row.organisation_id, row.data["system"]) == ("api_key.ending", school.id, "食堂 ERP")
    (told,) = clerk.get("/v1/notifications").json()["items"]
    assert "食堂 ERP" in told["text"]
    assert row.data["ends"] in told["text"]


def test_the_worker_reminds(database, monkeypatch, clerk):
    from workers import tasks

    key(clerk, valid_days=20)
    monkeypatch.setattr(tasks, "database", lambda: database)
    with clock.fixed(clock.now() + timedelta(days=7)):
        tasks.remind()
    with database.unit_of_work() as session:
        kinds = session.execute(text("SELECT kind FROM notification")).scalars().all()
    assert kinds == ["api_key.ending"]
