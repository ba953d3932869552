"""The panels over HTTP, each against a recount, and none of them reading through the ledger."""

import csv
import io
import re
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from python_calamine import CalamineWorkbook
from sqlalchemy import event, text

from orders.outlet_sales.actions.days import add_to_days
from orders.statistics import actions as statistics
from shop.core import clock
from shop.core.money import fen_from_yuan
from shop.identity.permissions import Role
from tests.databases import begin_with
from tests.factories.catalog import make_product
from tests.factories.figures import sell_alike
from tests.factories.identity import make_supplier, make_user, signed_in
from tests.factories.ledger import make_trade, sell
from tests.factories.outlets import make_outlet
from tests.factories.world import make_world

PANELS = ("overview", "certification", "outlets", "reserved-share", "pledges", "agreements", "villages", "shandong-lane")
TODAY = date(2026, 6, 15)
IN_JANUARY = datetime(2026, 1, 5, 4, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _today():
    with clock.fixed(datetime(2026, 6, 15, 4, tzinfo=UTC)):
        yield


@pytest.fixture
def monitor(api):
    return signed_in(api, Role.MONITOR, region_code="500236")


@pytest.fixture
def trade(database):
    """Two years of sales; some to Shandong, some from a township in deep poverty, one from a village; a part waits, a part is in the rollups."""
    return begin_with(database, "panels", lambda: _sold(database))


def _sold(database):
    with database.unit_of_work() as session:
        trade = make_trade(session)
        sell(session, trade, 80, first=date(2025, 1, 2), last=TODAY)
        sell_alike(session, 12, sold_on=date(2026, 3, 5), district_code="500236", township_code="500236T01", village="三岔村")
        sell_alike(session, 7, sold_on=date(2026, 5, 5), buyer_region_code="370600", grams=5_000_000)
        statistics.refresh(session, 90)
        return trade


def panel(client, name, **query):
    answer = client.get(f"/v1/statistics/{name}", params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


def one(database, statement, **values):
    with database.unit_of_work() as session:
        return session.execute(text(statement), values).one()


@pytest.mark.parametrize("name", PANELS)
def test_every_panel_says_what_it_counts_and_comes_as_a_file(trade, monitor, name):
    found = panel(monitor, name)
    assert found["definition"]
    assert found["exact_to"]
    answer = monitor.get(f"/v1/statistics/{name}", params={"format": "csv"})
    assert answer.content.startswith(b"\xef\xbb\xbf")
    assert len(list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))) >= 2
    chinese = monitor.get(f"/v1/statistics/{name}", params={"format": "csv"}, headers={"Accept-Language": "zh"})
    assert re.search(r"[一-鿿]", chinese.content.decode("utf-8-sig").splitlines()[0])
    assert monitor.get(f"/v1/statistics/{name}", params={"format": "xlsx"}).content[:2] == b"PK"
    assert monitor.get(f"/v1/statistics/{name}", params={"wrong": "1"}).status_code == 422


@pytest.mark.parametrize("name", PANELS)
def test_a_workbook_says_of_what_days_it_is_and_how_they_are_counted(trade, monitor, name):
    """A file that is passed on says by itself what it holds."""
    found = panel(monitor, name)
    answer = monitor.get(f"/v1/statistics/{name}", params={"format": "xlsx"}, headers={"Accept-Language": "en"})
    book = CalamineWorkbook.from_filelike(io.BytesIO(answer.content))
    about = dict(book.get_sheet_by_name("About").to_python()[1:])
    span = found.get("year", found)
    first, last, on = (span.get(each) for each in ("first", "last", "on"))
    assert about.get("Period") == (f"{first} … {last}" if first else None)
    assert about.get("Day") == on
    assert about["Filter"] == "none"
    assert about["Definition"] == monitor.get(f"/v1/statistics/{name}", headers={"Accept-Language": "en"}).json()["definition"]
    assert about["Exact to (China time)"]
    days = f"{first}_{last}" if first else on
    assert answer.headers["content-disposition"].endswith(f'_{days}.xlsx"')


