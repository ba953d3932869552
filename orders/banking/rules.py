"""What a line of a bank statement says, and how lines are known again: pure functions.

Amounts stand in two columns (借方 went out, 贷方 came in, as the bank's customer reads them), or in one with a sign or with a column that says
the direction. Dates stand as 20260105, 2026-01-05, 2026/1/5, 2026年1月5日, with a time or without. What cannot be read is told by row and
column, and then nothing of the file is imported.
"""

import hashlib
import itertools
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal, InvalidOperation
from enum import StrEnum

from shop.core.money import MAX_FEN


class Column(StrEnum):
    """What a column of a statement may tell."""

    DATE = "date"
    #: Went out of the account.
    DEBIT = "debit"
    #: Came into it.
    CREDIT = "credit"
    #: One column for both: with a sign, or beside ``direction``.
    AMOUNT = "amount"
    DIRECTION = "direction"
    BALANCE = "balance"
    SERIAL = "serial"
    #: The other side.
    NAME = "name"
    ACCOUNT = "account"
    BANK = "bank"
    # where payer and payee have columns of their own, the other side is the payer of what came in and the payee of what went out
    PAYER_NAME = "payer_name"
    PAYER_ACCOUNT = "payer_account"
    PAYER_BANK = "payer_bank"
    PAYEE_NAME = "payee_name"
    PAYEE_ACCOUNT = "payee_account"
    PAYEE_BANK = "payee_bank"
    #: What the other side wrote; several columns are put together.
    TEXT = "text"
    CURRENCY = "currency"
    OWN_ACCOUNT = "own_account"


class MatchKind(StrEnum):
    """What a line may be for."""

    ORDER = "order"
    #: Two or three orders of one payer whose dues come to exactly the line; matched as parts of the kind ``order``.
    ORDERS = "orders"
    #: A transfer that the buyer had announced.
    ANNOUNCED = "announced"
    REFUND = "refund"
    #: A refund that came back.
    REFUND_RETURNED = "refund_returned"
    #: What a settlement owes a supplier.
    PAYOUT = "payout"
    #: A list of payouts that the bank shows as one line.
    PAYOUT_FILE = "payout_file"
    #: A file of refunds that the bank shows as one line.
    REFUND_FILE = "refund_file"
    #: A payout that came back.
    PAYOUT_RETURNED = "payout_returned"
    #: The bank takes a receipt back: its match is to be undone.
    RECEIPT_REVERSED = "receipt_reversed"
    #: What the bank itself takes or gives.
    BANK_ENTRY = "bank_entry"
    #: Another movement of the bank account that is in the books already: an advance, a transfer from the provider of online payments.
    BOOKED = "booked"


class BankEntryKind(StrEnum):
    FEE = "fee"
    INTEREST = "interest"
    OTHER = "other"
    #: A payout, advance or refund that left once more: money that its supplier holds ahead, which the next settlements use up; or that the buyer owes.
    PAID_TWICE = "paid_twice"


class PayerReason(StrEnum):
    """Why somebody else pays for a buyer."""

    #: 国库集中支付: the treasury pays for budget units.
    TREASURY = "treasury"
    PARENT_UNIT = "parent_unit"
    #: The name that the buyer had before.
    FORMER_NAME = "former_name"
    #: A person paid, to be paid back by the unit.
    PERSONAL = "personal"
    OTHER = "other"


def complete(columns: Iterable[str]) -> bool:
    """Whether a statement with these columns tells enough: a date, and an amount or both of its columns."""
    told = set(columns)
    return Column.DATE in told and (Column.AMOUNT in told or {Column.DEBIT, Column.CREDIT} <= told)


def named_twice(columns: Mapping[Column, Sequence[int]]) -> int | None:
    """A column that is said to tell two things; what others wrote may stand in any, so that the text is not counted."""
    numbers = [number for column, named in columns.items() if column is not Column.TEXT for number in set(named)]
    return next((number for number in numbers if numbers.count(number) > 1), None)


def flat(cell: str) -> str:
    """A cell in one width and without spaces."""
    return "".join(unicodedata.normalize("NFKC", cell).split())


_DATE = re.compile(r"(\d{4})(?:\s*[-/.年]\s*(\d{1,2})\s*[-/.月]\s*(\d{1,2})|(\d{2})(\d{2})(?:\d{6})?)(?!\d)", re.ASCII)
#: Days that spreadsheet programs count from here; what lies between the two years is taken for such a count.
_DAY_ZERO = date(1899, 12, 30)
_COUNTED = range(36_526, 73_051)


def day_of(cell: str) -> date | None:
    """The day that a cell tells; what stands behind it is its time. None where there is none."""
    text = unicodedata.normalize("NFKC", cell).strip()
    if text.isascii() and text.isdecimal() and len(text) == 5 and int(text) in _COUNTED:
        return _DAY_ZERO + timedelta(days=int(text))
    found = _DATE.match(text)
    if found is None:
        return None
    year, month, day, short_month, short_day = found.groups()
    try:
        read = date(int(year), int(month or short_month), int(day or short_day))
    except ValueError:
        return None
    return read if 2000 <= read.year <= 2100 else None


_NOTHING = frozenset({"", "-", "--", "/", "0", "0.0", "0.00", "+0.00", "-0.00"})
_AMOUNT = re.compile(r"(?P<sign>[+-]?)(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?")


