"""Certificates over HTTP: lists, measures, revocation, the PDF, and what everybody may see."""

import io
import re
import shutil
import subprocess
from datetime import timedelta

import pytest
from pypdf import PdfReader
from sqlalchemy import event, text

from catalog.certificates.actions import measures
from shop.core import clock, outbox
from shop.identity.permissions import Role
from tests.catalog.conftest import COUNTY, MONDAY
from tests.factories.identity import make_user
from workers.handlers import HANDLERS

WHY = {"reason_code": "quality_failure", "reason": "抽检不合格"}


def code(answer):
    return answer.status_code, answer.json().get("code")


@pytest.fixture
def certified(office):
    return office.product(certified=True).certificate_id


def do(office, who, certificate, action, **body):
    return office.as_(who).post(f"/v1/certificates/{certificate}/{action}", json=body)


def read(office, certificate, who="county"):
    return office.as_(who).get(f"/v1/certificates/{certificate}").json()


def kinds(office, certificate, who="county"):
    return [row["kind"] for row in office.as_(who).get(f"/v1/certificates/{certificate}/history").json()]


def test_suspended_and_reinstated(office, certified):
    suspended = do(office, "county", certified, "suspend", **WHY)
    assert (suspended.status_code, suspended.json()["state"], suspended.json()["reason"]) == (200, "suspended", "抽检不合格")
    assert set(suspended.json()["possible_actions"]) == {"warn", "suspend", "reinstate", "open_revocation"}
    back = do(office, "county", certified, "reinstate", reason="复检合格").json()
    assert (back["state"], back["reason"], back["reason_code"]) == ("in_force", None, None)
    assert kinds(office, certified) == ["suspended", "reinstated"]
    assert code(do(office, "county", certified, "reinstate", reason="x")) == (409, "illegal_move")


def test_a_suspension_ends_at_its_second_without_any_sweep(office, certified):
    until = MONDAY + timedelta(days=3)
    do(office, "county", certified, "suspend", **WHY, until=until.isoformat())
    for at, state in ((until - timedelta(seconds=1), "suspended"), (until, "in_force")):
        with clock.fixed(at):
            office.clients.clear()
            assert read(office, certified)["state"] == state
            found = office.as_("county").get("/v1/certificates", params={"state": state}).json()["items"]
            assert [row["id"] for row in found] == [certified]
    with clock.fixed(until):
        for ended in (1, 0):
            with office.database.unit_of_work() as session:
                assert measures.end_suspensions(session) == ended
        assert kinds(office, certified) == ["suspended", "reinstated"]


def test_a_suspension_can_be_changed(office, certified):
    do(office, "county", certified, "suspend", **WHY)
    until = (MONDAY + timedelta(days=5)).isoformat()
    changed = do(office, "county", certified, "suspend", reason_code="price_above", reason="价格偏高", until=until).json()
    assert (changed["state"], changed["reason_code"]) == ("suspended", "price_above")
    assert kinds(office, certified) == ["suspended", "suspension_changed"]
    since = office.count("SELECT suspended_at FROM certificate WHERE id = :id", id=certified)
    assert since == MONDAY


def test_only_the_level_that_suspended_or_a_higher_one_reinstates(office, certified):
    do(office, "city", certified, "suspend", **WHY)
    refused = do(office, "county", certified, "reinstate", reason="x")
    assert (code(refused), refused.json()["data"]["reason"]) == ((409, "held_by_city"), "抽检不合格")
    assert "reinstate" not in read(office, certified)["possible_actions"]
    assert "reinstate" in read(office, certified, "city")["possible_actions"]
    assert do(office, "city", certified, "reinstate", reason="复检合格").json()["state"] == "in_force"
    do(office, "county", certified, "suspend", **WHY)
    assert do(office, "city", certified, "reinstate", reason="复检合格").json()["state"] == "in_force"


