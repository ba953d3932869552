"""A pledge from its draft to its end: what counts, who sees it, what is refused."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from orders.ledger.actions import reverse
from orders.pledges.handlers import remind
from orders.pledges.rules.figures import per_head, percent
from shop.core import audit, clock
from shop.identity.permissions import Role
from tests.conftest import connect
from tests.factories.identity import access_token, signed_in
from workers.handlers import HANDLERS


def test_the_story_of_a_pledge(scene):
    buyer = scene.clients["buyer"]
    draft = scene.pledge(opened=False, per_head_cap="100.00")
    assert (draft["status"], draft["number"], draft["possible_actions"]) == ("draft", None, ["edit", "open", "cancel"])
    viewer = signed_in(scene.api, Role.VIEWER, scene.firm)
    assert viewer.get(f"/v1/pledges/{draft['id']}").json()["possible_actions"] == []
    assert scene.clients["fengjie"].get(f"/v1/pledges/{draft['id']}").status_code == 404

    for move, body in (("open", None), ("cancel", {"reason": "x"})):
        stale = buyer.post(f"/v1/pledges/{draft['id']}/{move}", json=body, headers={"If-Match": '"99"'})
        assert (stale.status_code, stale.json()["code"]) == (412, "changed_meanwhile"), move
    read = buyer.get(f"/v1/pledges/{draft['id']}").headers["ETag"]
    pledge = buyer.post(f"/v1/pledges/{draft['id']}/open", headers={"If-Match": read}).json()
    assert pledge["number"] == f"YG-{clock.today().year}-000001"
    scene.work()
    assert "pledge.opened" in scene.told("fengjie")
    assert scene.clients["fengjie"].get(f"/v1/pledges/{pledge['id']}").json()["recipients"][0]["delivery_address"] is None

    order = scene.order(10, 20, 30, 5)  # 800.00 + 1398.00 + 4500.00, and 1000.00 of elsewhere
    added = scene.count(pledge, order, recipient_id=pledge["recipients"][0]["id"]).json()
    figures = added["figures"]
    assert (figures["ordered"], figures["accepted"], figures["outside_ordered"]) == ("6698.00", "0.00", "1000.00")
    scene.deliver(order)
    figures = scene.figures(pledge)
    assert (figures["accepted"], figures["outside_accepted"]) == ("6698.00", "1000.00")
    assert (figures["accepted_percent"], figures["orders"]) == ("3.34", 1)
    assert (figures["heads"], figures["per_head"], figures["above_cap"]) == (40, "167.45", True)
    assert figures["accepted_grams"] == 10 * 5000 + 20 * 5000 + 30 * 500
    assert {part["code"]: part["accepted"] for part in figures["by_district"]} == {"500236": "2198.00", "500240": "4500.00"}
    assert {part["code"]: part["accepted"] for part in figures["by_township"]} == {"500236T01": "800.00"}
    assert {part["code"]: part["accepted"] for part in figures["by_category"]} == {"fruit": "2198.00", "honey": "4500.00"}
    assert [part["code"] for part in figures["by_fund"]] == ["welfare"]
    (listed,) = buyer.get(f"/v1/pledges/{pledge['id']}/orders").json()["items"]
    assert (listed["recipient"], listed["accepted"], listed["outside_accepted"]) == ("市第一医院", "6698.00", "1000.00")

    closed = buyer.post(f"/v1/pledges/{pledge['id']}/close").json()
    assert (closed["status"], closed["possible_actions"]) == ("closed", ["prove"])
    (proof,) = buyer.get(f"/v1/pledges/{pledge['id']}/purchase-proofs").json()["items"]
    assert (proof["amount"], proof["state"]) == ("6698.00", "valid")
    with scene.database.unit_of_work() as session:
        assert audit.seal(session) > 0
        assert audit.verify(session) == []


def test_what_is_returned_or_cancelled_counts_no_more(scene):
    pledge = scene.pledge()
    first, second = scene.order(10), scene.order(None, 10)
    scene.count(pledge, first)
    scene.count(pledge, second)
    scene.deliver(first)
    scene.clients["buyer"].post(f"/v1/purchase-orders/{second['id']}/cancel", json={"reason": "计划变更"})
    assert [scene.figures(pledge)[name] for name in ("ordered", "accepted")] == ["800.00", "800.00"]
    with scene.database.unit_of_work() as session:
        entry = session.execute(text("SELECT id FROM sale_entry")).scalar_one()
        reverse(session, audit.SYSTEM, entry, reason="退货", quantity=4)
    assert [scene.figures(pledge)[name] for name in ("ordered", "accepted")] == ["800.00", "480.00"]


def test_an_order_counts_from_the_first_to_the_last_day_and_for_one_pledge(scene, code):
    today = clock.today()
    pledge = scene.pledge(valid_from=str(today), valid_until=str(today))
    other = scene.pledge()
    order = scene.order(1)
    assert scene.count(pledge, order).status_code == 201
    for into, told in ((pledge, "order_counts_here"), (other, "order_counts_elsewhere")):
        assert code(scene.count(into, order)) == (409, told)
    later = scene.pledge(valid_from=str(today + timedelta(days=1)))
    assert code(scene.count(later, scene.order(1))) == (409, "order_outside_period")
    removed = scene.clients["buyer"].delete(f"/v1/pledges/{pledge['id']}/orders/{order['id']}")
    assert removed.status_code == 204
    assert scene.clients["buyer"].delete(f"/v1/pledges/{pledge['id']}/orders/{order['id']}").status_code == 404
    assert scene.count(other, order).status_code == 201


def agree(scene):
    terms = {
        "title": "脐橙长期供货",
        "supplier_id": scene.suppliers[0].id,
        "fund_source": "welfare",
        "valid_from": str(clock.today()),
        "valid_until": str(clock.today() + timedelta(days=90)),
        "lines": [{"sku_id": scene.products[0].sku_id, "price": {"kind": "fixed", "unit_price": "80.00"}}],
    }
    return scene.clients["buyer"].post("/v1/agreements", json=terms).json()["id"]


def call_off(scene, agreement, *orders):
    ids = [order["id"] for order in orders]
    scene.sql("UPDATE purchase_order SET source_kind = 'agreement', source_id = :id WHERE id = ANY (:ids)", ids=ids, id=agreement)


def test_orders_called_off_from_an_agreement_count_unless_they_stand_elsewhere(scene, code):
    agreed, other = scene.pledge(), scene.pledge()
    called_off, by_itself, foreign = scene.order(1), scene.order(2), scene.order(4, who="stranger")
    agreement = agree(scene)
    call_off(scene, agreement, called_off, by_itself, foreign)
    path = f"/v1/pledges/{agreed['id']}/agreements"
    assert scene.clients["buyer"].post(path, json={"agreement_id": agreement + 1}).status_code == 404
    assert scene.clients["buyer"].post(path, json={"agreement_id": agreement}).json()["agreements"] == [agreement]
    assert scene.figures(agreed)["ordered"] == "240.00"  # not the stranger's
    scene.count(other, by_itself)
    assert (scene.figures(agreed)["ordered"], scene.figures(other)["ordered"]) == ("80.00", "160.00")
    assert code(scene.clients["buyer"].post(path, json={"agreement_id": agreement})) == (409, "agreement_counts_here")
    assert code(scene.clients["buyer"].post(f"/v1/pledges/{other['id']}/agreements", json={"agreement_id": agreement})) == (
        409,
        "agreement_counts_elsewhere",
    )
    listed = scene.clients["buyer"].get(f"/v1/pledges/{agreed['id']}/orders").json()["items"]
    assert [(row["purchase_order_id"], row["agreement_id"]) for row in listed] == [(called_off["id"], agreement)]
    assert scene.clients["buyer"].delete(f"{path}/{agreement}").status_code == 204
    assert scene.figures(agreed)["ordered"] == "0.00"


def rush(scene, order, pledges, guard=True):
    """Everybody counts the same order at once, each towards another pledge; returns how often each status came."""
    with scene.database.unit_of_work() as session:
        token = access_token(session, scene.users["buyer"])
    barrier = threading.Barrier(len(pledges))

    def add(pledge):
        client = connect(str(scene.api.base_url), scene.database, {"Authorization": f"Bearer {token}"})
        barrier.wait()
        return client.post(f"/v1/pledges/{pledge['id']}/orders", json={"purchase_order_id": order["id"]}).status_code

    with ThreadPoolExecutor(len(pledges)) as pool:
        statuses = list(pool.map(add, pledges))
    return {status: statuses.count(status) for status in set(statuses)}


@pytest.mark.slow
def test_of_many_at_once_one_counts_the_order(scene):
    pledges = [scene.pledge() for _ in range(8)]
    for _ in range(5):
        order = scene.order(1)
        assert rush(scene, order, pledges) == {201: 1, 409: 7}


@pytest.mark.control
def test_without_the_constraint_the_same_rush_counts_twice(scene):
    """The control: when this fails, the test above proves nothing."""
    scene.sql("ALTER TABLE pledge_order DROP CONSTRAINT uq_pledge_order_purchase_order_id")
    pledges = [scene.pledge() for _ in range(8)]
    assert rush(scene, scene.order(1), pledges)[201] > 1


def test_numbers_have_no_gaps_however_many_open_at_once(scene):
    drafts = [scene.pledge(opened=False) for _ in range(8)]
    with scene.database.unit_of_work() as session:
        token = access_token(session, scene.users["buyer"])

    def open_(draft):
        client = connect(str(scene.api.base_url), scene.database, {"Authorization": f"Bearer {token}"})
        return [client.post(f"/v1/pledges/{draft['id']}/open").status_code for _ in range(2)]

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(open_, drafts)) == [[200, 409]] * 8
    numbers = scene.sql("SELECT number FROM pledge ORDER BY 1").scalars().all()
    assert [int(number[-6:]) for number in numbers] == list(range(1, 9))


def test_an_open_pledge_can_only_become_more(scene, code):
    buyer, pledge = scene.clients["buyer"], scene.pledge()
    path = f"/v1/pledges/{pledge['id']}"
    until = str(clock.today() + timedelta(days=90))
    raised = buyer.patch(path, json={"amount": "300000.00", "valid_until": until, "title": "以买代帮"})
    assert (raised.json()["amount"], raised.json()["valid_until"], raised.json()["title"]) == ("300000.00", until, "以买代帮")
    shown = buyer.get(path).json()
    recipients = [{name: value for name, value in each.items() if name != "id"} for each in shown["recipients"]]
    same = {"regions": [region["code"] for region in shown["regions"]], "recipients": recipients, "title": "以买代帮之二"}
    assert buyer.patch(path, json=same).json()["title"] == "以买代帮之二"
    for less in ({"amount": "1.00"}, {"valid_until": str(clock.today())}, {"regions": ["500236"]}, {"recipients": []}):
        assert code(buyer.patch(path, json=less)) == (409, "only_more")
    assert code(buyer.patch(path, json={"title": "x"}, headers={"If-Match": '"1"'})) == (412, "changed_meanwhile")
    more = buyer.post(f"{path}/recipients", json={"name": "福利院", "heads": 60, "delivery_address": "重庆市"})
    assert more.json()["figures"]["heads"] == 100
    again = buyer.post(f"{path}/recipients", json={"name": "福利院", "heads": 60, "delivery_address": "重庆市"})
    assert code(again) == (409, "recipient_twice")


def test_a_draft_can_become_anything(scene):
    draft = scene.pledge(opened=False, per_head_cap="100.00")
    body = {"amount": "0.01", "regions": ["500229T01"], "recipients": [], "per_head_cap": None, "kind": "buy_to_help"}
    changed = scene.clients["buyer"].patch(f"/v1/pledges/{draft['id']}", json=body).json()
    assert (changed["amount"], changed["kind"], changed["per_head_cap"], changed["recipients"]) == ("0.01", "buy_to_help", None, [])
    assert changed["regions"] == [{"code": "500229T01", "name": "Yanhe"}]
    assert changed["version"] == draft["version"] + 1


@pytest.mark.parametrize(
    ("changes", "refusal", "field"),
    [
        ({"regions": ["500236", "500236"]}, "regions_refused", "regions[1]"),
        ({"regions": ["500999"]}, "regions_refused", "regions[0]"),
        ({"regions": []}, None, "regions"),
        ({"valid_until": "2021-01-01"}, "period_wrong", "valid_until"),
        ({"amount": "0"}, None, "amount"),
        ({"amount": "10000000000.01"}, None, "amount"),
        ({"title": "\u202e"}, None, "title"),
        ({"valid_from": "0206-01-01"}, None, "valid_from"),
        ({"recipients": [{"name": "医院", "heads": 0, "delivery_address": "重庆"}]}, None, "recipients[0].heads"),
        ({"unknown": 1}, None, "unknown"),
    ],
)
def test_what_makes_no_sense_is_refused_with_its_field(scene, changes, refusal, field):
    answer = scene.clients["buyer"].post("/v1/pledges", json=scene.body(**changes))
    assert answer.status_code == 422
    if refusal:
        assert answer.json()["code"] == refusal
        assert answer.json()["errors"][0]["field"] == field
    else:
        assert field.split("[")[0] in answer.text


def test_two_recipients_of_one_name_are_refused(scene, code):
    one = {"name": "医院", "heads": 1, "delivery_address": "重庆"}
    assert code(scene.clients["buyer"].post("/v1/pledges", json=scene.body(recipients=[one, one]))) == (409, "recipient_twice")


def test_a_closed_or_cancelled_pledge_takes_nothing_more(scene, code):
    buyer = scene.clients["buyer"]
    closed, cancelled, order = scene.pledge(), scene.pledge(), scene.order(1)
    scene.count(cancelled, order)
    assert buyer.post(f"/v1/pledges/{closed['id']}/close").status_code == 200
    assert buyer.post(f"/v1/pledges/{cancelled['id']}/cancel", json={"reason": "预算取消"}).json()["reason"] == "预算取消"
    for pledge in (closed, cancelled):
        path = f"/v1/pledges/{pledge['id']}"
        for verb, body in (("open", {}), ("close", {}), ("cancel", {"reason": "x"})):
            assert code(buyer.post(f"{path}/{verb}", json=body)) == (409, "illegal_move")
        assert code(buyer.patch(path, json={"title": "x"})) == (409, "illegal_move")
        assert code(scene.count(pledge, order)) == (409, "illegal_move")
        assert code(buyer.post(f"{path}/basket-proposals", json={"budget": "1000.00"})) == (409, "illegal_move")
    assert scene.count(scene.pledge(), order).status_code == 201, "the order of a cancelled pledge is free"


def test_who_sees_a_pledge_and_who_does_not(scene):
    pledge = scene.pledge(regions=["500236T01"])
    seen = {
        who: scene.clients[who].get(f"/v1/pledges/{pledge['id']}").status_code
        for who in scene.users
        if not who.startswith("seller")
    }
    assert seen == {
        **dict.fromkeys(("buyer", "admin", "approver", "fengjie", "pingan", "monitor"), 200),
        **dict.fromkeys(("branch", "stranger", "chengkou"), 404),
    }
    for who, count in (("fengjie", 1), ("pingan", 1), ("chengkou", 0), ("stranger", 0), ("monitor", 1), ("buyer", 1)):
        assert len(scene.clients[who].get("/v1/pledges").json()["items"]) == count, who
    assert scene.clients["seller0"].get(f"/v1/pledges/{pledge['id']}").status_code == 403
    assert scene.clients["seller0"].get("/v1/pledges").status_code == 403
    for who, status in (("approver", 403), ("fengjie", 403), ("monitor", 403), ("stranger", 404), ("branch", 404)):
        assert scene.clients[who].post(f"/v1/pledges/{pledge['id']}/close").status_code == status, who
    foreign = scene.order(1, who="stranger")
    assert scene.count(pledge, foreign).status_code == 404
    assert scene.clients["stranger"].post("/v1/pledges", json=scene.body(organisation_id=scene.firm.id)).status_code == 403
    assert scene.clients["buyer"].post("/v1/pledges", json=scene.body(organisation_id=10**12)).status_code == 404


def test_a_unit_below_pledges_and_its_orders_count_for_the_firm(scene):
    pledge = scene.pledge()
    assert scene.count(pledge, scene.order(3, who="branch")).status_code == 201
    below = scene.clients["branch"].post("/v1/pledges", json=scene.body()).json()
    assert scene.clients["buyer"].get(f"/v1/pledges/{below['id']}").status_code == 200


def test_pledges_are_paged_and_filtered(scene):
    made = [
        scene.pledge(kind="buy_to_help" if n % 2 else "donate_by_purchase", regions=["500236", "500240"][: 1 + n % 2])
        for n in range(5)
    ]
    buyer = scene.clients["buyer"]
    first = buyer.get("/v1/pledges", params={"limit": 3}).json()
    second = buyer.get("/v1/pledges", params={"limit": 3, "after": first["next"]}).json()
    assert [row["id"] for row in [*first["items"], *second["items"]]] == [each["id"] for each in made][::-1]
    assert second["next"] is None

    def found(**params):
        return len(buyer.get("/v1/pledges", params=params).json()["items"])

    assert found(kind="buy_to_help") == 2
    assert found(region="500240") == 2
    assert found(status="draft") == 0
    assert found(ends_before=str(clock.today())) == 0
    assert found(organisation_id=scene.firm.id) == 5
    assert buyer.get("/v1/pledges", params={"after": "x"}).status_code == 422


def test_the_same_request_twice_makes_one_pledge(scene):
    headers = {"Idempotency-Key": "monday"}
    one, two = (scene.clients["buyer"].post("/v1/pledges", json=scene.body(), headers=headers) for _ in range(2))
    assert one.content == two.content
    assert len(scene.clients["buyer"].get("/v1/pledges").json()["items"]) == 1


def test_a_firm_that_is_not_approved_cannot_pledge_openly(scene, code):
    draft = scene.pledge(opened=False)
    scene.sql("UPDATE organisation SET status = 'suspended' WHERE id = :id", id=scene.firm.id)
    assert code(scene.clients["buyer"].post(f"/v1/pledges/{draft['id']}/open")) == (409, "organisation_not_approved")


def test_whoever_is_behind_is_reminded_once_before_the_end(scene):
    soon = str(clock.today() + timedelta(days=20))
    kept, behind, later = scene.pledge(amount="800.00", valid_until=soon), scene.pledge(valid_until=soon), scene.pledge()
    order = scene.order(10)
    scene.count(kept, order)
    scene.deliver(order)
    for _ in range(2):
        with scene.database.unit_of_work() as session:
            assert remind(session) == 1
    scene.work()
    assert scene.told("buyer").count("pledge.ending") == 1
    assert later
    (told,) = [row for row in scene.clients["buyer"].get("/v1/notifications").json()["items"] if row["kind"] == "pledge.ending"]
    assert behind["number"] in str(told)
    with clock.fixed(datetime.now(UTC) + timedelta(days=45)), scene.database.unit_of_work() as session:
        assert remind(session) == 1  # the later one by now; the others have ended


def test_handlers_may_run_twice(scene):
    pledge, order = scene.pledge(), scene.order(10)
    scene.count(pledge, order)
    scene.deliver(order)
    scene.clients["buyer"].post(f"/v1/pledges/{pledge['id']}/purchase-proofs")
    scene.work()
    told = [scene.told(who) for who in ("buyer", "fengjie")]
    assert told[1] == ["pledge.opened", "purchase_proof.issued"]
    with scene.database.unit_of_work() as session:
        for name, payload in session.execute(text("SELECT name, payload FROM outbox_event ORDER BY id")).all():
            HANDLERS[name](session, payload)
    assert [scene.told(who) for who in ("buyer", "fengjie")] == told


def test_rounding_never_makes_more_of_it():
    assert percent(99_999, 100_000) == "99.99"
    assert percent(250_000, 100_000) == "250.00"
    assert per_head(100, 3) == 34
    assert per_head(100, 0) is None


def test_of_a_closed_pledge_no_later_call_off_counts(scene):
    pledge, before = scene.pledge(), scene.order(1)
    agreement = agree(scene)
    scene.clients["buyer"].post(f"/v1/pledges/{pledge['id']}/agreements", json={"agreement_id": agreement})
    call_off(scene, agreement, before)
    scene.clients["buyer"].post(f"/v1/pledges/{pledge['id']}/close")
    call_off(scene, agreement, scene.order(2))
    assert scene.figures(pledge)["ordered"] == "80.00"
    assert len(scene.clients["buyer"].get(f"/v1/pledges/{pledge['id']}/orders").json()["items"]) == 1


def test_an_order_that_is_moved_to_a_unit_elsewhere_counts_there(scene):
    below = scene.clients["branch"].post("/v1/pledges", json=scene.body()).json()
    scene.clients["branch"].post(f"/v1/pledges/{below['id']}/open")
    above, order = scene.pledge(), scene.order(1, who="branch")
    added = scene.clients["branch"].post(f"/v1/pledges/{below['id']}/orders", json={"purchase_order_id": order["id"]})
    assert added.json()["figures"]["ordered"] == "80.00"
    path = f"/v1/purchase-orders/{order['id']}/budget-unit"
    moved = scene.clients["buyer"].post(path, json={"unit_id": scene.firm.id, "reason": "由集团采购"})
    assert moved.status_code == 200, moved.text
    assert scene.figures(below, who="branch")["ordered"] == "0.00"
    scene.work()
    assert scene.count(above, order).json()["figures"]["ordered"] == "80.00"


def test_an_order_of_which_nothing_is_left_is_none_of_the_number(scene):
    pledge, stays, goes = scene.pledge(), scene.order(1), scene.order(1)
    for order in (stays, goes):
        scene.count(pledge, order)
    scene.clients["buyer"].post(f"/v1/purchase-orders/{goes['id']}/cancel", json={"reason": "计划变更"})
    assert scene.figures(pledge)["orders"] == 1


def test_what_a_form_sends_back_unchanged_is_no_change(scene):
    pledge = scene.pledge(per_head_cap="100.00")
    same = {name: pledge[name] for name in ("kind", "fund_source", "per_head_cap", "valid_from", "amount", "valid_until")}
    raised = scene.clients["buyer"].patch(f"/v1/pledges/{pledge['id']}", json={**same, "amount": "300000.00"})
    assert (raised.status_code, raised.json()["amount"]) == (200, "300000.00")


def test_a_pledge_has_so_many_recipients_and_no_more(scene, code):
    groups = [{"name": f"医院{n}", "heads": 1, "delivery_address": "重庆"} for n in range(200)]
    path = f"/v1/pledges/{scene.pledge(recipients=groups)['id']}/recipients"
    assert code(scene.clients["buyer"].post(path, json={**groups[0], "name": "福利院"})) == (409, "too_many_recipients")


def test_the_counties_hear_that_a_pledge_is_taken_back_but_not_of_a_draft(scene):
    pledge, draft = scene.pledge(), scene.pledge(opened=False)
    for each in (pledge, draft):
        assert scene.clients["buyer"].post(f"/v1/pledges/{each['id']}/cancel", json={"reason": "预算取消"}).status_code == 200
    scene.work()
    assert scene.told("fengjie") == ["pledge.opened", "pledge.cancelled"]
    assert "预算取消" in str(scene.clients["fengjie"].get("/v1/notifications").json())
