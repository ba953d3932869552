"""A bulletin: made of a closed month, published by a second person, numbered, and the same for good."""

import io
import json
import re
from datetime import date

import pytest
from pypdf import PdfReader
from python_calamine import CalamineWorkbook
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from orders.bulletins import content as frozen
from orders.bulletins import files, tables
from orders.bulletins.queries import facts
from orders.bulletins.queries.facts import MonthDays
from shop.core import clock
from shop.identity.permissions import Role
from shop.programmes import queries as programmes
from shop.regions import queries as regions
from shop.regions.rules import Designation
from tests.factories.bulletins import described
from tests.factories.identity import make_user
from tests.orders.bulletins.conftest import FIRST, LAST, MONTH, REASON, code, parsed, public_file, totals

_GOAL = text(
    "INSERT INTO target (programme_code, code, region_code, name_zh, name_en, measure, unit, channel, designation, first_on, due_on, source,"
    " origin, number) VALUES (:programme, :code, '500000', '目标', 'Goal', 'amount', 'yuan', :channel, :designation, :first, :due, '文件',"
    " 'officer', 2)"
)
_VALUE = text(
    "INSERT INTO target_revision (target_id, number, value, reason, set_at) SELECT id, :number, :value, '调整', :now FROM target WHERE code = :code"
)
KINDS = ("json", "html", "pdf", "xlsx")


@pytest.mark.slow
def test_a_bulletin_goes_the_whole_way(scene, api):
    assert code(scene.draft()) == (409, "month_not_closed")
    assert scene.close_city().status_code == 201
    drafted = scene.draft()
    assert drafted.status_code == 201, drafted.text
    drafted = drafted.json()
    assert (drafted["status"], drafted["number"]) == ("draft", None)
    assert api.get("/v1/public/bulletins").json()["items"] == []
    assert "bulletin.drafted" in scene.told("second")
    assert "bulletin.drafted" not in scene.told("city")
    assert code(scene.publish(drafted, "city")) == (403, "own_draft")
    assert code(scene.publish({**drafted, "sha256": "0" * 64})) == (409, "other_content")
    published = scene.publish(drafted).json()
    assert (published["status"], published["number"]) == ("published", "2026-01")
    assert "bulletin.published" in scene.told("county")
    assert code(scene.publish(drafted)) == (409, "illegal_move")
    assert code(scene.draft()) == (409, "bulletin_there")
    [row] = api.get("/v1/public/bulletins").json()["items"]
    assert (row["number"], row["month"], row["newest"]) == ("2026-01", MONTH, "2026-01")
    for kind in KINDS:
        answer = public_file(api, "2026-01", kind)
        assert answer.status_code == 200, answer.text
        assert answer.headers["content-type"] == files.MEDIA[kind]
    assert public_file(api, "2026-02", "json").status_code == 404


@pytest.mark.slow
def test_its_figures_are_the_ledgers_and_sections_add_up(scene):
    said = scene.published()["content"]
    ledger = scene.sum(
        "SELECT sum(amount_fen)::bigint FROM sale_entry WHERE sold_on BETWEEN :first AND :last", first=FIRST, last=LAST
    )
    assert totals(said)["amount_fen"] == ledger > 0
    for section in ("districts", "channels", "sources", "categories"):
        for name in ("now", "last_year", "last_period", "to_date"):
            for measure in ("amount_fen", "grams", "certified_fen", "entries"):
                added = sum(row["figures"][name][measure] for row in said[section])
                assert added == said["totals"]["figures"][name][measure], (section, name, measure)
    year_before = scene.sum("SELECT sum(amount_fen)::bigint FROM sale_entry WHERE month = '2025-09-01'")
    assert said["totals"]["figures"]["last_year"]["amount_fen"] == year_before
    assert said["counts"]["orders"] == scene.sum(
        "SELECT count(DISTINCT order_id) FROM sale_entry WHERE month = :first AND reverses_id IS NULL", first=FIRST
    )


