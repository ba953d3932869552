"""Organisations, their dated roles, users, and what users sign in with."""

from datetime import date, datetime

from sqlalchemy import CheckConstraint, Column, Index, LargeBinary, Text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlmodel import Field, SQLModel

from shop.core.db import key, moment, ref


class Organisation(SQLModel, table=True):
    """One legal body, known by its unified social credit code."""

    __tablename__ = "organisation"
    __table_args__ = (
        CheckConstraint("status IN ('pending','approved','rejected','suspended')", name="status"),
        CheckConstraint("char_length(uscc) = 18", name="uscc"),
        CheckConstraint("id <> parent_id", name="parent"),
        Index(None, "region_code", "status"),
        Index("ix_organisation_path", "path", postgresql_ops={"path": "text_pattern_ops"}),
    )

    id: int = key()
    uscc: str = Field(unique=True)
    name: str
    kind: str = Field(
        sa_column_kwargs={"comment": "cooperative, enterprise, village_collective, family_farm, agency, school, hospital, …"}
    )
    #: District or township of a Chongqing organisation; city of one elsewhere.
    region_code: str = Field(foreign_key="region.code")
    address: str | None = None
    contact_name: str | None = None
    contact_phone: str | None = None
    status: str = "pending"
    rejection_reason: str | None = None
    parent_id: int | None = ref("organisation.id", nullable=True, index=True)
    path: str = Field(
        default="", sa_column_kwargs={"comment": "'/root/…/own/': ids from the root unit, so a prefix tells the branch"}
    )
    registered_at: datetime = moment()
    decided_at: datetime | None = moment(nullable=True)
    version: int = Field(default=1, sa_column_kwargs={"server_default": "1"})


class OrganisationRole(SQLModel, table=True):
    """What an organisation is, from when to when: supplier, budget_unit, enterprise, school, hospital, central_unit, group_member,
    east_partner, outlet_operator, authority. A central unit or group member names the supporting body that it belongs to."""

    __tablename__ = "organisation_role"
    __table_args__ = (
        CheckConstraint("valid_to IS NULL OR valid_from < valid_to", name="period"),
        Index(None, "organisation_id", "role"),
    )

    id: int = key()
    organisation_id: int = ref("organisation.id")
    role: str
    supporter_id: int | None = ref("supporter.id", nullable=True)
    valid_from: date
    valid_to: date | None = None


class User(SQLModel, table=True):
    """A person. ``email`` is private: shown to the person and to who manages users, used for notifications only; several may share one."""

    __tablename__ = "app_user"
    __table_args__ = (CheckConstraint("language IN ('zh','en')", name="language"),)

    id: int = key()
    username: str = Field(unique=True)
    password_hash: str
    name: str
    organisation_id: int | None = ref("organisation.id", nullable=True, index=True)
    active: bool = True
    created_at: datetime = moment()
    email: str | None = None
    language: str = Field(default="zh", sa_column_kwargs={"server_default": "zh"})


class UserRole(SQLModel, table=True):
    """A role of a user; officers, monitors and who keeps the money have the region in which it holds."""

    __tablename__ = "user_role"
    __table_args__ = (
        CheckConstraint(
            "(region_code IS NOT NULL) = (role IN ('platform_finance','township_officer','department_officer','county_officer',"
            "'city_officer','monitor'))",
            name="region",
        ),
        Index("uq_user_role", "user_id", "role", "region_code", unique=True, postgresql_nulls_not_distinct=True),
    )

    id: int = key()
    user_id: int = ref("app_user.id")
    role: str
    region_code: str | None = Field(default=None, foreign_key="region.code")


class Token(SQLModel, table=True):
    """An access or refresh token, kept as its SHA-256. Deleting or revoking the row ends it at once."""

    __tablename__ = "token"
    __table_args__ = (CheckConstraint("kind IN ('access','refresh')", name="kind"), Index(None, "expires_at"))

    hash: bytes = Field(sa_column=Column(LargeBinary, primary_key=True))
    kind: str
    user_id: int = ref("app_user.id", index=True)
    #: Tokens of one sign-in; ending the sign-in ends all of them.
    sign_in: str = Field(index=True)
    created_at: datetime = moment()
    expires_at: datetime = moment()
    revoked_at: datetime | None = moment(nullable=True)


class ApiKey(SQLModel, table=True):
    """A key for a machine, acting for the user who made it within the scopes given; kept as its SHA-256, shown once."""

    __tablename__ = "api_key"

    id: int = key()
    hash: bytes = Field(sa_column=Column(LargeBinary, nullable=False, unique=True))
    prefix: str
    name: str
    #: The system that uses it, such as the ERP of the canteen.
    system: str | None = None
    #: Networks (CIDR) from which it may be used; none: from anywhere.
    networks: list[str] = Field(default_factory=list, sa_column=Column(ARRAY(Text), nullable=False, server_default="{}"))
    user_id: int = ref("app_user.id", index=True)
    scopes: list[str] = Field(sa_column=Column(ARRAY(Text), nullable=False))
    created_at: datetime = moment()
    expires_at: datetime = moment()
    last_used_at: datetime | None = moment(nullable=True)
    revoked_at: datetime | None = moment(nullable=True)
