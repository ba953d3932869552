"""From a draft to an agreement that both have signed, and who may do what on the way."""

import hashlib
import json
from datetime import timedelta

import pytest
from sqlalchemy import text

from orders.agreements import actions
from orders.agreements.schemas import AgreementIn
from shop.core import clock
from shop.identity import tokens
from tests.factories.catalog import make_product
from tests.orders.agreements.scene import code


def test_a_proposal_is_signed_by_both_sides(scene):
    made = scene.propose(scene.line(quantity_cap="5000"), amount_cap="20000.00", schedule=None)
    assert (made["state"], made["possible_actions"][0]) == ("proposed", "revise")
    document = scene.get("farm", f"agreements/{made['id']}/terms").json()
    assert hashlib.sha256(document["document"].encode()).hexdigest() == document["terms_hash"] == made["terms_hash"]
    assert json.loads(document["document"])["lines"][0]["unit_price_fen"] == 380
    first = scene.sign("farm", made)
    assert (first.status_code, first.json()["state"], first.json()["harvest"]) == (200, "proposed", "not_declared")
    again = scene.sign("farm", made)
    assert (code(again), again.json()["data"]) == ((409, "already_signed"), {"already": True})
    scene.hear()
    assert code(scene.post("head", f"agreements/{made['id']}/sign", {"terms_hash": "0" * 64})) == (409, "terms_changed")
    second = scene.sign("head", made).json()
    assert (second["state"], second["harvest"]) == ("active", None)
    assert second["buyer"]["signed_at"]
    assert second["supplier"]["signed_by_name"]
    assert code(scene.sign("farm", made)) == (409, "illegal_move")
    scene.hear()
    assert scene.told("agreement.proposed", scene.farm) == [{"number": made["number"], "title": "蔬菜长期供货"}]
    assert len(scene.told("agreement.signed", scene.bureau)) == 1
    assert len(scene.told("agreement.made")) == 2


def test_who_sees_and_who_may(scene):
    made = scene.draft()
    path = f"agreements/{made['id']}"
    assert scene.get("farm", path).status_code == scene.get("county", path).status_code == 404
    assert scene.get("viewer", path).status_code == 200
    assert code(scene.post("farm", f"{path}/propose")) == (403, "forbidden")
    assert code(scene.post("stranger", f"{path}/propose")) == (404, "not_found")
    assert code(scene.post("farm", f"{path}/sign", {"terms_hash": "0" * 64})) == (404, "not_found")
    scene.post("buyer", f"{path}/propose")
    statuses = {who: scene.get(who, path).status_code for who in scene.users}
    seen = {"buyer", "head", "farm", "farmhand", "viewer", "county"}
    assert {who for who, status in statuses.items() if status == 200} == seen
    assert {status for who, status in statuses.items() if who not in seen} == {404}
    for who in ("buyer", "farmhand", "viewer"):  # none of them signs
        assert code(scene.sign(who, made | {"terms_hash": "0" * 64})) == (403, "forbidden"), who
    assert code(scene.post("rival", f"{path}/decline", {"reason": "无"})) == (404, "not_found")
    lists = {who: len(scene.get(who, "agreements").json()["items"]) for who in scene.users}
    assert {who for who, count in lists.items() if count} == seen


def test_lists_are_paged_and_filtered(scene):
    made = [scene.draft(title=f"协议{n}")["id"] for n in range(3)]
    page = scene.get("buyer", "agreements", limit=2).json()
    rest = scene.get("buyer", "agreements", limit=2, after=page["next"]).json()
    assert [row["id"] for row in page["items"] + rest["items"]] == made[::-1]
    assert [row["title"] for row in scene.get("buyer", "agreements", q="议1").json()["items"]] == ["协议1"]
    assert scene.get("buyer", "agreements", state="active").json()["items"] == []
    assert code(scene.get("buyer", "agreements", stat="active")) == (422, "invalid")


