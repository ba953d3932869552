"""What identity takes and gives. ``valid_to`` is the first day on which a thing is no longer in force."""

import ipaddress
from datetime import date, datetime
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, model_validator

from shop.core.errors import BadValue, Language
from shop.core.quantities import AnyDay, Id, Name, OneLine, ProperName, ShortText, storable, whole
from shop.core.uscc import Uscc
from shop.identity.permissions import REGIONAL, Permission, Role
from shop.identity.rules import MAY_NAME_SUPPORTER, NEEDS_SUPPORTER, Capacity, OrganisationKind, Side


def _mailbox(address: str) -> str:
    if len(address.partition("@")[0]) > 64:
        raise BadValue("@ 之前不得超过 64 个字符", "the part before @ is longer than 64 characters")
    return address


def _dialable(phone: str) -> str:
    if sum(character.isdigit() for character in phone) < 5:
        raise BadValue("电话号码至少五位数字", "a telephone number has at least five digits")
    return phone


#: Letters of one case only, so that no two names look alike to a person who reads them aloud.
Username = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9._\-]{2,63}$"), Field(examples=["fengjie-coop"])]
#: Length is what makes a password hard to guess; rules about its characters only make it hard to remember.
Password = Annotated[str, StringConstraints(min_length=10, max_length=128), AfterValidator(storable)]
Phone = Annotated[str, StringConstraints(pattern=r"^[0-9+\-() ]{5,30}$"), AfterValidator(_dialable)]
RegionCode = Annotated[str, StringConstraints(pattern=r"^[0-9]{6}[0-9A-Z]{0,6}$"), Field(examples=["500236"])]

_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~\-]+"
_LABEL = r"[A-Za-z0-9]([A-Za-z0-9\-]{0,61}[A-Za-z0-9])?"
#: A plain address (RFC 5321): no quotes, no brackets, no spaces, so that it is safe in any header.
Email = Annotated[
    str,
    StringConstraints(
        strip_whitespace=True,
        max_length=254,
        pattern=rf"^{_ATOM}(\.{_ATOM})*@({_LABEL}\.)+[A-Za-z]([A-Za-z0-9\-]{{0,61}}[A-Za-z0-9])$",
    ),
    AfterValidator(_mailbox),
    Field(examples=["wang@example.org"]),
]


class In(BaseModel):
    model_config = ConfigDict(extra="forbid")


# --- sign-in -------------------------------------------------------------------------------------------------------


class TokenForm(BaseModel):
    """The form of OAuth 2.0 (RFC 6749 §4.3 and §6). Fields that the standard allows and we do not use are ignored."""

    grant_type: Literal["password", "refresh_token"]
    username: Annotated[str, StringConstraints(max_length=200)] | None = None
    password: Annotated[str, StringConstraints(max_length=200)] | None = None
    refresh_token: Annotated[str, StringConstraints(max_length=200)] | None = None

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.grant_type == "password" and (self.username is None or self.password is None):
            lacking = "username" if self.username is None else "password"
            raise BadValue("password 方式须提供用户名和密码", "the password grant needs username and password", lacking)
        if self.grant_type == "refresh_token" and self.refresh_token is None:
            raise BadValue("refresh_token 方式须提供 refresh_token", "the refresh_token grant needs refresh_token", "refresh_token")
        return self


class TokenOut(BaseModel):
    access_token: str
    token_type: Literal["bearer"] = "bearer"  # noqa: S105  a kind of token, not one
    #: Seconds until the access token ends.
    expires_in: int
    refresh_token: str


class PasswordChange(In):
    current_password: Annotated[str, StringConstraints(max_length=200)]
    new_password: Password


# --- organisations -------------------------------------------------------------------------------------------------


class OrganisationData(In):
    """What an organisation states about itself."""

    uscc: Uscc
    name: ProperName
    kind: OrganisationKind
    #: District, township, or a city or province outside Chongqing.
    region_code: RegionCode
    address: OneLine | None = None
    contact_name: ProperName | None = None
    contact_phone: Phone | None = None


class UnitIn(OrganisationData):
    """A unit below a buying organisation."""


class FirstUser(In):
    username: Username
    name: ProperName
    password: Password


class RegistrationIn(OrganisationData):
    register_as: Side
    admin: FirstUser


class OrganisationPatch(In):
    """Only the fields that are sent change."""

    uscc: Uscc | None = None
    name: ProperName | None = None
    kind: OrganisationKind | None = None
    region_code: RegionCode | None = None
    address: OneLine | None = None
    contact_name: ProperName | None = None
    contact_phone: Phone | None = None

    @model_validator(mode="after")
    def _required_stay(self) -> Self:
        for field in ("uscc", "name", "kind", "region_code"):
            if field in self.model_fields_set and getattr(self, field) is None:
                raise BadValue(f"{field} 不能为空", f"{field} cannot be null", field)
        return self


