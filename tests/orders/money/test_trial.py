"""The trial balance: each debit is its credit, and both ends are what the balances of those days say."""

from datetime import timedelta
from decimal import Decimal

import pytest

from shop.core import clock
from shop.identity.permissions import Role
from tests.factories.after_sales import days_later, deliver
from tests.factories.identity import make_user
from tests.factories.money import make_till


@pytest.fixture
def till(api, database, monkeypatch):
    """Three days: oranges accepted; a transfer arrives; honey accepted and a transfer announced."""
    till = make_till(api, database)
    till.first_day = clock.today()

    def make():
        oranges = deliver(api, till.market, 10)
        days_later(monkeypatch, 10)
        till.arrived(oranges.order_id, "500.00")
        days_later(monkeypatch, 20)
        honey = deliver(api, till.market, None, 1, of=1)
        till.pay(honey.order_id, "50.00")
        return oranges

    till.oranges = till.begun("three days", make)
    days_later(monkeypatch, 20)
    return till


def read(client, path, **asked):
    answer = client.get(f"/v1/money/{path}", params=asked)
    assert answer.status_code == 200, answer.text
    return answer.json()


def net(row, side):
    return Decimal(row[f"{side}_debit"]) - Decimal(row[f"{side}_credit"])


@pytest.mark.parametrize("by", ["account", "party"])
def test_it_balances_and_both_ends_are_the_balances_of_those_days(till, by):
    day = {number: till.first_day + timedelta(days=number) for number in (-1, 0, 9, 10, 20)}
    for who in ("cashier", "finance"):
        client = till.as_(who)
        for first, last in ((0, 20), (0, 0), (10, 10), (10, 20), (20, 20)):
            found = read(client, "trial-balance", by=by, **{"from": str(day[first]), "to": str(day[last])})
            ends = {"opening": day[first] - timedelta(days=1), "closing": day[last]}
            for side, as_of in ends.items():
                held = read(client, "balances", by=by, as_of=str(as_of))["items"]
                told = {(row["account"], row["party_id"]): net(row, side) for row in found["items"] if net(row, side)}
                assert told == {(row["account"], row["party_id"]): Decimal(row["balance"]) for row in held}
            for row in [*found["items"], found["totals"]]:
                assert net(row, "opening") + Decimal(row["debit"]) - Decimal(row["credit"]) == net(row, "closing")
            for name, total in found["totals"].items():
                assert Decimal(total) == sum(Decimal(row[name]) for row in found["items"])
            if who == "cashier":  # sees every account
                totals = found["totals"]
                for debit, credit in (
                    ("opening_debit", "opening_credit"),
                    ("debit", "credit"),
                    ("closing_debit", "closing_credit"),
                ):
                    assert totals[debit] == totals[credit]


def test_what_it_tells(till):
    cashier, last = till.as_("cashier"), str(till.first_day + timedelta(days=20))
    found = read(cashier, "trial-balance", **{"from": str(till.first_day + timedelta(days=1)), "to": last})
    shown = {row["account"]: [row[name] for name in ("opening_debit", "opening_credit", "debit", "credit", "closing_debit", "closing_credit")]
             for row in found["items"]}  # fmt: skip
    assert shown == {
        "receivable": ["699.00", "0.00", "150.00", "550.00", "299.00", "0.00"],
        "payable": ["0.00", "699.00", "0.00", "150.00", "0.00", "849.00"],
        "announced": ["0.00", "0.00", "50.00", "0.00", "50.00", "0.00"],
        "bank": ["0.00", "0.00", "500.00", "0.00", "500.00", "0.00"],
        "unallocated": ["0.00", "0.00", "500.00", "500.00", "0.00", "0.00"],
    }
    assert [row["before_books"] for row in found["items"] if row["account"] == "bank"] == ["0.00"]
    paged = read(cashier, "trial-balance", limit=2, **{"from": str(till.first_day + timedelta(days=1)), "to": last})
    rest = read(cashier, "trial-balance", after=paged["next"], **{"from": str(till.first_day + timedelta(days=1)), "to": last})
    assert (paged["items"] + rest["items"], paged["totals"], rest["next"]) == (found["items"], found["totals"], None)
    # the default is the month up to today
    default = read(cashier, "trial-balance")
    assert (default["first"], default["last"]) == (str(clock.today().replace(day=1)), last)
    statement_of_bank = read(cashier, "entries", account="bank", kind="receipt")
    assert (statement_of_bank["debit"], statement_of_bank["credit"]) == ("500.00", "0.00")


def test_files_and_refusals(till, database):
    cashier, asked = till.as_("cashier"), {"from": str(till.first_day), "to": str(clock.today())}
    sheet = cashier.get("/v1/money/trial-balance", params={**asked, "format": "csv"}, headers={"Accept-Language": "zh"})
    header, *lines = sheet.content.decode("utf-8-sig").splitlines()
    assert (
        header
        == "科目,往来单位,期初借方（元）,期初贷方（元）,本期借方（元）,本期贷方（元）,期末借方（元）,期末贷方（元）,另有：首份对账单前余额（元）"
    )
    assert lines[-1] == "合计,,0.00,0.00,1899.00,1899.00,849.00,849.00,"
    assert f"trial_balance_{asked['from']}_{asked['to']}.csv" in sheet.headers["content-disposition"]
    assert cashier.get("/v1/money/trial-balance", params={**asked, "format": "xlsx"}).content.startswith(b"PK")
    tomorrow = str(clock.today() + timedelta(days=1))
    for path, wrong in (("trial-balance", {"to": tomorrow}), ("balances", {"as_of": tomorrow})):
        refused = cashier.get(f"/v1/money/{path}", params=wrong)
        assert (refused.status_code, refused.json()["code"]) == (422, "day_ahead")
        assert [(fault["field"], fault["code"]) for fault in refused.json()["errors"]] == [(next(iter(wrong)), "day_ahead")]
    refused = cashier.get("/v1/money/trial-balance", params={"from": asked["to"], "to": asked["from"]})
    assert (refused.status_code, refused.json()["errors"][0]["code"]) == (422, "period_backwards")
    assert till.as_("purchaser").get("/v1/money/trial-balance").status_code == 403
    with database.unit_of_work() as session:
        till.people["far"] = make_user(session, Role.PLATFORM_FINANCE, region_code="500240")
    assert {row["account"] for row in read(till.as_("far"), "trial-balance", **asked)["items"]} == {"payable"}
