import csv
from datetime import timedelta

import pytest
from sqlalchemy import event, text

from shop.core import clock
from shop.identity.permissions import Role
from tests.factories.catalog import make_product
from tests.factories.identity import make_organisation, make_supplier, make_user, signed_in
from tests.factories.orders import make_market


def scalar(database, statement, **values):
    with database.unit_of_work() as session:
        return session.execute(text(statement), values).scalar_one()


def codes(answer):
    return {fault["field"]: fault["code"] for fault in answer.json()["errors"]}


def test_an_order_is_priced_by_tier_split_by_supplier_and_reserved(api, database):
    market = make_market(database)
    answer = api.as_(market.purchaser).post("/v1/purchase-orders", json=market.order(100, "3", 2, buyer_reference="XC-2026-001"))
    assert answer.status_code == 201, answer.text
    order = answer.json()
    assert order["total"] == "7286.00"  # 100 × 65.00 + 3 × 150.00 + 2 × 168.00
    assert order["total_grams"] == 501_500
    assert [(part["supplier_id"], part["total"]) for part in order["supplier_orders"]] == [
        (market.suppliers[0].id, "6500.00"),
        (market.suppliers[1].id, "786.00"),
    ]
    assert order["number"].startswith("PO20")
    assert scalar(database, "SELECT reserved FROM stock WHERE sku_id = :sku", sku=market.products[0].sku_id) == 100
    assert scalar(database, "SELECT count(*) FROM stock_movement WHERE kind = 'reserve'") == 3
    assert scalar(database, "SELECT count(*) FROM outbox_event WHERE name = 'purchase_order.placed'") == 1
    assert scalar(database, "SELECT detail->>'total_fen' FROM audit_event WHERE action = 'purchase_order.placed'") == "728600"
    lines = api.as_(market.purchaser).get(f"/v1/purchase-orders/{order['id']}/lines").json()["items"]
    assert [(line["line_no"], line["unit_price"], line["amount"], line["vat"]) for line in lines] == [
        (1, "65.00", "6500.00", "536.70"),
        (2, "150.00", "450.00", "0.00"),
        (3, "168.00", "336.00", "0.00"),
    ]


def test_one_bad_line_refuses_the_whole_order_and_every_bad_line_is_named(api, database):
    market = make_market(database, stock=50)
    with database.unit_of_work() as session:
        uncertified = make_product(session, market.suppliers[0], name="无证柚子", certified=False)
        boxed = make_product(session, market.suppliers[0], name="整箱李子", step=6, min_quantity=12, prices=((12, 4500),))
        pending = make_product(session, make_supplier(session, status="pending"), name="待审单位的茶")
    body = market.order(51, 1)
    body["lines"] += [
        {"sku_id": 10**15, "quantity": "1"},
        {"sku_id": uncertified.sku_id, "quantity": "1"},
        {"sku_id": boxed.sku_id, "quantity": "6"},
        {"sku_id": boxed.sku_id, "quantity": "13"},
        {"sku_id": pending.sku_id, "quantity": "1"},
    ]
    answer = api.as_(market.purchaser).post("/v1/purchase-orders", json=body)
    assert answer.status_code == 422
    assert answer.json()["code"] == "lines_refused"
    assert codes(answer) == {
        "lines[0]": "stock_short",
        "lines[2]": "unknown_sku",
        "lines[3]": "not_certified",
        "lines[4]": "below_minimum",
        "lines[5]": "wrong_step",
        "lines[6]": "supplier_not_approved",
    }
    assert answer.json()["errors"][0]["available"] == "50"
    for table in ("purchase_order", "order_line", "outbox_event", "audit_event"):
        assert scalar(database, f"SELECT count(*) FROM {table}") == 0, table
    assert scalar(database, "SELECT sum(reserved) FROM stock") == 0


def test_a_certificate_that_ended_revoked_or_suspended_cannot_be_sold_on(api, database):
    market = make_market(database)
    api = api.as_(market.purchaser)
    for change, why in (
        ("valid_until = valid_from", "not_certified"),
        ("suspended_at = now()", "certificate_suspended"),
        ("held_at = now()", "certificate_suspended"),
        ("revoked_at = now()", "not_certified"),
    ):
        with database.unit_of_work() as session:
            session.execute(
                text(
                    "UPDATE certificate SET valid_from = '2020-01-01', valid_until = '2099-12-31', suspended_at = NULL, held_at = NULL, revoked_at = NULL"
                )
            )
        assert api.post("/v1/purchase-orders", json=market.order(1)).status_code == 201
        with database.unit_of_work() as session:
            session.execute(text(f"UPDATE certificate SET {change}"))
        assert codes(api.post("/v1/purchase-orders", json=market.order(1))) == {"lines[0]": why}


@pytest.mark.slow
def test_the_number_of_statements_does_not_grow_with_the_lines(api, database):
    market = make_market(database)
    with database.unit_of_work() as session:
        market.products += [make_product(session, market.suppliers[n % 2], name=f"产品{n}") for n in range(200)]
    counted = []
    event.listen(database.engine, "before_cursor_execute", lambda *args: counted.append(args[2]))
    buyer = api.as_(market.purchaser)

    def statements(lines):
        counted.clear()
        assert buyer.post("/v1/purchase-orders", json=market.order(*[1] * lines)).status_code == 201
        return len(counted)

    assert statements(1) == statements(200) <= 8


