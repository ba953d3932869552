"""Registering organisations, deciding on them, changing them, and what they are from when to when."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from sqlalchemy import text
from sqlmodel import Session, col, select

from shop.core import audit, clock, outbox
from shop.core.errors import Forbidden, IfMatch, NotFound
from shop.identity import queries, rules
from shop.identity.actions import users
from shop.identity.actor import Actor, Grant
from shop.identity.errors import CapacityHeld, KindMayNotSupply, NotABuyer, OwnOrganisation, RegistrationFrozen
from shop.identity.models import Organisation, OrganisationRole
from shop.identity.permissions import Permission
from shop.identity.rules import Capacity, OrganisationKind, Side
from shop.identity.schemas import OrganisationData, OrganisationRoleIn, RegistrationIn, UnitIn
from shop.identity.states import REGISTRATION, OrganisationMove, OrganisationStatus

#: What officers approved; from then on only a new registration changes it.
APPROVED_FIELDS = frozenset({"uscc", "name", "kind", "region_code"})


def register(session: Session, body: RegistrationIn) -> tuple[int, Actor]:
    """Register an organisation with its first user, who may sign in at once; trading waits for the approval.

    Returns the organisation's id and the first user as an actor.

    Raises:
        UsccTaken, UsernameTaken: somebody has the credit code or the username (409).
        UnknownRegion, KindMayNotSupply: see there (422).
    """
    if body.register_as is Side.SUPPLIER and not rules.may_supply(body.kind):
        raise KindMayNotSupply
    organisation = _add(session, body, parent=None)
    _add_capacity(session, organisation.id, rules.capacity_at_registration(body.register_as, body.kind), clock.today())
    role = rules.first_role(body.register_as)
    user = users.add(session, body.admin.username, body.admin.name, body.admin.password, organisation.id, [Grant(role)])
    actor = Actor(user.id, user.username, organisation.id, organisation.path, (Grant(role),))
    audit.record(session, actor, "organisation.registered", "organisation", organisation.id)
    outbox.publish(session, "organisation.registered", **_named(organisation))
    return organisation.id, actor


def add_unit(session: Session, actor: Actor, parent_id: int, body: UnitIn) -> int:
    """Register a unit below a buying organisation of the actor's branch. It is decided on like every registration.

    Raises:
        NotFound: the parent lies outside the actor's branch (404).
        OrganisationNotApproved, NotABuyer, UsccTaken: see there (409).
    """
    parent = session.get(Organisation, parent_id)
    if parent is None or not actor.within_branch(parent.path):
        raise NotFound
    queries.require_approved(session, parent.id)
    if not rules.is_buyer(queries.capacities(session, parent.id, clock.today())):
        raise NotABuyer
    unit = _add(session, body, parent)
    _add_capacity(session, unit.id, rules.capacity_at_registration(Side.BUYER, body.kind), clock.today())
    audit.record(session, actor, "organisation.registered", "organisation", unit.id, parent_id=parent.id)
    outbox.publish(session, "organisation.registered", **_named(unit))
    return unit.id


def approve(session: Session, actor: Actor, organisation_id: int, if_match: IfMatch) -> None:
    """Let a pending organisation trade.

    Raises:
        Changed: the organisation changed its statements after the officer read them (412).
        NotFound: out of the officer's reach (404).
        Forbidden, OwnOrganisation: not this officer's to decide (403).
        IllegalMove: it is not pending (409).
    """
    organisation = _decide(session, actor, organisation_id, OrganisationMove.APPROVE, None, if_match)
    audit.record(session, actor, "organisation.approved", "organisation", organisation.id)
    outbox.publish(session, "organisation.approved", **_named(organisation))


def reject(session: Session, actor: Actor, organisation_id: int, reason: str, if_match: IfMatch) -> None:
    """Refuse a pending organisation and say why; it may correct itself and submit again. Raises as :func:`approve`."""
    organisation = _decide(session, actor, organisation_id, OrganisationMove.REJECT, reason, if_match)
    audit.record(session, actor, "organisation.rejected", "organisation", organisation.id, reason=reason)
    outbox.publish(session, "organisation.rejected", **_named(organisation), reason=reason)


def resubmit(session: Session, actor: Actor, organisation_id: int, changes: Mapping[str, Any], if_match: IfMatch) -> None:
    """Submit a rejected registration again, with corrections.

    Raises:
        NotFound: not an organisation of the actor's branch (404).
        IllegalMove: it was not rejected (409).
    """
    organisation = _of_branch(session, actor, organisation_id)
    if_match(organisation.version)
    organisation.status = REGISTRATION.after(organisation.status, OrganisationMove.RESUBMIT)
    organisation.rejection_reason = None
    organisation.decided_at = None
    _apply(session, organisation, changes)
    audit.record(session, actor, "organisation.resubmitted", "organisation", organisation.id, fields=sorted(changes))
    outbox.publish(session, "organisation.resubmitted", **_named(organisation))


def edit(session: Session, actor: Actor, organisation_id: int, changes: Mapping[str, Any], if_match: IfMatch) -> None:
    """Change what the own organisation states about itself.

    Raises:
        NotFound: not an organisation of the actor's branch (404).
        RegistrationFrozen: a field that officers approved (409).
    """
    organisation = _of_branch(session, actor, organisation_id)
    if_match(organisation.version)
    if organisation.status in (OrganisationStatus.APPROVED, OrganisationStatus.SUSPENDED):
        frozen = sorted(f for f in APPROVED_FIELDS & changes.keys() if changes[f] != getattr(organisation, f))
        if frozen:
            raise RegistrationFrozen(fields=frozen)
    _apply(session, organisation, changes)
    audit.record(session, actor, "organisation.edited", "organisation", organisation.id, fields=sorted(changes))


def grant_capacity(session: Session, actor: Actor, organisation_id: int, body: OrganisationRoleIn) -> None:
    """Give an organisation a dated role, such as central unit of a supporting body.

    Raises:
        NotFound: out of the officer's reach (404).
        Forbidden, OwnOrganisation: not this officer's to decide (403).
        CapacityHeld: it has this role already in a part of the period (409).
        UnknownSupporter: no such supporting body (422).
    """
    organisation = _for_officer(session, actor, organisation_id)
    held = session.execute(
        text(
            "SELECT FROM organisation_role WHERE organisation_id = :id AND role = :role AND supporter_id IS NOT DISTINCT FROM :supporter"
            " AND daterange(valid_from, valid_to) && daterange(:from, :to)"
        ),
        {
            "id": organisation.id,
            "role": body.role.value,
            "supporter": body.supporter_id,
            "from": body.valid_from,
            "to": body.valid_to,
        },
    ).first()
    if held is not None:
        raise CapacityHeld
    _add_capacity(session, organisation.id, body.role, body.valid_from, body.valid_to, body.supporter_id)
    organisation.version += 1
    session.add(organisation)
    session.flush()
    audit.record(session, actor, "organisation.role_granted", "organisation", organisation.id, **body.model_dump(mode="json"))


def _decide(
    session: Session,
    actor: Actor,
    organisation_id: int,
    move: OrganisationMove,
    reason: str | None,
    if_match: IfMatch,
) -> Organisation:
    organisation = _for_officer(session, actor, organisation_id)
    if_match(organisation.version)
    organisation.status = REGISTRATION.after(organisation.status, move)
    organisation.rejection_reason = reason
    organisation.decided_at = clock.now()
    organisation.version += 1
    session.add(organisation)
    session.flush()
    return organisation


def _for_officer(session: Session, actor: Actor, organisation_id: int) -> Organisation:
    queries.organisation(session, actor, organisation_id)
    organisation = _locked(session, organisation_id)
    if organisation.id == actor.organisation_id:
        raise OwnOrganisation
    if not actor.covers_region(Permission.ORGANISATIONS_APPROVE, organisation.region_code):
        raise Forbidden(permission=Permission.ORGANISATIONS_APPROVE)
    return organisation


def _of_branch(session: Session, actor: Actor, organisation_id: int) -> Organisation:
    organisation = _locked(session, organisation_id)
    if not actor.within_branch(organisation.path):
        raise NotFound
    return organisation


def _locked(session: Session, organisation_id: int) -> Organisation:
    statement = select(Organisation).where(col(Organisation.id) == organisation_id).with_for_update()
    organisation = session.exec(statement.execution_options(populate_existing=True)).first()
    if organisation is None:
        raise NotFound
    return organisation


def _add(session: Session, body: OrganisationData, parent: Organisation | None) -> Organisation:
    queries.require_region(session, body.region_code, clock.today())
    organisation = Organisation(
        **body.model_dump(include=set(OrganisationData.model_fields)),
        status=OrganisationStatus.PENDING,
        parent_id=parent.id if parent else None,
        registered_at=clock.now(),
    )
    session.add(organisation)
    session.flush()
    organisation.path = f"{parent.path if parent else '/'}{organisation.id}/"
    session.add(organisation)
    session.flush()
    return organisation


def _add_capacity(
    session: Session,
    organisation_id: int,
    capacity: Capacity,
    valid_from: date,
    valid_to: date | None = None,
    supporter_id: int | None = None,
) -> None:
    session.add(
        OrganisationRole(
            organisation_id=organisation_id,
            role=capacity.value,
            supporter_id=supporter_id,
            valid_from=valid_from,
            valid_to=valid_to,
        )
    )
    session.flush()


def _apply(session: Session, organisation: Organisation, changes: Mapping[str, Any]) -> None:
    if changes.get("region_code", organisation.region_code) != organisation.region_code:
        queries.require_region(session, changes["region_code"], clock.today())
    if changes.get("kind", organisation.kind) != organisation.kind:
        _change_kind(session, organisation, changes["kind"])
    for field, value in changes.items():
        setattr(organisation, field, value)
    organisation.version += 1
    session.add(organisation)
    session.flush()


def _change_kind(session: Session, organisation: Organisation, kind: OrganisationKind) -> None:
    """An organisation not yet approved has only the role of its registration, which follows from its kind."""
    held = session.exec(select(OrganisationRole).where(OrganisationRole.organisation_id == organisation.id)).all()
    for role in held:
        if role.role == Capacity.SUPPLIER and not rules.may_supply(kind):
            raise KindMayNotSupply
        if role.role == rules.capacity_at_registration(Side.BUYER, organisation.kind):
            role.role = rules.capacity_at_registration(Side.BUYER, kind).value
            session.add(role)
    session.flush()


def _named(organisation: Organisation) -> dict[str, int]:
    """What an event says of an organisation; the version tells a second decision from the first."""
    return {"organisation_id": organisation.id, "version": organisation.version}
