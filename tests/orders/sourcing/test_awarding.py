"""Whole, by line, in parts; what may be awarded, and what stays."""

from datetime import date, timedelta

import pytest

from orders.sourcing.actions import awarding
from orders.sourcing.actions.moving import open_quotations
from orders.sourcing.schemas.quotations import AwardIn
from shop.core import clock
from shop.core.states import IllegalMove
from shop.identity.tokens import actor_of_user
from tests.factories.catalog import make_product
from tests.factories.identity import make_supplier, make_user
from tests.orders.sourcing.conftest import END, code, faults

KG = {"name": "脐橙", "specification": "一级果", "category": "fruit", "unit": "kg", "quantity": "500"}


def mixed(scene, **changes):
    """Oranges by weight and honey by the jar; two quote the first, one the second."""
    lines = [KG, {"sku_id": scene.honey.sku_id, "quantity": "20", "target_price": "140.00"}]
    request_id = scene.publish(supplier_ids=list(scene.suppliers.values()), lines=lines, **changes)
    assert scene.quote("fengjie", request_id, (1, "65.00"), (50, "60.00"), line={"quantity": "70"}).status_code == 201
    assert scene.quote("rival", request_id, (1, "110.00")).status_code == 201
    honey = {"line_no": 2, "sku_id": scene.honey.sku_id, "tiers": [{"min_quantity": "1", "unit_price": "145.00"}]}
    assert scene.submit("shizhu", request_id, [honey]).status_code == 201
    return request_id


def test_a_line_is_split_over_suppliers_and_the_rest_awarded_later(scene, later):
    request_id = mixed(scene)
    with later():
        table = scene.get("buyer", request_id, "/comparison").json()
        fruit, honey = table["lines"]
        # 110.00 for 10 kg is 11.00 a kg; 60.00 for 5 kg is 12.00, and 350 kg at most
        assert [
            (o["supplier_id"], o["covered_quantity"], o["packs"], o["price_per_unit"], o["complete"]) for o in fruit["offers"]
        ] == [
            (scene.rival_id, "500", "50", "11.00", True),
            (scene.suppliers["fengjie"], "350", "70", "12.00", False),
        ]
        assert [(o["over_target"], o["over_list"], o["lowest"]) for o in honey["offers"]] == [("100.00", "-100.00", True)]
        assert table["lowest_total"] == "8400.00"
        assert [each["complete"] for each in table["suppliers"]] == [False, False, False]

        first = scene.award(
            request_id,
            scene.line("rival", quantity="300"),
            scene.line("fengjie", quantity="200", reason_code="split_supply"),
        )
        assert first.status_code == 201, first.text
        order = first.json()["purchase_order"]
        assert {part["supplier_id"]: part["total"] for part in order["supplier_orders"]} == {
            scene.rival_id: "3300.00",  # 30 packs at 110.00
            scene.suppliers["fengjie"]: "2600.00",  # 40 packs, below the second tier
        }
        assert first.json()["total"] == order["total"] == "5900.00"
        assert scene.get("buyer", request_id).json()["status"] == "partly_awarded"
        assert "quotation.lost" not in scene.told(scene.suppliers["shizhu"])

        more = scene.award(request_id, scene.line("rival", quantity="1"))
        assert faults(more) == {"lines[0]": "more_than_asked"}
        assert more.json()["errors"][0]["left"] == "0"
        second = scene.award(request_id, supplier_id=scene.suppliers["shizhu"])
        assert second.json()["total"] == "2900.00"
        assert scene.get("buyer", request_id).json()["status"] == "awarded"
        awards = scene.get("officer", request_id, "/awards").json()["items"]
        assert [(each["total"], len(each["lines"])) for each in awards] == [("5900.00", 2), ("2900.00", 1)]
        for each in awards:
            assert sum(float(line["amount"]) for line in each["lines"]) == float(each["total"])
        assert [each["total"] for each in scene.get("fengjie", request_id, "/awards").json()["items"]] == ["2600.00"]
    assert scene.column("SELECT quantity FROM order_line ORDER BY id") == [30, 40, 20]