@pytest.mark.slow
def test_goals_are_those_that_hold_now_with_what_was_sold_towards_them(scene):
    goals = [("all", None, None, "2026-01-01", None), ("since_august", None, None, "2026-08-15", "2027-12-31")]
    goals += [("of_832", None, "county_832", "2026-01-01", None), ("market", "market", None, "2026-01-01", None)]
    goals += [("over", None, None, "2026-01-01", "2026-08-31"), ("begins_in_it", None, None, "2026-09-10", "2026-12-31")]
    with scene.database.unit_of_work() as session:
        programme = programmes.in_force(session, LAST).code
        for name, channel, designation, first, due in goals:
            values = {
                "programme": programme,
                "code": name,
                "channel": channel,
                "designation": designation,
                "first": first,
                "due": due,
            }
            session.execute(_GOAL, values)
            for number, value in ((1, 1000), (2, 2500)):
                session.execute(_VALUE, {"code": name, "number": number, "value": value, "now": clock.now()})
        of_832 = regions.designated(session, [Designation.COUNTY_832], LAST)
    said = scene.published()["content"]
    shown = {row["code"]: row for row in said["targets"]}
    assert set(shown) == {"all", "since_august", "of_832", "market"}
    assert {(row["goal_fen"], row["due"]) for row in shown.values()} == {(250_000, "2026-12-31"), (250_000, "2027-12-31")}
    sold = "SELECT coalesce(sum(amount_fen), 0)::bigint FROM sale_entry WHERE sold_on BETWEEN :first AND '2026-09-30'"
    year = date(2026, 1, 1)
    assert shown["all"]["done_fen"] == said["totals"]["figures"]["to_date"]["amount_fen"] == scene.sum(sold, first=year) > 0
    assert 0 < shown["since_august"]["done_fen"] == scene.sum(sold, first=date(2026, 8, 15)) < shown["all"]["done_fen"]
    within = scene.sum(f"{sold} AND district_code = ANY (:codes)", first=year, codes=sorted(of_832))
    assert 0 < shown["of_832"]["done_fen"] == within < shown["all"]["done_fen"]
    assert shown["market"]["done_fen"] == scene.sum(f"{sold} AND channel = 'market'", first=year)
    scene.tell_late(amount_fen=12_300)
    revised = scene.revise().json()["content"]
    assert revised["targets"][0]["done_fen"] == shown["all"]["done_fen"] + 12_300


def test_certificates_and_outlets_of_a_bulletin_are_those_that_held_on_the_months_last_day(scene):
    end, later = scene.moment(2026, 9, 29), scene.moment(2026, 10, 2)
    with scene.database.unit_of_work() as session:
        for table in ("certificate SET issued_at", "outlet SET verified_at"):
            session.execute(text(f"UPDATE {table} = :at"), {"at": scene.moment(2026, 2, 1)})
        session.execute(text("UPDATE certificate SET valid_from = '2026-02-01'"))
        session.execute(text("UPDATE outlet SET opened_on = '2026-02-01'"))
        ids = list(session.execute(text("SELECT id FROM certificate ORDER BY id")).scalars())
        before = facts.certificates(session, MonthDays.of(MONTH))
        assert before.certificates == len(ids) > 3
        event = text("INSERT INTO certificate_event (certificate_id, kind, at, actor_role) VALUES (:id, :kind, :at, 'x')")
        session.execute(event, [{"id": ids[0], "kind": "suspended", "at": end}, {"id": ids[1], "kind": "suspended", "at": later}])
        session.execute(text("UPDATE certificate SET papers_valid_until = '2026-09-29' WHERE id = :id"), {"id": ids[2]})
        session.execute(text("UPDATE certificate SET papers_valid_until = '2026-09-30' WHERE id = :id"), {"id": ids[3]})
        after = facts.certificates(session, MonthDays.of(MONTH))
        by_district = facts.certificates_by_district(session, MonthDays.of(MONTH), {})
        assert (after.certificates, sum(by_district.values())) == (before.certificates - 2, after.certificates)
        opened = facts.outlets(session, MonthDays.of(MONTH))
        close = text("UPDATE outlet SET status = 'closed', closed_on = :on, close_reason = '停用'")
        session.execute(close, {"on": date(2026, 9, 30)})
        assert facts.outlets(session, MonthDays.of(MONTH)) == opened
        session.execute(close, {"on": date(2026, 9, 29)})
        closed = facts.outlets(session, MonthDays.of(MONTH))
        assert opened.cabinets + opened.halls + opened.zones > closed.cabinets + closed.halls + closed.zones


