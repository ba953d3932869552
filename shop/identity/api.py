"""Sign-in, organisations, users and API keys over HTTP."""

from typing import Annotated, Any

from fastapi import Form, Query
from fastapi.responses import Response
from pydantic import AfterValidator, StringConstraints
from sqlalchemy import Row

from shop.core import clock, rate_limits
from shop.core.edge import problem_response
from shop.core.paging import After, Limit, Page, page, position
from shop.core.quantities import Id, storable
from shop.core.settings import settings
from shop.identity import queries
from shop.identity.access import PROBLEM, Call, Routes
from shop.identity.actions import api_keys as keys
from shop.identity.actions import organisations as registration
from shop.identity.actions import sign_in, users
from shop.identity.errors import InvalidCredentials
from shop.identity.permissions import Permission
from shop.identity.rules import Capacity
from shop.identity.schemas import (
    ApiKeyIn,
    ApiKeyOut,
    BranchApiKeyOut,
    MeOut,
    NewApiKeyOut,
    OrganisationOut,
    OrganisationPatch,
    OrganisationRoleIn,
    PasswordChange,
    RegionCode,
    RegistrationIn,
    RejectionIn,
    TokenForm,
    TokenOut,
    UnitIn,
    UserIn,
    UserOut,
    UserPatch,
)
from shop.identity.states import OrganisationStatus

routes = Routes("identity", "/v1")

#: A whole office may sit behind one address, so an address may try more often than a name.
NAMES_PER_ADDRESS = 10

Words = Annotated[str, StringConstraints(max_length=50), AfterValidator(storable)]


def _organisation(row: Row[Any]) -> OrganisationOut:
    return OrganisationOut.model_validate(row, from_attributes=True)


def _user(row: Row[Any]) -> UserOut:
    return UserOut.model_validate(row, from_attributes=True)


def _told(call: Call, organisation_id: int) -> OrganisationOut:
    return _organisation(queries.organisation(call.session, call.actor, organisation_id))


# --- sign-in -------------------------------------------------------------------------------------------------------


# An answer with secrets is not kept for a second request with the same key; signing in again is harmless.
@routes.post("/auth/token", public=True, idempotent=False, status=200, answer=TokenOut, responses={401: PROBLEM})
def token(call: Call, form: Annotated[TokenForm, Form()]) -> TokenOut | Response:
    """Sign in with a password, or go on with a refresh token, which works once."""
    per_minute = settings().sign_in_rate_per_minute
    rate_limits.spend("sign_in.address", call.address, NAMES_PER_ADDRESS * per_minute)
    if form.grant_type == "password":
        rate_limits.spend("sign_in.name", form.username or "", per_minute)
        return sign_in.sign_in(call.session, form.username or "", form.password or "")
    renewed = sign_in.refresh(call.session, form.refresh_token or "")
    return renewed or problem_response(call.request, InvalidCredentials())


@routes.post("/auth/revoke", signed_in=True, status=204, idempotent=False)
def revoke(call: Call) -> None:
    """Sign out: the access and refresh tokens of this sign-in end at once."""
    sign_in.end(call.session, call.actor, call.token)


@routes.get("/me", signed_in=True)
def me(call: Call) -> MeOut:
    """Who the caller is and what the caller may do."""
    return _me(call)


@routes.patch("/me", signed_in=True)
def edit_me(call: Call, body: UserPatch) -> MeOut:
    """Set where and in which language the caller gets mails."""
    users.edit(call.session, call.actor, call.actor.user_id or 0, body.model_dump(exclude_unset=True))
    return _me(call)


def _me(call: Call) -> MeOut:
    actor = call.actor
    return MeOut(
        user=_user(queries.user(call.session, actor, actor.user_id or 0)),
        permissions=sorted(actor.permissions),
        organisation=_told(call, actor.organisation_id) if actor.organisation_id is not None else None,
        language=call.language,
    )


