"""Changes, early ends and renewals: nothing by one side alone."""

from datetime import timedelta

import pytest
from sqlalchemy import text

from orders.agreements.actions import drafts
from shop.core import clock
from tests.orders.agreements.scene import code


def ask(scene, agreement, who="head", kind="changes", **body):
    return scene.post(who, f"agreements/{agreement['id']}/{kind}", {"reason": "学期调整", **body})


def answer(scene, change, move, who="farm", **body):
    return scene.post(who, f"agreements/{change['agreement_id']}/changes/{change['id']}/{move}", body)


def test_a_change_holds_when_the_other_side_accepts_it(scene):
    made = scene.agreed(scene.line(quantity_cap="100"), amount_cap="1000.00")
    lines = [{"line_no": 1, "quantity_cap": "200", "price": {"kind": "list_minus", "percent_off": "10"}}]
    proposed = ask(scene, made, lines=lines, terms="每周二送货")
    assert proposed.status_code == 201, proposed.text
    change = proposed.json()
    assert (change["side"], change["status"], change["hash_before"]) == ("buyer", "proposed", made["terms_hash"])
    assert scene.get("buyer", f"agreements/{made['id']}").json()["lines"] == made["lines"]
    assert code(ask(scene, made, amount_cap="5.00")) == (409, "change_open")
    assert code(answer(scene, change, "accept", who="head")) == (403, "own_change")
    assert code(answer(scene, change, "accept", who="farmhand")) == (403, "forbidden")
    assert code(answer(scene, change, "accept", who="rival")) == (404, "not_found")
    assert code(answer(scene, change, "withdraw")) == (403, "own_change")
    accepted = answer(scene, change, "accept", answer="同意").json()
    assert (accepted["status"], accepted["answer"]) == ("accepted", "同意")
    now = scene.get("farm", f"agreements/{made['id']}").json()
    assert (now["lines"][0]["quantity_cap"], now["lines"][0]["price"]["percent_off"], now["terms"]) == ("200", "10", "每周二送货")
    assert now["terms_hash"] == accepted["hash_after"] != made["terms_hash"]
    assert code(answer(scene, change, "accept")) == (409, "illegal_move")
    assert scene.call_off(made, 150).json()["purchase_order"]["total"] == "540.00"
    scene.hear()
    assert (
        len(scene.told("agreement.change_proposed", scene.farm)) == len(scene.told("agreement.change_accepted", scene.bureau)) == 1
    )


@pytest.mark.parametrize(("move", "who", "told"), [("decline", "farm", "bureau"), ("withdraw", "head", "farm")])
def test_a_change_that_comes_to_nothing(scene, move, who, told):
    made = scene.agreed(amount_cap="1000.00")
    change = ask(scene, made, amount_cap="9000.00").json()
    ended = answer(scene, change, move, who=who).json()
    assert ended["status"] in ("declined", "withdrawn")
    assert scene.get("buyer", f"agreements/{made['id']}").json()["amount_cap"] == "1000.00"
    assert ask(scene, made, who="farm", amount_cap="900.00").status_code == 201
    scene.hear()
    assert len(scene.told(f"agreement.change_{ended['status']}", getattr(scene, told))) == 1
    listed = scene.get("buyer", f"agreements/{made['id']}/changes", limit=1).json()
    assert (listed["items"][0]["side"], bool(listed["next"])) == ("supplier", True)


def test_changes_that_cannot_be(scene):
    made = scene.agreed(scene.line(quantity_cap="100"), amount_cap="1000.00")
    scene.call_off(made, 50)
    low = ask(scene, made, lines=[{"line_no": 1, "quantity_cap": "49"}])
    assert code(low) == (409, "cap_below_drawn")
    assert low.json()["errors"][0]["drawn"] == "50"
    assert code(ask(scene, made, amount_cap="189.00")) == (409, "cap_below_drawn")
    assert code(ask(scene, made, lines=[{"line_no": 7, "quantity_cap": "49"}])) == (422, "terms_refused")
    assert code(ask(scene, made, valid_until="2020-01-01")) == (422, "terms_refused")
    assert code(ask(scene, made)) == (422, "invalid")
    assert code(ask(scene, scene.propose(), amount_cap="5.00")) == (409, "agreement_not_in_force")
    change = ask(scene, made, lines=[{"line_no": 1, "quantity_cap": "60"}]).json()
    scene.call_off(made, 40)  # meanwhile
    assert code(answer(scene, change, "accept")) == (409, "cap_below_drawn")
    assert scene.get("buyer", f"agreements/{made['id']}/changes").json()["items"][0]["status"] == "proposed"


