"""Weekly vegetables to three schools in term time: instalments, drafts some days ahead, and what is late."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import text

from orders.agreements.actions import drafts, planning
from orders.agreements.queries import reach
from orders.agreements.schemas.terms import ChangeIn
from shop.core import clock
from shop.identity import tokens
from tests.orders.agreements.scene import Scene, code

MONDAY = datetime(2026, 8, 24, 2, tzinfo=UTC)  # 10 o'clock in Shanghai, a week before term


@pytest.fixture
def scene(api, database):
    with clock.fixed(MONDAY):
        yield Scene(api, database)


def term(scene, **head):
    """An autumn term that both have signed; national holidays are from 1 to 7 October 2026, the bureau's sports week is in November."""
    closed = {"name": "运动会", "starts_on": "2026-11-09", "ends_on": "2026-11-13"}
    assert scene.post("buyer", "closure-periods", closed).status_code == 201
    return scene.agreed(
        schedule=scene.weekly(),
        valid_from="2026-09-01",
        valid_until="2027-01-15",
        **head,
    )


def at(day):
    return clock.fixed(datetime(day.year, day.month, day.day, 2, tzinfo=UTC))


def draft(scene):
    return scene.run(drafts.draft_due)


def test_five_hundred_kilograms_a_week_to_three_schools_with_holidays_skipped(scene):
    made = term(scene)
    found = scene.instalments(made)
    mondays = sorted({each["due_on"] for each in found})
    assert (mondays[0], mondays[-1], len(found)) == ("2026-09-07", "2027-01-11", 3 * len(mondays))
    assert sum(float(each["quantity"]) for each in found if each["due_on"] == "2026-09-07") == 500
    skipped = {(each["due_on"], each["skip_reason"], each["skip_note"]) for each in found if each["status"] == "skipped"}
    assert {("2026-10-05", "public_holiday", None), ("2026-11-09", "closure", "运动会")} <= skipped
    assert len(mondays) == 19
    assert {each["status"] for each in scene.instalments(made, "farm", first="2026-09-01", last="2026-09-30")} == {"planned"}
    places = scene.get("buyer", f"agreements/{made['id']}").json()["places"]
    one = scene.instalments(made, delivery_place_id=places[1]["id"])
    assert {each["place_name"] for each in one} == {"第二小学食堂"}


def test_a_schedule_that_passes_a_cap_is_told_from_the_draft_on(scene):
    """Eighteen Mondays of 500 kg at 3.80 under a cap of 8000 kg and 30,000 yuan; what is ordered is not asked for again."""
    capped = {"valid_from": "2026-09-01", "valid_until": "2027-01-15", "tolerance_percent": "5", "amount_cap": "30000.00"}
    line = scene.line(quantity_cap="8000", amount_cap="90000.00")
    made = scene.draft(line, **capped)
    assert made["schedule_warnings"] == []
    path = f"/v1/agreements/{made['id']}"
    written = scene.clients["buyer"].put(f"{path}/schedule", json=scene.weekly()).json()
    assert written["schedule_warnings"] == [
        {
            "code": "quantity_cap",
            "message": "the schedule asks for 9000 and passes the cap by quantity, 8000: 0 was ordered, 8400 is left with the tolerance",
            "line_no": 1,
            "cap": "8000",
            "drawn": "0",
            "left": "8400",
            "planned": "9000",
        },
        {
            "code": "amount_cap",
            "message": "the schedule asks for 34200.00 and passes the agreement's cap by amount, 30000.00: 0.00 was ordered,"
            " 31500.00 is left with the tolerance",
            "line_no": None,
            "cap": "30000.00",
            "drawn": "0.00",
            "left": "31500.00",
            "planned": "34200.00",
        },
    ]
    assert scene.post("buyer", f"agreements/{made['id']}/propose").status_code == 200
    shown = scene.get("farm", f"agreements/{made['id']}").json()
    assert [each["planned"] for each in shown["schedule_warnings"]] == ["9000", "34200.00"]
    for who in ("farm", "head"):
        assert scene.sign(who, shown).status_code == 200
    with at(date(2026, 9, 6)):
        scene.sign_in()
        draft(scene)
        [waiting] = scene.get("buyer", "call-off-drafts", limit=1).json()["items"]
        ordered = scene.post("buyer", f"call-off-drafts/{waiting['id']}/order")
        assert ordered.status_code in (200, 201), ordered.text
        told = scene.get("buyer", f"agreements/{made['id']}").json()["schedule_warnings"]
        assert (told[0]["drawn"], told[0]["left"], told[0]["planned"]) == ("170", "8230", "8830")
    with at(date(2026, 11, 1)):  # what nobody asked for in time comes no more
        scene.sign_in()
        assert scene.get("buyer", f"agreements/{made['id']}").json()["schedule_warnings"] == []
    fits = scene.draft(scene.line(quantity_cap="8572"), schedule=scene.weekly(), **(capped | {"amount_cap": "40000.00"}))
    assert scene.get("buyer", f"agreements/{fits['id']}").json()["schedule_warnings"] == []