@routes.post("/me/password", signed_in=True, status=204, idempotent=False)
def change_password(call: Call, body: PasswordChange) -> None:
    """Set a new password; every other sign-in of the caller ends."""
    rate_limits.spend("password", str(call.actor.user_id), settings().sign_in_rate_per_minute)
    sign_in.change_password(call.session, call.actor, call.token, body.current_password, body.new_password)


# --- organisations -------------------------------------------------------------------------------------------------


@routes.post("/organisations", public=True, secret_body=True)
def register_organisation(call: Call, body: RegistrationIn) -> OrganisationOut:
    """Register an organisation with its first user. The user may sign in at once; an officer of the county decides."""
    rate_limits.spend("registration", call.address, settings().sign_in_rate_per_minute)
    organisation_id, call.actor = registration.register(call.session, body)
    return _told(call, organisation_id)


@routes.get("/organisations", Permission.ORGANISATIONS_READ)
def organisations(
    call: Call,
    status: OrganisationStatus | None = None,
    region_code: Annotated[RegionCode | None, Query(description="a district with its townships, or one township")] = None,
    role: Annotated[Capacity | None, Query(description="held today")] = None,
    q: Annotated[Words | None, Query(description="part of the name, or the credit code")] = None,
    limit: Limit = 50,
    after: After = None,
) -> Page[OrganisationOut]:
    """The organisations of an officer's region; for everybody else the own one and the units below it."""
    start = position(after, int)
    rows = queries.organisations(
        call.session,
        call.actor,
        today=clock.today(),
        status=status,
        region=region_code,
        role=role,
        q=q,
        after=start[0] if start else 0,
        limit=limit + 1,
    )
    return page(rows, limit, _organisation, lambda row: [row.id])


@routes.get("/organisations/{organisation_id}", Permission.ORGANISATIONS_READ)
def organisation(call: Call, organisation_id: Id) -> OrganisationOut:
    """One organisation with its dated roles."""
    return _told(call, organisation_id)


@routes.patch("/organisations/{organisation_id}", Permission.ORGANISATIONS_EDIT)
def edit_organisation(call: Call, organisation_id: Id, body: OrganisationPatch) -> OrganisationOut:
    """Change what the own organisation states about itself; what officers approved stays."""
    changes = body.model_dump(exclude_unset=True)
    registration.edit(call.session, call.actor, organisation_id, changes, call.if_match)
    return _told(call, organisation_id)


@routes.post("/organisations/{organisation_id}/approve", Permission.ORGANISATIONS_APPROVE, status=200)
def approve_organisation(call: Call, organisation_id: Id) -> OrganisationOut:
    """Let a pending organisation trade."""
    registration.approve(call.session, call.actor, organisation_id, call.if_match)
    return _told(call, organisation_id)


@routes.post("/organisations/{organisation_id}/reject", Permission.ORGANISATIONS_APPROVE, status=200)
def reject_organisation(call: Call, organisation_id: Id, body: RejectionIn) -> OrganisationOut:
    """Refuse a pending organisation and say why."""
    registration.reject(call.session, call.actor, organisation_id, body.reason, call.if_match)
    return _told(call, organisation_id)


@routes.post("/organisations/{organisation_id}/resubmit", Permission.ORGANISATIONS_EDIT, status=200)
def resubmit_organisation(call: Call, organisation_id: Id, body: OrganisationPatch) -> OrganisationOut:
    """Submit a rejected registration again, with corrections."""
    changes = body.model_dump(exclude_unset=True)
    registration.resubmit(call.session, call.actor, organisation_id, changes, call.if_match)
    return _told(call, organisation_id)


@routes.post("/organisations/{organisation_id}/units", Permission.ORGANISATIONS_EDIT)
def add_unit(call: Call, organisation_id: Id, body: UnitIn) -> OrganisationOut:
    """Register a unit below the own buying organisation; it is decided on like every registration."""
    return _told(call, registration.add_unit(call.session, call.actor, organisation_id, body))


@routes.post("/organisations/{organisation_id}/roles", Permission.ORGANISATIONS_APPROVE)
def grant_organisation_role(call: Call, organisation_id: Id, body: OrganisationRoleIn) -> OrganisationOut:
    """Give an organisation a dated role, with its supporting body where there is one."""
    registration.grant_capacity(call.session, call.actor, organisation_id, body)
    return _told(call, organisation_id)


