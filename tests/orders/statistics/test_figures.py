"""Figures over HTTP, each against a recount of the ledger in Python."""

import csv
import io
import os
import random
import re
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from alembic import command
from python_calamine import CalamineWorkbook
from sqlalchemy import text

from orders.ledger import actions as ledger
from orders.ledger.rules import Direction
from orders.ledger.selection import Dimension, Reach, Selection
from orders.outlets.models import Outlet
from orders.reconcile import report
from orders.statistics import actions, columns, rebuilding
from orders.statistics.cubes import CUBES
from orders.statistics.errors import QuestionTooWide
from orders.statistics.queries import ask, ask_in_time, cells
from orders.statistics.question import Compare, Measure, Question
from orders.statistics.rules import same_period_last_year
from orders.statistics.statement import statement
from shop.core import clock, migrate
from shop.core.audit import SYSTEM
from shop.identity.models import Organisation
from shop.identity.permissions import Role
from tests.databases import begin_with
from tests.factories.identity import make_organisation, make_user, signed_in
from tests.factories.ledger import make_trade, sell
from tests.factories.outlets import make_outlet
from tests.orders.statistics import oracle

TODAY = date(2026, 11, 23)
FIRST = date(2024, 9, 1)
OFFICIAL = Reach(("",))
#: How many random questions are asked of each history.
QUESTIONS = int(os.environ.get("SHOP_QUESTIONS", "60"))


@pytest.fixture(autouse=True)
def _today():
    with clock.fixed(datetime(2026, 11, 23, 4, tzinfo=UTC)):
        yield


def history(database, *, seed=1):
    """Two years of sales with corrections; a part of it in the rollups, a part still waiting."""
    return begin_with(database, f"figures {seed}", lambda: _made(database, 150, seed))


def _made(database, orders, seed):
    with database.unit_of_work() as session:
        return _history(session, orders, seed)


def _history(session, orders, seed):
    trade = make_trade(session)
    sell(session, trade, orders, first=FIRST, last=TODAY, seed=seed)
    outlet = make_outlet(session, trade.clerk)
    _more(session, outlet, orders, 17)
    actions.refresh(session)
    _more(session, outlet, orders, 19)
    trade.outlet_id = outlet.id
    return trade


def _more(session, outlet, count, one_in):
    """Returns of one sale in so many, some of them taken back, and sales made elsewhere."""
    returned = text("SELECT id FROM sale_entry e WHERE id % :n = 0 AND reverses_id IS NULL AND source = 'platform' ORDER BY id")
    for entry_id in session.execute(returned, {"n": one_in}).scalars().all():
        with clock.fixed(datetime(2026, 10, 9, 4, tzinfo=UTC)):
            taken_back = ledger.reverse(session, SYSTEM, entry_id, reason="退货", quantity=Decimal("0.5") if entry_id % 2 else None)
            if entry_id % 3 == 0:
                ledger.release(session, [taken_back])
    session.execute(_ELSEWHERE, {"outlet_id": outlet.id, "count": count})


# Sales at an outlet to nobody in particular, claims from elsewhere, helped sales; from townships and villages, from districts that were merged
# since; some of them told much later.
_ELSEWHERE = text(
    """
    INSERT INTO sale_entry (origin_kind, origin_id, recorded_at, sold_on, month, programme_code, source, direction, outlet_id, product_id, kind,
        category, supplier_id, district_code, township_code, village, certificate_id, certified, reserved_share_eligible, buyer_id, buyer_kind,
        buyer_region_code, fund_source, mode, relation, relation_id, channel, channel_basis, quantity, grams, amount_fen)
    SELECT CASE WHEN n % 13 = 0 THEN 'acceptance_correction' ELSE 'history' END, (SELECT max(id) FROM sale_entry) * 1000 + n, recorded_at + (n % 7) * interval '9 days', sold_on, month, programme_code,
           CASE WHEN n % 3 = 0 THEN 'outlet' ELSE 'external' END, CASE WHEN n % 5 = 1 THEN 'helped_sale' ELSE 'purchase' END,
           CASE WHEN n % 3 = 0 THEN CAST(:outlet_id AS bigint) END, product_id, kind, category, supplier_id,
           CASE WHEN sold_on < '2025-11-06' THEN (ARRAY['500105','500112','500236'])[1 + n % 3] ELSE (ARRAY['500157','500236'])[1 + n % 2] END,
           CASE WHEN n % 4 = 0 THEN '500236T01' END, CASE WHEN n % 6 = 0 THEN '三岔村' END,
           certificate_id, certified, reserved_share_eligible, CASE WHEN n % 3 > 0 THEN buyer_id END,
           CASE WHEN n % 3 > 0 THEN buyer_kind ELSE 'consumer' END, CASE WHEN n % 2 = 0 THEN '500105' ELSE buyer_region_code END,
           (ARRAY['other','union'])[1 + n % 2], mode, relation, relation_id, channel, channel_basis, quantity, grams, amount_fen + n
    FROM (SELECT *, row_number() OVER (ORDER BY id) AS n FROM sale_entry WHERE reverses_id IS NULL ORDER BY id LIMIT :count) AS picked
    """
)


def check(session, question):
    lines = session.execute(text("SELECT * FROM sale_entry")).all()
    answer, sold = ask(session, question), set()
    for period in range(len(question.periods)):
        rows, totals = oracle.recount(lines, question, period, TODAY)
        for measure in question.measures:
            assert answer.totals[period].value(measure) == totals[measure], (measure, period)
            found = {key: row[period].value(measure) for key, row in answer.rows.items() if row[period].value(measure)}
            expected = {key: row[measure] for key, row in rows.items() if row[measure]}
            assert question.group_by == () or found == expected, (measure, period)
        sold |= set(rows)
    # a group in which nothing was sold is no row
    assert question.group_by == () or set(answer.rows) == sold
    return answer


