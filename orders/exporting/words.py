"""The words for codes in files that people read; files that programs read have the codes."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import date

from sqlmodel import Session

from orders.exporting.table import Column
from orders.money.labels import LABELS
from shop.core import clock
from shop.core.errors import Language
from shop.programmes import queries as programmes

#: Words by language: Chinese, English.
Labels = Mapping[str, tuple[str, str]]

#: Figures hold one of both, never their sum.
DIRECTIONS: Labels = {"purchase": ("采购", "purchase"), "helped_sale": ("帮助销售", "helped sale")}
#: What a sale is booked for.
ORIGINS: Labels = {
    "acceptance_line": ("验收", "acceptance"),
    "acceptance_correction": ("验收更正", "acceptance put right"),
    "history": ("历史数据", "history"),
    "correction": ("冲销", "reversal"),
    "reassignment": ("改记", "reassigned"),
    "release": ("解除暂扣", "released from hold"),
    "outlet_line": ("网点销售", "sale at an outlet"),
    "external_line": ("平台外销售", "sale made elsewhere"),
}
#: Why a sale has its channel, besides a role of its buyer; what ends with a colon is followed by the number of the relation.
BASES: Labels = {
    "declared:": ("申报的帮扶关系 ", "declared relation "),
    "relation:": ("帮扶关系 ", "relation "),
    "platform": ("销售渠道", "platform"),
    "default": ("其他均不适用", "nothing else applies"),
}
METHODS: Labels = {**LABELS["online_method"], "bank_transfer": LABELS["refund_method"]["bank_transfer"]}
#: What a payment is known from.
PAID_FROM: Labels = {
    "announced": ("采购单位登记", "told by the buyer"),
    "unallocated": ("银行流水认领", "found in the bank's statement"),
    "online": ("在线支付", "paid online"),
}


def in_language(labels: Labels, language: Language) -> dict[str, str]:
    return {code: words[0 if language == "zh" else 1] for code, words in labels.items()}


def of_terms(session: Session, language: Language, on: date | None = None) -> Callable[[str], Mapping[str, str]]:
    """The words of a group of the programme's terms on a day; default: today."""
    return programmes.words(session, on or clock.today(), language)


def spoken(columns: Sequence[Column], words: Mapping[str, Mapping[str, str]]) -> list[Column]:
    """The columns, those named with the words for their codes."""
    return [replace(column, words=words[column.name]) if column.name in words else column for column in columns]
