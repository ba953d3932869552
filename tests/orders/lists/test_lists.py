"""Saved lists: kept, shared, filled, tried and ordered; and orders that are ordered again."""

import pytest
from sqlalchemy import text

from shop.core import outbox
from shop.identity.permissions import Role
from tests.factories.catalog import make_product
from tests.factories.identity import make_organisation, make_user
from tests.factories.orders import make_market
from workers.handlers import HANDLERS

HEAD = {"fund_source": "canteen", "delivery_address": "大学城中路1号"}


@pytest.fixture
def market(database):
    return make_market(database)


@pytest.fixture
def buyer(api, market):
    return api.as_(market.purchaser)


def lines(market, *quantities):
    return market.order(*quantities)["lines"]


def make(client, expect=201, **body):
    answer = client.post("/v1/saved-lists", json={"name": "每周蔬菜", **body})
    assert answer.status_code == expect, answer.text
    return answer.json()


def post(client, path, expect=201, **body):
    answer = client.post(path, json=body)
    assert answer.status_code == expect, answer.text
    return answer.json()


def quantities(client, list_id):
    return [row["quantity"] for row in client.get(f"/v1/saved-lists/{list_id}/lines").json()["items"]]


def count(database, table):
    with database.unit_of_work() as session:
        return session.execute(text(f"SELECT count(*) FROM {table}")).scalar_one()


@pytest.mark.slow
def test_a_list_is_kept_changed_and_dropped(buyer, market, database):
    made = make(buyer, lines=lines(market, 10, 2))
    path = f"/v1/saved-lists/{made['id']}"
    assert (made["name"], made["line_count"], made["shared"], made["editable"]) == ("每周蔬菜", 2, False, True)
    added = post(buyer, f"{path}/lines", lines=lines(market, 5, None, 3))
    assert (added["line_count"], quantities(buyer, made["id"])) == (3, ["15", "2", "3"])
    sku = market.products[1].sku_id
    assert buyer.put(f"{path}/lines/{sku}", json={"quantity": "7.5"}).status_code == 200
    assert quantities(buyer, made["id"]) == ["15", "7.5", "3"]
    assert buyer.delete(f"{path}/lines/{sku}").json()["line_count"] == 2
    assert buyer.delete(f"{path}/lines/{sku}").status_code == 404
    renamed = buyer.patch(path, json={"name": "每月"}, headers={"If-Match": f'"{made["version"]}"'})
    assert renamed.status_code == 412
    assert buyer.patch(path, json={"name": "每月", "shared": True}).json()["shared"] is True
    assert buyer.delete(path).status_code == 204
    assert buyer.get(path).status_code == 404
    assert count(database, "saved_list_line") == 0


def test_lists_are_paged_and_found_by_their_name(buyer, market):
    made = [make(buyer, name=name)["id"] for name in ("春", "夏", "秋菜")]
    page = buyer.get("/v1/saved-lists", params={"limit": 2}).json()
    rest = buyer.get("/v1/saved-lists", params={"limit": 2, "after": page["next"]}).json()
    assert [each["id"] for each in page["items"] + rest["items"]] == made[::-1]
    assert [each["name"] for each in buyer.get("/v1/saved-lists", params={"q": "菜"}).json()["items"]] == ["秋菜"]
    assert buyer.get("/v1/saved-lists", params={"shared": True}).json()["items"] == []
    full = make(buyer, name="全", lines=lines(market, 1, 2, 3))["id"]
    first = buyer.get(f"/v1/saved-lists/{full}/lines", params={"limit": 2}).json()
    second = buyer.get(f"/v1/saved-lists/{full}/lines", params={"limit": 2, "after": first["next"]}).json()
    assert [row["quantity"] for row in first["items"] + second["items"]] == ["1", "2", "3"]


def test_what_cannot_be_kept_is_refused(buyer, market, database):
    make(buyer)
    assert make(buyer, 409)["code"] == "list_name_taken"
    assert make(buyer, 422, name="x", lines=[{"sku_id": 999_999, "quantity": "1"}])["code"] == "unknown_skus"
    assert make(buyer, 422, name="x", lines=[{"sku_id": 1, "quantity": "0"}])["code"] == "invalid"
    assert make(buyer, 422, name="x", lines=[])["code"] == "invalid"
    assert make(buyer, 422, name=" ")["code"] == "invalid"
    assert make(buyer, 422, name="x", lines=lines(market, 1), from_purchase_order_id=1)["code"] == "invalid"
    assert make(buyer, 404, name="x", from_purchase_order_id=999)["code"] == "not_found"
    assert make(buyer, 404, name="x", from_order_import_id=999)["code"] == "not_found"
    assert count(database, "saved_list") == 1
    made = make(buyer, name="空")
    assert post(buyer, f"/v1/saved-lists/{made['id']}/lines", 422)["code"] == "invalid"
    assert post(buyer, f"/v1/saved-lists/{made['id']}/order", 409, **HEAD)["code"] == "list_empty"
    assert post(buyer, f"/v1/saved-lists/{made['id']}/check", 200)["lines"] == []