def random_question(chance, trade):
    dimensions = list(Dimension)
    only = {}
    choices = {
        Dimension.TOWNSHIP: ["500236T01", "500236T02", ""],
        Dimension.VILLAGE: ["500236T01/三岔村", "500105/三岔村", ""],
        Dimension.SOURCE: ["platform", "outlet", "external"],
        Dimension.KIND: ["goods", "service"],
        Dimension.CERTIFIED: [True, False],
        Dimension.PRODUCT: [goods.made.product_id for goods in trade.goods],
        Dimension.BUYER: [*(buyer.id for buyer in trade.buyers), 0],
        Dimension.BUYER_REGION: ["500105", "500106", "371600"],
        Dimension.FUND_SOURCE: ["canteen", "union", "other"],
        Dimension.OUTLET: [trade.outlet_id, 10**9, 0],
        Dimension.DISTRICT: ["500236", "500240", "500101", "500999", "500105", "500157"],
        Dimension.MODE: ["market", "policy_procurement", "social_network", "east_west"],
        Dimension.RELATION: ["none", "district_pair", "east_west", "municipal_group"],
        Dimension.CHANNEL: ["market", "district_pair", "policy_procurement"],
        Dimension.CATEGORY: ["fruit", "tea"],
        Dimension.BUYER_KIND: ["school", "agency", "enterprise"],
        Dimension.SUPPLIER: [goods.supplier.id for goods in trade.goods],
    }
    for dimension in chance.sample(list(choices), chance.choice([0, 0, 1, 1, 2])):
        only[dimension] = chance.sample(choices[dimension], chance.randint(1, 2))
    first = FIRST + timedelta(days=chance.randint(0, 700))
    last = chance.choice([TODAY, date(2026, 12, 31), first + timedelta(days=chance.randint(0, 500))])
    if chance.random() < 0.3:
        first, last = first.replace(day=1), date(2026, 9, 30)
    if first > last:
        first = last
    group_by = tuple(chance.sample(dimensions, chance.randint(0, 3)))
    if chance.random() < 0.5:  # the panels whose orders are stored as numbers
        panel = (Dimension.DISTRICT, Dimension.MONTH)
        group_by = (*panel, *(dimension for dimension in group_by[:1] if dimension not in panel))
    direction = chance.choice([Direction.PURCHASE, Direction.PURCHASE, Direction.HELPED_SALE])
    known_on = chance.choice([None, None, None, first + timedelta(days=chance.randint(0, 400))])
    selection = Selection(first, last, only, direction, known_on)
    return Question(selection, group_by, tuple(Measure), OFFICIAL, chance.choice([None, *Compare]))


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2])
def test_any_question_gives_what_a_recount_gives(database, seed):
    chance = random.Random(seed)
    trade = history(database, seed=seed)
    with database.unit_of_work() as session:
        assert session.execute(text("SELECT count(*) FROM sale_entry_pending")).scalar_one() > 50
        for _ in range(QUESTIONS):
            check(session, random_question(chance, trade))
    assert report.differences(database) == 0


@pytest.mark.slow
@pytest.mark.parametrize(
    ("first", "last"),
    [
        (date(2026, 1, 1), TODAY),
        (date(2025, 1, 1), date(2025, 12, 31)),
        (date(2024, 11, 1), TODAY),
        (date(2024, 12, 20), date(2026, 2, 3)),
        (date(2026, 1, 1), date(2026, 12, 31)),
    ],
)
def test_places_over_years_are_the_same_as_over_their_months(database, first, last):
    history(database)
    selection = Selection(first, last)
    with database.unit_of_work() as session:
        for group_by in ((), (Dimension.VILLAGE,), (Dimension.DISTRICT, Dimension.TOWNSHIP)):
            for compare in (None, *Compare):
                check(session, Question(selection, group_by, (Measure.AMOUNT, Measure.TONNES), OFFICIAL, compare))
        question = Question(selection, (Dimension.DISTRICT, Dimension.VILLAGE), (Measure.AMOUNT, Measure.TONNES), OFFICIAL)
        table, bind = cells(session, question)
        rows = session.execute(text(f"SELECT g0, g1, amount_fen, grams FROM {table} AS cell"), bind.values).all()
        assert len(rows) > 2
        answer = ask(session, question)
        assert {key: (one.amount_fen, one.grams) for key, (one,) in answer.rows.items()} == {
            (row.g0, row.g1): (row.amount_fen, row.grams) for row in rows
        }


def test_an_answer_has_the_same_rows_whatever_it_measures(database):
    history(database)
    selection = Selection(date(2025, 1, 1), TODAY)
    with database.unit_of_work() as session:
        for group_by in ((Dimension.SOURCE,), (Dimension.OUTLET,), (Dimension.DISTRICT, Dimension.DAY)):
            rows = [
                set(ask(session, Question(selection, group_by, measures, OFFICIAL)).rows)
                for measures in ((Measure.AMOUNT,), (Measure.ORDERS,), (Measure.BUYERS, Measure.TONNES))
            ]
            assert rows[0]
            assert rows[1:] == rows[:1] * 2, group_by
        # what is sold at an outlet is no order
        assert ask(session, Question(selection, (Dimension.SOURCE,), (Measure.ORDERS,), OFFICIAL)).rows["outlet",][0].counts == {}


@pytest.mark.slow
def test_the_panel_is_the_same_before_during_and_after_the_rollup(database):
    panel = Question(
        Selection(date(2025, 1, 1), TODAY), (Dimension.DISTRICT, Dimension.MONTH), tuple(Measure), OFFICIAL, Compare.LAST_YEAR
    )
    history(database)
    with database.unit_of_work() as session:
        before = check(session, panel)
    while True:
        with database.unit_of_work() as session:
            moved = actions.refresh(session, 50)
            assert check(session, panel).rows == before.rows
        if not moved:
            break
    said = []
    with database.unit_of_work() as session:
        count = session.execute(text("SELECT count(*) FROM sale_entry")).scalar_one()
    assert actions.rebuild(database, said.append) == count
    assert said
    with database.unit_of_work() as session:
        assert check(session, panel).rows == before.rows
    assert report.differences(database) == 0


