"""How regions and support relations look from outside. ``valid_to`` is the first day on which a thing is no longer in force."""

from datetime import date
from typing import Annotated

from pydantic import BaseModel, Field, StringConstraints

from shop.regions.rules import Confidence, Designation, RegionKind, RelationKind

#: A district, or the city.
DistrictCode = Annotated[str, StringConstraints(pattern=r"^[0-9]{6}$"), Field(examples=["500236"])]


class RegionOut(BaseModel):
    code: str
    name_zh: str
    name_en: str
    kind: RegionKind
    parent_code: str | None
    valid_from: date | None
    valid_to: date | None
    successor_code: str | None
    #: In force on the date asked for.
    designations: list[Designation]


class RegionDesignationOut(BaseModel):
    designation: Designation
    valid_from: date | None
    valid_to: date | None


class SupportRelationOut(BaseModel):
    id: int
    kind: RelationKind
    supporter_id: int
    supporter: str
    supporter_region_code: str | None
    region_code: str
    region_name_zh: str
    region_name_en: str
    valid_from: date | None
    valid_to: date | None
    confidence: Confidence
    note: str | None


class RegionDetailOut(BaseModel):
    code: str
    name_zh: str
    name_en: str
    kind: RegionKind
    parent_code: str | None
    valid_from: date | None
    valid_to: date | None
    successor_code: str | None
    note: str | None
    as_of: date
    in_force: bool
    designations: list[RegionDesignationOut]
    #: Support that reaches the region itself, a township in it, or the district around it.
    relations: list[SupportRelationOut]
