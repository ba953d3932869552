"""Tables of published months for everybody: as CSV with its description (CSVW), and as SDMX-CSV 2.0 for the exchange between statistical offices.

A month appears here once its bulletin is published, with the districts as they stood on its last day, and stays as it is; beside it stands what the
newest revision says, and which that is. Sales of a district that the bulletin withholds come with the revision that publishes it. Households and persons are by county and category, small cells hidden.
"""

import csv
import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import text
from sqlmodel import Session

from catalog.monitoring import protection, showing
from catalog.monitoring.queries import history
from catalog.monitoring.queries.telling import Teller
from orders.bulletins.queries import bulletins, changes
from orders.bulletins.queries.bulletins import InForce
from orders.ledger.selection import EVERYWHERE, Dimension, Selection
from orders.opendata.errors import NoSuchTable
from orders.opendata.rules import LICENCE
from orders.statistics.queries import ask
from orders.statistics.question import Measure, Question
from orders.statistics.rules import tonnes
from shop.core.money import yuan_from_fen
from shop.core.months import month_end
from shop.core.settings import settings
from shop.core.small_cells import protect_together

#: What stands in the place of a total.
TOTAL = "_T"
#: What stands in the place of a hidden count.
HIDDEN = ""


#: The first days of months, each with the newest edition of its bulletin.
Months = Mapping[date, InForce]


@dataclass(frozen=True, slots=True)
class Column:
    name: str
    zh: str
    en: str
    #: Of XML Schema, as CSVW names it.
    datatype: str
    dimension: bool = False


@dataclass(frozen=True, slots=True)
class Published:
    """One table of a year: its rows are cells as text, in the order of the columns."""

    name: str
    zh: str
    en: str
    columns: Sequence[Column]
    rows: Callable[[Session, Months], Iterator[list[str]]]
    #: Of the structure: a column more is a new minor one.
    version: str = "1.0"
    #: What whoever adds up or compares the figures has to know, in both languages.
    note: str = ""


_MONTH = Column("month", "月份", "Month", "gYearMonth", dimension=True)
_DISTRICT = Column("district", "区县代码", "District of origin", "string", dimension=True)
_NAME = Column("district_name", "区县", "Its name", "string")
_NAMES = text("SELECT code, name_zh FROM region WHERE code = ANY (CAST(:codes AS text[]))")


def _sales(session: Session, months: Months) -> Iterator[list[str]]:
    # month by month: a district stands as it did then, whatever was merged since
    for month, edition in months.items():
        question = Question(
            selection=Selection(month, month_end(month)),
            group_by=(Dimension.DISTRICT, Dimension.CHANNEL),
            measures=(Measure.AMOUNT, Measure.TONNES),
            reach=EVERYWHERE,
        )
        counted = {
            (district, channel): (figures.amount_fen, figures.grams)
            for (district, channel), [figures] in ask(session, question).rows.items()
            if district not in edition.withheld
        }
        revised = changes.published_of_month(session, month)
        keys = sorted({*counted, *revised})
        names = _names(session, {district for district, _ in keys})
        for key in keys:
            district, channel = key
            fen, grams = counted.get(key, (0, 0))
            more_fen, more_grams = revised.get(key, (0, 0))
            figures = [*_told(fen, grams), *_told(fen + more_fen, grams + more_grams)]
            yield [f"{month:%Y-%m}", district, names.get(district, ""), channel, *figures, edition.number]


def _told(fen: int, grams: int) -> list[str]:
    return [yuan_from_fen(fen), tonnes(grams), str(grams)]


def _participants(session: Session, months: Months) -> Iterator[list[str]]:
    past = history.history(session, [month_end(month) for month in months])
    districts = Teller(session, "zh").districts
    for place, month in enumerate(months):
        cells, _ = past.at(place)
        counts = {name: {key: row[name] for key, row in cells.items()} for name in ("households", "persons")}
        for table, found in protect_together(counts, protection.TABLES, bounds=showing.bounds(cells)).items():
            for key, figures in sorted(found.items()):
                placed: Mapping[int, str] = dict(zip(table, key, strict=True))
                county, category = placed.get(0, TOTAL), placed.get(1, TOTAL)
                shown = [HIDDEN if count is None else str(count) for count in figures.values()]
                yield [f"{month:%Y-%m}", county, "全市" if county == TOTAL else districts.get(county, county), category, *shown]