@pytest.mark.slow
def test_a_rebuild_mends_what_was_wrong(database):
    history(database)
    with database.unit_of_work() as session:
        session.execute(text("UPDATE sales_district_month SET amount_fen = amount_fen + 1"))
        session.execute(text("DELETE FROM presence_channel_month"))
    assert report.differences(database) > 0
    actions.rebuild(database)
    assert report.differences(database) == 0


@pytest.mark.slow
def test_what_made_participants_before_makes_none_after_its_migration(database):
    history(database)
    held = text("SELECT sum(bit_count(bits)) FROM presence_district_month")
    with database.unit_of_work() as session:
        right = session.execute(held).scalar_one()
    command.downgrade(migrate.config(database.url), "0053")
    with database.unit_of_work() as session:
        assert session.execute(held).scalar_one() > right
    migrate.upgrade(database.url)
    assert migrate.differences(database.url) is None
    assert report.differences(database) == 0


# each month by itself, as with millions of entries; more cells than a number has bits
@pytest.mark.slow
@pytest.mark.parametrize(("module", "limit"), [(rebuilding, "_AT_ONCE"), (columns, "_BITS_OF_NUMBER")])
def test_a_rebuild_fills_what_is_empty_at_any_size(database, monkeypatch, module, limit):
    monkeypatch.setattr(module, limit, 1)
    history(database)
    with database.unit_of_work() as session:
        session.execute(text(f"TRUNCATE {', '.join(cube.table for cube in CUBES)}"))
    actions.rebuild(database)
    assert report.differences(database) == 0


@pytest.mark.slow
def test_a_rebuild_reads_villages_of_any_name(database):
    trade = history(database)
    anywhere = text(_ELSEWHERE.text.replace("'三岔村'", "CAST(:village AS text)"))
    with database.unit_of_work() as session:
        for village in ('上"坪",村', "下\n\x1f坪\t\\村\\n", "", "\\N"):
            session.execute(anywhere, {"outlet_id": trade.outlet_id, "count": 60, "village": village})
    actions.rebuild(database)
    assert report.differences(database) == 0


def test_a_question_that_takes_too_long_says_how_to_ask_less(database):
    history(database)
    question = Question(Selection(FIRST, TODAY), (Dimension.SUPPLIER,), (Measure.ORDERS,), OFFICIAL)
    with database.unit_of_work() as holding, database.unit_of_work() as session:
        holding.execute(text("LOCK TABLE sale_entry"))
        session.execute(text("SET LOCAL statement_timeout = 300"))
        with pytest.raises(QuestionTooWide) as told:
            ask_in_time(session, question, clock.now())
    assert told.value.faults[0].field == "measure"


PANEL = ("district", "month")


@pytest.mark.parametrize(
    ("group_by", "only", "measures", "tables"),
    [
        (
            PANEL,
            {},
            ("amount", "orders"),
            {"sales_buyer_kind_month", "orders_district_month", "presence_district_month", "presence_month"},
        ),
        (
            PANEL,
            {"mode": ["market"]},
            ("orders",),
            {"sales_district_month", "orders_channel_month", "presence_channel_month", "presence_channel_city_month"},
        ),
        (
            PANEL,
            {"district": ["500236"]},
            ("orders",),
            {"sales_buyer_kind_month", "orders_district_month", "presence_district_month"},
        ),
        ((), {"district": ["500236"]}, ("orders",), {"presence_district_month"}),
        (PANEL, {"category": ["fruit"]}, ("tonnes", "buyers"), {"sales_category_month", "presence_category_month"}),
        (("district",), {}, ("orders",), {"sales_place_year", "presence_district_month", "presence_month"}),
        (("supplier",), {}, ("amount",), {"sales_supplier_month"}),
        (("category", "channel"), {}, ("amount",), {"sales_month"}),
        (("category", "channel"), {}, ("orders",), {"sales_month", "sale_entry", "presence_month"}),
        (("week",), {}, ("amount",), {"sales_buyer_kind_day"}),
        (("week", "mode"), {}, ("amount",), {"sales_day"}),
        (("week", "certified"), {"fund_source": ["canteen"]}, ("amount",), {"sales_source_day"}),
        (("week", "category"), {"district": ["500236"]}, ("amount",), {"sales_category_day"}),
        (("channel",), {"buyer_kind": ["school"]}, ("amount",), {"sales_channel_buyer_kind_month"}),
        (("certified",), {}, ("orders",), {"sales_source_month", "presence_source_city_month", "presence_month"}),
        (("district",), {"certified": [True]}, ("buyers",), {"sales_source_month", "presence_source_month"}),
        (("quarter", "source"), {}, ("gross",), {"sales_source_month"}),
        (("village",), {"certified": [True]}, ("amount",), {"sales_place_month"}),
        (("district", "village"), {}, ("amount",), {"sales_place_year"}),
        ((), {"township": ["500236T01"]}, ("amount", "tonnes"), {"sales_place_year"}),
        (("product",), {"category": ["fruit"]}, ("amount",), {"sales_product_month"}),
        (("buyer",), {"buyer_kind": ["school"]}, ("amount",), {"sales_buyer_month"}),
        (("outlet",), {}, ("amount",), {"sales_outlet_month"}),
    ],
)
def test_the_smallest_rollup_answers(group_by, only, measures, tables):
    question = Question(
        Selection(date(2026, 1, 1), TODAY, {Dimension(name): values for name, values in only.items()}),
        tuple(map(Dimension, group_by)),
        tuple(map(Measure, measures)),
        OFFICIAL,
    )
    sql, _ = statement(question, TODAY, oracle.MERGED)
    # waiting entries are looked up in the ledger by their order, merged districts by their months; these are no tables of an answer
    body = re.sub(r", mixed AS MATERIALIZED \(.*? WHERE districts > 1\)", "", sql).replace("FROM sale_entry e", "")
    assert set(re.findall(r"FROM ((?:sales|presence|orders|sale_entry)\w*)", body)) - {"sale_entry_pending"} == tables


