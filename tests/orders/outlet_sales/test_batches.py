"""Batches of sales: late, twice, out of order, corrected, given back; each sale counts once."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import event, text
from sqlalchemy.exc import IntegrityError

from orders.counting import actions as counting
from orders.counting.actions import Doubted
from orders.counting.rules import Subject
from orders.outlet_sales.actions import receiving, waiting
from orders.outlet_sales.rules import Doubt
from orders.outlet_sales.schemas import SalesBatchIn
from shop.core import clock, outbox
from shop.core.months import following, month_start
from shop.identity.actor import Actor, Device
from shop.identity.models import Organisation
from shop.identity.permissions import Role
from tests.factories.identity import make_user, signed_in
from tests.factories.outlets import Till, make_device, sale, seal
from tests.orders.outlet_sales.conftest import Shop
from workers.handlers import HANDLERS


def lines_of(shop: Shop):
    with shop.database.unit_of_work() as session:
        return {
            (row.batch, row.line_id): row.status
            for row in session.execute(
                text(
                    "SELECT b.batch_id AS batch, l.line_id, l.status FROM sales_batch_line l JOIN sales_batch b ON b.id = l.batch_id"
                )
            )
        }


def statuses(shop: Shop):
    with shop.database.unit_of_work() as session:
        return {
            row.batch_id: (row.status, row.reason_code)
            for row in session.execute(text("SELECT batch_id, status, reason_code FROM sales_batch ORDER BY id"))
        }


def batch_id(shop: Shop, name: str) -> int:
    with shop.database.unit_of_work() as session:
        return session.execute(text("SELECT id FROM sales_batch WHERE batch_id = :name"), {"name": name}).scalar_one()


def decide(shop: Shop, *, count: bool):
    """An officer of the city decides about all that is held."""
    for answer in said(shop, count=count):
        assert answer.status_code == 200, answer.text
    outbox.drain(shop.database, HANDLERS)


def refused(shop: Shop):
    """Why nothing of what is held may be counted."""
    answers = said(shop, count=True)
    outbox.drain(shop.database, HANDLERS)
    return [(answer.status_code, answer.json()["code"]) for answer in answers]


def said(shop: Shop, *, count: bool):
    with shop.database.unit_of_work() as session:
        officer = make_user(session, Role.CITY_OFFICER)
        holds = session.execute(text("SELECT id FROM counting_hold WHERE status = 'open' ORDER BY id")).scalars().all()
    client = shop.api.as_(officer)
    return [client.post(f"/v1/counting-holds/{hold}/{'count' if count else 'void'}", json={"reason": "已核实"}) for hold in holds]


def test_certified_goods_count_and_others_stay_apart(shop: Shop):
    answer = shop.send(shop.till.batch([sale("1", "G1", 2), sale("2", "X", 1), sale("3", "unknown", 1)]))
    assert (answer["status"], answer["certified"], answer["other"]) == ("accepted", "50.00", "50.00")
    assert shop.sums() == {"certified": 5000, "other": 5000, "resale": 0, "grams": 1500}
    with shop.database.unit_of_work() as session:
        pulse = session.execute(text("SELECT sold_at, batch_at FROM outlet_pulse")).one()
        assert None not in pulse


def test_a_sale_may_name_its_goods_by_their_barcode(shop: Shop):
    """Of one barcode on two goods nobody can say which was sold, so that it stays with the other goods."""
    with shop.database.unit_of_work() as session:
        session.execute(text("UPDATE outlet_goods SET barcode = '6901234567892' WHERE goods_id = 'G1'"))
    answer = shop.send(shop.till.batch([sale("1", "6901234567892", 2)]))
    assert (answer["certified"], answer["other"]) == ("50.00", "0.00")
    with shop.database.unit_of_work() as session:
        session.execute(text("UPDATE outlet_goods SET barcode = '6901234567892' WHERE goods_id = 'G2'"))
    answer = shop.send(shop.till.batch([sale("2", "6901234567892", 2)]))
    assert (answer["certified"], answer["other"]) == ("0.00", "50.00")
    assert shop.sums()["certified"] == 5000


def test_the_same_batch_twice_gives_the_same_answer_and_counts_once(shop: Shop):
    batch = shop.till.batch([sale("1", "G1", 2)])
    first = shop.send(batch)
    assert shop.send(batch) == first
    assert shop.sums()["certified"] == 5000


def test_the_same_id_with_other_content_is_refused(shop: Shop):
    batch = shop.till.batch([sale("1", "G1", 2)])
    shop.send(batch)
    other = shop.client().post("/v1/sales-batches", json=seal({**batch, "lines": [sale("1", "G1", 3)]}))
    assert (other.status_code, other.json()["code"]) == (409, "batch_reused")
    assert shop.sums()["certified"] == 5000


def test_a_hash_that_is_not_that_of_the_content_is_refused(shop: Shop):
    batch = shop.till.batch([sale("1", "G1", 2)])
    batch["lines"][0]["quantity"] = "3"
    answer = shop.client().post("/v1/sales-batches", json=batch)
    assert (answer.status_code, answer.json()["code"], answer.json()["errors"][0]["field"]) == (422, "hash_mismatch", "hash")


def test_of_many_batches_those_that_are_wrong_are_refused_alone(shop: Shop):
    good, corrupt, twice, lost, last = (
        shop.till.batch(lines)
        for lines in (
            [sale("1", "G1", 1)],
            [sale("2", "G1", 1)],
            [sale("3", "G1", 1), sale("3", "G1", 1)],
            [sale("4", "G1", 1, refunds_line_id="4")],
            [sale("5", "G1", 1)],
        )
    )
    broken = {**corrupt, "lines": [sale("2", "G1", 9)]}
    far = Till("far").batch([sale("6", "G1", 1)], sequence=20_000)
    unreadable = {**far, "batch_id": "u", "lines": [sale("7", "G1", 1), {**sale("8", "G1", 1), "quantity": "0"}]}
    sent = [good, broken, twice, lost, unreadable, last, far]
    answer = shop.client().post("/v1/sales-batches/bulk", json={"batches": sent})
    assert answer.status_code == 201, answer.text
    assert [(each["status"], each["reason_code"], each["field"]) for each in answer.json()["batches"]] == [
        ("accepted", None, None),
        ("refused", "hash_mismatch", "hash"),
        ("refused", "line_twice", "lines[1].line_id"),
        ("refused", "refunds_no_sale", "lines[0].refunds_line_id"),
        ("refused", "invalid", "lines[1].quantity"),
        ("waiting", None, None),
        ("refused", "sequence_far_ahead", "sequence"),
    ]
    assert shop.sums()["certified"] == 2500
    nameless = shop.client().post("/v1/sales-batches/bulk", json={"batches": [corrupt, {**last, "batch_id": ""}]})
    assert (nameless.status_code, nameless.json()["errors"][0]["field"]) == (422, "batches[1].batch_id")
    # the chain goes on where it stood
    assert shop.send(corrupt)["status"] == "accepted"
    assert shop.sums()["certified"] == 5000


def test_what_comes_out_of_order_waits_until_the_gap_is_filled(shop: Shop):
    batches = [shop.till.batch([sale(str(n), "G1", n)]) for n in range(1, 5)]
    assert [shop.send(batches[n])["status"] for n in (2, 3, 1)] == ["waiting"] * 3
    assert shop.sums()["certified"] == 0
    assert shop.send(batches[0])["status"] == "accepted"
    assert {status for status, _ in statuses(shop).values()} == {"accepted"}
    assert shop.sums()["certified"] == 25000


@pytest.mark.parametrize("count", [True, False])
def test_what_waits_for_a_batch_of_a_revoked_device_is_decided(shop: Shop, monkeypatch, count):
    """What is missing will not come: an officer counts what waits, or leaves it out."""
    monkeypatch.setattr(receiving, "MOST_BATCHES_TAKEN", 1)
    first, _, *later = [shop.till.batch([sale(str(n), "G1", 1)]) for n in range(4)]
    for batch in (first, *later):
        shop.send(batch)
    assert [status for status, _ in statuses(shop).values()] == ["accepted", "waiting", "waiting"]
    with shop.database.unit_of_work() as session:
        operator = make_user(session, Role.OUTLET_OPERATOR, session.get(Organisation, shop.outlet.operator_id))
    path = f"/v1/outlets/{shop.outlet.id}/devices/{shop.device_id}"
    assert shop.api.as_(operator).delete(path).status_code == 204
    outbox.drain(shop.database, HANDLERS)
    assert [*statuses(shop).values()][1:] == [("held", "broken_chain")] * 2
    assert shop.sums()["certified"] == 2500
    decide(shop, count=count)
    assert shop.sums()["certified"] == (7500 if count else 2500)
    assert {status for status, _ in statuses(shop).values()} == ({"accepted"} if count else {"accepted", "void"})


def test_what_a_device_sends_while_it_is_revoked_does_not_wait_for_ever(shop: Shop):
    _, later = (shop.till.batch([sale(str(n), "G1", 1)]) for n in range(2))
    actor = Actor(None, "till", shop.outlet.operator_id, "/", (), device=Device(shop.device_id, shop.outlet.id))
    with shop.database.unit_of_work() as session:
        session.execute(text("UPDATE outlet_device SET revoked_at = now()"))
        [became] = receiving.receive(session, actor, [SalesBatchIn.model_validate(later)])
    assert (became.status, became.reason_code) == ("held", "broken_chain")


def test_days_offline_are_told_at_once(shop: Shop):
    batches = [shop.till.batch([sale(f"{n}", "G1", 1, at=clock.now() - timedelta(hours=72 - n))]) for n in range(72)]
    answer = shop.client().post("/v1/sales-batches/bulk", json={"batches": batches[::-1]})
    assert {each["status"] for each in answer.json()["batches"]} == {"accepted"}
    assert shop.sums()["certified"] == 72 * 2500
    assert shop.client().post("/v1/sales-batches/bulk", json={"batches": batches[::-1]}).json() == answer.json()


def test_one_bad_batch_of_many_does_not_stop_the_others(shop: Shop):
    first = shop.till.batch([sale("1", "G1", 1)])
    shop.send(first)
    changed, second = seal({**first, "corrects": "x"}), shop.till.batch([sale("2", "G1", 1)])
    answer = shop.client().post("/v1/sales-batches/bulk", json={"batches": [changed, second]}).json()["batches"]
    assert [(each["status"], each["reason_code"]) for each in answer] == [("refused", "batch_reused"), ("accepted", None)]


def test_a_correction_takes_the_place_of_what_it_corrects(shop: Shop):
    shop.send(shop.till.batch([sale("1", "G1", 2), sale("2", "X", 1), sale("3", "G1", 1, refunds_line_id="1")]))
    answer = shop.send(shop.till.batch([sale("1", "G1", 3)], corrects="t-1"))
    assert answer["status"] == "accepted"
    assert statuses(shop)["t-1"] == ("replaced", None)
    assert shop.sums() == {"certified": 7500, "other": 0, "resale": 0, "grams": 2250}
    shop.send(shop.till.batch([sale("1", "G1", 4)], corrects="t-2"))
    assert shop.sums()["certified"] == 10000


def test_a_correction_leaves_nothing_on_the_day_of_what_it_corrects(shop: Shop):
    at = clock.now() - timedelta(days=40)
    day = clock.shanghai_date(at)

    def by_day():
        with shop.database.unit_of_work() as session:
            by_day = "SELECT sold_on, sum(amount_fen)::bigint FROM sale_entry GROUP BY 1 HAVING sum(amount_fen) <> 0"
            return dict(session.execute(text(by_day)).all())

    shop.send(shop.till.batch([sale("1", "G1", 2, at=at)]))
    shop.send(shop.till.batch([sale("1", "G1", 3, at=at)], corrects="t-1"))
    assert by_day() == {day: 7500}
    with shop.database.unit_of_work() as session:
        closed = {"month": month_start(day), "user": shop.trade.clerk.id}
        session.execute(text("INSERT INTO closed_month (month, closed_at, closed_by) VALUES (:month, now(), :user)"), closed)
    shop.send(shop.till.batch([sale("1", "G1", 1, at=at)], corrects="t-2"))
    assert by_day() == {day: 7500, following(day): -5000}
    assert shop.sums()["certified"] == 2500


def test_a_batch_that_should_never_have_been_sent_is_withdrawn(shop: Shop):
    """By a correction without lines, in its place of the chain; what it counted leaves the days of its sales, and the first open day of a closed
    month."""
    at = clock.now() - timedelta(days=40)
    shop.send(shop.till.batch([sale("1", "G1", 2, at=at), sale("2", "X", 1, at=at)]))
    withdrawal = shop.till.batch([], corrects="t-1")
    answer = shop.send(withdrawal)
    assert shop.send(withdrawal) == answer
    assert (answer["status"], answer["line_count"], answer["first_sold_at"], answer["corrects"]) == ("accepted", 0, None, "t-1")
    assert statuses(shop) == {"t-1": ("withdrawn", None), "t-2": ("accepted", None)}
    assert set(lines_of(shop).values()) == {"replaced"}
    assert shop.sums() == {"certified": 0, "other": 0, "resale": 0, "grams": 0}
    with shop.database.unit_of_work() as session:
        assert session.execute(text("SELECT sold_on FROM sale_entry GROUP BY 1 HAVING sum(amount_fen) <> 0")).all() == []
        assert session.execute(text("SELECT max(sold_at) FROM outlet_pulse")).scalar_one() == at
    client = signed_in(shop.api, Role.MONITOR)
    [listed] = client.get("/v1/sales-batches", params={"status": "withdrawn"}).json()["items"]
    assert (listed["batch_id"], listed["certified"], listed["other"]) == ("t-1", "0.00", "0.00")
    assert client.get("/v1/outlet-sales", params={"from": clock.shanghai_date(at).isoformat()}).json()["items"] == []
    # the chain goes on, and what was withdrawn may be told anew by what corrects the withdrawal
    assert shop.send(shop.till.batch([sale("3", "G1", 1)]))["status"] == "accepted"
    assert shop.send(shop.till.batch([sale("1", "G1", 4, at=at)], corrects="t-2"))["status"] == "accepted"
    assert shop.sums()["certified"] == 12500


@pytest.mark.parametrize(
    ("corrected", "left"),
    [
        (["t-1", "t-2"], {}),
        (["t-2", "t-1"], {}),
        (["t-1"], {}),
        (["t-1 alike", "t-3 alike"], {"day": 10000, "today": -2500}),
        (["t-2", "t-1 alike"], {"day": 10000}),
    ],
)
def test_a_sale_of_which_something_was_given_back_leaves_its_own_day(shop: Shop, corrected, left):
    """And what was given back its own: whatever is withdrawn or corrected first, both stand where they would without what is taken back."""
    at = clock.now() - timedelta(days=40)
    shop.send(shop.till.batch([sale("1", "G1", 4, at=at)]))
    shop.send(shop.till.batch([sale("2", "G1", 1, refunds_line_id="1")]))
    for each in corrected:
        name, *alike = each.split()
        assert shop.send(shop.till.batch([sale("1", "G1", 4, at=at)] if alike else [], corrects=name))["status"] == "accepted"
    days = {"day": clock.shanghai_date(at), "today": clock.today()}
    with shop.database.unit_of_work() as session:
        by_day = "SELECT sold_on, sum(amount_fen)::bigint FROM sale_entry GROUP BY 1 HAVING sum(amount_fen) <> 0"
        assert dict(session.execute(text(by_day)).all()) == {days[name]: fen for name, fen in left.items()}
    assert shop.sums()["certified"] == sum(left.values())


def test_what_is_withdrawn_of_a_closed_month_leaves_its_first_open_day(shop: Shop):
    at = clock.now() - timedelta(days=40)
    day = clock.shanghai_date(at)
    shop.send(shop.till.batch([sale("1", "G1", 2, at=at)]))
    with shop.database.unit_of_work() as session:
        closed = {"month": month_start(day), "user": shop.trade.clerk.id}
        session.execute(text("INSERT INTO closed_month (month, closed_at, closed_by) VALUES (:month, now(), :user)"), closed)
    shop.send(shop.till.batch([], corrects="t-1"))
    with shop.database.unit_of_work() as session:
        by_day = "SELECT sold_on, sum(amount_fen)::bigint FROM sale_entry GROUP BY 1 HAVING sum(amount_fen) <> 0"
        assert dict(session.execute(text(by_day)).all()) == {day: 5000, following(day): -5000}
    assert shop.sums()["certified"] == 0


def test_a_place_far_ahead_is_refused(shop: Shop):
    """What is missing before it would never come: it would wait for ever."""
    shop.send(shop.till.batch([sale("1", "G1", 1)]))
    for sequence, status in ((10_001, 201), (10_002, 422)):
        shop.till.sequence = sequence - 1
        answer = shop.client().post("/v1/sales-batches", json=shop.till.batch([sale(str(sequence), "G1", 1)]))
        assert answer.status_code == status, answer.text
    fault = answer.json()["errors"][0]
    assert (answer.json()["code"], fault["field"]) == ("sequence_far_ahead", "sequence")
    assert statuses(shop) == {"t-1": ("accepted", None), "t-10001": ("waiting", None)}


def test_what_was_corrected_or_never_came_is_not_withdrawn(shop: Shop):
    shop.send(shop.till.batch([sale("1", "G1", 2)]))
    shop.send(shop.till.batch([sale("1", "G1", 3)], corrects="t-1"))
    for corrects in ("t-1", "none"):
        answer = shop.send(shop.till.batch([], corrects=corrects))
        assert (answer["status"], answer["reason_code"]) == ("held", "corrects_nothing")
    assert refused(shop) == [(409, "corrects_nothing")] * 2
    assert shop.sums()["certified"] == 7500
    # nor is what was withdrawn corrected
    shop.send(shop.till.batch([], corrects="t-2"))
    assert shop.send(shop.till.batch([sale("1", "G1", 1)], corrects="t-2"))["reason_code"] == "corrects_nothing"
    assert shop.sums()["certified"] == 0


def test_a_batch_that_names_itself_as_what_it_corrects_is_refused(shop: Shop):
    wrong = shop.till.batch([sale("1", "G1", 1)], corrects="t-1")
    answer = shop.client().post("/v1/sales-batches", json=wrong)
    assert (answer.status_code, [(each["field"], each["code"]) for each in answer.json()["errors"]]) == (
        422,
        [("corrects", "corrects_itself")],
    )
    [told] = shop.client().post("/v1/sales-batches/bulk", json={"batches": [wrong]}).json()["batches"]
    assert (told["status"], told["reason_code"], told["field"]) == ("refused", "corrects_itself", "corrects")
    assert statuses(shop) == {}
    # its place is free, and the till goes on with what it meant to say
    assert shop.send(seal({**wrong, "corrects": None}))["status"] == "accepted"


def test_a_batch_without_lines_corrects_something(shop: Shop):
    answer = shop.client().post("/v1/sales-batches", json=shop.till.batch([]))
    fault = answer.json()["errors"][0]
    assert (answer.status_code, fault["field"], fault["code"]) == (422, "lines", "too_short")
    with pytest.raises(IntegrityError), shop.database.unit_of_work() as session:
        session.execute(
            text(
                "INSERT INTO sales_batch (outlet_id, batch_id, way, hash, status, line_count, certified_fen, other_fen, received_at)"
                " SELECT id, 'x', 'file', '', 'accepted', 0, 0, 0, now() FROM outlet"
            )
        )


@pytest.mark.parametrize(("count", "status", "certified"), [(True, "accepted", "50.00"), (False, "void", "0.00")])
def test_what_is_decided_shows_at_once(shop: Shop, count, status, certified):
    """Before any event is done; and the event, done later, changes nothing."""
    batch = shop.send(shop.till.batch([sale("1", "G1", 2)], sent_at=clock.now() + timedelta(hours=1)))
    assert batch["status"] == "held"
    assert [(answer.status_code, answer.json()["subject"]["status"]) for answer in said(shop, count=count)] == [(200, status)]
    client = signed_in(shop.api, Role.MONITOR)
    shown = client.get(f"/v1/sales-batches/{batch['id']}").json()
    assert (shown["status"], shown["certified"], shown["undecided"]) == (status, certified, "0.00")
    outbox.drain(shop.database, HANDLERS)
    assert client.get(f"/v1/sales-batches/{batch['id']}").json() == shown
    assert shop.sums()["certified"] == (5000 if count else 0)


def test_a_line_that_is_decided_shows_at_once(shop: Shop):
    shop.send(shop.till.batch([sale("1", "G1", 2)]))
    batch = shop.send(shop.till.batch([sale("1", "G1", 2)]))
    assert batch["undecided"] == "50.00"
    said(shop, count=True)
    client = signed_in(shop.api, Role.MONITOR)
    shown = client.get(f"/v1/sales-batches/{batch['id']}").json()
    assert (shown["certified"], shown["undecided"]) == ("50.00", "0.00")
    assert [line["status"] for line in client.get(f"/v1/sales-batches/{batch['id']}/lines").json()["items"]] == ["counted"]


def test_sales_of_long_ago_are_withdrawn_when_an_officer_has_looked(shop: Shop):
    """As a correction of them is; the hold stands at the day of the sales."""
    at = clock.now() - timedelta(days=80)
    shop.send(shop.till.batch([sale("1", "G1", 2, at=at)]))
    with clock.fixed(clock.now() + timedelta(days=20)):
        answer = shop.send(shop.till.batch([], corrects="t-1"))
        assert (answer["status"], answer["reason_code"]) == ("held", "late")
        assert shop.sums()["certified"] == 5000
        client, on = signed_in(shop.api, Role.MONITOR), clock.shanghai_date(at).isoformat()
        assert [
            each["batch_id"] for each in client.get("/v1/sales-batches", params={"status": "held", "sold_to": on}).json()["items"]
        ] == ["t-2"]
        [hold] = client.get("/v1/counting-holds", params={"sold_to": on}).json()["items"]
        assert (hold["amount"], hold["subject"]["sold_on"]) == ("50.00", on)
        decide(shop, count=True)
    assert statuses(shop) == {"t-1": ("withdrawn", None), "t-2": ("accepted", "late")}
    assert shop.sums()["certified"] == 0


def much(number="1", goods="G1", **more):
    """A sale of 50,025 yuan: more than a till takes out of the figures alone."""
    return sale(number, goods, 2001, **more)


@pytest.mark.parametrize("count", [True, False])
@pytest.mark.parametrize("instead", [[], [sale("2", "X", 4000)]])
def test_what_takes_much_out_of_the_figures_waits_for_a_second_person(shop: Shop, instead, count):
    at = clock.now() - timedelta(days=3)
    shop.send(shop.till.batch([much(at=at)]))
    answer = shop.send(shop.till.batch(instead, corrects="t-1"))
    assert (answer["status"], answer["reason_code"]) == ("held", "withdrawal")
    assert shop.sums()["certified"] == 5_002_500
    client, day = signed_in(shop.api, Role.MONITOR), clock.shanghai_date(clock.now() if instead else at)
    [hold] = client.get("/v1/counting-holds", params={"reason": "withdrawal", "sold_to": str(day)}).json()["items"]
    assert (hold["amount"], hold["subject"]["sold_on"]) == ("50025.00", str(day))
    assert client.get(f"/v1/counting-holds/{hold['id']}").json()["would_give_back"] == "50025.00"
    assert shop.send(shop.till.batch([sale("9", "G1", 1)]))["status"] == "accepted"  # the chain goes on
    decide(shop, count=count)
    assert shop.sums()["certified"] == (2500 if count else 5_005_000)
    assert statuses(shop)["t-1"][0] == ({True: "replaced" if instead else "withdrawn", False: "accepted"}[count])


def test_of_two_that_take_the_same_place_only_one_is_counted_in_a_decision(shop: Shop):
    shop.send(shop.till.batch([much()]))
    shop.send(shop.till.batch([], corrects="t-1"))
    shop.send(shop.till.batch([sale("2", "X", 10)], corrects="t-1"))
    officer = signed_in(shop.api, Role.CITY_OFFICER)
    holds = {each["subject"]["number"]: each["id"] for each in officer.get("/v1/counting-holds").json()["items"]}
    body = {"ids": [holds["t-3"], holds["t-2"]], "verdict": "count", "reason": "已核实"}
    answer = officer.post("/v1/counting-holds/decide", json=body)
    assert (answer.status_code, answer.json()["code"]) == (422, "some_refused")
    assert [(each["field"], each["code"]) for each in answer.json()["errors"]] == [("ids[1]", "corrects_nothing")]
    assert (shop.sums()["certified"], statuses(shop)["t-3"][0]) == (5_002_500, "held")
    assert officer.post("/v1/counting-holds/decide", json={**body, "ids": [holds["t-3"]]}).status_code == 200
    assert shop.sums()["certified"] == 0


def test_what_takes_little_out_of_the_figures_is_done_at_once(shop: Shop):
    shop.send(shop.till.batch([much(), much("2", "X")]))
    # what counts in its place is no less by more than that; of other goods nothing counts
    assert shop.send(shop.till.batch([sale("3", "G1", 1)], corrects="t-1"))["status"] == "accepted"
    assert shop.sums()["certified"] == 2500


def test_many_small_withdrawals_of_a_day_are_one_large_one(shop: Shop):
    for number in ("1", "2", "3", "4"):
        shop.send(shop.till.batch([sale(number, "G1", 1000)]))  # 25,000 yuan each
    first, second, third = (shop.send(shop.till.batch([], corrects=f"t-{n}")) for n in (1, 2, 3))
    assert [first["status"], second["status"]] == ["accepted", "accepted"]
    assert (third["status"], third["reason_code"], shop.sums()["certified"]) == ("held", "withdrawal", 5_000_000)
    # a correction that takes nothing out of the figures is nobody else's matter, and what two persons agreed on adds to nothing
    assert shop.send(shop.till.batch([sale("5", "G1", 1000)], corrects="t-4"))["status"] == "accepted"
    decide(shop, count=True)
    assert shop.sums()["certified"] == 2_500_000
    with shop.database.unit_of_work() as session:
        session.execute(text("UPDATE sales_batch SET taken_out_on = taken_out_on - 1"))
    assert shop.send(shop.till.batch([], corrects="t-8"))["status"] == "accepted"
    assert shop.sums()["certified"] == 0


def test_a_hold_of_a_whole_batch_tells_what_it_would_take_out(shop: Shop):
    shop.send(shop.till.batch([sale("1", "G1", 4), sale("2", "X", 2)]))
    shop.send(shop.till.batch([sale("3", "G1", 1, refunds_line_id="1")]))
    ahead = {"sent_at": clock.now() + timedelta(hours=1)}
    back = [sale("4", "G1", 2, price=9, refunds_line_id="1"), sale("5", "G1", 2), sale("6", "G1", 1, refunds_line_id="5")]
    shop.send(shop.till.batch([*back, sale("7", "G1", 2, refunds_line_id="1")], **ahead))  # the last is more than is left
    shop.send(shop.till.batch([], corrects="t-1", **ahead))
    shop.send(shop.till.batch([sale("8", "G1", 1)], **ahead))
    officer = signed_in(shop.api, Role.CITY_OFFICER)
    holds = officer.get("/v1/counting-holds", params={"whole_batches": True}).json()["items"]
    shown = {each["subject"]["number"]: officer.get(f"/v1/counting-holds/{each['id']}").json()["would_give_back"] for each in holds}
    x = shop.sums()["other"]
    assert shown == {"t-3": "75.00", "t-4": f"{(7500 + x) / 100:.2f}", "t-5": None}
    for hold in holds:
        if hold["subject"]["number"] == "t-4":
            officer.post(f"/v1/counting-holds/{hold['id']}/count", json={"reason": "属实"})
    assert shop.sums() == {"certified": 0, "other": 0, "resale": 0, "grams": 0}


def test_what_is_held_is_withdrawn_at_once(shop: Shop):
    shop.send(shop.till.batch([sale("1", "G1", 2)], sent_at=clock.now() + timedelta(hours=1)))
    shop.send(shop.till.batch([], corrects="t-1"))
    assert {name: status for name, (status, _) in statuses(shop).items()} == {"t-1": "withdrawn", "t-2": "accepted"}
    with shop.database.unit_of_work() as session:
        assert session.execute(text("SELECT status FROM counting_hold")).scalars().all() == ["void"]


def test_what_was_corrected_before_is_not_corrected_again(shop: Shop):
    shop.send(shop.till.batch([sale("1", "G1", 2)]))
    shop.send(shop.till.batch([sale("1", "G1", 3)], corrects="t-1"))
    answer = shop.send(shop.till.batch([sale("1", "G1", 5)], corrects="t-1"))
    assert (answer["status"], answer["reason_code"]) == ("held", "corrects_nothing")
    assert shop.sums()["certified"] == 7500
    assert refused(shop) == [(409, "corrects_nothing")]
    decide(shop, count=False)
    assert statuses(shop)["t-3"] == ("void", "corrects_nothing")
    assert shop.sums()["certified"] == 7500


def test_a_correction_counts_only_when_what_it_corrects_has_come(shop: Shop):
    other = Till("u")
    with shop.database.unit_of_work() as session:
        _, key = make_device(session, shop.outlet, shop.trade.clerk, "till-2")
    shop.send(shop.till.batch([sale("1", "G1", 3)], corrects="u-1"))
    assert refused(shop) == [(409, "corrects_nothing")]
    assert statuses(shop) == {"t-1": ("held", "corrects_nothing")}
    assert shop.client(key).post("/v1/sales-batches", json=other.batch([sale("1", "G1", 5)])).status_code == 201
    assert shop.sums()["certified"] == 12500
    decide(shop, count=True)
    assert {name: status for name, (status, _) in statuses(shop).items()} == {"t-1": "accepted", "u-1": "replaced"}
    assert shop.sums()["certified"] == 7500


@pytest.mark.parametrize("at_once", [False, True])
def test_what_was_left_out_is_corrected_once_and_the_chain_goes_on(shop: Shop, at_once):
    shop.send(shop.till.batch([sale("1", "G1", 2)], sent_at=clock.now() + timedelta(hours=1)))
    decide(shop, count=False)
    batches = [shop.till.batch([sale("1", "G1", 3)], corrects="t-1"), shop.till.batch([sale("9", "G1", 5)], corrects="t-1")]
    batches.append(shop.till.batch([sale("2", "G1", 1)]))
    for batch in [batches[1], batches[2], batches[0]] if at_once else batches:
        shop.send(batch)
    assert statuses(shop) == {
        "t-1": ("void", "clock"),
        "t-2": ("accepted", None),
        "t-3": ("held", "corrects_nothing"),
        "t-4": ("accepted", None),
    }
    assert shop.sums()["certified"] == 10000


def test_a_refund_gives_back_a_part_and_never_more_than_there_is(shop: Shop):
    shop.send(shop.till.batch([sale("1", "G1", 3), sale("2", "X", 2)]))
    shop.send(shop.till.batch([sale("3", "G1", 1, refunds_line_id="1"), sale("4", "X", 2, refunds_line_id="2")]))
    assert shop.sums() == {"certified": 5000, "other": 0, "resale": 0, "grams": 1500}
    shop.send(shop.till.batch([sale("5", "G1", 2, refunds_line_id="1"), sale("6", "G1", 1, refunds_line_id="1")]))
    assert shop.sums()["certified"] == 0
    assert lines_of(shop)[("t-3", "6")] == "held"
    assert refused(shop) == [(409, "refund_exceeds")]
    assert (lines_of(shop)[("t-3", "6")], shop.sums()["certified"]) == ("held", 0)
    decide(shop, count=False)
    assert lines_of(shop)[("t-3", "6")] == "void"


def test_a_quantity_that_cannot_be_is_looked_at_before_it_counts(shop: Shop):
    lines = [
        sale("1", "G1", 1),
        {**sale("2"), "quantity": "1000000000", "amount": "10.00"},
        sale("3", "G1", 40_000),
        {**sale("4"), "amount": "0.00"},
    ]
    shop.send(shop.till.batch([*lines, {**sale("5"), "quantity": "500"}]))
    assert {line: status for (_, line), status in lines_of(shop).items()} == {
        "1": "counted",
        "2": "held",
        "3": "held",
        "4": "counted",
        "5": "held",
    }
    assert shop.sums() == {"certified": 2500, "other": 0, "resale": 0, "grams": 1500}
    with shop.database.unit_of_work() as session:
        assert set(session.execute(text("SELECT reason_code FROM counting_hold")).scalars()) == {"implausible"}
    decide(shop, count=True)
    assert shop.sums()["certified"] == 2500 + 1000 + 40_000 * 2500 + 2500
    # it is a sale like any other from now on: told again it is held, and a part of it may be given back
    shop.send(shop.till.batch([sale("5"), sale("6", "G1", 100, refunds_line_id="5") | {"amount": "5.00"}]))
    assert (lines_of(shop)[("t-2", "5")], lines_of(shop)[("t-2", "6")]) == ("held", "counted")


def test_what_was_looked_at_for_its_quantity_may_still_be_told_twice(shop: Shop):
    odd = {**sale("1"), "quantity": "500"}
    shop.send(shop.till.batch([odd]))
    shop.send(shop.till.batch([odd]))
    decide(shop, count=True)
    assert [lines_of(shop)[(batch, "1")] for batch in ("t-1", "t-2")] == ["counted", "held"]
    assert shop.sums()["certified"] == 2500
    decide(shop, count=False)
    assert shop.sums()["certified"] == 2500


def test_of_two_refunds_that_are_decided_at_once_no_more_counts_than_is_left(shop: Shop):
    shop.send(shop.till.batch([sale("1", "G1", 3)]))
    shop.send(shop.till.batch([sale(each, "G1", 2, price=9, refunds_line_id="1") for each in ("2", "3")]))
    assert [answer.status_code for answer in said(shop, count=True)] == [200, 409]
    outbox.drain(shop.database, HANDLERS)
    assert (lines_of(shop)[("t-2", "2")], lines_of(shop)[("t-2", "3")], shop.sums()["certified"]) == ("counted", "held", 2500)


def test_a_refund_of_another_amount_than_its_share_is_looked_at(shop: Shop):
    shop.send(shop.till.batch([sale("1", "G1", 3)]))
    shop.send(shop.till.batch([sale("2", "G1", 1, price=9, refunds_line_id="1")]))
    assert shop.sums()["certified"] == 7500
    decide(shop, count=True)
    assert shop.sums()["certified"] == 5000


def test_a_refund_of_a_part_is_its_share_however_much_was_given_back_before(shop: Shop):
    """A till rounds each share by itself; what is booked of parts comes to the whole."""
    shop.send(shop.till.batch([{**sale("1", "G1", 3), "amount": "200.00"}]))
    for told in ("66.67", "66.68", "66.66"):
        back = {**sale(told, "G1", 1, refunds_line_id="1"), "amount": told}
        assert shop.send(shop.till.batch([back]))["undecided"] == "0.00"
    assert shop.sums()["certified"] == 0
    client = signed_in(shop.api, Role.CITY_OFFICER)
    batches = client.get("/v1/sales-batches").json()["items"][:3]
    lines = [client.get(f"/v1/sales-batches/{batch['id']}/lines").json()["items"][0] for batch in batches]
    assert {line["told"]: line["amount"] for line in lines} == {"66.67": "66.67", "66.68": "66.66", "66.66": "66.67"}
    # told 0.02 more, it is for an officer
    shop.send(shop.till.batch([{**sale("1", "G1", 3), "amount": "199.94"}], corrects="t-1"))
    assert lines_of(shop)[("t-3", "66.68")] == "held"


def test_a_refund_of_other_goods_than_were_sold_is_looked_at(shop: Shop):
    with shop.database.unit_of_work() as session:
        session.execute(text("UPDATE outlet_goods SET barcode = '6901234567892' WHERE goods_id = 'G1'"))
    other = sale("2", "G2", 1, refunds_line_id="1")
    shop.send(shop.till.batch([sale("1", "G1", 3), other]))
    assert (lines_of(shop)[("t-1", "2")], shop.sums()["certified"]) == ("held", 7500)
    # the barcode of the goods is another name of theirs
    shop.send(shop.till.batch([sale("3", "6901234567892", 1, refunds_line_id="1"), {**other, "line_id": "4"}]))
    assert [lines_of(shop)[("t-2", line)] for line in ("3", "4")] == ["counted", "held"]
    assert shop.sums()["certified"] == 5000
    with shop.database.unit_of_work() as session:
        assert set(session.execute(text("SELECT reason_code FROM counting_hold")).scalars()) == {"refund"}
    # an officer's word is the last: it is given back of the sale as it is
    decide(shop, count=True)
    assert shop.sums()["certified"] == 0


def test_what_gives_back_of_an_earlier_refund_is_held_and_never_counts(shop: Shop):
    shop.send(shop.till.batch([sale("1", "G1", 3)]))
    shop.send(shop.till.batch([sale("2", "G1", 1, refunds_line_id="1")]))
    told = shop.send(shop.till.batch([sale("3", "G1", 1, refunds_line_id="2")]))
    assert (lines_of(shop)[("t-3", "3")], told["undecided"], shop.sums()["certified"]) == ("held", "-25.00", 5000)
    assert refused(shop) == [(409, "refund_of_no_sale")]
    # its number was a sale's after all
    shop.send(shop.till.batch([sale("2", "G1", 2)], corrects="t-2"))
    assert (lines_of(shop)[("t-3", "3")], shop.sums()["certified"]) == ("counted", 10000)


def test_a_hold_tells_what_a_refund_would_give_back_and_the_operator_what_counts(shop: Shop):
    shop.send(shop.till.batch([sale("1", "G1", 3)]))
    shop.send(shop.till.batch([sale("2", "G1", 1, price=9, refunds_line_id="1"), sale("3", "G1", 4, refunds_line_id="1")]))
    officer = signed_in(shop.api, Role.CITY_OFFICER)
    shown = [officer.get(f"/v1/counting-holds/{row['id']}").json() for row in officer.get("/v1/counting-holds").json()["items"]]
    assert {hold["amount"]: hold["would_give_back"] for hold in shown} == {"9.00": "25.00", "100.00": None}
    # what counts of a batch by an officer's word may be held again, line by line
    shop.send(shop.till.batch([sale("1", "G1", 2), sale("4", "G1", 2)], sent_at=clock.now() + timedelta(hours=1)))
    [late] = officer.get("/v1/counting-holds", params={"whole_batches": True}).json()["items"]
    assert officer.post(f"/v1/counting-holds/{late['id']}/count", json={"reason": "时钟有误"}).json()["would_give_back"] is None
    outbox.drain(shop.database, HANDLERS)
    with shop.database.unit_of_work() as session:
        operator = make_user(session, Role.OUTLET_OPERATOR, session.get(Organisation, shop.outlet.operator_id))
    texts = {each["kind"]: each["text"] for each in shop.api.as_(operator).get("/v1/notifications").json()["items"]}
    assert "50.00 yuan of certified goods of it count now, 50.00 yuan are still held" in texts["sales_batch.counted"]


@pytest.mark.parametrize("back", [("2", "2"), ("3", "2")])
def test_what_gives_back_of_itself_or_of_a_refund_is_refused(shop: Shop, back):
    lines = [sale("1"), *(sale(number, refunds_line_id=of) for number, of in zip(("2", "3"), back, strict=True))]
    answer = shop.client().post("/v1/sales-batches", json=shop.till.batch(lines))
    assert (answer.status_code, answer.json()["code"]) == (422, "refunds_no_sale")
    assert {each["field"] for each in answer.json()["errors"]} == {"lines[1].refunds_line_id", "lines[2].refunds_line_id"}


def test_a_refund_waits_for_its_sale(shop: Shop):
    other = Till("u")
    with shop.database.unit_of_work() as session:
        _, key = make_device(session, shop.outlet, shop.trade.clerk, "till-2")
    early = other.batch([sale("u1", "G1", 1, refunds_line_id="1")])
    assert shop.client(key).post("/v1/sales-batches", json=early).status_code == 201
    assert lines_of(shop) == {("u-1", "u1"): "waiting"}
    shop.send(shop.till.batch([sale("1", "G1", 3)]))
    assert shop.sums()["certified"] == 5000
    # the sale was less than told: its refund is given back of what it is now
    shop.send(shop.till.batch([sale("1", "G1", 1)], corrects="t-1"))
    assert shop.sums()["certified"] == 0


def hold_old(shop: Shop, days: int) -> int:
    """Look for refunds that have waited too long, so many days later."""
    with clock.fixed(clock.now() + timedelta(days=days)):
        with shop.database.unit_of_work() as session:
            held = waiting.hold_old(session)
        outbox.drain(shop.database, HANDLERS)
    return held


@pytest.mark.parametrize("count", [True, False])
def test_a_refund_whose_sale_does_not_come_is_decided(shop: Shop, count):
    shop.send(
        shop.till.batch([sale("1", "G1", 4), sale("2", "G1", 1, refunds_line_id="lost"), sale("3", "G1", 1, refunds_line_id="1")])
    )
    path = f"/v1/sales-batches/{batch_id(shop, 't-1')}/lines"
    officer = signed_in(shop.api, Role.CITY_OFFICER)
    [line] = officer.get(path, params={"status": "waiting"}).json()["items"]
    assert (line["line_id"], line["waits_days"]) == ("2", 0)
    assert [hold_old(shop, days) for days in (30, 31, 32)] == [0, 1, 0]
    [hold] = officer.get("/v1/counting-holds", params={"reason": "no_sale"}).json()["items"]
    shown = officer.get(f"/v1/counting-holds/{hold['id']}").json()
    assert (shown["amount"], shown["would_give_back"], shown["evidence"]["refunds_line_id"]) == ("25.00", "25.00", "lost")
    county = signed_in(shop.api, Role.COUNTY_OFFICER, region_code="500112")
    assert [each["kind"] for each in county.get("/v1/notifications").json()["items"]] == ["counting_hold.no_sale"]
    before = shop.sums()
    assert (before["certified"], before["other"]) == (7500, 0)
    decide(shop, count=count)
    # the till gave the money back; of the ledger, where the sale never stood, nothing is taken
    assert shop.sums() == {**before, "other": -2500 if count else 0}
    assert lines_of(shop)["t-1", "2"] == ("other" if count else "void")
    assert hold_old(shop, 99) == 0
    # it stays decided, whatever comes, and goes with its batch
    shop.send(shop.till.batch([sale("lost", "G1", 1)]))
    assert shop.sums() == {"certified": 10000, "other": -2500 if count else 0, "resale": 0, "grams": 3000}
    shop.send(shop.till.batch([], corrects="t-1"))
    assert shop.sums() == {"certified": 2500, "other": 0, "resale": 0, "grams": 750}


@pytest.mark.parametrize(("back", "certified", "reason"), [(1, 5000, None), (4, 7500, "refund")])
def test_a_refund_that_waited_too_long_goes_on_once_its_sale_comes(shop: Shop, back, certified, reason):
    shop.send(shop.till.batch([sale("2", "G1", back, refunds_line_id="1")]))
    assert hold_old(shop, 40) == 1
    shop.send(shop.till.batch([sale("1", "G1", 3)]))
    outbox.drain(shop.database, HANDLERS)
    assert shop.sums()["certified"] == certified
    held = signed_in(shop.api, Role.CITY_OFFICER).get("/v1/counting-holds", params={"status": "open"}).json()["items"]
    assert [each["reason_code"] for each in held] == ([reason] if reason else [])


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({"sent_at": timedelta(minutes=30)}, "clock"),
        ({"sold_at": timedelta(days=-100)}, "late"),
        ({"sold_at": timedelta(minutes=20)}, "clock"),
    ],
)
def test_what_is_doubted_is_held_until_somebody_has_decided(shop: Shop, more, reason):
    now = clock.now()
    sold_at = now + more.get("sold_at", timedelta(minutes=-1))
    batch = shop.till.batch([sale("1", "G1", 2, at=sold_at)], sent_at=now + more.get("sent_at", timedelta()))
    answer = shop.send(batch)
    assert (answer["status"], answer["reason_code"]) == ("held", reason)
    # the chain goes on over it
    assert shop.send(shop.till.batch([sale("2", "G1", 1)]))["status"] == "accepted"
    assert shop.sums()["certified"] == 2500
    decide(shop, count=True)
    assert statuses(shop)["t-1"] == ("accepted", reason)
    assert shop.sums()["certified"] == 7500
    decide(shop, count=True)
    assert shop.sums()["certified"] == 7500


def test_a_till_that_is_a_year_ahead_sold_what_was_certified_on_the_day_on_which_it_told(shop: Shop):
    made = shop.trade.goods[0].made
    with shop.database.unit_of_work() as session:
        until = {"id": made.certificate_id, "until": clock.today() + timedelta(days=100)}
        session.execute(text("UPDATE certificate SET valid_until = :until WHERE id = :id"), until)
    held = shop.send(shop.till.batch([sale("1", "G1", 2, at=clock.now() + timedelta(days=355))]))
    assert (held["status"], held["reason_code"]) == ("held", "clock")
    # a decision on it is a decision on today's figures
    asked = {"sold_to": clock.today().isoformat(), "status": "open"}
    assert len(signed_in(shop.api, Role.CITY_OFFICER).get("/v1/counting-holds", params=asked).json()["items"]) == 1
    decide(shop, count=True)
    assert shop.sums() == {"certified": 5000, "other": 0, "resale": 0, "grams": 1500}
    with shop.database.unit_of_work() as session:
        [entry] = session.execute(text("SELECT sold_on, certified, certificate_id FROM sale_entry WHERE source = 'outlet'"))
    assert tuple(entry) == (clock.today(), True, made.certificate_id)


def test_a_till_that_is_ahead_at_midnight_sells_today(shop: Shop):
    """Figures up to today are those of the whole month, which hold no day to come."""
    with clock.fixed(datetime(2026, 10, 20, 15, 55, tzinfo=UTC)):
        answer = shop.send(shop.till.batch([sale("1", "G1", 2, at=clock.now() + timedelta(minutes=6))]))
        assert answer["status"] == "accepted"
        monitor = signed_in(shop.api, Role.MONITOR)
        asked = {"from": "2026-10-01", "to": "2026-10-20"}
        [entry] = monitor.get("/v1/sale-entries", params=asked).json()["items"]
        figures = monitor.get("/v1/statistics/sales", params={**asked, "measure": "amount"}).json()
    assert (entry["sold_on"], entry["amount"]) == ("2026-10-20", "50.00")
    assert figures["totals"]["figures"]["amount"] == "50.00"


def test_what_is_not_decided_stands_apart_from_other_goods(shop: Shop):
    def shown(batch):
        return tuple(batch[name] for name in ("status", "certified", "other", "undecided"))

    first, second = shop.till.batch([sale("1", "G1", 2)]), shop.till.batch([sale("2", "G1", 1), sale("3", "X", 1)])
    assert shown(shop.send(second)) == ("waiting", "0.00", "0.00", "50.00")
    assert shown(shop.send(first)) == ("accepted", "50.00", "0.00", "0.00")
    assert shown(shop.send(second)) == ("accepted", "25.00", "25.00", "0.00")
    assert shown(shop.send(shop.till.batch([sale("1", "G1", 2), sale("4", "X", 1)]))) == ("accepted", "0.00", "25.00", "50.00")
    assert shown(shop.send(shop.till.batch([sale("5", "G1", 2)], sent_at=clock.now() + timedelta(hours=1)))) == (
        "held", "0.00", "0.00", "50.00"
    )  # fmt: skip
    decide(shop, count=True)
    assert shown(shop.send(shop.till.batch([sale("6", "G1", 1)]))) == ("accepted", "25.00", "0.00", "0.00")


def test_a_batch_shows_what_became_of_its_lines_less_what_was_given_back(shop: Shop):
    """All batches come to what the ledger says of outlets."""

    def shown():
        names = ("batch_id", "certified", "other", "undecided")
        client = signed_in(shop.api, Role.MONITOR)
        return {tuple(each[name] for name in names) for each in client.get("/v1/sales-batches").json()["items"]}

    shop.send(shop.till.batch([sale("1", "G1", 4), sale("2", "X", 2)]))
    shop.send(shop.till.batch([sale("3", "G1", 1, refunds_line_id="1"), sale("4", "X", 1, refunds_line_id="2")]))
    shop.send(shop.till.batch([sale("5", "G1", 9, refunds_line_id="1")]))
    shop.send(shop.till.batch([sale("6", "G1", 1, refunds_line_id="none")]))
    late = shop.till.batch([sale("7", "G1", 2)], sent_at=clock.now() + timedelta(hours=1))
    shop.send(late)
    found = {
        ("t-1", "100.00", "50.00", "0.00"),
        ("t-2", "-25.00", "-25.00", "0.00"),
        ("t-3", "0.00", "0.00", "-225.00"),
        ("t-4", "0.00", "0.00", "-25.00"),
    }
    assert shown() == {*found, ("t-5", "0.00", "0.00", "50.00")}
    assert shop.sums()["certified"] == 7500
    decide(shop, count=False)
    left_out = {*found, ("t-3", "0.00", "0.00", "0.00"), ("t-5", "0.00", "0.00", "0.00")} - {("t-3", "0.00", "0.00", "-225.00")}
    assert shown() == left_out
    shop.send(shop.till.batch([sale("1", "G1", 3)], corrects="t-1"))
    assert ("t-1", "0.00", "0.00", "0.00") in shown()


def test_what_is_left_out_never_counts(shop: Shop):
    shop.send(shop.till.batch([sale("1", "G1", 2)], sent_at=clock.now() + timedelta(hours=1)))
    decide(shop, count=False)
    assert statuses(shop)["t-1"][0] == "void"
    assert shop.sums()["certified"] == 0


@pytest.mark.parametrize(("verdict", "certified"), [("count", 6 * 2500), ("void", 2500)])
def test_many_holds_are_decided_at_once_all_or_none(shop: Shop, verdict, certified):
    """Batches, and lines of others, each on its own."""
    late = [sale("x", at=clock.now() - timedelta(days=200)), sale("y", at=clock.now() - timedelta(days=200))]
    shop.send(shop.till.batch([sale("1", "G1", 1), {**sale("2"), "quantity": "500"}]))
    shop.send(shop.till.batch([sale("3"), sale("4")], sent_at=clock.now() + timedelta(hours=1)))
    shop.send(shop.till.batch(late))
    shop.send(shop.till.batch([sale("5", "G1", 9, refunds_line_id="1")]))
    officer = signed_in(shop.api, Role.CITY_OFFICER)
    exceeds, *others = [row["id"] for row in officer.get("/v1/counting-holds").json()["items"]]
    assert len(others) == 3
    body = {"ids": [others[0], exceeds, 999_999], "verdict": "count", "reason": "已核实"}
    answer = officer.post("/v1/counting-holds/decide", json=body)
    assert (answer.status_code, answer.json()["code"]) == (422, "some_refused")
    told = [(each["field"], each["code"]) for each in answer.json()["errors"]]
    assert told == [("ids[1]", "refund_exceeds"), ("ids[2]", "not_found")]
    assert shop.sums()["certified"] == 2500
    alone = officer.post("/v1/counting-holds/decide", json={**body, "ids": [exceeds]})
    assert (alone.status_code, alone.json()["code"]) == (409, "refund_exceeds")
    done = officer.post("/v1/counting-holds/decide", json={"ids": others, "verdict": verdict, "reason": "已核实"})
    assert (done.status_code, done.json()) == (200, {"decided": 3})
    assert shop.sums()["certified"] == certified
    outbox.drain(shop.database, HANDLERS)
    assert shop.sums()["certified"] == certified
    again = officer.post("/v1/counting-holds/decide", json={"ids": others, "verdict": verdict, "reason": "已核实"})
    assert [(each["code"], each["already"]) for each in again.json()["errors"]] == [("hold_decided", True)] * 3
    contrary = "void" if verdict == "count" else "count"
    against = officer.post("/v1/counting-holds/decide", json={"ids": others, "verdict": contrary, "reason": "另有意见"})
    assert [(each["code"], each.get("already")) for each in against.json()["errors"]] == [("hold_decided", None)] * 3
    alone = [officer.post(f"/v1/counting-holds/{others[0]}/{each}", json={"reason": "x"}).json() for each in (verdict, contrary)]
    assert [(each["code"], each.get("data")) for each in alone] == [("hold_decided", {"already": True}), ("hold_decided", None)]


def test_sales_outside_the_life_of_the_outlet_are_held_and_earlier_ones_count_late(shop: Shop):
    yesterday = clock.today() - timedelta(days=1)
    with shop.database.unit_of_work() as session:
        session.execute(text("UPDATE outlet SET status = 'closed', closed_on = :on"), {"on": yesterday})
    before, after = sale("1", "G1", 1, at=clock.now() - timedelta(days=2)), sale("2", "G1", 1)
    assert shop.send(shop.till.batch([before]))["status"] == "accepted"
    held = shop.send(shop.till.batch([after]))
    assert (held["status"], held["reason_code"]) == ("held", "outlet_closed")


def test_a_second_batch_in_one_place_and_a_wrong_previous_hash_are_held(shop: Shop):
    first = shop.till.batch([sale("1", "G1", 1)])
    shop.send(first)
    second = shop.send(seal({**first, "batch_id": "again", "lines": [sale("9", "G1", 5)]}))
    assert (second["status"], second["reason_code"]) == ("held", "broken_chain")
    shop.till.last_hash = "0" * 64
    assert shop.send(shop.till.batch([sale("2", "G1", 1)]))["reason_code"] == "broken_chain"
    assert shop.send(shop.till.batch([sale("3", "G1", 1)]))["status"] == "accepted"
    assert shop.sums()["certified"] == 5000
    decide(shop, count=True)
    assert shop.sums()["certified"] == 20000


def test_what_is_decided_of_a_line_leaves_the_sums_of_the_other_lines(shop: Shop):
    shop.send(shop.till.batch([sale("1", "G1", 1)]))
    sent = shop.send(
        shop.till.batch([sale("1", "G1", 2), sale("2", "G1", 3), sale("3", "X", 1), sale("4", "X", 1, refunds_line_id="3")])
    )
    assert (sent["certified"], sent["other"], sent["undecided"]) == ("75.00", "0.00", "50.00")
    decide(shop, count=True)
    with shop.database.unit_of_work() as session:
        row = session.execute(text("SELECT certified_fen, other_fen FROM sales_batch WHERE batch_id = 't-2'")).one()
    assert tuple(row) == (12500, 2500)


def test_a_sale_that_was_told_in_another_batch_is_held(shop: Shop):
    shop.send(shop.till.batch([sale("1", "G1", 1)]))
    answer = shop.send(shop.till.batch([sale("1", "G1", 1), sale("2", "G1", 1)]))
    assert answer["status"] == "accepted"
    assert lines_of(shop)[("t-2", "1")] == "held"
    assert shop.sums()["certified"] == 5000
    decide(shop, count=True)  # two sales by one number
    assert shop.sums()["certified"] == 7500


def test_the_number_of_statements_does_not_depend_on_the_number_of_lines(shop: Shop):
    counts = []
    engine = shop.database.engine

    def count(*_: object) -> None:
        counts[-1] += 1

    event.listen(engine, "before_cursor_execute", count)
    for size in (2, 1000):
        counts.append(0)
        shop.send(shop.till.batch([sale(f"{size}-{n}", "G1" if n % 2 else "X", 1) for n in range(size)]))
    assert counts[0] == counts[1]
    # no more does it when all of them were told before
    for size in (2, 1000):
        counts.append(0)
        shop.send(shop.till.batch([sale(f"{size}-{n}", "X", 1) for n in range(size)]))
    assert counts[2] == counts[3]


def test_a_device_may_do_nothing_but_report_and_ends_at_once(shop: Shop):
    device = shop.client()
    for path in ("/v1/outlets", "/v1/me", "/v1/purchase-orders", "/v1/sales-batches"):
        assert device.get(path).status_code == 403, path
    assert device.post("/v1/outlets/heartbeat", json={"software": "1.2"}).json()["last_sequence"] == 0
    with shop.database.unit_of_work() as session:
        session.execute(text("UPDATE outlet_device SET revoked_at = now()"))
    assert device.post("/v1/outlets/heartbeat", json={}).status_code == 401


def test_a_device_is_refused_while_its_operator_is_suspended(shop: Shop):
    device = shop.client()
    batch = shop.till.batch([sale("1", "G1", 2)])
    of_outlet = "UPDATE organisation SET status = :status WHERE id = (SELECT operator_id FROM outlet)"
    for status, answer in (("suspended", 401), ("approved", 201)):
        with shop.database.unit_of_work() as session:
            session.execute(text(of_outlet), {"status": status})
        assert device.post("/v1/sales-batches", json=batch).status_code == answer
    assert shop.sums()["certified"] == 5000


def test_a_long_chain_is_taken_in_pieces_to_its_end(shop: Shop, monkeypatch):
    monkeypatch.setattr(receiving, "MOST_BATCHES_TAKEN", 2)
    first, *later = [shop.till.batch([sale(str(n), "G1", 1)]) for n in range(7)]
    for batch in later:
        shop.send(batch)
    shop.send(first)
    outbox.drain(shop.database, HANDLERS)
    assert {status for status, _ in statuses(shop).values()} == {"accepted"}
    assert shop.sums()["certified"] == 7 * 2500


def test_a_refund_that_fits_in_the_end_may_be_doubted_and_decided_again(shop: Shop):
    shop.send(shop.till.batch([sale("1", "G1", 1)]))
    shop.send(shop.till.batch([sale("2", "G1", 2, refunds_line_id="1")]))
    assert lines_of(shop)[("t-2", "2")] == "held"
    shop.send(shop.till.batch([sale("1", "G1", 3)], corrects="t-1"))
    assert (lines_of(shop)[("t-2", "2")], shop.sums()["certified"]) == ("counted", 2500)
    # now the sale was less again: what is left of it is for an officer, whose word is the last
    shop.send(shop.till.batch([sale("1", "G1", 1)], corrects="t-3"))
    assert lines_of(shop)[("t-2", "2")] == "held"
    with shop.database.unit_of_work() as session:
        told = session.execute(text("SELECT status, decision FROM counting_hold ORDER BY id")).all()
    assert [tuple(each) for each in told] == [("counted", "it fits its sale"), ("open", None)]


def test_every_doubt_about_outlets_is_told_to_who_decides(shop: Shop):
    with shop.database.unit_of_work() as session:
        counting.hold(session, [Doubted(Subject.SALES_BATCH, 1, reason, {}, "500112", 5000) for reason in Doubt])
    outbox.drain(shop.database, HANDLERS)
    officer = signed_in(shop.api, Role.COUNTY_OFFICER, region_code="500112")
    told = officer.get("/v1/notifications").json()["items"]
    assert {each["kind"] for each in told} == {f"counting_hold.{reason}" for reason in Doubt}
