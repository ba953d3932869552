"""Who writes invoices of the marketplace's own books, and what a programme says of their VAT."""

import tomllib
from collections.abc import Iterable
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import Literal, Self

from pydantic import Field, TypeAdapter, model_validator

from shop.programmes.parts import Part


class Exemption(StrEnum):
    """Why there is no VAT in a line. The codes stay; what each rests on is data."""

    SELF_PRODUCED = "self_produced"
    COOPERATIVE = "cooperative"
    VEGETABLES = "vegetables"
    MEAT_AND_EGGS = "meat_and_eggs"
    SMALL_SCALE = "small_scale"


class Ground(Part):
    """An exemption in words, what says so and when, and what it is for; ``data/exemptions.toml`` says more."""

    code: Exemption
    zh: str = Field(min_length=1)
    en: str = Field(min_length=1)
    source_zh: str = Field(min_length=1)
    source_en: str = Field(min_length=1)
    #: First and last Shanghai day.
    valid_from: date | None = None
    valid_until: date | None = None
    #: Of produce; none named: of anything, services too.
    categories: tuple[str, ...] = ()
    #: Kinds of suppliers that need not say it.
    presumed_of: tuple[str, ...] = ()

    def in_force(self, on: date) -> bool:
        return (self.valid_from is None or self.valid_from <= on) and (self.valid_until is None or on <= self.valid_until)

    def covers(self, product_kind: str, category: str) -> bool:
        """Whether it can exempt a product; of a service only what is for anything does."""
        return not self.categories or (product_kind == "goods" and category in self.categories)


def _published() -> tuple[Ground, ...]:
    content = tomllib.loads((Path(__file__).parent / "data" / "exemptions.toml").read_text(encoding="utf-8"))
    return TypeAdapter(tuple[Ground, ...]).validate_python(content["exemptions"])


class InvoicingRules(Part):
    """Who writes invoices and credit notes of the marketplace's own books, and what exempts their lines."""

    #: The supplier, when it likes; or the marketplace, one with each acceptance.
    invoices: Literal["supplier", "acceptance"] = "supplier"
    #: Proposed to the supplier when something is no longer owed; or written in that very transaction.
    credit_notes: Literal["proposed", "automatic"] = "proposed"
    #: The rate of freight, which is part of the price of the goods (价外费用, 增值税暂行条例实施细则第十二条; since 2026 全部价款, 增值税法第十七条), where they have
    #: several: the highest (从高适用税率, 增值税法第十二条), or that of most of the goods (主要业务, 增值税法第十三条).
    freight_rate: Literal["highest", "main"] = "highest"
    exemptions: tuple[Ground, ...] = Field(default_factory=_published)

    @model_validator(mode="after")
    def _complete(self) -> Self:
        """Old invoices go on saying why: a text ends by its day, it never goes."""
        if missing := sorted(set(Exemption) - {ground.code for ground in self.exemptions}):
            raise ValueError(f"exemptions lack {', '.join(missing)}")
        return self


def grounds_on(grounds: Iterable[Ground], on: date) -> list[Ground]:
    """Those in force on a Shanghai date."""
    return [ground for ground in grounds if ground.in_force(on)]
