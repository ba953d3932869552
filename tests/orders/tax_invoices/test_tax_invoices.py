"""The register of tax invoices: digits, what they are for, numbers that come twice."""

from concurrent.futures import ThreadPoolExecutor
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text

from orders.tax_invoices import rules
from orders.tax_invoices.actions import registering as actions
from orders.tax_invoices.rules import normal, wrong_number
from shop.core import clock, outbox
from shop.identity.permissions import Role
from tests.conftest import connect
from tests.databases import step
from tests.factories.after_sales import deliver, rows, token_of
from tests.factories.catalog import PDF
from tests.factories.identity import signed_in
from tests.factories.orders import make_market
from tests.orders.invoices.test_invoices import issue
from workers.handlers import HANDLERS

NUMBER = f"{clock.today().year % 100}502000000012345678"


@pytest.fixture
def market(database):
    return make_market(database)


@pytest.fixture
def invoiced(api, market):
    """An invoice of 699.00 of the first seller."""
    delivered = deliver(api, market, 10)
    return step(api.database, "invoiced", lambda: issue(api.as_(market.sellers[0]), delivered.part).json())


def finance(api, region_code=None):
    """Somebody who keeps the money of a region."""
    return signed_in(api, Role.PLATFORM_FINANCE, region_code=region_code)


def said(number=NUMBER, **more):
    return {"number": number, "type": "ordinary", "issued_on": str(clock.today()), "gross": "699.00", "vat": "57.72", **more}


def register(client, *invoices):
    return client.post("/v1/tax-invoices", json={"invoices": list(invoices)})


def test_from_the_registration_to_the_red_letter(api, database, market, invoiced):
    seller, buyer = api.as_(market.sellers[0]), api.as_(market.finance)
    assert [row["id"] for row in buyer.get("/v1/tax-invoices/missing").json()["items"]] == [invoiced["id"]]
    made = register(seller, said(f"{NUMBER[:10]} {NUMBER[10:]}", invoice_ids=[invoiced["id"]]))
    assert made.status_code == 201, made.text
    [blue] = made.json()
    assert (blue["number"], blue["status"], blue["expected"], blue["difference"]) == (NUMBER, "registered", "699.00", "0.00")
    assert buyer.get("/v1/tax-invoices/missing").json()["items"] == []
    with_file = seller.post(f"/v1/tax-invoices/{blue['id']}/file", files={"file": ("发票.pdf", PDF)})
    assert with_file.json()["has_file"] is True
    assert buyer.get(f"/v1/tax-invoices/{blue['id']}/file").content == PDF
    assert seller.post(f"/v1/tax-invoices/{blue['id']}/file", files={"file": ("b.pdf", PDF)}).json()["code"] == "has_file"

    note = seller.post(f"/v1/invoices/{invoiced['id']}/credit-notes", json={"reason": "issued_in_error"}).json()
    [open_note] = buyer.get("/v1/tax-invoices/missing", params={"credit_notes": True}).json()["items"]
    assert (open_note["id"], open_note["kind"]) == (note["id"], "credit_note")
    red = register(seller, said(NUMBER[:-1] + "9", red=True, red_letter_of_id=blue["id"], credit_note_ids=[note["id"]]))
    assert red.status_code == 201, red.text
    assert (red.json()[0]["expected"], red.json()[0]["red_letter_of_id"]) == ("699.00", blue["id"])
    assert buyer.get("/v1/tax-invoices/missing", params={"credit_notes": True}).json()["items"] == []
    listed = buyer.get("/v1/tax-invoices", params={"red": True}).json()["items"]
    assert [row["id"] for row in listed] == [red.json()[0]["id"]]
    for asked in ({"purchase_order_id": invoiced["purchase_order_id"]}, {"supplier_order_id": invoiced["supplier_order_id"]}):
        found = buyer.get("/v1/tax-invoices", params=asked).json()["items"]
        assert {row["id"] for row in found} == {blue["id"], red.json()[0]["id"]}
        assert buyer.get("/v1/tax-invoices", params={name: value + 1 for name, value in asked.items()}).status_code == 422
    assert buyer.get("/v1/tax-invoices", params={"format": "xlsx"}).content.startswith(b"PK")
    outbox.drain(database, HANDLERS)
    assert "tax_invoice.registered" in {row["kind"] for row in buyer.get("/v1/notifications").json()["items"]}


