"""What a programme's configuration holds, and how programmes look from outside."""

from collections.abc import Mapping
from datetime import date
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from shop.core.errors import Language
from shop.programmes.rules import Channel, Mode, Relation


class Part(BaseModel):
    """A piece of configuration: nothing unknown, nothing changed after reading."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Label(Part):
    zh: str = Field(min_length=1)
    en: str = Field(min_length=1)

    def in_(self, language: Language) -> str:
        return self.zh if language == "zh" else self.en


class CertificationRules(Part):
    """How a product becomes certified."""

    public_notice_working_days: int = Field(ge=1, le=60)
    #: How long a certificate is in force.
    validity_months: int = Field(ge=1, le=120)
    #: Products from regions with this designation may be certified.
    eligible_designation: str


class ReservedShare(Part):
    """The share of a budget unit's yearly purchases that it sets aside for produce of the designated counties."""

    percent: int = Field(ge=0, le=100)
    #: The funds whose purchases are the base of the share.
    fund_source: str
    #: Goods of suppliers registered in regions with this designation count.
    eligible_designation: str


class Target(Part):
    """A goal with its source. Amounts are whole yuan."""

    code: str
    value: int = Field(gt=0)
    unit: Literal["yuan", "percent", "count"]
    channel: Channel | None = None
    due: date | None = None
    zh: str
    en: str
    source: str


class ProgrammeConfig(Part):
    """The rules and words of one programme."""

    code: str
    modes: tuple[Mode, ...] = Field(min_length=1)
    relations: tuple[Relation, ...] = Field(min_length=1)
    #: From the most to the least specific; a sale is credited to the first that applies. ``market`` always applies and stands last.
    channel_priority: tuple[Channel, ...] = Field(min_length=1)
    #: The event that makes an order a counted sale.
    counting_rule: Literal["acceptance"]
    certification: CertificationRules
    reserved_share: ReservedShare
    targets: tuple[Target, ...] = ()
    #: Group of codes -> code -> label.
    terms: Mapping[str, Mapping[str, Label]]

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if sorted(self.channel_priority) != sorted(Channel):
            raise ValueError("channel_priority must name every channel once")
        if self.channel_priority[-1] is not Channel.MARKET:
            raise ValueError("market applies to every sale and must stand last in channel_priority")
        used = {"mode": self.modes, "relation": self.relations, "channel": self.channel_priority}
        missing = [f"{group}.{code}" for group, codes in used.items() for code in codes if not self._named(group, code)]
        if missing:
            raise ValueError(f"terms lack {', '.join(missing)}")
        return self

    def _named(self, group: str, code: str) -> bool:
        return code in self.terms.get(group, {})

    def term(self, group: str, code: str, language: Language) -> str:
        """The label of a code, such as ``term("channel", "market", "zh")``; the code itself where there is none."""
        label = self.terms.get(group, {}).get(code)
        return label.in_(language) if label else code


class ProgrammeFile(ProgrammeConfig):
    """A file in ``data``: a configuration with its names and its time."""

    name_zh: str
    name_en: str
    valid_from: date
    #: The first day on which it is no longer in force.
    valid_to: date | None = None


class TargetOut(BaseModel):
    code: str
    label: str
    value: int
    unit: str
    channel: Channel | None
    due: date | None
    source: str


class ProgrammeSummaryOut(BaseModel):
    code: str
    name: str
    valid_from: date
    valid_to: date | None
    in_force: bool


class ProgrammeOut(ProgrammeSummaryOut):
    modes: list[Mode]
    relations: list[Relation]
    channel_priority: list[Channel]
    counting_rule: str
    certification: CertificationRules
    reserved_share: ReservedShare
    targets: list[TargetOut]


class TermsOut(BaseModel):
    programme: str
    language: Language
    #: Group of codes -> code -> label in the caller's language.
    terms: dict[str, dict[str, str]]