def test_a_workbook_names_its_filters(trade, monitor):
    answer = monitor.get(
        "/v1/statistics/certification", params={"format": "xlsx", "district": "500236"}, headers={"Accept-Language": "en"}
    )
    about = dict(CalamineWorkbook.from_filelike(io.BytesIO(answer.content)).get_sheet_by_name("About").to_python()[1:])
    assert about["Filter"] == "county: 500236"


@pytest.mark.parametrize("name", PANELS)
def test_panels_are_for_officers_and_monitors(api, name):
    with api.database.unit_of_work() as session:
        supplier = make_supplier(session)
    assert signed_in(api, Role.SUPPLIER_ADMIN, supplier).get(f"/v1/statistics/{name}").status_code == 403


@pytest.mark.parametrize("name", ["pledges", "agreements", "villages", "shandong-lane", "outlets"])
def test_a_period_ends_after_it_begins(monitor, name):
    answer = monitor.get(f"/v1/statistics/{name}", params={"from": "2026-05-01", "to": "2026-04-01"})
    assert (answer.status_code, answer.json()["code"]) == (422, "period_backwards")
    assert [each["field"] for each in answer.json()["errors"]] == ["from"]


@pytest.mark.parametrize("name", PANELS)
def test_no_panel_reads_through_the_ledger(trade, database, monitor, name):
    with database.unit_of_work() as session:
        while statistics.refresh(session):
            pass
    heard = []

    @event.listens_for(database.engine, "before_cursor_execute")
    def hear(_c, _k, statement, *_):
        heard.append(statement)

    panel(monitor, name)
    event.remove(database.engine, "before_cursor_execute", hear)
    asked = [statement for statement in heard if "sale_entry" in statement]
    assert asked or name in ("certification", "outlets")
    for statement in asked:
        # rollups, the entries that wait for them by their ids, and the entries of single orders
        assert not re.search(r"FROM sale_entry\b", statement), statement
        joins = re.findall(r"JOIN sale_entry e ON (\S+) = (\S+?)[\s)]", statement)
        assert len(joins) == len(re.findall(r"\bsale_entry\b", statement))
        assert set(joins) <= {("e.id", "p.entry_id"), ("e.order_id", "c.order_id"), ("e.order_id", "po.id")}


def test_the_overview_adds_up(trade, database, monitor):
    found = panel(monitor, "overview")
    year = one(
        database,
        "SELECT sum(amount_fen) AS fen, sum(grams) AS grams FROM sale_entry WHERE sold_on BETWEEN '2026-01-01' AND '2026-06-15'",
    )
    before = one(
        database, "SELECT coalesce(sum(amount_fen), 0) AS fen FROM sale_entry WHERE sold_on BETWEEN '2025-01-01' AND '2025-06-15'"
    )
    month = one(
        database, "SELECT coalesce(sum(amount_fen), 0) AS fen FROM sale_entry WHERE sold_on BETWEEN '2026-06-01' AND '2026-06-15'"
    )
    assert fen_from_yuan(found["year"]["amount"]) == year.fen == sum(fen_from_yuan(each["year"]) for each in found["channels"])
    assert fen_from_yuan(found["year"]["last_year"]) == before.fen
    assert fen_from_yuan(found["month"]["amount"]) == month.fen == sum(fen_from_yuan(each["month"]) for each in found["channels"])
    assert found["year"]["grams"] == year.grams == sum(each["grams"] for each in found["channels"])
    assert sum(Decimal(each["share"]) for each in found["channels"]) == 100
    assert found["channels"][0]["code"] == "central_unit"
    assert len(found["channels"]) == 7
    [overlay] = found["overlays"]
    deep = one(
        database, "SELECT sum(amount_fen) AS fen FROM sale_entry WHERE township_code = '500236T01' AND month >= '2026-01-01'"
    )
    assert (overlay["code"], overlay["places"], fen_from_yuan(overlay["year"])) == ("deep_township", 18, deep.fen)
    assert {each["code"] for each in found["targets"]} == {
        *("reserved_share", "rural_online_retail_growth", "poor_village_coverage", "shandong_tonnes"),
    }
    lane = next(each for each in found["targets"] if each["code"] == "shandong_tonnes")
    assert Decimal(lane["done"]) > 0
    rows = list(
        csv.reader(io.StringIO(monitor.get("/v1/statistics/overview", params={"format": "csv"}).content.decode("utf-8-sig")))
    )
    assert "not to be added" in rows[-1][1]
    assert sum(Decimal(row[3]) for row in rows[1:8]) == Decimal(rows[8][3])


