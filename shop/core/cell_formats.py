"""What a cell of a workbook shows of the number or day that it holds, by the format of its numbers. Pure functions."""

import functools
import re
from decimal import Decimal

_WHOLE = re.compile(r"[0-9]+")
_NUMBER = re.compile(r"-?[0-9]+(?:\.[0-9]+)?")
_DAY = re.compile(r"([0-9]{4})-([0-9]{2})-[0-9]{2}(?: [0-9:.]+)?")
#: The parts of a format: texts that are written as they stand, colours and languages, which show nothing, a place left free or filled up, the number as it
#: is, digits, and any other sign.
_PARTS = re.compile(
    r'"(?P<text>[^"]*)"|\\(?P<sign>.)|\[(?P<mute>\$-[0-9A-Fa-f,]+|(?:Black|Blue|Cyan|Green|Magenta|Red|White|Yellow|[黑蓝青绿红白黄]色|洋红)'
    r"|(?:Color|颜色)\s*[0-9]+)\]|_(?P<free>.)|(?P<general>General|G/通用格式)|(?P<digit>[0#])|(?P<other>.)",
    re.IGNORECASE | re.DOTALL,
)
#: Signs that are written as they stand without quotes, beside all that is not ASCII.
_BARE = frozenset(" -+()$")
_OF_YEARS = frozenset("ye")
_OF_DAYS = _OF_YEARS | {"m"}
#: A day, or the time of one.
_WITH_DAY = frozenset("dhs")
_NOT_SHOWN = re.compile(r'"[^"]*"|\\.|_.|\*.|\[[^\]]*\]', re.DOTALL)


def shown(number: str, code: str) -> str | None:
    """A whole number as its cell shows it: 42 as 000042 by ``000000``, 3001 as SN-3001 by ``"SN-"0``. None: it is none, or the format does more than fill
    it up with zeros and write something before, between or behind its digits, so that nobody can tell exactly what the cell shows."""
    if not _WHOLE.fullmatch(number):
        return None
    parts = list(_PARTS.finditer(_section(code, is_zero=not number.strip("0"))))
    if any(part["other"] is not None and part["other"].isascii() and part["other"] not in _BARE for part in parts):
        return None
    digits = [part["digit"] for part in parts if part["digit"]]
    if bool(digits) == any(part["general"] for part in parts):  # neither, or both
        return None
    placed = iter(_placed(number.lstrip("0"), digits))
    return "".join(number if part["general"] else next(placed) if part["digit"] else _written(part) for part in parts).strip()


def _written(part: re.Match[str]) -> str:
    return part["text"] or part["sign"] or part["other"] or ""


def _placed(number: str, places: list[str]) -> list[str]:
    """What stands in the place of each 0 and # of a format: its digit, at the first place all that are too many, and where there are too few a zero from
    the first 0 on."""
    digits = number.zfill(len(places) - places.index("0") if "0" in places else 0)
    more = len(digits) - len(places)
    return [digits[: more + 1], *digits[more + 1 :]] if more >= 0 else [""] * -more + list(digits)


def _section(code: str, *, is_zero: bool) -> str:
    """The part of a format by which a number that is not negative is shown."""
    sections = [""]
    for part in _PARTS.finditer(code):
        if part["other"] == ";":
            sections.append("")
        else:
            sections[-1] += part[0]
    return sections[2 if is_zero and len(sections) > 2 else 0]


def as_told(cell: str, code: str) -> str:
    """What a cell tells whatever its column is for: a percent as one, so that 0.125 is 12.5 %, and a day of which only the month or the year is shown as
    just that, 2026-05 or 2026. Anything else is told by its value."""
    signs = _signs(code)
    if "%" in signs and _NUMBER.fullmatch(cell):
        return _percent(cell)
    if signs & _OF_DAYS and not signs & _WITH_DAY and (day := _DAY.fullmatch(cell)):
        year, month = day.groups()
        return "-".join([*([year] if signs & _OF_YEARS else []), *([month] if "m" in signs else [])])
    return cell


@functools.cache
def _signs(code: str) -> frozenset[str]:
    """The signs of a format that stand for something; of one with several parts those of the first, by which days are shown, and its percents."""
    bare = _NOT_SHOWN.sub("", code).lower()
    return frozenset(bare.partition(";")[0]) | frozenset("%" if "%" in bare else "")


def _percent(number: str) -> str:
    whole, _, decimals = format(Decimal(number) * 100, "f").partition(".")
    return f"{whole}.{decimals}".rstrip("0").rstrip(".") + "%" if decimals else f"{whole}%"
