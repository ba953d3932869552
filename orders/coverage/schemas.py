"""What callers send and get about villages and stations."""

from datetime import date, datetime
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from orders.coverage.rules import StationKind
from shop.core.quantities import Day, Id, Name, OptionalLine, ShortText, each_once
from shop.core.sheets import IgnoredColumns

#: A district or a township.
PlaceCode = Annotated[str, StringConstraints(pattern=r"^[0-9]{6}([0-9T][0-9]{2,5})?$"), Field(examples=["500236"])]
VillageIds = Annotated[list[Id], Field(max_length=2000), AfterValidator(each_once)]


class StationIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    kind: StationKind
    name: Name
    region_code: PlaceCode
    address: OptionalLine = ""
    opened_on: Day
    evidence: ShortText = Field(description="what proves it: contract, record of acceptance, with its number")
    villages: VillageIds = Field(default=[], description="the poor villages that it serves from its first day on")


class ServesIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    villages: VillageIds = Field(description="all that it serves from `since` on")
    since: Day


class CloseIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    closed_on: Day = Field(description="its last day")
    reason: ShortText


class VillageOut(BaseModel):
    id: int
    code: str = Field(description="as the ledger names it: township/village")
    township_code: str
    township_name: str
    name: str
    valid_from: date
    valid_to: date | None
    served: bool = Field(description="on the day asked for")


class StationRow(BaseModel):
    id: int
    kind: StationKind
    name: str
    region_code: str
    region_name: str
    address: str
    opened_on: date
    closed_on: date | None
    active: bool
    villages: int = Field(description="how many it serves today")
    version: int


class ServedOut(BaseModel):
    village_id: int
    village: str
    valid_from: date
    valid_to: date | None


class StationOut(StationRow):
    close_reason: str | None
    evidence: str
    has_file: bool
    recorded_by: int
    recorded_at: datetime
    serves: list[ServedOut]


class ImportedOut(BaseModel):
    rows: int
    added: int
    changed: int = Field(description="villages whose days on the list were another ones before")
    dry_run: bool
    ignored_columns: IgnoredColumns