def test_amounts_that_differ_are_shown(api, market, invoiced):
    seller = api.as_(market.sellers[0])
    [one] = register(seller, said(gross="600.00", vat="49.54", invoice_ids=[invoiced["id"]])).json()
    assert (one["expected"], one["difference"]) == ("699.00", "-99.00")
    [other] = register(seller, said(NUMBER[:-1] + "0", gross="99.00", vat="8.17", invoice_ids=[invoiced["id"]])).json()
    # two for one invoice together
    assert other["difference"] == "0.00"
    assert seller.get(f"/v1/tax-invoices/{one['id']}").json()["difference"] == "0.00"


def test_a_tax_invoice_may_be_for_accepted_deliveries(api, market):
    seller = api.as_(market.sellers[0])
    first, second = deliver(api, market, 2), deliver(api, market, 3)
    [made] = register(seller, said(gross="349.50", vat="28.86", shipment_ids=[first.shipment, second.shipment])).json()
    assert (made["expected"], made["difference"]) == ("349.50", "0.00")
    assert [cover["gross"] for cover in made["covers"]] == ["139.80", "209.70"]
    waiting = deliver(api, market, 1, accept=False)
    refused = register(seller, said(NUMBER[:-1] + "1", shipment_ids=[waiting.shipment]))
    assert (refused.status_code, refused.json()["errors"][0]["code"]) == (422, "unknown_cover")


def test_a_delivery_is_not_named_beside_the_invoice_that_it_stands_in(api, market):
    seller = api.as_(market.sellers[0])
    done, other = deliver(api, market, 2), deliver(api, market, 1)
    invoice = issue(seller, done.part).json()["id"]
    refused = register(seller, said(gross="209.70", invoice_ids=[invoice], shipment_ids=[other.shipment, done.shipment]))
    assert [(fault["field"], fault["code"]) for fault in refused.json()["errors"]] == [
        ("invoices[0].shipment_ids[1]", "covered_twice")
    ]
    [made] = register(seller, said(gross="209.70", invoice_ids=[invoice], shipment_ids=[other.shipment])).json()
    assert (made["expected"], made["difference"]) == ("209.70", "0.00")


def test_the_same_number_twice_in_one_claim_is_held(api, database, market, invoiced):
    seller = api.as_(market.sellers[0])
    made = register(seller, said(invoice_ids=[invoiced["id"]]), said(invoice_ids=[invoiced["id"]])).json()
    assert [row["status"] for row in made] == ["held", "held"]
    path = f"/v1/tax-invoices/{made[0]['id']}"
    cashier = finance(api)
    offered = {seller: ["void"], cashier: ["clear", "refuse"], api.as_(market.finance): []}
    for client, moves in offered.items():
        assert client.get(path).json()["possible_actions"] == moves
        for action in ("clear", "refuse", "void"):
            answer = client.post(f"{path}/{action}", json={"reason": "x"}, headers={"If-Match": '"999"'})
            assert answer.status_code == 412 if action in moves else answer.status_code in (403, 404), action
    # held ones do not count
    assert [row["id"] for row in seller.get("/v1/tax-invoices/missing").json()["items"]] == [invoiced["id"]]


