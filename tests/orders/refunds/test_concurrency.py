"""What becomes of a refund, told by many at once. That no more goes back than was paid: ``tests/faults/test_races.py``."""

import pytest

from tests.factories.after_sales import differences
from tests.factories.money import make_till
from tests.factories.racing import at_once, sessions


@pytest.mark.slow
def test_paid_and_failed_at_once_is_one_of_them_first(api, database):
    till = make_till(api, database)
    order = till.credit("100.00")
    first, second, third, fourth = sessions(api, database, till.people["treasurer"], 4)
    for _ in range(5):
        refund = till.ask_back(order, "1.00").json()["id"]
        till.move(refund, "approve")

        def tell(client, move, body, refund=refund):
            return lambda: client.post(f"/v1/refunds/{refund}/{move}", json=body).status_code

        bank, back = {"reference": "HK"}, {"reason": "退汇"}
        statuses = at_once(
            [tell(first, "confirm", bank), tell(second, "fail", back), tell(third, "confirm", bank), tell(fourth, "fail", back)]
        )
        assert statuses[1::2].count(200) == 1
        assert statuses[0::2].count(200) <= 1
        if report := first.get(f"/v1/refunds/{refund}").json()["failure_report_id"]:  # it was paid first
            assert till.as_("cashier").post(f"/v1/failure-reports/{report}/approve", json={}).status_code == 200
    assert differences(database) == {}
    assert till.held() == {"receivable": -10_000, "bank": 10_000}


@pytest.mark.slow
def test_released_and_unmatched_at_once_is_one_of_them(api, database):
    """The money behind a refund is found to be another's while it is released, sent or put into a file: never both."""
    till = make_till(api, database)
    cashier, treasurer, third = (sessions(api, database, till.people[who], 1)[0] for who in ("cashier", "treasurer", "treasurer"))
    for _ in range(5):
        order = till.credit("100.00")
        refund = till.ask_back(order, "100.00").json()["id"]
        line = cashier.get("/v1/bank-lines").json()["items"][0]["id"]
        [match] = cashier.get(f"/v1/bank-lines/{line}").json()["matches"]

        def undo(match=match):
            return cashier.post(f"/v1/bank-matches/{match['id']}/undo", json={"reason": "另一单位的款"}).status_code

        def approve(refund=refund):
            return treasurer.post(f"/v1/refunds/{refund}/approve").status_code

        def hand_over(refund=refund):
            return third.post("/v1/refund-files", json={"refund_ids": [refund]}).status_code

        undone, approved, listed = at_once([undo, approve, hand_over])
        assert (undone, approved) in ((200, 409), (409, 200))
        assert listed in ((404,) if approved == 409 else (404, 201))
    assert differences(database) == {}
