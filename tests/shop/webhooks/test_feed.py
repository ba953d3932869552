"""The feed: in order, without gaps, for the branch only."""

import random
import threading
from datetime import timedelta

import pytest
from sqlalchemy import text

from shop.core import clock
from shop.webhooks import rules
from shop.webhooks.actions import feed
from tests.factories.identity import make_organisation, make_supplier, make_user, signed_in
from tests.shop.webhooks.conftest import Customer, later


def read(client, after=None, **filters):
    """Everything behind a cursor, and the cursor to go on from."""
    items = []
    while True:
        answer = client.get("/v1/changes", params={**filters, **({"after": after} if after else {})})
        assert answer.status_code == 200, answer.text
        page = answer.json()
        items += page["items"]
        after = page["next"]
        filters.pop("since", None)
        if not page["more"]:
            return items, after


def subjects(items):
    return [item["subject_id"] for item in items]


def test_changes_come_in_their_order_page_by_page_and_nothing_twice(customer):
    customer.happen(25)
    every, end = read(customer.admin, limit=10)
    assert len(every) == 25
    assert subjects(every) == sorted(subjects(every))
    assert len({item["id"] for item in every}) == 25
    assert read(customer.admin, end) == ([], end)
    customer.happen(3)
    assert subjects(read(customer.admin, end)[0]) == [subjects(every)[-1] + n for n in (1, 2, 3)]
    first = every[0]
    assert first["type"] == "supplier_order.confirmed"
    assert first["links"] == {"subject": f"http://127.0.0.1:8000/v1/supplier-orders/{first['subject_id']}"}


def test_a_quiet_cursor_moves_on_with_the_feed(customer, api, database):
    _, before = read(customer.admin)
    with database.unit_of_work() as session:
        stranger = make_organisation(session)
    customer.happen(5, organisation=stranger)
    items, after = read(customer.admin, before)
    assert items == []
    assert after != before


def test_filters_by_type_and_by_moment(customer):
    customer.happen(2, kind="shipment.sent")
    with later(hours=1):
        moment = clock.now()
        customer.happen(1, kind="payment.recorded")
        customer.happen(1, kind="shipment.sent")
    assert [item["type"] for item in read(customer.admin, type=["payment.recorded"])[0]] == ["payment.recorded"]
    assert len(read(customer.admin, type=["shipment.*"])[0]) == 3
    assert len(read(customer.admin, type=["*"])[0]) == 4
    # a place in the feed is one whatever was asked for there
    _, end = read(customer.admin, type=["payment.recorded"])
    assert read(customer.admin, end, type=["shipment.*"]) == ([], end)
    assert len(read(customer.admin, since=moment.isoformat())[0]) == 2
    assert len(read(customer.admin, since=(moment + timedelta(days=1)).isoformat())[0]) == 0
    assert len(read(customer.admin, since=(moment - timedelta(days=1)).isoformat(), limit=1)[0]) == 4


@pytest.mark.parametrize(
    ("filters", "field"),
    [
        ({"type": "nothing.known"}, "type[0]"),
        ({"after": "rubbish"}, "after"),
        ({"after": "WyJhIl0"}, "after"),
        ({"since": "2026-01-01T00:00:00"}, "since"),
        ({"since": "2026-01-01T00:00:00Z", "after": "WzFd"}, "since"),
        ({"limit": 0}, "limit"),
        ({"sort": "id"}, "sort"),
    ],
)
def test_what_is_not_understood_is_refused_by_name(customer, filters, field):
    refused = customer.admin.get("/v1/changes", params=filters)
    assert refused.status_code == 422
    assert [each["field"] for each in refused.json()["errors"]] == [field]