def test_the_lowest_total_is_of_offers_that_cover_their_lines(scene, later):
    request_id = scene.publish(lines=[KG])
    scene.quote("fengjie", request_id, (1, "60.00"), line={"quantity": "70"})  # 350 kg of 500
    alone = scene.publish(lines=[KG])
    scene.quote("fengjie", alone, (1, "60.00"), line={"quantity": "70"})
    scene.quote("rival", request_id, (1, "130.00"))
    with later():
        table = scene.get("buyer", request_id, "/comparison").json()
        assert [(o["lowest"], o["amount"], o["complete"]) for o in table["lines"][0]["offers"]] == [
            (True, "4200.00", False),
            (False, "6500.00", True),
        ]
        assert table["lowest_total"] == "6500.00"
        assert scene.get("buyer", alone, "/comparison").json()["lowest_total"] is None


def test_what_the_comparison_calls_the_lowest_is_awarded_without_a_code_also_in_parts(scene, later):
    request_id = scene.publish(lines=[{**KG, "quantity": "62"}])
    scene.quote("fengjie", request_id, (1, "40.00"), line={"quantity": "14"})  # 13 packs of 5 kg
    scene.quote("rival", request_id, (1, "79.00"))  # 7 packs of 10 kg: a kilogram costs less, but 70 of them cost more
    with later():
        table = scene.get("buyer", request_id, "/comparison").json()
        assert [(o["amount"], o["lowest"]) for o in table["lines"][0]["offers"]] == [("520.00", True), ("553.00", False)]
        assert [(each["total"], each["lowest"]) for each in table["suppliers"]] == [("520.00", True), ("553.00", False)]
        assert table["lowest_total"] == "520.00"
        assert faults(scene.award(request_id, scene.line("rival"))) == {"lines[0]": "reason_code_required"}
        for _ in range(2):
            awarded = scene.award(request_id, scene.line("fengjie", quantity="31"))  # 6.2 packs
            assert (awarded.status_code, awarded.json().get("total")) == (201, "280.00"), awarded.text


def test_the_rest_may_stay_unawarded_and_who_got_nothing_is_told(scene, later):
    request_id = mixed(scene)
    with later():
        assert code(scene.do("buyer", request_id, "finish", reason="x")) == (409, "illegal_move")
        assert scene.award(request_id, scene.line("rival")).status_code == 201
        finished = scene.do("buyer", request_id, "finish", reason="蜂蜜预算取消")
        assert (finished.json()["status"], finished.json()["reason"]) == ("awarded", "蜂蜜预算取消")
        assert scene.told(scene.suppliers["shizhu"])[-1] == scene.told(scene.suppliers["fengjie"])[-1] == "quotation.lost"
        assert "quotation.lost" not in scene.told(scene.rival_id)
        assert code(scene.award(request_id, scene.line("shizhu", 2))) == (409, "illegal_move")
        assert code(scene.do("buyer", request_id, "cancel", reason="x")) == (409, "illegal_move")


def test_every_line_that_cannot_be_awarded_is_named_and_nothing_is(scene, later):
    request_id = mixed(scene)
    with later():
        refused = scene.award(
            request_id,
            scene.line("fengjie", quantity="351", reason_code="quality"),
            scene.line("rival", quantity="501"),
            scene.line("shizhu", 1),
            scene.line("shizhu", 99),
            scene.line("shizhu", 2, quantity="20"),
            scene.line("shizhu", 2, quantity="20"),
            scene.line("rival", quantity="500", reason_code="quality"),
        )
        assert code(refused) == (422, "award_refused")
        assert faults(refused) == {
            "lines[0]": "more_than_offered",
            "lines[1]": "more_than_asked",
            "lines[2]": "nothing_offered",
            "lines[3]": "unknown_line",
            "lines[5]": "named_twice",
            "lines[6]": "named_twice",
        }
        assert refused.json()["errors"][0]["offered"] == "350"
        assert code(scene.award(request_id, supplier_id=10**12)) == (422, "award_refused")
        assert scene.award(request_id).status_code == 422
        assert scene.award(request_id, scene.line("rival"), supplier_id=scene.rival_id).status_code == 422
        assert scene.award(request_id, scene.line("rival", quantity="0")).status_code == 422
    assert scene.column("SELECT count(*) FROM quotation_award") == [0]
    assert scene.column("SELECT sum(reserved) FROM stock") == [0]