def test_terms_that_cannot_be(scene):
    for body, field in [
        (scene.body(tolerance_percent="20.5"), "tolerance_percent"),
        (scene.body(valid_until="2020-01-01"), "valid_until"),
        (scene.body(scene.line(), scene.line()), "lines"),
        (scene.body(scene.line({"kind": "list_minus", "percent_off": "100"})), "lines[0].price.percent_off"),
        (scene.body(scene.line({"kind": "fixed", "unit_price": "0"})), "lines[0].price.unit_price"),
        (scene.body(scene.line(quantity_cap="1e30")), "lines[0].quantity_cap"),
        (scene.body(amount_cap="NaN"), "amount_cap"),
        (scene.body(surprise=1), "surprise"),
    ]:
        answer = scene.post("buyer", "agreements", body)
        assert answer.status_code == 422, body
        assert field in [fault["field"] for fault in answer.json()["errors"]], answer.json()
    refused = scene.post("buyer", "agreements", scene.body(scene.line(product=scene.other)))
    assert code(refused) == (422, "terms_refused")
    assert refused.json()["errors"][0]["code"] == "not_of_supplier"
    assert code(scene.post("buyer", "agreements", scene.body(supplier_id=10**15))) == (404, "not_found")
    assert code(scene.post("buyer", "agreements", scene.body(buyer_id=scene.farm.id))) == (404, "not_found")
    for nobody in (scene.schools[0], scene.bureau):
        refused = scene.post("buyer", "agreements", scene.body(supplier_id=nobody.id))
        assert code(refused) == (422, "terms_refused")
        assert [(each["field"], each["code"]) for each in refused.json()["errors"]] == [("supplier_id", "not_a_supplier")]


def test_nothing_is_agreed_above_the_ceiling_of_the_certification(scene):
    dear = {"kind": "fixed", "unit_price": "5.01"}
    made = scene.agreed(scene.line(dear))
    assert scene.call_off(made, 1).status_code == 201
    with scene.database.unit_of_work() as session:
        session.execute(
            text("UPDATE product SET ceiling_fen = 250, ceiling_grams = 500 WHERE id = :id"), {"id": scene.cabbage.product_id}
        )
    tiers = {"kind": "tiers", "tiers": [{"min_quantity": "1", "unit_price": "5.00"}, {"min_quantity": "9", "unit_price": "5.01"}]}
    for price, field in ((dear, "lines[0].price.unit_price"), (tiers, "lines[0].price.tiers[1].unit_price")):
        refused = scene.post("buyer", "agreements", scene.body(scene.line(price)))
        assert code(refused) == (422, "terms_refused")
        assert [(each["field"], each["code"], each["ceiling"]) for each in refused.json()["errors"]] == [
            (field, "above_ceiling", "5.00")
        ]
        change = {"reason": "涨价", "lines": [{"line_no": 1, "price": price}]}
        refused = scene.post("head", f"agreements/{made['id']}/changes", change)
        assert [(each["field"], each["code"]) for each in refused.json()["errors"]] == [(field, "above_ceiling")]
    # what was signed before the certificate is ordered at no higher price either
    assert [each["code"] for each in scene.call_off(made, 1).json()["errors"]] == ["above_ceiling"]
    fitting = scene.agreed(scene.line({"kind": "fixed", "unit_price": "5.00"}))
    assert scene.call_off(fitting, 1).status_code == 201


def test_a_ceiling_that_is_newer_than_the_terms_is_told_before_anything_is_called_off(scene):
    """The draft is not proposed, the proposal not signed, the agreement not renewed; and whoever reads or lists them sees which line it is."""
    dear = {"kind": "fixed", "unit_price": "5.01"}
    tiers = {"kind": "tiers", "tiers": [{"min_quantity": "1", "unit_price": "5.00"}, {"min_quantity": "9", "unit_price": "5.01"}]}
    both = scene.line({"kind": "list_minus", "percent_off": "1"}, product=scene.radish), scene.line(tiers)
    draft, proposal, made = scene.draft(scene.line(dear)), scene.draft(*both), scene.agreed(*both)
    assert scene.post("buyer", f"agreements/{proposal['id']}/propose").status_code == 200
    ids = [each["id"] for each in (made, proposal, draft)]
    listed = lambda: {each["id"]: each["warnings"] for each in scene.get("buyer", "agreements").json()["items"]}  # noqa: E731
    assert [listed()[each] for each in ids] == [[], [], []]
    with scene.database.unit_of_work() as session:
        session.execute(
            text("UPDATE product SET ceiling_fen = 250, ceiling_grams = 500 WHERE id = :id"), {"id": scene.cabbage.product_id}
        )
    told = [[(each["line_no"], each["code"], each["ceiling"]) for each in listed()[agreement]] for agreement in ids]
    assert told == [[(2, "above_ceiling", "5.00")], [(2, "above_ceiling", "5.00")], [(1, "above_ceiling", "5.00")]]
    lines = scene.get("buyer", f"agreements/{made['id']}").json()["lines"]
    assert [each["warning"] and (each["warning"]["code"], each["warning"]["ceiling"]) for each in lines] == [
        None,
        ("above_ceiling", "5.00"),
    ]
    until = {"reason": "续约", "valid_until": (clock.today() + timedelta(days=900)).isoformat()}
    signature = {"terms_hash": scene.get("buyer", f"agreements/{proposal['id']}/terms").json()["terms_hash"]}
    tier = "lines[1].price.tiers[1].unit_price"
    for answer, field in (
        (scene.post("buyer", f"agreements/{draft['id']}/propose"), "lines[0].price.unit_price"),
        (scene.post("head", f"agreements/{proposal['id']}/sign", signature), tier),
        (scene.post("farm", f"agreements/{proposal['id']}/sign", signature), tier),
        (scene.post("head", f"agreements/{made['id']}/renewals", until), tier),
    ):
        assert code(answer) == (422, "terms_refused")
        assert [(each["field"], each["code"], each["ceiling"]) for each in answer.json()["errors"]] == [
            (field, "above_ceiling", "5.00")
        ]
    with scene.database.unit_of_work() as session:
        session.execute(text("UPDATE product SET ceiling_fen = 251 WHERE id = :id"), {"id": scene.cabbage.product_id})
    assert [listed()[each] for each in ids] == [[], [], []]
    assert scene.post("buyer", f"agreements/{draft['id']}/propose").status_code == 200
    assert scene.post("head", f"agreements/{made['id']}/renewals", until).status_code == 201


