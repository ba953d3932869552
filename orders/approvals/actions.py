"""Setting up who approves what, and standing in for somebody."""

import json

from sqlalchemy import text
from sqlmodel import Session

from orders.approvals import queries
from orders.approvals.errors import DeputyEnded, RuleSetAbove, UnknownApprover, UnknownDeputy
from orders.approvals.rules import APPROVING
from orders.approvals.schemas import ApprovalRuleIn, DeputyIn
from shop.core import audit, clock
from shop.core.errors import Forbidden, IfMatch, Invalid, NotFound
from shop.identity.actor import Actor

_ADD_RULE = text(
    """
    INSERT INTO approval_rule (organisation_id, name, min_fen, cumulative, fund_sources, categories, steps, position, set_by_id)
    VALUES (:organisation_id, :name, :min_fen, :cumulative, :fund_sources, :categories, CAST(:steps AS jsonb), :position, :set_by_id)
    RETURNING id
    """
)
_LOCK_RULE = text(
    """
    SELECT r.version, o.path, setter.path AS setter_path
    FROM approval_rule r JOIN organisation o ON o.id = r.organisation_id JOIN organisation setter ON setter.id = r.set_by_id
    WHERE r.id = :id FOR UPDATE OF r
    """
)
#: People named who are no approvers of the unit or of one above it.
_STRANGERS = text(
    """
    SELECT w.id FROM unnest(CAST(:users AS bigint[])) AS w (id)
    WHERE NOT EXISTS (
        SELECT FROM app_user u JOIN organisation o ON o.id = u.organisation_id JOIN user_role r ON r.user_id = u.id
        WHERE u.id = w.id AND u.active AND starts_with(:path, o.path) AND r.role = ANY (:roles))
    """
)
_PERSON = text(
    "SELECT u.organisation_id, o.path FROM app_user u JOIN organisation o ON o.id = u.organisation_id WHERE u.id = :id AND u.active"
)
_COLLEAGUE = text(
    """
    SELECT u.id FROM app_user u JOIN user_role r ON r.user_id = u.id
    WHERE u.id = :id AND u.active AND u.organisation_id = :organisation_id AND r.role = ANY (:roles)
    """
)


def add_rule(session: Session, actor: Actor, body: ApprovalRuleIn) -> int:
    """Have orders of a unit and of those below it approved from now on. A rule is not changed but switched off, so that what was decided by
    it stays clear.

    Raises:
        NotFound: not a unit of the caller's branch (404). UnknownApprover: see there (422).
    """
    organisation_id = body.organisation_id or actor.organisation
    path = session.execute(text("SELECT path FROM organisation WHERE id = :id"), {"id": organisation_id}).scalar()
    if path is None or not actor.within_branch(path):
        raise NotFound
    named = sorted({user for step in body.steps for user in step.user_ids})
    strangers = session.execute(_STRANGERS, {"users": named, "path": path, "roles": [role.value for role in APPROVING]}).scalars()
    if unknown := list(strangers):
        raise UnknownApprover(user_ids=", ".join(map(str, unknown)))
    rule_id: int = session.execute(
        _ADD_RULE,
        {
            "organisation_id": organisation_id,
            "name": body.name,
            "min_fen": body.min_amount,
            "cumulative": body.cumulative,
            "fund_sources": sorted(set(body.fund_sources)),
            "categories": sorted(set(body.categories)),
            "steps": json.dumps([step.model_dump(exclude_defaults=True) for step in body.steps], ensure_ascii=False),
            "position": body.position,
            "set_by_id": actor.organisation,
        },
    ).scalar_one()
    audit.record(session, actor, "approval_rule.added", "approval_rule", rule_id, **body.model_dump(mode="json"))
    return rule_id


def switch_rule(session: Session, actor: Actor, rule_id: int, active: bool, if_match: IfMatch) -> None:
    """Switch a rule on or off; requests that wait keep their steps.

    Raises:
        NotFound: not a rule of the caller's branch (404). RuleSetAbove: a unit above the caller's set it up (403).
        Changed: somebody else was faster (412).
    """
    row = session.execute(_LOCK_RULE, {"id": rule_id}).first()
    if row is None or not actor.within_branch(row.path):
        raise NotFound
    if not actor.within_branch(row.setter_path):
        raise RuleSetAbove
    if_match(row.version)
    session.execute(
        text("UPDATE approval_rule SET active = :active, version = version + 1 WHERE id = :id"),
        {"id": rule_id, "active": active},
    )
    audit.record(session, actor, "approval_rule.switched", "approval_rule", rule_id, active=active)


def appoint_deputy(session: Session, actor: Actor, body: DeputyIn, *, admin: bool) -> int:
    """Have a colleague approve in the own place for some days, or (administrators) in that of somebody of the branch.

    Raises:
        NotFound: nobody of the caller's branch (404). Forbidden: somebody else, and the caller is no administrator (403).
        UnknownDeputy: no colleague who may approve, or an administrator chose oneself (422). Invalid: the days are over (422).
    """
    if body.last_day < clock.today():
        raise Invalid.one("last_day", "in_the_past", "结束日期已过", "it is over already")
    absent_id, unit_id = body.user_id or actor.user_id, actor.organisation
    if absent_id != actor.user_id:
        if not admin:
            raise Forbidden
        absent = session.execute(_PERSON, {"id": absent_id}).first()
        if absent is None or not actor.within_branch(absent.path):
            raise NotFound
        unit_id = absent.organisation_id
    roles = [role.value for role in APPROVING]
    known = session.execute(_COLLEAGUE, {"id": body.deputy_id, "organisation_id": unit_id, "roles": roles}).first()
    if known is None or body.deputy_id in (absent_id, actor.user_id):
        raise UnknownDeputy
    deputy_id: int = session.execute(
        text(
            "INSERT INTO approval_deputy (user_id, deputy_id, first_day, last_day, reason)"
            " VALUES (:user_id, :deputy_id, :first_day, :last_day, :reason) RETURNING id"
        ),
        {**body.model_dump(), "user_id": absent_id},
    ).scalar_one()
    audit.record(session, actor, "approval_deputy.appointed", "approval_deputy", deputy_id, **body.model_dump(mode="json"))
    return deputy_id


def revoke_deputy(session: Session, actor: Actor, deputy_id: int, *, admin: bool) -> None:
    """End a deputy's time at once: the own deputy, or (administrators) one of the branch.

    Raises:
        NotFound: none that is the caller's to end (404). DeputyEnded: it is over already (409).
    """
    found = queries.deputy(session, actor, deputy_id, admin=admin)
    if found.user_id != actor.user_id and not admin:
        raise NotFound
    ended = session.execute(
        text(
            "UPDATE approval_deputy SET revoked_at = :now WHERE id = :id AND revoked_at IS NULL AND last_day >= :today RETURNING id"
        ),
        {"id": deputy_id, **clock.present()},
    ).first()
    if ended is None:
        raise DeputyEnded
    audit.record(session, actor, "approval_deputy.revoked", "approval_deputy", deputy_id)