def test_what_a_schedule_would_pass_is_told_when_a_change_is_proposed(scene):
    capped = {"valid_from": "2026-09-01", "valid_until": "2027-01-15", "amount_cap": "90000.00", "schedule": scene.weekly()}
    made = scene.agreed(scene.line(quantity_cap="9000"), **capped)
    path = f"agreements/{made['id']}"

    def ask(kind, **body):
        asked = scene.post("head", f"{path}/{kind}", {"reason": "学期调整", **body})
        assert asked.status_code == 201, asked.text
        return asked.json()

    def answer(change, move, who):
        answered = scene.post(who, f"{path}/changes/{change['id']}/{move}")
        assert answered.status_code == 200, answered.text
        return answered.json()

    assert made["schedule_warnings"] == []
    change = ask("changes", lines=[{"line_no": 1, "quantity_cap": "8000"}], amount_cap="30000.00")
    told = [(each["code"], each["line_no"], each["cap"], each["planned"]) for each in change["schedule_warnings"]]
    assert told == [("quantity_cap", 1, "8000", "9000"), ("amount_cap", None, "30000.00", "34200.00")]
    # nothing has changed yet; who is to answer reads it in the own language
    assert scene.get("farm", path).json()["schedule_warnings"] == []
    [read] = scene.clients["farm"].get(f"/v1/{path}/changes", headers={"Accept-Language": "zh"}).json()["items"]
    assert read["schedule_warnings"][0]["message"] == "供货计划尚有 9000，超过数量上限 8000：已下单 0，含允差还可下单 8000"
    kept = answer(change, "accept", "farm")["schedule_warnings"]
    assert kept == change["schedule_warnings"]
    # from now on the agreement itself tells it, where it is listed too
    for shown in (scene.get("farm", path).json(), scene.get("head", "agreements").json()["items"][0]):
        assert shown["schedule_warnings"] == kept
    renewed = ask("renewals", valid_from="2027-01-16", valid_until="2027-07-30")
    assert [each["code"] for each in renewed["schedule_warnings"]] == ["quantity_cap", "amount_cap"]
    answer(renewed, "withdraw", "head")
    ended = ask("terminations", last_day="2026-09-30")
    assert ended["schedule_warnings"] == []
    answer(ended, "accept", "farm")
    with at(date(2026, 10, 2)):
        scene.sign_in()
        assert scene.get("head", "agreements").json()["items"][0]["schedule_warnings"] == []


def test_a_school_of_its_own_closes_and_opens_again(scene):
    made = term(scene)
    body = {"name": "消毒", "starts_on": "2026-09-14", "ends_on": "2026-09-14", "organisation_id": scene.schools[0].id}
    closed = scene.post("buyer", "closure-periods", body).json()
    states = [each["status"] for each in scene.instalments(made, first="2026-09-14", last="2026-09-14")]
    assert sorted(states) == ["planned", "planned", "skipped"]
    assert len(scene.get("buyer", "closure-periods").json()["items"]) == 2
    assert scene.get("stranger", "closure-periods").json()["items"] == []
    assert scene.clients["stranger"].delete(f"/v1/closure-periods/{closed['id']}").status_code == 404
    assert scene.clients["buyer"].delete(f"/v1/closure-periods/{closed['id']}").status_code == 204
    assert {each["status"] for each in scene.instalments(made, first="2026-09-14", last="2026-09-14")} == {"planned"}
    assert code(scene.post("buyer", "closure-periods", body | {"organisation_id": scene.farm.id})) == (404, "not_found")
    assert code(scene.post("buyer", "closure-periods", body | {"ends_on": "2026-09-13"})) == (422, "invalid")


