"""Files of refunds for the online bank: what stands in one is not said of singly, and another person makes one void that the bank does not show."""

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from orders.banking.actions import matching
from tests.factories.statements import ACCOUNT
from tests.orders.banking.test_left_after_all import code, overpaid, refund_of
from tests.orders.banking.test_payouts import agrees, while_it_is_made

REASON = {"reason": "没有上传"}


@pytest.fixture
def two(scene):
    """A file with two refunds of 30.10, and the refunds."""
    refunds = [refund_of(scene, overpaid(scene)) for _ in range(2)]
    made = scene.cashier.post("/v1/refund-files", json={})
    assert made.status_code == 201, made.text
    return made.json(), refunds


def void(client, made):
    return client.post(f"/v1/refund-files/{made['id']}/void", json=REASON)


def content(scene, made):
    answer = scene.cashier.get(f"/v1/refund-files/{made['id']}/file")
    return answer.content.decode("utf-8-sig").splitlines()[1:], answer.headers["content-disposition"]


@pytest.mark.parametrize(
    ("move", "body"), [("fail", {"reason": "x"}), ("send", {"reference": "B-1"}), ("confirm", {"reference": "B-1"})]
)
def test_of_a_refund_that_a_file_will_pay_nothing_is_said_singly(scene, two, move, body):
    made, (first, second) = two
    refused = scene.cashier.post(f"/v1/refunds/{first['id']}/{move}", json=body)
    assert (code(refused), refused.json()["data"]["file"]) == ((409, "refund_in_live_file"), made["number"])
    assert scene.cashier.get(f"/v1/refunds/{first['id']}").json()["status"] == "approved"
    assert void(scene.treasurer, made).status_code == 200
    assert scene.cashier.post(f"/v1/refunds/{first['id']}/{move}", json=body).status_code == 200
    again = scene.cashier.post("/v1/refund-files", json={}).json()
    assert again["refund_ids"] == [second["id"]]


def test_what_was_uploaded_is_sent_together_and_then_said_singly(scene, two):
    made, refunds = two
    sent = scene.cashier.post(f"/v1/refund-files/{made['id']}/send", json={"reference": "UPLOAD-1"})
    assert (sent.status_code, sent.json()["status"]) == (200, "sent")
    for each in refunds:
        shown = scene.cashier.get(f"/v1/refunds/{each['id']}").json()
        assert (shown["status"], shown["reference"]) == ("sent", "UPLOAD-1")
        assert scene.cashier.post(f"/v1/refunds/{each['id']}/confirm", json={"reference": "B"}).json()["status"] == "paid"
    assert scene.rows("SELECT count(*), count(DISTINCT subject_id) FROM audit_event WHERE action = 'refund.send'") == [(2, 2)]
    assert scene.rows("SELECT count(*) FROM outbox_event WHERE name = 'refund.moved' AND payload->>'status' = 'sent'") == [(2,)]
    agrees(scene)


@pytest.mark.parametrize("shown", ["matched", "payee", "number", "file", "sum"])
def test_a_file_that_a_line_of_the_bank_shows_is_not_made_void(scene, two, shown):
    made, (first, _) = two
    scene.shows(
        {
            "matched": (-3_010, "沙坪坝中学", first["number"], ACCOUNT),
            "payee": (-3_010, "沙坪坝中学", "退款", ACCOUNT),
            "number": (-1, "x", first["number"].replace("-", "").lower()),
            "file": (-1, "x", made["number"].replace("-", " ")),
            "sum": (-6_020, "批量代付过渡户", "退款", "3100021009014400999"),
        }[shown]
    )
    assert code(void(scene.treasurer, made)) == (409, "refund_file_executed")
    assert scene.cashier.get(f"/v1/refund-files/{made['id']}").json()["status"] == "made"


