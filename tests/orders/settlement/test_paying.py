"""Bank accounts, payouts and money paid ahead: who may, who may not, and what the ledger says."""

import csv
import io
from datetime import timedelta

import pytest

from orders.settlement.actions import paying
from shop.core import clock
from shop.core.audit import SYSTEM
from shop.core.money import fen_from_yuan, yuan_from_fen
from shop.core.states import IllegalMove
from shop.identity.permissions import Role
from tests.conftest import connect
from tests.factories.after_sales import differences, token_of
from tests.factories.identity import make_user


def account(scene, number="6222 0210 0901 4400 999", **changes):
    body = {"holder": "奉节脐橙合作社", "bank": "农业银行", "number": number, "reason": "换开户行", **changes}
    return scene.farm.post("/v1/payout-accounts", json=body)


def test_a_changed_account_is_used_only_after_some_days(scene):
    scene.account()
    changed = account(scene)
    assert (changed.status_code, changed.json()["number"]) == (201, "****0999")
    assert account(scene).json()["code"] == "account_change_waiting"
    path = f"/v1/payout-accounts/{changed.json()['id']}"
    assert scene.cashier.get(path).json()["number"] == "6222021009014400999"
    assert scene.bees.get(path).status_code == 404
    assert scene.farm.post(f"{path}/approve", json={}).status_code == 403
    approved = scene.treasurer.post(f"{path}/approve", json={"note": "已电话核实"}).json()
    assert (approved["usable_from"], approved["in_use"]) == (str(clock.today() + timedelta(days=3)), False)
    assert scene.treasurer.post(f"{path}/approve", json={}).json()["code"] == "illegal_move"
    row = scene.settled()
    scene.later(-20)
    # nothing of the number is on record outside its own column
    assert scene.rows("SELECT count(*) FROM audit_event WHERE detail::text LIKE '%6222021009014400999%'") == [(0,)]
    assert scene.rows("SELECT count(*) FROM outbox_event WHERE payload::text LIKE '%0999%'") == [(0,)]
    scene.later(3)
    assert scene.cashier.get(path).json()["in_use"] is True
    assert account(scene).json()["code"] == "account_unchanged"
    assert row["due"] == "699.00"


def test_while_a_change_cools_off_the_account_before_is_paid_to(scene):
    row = scene.settled()
    scene.account()
    changed = account(scene).json()
    scene.treasurer.post(f"/v1/payout-accounts/{changed['id']}/approve", json={})
    released = scene.release(row["payout_id"]).json()
    assert released["attempts"][0]["account_tail"] == "0123"


def test_accounts_are_refused_and_taken_back(scene):
    first = account(scene).json()["id"]
    assert scene.cashier.post(f"/v1/payout-accounts/{first}/refuse", json={"note": "户名不符"}).json()["status"] == "refused"
    second = account(scene).json()["id"]
    assert scene.bees.post(f"/v1/payout-accounts/{second}/withdraw", json={"note": "填错"}).status_code == 404
    assert scene.farm.post(f"/v1/payout-accounts/{second}/withdraw", json={"note": "填错"}).json()["status"] == "withdrawn"
    scene.account()
    same = account(scene, "3100021009014400123", holder=scene.market.suppliers[0].name, bank="重庆农村商业银行")
    assert same.json()["code"] == "account_unchanged"
    listed = scene.farm.get("/v1/payout-accounts", params={"limit": 2}).json()
    assert [each["status"] for each in listed["items"]] == ["approved", "withdrawn"]
    assert listed["next"]


@pytest.mark.parametrize("number", ["12", "abc", "6222--0210", "6" * 40, "６２２２０２１００９", "622202100901 "])
def test_odd_account_numbers_are_refused(scene, number):
    assert account(scene, number).status_code == 422


