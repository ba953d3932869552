"""Reading a file that a bank has made: whatever its kind, it ends as a statement, or with why it cannot be read."""

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from sqlalchemy import text
from sqlmodel import Session

from orders.banking import layouts, rules, statement_reader
from orders.banking.errors import (
    BalanceBroken,
    BalanceMissing,
    HeaderNotFound,
    LineInFuture,
    NoLines,
    NoSuchLayout,
    OtherAccount,
    OtherCurrency,
    StatementUnreadable,
    UnreadableFile,
)
from orders.banking.layouts import LAYOUTS, Found
from orders.banking.rules import Break, Column, Entry, Statement, flat
from orders.banking.schemas.statements import BankColumnsIn, HowRead
from orders.importing.cells import storable, tidy
from orders.importing.rules import HEADER_WITHIN
from shop.core import clock, sheets, workbooks
from shop.core.errors import Fault, Problem
from shop.core.money import fen_from_yuan, yuan_from_fen
from shop.core.sheet_reader import MAX_ROWS
from shop.core.sheets import Fit

_SAVED = text("SELECT fingerprint, columns FROM bank_columns WHERE fingerprint = ANY (:fingerprints)")
#: Faults that are told at once.
TOLD = 100
_LATE = "日期晚于今天", "it is dated after today"
_YUAN = frozenset({"", "CNY", "RMB", "人民币", "人民币元", "人民币(本位币)", "156", "01"})
#: What lines of MT940 begin with; of a broken one some may be missing.
_MT940_FIELD = re.compile(rb"(?m)^:(20|25|28C|60[FM]|61|62[FM]|86):")
#: An account beside its word, above the header.
_ACCOUNT = re.compile(r"(?:账号|帐号|账户号|accountno\.?|accountnumber)[\[\]a-z ]*[:]?(\d[\d-]{7,33})", re.IGNORECASE)
#: A currency beside its word, above the header, in the same cell or the next.
_CURRENCY = re.compile(
    r"(?:币种|币别|货币|currency)[\[\]a-z\t]*?:?\t*([a-z]{3}(?![a-z])|[\u4e00-\u9fff]{1,3}?(?:元|币|镑|法郎))", re.IGNORECASE
)


@dataclass(slots=True)
class Parsed:
    """What a file was understood as. ``problem``: why nothing of it can be imported; then the rest may be missing."""

    format: str = "csv"
    found: Found | None = None
    headers: list[str] = field(default_factory=list)
    sample: list[list[str]] = field(default_factory=list)
    statement: Statement | None = None
    opening_fen: int = 0
    closing_fen: int = 0
    problem: Problem | None = None


def parse(session: Session, content: bytes, how: HowRead, account: str) -> Parsed:
    """Read a file as a statement of ``account``; never raises for its content."""
    parsed = Parsed(format=format_of(content))
    try:
        if parsed.format in ("camt053", "mt940"):
            statement, accounts, currencies = _message(content, parsed.format)
        else:
            statement, accounts, currencies = _sheet(session, content, how, parsed)
        _require_own(accounts, currencies, account)
        if not statement.entries:
            raise NoLines
        if (latest := max(statement.entries, key=lambda entry: entry.booked_on)).booked_on > (today := clock.today()):
            late = [
                sheets.fault(entry.row_no, "date", LineInFuture.code, *_LATE)
                for entry in statement.entries
                if entry.booked_on > today
            ]
            raise LineInFuture(row=latest.row_no, day=str(latest.booked_on), today=str(today), faults=late[:TOLD])
        try:
            entries = tuple(rules.in_order_of_time(statement.entries))
            parsed.statement = Statement(statement.format, entries, statement.account, statement.opening_fen, statement.closing_fen)
            held = rules.balances(parsed.statement, how.closing_balance)
        except Break as broken:
            raise _broken(broken) from None
        if held is None:
            raise BalanceMissing
        parsed.opening_fen, parsed.closing_fen = held
    except workbooks.UnreadableSpreadsheet:  # it speaks of templates, and a statement has none
        parsed.problem = UnreadableFile()
    except Problem as problem:
        parsed.problem = problem
    return parsed


def format_of(content: bytes) -> str:
    """What a file is, by its content; ``xlsx`` is any workbook, ``csv`` any text with commas or tabs."""
    if workbooks.is_workbook(content):
        return "xlsx"
    start = workbooks.beginning(content)
    if start.startswith("<") and not workbooks.is_table_in_markup(start):
        return "camt053"
    return "mt940" if len(set(_MT940_FIELD.findall(content[:100_000]))) > 1 else "csv"


def _broken(broken: Break) -> BalanceBroken:
    return BalanceBroken(row=broken.row_no or "-", expected=yuan_from_fen(broken.expected), found=yuan_from_fen(broken.found))


def _require_own(accounts: set[str], currencies: set[str], account: str) -> None:
    for told in sorted(accounts - {""}):
        # some banks print an account with the branch before it, or the currency behind it
        if not (
            told == account or (len(told) >= 8 and (told.endswith(account) or told.startswith(account) or account.endswith(told)))
        ):
            raise OtherAccount(account=told)
    for currency in sorted(currencies - _YUAN):
        raise OtherCurrency(currency=currency)


