"""Forms of monthly reports as the files in ``data`` have them: one file for each version, in force from a day on."""

import tomllib
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import Field, model_validator

from orders.ledger.rules import Direction
from orders.ledger.selection import Dimension
from orders.reports.errors import NoForm
from orders.statistics.question import Measure
from shop.programmes.parts import Part
from shop.programmes.schemas import Label
from shop.regions.rules import Designation

DATA = Path(__file__).parent / "data"

Scope = Literal["organisation", "county"]
#: In what a field is written: yuan with two decimals, kilograms with three, a whole number. Kept as fen, grams and number.
Unit = Literal["yuan", "kg", "count"]
_UNITS: dict[Measure, Unit] = {Measure.AMOUNT: "yuan", Measure.GROSS: "yuan", Measure.TONNES: "kg"}


class Prefill(Part):
    """The figure of the ledger that stands beside a field."""

    measure: Measure
    direction: Direction = Direction.PURCHASE
    only: dict[Dimension, tuple[bool | str, ...]] = Field(default_factory=dict)


class FormField(Label):
    """One line of a form."""

    code: str = Field(pattern=r"^[a-z_]+$", max_length=64)
    unit: Unit
    #: None: the ledger knows nothing of it.
    prefill: Prefill | None = None
    required: bool = True
    #: The least that can have been, kept as the values are; none: anything. Amounts are below zero where more came back than was sold.
    minimum: int | None = Field(default_factory=lambda said: None if said["unit"] == "yuan" else 0)

    @model_validator(mode="after")
    def _same_unit(self) -> Self:
        if self.prefill and _UNITS.get(self.prefill.measure, "count") != self.unit:
            raise ValueError(f"{self.code} is written in another unit than the ledger's figure")
        return self


class Check(Part):
    """A field that is no more than another one."""

    field: str
    at_most: str


class Form(Label):
    """One version of a form."""

    code: str = Field(pattern=r"^[a-z_]+$", max_length=64)
    version: int = Field(ge=1)
    scope: Scope
    valid_from: date
    #: The first day on which it is no longer in force.
    valid_to: date | None = None
    #: Who has to report: organisations with one of these roles, or districts with this designation.
    roles: tuple[str, ...] = ()
    designation: Designation | None = None
    fields: tuple[FormField, ...] = Field(min_length=1)
    checks: tuple[Check, ...] = ()

    @model_validator(mode="after")
    def _complete(self) -> Self:
        codes = [field.code for field in self.fields]
        if len(set(codes)) < len(codes):
            raise ValueError("a field stands in the form twice")
        if not {name for check in self.checks for name in (check.field, check.at_most)} <= set(codes):
            raise ValueError("a check names a field that the form does not have")
        if (self.scope == "county") != (self.designation is not None) or bool(self.roles) == (self.scope == "county"):
            raise ValueError("organisations report by their roles, counties by their designation")
        return self

    def holds(self, on: date) -> bool:
        return self.valid_from <= on and (self.valid_to is None or on < self.valid_to)


@lru_cache
def forms() -> tuple[Form, ...]:
    """Every version of every form, checked.

    Raises:
        ValidationError: a file is incomplete, names something unknown, or two versions are in force at once.
    """
    found = [Form.model_validate(tomllib.loads(path.read_text(encoding="utf-8"))) for path in sorted(DATA.glob("*.toml"))]
    for one in found:
        for other in found:
            if one is not other and one.code == other.code and one.version < other.version and not _ends_before(one, other):
                raise ValueError(f"{one.code} has two versions that are in force at once")
    return tuple(found)


def _ends_before(one: Form, other: Form) -> bool:
    return one.valid_to is not None and one.valid_to <= other.valid_from


def in_force(code: str, month: date) -> Form:
    """The version of a form for a month, by the month's first day.

    Raises:
        NoForm: there is none (404).
    """
    for form in forms():
        if form.code == code and form.holds(month):
            return form
    raise NoForm(form=code, month=f"{month:%Y-%m}")


def version(code: str, number: int) -> Form:
    """The version with which a report was begun."""
    return next(form for form in forms() if (form.code, form.version) == (code, number))


def of_scope(scope: Scope, month: date) -> list[Form]:
    """The forms that are reported for a month by organisations, or by counties."""
    return [form for form in forms() if form.scope == scope and form.holds(month)]


def own_values(only: dict[Dimension, tuple[bool | str, ...]]) -> dict[Dimension, list[Any]]:
    """Filters as a selection takes them."""
    return {dimension: list(values) for dimension, values in only.items()}
