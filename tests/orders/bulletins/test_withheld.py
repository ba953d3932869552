"""A figure whose grade is too low stays out of the bulletin, until a named person explains it."""

import json
from dataclasses import replace

import pytest
from sqlalchemy import text

from orders.bulletins.queries import facts
from orders.bulletins.queries.facts import MonthDays
from shop.programmes.reporting import GradingRules
from tests.factories.figures import count_at, make_operator
from tests.factories.ledger import sell
from tests.orders.bulletins.conftest import FIRST, LAST, MONTH, code, public_file, totals
from tests.orders.bulletins.test_revisions import check

DISTRICT = "500118"


@pytest.fixture
def doubted(scene):
    """What one district sold came without papers, as if it were of an old list."""
    with scene.database.unit_of_work() as session:
        session.execute(text("ALTER TABLE sale_entry DISABLE TRIGGER USER"))
        session.execute(
            text("UPDATE sale_entry SET origin_kind = 'history' WHERE district_code = :code AND reverses_id IS NULL"),
            {"code": DISTRICT},
        )
        session.execute(text("ALTER TABLE sale_entry ENABLE TRIGGER USER"))
    return scene


def grade_of(scene, district, who="monitor"):
    found = scene[who].get(scene.close_path("/grades")).json()["districts"]
    return next(row for row in found if row["district"] == district)


def of_papers(session):
    return facts.evidence(session, MonthDays.of(MONTH), {})


def signals(session):
    return facts.signals(session, MonthDays.of(MONTH), {}, GradingRules())


def test_it_is_in_no_figure_of_the_bulletin(doubted, api):
    row = grade_of(doubted, DISTRICT)
    assert (row["grade"]["letter"], row["published"]) == ("D", False)
    said = doubted.published()["content"]
    assert [each["code"] for each in said["withheld"]] == [DISTRICT]
    assert DISTRICT not in [each["code"] for each in said["districts"]]
    statement = "SELECT sum(amount_fen)::bigint FROM sale_entry WHERE sold_on BETWEEN :first AND :last AND district_code <> :code"
    assert totals(said)["amount_fen"] == doubted.sum(statement, first=FIRST, last=LAST, code=DISTRICT)
    for section in ("channels", "sources", "categories"):
        assert sum(row["figures"]["now"]["amount_fen"] for row in said[section]) == totals(said)["amount_fen"]
    own = doubted.sum(
        "SELECT sum(amount_fen)::bigint FROM sale_entry WHERE month = :first AND district_code = :code", first=FIRST, code=DISTRICT
    )
    public = public_file(api, "2026-01", "json").text
    assert str(own) not in public
    assert "核实中，未公布" in public_file(api, "2026-01", "html").text


def test_who_explains_it_brings_it_into_the_bulletin_with_a_note(doubted, api):
    assert code(doubted.explain_figure(DISTRICT, "county")) == (403, "forbidden")
    assert code(doubted.explain_figure("500236")) == (409, "nothing_to_explain")
    assert doubted.explain_figure(DISTRICT).status_code == 201
    row = grade_of(doubted, DISTRICT)
    assert (row["published"], row["explanation"]) == (True, "已与网点台账逐笔核对")
    said = doubted.published()["content"]
    assert said["withheld"] == []
    assert [note["explanation"] for note in said["notes"]] == ["已与网点台账逐笔核对"]
    assert "已与网点台账逐笔核对" in public_file(api, "2026-01", "html").text


@pytest.mark.slow
def test_explained_after_the_publication_it_comes_with_a_revision(doubted, on):
    before = doubted.published()
    on(2026, 10, 20)
    doubted.explain_figure(DISTRICT)
    doubted.tell_late(goods=next(n for n, each in enumerate(doubted.trade.goods) if each.district == DISTRICT))
    drafted = doubted.revise().json()
    lines = doubted.changes(drafted)
    assert {(line["cause"], line["district"]) for line in lines} == {("verified", DISTRICT), ("late", DISTRICT)}
    assert len([line for line in lines if line["cause"] == "verified"]) == len(
        doubted.entries(f"month = '{FIRST}' AND district_code = '{DISTRICT}'")
    )
    after = drafted["content"]
    told = after["revision"]["total"]
    difference = totals(after)["amount_fen"] - totals(before["content"])["amount_fen"]
    assert told["total"]["amount_fen"] == difference == told["verified"]["amount_fen"] + told["late"]["amount_fen"]
    assert DISTRICT in [row["code"] for row in after["districts"]]
    published = doubted.publish(drafted).json()
    # what comes after that is told as of any other district
    doubted.reverse(doubted.of_month(f"district_code = '{DISTRICT}'")[0].id)
    third = doubted.revise().json()
    check(published["content"], third["content"], doubted.changes(third))