def test_a_holder_that_is_not_the_supplier_is_shown(scene):
    supplier = scene.market.suppliers[0].name
    for holder, same in ((f" {supplier[:2]} {supplier[2:]}", True), ("张三", False)):
        asked = account(scene, holder=holder).json()
        path = f"/v1/payout-accounts/{asked['id']}"
        assert (asked["holder_is_supplier"], scene.treasurer.get(path).json()["holder_is_supplier"]) == (same, same)
        scene.farm.post(f"{path}/withdraw", json={"note": "填错"})
    assert account(scene, holder="--").status_code == 422


def test_another_version_than_the_one_read_is_not_moved(scene):
    scene.account()
    row = scene.settled()
    path, stale = f"/v1/payouts/{row['payout_id']}", {"If-Match": '"99"'}
    for move, body in (("approve", {"method": "bank"}), ("release", None), ("withdraw", {"reason": "x"})):
        answer = scene.treasurer.post(f"{path}/{move}", json=body, headers=stale)
        assert (answer.status_code, answer.json()["code"]) == (412, "changed_meanwhile"), move
    for move, body in (("confirm", None), ("object", {"reason": "x"})):
        assert scene.farm.post(f"/v1/settlements/{row['id']}/{move}", json=body, headers=stale).status_code == 412, move
    assert scene.release(row["payout_id"]).status_code == 200


def test_nothing_is_released_without_an_account(scene):
    row = scene.settled()
    answer = scene.release(row["payout_id"])
    assert (answer.status_code, answer.json()["code"]) == (409, "no_payout_account")
    assert scene.balance("payouts") == 0


def test_whoever_ran_the_settlement_does_not_release_it(scene):
    scene.account()
    scene.delivered(10)
    scene.later(20)
    scene.run(scene.treasurer)
    row = scene.settlement()
    scene.farm.post(f"/v1/settlements/{row['id']}/confirm")
    answer = scene.release(row["payout_id"])
    assert (answer.status_code, answer.json()["code"]) == (403, "two_persons_needed")


def test_a_payout_by_stripe_needs_an_account_there(scene):
    row = scene.settled()
    payout = f"/v1/payouts/{row['payout_id']}"
    refused = scene.cashier.post(f"{payout}/approve", json={"method": "stripe"})
    assert (refused.status_code, refused.json()["code"]) == (409, "no_online_account")
    assert scene.farm.get(payout).json()["status"] == "draft"
    scene.online_account()
    assert scene.cashier.post(f"{payout}/approve", json={"method": "stripe"}).status_code == 200
    scene.rows("UPDATE connected_account SET enabled = false RETURNING id")
    refused = scene.treasurer.post(f"{payout}/release")
    assert (refused.status_code, refused.json()["code"], scene.balance("payouts")) == (409, "no_online_account", 0)


def test_a_payout_by_stripe_is_told_and_reported_by_its_provider(scene):
    row = scene.settled()
    scene.online_account()
    payout = f"/v1/payouts/{row['payout_id']}"
    scene.cashier.post(f"{payout}/approve", json={"method": "stripe"})
    assert scene.treasurer.post(f"{payout}/release").json()["status"] == "released"
    [(payload,)] = scene.rows("SELECT payload FROM outbox_event WHERE name = 'payout.released'")
    assert (payload["payout_id"], payload["method"]) == (row["payout_id"], "stripe")
    for verb, body in (("send", {"reference": "x"}), ("confirm", {"reference": "x"}), ("fail", {"reason": "x"})):
        assert scene.cashier.post(f"{payout}/{verb}", json=body).json()["code"] == "payout_not_by_hand"
    assert scene.cashier.post("/v1/payout-files").json()["code"] == "no_payout_to_send"
    with scene.database.unit_of_work() as session:
        paying.failed(session, SYSTEM, row["payout_id"], "account_closed")
    # by another way after it failed
    scene.account()
    assert scene.release(row["payout_id"]).json()["status"] == "released"
    with scene.database.unit_of_work() as session:
        paying.paid(session, SYSTEM, row["payout_id"], "B-9")
    assert scene.farm.get(payout).json()["reference"] == "B-9"
    assert scene.rows(
        "SELECT account, sum(amount_fen)::bigint FROM money_posting WHERE account IN ('bank', 'online') GROUP BY 1 ORDER BY 1"
    ) == [("bank", 0)]  # came in and went out
    assert differences(scene.database) == {}


