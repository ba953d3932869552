"""How far units are: live, by fund, each purchase counted with one unit, in the order of the rank."""

import csv
import io
import random
from collections import defaultdict
from datetime import date

import pytest
from sqlalchemy import text

from orders.ledger.actions import reverse
from orders.reserved_share import rules
from orders.statistics import actions as statistics
from shop.core.audit import SYSTEM
from shop.identity.permissions import Role
from tests.factories.identity import make_organisation, make_user
from tests.factories.ledger import make_trade, sell
from tests.orders.reserved_share.conftest import code


def funds(progress):
    return {fund["fund_source"]: fund["amount"] for fund in progress["by_fund"]}


@pytest.mark.slow
def test_only_what_is_eligible_and_accepted_counts_live_and_by_fund(scene):
    scene.accept_share("first", scene.first, base="10000.00")
    scene.buy("first_buyer", 2)  # 2 × 69.90 of Fengjie
    scene.buy("first_buyer", None, 1, 1, fund="union")  # honey 150.00, and a service
    scene.buy("first_buyer", None, None, None, 3)  # certified, of no county that counts
    scene.order("first_buyer", 5)  # open
    scene.order("first_buyer", 5, fund="union")
    share = scene.get("first").json()
    progress = share["progress"]
    assert (progress["reserved"], progress["done"], progress["missing"], progress["rate"]) == (
        "1000.00",
        "139.80",
        "860.20",
        "13.98",
    )
    assert funds(progress) == {"canteen": "139.80", "union": "150.00", "welfare": "0.00", "other": "0.00"}
    assert {fund["fund_source"] for fund in progress["by_fund"] if fund["counted"]} == {"canteen"}
    assert progress["certified_not_eligible"] == "468.00"  # 300.00, and the service of 168.00
    assert share["open_orders"] == "349.50"
    assert progress["forecast_method"] == "linear"
    assert progress["forecast"] == "836.51"  # 139.80 in 61 of 365 days
    # the very next sale is in it; so is a correction
    scene.buy("first_buyer", 1)
    live = scene.get("first").json()["progress"]
    assert live["done"] == "209.70"
    with scene.database.unit_of_work() as session:
        assert statistics.refresh(session) > 0
    assert scene.get("first").json()["progress"] == live
    with scene.database.unit_of_work() as session:
        reverse(session, SYSTEM, session.execute(text("SELECT max(id) FROM sale_entry")).scalar_one(), reason="退货")
    assert scene.get("first").json()["progress"]["done"] == "139.80"


def test_who_shares_a_canteen_is_counted_with_the_reporting_unit_only(scene):
    scene.accept_share("second", scene.second, base="10000.00")
    scene.buy("first_buyer", 1)
    scene.buy("second_buyer", 2)
    assert scene.get("second").json()["progress"]["done"] == "139.80"
    body = {
        "base": "0",
        "percent": "0",
        "exemption": "shared_canteen",
        "exemption_reason": "合用",
        "shared_with_id": scene.second.id,
    }
    scene.put("first", **body)
    scene.file("first")
    assert scene.get("second").json()["progress"]["done"] == "139.80"  # not before it is accepted
    scene.review("department", scene.first)
    scene.order("first_buyer", 1)
    reporting, shared = scene.get("second").json(), scene.get("first").json()
    assert (reporting["progress"]["done"], reporting["progress"]["own_eligible"], reporting["open_orders"]) == (
        "209.70",
        "139.80",
        "69.90",
    )
    assert (shared["progress"]["done"], shared["progress"]["own_eligible"], shared["open_orders"]) == ("0.00", "69.90", "0.00")
    totals = scene.listed("department").json()["totals"]
    assert (totals["done"], totals["done_of_reserved"], totals["rate"], totals["exempt"]) == ("209.70", "209.70", "20.97", 1)


