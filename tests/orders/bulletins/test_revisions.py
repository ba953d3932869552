"""Revisions: what came later belongs to its month, line by line, and sums to the difference of the figures."""

import csv
import io
from collections import Counter
from dataclasses import replace
from decimal import Decimal

import pytest
from python_calamine import CalamineWorkbook
from sqlalchemy import text

from orders.ledger import actions as ledger
from orders.ledger.rules import Claim
from shop.core import clock
from shop.core.audit import SYSTEM
from shop.core.money import yuan_from_fen
from shop.identity.permissions import Role
from tests.factories.figures import count_at, make_operator
from tests.factories.identity import make_user
from tests.factories.ledger import sell
from tests.orders.bulletins.conftest import FIRST, LAST, code, public_file, totals

MEASURES = ("amount_fen", "grams", "certified_fen", "entries")


def minus(after, before):
    return {name: after[name] - before[name] for name in MEASURES}


def rows(content, section, name="now"):
    return {row["code"]: row["figures"][name] for row in content[section]}


def revoke(scene, certificate_id):
    with scene.database.unit_of_work() as session:
        session.execute(
            text("UPDATE certificate SET revoked_at = :now, reason_code = 'fraud' WHERE id = :id"),
            {"now": clock.now(), "id": certificate_id},
        )


def hold_and_release(scene, line_id):
    with scene.database.unit_of_work() as session:
        taken = ledger.take_back(session, Claim.OUTLET_LINE, [line_id])
        ledger.release(session, taken)


def check(before, after, lines):
    """The difference table is the difference of the figures: in total, by district and cause, and in every section."""
    told = after["revision"]
    difference = minus(totals(after), totals(before))
    assert {name: told["total"]["total"][name] for name in MEASURES} == difference
    assert told["before"] == totals(before)
    by_line = Counter()
    for line in lines:
        if line["direction"] == "purchase":
            by_line.update(amount_fen=round(float(line["amount"]) * 100), grams=line["grams"])
            by_line.update(certified_fen=round(float(line["certified"]) * 100))
    assert {name: by_line[name] for name in MEASURES[:3]} == {name: difference[name] for name in MEASURES[:3]}
    assert told["lines"] == len(lines)
    zero = dict.fromkeys(MEASURES, 0)
    districts = {row["code"]: row for row in told["districts"]}
    now, then = rows(after, "districts"), rows(before, "districts")
    for district in {*now, *then}:
        changed = minus(now.get(district, zero), then.get(district, zero))
        assert changed == (districts[district]["total"] if district in districts else zero), district
    for row in told["districts"]:
        causes = [row[cause] for cause in ("late", "reversal", "again", "revoked", "verified")]
        assert {name: sum(cause[name] for cause in causes) for name in MEASURES} == row["total"]
    for section in ("channels", "sources", "categories"):
        now, then = rows(after, section), rows(before, section)
        for name in MEASURES:
            added = sum(row[name] for row in now.values()) - sum(row[name] for row in then.values())
            assert added == difference[name], (section, name)
    to_date = [content["totals"]["figures"]["to_date"] for content in (after, before)]
    assert minus(*to_date) == difference


@pytest.fixture
def published(scene):
    return scene.published()


