"""What the reading of the money ledger, and what is said against the bank, may be refused for."""

from typing import TypeVar

from shop.core.errors import Conflict, Invalid
from shop.core.paging import Page

T = TypeVar("T")

#: Lines of a file: more would take too much memory, and no spreadsheet is read that far.
MAX_LINES = 50_000


class TooManyLines(Invalid):
    code = "too_many_lines"
    zh = "超过 {limit} 行，请缩小期间或增加条件"
    en = "More than {limit} lines for one file; choose a shorter period or more filters"


class ShownByBank(Conflict):
    code = "shown_by_bank"
    zh = "银行流水显示该笔款项已付出；如已退回，请核销退汇流水"
    en = "A line of the bank shows that the money left; if it came back, match the line that shows this"


def whole(found: Page[T], limit: int) -> list[T]:
    """The rows of a list that was read for a file, ``limit`` of them at most.

    Raises:
        TooManyLines: there are more, and a file that leaves some out would be taken for all (422).
    """
    if found.next is not None:
        raise TooManyLines(limit=limit)
    return found.items