def test_drafts_come_some_days_ahead_once_and_are_ordered_by_a_click(scene):
    term(scene, call_off_lead_days=3)
    assert draft(scene) == 0
    with at(date(2026, 9, 4)):
        scene.sign_in()
        assert (draft(scene), draft(scene)) == (3, 0)
        scene.hear()
        assert {each["place"] for each in scene.told("call_off.drafted", scene.bureau)} == {
            "第一小学食堂",
            "第二小学食堂",
            "第三小学食堂",
        }
        listed = scene.get("buyer", "call-off-drafts").json()["items"]
        assert [row["due_on"] for row in listed] == ["2026-09-07"] * 3
        one = scene.get("buyer", f"call-off-drafts/{listed[0]['id']}").json()
        assert [(each["quantity"], each["status"]) for each in one["instalments"]] == [("170", "drafted")]
        assert code(scene.post("farm", f"call-off-drafts/{one['id']}/order")) == (403, "forbidden")
        assert code(scene.post("stranger", f"call-off-drafts/{one['id']}/order")) == (404, "not_found")
        order = scene.post("buyer", f"call-off-drafts/{one['id']}/order").json()["purchase_order"]
        assert (order["deliver_by"], order["delivery_address"], order["total"]) == ("2026-09-07", "沙坪坝区第一小学", "646.00")
        assert code(scene.post("buyer", f"call-off-drafts/{one['id']}/order")) == (409, "call_off_draft_not_open")
        gone = scene.post("buyer", f"call-off-drafts/{listed[1]['id']}/discard", {"reason": "停课"}).json()
        assert (gone["status"], gone["instalments"][0]["skip_note"]) == ("discarded", "停课")
        assert code(scene.post("buyer", f"call-off-drafts/{listed[1]['id']}/order")) == (409, "call_off_draft_not_open")
        assert [row["id"] for row in scene.get("buyer", "call-off-drafts").json()["items"]] == [listed[2]["id"]]


def test_drafting_by_many_at_once_makes_no_second_draft(scene):
    term(scene)
    with at(date(2026, 9, 4)):
        with ThreadPoolExecutor(8) as pool:
            made = list(pool.map(lambda _: draft(scene), range(8)))
        assert sum(made) == 3
        with scene.database.unit_of_work() as session:
            assert session.execute(text("SELECT count(*) FROM call_off_draft")).scalar_one() == 3
            drafted = "SELECT count(*) FROM instalment WHERE status = 'drafted' AND call_off_draft_id IS NOT NULL"
            assert session.execute(text(drafted)).scalar_one() == 3


def test_one_click_many_times_at_once_is_one_order(scene):
    term(scene)
    with at(date(2026, 9, 4)):
        scene.sign_in()
        draft(scene)
        first = scene.get("buyer", "call-off-drafts").json()["items"][0]["id"]
        clients = [scene.api.as_(scene.users["buyer"]) for _ in range(8)]
        with ThreadPoolExecutor(8) as pool:
            statuses = list(pool.map(lambda client: client.post(f"/v1/call-off-drafts/{first}/order").status_code, clients))
        assert sorted(statuses) == [201] + [409] * 7


def test_orders_without_a_click_and_what_stands_against_them(scene):
    made = term(scene, auto_order=True)
    with scene.database.unit_of_work() as session:
        session.execute(text("UPDATE stock SET on_hand = 400 WHERE sku_id = :sku"), {"sku": scene.cabbage.sku_id})
    with at(date(2026, 9, 4)):
        scene.sign_in()
        draft(scene)
        scene.hear()
        rows = scene.clients["buyer"].get("/v1/call-off-drafts", params={"agreement_id": made["id"], "status": "ordered"}).json()
        assert len(rows["items"]) == 2
        (stuck,) = scene.get("buyer", "call-off-drafts").json()["items"]
        assert stuck["problem"] == "lines_refused"
        assert scene.told("call_off.stuck", scene.bureau)[0]["problem"] == "lines_refused"
        assert scene.position(made)["lines"][0]["ordered_quantity"] == "335"


