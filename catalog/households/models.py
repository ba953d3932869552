"""The named people of the households that a product carries. What names them is encrypted; a keyed hash tells one person from another."""

from datetime import datetime

from sqlalchemy import CheckConstraint, Column, Index, LargeBinary, UniqueConstraint
from sqlmodel import Field, SQLModel

from shop.core.db import key, moment, ref


class HouseholdMember(SQLModel, table=True):
    """One person of one household, in the list of one case."""

    __tablename__ = "household_member"
    __table_args__ = (
        UniqueConstraint("case_id", "person_hash"),
        CheckConstraint("octet_length(person_hash) = 32 AND octet_length(household_hash) = 32", name="hashes"),
        Index(None, "person_hash"),
    )

    id: int = key()
    case_id: int = ref("certification_case.id")
    #: Keyed hashes of the ID number and of the household's number within its county: equal for the same person, worth nothing without the key.
    person_hash: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    household_hash: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    #: Name, ID number, household number and village, encrypted.
    sealed: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    mode: str = Field(sa_column_kwargs={"comment": "how this person takes part"})
    created_at: datetime = moment()
