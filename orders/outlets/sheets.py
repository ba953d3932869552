"""Outlets and their goods as tables: the columns of files that operators send, and of those that they get."""

import unicodedata
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, ValidationError

from orders.outlets.schemas.devices import KeysMadeOut
from orders.outlets.schemas.outlets import GoodsIn, OutletIn
from shop.core import sheets
from shop.core.clock import shanghai_text
from shop.core.errors import BadValue, Fault, Language
from shop.core.exports import Cell
from shop.core.faults import fault_of, of_cell
from shop.core.sheet_reader import MAX_ROWS

M = TypeVar("M", bound=BaseModel)

#: As many faults as are told at once.
MOST_FAULTS = 200
#: What is said of what an outlet is called, where that names none, or more than one.
NO_OUTLET = ("unknown_outlet", "不是您的网点", "is none of your outlets")
SEVERAL_OUTLETS = (
    "ambiguous_outlet",
    "该编号对应多个网点，请填写网点编号",
    "several outlets are called so; use the number that the outlet has here",
)

OUTLET_COLUMNS: dict[str, Sequence[str]] = {
    "external_number": ("设备或渠道编号", "网点编号", "device or channel number"),
    "kind": ("类型", "渠道类型", "kind"),
    "name": ("名称", "网点名称", "name"),
    "region_code": ("区县代码", "region code"),
    "township_code": ("乡镇代码", "township code"),
    "address": ("详细地址", "地址", "address"),
    "venue": ("场所类型", "venue"),
    "online": ("线上", "online"),
    "url": ("网址", "url"),
    "longitude": ("经度", "longitude"),
    "latitude": ("纬度", "latitude"),
    "opened_on": ("启用日期", "opened on"),
    "operator_uscc": ("运营单位统一社会信用代码", "operator's credit code"),
}
OUTLET_REQUIRED = ("external_number", "kind", "name", "region_code", "opened_on")
GOODS_COLUMNS: dict[str, Sequence[str]] = {
    "device_id": ("设备或渠道编号", "设备编号", "渠道编号", "device id"),
    "channel_type": ("渠道类型", "channel type"),
    "action": ("操作类型", "action"),
    "goods_id": ("商品编号", "商品ID", "goods id"),
    "name": ("商品名称", "name"),
    "is_poverty_goods": ("是否扶贫商品", "是否帮扶商品", "certified"),
    "poverty_goods_name": ("扶贫产品名称", "帮扶产品名称", "name on the list"),
    "supplier_name": ("供应商名称", "supplier"),
    "supplier_uscc": ("社会信用代码", "统一社会信用代码", "supplier's credit code"),
    "price": ("单价", "单价（元）", "price"),
    "barcode": ("69码", "商品条码", "barcode"),
    "sku": ("SKU", "sku"),
    "spu": ("SPU", "spu"),
    "brand": ("品牌", "brand"),
    "category_codes": ("三级类目编码", "类目编码", "category codes"),
    "invoice": ("是否开票", "invoice"),
    "on_shelf": ("上下架状态", "是否上架", "on shelf"),
}
GOODS_REQUIRED = ("device_id", "action", "goods_id")

_VENUES = {
    "车站": "station",
    "校园": "campus",
    "医院": "hospital",
    "机关": "office",
    "服务区": "service_area",
    "社区": "community",
    "景区": "scenic_spot",
    "商超": "market",
    "工厂": "factory",
    "其他": "other",
}


def figure_of(cell: str) -> str:
    """A figure, or a code, whatever the width in which it was typed. Numbers of outlets and goods are in one width by their kind, too, but a row with faults
    is looked at as it was read. What tills number sales by stays as it is: they say it in other ways, too."""
    return unicodedata.normalize("NFKC", cell)


def _with_codes(words: Mapping[str, Any]) -> dict[str, Any]:
    return {**words, **{code: code for code in words.values()}}