@pytest.mark.slow
def test_the_same_number_of_another_supplier_is_held_until_finance_decides(api, database, market, invoiced):
    mine, other, buyer = api.as_(market.sellers[0]), api.as_(market.sellers[1]), api.as_(market.finance)
    [first] = register(mine, said(invoice_ids=[invoiced["id"]])).json()
    honey = issue(other, deliver(api, market, None, 2, of=1).part).json()
    [second] = register(other, said(gross="300.00", vat="0.00", invoice_ids=[honey["id"]])).json()
    assert second["status"] == "held"
    assert mine.get(f"/v1/tax-invoices/{first['id']}").json()["status"] == "held"
    # whose the other one is, only who decides sees
    assert second["same_number"] == []
    cashier = finance(api)
    queue = cashier.get("/v1/tax-invoices", params={"status": "held"}).json()["items"]
    assert {row["id"] for row in queue} == {first["id"], second["id"]}
    seen = cashier.get(f"/v1/tax-invoices/{second['id']}").json()
    assert [one["id"] for one in seen["same_number"]] == [first["id"]]
    assert other.post(f"/v1/tax-invoices/{second['id']}/clear", json={"reason": "x"}).status_code == 403
    far, near = finance(api, "500229"), finance(api, "500106")
    outbox.drain(database, HANDLERS)
    assert [row["subject_id"] for row in near.get("/v1/notifications").json()["items"]] == [second["id"]]
    assert far.post(f"/v1/tax-invoices/{second['id']}/clear", json={"reason": "x"}).status_code == 404
    cleared = cashier.post(f"/v1/tax-invoices/{first['id']}/clear", json={"reason": "票面核验一致"})
    assert (cleared.status_code, cleared.json()["status"], cleared.json()["decision"]) == (200, "cleared", "票面核验一致")
    both = cashier.post(f"/v1/tax-invoices/{second['id']}/clear", json={"reason": "x"})
    assert (both.status_code, both.json()["code"]) == (409, "number_counted")
    refused = cashier.post(f"/v1/tax-invoices/{second['id']}/refuse", json={"reason": "号码属于另一单位"})
    assert refused.json()["status"] == "refused"
    assert cashier.post(f"/v1/tax-invoices/{second['id']}/refuse", json={"reason": "x"}).json()["code"] == "illegal_move"
    # who decides was told once, and nobody elsewhere
    told = cashier.get("/v1/notifications").json()["items"]
    assert [(row["kind"], row["subject_id"]) for row in told] == [("tax_invoice.to_decide", second["id"])]
    assert told[0]["data"]["number"] == NUMBER
    assert far.get("/v1/notifications").json()["items"] == []
    outbox.drain(database, HANDLERS)
    told = {row["kind"] for row in buyer.get("/v1/notifications").json()["items"]}
    assert {"tax_invoice.held", "tax_invoice.cleared", "tax_invoice.refused"} <= told
    assert "tax_invoice.refused" in {row["kind"] for row in other.get("/v1/notifications").json()["items"]}


def test_digits_of_another_province_than_the_sellers_are_told(api, market, invoiced):
    """It counts nevertheless: a seller that moved keeps its credit code."""
    seller = api.as_(market.sellers[0])
    elsewhere = NUMBER[:2] + "44" + NUMBER[4:]
    for number, expected in ((NUMBER, False), (elsewhere, True)):
        [made] = register(seller, said(number, invoice_ids=[invoiced["id"]])).json()
        assert (made["status"], made["other_province"]) == ("registered", expected)
        shown = seller.get("/v1/tax-invoices", params={"status": "registered"}).json()["items"]
        assert [(each["number"], each["other_province"]) for each in shown] == [(number, expected)]
        seller.post(f"/v1/tax-invoices/{made['id']}/void", json={"reason": "录错"})
    file = seller.get("/v1/tax-invoices", params={"format": "csv"}, headers={"Accept-Language": "zh"})
    assert "省份与销售方不符" in file.text


@pytest.mark.parametrize(
    ("code", "number", "uscc", "other"),
    [
        (None, "26502000000012345678", "915002360000000000", False),
        (None, "26442000000012345678", "915002360000000000", True),
        (None, "26952000000012345678", "914403000000000000", False),
        (None, "26952000000012345678", "913302000000000000", True),
        ("050002600111", "12345678", "915002360000000000", False),
        ("5000261130", "12345678", "915002360000000000", False),
        ("4400261130", "12345678", "915002360000000000", True),
        # registered with the State: its credit code names no province
        (None, "26502000000012345678", "911000000000000000", False),
    ],
)
def test_the_province_of_digits_against_that_of_a_credit_code(code, number, uscc, other):
    assert rules.other_province(code, number, uscc) is other


def test_a_voided_number_is_free_again(api, market, invoiced):
    seller = api.as_(market.sellers[0])
    [first] = register(seller, said(invoice_ids=[invoiced["id"]])).json()
    assert seller.post(f"/v1/tax-invoices/{first['id']}/void", json={"reason": "录错"}).json()["status"] == "void"
    assert register(seller, said(invoice_ids=[invoiced["id"]])).json()[0]["status"] == "registered"


