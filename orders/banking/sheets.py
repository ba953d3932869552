"""The bank's balance beside that of the books as a spreadsheet (银行存款余额调节表)."""

from collections.abc import Iterator
from datetime import date

from fastapi.responses import Response

from orders.banking.schemas.statements import ReconciliationStatementOut
from orders.money.rules import Kind, word
from shop.core import exports
from shop.core.errors import Language
from shop.core.exports import Cell, Worksheet
from shop.core.money import yuan

_TITLE: dict[Language, str] = {"zh": "银行存款余额调节表", "en": "Bank reconciliation"}
_HEADER: dict[Language, list[str]] = {
    "zh": ["项目", "账号", "日期", "摘要", "凭证号", "金额（元）", "笔数"],
    "en": ["item", "account", "date", "kind", "transaction", "amount (yuan)", "lines"],
}
_WORDS: dict[str, tuple[str, str]] = {
    "account": ("银行账户", "account"),
    "as_of": ("截至日期", "as of the end of"),
    "statement_balance": ("银行对账单余额", "balance of the bank"),
    "came_in": ("加：账上已收、银行未收", "plus: in the books as come in, not on a statement"),
    "went_out": ("减：账上已付、银行未付", "less: in the books as gone out, not on a statement"),
    "bank_out": ("加：银行已付、账上未付", "plus: on a statement as gone out, not in the books"),
    "bank_in": ("减：银行已收、账上未收", "less: on a statement as come in, not in the books"),
    "adjusted": ("调节后的存款余额", "balance of the bank, adjusted"),
    "booked": ("总账银行存款余额", "balance of the ledger's account"),
    "before_books": ("加：首份对账单前的余额（总账未记）", "plus: held before the first statement, not in the ledger"),
    "book_balance": ("账面存款余额", "balance of the books"),
    "difference": ("差额（应为零）", "difference (has to be zero)"),
    "unmatched_in": ("未核销的收款流水", "lines that came in, not explained"),
    "unmatched_out": ("未核销的付款流水", "lines that went out, not explained"),
    "announced": ("采购单位已登记、银行未收的汇款", "announced by buyers, not on a statement"),
    "in": ("其中：未核销收款，账龄 {age} 天", "of these: came in, {age} days ago"),
    "out": ("其中：未核销付款，账龄 {age} 天", "of these: went out, {age} days ago"),
    "made_by": ("编制：", "prepared by:"),
    "checked_by": ("复核：", "checked by:"),
}


def reconciliation(kind: str, language: Language, found: ReconciliationStatementOut) -> Response:
    """The answer that holds it as a file; of a spreadsheet with its title above."""
    title = _TITLE[language]
    if kind == "csv":
        return exports.file(kind, "bank_reconciliation", _HEADER[language], _cells(found, language), title)
    return exports.workbook("bank_reconciliation", [Worksheet(title, _HEADER[language], _cells(found, language), [[title]])])


def _cells(found: ReconciliationStatementOut, language: Language) -> Iterator[list[Cell]]:
    """From the bank's balance over every movement between them to the books', below it what is not explained yet, and who made and checked it. What is
    taken off is said so, and told without a minus."""

    def row(item: str, fen: int | None = None, on: date | None = None, **of: str) -> list[Cell]:
        return [_WORDS[item][language == "en"].format(**of), None, on, None, None, yuan(fen), None]

    yield [_WORDS["account"][language == "en"], found.account, None, None, None, None, None]
    yield row("as_of", on=found.as_of)
    yield row("statement_balance", found.statement_balance, found.statement_to)
    for each in found.outstanding:
        sides = ("bank_out", "bank_in") if each.kind == Kind.RECEIPT else ("came_in", "went_out")
        item = _WORDS[sides[each.amount < 0]][language == "en"]
        amount = yuan(abs(each.amount))
        yield [item, None, each.booked_on, word(Kind(each.kind), language), each.transaction_id, amount, None]
    yield row("adjusted", found.statement_balance + found.outstanding_total)
    yield row("booked", found.booked)
    yield row("before_books", found.before_books)
    yield row("book_balance", found.book_balance)
    yield row("difference", found.difference)
    yield row("unmatched_in", found.unmatched_in)
    yield row("unmatched_out", found.unmatched_out)
    for age in found.by_age:
        yield [*row(age.direction, age.open, age=age.age)[:-1], age.lines]
    yield row("announced", found.announced)
    yield row("made_by")
    yield row("checked_by")