def test_the_lane_is_held_against_the_target_as_it_was_set_last(api, monitor):
    city = signed_in(api, Role.CITY_OFFICER)
    [target] = city.get("/v1/targets", params={"measure": "lane_tonnes", "programme": "chongqing-2021"}).json()["items"]
    told = city.post(f"/v1/targets/{target['id']}/revisions", json={"value": "120000", "reason": "市级调整"})
    assert told.status_code == 201, told.text
    assert panel(monitor, "shandong-lane", group_by="month")["rows"][0]["goal"] == "120000.000"


def test_a_stock_of_a_day_to_come_is_not_told(api, monitor):
    to_come, today = "2026-06-16", str(TODAY)
    paths = ("/v1/statistics/certification", "/v1/statistics/outlets", "/v1/certification-statistics/stock", "/v1/coverage")
    for path in paths:
        refused = monitor.get(path, params={"on": to_come})
        assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "on"), path
        assert monitor.get(path, params={"on": today}).status_code == 200, path
    export = monitor.post("/v1/exports", json={"kind": "certified", "parameters": {"on": to_come}})
    assert (export.status_code, "parameters.on" in export.json()["errors"][0]["field"]) == (422, True)
    until_the_years_end = {"from": "2026-01-01", "to": "2026-12-31"}
    assert panel(monitor, "outlets", **until_the_years_end)["on"] == today


def test_how_much_of_a_goal_is_reached_is_the_same_figure_wherever_it_stands(api, trade, monitor):
    city = signed_in(api, Role.CITY_OFFICER)
    [target] = city.get("/v1/targets", params={"measure": "lane_tonnes", "programme": "chongqing-2021"}).json()["items"]
    done = Decimal(target["progress"]["done"])
    goal = next(
        goal for goal in range(1_000, 2_000) if done * 10_000 / goal % 1 > Decimal("0.5")
    )  # rounding half up would add a hundredth
    revised = city.post(f"/v1/targets/{target['id']}/revisions", json={"value": str(goal), "reason": "市级调整"}).json()
    reached = f"{int(done * 10_000 / goal) / 100:.2f}"
    assert Decimal(revised["progress"]["rate"]) == Decimal(reached)
    by_month = panel(monitor, "shandong-lane", group_by="month")
    assert (by_month["totals"]["of_goal"], by_month["rows"][-1]["of_goal"]) == (reached, reached)
    told = next(each for each in panel(monitor, "overview")["targets"] if each["code"] == "shandong_tonnes")
    assert Decimal(told["rate"]) == Decimal(reached)


