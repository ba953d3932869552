"""What devices and operators send of sales, and what they get."""

import unicodedata
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    PrivateAttr,
    StringConstraints,
    TypeAdapter,
    ValidationError,
    ValidationInfo,
    WrapValidator,
    field_validator,
    model_validator,
)
from pydantic_core import PydanticKnownError

from orders.outlet_sales.rules import BatchStatus, LineStatus, TrialStatus, batch_hash
from orders.outlets.schemas.outlets import GoodsNumber, Number, OutletCode
from shop.core.errors import BadValue
from shop.core.faults import fault_of
from shop.core.money import YuanIn, YuanOut
from shop.core.paging import Page
from shop.core.quantities import Id, Moment, Name, Quantity, QuantityOut, ShortText, each_once, whole
from shop.core.sheets import IgnoredColumns

#: Lines of one batch, batches of one request, and lines of all of them.
MOST_LINES, MOST_BATCHES, MOST_AT_ONCE = 5_000, 200, 20_000

Hash = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


def _plain(number: str) -> str:
    if any(unicodedata.category(character) in ("So", "Sk", "Cn", "Co") for character in number):
        raise BadValue("编号不能含表情或图形符号", "a number holds no emoji and other pictures")
    return number


#: A till's number of a line: it is searched for, printed and compared.
LineNumber = Annotated[Number, AfterValidator(_plain)]


class LineIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    line_id: LineNumber = Field(description="the till's number of the sale's line; once within the outlet, for ever")
    sold_at: Moment
    goods_id: GoodsNumber = Field(description="商品编号 as the outlet's list has it, or the 69码 of one of the goods on it")
    quantity: Quantity
    amount: YuanIn = Field(ge=0, description="what was paid for it, in yuan; 0: it was given away with something")
    receipt_number: Number | None = None
    refunds_line_id: Number | None = Field(default=None, description="this gives back of an earlier line; figures stay positive")


class SalesBatchIn(BaseModel):
    """A batch of sales; ``docs/outlets.md`` says how its hash is taken."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "batch_id": "2026-11-26T10-1",
                    "sequence": 1,
                    "previous_hash": None,
                    "hash": "0" * 64,
                    "sent_at": "2026-11-26T10:00:05+08:00",
                    "lines": [
                        {
                            "line_id": "1-1",
                            "sold_at": "2026-11-26T09:58:00+08:00",
                            "goods_id": "G-1",
                            "quantity": "2",
                            "amount": "59.80",
                            "receipt_number": "R-1",
                        }
                    ],
                }
            ]
        },
    )

    batch_id: Number = Field(description="made by the sender; one content for ever")
    sequence: Annotated[int, Field(ge=1, le=2**53, description="its place in the device's chain: 1, 2, 3 …"), whole]
    previous_hash: Hash | None = Field(default=None, description="hash of the batch before it; none for the first")
    hash: Hash
    sent_at: Moment = Field(description="by the device's clock")
    corrects: Number | None = Field(default=None, description="id of the batch whose place this one takes")
    lines: Annotated[list[LineIn], Field(max_length=MOST_LINES)] = Field(
        description="none only of a correction: the batch that it corrects should never have been sent, and is withdrawn"
    )
    _true_hash: str = PrivateAttr(default="")

    @field_validator("lines")
    @classmethod
    def _some(cls, lines: list[LineIn], info: ValidationInfo) -> list[LineIn]:
        if not lines and info.data.get("corrects") is None:
            raise PydanticKnownError("too_short", {"field_type": "List", "min_length": 1, "actual_length": 0})
        return lines

    @model_validator(mode="wrap")
    @classmethod
    def _as_sent(cls, value: Any, handler: Any) -> Self:
        """The hash is taken of what was sent, before anything of it is read as a figure or moment."""
        made: Self = handler(value)
        made._true_hash = batch_hash(value) if isinstance(value, dict) else made.hash
        return made

    @property
    def is_whole(self) -> bool:
        """Whether the hash is that of the content."""
        return self._true_hash == self.hash


@dataclass(frozen=True, slots=True)
class UnreadableBatch:
    """One of several batches that is not as a batch has to be; ``field``: the first that is wrong."""

    batch_id: str
    field: str


_BATCH_ID = TypeAdapter(Number)


def _by_itself(value: Any, read: Any) -> SalesBatchIn | UnreadableBatch:
    """A batch with a fault keeps none of the others back: a till sends all of them again until it is done. One without an id is none."""
    try:
        made: SalesBatchIn = read(value)
        return made
    except ValidationError as error:
        try:
            batch_id = _BATCH_ID.validate_python(value["batch_id"])
        except (ValidationError, LookupError, TypeError):
            raise error from None
        return UnreadableBatch(batch_id, fault_of(error.errors()[0]).field)


class SalesBatchesIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    batches: Annotated[list[Annotated[SalesBatchIn, WrapValidator(_by_itself)]], Field(min_length=1, max_length=MOST_BATCHES)]

    @property
    def each(self) -> list[SalesBatchIn | UnreadableBatch]:
        """What was read of each batch."""
        return [*self.batches]


class SalesLineRow(BaseModel):
    """A row of an operator's file of sales."""

    outlet: OutletCode
    line_id: LineNumber
    sold_at: Moment
    goods_id: GoodsNumber
    goods_name: Name | None = None
    quantity: Quantity
    amount: YuanIn = Field(ge=0)
    receipt_number: Number | None = None
    refunds_line_id: Number | None = None