def test_no_supplier_is_named_in_public(scene, api):
    scene.published()
    page = public_file(api, "2026-01", "html").text + public_file(api, "2026-01", "json").text
    for goods in scene.trade.goods:
        assert goods.supplier.name not in page
        assert goods.supplier.uscc not in page


def test_a_number_gives_the_same_bytes_a_year_later(scene, api, on):
    published = scene.published()
    kept = {kind: public_file(api, "2026-01", kind).content for kind in KINDS}
    on(2027, 11, 26)
    scene.tell_late()
    scene.reverse(scene.of_month()[0].id)
    with scene.database.unit_of_work() as session:
        session.execute(text("UPDATE region SET name_zh = name_zh || '（新）', name_en = 'New ' || name_en"))
        session.execute(text("UPDATE organisation SET name = name || '（更名）'"))
        session.execute(text("UPDATE programme SET config = jsonb_set(config, '{terms,channel,market,zh}', '\"别名\"')"))
    for kind in KINDS:
        assert public_file(api, "2026-01", kind).content == kept[kind], kind
    content = kept["json"]
    assert frozen.digest(content) == published["sha256"]
    # and they need not have been kept: the content alone gives them again
    assert files.made_of(content) == {kind: kept[kind] for kind in ("html", "pdf", "xlsx")}


def test_the_files_say_what_the_content_says(scene, api):
    scene.published()
    published = public_file(api, "2026-01", "json").content
    said = parsed(published)
    book = CalamineWorkbook.from_filelike(io.BytesIO(public_file(api, "2026-01", "xlsx").content))
    [name] = [name for name in book.sheet_names if "Districts" in name]
    sheet = book.get_sheet_by_name(name).to_python()
    rows = {row[1]: row for row in sheet if row[1]}
    for row in said["districts"]:
        assert round(rows[row["code"]][3] * 100) == row["figures"]["now"]["amount_fen"]
    ranked = [row for row in sheet if row[1] in {each["code"] for each in said["districts"]}]
    sold = sum(row[3] > 0 for row in ranked)
    # those without sales share the last rank
    assert [row[0] for row in ranked] == [*range(1, sold + 1), *[sold + 1] * (len(ranked) - sold)]
    assert [row[3] for row in ranked] == sorted((row[3] for row in ranked), reverse=True)
    assert sheet[-1][2] == "合计 Total"
    assert round(sheet[-1][3] * 100) == totals(said)["amount_fen"]
    # no name is cut: each is its section's title without what stands in brackets
    titles = [re.sub(r"（[^）]*）| \([^)]*\)", "", table.title) for table in tables.tables(frozen.read(published))]
    assert book.sheet_names == [f"{n} {title}" for n, title in enumerate(titles, 1)]
    for title in book.sheet_names:
        assert re.search("[一-龥]", title), title
        assert re.search("[A-Za-z]{4}", title), title
    page = public_file(api, "2026-01", "html").text
    assert f"{totals(said)['amount_fen'] / 100:,.2f}" in page
    assert "〔2026〕第1号 No. 1 of 2026" in page
    assert "2026-01" not in page
    assert "数据截至（北京时间） Exact to (China time) 2026-10-06 " in page
    tonnes = re.findall(r"净重（吨） Net weight \(t\)</td><td class=\"n\">([0-9,.]+)<", page)
    assert [len(each.split(".")[1]) for each in tonnes] == [3]


def test_it_says_which_counties_had_not_closed_and_why(scene, api):
    said = scene.published()["content"]
    lacking = {row["code"]: row["zh"] for row in said["closed"]["without"]}
    assert len(lacking) == said["closed"]["counties"] == len(scene.read_close()["counties"])
    assert said["closed"]["reason"] == REASON
    page = public_file(api, "2026-01", "html").text
    part = page[page.index("未结账区县 Counties not closed") :]
    assert REASON in part
    assert all(f"<td>{code}</td><td>{name} " in part for code, name in lacking.items())


