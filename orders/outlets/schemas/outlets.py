"""What callers send and get about outlets, their devices, goods and plans."""

import unicodedata
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, model_validator

from orders.outlets.states import OutletKind, OutletMove, OutletStatus
from shop.core import clock
from shop.core.errors import BadValue
from shop.core.money import YuanIn, YuanOut
from shop.core.quantities import (
    Day,
    Id,
    Name,
    OptionalLine,
    ProperName,
    Quantity,
    QuantityOut,
    ShortText,
    in_one_line,
    plain_number,
)
from shop.core.sheets import IgnoredColumns
from shop.core.uscc import Uscc

#: Numbers as tills and operators give them.
Number = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=64), AfterValidator(in_one_line)]
_in_one_width = AfterValidator(lambda code: unicodedata.normalize("NFKC", code).strip())
#: What an outlet is called, and the number of goods: full-width letters and digits do not tell two apart.
OutletCode = Annotated[Number, _in_one_width]
GoodsNumber = Annotated[Number, _in_one_width]
RegionCode = Annotated[str, StringConstraints(pattern=r"^[0-9]{6}$"), Field(examples=["500112"])]
TownshipCode = Annotated[str, StringConstraints(pattern=r"^[0-9]{6}[0-9A-Z]{1,6}$"), Field(examples=["500236T01"])]
Venue = Literal["station", "campus", "hospital", "office", "service_area", "community", "scenic_spot", "market", "factory", "other"]
Url = Annotated[str, StringConstraints(pattern=r"^https?://[^\s]+$", max_length=500), AfterValidator(in_one_line)]
#: An outlet is registered so many days before it opens, at most.
MOST_DAYS_AHEAD = 366


def _soon(day: date) -> date:
    if day > clock.today() + timedelta(days=MOST_DAYS_AHEAD):
        raise BadValue("开业日期最多提前一年填写", "an outlet is registered a year before it opens, at most")
    return day


def _within_china(zh: str, en: str, least: int, most: int) -> AfterValidator:
    """Outlets stand in Chongqing and its partner provinces; what is filled in as nought, or the wrong way round, lies elsewhere."""

    def checked(degrees: Decimal) -> Decimal:
        if not least <= degrees <= most:
            raise BadValue(f"{zh}须在中国境内，即 {least} 至 {most} 度", f"the {en} lies in China, from {least} to {most} degrees")
        return degrees

    return AfterValidator(checked)


_Degrees = Annotated[Decimal, Field(max_digits=8, decimal_places=5), BeforeValidator(plain_number)]
Latitude = Annotated[_Degrees, _within_china("纬度", "latitude", 3, 54)]
Longitude = Annotated[_Degrees, _within_china("经度", "longitude", 73, 136)]


class In(BaseModel):
    model_config = ConfigDict(extra="forbid")


class OutletIn(In):
    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "external_number": "SN-000123",
                    "kind": "cabinet",
                    "name": "北站一楼专柜",
                    "region_code": "500112",
                    "address": "重庆北站南广场一楼",
                    "venue": "station",
                    "opened_on": "2026-05-01",
                }
            ]
        },
    )

    operator_id: Id | None = Field(default=None, description="default: the caller's own organisation")
    external_number: OutletCode = Field(description="what the operator calls it (设备或渠道编号)")
    kind: OutletKind
    online: bool = Field(default=False, description="a hall or zone on the net")
    url: Url | None = None
    name: ProperName
    region_code: RegionCode
    township_code: TownshipCode | None = None
    address: OptionalLine = ""
    venue: Venue = "other"
    latitude: Latitude | None = Field(default=None, description="degrees north, within China: 3 to 54; goes with `longitude`")
    longitude: Longitude | None = Field(default=None, description="degrees east, within China: 73 to 136; goes with `latitude`")
    opened_on: Annotated[Day, AfterValidator(_soon)] = Field(description="first day, Shanghai date; at most a year ahead")

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.online and (self.kind is OutletKind.CABINET or self.url is None):
            wrong = "online" if self.kind is OutletKind.CABINET else "url"
            raise BadValue("线上网点须为专馆或专区，并有网址", "an outlet on the net is a hall or zone and has a url", wrong)
        if not self.online and not self.address:
            raise BadValue("线下网点须有地址", "an outlet that is not on the net has an address", "address")
        if (self.latitude is None) != (self.longitude is None):
            lacking = "latitude" if self.latitude is None else "longitude"
            raise BadValue("经纬度须同时填写", "latitude and longitude go together", lacking)
        if self.township_code and not self.township_code.startswith(self.region_code):
            raise BadValue("乡镇不属于该区县", "the township lies in another district", "township_code")
        return self


class OutletOut(BaseModel):
    id: int
    number: str
    external_number: str
    kind: OutletKind
    online: bool
    url: str | None
    name: str
    operator_id: int
    operator_name: str
    region_code: str
    region_name: str
    township_code: str | None
    address: str
    venue: str
    latitude: Decimal | None
    longitude: Decimal | None
    opened_on: date
    closed_on: date | None
    close_reason: str | None
    status: OutletStatus
    reason: str | None = Field(description="why it was refused")
    verified_at: datetime | None
    seen_at: datetime | None = Field(description="when it was last heard of; none: never yet")
    sold_at: datetime | None = Field(description="its last sale")
    silent_since: datetime | None
    software: str | None
    version: int
    possible_actions: list[OutletMove]


class RefuseIn(In):
    reason: ShortText


class CloseIn(In):
    closed_on: Day = Field(description="last day, Shanghai date")
    reason: ShortText


class ImportedOut(BaseModel):
    """What a file held; ``dry_run``: nothing of it was kept."""

    rows: int
    dry_run: bool
    ignored_columns: IgnoredColumns


