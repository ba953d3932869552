"""What has to wait, why, and until when."""

import random
from datetime import timedelta

import pytest
from sqlalchemy import text

from orders.settlement.queries.owed import JUDGED, parameters
from shop.core import clock
from shop.core.money import share_out
from shop.identity.permissions import Role
from shop.programmes.queries import config_of
from shop.programmes.schemas import SettlementRules
from tests.factories.after_sales import ask_back, deliver, differences
from tests.factories.catalog import PDF
from tests.factories.identity import make_user


def configure(scene, **settlement):
    """Change the programme's rules of settlement."""
    with scene.database.unit_of_work() as session:
        values = {"rules": SettlementRules(**settlement).model_dump_json()}
        session.execute(
            text("UPDATE programme SET config = config || jsonb_build_object('settlement', CAST(:rules AS jsonb))"), values
        )


def test_a_delivery_waits_for_the_end_of_its_return_window(scene):
    scene.delivered(10)
    last = clock.today() + timedelta(days=7)
    item = scene.farm.get("/v1/settlements/held").json()["items"][0]
    assert (item["hold"], item["waits_until"]) == ("return_window", str(last))
    scene.later(7)
    assert scene.held() == [("return_window", "699.00")]
    scene.later(1)
    assert scene.held() == []
    assert scene.farm.get("/v1/settlements/mine").json()["next_due"] == "699.00"


def test_what_nobody_paid_for_waits_and_what_is_said_to_be_paid_waits_for_the_money(scene):
    made = scene.delivered(10, paid=False)
    scene.later(8)
    assert scene.held() == [("unpaid", "699.00")]
    scene.pay(made.order_id, source="announced")
    assert scene.held() == [("not_received", "699.00")]
    configure(scene, paid_means="announced")
    assert scene.held() == []
    configure(scene, when_paid=False)
    assert scene.held() == []


def test_money_for_a_part_of_an_order_is_shared_out_over_its_suppliers(scene):
    order = deliver(scene.api, scene.market, 10, 2)
    part = scene.rows("SELECT id FROM supplier_order WHERE supplier_id = :id", id=scene.market.suppliers[1].id)[0][0]
    scene.bees.post(f"/v1/supplier-orders/{part}/confirm")
    for quantity in (1, 1):
        [(line,)] = scene.rows("SELECT id FROM order_line WHERE supplier_order_id = :id", id=part)
        body = {"lines": [{"order_line_id": line, "quantity": str(quantity)}]}
        shipment = scene.bees.post(f"/v1/supplier-orders/{part}/shipments", json=body).json()
        assert scene.buyer.post(f"/v1/shipments/{shipment['id']}/acceptance", json={}).status_code == 201
    scene.later(8)
    # 699.00 and 300.00: half of the money is 349.50 and 150.00
    scene.pay(order.order_id, 49_950)
    assert scene.held() == [("unpaid", "699.00"), ("unpaid", "150.00")]
    scene.later(20)
    scene.run()
    assert scene.settlement(1)["due"] == "150.00"
    scene.pay(order.order_id)
    assert scene.held() == []


def test_the_share_of_each_part_is_that_of_share_out(scene):
    """Three parts of odd amounts and any payment: what is settled is the prefix that the share pays for, to the fen."""
    with scene.database.unit_of_work() as session:
        buyer, user = scene.market.school.id, scene.market.purchaser.id
        programme = session.execute(text("SELECT code FROM programme ORDER BY valid_from DESC LIMIT 1")).scalar_one()
        chance = random.Random(7)
        rules = config_of(session, clock.today()).settlement
        for _ in range(20):
            kept = session.begin_nested()
            weights = [chance.randint(1, 300), chance.randint(1, 300)]
            order = session.execute(
                text(
                    "INSERT INTO purchase_order (number, buyer_id, ordering_unit_id, placed_by, programme_code, fund_source, platform, delivery_address,"
                    " line_count, total_fen, total_grams, placed_at) VALUES (gen_random_uuid(), :b, :b, :u, :p, 'canteen', 'marketplace', '', 0, 0, 0,"
                    " now()) RETURNING id"
                ),
                {"b": buyer, "u": user, "p": programme},
            ).scalar_one()
            parts = [
                session.execute(
                    text(
                        "INSERT INTO supplier_order (purchase_order_id, supplier_id, status, total_fen, total_grams, freight_fen)"
                        " VALUES (:o, :s, 'partly_accepted', 0, 0, :f) RETURNING id"
                    ),
                    {"o": order, "s": supplier.id, "f": fen},
                ).scalar_one()
                for supplier, fen in zip(scene.market.suppliers, weights, strict=True)
            ]
            # each fen of a part is a posting of its own, so that the prefix is the share
            for part, supplier, fen in zip(parts, scene.market.suppliers, weights, strict=True):
                session.execute(
                    text(
                        "WITH t AS (INSERT INTO money_transaction (kind, origin_id, booked_on, recorded_at) SELECT 'freight', :p, CAST(:d AS date), now()"
                        " RETURNING id) INSERT INTO money_posting (transaction_id, account, amount_fen, party_id, purchase_order_id,"
                        " supplier_order_id) SELECT t.id, 'payable', -1, :s, :o, :p FROM t, generate_series(1, :f) UNION ALL"
                        " SELECT t.id, 'receivable', :f, :b, :o, :p FROM t"
                    ),
                    {"p": part, "s": supplier.id, "o": order, "f": fen, "b": buyer, "d": clock.today() - timedelta(days=30)},
                )
            paid = chance.randint(0, sum(weights) + 50)
            if paid:
                session.execute(
                    text(
                        "WITH t AS (INSERT INTO money_transaction (kind, origin_id, booked_on, recorded_at) VALUES ('payment', :o, CAST(:d AS date), now())"
                        " RETURNING id) INSERT INTO money_posting (transaction_id, account, amount_fen, party_id, purchase_order_id)"
                        " SELECT t.id, 'bank', :f, NULL, :o FROM t UNION ALL SELECT t.id, 'receivable', -:f, :b, :o FROM t"
                    ),
                    {"o": order, "f": paid, "b": buyer, "d": clock.today()},
                )
            found = dict(
                session.execute(
                    text(
                        f"{JUDGED} SELECT supplier_order_id, count(*) FILTER (WHERE hold IS NULL) FROM judged"
                        " WHERE purchase_order_id = :order GROUP BY 1"
                    ),
                    {**parameters(rules, until=clock.today()), "order": order},
                ).all()
            )
            assert [found[part] for part in parts] == share_out(min(paid, sum(weights)), weights)
            kept.rollback()