def test_before_the_end_nothing_is_awarded(scene, later):
    request_id = mixed(scene)
    assert code(scene.award(request_id, scene.line("rival"))) == (409, "illegal_move")
    # nor by who began before the end and comes to it after
    body = AwardIn.model_validate({"reason": "x", "lines": [scene.line("rival")]})
    just_before = iter([END - timedelta(microseconds=1)])
    with scene.database.unit_of_work() as session:
        actor = actor_of_user(session, scene.users["buyer"].id)
        with later(), pytest.MonkeyPatch.context() as patch:
            patch.setattr(clock, "now", lambda: next(just_before, END))
            with pytest.raises(IllegalMove):
                awarding.award(session, actor, request_id, body)


def test_a_quotation_is_awarded_as_long_as_it_is_valid(scene, later):
    request_id = scene.publish()
    scene.quote("fengjie", request_id, (1, "60.00"), valid_until="2026-11-30")
    scene.quote("rival", request_id, (1, "126.00"), valid_until="2026-12-31")
    with later(clock.end_of_day(date(2026, 11, 30))):
        scene.clients.clear()
        refused = scene.award(request_id, scene.line("fengjie"))
        assert faults(refused) == {"lines[0]": "quotation_expired"}
        [line] = scene.get("buyer", request_id, "/comparison").json()["lines"]
        assert [(o["supplier_id"], o["bar"], o["lowest"]) for o in line["offers"]] == [
            (scene.rival_id, None, True),
            (scene.suppliers["fengjie"], "quotation_expired", False),
        ]
        # the cheapest that can be had needs no reason
        assert scene.award(request_id, scene.line("rival")).status_code == 201


def test_what_is_not_certified_any_more_is_not_awarded(scene, later):
    request_id = scene.publish()
    scene.quote("fengjie", request_id, (1, "60.00"))
    scene.run("UPDATE certificate SET suspended_at = :at WHERE id = :id", at=END, id=scene.oranges.certificate_id)
    with later():
        assert faults(scene.award(request_id, scene.line("fengjie"))) == {"lines[0]": "certificate_suspended"}
        [offer] = scene.get("buyer", request_id, "/comparison").json()["lines"][0]["offers"]
        assert offer["bar"] == "certificate_suspended"
    assert scene.column("SELECT count(*) FROM purchase_order") == [0]


def test_short_stock_refuses_the_award_as_it_refuses_an_order(scene, later):
    request_id = scene.publish()
    scene.quote("fengjie", request_id, (1, "60.00"))
    scene.run("UPDATE stock SET on_hand = 99 WHERE sku_id = :id", id=scene.oranges.sku_id)
    with later():
        refused = scene.award(request_id, scene.line("fengjie"))
        assert code(refused) == (422, "lines_refused")
        assert faults(refused) == {"lines[0]": "stock_short"}
        assert scene.get("buyer", request_id).json()["status"] == "closed"
        assert scene.award(request_id, scene.line("fengjie", quantity="99")).status_code == 201


def test_lines_for_several_places_are_awarded_place_by_place(scene, later):
    lines = [{**KG, "quantity": "50", "deliver_by": "2026-12-10"}, {**KG, "quantity": "50", "delivery_place": "分校食堂"}]
    request_id = scene.publish(lines=lines)
    one = [{"min_quantity": "1", "unit_price": "60.00"}]
    offers = [{"line_no": n, "sku_id": scene.oranges.sku_id, "tiers": one} for n in (1, 2)]
    offers[1]["deliver_on"] = "2026-12-12"
    assert scene.submit("fengjie", request_id, offers).status_code == 201
    with later():
        several = scene.award(request_id, supplier_id=scene.suppliers["fengjie"])
        assert code(several) == (422, "several_places")
        assert several.json()["data"] == {
            "places": [
                {"place": "重庆市沙坪坝区大学城中路1号", "line_nos": [1]},
                {"place": "分校食堂", "line_nos": [2]},
            ]
        }
        first = scene.award(request_id, scene.line("fengjie", 1)).json()["purchase_order"]
        second = scene.award(request_id, scene.line("fengjie", 2)).json()["purchase_order"]
    assert (first["delivery_address"], first["deliver_by"]) == ("重庆市沙坪坝区大学城中路1号", "2026-12-10")
    assert (second["delivery_address"], second["deliver_by"]) == ("分校食堂", "2026-12-12")


