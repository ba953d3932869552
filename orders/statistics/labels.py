"""The words for the codes of an answer: the programme's terms, and the names of regions and suppliers."""

from collections.abc import Callable
from datetime import date
from functools import partial
from typing import Any

from sqlalchemy import text
from sqlmodel import Session

from orders.ledger.rules import Direction
from orders.ledger.selection import TIME, Dimension
from orders.statistics.extras import Extra
from orders.statistics.queries import Answer
from orders.statistics.question import Measure
from shop.core import clock
from shop.core.errors import Language
from shop.programmes import queries as programmes
from shop.regions import queries as regions

#: The group of the programme's term table that names the codes of a dimension.
_TERMS = {
    Dimension.MODE: "mode",
    Dimension.RELATION: "relation",
    Dimension.CHANNEL: "channel",
    Dimension.CATEGORY: "category",
    Dimension.BUYER_KIND: "organisation_kind",
    Dimension.SOURCE: "source",
    Dimension.KIND: "kind",
    Dimension.FUND_SOURCE: "fund_source",
}

DIMENSIONS: dict[Dimension, dict[Language, str]] = {
    Dimension.DAY: {"zh": "日期", "en": "Day"},
    Dimension.WEEK: {"zh": "周（起始日）", "en": "Week (from)"},
    Dimension.MONTH: {"zh": "月份", "en": "Month"},
    Dimension.QUARTER: {"zh": "季度", "en": "Quarter"},
    Dimension.YEAR: {"zh": "年份", "en": "Year"},
    Dimension.DISTRICT: {"zh": "区县", "en": "District"},
    Dimension.TOWNSHIP: {"zh": "乡镇", "en": "Township"},
    Dimension.VILLAGE: {"zh": "村", "en": "Village"},
    Dimension.SOURCE: {"zh": "销售来源", "en": "Source"},
    Dimension.KIND: {"zh": "商品或服务", "en": "Goods or service"},
    Dimension.CERTIFIED: {"zh": "是否认定产品（下单或销售当日）", "en": "Certified (on the day of the order or sale)"},
    Dimension.PRODUCT: {"zh": "产品", "en": "Product"},
    Dimension.BUYER: {"zh": "采购单位", "en": "Buyer"},
    Dimension.BUYER_REGION: {"zh": "采购单位所在区县", "en": "Buyer's district"},
    Dimension.FUND_SOURCE: {"zh": "经费来源", "en": "Fund"},
    Dimension.OUTLET: {"zh": "销售网点", "en": "Outlet"},
    Dimension.MODE: {"zh": "销售模式", "en": "Mode"},
    Dimension.RELATION: {"zh": "帮扶关系", "en": "Support relation"},
    Dimension.CHANNEL: {"zh": "销售渠道", "en": "Channel"},
    Dimension.CATEGORY: {"zh": "产品类别", "en": "Category"},
    Dimension.BUYER_KIND: {"zh": "采购主体类型", "en": "Kind of buyer"},
    Dimension.SUPPLIER: {"zh": "供应商", "en": "Supplier"},
}

MEASURES: dict[Measure, dict[Language, str]] = {
    Measure.AMOUNT: {"zh": "销售额（元）", "en": "Sales (yuan)"},
    Measure.GROSS: {"zh": "退货前销售额（元）", "en": "Sales before returns (yuan)"},
    Measure.TONNES: {"zh": "净重（吨）", "en": "Net weight (t)"},
    Measure.QUANTITY: {"zh": "数量", "en": "Quantity"},
    Measure.ENTRIES: {"zh": "分录数", "en": "Ledger entries"},
    Measure.ORDERS: {"zh": "订单数", "en": "Orders"},
    Measure.BUYERS: {"zh": "采购单位数", "en": "Buyers"},
    Measure.PRODUCTS: {"zh": "产品数", "en": "Products"},
    Measure.SUPPLIERS: {"zh": "供应商数", "en": "Suppliers"},
}

#: Beside a measure.
BEFORE: dict[Language, tuple[str, str]] = {"zh": ("对比期", "增长（%）"), "en": ("period before", "growth (%)")}
EXTRAS: dict[Extra, dict[Language, str]] = {
    Extra.SHARE: {"zh": "占比（%）", "en": "share (%)"},
    Extra.RANK: {"zh": "排名", "en": "rank"},
    Extra.RUNNING: {"zh": "累计", "en": "running total"},
}

