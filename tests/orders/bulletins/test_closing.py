"""Closing a month: county by county, then the city, one month after the other."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from orders.bulletins.rules import closing
from orders.bulletins.rules.closing import Explained
from orders.reconcile import actions as reconciling
from shop.identity.permissions import Role
from shop.programmes.reporting import ClosingRules
from tests.factories.identity import make_user
from tests.factories.outlets import make_batch_line
from tests.orders.bulletins.conftest import FIRST, REASON, code

RULES = ClosingRules()
COUNTS = st.dictionaries(st.sampled_from([*RULES.blocking, *RULES.warning]), st.integers(0, 5))


@given(COUNTS, COUNTS)
def test_what_stands_is_blocking_open_and_beyond_what_was_explained(items, explained):
    said = {item: Explained(count, "…") for item, count in explained.items()}
    standing = closing.standing(items, said, RULES)
    assert standing == [item for item in RULES.blocking if items.get(item, 0) > explained.get(item, 0)]
    assert not set(standing) & set(RULES.warning)


def test_a_county_closes_then_the_city(scene):
    listed = scene.read_close("county", "500236")
    assert {item["item"]: item["count"] for item in listed["items"]}["reports_missing"] == 0
    assert listed["standing"] == []
    assert code(scene["other"].post(scene.close_path("/close", "500236"), json={})) == (403, "not_your_region")
    assert code(scene["county"].post(scene.close_path("/close", "500000"), json={})) == (403, "not_your_region")
    closed = scene["county"].post(scene.close_path("/close"), json={})
    assert closed.status_code == 201, closed.text
    assert closed.json()["closed_at"] is not None
    assert "month.closed_by_counties" not in scene.told("city")
    assert code(scene["county"].post(scene.close_path("/close"), json={})) == (409, "month_closed")
    lacking = scene.lacking()
    assert "500236" not in lacking
    assert len(lacking) == 32
    assert scene.read_close()["standing"] == ["reports_missing"]
    answer = scene["city"].post(scene.close_path("/close"), json={"without": lacking, "reason": REASON})
    assert code(answer) == (409, "items_open")
    assert scene.explain("reports_missing").status_code == 201
    refused = scene["city"].post(scene.close_path("/close"), json={}, headers={"Accept-Language": "zh"})
    assert code(refused) == (409, "counties_lacking")
    assert dict(zip(lacking, refused.json()["data"]["names_zh"], strict=True))["500240"] == "石柱土家族自治县"
    assert "、石柱土家族自治县" in refused.json()["title"]
    one_short = scene["city"].post(scene.close_path("/close"), json={"without": lacking[1:], "reason": REASON})
    assert code(one_short) == (409, "counties_lacking")
    assert (one_short.json()["data"]["lacking"], one_short.json()["data"]["count"]) == (lacking[:1], 1)
    silent = scene["city"].post(scene.close_path("/close"), json={"without": lacking})
    assert (silent.status_code, silent.json()["errors"][0]["field"]) == (422, "reason")
    wrong = {"without": [*lacking, "500236"], "reason": REASON}
    refused = scene["city"].post(scene.close_path("/close"), json=wrong)
    assert (code(refused), "Fengjie (500236)" in refused.json()["errors"][0]["message"]) == ((422, "invalid"), True)
    done = scene["city"].post(scene.close_path("/close"), json={"without": lacking, "reason": REASON})
    assert done.status_code == 201, done.text
    assert (done.json()["without"], done.json()["reason"]) == (lacking, REASON)
    assert "month.closed" in scene.told("other")
    assert code(scene["other"].post(scene.close_path("/close"), json={})) == (409, "month_closed")
    without = scene.read_close("other", region="500240")
    assert (without["closed_with"], without["closed_by"], without["standing"]) == (done.json()["month"], None, [])


def test_the_city_hears_once_when_the_last_county_has_closed(scene):
    others = [code for code in scene.lacking() if code != "500236"]
    with scene.database.unit_of_work() as session:
        insert = (
            "INSERT INTO month_close (month, region_code, closed_by, closed_at, items, lacking)"
            " SELECT :first, code, (SELECT min(id) FROM app_user), now(), '{}', '{}' FROM unnest(CAST(:codes AS text[])) AS code"
        )
        session.execute(text(insert), {"first": FIRST, "codes": others})
    assert scene["county"].post(scene.close_path("/close"), json={}).status_code == 201
    assert scene.told("city").count("month.closed_by_counties") == 1
    [told] = scene["city"].get("/v1/notifications", headers={"Accept-Language": "zh-CN"}).json()["items"][:1]
    assert told["text"] == "33 个区县均已结 2026-09 的账，可以办理全市结账"


def test_the_officer_of_a_merged_district_closes_that_one(scene):
    """500157 took in two others, whose officer is the same one now."""
    with scene.database.unit_of_work() as session:
        officer = make_user(session, Role.COUNTY_OFFICER, None, "500157")
    scene.clients["merged"] = scene.api.as_(officer)
    assert scene.read_close("merged")["region"] == "500157"
    for item in scene.read_close("merged")["standing"]:
        assert scene.explain(item, "merged").status_code == 201
    closed = scene["merged"].post(scene.close_path("/close"), json={})
    assert closed.status_code == 201, closed.text
    assert "500157" not in scene.lacking()


def test_after_the_close_the_ledger_takes_nothing_of_the_month(scene):
    assert scene.close_city().status_code == 201
    with pytest.raises(DBAPIError, match="the month is closed"), scene.database.unit_of_work() as session:
        session.execute(
            text(
                'INSERT INTO sale_entry SELECT (jsonb_populate_record(e, \'{"id": 900000, "origin_kind": "history"}\')).* FROM sale_entry e'
                f" WHERE month = '{FIRST}' AND reverses_id IS NULL LIMIT 1"
            )
        )
    # what came before the first month that was closed is closed with it
    months = [row.month.isoformat() for row in scene.entries_of_closed()]
    assert months[0] == "2025-09-01"
    assert months[-1] == "2026-09-01"
    assert len(months) == 13


def test_months_are_closed_in_order_and_never_before_they_are_over(scene, on):
    assert code(scene["city"].post(scene.close_path("/close", month="2026-10"), json={})) == (409, "month_not_over")
    assert code(scene["city"].post(scene.close_path("/close", month="2027-01"), json={})) == (409, "month_not_over")
    assert scene.close_city().status_code == 201
    on(2026, 12, 6)
    with scene.database.unit_of_work() as session:
        scene.compare(session)
    answer = scene["city"].post(
        scene.close_path("/close", month="2026-11"), json={"without": scene.lacking("2026-11"), "reason": REASON}
    )
    assert code(answer) == (409, "not_in_order")
    assert code(scene["city"].post(scene.close_path("/close", month="2026-08"), json={})) == (409, "month_closed")
    taken_along = scene.read_close(month="2026-08")
    assert (taken_along["closed_with"], taken_along["standing"]) == ("2026-09", [])
    assert taken_along["closed_at"] is not None
    assert code(scene["county"].post(scene.close_path("/close", month="2026-08"), json={})) == (409, "month_closed")
    about = {"item": "reports_missing", "explanation": REASON}
    assert code(scene["county"].post(scene.close_path("/explanations", month="2026-08"), json=about)) == (409, "month_closed")
    assert scene.read_close("county", "500236", month="2026-08") == {**taken_along, "region": "500236"} | {
        name: scene.read_close("county", "500236", month="2026-08")[name] for name in ("items", "counties")
    }
    drafted = scene["city"].post("/v1/bulletins", json={"month": "2026-08"})
    assert (code(drafted), drafted.json()["data"]["closed_with"]) == ((409, "closed_along"), "2026-09")
    # a county closes one month after the other, too
    assert code(scene["county"].post(scene.close_path("/close", month="2026-11"), json={})) == (409, "not_in_order")
    assert scene.close_city(month="2026-10").status_code == 201
    assert scene.close_city(month="2026-11").status_code == 201


def test_what_is_open_keeps_a_county_from_closing_until_it_is_explained(scene):
    with scene.database.unit_of_work() as session:
        goods = next(each for each in scene.trade.goods if each.district == "500236")
        line = make_batch_line(session, scene.outlet, goods.made, sold_at=scene.moment(2026, 9, 12))
        session.execute(text("UPDATE outlet SET region_code = '500236'"))
        session.execute(text("UPDATE sales_batch SET status = 'held', reason_code = 'clock' WHERE id = :id"), {"id": line.batch_id})
        insert = (
            "INSERT INTO counting_hold (subject_kind, subject_id, reason_code, evidence, district_code, amount_fen, opened_at)"
            " VALUES ('sales_batch_line', :line, 'clock', '{}', '500236', 5000, now()), ('sales_batch_line', :line, 'over_capacity', '{}',"
            " '500236', 5000, now())"
        )
        session.execute(text(insert), {"line": line.id})
    counts = {item["item"]: item["count"] for item in scene.read_close("county")["items"]}
    assert (counts["batches_held"], counts["holds_open"]) == (1, 2)
    assert {item["item"]: item["count"] for item in scene.read_close("other")["items"]}["holds_open"] == 0
    assert code(scene["county"].post(scene.close_path("/close"), json={})) == (409, "items_open")
    assert code(scene.explain("claims_undecided", "county")) == (409, "nothing_to_explain")
    assert code(scene.explain("batches_held", "monitor")) == (403, "forbidden")
    assert scene.explain("batches_held", "county").status_code == 201
    explained = scene.explain("holds_open", "county").json()
    assert explained["standing"] == []
    [said] = [item["explanation"] for item in explained["items"] if item["item"] == "holds_open"]
    assert (said["open_count"], said["by"]) == (2, "测试用户")
    # an explanation holds for no more than was open then
    with scene.database.unit_of_work() as session:
        session.execute(
            text(insert.replace("'over_capacity'", "'not_certified'").replace("'clock'", "'broken_chain'")), {"line": line.id}
        )
    assert scene.read_close("county")["standing"] == ["holds_open"]
    assert scene.explain("holds_open", "county").status_code == 201
    assert scene["county"].post(scene.close_path("/close"), json={}).status_code == 201
    # another county, and a monitor of one, read state and counts; what was said, and by whom, stays with the region and the city
    told = {}
    for who in ("county", "city", "monitor", "other"):
        read = scene.read_close(who, region="500236")
        counted = [item["count"] for item in read["items"] if item["item"] in ("batches_held", "holds_open")]
        assert (read["closed_at"] is not None, sorted(counted)) == (True, [1, 4])
        told[who] = (read["closed_by"], [item["item"] for item in read["items"] if item["explanation"]])
    everything = ("测试用户", ["batches_held", "holds_open"])
    assert told == {"county": everything, "city": everything, "monitor": everything, "other": (None, [])}


@pytest.mark.parametrize("who", ["city", "county"])
def test_every_link_of_the_list_leads_to_what_is_counted(scene, who):
    links = {item["item"]: item["link"] for item in scene.read_close(who)["items"]}
    for link in links.values():
        answer = scene[who].get(link)
        assert answer.status_code == 200, (link, answer.text)
    for item in ("holds_open", "claims_undecided", "reports_missing", "reports_moved"):
        assert ("district=500236" in links[item]) == (who == "county"), links[item]
    for item in ("batches_held", "batches_waiting", "holds_open", "claims_undecided"):
        assert "sold_to=2026-09-30" in links[item]


def test_every_link_lists_as_much_as_its_item_counts(scene):
    """Nothing stands in two items; what was sold later, or stands in another county, is in none."""
    with scene.database.unit_of_work() as session:
        goods = next(each for each in scene.trade.goods if each.district == "500236")
        days = [(9, 12), (9, 30), (10, 1)]
        lines = [make_batch_line(session, scene.outlet, goods.made, sold_at=scene.moment(2026, *day)) for day in days]
        session.execute(text("UPDATE outlet SET region_code = '500236'"))
        session.execute(text("UPDATE sales_batch SET status = 'held', reason_code = 'clock'"))
        for kind, ids in (("sales_batch", [line.batch_id for line in lines]), ("sales_batch_line", [line.id for line in lines])):
            session.execute(
                text(
                    "INSERT INTO counting_hold (subject_kind, subject_id, reason_code, evidence, district_code, amount_fen, opened_at)"
                    " SELECT :kind, id, 'clock', '{}', '500236', 5000, now() FROM unnest(CAST(:ids AS bigint[])) AS id"
                ),
                {"kind": kind, "ids": ids},
            )
        waiting = [make_batch_line(session, scene.outlet, goods.made, sold_at=scene.moment(2026, *day)) for day in days]
        session.execute(text("UPDATE sales_batch SET status = 'waiting' WHERE id = :id"), {"id": waiting[0].batch_id})
        # a refund whose sale has not come waits in a batch that does not
        session.execute(
            text("UPDATE sales_batch_line SET status = 'waiting', refunds_line_id = 'x' WHERE id = ANY (:ids)"),
            {"ids": [line.id for line in waiting]},
        )
    for who in ("county", "city"):
        items = {item["item"]: item for item in scene.read_close(who)["items"]}
        assert (items["batches_held"]["count"], items["holds_open"]["count"], items["batches_waiting"]["count"]) == (2, 2, 2)
        for item in ("batches_held", "holds_open", "batches_waiting", "claims_undecided"):
            assert len(scene[who].get(items[item]["link"]).json()["items"]) == items[item]["count"], item
    assert scene["city"].get("/v1/sales-batches", params={"region": "500112"}).json()["items"] == []


def test_books_that_nobody_compared_keep_the_city_from_closing(scene, database):
    with database.unit_of_work() as session:
        session.execute(text("DELETE FROM reconciliation"))
    assert scene.read_close()["standing"] == ["reports_missing", "differences"]
    [item] = [item for item in scene.read_close()["items"] if item["item"] == "differences"]
    assert item["link"] in item["hint"]
    # where the item leads, one can have them compared
    assert scene["city"].post(item["link"]).status_code == 202
    reconciling.run_asked(database)
    assert scene.read_close()["standing"] == ["reports_missing"]


def test_a_report_that_the_ledger_has_left_behind_keeps_the_month_open(scene):
    """Accepted at what the ledger said; then a sale of the month was told."""
    report = scene["county"].post("/v1/reports", json={"form": "county_monthly", "month": "2026-09"}).json()
    path = f"/v1/reports/{report['id']}"
    own = {each["field"]: {"value": each["ledger"]} for each in report["values"] if each["ledger"] is not None}
    assert scene["county"].put(path, json={"values": own}).status_code == 200
    assert scene["county"].post(f"{path}/submit").status_code == 200
    assert scene["city"].post(f"{path}/accept").status_code == 200
    assert "reports_moved" not in scene.read_close("county")["standing"]
    goods = next(n for n, each in enumerate(scene.trade.goods) if each.district == "500236")
    scene.tell_late(amount_fen=12_345, goods=goods)
    for who in ("county", "city"):
        close = scene.read_close(who)
        assert "reports_moved" in close["standing"], who
        [item] = [item for item in close["items"] if item["item"] == "reports_moved"]
        assert item["count"] == 1
        assert [row["id"] for row in scene[who].get(item["link"]).json()["items"]] == [report["id"]]
    assert "reports_moved" not in scene.read_close("other")["standing"]
    assert code(scene["county"].post(scene.close_path("/close"), json={})) == (409, "items_open")
    # returned, and submitted with the figures of now
    assert scene["city"].post(f"{path}/return", json={"reason": "台账有变动"}).status_code == 200
    sales = scene["county"].get(path).json()["values"][0]
    assert sales["ledger_moved"] == "123.45"
    refilled = scene["county"].post(f"{path}/refill").json()
    own = {each["field"]: {"value": each["ledger"]} for each in refilled["values"] if each["ledger"] is not None}
    assert scene["county"].put(path, json={"values": own}).status_code == 200
    assert scene["county"].post(f"{path}/submit").status_code == 200
    assert scene["city"].post(f"{path}/accept").status_code == 200
    assert "reports_moved" not in scene.read_close("county")["standing"]
    assert scene["county"].post(scene.close_path("/close"), json={}).status_code == 201


def test_a_region_that_does_not_close_has_no_list(scene):
    refused = scene["monitor"].get(scene.close_path("", "500103"), headers={"Accept-Language": "zh"})
    assert (code(refused), refused.json()["title"][:15]) == ((404, "not_a_closing_region"), "渝中区（500103）不参加 ")
    assert scene["monitor"].get(scene.close_path("", "500236")).status_code == 200
    assert scene["clerk"].get(scene.close_path()).status_code == 403


def test_what_is_no_month_is_told_so(scene):
    for answer in (
        scene.read_close("city", month="2026-13"),
        scene["city"].post("/v1/monthly-closes/2026-9/close", json={}).json(),
    ):
        assert (answer["status"], [fault["field"] for fault in answer["errors"]]) == (422, ["month"])
        assert "such as 2026-11" in answer["errors"][0]["message"]