def test_an_order_in_dispute_waits_for_the_decision(scene):
    made = scene.delivered(10)
    scene.later(8)
    opened = scene.buyer.post(
        f"/v1/supplier-orders/{made.part}/disputes", json={"kind": "quality", "claim": "部分冻伤", "claimed": "100.00"}
    )
    assert opened.status_code == 201, opened.text
    assert scene.held() == [("dispute", "699.00")]
    with scene.database.unit_of_work() as session:
        officer = make_user(session, Role.CITY_OFFICER)
    dispute = f"/v1/disputes/{opened.json()['id']}"
    assert scene.farm.post(f"{dispute}/answer", json={"answer": "同意"}).status_code in (200, 201)
    decided = scene.api.as_(officer).post(
        f"{dispute}/decide", json={"outcome": "full", "reason": "部分冻伤属实", "refund": "100.00"}
    )
    assert decided.status_code in (200, 201), decided.text
    assert scene.held() == []
    scene.later(20)
    scene.run()
    row = scene.settlement()
    assert (row["sales"], row["other"], row["due"]) == ("699.00", "-100.00", "599.00")
    assert differences(scene.database) == {}


def test_an_order_with_an_open_return_waits_for_its_end(scene):
    made = scene.delivered(10)
    back = ask_back(scene.api, scene.market, made, 3).json()["id"]
    scene.later(8)
    assert scene.held() == [("return_open", "699.00")]
    assert scene.farm.post(f"/v1/returns/{back}/approve", json={"without_goods": True}).json()["status"] == "closed"
    assert scene.held() == []
    scene.later(20)
    scene.run()
    assert scene.settlement()["due"] == "489.30"


def test_a_stopped_certificate_or_supplier_holds_until_platform_finance_lifts_it(scene):
    made = scene.delivered(10)
    other = scene.delivered(2)
    scene.later(8)
    early = scene.cashier.post(
        f"/v1/supplier-orders/{made.part}/hold-lifts", json={"hold": "certificate_stopped", "reason": "预先"}
    )
    assert (early.status_code, early.json()["code"]) == (409, "hold_not_there")
    certificate = scene.market.products[0].certificate_id
    scene.rows("UPDATE certificate SET revoked_at = now() WHERE id = :id RETURNING id", id=certificate)
    assert scene.held() == [("certificate_stopped", "699.00"), ("certificate_stopped", "139.80")]
    lifts = f"/v1/supplier-orders/{made.part}/hold-lifts"
    body = {"hold": "certificate_stopped", "reason": "撤销前已验收，无质量问题"}
    assert scene.cashier.post(lifts, json=body).status_code == 201
    assert scene.cashier.post(lifts, json=body).json()["code"] == "hold_lifted_before"
    assert scene.cashier.post(lifts, json={**body, "hold": "dispute"}).status_code == 422
    for hold in ("supplier_blocked", "no_invoice"):
        assert scene.cashier.post(lifts, json={**body, "hold": hold}).json()["code"] == "hold_not_there"
    assert scene.farm.post(lifts, json=body).status_code == 403
    assert scene.held() == [("certificate_stopped", "139.80")]
    scene.rows("UPDATE organisation SET status = 'suspended' WHERE id = :id RETURNING id", id=scene.market.suppliers[0].id)
    assert scene.held() == [("supplier_blocked", "699.00"), ("supplier_blocked", "139.80")]
    assert scene.held(hold="dispute") == []
    assert other.part != made.part


