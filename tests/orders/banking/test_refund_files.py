"""Files of refunds for the online bank: what stands in one is not said of singly, and another person makes one void that the bank does not show."""

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from tests.factories.statements import ACCOUNT
from tests.orders.banking.test_left_after_all import code, overpaid, refund_of
from tests.orders.banking.test_payouts import agrees

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
    assert scene.cashier.post(f"/v1/refunds/{first['id']}/{move}", json=body).status_code == 201
    again = scene.cashier.post("/v1/refund-files", json={}).json()
    assert again["refund_ids"] == [second["id"]]


def test_what_was_uploaded_is_sent_together_and_then_said_singly(scene, two):
    made, refunds = two
    sent = scene.cashier.post(f"/v1/refund-files/{made['id']}/sent", json={"reference": "UPLOAD-1"})
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
    assert scene.cashier.post(f"/v1/refund-files/{made['id']}/sent", json={"reference": "UPLOAD-1"}).status_code == 200
    assert [scene.cashier.get(f"/v1/refunds/{each['id']}").json()["status"] for each in two[1]] == ["paid", "sent"]
    assert len(content(scene, made)[0]) == 2
    agrees(scene)