@pytest.mark.slow
def test_a_revision_tells_what_was_late_taken_back_counted_again_and_revoked(scene, api, published, on):
    assert code(scene.revise()) == (409, "nothing_changed")
    first = public_file(api, "2026-01", "json").content
    on(2026, 10, 20)
    late = scene.tell_late()
    certified = scene.of_month("certified AND sold_on < '2026-09-20'")
    taken = scene.reverse(certified[0].id)
    revoke(scene, certified[1].certificate_id)
    scene.reverse(scene.entries("month = '2026-08-01' AND reverses_id IS NULL")[0].id)  # of another month
    drafted = scene.revise()
    assert drafted.status_code == 201, drafted.text
    drafted = drafted.json()
    assert (drafted["edition"], drafted["number"], drafted["content"]["number"]) == (1, None, None)
    lines = scene.changes(drafted)
    causes = {
        cause: {line["entry_id"] for line in lines if line["cause"] == cause} for cause in ("late", "reversal", "again", "revoked")
    }
    [booked] = scene.entries(f"origin_kind = 'outlet_line' AND origin_id = {late}")
    assert (causes["late"], causes["reversal"], causes["again"]) == ({booked.id}, {taken}, set())
    of_certificate = {entry.id for entry in scene.of_month(f"certificate_id = {certified[1].certificate_id}")}
    of_certificate |= {booked.id} if booked.certificate_id == certified[1].certificate_id else set()
    if certified[0].certificate_id == certified[1].certificate_id:
        of_certificate -= {certified[0].id}  # all of it had been taken back
    assert causes["revoked"] == of_certificate
    [told_late] = [line for line in lines if line["cause"] == "late"]
    assert told_late["documents"][0] in scene.batches()  # as it is searched for
    assert (told_late["sold_on"], told_late["occurred_on"], told_late["amount"]) == ("2026-10-01", "2026-09-15", "123.00")
    [told_back] = [line for line in lines if line["cause"] == "reversal"]
    assert told_back["reverses_id"] == certified[0].id
    assert any(number.startswith("H") for number in told_back["documents"])  # the order
    check(published["content"], drafted["content"], lines)
    revised = scene.publish(drafted).json()
    assert revised["number"] == "2026-01-R1"
    assert code(scene.revise()) == (409, "nothing_changed")
    # nothing is rewritten
    assert public_file(api, "2026-01", "json").content == first
    old = api.get("/v1/public/bulletins/2026-01").json()
    assert (old["status"], old["newest"]) == ("superseded", "2026-01-R1")
    assert [row["number"] for row in api.get("/v1/public/bulletins").json()["items"]] == ["2026-01-R1", "2026-01"]
    assert "修订差异" in public_file(api, "2026-01-R1", "html").text


def test_a_return_belongs_to_the_month_of_its_sale_on_whichever_side_of_the_close_it_happens_and_the_revision_says_so(scene, on):
    within, between, after = scene.of_month("counted")[:3]
    on(2026, 9, 30)
    back_within = scene.reverse(within.id)
    on(2026, 10, 5)
    back_between = scene.reverse(between.id)
    on(2026, 10, 6)
    first = scene.published()
    assert "计入其发生的月份" in first["content"]["definition"]["zh"]
    on(2026, 10, 20)
    back_after = scene.reverse(after.id)
    revised = scene.publish(scene.revise().json()).json()
    lines = scene.changes(revised)
    assert {line["entry_id"] for line in lines} == {back_between, back_after}
    check(first["content"], revised["content"], lines)
    assert minus(totals(revised["content"]), totals(first["content"]))["amount_fen"] == -(between.amount_fen + after.amount_fen)
    booked = {entry.id: str(entry.month) for entry in scene.entries("reverses_id IS NOT NULL")}
    assert [booked[each] for each in (back_within, back_between, back_after)] == ["2026-09-01", "2026-10-01", "2026-10-01"]
    # the words say what the lines do: the month's end divides, and not the close
    definition = revised["content"]["definition"]
    assert "月末以后补报、退货、更正或重新计入的，不论在结账之前还是之后" in definition["zh"]
    assert "after the month's end, be it before the close or after it" in definition["en"]