def whole(client, **params):
    response = client.get("/v1/statistics/sales", params={"from": "2024-01-01", "to": "2026-11-23", **params})
    assert response.status_code == 200, response.text
    return response.json()


def test_each_sees_what_is_theirs(api, database):
    trade = history(database)
    with database.unit_of_work() as session:
        supplier, school = trade.goods[0].supplier, trade.buyers[0]
        monitor = make_user(session, Role.MONITOR)
        fengjie = make_user(session, Role.COUNTY_OFFICER, region_code="500236")
        township = make_user(session, Role.TOWNSHIP_OFFICER, region_code="500236T01")
        seller, payer = make_user(session, Role.SUPPLIER_STAFF, supplier), make_user(session, Role.FINANCE, school)
        operator = session.get(Organisation, session.get(Outlet, trade.outlet_id).operator_id)
        at_till, stranger = (
            make_user(session, Role.OUTLET_OPERATOR, of) for of in (operator, make_organisation(session, role="outlet_operator"))
        )
        sums = {
            where: session.execute(
                text(f"SELECT coalesce(sum(amount_fen), 0) FROM sale_entry WHERE direction = 'purchase' AND {where}")
            ).scalar_one()
            for where in (
                *("true", "district_code = '500236'", "township_code = '500236T01'"),
                *(f"supplier_id = {supplier.id}", f"buyer_id = {school.id}"),
                f"supplier_id = {supplier.id} AND district_code = '500236'",
                f"outlet_id = {trade.outlet_id}",
            )
        }
    every, own_region, own_township, own_sales, own_purchases, seen_of_supplier, own_outlet = (
        f"{fen // 100}.{fen % 100:02d}" for fen in map(int, sums.values())
    )
    total = lambda answer: answer["totals"]["figures"]["amount"]  # noqa: E731
    for user in (monitor, fengjie, township):
        assert total(whole(api.as_(user), group_by="district")) == every
    assert total(whole(api.as_(monitor), group_by="supplier")) == every
    assert total(whole(api.as_(fengjie), group_by="supplier")) == own_region
    assert total(whole(api.as_(township), group_by="supplier")) == own_township
    assert total(whole(api.as_(fengjie), supplier=supplier.id)) == seen_of_supplier
    assert total(whole(api.as_(seller), group_by="month")) == own_sales
    assert total(whole(api.as_(payer), group_by=["supplier", "month"])) == own_purchases
    assert total(whole(api.as_(at_till), group_by="outlet")) == own_outlet != "0.00"
    assert total(whole(api.as_(stranger), group_by="outlet")) == "0.00"
    assert api.get("/v1/statistics/sales").status_code == 401


def test_the_answer_has_labels_growth_and_definitions(api, database):
    history(database)
    with database.unit_of_work() as session:
        monitor = make_user(session, Role.MONITOR)
    client = api.as_(monitor)
    zh = client.get(
        "/v1/statistics/sales",
        params={"from": "2026-01-01", "group_by": ["district", "channel"], "compare": "last_year", "measure": list(Measure)},
        headers={"Accept-Language": "zh"},
    ).json()
    en = whole(client, group_by=["district", "month", "mode"])
    fengjie = next(row for row in zh["rows"] if row["keys"]["district"]["code"] == "500236")
    assert fengjie["keys"]["district"]["label"] == "奉节县"
    assert {"政府机关采购", "市场销售"} & {row["keys"]["channel"]["label"] for row in zh["rows"]}
    assert {row["keys"]["mode"]["label"] for row in en["rows"]} <= {
        "Policy procurement", "East-west partnership", "Market participants", "Social network sales",
    }  # fmt: skip
    assert zh["period"] == {"first": "2026-01-01", "last": "2026-11-23"}
    assert zh["compared_with"] == {"first": "2025-01-01", "last": "2025-11-23"}
    assert set(zh["definitions"]) == {measure.value for measure in Measure}
    assert zh["exact_to"].startswith("2026-11-23")
    assert en["compared_with"] is None
    assert en["totals"]["growth"] is None
    now, before = zh["totals"]["figures"], zh["totals"]["previous"]
    rise = (Decimal(now["amount"]) - Decimal(before["amount"])) * 100 / Decimal(before["amount"])
    assert abs(Decimal(zh["totals"]["growth"]["amount"]) - rise) <= Decimal("0.005")
    for name in ("amount", "grams", "entries"):
        assert sum(Decimal(row["figures"][name]) for row in zh["rows"]) == Decimal(now[name])


def test_shares_come_to_the_whole_and_are_the_same_however_many_rows_are_shown(api, database):
    history(database)
    with database.unit_of_work() as session:
        monitor = make_user(session, Role.MONITOR)
    client = api.as_(monitor)
    sums = ("amount", "gross", "tonnes", "quantity", "entries")
    for by in ("district", "month", ["supplier", "month"]):
        rows = whole(client, group_by=by, measure=[*sums, "orders"], extra="share")["rows"]
        assert [sum(Decimal(row["share"][name]) for row in rows) for name in sums] == [100] * len(sums), by
        shown = whole(client, group_by=by, measure=[*sums, "orders"], extra="share", sort="quantity", top=3)["rows"]
        assert len(shown) == 3
        of_row = {str(row["keys"]): row["share"] for row in rows}
        assert all(of_row[str(row["keys"])] == row["share"] for row in shown)