def test_all_faults_are_told_at_once_and_nothing_is_registered(api, database, market, invoiced):
    seller, other = api.as_(market.sellers[0]), api.as_(market.sellers[1])
    honey = issue(other, deliver(api, market, None, 1, of=1).part).json()
    good = said(invoice_ids=[invoiced["id"]])
    answer = register(
        seller,
        good,
        said("123", invoice_ids=[invoiced["id"]]),
        said("12345678", code="050002600111", issued_on="2099-01-01", invoice_ids=[invoiced["id"]]),
        said(NUMBER[:2] + "99" + NUMBER[4:], invoice_ids=[invoiced["id"]]),
        said(NUMBER[:-1] + "2"),
        said(NUMBER[:-1] + "3", invoice_ids=[honey["id"]]),
        said("1234567", code="12", invoice_ids=[invoiced["id"]]),
    )
    assert answer.status_code == 422
    found = {(fault["field"], fault["code"]) for fault in answer.json()["errors"]}
    assert {
        ("invoices[1].number", "not_20_digits"),
        ("invoices[2].issued_on", "issued_in_future"),
        ("invoices[3].number", "no_such_province"),
        ("invoices[4]", "covers_nothing"),
        ("invoices[5].invoice_ids[0]", "unknown_cover"),
        ("invoices[6].code", "not_10_or_12_digits"),
        ("invoices[6].number", "not_8_digits"),
    } <= found
    assert rows(database, "SELECT count(*) FROM tax_invoice") == [(0,)]
    for wrong in ({"vat": "700.00"}, {"red": True}, {"gross": "0"}, {"number": "\u202e1"}, {"red_letter_of_id": 1}, {"type": "x"}):
        assert register(seller, {**good, **wrong}).status_code == 422
    assert register(api.as_(market.purchaser), good).status_code == 403


def at_once(api, database, claims):
    """Claims (user, tax invoices) at once, each on a connection of its own; the answers in their order."""
    sent = [(token_of(database, user), invoices) for user, invoices in claims]

    def send(claim):
        token, invoices = claim
        return register(connect(str(api.base_url), database, {"Authorization": f"Bearer {token}"}), *invoices)

    with ThreadPoolExecutor(len(sent)) as pool:
        return list(pool.map(send, sent))


def claims_of_the_same(api, market):
    """Claims of two sellers that name the same three numbers, some of them twice and each in another order."""
    mine = issue(api.as_(market.sellers[0]), deliver(api, market, 1).part).json()["id"]
    honey = issue(api.as_(market.sellers[1]), deliver(api, market, None, 2, of=1).part).json()["id"]
    orders = ("abc", "cba", "bca", "aab", "cc", "bac", "a", "b")
    numbers = {letter: NUMBER[:-1] + str(place) for place, letter in enumerate("abc")}
    return [
        (market.sellers[n % 2], [said(numbers[letter], invoice_ids=[(mine, honey)[n % 2]]) for letter in letters])
        for n, letters in enumerate(orders)
    ]


@pytest.mark.slow
def test_of_many_claims_that_name_the_same_numbers_at_once_none_counts(api, database, market):
    """Of two sellers all are held, since nobody is first by luck; what one seller says again adds nothing; and no claim waits for another in a ring."""
    claims = claims_of_the_same(api, market)
    answers = at_once(api, database, claims)
    assert [answer.status_code for answer in answers] == [201] * len(claims), [answer.text for answer in answers]
    # of each seller and number as many as its longest claim names: a, b, c twice; a twice, b, c
    assert rows(database, "SELECT status, count(*) FROM tax_invoice GROUP BY 1") == [("held", 8)]
    outbox.drain(database, HANDLERS)
    told = finance(api).get("/v1/notifications").json()["items"]
    assert {row["data"]["number"] for row in told} == {each["number"] for _, listed in claims for each in listed}


@pytest.mark.slow
def test_one_seller_that_registers_the_same_twenty_times_at_once_has_registered_it_once(api, database, market, invoiced):
    claim = [said(invoice_ids=[invoiced["id"]])]
    answers = at_once(api, database, [(market.sellers[0], claim)] * 20)
    assert {answer.status_code for answer in answers} == {201}, [answer.text for answer in answers]
    assert len({answer.json()[0]["id"] for answer in answers}) == 1
    assert rows(database, "SELECT status FROM tax_invoice") == [("registered",)]
    assert rows(database, "SELECT count(*) FROM audit_event WHERE action = 'tax_invoice.registered'") == [(1,)]
    outbox.drain(database, HANDLERS)
    assert finance(api).get("/v1/notifications").json()["items"] == []


def test_the_same_number_for_anything_else_is_held(api, market, invoiced):
    seller = api.as_(market.sellers[0])
    [first] = register(seller, said(invoice_ids=[invoiced["id"]])).json()
    other = issue(seller, deliver(api, market, 1).part).json()["id"]
    again, repeat = register(seller, said(note="再次登记", invoice_ids=[invoiced["id"]]), said(invoice_ids=[other])).json()
    assert (again["id"], again["status"], repeat["status"]) == (first["id"], "held", "held")
    # held or not, what is said again is what is there
    assert register(seller, said(invoice_ids=[other])).json()[0]["id"] == repeat["id"]
    # another amount is another invoice
    [more] = register(seller, said(gross="600.00", vat="49.54", invoice_ids=[invoiced["id"]])).json()
    assert (more["id"] not in (first["id"], repeat["id"]), more["status"]) == (True, "held")