def test_the_table_tells_what_counts_for_the_reserved_share(scene, later):
    """Fengjie and Chengkou are counties of the national list; a seller of Shapingba is not."""
    with scene.database.unit_of_work() as session:
        town = make_supplier(session, "500106")
        made = make_product(session, town, name="主城加工脐橙", district_code="500236", prices=((1, 5000),))
        scene.users["town"] = make_user(session, "supplier_admin", town)
        scene.suppliers["town"] = town.id
    request_id = scene.publish(supplier_ids=[scene.suppliers["fengjie"], town.id])
    scene.quote("fengjie", request_id, (1, "60.00"))
    one = [{"min_quantity": "1", "unit_price": "50.00"}]
    scene.submit("town", request_id, [{"line_no": 1, "sku_id": made.sku_id, "tiers": one, "deliver_on": "2026-12-20"}])
    with later():
        [line] = scene.get("buyer", request_id, "/comparison").json()["lines"]
        assert [(o["supplier_id"], o["reserved_share_eligible"], o["certified_until"]) for o in line["offers"]] == [
            (town.id, False, "2099-12-31"),
            (scene.suppliers["fengjie"], True, "2099-12-31"),
        ]
        taken = scene.award(request_id, scene.line("fengjie", reason_code="reserved_share"))
        assert taken.status_code == 201
        [award] = scene.get("buyer", request_id, "/awards").json()["items"]
        assert (award["lines"][0]["lowest"], award["lines"][0]["reason_code"]) == (False, "reserved_share")


def with_approval(scene, later):
    """A request whose award has to be approved by the school's administrator; returns it with the award's answer."""
    made = scene.as_("admin").post(
        "/v1/approval-rules", json={"name": "审批", "min_amount": "1000.00", "steps": [{"name": "校领导", "role": "buyer_admin"}]}
    )
    assert made.status_code == 201, made.text
    request_id = scene.publish()
    scene.quote("fengjie", request_id, (1, "60.00"))
    scene.quote("rival", request_id, (1, "130.00"))
    with later():
        answer = scene.award(request_id, scene.line("fengjie"))
        assert answer.status_code == 201, answer.text
        assert answer.json()["purchase_order"] is None
    return request_id, answer.json()


def test_an_award_that_has_to_be_approved_is_told_when_it_is_ordered(scene, later):
    request_id, award = with_approval(scene, later)
    with later():
        assert scene.told(scene.suppliers["fengjie"]) == scene.told(scene.rival_id) == ["quotation_request.published"]
        assert scene.get("fengjie", request_id, "/awards").json()["items"] == []
        scene.run("UPDATE price_tier SET unit_price_fen = 99900 WHERE sku_id = :id", id=scene.oranges.sku_id)
        done = scene.as_("admin").post(f"/v1/purchase-requests/{award['purchase_request_id']}/approve", json={})
        assert done.json()["status"] == "ordered", done.text
        order = scene.as_("buyer").get(f"/v1/purchase-orders/{done.json()['purchase_order_id']}").json()
        assert (order["total"], order["source_kind"], order["source_id"]) == ("6000.00", "quotation", request_id)
        assert "quotation.won" in scene.told(scene.suppliers["fengjie"])
        assert scene.told(scene.rival_id)[-1] == "quotation.lost"
        [shown] = scene.get("fengjie", request_id, "/awards").json()["items"]
        assert (shown["purchase_order_id"], shown["purchase_request_id"]) == (order["id"], None)


def test_an_award_that_is_refused_or_taken_back_can_be_made_again(scene, later):
    request_id, award = with_approval(scene, later)
    with later():
        refused = scene.as_("admin").post(f"/v1/purchase-requests/{award['purchase_request_id']}/reject", json={"reason": "超预算"})
        assert refused.status_code == 200, refused.text
        scene.drain()
        assert scene.get("buyer", request_id).json()["status"] == "closed"
        assert scene.column("SELECT awarded_quantity FROM quotation_request_line") == [0]
        again = scene.award(request_id, scene.line("fengjie", quantity="50"))
        assert again.status_code == 201, again.text
        path = f"/v1/purchase-requests/{again.json()['purchase_request_id']}/withdraw"
        assert scene.as_("buyer").post(path, json={"reason": "改数量"}).status_code == 200
        scene.drain()
        assert scene.get("buyer", request_id).json()["status"] == "closed"
        small = scene.award(request_id, scene.line("fengjie", quantity="10"))
        assert small.json()["purchase_order"]["total"] == "600.00"
        awards = scene.get("buyer", request_id, "/awards").json()["items"]
        assert [each["voided_at"] is not None for each in awards] == [True, True, False]
        assert "quotation.lost" not in scene.told(scene.rival_id)
        assert [each["total"] for each in scene.get("fengjie", request_id, "/awards").json()["items"]] == ["600.00"]


