"""Proofs of purchase: numbered, frozen, checked by everybody, replaced when something changed; and the list for 万企帮万村."""

import io
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from python_calamine import CalamineWorkbook
from sqlalchemy import event, text
from sqlalchemy.exc import DatabaseError

from orders.ledger.actions import reassign, reverse
from orders.pledges.actions import proving
from orders.pledges.rules.figures import fingerprint, gone
from orders.pledges.states import ProofState, proof_state
from shop.core import audit, clock
from shop.webhooks.actions import feed
from tests.conftest import connect
from tests.factories.identity import access_token


@pytest.fixture
def bought(scene):
    """A pledge of which 800.00 of Fengjie's and 1500.00 of Shizhu's goods were accepted."""
    pledge, order = scene.pledge(), scene.order(10, None, 10)
    scene.count(pledge, order)
    scene.deliver(order)
    return pledge


def prove(scene, pledge):
    return scene.clients["buyer"].post(f"/v1/pledges/{pledge['id']}/purchase-proofs")


def public(scene, number):
    return scene.api.get(f"/v1/public/purchase-proofs/{number}")


def give_back(scene, quantity):
    with scene.database.unit_of_work() as session:
        entry = session.execute(text("SELECT id FROM sale_entry WHERE quantity > 0 ORDER BY id LIMIT 1")).scalar_one()
        reverse(session, audit.SYSTEM, entry, reason="退货", quantity=quantity)


def test_a_proof_is_checked_by_everybody_and_tells_no_persons(scene, bought):
    proof = prove(scene, bought).json()
    assert (proof["number"], proof["amount"], proof["state"]) == (f"XM-{clock.today().year}-000001", "2300.00", "valid")
    shown = public(scene, proof["number"].lower())
    checked = shown.json()
    assert (checked["amount"], checked["amount_now"], checked["organisation_name"]) == ("2300.00", "2300.00", "重庆某某集团")
    assert [(each["code"], each["amount"]) for each in checked["districts"]] == [("500236", "800.00"), ("500240", "1500.00")]
    assert "not a donation receipt" in checked["statement"]
    for private in ("健康路", "63000000", "医院", "用户"):
        assert private not in shown.text
    in_chinese = scene.api.get(f"/v1/public/purchase-proofs/{proof['number']}", headers={"Accept-Language": "zh"}).json()
    assert "不是公益事业捐赠票据" in in_chinese["statement"]
    page = scene.api.get(f"/v1/public/purchase-proofs/{proof['number']}/page")
    assert page.headers["Content-Security-Policy"].startswith("default-src 'none'")
    for words in ("不是公益事业捐赠票据", "not a donation receipt", "2300.00", "奉节", "Valid"):
        assert words in page.text
    assert public(scene, "XM-2020-000009").status_code == 404
    assert scene.api.get("/v1/public/purchase-proofs/XM-2020-000009/page").status_code == 404


def test_the_paper_is_a_pdf_that_leads_to_the_check(scene, bought):
    number = prove(scene, bought).json()["number"]
    for who in ("buyer", "fengjie"):
        paper = scene.clients[who].get(f"/v1/purchase-proofs/{number}/pdf")
        assert paper.headers["content-type"] == "application/pdf"
        assert paper.content.startswith(b"%PDF")
    for who in ("stranger", "chengkou"):
        assert scene.clients[who].get(f"/v1/purchase-proofs/{number}/pdf").status_code == 404
        assert scene.clients[who].get(f"/v1/purchase-proofs/{number}").status_code == 404


def test_what_is_taken_back_later_shows_and_a_new_proof_takes_its_place(scene, bought, code):
    first = prove(scene, bought).json()["number"]
    assert code(prove(scene, bought)) == (409, "proof_unchanged")
    give_back(scene, 4)
    checked = public(scene, first).json()
    assert (checked["state"], checked["amount"], checked["amount_now"], checked["taken_back"]) == (
        "changed",
        "2300.00",
        "1980.00",
        "320.00",
    )
    assert "1980.00" in scene.api.get(f"/v1/public/purchase-proofs/{first}/page").text
    scene.clients["buyer"].post(f"/v1/pledges/{bought['id']}/close")
    (second, before) = scene.clients["buyer"].get(f"/v1/pledges/{bought['id']}/purchase-proofs").json()["items"]
    assert (second["number"], second["amount"], second["state"]) == (f"XM-{clock.today().year}-000002", "1980.00", "valid")
    assert (before["number"], before["state"], before["superseded_by"]) == (first, "superseded", second["number"])
    assert public(scene, first).json()["superseded_by"] == second["number"]
    give_back(scene, 1)  # after the pledge was closed
    assert prove(scene, bought).json()["amount"] == "1900.00"