TABLES: dict[str, Published] = {
    table.name: table
    for table in (
        Published(
            "sales-by-district-channel",
            "消费帮扶销售额：按月份、产地区县、销售渠道",
            "Consumption assistance sales by month, district of origin and channel",
            [
                _MONTH,
                _DISTRICT,
                _NAME,
                Column("channel", "销售渠道", "Channel", "string", dimension=True),
                Column("amount", "销售额（元），按计入的月份", "Sales (yuan) in the month in which they count", "decimal"),
                Column("tonnes", "净重（吨），按计入的月份", "Net weight (t) in the month in which it counts", "decimal"),
                Column("grams", "净重（克），按计入的月份", "Net weight (g) in the month in which it counts", "integer"),
                Column(
                    "revised_amount", "销售额（元），公报最新版", "Sales (yuan) by the newest edition of the bulletin", "decimal"
                ),
                Column(
                    "revised_tonnes", "净重（吨），公报最新版", "Net weight (t) by the newest edition of the bulletin", "decimal"
                ),
                Column(
                    "revised_grams", "净重（克），公报最新版", "Net weight (g) by the newest edition of the bulletin", "integer"
                ),
                Column("bulletin", "公报最新版的编号", "Number of that edition, as its address has it", "string"),
            ],
            _sales,
            version="1.2",
            note="amount 各月可以相加；revised_amount 按销售日期把以后补报和冲销的计回本月，这些在 amount 中又计入其补报的月份，两者不可混合相加，revised_amount 各月也不可相加。吨数逐行舍入到千克，相加时请用克数。"
            " Months of amount may be added. revised_amount takes what was told or taken back later into the month of the sale, and it counts in the"
            " month in which it was told as well: do not add months of revised_amount, nor the two. Tonnes are rounded to the kilogram in each row: add grams.",
        ),
        Published(
            "participants-by-district-category",
            "认定产品带动户次和人次：按月末、区县、类别（小于 5 的数及可推算出它们的数不公布）",
            "Households and persons of certified products at the end of a month, by county and category; counts below 5, and what would tell them, are hidden",
            [
                _MONTH,
                _DISTRICT,
                _NAME,
                Column("category", "产品类别", "Category", "string", dimension=True),
                Column("households", "户次", "Households", "integer"),
                Column("persons", "人次", "Persons", "integer"),
            ],
            _participants,
        ),
    )
}


def listed(session: Session) -> list[tuple[Published, list[int]]]:
    """All tables, each with the years of which months are published."""
    years = bulletins.published_years(session)
    return [(table, years) for table in TABLES.values()]


def as_csv(session: Session, name: str, year: int) -> bytes:
    """The table of a year: UTF-8, a header, decimal points.

    Raises:
        NoSuchTable: see there (404).
    """
    table, rows = _found(session, name, year)
    return _written([column.name for column in table.columns], rows)


def as_sdmx(session: Session, name: str, year: int) -> bytes:
    """The same as SDMX-CSV 2.0: one observation a row, the measure as a dimension; hidden ones are marked as confidential.

    Raises:
        NoSuchTable: see there (404).
    """
    table, rows = _found(session, name, year)
    dimensions = [(at, column.name.upper()) for at, column in enumerate(table.columns) if column.dimension]
    measures = [(at, column.name.upper()) for at, column in enumerate(table.columns) if column.datatype in ("decimal", "integer")]
    header = ["STRUCTURE", "STRUCTURE_ID", "ACTION", "FREQ", *(code for _, code in dimensions[1:]), "MEASURE", "TIME_PERIOD"]

    def observations() -> Iterator[list[str]]:
        for row in rows:
            for at, measure in measures:
                key = [row[place] for place, _ in dimensions[1:]]
                flag = "C" if row[at] == HIDDEN else "F"
                yield ["dataflow", structure_of(name), "R", "M", *key, measure, row[0], row[at], flag]

    return _written([*header, "OBS_VALUE", "CONF_STATUS"], observations())


def structure_of(name: str) -> str:
    """The dataflow of a table: agency, id and version."""
    return f"CQXF:{name.replace('-', '_').upper()}({TABLES[name].version})"


def description(session: Session, name: str, year: int) -> dict[str, Any]:
    """What is in a table, by the W3C's CSV on the Web.

    Raises:
        NoSuchTable: see there (404).
    """
    table = _known(name)
    found = _months(session, year)
    months = list(found)
    return {
        "@context": ["http://www.w3.org/ns/csvw", {"@language": "zh"}],
        "url": f"{year}.csv",
        "dc:title": table.zh,
        "dc:description": table.en,
        "dc:publisher": settings().publisher,
        "dc:license": {"@id": LICENCE},
        "dc:temporal": f"{months[0]:%Y-%m}/{months[-1]:%Y-%m}",
        # relative to this description, as the table's own address
        "dc:source": [{"@id": f"../../bulletins/{edition.number}"} for edition in found.values()],
        **({"rdfs:comment": table.note} if table.note else {}),
        "dialect": {"encoding": "utf-8", "header": True, "delimiter": ",", "quoteChar": '"'},
        "tableSchema": {
            "columns": [
                {
                    "name": column.name,
                    "titles": [column.name],
                    "dc:description": f"{column.zh} · {column.en}",
                    "datatype": column.datatype,
                    "required": column.dimension,
                }
                for column in table.columns
            ],
            "primaryKey": [column.name for column in table.columns if column.dimension],
        },
    }


def _known(name: str) -> Published:
    if name not in TABLES:
        raise NoSuchTable
    return TABLES[name]


def _months(session: Session, year: int) -> Months:
    months = bulletins.published_months(session, date(year, 1, 1), date(year, 12, 31))
    if not months:
        raise NoSuchTable
    return months


def _found(session: Session, name: str, year: int) -> tuple[Published, Iterator[list[str]]]:
    table = _known(name)
    return table, table.rows(session, _months(session, year))


def _written(header: Sequence[str], rows: Iterator[list[str]]) -> bytes:
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow(header)
    writer.writerows(rows)
    return buffer.getvalue().encode()


def _names(session: Session, codes: set[str]) -> dict[str, str]:
    return {row.code: row.name_zh for row in session.execute(_NAMES, {"codes": sorted(codes)})}