@pytest.mark.slow
def test_ten_thousand_lines_are_one_order(api, database):
    market = make_market(database, stock=100_000)
    body = market.order()
    body["lines"] = [{"sku_id": market.products[n % 3].sku_id, "quantity": "1"} for n in range(10_000)]
    buyer = api.as_(market.purchaser)
    answer = buyer.post("/v1/purchase-orders", json=body)
    assert answer.status_code == 201, answer.text[:500]
    assert answer.json()["line_count"] == 10_000
    assert answer.json()["total"] == "1292940.60"  # 3334 × 69.90 + 3333 × 150.00 + 3333 × 168.00
    body["lines"].append(body["lines"][0])
    assert buyer.post("/v1/purchase-orders", json=body).status_code == 422


def test_only_for_the_own_unit_and_those_below_it(api, database):
    market = make_market(database)
    with database.unit_of_work() as session:
        branch = make_organisation(session, kind="school", parent=market.school)
        stranger = make_organisation(session, kind="school")
        pending = make_organisation(session, kind="school", parent=market.school, status="pending")
        below = make_user(session, Role.PURCHASER, branch)
    head = api.as_(market.purchaser)
    assert head.post("/v1/purchase-orders", json=market.order(1, buyer_id=branch.id)).json()["buyer_id"] == branch.id
    assert head.post("/v1/purchase-orders", json=market.order(1, buyer_id=stranger.id)).status_code == 403
    assert head.post("/v1/purchase-orders", json=market.order(1, buyer_id=pending.id)).json()["code"] == "buyer_not_approved"
    assert head.post("/v1/purchase-orders", json=market.order(1, buyer_id=10**12)).status_code == 404
    assert api.as_(below).post("/v1/purchase-orders", json=market.order(1, buyer_id=market.school.id)).status_code == 403


def test_who_sees_an_order(api, database):
    market = make_market(database)
    with database.unit_of_work() as session:
        others = {
            "stranger": (make_user(session, Role.PURCHASER, make_organisation(session, kind="school")), 404),
            "other supplier": (make_user(session, Role.SUPPLIER_ADMIN, make_supplier(session)), 404),
            "officer of the buyer's district": (make_user(session, Role.COUNTY_OFFICER, region_code="500106"), 200),
            "officer elsewhere": (make_user(session, Role.COUNTY_OFFICER, region_code="500229"), 404),
            "city officer": (make_user(session, Role.CITY_OFFICER), 200),
        }
    order = api.as_(market.purchaser).post("/v1/purchase-orders", json=market.order(1, 1, cost_centre="A-12")).json()
    for name, (user, status) in others.items():
        assert api.as_(user).get(f"/v1/purchase-orders/{order['id']}").status_code == status, name
    seen = api.as_(market.sellers[0]).get(f"/v1/purchase-orders/{order['id']}").json()
    assert [part["supplier_id"] for part in seen["supplier_orders"]] == [market.suppliers[0].id]
    assert (seen["total"], seen["line_count"], seen["cost_centre"]) == ("69.90", 1, None)
    lines = api.as_(market.sellers[0]).get(f"/v1/purchase-orders/{order['id']}/lines").json()["items"]
    assert [line["product_name"] for line in lines] == ["奉节脐橙"]
    assert api.get(f"/v1/purchase-orders/{order['id']}").status_code == 401
    assert api.as_(market.sellers[0]).post("/v1/purchase-orders", json=market.order(1)).status_code == 403


def test_lists_page_by_cursor_and_filter_by_status(api, database):
    market = make_market(database)
    buyer = api.as_(market.purchaser)
    placed = [buyer.post("/v1/purchase-orders", json=market.order(1)).json()["id"] for _ in range(5)]
    first = buyer.get("/v1/purchase-orders", params={"limit": 2}).json()
    second = buyer.get("/v1/purchase-orders", params={"limit": 2, "after": first["next"]}).json()
    third = buyer.get("/v1/purchase-orders", params={"limit": 2, "after": second["next"]}).json()
    assert [row["id"] for page in (first, second, third) for row in page["items"]] == placed[::-1]
    assert third["next"] is None
    assert first["items"][0]["statuses"] == {"placed": 1}
    part = buyer.get(f"/v1/purchase-orders/{placed[0]}").json()["supplier_orders"][0]
    api.as_(market.sellers[0]).post(f"/v1/supplier-orders/{part['id']}/confirm")
    assert [row["id"] for row in buyer.get("/v1/purchase-orders", params={"status": "confirmed"}).json()["items"]] == placed[:1]
    assert buyer.get("/v1/purchase-orders", params={"after": "rubbish"}).json()["code"] == "invalid"