@pytest.mark.slow
def test_another_person_makes_a_file_void_and_its_refunds_go_into_the_next(scene, two):
    made, refunds = two
    scene.shows((-1, "x", "退款"))  # for something else
    assert code(void(scene.cashier, made)) == (403, "own_refund_file")
    before, name = content(scene, made)
    assert (len(before), f"{made['number']}.csv" in name) == (2, True)
    gone = void(scene.treasurer, made).json()
    assert (gone["status"], gone["voided_by_name"]) == ("void", scene.people["treasurer"].name)
    assert content(scene, made)[0] == before
    assert f"{made['number']}-void.csv" in content(scene, made)[1]
    assert code(void(scene.treasurer, made)) == (409, "illegal_move")
    assert scene.cashier.post("/v1/refund-files", json={}).json()["refund_ids"] == [each["id"] for each in refunds]
    with pytest.raises(IntegrityError, match="ck_refund_file_two_persons"), scene.database.unit_of_work() as session:
        session.execute(text("UPDATE refund_file SET voided_by = made_by WHERE status = 'void'"))


@pytest.mark.slow
def test_what_a_line_shows_of_a_void_file_does_not_go_again_unawares(scene, two):
    made, (first, second) = two
    assert void(scene.treasurer, made).status_code == 200
    [line] = scene.shows((-3_010, "别的名称", f"退款 {first['number']}", "3100021009014400777"))  # no rule is certain of it
    assert line["status"] == "open"
    path, refusal = f"/v1/refunds/{first['id']}/send", (409, "failed_one_shown_by_bank")
    refused = scene.cashier.post("/v1/refund-files", json={"refund_ids": [first["id"]]})
    assert (code(refused), refused.json()["data"]["line_id"]) == (refusal, line["id"])
    assert scene.cashier.post("/v1/refund-files", json={}).json()["refund_ids"] == [second["id"]]
    assert code(scene.cashier.post(path, json={"reference": "B-1"})) == refusal
    assert scene.cashier.post(path, json={"reference": "B-1", "despite": "误记"}).json()["status"] == "sent"


def test_what_a_line_shows_already_is_left_out_of_a_file_that_waits(scene, two):
    made, (first, second) = two
    scene.shows((-3_010, "沙坪坝中学", first["number"], ACCOUNT))
    [row], _ = content(scene, made)
    assert second["number"] in row
    assert scene.cashier.post(f"/v1/refund-files/{made['id']}/send", json={"reference": "UPLOAD-1"}).status_code == 200
    assert [scene.cashier.get(f"/v1/refunds/{each['id']}").json()["status"] for each in two[1]] == ["paid", "sent"]
    assert len(content(scene, made)[0]) == 2
    agrees(scene)


def match(client, line, made):
    return client.post(
        f"/v1/bank-lines/{line['id']}/matches", json={"parts": [{"kind": "refund_file", "refund_file_id": made["id"]}]}
    )


def state_of(scene, refund):
    return scene.cashier.get(f"/v1/refunds/{refund['id']}").json()["status"]


def sent(scene, made):
    assert scene.cashier.post(f"/v1/refund-files/{made['id']}/send", json={"reference": "UPLOAD-1"}).status_code == 200


@pytest.mark.slow
def test_one_debit_for_the_whole_file_is_matched_by_rule_and_undone_in_one_act(scene, two):
    made, refunds = two
    sent(scene, made)
    [line] = scene.shows((-6_020, "批量代付过渡户", f"批量付款 {made['number']}", "3100021009014400999"))
    assert (line["status"], len(line["matches"])) == ("matched", 2)
    assert {(each["kind"], each["refund_file_number"], each["matched_by_name"]) for each in line["matches"]} == {
        ("refund", made["number"], None)
    }
    assert [state_of(scene, each) for each in refunds] == ["paid", "paid"]
    assert agrees(scene) == []
    undone = scene.cashier.post(f"/v1/bank-matches/{line['matches'][0]['id']}/undo", json={"reason": "不是这一笔"}).json()
    assert (undone["status"], undone["open"]) == ("open", "60.20")
    # the line names the file still: nobody says that one of them failed
    refused = scene.treasurer.post(f"/v1/refunds/{refunds[0]['id']}/fail", json={"reason": "退汇"})
    assert (code(refused), refused.json()["data"]["line_id"]) == ((409, "shown_by_bank"), line["id"])
    [proposal, *_] = undone["proposals"]
    assert (proposal["kind"], proposal["refund_file_id"], proposal["refund_file_number"]) == (
        "refund_file",
        made["id"],
        made["number"],
    )
    assert proposal["reasons"][0] == "refund_file_number"
    assert match(scene.cashier, line, made).json()["status"] == "matched"
    assert agrees(scene) == []
    assert code(match(scene.cashier, line, made)) == (409, "refund_does_not_fit")
    assert code(match(scene.cashier, line, {"id": 999_999})) == (404, "not_found")


