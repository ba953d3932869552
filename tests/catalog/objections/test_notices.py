"""Public notices as everybody reads them, without signing in."""

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import text

from shop.core import clock
from shop.core.paging import cursor
from tests.catalog.objections.conftest import LAST_DAY, MONDAY, OVER, code
from tests.factories.catalog import make_product
from tests.factories.certification import make_case
from tests.factories.identity import make_supplier


def listed(square, **filters):
    answer = square.office.api.get("/v1/public/notices", params=filters)
    assert answer.status_code == 200, answer.text
    return answer.json()


def ids(square, **filters):
    return [row["case_id"] for row in listed(square, **filters)["items"]]


def read(square, case_id, language="en"):
    return square.office.api.get(f"/v1/public/notices/{case_id}", headers={"Accept-Language": language})


def test_everybody_reads_what_is_to_be_certified(square):
    case_id = square.notice(comparable_price_on=date(2026, 11, 3), township_code="500236T01")
    [row] = listed(square)["items"]
    assert {
        "case_id": case_id,
        "kind": "initial",
        "product_kind": "goods",
        "category": "fruit",
        "district_code": "500236",
        "annual_capacity_kg": 600_000,
        "households": None,
        "households_band": "80–89",
        "persons": None,
        "persons_band": "270–279",
        "linkage": "订单收购",
        "linkage_modes": ["purchase_contract"],
        "comparable_price": "69.90",
        "comparable_pack_grams": 5000,
        "comparable_price_source": "县城三家超市均价",
        "comparable_price_on": "2026-11-03",
        "comparable_price_per_kg": "13.98",
        "packs": [
            {"pack": "5kg/箱", "net_grams": 5000, "highest_price": "69.90", "price_per_kg": "13.98", "above_comparable": False}
        ],
        "notice_from": "2026-11-23",
        "notice_last_day": "2026-11-30",
        "running": True,
        "objections": 0,
    }.items() <= row.items()
    assert row["supplier_name"] == square.office.supplier.name
    assert row["supplier_uscc"] == square.office.supplier.uscc
    assert row["township_name"]
    whole = read(square, case_id).json()
    assert row.items() <= whole.items()


def test_everybody_reads_the_price_of_each_pack_beside_that_of_comparable_goods(square):
    case_id = square.notice(comparable_price_fen=1300, comparable_pack_grams=1000)
    with square.office.database.unit_of_work() as session:
        session.execute(
            text(
                "WITH added AS (INSERT INTO sku (product_id, code, pack, unit, net_grams, step, min_quantity, vat_bp, status)"
                " SELECT product_id, 'KG', '散装', 'kg', 1000, 1, 1, 0, 'active'"
                " FROM certification_case WHERE id = :id RETURNING id) INSERT INTO price_tier (sku_id, min_quantity, unit_price_fen)"
                " SELECT id, 1, 9900 FROM added"
            ),
            {"id": case_id},
        )
    whole = read(square, case_id).json()
    assert whole["packs"] == listed(square)["items"][0]["packs"]
    assert [(each["pack"], each["highest_price"], each["price_per_kg"], each["above_comparable"]) for each in whole["packs"]] == [
        ("5kg/箱", "69.90", "13.98", False),
        ("散装", "99.00", "99.00", True),
    ]
    assert whole["comparable_price_per_kg"] == "13.00"
    assert "price" not in whole
    assert "until 2026-11-30" in whole["how_to_object"]
    assert f"/v1/public/notices/{case_id}/objections" in whole["how_to_object"]
    assert "within 10 working days" in whole["how_to_object"]


def test_names_and_words_are_in_the_readers_language(square):
    case_id = square.notice()
    chinese, english = (read(square, case_id, language).json() for language in ("zh", "en"))
    assert (chinese["district_name"], "可于 2026-11-30" in chinese["how_to_object"]) == ("奉节县", True)
    assert english["district_name"].startswith("Fengjie")


def test_nothing_but_the_notice_is_shown(square):
    case_id = square.notice(decision_reason="内部意见")
    shown = read(square, case_id).json()
    assert not {"supplier_id", "claimed_by", "steps", "documents", "opinions", "corrections", "decision_reason"} & shown.keys()
    assert "内部意见" not in str(shown)


