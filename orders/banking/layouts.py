"""Reading the rows of a statement by the layout of a bank, or by columns that somebody named. Pure; the layouts themselves are data."""

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from orders.banking.rules import SUMMARY, Column, Entry, complete, day_of, fen_of, flat, sign_of
from orders.importing.cells import storable, title
from orders.importing.rules import HEADER_WITHIN
from shop.core import sheets
from shop.core.errors import Fault

_IN_BRACKETS = re.compile(r"[\[【].*[\]】]$")


def head(cell: str) -> str:
    """A header without what does not count: 交易金额[ Trade Amount ] is 交易金额."""
    return title(_IN_BRACKETS.sub("", flat(cell)) or cell)


@dataclass(frozen=True, slots=True)
class Layout:
    """Whose statements look so; ``roles`` tells the role of a header."""

    code: str
    zh: str
    en: str
    roles: Mapping[str, Column]


def _load() -> dict[str, Layout]:
    told = tomllib.loads((Path(__file__).parent / "layouts.toml").read_text(encoding="utf-8"))
    return {
        code: Layout(
            code,
            each["zh"],
            each["en"],
            {head(name): Column(column) for column, names in reversed(each["columns"].items()) for name in names},
        )
        for code, each in told.items()
    }


LAYOUTS = _load()

#: Where the columns stand, from 0; of most roles the first that is there counts, of texts all of them.
Places = Mapping[Column, Sequence[int]]


@dataclass(frozen=True, slots=True)
class Found:
    """Where the header stands (``row`` from 0), what its columns are, and whose layout it is; None: somebody said so."""

    row: int
    columns: Places
    layout: str | None


def find(rows: Sequence[Sequence[str]], layout: str | None = None) -> Found | None:
    """The header among the first rows, and the layout that knows most of it; ``layout`` narrows the choice."""
    best: Found | None = None
    for code in [layout] if layout else LAYOUTS:
        for number, cells in enumerate(rows[:HEADER_WITHIN]):
            places = _places(cells, LAYOUTS[code].roles)
            if complete(places) and (best is None or _known(places) > _known(best.columns)):
                best = Found(number, places, code)
    return best


#: What is a number or a day, not a text; and what is a text without being a code.
_NUMBERS = frozenset({Column.DATE, Column.AMOUNT, Column.DEBIT, Column.CREDIT, Column.BALANCE})
_WORDS = frozenset({Column.TEXT, Column.DIRECTION, Column.CURRENCY})


def texts_of(found: Found) -> tuple[set[int], set[int]]:
    """Where the columns of texts stand, and of them those of codes: accounts, serial numbers, names and banks."""
    texts = {column: places for column, places in found.columns.items() if column not in _NUMBERS}
    return (
        {at for places in texts.values() for at in places},
        {at for column, places in texts.items() if column not in _WORDS for at in places},
    )


def _places(cells: Sequence[str], roles: Mapping[str, Column]) -> dict[Column, list[int]]:
    places: dict[Column, list[int]] = {}
    order = list(roles)
    for at, cell in sorted(enumerate(cells), key=lambda each: order.index(head(each[1])) if head(each[1]) in roles else 0):
        if column := roles.get(head(cell)):
            places.setdefault(column, []).append(at)
    # the name that a layout names first counts, wherever it stands
    return {column: sorted(found) if column is Column.TEXT else found[:1] for column, found in places.items()}


def _known(places: Places) -> int:
    return sum(map(len, places.values()))


@dataclass(slots=True)
class Read:
    """What the rows below a header say; ``faults`` name every cell that cannot be read."""

    entries: list[Entry]
    faults: list[Fault]
    #: Own accounts and currencies that the rows name.
    accounts: set[str]
    currencies: set[str]


def read(rows: Sequence[Sequence[str]], found: Found) -> Read:
    """The lines below the header. Titles, totals, signatures and repeated headers are no lines: they have no date, or neither amount."""
    made = Read([], [], set(), set())
    header = [head(cell) for cell in rows[found.row]]
    for number, cells in enumerate(rows[found.row + 1 :], start=found.row + 2):
        if len(cells) < len(header) or not all(head(cell) == name for cell, name in zip(cells, header, strict=False)):
            _read_row(made, number, cells, found.columns)
    return made