def test_a_revision_says_that_it_restates_and_how_certified_sales_differ_from_the_statistics(scene, api, published, on):
    assert published["content"]["definition"]["code"] == "general"
    on(2026, 10, 20)
    scene.tell_late()
    revoke(scene, scene.of_month("certified")[0].certificate_id)
    revised = scene.publish(scene.revise().json()).json()
    definition = revised["content"]["definition"]
    assert definition["code"] == "restated"
    assert "按销售日期重述" in definition["zh"]
    assert "restates the month by the day of the sale" in definition["en"]
    page = public_file(api, "2026-01-R1", "html").text
    assert definition["zh"] in page
    assert "补报的计入下一个未结账的月份" not in page
    certified = {edition["number"]: edition["content"]["definitions"][0]["zh"] for edition in (published, revised)}
    assert "由修订版扣除" in certified["2026-01"]
    assert "再扣除结账后证书被撤销的销售" in certified["2026-01-R1"]
    assert certified["2026-01-R1"] in page
    chinese = {"Accept-Language": "zh"}
    asked = {"from": FIRST, "to": LAST, "certified": "true"}
    panel = scene["monitor"].get("/v1/statistics/sales", params=asked, headers=chinese).json()
    assert "按下单当日（网点和平台外销售按销售当日）" in panel["definition"]
    plain = scene["monitor"].get("/v1/statistics/sales", params={"from": FIRST, "to": LAST}, headers=chinese).json()
    assert "认定产品" not in plain["definition"]
    by = {"from": FIRST, "to": LAST, "group_by": "certified", "format": "csv"}
    heading = scene["monitor"].get("/v1/statistics/sales", params=by, headers=chinese).content.decode().splitlines()[0]
    assert "是否认定产品（下单或销售当日）" in heading


@pytest.mark.slow
def test_a_second_revision_tells_only_what_came_since(scene, published, on):
    on(2026, 10, 20)
    line = scene.tell_late()
    first = scene.publish(scene.revise().json()).json()
    on(2026, 11, 3)
    hold_and_release(scene, line)
    [booked] = scene.entries(f"origin_kind = 'outlet_line' AND origin_id = {line}")
    revoke(scene, booked.certificate_id)
    second = scene.publish(scene.revise().json()).json()
    lines = scene.changes(second)
    told = Counter(each["cause"] for each in lines)
    assert (told["late"], told["reversal"], told["again"]) == (0, 1, 1)
    assert second["number"] == "2026-01-R2"
    check(first["content"], second["content"], lines)
    # what lost its certificate and is then taken back has no certified figure any more
    on(2026, 11, 9)
    gone = next(each for each in lines if each["cause"] == "revoked")
    scene.reverse(gone["entry_id"])
    third = scene.publish(scene.revise().json()).json()
    [last] = scene.changes(third)
    assert (last["cause"], last["certified"]) == ("reversal", "0.00")
    check(second["content"], third["content"], [last])
    assert totals(third["content"])["certified_fen"] <= totals(third["content"])["amount_fen"]


def test_the_next_month_says_what_of_it_is_of_earlier_ones(scene, published, on):
    on(2026, 10, 20)
    scene.tell_late(amount_fen=7_700)
    entry = scene.of_month()[0]
    scene.reverse(entry.id)
    on(2026, 11, 6)
    with scene.database.unit_of_work() as session:
        scene.compare(session)
    # the till's sale came without any paper: alone in its district it is not published before somebody explains it
    explained = scene.explain_figure(scene.trade.goods[0].district, month="2026-10")
    assert explained.status_code == 201, explained.text
    october = scene.published("2026-10")["content"]
    assert october["of_earlier_months"]["amount_fen"] == 7_700 - entry.amount_fen
    assert totals(october)["amount_fen"] == 7_700 - entry.amount_fen


def test_a_draft_that_is_discarded_is_told_by_the_next_one(scene, published, on):
    on(2026, 10, 20)
    scene.tell_late()
    drafted = scene.revise().json()
    assert code(scene.revise()) == (409, "bulletin_there")
    assert scene["second"].delete(f"/v1/bulletins/{drafted['id']}").status_code == 204
    again = scene.revise().json()
    assert len(scene.changes(again)) == 1
    check(published["content"], again["content"], scene.changes(again))


