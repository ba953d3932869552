"""What callers send and get about products."""

from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, model_validator

from catalog.certificates.states import CertificateState
from catalog.products.rules import MAX_TIERS, VAT_PERCENTS, VAT_RATES, Category, Kind, Unit, is_barcode
from catalog.products.states import ListingStatus
from shop.core.errors import BadValue
from shop.core.money import PositiveYuanIn, YuanIn, YuanOut
from shop.core.quantities import Code, Id, Name, OptionalPaperLine, OptionalText, ProperName, Quantity, QuantityOut, storable, whole

DistrictCode = Annotated[str, StringConstraints(pattern=r"^50[0-9]{4}$"), Field(examples=["500236"])]
TownshipCode = Annotated[str, StringConstraints(pattern=r"^50[0-9]{4}[0-9A-Z]{1,6}$"), Field(examples=["500236T01"])]
Words = Annotated[str, StringConstraints(max_length=100), AfterValidator(storable)]
#: One of the facts that a certificate speaks of besides the name: who makes it, its grade, what it is by which standard.
Detail = OptionalPaperLine
NetGrams = Annotated[int, Field(ge=1, le=10**9, description="net weight of one unit in grams; none for services"), whole]
ComparableGrams = Annotated[
    int, Field(ge=1, le=10**12, description="net weight in grams of the pack that is compared with; none for services"), whole
]


def _in_force(bp: int) -> int:
    if bp not in VAT_RATES:
        raise BadValue(
            f"须为现行增值税税率或征收率（{'、'.join(VAT_PERCENTS)}%），以基点表示，如 9% 为 900",
            f"no rate of VAT in force ({', '.join(VAT_PERCENTS)} %) in basis points; 9 % is 900",
        )
    return bp


#: VAT in basis points of the price without tax; 900 is 9 %.
VatRate = Annotated[
    int,
    AfterValidator(_in_force),
    Field(
        description="VAT contained in the price, in basis points: 900 is 9 %",
        json_schema_extra={"enum": list(VAT_RATES)},
    ),
    whole,
]


def _checked(barcode: str) -> str:
    if not is_barcode(barcode):
        raise BadValue("不是有效的商品条码（校验位不符）", "no barcode: its check digit does not fit")
    return barcode


Barcode = Annotated[
    str, AfterValidator(_checked), Field(description="商品条码 (69码, GTIN), once among your packs", examples=["6901234567892"])
]


class Sort(StrEnum):
    RELEVANCE = "relevance"
    NEWEST = "newest"
    PRICE = "price"
    PRICE_DESC = "price_desc"
    NAME = "name"


class In(BaseModel):
    model_config = ConfigDict(extra="forbid")


class TierIn(In):
    """From this quantity of one order line on, a unit costs this much, VAT included."""

    min_quantity: Quantity
    unit_price: PositiveYuanIn


Tiers = Annotated[
    list[TierIn],
    Field(min_length=1, max_length=MAX_TIERS, description="by rising quantity; the first one is the least that is sold"),
]


class PricesIn(In):
    tiers: Tiers


class SkuIn(PricesIn):
    pack: Annotated[Name, Field(description="as printed", examples=["5kg/箱"])]
    unit: Unit
    net_grams: NetGrams | None = None
    step: Annotated[Quantity, Field(description="what may be ordered is a multiple of it: 1 for packs, 0.001 for kilograms")] = (
        Decimal(1)
    )
    vat_bp: VatRate = 0
    code: Annotated[Code | None, Field(description="unique in the marketplace; made up when left out")] = None
    barcode: Barcode | None = None


class ProductIn(In):
    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "name": "奉节脐橙",
                    "kind": "goods",
                    "category": "fruit",
                    "district_code": "500236",
                    "description": "草堂镇产，单果 70 毫米以上",
                    "skus": [
                        {
                            "pack": "5kg/箱",
                            "unit": "box",
                            "net_grams": 5000,
                            "vat_bp": 900,
                            "tiers": [{"min_quantity": "1", "unit_price": "69.90"}, {"min_quantity": "100", "unit_price": "65.00"}],
                        }
                    ],
                }
            ]
        },
    )

    name: ProperName
    kind: Kind
    category: Category
    district_code: DistrictCode
    township_code: TownshipCode | None = None
    village: ProperName | None = None
    producer: Annotated[Detail, Field(description="who makes it")] = ""
    grade: Detail = ""
    specification: Annotated[Detail, Field(description="what it is, by which standard", examples=["5kg/箱，GB/T 20355"])] = ""
    description: OptionalText = ""
    skus: list[SkuIn] = Field(default_factory=list, max_length=50)