def test_the_city_lifts_its_own_measure_and_not_the_countys_along(office, certified):
    until = (MONDAY + timedelta(days=9)).isoformat()
    do(office, "county", certified, "suspend", reason_code="price_above", reason="价格偏高", until=until)
    do(office, "city", certified, "suspend", **WHY)
    left = do(office, "city", certified, "reinstate", reason="复检合格").json()
    assert (left["state"], left["suspended_by"], left["reason_code"]) == ("suspended", ["county"], "price_above")
    assert left["suspended_until"] is not None
    assert kinds(office, certified) == ["suspended", "suspension_changed", "suspension_changed"]
    # what is left is the county's to lift, and the city may, too
    back = do(office, "city", certified, "reinstate", reason="价格已下调").json()
    assert (back["state"], back["suspended_by"]) == ("in_force", [])
    assert kinds(office, certified)[-1] == "reinstated"


def test_a_county_neither_shortens_nor_replaces_what_the_city_said(office, certified):
    do(office, "city", certified, "suspend", **WHY)
    until = (MONDAY + timedelta(days=1)).isoformat()
    shown = do(office, "county", certified, "suspend", reason_code="price_above", reason="价格偏高", until=until).json()
    assert (shown["reason_code"], shown["suspended_until"], shown["suspended_by"]) == ("quality_failure", None, ["city", "county"])
    with clock.fixed(MONDAY + timedelta(days=2)):
        office.clients.clear()
        assert (read(office, certified)["state"], read(office, certified)["suspended_by"]) == ("suspended", ["city"])
        assert code(do(office, "county", certified, "reinstate", reason="x")) == (409, "held_by_city")
        assert do(office, "city", certified, "reinstate", reason="复检合格").json()["state"] == "in_force"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"reason_code": "bad_weather", "reason": "x"}, "reason_code"),
        ({"reason_code": "other"}, "reason"),
        ({"reason_code": "other", "reason": "x", "until": "2020-01-01T00:00:00Z"}, "until"),
        ({"reason_code": "other", "reason": "x", "until": "2026-12-24T00:00:00"}, "until"),
        ({"reason_code": "other", "reason": "x\x00"}, "reason"),
    ],
)
def test_what_is_no_suspension(office, certified, body, field):
    answer = do(office, "county", certified, "suspend", **body)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, field)
    assert read(office, certified)["state"] == "in_force"


@pytest.mark.parametrize("action", ["warn", "suspend", "revocation"])
def test_whoever_gives_no_known_reason_is_told_which_there_are(office, certified, action):
    refused = do(office, "county", certified, action, reason_code="relabeled", reason="贴牌")
    [fault] = refused.json()["errors"]
    assert (code(refused), fault["code"]) == ((422, "unknown_reason"), "unknown_reason")
    assert {"relabelled", "quality_failure", "other"} <= set(fault["choices"])
    assert all(choice in fault["message"] for choice in fault["choices"])


def test_who_may_take_measures(office, certified):
    expected = {
        "elsewhere": (404, "not_found"),
        "rival": (403, "forbidden"),
        "supplier": (403, "forbidden"),
        "monitor": (403, "forbidden"),
        "township": (403, "forbidden"),
        "department": (403, "forbidden"),
    }
    for who, refusal in expected.items():
        assert code(do(office, who, certified, "suspend", **WHY)) == refusal, who
    with office.database.unit_of_work() as session:
        office.users["own"] = make_user(session, Role.COUNTY_OFFICER, office.supplier, region_code=COUNTY)
    assert code(do(office, "own", certified, "suspend", **WHY)) == (403, "own_case")
    assert code(do(office, "county", certified, "revoke", reason="x")) == (403, "forbidden")
    assert office.count("SELECT count(*) FROM certificate_event") == 0


