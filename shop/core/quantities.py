"""Quantities (three decimal places, a step per SKU), weights (integer grams) and the text type of every request."""

from decimal import Decimal
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, PlainSerializer, StringConstraints, WithJsonSchema

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


def _finite(value: Any) -> Any:
    if isinstance(value, bool):
        raise ValueError("not a number")
    return str(value) if isinstance(value, float) else value


_spoken = PlainSerializer(plain, return_type=str, when_used="json")
_schema = WithJsonSchema({"type": "string", "pattern": r"^-?\d+(\.\d{1,3})?$", "examples": ["12.5"], "title": "quantity"})

Quantity = Annotated[
    Decimal,
    BeforeValidator(_finite),
    Field(gt=0, le=MAX_QUANTITY, max_digits=13, decimal_places=3, allow_inf_nan=False),
    _spoken,
    _schema,
]
QuantityOrZero = Annotated[
    Decimal,
    BeforeValidator(_finite),
    Field(ge=0, le=MAX_QUANTITY, max_digits=13, decimal_places=3, allow_inf_nan=False),
    _spoken,
    _schema,
]
QuantityOut = Annotated[Decimal, _spoken, _schema]
Grams = Annotated[int, Field(ge=0, le=10**12, description="grams")]
Id = Annotated[int, Field(ge=1, le=MAX_ID)]


def storable(value: str) -> str:
    """PostgreSQL stores neither NUL nor lone surrogates; refuse them where the text comes in."""
    if "\x00" in value or any("\ud800" <= character <= "\udfff" for character in value):
        raise ValueError("text holds a character that cannot be stored")
    return value


def _text(limit: int, least: int = 1) -> Any:
    return StringConstraints(strip_whitespace=True, min_length=least, max_length=limit)


Name = Annotated[str, _text(200), AfterValidator(storable)]
Code = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.\-]+$", max_length=64)]
ShortText = Annotated[str, _text(500), AfterValidator(storable)]
LongText = Annotated[str, _text(5000), AfterValidator(storable)]
OptionalText = Annotated[str, _text(5000, least=0), AfterValidator(storable)]