class ProductPatch(In):
    name: ProperName | None = None
    category: Category | None = None
    district_code: DistrictCode | None = None
    township_code: TownshipCode | None = None
    village: ProperName | None = None
    producer: Detail | None = None
    grade: Detail | None = None
    specification: Detail | None = None
    description: OptionalText | None = None

    @model_validator(mode="after")
    def _kept(self) -> Self:
        refuse_null(self, "name", "category", "district_code", "producer", "grade", "specification", "description")
        return self


class SkuPatch(In):
    pack: Name | None = None
    vat_bp: VatRate | None = None
    barcode: Annotated[Barcode | None, Field(description="null takes it away")] = None

    @model_validator(mode="after")
    def _kept(self) -> Self:
        refuse_null(self, "pack", "vat_bp")
        return self


def refuse_null(body: BaseModel, *names: str) -> None:
    """A field may be left out, but not emptied."""
    for name in names:
        if name in body.model_fields_set and getattr(body, name) is None:
            raise BadValue(f"{name} 不能为空", f"{name} cannot be null", name)


class Filters(In):
    """What a list of products may be narrowed by."""

    q: Words | None = Field(default=None, description="words of name, origin or supplier; Chinese, pinyin or initials")
    district: DistrictCode | None = Field(default=None, description="origin, townships included")
    township: TownshipCode | None = None
    category: Category | None = None
    kind: Kind | None = None
    certified: bool | None = Field(default=None, description="whether a certificate is in force today")
    min_price: YuanIn | None = None
    max_price: YuanIn | None = None
    in_stock: bool | None = Field(default=None, description="whether some pack can be had in its minimum quantity")
    supplier_id: Id | None = None
    status: ListingStatus = ListingStatus.ACTIVE


class ProductSearch(Filters):
    sort: Sort = Sort.RELEVANCE
    limit: int = Field(default=20, ge=1, le=200, description="rows in a page")
    after: str | None = Field(default=None, max_length=500, description="cursor: `next` of the page before")


class TierOut(BaseModel):
    min_quantity: QuantityOut
    unit_price: YuanOut


class SkuOut(BaseModel):
    id: int
    product_id: int
    code: str
    barcode: str | None
    pack: str
    unit: Unit
    unit_label: str
    net_grams: int | None
    step: QuantityOut
    min_quantity: QuantityOut
    vat_bp: int
    status: ListingStatus
    tiers: list[TierOut]
    available: QuantityOut = Field(description="in stock and not promised to anybody")
    version: int


class CertificateBrief(BaseModel):
    """The certificate in force today."""

    id: int
    number: str
    valid_from: date
    valid_until: date


class LastCertificate(CertificateBrief):
    """The certificate that was given last, whatever became of it."""

    state: CertificateState


class ProductOut(BaseModel):
    id: int
    supplier_id: int
    supplier_name: str
    supplier_approved: bool
    name: str
    kind: Kind
    category: Category
    district_code: str
    district_name: str
    township_code: str | None
    township_name: str | None
    village: str | None
    producer: str
    grade: str
    specification: str
    description: str
    status: ListingStatus
    certificate: CertificateBrief | None = Field(description="in force today; without one the product cannot be ordered")
    last_certificate: LastCertificate | None = Field(
        description="the one given last: suspended or held, the product can be ordered again when that ends; null: it never had one"
    )
    skus: list[SkuOut]
    created_at: datetime
    version: int


class ProductRow(BaseModel):
    """A product in a list."""

    id: int
    supplier_id: int
    supplier_name: str
    name: str
    kind: Kind
    category: Category
    district_code: str
    district_name: str
    township_code: str | None
    township_name: str | None
    price: YuanOut | None = Field(description="lowest price at which a minimum quantity is sold; null: nothing is on sale")
    certified_until: date | None = Field(description="last day of the certificate in force; null: not certified today")
    paused: bool = Field(description="its certificate is suspended or held; it can be ordered again when that ends")
    in_stock: bool
    status: ListingStatus


class Facet(BaseModel):
    code: str
    name: str | None
    count: int


class Facets(BaseModel):
    """How many products of a search fall into each category and district."""

    total: int
    categories: list[Facet]
    districts: list[Facet]