@pytest.mark.parametrize(
    ("amount", "status", "left"),
    [(-3_010, "matched", "0.00"), (-3_110, "partly", "1.00"), (-6_020, "matched", "0.00")],
)
def test_what_failed_is_left_out_unless_the_line_comes_to_all(scene, two, amount, status, left):
    made, (first, second) = two
    sent(scene, made)
    assert scene.cashier.post(f"/v1/refunds/{first['id']}/fail", json={"reason": "账号有误"}).status_code == 200
    [line] = scene.shows((amount, "批量代付过渡户", "批量", "3100021009014400999"))  # no number: nothing is certain
    assert line["status"] == "open"
    answer = match(scene.cashier, line, made)
    assert (answer.status_code, answer.json()["status"], answer.json()["open"]) == (201, status, left)
    assert [state_of(scene, each) for each in (first, second)] == ["paid" if amount == -6_020 else "failed", "paid"]
    assert agrees(scene) == []


@pytest.mark.slow
@pytest.mark.parametrize("text", ["批量", "TKP"])
def test_the_number_and_the_sum_less_what_failed_make_it_certain(scene, text):
    refunds = [refund_of(scene, overpaid(scene)) for _ in range(3)]
    made = scene.cashier.post("/v1/refund-files", json={}).json()
    sent(scene, made)
    assert scene.cashier.post(f"/v1/refunds/{refunds[0]['id']}/fail", json={"reason": "账号有误"}).status_code == 200
    [line] = scene.shows((-6_020, "", text.replace("TKP", made["number"])))
    assert line["status"] == ("open" if text == "批量" else "matched")
    if text == "批量":
        [proposal] = [each for each in line["proposals"] if each["kind"] == "refund_file"]
        assert (proposal["amount"], "less_failed" in proposal["reasons"], proposal["certain"]) == ("60.20", True, False)
        refused = scene.cashier.post(f"/v1/refunds/{refunds[1]['id']}/fail", json={"reason": "退汇"})
        assert (code(refused), refused.json()["data"]["line_id"]) == ((409, "shown_by_bank"), line["id"])
        # that one did not leave is what the line says
        assert scene.cashier.post(f"/v1/refunds/{refunds[2]['id']}/confirm", json={"reference": "B"}).status_code == 200
    else:
        assert [state_of(scene, each) for each in refunds] == ["failed", "paid", "paid"]
    assert agrees(scene) == [] or text == "批量"


def void_while_a_rule_matches_it(scene, made, monkeypatch):
    """The line of a whole file is matched by rule while somebody makes the file void: the status of that, and how often matching was tried."""
    _, voided = while_it_is_made(
        monkeypatch,
        lambda: scene.shows((-6_020, "", made["number"])),
        lambda: void(scene.treasurer, made),
        lambda wanted: bool(wanted[0].refund_file_id),
    )
    [(attempts,)] = scene.rows("SELECT max(attempts) FROM outbox_event WHERE name = 'bank_statement.imported'")
    return voided.status_code, attempts


@pytest.mark.slow
def test_a_file_is_matched_by_rule_and_made_void_in_one_order_of_locks(scene, two, monkeypatch):
    made, refunds = two
    assert void_while_a_rule_matches_it(scene, made, monkeypatch) == (409, 1)
    assert [state_of(scene, each) for each in refunds] == ["paid", "paid"]
    assert agrees(scene) == []


@pytest.mark.slow
@pytest.mark.control
def test_without_that_order_one_of_them_is_ended_by_the_database(scene, two, monkeypatch):
    """The control."""
    monkeypatch.setattr(matching, "_HOLD_FILES", text("SELECT 1 WHERE CAST(:ids AS text) IS NULL"))
    assert void_while_a_rule_matches_it(scene, two[0], monkeypatch) != (409, 1)
