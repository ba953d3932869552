"""Orders under an agreement: its prices, its caps, and where it stands."""

import io
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from decimal import Decimal

import pytest
from python_calamine import CalamineWorkbook
from sqlalchemy import text

from orders.agreements.actions import calling_off
from orders.agreements.queries import reach
from shop.core import clock
from shop.identity.permissions import Role
from tests.conftest import connect
from tests.factories.identity import access_token, make_user
from tests.orders.agreements.scene import code


def prices(answer):
    return answer.json()["purchase_order"]["total"]


def reprice(scene, fen):
    with scene.database.unit_of_work() as session:
        session.execute(
            text("UPDATE price_tier SET unit_price_fen = :fen WHERE sku_id = :sku"), {"fen": fen, "sku": scene.cabbage.sku_id}
        )


@pytest.mark.slow
def test_prices_are_those_of_the_agreement(scene):
    fixed = scene.agreed(scene.line({"kind": "fixed", "unit_price": "3.80"}))
    off = scene.agreed(scene.line({"kind": "list_minus", "percent_off": "12.5"}))
    tiers = [{"min_quantity": "10", "unit_price": "3.90"}, {"min_quantity": "50", "unit_price": "3.70"}]
    tiered = scene.agreed(scene.line({"kind": "tiers", "tiers": tiers}))
    assert prices(scene.call_off(fixed, 10)) == "38.00"
    assert prices(scene.call_off(off, 10)) == "39.40"  # 4.50 less 12.5 % is 3.94 (3.9375)
    assert prices(scene.call_off(off, 100)) == "350.00"  # the list's tier for 100
    assert prices(scene.call_off(tiered, 50)) == "185.00"
    refused = scene.call_off(tiered, 9)
    assert code(refused) == (422, "call_off_refused")
    assert refused.json()["errors"][0]["code"] == "no_price"
    reprice(scene, 900)
    assert prices(scene.call_off(fixed, 10)) == "38.00"
    assert prices(scene.call_off(off, 10)) == "78.80"


def test_an_order_names_its_agreement(scene):
    made = scene.agreed()
    order = scene.call_off(made, 10, deliver_by=str(clock.today() + timedelta(days=3))).json()["purchase_order"]
    assert (order["source_kind"], order["source_id"], order["fund_source"]) == ("agreement", made["id"], "canteen")
    assert order["buyer_id"] == scene.bureau.id


@pytest.mark.slow
def test_caps_hold_with_their_tolerance(scene):
    made = scene.agreed(scene.line(quantity_cap="100"), amount_cap="1000.00", tolerance_percent="5")
    assert scene.call_off(made, 90).status_code == 201
    refused = scene.call_off(made, 16)
    assert code(refused) == (409, "cap_exceeded")
    (fault,) = refused.json()["errors"]
    assert (fault["code"], fault["cap"], fault["drawn"], fault["left"]) == ("quantity_cap", "100", "90", "15")
    assert scene.call_off(made, 15).status_code == 201
    position = scene.position(made)
    assert (position["lines"][0]["remaining_quantity"], position["lines"][0]["percent"]) == ("-5", "105")
    dear = scene.agreed(scene.line(amount_cap="38.00"))
    assert code(scene.call_off(dear, 11)) == (409, "cap_exceeded")
    assert scene.call_off(dear, 10).status_code == 201
    whole = scene.agreed(scene.line(), scene.line(product=scene.radish), amount_cap="76.00")
    answer = scene.call_off(whole, 10, 11)
    assert answer.json()["errors"][0]["code"] == "amount_cap"


def test_a_rejected_or_cancelled_order_and_rejected_goods_draw_nothing(scene):
    made = scene.agreed(scene.line(quantity_cap="100"))
    for refuse in ("reject", "cancel", "goods"):
        order = scene.call_off(made, 100).json()["purchase_order"]
        assert code(scene.call_off(made, 1)) == (409, "cap_exceeded")
        part = order["supplier_orders"][0]["id"]
        if refuse == "reject":
            scene.post("farm", f"supplier-orders/{part}/reject", {"reason": "缺货"})
        elif refuse == "cancel":
            scene.post("buyer", f"purchase-orders/{order['id']}/cancel", {"reason": "停课"})
        else:
            scene.deliver(order, rejected=30)
    assert code(scene.call_off(made, 31)) == (409, "cap_exceeded")
    assert scene.call_off(made, 30).status_code == 201


