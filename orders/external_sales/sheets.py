"""Sales made elsewhere as tables: the list to be exported, and the sheet by which many are claimed at once."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from pydantic import TypeAdapter, ValidationError

from orders.external_sales.rules import Platform, Side
from orders.external_sales.schemas import MOST_AT_ONCE, DocumentNumber, RegionCode, SaleRow, Unit
from orders.external_sales.states import SaleStatus
from shop.core import sheets
from shop.core.errors import BadValue, Fault, Language
from shop.core.exports import Cell
from shop.core.faults import fault_of
from shop.core.money import fen_from_yuan, yuan
from shop.core.quantities import MAX_QUANTITY, Id, ProperName, in_one_line

TITLE: dict[Language, str] = {"zh": "场外销售", "en": "Sales made elsewhere"}
HEADER: dict[Language, list[str]] = {
    "zh": ["编号", "状态", "账册", "方向", "渠道", "申报单位", "供应单位", "采购单位", "采购方类型", "采购方区划", "区县", "销售日期", "金额（元）", "重量（克）"],
    "en": ["number", "status", "book", "direction", "platform", "claimant", "supplier", "buyer", "kind of buyer", "buyer's region", "district", "sold on", "amount (yuan)", "grams"],
}  # fmt: skip

#: The headers accepted for each column, its own first. Rows with one 单据序号 are one sale; what is said of the sale stands in its first row.
COLUMNS: dict[str, tuple[str, ...]] = {
    "group": ("单据序号", "序号", "group"),
    "platform": ("销售渠道", "渠道", "platform"),
    "supplier_uscc": ("供应单位统一社会信用代码", "供应商代码", "supplier_uscc"),
    "buyer_uscc": ("采购单位统一社会信用代码", "采购方代码", "buyer_uscc"),
    "buyer_name": ("采购单位", "采购方名称", "buyer_name"),
    "buyer_kind": ("采购方类型", "buyer_kind"),
    "buyer_region": ("采购方区划代码", "buyer_region_code"),
    "sold_on": ("销售日期", "日期", "sold_on"),
    "fund_source": ("资金来源", "fund_source"),
    "relation": ("帮扶关系编号", "declared_relation_id"),
    "order_number": ("订单号", "order_number"),
    "product": ("产品名称", "产品", "product"),
    "sku": ("规格编码", "sku"),
    "quantity": ("数量", "quantity"),
    "unit": ("计量单位", "单位", "unit"),
    "kilograms": ("重量（千克）", "重量(kg)", "kilograms"),
    "amount": ("含税金额（元）", "金额（元）", "amount"),
    "invoice": ("发票代码及号码", "发票号码", "invoice"),
    "invoice_amount": ("发票金额（元）", "invoice_amount"),
    "receipt": ("银行回单号", "bank_receipt"),
    "carrier": ("承运单位", "carrier"),
    "waybill": ("运单号", "waybill"),
}
REQUIRED = ("platform", "supplier_uscc", "sold_on", "product", "quantity", "amount")
#: A row as an example; it belongs to nobody.
EXAMPLE = {"group": "1", "platform": "线下", "supplier_uscc": "91500236MA5U0000X6", "buyer_name": "滨州某超市", "buyer_kind": "企业", "buyer_region": "371600",
           "sold_on": "2026-05-01", "fund_source": "其他", "product": "奉节脐橙", "quantity": "20", "unit": "箱", "kilograms": "100", "amount": "980.00", "invoice": "12345678901234567890",
           "invoice_amount": "980.00", "receipt": "R-1"}  # fmt: skip
#: What is kept as it is typed.
CODES = frozenset(
    {"group", "supplier_uscc", "buyer_uscc", "buyer_region", "relation", "order_number", "sku", "invoice", "receipt", "waybill"}
)
_PLATFORM = {
    Platform.P832: ("832平台", "832 platform"),
    Platform.SOCIAL_NETWORK: ("社交电商", "social network"),
    Platform.OTHER_PLATFORM: ("其他平台", "other platform"),
    Platform.CONTRACT: ("合同", "contract"),
    Platform.OFFLINE: ("线下", "offline"),
}
_PLATFORMS = {"832": "832", **{zh: platform.value for platform, (zh, _) in _PLATFORM.items()}}
_KINDS = {
    "企业": "enterprise",
    "机关": "agency",
    "学校": "school",
    "医院": "hospital",
    "事业单位": "public_institution",
    "工会": "trade_union",
    "社会组织": "social_organisation",
    "个人": "consumer",
}
_FUNDS = {"食堂经费": "canteen", "工会经费": "union", "福利费": "welfare", "其他": "other"}


def _coded(words: Mapping[str, str]) -> Callable[[str], Any]:
    return sheets.one_of({**words, **{code: code for code in words.values()}}, list(words))


_platform, _kind, _fund = _coded(_PLATFORMS), _coded(_KINDS), _coded(_FUNDS)


@dataclass(frozen=True, slots=True)
class Row:
    """One row as it was read; ``number`` counts from 1 with the header. A cell that cannot be read is None or empty, and has its fault."""

    number: int
    group: str
    platform: str
    supplier_uscc: str
    buyer_uscc: str
    buyer_name: str
    buyer_kind: str
    buyer_region: str
    sold_on: date
    fund_source: str
    relation: int | None
    order_number: str
    product: str
    sku: str
    quantity: Decimal
    unit: str
    grams: int | None
    amount_fen: int
    invoice: str
    invoice_fen: int | None
    receipt: str
    carrier: str
    waybill: str


def fault(row: int, column: str, code: str, zh: str, en: str) -> Fault:
    return sheets.fault(row, COLUMNS[column][0], code, zh, en)


def read(content: bytes, sheet: str | None) -> tuple[list[Row], list[Fault], list[str]]:
    """The rows of a sheet, the faults of what cannot be read, and the headers that nobody reads.

    Raises:
        UnreadableSpreadsheet, TooManyRows: see there (422).
    """
    table = sheets.table(content, COLUMNS, REQUIRED, MOST_AT_ONCE, CODES, sheet)
    rows, faults = [], [*table.not_told]
    for number, said in table.rows:
        row, wrong = _row(number, said)
        faults += wrong
        rows.append(row)
    return rows, faults, table.ignored


def _row(number: int, said: dict[str, str]) -> tuple[Row, list[Fault]]:
    faults: list[Fault] = []

    def cell(name: str, read: Callable[[str], Any], *, needed: bool = True) -> Any:
        if not said[name] and needed:
            faults.append(fault(number, name, "missing", "此项必填", "it is needed"))
            return None
        if not said[name]:
            return None
        try:
            return read(in_one_line(said[name]))
        except BadValue as wrong:
            faults.append(fault(number, name, wrong.code or "bad_value", wrong.zh, str(wrong)))
        return None

    row = Row(
        number,
        said["group"] or f"#{number}",
        cell("platform", _platform),
        cell("supplier_uscc", _uscc),
        cell("buyer_uscc", _uscc, needed=False) or "",
        cell("buyer_name", _name, needed=False) or "",
        cell("buyer_kind", _kind, needed=False) or "",
        cell("buyer_region", lambda code: _region(sheets.plain_code(code)), needed=False) or "",
        cell("sold_on", sheets.day_of),
        cell("fund_source", _fund, needed=False) or "other",
        cell("relation", _id, needed=False),
        cell("order_number", _number, needed=False) or "",
        cell("product", str),
        cell("sku", sheets.plain_code, needed=False) or "",
        cell("quantity", _quantity),
        cell("unit", _unit, needed=False) or "",
        cell("kilograms", _grams, needed=False),
        cell("amount", _positive),
        cell("invoice", _number, needed=False) or "",
        cell("invoice_amount", _positive, needed=False),
        cell("receipt", _number, needed=False) or "",
        cell("carrier", _number, needed=False) or "",
        cell("waybill", _number, needed=False) or "",
    )
    return row, faults


def _uscc(value: str) -> str:
    return sheets.plain_code(value).upper()


def _as(kind: Any) -> Callable[[str], str]:
    """Read a text as it would be read from JSON."""
    adapter: TypeAdapter[str] = TypeAdapter(kind)

    def read(value: str) -> str:
        try:
            return adapter.validate_python(value)
        except ValidationError as wrong:
            found = wrong.errors()[0]
            told = fault_of(found)
            raise BadValue(told.zh, told.en, code=getattr(found.get("ctx", {}).get("error"), "code", None)) from None

    return read


#: What is kept as it was written has the limits of the same said in JSON; what is only looked up needs none.
_name, _number, _unit, _region = _as(ProperName), _as(DocumentNumber), _as(Unit), _as(RegionCode)


_ID: TypeAdapter[int] = TypeAdapter(Id)


def _id(value: str) -> int:
    try:
        return _ID.validate_python(sheets.figure(value))
    except ValidationError:
        raise BadValue("须为编号", "has to be a number") from None


def _decimal(value: str) -> Decimal:
    found = sheets.number(value)
    if not 0 < found <= MAX_QUANTITY:
        raise BadValue("须大于零", "must be greater than zero")
    return found


def _quantity(value: str) -> Decimal:
    found = _decimal(value)
    if found != round(found, 3):
        raise BadValue("最多三位小数", "at most three decimal places")
    return found


def _grams(value: str) -> int:
    return int(_quantity(value) * 1000)


def _positive(value: str) -> int:
    found = fen_from_yuan(sheets.number(value))
    if found <= 0:
        raise BadValue("须大于零", "must be greater than zero")
    return found


_STATUS = {
    SaleStatus.DRAFT: ("草稿", "draft"),
    SaleStatus.SUBMITTED: ("待审核", "submitted"),
    SaleStatus.RETURNED: ("退回补正", "returned"),
    SaleStatus.HELD: ("暂扣", "held"),
    SaleStatus.ACCEPTED: ("已计入", "accepted"),
    SaleStatus.REFUSED: ("未通过", "refused"),
    SaleStatus.WITHDRAWN: ("已撤回", "withdrawn"),
    SaleStatus.VOID: ("已作废", "void"),
}
_SIDE = {Side.SELLER: ("销售方", "seller"), Side.BUYER: ("采购方", "buyer")}


def cells(row: SaleRow, language: Language, term: Callable[[str, str], str]) -> list[Cell]:
    """One sale in words; ``term`` tells how a code of the programme reads."""
    place = 0 if language == "zh" else 1
    return [
        row.number,
        _STATUS[row.status][place],
        _SIDE[row.side][place],
        term("direction", row.direction),
        _PLATFORM[row.platform][place],
        row.claimant_name,
        row.supplier_name,
        row.buyer_name,
        term("organisation_kind", row.buyer_kind) if row.buyer_kind else row.buyer_kind,
        row.buyer_region_code,
        row.district_code,
        row.sold_on,
        yuan(row.total),
        row.total_grams,
    ]
