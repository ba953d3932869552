"""With first sales counted, what an operator bought here and sells on does not count a second time."""

from sqlalchemy import text

from shop.core import clock
from tests.factories.ledger import sell
from tests.factories.outlets import sale
from tests.orders.outlet_sales.conftest import Shop


def buy(shop: Shop, quantity: int) -> None:
    """The operator has bought so much of G1 here: an entry of the marketplace."""
    with shop.database.unit_of_work() as session:
        sell(session, shop.trade, 40, first=clock.today().replace(day=1), last=clock.today(), seed=3)
        made = session.execute(
            text("SELECT id, quantity FROM sale_entry WHERE product_id = :p AND source = 'platform' ORDER BY id LIMIT 1"),
            {"p": shop.trade.goods[0].made.product_id},
        ).one()
        session.execute(
            text(
                "INSERT INTO sale_entry SELECT (jsonb_populate_record(e, jsonb_build_object('id', 990000, 'origin_kind', 'history', 'origin_id', 990000,"
                " 'buyer_id', CAST(:buyer AS bigint), 'quantity', CAST(:quantity AS int), 'grams', CAST(:quantity AS int) * 750))).*"
                " FROM sale_entry e WHERE id = :id"
            ),
            {"buyer": shop.outlet.operator_id, "quantity": quantity, "id": made.id},
        )


def test_what_was_bought_here_is_resale_up_to_the_quantity_bought(shop: Shop):
    buy(shop, 5)
    shop.send(shop.till.batch([sale("1", "G1", 3), sale("2", "G2", 1), sale("3", "G1", 1)]))
    assert shop.sums() == {"certified": 2500, "other": 0, "resale": 10000, "grams": 750}
    # one is left of what was bought: the line that goes beyond it is resale as a whole, the next counts
    shop.send(shop.till.batch([sale("4", "G1", 2)]))
    shop.send(shop.till.batch([sale("5", "G1", 2)]))
    assert shop.sums() == {"certified": 7500, "other": 0, "resale": 15000, "grams": 2250}


def test_what_was_given_back_can_be_sold_on_again(shop: Shop):
    buy(shop, 2)
    shop.send(shop.till.batch([sale("1", "G1", 2), sale("2", "G1", 2, refunds_line_id="1")]))
    shop.send(shop.till.batch([sale("3", "G1", 2), sale("4", "G1", 1)]))
    assert shop.sums() == {"certified": 2500, "other": 0, "resale": 5000, "grams": 750}


def test_with_final_sales_counted_everything_counts(shop: Shop):
    buy(shop, 5)
    with shop.database.unit_of_work() as session:
        change = "UPDATE programme SET config = jsonb_set(config, '{counting}', CAST(:counting AS jsonb))"
        session.execute(text(change), {"counting": '{"counted_sale": "final_sale"}'})
    shop.send(shop.till.batch([sale("1", "G1", 3)]))
    assert shop.sums()["certified"] == 7500