def test_a_red_letter_that_is_registered_again_takes_nothing_more_back(api, database, market, invoiced):
    seller = api.as_(market.sellers[0])
    [blue] = register(seller, said(invoice_ids=[invoiced["id"]])).json()
    note = seller.post(f"/v1/invoices/{invoiced['id']}/credit-notes", json={"reason": "issued_in_error"}).json()
    red = said(NUMBER[:-1] + "9", red=True, red_letter_of_id=blue["id"], credit_note_ids=[note["id"]])
    answers = at_once(api, database, [(market.sellers[0], [red])] * 4)
    assert [answer.status_code for answer in answers] == [201] * 4, [answer.text for answer in answers]
    assert rows(database, "SELECT count(*), sum(gross_fen)::bigint FROM tax_invoice WHERE red") == [(1, 69900)]


@pytest.mark.slow
@pytest.mark.control
def test_without_the_lock_one_of_them_is_lost(api, database, market, monkeypatch):
    """The control: the constraint alone refuses those that came at the same moment, and the reviewer never hears of them."""
    monkeypatch.setattr(actions, "_HOLD_NUMBERS", text("SELECT CAST(:keys AS text)"))
    # all of them look before the first one writes
    same = "SELECT id, code, number, status FROM tax_invoice WHERE (SELECT pg_sleep(0.8)::text) IS NOT NULL AND number = ANY (CAST(:numbers AS text[]))"
    monkeypatch.setattr(actions, "_SAME", text(same))
    seller = market.sellers[0]
    invoices = [issue(api.as_(seller), deliver(api, market, 1).part).json()["id"] for _ in range(6)]
    answers = at_once(api, database, [(seller, [said(invoice_ids=[one])]) for one in invoices])
    assert 409 in {answer.status_code for answer in answers}


def test_red_letters_take_back_at_most_what_was_invoiced_whoever_comes_at_once(api, database, market, invoiced):
    seller = api.as_(market.sellers[0])
    [blue] = register(seller, said(invoice_ids=[invoiced["id"]])).json()
    note = seller.post(f"/v1/invoices/{invoiced['id']}/credit-notes", json={"reason": "issued_in_error"}).json()

    def red(last, gross="300.00", **more):
        return said(
            NUMBER[:-1] + last, red=True, red_letter_of_id=blue["id"], credit_note_ids=[note["id"]], gross=gross, vat="0.00", **more
        )

    answers = at_once(api, database, [(market.sellers[0], [red(str(place))]) for place in (0, 1, 2, 3)])
    assert sorted(answer.status_code for answer in answers) == [201, 201, 422, 422]
    refused = next(answer for answer in answers if answer.status_code == 422).json()
    assert (refused["errors"][0]["field"], refused["errors"][0]["code"]) == ("invoices[0].red_letter_of_id", "more_than_invoiced")
    # 99.00 are left: of two in one claim the second is too much
    twice = register(seller, red("4", "60.00"), red("5", "60.00"))
    assert [fault["field"] for fault in twice.json()["errors"]] == ["invoices[1].red_letter_of_id"]
    assert register(seller, red("6", "99.00")).status_code == 201
    # what is taken back is not voided under it
    voided = seller.post(f"/v1/tax-invoices/{blue['id']}/void", json={"reason": "x"})
    assert (voided.status_code, voided.json()["code"]) == (409, "has_red_letter")
    assert rows(database, "SELECT sum(gross_fen)::bigint FROM tax_invoice WHERE red") == [(69900,)]


def test_a_red_letter_names_an_invoice_between_the_same_two(api, market, invoiced):
    seller, other = api.as_(market.sellers[0]), api.as_(market.sellers[1])
    honey = issue(other, deliver(api, market, None, 2, of=1).part).json()
    [foreign] = register(other, said(gross="300.00", vat="0.00", invoice_ids=[honey["id"]])).json()
    note = seller.post(f"/v1/invoices/{invoiced['id']}/credit-notes", json={"reason": "issued_in_error"}).json()
    for wrong in (foreign["id"], 999_999):
        refused = register(seller, said(NUMBER[:-1] + "0", red=True, red_letter_of_id=wrong, credit_note_ids=[note["id"]]))
        assert [fault["code"] for fault in refused.json()["errors"]] == ["unknown_invoice"]
    # one that is void takes nothing back
    [blue] = register(seller, said(NUMBER[:-1] + "1", invoice_ids=[invoiced["id"]])).json()
    seller.post(f"/v1/tax-invoices/{blue['id']}/void", json={"reason": "录错"})
    refused = register(seller, said(NUMBER[:-1] + "0", red=True, red_letter_of_id=blue["id"], credit_note_ids=[note["id"]]))
    assert [fault["code"] for fault in refused.json()["errors"]] == ["unknown_invoice"]