def fen_of(cell: str) -> int | None:
    """The amount that a cell tells, in fen: ``1,234.50``, ``￥1234.5``, ``-12.00``, ``(12.00)``; nothing and a dash are zero. None where it
    tells none, or one with a part of a fen."""
    text = flat(cell).replace("¥", "").removeprefix("CNY").removeprefix("RMB").removesuffix("元")
    if text in _NOTHING:
        return 0
    if text.startswith("(") and text.endswith(")"):
        text = f"-{text[1:-1]}"
    if not _AMOUNT.fullmatch(text):
        return None
    try:
        fen = Decimal(text.replace(",", "")) * 100
    except InvalidOperation:  # pragma: no cover - the pattern lets figures through only
        return None
    return int(fen) if fen == fen.to_integral_value() and abs(fen) <= MAX_FEN else None


_IN = frozenset({"贷", "贷方", "收", "收入", "入账", "来账", "转入", "C", "CR", "CRDT", "CREDIT", "+", "IN"})
_OUT = frozenset({"借", "借方", "付", "支", "支出", "出账", "往账", "转出", "D", "DR", "DBIT", "DEBIT", "-", "OUT"})


def sign_of(cell: str) -> int | None:
    """1: came in; -1: went out."""
    text = flat(cell).upper()
    return 1 if text in _IN else -1 if text in _OUT else None


#: Words before figures that are of no single transfer.
SUMMARY = re.compile(
    r"小计|合计|总计|共计|累计|承前页|过次页|期初余额|期末余额|上期余额|本页|Total|Subtotal|Opening|Closing", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Entry:
    """One line as the file tells it; ``row_no`` counts from 1. Amounts in fen: above zero came in, below zero went out."""

    row_no: int
    booked_on: date
    amount_fen: int
    balance_fen: int | None = None
    serial: str = ""
    name: str = ""
    account: str = ""
    bank: str = ""
    text: str = ""
    #: 红字冲正: the bank takes back a line of the other direction.
    reversal: bool = False


@dataclass(frozen=True, slots=True)
class Statement:
    """What a file tells. ``account`` and balances where it tells them; entries in the order of time."""

    format: str
    entries: tuple[Entry, ...]
    account: str | None = None
    opening_fen: int | None = None
    closing_fen: int | None = None


#: How long before the latest day of an account a line may lie that no statement has shown: a month, as a bank closes its statements.
LATE_DAYS = 31


@dataclass(frozen=True, slots=True)
class Held:
    """What of an account is known: the day on which its first statement begins, the latest day of any, and what it holds (fen)."""

    first_on: date
    latest_on: date
    balance_fen: int


def earliest_new(held: Held) -> date:
    """No line before this day can be new."""
    return max(held.first_on, held.latest_on - timedelta(days=LATE_DAYS))


class Break(Exception):
    """The balances do not follow from the amounts; ``row_no`` is where, None for the statement as a whole."""

    def __init__(self, row_no: int | None, expected: int, found: int) -> None:
        super().__init__(row_no, expected, found)
        self.row_no, self.expected, self.found = row_no, expected, found


def in_order_of_time(entries: Sequence[Entry]) -> list[Entry]:
    """The lines, oldest first: banks list them either way. The balances tell which, or else the dates.

    Raises:
        Break: each line tells its balance, and they do not follow from one another in either direction.
    """
    forward, backward = list(entries), list(reversed(entries))
    if all(entry.balance_fen is not None for entry in entries):
        breaks = [_first_break(forward), _first_break(backward)]
        if None not in breaks:
            newest_first = bool(entries) and entries[0].booked_on > entries[-1].booked_on
            raise breaks[newest_first]  # type: ignore[misc]
        return forward if breaks[0] is None else backward
    return backward if entries and entries[0].booked_on > entries[-1].booked_on else forward


def _first_break(entries: Sequence[Entry]) -> Break | None:
    for before, after in itertools.pairwise(entries):
        expected = (before.balance_fen or 0) + after.amount_fen
        if after.balance_fen != expected:
            return Break(after.row_no, expected, after.balance_fen or 0)
    return None


def balances(statement: Statement, closing_fen: int | None = None) -> tuple[int, int] | None:
    """Opening and closing balance of a statement, in fen: as the file tells them, as its lines do, or from the closing balance that somebody
    read. None where nothing tells, or the file tells how it opens and not how it closes: it may be cut off.

    Raises:
        Break: what is told does not add up.
    """
    entries = statement.entries
    moved = sum(entry.amount_fen for entry in entries)
    first, last = entries[0].balance_fen, entries[-1].balance_fen
    opening, closing = statement.opening_fen, statement.closing_fen
    if opening is None and first is not None:
        opening = first - entries[0].amount_fen
    if closing is None:
        closing = last if last is not None else closing_fen
    if closing is None and opening is not None and statement.opening_fen is None:
        closing = opening + moved
    if closing is None:
        return None
    if opening is None:
        opening = closing - moved
    for told in (closing, last, closing_fen):
        if told is not None and told != opening + moved:
            raise Break(None, opening + moved, told)
    return opening, closing


def keys(entries: Iterable[Entry]) -> list[str]:
    """By what each line is known again when the same or an overlapping file comes: the bank's serial number with date and amount (a transfer
    and its fee may share a number), else everything that the line tells; and, among equal ones, its place."""
    seen: Counter[str] = Counter()
    made = []
    for entry in entries:
        told: list[object] = [entry.booked_on, entry.amount_fen]
        told += [entry.serial] if entry.serial else [entry.balance_fen, entry.name, entry.account, entry.text]
        digest = hashlib.sha256("\x1f".join(map(str, told)).encode()).hexdigest()[:40]
        seen[digest] += 1
        made.append(f"{'s' if entry.serial else 'h'}{digest}-{seen[digest]}")
    return made
