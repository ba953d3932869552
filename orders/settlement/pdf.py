"""A statement as PDF."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from orders.settlement import sheets
from orders.settlement.schemas.settlements import SettlementOut
from shop.core import printing
from shop.core.money import yuan_from_fen

_TEMPLATE = Path(__file__).with_name("statement.typ")


def statement_pdf(settlement: SettlementOut, lines: Iterable[Any]) -> bytes:
    """The statement in Chinese: what was taken up, what it comes to, and what had to wait and why."""
    cells = [[_plain(cell) for cell in row] for row in sheets.statement_cells(lines, "zh")]
    shown = {
        "number": settlement.number,
        "rows": [
            ["供应商", settlement.supplier_name],
            ["结算期", f"{settlement.period_start} 至 {settlement.period_end}"],
            ["异议期至", f"{settlement.objections_until}"],
        ],
        "sums": [[name, yuan_from_fen(fen)] for name, fen in sheets.sums(settlement, "zh")],
        "head": sheets.STATEMENT_HEADER["zh"][:9],
        "lines": [row[:9] for row in cells if not row[9]],
        "held_head": [sheets.STATEMENT_HEADER["zh"][place] for place in (0, 3, 4, 5, 6, 9)],
        "held": [[row[place] for place in (0, 3, 4, 5, 6, 9)] for row in cells if row[9]],
    }
    return printing.pdf(_TEMPLATE, shown)


def _plain(cell: Any) -> str:
    return "" if cell is None else str(cell)
