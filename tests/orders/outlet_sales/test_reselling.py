"""What an operator bought here and sells on counts once: by its purchase, or by its sale."""

import pytest
from sqlalchemy import text

from shop.core import clock
from tests.factories.ledger import sell
from tests.factories.outlets import sale
from tests.orders.outlet_sales.conftest import Shop


def buy(shop: Shop, quantity: int, *, counted: bool = True) -> None:
    """The operator has bought so much of G1 here: an entry of the marketplace, which counts where first sales did."""
    with shop.database.unit_of_work() as session:
        sell(session, shop.trade, 40, first=clock.today().replace(day=1), last=clock.today(), seed=3)
        made = session.execute(
            text("SELECT id, quantity FROM sale_entry WHERE product_id = :p AND source = 'platform' ORDER BY id LIMIT 1"),
            {"p": shop.trade.goods[0].made.product_id},
        ).one()
        session.execute(
            text(
                "INSERT INTO sale_entry SELECT (jsonb_populate_record(e, jsonb_build_object('id', CAST(:entry AS bigint), 'origin_kind', 'history', 'origin_id', CAST(:entry AS bigint),"
                " 'counted', CAST(:counted AS boolean), 'buyer_id', CAST(:buyer AS bigint), 'quantity', CAST(:quantity AS int), 'grams', CAST(:quantity AS int) * 750))).*"
                " FROM sale_entry e WHERE id = :id"
            ),
            {"buyer": shop.outlet.operator_id, "quantity": quantity, "id": made.id, "entry": 990_000, "counted": counted},
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


@pytest.mark.parametrize("rule", ["first_sale", "final_sale"])
@pytest.mark.parametrize("counted", [True, False])
def test_whatever_the_rule_is_by_now_either_the_purchase_counts_or_its_sale(shop: Shop, rule, counted):
    buy(shop, 3, counted=counted)
    with shop.database.unit_of_work() as session:
        change = "UPDATE programme SET config = jsonb_set(config, '{counting,counted_sale}', to_jsonb(CAST(:rule AS text)))"
        session.execute(text(change), {"rule": rule})
    shop.send(shop.till.batch([sale("1", "G1", 3)]))
    sums = shop.sums()
    assert (sums["certified"], sums["resale"]) == ((0, 7500) if counted else (7500, 0))