def test_more_lines_than_an_order_may_have(buyer, market, database):
    made = make(buyer)
    with database.unit_of_work() as session:
        session.execute(
            text(
                "INSERT INTO sku (product_id, code, pack, unit, step, min_quantity, vat_bp, status, version)"
                " SELECT 1, 'L' || n, 'x', 'box', 1, 1, 0, 'active', 1 FROM generate_series(1, 10001) n"
            )
        )
        skus = list(session.execute(text("SELECT id FROM sku ORDER BY id DESC LIMIT 10001")).scalars())
    path = f"/v1/saved-lists/{made['id']}/lines"
    assert post(buyer, path, lines=[{"sku_id": sku, "quantity": "1"} for sku in skus[:10_000]])["line_count"] == 10_000
    assert post(buyer, path, 409, lines=[{"sku_id": skus[-1], "quantity": "1"}])["code"] == "list_full"
    assert buyer.get(f"/v1/saved-lists/{made['id']}").json()["line_count"] == 10_000


def test_a_list_from_an_order_and_from_an_uploaded_list(buyer, market, database):
    order = post(buyer, "/v1/purchase-orders", **market.order(3, 4))
    made = make(buyer, from_purchase_order_id=order["id"])
    assert quantities(buyer, made["id"]) == ["3", "4"]
    content = "品名,数量,单位\n奉节脐橙,6,\n中益土蜂蜜,7,\n没有的,1,\n合计,14,\n奉节脐橙,10,斤\n中益土蜂蜜,3,桶\n".encode()
    import_id = buyer.post("/v1/order-imports", files={"file": ("a.csv", content)}).json()["id"]
    assert make(buyer, 404, name="早", from_order_import_id=import_id)["code"] == "not_found"
    outbox.drain(database, HANDLERS)
    assert quantities(buyer, make(buyer, name="二", from_order_import_id=import_id)["id"]) == ["7", "7"]


def test_who_sees_and_changes_a_list(api, buyer, market, database):
    with database.unit_of_work() as session:
        colleague = make_user(session, Role.PURCHASER, market.school)
        below = make_user(session, Role.PURCHASER, make_organisation(session, kind="school", parent=market.school))
        other = make_user(session, Role.PURCHASER, make_organisation(session, kind="school"))
    private, shared = make(buyer, name="私", lines=lines(market, 1)), make(buyer, name="共", shared=True, lines=lines(market, 1))
    seen = {who: [each["name"] for each in api.as_(user).get("/v1/saved-lists").json()["items"]] for who, user in
            {"colleague": colleague, "below": below, "other": other, "seller": market.sellers[0]}.items()}  # fmt: skip
    assert seen == {"colleague": ["共"], "below": ["共"], "other": [], "seller": []}
    for who in (colleague, below, other):
        client = api.as_(who)
        assert client.get(f"/v1/saved-lists/{private['id']}").status_code == 404
        assert post(client, f"/v1/saved-lists/{private['id']}/order", 404, **HEAD)["code"] == "not_found"
    assert api.as_(other).delete(f"/v1/saved-lists/{shared['id']}").status_code == 404
    refused = api.as_(below).patch(f"/v1/saved-lists/{shared['id']}", json={"name": "别的"})
    assert (refused.status_code, refused.json()["code"]) == (403, "not_your_list")
    assert api.as_(below).get(f"/v1/saved-lists/{shared['id']}").json()["editable"] is False
    assert api.as_(colleague).patch(f"/v1/saved-lists/{shared['id']}", json={"name": "别的"}).status_code == 200
    # units below order from it on their own account
    placed = post(api.as_(below), f"/v1/saved-lists/{shared['id']}/order", **HEAD)["purchase_order"]
    assert placed["buyer_id"] != market.school.id
    finance = api.as_(market.finance)
    assert finance.get(f"/v1/saved-lists/{shared['id']}").status_code == 200
    for path in (f"/v1/saved-lists/{shared['id']}/order", f"/v1/saved-lists/{shared['id']}/check"):
        assert finance.post(path, json={}).status_code in (403, 422)
    assert finance.post("/v1/saved-lists", json={"name": "x"}).status_code == 403


