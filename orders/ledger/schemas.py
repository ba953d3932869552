"""How single sales look from outside."""

from datetime import date, datetime

from pydantic import BaseModel, Field

from orders.ledger.rules import Direction, SaleRelation, Source
from shop.core.money import YuanOut
from shop.core.paging import Page
from shop.core.quantities import QuantityOut
from shop.programmes.rules import Channel, Mode


class SaleEntryOut(BaseModel):
    """One sale as it was when it was booked. A correction has ``reverses_id`` and negative figures."""

    id: int
    origin_kind: str
    origin_id: int
    source: Source
    outlet_id: int | None
    reverses_id: int | None
    #: The day of the sale, where its month was closed before it was told; then it counts on ``sold_on``.
    occurred_on: date | None
    sold_on: date
    recorded_at: datetime
    programme_code: str
    direction: Direction
    #: Whether figures hold it: not what an operator of outlets bought, where the last sale counts.
    counted: bool
    order_id: int | None
    order_number: str | None
    supplier_order_id: int | None
    product_id: int
    product_name: str
    sku_code: str | None
    pack: str | None
    unit: str | None
    kind: str
    category: str
    supplier_id: int
    supplier_name: str
    district_code: str
    township_code: str | None
    village: str | None
    certificate_number: str | None
    certified: bool
    reserved_share_eligible: bool
    #: Null for everybody who buys at a till.
    buyer_id: int | None
    buyer_name: str | None
    buyer_kind: str
    buyer_region_code: str
    fund_source: str
    mode: Mode
    relation: SaleRelation
    relation_id: int | None
    channel: Channel
    #: Why it is this channel: ``relation:12``, ``declared:12``, the buyer's role, ``platform`` or ``default``.
    channel_basis: str
    quantity: QuantityOut
    grams: int
    amount: YuanOut


class SaleEntriesOut(Page[SaleEntryOut]):
    scope: list[str] | None = Field(
        description="codes of the regions (with all that lies in them) to which the list is limited; null: the whole city, or the own organisation"
    )
    scope_note: str | None = Field(description="the same in words")
