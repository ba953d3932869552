"""What a report's values mean, and what is wrong with them: pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from orders.reports.forms import Form, FormField, Unit
from shop.core.errors import BadValue, Fault
from shop.core.money import fen_from_yuan, yuan_from_fen
from shop.core.months import month_end
from shop.core.quantities import plain_number

#: No figure of a month is larger: ten billion yuan, a million tonnes, a billion of anything.
LIMIT = 10**12
_GRAMS_IN_KG = 1000


@dataclass(frozen=True, slots=True)
class Value:
    """A line of a report in fen, grams or as a number."""

    ledger: int | None = None
    own: int | None = None
    explanation: str | None = None

    @property
    def difference(self) -> int | None:
        """The unit's own value less the ledger's; None where one of them is not there."""
        return None if self.ledger is None or self.own is None else self.own - self.ledger


def moved(then: Mapping[str, int | None], now: Mapping[str, int | None]) -> dict[str, int]:
    """By how much the ledger's figures differ now from what they were; fields of which it knew, or knows, nothing have not moved."""
    found = {}
    for field, before in then.items():
        after = now.get(field)
        if before is not None and after is not None and after != before:
            found[field] = after - before
    return found


def read(unit: Unit, written: str) -> int:
    """A value as it is written in a request: ``"1234.50"`` yuan, ``"12.345"`` kg, ``"7"``.

    Raises:
        ValueError: no number, more decimals than the unit has, or out of range.
    """
    number = plain_number(written)
    if unit == "yuan":
        return fen_from_yuan(number)
    scaled = Decimal(number) * (_GRAMS_IN_KG if unit == "kg" else 1)
    if scaled != scaled.to_integral_value():
        raise BadValue("小数位数过多", "too many decimal places")
    if abs(scaled) > LIMIT:
        raise BadValue("数值超出范围", "out of range")
    return int(scaled)


def shown(unit: Unit, value: int | None) -> str | None:
    """A value as it is written: the opposite of :func:`read`."""
    if value is None:
        return None
    if unit == "yuan":
        return yuan_from_fen(value)
    if unit == "kg":
        sign, rest = ("-", -value) if value < 0 else ("", value)
        return f"{sign}{rest // _GRAMS_IN_KG}.{rest % _GRAMS_IN_KG:03d}"
    return str(value)


def faults(form: Form, values: Mapping[str, Value]) -> list[Fault]:
    """Why a report cannot be submitted: a required value is missing, a difference is not explained, a check does not hold."""
    found: list[Fault] = []
    names = {field.code: field for field in form.fields}
    for field in form.fields:
        found += _of_field(field, values.get(field.code, Value()))
    for check in form.checks:
        part, whole = values.get(check.field, Value()).own, values.get(check.at_most, Value()).own
        if part is not None and whole is not None and part > whole:
            one, other = names[check.field], names[check.at_most]
            found.append(
                Fault(
                    f"values.{check.field}",
                    "more_than_the_whole",
                    f"“{one.zh}”不能大于“{other.zh}”",
                    f"“{one.en}” is more than “{other.en}”",
                )
            )
    return found


def _of_field(field: FormField, value: Value) -> list[Fault]:
    if value.own is None:
        if not field.required:
            return []
        return [Fault(f"values.{field.code}.value", "value_missing", f"未填写“{field.zh}”", f"“{field.en}” is not filled in")]
    if field.minimum is not None and value.own < _least(field.minimum, value):
        least = shown(field.unit, _least(field.minimum, value))
        zh, en = f"“{field.zh}”不得小于 {least}", f"“{field.en}” has to be {least} or more"
        return [Fault(f"values.{field.code}.value", "below_minimum", zh, en)]
    if value.difference and not value.explanation:
        zh, en = f"“{field.zh}”与台账不一致，须说明原因", f"“{field.en}” differs from the ledger; say why"
        return [Fault(f"values.{field.code}.explanation", "difference_unexplained", zh, en)]
    return []


def _least(minimum: int, value: Value) -> int:
    """What the ledger says can be reported in any case: its weights are below zero where more came back than was sold."""
    return minimum if value.ledger is None else min(minimum, value.ledger)


def due_on(month: date, days: int) -> date:
    """The last day on which a month is reported in time."""
    return month_end(month) + timedelta(days=days)
