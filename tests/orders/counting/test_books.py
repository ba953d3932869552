"""Seller's book beside buyer's: what is the same sale in both, and what stands in one only."""

import itertools

import pytest
from sqlalchemy import event, text

from orders.counting import matching
from orders.external_sales.handlers import HANDLERS
from shop.core import clock
from shop.identity.permissions import Role
from tests.factories.after_sales import deliver
from tests.factories.claims import invoice_number, make_trading
from tests.factories.identity import make_user, signed_in
from tests.factories.ledger import make_trade, sell
from tests.factories.orders import make_market


@pytest.fixture
def trading(api, database):
    return make_trading(api, database)


def match(database):
    with database.unit_of_work() as session:
        return matching.match(session)


def matches(database):
    with database.unit_of_work() as session:
        rows = session.execute(
            text("SELECT buyer_sale_id, seller_kind, seller_id, basis, difference_fen FROM book_match ORDER BY 1")
        )
        return [tuple(row) for row in rows]


def period():
    today = clock.today()
    return {"sold_from": f"{today.year}-01-01", "sold_to": f"{today.year}-12-31"}


def to_buyer(trading, **more):
    """A seller's claim that names the registered buyer."""
    return trading.accepted(buyer_id=trading.buyer.id, **more)


def unmatched(client, **more):
    return [
        (row["side"], row["sale_id"], row["reason_code"])
        for row in client.get("/v1/books/unmatched", params={**period(), **more}).json()["items"]
    ]


def test_both_books_agree_as_soon_as_the_second_claim_is_accepted(trading, database):
    """The job that matches all of them need not have run."""
    number = invoice_number()
    sold = trading.accepted(invoice=number)
    other = trading.accepted(of="neighbour", buyer_id=trading.buyer.id)
    bought = trading.accepted(of="buyer", invoice=number)
    with database.unit_of_work() as session:
        HANDLERS["external_sale.moved"](session, {"sale_id": bought["id"], "move": "accept", "at": "2026-01-01"})
    assert matches(database) == [(bought["id"], "external_sale", sold["id"], "invoice", 0)]
    assert unmatched(trading.as_("city")) == [("seller", other["id"], "no_counterpart")]


def test_an_acceptance_does_not_wait_for_whoever_matches(trading, database):
    number = invoice_number()
    sold, bought = trading.accepted(invoice=number), trading.accepted(of="buyer", invoice=number)
    with database.unit_of_work() as other:
        assert matching.match(other) == 1
        with database.unit_of_work() as session:
            session.execute(text("SET LOCAL lock_timeout = '2s'"))
            HANDLERS["external_sale.moved"](session, {"sale_id": bought["id"], "move": "accept", "at": "2026-01-01"})
    assert matches(database) == [(bought["id"], "external_sale", sold["id"], "invoice", 0)]


def test_one_invoice_in_both_books_is_one_sale(trading, database):
    number = invoice_number()
    sold, bought = trading.accepted(invoice=number), trading.accepted(of="buyer", invoice=number, amount="970.00")
    assert match(database) == 1
    assert match(database) == 0
    assert matches(database) == [(bought["id"], "external_sale", sold["id"], "invoice", -1_000)]


def test_a_number_then_amount_and_day_tell_it(trading, database):
    by_number = to_buyer(trading, order_number="jd-1", amount="111.00")
    near = to_buyer(trading, amount="112.00")
    far = to_buyer(trading, amount="113.00", sold_on=f"{clock.today().year}-01-02")
    first = trading.accepted(of="buyer", order_number="JD-1", amount="110.50")
    second = trading.accepted(of="buyer", amount="112.00")
    third = trading.accepted(of="buyer", amount="113.00")
    assert match(database) == 2
    assert matches(database) == [
        (first["id"], "external_sale", by_number["id"], "order_number", -50),
        (second["id"], "external_sale", near["id"], "amount_and_day", 0),
    ]
    found = unmatched(trading.as_("officer"))
    assert ("buyer", third["id"], "no_counterpart") in found or ("buyer", third["id"], "amount_differs") in found
    assert {row[1] for row in found} == {far["id"], third["id"]}