def test_last_year_stands_in_the_row_of_this_years_month(api, database):
    history(database)
    with database.unit_of_work() as session:
        monitor = make_user(session, Role.MONITOR)
        expected = dict(
            session.execute(
                text(
                    "SELECT to_char(month + interval '1 year', 'YYYY-MM'), sum(amount_fen) FROM sale_entry"
                    " WHERE sold_on BETWEEN '2025-03-10' AND '2025-05-20' AND direction = 'purchase' GROUP BY 1"
                )
            ).all()
        )
    params = {"from": "2026-03-10", "to": "2026-05-20", "group_by": "month", "compare": "last_year"}
    rows = api.as_(monitor).get("/v1/statistics/sales", params=params).json()["rows"]
    assert {row["keys"]["month"]["code"]: int(Decimal(row["previous"]["amount"]) * 100) for row in rows} == expected


def test_a_year_that_is_not_over_stands_beside_as_many_days_of_the_last(api, database):
    history(database)
    with database.unit_of_work() as session:
        monitor = make_user(session, Role.MONITOR)
    client = api.as_(monitor)
    for compare in Compare:
        asked = {"from": "2026-01-01", "group_by": "month", "compare": compare}
        so_far, whole = (client.get("/v1/statistics/sales", params={**asked, **more}).json() for more in ({}, {"to": "2026-12-31"}))
        assert {**whole, "exact_to": so_far["exact_to"]} == so_far
    assert whole["period"] == {"first": "2026-01-01", "last": "2026-11-23"}


def test_months_beside_the_last_period_stand_beside_the_month_before(api, database):
    history(database)
    with database.unit_of_work() as session:
        monitor = make_user(session, Role.MONITOR)
        by_month = dict(
            session.execute(
                text(
                    "SELECT to_char(sold_on, 'YYYY-MM'), sum(amount_fen) FROM sale_entry WHERE direction = 'purchase'"
                    " AND (sold_on < '2026-11-01' OR sold_on <= '2026-11-23') GROUP BY 1"
                )
            ).all()
        )
        till_23_october = session.execute(
            text(
                "SELECT sum(amount_fen) FROM sale_entry WHERE direction = 'purchase' AND sold_on BETWEEN '2026-10-01' AND '2026-10-23'"
            )
        ).scalar_one()
    client, params = api.as_(monitor), {"from": "2026-01-01", "group_by": "month", "compare": "last_period"}
    answer = client.get("/v1/statistics/sales", params=params).json()
    before = {row["keys"]["month"]["code"]: int(Decimal(row["previous"]["amount"]) * 100) for row in answer["rows"]}
    assert before["2026-01"] == by_month["2025-12"]
    assert before["2026-10"] == by_month["2026-09"]
    assert before["2026-11"] == till_23_october, "a month that is not over stands beside as much of the one before"
    assert answer["compared_with"] == {"first": "2025-12-01", "last": "2026-10-23"}
    days = {row["keys"]["month"]["code"]: (row["period"], row["compared_with"]) for row in answer["rows"]}
    assert days["2026-01"] == ({"first": "2026-01-01", "last": "2026-01-31"}, {"first": "2025-12-01", "last": "2025-12-31"})
    assert days["2026-11"] == ({"first": "2026-11-01", "last": "2026-11-23"}, {"first": "2026-10-01", "last": "2026-10-23"})
    tail = client.get("/v1/statistics/sales", params={**params, "from": "2026-03-30", "to": "2026-03-31"}).json()
    [row] = tail["rows"]
    assert row["compared_with"] == tail["compared_with"] == {"first": "2026-02-27", "last": "2026-02-28"}
    year = client.get("/v1/statistics/sales", params={**params, "compare": "last_year", "from": "2026-03-10"}).json()
    assert year["rows"][0]["compared_with"] == {"first": "2025-03-10", "last": "2025-03-31"}
    assert "the month before its own" in answer["definition"]
    assert sum(before.values()) == int(Decimal(answer["totals"]["previous"]["amount"]) * 100)
    plain = client.get("/v1/statistics/sales", params={"from": "2026-11-16", "compare": "last_period"}).json()
    assert plain["compared_with"] == {"first": "2026-11-08", "last": "2026-11-15"}


def test_a_former_district_is_said_to_be_a_part_of_the_one_that_it_stands_in(api, database):
    history(database)
    client = signed_in(api, Role.MONITOR)
    params = {"from": "2025-01-01", "to": "2026-11-23", "group_by": "district", "district": "500112"}
    part = client.get("/v1/statistics/sales", params=params, headers={"Accept-Language": "en"}).json()
    whole_one = client.get(
        "/v1/statistics/sales", params={**params, "district": "500157"}, headers={"Accept-Language": "en"}
    ).json()
    assert [row["keys"]["district"]["code"] for row in part["rows"]] == ["500157"]
    assert part["totals"]["figures"]["grams"] < whole_one["totals"]["figures"]["grams"]
    hint = "Yubei (500112), which was asked for, was merged into Liangjiang (500157)"
    assert hint in part["definition"]
    both = client.get("/v1/statistics/sales", params={**params, "district": ["500112", "500157"]}).json()
    before = client.get("/v1/statistics/sales", params={**params, "to": "2025-10-31"}).json()
    for answer in (whole_one, both, before):
        assert "500112" not in answer["definition"]


@pytest.mark.parametrize(
    ("compare", "by", "before"),
    [
        ("last_year", None, ("2025-01-01", "2025-10-08")),
        ("last_year", "month", ("2025-01-01", "2025-10-08")),
        ("last_period", "month", ("2025-12-01", "2026-09-08")),
        ("last_period", None, ("2025-03-26", "2025-12-31")),
    ],
)
def test_what_was_known_by_a_day_stands_beside_the_days_up_to_then(api, database, compare, by, before):
    """Nothing later was known, so later days of the period before would only make it look as if less were sold."""
    history(database)
    with database.unit_of_work() as session:
        monitor = make_user(session, Role.MONITOR)
        first, last = (date.fromisoformat(day) for day in before)
        lines = session.execute(
            text(
                "SELECT sum(amount_fen) FROM sale_entry WHERE direction = 'purchase' AND sold_on BETWEEN :first AND :last"
                " AND (recorded_at AT TIME ZONE 'Asia/Shanghai')::date <= '2026-10-08'"
            ),
            {"first": first, "last": last},
        ).scalar_one()
    params = {"from": "2026-01-01", "to": "2026-11-28", "known_on": "2026-10-08", "compare": compare, "measure": "amount"}
    params |= {"group_by": by, "extra": "running"} if by else {}
    answer = api.as_(monitor).get("/v1/statistics/sales", params=params).json()
    assert answer["period"] == {"first": "2026-01-01", "last": "2026-10-08"}
    assert answer["compared_with"] == {"first": before[0], "last": before[1]}
    assert int(Decimal(answer["totals"]["previous"]["amount"]) * 100) == lines
    if by:
        [*_, october] = answer["rows"]
        assert october["keys"]["month"]["code"] == "2026-10"
        assert october["period"] == {"first": "2026-10-01", "last": "2026-10-08"}


