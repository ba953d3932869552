"""What is certified is kept by each key, and by the days on which it changes."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0064"
down_revision = "0063"
branch_labels = None
depends_on = None

_SUMS = [
    "certificates",
    "products",
    "households_stated",
    "persons_stated",
    "households_listed",
    "persons_listed",
    "households_least",
    "households_most",
    "persons_least",
    "persons_most",
]
_TOUCH = "INSERT INTO certified_stock_touched (district_code) SELECT DISTINCT district_code FROM certificate"
_TRIGGER = (
    "CREATE OR REPLACE TRIGGER touch_stock_update AFTER UPDATE OF {columns} ON product FOR EACH ROW"
    " WHEN ({changed}) EXECUTE FUNCTION touch_stock_by_product()"
)


def _create(table: str, key: dict[str, Any], *more: sa.Column[Any], keys: int) -> None:
    op.create_table(
        table,
        *(sa.Column(name, kind, nullable=False) for name, kind in key.items()),
        *more,
        sa.ForeignKeyConstraint(["district_code"], ["region.code"], name=op.f(f"fk_{table}_district_code")),
        sa.PrimaryKeyConstraint(*[*key][:keys], name=op.f(f"pk_{table}")),
    )


def _sums() -> list[sa.Column[Any]]:
    return [sa.Column(name, sa.BigInteger(), nullable=False) for name in _SUMS]


def _suppliers() -> sa.Column[Any]:
    return sa.Column("supplier_ids", postgresql.ARRAY(sa.BIGINT()), nullable=False)


def upgrade() -> None:
    text: Any = sa.String()
    op.drop_table("certified_stock")
    _create("certified_stock", {"district_code": text, "grouped_by": text, "value": text}, *_sums(), _suppliers(), keys=3)
    _create("certified_stock_day", {"district_code": text, "category": text, "day": sa.Date()}, *_sums(), keys=3)
    spans = {"district_code": text, "category": text, "supplier_id": sa.BigInteger(), "since": sa.Date(), "until": sa.Date()}
    _create("certified_supplier_days", spans, keys=4)
    changed = "(OLD.category, OLD.kind) IS DISTINCT FROM (NEW.category, NEW.kind)"
    op.execute(_TRIGGER.format(columns="category, kind", changed=changed))
    op.execute(_TOUCH)


def downgrade() -> None:
    op.execute(_TRIGGER.format(columns="category", changed="OLD.category IS DISTINCT FROM NEW.category"))
    for table in ("certified_supplier_days", "certified_stock_day", "certified_stock"):
        op.drop_table(table)
    _create("certified_stock", {"district_code": sa.String(), "category": sa.String()}, _suppliers(), *_sums(), keys=2)
    op.execute(_TOUCH)
