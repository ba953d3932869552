"""Bad input at the door: a clear problem each time, never a 5xx, nothing saved."""

import json

import pytest
from sqlalchemy import text

from shop.core import clock
from tests.factories.orders import make_market

NASTY = [
    "\x00",
    "a\x00b",
    "\ud800",
    "𫘧" * 5000,
    2**31,
    2**63,
    -(2**63) - 1,
    10**400,
    -1,
    0,
    1.5,
    "1e400",
    "NaN",
    "-Infinity",
    float("nan"),
    float("inf"),
    True,
    None,
    [],
    {},
    [[[[]]]],
    "0.0001",
    "１０",
    "10箱",
    " ",
    "'; DROP TABLE product; --",
]


@pytest.fixture
def buyer(api, database):
    market = make_market(database)
    client = api.as_(market.purchaser)
    client.market = market
    return client


def orders(database):
    with database.unit_of_work() as session:
        return session.execute(text("SELECT count(*) FROM purchase_order")).scalar_one()


def refused(answer, *statuses):
    assert answer.status_code in statuses, (answer.status_code, answer.text[:300])
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert problem["status"] == answer.status_code
    assert problem["code"]
    assert problem["request_id"] == answer.headers["x-request-id"]
    return problem


@pytest.mark.parametrize(
    "field", ["sku_id", "quantity", "fund_source", "delivery_address", "buyer_reference", "buyer_id", "platform"]
)
def test_nasty_values_in_every_field_of_an_order(buyer, database, field):
    for value in NASTY:
        body = buyer.market.order(1)
        if field in ("sku_id", "quantity"):
            body["lines"][0][field] = value
        else:
            body[field] = value
        content = json.dumps(body, ensure_ascii=True).encode()
        answer = buyer.post("/v1/purchase-orders", content=content, headers={"Content-Type": "application/json"})
        if answer.status_code != 201:
            refused(answer, 422, 404)
        else:  # what is a good value for the one field or the other
            assert (
                value
                in (None, "𫘧" * 5000, "'; DROP TABLE product; --", "10箱", "NaN", "１０", "1e400", "-Infinity", "0.0001", True)
                or field == "quantity"
            )


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'{"lines": ' + b"[" * 10_000,
        b"\xff\xfe\x00",
        b'{"fund_source": "\xe4\xb8"}',
        b'{"a": NaN}',
        b"1e999999",
    ],
)
def test_bodies_that_are_no_order(buyer, database, content):
    refused(buyer.post("/v1/purchase-orders", content=content, headers={"Content-Type": "application/json"}), 400, 422)
    assert orders(database) == 0


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b'{"lines": ' + b"[" * 10_000, "nested_too_deeply"),
        (b'{"lines": ' + b"[" * 10_000 + b"]" * 10_000 + b"}", "nested_too_deeply"),
        (b'{"a":' * 10_000 + b"1" + b"}" * 10_000, "nested_too_deeply"),
        (b'{"fund_source": "\xe4\xb8"}', "unreadable_body"),
        (b'{"total": ' + b"1" * 5_000 + b"}", "unreadable_body"),
    ],
)
def test_a_body_that_cannot_be_read_is_told_why(buyer, database, content, code):
    answer = buyer.post("/v1/purchase-orders", content=content, headers={"Content-Type": "application/json"})
    assert refused(answer, 400)["code"] == code
    assert orders(database) == 0


def test_a_form_that_cannot_be_read_is_told_why(buyer):
    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    problem = refused(buyer.post("/v1/order-imports", content=b"no form", headers=headers), 400)
    assert (problem["code"], bool(problem["data"]["reason"])) == ("unreadable_body", True)


def test_a_key_that_cannot_be_is_told_beside_the_faults_of_the_body(buyer):
    """A request needs none."""
    answer = buyer.post("/v1/purchase-orders", json={"lines": []}, headers={"Idempotency-Key": "k" * 256})
    fields = [fault["field"] for fault in refused(answer, 422)["errors"]]
    assert fields[0] == "Idempotency-Key"
    assert "lines" in fields
    assert buyer.post("/v1/purchase-orders", json=buyer.market.order(1)).status_code == 201