def test_more_accepted_later_leaves_a_proof_true(scene, bought):
    number = prove(scene, bought).json()["number"]
    order = scene.order(None, 10)
    scene.count(bought, order)
    scene.deliver(order)
    checked = public(scene, number).json()
    assert (checked["state"], checked["amount"], checked["amount_now"]) == ("valid", "2300.00", "2999.00")


def test_an_order_that_is_taken_out_shows_too(scene, bought):
    number = prove(scene, bought).json()["number"]
    (order,) = scene.clients["buyer"].get(f"/v1/pledges/{bought['id']}/orders").json()["items"]
    scene.clients["buyer"].delete(f"/v1/pledges/{bought['id']}/orders/{order['purchase_order_id']}")
    assert (public(scene, number).json()["state"], public(scene, number).json()["amount_now"]) == ("changed", "0.00")


def test_a_proof_can_be_revoked_and_then_the_pledge_cancelled(scene, bought, code):
    buyer = scene.clients["buyer"]
    number = prove(scene, bought).json()["number"]
    cancel = f"/v1/pledges/{bought['id']}/cancel"
    assert code(buyer.post(cancel, json={"reason": "x"})) == (409, "proof_stands")
    assert scene.clients["stranger"].post(f"/v1/purchase-proofs/{number}/revoke", json={"reason": "x"}).status_code == 404
    assert scene.clients["fengjie"].post(f"/v1/purchase-proofs/{number}/revoke", json={"reason": "x"}).status_code == 403
    assert buyer.post(f"/v1/purchase-proofs/{number}/revoke", json={"reason": "填错"}).json()["state"] == "revoked"
    assert code(buyer.post(f"/v1/purchase-proofs/{number}/revoke", json={"reason": "x"})) == (409, "proof_not_standing")
    assert public(scene, number).json()["state"] == "revoked"
    assert buyer.post(cancel, json={"reason": "x"}).status_code == 200
    assert buyer.post("/v1/purchase-proofs/XM-1/revoke", json={"reason": "x"}).status_code == 404


def test_nothing_accepted_nothing_proved(scene, code):
    pledge = scene.pledge()
    assert code(prove(scene, pledge)) == (409, "nothing_accepted")
    assert code(prove(scene, scene.pledge(opened=False))) == (409, "illegal_move")
    scene.clients["buyer"].post(f"/v1/pledges/{pledge['id']}/close")
    assert scene.clients["buyer"].get(f"/v1/pledges/{pledge['id']}/purchase-proofs").json()["items"] == []


def test_a_proof_is_frozen(scene, bought):
    prove(scene, bought)
    row = scene.sql("SELECT * FROM purchase_proof").one()
    issued = {"number": row.number, "issued_at": row.issued_at.isoformat()}
    assert row.sha256 == fingerprint({**issued, **row.snapshot})
    assert "address" not in str(row.snapshot)
    for change in (
        "UPDATE purchase_proof SET amount_fen = 1",
        "UPDATE purchase_proof SET snapshot = '{}'",
        "DELETE FROM purchase_proof",
    ):
        with pytest.raises(DatabaseError, match="stays as it was issued"):
            scene.sql(change)


def rush(scene, pledge):
    with scene.database.unit_of_work() as session:
        token = access_token(session, scene.users["buyer"])
    barrier = threading.Barrier(6)

    def issue(_):
        client = connect(str(scene.api.base_url), scene.database, {"Authorization": f"Bearer {token}"})
        barrier.wait()
        return client.post(f"/v1/pledges/{pledge['id']}/purchase-proofs").status_code

    with ThreadPoolExecutor(6) as pool:
        return sorted(pool.map(issue, range(6)))


def test_of_many_at_once_one_proof_is_issued_and_no_number_is_lost(scene, bought):
    assert rush(scene, bought) == [201, 409, 409, 409, 409, 409]
    give_back(scene, 1)
    assert rush(scene, bought) == [201, 409, 409, 409, 409, 409]
    assert [number[-6:] for number in scene.sql("SELECT number FROM purchase_proof ORDER BY id").scalars()] == ["000001", "000002"]