@pytest.mark.slow
def test_an_entry_that_was_written_long_before_it_is_committed_is_not_stepped_over(scene, published, on):
    """No watermark: ids are given out before transactions commit."""
    on(2026, 10, 20)
    with scene.database.session() as slow:
        taken = ledger.reverse(slow, SYSTEM, scene.of_month()[0].id, reason="退货")
        scene.tell_late()
        first = scene.publish(scene.revise().json()).json()
        assert [line["cause"] for line in scene.changes(first)] == ["late"]
        slow.commit()
    second = scene.revise().json()
    [line] = scene.changes(second)
    assert line["entry_id"] == taken < scene.changes(first)[0]["entry_id"]
    check(first["content"], second["content"], [line])


def test_lines_are_exported_with_their_papers(scene, published, on):
    on(2026, 10, 20)
    scene.tell_late()
    drafted = scene.revise().json()
    answer = scene["monitor"].get(f"/v1/bulletins/{drafted['id']}/changes", params={"format": "csv"})
    assert answer.status_code == 200
    assert answer.text.count("\n") == 2
    scene.publish(drafted)
    with pytest.raises(Exception, match="never changed"), scene.database.unit_of_work() as session:
        session.execute(text("DELETE FROM bulletin_change"))


def test_lines_of_other_regions_are_told_as_sums(scene, published, on):
    """A monitor of one district sees its lines, and of each other district what the bulletin itself says."""
    on(2026, 10, 20)
    own, foreign = (next(n for n, each in enumerate(scene.trade.goods) if each.district == code) for code in ("500240", "500236"))
    scene.tell_late(amount_fen=11_100, goods=own)
    scene.tell_late(amount_fen=12_300, goods=foreign)
    scene.tell_late(amount_fen=4_000, goods=foreign)
    drafted = scene.revise().json()
    path = f"/v1/bulletins/{drafted['id']}/changes"
    with scene.database.unit_of_work() as session:
        monitor = make_user(session, Role.MONITOR, None, "500240")
    scene.clients["of_500240"] = scene.api.as_(monitor)
    found = scene["of_500240"].get(path).json()
    assert [(line["district"], line["amount"]) for line in found["items"]] == [("500240", "111.00")]
    [sum_] = found["elsewhere"]
    assert (sum_["district"], sum_["cause"], sum_["lines"], sum_["amount"]) == ("500236", "late", 2, "163.00")
    told = {line["entry_id"]: line for line in scene.changes(drafted) if line["district"] == "500236"}
    assert len(told) == 2
    assert scene["monitor"].get(path).json()["elsewhere"] == []
    assert scene["of_500240"].get(f"/v1/sale-entries/{min(told)}").status_code == 404
    secrets = {str(value) for line in told.values() for value in (line["entry_id"], line["product"], *line["documents"])}
    secrets -= {str(value) for line in found["items"] for value in (line["product"], *line["documents"])}
    for kind in ("csv", "xlsx"):
        answer = scene["of_500240"].get(path, params={"format": kind}, headers={"Accept-Language": "zh"})
        cells = (
            list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))
            if kind == "csv"
            else CalamineWorkbook.from_filelike(io.BytesIO(answer.content)).get_sheet_by_index(0).to_python()
        )
        assert len(cells) == 3
        assert any("2 笔合计" in str(cell) for cell in cells[-1])
        assert not secrets & {part for row in cells for cell in row for part in str(cell).split()}
    assert {line["district"] for line in scene["county"].get(path).json()["items"]} == {"500236"}


def test_what_takes_a_claim_back_has_its_papers_and_its_day_in_words(scene, published, on):
    on(2026, 10, 20)
    line_id = scene.tell_late(day=14)
    scene.publish(scene.revise().json())
    on(2026, 11, 3)
    hold_and_release(scene, line_id)
    entry = scene.of_month()[0]
    scene.reverse(entry.id)
    path = f"/v1/bulletins/{scene.revise().json()['id']}/changes"
    lines = scene["monitor"].get(path, headers={"Accept-Language": "zh"}).json()["items"]
    assert {line["cause"] for line in lines} == {"reversal", "again"}
    [batch] = scene.batches()
    for line in lines:
        if line["source"] == "outlet":
            assert (line["occurred_on"], line["source_label"]) == ("2026-09-14", "网点销售"), line
            assert batch in line["documents"]
        else:
            assert line["occurred_on"] == entry.sold_on.isoformat()
            assert line["channel_label"] != line["channel"]
            assert line["category_label"] != line["category"]