def test_the_department_sees_all_units_by_rank(scene):
    scene.accept_share("first", scene.first, base="1000.00")
    scene.accept_share("second", scene.second, base="10000.00")
    scene.buy("first_buyer", 1)
    scene.buy("second_buyer", 1)
    scene.put("department", base="5.00")
    listed = scene.listed("department").json()
    rows = [(row["unit_id"], row["rank"], row["status"], row["progress"]["rate"]) for row in listed["items"]]
    assert rows == [
        (scene.first.id, 1, "accepted", "69.9"),
        (scene.second.id, 2, "accepted", "6.99"),
        (scene.department.id, None, "draft", None),
    ]
    assert listed["items"][2]["base"] is None  # a draft is nobody else's business
    totals = listed["totals"]
    assert (totals["units"], totals["accepted"], totals["reserved"], totals["done"], totals["rate"]) == (
        3,
        2,
        "1100.00",
        "139.80",
        "12.7",
    )
    assert [row["unit_id"] for row in scene.listed("second").json()["items"]] == [scene.second.id]
    assert len(scene.listed("county").json()["items"]) == 4
    assert scene.listed("county", district="500112").json()["totals"]["units"] == 0
    assert len(scene.listed("monitor").json()["items"]) == 5
    assert [row["unit_id"] for row in scene.listed("department", status="draft").json()["items"]] == [scene.department.id]
    assert scene.listed("department", status="missing").json()["items"] == []
    assert scene.listed("department", state="draft").status_code == 422
    assert code(scene.listed("department", after="x")) == (422, "invalid")
    # pages show each unit once and the totals of all
    seen, after = [], None
    while True:
        page = scene.listed("county", limit=1, **({"after": after} if after else {})).json()
        assert page["totals"]["units"] == 4
        seen += [row["unit_id"] for row in page["items"]]
        after = page["next"]
        if after is None:
            break
    assert seen == [row["unit_id"] for row in scene.listed("county").json()["items"]]


def test_what_a_few_units_reserve_lights_no_target(scene):
    def read():
        asked = {"measure": "reserved_share", "programme": "chongqing-2021"}
        [target] = scene["city"].get("/v1/targets", params=asked).json()["items"]
        [shown] = [each for each in scene["city"].get("/v1/statistics/overview").json()["targets"] if each["id"] == target["id"]]
        progress = target["progress"]
        assert {name: shown[name] for name in ("done", "counted", "units", "light")} == {
            name: progress[name] for name in ("done", "counted", "units", "light")
        }
        return tuple(progress[name] for name in ("done", "counted", "units", "forecast", "forecast_method", "light"))

    assert read() == (None, 0, 5, None, None, "none")
    scene.accept_share("first", scene.first, percent="12.5")
    assert read() == ("12.5", 1, 5, "12.5", "counted", "none")
    file = scene["city"].get(
        "/v1/targets/export", params={"measure": "reserved_share", "programme": "chongqing-2021", "format": "csv"}
    )
    told = dict(zip(*csv.reader(io.StringIO(file.content.decode("utf-8-sig"))), strict=True))
    assert (told["counties or units counted"], told["counties to report"], told["units to file"]) == ("1", "", "5")
    scene.put("second", base="0", percent="0", exemption="no_canteen", exemption_reason="无食堂")  # who is exempt has filed
    scene.file("second")
    scene.review("department", scene.second)
    with scene.database.unit_of_work() as session:  # who is not approved any more is not asked; what it filed stands
        session.execute(text("UPDATE organisation SET status = 'suspended' WHERE id = :id"), {"id": scene.alone.id})
    assert read()[1:3] == (2, 4)
    with scene.database.unit_of_work() as session:
        session.execute(
            text("DELETE FROM organisation_role WHERE organisation_id NOT IN (:first, :second)"),
            {"first": scene.first.id, "second": scene.second.id},
        )
    assert read() == ("12.5", 2, 2, "12.5", "level", "green")


@pytest.fixture
def city(api, database, on):
    """Units with random purchases in two years and random shares."""
    on(2026, 9, 15)
    chance = random.Random(7)
    with database.unit_of_work() as session:
        trade = make_trade(session)
        head = make_organisation(session, kind="agency", role="budget_unit")
        trade.buyers = [
            *(make_organisation(session, kind="school", role="school", parent=head) for _ in range(8)),
            make_organisation(session, kind="hospital", role="hospital"),
        ]
        sell(session, trade, 150, first=date(2025, 1, 5), last=date(2026, 9, 15))
        # some are in the sums of the year, some wait
        assert statistics.refresh(session, limit=80) == 80
        clerk = trade.clerk.id
        for unit in trade.buyers[:6]:
            accepted = {
                "unit": unit.id,
                "base": chance.randint(1, 10**6),
                "bp": 1000,
                "user": clerk,
                "exemption": None,
                "with": None,
            }
            if unit in trade.buyers[4:6]:
                accepted |= {"exemption": "shared_canteen", "with": trade.buyers[0].id}
            accepted["reserved"] = 0 if accepted["exemption"] else rules.Content(accepted["base"], 1000).reserved_fen
            content = ":base, :bp, :reserved, :exemption, CASE WHEN :with IS NOT NULL THEN '合用' END, CAST(:with AS bigint)"
            columns = "base_fen, percent_bp, reserved_fen, exemption, exemption_reason, shared_with_id"
            made = session.execute(
                text(
                    f"INSERT INTO reserved_share (organisation_id, year, {columns}, status, number, accepted_number)"
                    f" VALUES (:unit, 2026, {content.replace(':with IS', 'CAST(:with AS bigint) IS')}, 'accepted', 1, 1) RETURNING id"
                ),
                accepted,
            ).scalar_one()
            session.execute(
                text(
                    f"INSERT INTO reserved_share_revision (reserved_share_id, number, {columns}, filed_by, filed_at)"
                    f" VALUES (:id, 1, {content.replace(':with IS', 'CAST(:with AS bigint) IS')}, :user, now())"
                ),
                {**accepted, "id": made},
            )
        monitor = make_user(session, Role.MONITOR)
    return trade, api.as_(monitor)