def test_cancelling_and_rejecting_give_the_stock_back(api, database):
    market = make_market(database, stock=10)
    buyer, seller = api.as_(market.purchaser), api.as_(market.sellers[0])
    for way in ("cancel", "reject"):
        order = buyer.post("/v1/purchase-orders", json=market.order(10)).json()
        assert codes(buyer.post("/v1/purchase-orders", json=market.order(1))) == {"lines[0]": "stock_short"}
        if way == "cancel":
            done = buyer.post(f"/v1/purchase-orders/{order['id']}/cancel", json={"reason": "计划变更"})
        else:
            done = seller.post(f"/v1/supplier-orders/{order['supplier_orders'][0]['id']}/reject", json={"reason": "歉收"})
        assert done.status_code == 200, done.text
        assert scalar(database, "SELECT reserved FROM stock WHERE sku_id = :sku", sku=market.products[0].sku_id) == 0
        again = buyer.post(f"/v1/purchase-orders/{order['id']}/cancel", json={"reason": "再次"})
        assert (again.status_code, again.json()["code"]) == (409, "illegal_move")
    assert scalar(database, "SELECT sum(reserved) FROM stock_movement WHERE sku_id = :sku", sku=market.products[0].sku_id) == 0


def test_the_list_of_orders_is_narrowed(api, database):
    market = make_market(database)
    buyer = api.as_(market.purchaser)
    first = buyer.post("/v1/purchase-orders", json=market.order(1, buyer_reference="校采2026-12", cost_centre="食堂")).json()
    second = buyer.post("/v1/purchase-orders", json=market.order(None, 1, fund_source="union")).json()

    def found(**wanted):
        answer = buyer.get("/v1/purchase-orders", params=wanted)
        assert answer.status_code == 200, answer.text
        return [row["id"] for row in answer.json()["items"]]

    assert found() == [second["id"], first["id"]]
    assert found(fund_source="union") == [second["id"]]
    assert found(cost_centre="食堂") == found(q="2026-12") == found(q=first["number"]) == [first["id"]]
    today = clock.today()
    assert found(placed_from=str(today), placed_to=str(today)) == [second["id"], first["id"]]
    assert found(placed_to=str(today - timedelta(days=1))) == []
    page = buyer.get("/v1/purchase-orders", params={"limit": 1}).json()
    assert found(limit=1, after=page["next"]) == [first["id"]]
    assert buyer.get("/v1/purchase-orders", params={"colour": "red"}).status_code == 422


def test_nothing_is_wanted_yesterday(api, database):
    market = make_market(database)
    buyer = api.as_(market.purchaser)
    refused = buyer.post("/v1/purchase-orders", json=market.order(1, deliver_by=str(clock.today() - timedelta(days=1))))
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "deliver_by")
    assert buyer.post("/v1/purchase-orders", json=market.order(1, deliver_by=str(clock.today()))).status_code == 201


def test_the_lines_of_an_order_as_a_file(api, database):
    market = make_market(database)
    buyer = api.as_(market.purchaser)
    order = buyer.post("/v1/purchase-orders", json=market.order(10, 2)).json()
    path = f"/v1/purchase-orders/{order['id']}/lines"
    answer = buyer.get(path, params={"format": "csv"})
    assert answer.headers["content-disposition"] == f'attachment; filename="order_{order["number"]}.csv"'
    header, *lines = list(csv.reader(answer.content.decode("utf-8-sig").splitlines()))
    assert [line[header.index("amount (yuan)")] for line in lines] == ["699.00", "300.00"]
    assert [line[header.index("supplier")] for line in lines] == [supplier.name for supplier in market.suppliers]
    # a supplier has its own lines only
    own = api.as_(market.sellers[1]).get(path, params={"format": "csv"})
    assert own.status_code == 200, own.text
    header, *lines = list(csv.reader(own.content.decode("utf-8-sig").splitlines()))
    assert [line[header.index("supplier")] for line in lines] == [market.suppliers[1].name]
    assert api.as_(market.sellers[1]).get("/v1/purchase-orders/999/lines", params={"format": "csv"}).status_code == 404


def test_to_everybody_only_what_they_may_do_is_offered(api, database):
    market = make_market(database)
    buyer, seller = api.as_(market.purchaser), api.as_(market.sellers[0])
    placed = buyer.post("/v1/purchase-orders", json=market.order(10)).json()
    part = f"/v1/supplier-orders/{placed['supplier_orders'][0]['id']}"
    looking = [
        signed_in(api, Role.VIEWER, market.school),
        signed_in(api, Role.COUNTY_OFFICER, region_code="500236"),
        signed_in(api, Role.MONITOR),
    ]

    def offered():
        assert [client.get(part).json()["possible_actions"] for client in looking] == [[], [], []]
        return [client.get(part).json()["possible_actions"] for client in (buyer, seller)]

    assert offered() == [["cancel"], ["confirm", "reject"]]
    assert seller.post(f"{part}/confirm").status_code == 200
    assert offered() == [["cancel"], ["ship_part", "ship_rest"]]
    assert seller.post(f"{part}/shipments", json={}).status_code == 201
    assert offered() == [["accept_part", "accept_rest"], []]
