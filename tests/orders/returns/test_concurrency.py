"""Two who ask at once never get more back than was accepted; and the proof that the guard is what prevents it."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import text

from orders.returns.actions import balances
from tests.conftest import connect
from tests.factories.after_sales import deliver, differences, rows, token_of
from tests.factories.orders import make_market


def rush(api, database, market, sent, tries=30):
    token = token_of(database, market.purchaser)
    body = {"reason_code": "quality", "reason": "冻伤", "lines": [{"order_line_id": sent.line, "quantity": "1"}]}

    def ask(_):
        client = connect(str(api.base_url), database, {"Authorization": f"Bearer {token}"})
        return client.post(f"/v1/shipments/{sent.shipment}/returns", json=body).status_code

    with ThreadPoolExecutor(15) as pool:
        return list(pool.map(ask, range(tries)))


def asked_back(database):
    return rows(database, "SELECT coalesce(sum(quantity), 0) FROM goods_return_line")[0][0]


@pytest.mark.slow
def test_of_ten_exactly_ten_are_asked_back(api, database):
    market = make_market(database)
    for _ in range(3):
        sent = deliver(api, market, 10)
        before = asked_back(database)
        statuses = rush(api, database, market, sent)
        assert statuses.count(201) == 10
        assert set(statuses) <= {201, 409, 422}
        assert asked_back(database) - before == 10
    assert differences(database) == {}


@pytest.mark.slow
@pytest.mark.control
def test_without_the_guard_the_same_rush_gives_back_too_much(api, database, monkeypatch):
    """The control: when this fails, the test above proves nothing."""
    market = make_market(database)
    sent = deliver(api, market, 10)
    with database.unit_of_work() as session:
        session.execute(text("ALTER TABLE acceptance_balance DROP CONSTRAINT ck_acceptance_balance_not_above_accepted"))

    def check_then_write(session, wanted):
        balances.opened(session, list(wanted))
        for line, quantity in wanted.items():
            held = session.execute(
                text("SELECT held FROM acceptance_balance WHERE acceptance_line_id = :l"), {"l": line}
            ).scalar_one()
            session.execute(text("SELECT pg_sleep(0.01)"))
            session.execute(
                text("UPDATE acceptance_balance SET held = :h WHERE acceptance_line_id = :l"), {"l": line, "h": held + quantity}
            )

    monkeypatch.setattr(balances, "hold", check_then_write)
    assert rush(api, database, market, sent).count(201) == asked_back(database) > 10


def test_of_ten_receipts_at_once_one_counts(api, database):
    market = make_market(database)
    sent = deliver(api, market, 10)
    buyer, seller = api.as_(market.purchaser), api.as_(market.sellers[0])
    body = {"reason_code": "quality", "reason": "冻伤", "lines": [{"order_line_id": sent.line, "quantity": "5"}]}
    back = buyer.post(f"/v1/shipments/{sent.shipment}/returns", json=body).json()["id"]
    seller.post(f"/v1/returns/{back}/approve", json={})
    buyer.post(f"/v1/returns/{back}/send", json={})
    token = token_of(database, market.sellers[0])

    def receive(_):
        client = connect(str(api.base_url), database, {"Authorization": f"Bearer {token}"})
        return client.post(f"/v1/returns/{back}/receive", json={}).status_code

    with ThreadPoolExecutor(10) as pool:
        assert sorted(pool.map(receive, range(10))) == [200] + [409] * 9
    assert rows(database, "SELECT sum(quantity), count(*) FROM sale_entry") == [(5, 2)]
    assert differences(database) == {}