def yuan(fen):
    return f"{fen // 100}.{fen % 100:02d}"


@pytest.mark.slow
def test_every_figure_is_the_sum_of_its_entries(city, database):
    """The statement against the same told entry by entry; and any set of units against the sums of its rows."""
    trade, monitor = city
    with database.unit_of_work() as session:
        entries = session.execute(text("SELECT * FROM sale_entry WHERE sold_on >= '2025-01-01'")).all()
    reporter = {trade.buyers[4].id: trade.buyers[0].id, trade.buyers[5].id: trade.buyers[0].id}
    done, by_fund, before = defaultdict(int), defaultdict(int), defaultdict(lambda: [0, 0])
    for entry in entries:
        unit = reporter.get(entry.buyer_id, entry.buyer_id)
        if not entry.reserved_share_eligible:
            continue
        if entry.sold_on.year == 2026:
            by_fund[unit, entry.fund_source] += entry.amount_fen
            done[unit] += entry.amount_fen if entry.fund_source == "canteen" else 0
        elif entry.fund_source == "canteen":
            before[unit][0] += entry.amount_fen
            before[unit][1] += entry.amount_fen if entry.sold_on <= date(2025, 9, 15) else 0
    listed = monitor.get("/v1/reserved-shares", params={"year": 2026}).json()
    rows = {row["unit_id"]: row for row in listed["items"]}
    assert set(rows) >= {unit.id for unit in trade.buyers}
    for unit_id, row in rows.items():
        progress = row["progress"]
        assert progress["done"] == yuan(done[unit_id])
        assert funds(progress) == {fund: yuan(by_fund[unit_id, fund]) for fund in ("canteen", "union", "welfare", "other")}
        foreseen = rules.forecast(done[unit_id], 258, 365, *before[unit_id])
        assert (progress["forecast"], progress["forecast_method"]) == (yuan(foreseen.done_fen), foreseen.method)
        if progress["reserved"] not in (None, "0.00"):
            reserved = int(progress["reserved"].replace(".", ""))
            assert progress["rate"] == rules.percent(rules.rate_bp(done[unit_id], reserved))
            assert progress["behind"] == rules.is_behind(done[unit_id], reserved, 258, 365) == ("behind" in row["lacks"])
    assert listed["totals"]["done"] == yuan(sum(done.values()))
    quota = [row["progress"] for row in rows.values() if row["rank"]]
    parts = [sum(int(each[name].replace(".", "")) for each in quota) for name in ("done", "reserved")]
    assert (listed["totals"]["done_of_reserved"], listed["totals"]["reserved"]) == (yuan(parts[0]), yuan(parts[1]))
    assert listed["totals"]["rate"] == rules.percent(rules.rate_bp(*parts))
    ranks = [row["rank"] for row in listed["items"] if row["rank"]]
    assert ranks == sorted(ranks)
    assert ranks[0] == 1
    # of one unit the same is told
    for unit in (trade.buyers[0], trade.buyers[4], trade.buyers[7]):
        one = monitor.get("/v1/reserved-shares/2026", params={"unit_id": unit.id}).json()
        assert one["progress"] == rows[unit.id]["progress"]


@pytest.mark.slow
def test_a_year_that_is_over_is_not_foreseen(city):
    _, monitor = city
    listed = monitor.get("/v1/reserved-shares", params={"year": 2025}).json()
    for row in listed["items"]:
        assert row["progress"]["forecast"] == row["progress"]["done"]
        assert row["progress"]["forecast_method"] == "final"