def test_goods_that_could_not_be_ordered_today_are_told_with_their_line(scene):
    """They are agreed on nevertheless: a suspension may end before the first delivery."""
    with scene.database.unit_of_work() as session:
        session.execute(text("UPDATE certificate SET suspended_at = now() WHERE id = :id"), {"id": scene.cabbage.certificate_id})
        plain = make_product(session, scene.farm, certified=False)
    made = scene.draft(scene.line(), scene.line(product=scene.radish), scene.line(product=plain))
    read = lambda: scene.get("buyer", f"agreements/{made['id']}").json()  # noqa: E731
    assert [each["warning"] and each["warning"]["code"] for each in made["lines"]] == [
        "certificate_suspended",
        None,
        "not_certified",
    ]
    assert (
        made["lines"][0]["warning"]["message"]
        == "The certificate of the product is suspended; it can be ordered again when that ends"
    )
    assert [each["warning"] for each in read()["lines"]] == [each["warning"] for each in made["lines"]]
    assert scene.post("buyer", f"agreements/{made['id']}/withdraw", {"reason": "不需要"}).status_code == 200
    assert [each["warning"] for each in read()["lines"]] == [None] * 3


def test_a_draft_is_edited_and_a_proposal_revised(scene):
    made = scene.draft()
    body = scene.body(scene.line({"kind": "tiers", "tiers": [{"min_quantity": "1", "unit_price": "4.00"}]}), title="新标题")
    stale = scene.clients["buyer"].put(f"/v1/agreements/{made['id']}", json=body, headers={"If-Match": '"9"'})
    assert code(stale) == (412, "changed_meanwhile")
    edited = scene.clients["buyer"].put(f"/v1/agreements/{made['id']}", json=body, headers={"If-Match": '"1"'}).json()
    assert (edited["title"], edited["lines"][0]["price"]["kind"], edited["version"]) == ("新标题", "tiers", 2)
    proposed = scene.post("buyer", f"agreements/{made['id']}/propose").json()
    assert code(scene.clients["buyer"].put(f"/v1/agreements/{made['id']}", json=body)) == (409, "illegal_move")
    scene.sign("farm", proposed)
    schedule = scene.clients["buyer"].put(f"/v1/agreements/{made['id']}/schedule", json=scene.weekly())
    assert code(schedule) == (409, "signed_by_one")
    revised = scene.post("buyer", f"agreements/{made['id']}/revise").json()
    assert (revised["state"], revised["supplier"]["signed_at"], revised["terms_hash"]) == ("draft", None, None)
    assert scene.get("farm", f"agreements/{made['id']}").status_code == 404
    scene.hear()
    assert scene.told("agreement.revised", scene.farm) == [{"number": made["number"], "title": "新标题"}]
    assert scene.told("agreement.signed") == []


@pytest.mark.parametrize(("who", "verb", "state"), [("farm", "decline", "declined"), ("buyer", "withdraw", "withdrawn")])
def test_either_side_can_say_no(scene, who, verb, state):
    made = scene.propose()
    assert scene.post(who, f"agreements/{made['id']}/{verb}", {"reason": "价格不合适"}).json()["state"] == state
    assert code(scene.post(who, f"agreements/{made['id']}/{verb}", {"reason": "再次"})) == (409, "illegal_move")
    assert code(scene.sign("head", made)) == (409, "illegal_move")
    scene.hear()
    assert scene.told(f"agreement.{state}")[0]["reason"] == "价格不合适"