def test_units_above_see_the_changes_of_those_below_and_nobody_else_does(customer, api, database):
    with database.unit_of_work() as session:
        unit = make_organisation(session, kind="school", parent=customer.school)
        stranger, supplier = make_organisation(session), make_supplier(session)
    customer.happen(1, organisation=unit)
    below = signed_in(api, "purchaser", unit)
    assert [item["organisation_id"] for item in read(customer.admin)[0]] == [unit.id]
    assert len(read(below)[0]) == 1
    assert read(signed_in(api, "buyer_admin", stranger))[0] == []
    assert read(signed_in(api, "supplier_admin", supplier))[0] == []
    customer.happen(1)
    assert len(read(customer.admin)[0]) == 2
    assert len(read(below)[0]) == 1


def test_an_event_of_two_units_is_one_for_the_unit_above(customer, database):
    with database.unit_of_work() as session:
        unit = make_organisation(session, kind="school", parent=customer.school)
        customer.record(session, 1, "purchase_order.placed", customer.school, unit)
        customer.record(session, 2, "purchase_order.placed", unit, customer.school)
    customer.put_in_order()
    assert subjects(read(customer.admin)[0]) == [1, 2]
    assert subjects(read(customer.admin, limit=1)[0]) == [1, 2]


def test_officers_have_no_feed(api):
    assert signed_in(api, "county_officer", region_code="500236").get("/v1/changes").status_code == 403
    assert signed_in(api, "buyer_admin").get("/v1/changes").json()["code"] == "forbidden"


def test_the_same_event_twice_is_one_change(customer, database):
    with database.unit_of_work() as session:
        event = customer.record(session, 1, "shipment.sent", customer.school)
    for _ in range(2):
        with database.unit_of_work() as session:
            session.info["outbox_event"] = event
            feed.record(session, "shipment.sent", [feed.Concerned(customer.school.id, "shipment", 1)])
    customer.put_in_order()
    assert len(read(customer.admin)[0]) == 1


def test_the_types_are_told_in_both_languages(customer):
    english = customer.admin.get("/v1/change-types").json()["items"]
    chinese = customer.admin.get("/v1/change-types", headers={"Accept-Language": "zh"}).json()["items"]
    assert {"type": "shipment.sent", "label": "A delivery was sent"} in english
    assert {"type": "shipment.sent", "label": "已发货"} in chinese
    assert len(english) == len(chinese) == len(rules.TYPES)


# --- nothing is stepped over -----------------------------------------------------------------------------------------


def test_a_transaction_that_stays_open_is_never_stepped_over(customer, database):
    with database.session() as slow:
        customer.record(slow, 1, "shipment.sent", customer.school)  # took its number first …
        customer.happen(2)
        seen, cursor = read(customer.admin)
        assert len(seen) == 2
        slow.commit()  # … and commits last
    customer.put_in_order()
    late, _ = read(customer.admin, cursor)
    assert subjects(late) == [1]


def test_control_a_cursor_over_ids_loses_what_commits_late(customer, database):
    def over_ids(after):
        with database.unit_of_work() as session:
            return session.execute(text("SELECT id, subject_id FROM change WHERE id > :after ORDER BY id"), {"after": after}).all()

    with database.session() as slow:
        customer.record(slow, 1, "shipment.sent", customer.school)
        customer.happen(2)
        cursor = over_ids(0)[-1].id
        slow.commit()
    assert over_ids(cursor) == []  # the first change is lost


def test_many_writers_and_one_reader_miss_nothing(customer, api, database):
    """Writers that commit in any order, two sweeps, a reader that follows its cursor."""
    stop, written, lock = threading.Event(), [], threading.Lock()
    second = api.as_(customer.user)

    def write(seed):
        chance = random.Random(seed)
        for number in range(12):
            with database.unit_of_work() as session:
                subject = seed * 1000 + number
                customer.record(session, subject, "shipment.sent", customer.school)
                stop.wait(chance.random() * 0.02)
            with lock:
                written.append(subject)

    def sweep():
        while not stop.is_set():
            customer.put_in_order()
            stop.wait(0.01)

    writers = [threading.Thread(target=write, args=(seed,)) for seed in range(1, 5)]
    sweepers = [threading.Thread(target=sweep) for _ in range(2)]
    for thread in (*writers, *sweepers):
        thread.start()
    seen, cursor = [], None
    while any(thread.is_alive() for thread in writers):
        items, cursor = read(second, cursor, limit=20)
        seen += subjects(items)
    stop.set()
    for thread in sweepers:
        thread.join()
    customer.put_in_order()
    seen += subjects(read(second, cursor)[0])
    assert len(seen) == len(written) == 48
    assert sorted(seen) == sorted(written)


