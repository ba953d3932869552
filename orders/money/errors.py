"""What the reading of the money ledger may be refused for."""

from shop.core.errors import Invalid

#: Lines of a file: more would take too much memory, and no spreadsheet is read that far.
MAX_LINES = 50_000


class TooManyLines(Invalid):
    code = "too_many_lines"
    zh = "超过 {limit} 行，请缩小期间或增加条件"
    en = "More than {limit} lines for one file; choose a shorter period or more filters"