def test_what_cannot_be_shown_so_names_the_parameter(api, database, monkeypatch):
    history(database)
    client = signed_in(api, Role.MONITOR)
    monkeypatch.setattr("orders.statistics.queries.MAX_ROWS", 1)
    for asked, field, code in (
        ({"extra": "running", "group_by": "kind"}, "extra", "nothing_to_run_over"),
        ({"sort": "buyers"}, "sort", "sorted_by_nothing"),
        ({"group_by": "month"}, "group_by", "too_many_rows"),
    ):
        answer = client.get("/v1/statistics/sales", params={"from": "2026-01-01", **asked})
        assert (answer.status_code, answer.json()["code"]) == (422, code)
        assert [(fault["field"], fault["code"]) for fault in answer.json()["errors"]] == [(field, code)]


def test_running_totals_stand_beside_those_of_last_year(api, database):
    history(database)
    with database.unit_of_work() as session:
        monitor = make_user(session, Role.MONITOR)
    params = {
        "from": "2026-01-01",
        "group_by": "month",
        "compare": "last_year",
        "extra": "running",
        "measure": ["amount", "orders"],
    }
    client = api.as_(monitor)
    rows = client.get("/v1/statistics/sales", params=params).json()["rows"]
    so_far = Decimal(0)
    for row in rows:
        so_far += Decimal(row["previous"]["amount"])
        assert Decimal(row["running_previous"]["amount"]) == so_far
        rise = (Decimal(row["running"]["amount"]) - so_far) * 100 / so_far
        assert abs(Decimal(row["running_growth"]["amount"]) - rise) <= Decimal("0.005")
    table = client.get("/v1/statistics/sales", params={**params, "format": "csv"}).content.decode("utf-8-sig")
    header, *lines, total = csv.reader(io.StringIO(table))
    assert header[4:7] == [
        "Sales (yuan) running total",
        "Sales (yuan) running total period before",
        "Sales (yuan) running total growth (%)",
    ]
    assert lines[-1][5:7] == [str(so_far), rows[-1]["running_growth"]["amount"]]
    assert {len(line) for line in lines} == {len(header)} == {len(total)}
    without = client.get("/v1/statistics/sales", params={**params, "compare": "last_period"}).json()["rows"][0]
    assert without["running_previous"] is None


def test_an_answer_says_that_it_is_of_the_own_region_only(api, database):
    history(database)
    with database.unit_of_work() as session:
        here = make_user(session, Role.MONITOR, region_code="500240")
        seller = make_user(session, Role.SUPPLIER_STAFF, make_trade(session).goods[0].supplier)
    client = api.as_(here)
    other = whole(client, group_by="village", district="500236")
    assert (other["scope"], other["totals"]["figures"]["amount"]) == (["500240"], "0.00")
    assert "own region (500240)" in other["definition"]
    for query in ({"supplier": 1}, {"group_by": "outlet"}):
        assert whole(client, **query)["scope"] == ["500240"]
    open_to_all = whole(client, group_by="district")
    assert open_to_all["scope"] is None
    assert "own region" not in open_to_all["definition"]
    assert whole(signed_in(api, Role.MONITOR), group_by="village")["scope"] is None
    assert "your organisation" in whole(api.as_(seller))["definition"]
    for language, said in (("zh", "合计（仅含 500240）"), ("en", "Total (500240 only)")):
        table = client.get(
            "/v1/statistics/sales", params={"group_by": "outlet", "format": "csv"}, headers={"Accept-Language": language}
        ).content
        assert list(csv.reader(io.StringIO(table.decode("utf-8-sig"))))[-1][0] == said


def test_what_an_answer_shows_can_be_asked_for(api, database):
    history(database)
    with database.unit_of_work() as session:
        monitor = make_user(session, Role.MONITOR)
    client = api.as_(monitor)
    for dimension, code in (("township", ""), ("village", ""), ("outlet", "0"), ("buyer", "0")):
        [row] = [row for row in whole(client, group_by=dimension)["rows"] if row["keys"][dimension]["code"] == code]
        asked = whole(client, **{dimension: code})
        assert asked["totals"]["figures"] == row["figures"], dimension
        entries = client.get("/v1/sale-entries", params={"from": "2024-01-01", dimension: code, "limit": 200})
        assert entries.status_code == 200
        assert entries.json()["items"]
        assert len(whole(client, **{dimension: code}, group_by=dimension)["rows"]) == 1


def test_a_designation_that_nobody_has_any_more_says_so(api, database):
    history(database)
    with database.unit_of_work() as session:
        monitor = make_user(session, Role.MONITOR)
    client = api.as_(monitor)
    empty = whole(client, designation="national_key", group_by="district")
    assert empty["row_count"] == 0
    assert "national_key" in empty["definition"]
    assert "one was until 2020-02-21" in empty["definition"]
    assert "national_key" not in whole(client, designation=["national_key", "county_832"], group_by="district")["definition"]
    assert "No region was designated" not in whole(client, designation="county_832")["definition"]