@pytest.mark.control
def test_without_lock_and_constraint_the_same_rush_issues_several(scene, bought, monkeypatch):
    """The control: when this fails, the test above proves nothing."""
    scene.sql("DROP INDEX uq_purchase_proof_standing")
    reading = proving.reading.locked
    monkeypatch.setattr(proving.reading, "locked", lambda session, actor, pledge_id: reading_unlocked(session, actor, pledge_id))

    def reading_unlocked(session, actor, pledge_id):
        return proving.reading.head(session, actor, pledge_id)

    assert reading is not proving.reading.locked
    assert rush(scene, bought).count(201) > 1


def test_the_list_for_villages_holds_every_sale(scene, bought, code):
    number = prove(scene, bought).json()["number"]
    buyer = scene.clients["buyer"]
    lines = buyer.get("/v1/pledge-sales", params={"pledge_id": bought["id"]}).json()["items"]
    honey, oranges = lines
    assert (oranges["product_name"], oranges["township_name"], oranges["village"]) == ("平安脐橙", "平安乡", "天台村")
    assert (oranges["amount"], oranges["quantity"], oranges["grams"], oranges["mode"]) == ("800.00", "10", 50_000, "消费")
    assert (oranges["proof_number"], oranges["organisation_name"]) == (number, "重庆某某集团")

    def people(who):
        line = scene.clients[who].get("/v1/pledge-sales").json()["items"][-1]
        return [line[name] for name in ("households", "households_band", "persons", "persons_band")]

    assert people("buyer") == people("monitor") == [None, "1–9", None, "1–9"]
    assert people("fengjie") == people("pingan") == [1, "1–9", 1, "1–9"], "who may read the list"
    assert (honey["district_name"], honey["township_name"]) == ("石柱土家族自治县", None)

    sheet = buyer.get("/v1/pledge-sales", params={"format": "xlsx"}, headers={"Accept-Language": "zh"})
    rows = CalamineWorkbook.from_filelike(io.BytesIO(sheet.content)).get_sheet_by_index(0).to_python()
    assert rows[0][:3] == ["企业名称", "统一社会信用代码", "区县"]
    assert "不可加总" in rows[0][13]
    assert (rows[0][14], rows[1][13:17]) == ("带动户数（区间）", ["", "1–9", "", "1–9"])
    assert [row[11] for row in rows[1:]] == [800.0, 1500.0]
    assert rows[1][7] == "水果"
    csv = buyer.get("/v1/pledge-sales", params={"format": "csv"}).content.decode("utf-8-sig").splitlines()
    assert len(csv) == 3
    assert csv[0].startswith("firm,USCC,district")

    def seen(who, **params):
        return [line["product_name"] for line in scene.clients[who].get("/v1/pledge-sales", params=params).json()["items"]]

    assert seen("fengjie") == ["平安脐橙"], "an officer sees the lines of the own county"
    assert seen("monitor") == ["土蜂蜜", "平安脐橙"]
    assert seen("stranger") == seen("chengkou") == []
    assert scene.clients["stranger"].get("/v1/pledge-sales", params={"pledge_id": bought["id"]}).status_code == 404
    yesterday = str(clock.today() - timedelta(days=1))
    assert seen("buyer", last=yesterday) == []
    page = buyer.get("/v1/pledge-sales", params={"limit": 1}).json()
    assert len(buyer.get("/v1/pledge-sales", params={"limit": 1, "after": page["next"]}).json()["items"]) == 1


@pytest.mark.parametrize(
    ("facts", "state"),
    [
        ({}, ProofState.VALID),
        ({"taken_back_fen": 1}, ProofState.CHANGED),
        ({"superseded": True, "taken_back_fen": 1}, ProofState.SUPERSEDED),
        ({"superseded": True, "revoked": True}, ProofState.REVOKED),
    ],
)
def test_what_a_proof_is_worth(facts, state):
    plain = {"revoked": False, "superseded": False, "taken_back_fen": 0}
    assert proof_state(**plain | facts) is state


def test_more_of_one_order_does_not_make_up_for_less_of_another():
    proved = [{"number": "A", "accepted_fen": 100}, {"number": "B", "accepted_fen": 50}]
    assert gone(proved, {"A": 100, "B": 50, "C": 9}) == 0
    assert gone(proved, {"A": 500, "B": 20}) == 30
    assert gone(proved, {"C": 500}) == 150