def test_a_sweep_does_not_wait_for_another(customer, database):
    customer.happen(1, in_order=False)
    with database.unit_of_work() as session:
        assert feed.put_in_order(session) == 1
        assert customer.put_in_order() == 0


# --- keeping ---------------------------------------------------------------------------------------------------------


def forget(database):
    with database.unit_of_work() as session:
        feed.forget_old(session)


def test_after_ninety_days_a_cursor_is_told_that_it_missed_something(customer, database):
    customer.happen(2)
    cursor = customer.admin.get("/v1/changes", params={"limit": 1}).json()["next"]
    end = read(customer.admin)[1]
    with later(days=60):
        customer.happen(1)
    with later(days=rules.CHANGES_DAYS, seconds=5):
        forget(database)
        gone = customer.admin.get("/v1/changes", params={"after": cursor})
        assert (gone.status_code, gone.json()["code"]) == (410, "cursor_expired")
        assert "90" in gone.json()["title"]
        assert len(read(customer.admin, end)[0]) == 1
        assert len(read(customer.admin)[0]) == 1
    with later(days=400):
        forget(database)
        assert read(customer.admin)[0] == []
        customer.happen(1)
        assert len(read(customer.admin)[0]) == 1
        assert customer.admin.get("/v1/changes", params={"after": end}).status_code == 410


def test_an_old_event_that_was_told_late_takes_no_younger_ones_with_it(customer, database):
    with database.unit_of_work() as session:
        event = customer.record(session, 1, "shipment.sent")
        session.execute(text("UPDATE outbox_event SET created_at = now() - interval '100 days' WHERE id = :id"), {"id": event})
    customer.happen(2)
    with database.unit_of_work() as session:
        session.info["outbox_event"] = event
        feed.record(session, "shipment.sent", [feed.Concerned(customer.school.id, "shipment", 1)])
    customer.put_in_order()
    forget(database)
    assert len(read(customer.admin)[0]) == 3


def test_customers_of_two_databases_never_share_an_event_id(api, database, customer):
    """Ids are counted anew after a restore; the moment in them tells them apart."""
    other = Customer(api, database)
    customer.happen(1)
    other.happen(1)
    ids = {read(each.admin)[0][0]["id"] for each in (customer, other)}
    assert len(ids) == 2
    with database.unit_of_work() as session:
        make_user(session, "finance", customer.school)
        row = session.execute(text("SELECT e.id, e.created_at FROM outbox_event e ORDER BY id LIMIT 1")).one()
        known = session.execute(
            text("SELECT 'evt_' || md5(:id || ':' || extract(epoch FROM CAST(:at AS timestamptz)))"),
            {"id": str(row.id), "at": row.created_at + timedelta(microseconds=1)},
        ).scalar_one()
    assert known not in ids


def test_a_cursor_from_before_a_restore_is_told_so(customer, database):
    """The positions count anew from the backup; going on in silence would step over what gets the same positions again."""
    customer.happen(3)
    end = read(customer.admin)[1]
    with database.unit_of_work() as session:
        session.execute(text("DELETE FROM change WHERE position > 1"))
        session.execute(text("UPDATE change_feed SET last_position = 1"))
    gone = customer.admin.get("/v1/changes", params={"after": end})
    assert (gone.status_code, gone.json()["code"]) == (410, "cursor_expired")
