"""Whatever happens in whatever order: to the fen, what suppliers are owed, got and keep is what was sold, less what went back and what was kept."""

import random

import pytest

from orders.settlement.actions import paying, running
from shop.core import clock
from shop.core.audit import SYSTEM
from shop.core.errors import Problem
from tests.factories.after_sales import ask_back, differences

STEPS = 26


def owed_and_paid(scene, supplier_id):
    """The left side: what stands on the accounts of a supplier, and what left the marketplace for it."""
    [(standing,)] = scene.rows(
        "SELECT coalesce(-sum(amount_fen), 0)::bigint FROM money_posting WHERE party_id = :id AND account IN ('payable', 'settled', 'payouts', 'advances')",
        id=supplier_id,
    )
    [(left,)] = scene.rows(
        "SELECT (coalesce((SELECT sum(amount_fen - returned_fen) FROM payout WHERE supplier_id = :id AND status = 'paid'), 0)"
        " + coalesce((SELECT sum(amount_fen) FROM advance WHERE supplier_id = :id AND status = 'paid'), 0))::bigint",
        id=supplier_id,
    )
    return standing + left


def sold_and_kept(scene, supplier_id):
    """The right side, from the documents alone."""
    [(fen,)] = scene.rows(
        "SELECT (coalesce((SELECT sum(amount_fen) FROM sale_entry WHERE supplier_id = :id AND supplier_order_id IS NOT NULL), 0)"
        " + coalesce((SELECT sum(freight_fen) FROM supplier_order WHERE supplier_id = :id AND status IN ('accepted', 'partly_accepted')), 0)"
        " - coalesce((SELECT sum(d.refund_fen) FROM dispute d JOIN supplier_order so ON so.id = d.supplier_order_id WHERE so.supplier_id = :id), 0)"
        " - coalesce((SELECT sum(commission_fen) FROM settlement WHERE supplier_id = :id), 0))::bigint",
        id=supplier_id,
    )
    return fen


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2])
def test_what_is_owed_and_paid_is_what_was_sold_and_not_kept(scene, seed):
    chance = random.Random(seed)
    scene.account()
    scene.account(1, "6222021009014400777")
    [(programme,)] = scene.rows("SELECT code FROM programme ORDER BY valid_from DESC LIMIT 1")
    for changes in (
        {"kind": "rate", "rate_bp": 137},
        {"kind": "fixed", "fixed": "3.33", "supplier_id": scene.market.suppliers[1].id},
    ):
        rule = {"programme_code": programme, "valid_from": str(clock.today()), "reason": "试行", **changes}
        assert scene.cashier.post("/v1/commission-rules", json=rule).status_code == 201
    delivered = []

    def deliver():
        of = chance.randint(0, 1)
        delivered.append(
            scene.delivered(*((chance.randint(1, 9), None) if of == 0 else (None, chance.randint(1, 9))), of=of, paid=False)
        )

    def pay():
        order = chance.choice(delivered).order_id
        scene.pay(order, chance.randint(1, 60_000))

    def give_back():
        made = chance.choice(delivered)
        asked = ask_back(scene.api, scene.market, made, 1)
        if asked.status_code == 201:
            for client in (scene.farm, scene.bees):
                client.post(f"/v1/returns/{asked.json()['id']}/approve", json={"without_goods": True})

    def settle():
        scene.later(chance.randint(3, 12))
        with scene.database.unit_of_work() as session:
            running.run_due(session)

    for of in (0, 1):
        scene.online_account(of)

    def pay_out():
        for (payout_id,) in scene.rows("SELECT id FROM payout WHERE status IN ('draft', 'failed')"):
            scene.cashier.post(f"/v1/payouts/{payout_id}/approve", json={"method": chance.choice(["bank", "stripe"])})
        for (payout_id,) in scene.rows("SELECT id FROM payout WHERE status = 'approved'"):
            scene.treasurer.post(f"/v1/payouts/{payout_id}/release")

    def end():
        for (payout_id,) in scene.rows("SELECT id FROM payout WHERE status IN ('released', 'sent', 'paid')"):
            try:
                with scene.database.unit_of_work() as session:
                    how = chance.random()
                    if how < 0.5:
                        paying.paid(session, SYSTEM, payout_id, "B")
                    elif how < 0.7:
                        paying.returned(session, SYSTEM, payout_id, chance.randint(1, 30_000))
                    else:
                        paying.failed(session, SYSTEM, payout_id, "退回")
            except Problem:
                continue

    deliver()
    for _ in range(STEPS):
        chance.choice([deliver, deliver, pay, pay, give_back, settle, settle, pay_out, end])()
        for supplier in scene.market.suppliers:
            assert owed_and_paid(scene, supplier.id) == sold_and_kept(scene, supplier.id)
        # nothing is settled above what was paid for its order
        assert (
            scene.rows(
                "SELECT so.purchase_order_id FROM settlement_line l JOIN supplier_order so ON so.id = l.supplier_order_id GROUP BY 1"
                " HAVING sum(l.amount_fen) > (SELECT coalesce(sum(p.amount_fen), 0) FROM payment p WHERE p.purchase_order_id = so.purchase_order_id)"
            )
            == []
        )
    # what was paid above what an order costs is the buyer's credit
    assert set(differences(scene.database)) <= {"payments"}
    assert scene.rows("SELECT count(*) > 0 FROM settlement") == [(True,)]