@pytest.mark.slow
def test_a_month_that_all_closed_says_so(scene, api):
    for county in scene.lacking():
        with scene.database.unit_of_work() as session:
            officer = make_user(session, Role.COUNTY_OFFICER, None, county)
        scene.clients["closing"] = scene.api.as_(officer)
        for item in scene.read_close("closing", county)["standing"]:
            assert scene.explain(item, "closing", county).status_code == 201
        assert scene["closing"].post(scene.close_path("/close", county), json={}).status_code == 201
    said = scene.published()["content"]
    assert (said["closed"]["without"], said["closed"]["reason"]) == ([], None)
    assert said["closed"]["counties"] > 0
    assert "未结账区县" not in public_file(api, "2026-01", "html").text


def test_all_counties_are_listed_whether_they_sold_or_not(scene):
    said = scene.published()["content"]
    rows = {row["code"]: row["figures"]["now"]["amount_fen"] for row in said["districts"]}
    assert {county["code"] for county in scene.read_close()["counties"]} <= set(rows)
    assert 0 in rows.values()
    assert {each["code"] for each in said["definitions"]} == {"certified", "districts", "outlets"}


def test_outlets_that_sold_and_were_not_open_at_the_end_are_told(scene, api):
    with scene.database.unit_of_work() as session:
        session.execute(text("INSERT INTO outlet_day VALUES (:id, '2026-09-15', 4000, 0, 0, 0, 1)"), {"id": scene.outlet.id})
        session.execute(text("UPDATE outlet SET verified_at = :at, opened_on = '2026-02-01'"), {"at": scene.moment(2026, 10, 3)})
    outlets = scene.published()["content"]["outlets"]
    assert outlets == {"cabinets": 0, "halls": 0, "zones": 0, "sold": 1, "sold_besides": 1}
    page = public_file(api, "2026-01", "html").text
    assert "其中月末未核验或已关闭" in page
    assert "专柜、专馆、专区为月末已核验且在营的网点" in page


def test_content_from_before_these_members_is_read_and_made_into_files(scene):
    said = scene.published()["content"]
    for name in ("closed", "definitions"):
        del said[name]
    del said["outlets"]["sold_besides"]
    before = frozen.canonical(said)
    read = frozen.read(before)
    assert (read.closed, read.definitions, read.outlets.sold_besides) == (None, (), None)
    page = files.made_of(before)["html"].decode()
    assert "未结账区县" not in page
    assert "其中月末未核验" not in page


def test_shares_of_one_total_come_to_the_whole(scene):
    said = scene.published()["content"]
    [each, *_] = said["channels"]
    # a third each: 33.33 % three times is 99.99
    said["channels"] = [{**each, "code": code, "figures": {**each["figures"], "now": {"amount_fen": 1}}} for code in "abc"]
    said["totals"]["figures"]["now"]["amount_fen"] = 3
    [channels] = [table for table in tables.tables(frozen.read(frozen.canonical(said))) if "Channels" in table.title]
    place = channels.header.index("占比（%） Share (%)")
    *shares, total = [row[place] for row in channels.rows]
    assert (sorted(map(str, shares)), sum(shares), str(total)) == (["33.33", "33.33", "33.34"], 100, "100.00")


@pytest.mark.slow
def test_a_number_is_shown_as_what_it_is_and_not_as_a_month(scene, api):
    scene.published()
    scene.tell_late()
    revised = scene.publish(scene.revise().json()).json()
    assert (revised["number"], revised["title"]) == ("2026-01-R1", "No. 1 of 2026, revision 1")
    chinese = {"Accept-Language": "zh"}
    listed = api.get("/v1/public/bulletins", headers=chinese).json()["items"]
    assert [(row["number"], row["title"]) for row in listed] == [
        ("2026-01-R1", "〔2026〕第1号（修订1）"),
        ("2026-01", "〔2026〕第1号"),
    ]
    assert api.get("/v1/public/bulletins/2026-01", headers=chinese).json()["title"] == "〔2026〕第1号"
    page = public_file(api, "2026-01-R1", "html").text
    assert "〔2026〕第1号（修订1） No. 1 of 2026, revision 1（修订〔2026〕第1号 revises No. 1 of 2026）" in page
    assert "2026-01" not in page
    told = scene["county"].get("/v1/notifications", headers=chinese).json()["items"] if scene.told("county") else []
    assert any("2026-09 的统计公报〔2026〕第1号（修订1）已发布" in str(each) for each in told)