def test_both_sides_see_the_same_position(scene):
    made = scene.agreed(
        scene.line(quantity_cap="100", minimum_quantity="80"),
        scene.line(product=scene.radish),
        amount_cap="1000.00",
        minimum_amount="500.00",
    )
    order = scene.call_off(made, 40).json()["purchase_order"]
    scene.deliver(order, rejected=10)
    scene.call_off(made, 20, 5)
    position = scene.position(made)
    assert position == scene.position(made, "farm") == scene.position(made, "county")
    first, second = position["lines"]
    assert [first[name] for name in ("ordered_quantity", "shipped_quantity", "accepted_quantity", "rejected_quantity")] == [
        "60",
        "40",
        "30",
        "10",
    ]
    assert (first["drawn_quantity"], first["remaining_quantity"], first["percent"], first["minimum_open"]) == (
        "50",
        "50",
        "50",
        "30",
    )
    assert (first["drawn_amount"], first["accepted_amount"]) == ("190.00", "114.00")
    assert (second["drawn_amount"], second["remaining_quantity"]) == ("19.00", None)
    assert (position["drawn_amount"], position["remaining_amount"], position["minimum_open"]) == ("209.00", "791.00", "291.00")
    assert scene.get("rival", f"agreements/{made['id']}/position").status_code == 404
    sheet = scene.get("farm", f"agreements/{made['id']}/position", format="xlsx")
    rows = CalamineWorkbook.from_filelike(io.BytesIO(sheet.content)).get_sheet_by_index(0).to_python()
    assert rows[1][7:13] == [60, 40, 30, 10, 0, 50]
    assert scene.get("farm", f"agreements/{made['id']}/position", format="csv").content.startswith(b"\xef\xbb\xbf")


def test_what_waits_for_approval_is_drawn(scene):
    with scene.database.unit_of_work() as session:
        approver = make_user(session, Role.APPROVER, scene.bureau)
    scene.users["approver"] = approver
    scene.sign_in()
    rule = {"name": "审批", "min_amount": "0.00", "steps": [{"name": "领导", "role": "approver"}]}
    assert scene.post("head", "approval-rules", rule).status_code == 201
    made = scene.agreed(scene.line(quantity_cap="100"))
    answer = scene.call_off(made, 60).json()
    request = answer["purchase_request"]
    assert (answer["purchase_order"], request["status"]) == (None, "waiting")
    assert scene.position(made)["lines"][0]["waiting_quantity"] == "60"
    assert code(scene.call_off(made, 41)) == (409, "cap_exceeded")
    other = scene.call_off(made, 40).json()["purchase_request"]
    done = scene.post("approver", f"purchase-requests/{request['id']}/approve", {})
    assert (done.status_code, done.json()["status"]) == (200, "ordered"), done.text
    assert scene.post("approver", f"purchase-requests/{other['id']}/reject", {"reason": "超计划"}).json()["status"] == "rejected"
    line = scene.position(made)["lines"][0]
    assert (line["waiting_quantity"], line["ordered_quantity"], line["drawn_quantity"]) == ("0", "60", "60")


def test_what_is_refused(scene):
    made = scene.propose()
    assert code(scene.call_off(made, 1)) == (409, "agreement_not_in_force")
    made = scene.agreed(valid_from=str(clock.today() + timedelta(days=1)))
    assert scene.call_off(made, 1).json()["title"].endswith("(upcoming)")
    made = scene.agreed()
    assert code(scene.call_off(made, 1, who="farm")) == (403, "forbidden")
    assert code(scene.call_off(made, 1, who="stranger")) == (404, "not_found")
    assert scene.call_off(made, "0.5").json()["errors"][0]["code"] == "wrong_step"
    assert code(scene.call_off(made, 10**9)) == (422, "lines_refused")
    assert code(scene.call_off(made, 1, delivery_place_id=10**15)) == (422, "invalid")
    lines = [{"agreement_line_id": 10**15, "quantity": "1"}]
    unknown = scene.post("buyer", f"agreements/{made['id']}/call-offs", {"lines": lines, "delivery_address": "某处"})
    assert code(unknown) == (422, "call_off_refused")
    with clock.fixed(clock.now() + timedelta(days=400)):
        scene.sign_in()
        assert scene.get("buyer", f"agreements/{made['id']}").json()["state"] == "expired"
        assert code(scene.call_off(made, 1)) == (409, "agreement_not_in_force")


