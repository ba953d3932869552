"""Acceptances are put right by agreement; and whatever is accepted, given back and corrected, the ledger and the figures say the same."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from orders.bulletins.queries import changes
from orders.ledger import actions as ledger
from orders.ledger.rules import Part, part_to_reverse
from orders.returns.rules import AcceptedLine, Standing, Truth, after_correction, to_correct
from shop.core import outbox
from shop.identity.permissions import Role
from tests.factories.after_sales import Delivered, ask_back, ask_back_as, deliver, differences, rows
from tests.factories.buying import make_bureau
from tests.factories.identity import make_organisation, make_user
from tests.factories.orders import make_market
from workers.handlers import HANDLERS

SUM = "SELECT sum(quantity), sum(grams), sum(amount_fen) FROM sale_entry"


@pytest.fixture
def market(database):
    return make_market(database, stock=1_000_000)


def propose(client, sent, quantity, grams=None):
    line = {"order_line_id": sent.line, "accepted_quantity": str(quantity), "accepted_grams": grams}
    return client.post(f"/v1/shipments/{sent.shipment}/corrections", json={"reason": "复秤", "lines": [line]})


def test_of_a_correction_its_side_takes_back_and_the_other_answers(api, market):
    buyer, seller = api.as_(market.purchaser), api.as_(market.sellers[0])
    path = f"/v1/acceptance-corrections/{propose(seller, deliver(api, market, 10), 9).json()['id']}"
    offered = {seller: ["withdraw"], buyer: ["agree", "decline"]}
    for client, moves in offered.items():
        assert client.get(path).json()["possible_actions"] == moves
        for action in {"agree", "decline", "withdraw"}.difference(moves):
            assert client.post(f"{path}/{action}", json={}).status_code == 403
    assert api.as_(market.finance).get(path).json()["possible_actions"] == []
    assert buyer.post(f"{path}/agree", json={}).json()["possible_actions"] == []


@pytest.mark.slow
def test_weight_and_quantity_follow_once_both_agree(api, database, market):
    buyer, seller = api.as_(market.purchaser), api.as_(market.sellers[0])
    sent = deliver(api, market, 10)
    ask_back(api, market, sent, 2).json()
    seller.post("/v1/returns/1/approve", json={"without_goods": True})
    proposed = propose(seller, sent, 9, 44_000)
    assert proposed.status_code == 201, proposed.text
    path = f"/v1/acceptance-corrections/{proposed.json()['id']}"
    assert propose(buyer, sent, 8).json()["code"] == "correction_open"
    assert seller.post(f"{path}/agree", json={}).json()["code"] == "own_proposal"
    assert buyer.post(f"{path}/withdraw", json={}).json()["code"] == "not_your_proposal"
    assert rows(database, SUM) == [(8, 40_000, 55_920)]
    agreed = buyer.post(f"{path}/agree", json={"note": "同意"}).json()
    assert agreed["status"] == "agreed"
    line = agreed["lines"][0]
    assert (line["before"], line["after"], line["after_grams"]) == ("559.20", "489.30", 34_222)
    assert rows(database, SUM) == [(7, 34_222, 48_930)]
    assert buyer.get(f"/v1/purchase-orders/{sent.order_id}").json()["payable"] == "489.30"
    assert buyer.post(f"{path}/agree", json={}).json()["code"] == "illegal_move"

    delivered = buyer.get(f"/v1/shipments/{sent.shipment}").json()["lines"][0]
    ordered = buyer.get(f"/v1/purchase-orders/{sent.order_id}/lines").json()["items"][0]
    for told in (delivered, ordered):
        assert [told[f"{each}_quantity"] for each in ("accepted", "corrected", "returned")] == ["10", "9", "2"]
    assert (delivered["accepted_grams"], delivered["corrected_grams"]) == (50_000, 44_000)

    only_weight = propose(buyer, sent, 9, 45_100).json()["id"]
    seller.post(f"/v1/acceptance-corrections/{only_weight}/agree", json={})
    assert rows(database, SUM) == [(7, 35_078, 48_930)]
    assert propose(buyer, sent, 9, 45_100).json()["errors"][0]["code"] == "unchanged"
    assert buyer.get(f"/v1/shipments/{sent.shipment}").json()["lines"][0]["corrected_grams"] == 45_100
    assert ask_back(api, market, sent, 8).json()["errors"][0]["left"] == "7"
    ask_back(api, market, sent, 7)
    seller.post("/v1/returns/2/approve", json={"without_goods": True})
    assert rows(database, SUM) == [(0, 0, 0)]
    for status, count in (("agreed", 2), ("proposed", 0)):
        assert len(buyer.get("/v1/acceptance-corrections", params={"status": status}).json()["items"]) == count
    outbox.drain(database, HANDLERS)
    assert differences(database) == {}


@pytest.mark.slow
@pytest.mark.parametrize("by", ["correction", "return"])
def test_what_is_accepted_after_nothing_belongs_to_the_month_of_its_sale(api, database, market, on, by):
    on(2026, 10, 15)
    buyer, seller = api.as_(market.purchaser), api.as_(market.sellers[0])
    sent = deliver(api, market, 10)
    on(2026, 11, 5)

    def settle(quantity, grams=None):
        made = propose(buyer, sent, quantity, grams)
        assert made.status_code == 201, made.text
        assert seller.post(f"/v1/acceptance-corrections/{made.json()['id']}/agree", json={}).status_code == 200

    settle(8)
    settle(7)
    if by == "correction":
        settle(0)
    else:
        back = ask_back(api, market, sent, 7).json()["id"]
        assert seller.post(f"/v1/returns/{back}/approve", json={"without_goods": True}).status_code == 200
    settle(10)
    outbox.drain(database, HANDLERS)
    assert differences(database) == {}
    november = (date(2026, 11, 1), date(2026, 11, 30))
    districts = [code for (code,) in rows(database, "SELECT DISTINCT district_code FROM sale_entry")]
    with database.unit_of_work() as session:
        told = changes.of_earlier_months(session, *november, districts)
    booked = rows(database, "SELECT sum(grams), sum(amount_fen), count(*) FROM sale_entry WHERE sold_on >= '2026-11-01'")
    assert [(told.grams, told.amount_fen, told.entries)] == booked


def test_a_measured_weight_stays_with_its_quantity(api, database, market):
    buyer, seller = api.as_(market.purchaser), api.as_(market.sellers[0])
    sent = deliver(api, market, 100, accept=False)
    answer = {
        "order_line_id": sent.line,
        "accepted_quantity": "97",
        "accepted_grams": 480_001,
        "rejected_quantity": "3",
        "reason": "压坏",
    }
    assert buyer.post(f"/v1/shipments/{sent.shipment}/acceptance", json={"lines": [answer]}).status_code == 201
    refused = propose(seller, sent, 97)
    assert (refused.status_code, refused.json()["errors"][0]["code"]) == (422, "unchanged")
    assert rows(database, "SELECT count(*) FROM acceptance_correction") == [(0,)]
    made = propose(seller, sent, 98).json()
    assert made["lines"][0]["accepted_grams"] == 490_000
    seller.post(f"/v1/acceptance-corrections/{made['id']}/withdraw", json={})
    made = propose(seller, sent, 97, 480_011).json()
    assert buyer.post(f"/v1/acceptance-corrections/{made['id']}/agree", json={}).status_code == 200
    assert rows(database, "SELECT sum(grams) FROM sale_entry") == [(480_011,)]
    assert propose(seller, sent, 97).json()["errors"][0]["code"] == "unchanged"  # nor does what both agreed to give way
    assert differences(database) == {}


thousandths = st.integers(1, 10**6).map(lambda n: Decimal(n) / 1000)


@given(thousandths, thousandths, st.integers(1, 10**7))
def test_only_another_quantity_takes_its_share_of_the_shipped_weight(shipped, accepted, weighed):
    accepted, grams = min(accepted, shipped), 5_000_000
    one = AcceptedLine(1, 1, shipped, grams, accepted, weighed, accepted, Decimal("0.001"), "box")
    assert [fault.code for fault in to_correct([one], [Truth(1, accepted)])[1]] == ["unchanged"]
    [other], faults = to_correct(
        [one, replace(one, acceptance_line_id=2, order_line_id=2, accepted=Decimal(0), left=Decimal(0))], [Truth(2, shipped)]
    )
    assert (faults, other.grams) == ([], grams)


@pytest.mark.slow
def test_refusals(api, database, market):
    buyer, seller = api.as_(market.purchaser), api.as_(market.sellers[0])
    sent = deliver(api, market, 10)
    ask_back(api, market, sent, 4)
    for quantity, grams, code in (
        (11, None, "above_shipped"),
        (3, None, "below_returned"),
        ("5.5", None, "wrong_step"),
        (9, 4, "wrong_weight"),
        (10, None, "unchanged"),
        (10, 50_000, "unchanged"),
    ):
        answer = propose(buyer, sent, quantity, grams)
        assert (answer.status_code, answer.json()["errors"][0]["code"]) == (422, code)
    waiting = propose(buyer, sent, 5).json()["id"]
    ask_back(api, market, sent, 3)
    assert seller.post(f"/v1/acceptance-corrections/{waiting}/agree", json={}).json()["code"] == "above_accepted"
    assert seller.post(f"/v1/acceptance-corrections/{waiting}/decline", json={}).json()["status"] == "declined"
    with database.unit_of_work() as session:
        user = make_user(session, Role.PURCHASER, make_organisation(session, kind="school"))
    stranger = api.as_(user)
    assert propose(stranger, sent, 5).status_code == 404
    assert stranger.get(f"/v1/acceptance-corrections/{waiting}").status_code == 404
    assert stranger.post(f"/v1/acceptance-corrections/{waiting}/agree", json={}).status_code == 404
    assert api.as_(market.finance).post(f"/v1/acceptance-corrections/{waiting}/agree", json={}).status_code == 403
    assert differences(database) == {}


@pytest.mark.slow
def test_what_was_rejected_by_mistake_is_sold_after_all(api, database):
    """Two deliveries of one line, one of them rejected as a whole; then given back, put right again, and moved with the order's budget."""
    bureau = make_bureau(api, database, stock=100)
    budget = bureau.budget("700.00")
    buyer, seller = bureau.as_("school_purchaser"), bureau.as_("seller")
    order = buyer.post("/v1/purchase-orders", json=bureau.order(10)).json()
    part = order["supplier_orders"][0]["id"]
    seller.post(f"/v1/supplier-orders/{part}/confirm")
    line = seller.get(f"/v1/supplier-orders/{part}").json()["lines"][0]["id"]
    shipments = []
    for quantity, accepted in ((6, 6), (4, 0)):
        body = {"lines": [{"order_line_id": line, "quantity": str(quantity)}]}
        shipments.append(seller.post(f"/v1/supplier-orders/{part}/shipments", json=body).json()["id"])
        answer = {
            "order_line_id": line,
            "accepted_quantity": str(accepted),
            "rejected_quantity": str(quantity - accepted),
            "reason": "错发",
        }
        buyer.post(f"/v1/shipments/{shipments[-1]}/acceptance", json={"lines": [answer]})
    sent = Delivered(order["id"], part, line, shipments[1])
    assert ask_back_as(buyer, sent, 1).json()["errors"][0]["code"] == "above_returnable"

    def settle(quantity, grams=None):
        made = propose(buyer, sent, quantity, grams)
        assert made.status_code == 201, made.text
        agreed = seller.post(f"/v1/acceptance-corrections/{made.json()['id']}/agree", json={})
        assert agreed.status_code == 200, agreed.text
        assert differences(database) == {}
        return agreed.json()["lines"][0]

    def stands():
        shown = bureau.as_("bureau_viewer").get(f"/v1/budgets/{budget['id']}").json()
        return rows(database, SUM)[0], shown["consumed"], buyer.get(f"/v1/purchase-orders/{order['id']}").json()["payable"]

    assert stands() == ((6, 30_000, 41_940), "419.40", "419.40")
    booked = settle(3, 14_500)
    assert (booked["before"], booked["after"], booked["after_grams"]) == ("0.00", "209.70", 14_500)
    assert stands() == ((9, 44_500, 62_910), "629.10", "629.10")
    back = ask_back_as(buyer, sent, 1).json()["id"]
    seller.post(f"/v1/returns/{back}/approve", json={"without_goods": True})
    assert stands() == ((8, 39_667, 55_920), "559.20", "559.20")
    unit = bureau.other.id
    filed = buyer.post(f"/v1/purchase-orders/{order['id']}/budget-unit-applications", json={"unit_id": unit, "reason": "划转"})
    with database.unit_of_work() as session:
        officer = make_user(session, Role.CITY_OFFICER)
    moved = api.as_(officer).post(f"/v1/budget-unit-applications/{filed.json()['id']}/approve", json={"reason": "属实"})
    assert moved.status_code == 200, moved.text
    settle(4)
    assert stands()[0] == (9, 45_000, 62_910)
    assert rows(database, f"{SUM} WHERE buyer_id = {unit}") == [(9, 45_000, 62_910)]
    outbox.drain(database, HANDLERS)
    assert differences(database) == {}


