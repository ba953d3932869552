"""A file of sales is tried in the background, and nothing of it kept."""

from datetime import timedelta

from orders.outlet_sales.actions import trying
from shop.core import clock, outbox
from shop.identity.permissions import Role
from tests.factories import tables
from tests.factories.identity import signed_in
from tests.orders.outlet_sales.conftest import Shop
from tests.orders.outlet_sales.test_files_and_reads import HEADER, operator, send
from workers.handlers import HANDLERS


def ask(client, rows, header=HEADER):
    answer = client.post("/v1/sales-file-trials", files={"file": ("sales.csv", "\n".join([header, *rows]).encode("gb18030"))})
    assert answer.status_code == 202, answer.text
    return answer.json()


def look(client, trial):
    return client.get(f"/v1/sales-file-trials/{trial['id']}").json()


def test_a_trial_answers_at_once_and_then_tells_what_a_dry_run_tells(shop: Shop):
    client, day, number = operator(shop), clock.today() - timedelta(days=1), shop.outlet.external_number
    rows = [f"{number},F1,{day} 10:00,G1,2,50.00,R1,", f"{number},F2,{day} 11:00,X,1,9.9,,", f"{number},F3,{day} 12:00,G1,1,25,,F1"]
    asked = ask(client, rows)
    assert (asked["status"], asked["rows"], asked["result"], asked["name"]) == ("reading", None, None, "sales.csv")
    with shop.database.unit_of_work() as session:
        trying.read(session, asked["id"])
    read = look(client, asked)
    assert (read["status"], read["rows"], read["done_at"]) == ("trying", 3, None)
    outbox.drain(shop.database, HANDLERS)
    done = look(client, asked)
    assert (done["status"], done["problem"]) == ("done", None)
    assert done["result"] == send(client, rows, dry_run="true").json()
    assert shop.sums()["certified"] == 0
    # its events may come once more, and others see nothing of it
    with shop.database.unit_of_work() as session:
        trying.attempt(session, asked["id"])
    assert look(client, asked) == done
    assert signed_in(shop.api, Role.CITY_OFFICER).get(f"/v1/sales-file-trials/{asked['id']}").status_code == 404
    # the file itself may be imported
    assert send(client, rows).status_code == 200


def test_a_trial_is_refused_as_the_import_is(shop: Shop):
    client, number = operator(shop), shop.outlet.external_number
    rows = [f"{number},F1,some day,G1,1,1,,", "nowhere,F2,2026-01-01,G1,1,1,,"]
    unread, wrong = ask(client, rows, header="甲,乙"), ask(client, rows)
    outbox.drain(shop.database, HANDLERS)
    assert (look(client, unread)["status"], look(client, unread)["problem"]["code"]) == ("refused", "unreadable_spreadsheet")
    told = look(client, wrong)["problem"]
    refused = send(client, rows, dry_run="true").json()
    assert (told["code"], told["title"], told["errors"]) == ("rows_refused", refused["title"], refused["errors"])


def test_of_a_file_with_several_sheets_one_is_tried(shop: Shop):
    client, number, day = operator(shop), shop.outlet.external_number, clock.today() - timedelta(days=1)
    header = HEADER.split(",")
    lines = {
        name: [header, *([number, f"{name}-{n}", f"{day} 10:0{n}", "G1", 1, 25] for n in range(more))]
        for name, more in (("11月", 1), ("12月", 2))
    }
    file = {"file": ("sales.xlsx", tables.workbook(lines))}
    unnamed, named = (client.post("/v1/sales-file-trials", files=file, data=data).json() for data in ({}, {"sheet": "12月"}))
    outbox.drain(shop.database, HANDLERS)
    assert look(client, unnamed)["problem"]["code"] == "several_sheets"
    assert (look(client, named)["rows"], look(client, named)["result"]["rows"]) == (2, 2)


def test_what_came_of_trials_is_forgotten_after_a_month(shop: Shop):
    client = operator(shop)
    trial = ask(client, ["x"])
    with clock.fixed(clock.now() + timedelta(days=31)), shop.database.unit_of_work() as session:
        trying.forget_old(session)
    assert client.get(f"/v1/sales-file-trials/{trial['id']}").status_code == 404