def test_a_revocation_takes_two_officers_and_hears_the_supplier(office, certified):
    opened = do(office, "county", certified, "revocation", reason_code="relabelled", reason="外地产品贴牌")
    assert (opened.status_code, opened.json()["state"]) == (201, "in_force")
    for reason_code, told in (("relabelled", {"already": True}), (WHY["reason_code"], None)):
        again = do(office, "county", certified, "revocation", reason_code=reason_code, reason="x")
        assert (*code(again), again.json().get("data")) == (409, "revocation_open", told)
    early = do(office, "city", certified, "revoke", reason="属实")
    assert (code(early), early.json()["data"]["until"]) == ((409, "statement_pending"), "2026-11-30")
    assert code(do(office, "rival", certified, "revocation/statement", statement="x")) == (404, "not_found")
    assert do(office, "supplier", certified, "revocation/statement", statement="原料均为自产，附证明。").status_code == 200
    assert do(office, "city", certified, "revoke", reason="陈述不成立").json()["state"] == "revoked"
    (revocation,) = office.as_("supplier").get(f"/v1/certificates/{certified}/revocations").json()
    assert (revocation["status"], revocation["statement"]) == ("revoked", "原料均为自产，附证明。")
    assert kinds(office, certified) == ["revocation_opened", "revocation_stated", "revoked"]
    assert read(office, certified)["possible_actions"] == []
    for action in ("suspend", "warn", "revocation"):
        assert code(do(office, "county", certified, action, **WHY)) == (409, "illegal_move")


def test_a_refusal_names_only_what_the_caller_may_do(office, certified):
    refused = do(office, "county", certified, "reinstate", reason="复检合格")
    assert (code(refused), refused.json()["data"]["allowed"]) == (
        (409, "illegal_move"),
        read(office, certified)["possible_actions"],
    )
    assert "revoke" not in refused.json()["data"]["allowed"]


def test_revoke_is_possible_only_where_it_would_pass(office, certified):
    def actions(who):
        return set(read(office, certified, who)["possible_actions"])

    assert "revoke" not in actions("city")
    do(office, "county", certified, "revocation", **WHY)
    assert "revoke" not in actions("city")
    assert "open_revocation" not in actions("city")
    do(office, "supplier", certified, "revocation/statement", statement="原料均为自产。")
    assert "revoke" in actions("city")
    do(office, "county", certified, "revocation/drop", reason="查无实据")
    do(office, "city", certified, "revocation", **WHY)
    do(office, "supplier", certified, "revocation/statement", statement="原料均为自产。")
    assert "revoke" not in actions("city"), "who opened it does not decide it"


def test_the_time_for_a_statement(office, certified):
    assert code(do(office, "city", certified, "revoke", reason="x")) == (409, "no_revocation_open")
    assert code(do(office, "supplier", certified, "revocation/statement", statement="x")) == (409, "no_revocation_open")
    do(office, "city", certified, "revocation", **WHY)
    with clock.fixed(MONDAY + timedelta(days=8)):  # Tuesday, the day after the last
        office.clients.clear()
        late = do(office, "supplier", certified, "revocation/statement", statement="x")
        assert (code(late), late.json()["data"]["until"]) == ((409, "statement_too_late"), "2026-11-30")
        assert code(do(office, "city", certified, "revoke", reason="x")) == (403, "same_officer")
        with office.database.unit_of_work() as session:
            office.users["city_too"] = make_user(session, Role.CITY_OFFICER)
        assert do(office, "city_too", certified, "revoke", reason="属实").json()["state"] == "revoked"


def test_a_revocation_can_be_dropped_and_opened_anew(office, certified):
    do(office, "county", certified, "revocation", **WHY)
    assert do(office, "colleague", certified, "revocation/drop", reason="证据不足").status_code == 200
    assert do(office, "county", certified, "revocation", **WHY).status_code == 201
    assert kinds(office, certified) == ["revocation_opened", "revocation_dropped", "revocation_opened"]


def test_a_held_certificate_is_released_by_an_officer(office, certified):
    with office.database.unit_of_work() as session:
        measures.hold(session, measures.locked(session, certified), "销量超过产能")
    assert read(office, certified)["state"] == "held"
    assert do(office, "county", certified, "release", reason="产能核实").json()["state"] == "in_force"
    assert kinds(office, certified) == ["held", "released"]