@pytest.mark.parametrize("kind", ["text/plain", "application/xml", "application/x-www-form-urlencoded", "multipart/form-data", ""])
def test_other_content_types(buyer, database, kind):
    body = json.dumps(buyer.market.order(1)).encode()
    refused(buyer.post("/v1/purchase-orders", content=body, headers={"Content-Type": kind}), 400, 415, 422)
    assert orders(database) == 0


def test_bodies_over_the_limit(buyer, database):
    body = b'{"delivery_address": "' + b"x" * (5 * 1024 * 1024) + b'"}'
    assert refused(buyer.post("/v1/purchase-orders", content=body), 413)["code"] == "too_large"

    def chunks():
        for _ in range(6):
            yield b"x" * 1024 * 1024

    refused(buyer.post("/v1/purchase-orders", content=chunks(), headers={"Content-Type": "application/json"}), 413)
    assert orders(database) == 0


@pytest.mark.parametrize("number", ["0", "-1", "9223372036854775808", "1.5", "abc", "%00", "１"])
def test_ids_that_are_none(buyer, number):
    refused(buyer.get(f"/v1/purchase-orders/{number}"), 404, 422)


def test_unknown_fields_paths_and_methods(buyer):
    assert (
        refused(buyer.post("/v1/purchase-orders", json=buyer.market.order(1, total="0.01")), 422)["errors"][0]["code"]
        == "extra_forbidden"
    )
    refused(buyer.get("/v1/nowhere"), 404)
    assert refused(buyer.get("/v1/purchase-orders", params={"statuses": "placed"}), 422)["errors"][0]["code"] == "unknown_parameter"
    refused(buyer.delete("/v1/purchase-orders"), 405)
    assert buyer.delete("/v1/purchase-orders").headers["allow"] == "GET, POST"
    assert buyer.delete("/v1/outlets/1").headers["allow"] == "GET, PUT"
    refused(buyer.get("/v1/purchase-orders", params={"limit": 0}), 422)
    refused(buyer.get("/v1/purchase-orders", params={"limit": 201}), 422)


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("en;q=0.1,zh;q=0.9", "zh-CN"),
        ("fr,zh;q=0.5,en;q=0.8", "en"),
        ("en;q=0,zh;q=0", "zh-CN"),
        ("en-GB,en;q=0.9,zh;q=0.8", "en"),
        ("zh;q=1.000,en;q=1", "zh-CN"),
        ("en;q=nonsense", "en"),
        ("*", "zh-CN"),
        ("", "zh-CN"),
    ],
)
def test_the_language_is_the_one_wanted_most(buyer, header, language):
    assert buyer.get("/v1/nowhere", headers={"Accept-Language": header}).headers["content-language"] == language


def test_problems_speak_the_callers_language(buyer):
    body = {"json": buyer.market.order(10**6)}
    english = buyer.post("/v1/purchase-orders", **body, headers={"Accept-Language": "en-GB,en;q=0.9"}).json()
    chinese = buyer.post("/v1/purchase-orders", **body, headers={"Accept-Language": "zh-CN,zh;q=0.9"}).json()
    assert (english["code"], english["errors"][0]["message"]) == ("lines_refused", "Stock is short")
    assert (chinese["code"], chinese["errors"][0]["message"]) == ("lines_refused", "库存不足")


def test_health_pages(api):
    assert api.get("/healthz").json() == {"status": "alive"}
    known = {"database": "ok", "redis": "ok", "reconcile": "not run yet"}
    ready = api.get("/readyz").json()
    assert (ready["status"], ready["parts"]) == ("ready", {**known, "working_days": ready["parts"]["working_days"]})
    assert "shop_requests_total" in api.get("/metrics").text


def test_a_calendar_that_is_missing_is_told_and_stops_nobody(api, database):
    year = clock.today().year
    with database.unit_of_work() as session:
        session.execute(text("DELETE FROM workday WHERE extract(year FROM day) = :year"), {"year": year})
    answer = api.get("/readyz")
    assert (answer.status_code, answer.json()["status"]) == (200, "ready")
    assert answer.json()["parts"]["working_days"].startswith(f"the calendar of {year} is missing: shop calendar {year} --off")
