"""The words for the codes of an answer: the programme's terms, and the names of regions and suppliers."""

from collections.abc import Callable
from datetime import date
from typing import Any

from sqlalchemy import text
from sqlmodel import Session

from orders.ledger.selection import Dimension
from orders.statistics.queries import Answer
from orders.statistics.question import Measure
from shop.core import clock
from shop.core.errors import Language
from shop.programmes import queries as programmes
from shop.programmes.errors import NoProgramme

#: The group of the programme's term table that names the codes of a dimension.
_TERMS = {
    Dimension.MODE: "mode",
    Dimension.RELATION: "relation",
    Dimension.CHANNEL: "channel",
    Dimension.CATEGORY: "category",
    Dimension.BUYER_KIND: "organisation_kind",
}

DIMENSIONS: dict[Dimension, dict[Language, str]] = {
    Dimension.DISTRICT: {"zh": "区县", "en": "District"},
    Dimension.MONTH: {"zh": "月份", "en": "Month"},
    Dimension.MODE: {"zh": "销售模式", "en": "Mode"},
    Dimension.RELATION: {"zh": "帮扶关系", "en": "Support relation"},
    Dimension.CHANNEL: {"zh": "销售渠道", "en": "Channel"},
    Dimension.CATEGORY: {"zh": "产品类别", "en": "Category"},
    Dimension.BUYER_KIND: {"zh": "采购主体类型", "en": "Kind of buyer"},
    Dimension.SUPPLIER: {"zh": "供应商", "en": "Supplier"},
}

MEASURES: dict[Measure, dict[Language, str]] = {
    Measure.AMOUNT: {"zh": "销售额（元）", "en": "Sales (yuan)"},
    Measure.TONNES: {"zh": "净重（吨）", "en": "Net weight (t)"},
    Measure.QUANTITY: {"zh": "数量", "en": "Quantity"},
    Measure.ENTRIES: {"zh": "分录数", "en": "Ledger entries"},
    Measure.ORDERS: {"zh": "订单数", "en": "Orders"},
    Measure.BUYERS: {"zh": "采购单位数", "en": "Buyers"},
    Measure.PRODUCTS: {"zh": "产品数", "en": "Products"},
    Measure.SUPPLIERS: {"zh": "供应商数", "en": "Suppliers"},
}

GENERAL: dict[Language, str] = {
    "zh": "按验收日期（北京时间）计入，金额含税；每笔销售只计一次，退货和更正以负数计入其发生的月份。",
    "en": "Counted on the day of acceptance (China time), tax included; each sale once, returns and corrections as negative figures in the "
    "month in which they happen.",
}

DEFINITIONS: dict[Measure, dict[Language, str]] = {
    Measure.AMOUNT: {"zh": "验收金额之和，扣除更正", "en": "Accepted amounts less corrections"},
    Measure.TONNES: {"zh": "验收净重之和，服务不计重量", "en": "Accepted net weight; services have none"},
    Measure.QUANTITY: {"zh": "验收数量之和，单位各异，仅在同一规格内可比", "en": "Accepted units; comparable within one pack only"},
    Measure.ENTRIES: {"zh": "销售分录条数，含更正", "en": "Ledger entries, corrections included"},
    Measure.ORDERS: {"zh": "至少有一笔销售的采购订单，每单计一次", "en": "Purchase orders with a sale, each once"},
    Measure.BUYERS: {"zh": "至少有一笔采购的单位，每家计一次", "en": "Organisations that bought, each once"},
    Measure.PRODUCTS: {"zh": "至少售出一次的产品，每种计一次", "en": "Products that were sold, each once"},
    Measure.SUPPLIERS: {"zh": "至少售出一次的供应商，每家计一次", "en": "Suppliers that sold, each once"},
}


def of(session: Session, answer: Answer, language: Language) -> dict[Dimension, Callable[[Any], str]]:
    """For each dimension of the answer, how a code reads in the caller's language."""
    question = answer.question
    found: dict[Dimension, Callable[[Any], str]] = {}
    for position, dimension in enumerate(question.group_by):
        codes = {key[position] for key in answer.rows}
        if dimension is Dimension.MONTH:
            found[dimension] = _month_zh if language == "zh" else code_of
        elif dimension in _TERMS:
            found[dimension] = _terms(session, _TERMS[dimension], min(question.selection.last, clock.today()), language)
        else:
            found[dimension] = _names(session, dimension, codes, language)
    return found


def code_of(value: Any) -> str:
    """A code as text; a month as 2026-05."""
    return f"{value:%Y-%m}" if isinstance(value, date) else str(value)


def _month_zh(month: date) -> str:
    return f"{month.year}年{month.month}月"


def _terms(session: Session, group: str, on: date, language: Language) -> Callable[[Any], str]:
    """Terms as they were at the end of the period; before the first programme there are none, and a code stands for itself."""
    try:
        config = programmes.config_of(session, on)
    except NoProgramme:
        return str
    return lambda code: config.term(group, code, language)


def _names(session: Session, dimension: Dimension, codes: set[Any], language: Language) -> Callable[[Any], str]:
    if dimension is Dimension.DISTRICT:
        sql = f"SELECT code, name_{language} FROM region WHERE code = ANY (:codes)"  # noqa: S608  language is zh or en
    else:
        sql = "SELECT id, name FROM organisation WHERE id = ANY (:codes)"
    names = {row[0]: row[1] for row in session.execute(text(sql), {"codes": list(codes)})}
    return lambda code: names.get(code, str(code))