def test_what_is_published_keeps_its_bytes_though_the_layout_changes(scene, api, monkeypatch):
    scene.published()
    kept = {kind: public_file(api, "2026-01", kind).content for kind in KINDS}
    monkeypatch.setattr(tables, "heading", lambda said: ("另", "Other", "版式"))
    assert files.made_of(kept["json"])["html"] != kept["html"]
    assert {kind: public_file(api, "2026-01", kind).content for kind in KINDS} == kept


def test_figures_stand_on_the_right(scene, api):
    scene.published()
    begins = {}

    def visit(words, matrix, *rest):
        begins.setdefault(words.strip(), matrix[4])

    for page in PdfReader(io.BytesIO(public_file(api, "2026-01", "pdf").content)).pages:
        page.extract_text(visitor_text=visit)
    said = parsed(public_file(api, "2026-01", "json").content)
    short, long = (f"{fen / 100:,.2f}" for fen in (said["helped"]["figures"]["now"]["amount_fen"], totals(said)["amount_fen"]))
    assert len(short) < len(long)
    assert begins[short] > begins[long]


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE bulletin SET content = 'x'",
        "UPDATE bulletin SET number = 9",
        "UPDATE bulletin SET status = 'draft', published_at = NULL",
        "DELETE FROM bulletin",
        "UPDATE bulletin_file SET content = 'x'",
        "DELETE FROM month_close",
        "TRUNCATE bulletin_change",
    ],
)
def test_what_was_published_cannot_be_changed(scene, statement):
    scene.published()
    with pytest.raises(DBAPIError), scene.database.unit_of_work() as session:
        session.execute(text(statement))


def test_a_draft_that_is_discarded_leaves_no_gap(scene):
    scene.close_city()
    drafted = scene.draft().json()
    assert scene["second"].delete(f"/v1/bulletins/{drafted['id']}").status_code == 204
    assert scene["city"].get(f"/v1/bulletins/{drafted['id']}").status_code == 404
    again = scene.draft().json()
    assert scene.publish(again).json()["number"] == "2026-01"


def test_bulletins_are_for_the_city_to_make(scene):
    scene.close_city()
    assert code(scene.draft("county")) == (403, "forbidden")
    assert code(scene.draft("monitor")) == (403, "forbidden")
    drafted = scene.draft().json()
    assert scene["monitor"].get(f"/v1/bulletins/{drafted['id']}").status_code == 200
    assert scene["county"].get(f"/v1/bulletins/{drafted['id']}").json()["possible_actions"] == []
    assert scene["clerk"].get("/v1/bulletins").status_code == 403
    for kind in KINDS:
        assert scene["monitor"].get(f"/v1/bulletins/{drafted['id']}/files/{kind}").status_code == 200


def test_the_api_describes_every_member_of_a_bulletin(api, scene):
    """Those of a revision and of a district that is withheld, too; and nothing that it does not describe is one."""
    scene.published()
    scene.tell_late()
    revised = scene.publish(scene.revise().json()).json()
    said = json.loads(public_file(api, revised["number"], "json").content)
    assert all((said["revision"], said["closed"]["without"], said["districts"]))
    valid = described(api.get("/openapi.json").json())
    assert valid.is_valid(said)

    def places(value, path=()):
        if isinstance(value, dict):
            yield path
            for name, each in value.items():
                yield from places(each, (*path, name))
        elif isinstance(value, list) and value:
            yield from places(value[0], (*path, 0))

    found = list(places(said))
    assert len(found) > 60
    for path in found:
        copy = json.loads(json.dumps(said))
        place = copy
        for step in path:
            place = place[step]
        place["unheard_of"] = 1
        assert not valid.is_valid(copy), path