def _message(content: bytes, format: str) -> tuple[Statement, set[str], set[str]]:
    told: list[dict[str, Any]] = workbooks.read_apart(Path(statement_reader.__file__), content, format)
    faults: list[Fault] = []
    entries: list[Entry] = []
    opening = closing = None
    number = 0
    try:
        for each in told:
            begins = None if each["opening"] is None else fen_from_yuan(each["opening"])
            if closing is not None and begins is not None and begins != closing:
                raise Break(None, closing, begins)
            opening = begins if opening is None and not entries else opening
            closing = None if each["closing"] is None else fen_from_yuan(each["closing"])
            for line in each["entries"]:
                number += 1
                entries += _entry(number, line, faults)
    except Break as broken:
        raise _broken(broken) from None
    except ValueError:
        raise UnreadableFile from None
    if faults:
        raise StatementUnreadable(count=len(faults), faults=faults[:TOLD])
    if number >= statement_reader.MAX_LINES:  # there may be more than were read
        raise sheets.TooManyRows(limit=statement_reader.MAX_LINES)
    accounts = {re.sub(r"\D", "", each["account"]) for each in told}
    currencies = {currency for each in told for currency in each["currencies"]}
    return Statement(format, tuple(entries), None, opening, closing), accounts, currencies


_UNREAD = (
    "日期或金额无法识别，须如 2026-01-31 和 1234.50",
    "date or amount cannot be read; 2026-01-31 and 1234.50 are expected, for instance",
)


def _entry(number: int, line: Mapping[str, Any], faults: list[Fault]) -> list[Entry]:
    try:
        day = date.fromisoformat(line["date"])
        amount = fen_from_yuan(line["amount"])
    except ValueError:
        faults.append(sheets.fault(number, "line", "bad_line", *_UNREAD))
        return []
    serial, name, account, bank, written = (storable(line[each]) for each in ("serial", "name", "account", "bank", "text"))
    return [Entry(number, day, amount, None, serial, name, account, bank, written, bool(line["reversal"]))] if amount else []


def _sheet(session: Session, content: bytes, how: HowRead, parsed: Parsed) -> tuple[Statement, set[str], set[str]]:
    if how.layout and how.layout not in LAYOUTS:
        raise NoSuchLayout(layout=how.layout)
    book = workbooks.book(content)
    cleaned = {name: _cleaned(each.rows) for name, each in book.items()}
    layout_of = {name: _said(how) or _saved(session, rows) or layouts.find(rows, how.layout) for name, rows in cleaned.items()}
    name = sheets.chosen({name: _fit(cleaned[name], layout_of[name]) for name in book}, how.sheet)
    rows, parsed.found = cleaned[name], layout_of[name]
    parsed.sample = rows[:HEADER_WITHIN]
    if len(rows) >= MAX_ROWS:
        raise sheets.TooManyRows(limit=MAX_ROWS)
    if parsed.found is None and not _is_table(content, rows):
        raise UnreadableFile
    if parsed.found is None or parsed.found.row >= len(rows):
        raise HeaderNotFound
    parsed.headers = rows[parsed.found.row]
    if how.columns:
        _require_columns(how.columns, max(map(len, rows)))
    rows = _cleaned(book[name].shown(*layouts.texts_of(parsed.found)))
    read = layouts.read(rows, parsed.found)
    if read.faults:
        raise StatementUnreadable(count=len(read.faults), faults=read.faults[:TOLD])
    above = "\n".join("\t".join(flat(cell) for cell in cells) for cells in rows[: parsed.found.row])
    accounts = read.accounts | {re.sub(r"\D", "", each) for each in _ACCOUNT.findall(above.replace("\t", ""))}
    currencies = read.currencies | {each.upper() for each in _CURRENCY.findall(above)}
    return Statement(parsed.format, tuple(read.entries)), accounts, currencies


def _require_columns(said: BankColumnsIn, width: int) -> None:
    faults = [
        Fault(
            f"columns.{column}[{place}]",
            "no_such_column",
            f"文件只有 {width} 列",
            f"the file has {width} columns only",
        )
        for column, numbers in said.columns.items()
        for place, number in enumerate(numbers)
        if number > width
    ]
    if faults:
        raise StatementUnreadable(count=len(faults), faults=faults)


def _is_table(content: bytes, rows: Sequence[Sequence[str]]) -> bool:
    """Whether a file without a header that is known may hold lines at all, so that somebody could say what its columns are."""
    return not content.startswith(b"%PDF-") and any(sum(map(bool, cells)) > 1 for cells in rows)


def _fit(rows: Sequence[Sequence[str]], found: Found | None) -> Fit:
    """Whether a sheet has a header that is known, and lines below it."""
    if found is None:
        return Fit.OTHER
    return Fit.FILLED if any(any(cells) for cells in rows[found.row + 1 :]) else Fit.HEADED


_QUOTED = re.compile(r'=?"(.*)"|\'(.*)')


def _cleaned(rows: Sequence[Sequence[str]]) -> list[list[str]]:
    return [_clean(cells) for cells in rows]


def _clean(cells: Sequence[str]) -> list[str]:
    """Banks keep long numbers from becoming figures by a tab, an apostrophe, or a formula that is a text."""
    made = []
    for cell in tidy(cells):
        stripped = cell.strip()
        quoted = _QUOTED.fullmatch(stripped)
        made.append((quoted[1] or quoted[2] or "") if quoted else stripped)
    return made


def _said(how: HowRead) -> Found | None:
    if how.columns is None:
        return None
    places = {Column(name): [at - 1 for at in numbers] for name, numbers in how.columns.columns.items()}
    return Found(how.columns.header_row - 1, places, None)


def _saved(session: Session, rows: Sequence[Sequence[str]]) -> Found | None:
    prints = {fingerprint(cells): number for number, cells in reversed(list(enumerate(rows[:HEADER_WITHIN]))) if cells}
    for row in session.execute(_SAVED, {"fingerprints": list(prints)}):
        return Found(prints[row.fingerprint], {Column(name): at for name, at in row.columns.items()}, None)
    return None


def fingerprint(cells: Sequence[str]) -> str:
    """By what a header is known again."""
    return hashlib.sha256("|".join(layouts.head(cell) for cell in cells).rstrip("|").encode()).hexdigest()
