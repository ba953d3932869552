"""Tables of figures with a fixed shape: what their columns hold, how they are shown, and the same as files."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any, Literal

from fastapi import Query
from fastapi.responses import Response
from pydantic import BaseModel, Field

from orders.statistics.rules import reached, tonnes
from shop.core import exports
from shop.core.errors import Language
from shop.core.exports import TOTAL, Cell
from shop.core.money import yuan, yuan_from_fen
from shop.core.quantities import plain

Format = Annotated[Literal["json", "csv", "xlsx"], Query()]


class Kind(StrEnum):
    TEXT = "text"
    COUNT = "count"
    DAY = "day"
    #: Fen inside, yuan outside.
    YUAN = "yuan"
    #: Grams inside, tonnes outside.
    TONNES = "tonnes"
    #: A decimal of percent, with its two places.
    PERCENT = "percent"
    #: A decimal without a unit of its own.
    NUMBER = "number"
    #: A decimal with the places of its unit, which differs from table to table.
    VALUE = "value"
    YES = "yes"


@dataclass(frozen=True, slots=True)
class Column:
    kind: Kind
    zh: str
    en: str
    #: Whether the sum of the rows is the total.
    summed: bool = True

    def titled(self, language: Language) -> str:
        return self.zh if language == "zh" else self.en


def text(zh: str, en: str) -> Column:
    return Column(Kind.TEXT, zh, en, summed=False)


def percent(zh: str, en: str) -> Column:
    return Column(Kind.PERCENT, zh, en, summed=False)


#: The unit in the title of a column of tonnes, and that of the same in grams.
_IN_GRAMS: dict[Language, tuple[str, str]] = {"zh": ("吨", "克"), "en": ("(t)", "(g)")}
#: What stands first in a table by districts.
COUNTY = {"county": text("区县代码", "county code"), "county_name": text("区县", "county")}


@dataclass(frozen=True, slots=True)
class Table:
    """One kind of table. ``rates``: columns of percent, each how much one column reached of another, worked out for rows and totals alike."""

    name: str
    title: tuple[str, str]
    columns: Mapping[str, Column]
    definition: tuple[str, str]
    rates: Mapping[str, tuple[str, str]] = field(default_factory=dict)


class TableOut(BaseModel):
    """``columns`` names what each row holds, in the caller's language. Amounts are yuan, weights tonnes to the kilogram and, as ``…_grams``, exact grams,
    which add up; rates percent with two decimals."""

    columns: dict[str, str]
    rows: list[dict[str, Any]]
    totals: dict[str, Any] = Field(description="over all rows, where that means something")
    definition: str = Field(description="what is counted, and how")
    exact_to: datetime = Field(description="everything committed up to this moment is in the figures")
    on: date | None = Field(default=None, description="the day of a stock")
    first: date | None = None
    last: date | None = None


@dataclass(frozen=True, slots=True)
class Filled:
    """A table with its figures: fen, grams, numbers and decimals."""

    table: Table
    rows: Sequence[Mapping[str, Any]]
    exact_to: datetime
    totals: Mapping[str, Any] | None = None
    on: date | None = None
    first: date | None = None
    last: date | None = None
    #: By what its rows were chosen, as people read it.
    filters: Sequence[str] = ()

    def shown(self, language: Language) -> TableOut:
        place = 0 if language == "zh" else 1
        return TableOut(
            columns=self._titles(language),
            rows=[self._values(self._rated(row)) for row in self.rows],
            totals=self._values(self._totals()),
            definition=self.table.definition[place],
            exact_to=self.exact_to,
            on=self.on,
            first=self.first,
            last=self.last,
        )

    def answer(self, language: Language, format: str) -> TableOut | Response:
        """As JSON, or as a file whose last row holds the totals; a workbook says on a second sheet what they are of."""
        if format == "json":
            return self.shown(language)
        columns = self.table.columns
        header = [column.titled(language) for column in columns.values()]
        place = 0 if language == "zh" else 1
        about = exports.About(language, self.table.definition[place], self.exact_to, self.on, self.first, self.last, self.filters)
        return exports.file(format, self.table.name, header, self._cells(language), self.table.title[place], about)

    def _titles(self, language: Language) -> dict[str, str]:
        found = {}
        for name, column in self.table.columns.items():
            found[name] = column.titled(language)
            if column.kind is Kind.TONNES:
                found[f"{name}_grams"] = column.titled(language).replace(*_IN_GRAMS[language])
        return found

    def _values(self, row: Mapping[str, Any]) -> dict[str, Any]:
        found = {}
        for name, value in row.items():
            kind = self.table.columns[name].kind
            found[name] = _shown(kind, value)
            if kind is Kind.TONNES:
                found[f"{name}_grams"] = None if value is None else int(value)
        return found

    def _cells(self, language: Language) -> Iterable[list[Cell]]:
        columns = self.table.columns
        for row in self.rows:
            rated = self._rated(row)
            yield [_cell(column.kind, rated.get(name), language) for name, column in columns.items()]
        totals = self._totals()
        if totals:
            cells = [_cell(column.kind, totals.get(name), language) for name, column in columns.items()]
            yield [TOTAL[language], *cells[1:]]

    def _totals(self) -> dict[str, Any]:
        if self.totals is not None:
            return self._rated(self.totals)
        summed = [name for name, column in self.table.columns.items() if column.summed]
        return self._rated({name: sum(row.get(name) or 0 for row in self.rows) for name in summed})

    def _rated(self, row: Mapping[str, Any]) -> dict[str, Any]:
        rates = {
            name: _percent(reached(row[part] or 0, row[whole] or 0))
            for name, (part, whole) in self.table.rates.items()
            if part in row and whole in row
        }
        found = {**row, **rates}
        return {name: found[name] for name in self.table.columns if name in found}


def _percent(value: Decimal | None) -> str | None:
    return None if value is None else str(value)


def _shown(kind: Kind, value: Any) -> Any:
    if value is None:
        return None
    match kind:
        case Kind.YUAN:
            return yuan_from_fen(int(value))
        case Kind.TONNES:
            return tonnes(int(value))
        case Kind.COUNT:
            return int(value)
        case Kind.NUMBER:
            return plain(Decimal(value))
        case Kind.VALUE:
            return format(value, "f")
        case Kind.DAY:
            return value.isoformat()
        case _:
            return value


def _cell(kind: Kind, value: Any, language: Language) -> Cell:
    if value is None:
        return None
    match kind:
        case Kind.YUAN:
            return yuan(int(value))
        case Kind.TONNES:
            return Decimal(tonnes(int(value)))
        case Kind.PERCENT | Kind.NUMBER | Kind.VALUE:
            return Decimal(value)
        case Kind.COUNT:
            return int(value)
        case Kind.YES:
            return {("zh", True): "是", ("zh", False): "否", ("en", True): "yes", ("en", False): "no"}[language, bool(value)]
        case Kind.DAY:
            assert isinstance(value, date)
            return value
        case _:
            return str(value)