TERMS = {"valid_from": "2026-12-01", "valid_until": "2027-11-30", "terms": "按周送货"}


def test_an_award_makes_an_agreement_whose_prices_stay(scene, later):
    request_id = scene.publish()
    scene.quote("fengjie", request_id, (1, "68.00"), (100, "60.00"))
    with later():
        assert scene.award(request_id, scene.line("fengjie"), result="agreement").status_code == 422
        assert scene.award(request_id, scene.line("fengjie"), agreement=TERMS).status_code == 422
        made = scene.award(request_id, scene.line("fengjie"), result="agreement", agreement=TERMS)
        assert made.status_code == 201, made.text
        assert made.json()["purchase_order"] is None
        agreement = scene.as_("buyer").get(f"/v1/agreements/{made.json()['agreement_id']}").json()
        assert (agreement["supplier_id"], agreement["state"]) == (scene.suppliers["fengjie"], "proposed"), agreement
        scene.run("UPDATE price_tier SET unit_price_fen = 99900 WHERE sku_id = :id", id=scene.oranges.sku_id)
        lines = scene.column("SELECT unit_price_fen::text || ' ' || quantity_cap FROM agreement_line")
        assert lines == ["6000 100.000"]
        assert scene.get("buyer", request_id).json()["status"] == "awarded"
        assert "quotation.won" in scene.told(scene.suppliers["fengjie"])


def test_an_agreement_is_with_one_supplier_and_a_declined_one_gives_the_award_back(scene, later):
    request_id = mixed(scene)
    with later():
        both = [scene.line("rival", quantity="300"), scene.line("shizhu", 2)]
        assert code(scene.award(request_id, *both, result="agreement", agreement=TERMS)) == (422, "one_supplier_one_sku")
        made = scene.award(request_id, scene.line("rival"), result="agreement", agreement=TERMS).json()["agreement_id"]
        assert scene.award(request_id, scene.line("shizhu", 2)).status_code == 201
        scene.run(
            "INSERT INTO outbox_event (name, payload, created_at, next_attempt_at) SELECT 'agreement.declined', jsonb_build_object('agreement_id', CAST(:id AS bigint)), :at, :at",
            id=made,
            at=END,
        )
        scene.drain()
        assert scene.get("buyer", request_id).json()["status"] == "partly_awarded"
        assert scene.award(request_id, scene.line("rival")).status_code == 201
        assert scene.get("buyer", request_id).json()["status"] == "awarded"


def test_who_quotes_is_sealed_in_the_audit_trail_too(scene, later):
    request_id = mixed(scene)

    def acts():
        answer = scene.as_("city").get("/v1/audit/events", params={"subject_type": "quotation"})
        assert answer.status_code == 200, answer.text
        shown = answer.json()["items"]
        return [event["action"] for event in shown]

    assert acts() == []
    with later():
        scene.get("buyer", request_id, "/comparison")
        scene.drain()
        with scene.database.unit_of_work() as session:
            open_quotations(session)
        assert acts().count("quotation.submitted") == 3


def test_who_asked_and_who_quoted_is_sealed_for_good_when_a_request_is_cancelled(scene):
    request_id = mixed(scene)
    assert scene.do("fengjie", request_id, "questions", text="可否分批送货？").status_code == 201
    assert scene.do("buyer", request_id, "cancel", reason="预算调整").status_code == 200
    shown = scene.as_("city").get("/v1/audit/events", params={"limit": 200}).json()["items"]
    acts = {event["action"] for event in shown}
    assert "quotation_request.cancel" in acts
    assert not {act for act in acts if act.startswith("quotation.") or act == "quotation_request.asked"}
