"""What a migration makes of packs whose unit and weight contradict each other."""

import pytest
from alembic import command
from sqlalchemy import text

from shop.core import migrate
from tests.factories.catalog import make_product
from tests.factories.identity import make_supplier


@pytest.mark.slow
def test_packs_of_another_weight_than_their_unit_are_counted_by_the_piece(database):
    with database.unit_of_work() as session:
        supplier = make_supplier(session, "500236")
        skus = [make_product(session, supplier, net_grams=grams).sku_id for grams in (5000, 1000, 5000, 5000)]
        skus.append(make_product(session, supplier, kind="service", net_grams=None).sku_id)
    database.dispose()
    command.downgrade(migrate.config(database.url), "0063")
    with database.unit_of_work() as session:
        for sku, unit in zip(skus, ("kg", "kg", "room_night", "box", "kg"), strict=True):
            session.execute(text("UPDATE sku SET unit = :unit WHERE id = :id"), {"unit": unit, "id": sku})
    database.dispose()
    migrate.upgrade(database.url)
    with database.unit_of_work() as session:
        kept = [tuple(row) for row in session.execute(text("SELECT unit, net_grams FROM sku ORDER BY id"))]
    assert kept == [("piece", 5000), ("kg", 1000), ("piece", 5000), ("box", 5000), ("portion", None)]
