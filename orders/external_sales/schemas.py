"""What callers send and get about sales made elsewhere."""

from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from catalog.products.schemas import DistrictCode
from orders.counting.rules import Verdict
from orders.counting.schemas import OpenDoubts
from orders.external_sales.rules import PaperKind, Platform, Side
from orders.external_sales.states import SaleMove, SaleStatus
from orders.purchasing.schemas import FundSource
from shop.core import uscc
from shop.core.money import PositiveYuanIn, YuanOut
from shop.core.quantities import (
    Code,
    Day,
    Grams,
    Id,
    OptionalText,
    ProperName,
    Quantity,
    QuantityOut,
    ShortText,
    each_once,
    in_one_line,
)
from shop.core.sheets import IgnoredColumns

RegionCode = Annotated[str, StringConstraints(pattern=r"^[0-9]{6}[0-9A-Z]{0,6}$"), Field(examples=["371600"])]
Unit = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=20), AfterValidator(in_one_line)]
#: A number as people write it: normalised before it is compared.
DocumentNumber = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=80), AfterValidator(in_one_line)]
Uscc = Annotated[str, AfterValidator(uscc.checked)]
#: As many lines a claim has, and as many claims are handed in or imported at once.
MOST_LINES = 200
MOST_AT_ONCE = 5_000
#: As many holds are decided alike at once.
MOST_DECIDED = 200


class In(BaseModel):
    model_config = ConfigDict(extra="forbid")


class LineIn(In):
    product_id: Id
    sku_id: Id | None = None
    quantity: Quantity
    unit: Unit | None = Field(default=None, description="default: that of the SKU")
    grams: Grams | None = Field(default=None, description="default: by the SKU's net weight, with which it goes within half")
    amount: Annotated[PositiveYuanIn, Field(description="with tax")]


class ClaimIn(In):
    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "side": "seller",
                    "platform": "other_platform",
                    "supplier_id": 1,
                    "buyer_name": "滨州市某超市",
                    "buyer_kind": "enterprise",
                    "buyer_region_code": "371600",
                    "sold_on": "2026-10-12",
                    "lines": [{"product_id": 1, "sku_id": 1, "quantity": "200", "amount": "9800.00"}],
                }
            ]
        },
    )

    side: Side
    platform: Platform
    supplier_id: Annotated[Id, Field(description="the supplier on the list")]
    helper_id: Annotated[Id | None, Field(description="who helped to sell (帮助销售)")] = None
    invoice_seller: Annotated[ProperName | None, Field(description="who wrote the invoice, where it is another")] = None
    invoice_seller_uscc: Uscc | None = None
    buyer_id: Annotated[Id | None, Field(description="a registered buyer; else name, kind and region")] = None
    buyer_name: ProperName | None = None
    buyer_kind: Code | None = None
    buyer_region_code: RegionCode | None = None
    order_number: Annotated[DocumentNumber | None, Field(description="of the order where it was made")] = None
    sold_on: Day
    fund_source: FundSource = "other"
    declared_relation_id: Id | None = None
    note: OptionalText = ""
    lines: list[LineIn] = Field(min_length=1, max_length=MOST_LINES)


class ReasonIn(In):
    reason: ShortText


class AcceptIn(In):
    reason: ShortText | None = Field(
        default=None, description="needed where `lines_tie`, `plausible` or `certified` was not passed"
    )


class SubmitIn(In):
    ids: Annotated[list[Id], AfterValidator(each_once)] = Field(min_length=1, max_length=MOST_AT_ONCE)


class SubmittedOut(BaseModel):
    submitted: int
    held: int = Field(description="something speaks against them; an officer decides")


class DecisionIn(In):
    reason: ShortText
    other: Literal["count", "void"] | None = Field(
        default=None, description="what the other claim is; default: the opposite, as one of the two is the sale"
    )


class DecisionsIn(In):
    ids: Annotated[list[Id], AfterValidator(each_once)] = Field(min_length=1, max_length=MOST_DECIDED)
    verdict: Verdict
    reason: ShortText


class DecidedOut(BaseModel):
    decided: int


class LineOut(BaseModel):
    id: int
    line_no: int
    product_id: int
    sku_id: int | None
    product_name: str = Field(description="as it was called when it was claimed")
    quantity: QuantityOut
    unit: str
    grams: int
    amount: YuanOut
    certificate_number: str | None = Field(description="in force on the day of the sale")


class PaperOut(BaseModel):
    id: int
    kind: PaperKind
    number: str | None
    issuer: str | None
    dated_on: date | None
    amount: YuanOut | None
    file_name: str | None


class FailingLineOut(BaseModel):
    line_no: int
    by: list[Literal["weight", "price", "certificate"]]


class CheckOut(BaseModel):
    """Something that was looked at for the reviewer."""

    code: str
    passed: bool | None = Field(description="none: there is nothing to look at, such as a claim without an invoice")
    message: str
    lines: list[FailingLineOut] = Field(
        description="the lines for which it is not passed, and by what; of a check of the whole none"
    )


class SaleRow(BaseModel):
    id: int
    number: str
    status: SaleStatus
    side: Side
    direction: Literal["purchase", "helped_sale"]
    platform: Platform
    claimant_id: int
    claimant_name: str
    supplier_id: int
    supplier_name: str
    buyer_id: int | None
    buyer_name: str
    buyer_kind: str
    buyer_region_code: str
    district_code: str
    sold_on: date
    total: YuanOut
    total_grams: int
    submitted_at: datetime | None
    decided_at: datetime | None
    version: int


class SaleOut(OpenDoubts, SaleRow):
    helper_id: int | None
    invoice_seller: str | None
    invoice_seller_uscc: str | None
    order_number: str | None
    fund_source: FundSource
    declared_relation_id: int | None
    note: str
    reason: str | None
    lines: list[LineOut]
    documents: list[PaperOut]
    checks: list[CheckOut]
    possible_actions: list[SaleMove] = Field(description="what the caller may do with it now")


class SaleFilter(BaseModel):
    model_config = ConfigDict(extra="forbid")

    status: SaleStatus | None = None
    side: Side | None = None
    platform: Platform | None = None
    district: DistrictCode | None = None
    supplier_id: Id | None = None
    buyer_id: Id | None = None
    sold_from: Day | None = None
    sold_to: Day | None = None


class SaleSearch(SaleFilter):
    limit: int = Field(default=50, ge=1, le=200, description="rows in a page")
    after: str | None = Field(default=None, max_length=500, description="cursor: `next` of the page before")
    format: Literal["json", "csv", "xlsx"] = Field(default="json", description="a file holds every row")


class ImportOut(BaseModel):
    rows: int
    claims: int
    total: YuanOut
    dry_run: bool
    ids: list[int] = Field(description="the drafts that were made, in the order of the file")
    ignored_columns: IgnoredColumns