class RejectionIn(In):
    reason: ShortText


class OrganisationRoleIn(In):
    role: Capacity
    #: The supporting body; needed for central units and members of municipal groups.
    supporter_id: Id | None = None
    valid_from: AnyDay
    valid_to: AnyDay | None = None

    @model_validator(mode="after")
    def _coherent(self) -> Self:
        if self.valid_to is not None and self.valid_to <= self.valid_from:
            raise BadValue("valid_to 须晚于 valid_from", "valid_to must be after valid_from", "valid_to")
        if self.role in NEEDS_SUPPORTER and self.supporter_id is None:
            raise BadValue(f"角色 {self.role} 须填写 supporter_id", f"{self.role} needs supporter_id", "supporter_id")
        if self.role not in MAY_NAME_SUPPORTER and self.supporter_id is not None:
            raise BadValue(f"角色 {self.role} 没有 supporter_id", f"{self.role} has no supporter", "supporter_id")
        return self


class OrganisationRoleOut(BaseModel):
    id: int
    role: str
    supporter_id: int | None
    valid_from: date
    valid_to: date | None


class OrganisationOut(BaseModel):
    id: int
    uscc: str
    name: str
    kind: str
    region_code: str
    address: str | None
    contact_name: str | None
    contact_phone: str | None
    status: str
    rejection_reason: str | None
    parent_id: int | None
    registered_at: datetime
    decided_at: datetime | None
    version: int
    roles: list[OrganisationRoleOut]


# --- users and keys ------------------------------------------------------------------------------------------------


class UserRoleIn(In):
    role: Role
    #: Officers and monitors hold their role in a region; nobody else names one.
    region_code: RegionCode | None = None

    @model_validator(mode="after")
    def _coherent(self) -> Self:
        if (self.region_code is not None) != (self.role in REGIONAL):
            raise BadValue(
                f"角色 {self.role} {'须填写' if self.role in REGIONAL else '不得填写'} region_code",
                f"{self.role} {'needs a' if self.role in REGIONAL else 'has no'} region_code",
                "region_code",
            )
        return self


class UserIn(In):
    username: Username
    name: ProperName
    password: Password
    #: Default: the caller's own organisation.
    organisation_id: Id | None = None
    roles: Annotated[list[UserRoleIn], Field(min_length=1, max_length=12)]
    email: Email | None = None
    #: Of mails to this person.
    language: Language = "zh"


class UserPatch(In):
    """Only the fields that are sent change; a null address means no mails."""

    email: Email | None = None
    language: Language | None = None

    @model_validator(mode="after")
    def _required_stay(self) -> Self:
        if "language" in self.model_fields_set and self.language is None:
            raise BadValue("language 不能为空", "language cannot be null", "language")
        return self


class UserRoleOut(BaseModel):
    role: str
    region_code: str | None


class UserOut(BaseModel):
    id: int
    username: str
    name: str
    organisation_id: int | None
    active: bool
    created_at: datetime
    #: Private: only the person and who manages users get this answer.
    email: str | None
    #: Of mails to this person.
    language: Language
    roles: list[UserRoleOut]


class MeOut(BaseModel):
    user: UserOut
    #: What the caller may do with the present token or key.
    permissions: list[Permission]
    organisation: OrganisationOut | None
    language: Language


def _network(given: str) -> str:
    try:
        if "%" in given:  # a zone is of one machine only
            raise ValueError
        return str(ipaddress.ip_network(given))
    except ValueError:
        raise BadValue(
            "须为网段，如 203.0.113.0/24", "a network such as 203.0.113.0/24, with no bits set behind its length"
        ) from None


Network = Annotated[str, StringConstraints(max_length=50), AfterValidator(_network), Field(examples=["203.0.113.0/24"])]


class ApiKeyIn(In):
    name: Name
    #: The system that will use it.
    system: Name | None = None
    #: Networks or addresses from which alone it may be used; empty: from anywhere.
    networks: Annotated[list[Network], Field(max_length=20)] = []
    scopes: Annotated[list[Permission], Field(min_length=1, max_length=len(Permission))]
    valid_days: Annotated[int, Field(ge=1, le=366), whole]


class ApiKeyOut(BaseModel):
    id: int
    name: str
    system: str | None
    networks: list[str]
    #: The beginning of the key, to tell keys apart.
    prefix: str
    scopes: list[str]
    created_at: datetime
    expires_at: datetime
    #: To within five minutes.
    last_used_at: datetime | None
    revoked_at: datetime | None


class BranchApiKeyOut(ApiKeyOut):
    #: For whom it acts.
    user_id: int
    username: str


class NewApiKeyOut(ApiKeyOut):
    #: Shown this once; only its hash is kept.
    key: str
