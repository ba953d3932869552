"""More sales in the ledger, like those that are there but for some columns."""

from datetime import date
from typing import Any

from sqlalchemy import text
from sqlmodel import Session

from shop.identity.models import Organisation

_COLUMNS = (
    *(
        "recorded_at",
        "source",
        "sold_on",
        "month",
        "programme_code",
        "direction",
        "outlet_id",
        "sku_id",
        "product_id",
        "kind",
        "category",
    ),
    *(
        "supplier_id",
        "district_code",
        "township_code",
        "village",
        "certificate_id",
        "certified",
        "reserved_share_eligible",
        "order_id",
    ),
    *(
        "supplier_order_id",
        "buyer_id",
        "buyer_kind",
        "buyer_region_code",
        "fund_source",
        "mode",
        "relation",
        "relation_id",
        "channel",
    ),
    *("channel_basis", "quantity", "grams", "amount_fen"),
)


def sell_alike(session: Session, count: int, **columns: Any) -> int:
    """So many sales as the first ones that are there, with other values in some columns; returns their amount in fen."""
    if "sold_on" in columns:
        columns["month"] = columns["sold_on"].replace(day=1)
    given = {name: f":{name}" for name in columns}
    if "sold_on" in columns:
        # nothing is known before it is sold
        given["recorded_at"] = "greatest(recorded_at, CAST(:sold_on AS timestamp) AT TIME ZONE 'Asia/Shanghai')"
    shown = ", ".join(given.get(name, name) for name in _COLUMNS)
    statement = text(
        f"INSERT INTO sale_entry (origin_kind, origin_id, {', '.join(_COLUMNS)})"
        f" SELECT 'history', (SELECT max(id) FROM sale_entry) * 1000 + row_number() OVER (ORDER BY id), {shown}"
        " FROM (SELECT * FROM sale_entry WHERE reverses_id IS NULL ORDER BY id LIMIT :count) AS s RETURNING amount_fen"
    )
    return sum(session.execute(statement, {**columns, "count": count}).scalars())


def count_at(session: Session, counted_sale: str) -> None:
    """Programmes count goods at their first or at their final sale."""
    rule = "jsonb_set(config, '{counting,counted_sale}', to_jsonb(CAST(:rule AS text)))"
    session.execute(text(f"UPDATE programme SET config = {rule}"), {"rule": counted_sale})


def make_operator(session: Session, organisation: Organisation, since: date = date(2016, 1, 1)) -> None:
    """What it was, it is an operator of outlets now: it sells on what it buys."""
    session.execute(
        text("UPDATE organisation_role SET role = 'outlet_operator', valid_from = :on WHERE organisation_id = :id"),
        {"id": organisation.id, "on": since},
    )