def test_the_default_is_this_year_up_to_today(api, database):
    history(database)
    with database.unit_of_work() as session:
        monitor = make_user(session, Role.MONITOR)
        fen = int(
            session.execute(
                text("SELECT sum(amount_fen) FROM sale_entry WHERE sold_on >= '2026-01-01' AND direction = 'purchase'")
            ).scalar_one()
        )
    answer = api.as_(monitor).get("/v1/statistics/sales").json()
    assert answer["measures"] == ["amount", "tonnes", "orders"]
    assert answer["rows"] == []
    assert answer["totals"]["figures"]["amount"] == f"{fen // 100}.{fen % 100:02d}"


def test_a_workbook_holds_the_same_table_as_figures(api, database):
    history(database)
    with database.unit_of_work() as session:
        monitor = make_user(session, Role.MONITOR)
    client, params = api.as_(monitor), {"from": "2026-01-01", "group_by": ["supplier", "month"], "compare": "last_year"}
    sheet, text_ = (client.get("/v1/statistics/sales", params={**params, "format": kind}).content for kind in ("xlsx", "csv"))
    book = CalamineWorkbook.from_filelike(io.BytesIO(sheet)).get_sheet_by_index(0).to_python()
    table = list(csv.reader(io.StringIO(text_.decode("utf-8-sig"))))
    assert len(book) == len(table) > 2
    assert book[0] == table[0]
    for in_book, in_csv in zip(book[1:], table[1:], strict=True):
        assert in_book[:3] == in_csv[:3]
        assert [cell if cell == "" else Decimal(str(cell)) for cell in in_book[3:]] == [c and Decimal(c) for c in in_csv[3:]]


def test_a_workbook_says_what_it_holds_and_totals_say_what_is_left_out(api, database):
    history(database)
    with database.unit_of_work() as session:
        monitor = make_user(session, Role.MONITOR)
    client = api.as_(monitor)
    client.headers["Accept-Language"] = "zh"
    params = {"from": "2026-01-01", "to": "2026-03-31", "known_on": "2026-11-01", "compare": "last_year", "group_by": "category"}
    params |= {"channel": ["market", "east_west"], "sort": "amount", "top": 1, "measure": "amount"}
    answer = client.get("/v1/statistics/sales", params=params).json()
    assert answer["filters"] == {"channel": ["market", "east_west"]}
    assert answer["row_count"] > 1
    book = CalamineWorkbook.from_filelike(
        io.BytesIO(client.get("/v1/statistics/sales", params={**params, "format": "xlsx"}).content)
    )
    assert book.sheet_names == ["销售统计", "说明"]
    about = {row[0]: row[1] for row in book.get_sheet_by_name("说明").to_python()[1:]}
    assert (about["期间"], about["对比期"]) == ("2026-01-01 … 2026-03-31", "2025-01-01 … 2025-03-31")
    assert about["筛选"] == "销售渠道: market, east_west"
    assert about["仅含截至该日终了时已入账的销售"] == "2026-11-01"
    assert about["行数"] == f"列出 1 行，全部 {answer['row_count']} 行；合计为全部"
    assert about["口径"] == answer["definition"]
    assert about["销售额（元）"] == answer["definitions"]["amount"]
    total = f"合计（全部 {answer['row_count']} 行，其中 {answer['row_count'] - 1} 行未列出）"
    assert book.get_sheet_by_index(0).to_python()[-1][0] == total
    table = client.get("/v1/statistics/sales", params={**params, "format": "csv"}).content.decode("utf-8-sig")
    assert list(csv.reader(io.StringIO(table)))[-1][0] == total
    assert len(table.splitlines()) == 3


@pytest.mark.parametrize("language", ["zh", "en"])
def test_csv_opens_in_a_spreadsheet(api, database, language):
    trade = history(database)
    with database.unit_of_work() as session:
        session.execute(
            text("UPDATE organisation SET name = '=HYPERLINK(\"http://x\")' WHERE id = :id"), {"id": trade.goods[0].supplier.id}
        )
        monitor = make_user(session, Role.MONITOR)
    params = {"from": "2026-01-01", "group_by": ["supplier", "month"], "compare": "last_year", "format": "csv"}
    response = api.as_(monitor).get("/v1/statistics/sales", params=params, headers={"Accept-Language": language})
    assert response.headers["content-type"] == "text/csv; charset=utf-8"
    assert "sales_2026-01-01_2026-11-23.csv" in response.headers["content-disposition"]
    assert response.content.startswith(b"\xef\xbb\xbf")
    header, *rows, total = csv.reader(io.StringIO(response.content.decode("utf-8-sig")))
    assert header[:4] == (
        ["供应商代码", "供应商", "月份", "销售额（元）"]
        if language == "zh"
        else ["Supplier code", "Supplier", "Month", "Sales (yuan)"]
    )
    assert {len(row) for row in rows} == {len(header)} == {len(total)}
    assert any(row[1] == '\'=HYPERLINK("http://x")' for row in rows)
    assert not any(cell.startswith(("=", "+", "@")) for row in rows for cell in row)
    assert sum(Decimal(row[3]) for row in rows) == Decimal(total[3])
    assert total[0] in ("合计", "Total")


@pytest.mark.parametrize(
    "params",
    [
        {"group_by": "weather"},
        {"measure": "happiness"},
        {"compare": "last_week"},
        {"format": "xml"},
        {"from": "2026-02-01", "to": "2026-01-01"},
        {"to": "9999-12-31"},
        {"from": "1999-12-31"},
        {"channel": "x"},
        {"supplier": "-1"},
        {"district": "500236\x00"},
        {"from": "2026-11-24", "compare": "last_year"},
        {"from": "2026-06-01", "known_on": "2026-05-31", "compare": "last_period"},
    ],
)
def test_bad_questions_are_refused(api, database, params):
    with database.unit_of_work() as session:
        user = make_user(session, Role.MONITOR)
    response = api.as_(user).get("/v1/statistics/sales", params=params)
    assert response.status_code == 422, response.text


