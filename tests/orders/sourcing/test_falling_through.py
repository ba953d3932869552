"""An award of which no order comes: what it took can be awarded again, once."""

from datetime import timedelta

from orders.purchasing.actions import release_unconfirmed
from orders.sourcing import handlers
from tests.orders.sourcing.conftest import END, code
from tests.orders.sourcing.test_awarding import mixed, with_approval


def split_award(scene, request_id):
    """300 kg to one and 200 kg to the other; returns the parts of the order by supplier."""
    made = scene.award(
        request_id, scene.line("rival", quantity="300"), scene.line("fengjie", quantity="200", reason_code="split_supply")
    )
    assert made.status_code == 201, made.text
    order = made.json()["purchase_order"]
    return order["id"], {part["supplier_id"]: part["id"] for part in order["supplier_orders"]}


def reject(scene, who, part):
    answer = scene.as_(who).post(f"/v1/supplier-orders/{part}/reject", json={"reason": "缺货", "reason_code": "out_of_stock"})
    assert answer.status_code == 200, answer.text
    scene.drain()


def awarded(scene):
    return [str(each) for each in scene.column("SELECT awarded_quantity FROM quotation_request_line ORDER BY line_no")]


def test_what_a_winner_rejects_can_be_awarded_to_the_next(scene, later):
    request_id = mixed(scene)
    with later():
        _, parts = split_award(scene, request_id)
        assert scene.award(request_id, scene.line("shizhu", 2)).status_code == 201
        assert scene.get("buyer", request_id).json()["status"] == "awarded"
        assert code(scene.award(request_id, scene.line("fengjie", quantity="100"))) == (409, "illegal_move")
        reject(scene, "rival", parts[scene.rival_id])
        assert awarded(scene) == ["200.000", "20.000"]
        assert scene.column("SELECT awarded_quantity FROM quotation_line WHERE sku_id = :id", id=scene.rival_oranges.sku_id) == [0]
        shown = scene.get("buyer", request_id).json()
        assert (shown["status"], shown["possible_actions"]) == ("partly_awarded", ["award_part", "award_rest", "finish"])
        [first, _] = scene.get("buyer", request_id, "/awards").json()["items"]
        assert first["voided_at"] is None
        assert [(line["supplier_id"], line["given_back_at"] is not None) for line in first["lines"]] == [
            (scene.rival_id, True),
            (scene.suppliers["fengjie"], False),
        ]
        more = scene.award(request_id, scene.line("fengjie", quantity="150", reason_code="other"))
        assert more.status_code == 201, more.text
        # the event may come again: nothing is given back twice
        scene.run("UPDATE outbox_event SET done_at = NULL WHERE name = 'supplier_order.rejected'")
        scene.drain()
        assert awarded(scene) == ["350.000", "20.000"]


def test_a_cancelled_order_gives_all_of_its_award_back(scene, later):
    request_id = mixed(scene)
    with later():
        order_id, _ = split_award(scene, request_id)
        cancelled = scene.as_("buyer").post(f"/v1/purchase-orders/{order_id}/cancel", json={"reason": "地址有误"})
        assert cancelled.status_code == 200, cancelled.text
        scene.drain()
        assert awarded(scene) == ["0.000", "0.000"]
        assert scene.get("buyer", request_id).json()["status"] == "closed"
        assert scene.get("rival", request_id, "/awards").json()["items"] == []
        again = scene.award(request_id, scene.line("rival"))
        assert again.json()["total"] == "5500.00"
        assert scene.do("buyer", request_id, "finish", reason="蜂蜜不买了").json()["status"] == "awarded"
        assert scene.told(scene.suppliers["fengjie"])[-1] == "quotation.lost"


def test_what_nobody_confirmed_in_time_is_given_back(scene, later):
    request_id = mixed(scene)
    with later():
        _, parts = split_award(scene, request_id)
        assert scene.as_("rival").post(f"/v1/supplier-orders/{parts[scene.rival_id]}/confirm").status_code == 200
    with later(END + timedelta(days=30)):
        with scene.database.unit_of_work() as session:
            assert release_unconfirmed(session) == 1
        scene.drain()
    assert awarded(scene) == ["300.000", "0.000"]


def test_so_is_what_was_approved_and_then_rejected(scene, later):
    request_id, award = with_approval(scene, later)
    with later():
        done = scene.as_("admin").post(f"/v1/purchase-requests/{award['purchase_request_id']}/approve", json={}).json()
        scene.drain()
        [part] = scene.column("SELECT id FROM supplier_order WHERE purchase_order_id = :id", id=done["purchase_order_id"])
        reject(scene, "fengjie", part)
        assert scene.get("buyer", request_id).json()["status"] == "closed"
        assert awarded(scene) == ["0.000"]
        [gone] = scene.get("buyer", request_id, "/awards").json()["items"]
        assert gone["voided_at"] is not None


def test_an_order_that_came_otherwise_moves_no_request(scene, later):
    request_id = mixed(scene)
    with later():
        split_award(scene, request_id)
        placed = scene.as_("buyer").post("/v1/purchase-orders", json=scene.market.order(1)).json()
        scene.as_("buyer").post(f"/v1/purchase-orders/{placed['id']}/cancel", json={"reason": "不需要"})
        scene.drain()
        with scene.database.unit_of_work() as session:
            handlers.HANDLERS["purchase_order.cancelled"](session, {"purchase_order_id": placed["id"]})
        assert awarded(scene) == ["500.000", "0.000"]