def test_a_payout_by_stripe_leaves_from_the_online_balance(scene):
    row = scene.settled()
    scene.online_account()
    scene.cashier.post(f"/v1/payouts/{row['payout_id']}/approve", json={"method": "stripe"})
    scene.treasurer.post(f"/v1/payouts/{row['payout_id']}/release")
    with scene.database.unit_of_work() as session:
        paying.paid(session, SYSTEM, row["payout_id"], "tr_1")
    assert scene.rows("SELECT sum(amount_fen)::bigint FROM money_posting WHERE account = 'online'") == [(-69_900,)]


def test_payouts_are_listed_and_out_of_reach_for_others(scene):
    row = scene.settled()
    path = f"/v1/payouts/{row['payout_id']}"
    assert scene.farm.get("/v1/payouts", params={"status": "draft"}).json()["items"][0]["amount"] == "699.00"
    assert scene.farm.get("/v1/payouts", params={"status": "paid"}).json()["items"] == []
    assert scene.bees.get("/v1/payouts").json()["items"] == []
    assert scene.bees.get(path).status_code == 404
    assert scene.farm.post(f"{path}/approve", json={}).status_code == 403
    with scene.database.unit_of_work() as session:
        elsewhere = make_user(session, Role.PLATFORM_FINANCE, region_code="500229")
    assert scene.api.as_(elsewhere).post(f"{path}/approve", json={}).status_code == 404
    assert scene.cashier.post(f"{path}/approve", json={"method": "cash"}).status_code == 422
    for listed in ("payouts", "settlements/balances", "settlements"):
        assert scene.market.suppliers[0].name in scene.cashier.get(f"/v1/{listed}", params={"format": "csv"}).text
    for listed, words in (("payouts", ",银行转账,待批准,"), ("settlements", ",已确认,待批准")):
        answer = scene.cashier.get(f"/v1/{listed}", params={"format": "csv"}, headers={"Accept-Language": "zh"})
        assert words in answer.content.decode("utf-8-sig"), answer.text
    periods = scene.cashier.get("/v1/settlements/periods").json()["items"]
    assert (periods[0]["settlements"], periods[0]["due"], periods[0]["paid"]) == (1, "699.00", "0.00")
    balances = {each["supplier_id"]: each for each in scene.cashier.get("/v1/settlements/balances").json()["items"]}
    assert balances[scene.market.suppliers[0].id]["settled"] == "699.00"


def test_a_run_sent_twice_with_a_key_is_one_run(scene):
    scene.delivered(10)
    scene.later(20)
    headers = {"Authorization": f"Bearer {token_of(scene.database, scene.people['cashier'])}", "Idempotency-Key": "run-1"}
    client = connect(str(scene.api.base_url), scene.database, headers)
    first, second = (client.post("/v1/settlements/run", json={}) for _ in range(2))
    assert first.json() == second.json()
    assert first.json()["settlements"] == 1


@pytest.mark.parametrize(
    ("period_end", "status", "code"),
    [("2026-02-03", 422, "not_a_period"), ("2099-12-31", 409, "period_not_over"), ("2199-12-31", 422, None), ("x", 422, None)],
)
def test_only_periods_that_are_over_are_settled(scene, period_end, status, code):
    answer = scene.cashier.post("/v1/settlements/run", json={"period_end": period_end})
    assert answer.status_code == status
    assert code is None or answer.json()["code"] == code


