"""The template of a spreadsheet of many products."""

import io
from collections.abc import Sequence

from sqlmodel import Session

from catalog.certification.sheets import CODES, COLUMNS, EXAMPLE, HEADER
from catalog.products.rules import Unit, unit_label
from shop.core import clock, exports
from shop.programmes.schemas import ProgrammeConfig
from shop.regions import queries as regions
from shop.regions.rules import Designation


def eligible_districts(session: Session, config: ProgrammeConfig) -> list[str]:
    """The names of the districts whose products the programme certifies."""
    designation = Designation(config.certification.eligible_designation)
    return [row.name_zh for row in regions.regions(session, clock.today(), designation=designation) if len(row.code) == 6]


def as_workbook(config: ProgrammeConfig, districts: Sequence[str]) -> bytes:
    """The template as a workbook: the example, drop-downs where a cell holds one of a few words, and a second sheet with all of these words."""
    import xlsxwriter  # not in memory before somebody asks for it

    lists = {
        "kind": [label.zh for label in config.terms.get("kind", {}).values()],
        "category": [label.zh for label in config.terms.get("category", {}).values()],
        "district": list(districts),
        "unit": [unit_label(unit, "zh") for unit in Unit],
        "linkage_modes": [label.zh for label in config.terms.get("linkage_mode", {}).values()],
    }
    content = io.BytesIO()
    with xlsxwriter.Workbook(content) as book:
        bold, as_typed = book.add_format({"bold": True}), book.add_format({"num_format": exports.TEXT})
        rows, words = book.add_worksheet("申请"), book.add_worksheet("代码")
        rows.freeze_panes(1, 1)
        for at, (title, shown) in enumerate(zip(HEADER, EXAMPLE, strict=True)):
            rows.write_string(0, at, title, bold)
            kept = as_typed if list(COLUMNS)[at] in CODES else None
            rows.set_column(at, at, None, kept)
            rows.write_string(1, at, exports.safe(shown), kept)
        for at, (name, each) in enumerate(lists.items()):
            words.write_string(0, at, COLUMNS[name][0], bold)
            words.write_column(1, at, each)
            if each and name != "linkage_modes":  # of these a cell may hold several
                column = chr(ord("A") + at)
                source = {"validate": "list", "source": f"='代码'!${column}$2:${column}${len(each) + 1}"}
                rows.data_validation(1, list(COLUMNS).index(name), 1_000, list(COLUMNS).index(name), source)
    return content.getvalue()