def test_a_budget_bounds_what_is_put_right(api, database):
    bureau = make_bureau(api, database, stock=100)
    bureau.budget("700.00")
    buyer, seller = bureau.as_("school_purchaser"), bureau.as_("seller")
    order = buyer.post("/v1/purchase-orders", json=bureau.order(10)).json()
    part = order["supplier_orders"][0]["id"]
    seller.post(f"/v1/supplier-orders/{part}/confirm")
    shipment = seller.post(f"/v1/supplier-orders/{part}/shipments", json={}).json()
    line = shipment["lines"][0]["order_line_id"]
    answer = {"order_line_id": line, "accepted_quantity": "0", "rejected_quantity": "10", "reason": "错发"}
    buyer.post(f"/v1/shipments/{shipment['id']}/acceptance", json={"lines": [answer]})
    assert buyer.post("/v1/purchase-orders", json=bureau.order(1)).status_code == 201
    sent = Delivered(order["id"], part, line, shipment["id"])
    made = propose(buyer, sent, 10).json()["id"]
    short = seller.post(f"/v1/acceptance-corrections/{made}/agree", json={})
    assert (short.status_code, short.json()["code"], short.json().get("data")) == (409, "buyers_budget_short", None)
    assert rows(database, "SELECT count(*) FROM sale_entry") == [(0,)]
    assert buyer.post(f"/v1/acceptance-corrections/{made}/withdraw", json={}).status_code == 200
    made = propose(seller, sent, 10).json()["id"]
    short = buyer.post(f"/v1/acceptance-corrections/{made}/agree", json={}).json()
    assert (short["code"], sorted(short["data"])) == ("buyers_budget_short", ["available", "fund_source", "needed", "unit", "year"])
    seller.post(f"/v1/acceptance-corrections/{made}/withdraw", json={})
    made = propose(buyer, sent, 10).json()["id"]
    stale = {"If-Match": '"8"'}
    for client, verb in ((seller, "agree"), (seller, "decline"), (buyer, "withdraw")):
        assert client.post(f"/v1/acceptance-corrections/{made}/{verb}", json={}, headers=stale).status_code == 412
    assert buyer.post(f"/v1/acceptance-corrections/{made}/withdraw", json={}).status_code == 200
    assert differences(database) == {}