@pytest.mark.slow
def test_late_instalments_are_listed_and_told_once(scene):
    made = term(scene)
    with at(date(2026, 9, 4)):
        scene.sign_in()
        draft(scene)
        rows = scene.get("buyer", "call-off-drafts").json()["items"]
        orders = [scene.post("buyer", f"call-off-drafts/{row['id']}/order").json()["purchase_order"] for row in rows[:2]]
        scene.deliver(orders[0])
        assert scene.get("buyer", "late-instalments").json()["items"] == []
    with at(date(2026, 9, 9)):
        scene.sign_in()
        late = scene.get("buyer", "late-instalments").json()["items"]
        assert [(row["waits_for"], row["days_late"]) for row in late] == [("shipment", 2), ("order", 2)]
        assert late == scene.get("farm", "late-instalments", agreement_id=made["id"]).json()["items"]
        assert scene.get("rival", "late-instalments").json()["items"] == []
        first = scene.get("buyer", "late-instalments", limit=1).json()
        rest = scene.get("buyer", "late-instalments", limit=1, after=first["next"]).json()
        assert first["items"] + rest["items"] == late
        assert scene.position(made)["late_instalments"] == 2
        assert (scene.run(drafts.tell_late), scene.run(drafts.tell_late)) == (1, 0)
        with scene.database.unit_of_work() as session:
            settled = session.execute(text("SELECT call_off_draft_id FROM instalment WHERE settled")).scalars().all()
        assert settled == [rows[0]["id"]]
        assert scene.get("buyer", "late-instalments").json()["items"] == late
        scene.hear()
        for side in (scene.bureau, scene.farm):
            assert scene.told("agreement.instalments_late", side) == [
                {"number": made["number"], "due_on": "2026-09-07", "count": 2}
            ]
        part = orders[1]["supplier_orders"][0]["id"]
        scene.post("farm", f"supplier-orders/{part}/reject", {"reason": "车坏了"})
        assert "new_order" in [row["waits_for"] for row in scene.get("buyer", "late-instalments").json()["items"]]
        assert code(scene.post("buyer", f"call-off-drafts/{rows[0]['id']}/reopen")) == (409, "still_ordered")
        again = scene.post("buyer", f"call-off-drafts/{rows[1]['id']}/reopen").json()
        assert (again["status"], again["instalments"][0]["status"]) == ("open", "drafted")
        assert scene.post("buyer", f"call-off-drafts/{rows[1]['id']}/order").status_code == 201


def test_a_school_sees_the_agreement_that_delivers_to_it(scene):
    made = term(scene)
    assert scene.get("school", f"agreements/{made['id']}").status_code == 200
    with at(date(2026, 9, 4)):
        scene.sign_in()
        draft(scene)
        row = scene.get("school", "call-off-drafts").json()["items"][0]
        assert code(scene.post("school", f"call-off-drafts/{row['id']}/order")) == (403, "not_your_unit")


def test_what_was_due_before_both_had_signed_is_not_asked_for(scene):
    made = scene.propose(schedule=scene.weekly(), valid_from="2026-09-01", valid_until="2026-12-31")
    with at(date(2026, 9, 16)):
        scene.sign_in()
        scene.sign("farm", made)
        scene.sign("head", made)
        assert {each["skip_reason"] for each in scene.instalments(made, last="2026-09-15")} == {"ended"}
        assert draft(scene) == 0
        assert scene.get("buyer", "late-instalments").json()["items"] == []


def test_a_holiday_that_is_published_later_is_skipped_before_it_is_drafted(scene):
    made = term(scene, call_off_lead_days=10)
    with scene.database.unit_of_work() as session:
        session.execute(text("UPDATE workday SET working = false, source = 'notice' WHERE day = '2026-09-07'"))
    assert scene.run(drafts.draft_due) == 0
    with at(date(2026, 9, 1)):
        scene.sign_in()
        assert draft(scene) == 0
        assert {each["skip_reason"] for each in scene.instalments(made, last="2026-09-07")} == {"public_holiday"}