def test_who_hears_of_measures(office, certified):
    do(office, "county", certified, "warn", **WHY)
    do(office, "county", certified, "suspend", **WHY)
    do(office, "county", certified, "reinstate", reason="x")
    do(office, "county", certified, "revocation", **WHY)
    do(office, "supplier", certified, "revocation/statement", statement="x")
    with clock.fixed(MONDAY + timedelta(hours=1)):
        office.clients.clear()
        outbox.drain(office.database, HANDLERS)
        inbox = {
            who: sorted(
                row["kind"] for row in office.as_(who).get("/v1/notifications").json()["items"] if "open_orders" not in row["kind"]
            )
            for who in ("supplier", "county", "rival", "city")
        }
    assert inbox == {
        "supplier": ["certificate.reinstated", "certificate.revocation_opened", "certificate.suspended", "certificate.warned"],
        "county": ["certificate.revocation_stated"],
        "rival": [],
        "city": [],
    }


def test_lists_are_filtered_and_paged(office):
    made = [office.product(certified=True).certificate_id for _ in range(5)]
    with office.database.unit_of_work() as session:
        for place, certificate in enumerate(made):
            session.execute(
                text("UPDATE certificate SET valid_until = :until WHERE id = :id"),
                {"id": certificate, "until": (MONDAY + timedelta(days=30 - place)).date()},
            )
    do(office, "county", made[0], "suspend", **WHY)

    def listed(who="county", **params):
        return [row["id"] for row in office.as_(who).get("/v1/certificates", params=params).json()["items"]]

    assert listed() == made[::-1]
    assert listed(sort="ending") == made[::-1]
    assert listed(state="suspended") == [made[0]]
    assert listed(state="in_force", sort="ending") == made[:0:-1]
    assert listed(ends_before="2026-12-20") == [made[4]]
    assert listed("supplier") == made[::-1]
    assert listed("rival") == listed("elsewhere") == []
    assert listed(q="T-") == []
    found, after = [], None
    while True:
        params = {"sort": "ending", "limit": 2} | ({"after": after} if after else {})
        page = office.as_("county").get("/v1/certificates", params=params).json()
        found += [row["id"] for row in page["items"]]
        if (after := page["next"]) is None:
            break
    assert found == made[::-1]


def test_the_pdf_holds_what_was_written_as_text(office, certified):
    hostile = '脐橙 #panic("x") $a$ *粗* \\ <b> @ref 𫘧 ' + "长" * 100
    with office.database.unit_of_work() as session:
        session.execute(text("UPDATE certificate SET product_name = :name, grade = '#{1/0}'"), {"name": hostile})
    answer = office.as_("supplier").get(f"/v1/certificates/{certified}/pdf")
    assert (answer.status_code, answer.headers["content-type"], answer.content[:5]) == (200, "application/pdf", b"%PDF-")
    assert office.as_("rival").get(f"/v1/certificates/{certified}/pdf").status_code == 404
    if shutil.which("pdftotext"):
        shown = subprocess.run(
            ["pdftotext", "-layout", "-", "-"], input=answer.content, capture_output=True, check=True
        ).stdout.decode()
        assert '#panic("x")' in shown
        assert "#{1/0}" in shown
    do(office, "county", certified, "suspend", **WHY)
    assert office.as_("supplier").get(f"/v1/certificates/{certified}/pdf").content != answer.content


def test_in_english_the_paper_says_nothing_in_chinese_but_what_people_wrote(office, certified):
    with office.database.unit_of_work() as session:
        session.execute(
            text(
                "UPDATE certificate SET product_name = 'Navels', supplier_name = 'Coop', producer = 'Farm', grade = 'A', specification = 'B'"
            )
        )
        session.execute(text("UPDATE certificate SET annual_capacity_kg = 500000, village = NULL"))
    do(office, "county", certified, "suspend", **WHY)

    def printed(language):
        answer = office.as_("supplier").get(f"/v1/certificates/{certified}/pdf", headers={"Accept-Language": language})
        return " ".join(PdfReader(io.BytesIO(answer.content)).pages[0].extract_text().split())

    english = printed("en")
    assert re.findall(r"[^\x00-\x7f–—…]", english) == [], "one language"
    for said in ("Certified by Fengjie", "500,000 kg a year", ", Chongqing", " to ", "Suspended", "households,"):
        assert said.lower() in english.lower(), said
    assert "消费帮扶产品认定证书" in printed("zh").replace(" ", "")