def test_what_a_buyer_claims_and_ordered_here_stands_in_its_book_once(api, database):
    market = make_market(database)
    trading = make_trading(api, database)
    delivered = deliver(api, market, 2)
    buyer = api.as_(market.purchaser)
    with database.unit_of_work() as session:
        fen = session.execute(text("SELECT sum(amount_fen) FROM sale_entry")).scalar_one()
        number = session.execute(text("SELECT number FROM purchase_order WHERE id = :id"), {"id": delivered.order_id}).scalar_one()
        product = session.execute(text("SELECT product_id, sku_id FROM order_line LIMIT 1")).one()
    amount = f"{fen / 100:.2f}"
    body = {
        "of": "buyer",
        "client": buyer,
        "supplier_id": market.suppliers[0].id,
        "buyer_id": market.school.id,
        "order_number": number,
        "lines": [{"product_id": product.product_id, "sku_id": product.sku_id, "quantity": "2", "amount": amount}],
    }
    sale = trading.submitted(**body)
    accepted = trading.as_("city").post(f"/v1/external-sales/{sale['id']}/accept")
    assert accepted.status_code == 200, accepted.text
    [before] = buyer.get("/v1/books", params=period()).json()["items"]
    assert (before["seller_book"], before["difference"]) == (amount, amount)
    assert match(database) == 1
    [after] = buyer.get("/v1/books", params=period()).json()["items"]
    assert (after["orders"], after["buyer_claims"], after["buyer_book"], after["matched"], after["difference"]) == (
        amount,
        "0.00",
        amount,
        amount,
        "0.00",
    )


def test_by_hand_two_are_matched_and_taken_apart_for_good(trading, database):
    sold, bought = to_buyer(trading, amount="50.00"), trading.accepted(of="buyer", amount="51.00")
    assert match(database) == 0
    assert ("buyer", bought["id"], "amount_differs") in unmatched(trading.as_("officer"))
    officer = trading.as_("officer")
    body = {"buyer_sale_id": bought["id"], "seller_kind": "external_sale", "seller_id": sold["id"], "reason": "运费差"}
    assert trading.as_("neighbours_officer").post("/v1/books/matches", json=body).status_code == 404
    made = officer.post("/v1/books/matches", json=body)
    assert (made.status_code, made.json()["difference"], made.json()["basis"]) == (201, "1.00", "by_hand")
    assert officer.post("/v1/books/matches", json=body).json()["code"] == "matched_before"
    assert unmatched(officer) == []
    assert officer.post(f"/v1/books/matches/{bought['id']}/part", json={"reason": "不是同一笔"}).status_code == 204
    with database.unit_of_work() as session:
        session.execute(text("UPDATE programme SET config = jsonb_set(config, '{counting,match_fen}', '500')"))
    assert match(database) == 0


def test_a_match_falls_with_either_claim(trading, database):
    number = invoice_number()
    sold = trading.accepted(invoice=number)
    trading.accepted(of="buyer", invoice=number, amount="970.00")
    match(database)
    trading.as_("officer").post(f"/v1/external-sales/{sold['id']}/void", json={"reason": "作废"})
    match(database)
    assert matches(database) == []


def test_each_sees_the_own_books_and_a_file_holds_all(trading):
    to_buyer(trading)
    for name in ("seller", "purchaser", "officer", "city"):
        [pair] = trading.as_(name).get("/v1/books", params=period()).json()["items"]
        assert (pair["seller_claims"], pair["buyer_book"], pair["difference"]) == ("980.00", "0.00", "-980.00")
    for name in ("neighbours_seller", "neighbours_officer"):
        assert trading.as_(name).get("/v1/books", params=period()).json()["items"] == []
    assert trading.as_("city").get("/v1/books", params={**period(), "format": "xlsx"}).content[:2] == b"PK"
    pairs = trading.as_("city").get("/v1/books", params={**period(), "format": "csv"})
    assert (pairs.status_code, pairs.content.decode("utf-8-sig").count("\n")) == (
        200,
        1 + len(trading.as_("city").get("/v1/books", params=period()).json()["items"]),
    )
    long = {"sold_from": "2020-01-01", "sold_to": "2026-01-01"}
    assert trading.as_("city").get("/v1/books", params=long).json()["code"] == "bad_period"
    monitor = signed_in(trading.api, Role.MONITOR)
    assert len(monitor.get("/v1/books", params=period()).json()["items"]) == 1