def test_schedules_that_cannot_be(scene):
    made = scene.draft(valid_from="2026-09-01", valid_until="2027-01-15")
    put = scene.clients["buyer"].put
    path = f"/v1/agreements/{made['id']}/schedule"
    for change, found in [
        ({"line_no": 2}, "unknown_line"),
        ({"starts_on": "2026-08-01"}, "outside_agreement"),
        ({"ends_on": "2027-08-01"}, "outside_agreement"),
        ({"quantity": "0.5"}, "wrong_step"),
        ({"place": "别处"}, "unknown_place"),
    ]:
        body = scene.weekly()
        body["entries"][0] |= change
        answer = put(path, json=body)
        assert code(answer) == (422, "schedule_refused")
        assert [fault["code"] for fault in answer.json()["errors"]] == [found]
    body = scene.weekly()
    body["places"][0]["unit_id"] = scene.farm.id
    assert put(path, json=body).json()["errors"][0]["code"] == "not_of_buyer"
    body = scene.weekly()
    body["entries"] = body["entries"][:1] * 500
    body["entries"][0] |= {"weekdays": [1, 2, 3, 4, 5, 6, 7]}
    assert put(path, json=body).json()["errors"][0]["code"] == "too_many_instalments"
    assert code(put(path, json=scene.weekly(weekday=8))) == (422, "invalid")
    assert scene.instalments(made) == []


def test_the_demanded_day_is_of_the_week(scene):
    made = term(scene)
    assert {date.fromisoformat(each["due_on"]).isoweekday() for each in scene.instalments(made)} == {1}
    assert timedelta(0) < date.fromisoformat(scene.instalments(made)[0]["due_on"]) - clock.today()


def test_a_school_has_the_drafts_of_its_own_place_only(scene):
    term(scene)
    with at(date(2026, 9, 4)):
        scene.sign_in()
        draft(scene)
        own, *others = scene.get("buyer", "call-off-drafts").json()["items"]
        assert [row["place_name"] for row in scene.get("school", "call-off-drafts").json()["items"]] == ["第一小学食堂"]
        for other in others:
            path = f"call-off-drafts/{other['id']}"
            assert scene.get("school", path).status_code == 404
            assert code(scene.post("school", f"{path}/discard", {"reason": "停课"})) == (404, "not_found")
        gone = scene.post("school", f"call-off-drafts/{own['id']}/discard", {"reason": "停课"})
        assert gone.json()["status"] == "discarded"


def test_a_draft_is_not_opened_beside_another_of_its_place_and_day(scene):
    term(scene)
    with at(date(2026, 9, 4)):
        scene.sign_in()
        draft(scene)
        first = scene.get("buyer", "call-off-drafts").json()["items"][0]
        order = scene.post("buyer", f"call-off-drafts/{first['id']}/order").json()["purchase_order"]
        scene.post("buyer", f"purchase-orders/{order['id']}/cancel", {"reason": "写错"})
        with scene.database.unit_of_work() as session:
            session.execute(
                text(
                    "INSERT INTO call_off_draft (agreement_id, delivery_place_id, due_on, drafted_at)"
                    " SELECT agreement_id, delivery_place_id, due_on, drafted_at FROM call_off_draft WHERE id = :id"
                ),
                {"id": first["id"]},
            )
        assert code(scene.post("buyer", f"call-off-drafts/{first['id']}/reopen")) == (409, "another_draft_open")


def test_a_closure_waits_for_a_schedule_that_is_being_written(scene):
    made = term(scene)
    body = ChangeIn.model_validate({"reason": "改期", "schedule": scene.weekly(weekday=3)})
    closed = {"name": "消毒", "starts_on": "2026-09-16", "ends_on": "2026-09-16"}
    with ThreadPoolExecutor(1) as pool:
        with scene.database.unit_of_work() as session:
            head = tokens.actor_of_user(session, scene.users["head"].id)
            agreement, _ = reach.locked(session, head, made["id"])
            planning.replace_schedule(session, agreement, body.schedule, clock.today())
            closing = pool.submit(scene.post, "buyer", "closure-periods", closed)
            session.execute(text("SELECT pg_sleep(0.5)"))
            assert not closing.done()
        assert closing.result().status_code == 201
    found = scene.instalments(made, first="2026-09-16", last="2026-09-16")
    assert [(each["status"], each["skip_note"]) for each in found] == [("skipped", "消毒")] * 3


def test_what_is_over_early_is_not_planned_again(scene):
    made = term(scene)
    change = scene.post("farm", f"agreements/{made['id']}/terminations", {"reason": "停供", "last_day": "2026-09-30"}).json()
    scene.post("head", f"agreements/{made['id']}/changes/{change['id']}/accept", {})
    (closure,) = scene.get("buyer", "closure-periods").json()["items"]
    assert scene.clients["buyer"].delete(f"/v1/closure-periods/{closure['id']}").status_code == 204
    assert {each["status"] for each in scene.instalments(made, first="2026-10-01")} == {"skipped"}
