"""What suppliers send about households, and what is shown of them."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, model_validator

from catalog.households.rules import Member
from shop.core.errors import BadValue
from shop.core.quantities import Name, ProperName, ShortText

#: As many persons as one list holds, and as many faults of it as are told at once.
MOST, MOST_FAULTS = 5_000, 200


class MemberIn(BaseModel):
    # unknown fields are ignored: to name them in a refusal might repeat what somebody wrote into the wrong place
    model_config = ConfigDict(extra="ignore")

    name: ProperName
    id_number: Annotated[str, Field(min_length=1, max_length=50, description="resident ID number, 18 characters")]
    household_no: Annotated[Name, Field(description="of the household within its county")]
    mode: Annotated[str, Field(min_length=1, max_length=50, description="a code of the terms `linkage_mode`")]
    village: ProperName

    def member(self) -> Member:
        return Member(self.name, self.id_number.strip().upper(), self.household_no, self.mode, self.village)


class ListIn(BaseModel):
    model_config = ConfigDict(extra="ignore")

    members: Annotated[list[MemberIn], Field(min_length=1, max_length=MOST)]


class RevealIn(BaseModel):
    model_config = ConfigDict(extra="ignore")

    reason: ShortText

    @model_validator(mode="before")
    @classmethod
    def _nothing_else(cls, body: Any) -> Any:
        """Refused without its name, which may be a person's."""
        if isinstance(body, dict) and body.keys() - {"reason"}:
            raise BadValue("只接受 reason 字段", "there is no field but reason")
        return body


class CountsOut(BaseModel):
    """What a list holds; with ``dry_run`` it was only looked at."""

    case_id: int
    households: int
    persons: int
    dry_run: bool


class MemberOut(BaseModel):
    """One person, masked."""

    name: str
    id_number: str
    household_no: str
    village: str
    mode: str
    mode_label: str


class RevealedOut(BaseModel):
    """The list in full. That it was opened is on record."""

    members: list[MemberOut]