def test_what_one_is_for_and_another_too_is_compared_together(api, market):
    """A is for two invoices, B for one of them: both say what all of it differs by."""
    seller = api.as_(market.sellers[0])
    two = [issue(seller, deliver(api, market, n).part).json() for n in (1, 2)]
    [both] = register(seller, said(NUMBER[:-1] + "0", gross="200.00", vat="0", invoice_ids=[one["id"] for one in two])).json()
    [one] = register(seller, said(NUMBER[:-1] + "1", gross="9.70", vat="0", invoice_ids=[two[1]["id"]])).json()
    assert (one["expected"], one["difference"]) == ("139.80", "0.00")
    assert seller.get(f"/v1/tax-invoices/{both['id']}").json()["difference"] == "0.00"
    assert seller.post(f"/v1/tax-invoices/{one['id']}/void", json={"reason": "录错"}).json()["difference"] is None
    assert seller.get(f"/v1/tax-invoices/{both['id']}").json()["difference"] == "-9.70"


def test_the_sums_of_the_register_agree_with_the_own_books(api, database, market, invoiced):
    seller, other, buyer = api.as_(market.sellers[0]), api.as_(market.sellers[1]), api.as_(market.finance)
    cashier = finance(api)

    def total(client, **asked):
        return client.get("/v1/tax-invoices/totals", params=asked).json()

    def books(told):
        return [told[name] for name in ("invoiced", "credited", "missing", "red_missing", "difference")]

    assert books(total(cashier, by="seller")["total"]) == ["699.00", "0.00", "699.00", "0.00", "0.00"]
    # one agrees, one is 1.00 too little, one is for a delivery without invoice, one is held
    [blue] = register(seller, said(invoice_ids=[invoiced["id"]])).json()
    honey = issue(other, deliver(api, market, None, 2, of=1).part).json()
    low = f"{float(honey['gross']) - 1:.2f}"
    register(other, said(NUMBER[:-1] + "0", gross=low, vat="0", invoice_ids=[honey["id"]]))
    loose = deliver(api, market, 1)
    register(seller, said(NUMBER[:-1] + "1", gross="69.90", vat="5.77", shipment_ids=[loose.shipment]))
    waiting = issue(seller, deliver(api, market, 2).part).json()
    register(seller, *[said(NUMBER[:-1] + "2", gross="139.80", invoice_ids=[waiting["id"]], vat="0")] * 2)
    note = seller.post(f"/v1/invoices/{invoiced['id']}/credit-notes", json={"reason": "issued_in_error"}).json()

    by_seller = total(cashier, by="seller")
    mine, theirs = by_seller["items"]
    assert mine["seller_name"] == invoiced["seller"]["name"]
    assert (mine["blue"], mine["held"], mine["unlinked"]) == ({"count": 2, "gross": "768.90", "vat": "63.49"}, 2, "69.90")
    assert books(mine) == ["838.80", "699.00", "139.80", "699.00", "0.00"]
    assert books(theirs) == [honey["gross"], "0.00", "0.00", "0.00", "-1.00"]
    assert by_seller["total"]["difference"] == "-1.00"
    # the red letter closes it
    register(seller, said(NUMBER[:-1] + "3", red=True, red_letter_of_id=blue["id"], credit_note_ids=[note["id"]]))
    [mine] = total(cashier, by="seller", seller_id=invoiced["seller_id"])["items"]
    assert (mine["red"]["gross"], *books(mine)) == ("699.00", "838.80", "699.00", "139.80", "0.00", "0.00")
    by_month = total(buyer, by="month")
    assert [row["place"] for row in by_month["items"]] == [f"{clock.today():%Y-%m}"]
    assert by_month["items"][0]["difference"] is None
    assert by_month["total"]["difference"] == "-1.00"
    by_status = {row["place"]: row["blue"]["count"] for row in total(seller)["items"]}
    assert by_status == {"held": 2, "registered": 2}
    assert (total(seller)["total"]["blue"]["count"], total(seller)["total"]["held"]) == (2, 2)
    # a supplier sees its own; pages and files
    assert [row["seller_name"] for row in total(other, by="seller")["items"]] == [theirs["seller_name"]]
    first = total(cashier, by="seller", limit=1)
    assert total(cashier, by="seller", limit=1, after=first["next"])["items"][0]["seller_name"] == theirs["seller_name"]
    table = (
        cashier.get("/v1/tax-invoices/totals", params={"by": "seller", "format": "csv"}).content.decode("utf-8-sig").splitlines()
    )
    assert len(table) == 3
    assert [line.split(",")[0] for line in table[1:]] == [mine["seller_name"], theirs["seller_name"]]
    assert cashier.get("/v1/tax-invoices/totals", params={"by": "status", "format": "xlsx"}).content.startswith(b"PK")
    for path, place in (("totals", 0), ("", 13)):
        asked, chinese = {"by": "status"} if path else {}, {"Accept-Language": "zh"}
        answer = cashier.get(f"/v1/tax-invoices/{path}".rstrip("/"), params={**asked, "format": "csv"}, headers=chinese)
        table = answer.content.decode("utf-8-sig").splitlines()[1:]
        assert {line.split(",")[place] for line in table} - {""} == {"已登记", "待审核"}, table
    assert cashier.get("/v1/tax-invoices/totals", params={"by": "buyer"}).status_code == 422
    assert cashier.get("/v1/tax-invoices/totals", params={"after": "x"}).status_code == 422