def public(office, number, language="zh", page=False):
    headers = {"Accept-Language": language}
    return office.api.get(f"/v1/public/certificates/{number}{'/page' if page else ''}", headers=headers)


def number_of(office, certificate):
    return office.count("SELECT number FROM certificate WHERE id = :id", id=certificate)


def test_the_public_sees_state_scope_time_and_history_and_nothing_else(office, certified):
    do(office, "county", certified, "suspend", **WHY)
    do(office, "county", certified, "revocation", **WHY)
    seen = public(office, number_of(office, certified)).json()
    assert set(seen) == {
        "number", "state", "state_label", "product_name", "supplier_name", "supplier_uscc", "producer", "grade", "specification",
        "district_code", "district_name", "township_name", "village", "valid_from", "valid_until", "batch_number", "history",
    }  # fmt: skip
    assert (seen["state"], seen["state_label"]) == ("suspended", "已暂停")
    assert seen["history"] == [{"kind": "suspended", "label": "暂停", "on": "2026-11-23", "reason": "质量不合格"}]
    assert "抽检" not in str(seen)
    assert public(office, number_of(office, certified), "en").json()["state_label"] == "Suspended"


def test_the_page_of_a_certificate_is_escaped_and_loads_nothing(office, certified):
    with office.database.unit_of_work() as session:
        session.execute(text("UPDATE certificate SET product_name = '<script>alert(1)</script>', village = '{x}'"))
    page = public(office, number_of(office, certified), page=True)
    assert page.status_code == 200
    assert "<script" not in page.text
    assert "&lt;script&gt;" in page.text
    assert not any(word in page.text for word in ("http://", "https://", "src="))
    assert page.headers["content-security-policy"].startswith("default-src 'none'")
    assert public(office, "CQ-2026-500236-999999", page=True).status_code == 404


def test_unknown_numbers_cost_the_same_and_tell_nothing(office, certified):
    statements = []
    listen = lambda *args: statements.append(args[2])  # noqa: E731
    event.listen(office.database.engine, "before_cursor_execute", listen)
    counts = []
    for number in (number_of(office, certified), "CQ-2026-500236-999999", "x"):
        statements.clear()
        public(office, number)
        counts.append(len(statements))
    event.remove(office.database.engine, "before_cursor_execute", listen)
    assert len(set(counts)) == 1
    assert code(public(office, "CQ-2026-500236-999999")) == (404, "not_found")
    assert public(office, "x" * 41).status_code == 422


def test_a_link_that_was_passed_on_and_a_number_typed_by_hand_still_lead_to_the_check(office, certified):
    number = office.as_("county").get(f"/v1/certificates/{certified}").json()["number"]
    path = f"/v1/public/certificates/{number.lower()}"
    for page in (path, f"{path}/page"):
        assert office.api.get(page, params={"from": "singlemessage", "isappinstalled": "0"}).status_code == 200
    unknown = office.api.get("/v1/public/certificates/CQ-2026-500236-999999/page")
    assert (unknown.status_code, unknown.headers["content-type"]) == (404, "text/html; charset=utf-8")
    assert "无此证书" in unknown.text


def test_a_suspension_sent_twice_is_one(office, certified):
    assert do(office, "county", certified, "suspend", **WHY).status_code == 200
    for _ in range(2):
        again = do(office, "county", certified, "suspend", **WHY)
        assert (code(again), again.json()["data"]) == (
            (409, "suspension_stands"),
            {"already": True, "since": MONDAY.isoformat()},
        )
    kinds = [event["kind"] for event in office.as_("county").get(f"/v1/certificates/{certified}/history").json()]
    assert kinds.count("suspended") == 1
    assert "suspension_changed" not in kinds
    # another level says it for itself
    assert do(office, "city", certified, "suspend", **WHY).status_code == 200