#: What holds for all figures of sales.
BASIS: dict[Language, str] = {
    "zh": "平台订单按验收日期、网点和平台外销售按销售日期（北京时间）计入，金额含税；每笔销售只计一次，",
    "en": "Orders are counted on the day of acceptance, sales of outlets and elsewhere on the day of the sale (China time), tax included; each "
    "sale once, ",
}
GENERAL: dict[Language, str] = {
    "zh": f"{BASIS['zh']}退货和更正以负数计入其发生的月份，月份结账后补报的计入下一个未结账的月份。",
    "en": f"{BASIS['en']}returns and corrections as negative figures in the month in which they happen, and what is told after its month was "
    "closed in the next one that is open.",
}
#: Where figures are told apart, or kept, by whether a product is certified.
CERTIFIED: dict[Language, str] = {
    "zh": "是否认定产品按下单当日（网点和平台外销售按销售当日）证书是否有效判定，证书后来被撤销的不改变；公报的修订版则扣除结账后证书被撤销的销售。",
    "en": "Whether a product is certified goes by the day of the order (at outlets and elsewhere: of the sale); a certificate that is revoked "
    "later changes nothing here, while revisions of bulletins take off the sales whose certificate was revoked after the close.",
}
DIRECTIONS: dict[Direction, dict[Language, str]] = {
    Direction.PURCHASE: {"zh": "仅含采购，不含帮助销售。", "en": "Purchases; helped sales are apart."},
    Direction.HELPED_SALE: {"zh": "仅含帮助销售，不含采购。", "en": "Helped sales; purchases are apart."},
}
#: How regions that were merged are shown.
BOUNDARIES: dict[Language, str] = {
    "zh": "区县按 {day} 的区划，已合并的区县计入合并后的区县。",
    "en": "Districts as on {day}; those merged by then stand in their successors.",
}
#: A filter of a district that is part of another by now.
FORMER: dict[Language, str] = {
    "zh": "所选的 {former} 已并入 {now}：仅含原 {former} 的销售，不是 {now} 的全部。",
    "en": "{former}, which was asked for, was merged into {now}: only what was sold of the former district is in here, not all of {now}.",
}
KNOWN: dict[Language, str] = {"zh": "仅含截至 {day} 终了时已入账的销售。", "en": "Only what had been booked by the end of {day}."}
#: What an answer is limited to.
SCOPE: dict[Language, str] = {
    "zh": "按乡镇、村、产品、供应商、采购单位或网点分组或筛选时，仅含本人所辖地区（{regions}）的销售，合计亦然；其他地区的销售不在其中，为零不表示没有销售。",
    "en": "By or for townships, villages, products, suppliers, buyers or outlets only sales from your own region ({regions}) are in the figures,"
    " totals included; sales from elsewhere are left out, and zero does not mean that there were none.",
}
OWN: dict[Language, str] = {
    "zh": "仅含本单位及下属单位的销售或采购；网点经营者为其网点的销售。",
    "en": "Only what your organisation and its branches sold or bought; for operators of outlets what was sold at these.",
}
#: Beside the total of a file.
TOTAL_OF: dict[Language, str] = {"zh": "（仅含 {regions}）", "en": " ({regions} only)"}
#: Beside the total of a file that leaves rows out.
TOTAL_WITH_REST: dict[Language, str] = {
    "zh": "（全部 {all} 行，其中 {rest} 行未列出）",
    "en": " (of all {all} rows, {rest} of them not listed)",
}
LISTED: dict[Language, str] = {
    "zh": "列出 {listed} 行，全部 {all} 行；合计为全部",
    "en": "{listed} listed of {all}; totals are of all",
}
#: Each row beside the span before its own.
SPANS_BEFORE: dict[Language, str] = {
    "zh": "环比：每行与其上一个同类时段（按{span}）相比，未满的时段与上一时段的相同日期相比；合计为各行之和。",
    "en": "Each row stands beside the {span} before its own, one that is not over beside as much of it; the total is the sum of the rows.",
}
SPANS: dict[Dimension, dict[Language, str]] = {
    Dimension.DAY: {"zh": "日", "en": "day"},
    Dimension.WEEK: {"zh": "周", "en": "week"},
    Dimension.MONTH: {"zh": "月", "en": "month"},
    Dimension.QUARTER: {"zh": "季度", "en": "quarter"},
    Dimension.YEAR: {"zh": "年", "en": "year"},
}
LAPSED: dict[Language, str] = {
    "zh": "{day} 没有地区具有所选的称号（{designations}），因此没有数据{until}。",
    "en": "No region was designated so ({designations}) on {day}, so there is nothing here{until}.",
}
UNTIL: dict[Language, str] = {
    "zh": "；最后一次具有该称号是 {day}，请选在此之前结束的期间",
    "en": "; one was until {day}: ask for a period that ends by then",
}
_NOBODY: dict[Dimension, dict[Language, str]] = {
    Dimension.TOWNSHIP: {"zh": "（未注明乡镇）", "en": "(no township given)"},
    Dimension.VILLAGE: {"zh": "（未注明村）", "en": "(no village given)"},
    Dimension.BUYER: {"zh": "（未登记的购买人）", "en": "(not registered here)"},
    Dimension.OUTLET: {"zh": "（非网点销售）", "en": "(not at an outlet)"},
}
_YES: dict[bool, dict[Language, str]] = {True: {"zh": "是", "en": "yes"}, False: {"zh": "否", "en": "no"}}