STEP = st.tuples(st.sampled_from(["return", "exchange", "correct"]), st.integers(0, 20), st.integers(-20, 20))


@pytest.mark.slow
@settings(
    max_examples=8,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@example(ordered=12, steps=[("correct", 12, 0), ("correct", 11, 0), ("correct", 11, 0)])
@given(ordered=st.integers(5, 20), steps=st.lists(STEP, min_size=1, max_size=6))
def test_at_every_step_the_ledger_is_what_was_accepted_less_what_came_back(api, database, market, ordered, steps):
    buyer, seller = api.as_(market.purchaser), api.as_(market.sellers[0])
    with database.unit_of_work() as session:  # an odd price
        session.execute(text("UPDATE price_tier SET unit_price_fen = 3333 WHERE sku_id = :s"), {"s": market.products[0].sku_id})
    sent = deliver(api, market, ordered)
    accepted, weighed, returned = ordered, ordered * 5000, 0
    for kind, quantity, off in steps:
        if kind == "correct":
            grams = max(quantity * 5000 + off * 7, 1) if quantity else 0
            made = propose(buyer, sent, quantity, grams)
            fits = returned <= quantity <= ordered and bool(quantity == 0 or abs(off * 7) * 2 <= quantity * 5000)
            fits = fits and (quantity, grams) != (accepted, weighed)  # that is no correction
            assert (made.status_code == 201) == fits, made.text
            if fits:
                assert seller.post(f"/v1/acceptance-corrections/{made.json()['id']}/agree", json={}).status_code == 200
                accepted, weighed = quantity, grams
        else:
            made = ask_back(api, market, sent, max(quantity, 1), kind=kind)
            assert (made.status_code == 201) == (max(quantity, 1) <= accepted - returned)
            if made.status_code == 201:
                path = f"/v1/returns/{made.json()['id']}"
                seller.post(f"{path}/approve", json={"without_goods": True})
                if kind == "return":
                    returned += max(quantity, 1)
                else:
                    assert seller.post(f"{path}/replace", json={}).status_code == 200
                    buyer.post(f"{path}/close")
        [(net, grams, fen)] = rows(database, f"{SUM} WHERE order_id = :o", o=sent.order_id)
        assert (net, fen) == (accepted - returned, (accepted - returned) * 3333)
        assert grams >= 0
        assert buyer.get(f"/v1/purchase-orders/{sent.order_id}").json()["payable"] == f"{fen // 100}.{fen % 100:02}"
    with database.unit_of_work() as session:
        user = make_user(session, Role.MONITOR)
    figures = api.as_(user).get("/v1/statistics/sales", params={"measure": ["amount", "tonnes"]}).json()
    [(_, total_grams, total)] = rows(database, SUM)
    assert (figures["totals"]["figures"]["amount"], figures["totals"]["figures"]["grams"]) == (
        f"{total // 100}.{total % 100:02}",
        total_grams,
    )
    outbox.drain(database, HANDLERS)
    assert differences(database) == {}


@given(st.integers(1, 10**6), st.integers(0, 10**9), st.integers(0, 10**9), st.lists(st.integers(1, 10**5), min_size=1, max_size=6))
def test_parts_taken_back_sum_to_what_was_booked(thousandths, grams, fen, cuts):
    entry = Part(Decimal(thousandths) / 1000, grams, fen)
    done = Part(Decimal(0), 0, 0)
    for cut in [*cuts, thousandths]:
        quantity = min(Decimal(cut) / 1000, entry.quantity - done.quantity)
        if quantity:
            part = part_to_reverse(entry, done, quantity)
            done = Part(done.quantity + quantity, done.grams + part.grams, done.amount_fen + part.amount_fen)
    assert done == entry


def test_many_at_once_are_as_one_by_one(api, database, market):
    sent = deliver(api, market, 10)
    [(entry,)] = rows(database, "SELECT id FROM sale_entry WHERE order_id = :o", o=sent.order_id)
    booked = Part(Decimal(10), 50_000, 69_900)
    done = Part(Decimal(0), 0, 0)
    for quantity in ("0.333", "1.111", "8.556"):
        with database.unit_of_work() as session:
            part = ledger.reverse_parts(session, {entry: Decimal(quantity)})[entry].part
        assert part == part_to_reverse(booked, done, Decimal(quantity))
        done = Part(done.quantity + part.quantity, done.grams + part.grams, done.amount_fen + part.amount_fen)
    with database.unit_of_work() as session, pytest.raises(ledger.NothingLeftToReverse):
        ledger.reverse_parts(session, {entry: Decimal("0.001")})


@given(st.integers(1, 100), st.integers(0, 100), st.integers(0, 10**6), st.integers(1, 10**6))
def test_what_stands_after_a_correction(accepted, returned, grams, price):
    returned = min(returned, accepted)
    before = Standing(Decimal(accepted - returned), 1, 12345)
    after = after_correction(before, Decimal(accepted), grams, Decimal(returned), price)
    assert after.quantity == accepted - returned
    assert after.fen == (12345 if after.quantity else 0)
    assert returned or after.grams == grams
