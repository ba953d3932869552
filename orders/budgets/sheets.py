"""Budgets as a table."""

from collections.abc import Iterable, Iterator, Mapping

from orders.budgets.schemas import BudgetOut
from shop.core.errors import Language
from shop.core.exports import Cell
from shop.core.money import yuan

TITLE: dict[Language, str] = {"zh": "预算", "en": "Budgets"}
HEADER: dict[Language, list[str]] = {
    "zh": ["单位", "年度", "资金来源", "预算（元）", "占用（元）", "已使用（元）", "可用（元）"],
    "en": ["Unit", "Year", "Fund source", "Budget (yuan)", "Reserved (yuan)", "Used (yuan)", "Available (yuan)"],
}


def cells(budgets: Iterable[BudgetOut], funds: Mapping[str, str]) -> Iterator[list[Cell]]:
    """One row for each budget, in the order of the header; ``funds``: the words for fund sources."""
    for each in budgets:
        amounts = (each.limit, each.reserved, each.consumed, each.available)
        yield [each.organisation_name, each.year, funds.get(each.fund_source, each.fund_source), *map(yuan, amounts)]
