"""Barring suppliers from applying, with what they have suspended for the time; and lifting it."""

from sqlalchemy import text
from sqlmodel import Session, col, select

from catalog.certificates.actions import measures
from catalog.certificates.errors import OwnCase
from catalog.certificates.models import Certificate
from catalog.certificates.rules import months_after
from catalog.certificates.states import SuspendedBy
from catalog.supervision.errors import AlreadyBarred, NotBarred
from catalog.supervision.models import BlacklistEntry
from catalog.supervision.schemas.blacklist import BarIn
from shop.core import audit, clock, outbox
from shop.core.errors import Invalid, NotFound
from shop.identity.actor import Actor

#: Nobody is barred for longer.
MOST_MONTHS = 120
REASON = "blacklisted"

_ORGANISATION = text(
    "SELECT path, EXISTS (SELECT FROM organisation_role r WHERE r.organisation_id = o.id AND r.role = 'supplier') AS supplies"
    " FROM organisation o WHERE id = :id FOR NO KEY UPDATE"
)
_BARRED = text("SELECT until_on FROM blacklist_entry WHERE organisation_id = :id AND lifted_at IS NULL AND until_on >= :today")


def bar(session: Session, actor: Actor, body: BarIn) -> int:
    """Bar a supplier from today until a day: it cannot apply, and its certificates that hold are suspended for that time. Returns the id.

    Raises:
        NotFound: there is no such organisation (404). OwnCase: the own one (403).
        AlreadyBarred: it is barred already (409). UnknownReason, Invalid: the reason, or the day (422).
    """
    today = clock.today()
    measures.refuse_unknown_reason(session, body.reason_code)
    if not today <= body.until_on <= months_after(today, MOST_MONTHS):
        raise Invalid.one("until_on", "out_of_range", "截止日期须在今后 10 年内", "the last day must lie within the next ten years")
    # the row of the organisation is what two who bar it at once wait for, and whoever certifies it
    # meanwhile (catalog.certification.queries.bars)
    organisation = session.execute(_ORGANISATION, {"id": body.organisation_id}).first()
    if organisation is None:
        raise NotFound
    if actor.is_related(organisation.path):
        raise OwnCase
    if not organisation.supplies:
        raise Invalid.one("organisation_id", "not_a_supplier", "该单位不是供应商", "This organisation is not a supplier")
    if barred := session.execute(_BARRED, {"id": body.organisation_id, "today": today}).first():
        raise AlreadyBarred(as_asked=barred.until_on == body.until_on)
    entry = BlacklistEntry(**body.model_dump(), from_on=today, decided_by=actor.user_id, decided_at=clock.now())
    session.add(entry)
    session.flush()
    until = clock.end_of_day(body.until_on)
    for certificate in _live(session, body.organisation_id):
        # what is suspended already stays so beside it, for its own reason and time
        measures.put_out(session, actor, certificate, SuspendedBy.BAR, REASON, body.reason, until)
    audit.record(session, actor, "blacklist.listed", "blacklist_entry", entry.id, reason=body.reason)
    outbox.publish(session, "blacklist.listed", entry_id=entry.id)
    return entry.id


def lift(session: Session, actor: Actor, entry_id: int, reason: str) -> None:
    """End a bar before its day; certificates that were suspended for it come back.

    Raises:
        NotFound: there is none (404). OwnCase: of the own organisation (403). NotBarred: it has ended or was lifted (409).
    """
    found = session.get(BlacklistEntry, entry_id)
    if found is None:
        raise NotFound
    organisation = session.execute(_ORGANISATION, {"id": found.organisation_id}).one()
    if actor.is_related(organisation.path):
        raise OwnCase
    session.refresh(found)
    if found.lifted_at is not None or found.until_on < clock.today():
        raise NotBarred
    found.lifted_at, found.lifting_reason = clock.now(), reason
    session.add(found)
    session.flush()
    for certificate in _live(session, found.organisation_id):
        if SuspendedBy.BAR in measures.standing_against(session, certificate):
            measures.bring_back(session, actor, certificate, reason, [SuspendedBy.BAR])
    audit.record(session, actor, "blacklist.lifted", "blacklist_entry", found.id, reason=reason)
    outbox.publish(session, "blacklist.lifted", entry_id=found.id)


def _live(session: Session, organisation_id: int) -> list[Certificate]:
    """The supplier's certificates that may hold, locked in the order of their ids."""
    statement = select(Certificate).where(
        col(Certificate.supplier_id) == organisation_id,
        col(Certificate.revoked_at).is_(None),
        col(Certificate.valid_until) >= clock.today(),
    )
    return list(session.exec(statement.order_by(col(Certificate.id)).with_for_update().execution_options(populate_existing=True)))