def test_who_may_run_and_see_settlements(scene):
    scene.delivered(10)
    scene.later(20)
    scene.run()
    row = scene.settlement()
    path = f"/v1/settlements/{row['id']}"
    assert scene.farm.post("/v1/settlements/run", json={}).status_code == 403
    assert scene.buyer.get("/v1/settlements").status_code == 403
    for suffix in ("", "/lines", "/statement", "/statement.pdf"):
        assert scene.farm.get(path + suffix).status_code == 200
        assert scene.bees.get(path + suffix).status_code == 404
    assert scene.api.as_(scene.market.finance).get(path).status_code == 404
    assert scene.bees.post(f"{path}/confirm").status_code == 404
    assert scene.cashier.post(f"{path}/confirm").status_code == 403
    assert scene.cashier.post(f"{path}/answer", json={"answer": "好"}).json()["code"] == "illegal_move"
    assert scene.farm.get(f"{path}/lines", params={"after": "?"}).status_code == 422
    assert scene.farm.get("/v1/settlements", params={"status": "confirmed"}).json()["items"] == []


def advance(scene, agreement_id, amount="300.00"):
    return scene.cashier.post("/v1/advances", json={"agreement_id": agreement_id, "amount": amount, "reason": "备货"})


@pytest.fixture
def agreement(scene):
    """Signed by both, up to 1000.00."""
    values = {
        "b": scene.market.school.id,
        "s": scene.market.suppliers[0].id,
        "u": scene.market.purchaser.id,
        "f": clock.today(),
        "t": clock.today() + timedelta(days=300),
    }
    [(made,)] = scene.rows(
        "INSERT INTO agreement (number, title, buyer_id, supplier_id, fund_source, valid_from, valid_until, amount_cap_fen, tolerance_percent,"
        " call_off_lead_days, terms, status, created_by, created_at, buyer_signed_at, supplier_signed_at, terms_hash)"
        " VALUES ('AG1', '脐橙', :b, :s, 'canteen', :f, :t, 100000, 0, 3, '', 'active', :u, now(), now(), now(), 'x') RETURNING id",
        **values,
    )
    return made


def test_money_paid_ahead_is_used_up_before_anything_is_paid_out(scene, agreement):
    asked = advance(scene, agreement)
    assert asked.status_code == 201, asked.text
    assert asked.json()["number"].startswith("YF20")
    over = advance(scene, agreement, "700.01")
    assert (over.status_code, over.json()["code"], over.json()["data"]["left"]) == (409, "advance_above_agreement", "700.00")
    path = f"/v1/advances/{asked.json()['id']}"
    own = scene.cashier.post(f"{path}/approve")
    assert (own.status_code, own.json()["code"]) == (403, "two_persons_needed")
    assert scene.cashier.post(f"{path}/pay", json={"reference": "B-1"}).json()["code"] == "illegal_move"
    assert scene.treasurer.post(f"{path}/approve").json()["status"] == "approved"
    assert scene.cashier.post(f"{path}/pay", json={"reference": "B-1"}).json()["status"] == "paid"
    assert scene.cashier.post(f"{path}/pay", json={"reference": "B-1"}).json()["code"] == "illegal_move"
    assert scene.farm.get("/v1/settlements/mine").json()["advances"] == "300.00"
    scene.delivered(2)
    scene.later(20)
    scene.run()
    row = scene.settlement()
    assert (row["net"], row["advance_used"], row["due"], row["payout_id"]) == ("139.80", "139.80", "0.00", None)
    scene.delivered(10)
    scene.later(20)
    scene.run()
    row = scene.settlement()
    assert (row["net"], row["advance_used"], row["due"]) == ("699.00", "160.20", "538.80")
    assert scene.balance("advances") == 0
    assert scene.bees.get(path).status_code == 404
    assert scene.farm.get("/v1/advances").json()["items"][0]["status"] == "paid"
    assert differences(scene.database) == {}


