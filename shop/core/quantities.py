"""Quantities (three decimal places, a step per SKU), weights (integer grams) and the text type of every request."""

import re
import unicodedata
from collections.abc import Hashable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, AwareDatetime, BeforeValidator, Field, PlainSerializer, StringConstraints, WithJsonSchema

from shop.core import clock
from shop.core.errors import BadValue

Named = TypeVar("Named", bound=Hashable)

THOUSANDTH = Decimal("0.001")
MAX_QUANTITY = Decimal(10**9)
#: Largest value of a 64-bit id.
MAX_ID = 2**63 - 1


def is_multiple(quantity: Decimal, step: Decimal) -> bool:
    """Whether ``quantity`` is a whole number of steps (1 for packs, 0.001 for kilograms)."""
    return quantity % step == 0


def weight_of(quantity: Decimal, net_grams: int) -> int:
    """Grams of ``quantity`` units of ``net_grams`` each, rounded half up to the gram."""
    return int((quantity * net_grams + Decimal("0.5")) // 1)


def plain(quantity: Decimal) -> str:
    """``Decimal("12.500")`` -> ``"12.5"``."""
    text = format(quantity, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


class NoNumber(BadValue):
    """A value of a request that is no number. ``in_cell``: what is said of a cell of a spreadsheet, where more is taken."""

    in_cell = "须为数字，如 1234.50 或 1,234.50", "not a number such as 1234.50 or 1,234.50"


def no_number(value: Any) -> NoNumber:
    """What is said of a value that is no number in plain digits."""
    meant = unicodedata.normalize("NFKC", value).strip() if isinstance(value, str) else ""
    if _PLAIN_NUMBER.fullmatch(meant) and meant != value.strip():
        return NoNumber(f"请用半角数字，如 {meant}", f"digits of full width are not taken; write {meant}")
    return NoNumber(
        "须为数字，如 1234.50，不含千分位和货币符号",
        "not a number such as 1234.50, without thousands separators and currency signs",
    )


_PLAIN_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?")


def plain_number(value: Any) -> Any:
    """A number of a request as it came: a JSON number, or a text of plain digits with one point between them at most. Python itself reads
    more as a number (``1_0``, ``1e2``, ``.5``, other scripts' digits), which people write by mistake.

    Raises:
        ValueError: no number, or a text that is written in another way.
    """
    if isinstance(value, bool) or (isinstance(value, str) and not _PLAIN_NUMBER.fullmatch(value.strip())):
        raise no_number(value)
    return str(value) if isinstance(value, float) else value


#: How a decimal leaves: as plain text.
SPOKEN = PlainSerializer(plain, return_type=str, when_used="json")


def spoken_schema(title: str, places: int, example: str) -> WithJsonSchema:
    """The same in the API's description, with so many decimal places at most."""
    return WithJsonSchema({"type": "string", "pattern": rf"^-?\d+(\.\d{{1,{places}}})?$", "examples": [example], "title": title})


_schema = spoken_schema("quantity", 3, "12.5")

Quantity = Annotated[
    Decimal,
    BeforeValidator(plain_number),
    Field(gt=0, le=MAX_QUANTITY, max_digits=13, decimal_places=3, allow_inf_nan=False),
    SPOKEN,
    _schema,
]
QuantityOrZero = Annotated[
    Decimal,
    BeforeValidator(plain_number),
    Field(ge=0, le=MAX_QUANTITY, max_digits=13, decimal_places=3, allow_inf_nan=False),
    SPOKEN,
    _schema,
]
QuantityOut = Annotated[Decimal, SPOKEN, _schema]


def _whole_number(value: Any) -> Any:
    if isinstance(value, bool):
        raise BadValue("须为整数", "must be a whole number")
    if isinstance(value, str) and "_" in value:  # Python reads 1_000, too
        raise no_number(value)
    return value


#: After the bounds of a whole number of a request: of itself ``true`` would be taken for 1.
whole = BeforeValidator(_whole_number)
Grams = Annotated[int, Field(ge=0, le=10**12, description="grams"), whole]
Id = Annotated[int, Field(ge=1, le=MAX_ID), whole]


def storable(value: str) -> str:
    """PostgreSQL stores neither NUL nor lone surrogates; refuse them where the text comes in."""
    if "\x00" in value or any("\ud800" <= character <= "\udfff" for character in value):
        raise BadValue("含有无法保存的字符", "text holds a character that cannot be stored")
    return value


#: They turn the text around them about, so that it reads as something else.
_TURNING = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def readable(value: str) -> str:
    """Text that can be stored and that people see: not only of spaces and marks without a shape, and none that turns others about."""
    if value.isprintable() and value.strip():  # so is nearly everything, and a file holds much of it
        return value
    storable(value)
    if _TURNING & set(value):
        raise BadValue("含有改变文字方向的字符", "text holds a character that turns its direction")
    if value and all(unicodedata.category(character)[0] in "CZ" for character in value):
        raise BadValue("没有可见的内容", "text holds nothing to be seen")
    return value


#: Kinds of signs that break a line or stand in it unseen: controls, formats, private use, ends of lines and of paragraphs.
_NOT_IN_LINE = frozenset({"Cc", "Cf", "Co", "Zl", "Zp"})
#: Letters and patterns that have no shape.
_BLANKS = frozenset("\u115f\u1160\u2800\u3164\uffa0")


def in_one_line(value: str) -> str:
    """Readable text that fills one line of a list or a paper, and looks like what it is: two that are told apart look apart. A sign of private use shows
    as whatever a reader's font makes of it."""
    readable(value)
    if value.isprintable() and _BLANKS.isdisjoint(value):
        return value
    if any(unicodedata.category(character) in _NOT_IN_LINE or character in _BLANKS for character in value):
        raise BadValue(
            "须写在一行内，不含换行、制表符和看不见的字符",
            "text of one line, without line breaks, tabs and characters that nobody sees",
        )
    return value


def written(value: Any) -> Any:
    """A day or moment of a request as it came, written out. Pydantic itself takes a number, also one in a text, for seconds since 1970, or
    milliseconds, whichever gives the likelier day; who sends one means something else.

    Raises:
        BadValue: it is a number.
    """
    if isinstance(value, int | float | Decimal) or (isinstance(value, str) and _NUMERIC.fullmatch(value.strip())):
        raise BadValue(
            "须写成日期或时间，如 2026-01-31 或 2026-01-31T09:00:00+08:00，不能是数字",
            "a number is no day or moment; write 2026-01-31, or 2026-01-31T09:00:00+08:00",
        )
    return value


_NUMERIC = re.compile(r"[-+]?([0-9][0-9_]*\.?[0-9_]*|\.[0-9]+)([eE][-+]?[0-9]+)?")


#: Days that anybody could mean.
FIRST_DAY, LAST_DAY = date(2000, 1, 1), date(2100, 12, 31)


def plausible(day: date) -> date:
    """Refuse slips of the keyboard, such as the year 0206."""
    if not FIRST_DAY <= day <= LAST_DAY:
        raise BadValue(f"日期须在 {FIRST_DAY} 至 {LAST_DAY} 之间", f"a day between {FIRST_DAY} and {LAST_DAY}")
    return day


def plausible_moment(moment: datetime) -> datetime:
    """The same for a moment with its time zone."""
    plausible(moment.date())
    return moment.astimezone(UTC)


def none_asked() -> list[Any]:
    """The default of a list that a query, or one of many rows, may leave out. Not the bare ``list``: each time Pydantic would read a builtin's signature,
    out of its text, which takes it 0.4 ms."""
    return []


def not_to_come(day: date) -> date:
    """Refuse a day after today."""
    if day > clock.today():
        raise BadValue("日期不能在将来", "the day lies in the future")
    return day


def each_once(named: list[Named]) -> list[Named]:
    """Refuse a list that names something twice, where it does so."""
    seen = set()
    for place, each in enumerate(named):
        if each in seen:
            raise BadValue("每项只能出现一次", "each once", place, "named_twice")
        seen.add(each)
    return named


#: Pictures, and the marks that make a picture of another sign.
_PICTURES = re.compile(
    "[\u231a\u231b\u23e9-\u23ff\u2600-\u27bf\u2b00-\u2bff\ufe0f\u20e3\U0001f000-\U0001faff\U000e0020-\U000e007f]"
)


def without_pictures(fact: str) -> str:
    """Refuse pictures in what stands on certificates, contracts and other sealed papers, whose fonts have none. Texts of free description may hold them."""
    if found := _PICTURES.search(fact):
        raise BadValue(
            f"不能含表情符号或图形（{found[0]}）", f"holds a picture ({found[0]}); write it in words", code="picture_in_text"
        )
    return fact


def spoken(name: str) -> str:
    """Refuse what nobody can speak as a name: without a letter or an ideograph, or with pictures."""
    without_pictures(name)
    if not any(sign.isalpha() for sign in name):
        raise BadValue("名称须含文字", "a name holds a letter or an ideograph", code="name_without_letters")
    return name


def _text(limit: int, least: int = 1) -> Any:
    return StringConstraints(strip_whitespace=True, min_length=least, max_length=limit)


Name = Annotated[str, _text(200), AfterValidator(in_one_line)]
#: What an organisation, a product, a person or a place is called.
ProperName = Annotated[Name, AfterValidator(spoken)]
Code = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.\-]+$", max_length=64)]
#: A longer text of one line, such as an address.
OneLine = Annotated[str, _text(500), AfterValidator(in_one_line)]
OptionalLine = Annotated[str, _text(500, least=0), AfterValidator(in_one_line)]
#: A fact that a certificate tells: a line of its paper.
PaperLine = Annotated[OneLine, AfterValidator(without_pictures)]
OptionalPaperLine = Annotated[OptionalLine, AfterValidator(without_pictures)]
#: Texts in which people may begin new lines: reasons, remarks, statements.
ShortText = Annotated[str, _text(500), AfterValidator(readable)]
LongText = Annotated[str, _text(5000), AfterValidator(readable)]
OptionalText = Annotated[str, _text(5000, least=0), AfterValidator(readable)]
#: Any day at all, such as one of which history is asked.
AnyDay = Annotated[date, BeforeValidator(written)]
Day = Annotated[AnyDay, AfterValidator(plausible)]
#: A day of which something is known.
PastDay = Annotated[Day, AfterValidator(not_to_come)]
Moment = Annotated[AwareDatetime, BeforeValidator(written), AfterValidator(plausible_moment)]
