"""Measures against a certificate: warned, suspended, held; and how it comes back.

Whoever changes the force of a certificate locks its row ``FOR UPDATE`` and reads the clock after that: an order that is being written holds
the row until it has committed, and from the commit of the measure on there are no more (``orders.purchasing.actions.placing``).
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from sqlalchemy import text
from sqlmodel import Session, col, select

from catalog.certificates import queries, rules
from catalog.certificates.errors import HeldByBar, HeldByCity, NotYourRegion, OwnCase, SuspensionStands, UnknownReason
from catalog.certificates.models import Certificate, CertificateEvent, Suspension
from catalog.certificates.states import CERTIFICATE, STRONGEST, CertificateMove, CertificateState, SuspendedBy
from shop.core import audit, clock, outbox
from shop.core.audit import Who
from shop.core.errors import Fault, Invalid
from shop.core.states import IllegalMove
from shop.identity.actor import Actor
from shop.programmes import queries as programmes

#: The flags lie above; they are cleared in the same transaction, so that no watch holds the certificate again in between.
_ACCEPT_SOLD = text(
    "UPDATE capacity_flag SET cleared_at = :now, cleared_by = :by, clearing_reason = :reason, cleared_grams = committed_grams"
    " WHERE certificate_id = :id AND cleared_at IS NULL"
)
_SUPPLIER_PATH = text("SELECT path FROM organisation WHERE id = :id")


def locked(session: Session, certificate_id: int) -> Certificate:
    """A certificate as it stands now, locked until the transaction ends."""
    statement = select(Certificate).where(col(Certificate.id) == certificate_id).with_for_update()
    return session.exec(statement.execution_options(populate_existing=True)).one()


def begin(session: Session, actor: Actor, certificate_id: int, move: CertificateMove) -> Certificate:
    """Lock a certificate of which the actor may make this move now.

    Raises:
        NotFound: there is none within reach (404).
        IllegalMove: it is not in a state for this (409).
        OwnCase, NotYourRegion: somebody else's to do (403).
    """
    queries.certificate_row(session, actor, certificate_id)
    certificate = locked(session, certificate_id)
    try:
        CERTIFICATE.after(queries.state_of(certificate), move)
    except IllegalMove as refused:
        refused.data["allowed"] = queries.possible(actor, queries.certificate_row(session, actor, certificate_id))
        raise
    if actor.is_related(session.execute(_SUPPLIER_PATH, {"id": certificate.supplier_id}).scalar_one()):
        raise OwnCase
    if not actor.covers_region(queries.PERMISSIONS[move], certificate.district_code):
        raise NotYourRegion
    return certificate


def note(
    session: Session,
    actor: Who,
    certificate_id: int,
    kind: str,
    reason_code: str | None = None,
    reason: str | None = None,
    until: datetime | None = None,
) -> None:
    """Put on record what happened to a certificate."""
    session.add(event(actor, certificate_id, kind, reason_code, reason, until))
    session.flush()


def event(
    actor: Who,
    certificate_id: int,
    kind: str,
    reason_code: str | None = None,
    reason: str | None = None,
    until: datetime | None = None,
) -> CertificateEvent:
    """What :func:`note` writes, for those who write many at once."""
    return CertificateEvent(
        certificate_id=certificate_id,
        kind=kind,
        at=clock.now(),
        until=until,
        reason_code=reason_code,
        reason=reason,
        actor_id=actor.user_id,
        actor_role=actor.role_name,
    )


def refuse_unknown_reason(session: Session, reason_code: str) -> None:
    """Raises :class:`UnknownReason` for a reason that the programme in force does not name (422); it names those that there are."""
    reasons = programmes.config_of(session, clock.today()).terms.get("reason", {})
    if reason_code not in reasons:
        zh = "、".join(f"{code}（{label.zh}）" for code, label in reasons.items())
        en = ", ".join(f"{code} ({label.en})" for code, label in reasons.items())
        fault = Fault("reason_code", UnknownReason.code, f"须为 {zh} 之一", f"Has to be one of {en}", {"choices": [*reasons]})
        raise UnknownReason(faults=[fault])


def warn(session: Session, actor: Actor, certificate_id: int, reason_code: str, reason: str) -> None:
    """Warn the supplier; the certificate stays in force.

    Raises:
        UnknownReason: see there (422). And as :func:`begin`.
    """
    refuse_unknown_reason(session, reason_code)
    certificate = begin(session, actor, certificate_id, CertificateMove.WARN)
    note(session, actor, certificate.id, "warned", reason_code, reason)
    audit.record(session, actor, "certificate.warned", "certificate", certificate.id, reason=reason, reason_code=reason_code)
    outbox.publish(session, "certificate.warned", certificate_id=certificate.id, at=clock.now().isoformat(), reason=reason)


def suspend(
    session: Session, actor: Actor, certificate_id: int, reason_code: str, reason: str, until: datetime | None = None
) -> None:
    """Put a certificate out of force, until a moment at which it comes back by itself or until it is reinstated. One that the actor's level has
    suspended already gets the new end and reason; what another level or a bar said stays beside it.

    Raises:
        UnknownReason, Invalid: see there; the end has passed (422). SuspensionStands: the actor's level said the very same before (409).
        And as :func:`begin`.
    """
    refuse_unknown_reason(session, reason_code)
    certificate = begin(session, actor, certificate_id, CertificateMove.SUSPEND)
    put_out(session, actor, certificate, queries.level_of(actor), reason_code, reason, until)


def put_out(
    session: Session,
    actor: Actor,
    certificate: Certificate,
    by: SuspendedBy,
    reason_code: str,
    reason: str,
    until: datetime | None = None,
) -> None:
    """Suspend a certificate that the caller has locked, and may suspend. Raises as :func:`suspend`."""
    now = clock.now()
    if until is not None and until <= now:
        raise Invalid(faults=[Fault("until", "in_the_past", "结束时间须在将来", "the end must lie in the future")])
    again = queries.state_of(certificate) is CertificateState.SUSPENDED
    standing = standing_against(session, certificate)
    said = standing.get(by)
    if said and (said.until, said.reason_code, said.reason) == (until, reason_code, reason):
        raise SuspensionStands(since=said.since.isoformat())
    fresh = said is None or said.reason_code != reason_code
    if said is None:
        said = Suspension(certificate_id=certificate.id, level=by.value, since=now, reason_code=reason_code, reason=reason)
    elif fresh:
        said.since = now
    said.until, said.reason_code, said.reason = until, reason_code, reason
    session.add(said)
    _set_suspension(session, certificate, standing | {by: said})
    action = "suspension_changed" if again else "suspended"
    note(session, actor, certificate.id, action, reason_code, reason, until)
    audit.record(session, actor, f"certificate.{action}", "certificate", certificate.id, reason=reason, reason_code=reason_code)
    if fresh:  # whoever agreed to a delivery agreed to it for another cause
        outbox.publish(session, "certificate.suspended", certificate_id=certificate.id, at=now.isoformat(), reason=reason)


def reinstate(session: Session, actor: Actor, certificate_id: int, reason: str) -> None:
    """Put a suspended certificate in force again, for what is left of its time: end what the actor's own level said, or, where that is nothing, what
    the county said. What another level said stays, with its own end, until it is lifted too.

    Raises:
        HeldByBar, HeldByCity: what the actor's level cannot end stands against it (409). And as :func:`begin`.
    """
    certificate = begin(session, actor, certificate_id, CertificateMove.REINSTATE)
    standing = standing_against(session, certificate)
    if bar := standing.get(SuspendedBy.BAR):
        raise HeldByBar(until=(clock.shanghai_date(bar.until) - timedelta(days=1)).isoformat() if bar.until else None)
    city = standing.get(SuspendedBy.CITY)
    level = queries.level_of(actor)
    if city and level is not SuspendedBy.CITY:
        raise HeldByCity(reason=city.reason, until=city.until.isoformat() if city.until else None)
    bring_back(session, actor, certificate, reason, [rules.ended_by(level, standing)])


def bring_back(
    session: Session, actor: Who, certificate: Certificate, reason: str, ending: Iterable[SuspendedBy] = tuple(SuspendedBy)
) -> None:
    """End what suspends a certificate that the caller has locked; it is in force again unless something else still stands."""
    standing = standing_against(session, certificate)
    ended = set(ending)
    for by in ended & set(standing):
        session.delete(standing[by])
    _set_suspension(session, certificate, {by: said for by, said in standing.items() if by not in ended})
    if certificate.suspended_at is not None:
        note(session, actor, certificate.id, "suspension_changed", reason=reason, until=certificate.suspended_until)
        audit.record(session, actor, "certificate.suspension_changed", "certificate", certificate.id, reason=reason)
        return
    note(session, actor, certificate.id, "reinstated", reason=reason)
    audit.record(session, actor, "certificate.reinstated", "certificate", certificate.id, reason=reason)
    outbox.publish(session, "certificate.reinstated", certificate_id=certificate.id, at=clock.now().isoformat(), reason=reason)


def standing_against(session: Session, certificate: Certificate) -> dict[SuspendedBy, Suspension]:
    """What suspends a certificate now. What has ended by itself is forgotten; the history tells of it."""
    found = session.exec(select(Suspension).where(col(Suspension.certificate_id) == certificate.id)).all()
    now = clock.now()
    for over in (said for said in found if said.until is not None and said.until <= now):
        session.delete(over)
    session.flush()
    return {SuspendedBy(said.level): said for said in found if said.until is None or said.until > now}


def _set_suspension(session: Session, certificate: Certificate, standing: Mapping[SuspendedBy, Suspension]) -> None:
    """Let a certificate tell what all that stands against it comes to: it is suspended until the last of it ends."""
    if not standing:
        certificate.suspended_at = certificate.suspended_until = None
        certificate.reason_code = certificate.reason = None
    else:
        if queries.state_of(certificate) is not CertificateState.SUSPENDED:
            certificate.suspended_at = clock.now()
        ordered = [standing[by] for by in STRONGEST if by in standing]
        longest = next((said for said in ordered if said.until is None), None) or max(
            ordered, key=lambda said: said.until or said.since
        )
        certificate.suspended_until = longest.until
        certificate.reason_code, certificate.reason = longest.reason_code, longest.reason
    _keep(session, certificate)


def end_suspensions(session: Session) -> int:
    """Tell of the suspensions whose time is over; returns how many. They hold no more whether this ran or not."""
    ended = col(Certificate.suspended_at).is_not(None), col(Certificate.suspended_until) <= clock.now()
    over = session.exec(select(Certificate).where(*ended).order_by(col(Certificate.id)).with_for_update(skip_locked=True)).all()
    for certificate in over:
        bring_back(session, audit.SYSTEM, certificate, "暂停期满，自动恢复")
    return len(over)


def hold(session: Session, certificate: Certificate, reason: str) -> None:
    """Hold a certificate, locked by the caller, of which more was sold than it was given for (贴牌 is suspected); an officer releases it."""
    CERTIFICATE.after(queries.state_of(certificate), CertificateMove.HOLD)
    certificate.held_at = clock.now()
    _keep(session, certificate)
    note(session, audit.SYSTEM, certificate.id, "held", "over_capacity", reason)
    audit.record(session, audit.SYSTEM, "certificate.held", "certificate", certificate.id, reason=reason)
    outbox.publish(session, "certificate.held", certificate_id=certificate.id, at=clock.now().isoformat(), reason=reason)


def release(session: Session, actor: Actor, certificate_id: int, reason: str) -> None:
    """Let a certificate that was held go on; what was sold until now is accepted with it. Raises as :func:`begin`."""
    certificate = begin(session, actor, certificate_id, CertificateMove.RELEASE)
    session.execute(_ACCEPT_SOLD, {"id": certificate.id, "now": clock.now(), "by": actor.user_id, "reason": reason})
    let_go(session, actor, certificate, reason)


def let_go(session: Session, actor: Who, certificate: Certificate, reason: str) -> None:
    """Release a certificate that the caller has locked."""
    certificate.held_at = None
    _keep(session, certificate)
    note(session, actor, certificate.id, "released", reason=reason)
    audit.record(session, actor, "certificate.released", "certificate", certificate.id, reason=reason)
    outbox.publish(session, "certificate.released", certificate_id=certificate.id, at=clock.now().isoformat(), reason=reason)


def _keep(session: Session, certificate: Certificate) -> None:
    session.add(certificate)
    session.flush()