def test_who_pays_ahead_finds_the_agreement(scene, agreement, database):
    def found(client=scene.cashier, **asked):
        answer = client.get("/v1/advances/agreements", params=asked)
        assert answer.status_code == 200, answer.text
        return [row["id"] for row in answer.json()["items"]]

    [row] = scene.cashier.get("/v1/advances/agreements").json()["items"]
    assert (row["number"], row["supplier_name"], row["buyer_name"]) == (
        "AG1",
        scene.market.suppliers[0].name,
        scene.market.school.name,
    )
    assert (row["id"], row["state"], row["advances"]) == (agreement, "active", "0.00")
    assert set(row) == {
        "id", "number", "title", "supplier_id", "supplier_name", "buyer_id", "buyer_name", "state", "valid_from", "valid_until", "advances",
    }  # fmt: skip
    advance(scene, agreement)
    assert scene.cashier.get("/v1/advances/agreements").json()["items"][0]["advances"] == "300.00"
    for q in ("ag1", "脐橙", scene.market.suppliers[0].name, scene.market.school.name[:2]):
        assert found(q=q) == [agreement]
    assert found(q="别的") == found(supplier_id=scene.market.suppliers[1].id) == []
    with database.unit_of_work() as session:
        elsewhere = make_user(session, Role.PLATFORM_FINANCE, region_code="500229")
    assert found(scene.api.as_(elsewhere)) == []
    for client in (scene.farm, scene.buyer):
        assert client.get("/v1/advances/agreements").status_code == 403
    # the terms are not theirs to read
    assert scene.cashier.get(f"/v1/agreements/{agreement}").status_code == 403
    scene.rows("UPDATE agreement SET terminated_on = valid_from - 1 RETURNING id")
    assert found() == []


def test_money_is_paid_ahead_only_for_agreements_in_force(scene, agreement):
    assert advance(scene, 999_999).status_code == 404
    first = advance(scene, agreement).json()["id"]
    assert scene.treasurer.post(f"/v1/advances/{first}/refuse", json={"reason": "材料不全"}).json()["status"] == "refused"
    assert advance(scene, agreement, "1000.00").status_code == 201
    scene.rows("UPDATE agreement SET terminated_on = valid_from - 1 RETURNING id")
    assert advance(scene, agreement, "1.00").json()["code"] == "agreement_not_in_force"


def line(scene, agreement_id, **values):
    """A line of an agreement without a cap by amount."""
    scene.rows("UPDATE agreement SET amount_cap_fen = NULL WHERE id = :id RETURNING id", id=agreement_id)
    columns = {"agreement_id": agreement_id, "line_no": 1, "sku_id": scene.market.products[0].sku_id, **values}
    names = ", ".join(columns)
    marks = ", ".join(f":{name}" for name in columns)
    [(made,)] = scene.rows(f"INSERT INTO agreement_line ({names}) VALUES ({marks}) RETURNING id", **columns)
    return made


def test_advances_are_at_most_quantity_caps_by_prices(scene, agreement):
    made = line(scene, agreement, price_kind="fixed", unit_price_fen=8_800, quantity_cap=300)
    over = advance(scene, agreement, "999999999.00")
    assert (over.status_code, over.json()["code"], over.json()["data"]["left"]) == (409, "advance_above_agreement", "26400.00")
    first = advance(scene, agreement, "26000.00").json()["id"]
    assert advance(scene, agreement, "400.01").json()["data"]["left"] == "400.00"
    # smaller by the time when it is approved
    scene.rows("UPDATE agreement_line SET quantity_cap = 200 WHERE id = :id RETURNING id", id=made)
    late = scene.treasurer.post(f"/v1/advances/{first}/approve")
    assert (late.status_code, late.json()["code"], late.json()["data"]["left"]) == (409, "advance_above_agreement", "17600.00")
    scene.rows("UPDATE agreement_line SET quantity_cap = 300 WHERE id = :id RETURNING id", id=made)
    assert scene.treasurer.post(f"/v1/advances/{first}/approve").json()["status"] == "approved"