@pytest.mark.parametrize("lifted", [False, True])
def test_goods_whose_certificate_was_stopped_since_are_paid_only_with_a_reason(scene, lifted):
    scene.account()
    made = scene.delivered(10)
    scene.later(20)
    scene.run()
    row = scene.settlement()
    scene.farm.post(f"/v1/settlements/{row['id']}/confirm")
    certificate = scene.market.products[0].certificate_id
    scene.rows("UPDATE certificate SET suspended_at = now() WHERE id = :id RETURNING id", id=certificate)
    reason = "暂停前已验收，无质量问题"
    if lifted:
        lift = {"hold": "certificate_stopped", "reason": reason}
        assert scene.cashier.post(f"/v1/supplier-orders/{made.part}/hold-lifts", json=lift).status_code == 201
        assert scene.release(row["payout_id"]).json()["status"] == "released"
        return
    answer = scene.release(row["payout_id"])
    assert (answer.status_code, answer.json()["code"]) == (409, "certificate_stopped_since")
    path = f"/v1/payouts/{row['payout_id']}/release"
    assert scene.treasurer.post(path, json={"despite": reason}).json()["status"] == "released"
    assert scene.rows("SELECT reason FROM audit_event WHERE action = 'payout.release'") == [(reason,)]


def test_where_invoices_are_asked_for_what_has_none_waits(scene):
    configure(scene, needs_invoice=True)
    made = scene.delivered(10)
    scene.later(8)
    assert scene.held() == [("no_invoice", "699.00")]
    other = scene.delivered(1)
    lift = {"hold": "no_invoice", "reason": "纸质发票已收"}
    assert scene.cashier.post(f"/v1/supplier-orders/{other.part}/hold-lifts", json=lift).status_code == 201
    uploaded = scene.farm.post(
        f"/v1/supplier-orders/{made.part}/papers",
        data={
            "kind": "invoice",
            "number": f"{clock.today():%y}502000000000000001",
            "issued_on": str(clock.today()),
            "amount": "699.00",
        },
        files={"file": ("发票.pdf", PDF)},
    )
    assert uploaded.status_code == 201, uploaded.text
    assert scene.held() == [("return_window", "69.90")]  # of the other, whose invoice nobody waits for any more


def test_a_return_waits_with_the_delivery_that_it_belongs_to(scene):
    """What follows an acceptance is never taken up before it."""
    made = scene.delivered(10)
    back = ask_back(scene.api, scene.market, made, 3).json()["id"]
    scene.farm.post(f"/v1/returns/{back}/approve", json={"without_goods": True})
    assert scene.held() == [("return_window", "699.00"), ("return_window", "-209.70")]
    scene.later(8)
    assert scene.held() == []


def test_what_went_back_after_the_period_is_not_paid_out_first(scene):
    made = scene.delivered(10)
    scene.later(20)
    back = ask_back(scene.api, scene.market, made, 3)
    assert back.status_code == 201, back.text
    scene.farm.post(f"/v1/returns/{back.json()['id']}/approve", json={"without_goods": True})
    assert scene.run()["settlements"] == 0
    scene.later(20)
    scene.run()
    assert scene.settlement()["due"] == "489.30"


@pytest.mark.slow
def test_holds_are_listed_by_page_and_seen_by_whom_they_concern(scene):
    for quantity in (1, 2, 3):
        scene.delivered(quantity)
    scene.delivered(None, 1, of=1)
    first = scene.cashier.get("/v1/settlements/held", params={"limit": 3}).json()
    second = scene.cashier.get("/v1/settlements/held", params={"limit": 3, "after": first["next"]}).json()
    assert (len(first["items"]), len(second["items"]), second["next"]) == (3, 1, None)
    assert scene.held(scene.bees) == [("return_window", "150.00")]
    assert scene.held(scene.api.as_(scene.market.finance)) == []
    assert scene.buyer.get("/v1/settlements/held").status_code == 403
    assert "退货期" in scene.cashier.get(
        "/v1/settlements/held", params={"format": "csv"}, headers={"Accept-Language": "zh"}
    ).content.decode("utf-8-sig")
    with scene.database.unit_of_work() as session:
        elsewhere = make_user(session, Role.PLATFORM_FINANCE, region_code="500229")
    assert scene.held(scene.api.as_(elsewhere)) == []


@pytest.mark.parametrize("params", [{"hold": "nothing"}, {"limit": 0}, {"after": "x"}, {"supplier_id": 2**70}, {"format": "pdf"}])
def test_odd_filters_are_refused(scene, params):
    assert scene.cashier.get("/v1/settlements/held", params=params).status_code == 422