def test_the_lane_by_county_and_by_month(trade, database, monitor):
    by_county = panel(monitor, "shandong-lane")
    whole = one(
        database,
        "SELECT sum(grams) AS grams, sum(amount_fen) AS fen FROM sale_entry"
        " WHERE buyer_region_code LIKE '37%' AND kind = 'goods' AND sold_on BETWEEN '2026-01-01' AND '2026-06-30'",
    )
    tonnes = (Decimal(whole.grams) / 1_000_000).quantize(Decimal("0.001"))
    assert Decimal(by_county["totals"]["weight"]) == tonnes
    assert sum(row["weight_grams"] for row in by_county["rows"]) == by_county["totals"]["weight_grams"]
    assert by_county["columns"]["weight_grams"] in ("净重（克）", "net weight (g)")
    assert fen_from_yuan(by_county["totals"]["sales"]) == whole.fen
    assert [row["rank"] for row in by_county["rows"]] == sorted(row["rank"] for row in by_county["rows"])
    by_month = panel(monitor, "shandong-lane", group_by="month")
    assert [row["month"] for row in by_month["rows"]] == [f"2026-0{month}" for month in range(1, 7)]
    assert Decimal(by_month["rows"][-1]["cumulated"]) == tonnes
    assert by_month["rows"][-1]["goal"] == "100000.000"
    assert by_month["totals"]["of_goal"] == f"{int(tonnes * 10_000 / 100_000) / 100:.2f}"
    with database.unit_of_work() as session:
        while statistics.refresh(session):
            pass
    assert panel(monitor, "shandong-lane")["totals"] == by_county["totals"]


def test_villages_with_sales(trade, database, monitor):
    with database.unit_of_work() as session:
        for name in ("三岔村", "文昌村"):
            session.execute(
                text("INSERT INTO poor_village (township_code, name, valid_from) VALUES ('500236T01', :name, '2014-01-01')"),
                {"name": name},
            )
    row = next(row for row in panel(monitor, "villages")["rows"] if row["county"] == "500236")
    sold = one(database, "SELECT sum(amount_fen) AS fen FROM sale_entry WHERE village IS NOT NULL")
    assert (row["villages"], row["poor_villages"], row["listed"], row["selling"]) == (1, 1, 2, "50.00")
    assert fen_from_yuan(row["sales"]) == sold.fen
    earlier = panel(monitor, "villages", **{"from": "2026-01-01", "to": "2026-02-28"})
    assert [row["poor_villages"] for row in earlier["rows"]] == [0]


def test_certified_products_are_a_stock(database, monitor):
    with clock.fixed(IN_JANUARY), database.unit_of_work() as session:
        supplier = make_supplier(session)
        make_product(session, supplier)
        make_product(session, supplier)
        make_product(session, make_supplier(session, "500240"))
    found = panel(monitor, "certification")
    assert [(row["county"], row["certificates"], row["suppliers"], row["products"]) for row in found["rows"]] == [
        ("500236", 2, 1, 2),
        ("500240", 1, 1, 1),
    ]
    assert (found["totals"]["certificates"], found["totals"]["suppliers"]) == (3, 2)
    assert panel(monitor, "certification", on="2019-12-31")["rows"] == []
    assert len(panel(monitor, "certification", district="500240")["rows"]) == 1


def test_outlets_by_county_kind_and_status(database, monitor):
    with clock.fixed(IN_JANUARY), database.unit_of_work() as session:
        clerk = make_user(session, Role.CITY_OFFICER)
        busy, _, closed = (make_outlet(session, clerk) for _ in range(3))
        hall = make_outlet(session, clerk, region_code="500236", kind="hall")
        for each, day, certified, other in (
            (busy, date(2026, 6, 1), 500, 20),
            (busy, date(2026, 6, 2), 500, 0),
            (busy, date(2026, 5, 31), 7, 0),
            (hall, date(2026, 6, 3), 0, 30),
        ):
            add_to_days(session, [(each.id, day, "counted", certified, 1500, 1), (each.id, day, "other", other, 0, 0)])
        session.execute(
            text("UPDATE outlet SET status = 'closed', closed_on = '2026-06-10', close_reason = '撤柜' WHERE id = :id"),
            {"id": closed.id},
        )
    found = panel(monitor, "outlets", group_by=["kind", "status"])
    rows = {(row["kind"], row["status"]): row for row in found["rows"]}
    # what stood in 500112 stands in the district that it was merged into
    assert {key: row["outlets"] for key, row in rows.items()} == {
        ("cabinet", "verified"): 2,
        ("cabinet", "closed"): 1,
        ("hall", "verified"): 1,
    }
    busy_row = rows["cabinet", "verified"]
    assert (busy_row["active"], busy_row["active_rate"], busy_row["certified"], busy_row["other"], busy_row["weight"]) == (
        1,
        "50.00",
        "10.00",
        "0.20",
        "0.003",
    )
    assert (found["totals"]["outlets"], found["totals"]["active"], found["totals"]["other"]) == (4, 2, "0.50")
    assert found["totals"]["working"] == 3
    assert {row["county"]: row["outlets"] for row in panel(monitor, "outlets")["rows"]} == {"500157": 3, "500236": 1}
    on_its_last_day = panel(monitor, "outlets", group_by="status", on="2026-06-10")
    assert {row["status"]: row["outlets"] for row in on_its_last_day["rows"]} == {"verified": 4}
    assert panel(monitor, "outlets", **{"from": "2026-05-31", "to": "2026-05-31"})["totals"]["certified"] == "0.07"
    assert panel(monitor, "outlets", on="2025-12-31")["totals"].get("outlets", 0) == 0