def test_the_same_request_sent_twice_is_one_agreement(scene):
    body = scene.body()
    one, two = (scene.post("buyer", "agreements", body, **{"Idempotency-Key": "monday"}) for _ in range(2))
    assert one.json() == two.json()
    assert two.headers["Idempotent-Replayed"] == "true"
    assert len(scene.get("buyer", "agreements").json()["items"]) == 1


def test_an_award_is_proposed_at_once_and_its_prices_stand(scene):
    with scene.database.unit_of_work() as session:
        actor = tokens.actor_of_user(session, scene.users["buyer"].id)
        body = AgreementIn.model_validate(scene.body())
        agreement_id = actions.create(session, actor, body, quotation_request_id=77)
    made = scene.get("farm", f"agreements/{agreement_id}").json()
    assert (made["state"], made["quotation_request_id"]) == ("proposed", 77)
    assert code(scene.post("buyer", f"agreements/{agreement_id}/revise")) == (409, "awarded_terms")
    scheduled = scene.clients["buyer"].put(f"/v1/agreements/{agreement_id}/schedule", json=scene.weekly()).json()
    assert scheduled["terms_hash"] != made["terms_hash"]
    assert code(scene.sign("farm", made)) == (409, "terms_changed")
    assert scene.sign("farm", scheduled).status_code == scene.sign("head", scheduled).status_code == 200


def test_nobody_can_forge_an_agreement_in_force(scene):
    made = scene.draft()
    with pytest.raises(Exception, match="ck_agreement_signed_by_both"), scene.database.unit_of_work() as session:
        session.execute(text("UPDATE agreement SET status = 'active' WHERE id = :id"), {"id": made["id"]})


def test_an_agreement_that_is_over_is_not_proposed(scene):
    today = clock.today()
    made = scene.draft(valid_from=str(today - timedelta(days=9)), valid_until=str(today - timedelta(days=1)))
    assert code(scene.post("buyer", f"agreements/{made['id']}/propose")) == (422, "terms_refused")


def test_the_print_is_for_both_sides_and_shows_what_was_written_as_text(scene):
    made = scene.propose(
        scene.line({"kind": "list_minus", "percent_off": "5"}), title="#danger[*]", terms="$x$ \\ #eval", schedule=scene.weekly()
    )
    for who, status in (("buyer", 200), ("farm", 200), ("rival", 404)):
        assert scene.get(who, f"agreements/{made['id']}/pdf").status_code == status
    assert scene.get("farm", f"agreements/{made['id']}/pdf").content.startswith(b"%PDF-")


def test_what_is_over_is_not_signed(scene):
    made = scene.propose(valid_until=str(clock.today() + timedelta(days=5)))
    with clock.fixed(clock.now() + timedelta(days=6)):
        scene.sign_in()
        assert code(scene.sign("farm", made)) == (409, "agreement_not_in_force")


def test_a_draft_written_anew_has_no_places_left(scene):
    made = scene.draft(schedule=scene.weekly())
    path = f"/v1/agreements/{made['id']}"
    assert scene.get("school", path[4:]).status_code == 200
    stale = scene.clients["buyer"].put(f"{path}/schedule", json=scene.weekly(), headers={"If-Match": '"1"'})
    assert code(stale) == (412, "changed_meanwhile")
    edited = scene.clients["buyer"].put(path, json=scene.body(), headers={"If-Match": '"2"'}).json()
    assert (edited["places"], edited["schedule"]) == ([], [])
    assert scene.get("school", path[4:]).status_code == 404


def test_to_everybody_only_what_they_may_do_is_offered(scene):
    made = scene.draft()
    path = f"agreements/{made['id']}"

    def offered():
        return {who: moves for who in scene.users if (moves := scene.get(who, path).json().get("possible_actions"))}

    assert offered() == {who: ["edit", "propose", "withdraw"] for who in ("buyer", "head")}
    made = scene.post("buyer", f"{path}/propose").json()
    assert offered() == {
        "buyer": ["revise", "withdraw"],
        "head": ["revise", "sign_first", "withdraw"],
        "farm": ["sign_first", "decline"],
    }
    refused = scene.post("buyer", f"{path}/propose").json()
    assert (refused["code"], refused["data"]["allowed"]) == ("illegal_move", ["revise", "withdraw"])
    scene.sign("farm", made)
    assert offered() == {"buyer": ["revise", "withdraw"], "head": ["revise", "sign_second", "withdraw"], "farm": ["decline"]}
    scene.sign("head", made)
    assert offered() == {}