def counted(scene, pledge, *quantities):
    """An order that was accepted in full and counts towards a pledge."""
    order = scene.order(*quantities)
    scene.count(pledge, order)
    scene.deliver(order)
    return order


def test_what_another_order_adds_does_not_hide_that_one_was_taken_out(scene):
    pledge, other = scene.pledge(), scene.pledge()
    order = counted(scene, pledge, 10)
    number = prove(scene, pledge).json()["number"]
    counted(scene, pledge, 10)
    scene.clients["buyer"].delete(f"/v1/pledges/{pledge['id']}/orders/{order['id']}")
    assert scene.count(other, order).status_code == 201
    assert prove(scene, other).json()["state"] == "valid"
    shown = public(scene, number).json()
    assert (shown["state"], shown["amount"], shown["amount_now"], shown["taken_back"]) == ("changed", "800.00", "800.00", "800.00")
    assert "移出" in scene.api.get(f"/v1/public/purchase-proofs/{number}/page").text


def test_what_was_accepted_before_in_an_order_added_later_does_not_hide_it_either(scene):
    pledge, later = scene.pledge(), scene.order(10)
    scene.deliver(later)
    order = counted(scene, pledge, 10)
    number = prove(scene, pledge).json()["number"]
    scene.count(pledge, later)
    lines = scene.clients["buyer"].get("/v1/pledge-sales", params={"pledge_id": pledge["id"]}).json()["items"]
    assert {line["purchase_order_number"]: line["proof_number"] for line in lines} == {
        order["number"]: number,
        later["number"]: None,
    }
    scene.clients["buyer"].delete(f"/v1/pledges/{pledge['id']}/orders/{order['id']}")
    assert public(scene, number).json()["state"] == "changed"


def test_an_order_that_moves_within_the_branch_leaves_a_proof_true(scene, bought):
    number = prove(scene, bought).json()["number"]
    with scene.database.unit_of_work() as session:
        branch, order = session.execute(
            text("SELECT o.id, po.id FROM organisation o, purchase_order po WHERE o.parent_id = :firm"), {"firm": scene.firm.id}
        ).one()
        session.execute(text("UPDATE purchase_order SET buyer_id = :branch WHERE id = :id"), {"branch": branch, "id": order})
        assert reassign(session, audit.SYSTEM, order, reason="调整") == 2
    assert (public(scene, number).json()["state"], public(scene, number).json()["taken_back"]) == ("valid", "0.00")


def test_the_paper_counts_the_orders_of_which_something_was_accepted(scene, bought):
    scene.count(bought, scene.order(1))
    assert public(scene, prove(scene, bought).json()["number"]).json()["orders"] == 1
    assert scene.figures(bought)["orders"] == 2


def test_many_proofs_are_read_by_as_many_statements_as_one(scene, bought):
    statements = []

    def listen(_connection, _cursor, statement, *_):
        statements.append(statement)

    def read():
        statements.clear()
        rows = scene.clients["buyer"].get(f"/v1/pledges/{bought['id']}/purchase-proofs").json()["items"]
        return len(rows), len(statements)

    event.listen(scene.database.engine, "before_cursor_execute", listen)
    try:
        prove(scene, bought)
        first = read()
        for _ in range(3):
            give_back(scene, 1)
            prove(scene, bought)
        last = read()
    finally:
        event.remove(scene.database.engine, "before_cursor_execute", listen)
    assert (first[0], last[0]) == (1, 4)
    assert first[1] == last[1] > 0


def test_the_counties_hear_of_a_proof_that_is_revoked(scene, bought):
    number = prove(scene, bought).json()["number"]
    scene.clients["buyer"].post(f"/v1/purchase-proofs/{number}/revoke", json={"reason": "填错"})
    scene.work()
    for who in ("buyer", "fengjie"):
        assert scene.told(who)[-2:] == ["purchase_proof.issued", "purchase_proof.revoked"]
    with scene.database.unit_of_work() as session:
        feed.put_in_order(session)
    [change] = scene.clients["buyer"].get("/v1/changes", params={"type": "purchase_proof.revoked"}).json()["items"]
    assert change["subject_type"] == "pledge"


def test_a_round_quantity_is_written_out(scene):
    pledge = scene.pledge()
    counted(scene, pledge, None, 100)
    line = scene.clients["buyer"].get("/v1/pledge-sales", params={"format": "csv"}).content.decode("utf-8-sig").splitlines()[1]
    assert ",100," in line
    assert "E+" not in line