def test_a_list_is_tried_with_prices_reasons_and_substitutes(buyer, market, database):
    with database.unit_of_work() as session:
        lacking = make_product(session, market.suppliers[0], name="缺货的橙", stock=1)
        suspended = make_product(session, market.suppliers[0], name="暂停的蜂蜜", category="honey")
        session.execute(text("UPDATE certificate SET suspended_at = now() WHERE id = :id"), {"id": suspended.certificate_id})
    wanted = [
        *lines(market, 100),
        {"sku_id": lacking.sku_id, "quantity": "5"},
        {"sku_id": suspended.sku_id, "quantity": "2"},
    ]
    made = make(buyer, lines=wanted)
    path = f"/v1/saved-lists/{made['id']}"
    checked = post(buyer, f"{path}/check", 200)
    assert (checked["orderable"], checked["faulty"], checked["total"], checked["total_grams"]) == (1, 2, "6500.00", 500_000)
    good, short, stopped = checked["lines"]
    assert (good["unit_price"], good["amount"], good["fault"]) == ("65.00", "6500.00", None)
    assert (short["fault"]["code"], short["fault"]["available"]) == ("stock_short", "1")
    assert [each["product_name"] for each in short["substitutes"]] == ["奉节脐橙"]
    assert (stopped["fault"]["code"], stopped["fault"]["message"]) == (
        "certificate_suspended",
        "The certificate of the product is suspended; it can be ordered again when that ends",
    )
    assert [each["product_name"] for each in stopped["substitutes"]] == ["中益土蜂蜜"]
    assert count(database, "purchase_order") == 0
    refused = post(buyer, f"{path}/order", 422, **HEAD)
    assert (refused["code"], [each["code"] for each in refused["errors"]]) == (
        "lines_refused",
        ["stock_short", "certificate_suspended"],
    )
    ordered = post(buyer, f"{path}/order", **HEAD, leave_out_faulty=True)
    assert (ordered["purchase_order"]["line_count"], ordered["check"]["faulty"]) == (1, 2)
    assert ordered["purchase_request_id"] is None


def test_an_order_is_ordered_again_at_todays_prices(api, buyer, market, database):
    head = {"buyer_reference": "ST-1", "cost_centre": "食堂", "deliver_by": "2099-01-01", "delivery_contact": "王"}
    before = post(buyer, "/v1/purchase-orders", **market.order(2, 1, **head))
    with database.unit_of_work() as session:
        session.execute(
            text("UPDATE price_tier SET unit_price_fen = 7990 WHERE sku_id = :id AND min_quantity = 1"),
            {"id": market.products[0].sku_id},
        )
    path = f"/v1/purchase-orders/{before['id']}/reorder"
    tried = post(buyer, path, 200)
    assert (tried["check"]["total"], tried["purchase_order"]) == ("309.80", None)
    assert count(database, "purchase_order") == 1
    again = post(buyer, path, 200, dry_run=False)["purchase_order"]
    assert (again["total"], again["cost_centre"], again["delivery_contact"]) == ("309.80", "食堂", "王")
    assert (again["buyer_reference"], again["deliver_by"]) == (None, None)
    other = post(buyer, path, 200, dry_run=False, head={**HEAD, "delivery_address": "新校区"})["purchase_order"]
    assert (other["delivery_address"], other["cost_centre"]) == ("新校区", None)
    assert api.as_(market.sellers[0]).post(path, json={}).status_code == 403
    with database.unit_of_work() as session:
        stranger = make_user(session, Role.PURCHASER, make_organisation(session, kind="school"))
    assert post(api.as_(stranger), path, 404)["code"] == "not_found"


def test_lines_that_were_replaced_are_not_ordered_again(buyer, market, database):
    before = post(buyer, "/v1/purchase-orders", **market.order(2, 1))
    with database.unit_of_work() as session:  # as an agreed change leaves them
        session.execute(text("UPDATE order_line SET quantity = 0, amount_fen = 0, vat_fen = 0, grams = 0 WHERE line_no = 1"))
    tried = post(buyer, f"/v1/purchase-orders/{before['id']}/reorder", 200)
    assert [line["sku_id"] for line in tried["check"]["lines"]] == [market.products[1].sku_id]
    assert quantities(buyer, make(buyer, from_purchase_order_id=before["id"])["id"]) == ["1"]


def test_an_order_from_a_list_sent_twice_with_its_key_is_one_order(buyer, market, database):
    made = make(buyer, lines=lines(market, 1))
    send = lambda: buyer.post(f"/v1/saved-lists/{made['id']}/order", json=HEAD, headers={"Idempotency-Key": "k"})  # noqa: E731
    assert send().content == send().content
    assert count(database, "purchase_order") == 1
