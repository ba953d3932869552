"""Stock through the door, and many hands on it at once."""

import json
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

import pytest
from sqlalchemy import text

from catalog.stock import actions
from shop.core import clock
from shop.identity.permissions import Role
from tests.factories.catalog import make_product
from tests.factories.identity import make_supplier, signed_in


@pytest.fixture
def shop(api, database):
    with database.unit_of_work() as session:
        supplier = make_supplier(session)
        made = make_product(session, supplier, stock=0)
    return signed_in(api, Role.SUPPLIER_STAFF, supplier), made.sku_id


def move(client, sku_id, kind, quantity, **rest):
    return client.post(f"/v1/skus/{sku_id}/stock-movements", json={"kind": kind, "quantity": quantity, **rest})


def test_goods_come_in_and_are_counted(shop):
    client, sku = shop
    assert move(client, sku, "receive", "200").json() == {"sku_id": sku, "on_hand": "200", "reserved": "0", "available": "200"}
    assert move(client, sku, "adjust", "-3", reason="盘点损耗").json()["on_hand"] == "197"
    assert client.get(f"/v1/skus/{sku}/stock").json()["available"] == "197"
    listed = client.get(f"/v1/skus/{sku}/stock-movements").json()["items"]
    assert [(m["kind"], m["on_hand"], m["reason"]) for m in listed] == [("adjust", "-3", "盘点损耗"), ("receive", "200", None)]
    assert all(m["actor_id"] for m in listed)


def test_movements_come_in_pages(shop):
    client, sku = shop
    for n in range(1, 6):
        move(client, sku, "receive", str(n))
    first = client.get(f"/v1/skus/{sku}/stock-movements", params={"limit": 3}).json()
    rest = client.get(f"/v1/skus/{sku}/stock-movements", params={"limit": 3, "after": first["next"]}).json()
    assert [m["on_hand"] for m in first["items"] + rest["items"]] == ["5", "4", "3", "2", "1"]


FAULTY = [
    {"kind": "receive", "quantity": "0"},
    {"kind": "receive", "quantity": "-1"},
    {"kind": "receive", "quantity": "1.5"},
    {"kind": "receive", "quantity": "NaN"},
    {"kind": "receive", "quantity": "1e99"},
    {"kind": "receive", "quantity": True},
    {"kind": "adjust", "quantity": "-1"},
    {"kind": "reserve", "quantity": "1"},
    {"kind": "adjust", "quantity": "1", "reason": "\ud800"},
]


def test_faulty_movements_change_nothing(shop):
    client, sku = shop
    move(client, sku, "receive", "10")
    for body in FAULTY:
        content = json.dumps(body).encode()
        refused = client.post(f"/v1/skus/{sku}/stock-movements", content=content, headers={"Content-Type": "application/json"})
        assert refused.status_code == 422, body
    assert client.get(f"/v1/skus/{sku}/stock").json()["on_hand"] == "10"


def test_what_orders_were_promised_stays(shop, database):
    client, sku = shop
    move(client, sku, "receive", "10")
    with database.unit_of_work() as session:
        session.execute(text("UPDATE stock SET reserved = 8 WHERE sku_id = :id"), {"id": sku})
    refused = move(client, sku, "adjust", "-3", reason="损耗")
    assert (refused.status_code, refused.json()["code"]) == (409, "stock_out_of_range")
    assert refused.json()["data"]["least"] == "8"
    assert move(client, sku, "adjust", "-2", reason="损耗").json()["available"] == "0"
    assert move(client, sku, "receive", "1000000000").json()["code"] == "stock_out_of_range"


def test_a_stranger_neither_sees_nor_moves_it(api, shop, database):
    _, sku = shop
    with database.unit_of_work() as session:
        other = make_supplier(session)
    rival = signed_in(api, Role.SUPPLIER_STAFF, other)
    assert rival.get(f"/v1/skus/{sku}/stock").status_code == 403
    assert rival.get(f"/v1/skus/{sku}/stock-movements").status_code == 403
    assert move(rival, sku, "receive", "1").status_code == 403
    assert rival.get("/v1/skus/999999/stock").status_code == 404


def test_many_hands_at_once_lose_nothing(shop, database):
    """Forty movements by eight threads over their own connections; the control reads first and writes what it computed."""
    client, sku = shop
    move(client, sku, "receive", "100")

    def guarded(n):
        return move(client, sku, "adjust", "5" if n % 2 else "-5", reason="盘点").status_code

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(guarded, range(40))) == {201}
    with database.unit_of_work() as session:
        sums = text(
            "SELECT on_hand, (SELECT sum(on_hand) FROM stock_movement WHERE sku_id = :id) AS moved FROM stock WHERE sku_id = :id"
        )
        assert tuple(session.execute(sums, {"id": sku}).one()) == (100, 100)

    def unguarded(_):
        with database.unit_of_work() as session:
            present = session.execute(text("SELECT on_hand FROM stock WHERE sku_id = :id"), {"id": sku}).scalar_one()
            session.execute(text("SELECT pg_sleep(0.01)"))
            session.execute(text("UPDATE stock SET on_hand = :new WHERE sku_id = :id"), {"new": present + 1, "id": sku})

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(unguarded, range(40)))
    with database.unit_of_work() as session:
        assert session.execute(text("SELECT on_hand FROM stock WHERE sku_id = :id"), {"id": sku}).scalar_one() < 140


def test_release_and_ship_in_opposite_order_do_not_lock_each_other_out(database):
    """Two dozen transactions over the same SKUs, each in another order, with several lines of one SKU among them."""
    with database.unit_of_work() as session:
        supplier = make_supplier(session)
        skus = [make_product(session, supplier, stock=1000, certified=False).sku_id for _ in range(6)]
        session.execute(text("UPDATE stock SET reserved = 480 WHERE sku_id = ANY (:ids)"), {"ids": skus})
        session.execute(
            text(
                "INSERT INTO stock_movement (sku_id, kind, on_hand, reserved, at) SELECT id, 'reserve', 0, 480, :now FROM unnest(:ids) id"
            ),
            {"ids": skus, "now": clock.now()},
        )

    def one(n):
        mine = (skus[n % 6 :] + skus[: n % 6])[:: 1 if n % 2 else -1]
        rows = {"sku_ids": mine * 2, "quantities": [Decimal(10)] * 12, "order_line_ids": list(range(n * 12, n * 12 + 12))}
        with database.unit_of_work() as session:
            (actions.ship if n % 3 else actions.release)(session, **rows)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(one, range(24)))
    with database.unit_of_work() as session:
        held = session.execute(text("SELECT DISTINCT on_hand, reserved FROM stock WHERE sku_id = ANY (:ids)"), {"ids": skus}).all()
        assert [tuple(row) for row in held] == [(1000 - 16 * 20, 0)]
        told = session.execute(text("SELECT sum(on_hand), sum(reserved) FROM stock_movement GROUP BY sku_id")).all()
        assert {tuple(row) for row in told} == {(680, 0)}