# --- users and keys ------------------------------------------------------------------------------------------------


@routes.post("/users", Permission.USERS_MANAGE, secret_body=True)
def create_user(call: Call, body: UserIn) -> UserOut:
    """Add a person to the own branch; the platform's administrator adds anybody, officers included."""
    return _user(queries.user(call.session, call.actor, users.create(call.session, call.actor, body)))


@routes.get("/users", Permission.USERS_MANAGE)
def list_users(
    call: Call,
    organisation_id: Annotated[Id | None, Query()] = None,
    active: bool | None = None,
    limit: Limit = 50,
    after: After = None,
) -> Page[UserOut]:
    """The people of the own branch, by id."""
    start = position(after, int)
    rows = queries.users(
        call.session,
        call.actor,
        organisation_id=organisation_id,
        active=active,
        after=start[0] if start else 0,
        limit=limit + 1,
    )
    return page(rows, limit, _user, lambda row: [row.id])


@routes.patch("/users/{user_id}", Permission.USERS_MANAGE)
def edit_user(call: Call, user_id: Id, body: UserPatch) -> UserOut:
    """Set where and in which language a person of the own branch gets mails."""
    users.edit(call.session, call.actor, user_id, body.model_dump(exclude_unset=True))
    return _user(queries.user(call.session, call.actor, user_id))


@routes.post("/users/{user_id}/deactivate", Permission.USERS_MANAGE, status=200)
def deactivate_user(call: Call, user_id: Id) -> UserOut:
    """Take a person's access away; every token and key ends at once."""
    users.deactivate(call.session, call.actor, user_id)
    return _user(queries.user(call.session, call.actor, user_id))


# The answer holds a secret, so it is not kept for a repeated request: a key made twice is seen in the list and revoked.
@routes.post("/api-keys", Permission.API_KEYS_MANAGE, idempotent=False)
def create_api_key(call: Call, body: ApiKeyIn) -> NewApiKeyOut:
    """Make a key for a machine; its secret is shown this once."""
    key, secret = keys.create(call.session, call.actor, body)
    return NewApiKeyOut(**ApiKeyOut.model_validate(key, from_attributes=True).model_dump(), key=secret)


@routes.get("/api-keys", Permission.API_KEYS_MANAGE)
def list_api_keys(call: Call, limit: Limit = 50, after: After = None) -> Page[ApiKeyOut]:
    """The caller's own keys, by id."""
    start = position(after, int)
    rows = queries.api_keys(call.session, call.actor, after=start[0] if start else 0, limit=limit + 1)
    return page(rows, limit, lambda row: ApiKeyOut.model_validate(row, from_attributes=True), lambda row: [row.id])


@routes.delete("/api-keys/{key_id}", Permission.API_KEYS_MANAGE)
def revoke_api_key(call: Call, key_id: Id) -> None:
    """End one of the caller's own keys, at once."""
    keys.revoke(call.session, call.actor, key_id)


@routes.get("/organisation/api-keys", Permission.USERS_MANAGE)
def list_branch_api_keys(
    call: Call,
    live: Annotated[bool, Query(description="only keys that work now")] = False,
    limit: Limit = 50,
    after: After = None,
) -> Page[BranchApiKeyOut]:
    """The keys of everybody in the own branch, by id: which system uses which, since when, and when last."""
    start = position(after, int)
    rows = queries.branch_api_keys(
        call.session, call.actor, now=clock.now(), live=live, after=start[0] if start else 0, limit=limit + 1
    )
    return page(rows, limit, lambda row: BranchApiKeyOut.model_validate(row, from_attributes=True), lambda row: [row.id])


@routes.delete("/organisation/api-keys/{key_id}", Permission.USERS_MANAGE)
def revoke_branch_api_key(call: Call, key_id: Id) -> None:
    """End a key of anybody in the own branch, at once."""
    keys.revoke_of_branch(call.session, call.actor, key_id)
