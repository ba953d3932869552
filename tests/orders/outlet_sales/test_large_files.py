"""Files of thousands of sales: nothing of them may be compared each with each."""

from datetime import timedelta

import pytest
from sqlalchemy import text

from shop.core import clock
from tests.orders.outlet_sales.conftest import Shop
from tests.orders.outlet_sales.test_files_and_reads import operator, send


@pytest.mark.slow
def test_a_large_file_is_quick_although_statistics_take_the_table_for_empty(shop: Shop):
    client, day, number = operator(shop), clock.today() - timedelta(days=1), shop.outlet.external_number
    sales = [f"{number},F{n},{day} 10:{n // 60 % 60:02}:{n % 60:02},{('G1', 'X')[n % 2]},1,25.00,," for n in range(6_000)]
    refunds = [f"{number},B{n},{day} 13:00,{('G1', 'X')[n % 2]},1,25.00,,F{n}" for n in range(3_000)]
    assert send(client, sales + refunds, dry_run="true").status_code == 200
    with shop.database.unit_of_work() as session:
        # as autovacuum does a minute after a dry run, which leaves nothing but dead rows
        session.execute(text("ANALYZE"))
        assert session.execute(text("SELECT reltuples FROM pg_class WHERE relname = 'sales_batch_line'")).scalar_one() == 0
    # without what is done about it a statement runs into its timeout (503)
    again = send(client, sales + refunds, dry_run="true")
    assert (again.status_code, again.json().get("certified"), again.json().get("other")) == (200, "37500.00", "37500.00")