def test_a_notice_runs_from_its_first_to_its_last_day(square):
    case_id = square.notice()
    for moment, running in {
        clock.start_of_day(MONDAY) - timedelta(seconds=1): False,
        clock.start_of_day(MONDAY): True,
        clock.end_of_day(LAST_DAY) - timedelta(seconds=1): True,
        clock.end_of_day(LAST_DAY): False,
    }.items():
        with clock.fixed(moment):
            assert (case_id in ids(square)) is running, moment


def test_ended_notices_are_shown_for_ninety_days(square):
    case_id = square.notice()
    with clock.fixed(clock.start_of_day(OVER)):
        assert ids(square) == []
        [row] = listed(square, running=False)["items"]
        assert (row["case_id"], row["running"]) == (case_id, False)
        assert "ended" in read(square, case_id).json()["how_to_object"]
    with clock.fixed(clock.start_of_day(OVER + timedelta(days=90))):
        assert ids(square, running=False) == []
        assert code(read(square, case_id)) == (404, "not_found")


@pytest.mark.parametrize("status", ["draft", "county_review", "returned", "rejected", "withdrawn"])
def test_what_is_not_before_the_public_is_not_shown(square, status):
    case_id = square.office.case(status, notice_from=MONDAY, notice_until=OVER)
    with clock.fixed(clock.start_of_day(OVER)):
        assert (ids(square), ids(square, running=False)) == ([], [])
        assert code(read(square, case_id)) == (404, "not_found")


def test_a_change_shows_what_it_would_change(square):
    made = square.office.product(certified=True)
    tiers = [["1", 8800], ["100", 8050]]
    with square.office.database.unit_of_work() as session:
        shared = {"certificate_id": made.certificate_id, "notice_from": MONDAY, "notice_until": OVER}
        prices = {"sku_id": made.sku_id, "sku_code": "X1", "pack": "5kg/箱", "tiers": tiers}
        price = make_case(session, made.product_id, "public_notice", "price", proposed=prices, **shared)
    assert read(square, price).json()["proposed"] == {
        "sku_code": "X1",
        "pack": "5kg/箱",
        "tiers": [{"min_quantity": "1", "unit_price": "88.00"}, {"min_quantity": "100", "unit_price": "80.50"}],
    }
    assert read(square, square.notice()).json()["proposed"] is None


def test_notices_are_found_by_place_category_and_name(square):
    fruit = square.notice()
    with square.office.database.unit_of_work() as session:
        supplier = make_supplier(session, "500240")
        made = make_product(session, supplier, name="石柱黄连", category="tcm", certified=False)
        herb = make_case(session, made.product_id, "public_notice", notice_from=MONDAY, notice_until=OVER)
    assert ids(square) == [herb, fruit]
    assert ids(square, district="500240") == ids(square, category="tcm") == ids(square, q="黄连") == [herb]
    assert ids(square, q=square.office.supplier.name) == [fruit]
    assert ids(square, q="%") == []


def test_the_list_is_paged_without_gaps(square):
    made = [square.notice() for _ in range(5)]
    seen, after = [], None
    while True:
        page = listed(square, limit=2, **({"after": after} if after else {}))
        seen += [row["case_id"] for row in page["items"]]
        if (after := page["next"]) is None:
            break
    assert seen == made[::-1]


@pytest.mark.parametrize(
    "params",
    [
        {"district": "x"},
        {"category": "x"},
        {"q": "a\x00b"},
        {"limit": 0},
        {"after": "x"},
        {"after": cursor([2**63])},
        {"statu": "x"},
    ],
)
def test_what_cannot_be_searched_for_is_told(square, params):
    assert square.office.api.get("/v1/public/notices", params=params).status_code == 422


@pytest.mark.parametrize("case_id", ["0", "-1", "x", str(2**63)])
def test_a_number_that_is_none(square, case_id):
    assert square.office.api.get(f"/v1/public/notices/{case_id}").status_code == 422


def test_the_objections_of_this_notice_are_counted_and_no_others(square):
    case_id = square.notice()
    square.objection(case_id)
    square.objection(case_id)
    with square.office.database.unit_of_work() as session:
        session.execute(text("UPDATE objection SET notice_from = '2026-10-12' WHERE id = (SELECT max(id) FROM objection)"))
    assert read(square, case_id).json()["objections"] == 1


def test_the_moment_of_publishing_is_that_of_shanghai(square):
    """Eleven at night in London on Sunday is Monday in Chongqing."""
    case_id = square.notice()
    with clock.fixed(datetime(2026, 11, 22, 23, 0, tzinfo=UTC)):
        assert ids(square) == [case_id]