_KINDS = _with_codes(
    {"专柜": "cabinet", "专馆": "hall", "生活馆": "hall", "专区": "zone"}
    # a spreadsheet program makes 2 of 02
    | {"01": "zone", "02": "cabinet", "03": "hall", "1": "zone", "2": "cabinet", "3": "hall"}
)
_CHANNELS = _with_codes({"1": "01", "2": "02", "3": "03", "专区": "01", "专柜": "02", "专馆": "03"})
_CERTIFIED = _with_codes({"是": "1", "否": "2"})
_YES_NO = {"是": True, "否": False, "1": True, "2": False, "0": False, "yes": True, "no": False, "true": True, "false": False}
_ON_SHELF = {**_YES_NO, "上架": True, "下架": False}
_AS_SAID: Mapping[str, Callable[[str], Any]] = {
    "kind": sheets.one_of(_KINDS, ("专柜", "专馆", "专区", "02", "03", "01")),
    "venue": sheets.one_of(_with_codes(_VENUES), tuple(_VENUES)),
    **dict.fromkeys(("online", "invoice"), sheets.one_of(_YES_NO, ("是", "否"))),
    "on_shelf": sheets.one_of(_ON_SHELF, ("上架", "下架")),
    "opened_on": sheets.day_of,
    "channel_type": sheets.one_of(_CHANNELS, ("专区", "专柜", "专馆", "01", "02", "03")),
    "action": sheets.one_of(_with_codes({"新增": "create", "修改": "modify", "删除": "delete"}), ("新增", "修改", "删除")),
    "is_poverty_goods": sheets.one_of(_CERTIFIED, ("是", "否", "1", "2")),
    **dict.fromkeys(("external_number", "device_id", "goods_id"), figure_of),
    **dict.fromkeys(("region_code", "township_code", "barcode", "supplier_uscc", "operator_uscc"), figure_of),
    **dict.fromkeys(("price", "longitude", "latitude"), sheets.number),
}


@dataclass(frozen=True, slots=True)
class Read(Generic[M]):
    """A row of a file as it was understood; ``more`` holds the columns that are not of the model. Of a row with faults, whose columns ``wrong`` names (a
    fault of none in particular is ``""``), the body holds as it was written what else could be read, and None for all that could not."""

    number: int
    body: M
    more: dict[str, str]
    wrong: frozenset[str] = frozenset()

    def faults(self, columns: Mapping[str, Sequence[str]], found: Iterable[tuple[str, str, str, str]]) -> list[Fault]:
        """What is found against the row besides, each by its column, code and words: of a column that could not be read nothing more is told."""
        return [fault(self.number, columns, *each) for each in found if each[0] not in self.wrong]


def read_outlets(content: bytes, sheet: str | None) -> tuple[list[Read[OutletIn]], list[Fault], list[str]]:
    """The rows of a file of outlets, every fault by row and column, and the headers that nobody reads.

    Raises:
        UnreadableSpreadsheet, TooManyRows: see there (422).
    """
    return read(content, OutletIn, OUTLET_COLUMNS, OUTLET_REQUIRED, _AS_SAID, OUTLET_CODES, sheet)


def read_goods(content: bytes, sheet: str | None) -> tuple[list[Read[GoodsIn]], list[Fault], list[str]]:
    """The same for goods, by the headings of the public field list."""
    return read(content, GoodsIn, GOODS_COLUMNS, GOODS_REQUIRED, _AS_SAID, GOODS_CODES, sheet)


def read(
    content: bytes,
    model: type[M],
    columns: Mapping[str, Sequence[str]],
    required: Sequence[str],
    as_said: Mapping[str, Callable[[str], Any]],
    codes: Collection[str],
    sheet: str | None,
) -> tuple[list[Read[M]], list[Fault], list[str]]:
    """The rows of a file as bodies of requests, those with faults among them, so that whoever knows what they speak of can look at the rest of each.
    ``as_said`` makes values of what people write into cells; empty cells are left out."""
    found: list[Read[M]] = []
    table = sheets.table(content, columns, required, MAX_ROWS - 2, codes, sheet)
    faults = [*table.not_told]
    fields = model.model_fields
    for number, cells in table.rows:
        written = {name: cell for name, cell in cells.items() if cell}
        said: dict[str, Any] = {}
        wrong: dict[str, Fault] = {}
        for name in (each for each in written if each in fields):
            try:
                said[name] = as_said[name](written[name]) if name in as_said else written[name]
            except BadValue as why:
                said[name], wrong[name] = written[name], fault(number, columns, name, "bad_value", why.zh, str(why))
        faults += wrong.values()
        more = {name: cell for name, cell in written.items() if name not in fields}
        try:
            found.append(Read(number, model.model_validate(said), more))
        except ValidationError as error:
            entries = error.errors()
            # of a cell that could not be read it says only once more that it is none
            faults += [_of_cell(number, columns, entry) for entry in entries if wrong.keys().isdisjoint(entry["loc"][:1])]
            bad = wrong.keys() | {fault_of(entry).field for entry in entries}
            held = {name: None if name in bad else said.get(name) for name in fields}
            found.append(Read(number, model.model_construct(None, **held), more, frozenset(bad)))
    return found, faults, table.ignored