_NO_AMOUNT = "金额无法识别，须为数字，如 1,234.50", "the amount cannot be read; a number such as 1,234.50 is expected"


def _read_row(made: Read, number: int, cells: Sequence[str], columns: Places) -> None:
    told = {column: _cell(cells, places) for column, places in columns.items()}
    day = day_of(told[Column.DATE])
    written = [told.get(column, "") for column in (Column.AMOUNT, Column.DEBIT, Column.CREDIT)]
    if not any(cell.strip() for cell in written) or (day is None and (_is_summary(cells) or not told[Column.DATE].strip())):
        return
    if untold := list(_untold(number, cells, columns)):
        made.faults += untold
        return
    if day is None:
        made.faults.append(sheets.fault(number, Column.DATE, "bad_date", "日期无法识别", "the date cannot be read"))
    amount, reversal = _amount(told)
    if amount is None:
        made.faults.append(sheets.fault(number, "amount", "bad_amount", *_NO_AMOUNT))
    elif (
        amount > 0
        and Column.DIRECTION in columns
        and told.get(Column.AMOUNT, "").strip()
        and sign_of(told[Column.DIRECTION]) is None
    ):
        # neither in nor out may be guessed
        made.faults.append(
            sheets.fault(number, Column.DIRECTION, "bad_direction", "收付方向无法识别", "the direction cannot be read")
        )
    balance = fen_of(told[Column.BALANCE]) if told.get(Column.BALANCE, "").strip() else None
    if balance is None and told.get(Column.BALANCE, "").strip():
        made.faults.append(sheets.fault(number, Column.BALANCE, "bad_balance", "余额无法识别", "the balance cannot be read"))
    if not day or not amount:
        return
    side = (
        ("payer" if (amount > 0) != reversal else "payee") if Column.PAYER_NAME in columns or Column.PAYEE_NAME in columns else None
    )
    names = {what: told.get(Column(f"{side}_{what}" if side else what), "") for what in ("name", "account", "bank")}
    made.entries.append(
        Entry(
            number,
            day,
            amount,
            balance,
            serial=flat(told.get(Column.SERIAL, "")) if told.get(Column.SERIAL, "").strip("0 ") else "",
            name=names["name"].strip(),
            account=flat(names["account"]),
            bank=names["bank"].strip(),
            text=told.get(Column.TEXT, ""),
            reversal=reversal,
        )
    )
    made.accounts.add(re.sub(r"\D", "", told.get(Column.OWN_ACCOUNT, "")))
    made.currencies.add(flat(told.get(Column.CURRENCY, "")).upper())


def _cell(cells: Sequence[str], places: Sequence[int]) -> str:
    return storable(" ".join(cell for at in places if at < len(cells) and (cell := cells[at].strip())))


def _untold(number: int, cells: Sequence[str], columns: Places) -> Iterator[Fault]:
    """The cells of which nobody can tell what stands there, such as an account typed as a number that lost its last digits. What the other side wrote
    may begin like a formula."""
    for column, places in columns.items():
        for at in places:
            why = sheets.not_told(cells[at]) if at < len(cells) else None
            if why and (why in (sheets.LONG_NUMBER, sheets.ERROR) or column is not Column.TEXT):
                yield sheets.fault(number, column, *why)


def _is_summary(cells: Sequence[str]) -> bool:
    return any(SUMMARY.match(flat(cell)) for cell in cells)


def _amount(told: Mapping[Column, str]) -> tuple[int | None, bool]:
    """The amount in fen, with its sign; 0 for a row that moves nothing, None where it cannot be read. And whether it is a reversal (红字冲正):
    banks write one on the side of what it takes back, with a minus."""
    if told.get(Column.AMOUNT, "").strip():
        amount = fen_of(told[Column.AMOUNT])
        direction = sign_of(told.get(Column.DIRECTION, ""))
        # a minus beside 往账 or 借 is the sign said twice, as BOC writes it; beside 来账 or 贷 a receipt that was taken back; either way it went out
        signed = amount if amount is None or direction is None or amount < 0 else amount * direction
        return signed, amount is not None and amount < 0 and direction == 1
    out, into = (fen_of(told.get(column, "")) for column in (Column.DEBIT, Column.CREDIT))
    if out is None or into is None or (out and into):
        return None, False
    return into - out, out < 0 or into < 0