def test_a_new_schedule_takes_over_tomorrow(scene):
    made = scene.agreed(schedule=scene.weekly())
    before = [each for each in scene.instalments(made) if each["status"] == "planned"]
    change = ask(scene, made, schedule=scene.weekly((100, 100, 100), weekday=2)).json()
    assert len([each for each in scene.instalments(made) if each["status"] == "planned"]) == len(before)
    assert answer(scene, change, "accept").status_code == 200
    planned = [each for each in scene.instalments(made) if each["status"] == "planned"]
    assert {each["quantity"] for each in planned} == {"100"}
    assert len(scene.get("buyer", f"agreements/{made['id']}").json()["schedule"]) == 3


def test_an_early_end_by_both(scene):
    made = scene.agreed(schedule=scene.weekly())
    last = clock.today() + timedelta(days=30)
    assert code(ask(scene, made, kind="terminations", last_day="2099-01-01")) == (422, "terms_refused")
    assert code(ask(scene, made, kind="terminations", last_day="2020-01-01")) == (422, "terms_refused")
    change = ask(scene, made, who="farm", kind="terminations", last_day=str(last)).json()
    assert answer(scene, change, "accept", who="head").json()["kind"] == "termination"
    now = scene.get("farm", f"agreements/{made['id']}").json()
    assert (now["state"], now["terminated_on"]) == ("active", str(last))
    assert {each["status"] for each in scene.instalments(made) if each["due_on"] > str(last)} == {"skipped"}
    assert scene.call_off(made, 1).status_code == 201
    with clock.fixed(clock.now() + timedelta(days=31)):
        scene.sign_in()
        assert scene.get("farm", f"agreements/{made['id']}").json()["state"] == "terminated"
        assert code(scene.call_off(made, 1)) == (409, "agreement_not_in_force")


def test_a_renewal_is_an_agreement_of_its_own(scene):
    tiers = [{"min_quantity": "1", "unit_price": "3.90"}, {"min_quantity": "50", "unit_price": "3.70"}]
    made = scene.agreed(
        scene.line({"kind": "tiers", "tiers": tiers}, quantity_cap="90000"), schedule=scene.weekly(), amount_cap="500000.00"
    )
    end = clock.today() + timedelta(days=364 * 2 + 1)
    assert code(ask(scene, made, kind="renewals", valid_from=str(clock.today()), valid_until=str(end))) == (422, "terms_refused")
    change = ask(scene, made, kind="renewals", valid_until=str(end)).json()
    done = answer(scene, change, "accept").json()
    again = scene.get("buyer", f"agreements/{done['renewed_as_id']}").json()
    assert (again["state"], again["renews_id"], again["valid_until"]) == ("upcoming", made["id"], str(end))
    assert again["buyer"]["signed_by_name"]
    assert again["supplier"]["signed_by_name"]
    same = ("sku_id", "price", "quantity_cap")
    assert [[line[name] for name in same] for line in again["lines"]] == [[line[name] for name in same] for line in made["lines"]]
    assert len(again["places"]) == 3
    dues = scene.instalments(again)
    assert dues[0]["due_on"] > made["valid_until"]
    assert dues[-1]["due_on"] <= str(end)
    assert scene.get("buyer", f"agreements/{made['id']}").json()["renewed_as_id"] == again["id"]


