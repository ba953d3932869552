"""What migrations of outlets' goods make of what stands there, down and up again."""

import pytest
from alembic import command
from sqlalchemy import text

from shop.core import migrate
from tests.orders.outlet_sales.conftest import Shop

_MORE = text(
    """
    INSERT INTO outlet_goods
    SELECT (jsonb_populate_record(g, jsonb_build_object('id', g.id + more.n, 'goods_id', more.goods))).* FROM outlet_goods g
    CROSS JOIN (VALUES (1000, 'Ｇ１'), (1001, 'Ｇ－２')) AS more (n, goods) WHERE g.goods_id = 'G1'
    """
)


@pytest.mark.slow
def test_goods_are_in_one_width_unless_another_of_the_outlet_would_be_called_the_same(shop: Shop):
    with shop.database.unit_of_work() as session:
        session.execute(_MORE)
    shop.database.dispose()
    command.downgrade(migrate.config(shop.database.url), "0073")
    migrate.upgrade(shop.database.url)
    with shop.database.unit_of_work() as session:
        names = set(session.execute(text("SELECT goods_id FROM outlet_goods")).scalars())
    assert {"G1", "Ｇ１", "G-2"} <= names
    assert "Ｇ－２" not in names
