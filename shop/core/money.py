"""Money: integer fen inside, decimal yuan strings at the edge. The only module that rounds amounts."""

from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Annotated, Any, overload

from pydantic import AfterValidator, BeforeValidator, PlainSerializer, WithJsonSchema

from shop.core.errors import BadValue
from shop.core.quantities import no_number, plain_number, spoken_schema

#: No single amount may pass ten billion yuan; sums of millions of such amounts still fit 64 bits.
MAX_FEN = 10**12


def fen_from_yuan(value: Any) -> int:
    """``"1234.50"`` -> 123450. Files of others are read by it too, so that it takes every way of writing a decimal; requests say ``YuanIn``.

    Raises:
        ValueError: not a finite number, or more than two decimal places.
    """
    if isinstance(value, bool) or not isinstance(value, str | int | float | Decimal):
        raise BadValue("金额须为十进制字符串，如 1234.50", 'an amount of yuan is a decimal string such as "1234.50"')
    try:
        yuan = Decimal(str(value).strip())
    except InvalidOperation:
        raise no_number(value) from None
    if not yuan.is_finite() or yuan.copy_abs() > MAX_FEN // 100:
        raise BadValue("金额超出范围", "amount out of range")
    fen = yuan * 100
    if fen != fen.to_integral_value():
        raise BadValue("金额最多两位小数", "an amount has at most two decimal places")
    return int(fen)


def yuan_from_fen(fen: int) -> str:
    """123450 -> ``"1234.50"``."""
    sign, rest = ("-", -fen) if fen < 0 else ("", fen)
    return f"{sign}{rest // 100}.{rest % 100:02d}"


@overload
def yuan(fen: int) -> Decimal: ...
@overload
def yuan(fen: None) -> None: ...
@overload
def yuan(fen: int | None) -> Decimal | None: ...
def yuan(fen: int | None) -> Decimal | None:
    """An amount as a cell of a table: 120000 -> 1200.00, a number in a workbook, with two decimals wherever it is text."""
    return None if fen is None else Decimal(fen).scaleb(-2)


def half_up(value: Decimal) -> int:
    """Round to the nearest integer, halves away from zero."""
    return int(value.quantize(Decimal(1), rounding=ROUND_HALF_UP))


def line_amount(quantity: Decimal, unit_price_fen: int) -> int:
    """Gross amount of a line in fen: quantity times unit price, rounded half up once."""
    return half_up(quantity * unit_price_fen)


def vat_in_gross(gross_fen: int, rate_bp: int) -> int:
    """The VAT contained in a gross amount, in fen; ``rate_bp`` is the rate in basis points (1300 = 13 %).

    80000 fen at 13 % hold 9204 fen of tax. Taken per line, so that any selection of lines sums exactly.
    """
    return half_up(Decimal(gross_fen) * rate_bp / (10_000 + rate_bp))


def share_out(total: int, weights: list[int]) -> list[int]:
    """Split ``total`` over ``weights`` so that the parts sum to it exactly and none is off by a whole unit.

    Largest remainder; ties go to the earlier part. Raises ValueError when no weight is positive or one is negative.
    """
    whole = sum(weights)
    if whole <= 0 or min(weights) < 0:
        raise ValueError("weights must be non-negative and not all zero")
    sign, rest = (-1, -total) if total < 0 else (1, total)
    parts = [rest * weight // whole for weight in weights]
    by_remainder = sorted(range(len(weights)), key=lambda i: (-(rest * weights[i] % whole), i))
    for i in by_remainder[: rest - sum(parts)]:
        parts[i] += 1
    return [sign * part for part in parts]


def share_level(total: int, weights: list[int], floors: list[int]) -> list[int]:
    """Split ``total`` over ``weights``, which sum to it at least, at one rate for all: each part is its weight at that rate, rounded, or its floor.

    Ties go to the earlier part. So (unlike by the largest remainder) a larger total makes no part smaller, and parts that become floors move no other
    one: shared in any steps, the parts are those of one step. Floors that sum to more than the total are the parts.
    """
    if total <= sum(floors):
        return floors
    grain = 4 * max(weights) ** 2  # of two rates at which parts grow, no finer one lies between

    def at(rate: int) -> list[int]:
        return [max(floor, (2 * weight * rate + grain) // (2 * grain)) for weight, floor in zip(weights, floors, strict=True)]

    low, high = 0, grain
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if sum(at(middle)) <= total else (low, middle)
    parts = at(low)
    growing = [i for i, more in enumerate(at(high)) if more > parts[i]]
    for i in growing[: total - sum(parts)]:
        parts[i] += 1
    return parts


def _asked(value: Any) -> int:
    return fen_from_yuan(plain_number(value))


def _positive(fen: int) -> int:
    if fen <= 0:
        raise BadValue("须大于零", "must be greater than zero")
    return fen


_in_yuan = PlainSerializer(yuan_from_fen, return_type=str, when_used="json")
_schema = WithJsonSchema({"type": "string", "pattern": r"^-?\d+\.\d{2}$", "examples": ["1234.50"], "title": "yuan"})
#: What is taken: ``"5"`` and ``"5.5"`` too.
_schema_in = spoken_schema("yuan", 2, "1234.50")

#: Fields that hold fen and speak yuan: the first two read yuan from a request, ``YuanOut`` takes fen from our own rows.
YuanIn = Annotated[int, BeforeValidator(_asked), _in_yuan, _schema_in]
PositiveYuanIn = Annotated[int, BeforeValidator(_asked), AfterValidator(_positive), _in_yuan, _schema_in]
YuanOut = Annotated[int, _in_yuan, _schema]
