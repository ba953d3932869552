"""What becomes of a refund, told by many at once. That no more goes back than was paid: ``tests/faults/test_races.py``."""

from tests.factories.after_sales import differences
from tests.factories.money import make_till
from tests.factories.racing import at_once, sessions


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
        assert statuses[1::2].count(201) == 1
        assert statuses[0::2].count(201) <= 1
    assert differences(database) == {}
    assert till.held() == {"receivable": -10_000, "bank": 10_000}