def test_a_formula_counts_by_the_list_of_today_and_what_nothing_bounds_is_refused(scene, agreement):
    made = line(scene, agreement, price_kind="list_minus", percent_off=10, quantity_cap=100)
    # 65.00 from 100 on, less 10 %, is 58.50
    assert advance(scene, agreement, "5850.01").json()["data"]["left"] == "5850.00"
    scene.rows("UPDATE agreement_line SET quantity_cap = NULL WHERE id = :id RETURNING id", id=made)
    unbounded = advance(scene, agreement, "1.00")
    assert (unbounded.status_code, unbounded.json()["code"]) == (409, "agreement_unbounded")


def test_a_part_that_comes_back_is_owed_again_by_a_payout_of_its_own(scene):
    row = scene.settled()
    scene.online_account()
    scene.account()
    path = f"/v1/payouts/{row['payout_id']}"
    scene.cashier.post(f"{path}/approve", json={"method": "stripe"})
    scene.treasurer.post(f"{path}/release")

    def returned(fen, payout_id=row["payout_id"]):
        with scene.database.unit_of_work() as session:
            paying.returned(session, SYSTEM, payout_id, fen)

    with pytest.raises(IllegalMove):
        returned(100)
    with scene.database.unit_of_work() as session:
        paying.paid(session, SYSTEM, row["payout_id"], "tr_1")
    for fen in (10_000, 10_000, 9_000):  # told again, and of less: known already
        returned(fen)
    shown = scene.farm.get(path).json()
    assert (shown["status"], shown["amount"], shown["returned"]) == ("paid", "699.00", "100.00")
    assert scene.balance("settled") == -10_000
    assert scene.rows("SELECT sum(amount_fen)::bigint FROM money_posting WHERE account = 'online'") == [(-59_900,)]
    [again, first] = scene.farm.get("/v1/payouts").json()["items"]
    assert (again["amount"], again["status"], again["again_for_id"]) == ("100.00", "draft", first["id"])
    assert differences(scene.database) == {}
    assert [each["id"] for each in scene.farm.get("/v1/settlements", params={"unpaid": True}).json()["items"]] == [row["id"]]
    # two persons let it go, by the bank
    assert scene.release(again["id"]).json()["status"] == "released"
    assert scene.cashier.post(f"/v1/payouts/{again['id']}/confirm", json={"reference": "B-1"}).status_code == 200
    assert (scene.balance("settled"), differences(scene.database)) == (0, {})
    # the statement is still one, with its first payout; and what was paid is counted once
    assert [each["payout_id"] for each in scene.farm.get("/v1/settlements").json()["items"]] == [first["id"]]
    assert scene.cashier.get("/v1/settlements/periods").json()["items"][0]["paid"] == "699.00"
    assert scene.farm.get("/v1/settlements/mine").json()["paid"] == "699.00"
    # the rest comes back too
    with scene.database.unit_of_work() as session:
        paying.failed(session, SYSTEM, row["payout_id"], "撤回")
    assert scene.farm.get(path).json()["returned"] == "699.00"
    assert scene.farm.get("/v1/payouts", params={"status": "draft"}).json()["items"][0]["amount"] == "599.00"
    assert (scene.balance("settled"), differences(scene.database)) == (-59_900, {})
    returned(99_999)
    assert scene.balance("settled") == -59_900