def test_the_database_keeps_one_open_change(scene):
    made = scene.agreed()
    ask(scene, made, terms="甲")
    copy = (
        "INSERT INTO agreement_change (agreement_id, kind, side, content, reason, status, proposed_by, proposed_at, hash_before)"
        " SELECT agreement_id, kind, side, content, reason, status, proposed_by, proposed_at, hash_before FROM agreement_change"
    )
    with pytest.raises(Exception, match="uq_agreement_change_open"), scene.database.unit_of_work() as session:
        session.execute(text(copy))


def test_what_the_old_schedule_has_ordered_does_not_come_twice(scene):
    weekday = (clock.today() + timedelta(days=2)).isoweekday()
    made = scene.agreed(schedule=scene.weekly(weekday=weekday, skips_public_holidays=False), call_off_lead_days=3)
    scene.run(drafts.draft_due)
    first, *_ = scene.get("buyer", "call-off-drafts").json()["items"]
    assert scene.post("buyer", f"call-off-drafts/{first['id']}/order").status_code == 201
    change = ask(scene, made, schedule=scene.weekly((200, 200, 200), weekday=weekday, skips_public_holidays=False)).json()
    assert answer(scene, change, "accept").status_code == 200
    found = scene.instalments(made, first=first["due_on"], last=first["due_on"], delivery_place_id=first["delivery_place_id"])
    assert sorted((each["status"], each["skip_reason"], each["quantity"]) for each in found) == [
        ("ordered", None, "170"),
        ("skipped", "already_ordered", "200"),
    ]
    scene.run(drafts.draft_due)
    assert first["delivery_place_id"] not in {
        row["delivery_place_id"] for row in scene.get("buyer", "call-off-drafts").json()["items"]
    }


def test_an_agreement_is_renewed_once_and_by_approved_sides(scene):
    made = scene.agreed()
    end = {"valid_until": str(clock.today() + timedelta(days=364 * 2))}
    change = ask(scene, made, kind="renewals", **end).json()
    suspend = text("UPDATE organisation SET status = :status WHERE id = :id")
    with scene.database.unit_of_work() as session:
        session.execute(suspend, {"id": scene.farm.id, "status": "suspended"})
    assert code(answer(scene, change, "accept")) == (409, "party_not_approved")
    with scene.database.unit_of_work() as session:
        session.execute(suspend, {"id": scene.farm.id, "status": "approved"})
    assert answer(scene, change, "accept").status_code == 200
    assert code(ask(scene, made, kind="renewals", **end)) == (409, "already_renewed")


def test_a_renewal_begins_at_once_where_the_schedule_was_changed_on_the_way(scene):
    made = scene.agreed(schedule=scene.weekly())
    with clock.fixed(clock.now() + timedelta(days=200)):
        scene.sign_in()
        change = ask(scene, made, schedule=scene.weekly((100, 100, 100), weekday=2)).json()
        assert answer(scene, change, "accept").status_code == 200
        until = str(clock.today() + timedelta(days=364 * 2))
        done = answer(scene, ask(scene, made, kind="renewals", valid_until=until).json(), "accept").json()
        again = scene.get("buyer", f"agreements/{done['renewed_as_id']}").json()
    assert {entry["starts_on"] for entry in again["schedule"]} == {again["valid_from"]}
    assert {entry["ends_on"] for entry in again["schedule"]} == {until}


def test_a_change_names_the_place_of_its_fault(scene):
    made = scene.agreed(scene.line(), scene.line(product=scene.radish, quantity_cap="100"), amount_cap="1000.00")
    scene.call_off(made, 10, 50)
    low = ask(scene, made, lines=[{"line_no": 2, "quantity_cap": "49"}])
    assert low.json()["errors"][0]["field"] == "lines[0].quantity_cap"
    for body, field in [
        ({"lines": [{"line_no": 2, "minimum_quantity": "101"}]}, "lines[0].minimum_quantity"),
        ({"minimum_amount": "1000.01"}, "minimum_amount"),
    ]:
        refused = ask(scene, made, **body)
        assert code(refused) == (422, "terms_refused")
        assert refused.json()["errors"][0]["field"] == field
    assert code(ask(scene, made, amount_cap=None, lines=[])) == (422, "invalid")