#: Codes that nothing has.
_UNKNOWN = {
    "district": "999999",
    "township": "500236999",
    "village": "999999/三岔村",
    "buyer_region": "999999",
    "category": "fruits",
    "product": 999999999,
    "supplier": 999999999,
    "buyer": 999999999,
    "outlet": 999999999,
}


def test_a_code_that_nothing_has_is_refused_and_does_not_read_as_no_sales(api, database):
    with database.unit_of_work() as session:
        user = make_user(session, Role.MONITOR)
    client = api.as_(user)
    # the city, and cities elsewhere, are no districts
    more = (("district", "500000"), ("district", "370000"), ("village", "500236T01/没有这村"))
    for name, code in (*_UNKNOWN.items(), *more):
        asked = [client.get(path, params={name: code}) for path in ("/v1/statistics/sales", "/v1/sale-entries")]
        for kind in ("sales", "entries"):
            body = {"kind": kind, "format": "csv", "parameters": {name: [code]}}
            asked.append(client.post("/v1/exports", json=body))
        for answer in asked:
            assert answer.status_code == 422, (name, answer.text)
            [fault] = answer.json()["errors"]
            assert (fault["field"], fault["code"]) == (name, "unknown_code")
    for day in ("2026-11-24", "9999-12-31"):
        answer = client.get("/v1/statistics/sales", params={"known_on": day})
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "known_on")
    assert client.get("/v1/statistics/sales", params={"known_on": "2026-11-23"}).status_code == 200


def test_a_village_is_known_by_a_sale_a_product_or_the_list(api, database):
    with database.unit_of_work() as session:
        trade = make_trade(session)
        origin = text("UPDATE product SET township_code = '500236T01', village = :name")
        session.execute(origin, {"name": "卖过村"})
        sell(session, trade, 3, first=date(2026, 3, 1), last=date(2026, 3, 2))
        session.execute(origin, {"name": "产品村"})
        session.execute(
            text("INSERT INTO poor_village (township_code, name, valid_from) VALUES ('500236T01', '名单村', '2014-01-01')")
        )
        monitor = make_user(session, Role.MONITOR)
    client = api.as_(monitor)

    def status(village):
        return client.get("/v1/statistics/sales", params={"village": f"500236T01/{village}"}).status_code

    asked = ("卖过村", "产品村", "名单村", "无名村")
    assert [status(village) for village in asked] == [200, 200, 200, 422], "a sale that no rollup holds yet"
    actions.rebuild(database)
    assert [status(village) for village in asked] == [200, 200, 200, 422]


def test_a_code_of_any_programme_of_the_period_is_known(api, database):
    """Also of one that began and ended between its first and its last day."""
    with database.unit_of_work() as session:
        user = make_user(session, Role.MONITOR)
        session.execute(text("UPDATE programme SET valid_to = '2023-01-01' WHERE valid_to IS NULL"))
        session.execute(
            text(
                """
                INSERT INTO programme (code, name_zh, name_en, valid_from, valid_to, config)
                SELECT 'between', 'x', 'x', CAST('2023-01-01' AS date), CAST('2024-01-01' AS date),
                       jsonb_set(config, '{terms,category,wax}', '{"zh": "蜡", "en": "Wax"}') FROM programme WHERE valid_to = '2023-01-01'
                UNION ALL SELECT 'after', 'x', 'x', CAST('2024-01-01' AS date), NULL, config FROM programme WHERE valid_to = '2023-01-01'
                """
            )
        )
    client = api.as_(user)
    for first, last, status in (
        ("2022-12-31", "2024-01-01", 200),
        ("2023-12-31", "2024-01-01", 200),
        ("2022-01-01", "2022-12-31", 422),
        ("2024-01-01", "2024-12-31", 422),
        ("2019-01-01", "2019-12-31", 200),
    ):
        answer = client.get("/v1/statistics/sales", params={"category": "wax", "from": first, "to": last})
        assert answer.status_code == status, (first, last, answer.text)


def test_a_file_of_a_period_that_ends_before_it_begins_is_refused_when_it_is_asked_for(api, database):
    with database.unit_of_work() as session:
        user = make_user(session, Role.MONITOR)
    for kind in ("sales", "entries"):
        body = {"kind": kind, "format": "csv", "parameters": {"from": "2026-02-01", "to": "2026-01-01"}}
        assert api.as_(user).post("/v1/exports", json=body).json()["code"] == "period_backwards"


def test_single_sales_say_to_which_regions_they_are_limited(api, database):
    history(database)
    with database.unit_of_work() as session:
        here = make_user(session, Role.MONITOR, region_code="500240")
        seller = make_user(session, Role.SUPPLIER_STAFF, make_trade(session).goods[0].supplier)
    params = {"from": "2024-01-01", "district": "500236"}
    elsewhere = api.as_(here).get("/v1/sale-entries", params=params, headers={"Accept-Language": "zh"}).json()
    assert (elsewhere["items"], elsewhere["scope"]) == ([], ["500240"])
    assert "列表为空不表示没有销售" in elsewhere["scope_note"]
    for client in (signed_in(api, Role.MONITOR), api.as_(seller)):
        everything = client.get("/v1/sale-entries", params={"from": "2024-01-01"}).json()
        assert (everything["scope"], everything["scope_note"]) == (None, None)


def test_someone_without_region_and_organisation_sees_nothing(api, database):
    with database.unit_of_work() as session:
        user = make_user(session, Role.SUPPLIER_STAFF)
    assert api.as_(user).get("/v1/statistics/sales").status_code == 403
    assert api.as_(user).get("/v1/sale-entries").status_code == 403


def test_before_the_first_programme_codes_stand_for_themselves(api, database):
    with database.unit_of_work() as session:
        monitor = make_user(session, Role.MONITOR)
    answer = api.as_(monitor).get("/v1/statistics/sales", params={"to": "2019-12-31", "group_by": "mode"})
    assert answer.status_code == 200
    assert same_period_last_year(date(2020, 1, 1), date(2020, 12, 31)) == (date(2019, 1, 1), date(2019, 12, 31))
