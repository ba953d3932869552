"""Setting endpoints up, changing them, and who may."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import text

from shop.core import sealing
from shop.webhooks import rules
from tests.factories.identity import make_organisation, make_supplier, make_user, signed_in

URL = "http://127.0.0.1:9/hooks"


def code(answer):
    return answer.status_code, answer.json().get("code")


@pytest.mark.usefixtures("open_network")
class TestOpenNetwork:
    def test_an_endpoint_from_its_making_to_its_end(self, customer):
        made = customer.endpoint(URL, description="食堂 ERP", types=["shipment.*", "payment.recorded", "shipment.*"])
        assert made["secret"].startswith("whsec_")
        assert made["types"] == ["payment.recorded", "shipment.*"]
        place = f"/v1/webhook-endpoints/{made['id']}"
        got = customer.admin.get(place)
        assert got.headers["etag"] == '"1"'
        assert "secret" not in got.json()
        assert customer.admin.get("/v1/webhook-endpoints").json()["items"] == [got.json()]

        stale = customer.admin.patch(place, json={"types": ["*", "shipment.sent"]}, headers={"If-Match": '"7"'})
        assert code(stale) == (412, "changed_meanwhile")
        changed = customer.admin.patch(place, json={"types": ["*", "shipment.sent"]}, headers={"If-Match": '"1"'}).json()
        assert (changed["types"], changed["description"], changed["version"]) == (["*"], "食堂 ERP", 2)
        off = customer.admin.patch(place, json={"enabled": False, "description": None}).json()
        assert (off["status"], off["disabled_reason"], off["description"]) == ("disabled", "owner", None)
        assert code(customer.admin.post(f"{place}/test")) == (409, "endpoint_disabled")

        assert customer.admin.delete(place).status_code == 204
        assert customer.admin.get(place).status_code == 404
        assert customer.admin.get("/v1/webhook-endpoints").json()["items"] == []
        assert customer.admin.get(f"{place}/deliveries").status_code == 404

    def test_switched_off_it_gets_nothing_and_what_waits_is_cancelled(self, customer):
        made = customer.endpoint(URL)
        customer.happen(2)
        customer.admin.patch(f"/v1/webhook-endpoints/{made['id']}", json={"enabled": False})
        customer.happen(1)
        assert [row["status"] for row in customer.deliveries(made)] == ["cancelled"] * 2
        (first, _) = customer.deliveries(made, status="cancelled")
        assert customer.deliveries(made, status="pending") == []
        assert customer.deliveries(made, event_id=first["event_id"]) == [first]
        assert code(customer.admin.post(f"/v1/webhook-deliveries/{first['id']}/replay")) == (409, "endpoint_disabled")

    def test_an_event_that_there_is_not_is_named_and_one_that_was_not_sent_is_none(self, customer):
        made = customer.endpoint(URL)
        customer.happen(1)
        [delivery] = customer.deliveries(made)
        assert customer.deliveries(customer.endpoint(f"{URL}/later"), event_id=delivery["event_id"]) == []
        refused = customer.admin.get(f"/v1/webhook-endpoints/{made['id']}/deliveries", params={"event_id": "nothing"})
        assert (refused.status_code, [each["field"] for each in refused.json()["errors"]]) == (422, ["event_id"])

    def test_deliveries_come_in_pages_newest_first(self, customer):
        made = customer.endpoint(URL)
        customer.happen(5)
        place, ids, after = f"/v1/webhook-endpoints/{made['id']}/deliveries", [], None
        while True:
            page = customer.admin.get(place, params={"limit": 2, **({"after": after} if after else {})}).json()
            ids += [row["id"] for row in page["items"]]
            after = page["next"]
            if after is None:
                break
        assert ids == sorted(ids, reverse=True)
        assert len(ids) == 5

    def test_the_secret_is_nowhere_in_plain(self, customer, database, capfd):
        made = customer.endpoint(URL)
        new = customer.admin.post(f"/v1/webhook-endpoints/{made['id']}/rotate-secret", json={}).json()
        assert new["previous_until"] is not None
        customer.happen()
        customer.send()
        with database.unit_of_work() as session:
            row = session.execute(text("SELECT secret, previous_secret FROM webhook_endpoint")).one()
            tables = session.execute(text("SELECT array_agg(CAST(a AS text)) FROM audit_event a")).scalar_one()
            kept = session.execute(text("SELECT array_agg(CAST(k AS text)) FROM idempotency_key k")).scalar()
        assert sealing.unseal(row.secret) == {"secret": new["secret"]}
        assert sealing.unseal(row.previous_secret) == {"secret": made["secret"]}
        heard = capfd.readouterr()
        for secret in (made["secret"], new["secret"]):
            assert secret.encode() not in bytes(row.secret)
            assert all(secret not in each for each in [*tables, *(kept or []), heard.out, heard.err])

    def test_a_key_too_old_to_read_is_told_and_nothing_is_sent(self, customer, database):
        made = customer.endpoint(URL)
        customer.happen()
        with database.unit_of_work() as session:
            session.execute(text("UPDATE webhook_endpoint SET secret = 'gAAAA'"))
        assert customer.send() == 0
        assert "rotate" in customer.deliveries(made)[0]["error"]

    def test_an_organisation_has_so_many_and_no_more_also_at_once(self, customer, api, database):
        with ThreadPoolExecutor(6) as pool:
            body = {"url": URL}
            clients = [api.as_(customer.user) for _ in range(6)]
            answers = list(pool.map(lambda n: clients[n % 6].post("/v1/webhook-endpoints", json=body).status_code, range(26)))
        assert sorted(answers) == [201] * rules.MAX_ENDPOINTS + [409] * 6
        assert code(customer.admin.post("/v1/webhook-endpoints", json=body)) == (409, "too_many_endpoints")
        first = customer.admin.get("/v1/webhook-endpoints", params={"limit": 1}).json()["items"][0]
        customer.admin.delete(f"/v1/webhook-endpoints/{first['id']}")
        assert customer.admin.post("/v1/webhook-endpoints", json=body).status_code == 201

    def test_others_do_not_see_it(self, customer, api, database):
        made = customer.endpoint(URL)
        customer.happen()
        (delivery,) = customer.deliveries(made)
        with database.unit_of_work() as session:
            others = [
                make_user(session, "buyer_admin", make_organisation(session)),
                make_user(session, "buyer_admin", make_organisation(session, parent=customer.school)),
                make_user(session, "supplier_admin", make_supplier(session)),
            ]
        place = f"/v1/webhook-endpoints/{made['id']}"
        period = {"since": "2026-01-01T00:00:00Z", "until": "2027-01-01T00:00:00Z"}
        for other in map(api.as_, others):
            for method, path, body in [
                ("GET", place, None),
                ("PATCH", place, {}),
                ("DELETE", place, None),
                ("POST", f"{place}/rotate-secret", {}),
                ("POST", f"{place}/test", None),
                ("POST", f"{place}/replay", period),
                ("GET", f"{place}/deliveries", None),
                ("GET", f"/v1/webhook-deliveries/{delivery['id']}", None),
                ("POST", f"/v1/webhook-deliveries/{delivery['id']}/replay", None),
            ]:
                assert code(other.request(method, path, json=body)) == (404, "not_found"), (method, path)
            assert other.get("/v1/webhook-endpoints").json()["items"] == []

    @pytest.mark.parametrize(
        ("body", "field"),
        [
            ({}, "url"),
            ({"url": None}, "url"),
            ({"url": URL, "types": []}, "types"),
            ({"url": URL, "types": ["order.*"]}, "types[0]"),
            ({"url": URL, "types": ["*"] * 51}, "types"),
            ({"url": URL, "secret": "mine"}, "secret"),
            ({"url": URL, "description": "\u202e"}, "description"),
            ({"url": "http://127.0.0.1:9/\x00"}, "url"),
        ],
    )
    def test_faulty_bodies_are_refused_by_field(self, customer, body, field):
        refused = customer.admin.post("/v1/webhook-endpoints", json=body)
        assert refused.status_code == 422
        assert refused.json()["errors"][0]["field"] == field

    @pytest.mark.parametrize("period", [("2026-02-01T00:00:00Z", "2026-01-01T00:00:00Z"), ("2026-01-01", "2026-02-01")])
    def test_a_period_runs_forwards(self, customer, period):
        made = customer.endpoint(URL)
        body = {"since": period[0], "until": period[1]}
        assert customer.admin.post(f"/v1/webhook-endpoints/{made['id']}/replay", json=body).status_code == 422


@pytest.mark.parametrize(
    ("url", "cause"),
    [
        ("http://hooks.example.org/", "not_https"),
        ("https://127.0.0.1/", "bad_host"),
        ("https://hooks.example.org:22/", "port_not_allowed"),
        ("https://user:secret@hooks.example.org/", "bad_url"),
        ("https://nowhere.invalid.example.invalid-tld-xyz/", "unknown_host"),
        ("nonsense", "not_https"),
    ],
)
def test_an_address_is_refused_with_its_cause(customer, url, cause):
    for answer in (customer.admin.post("/v1/webhook-endpoints", json={"url": url}),):
        assert code(answer) == (422, "invalid")
        (fault,) = answer.json()["errors"]
        assert (fault["field"], fault["code"]) == ("url", cause)
    chinese = customer.admin.post("/v1/webhook-endpoints", json={"url": url}, headers={"Accept-Language": "zh"})
    assert any("\u4e00" <= character <= "\u9fff" for character in chinese.json()["errors"][0]["message"])


@pytest.mark.parametrize("role", ["purchaser", "approver", "finance"])
def test_only_administrators_manage_and_everybody_reads_the_feed(customer, api, role):
    person = signed_in(api, role, customer.school)
    assert person.get("/v1/changes").status_code == 200
    assert code(person.get("/v1/webhook-endpoints")) == (403, "forbidden")


def test_a_key_with_only_the_feed_reads_only_the_feed(customer, api):
    key = customer.admin.post("/v1/api-keys", json={"name": "ERP", "scopes": ["changes:read"], "valid_days": 30}).json()["key"]
    headers = {"X-API-Key": key}
    assert api.get("/v1/changes", headers=headers).status_code == 200
    assert api.get("/v1/webhook-endpoints", headers=headers).status_code == 403