def test_more_sold_than_a_certificate_was_given_for_lowers_the_grade(scene):
    before = grade_of(scene, "500236")["grade"]["letter"]
    with scene.database.unit_of_work() as session:
        session.execute(text("UPDATE certificate SET annual_capacity_kg = 1 WHERE district_code = '500236'"))
    after = grade_of(scene, "500236")["grade"]
    assert "over_capacity" in [reason["code"] for reason in after["reasons"]]
    assert after["letter"] > before


def test_papers_and_capacity_are_looked_at_of_what_counts(scene):
    """Goods that are sold on count once: beside its sale to the last buyer, what the operator bought fills no capacity and needs no paper."""
    with scene.database.unit_of_work() as session:
        count_at(session, "final_sale")
        before = of_papers(session)
        operator = scene.trade.buyers[0]
        make_operator(session, operator)
        sell(session, replace(scene.trade, buyers=[operator]), 8, first=FIRST, last=LAST, seed=7)
        assert session.execute(text("SELECT count(*) FROM sale_entry WHERE NOT counted")).scalar_one() > 0
        assert of_papers(session) == before
        grams = (
            "SELECT certificate_id AS id, sum(grams) AS grams FROM sale_entry WHERE counted AND month >= '2026-01-01' GROUP BY 1"
        )
        fitting = f"UPDATE certificate c SET annual_capacity_kg = ceil(e.grams / 1000.0) FROM ({grams}) e WHERE e.id = c.id"
        session.execute(text(fitting))
        assert {each.over_capacity for each in signals(session).values()} <= {0}
        session.execute(text("UPDATE certificate SET annual_capacity_kg = 1"))
        assert sum(each.over_capacity for each in signals(session).values()) > 0


def test_a_day_that_repeats_another_days_lines_lowers_the_grade(scene):
    for day in (3, 10):
        lines = [scene.tell_late(day, amount_fen=1_000 + n) for n in range(3)]
        with scene.database.unit_of_work() as session:
            session.execute(text("UPDATE sales_batch_line SET goods_id = 'G' || amount_fen WHERE id = ANY (:ids)"), {"ids": lines})
    district = scene.trade.goods[0].district
    found = grade_of(scene, district)
    assert "copied_batches" in [reason["code"] for reason in found["grade"]["reasons"]]
    assert [(each["day"], each["same_as"]) for each in found["copied_days"]] == [
        ("2026-09-03", ["2026-09-10"]),
        ("2026-09-10", ["2026-09-03"]),
    ]
    for each in found["copied_days"]:
        for path in each["batches"]:
            assert scene["monitor"].get(path).json()["outlet_id"] == each["outlet_id"]
    # whose district it is not is told of its grade, not of its outlets
    assert grade_of(scene, district, "other" if district == "500236" else "county")["copied_days"] == []


def test_invoiced_and_paid_is_better_proven_than_only_accepted(scene):
    district = "500240"
    before = grade_of(scene, district)["grade"]["points"]
    with scene.database.unit_of_work() as session:
        session.execute(text("SET session_replication_role = replica"))
        session.execute(
            text(
                "INSERT INTO invoice_line (invoice_id, line_no, kind, supplier_order_id, sale_entry_id, acceptance_id, order_line_id, name,"
                " quantity, unit, unit_price_fen, amount_fen, vat_bp, vat_fen, returned_quantity, returned_fen, reduced_fen)"
                " SELECT e.id, 1, 'goods', e.supplier_order_id, e.id, a.acceptance_id, a.order_line_id, '脐橙', e.quantity, '箱', 1, e.amount_fen, 900,"
                " round(e.amount_fen::numeric * 900 / 10900), 0, 0, 0 FROM sale_entry e JOIN acceptance_line a ON a.id = e.origin_id"
                " WHERE e.district_code = :code AND e.month = :first AND e.origin_kind = 'acceptance_line'"
            ),
            {"code": district, "first": FIRST},
        )
        session.execute(
            text(
                "INSERT INTO payment_due (purchase_order_id, supplier_order_id, position, counted_from, amount_fen, paid_fen)"
                " SELECT DISTINCT ON (supplier_order_id) order_id, supplier_order_id, supplier_order_id, 'acceptance', 1, 1 FROM sale_entry"
                " WHERE district_code = :code AND month = :first"
            ),
            {"code": district, "first": FIRST},
        )
    after = grade_of(scene, district)["grade"]
    assert (before, after["points"], after["letter"]) == (70, 100, "A")


def test_a_grade_names_its_reasons_in_both_languages(scene):
    reasons = grade_of(scene, "500236")["grade"]["reasons"]
    assert reasons[0]["code"] == "evidence"
    assert json.dumps(reasons, ensure_ascii=False).count("凭证") >= 1