def test_what_lacks_a_tax_invoice_is_found_by_side_and_day_and_is_a_file(api, market, invoiced):
    seller, buyer = api.as_(market.sellers[0]), api.as_(market.finance)
    honey = issue(api.as_(market.sellers[1]), deliver(api, market, None, 2, of=1).part).json()

    def found(**asked):
        return [row["id"] for row in buyer.get("/v1/tax-invoices/missing", params=asked).json()["items"]]

    assert found() == [honey["id"], invoiced["id"]]
    assert found(seller_id=invoiced["seller_id"]) == [invoiced["id"]]
    assert found(issued_to="2020-01-01") == []
    table = buyer.get("/v1/tax-invoices/missing", params={"format": "csv"}).content.decode("utf-8-sig").splitlines()
    assert [line.split(",")[0] for line in table] == ["number", honey["number"], invoiced["number"]]
    # registered by the delivery that stands in it: then its credit note needs a red letter as well
    done = deliver(api, market, 1)
    mine = issue(seller, done.part).json()
    register(seller, said(gross="69.90", vat="5.77", shipment_ids=[done.shipment]))
    assert mine["id"] not in found()
    note = seller.post(f"/v1/invoices/{mine['id']}/credit-notes", json={"reason": "issued_in_error"}).json()
    assert found(credit_notes=True) == [note["id"]]


def test_digits():
    today = date(2026, 11, 26)
    assert wrong_number(None, "26502000000012345678", date(2026, 11, 1), today) == []
    assert [found[1] for found in wrong_number(None, "25502000000012345678", date(2026, 11, 1), today)] == ["wrong_year"]
    assert wrong_number("050002600111", "12345678", date(2026, 11, 1), today) == []
    assert wrong_number("5000251130", "12345678", date(2026, 11, 1), today) == []
    assert [found[1] for found in wrong_number("5000271130", "12345678", date(2026, 11, 1), today)] == ["wrong_year"]
    assert normal("２６50 2000-0000 1234 5678") == "26502000000012345678"


@given(st.text(max_size=30), st.one_of(st.none(), st.text(max_size=15)), st.dates(date(2000, 1, 1), date(2100, 1, 1)))
def test_whatever_is_written_is_judged(number, code, issued_on):
    wrong = wrong_number(code, number, issued_on, date(2026, 11, 26))
    assert wrong or len(number) in (8, 20)