def fault(row: int, columns: Mapping[str, Sequence[str]], name: str, code: str, zh: str, en: str) -> Fault:
    return sheets.fault(row, columns[name][0], code, zh, en)


def _of_cell(row: int, columns: Mapping[str, Sequence[str]], entry: Any) -> Fault:
    told = of_cell(entry)
    return sheets.fault(row, columns[told.field][0] if told.field in columns else "", told.code, told.zh, told.en)


#: A row of each file, as an example; it belongs to nobody.
OUTLET_EXAMPLE = {"external_number": "SN-000123", "kind": "专柜", "name": "大学城专柜", "region_code": "500106", "address": "大学城地铁站一楼",
                  "venue": "车站", "online": "否", "opened_on": "2026-05-01"}  # fmt: skip
GOODS_EXAMPLE = {"device_id": "SN-000123", "channel_type": "02", "action": "新增", "goods_id": "G-1", "name": "奉节脐橙5斤装", "is_poverty_goods": "是",
                 "poverty_goods_name": "奉节脐橙", "supplier_name": "奉节县某合作社", "supplier_uscc": "91500236MA5U0000X6", "price": "29.90",
                 "barcode": "6901234567892", "on_shelf": "上架"}  # fmt: skip
#: What is kept as it is typed.
OUTLET_CODES = frozenset({"external_number", "kind", "region_code", "township_code", "operator_uscc"})
GOODS_CODES = frozenset({"device_id", "channel_type", "goods_id", "supplier_uscc", "barcode", "sku", "spu", "category_codes"})

HEADER: dict[Language, list[str]] = {
    "zh": ["网点编号", "设备或渠道编号", "类型", "线上", "名称", "运营单位", "区县代码", "区县", "地址", "场所类型", "启用日期", "关闭日期", "状态", "最近联系", "最近销售", "失联自"],
    "en": ["number", "device or channel number", "kind", "online", "name", "operator", "region code", "region", "address", "venue", "opened on",
           "closed on", "status", "last heard of", "last sale", "silent since"],
}  # fmt: skip
TITLE: dict[Language, str] = {"zh": "网点", "en": "Outlets"}


KEYS_HEADER: dict[Language, list[str]] = {
    "zh": ["网点编号", "网点名称", "网点ID", "设备编号", "设备ID", "密钥（仅此一次显示）", "未生成的原因代码", "原因"],
    "en": ["outlet", "name", "outlet id", "device", "device id", "key (shown only now)", "code of refusal", "reason"],
}
KEYS_TITLE: dict[Language, str] = {"zh": "设备密钥", "en": "Device keys"}


def key_cells(made: KeysMadeOut) -> Iterator[list[Cell]]:
    """One row of cells for each device that was asked for, in the order of the header."""
    for each in made.results:
        device_id = None if each.device_id is None else str(each.device_id)
        named = [each.outlet_number, each.outlet_name, str(each.outlet_id), each.number, device_id]
        yield [*named, each.key, each.code, each.message]


def cells(rows: Iterable[Any], language: Language, term: Callable[[str, str], str]) -> Iterator[list[Cell]]:
    """One row of cells for each outlet, in the order of the header, moments by the clock of China; ``term`` tells how a code of the programme reads."""
    zh = language == "zh"
    for row in rows:
        yield [
            row.number,
            row.external_number,
            term("outlet_kind", row.kind),
            ("是" if zh else "yes") if row.online else "",
            row.name,
            row.operator_name,
            row.region_code,
            row.region_name,
            row.address,
            next((name for name, venue in _VENUES.items() if venue == row.venue), row.venue) if zh else row.venue,
            row.opened_on,
            row.closed_on,
            term("outlet_status", row.status),
            *(moment and shanghai_text(moment) for moment in (row.seen_at, row.sold_at, row.silent_since)),
        ]
