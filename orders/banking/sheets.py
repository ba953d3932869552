"""The bank's balance beside that of the books as a spreadsheet (银行存款余额调节表)."""

from collections.abc import Iterator
from datetime import date

from fastapi.responses import Response

from orders.banking.schemas.statements import ReconciliationStatementOut
from orders.money.rules import Kind, word
from shop.core import exports
from shop.core.errors import Language
from shop.core.exports import Cell
from shop.core.money import yuan

_TITLE: dict[Language, str] = {"zh": "银行存款余额调节表", "en": "Bank reconciliation"}
_HEADER: dict[Language, list[str]] = {
    "zh": ["项目", "账号", "日期", "摘要", "凭证号", "金额（元）", "笔数"],
    "en": ["item", "account", "date", "kind", "transaction", "amount (yuan)", "lines"],
}
_WORDS: dict[str, tuple[str, str]] = {
    "account": ("银行账户", "account"),
    "statement_balance": ("银行对账单余额", "balance of the bank"),
    "came_in": ("加：账上已收、银行未收", "in the books as come in, not on a statement"),
    "went_out": ("减：账上已付、银行未付", "in the books as gone out, not on a statement"),
    "adjusted": ("调节后的存款余额", "balance of the bank, adjusted"),
    "book_balance": ("账面存款余额", "balance of the books"),
    "difference": ("差额（应为零）", "difference (has to be zero)"),
    "unmatched_in": ("未核销的收款流水", "lines that came in, not explained"),
    "unmatched_out": ("未核销的付款流水", "lines that went out, not explained"),
    "announced": ("采购单位已登记、银行未收的汇款", "announced by buyers, not on a statement"),
    "in": ("其中：未核销收款，账龄 {age} 天", "of these: came in, {age} days ago"),
    "out": ("其中：未核销付款，账龄 {age} 天", "of these: went out, {age} days ago"),
}


def reconciliation(kind: str, language: Language, found: ReconciliationStatementOut) -> Response:
    """The answer that holds it as a file."""
    return exports.file(kind, "bank_reconciliation", _HEADER[language], _cells(found, language), _TITLE[language])


def _cells(found: ReconciliationStatementOut, language: Language) -> Iterator[list[Cell]]:
    """From the bank's balance over every movement that it has not shown to the books', and below it what is not explained yet."""
    until = found.statement_to

    def row(item: str, fen: int, on: date | None = None, **of: str) -> list[Cell]:
        return [_WORDS[item][language == "en"].format(**of), None, on, None, None, yuan(fen), None]

    yield [_WORDS["account"][language == "en"], found.account, None, None, None, None, None]
    yield row("statement_balance", found.statement_balance, until)
    for each in found.outstanding:
        item = _WORDS["came_in" if each.amount > 0 else "went_out"][language == "en"]
        yield [item, None, each.booked_on, word(Kind(each.kind), language), each.transaction_id, yuan(each.amount), None]
    yield row("adjusted", found.statement_balance + found.outstanding_total)
    yield row("book_balance", found.book_balance)
    yield row("difference", found.difference)
    yield row("unmatched_in", found.unmatched_in)
    yield row("unmatched_out", found.unmatched_out)
    for age in found.by_age:
        yield [*row(age.direction, age.open, age=age.age)[:-1], age.lines]
    yield row("announced", found.announced)