def test_a_red_letter_takes_back_only_an_invoice_for_the_same(api, market, invoiced):
    """Of two invoices between the same two, the one whose goods are credited; named by its number, by its delivery, or by a paper of its order."""
    seller = api.as_(market.sellers[0])
    other = deliver(api, market, 10)
    [mine] = register(seller, said(NUMBER[:-1] + "0", invoice_ids=[invoiced["id"]])).json()
    [theirs] = register(seller, said(NUMBER[:-1] + "1", shipment_ids=[other.shipment])).json()
    note = seller.post(f"/v1/invoices/{invoiced['id']}/credit-notes", json={"reason": "issued_in_error"}).json()

    def red(last, blue, **more):
        return register(seller, said(NUMBER[:-1] + last, red=True, red_letter_of_id=blue["id"], **more))

    refused = red("2", theirs, credit_note_ids=[note["id"]])
    assert [(fault["field"], fault["code"]) for fault in refused.json()["errors"]] == [
        ("invoices[0].red_letter_of_id", "other_invoice")
    ]
    assert red("2", mine, credit_note_ids=[note["id"]]).status_code == 201
    # the delivery's invoice is issued later, and its credit note takes back what was registered for the delivery
    later = issue(seller, other.part).json()
    second = seller.post(f"/v1/invoices/{later['id']}/credit-notes", json={"reason": "issued_in_error"}).json()
    assert red("3", mine, credit_note_ids=[second["id"]]).status_code == 422
    assert red("3", theirs, credit_note_ids=[second["id"]]).status_code == 201


def reds_at_once(api, database, market, invoiced):
    """Red-letter invoices for the whole of one credit note at once, each with a number of its own, and none says what it takes back; how many were taken."""
    seller = api.as_(market.sellers[0])
    register(seller, said(invoice_ids=[invoiced["id"]]))
    note = seller.post(f"/v1/invoices/{invoiced['id']}/credit-notes", json={"reason": "issued_in_error"}).json()
    claims = [said(NUMBER[:-1] + str(place), red=True, credit_note_ids=[note["id"]]) for place in range(6)]
    answers = at_once(api, database, [(market.sellers[0], [claim]) for claim in claims])
    codes = {fault["code"] for answer in answers if answer.status_code == 422 for fault in answer.json()["errors"]}
    return [answer.status_code for answer in answers].count(201), codes


def test_a_credit_note_has_red_letters_for_no_more_than_it_is(api, database, market, invoiced):
    assert reds_at_once(api, database, market, invoiced) == (1, {"credited_already"})


@pytest.mark.control
def test_without_the_lock_it_would_have_several(api, database, market, invoiced, monkeypatch):
    """The control: when this fails, the test above proves nothing."""
    monkeypatch.setattr(actions, "_HOLD_NUMBERS", text("SELECT CAST(:keys AS text)"))
    left = actions._NOTES_LEFT.text.replace("SELECT n.id, (", "SELECT n.id, (SELECT length(pg_sleep(0.8)::text)) + (", 1)
    monkeypatch.setattr(actions, "_NOTES_LEFT", text(left))
    assert reds_at_once(api, database, market, invoiced)[0] > 1


def test_vat_that_differs_is_shown_and_stands_in_the_months_close(api, market, invoiced):
    seller = api.as_(market.sellers[0])
    [one] = register(seller, said(vat="50.00", invoice_ids=[invoiced["id"]])).json()
    assert (one["expected_vat"], one["difference"], one["vat_difference"]) == (
        invoiced["vat"],
        "0.00",
        f"{50 - float(invoiced['vat']):.2f}",
    )
    close = {"month": str(clock.today())[:7]}
    assert seller.get("/v1/month-close", params=close).json()["items"][0]["gaps"] == ["tax_invoice_differs"]
    seller.post(f"/v1/tax-invoices/{one['id']}/void", json={"reason": "录错"})
    [other] = register(seller, said(NUMBER[:-1] + "0", vat=invoiced["vat"], invoice_ids=[invoiced["id"]])).json()
    assert (other["difference"], other["vat_difference"]) == ("0.00", "0.00")
    assert seller.get("/v1/month-close", params=close).json()["items"][0]["gaps"] == []


def test_for_exempt_goods_there_is_no_special_invoice(api, market):
    """增值税暂行条例 §21(2)."""
    seller = api.as_(market.sellers[1])
    done = deliver(api, market, None, 2, of=1)
    honey = issue(seller, done.part).json()
    assert honey["vat"] == "0.00"
    for covers in ({"invoice_ids": [honey["id"]]}, {"shipment_ids": [done.shipment]}):
        refused = register(seller, said(type="special", gross="300.00", vat="0.00", **covers))
        assert [(fault["field"], fault["code"]) for fault in refused.json()["errors"]] == [
            ("invoices[0].type", "special_for_exempt")
        ]
    assert register(seller, said(gross="300.00", vat="0.00", invoice_ids=[honey["id"]])).status_code == 201