RUSH, AT_ONCE = 100, 32


def rush(scene, agreement):
    with scene.database.unit_of_work() as session:
        token = access_token(session, scene.users["buyer"])
    local = threading.local()
    body = {
        "lines": [{"agreement_line_id": agreement["lines"][0]["id"], "quantity": "10"}],
        "delivery_address": "重庆市沙坪坝区大学城中路1号",
    }

    def ask(_):
        if not hasattr(local, "client"):
            local.client = connect(str(scene.api.base_url), scene.database, {"Authorization": f"Bearer {token}"})
        return local.client.post(f"/v1/agreements/{agreement['id']}/call-offs", json=body).status_code

    with ThreadPoolExecutor(AT_ONCE) as pool:
        statuses = list(pool.map(ask, range(RUSH)))
    return {status: statuses.count(status) for status in set(statuses)}


def ordered(scene):
    with scene.database.unit_of_work() as session:
        return session.execute(text("SELECT coalesce(sum(quantity), 0) FROM order_line")).scalar_one()


def unlocked(monkeypatch):
    """The same statement without its lock, and time between counting and writing, as a slow machine has it."""
    statement = text(str(reach._LOCK).replace("FOR NO KEY UPDATE OF a", ""))
    monkeypatch.setattr(reach, "_LOCK", statement)
    counted = calling_off.drawn

    def slowly(session, agreement_id):
        found = counted(session, agreement_id)
        session.execute(text("SELECT pg_sleep(0.005)"))
        return found

    monkeypatch.setattr(calling_off, "drawn", slowly)


@pytest.mark.slow
@pytest.mark.parametrize(("caps", "head"), [({"quantity_cap": "400"}, {}), ({}, {"amount_cap": "1520.00"})])
def test_a_hundred_call_offs_at_once_fill_the_cap_and_never_pass_it(scene, caps, head):
    made = scene.agreed(scene.line(**caps), tolerance_percent="5", **head)  # 42 of 100 fit below the cap with its tolerance
    assert rush(scene, made) == {201: 42, 409: RUSH - 42}
    assert ordered(scene) == Decimal(420)


@pytest.mark.slow
@pytest.mark.control
def test_without_the_lock_the_same_rush_passes_the_cap(scene, monkeypatch):
    """The control: when this fails, the test above proves nothing."""
    made = scene.agreed(scene.line(quantity_cap="400"), tolerance_percent="5")
    with scene.database.unit_of_work() as session:
        session.execute(text("DROP TRIGGER hold_agreement_caps ON order_line"))
    unlocked(monkeypatch)
    statuses = rush(scene, made)
    assert ordered(scene) == 10 * statuses[201] > 420


@pytest.mark.slow
def test_without_the_lock_the_database_still_holds_the_cap(scene, monkeypatch):
    made = scene.agreed(scene.line(quantity_cap="400"), tolerance_percent="5")
    unlocked(monkeypatch)
    statuses = rush(scene, made)
    assert set(statuses) == {201, 409}
    assert ordered(scene) == 10 * statuses[201] <= 420


def test_the_same_call_off_sent_twice_is_one_order(scene):
    made = scene.agreed()
    body = {"lines": [{"agreement_line_id": made["lines"][0]["id"], "quantity": "1"}], "delivery_address": "某处"}
    one, two = (scene.post("buyer", f"agreements/{made['id']}/call-offs", body, **{"Idempotency-Key": "k"}) for _ in range(2))
    assert one.content == two.content
    assert ordered(scene) == 1


def test_what_is_given_back_may_be_called_off_again(scene):
    made = scene.agreed(scene.line(quantity_cap="100"), amount_cap="380.00")
    shipment = scene.deliver(scene.call_off(made, 100).json()["purchase_order"])
    line = {"order_line_id": shipment["lines"][0]["order_line_id"], "quantity": "25"}
    asked = {"reason_code": "quality", "reason": "发芽", "lines": [line]}
    back = scene.post("buyer", f"shipments/{shipment['id']}/returns", asked).json()
    assert code(scene.call_off(made, 1)) == (409, "cap_exceeded")
    done = scene.post("farm", f"returns/{back['id']}/approve", {"without_goods": True})
    assert (done.status_code, done.json()["status"]) == (200, "closed"), done.text
    line = scene.position(made)["lines"][0]
    assert (line["accepted_quantity"], line["returned_quantity"], line["accepted_amount"]) == ("100", "25", "285.00")
    assert (line["drawn_quantity"], line["drawn_amount"], line["remaining_quantity"]) == ("75", "285.00", "25")
    assert code(scene.call_off(made, 26)) == (409, "cap_exceeded")
    assert scene.call_off(made, 25).status_code == 201