class SalesBatchOut(BaseModel):
    id: int
    outlet_id: int
    outlet_number: str
    batch_id: str
    way: Literal["device", "file"]
    device_id: int | None
    sequence: int | None
    status: BatchStatus = Field(
        description="replaced: another batch stands in its place; withdrawn: its till withdrew it, or its file was taken back, and none does"
    )
    reason_code: str | None = Field(description="why it is held or void; of one that counts, the doubt that was resolved")
    corrects: str | None
    hash: str
    line_count: int = Field(description="of the whole batch, whoever asks; 0: it withdraws the batch that it corrects")
    certified: YuanOut = Field(
        description="what counts, as in the ledger; here and below less what is given back in the batch, and of another region's outlet only of goods "
        "from the own region"
    )
    resale: YuanOut
    other: YuanOut
    undecided: YuanOut = Field(description="what is held, or waits: whether it is certified is not known yet")
    first_sold_at: datetime | None = Field(description="of its first sale; none of a batch without lines")
    last_sold_at: datetime | None
    sent_at: datetime | None
    received_at: datetime


class TakenOut(BaseModel):
    """What became of one of several batches; ``refused``: nothing of it was kept. ``reason_code`` says why, as where it is sent alone."""

    batch_id: str
    status: Literal["accepted", "waiting", "held", "replaced", "withdrawn", "void", "refused"]
    reason_code: str | None = None
    field: str | None = Field(
        default=None, description="of a refused one: the first field that is wrong, such as `lines[3].quantity`"
    )
    id: int | None = None


class SalesBatchesOut(BaseModel):
    batches: list[TakenOut]


class SalesLineOut(BaseModel):
    id: int
    line_no: int
    line_id: str
    refunds_line_id: str | None
    receipt_number: str | None
    sold_at: datetime
    goods_id: str
    goods_name: str
    certified: bool
    supplier_uscc: str | None
    product_id: int | None
    sku_id: int | None
    quantity: QuantityOut
    grams: int
    amount: YuanOut = Field(description="what is booked; of a refund that gave back the sale's share")
    told: YuanOut = Field(description="what was sent, to reconcile a till by")
    status: LineStatus = Field(description="replaced: its batch was corrected, withdrawn or taken back")
    reason_code: str | None
    waits_days: int | None = Field(
        description="of what waits: since how many days; a refund whose sale has not come is held (`no_sale`) after `refund_days` of the programme"
    )


class TakeBackIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    ids: Annotated[list[Id], AfterValidator(each_once)] = Field(min_length=1, max_length=MOST_BATCHES)
    reason: ShortText


class TakenBackOut(BaseModel):
    taken_back: int
    held: int = Field(description="those that wait for a second person, as much counts of them; until then they count")


class UndecidedOut(BaseModel):
    """Rows of a file that do not count for the time being."""

    reason_code: str | None = Field(description="why an officer has to look; none: it waits for the sale that it gives back of")
    rows: int
    amount: YuanOut
    line_ids: list[str] = Field(description="the first 20 of them")


class SalesImportedOut(BaseModel):
    """What a file of sales held, refunds taken off, and what became of it; ``dry_run``: what would, nothing of it was kept."""

    rows: int
    outlets: int
    amount: YuanOut = Field(description="of the whole file, whatever became of it")
    certified: YuanOut = Field(description="what counts")
    resale: YuanOut
    other: YuanOut
    undecided: YuanOut
    held: list[UndecidedOut]
    unknown_goods: list[str] = Field(
        description="numbers of goods that the outlet's list does not hold, the first 200: other goods"
    )
    batch_ids: list[int]
    dry_run: bool
    ignored_columns: IgnoredColumns


class SalesTrialOut(BaseModel):
    id: int
    name: str
    asked_at: datetime
    status: TrialStatus
    rows: int | None = Field(description="of the file, once it was read")
    done_at: datetime | None
    result: SalesImportedOut | None = Field(description="of one that is done: what an import would answer")
    problem: dict[str, Any] | None = Field(
        description="of one that is refused: the problem document that an import would answer, every fault by row and column"
    )


Group = Literal["outlet", "day", "month", "county", "operator", "kind"]


class OutletSales(BaseModel):
    """Sales less what was given back. ``certified`` counts, as in the ledger; ``resale`` are certified goods whose first sale counts already."""

    certified: YuanOut
    resale: YuanOut
    other: YuanOut
    grams: int
    lines: int
    certified_a_year_before: YuanOut
    growth_percent: str | None = Field(description="of certified sales, against the same days a year before; none without any then")


class OutletGroup(BaseModel):
    key: str
    name: str
    outlets: int


class OutletSalesRow(OutletSales, OutletGroup):
    """What one group of outlets sold."""


class OutletSalesOut(Page[OutletSalesRow]):
    first: date
    last: date
    definition: str = Field(description="what is counted, and how")
    exact_to: datetime = Field(description="everything committed up to this moment is in the figures")
    totals: OutletSales = Field(description="of all rows, whatever the page; outlets have no sum: one sells on many days")