def test_what_outlets_sold_before_they_were_registered_is_in_the_panel(database, monitor):
    with clock.fixed(IN_JANUARY), database.unit_of_work() as session:
        clerk = make_user(session, Role.CITY_OFFICER)
        make_outlet(session, clerk)
        _, late = (make_outlet(session, clerk, region_code="500236", kind="hall") for _ in range(2))
        add_to_days(session, [(late.id, date(2026, 6, 14), "counted", 700, 1500, 1)])
        session.execute(text("UPDATE outlet SET registered_at = '2026-06-15', verified_at = '2026-06-15' WHERE kind = 'hall'"))
    yesterday = {"from": "2026-06-14", "to": "2026-06-14"}
    found = panel(monitor, "outlets", group_by="kind", **yesterday)
    rows = {row["kind"]: row for row in found["rows"]}
    hall = rows["hall"]
    assert (hall["outlets"], hall["working"], hall["active"], hall["active_rate"]) == (0, 0, 1, None)
    assert (hall["certified"], found["totals"]["certified"]) == ("7.00", "7.00")
    assert (found["totals"]["outlets"], found["totals"]["working"], found["totals"]["active"]) == (1, 1, 1)
    today = panel(monitor, "outlets", group_by="kind", on="2026-06-15", **yesterday)
    assert {row["kind"]: (row["outlets"], row["active"]) for row in today["rows"]} == {"cabinet": (1, 0), "hall": (2, 1)}


@pytest.mark.slow
def test_reserved_shares_pledges_and_agreements_by_county(api, database):
    """Each is made over HTTP: a unit that filed, a pledge with its order, an agreement with its instalments."""
    with clock.fixed(datetime.now(UTC)):  # what is made over HTTP lies in the days that come
        make_world(api, database)
        client = signed_in(api, Role.MONITOR, region_code="500229")
        [pledge] = panel(client, "pledges")["rows"]
        listed = one(database, "SELECT count(*) AS n, sum(amount_fen) AS fen FROM pledge WHERE status IN ('open', 'closed')")
        assert (pledge["pledges"], fen_from_yuan(pledge["pledged"])) == (listed.n, listed.fen)
        year = clock.today().year
        found = panel(client, "agreements", **{"from": f"{year}-01-01", "to": f"{year + 1}-12-31"})
        due = one(
            database,
            "SELECT coalesce(sum(round(i.quantity * s.net_grams)), 0) AS grams FROM instalment i JOIN agreement_line l ON l.id = i.agreement_line_id"
            " JOIN sku s ON s.id = l.sku_id JOIN agreement a ON a.id = l.agreement_id WHERE i.status <> 'skipped' AND a.status = 'active'",
        )
        assert Decimal(found["totals"]["promised_weight"]) == (Decimal(due.grams) / 1_000_000).quantize(Decimal("0.001"))
        units = panel(client, "reserved-share")
        assert units["totals"]["units"] >= 1