DEFINITIONS: dict[Measure, dict[Language, str]] = {
    Measure.AMOUNT: {"zh": "销售金额之和，已扣除退货和更正", "en": "Amounts of sales less returns and corrections"},
    Measure.GROSS: {
        "zh": "初次入账金额之和，未扣除退货和更正；网点批次被更正的，更正前后的行均计入",
        "en": "Amounts as first booked, before returns and corrections; of a corrected batch of an outlet both what was told first and what was told in its place",
    },
    Measure.TONNES: {"zh": "销售净重之和，服务不计重量", "en": "Net weight sold; services have none"},
    Measure.QUANTITY: {"zh": "销售数量之和，单位各异，仅在同一规格内可比", "en": "Units sold; comparable within one pack only"},
    Measure.ENTRIES: {"zh": "销售分录条数，含更正", "en": "Ledger entries, corrections included"},
    Measure.ORDERS: {"zh": "至少有一笔销售的采购订单，每单计一次", "en": "Purchase orders with a sale, each once"},
    Measure.BUYERS: {"zh": "至少有一笔采购的单位，每家计一次", "en": "Organisations that bought, each once"},
    Measure.PRODUCTS: {"zh": "至少售出一次的产品，每种计一次", "en": "Products that were sold, each once"},
    Measure.SUPPLIERS: {"zh": "至少售出一次的供应商，每家计一次", "en": "Suppliers that sold, each once"},
}


def of(session: Session, answer: Answer, language: Language) -> dict[Dimension, Callable[[Any], str]]:
    """For each dimension of the answer, how a code reads in the caller's language."""
    question = answer.question
    until = min(question.selection.last, clock.today())
    found: dict[Dimension, Callable[[Any], str]] = {}
    for position, dimension in enumerate(question.group_by):
        codes = {key[position] for key in answer.rows}
        if dimension in TIME:
            found[dimension] = partial(_span, dimension, language)
        elif dimension is Dimension.CERTIFIED:
            found[dimension] = lambda code: _YES[code][language]
        elif dimension in _TERMS:
            found[dimension] = partial(programmes.terms(session, until, language), _TERMS[dimension])
        elif dimension in (Dimension.DISTRICT, Dimension.BUYER_REGION):
            found[dimension] = regions.names(session, codes, language)
        else:
            found[dimension] = _names(session, dimension, codes, language)
    return found


def code_of(dimension: Dimension, value: Any) -> str:
    """A code as text: a day and the first day of a week as 2026-05-04, a month as 2026-05, a quarter as 2026-Q2, a year as 2026."""
    match dimension:
        case Dimension.MONTH:
            return f"{value:%Y-%m}"
        case Dimension.QUARTER:
            return f"{value.year}-Q{_quarter(value)}"
        case Dimension.YEAR:
            return f"{value.year}"
        case Dimension.CERTIFIED:
            return str(value).lower()
        case _:
            return str(value)


def _quarter(day: date) -> int:
    return (day.month + 2) // 3


def _span(dimension: Dimension, language: Language, first: date) -> str:
    """How a span of time reads."""
    if language != "zh" or dimension in (Dimension.DAY, Dimension.WEEK):
        return code_of(dimension, first)
    rest = {Dimension.MONTH: f"{first.month}月", Dimension.QUARTER: f"第{_quarter(first)}季度"}
    return f"{first.year}年{rest.get(dimension, '')}"


_NAMES = {
    Dimension.TOWNSHIP: "SELECT code, name_{language} FROM region WHERE code = ANY (:codes)",
    # a village is known by name within its township, or within its district where no township is named
    Dimension.VILLAGE: "SELECT v.code, r.name_{language} || ' ' || split_part(v.code, '/', 2)"
    " FROM unnest(CAST(:codes AS text[])) AS v (code) JOIN region r ON r.code = split_part(v.code, '/', 1)",
    Dimension.PRODUCT: "SELECT id, name FROM product WHERE id = ANY (:codes)",
    Dimension.SUPPLIER: "SELECT id, name FROM organisation WHERE id = ANY (:codes)",
    Dimension.BUYER: "SELECT id, name FROM organisation WHERE id = ANY (:codes)",
    Dimension.OUTLET: "SELECT id, name FROM outlet WHERE id = ANY (:codes)",
}


def _names(session: Session, dimension: Dimension, codes: set[Any], language: Language) -> Callable[[Any], str]:
    statement = text(_NAMES[dimension].format(language=language))  # language is zh or en
    names = {row[0]: row[1] for row in session.execute(statement, {"codes": list(codes)})}
    if dimension in _NOBODY:
        names |= dict.fromkeys(("", 0), _NOBODY[dimension][language])
    return lambda code: names.get(code, str(code))