def test_periods_are_paged_and_nothing_is_skipped(scene):
    for _ in range(3):
        scene.delivered(1)
        scene.later(20)
        scene.run()
    whole = scene.cashier.get("/v1/settlements/periods").json()
    assert (len(whole["items"]) >= 2, whole["next"]) == (True, None)
    # one period may end with another that began earlier, where the programme changed its cadence
    last = whole["items"][0]["period_end"]
    scene.rows(
        "WITH one AS (SELECT id, run_id FROM settlement WHERE period_end = :last LIMIT 1)"
        " INSERT INTO settlement (number, run_id, supplier_id, period_start, period_end, line_count, sales_fen, returns_fen, freight_fen, other_fen,"
        " commission_fen, net_fen, carried_fen, advance_used_fen, due_fen, held_fen, objections_until, made_at)"
        " SELECT 'JS-X', run_id, :other, CAST(:last AS date) - 40, :last, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, :last, now() FROM one RETURNING id",
        last=last,
        other=scene.market.suppliers[1].id,
    )
    whole = scene.cashier.get("/v1/settlements/periods").json()["items"]
    assert [each["period_end"] for each in whole[:2]] == [last, last]
    paged, after = [], None
    while True:
        page = scene.cashier.get("/v1/settlements/periods", params={"limit": 1} | ({"after": after} if after else {})).json()
        paged += page["items"]
        after = page["next"]
        if after is None:
            break
    assert paged == whole
    assert scene.cashier.get("/v1/settlements/periods", params={"after": "nonsense"}).status_code == 422
    sheet = scene.cashier.get("/v1/settlements/periods", params={"format": "csv"}, headers={"Accept-Language": "zh"})
    header, *lines = csv.reader(io.StringIO(sheet.content.decode("utf-8-sig")))
    assert header[:4] == ["起始日", "截止日", "结算单数", "销售（元）"]
    told = [(each["period_start"], each["period_end"], str(each["settlements"]), each["sales"]) for each in whole]
    *lines, total = lines
    assert [tuple(line[:4]) for line in lines] == told
    assert (total[0], total[1], total[3]) == ("合计", "", yuan_from_fen(sum(fen_from_yuan(each["sales"]) for each in whole)))


def test_a_file_that_cannot_hold_every_row_is_refused_and_not_cut(scene, monkeypatch):
    scene.delivered(1)
    scene.delivered(None, 1, of=1)
    held = scene.cashier.get("/v1/settlements/held", params={"format": "csv"})
    assert held.content.decode("utf-8-sig").count("\n") == 3
    scene.later(20)
    scene.run()
    paths = ("settlements", "settlements/balances", "payouts")
    for path in paths:
        assert scene.cashier.get(f"/v1/{path}", params={"format": "xlsx"}).status_code == 200
    statement = f"/v1/settlements/{scene.settlement()['id']}/statement"
    monkeypatch.setattr("shop.core.exports.MAX_LINES", 1)
    refused = [scene.cashier.get(f"/v1/{path}", params={"format": "csv"}) for path in paths]
    monkeypatch.setattr("shop.core.exports.MAX_LINES", 0)
    monkeypatch.setattr("orders.settlement.api.settlements._MOST_PRINTED", 0)
    monkeypatch.setattr("orders.settlement.queries.statements._LINES_ALL", None)  # counted, not read
    refused += [scene.cashier.get(path) for path in (statement, f"{statement}.pdf")]
    assert [(answer.status_code, answer.json()["code"]) for answer in refused] == [(422, "too_many_lines")] * 5


def test_open_means_that_something_is_still_to_be_paid(scene):
    """The supplier never answers, so the statement stays as it was made; paid, it is not open any more."""
    scene.account()
    scene.delivered(10)
    scene.later(40)
    scene.run()
    row = scene.settlement()
    scene.later(44)

    def found(**asked):
        return [each["id"] for each in scene.farm.get("/v1/settlements", params=asked).json()["items"]]

    assert found(status="open") == found(unpaid=True) == [row["id"]]
    assert found(unpaid=False) == found(status="confirmed") == []
    assert scene.release(row["payout_id"]).json()["status"] == "released"
    assert found(status="open") == [row["id"]]
    paid = scene.cashier.post(f"/v1/payouts/{row['payout_id']}/confirm", json={"reference": "B-1"})
    assert paid.json()["status"] == "paid"
    assert found(status="open") == found(unpaid=True) == []
    assert found(unpaid=False) == found() == [row["id"]]