def test_open_data_says_what_the_newest_edition_says_and_which_that_is(scene, api, published, on):
    def table():
        return list(csv.DictReader(io.StringIO(api.get("/v1/public/tables/sales-by-district-channel/2026.csv").text)))

    def of(column):
        return sum(Decimal(row[column]) for row in table() if row["month"] == "2026-09")

    first = of("amount")
    assert yuan_from_fen(totals(published["content"])["amount_fen"]) == f"{first:.2f}" == f"{of('revised_amount'):.2f}"
    on(2026, 10, 20)
    scene.tell_late(amount_fen=12_300)
    scene.reverse(scene.of_month()[0].id)
    drafted = scene.revise().json()
    assert (of("revised_amount"), {row["bulletin"] for row in table()}) == (first, {"2026-01"})
    content = scene.publish(drafted).json()["content"]
    assert of("amount") == first
    assert f"{of('revised_amount'):.2f}" == yuan_from_fen(totals(content)["amount_fen"])
    assert {row["bulletin"] for row in table()} == {"2026-01-R1"}
    by_district = Counter()
    for row in table():
        by_district[row["district"]] += Decimal(row["revised_amount"])
    assert {code: int(yuan * 100) for code, yuan in by_district.items()} == {
        code: figures["amount_fen"] for code, figures in rows(content, "districts").items() if figures["entries"]
    }
    described = api.get("/v1/public/tables/sales-by-district-channel/2026.csv-metadata.json").json()
    assert described["dc:source"] == [{"@id": "../../bulletins/2026-01-R1"}]


@pytest.fixture
def resold(scene):
    """Goods count at their final sale: what an operator of outlets bought in September is in no figure. Returns what it bought."""
    with scene.database.unit_of_work() as session:
        count_at(session, "final_sale")
        operator = scene.trade.buyers[0]
        make_operator(session, operator)
        sell(session, replace(scene.trade, buyers=[operator]), 8, first=FIRST, last=LAST, seed=7)
    bought = scene.of_month("NOT counted")
    assert bought
    return bought


@pytest.mark.slow
def test_what_does_not_count_is_not_counted_and_its_return_changes_nothing(scene, resold, on):
    first = scene.published()["content"]
    asked = {"from": FIRST.isoformat(), "to": LAST.isoformat(), "measure": ["amount", "orders", "buyers", "products", "suppliers"]}
    figures = scene["monitor"].get("/v1/statistics/sales", params=asked).json()["totals"]["figures"]
    assert {name: figures[name] for name in ("orders", "buyers", "products", "suppliers")} == first["counts"]
    assert yuan_from_fen(totals(first)["amount_fen"]) == figures["amount"]
    on(2026, 10, 20)
    scene.reverse(resold[0].id)
    assert code(scene.revise()) == (409, "nothing_changed")
    counted = scene.of_month("counted")[0]
    back = scene.reverse(counted.id)
    revised = scene.revise().json()
    [line] = scene.changes(revised)
    assert line["entry_id"] == back
    check(first, revised["content"], [line])
    on(2026, 11, 6)
    with scene.database.unit_of_work() as session:
        scene.compare(session)
    assert scene.published("2026-10")["content"]["of_earlier_months"]["amount_fen"] == -counted.amount_fen


def test_a_revoked_certificate_takes_nothing_from_what_does_not_count(scene, resold, on):
    before = scene.published()["content"]
    on(2026, 10, 20)
    bought = next(each for each in resold if each.certified)
    revoke(scene, bought.certificate_id)
    revised = scene.revise().json()
    lines = scene.changes(revised)
    assert {line["entry_id"] for line in lines} == {
        each.id for each in scene.of_month(f"counted AND certificate_id = {bought.certificate_id}")
    }
    check(before, revised["content"], lines)