def test_a_corrected_acceptance_is_drawn_as_it_stands(scene):
    made = scene.agreed(scene.line(quantity_cap="100"))
    shipment = scene.deliver(scene.call_off(made, 100).json()["purchase_order"], rejected=30)
    truth = {"order_line_id": shipment["lines"][0]["order_line_id"], "accepted_quantity": "90"}
    body = {"reason": "复点", "lines": [truth]}
    correction = scene.post("buyer", f"shipments/{shipment['id']}/corrections", body).json()
    assert scene.position(made)["lines"][0]["drawn_quantity"] == "70"
    agreed = scene.post("farm", f"acceptance-corrections/{correction['id']}/agree")
    assert agreed.status_code == 200, agreed.text
    line = scene.position(made)["lines"][0]
    assert (line["accepted_quantity"], line["rejected_quantity"], line["drawn_quantity"]) == ("90", "10", "90")
    assert line["accepted_amount"] == line["drawn_amount"] == "342.00"
    assert code(scene.call_off(made, 11)) == (409, "cap_exceeded")


def amended(scene, order, price=None, quantity=None):
    """A change of an order that the supplier proposed; the buyer's answer is open."""
    part = order["supplier_orders"][0]["id"]
    scene.post("farm", f"supplier-orders/{part}/confirm")
    with scene.database.unit_of_work() as session:
        line_id = session.execute(text("SELECT id FROM order_line WHERE supplier_order_id = :id"), {"id": part}).scalar_one()
    body = {"reason": "涨价", "lines": [{"order_line_id": line_id, "unit_price": price, "quantity": quantity}]}
    answer = scene.post("farm", f"supplier-orders/{part}/amendments", body)
    assert answer.status_code == 201, answer.text
    return answer.json()["id"]


def test_an_amendment_waits_for_a_call_off_before_it_locks_anything_else(scene):
    """Both would deadlock if the amendment held the stock when the call-off, which holds the agreement, comes to it."""
    made = scene.agreed()
    amendment = amended(scene, scene.call_off(made, 10).json()["purchase_order"], "4.00")
    stock = {"sku": scene.cabbage.sku_id}
    with ThreadPoolExecutor(1) as pool:
        with scene.database.unit_of_work() as session:
            session.execute(text("SELECT 1 FROM agreement WHERE id = :id FOR NO KEY UPDATE"), {"id": made["id"]})
            accepting = pool.submit(scene.post, "buyer", f"amendments/{amendment}/accept")
            waiting = text(
                "SELECT count(*) FROM pg_locks l JOIN pg_stat_activity a USING (pid) WHERE NOT granted AND a.datname = current_database()"
            )
            while not session.execute(waiting).scalar_one():
                session.execute(text("SELECT pg_sleep(0.02)"))
            session.execute(text("SELECT 1 FROM stock WHERE sku_id = :sku FOR UPDATE NOWAIT"), stock)
        answer = accepting.result()
    assert answer.status_code == 200, answer.text


def test_an_amendment_of_an_approved_order_cannot_pass_a_cap(scene):
    scene.users["approver"] = scene.run(lambda session: make_user(session, Role.APPROVER, scene.bureau))
    scene.sign_in()
    rule = {"name": "审批", "min_amount": "0.00", "steps": [{"name": "领导", "role": "approver"}]}
    scene.post("head", "approval-rules", rule)
    made = scene.agreed(scene.line(amount_cap="380.00"))
    orders = []
    for quantity in (100, 10):
        request = scene.call_off(made, quantity).json()["purchase_request"]
        done = scene.post("approver", f"purchase-requests/{request['id']}/approve", {}).json()
        orders.append(scene.get("buyer", f"purchase-orders/{done['purchase_order_id']}").json())
        if quantity == 100:  # fewer now, so that there is room for the other call-off, and in what was approved
            assert scene.post("buyer", f"amendments/{amended(scene, orders[0], quantity='90')}/accept").status_code == 200
    amendment = amended(scene, orders[0], price="3.81")
    assert code(scene.post("buyer", f"amendments/{amendment}/accept")) == (409, "cap_exceeded")
    assert scene.position(made)["drawn_amount"] == "380.00"