@pytest.fixture
def market(api, database):
    """Some pairs, and who looks at them."""
    with database.unit_of_work() as session:
        trade = make_trade(session)
        sell(session, trade, 30, first=clock.today().replace(day=1), last=clock.today())
        everyone = {
            "city": make_user(session, Role.CITY_OFFICER),
            "county": make_user(session, Role.COUNTY_OFFICER, region_code=trade.goods[0].district),
            "supplier": make_user(session, Role.SUPPLIER_ADMIN, trade.goods[0].supplier),
            "buyer": make_user(session, Role.VIEWER, trade.buyers[1]),
        }
    return trade, {name: api.as_(user) for name, user in everyone.items()}


def of_whole_year(database, where):
    """The pairs and what was ordered, from the ledger itself."""
    with database.unit_of_work() as session:
        rows = session.execute(
            text(
                "SELECT e.supplier_id, e.buyer_id, sum(e.amount_fen)::bigint AS fen FROM sale_entry e JOIN organisation s ON s.id = e.supplier_id"
                f" WHERE {where} GROUP BY 1, 2 ORDER BY 1, 2"
            )
        )
        return [(row.supplier_id, row.buyer_id, f"{row.fen / 100:.2f}") for row in rows]


def pages(client, limit, **more):
    after = None
    while True:
        page = client.get("/v1/books", params={**period(), "limit": limit, **more, **({"after": after} if after else {})}).json()
        yield [(row["supplier_id"], row["buyer_id"], row["orders"]) for row in page["items"]]
        if (after := page["next"]) is None:
            return


@pytest.mark.parametrize("limit", [1, 3, 200])
def test_pages_hold_every_pair_once_whoever_looks(database, market, limit):
    trade, clients = market
    district, supplier, buyer = trade.goods[0].district, trade.goods[0].supplier.id, trade.buyers[1].id
    reaches = {
        "city": "true",
        "county": f"s.region_code LIKE '{district}%'",
        "supplier": f"e.supplier_id = {supplier}",
        "buyer": f"e.buyer_id = {buyer}",
    }
    filters = [{}, {"district": district}, {"supplier_id": supplier}, {"buyer_id": buyer}]
    for (name, reach), asked in itertools.product(reaches.items(), filters):
        wanted = {
            "district": f"s.region_code LIKE '{district}%'",
            "supplier_id": f"e.supplier_id = {supplier}",
            "buyer_id": f"e.buyer_id = {buyer}",
        }
        where = " AND ".join([reach, *(wanted[field] for field in asked)])
        found = list(pages(clients[name], limit, **asked))
        assert all(len(page) <= limit for page in found)
        assert list(itertools.chain(*found)) == of_whole_year(database, where)


def test_a_page_sums_no_more_than_its_pairs(database, market):
    """What a supplier, a district or a page asks for is not reckoned from the whole city's year."""
    _, clients = market
    summed = []

    def explain(connection, cursor, statement, parameters, context, many):
        if "ordered AS MATERIALIZED" in statement and "EXPLAIN" not in statement:
            plan = connection.exec_driver_sql(f"EXPLAIN (ANALYZE, FORMAT JSON) {statement}", parameters).scalar_one()
            summed.append(next(node["Actual Rows"] for node in nodes(plan[0]["Plan"]) if node.get("Subplan Name") == "CTE ordered"))

    def nodes(plan):
        yield plan
        for below in plan.get("Plans", []):
            yield from nodes(below)

    event.listen(database.engine, "before_cursor_execute", explain)
    try:
        [one] = itertools.islice(pages(clients["city"], 1), 1)
        own = list(itertools.chain(*pages(clients["supplier"], 200)))
    finally:
        event.remove(database.engine, "before_cursor_execute", explain)
    everything = len(of_whole_year(database, "true"))
    assert summed[1] == len(own)
    assert len(one) <= summed[0] < everything