class GoodsKeptOut(BaseModel):
    """What became of the goods that were told; of goods that were told several times by the last word on them."""

    created: int = Field(description="goods that the outlet did not offer before")
    replaced: int = Field(description="goods that it offered already, whichever `action` was told: what is told now stands")
    deleted: int


class GoodsNoteOut(BaseModel):
    """Something about goods that were taken: their sales do not count as certified; or they were told as new and stand in the place of others, or as
    changed and are new."""

    goods_id: str
    code: Literal["supplier_unknown", "product_unknown", "pack_unknown", "goods_unknown", "goods_created", "goods_replaced"]
    message: str


class GoodsRowNoteOut(GoodsNoteOut):
    row: int = Field(description="of the file; where the goods stand in several, the last")


class GoodsImportedOut(GoodsKeptOut, ImportedOut):
    created_goods: list[str] = Field(
        description="those that were told as changed (`modify`) and not offered before, the first 200 by their numbers"
    )
    replaced_goods: list[str] = Field(
        description="those that were told as new (`create`) and offered already, the first 200 by their numbers"
    )
    unmatched: int = Field(description="certified goods that are not on the list here, as far as these rows go")
    notes: list[GoodsRowNoteOut] = Field(
        description="rows of goods that are not on the list here, without a pack, or taken away and not offered; the first 200"
    )


# --- goods ---------------------------------------------------------------------------------------------------------


class GoodsIn(In):
    """One entry of the public field list of outlets' goods."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "device_id": "SN-000123",
                    "channel_type": "02",
                    "action": "create",
                    "goods_id": "G-1",
                    "name": "奉节脐橙5斤装",
                    "is_poverty_goods": "1",
                    "poverty_goods_name": "奉节脐橙",
                    "supplier_name": "奉节县某合作社",
                    "supplier_uscc": "91500236MA5U0000X6",
                    "price": "29.90",
                    "barcode": "6901234567892",
                    "on_shelf": True,
                }
            ]
        },
    )

    device_id: OutletCode | None = Field(
        default=None, description="设备或渠道编号, or the number of the outlet here; a device may leave it out"
    )
    channel_type: Literal["01", "02", "03"] | None = Field(default=None, description="01 专区 zone, 02 专柜 cabinet, 03 专馆 hall")
    action: Literal["create", "modify", "delete"]
    goods_id: GoodsNumber
    name: Name | None = Field(default=None, description="needed unless it is deleted")
    is_poverty_goods: Literal["1", "2"] | None = Field(default=None, description="是否扶贫商品: 1 yes, 2 no")
    poverty_goods_name: Name | None = Field(default=None, description="扶贫产品名称, as on the list")
    supplier_name: Name | None = None
    supplier_uscc: Uscc | None = None
    price: YuanIn | None = Field(default=None, ge=0)
    barcode: Annotated[str, StringConstraints(pattern=r"^[0-9]{8,14}$")] | None = Field(default=None, description="69码")
    sku: Number | None = None
    spu: Number | None = None
    brand: Name | None = None
    category_codes: (
        Annotated[str, StringConstraints(pattern=r"^[^/]{1,30}(/[^/]{1,30}){2}$"), AfterValidator(in_one_line)] | None
    ) = Field(default=None, description="three levels, separated by /")
    invoice: bool = Field(default=False, description="whether an invoice is given")
    on_shelf: bool = True

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.action == "delete":
            return self
        if lacking := self._lacking("name", "price", "is_poverty_goods"):
            raise BadValue("须填写名称、单价、是否扶贫商品", "name, price and is_poverty_goods are needed", lacking[0])
        lacking = self._lacking("poverty_goods_name", "supplier_name", "supplier_uscc")
        if self.is_poverty_goods == "1" and lacking:
            raise BadValue(
                "扶贫商品须填写扶贫产品名称、供应商名称和统一社会信用代码",
                "certified goods need poverty_goods_name, supplier_name and supplier_uscc",
                lacking[0],
            )
        return self

    def _lacking(self, *names: str) -> list[str]:
        return [name for name in names if getattr(self, name) is None]


class GoodsListIn(In):
    goods: Annotated[list[GoodsIn], Field(min_length=1, max_length=5000)]


class GoodsTakenOut(GoodsKeptOut):
    taken: int
    notes: list[GoodsNoteOut]


class GoodsOut(BaseModel):
    goods_id: str
    name: str
    certified: bool
    certified_name: str | None
    supplier_name: str | None
    supplier_uscc: str | None
    price: YuanOut
    barcode: str | None
    sku: str | None
    spu: str | None
    brand: str | None
    category_codes: str | None
    invoice: bool
    on_shelf: bool
    product_id: int | None
    sku_id: int | None
    match: Literal["matched", "unmatched", "other"] = Field(description="unmatched: said to be certified, and not on the list here")
    stock: QuantityOut | None = Field(description="what the device last said")
    changed_at: datetime


# --- plan ----------------------------------------------------------------------------------------------------------


class PlanLineIn(In):
    sku_id: Id
    planned_quantity: Quantity


def _each_sku_once(lines: list[PlanLineIn]) -> list[PlanLineIn]:
    if len({line.sku_id for line in lines}) < len(lines):
        raise BadValue("每个规格只能出现一次", "each SKU once")
    return lines


class PlanIn(In):
    lines: Annotated[list[PlanLineIn], Field(max_length=2000), AfterValidator(_each_sku_once)]


class PlanLineOut(BaseModel):
    sku_id: int
    code: str
    product_name: str
    pack: str
    planned_quantity: QuantityOut


class PlanOut(BaseModel):
    outlet_id: int
    lines: list[PlanLineOut]
