"""A barred supplier cannot apply, and what it has certified is suspended for that time; one bar at a time."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta

import pytest
from sqlalchemy import text

from catalog.certification.queries import bars
from catalog.supervision.actions import blacklist
from catalog.supervision.schemas.blacklist import BarIn
from shop.core import clock, outbox
from shop.core.errors import Problem
from shop.identity import tokens
from shop.identity.permissions import Role
from tests.catalog.conftest import MONDAY
from tests.factories import racing
from tests.factories.identity import access_token, make_organisation, make_user
from workers.handlers import HANDLERS


def code(answer):
    return answer.status_code, answer.json().get("code")


def bar(office, who="city", **changes):
    body = {
        "organisation_id": office.supplier.id,
        "until_on": "2026-12-31",
        "reason_code": "false_papers",
        "reason": "伪造检测报告",
    }
    return office.as_(who).post("/v1/blacklist", json=body | changes)


def states(office):
    return [row["state"] for row in office.as_("county").get("/v1/certificates").json()["items"]]


def measure(office, who, certificate, action, **body):
    return office.as_(who).post(f"/v1/certificates/{certificate}/{action}", json=body)


def test_a_bar_suspends_what_holds_for_its_time_and_no_longer(office):
    for _ in range(3):
        office.product(certified=True)
    measure(office, "county", 1, "suspend", reason_code="price_above", reason="价格偏高")
    with office.database.unit_of_work() as session:
        session.execute(text("UPDATE certificate SET revoked_at = :at WHERE id = 2"), {"at": MONDAY})
    entry = bar(office).json()
    assert (entry["active"], entry["from_on"]) == (True, "2026-11-23")
    assert states(office) == ["suspended", "revoked", "suspended"]
    assert office.count("SELECT reason_code FROM certificate WHERE id = 1") == "price_above"
    for day, state in (("2026-12-31", "suspended"), ("2027-01-01", "in_force")):
        with clock.fixed(clock.start_of_day(date.fromisoformat(day))):
            office.clients.clear()
            assert states(office) == [state, "revoked", "suspended"]


def test_lifting_brings_back_what_was_suspended_for_it(office):
    office.product(certified=True)
    entry = bar(office).json()["id"]
    lifted = office.as_("city").post(f"/v1/blacklist/{entry}/lift", json={"reason": "查证有误"}).json()
    assert (lifted["active"], lifted["lifting_reason"]) == (False, "查证有误")
    assert states(office) == ["in_force"]
    assert code(office.as_("city").post(f"/v1/blacklist/{entry}/lift", json={"reason": "x"})) == (409, "not_barred")
    assert bar(office).status_code == 201
    outbox.drain(office.database, HANDLERS)
    told = [row["kind"] for row in office.as_("supplier").get("/v1/notifications").json()["items"] if "blacklist" in row["kind"]]
    assert sorted(told) == ["blacklist.lifted", "blacklist.listed", "blacklist.listed"]


def test_nobody_reinstates_what_a_bar_holds_and_it_ends_with_the_bar(office):
    certificate = office.product(certified=True).certificate_id
    entry = bar(office).json()["id"]
    for who in ("county", "city"):
        refused = measure(office, who, certificate, "reinstate", reason="x")
        assert (code(refused), refused.json()["data"]["until"]) == ((409, "held_by_bar"), "2026-12-31")
        shown = office.as_(who).get(f"/v1/certificates/{certificate}").json()
        assert (shown["state"], shown["suspended_by"]) == ("suspended", ["bar"])
        assert "reinstate" not in shown["possible_actions"]
    office.as_("city").post(f"/v1/blacklist/{entry}/lift", json={"reason": "查证有误"})
    assert states(office) == ["in_force"]


def test_what_is_suspended_beside_a_bar_neither_shortens_nor_replaces_it_and_outlasts_it(office):
    certificate = office.product(certified=True).certificate_id
    entry = bar(office).json()["id"]
    sooner = (MONDAY + timedelta(days=1)).isoformat()
    why = {"reason_code": "quality_failure", "reason": "抽检不合格"}
    shown = measure(office, "county", certificate, "suspend", **why, until=sooner).json()
    assert (shown["reason_code"], shown["suspended_by"]) == ("blacklisted", ["bar", "county"])
    assert shown["suspended_until"].startswith("2026-12-31T16:00")
    with clock.fixed(MONDAY + timedelta(days=2)):
        office.clients.clear()
        assert states(office) == ["suspended"]
        measure(office, "county", certificate, "suspend", **why)
        office.as_("city").post(f"/v1/blacklist/{entry}/lift", json={"reason": "查证有误"})
        shown = office.as_("county").get(f"/v1/certificates/{certificate}").json()
        assert (shown["state"], shown["reason_code"], shown["suspended_until"]) == ("suspended", "quality_failure", None)
        assert shown["suspended_by"] == ["county"]
        assert measure(office, "county", certificate, "reinstate", reason="复检合格").json()["state"] == "in_force"


def test_a_bar_outlasts_what_was_suspended_for_less(office):
    certificate = office.product(certified=True).certificate_id
    until = (MONDAY + timedelta(days=1)).isoformat()
    measure(office, "county", certificate, "suspend", reason_code="price_above", reason="价格偏高", until=until)
    bar(office)
    with clock.fixed(MONDAY + timedelta(days=2)):
        office.clients.clear()
        assert states(office) == ["suspended"]


def test_nothing_of_a_barred_supplier_is_passed_until_the_bar_ends(office):
    county, city, filed = (office.case(status) for status in ("county_review", "city_review", "filing"))
    body = {"level": "city", "title": "第一批", "case_ids": [filed]}
    batch = office.as_("city").post("/v1/catalogue-batches", json=body).json()["id"]
    entry = bar(office).json()["id"]
    for who, case_id in (("county", county), ("city", city)):
        assert "approve" not in office.read(who, case_id)["possible_actions"]
        refused = office.do(who, case_id, "approve")
        assert code(refused) == (409, "supplier_blacklisted")
        assert (refused.json()["data"]["until"], refused.json()["data"]["bar_id"]) == ("2026-12-31", entry)
    assert code(office.as_("city").post(f"/v1/catalogue-batches/{batch}/publish")) == (409, "supplier_blacklisted")
    assert office.count("SELECT count(*) FROM certificate") == 0
    office.as_("city").post(f"/v1/blacklist/{entry}/lift", json={"reason": "查证有误"})
    assert "approve" in office.read("county", county)["possible_actions"]
    assert office.do("county", county, "approve").json()["status"] == "public_notice"
    assert office.do("city", city, "approve").json()["status"] == "filing"
    assert office.as_("city").post(f"/v1/catalogue-batches/{batch}/publish").json()["status"] == "published"


def test_a_barred_supplier_asks_for_no_prices(office):
    sku = office.product(certified=True).sku_id
    bar(office)
    with office.database.unit_of_work() as session:
        session.execute(text("UPDATE product SET ceiling_fen = 100, ceiling_grams = 5000"))
    body = {"tiers": [{"min_quantity": "1", "unit_price": "99.00"}], "statement": "成本上涨"}
    assert code(office.as_("supplier").post(f"/v1/skus/{sku}/price-review", json=body)) == (409, "blacklisted")


def publish_and_bar_at_once(office, monkeypatch):
    """A batch is published while its supplier is barred; the publishing has looked for bars before this one comes. Returns what states its
    certificate has then: none, if publishing found the bar."""
    office.users["second"] = office.users["city"]
    filed = office.case("filing")
    body = {"level": "city", "title": "第一批", "case_ids": [filed]}
    batch = office.as_("city").post("/v1/catalogue-batches", json=body).json()["id"]
    for module, name, seconds in ((bars, "_BARS", 0.6), (blacklist, "_ORGANISATION", 0.2)):
        slowly = f"WHERE (SELECT pg_sleep({seconds})) IS NOT NULL AND".join(getattr(module, name).text.rsplit("WHERE", 1))
        monkeypatch.setattr(module, name, text(slowly))
    publisher, barring = office.as_("city"), office.as_("second")
    body = {"organisation_id": office.supplier.id, "until_on": "2026-12-31", "reason_code": "false_papers", "reason": "x"}
    racing.at_once(
        [lambda: publisher.post(f"/v1/catalogue-batches/{batch}/publish"), lambda: barring.post("/v1/blacklist", json=body)]
    )
    assert office.count("SELECT count(*) FROM blacklist_entry") == 1
    return states(office)


def test_a_bar_that_comes_while_a_batch_is_published_holds_its_certificates(office, monkeypatch):
    assert publish_and_bar_at_once(office, monkeypatch) == ["suspended"]


@pytest.mark.control
def test_without_the_lock_a_barred_supplier_has_a_certificate_in_force(office, monkeypatch):
    """The control: when this fails, the test above proves nothing."""
    monkeypatch.setattr(bars, "_HOLD", text("SELECT FROM organisation WHERE id = ANY (:supplier_ids)"))
    assert publish_and_bar_at_once(office, monkeypatch) == ["in_force"]


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        ({"until_on": "2026-11-22"}, (422, "invalid")),
        ({"until_on": "2046-11-22"}, (422, "invalid")),
        ({"reason_code": "bad_mood"}, (422, "unknown_reason")),
        ({"organisation_id": 10**12}, (404, "not_found")),
        ({"organisation_id": 2**63}, (422, "invalid")),
    ],
)
def test_what_is_no_bar(office, changes, refusal):
    assert code(bar(office, **changes)) == refusal
    assert office.count("SELECT count(*) FROM blacklist_entry") == 0


def test_only_suppliers_are_barred(office):
    with office.database.unit_of_work() as session:
        school = make_organisation(session, kind="school").id
    assert code(bar(office, organisation_id=school)) == (422, "invalid")


def test_who_bars_and_who_sees(office):
    assert code(bar(office, "county")) == (403, "forbidden")
    bar(office)
    assert code(bar(office)) == (409, "already_barred")
    assert len(office.as_("elsewhere").get("/v1/blacklist", params={"active": True}).json()["items"]) == 1
    assert office.as_("elsewhere").get("/v1/blacklist", params={"district": "500240"}).json()["items"] == []
    assert code(office.as_("supplier").get("/v1/blacklist")) == (403, "forbidden")
    with clock.fixed(MONDAY + timedelta(days=60)):
        office.clients.clear()
        assert office.as_("city").get("/v1/blacklist", params={"active": True}).json()["items"] == []
        assert bar(office, until_on="2027-12-31").status_code == 201


def at_once(office, many=6):
    with office.database.unit_of_work() as session:
        users = [make_user(session, Role.CITY_OFFICER) for _ in range(many)]
        actors = [tokens.actor_of(session, token=access_token(session, user), api_key=None) for user in users]
    body = BarIn(organisation_id=office.supplier.id, until_on="2026-12-31", reason_code="false_papers", reason="x")
    start = threading.Barrier(many)

    def run(actor):
        start.wait()
        try:
            with office.database.unit_of_work() as session:
                blacklist.bar(session, actor, body)
        except Problem as refusal:
            return refusal.code
        return None

    with ThreadPoolExecutor(many) as pool:
        return list(pool.map(run, actors))


def test_of_many_who_bar_at_once_one_does(office):
    assert sorted(map(str, at_once(office))) == ["None", *["already_barred"] * 5]


@pytest.mark.control
def test_without_the_lock_a_supplier_is_barred_several_times(office, monkeypatch):
    """The control: when this fails, the test above proves nothing."""
    monkeypatch.setattr(
        blacklist, "_ORGANISATION", text("SELECT path, true AS supplies, pg_sleep(0.2) FROM organisation WHERE id = :id")
    )
    monkeypatch.setattr(blacklist, "_BARRED", text(f"{blacklist._BARRED.text} AND pg_sleep(0.2) IS NOT NULL"))
    assert at_once(office).count(None) > 1
