"""Drafting a bulletin, revising it, and publishing it by a second person."""

from typing import Any

from sqlmodel import Session, col, select

from orders.bulletins import content as frozen
from orders.bulletins import files, states
from orders.bulletins.content import Content, Revision
from orders.bulletins.errors import (
    BulletinThere,
    ClosedAlong,
    MonthNotClosed,
    NoBulletin,
    NothingChanged,
    NotYourRegion,
    OtherContent,
    OwnDraft,
)
from orders.bulletins.models import Bulletin, BulletinFile
from orders.bulletins.queries import building, changes, checklists, ground
from orders.bulletins.states import BULLETIN, BulletinMove, BulletinStatus
from shop.core import audit, clock, locks, numbers, outbox
from shop.core.errors import IfMatch, NotFound
from shop.core.months import days_of
from shop.identity.actor import Actor
from shop.identity.permissions import Permission
from shop.regions import queries as regions


def draft(session: Session, actor: Actor, month: str) -> int:
    """Draft the bulletin of a closed month; returns its id. Districts whose grade is too low stay out of it until somebody explains them.

    Raises:
        NotYourRegion: not of the city's office (403). MonthNotClosed, ClosedAlong, BulletinThere: see there (409).
    """
    first = days_of(month)[0]
    require_city(actor)
    _closed_at(session, month)
    _alone(session, month)
    if session.exec(select(Bulletin.id).where(col(Bulletin.month) == first)).first() is not None:
        raise BulletinThere(month=month)
    found = ground.of_month(session, month)
    said = building.content(session, found, found.doubtful)
    return _keep(session, actor, said, edition=0, number=None, reason=None)


def revise(session: Session, actor: Actor, month: str, reason: str) -> int:
    """Draft a revision of a published bulletin: what was booked since and belongs to its month, what of its sales lost its certificate, and
    districts that were explained since. Returns its id. What was published stays as it is.

    Raises:
        NotYourRegion: not of the city's office (403). NoBulletin, BulletinThere, NothingChanged: see there (409).
    """
    require_city(actor)
    first, last = days_of(month)
    closed_at = _closed_at(session, month)
    _alone(session, month)
    before = _latest(session, month)
    said_before = frozen.read(before.content)
    found = ground.of_month(session, month)
    withheld = {each.code for each in said_before.withheld} & found.doubtful
    added = {each.code for each in said_before.withheld} - withheld
    bulletin_id = _keep(session, actor, said_before, edition=before.edition + 1, number=before.number, reason=reason)
    lines = changes.tell(
        session,
        bulletin_id,
        first=first,
        last=last,
        closed_at=closed_at,
        included=ground.published_codes(session, found, withheld),
        added=regions.with_predecessors(session, sorted(added)),
        successors=found.successors,
    )
    if not lines and not added:
        raise NothingChanged
    table = building.difference(found, changes.of_edition(session, bulletin_id))
    revision = Revision(
        of=said_before.number or "",
        reason=reason,
        before=said_before.totals.figures.now,
        lines=lines,
        lines_sha256=changes.lines_sha256(session, bulletin_id),
        **table,
    )
    made = session.get_one(Bulletin, bulletin_id)
    _write(made, building.content(session, found, withheld, revision))
    session.add(made)
    session.flush()
    return bulletin_id


def publish(session: Session, actor: Actor, bulletin_id: int, sha256: str, if_match: IfMatch) -> None:
    """Publish a draft that somebody else drafted, exactly as it was read: it gets its number, its date and its files, and is never changed again.

    Raises:
        NotFound: there is none (404). NotYourRegion: not of the city's office (403). OwnDraft: a second person has to (403). IllegalMove, OtherContent: see there (409).
        Changed: it is not what the caller read (412).
    """
    require_city(actor)
    bulletin = _locked(session, bulletin_id)
    status = BULLETIN.after(bulletin.status, BulletinMove.PUBLISH)
    if_match(bulletin.version)
    if bulletin.drafted_by == actor.user_id:
        raise OwnDraft
    if bulletin.sha256 != sha256:
        raise OtherContent(sha256=bulletin.sha256)
    if bulletin.edition:
        _supersede(session, bulletin)
    now = clock.now()
    if bulletin.number is None:
        bulletin.number = numbers.next_number(session, states.series(bulletin.year))
    number = states.shown(bulletin.year, bulletin.number, bulletin.edition)
    said = frozen.read(bulletin.content).model_copy(update={"number": number, "issued_on": clock.shanghai_date(now).isoformat()})
    _write(bulletin, said)
    bulletin.status, bulletin.published_by, bulletin.published_at = status, actor.user_id, now
    bulletin.version += 1
    session.add(bulletin)
    session.flush()
    for name, made in files.made_of(bulletin.content).items():
        session.add(BulletinFile(bulletin_id=bulletin.id, format=name, content=made, sha256=frozen.digest(made)))
    session.flush()
    audit.record(session, actor, "bulletin.published", "bulletin", bulletin.id, number=number, sha256=bulletin.sha256)
    outbox.publish(session, "bulletin.published", bulletin_id=bulletin.id)


def discard(session: Session, actor: Actor, bulletin_id: int) -> None:
    """Drop a draft. It had no number; what it told of changes is told by the next one.

    Raises:
        NotFound: there is none (404). NotYourRegion: not of the city's office (403). IllegalMove: it is published (409).
    """
    require_city(actor)
    bulletin = _locked(session, bulletin_id)
    BULLETIN.after(bulletin.status, BulletinMove.DISCARD)
    changes.forget(session, bulletin.id)
    session.delete(bulletin)
    session.flush()
    audit.record(session, actor, "bulletin.discarded", "bulletin", bulletin_id, month=f"{bulletin.month:%Y-%m}")


def require_city(actor: Actor) -> None:
    """Refuse an officer whose office does not reach over the whole city.

    Raises:
        NotYourRegion: see there (403).
    """
    if "" not in actor.regions(Permission.BULLETINS_PUBLISH):
        raise NotYourRegion


def _closed_at(session: Session, month: str) -> Any:
    """When the city closed a month.

    Raises:
        MonthNotClosed: it has not (409). ClosedAlong: it was closed along with a later one (409).
    """
    first = days_of(month)[0]
    closed = checklists.closed_with(session, first)
    if closed is None:
        raise MonthNotClosed(month=month)
    if closed.month != first:
        raise ClosedAlong(month=month, closed_with=f"{closed.month:%Y-%m}")
    return closed.closed_at


def _alone(session: Session, month: str) -> None:
    """One draft of a month at a time."""
    locks.hold(session, f"bulletin:{month}")


def _latest(session: Session, month: str) -> Bulletin:
    statement = select(Bulletin).where(col(Bulletin.month) == days_of(month)[0]).order_by(col(Bulletin.edition).desc())
    latest = session.exec(statement.limit(1).execution_options(populate_existing=True)).first()
    if latest is None:
        raise NoBulletin(month=month)
    if latest.status == BulletinStatus.DRAFT:
        raise NoBulletin(month=month) if latest.edition == 0 else BulletinThere(month=month)
    return latest


def _keep(session: Session, actor: Actor, said: Content, *, edition: int, number: int | None, reason: str | None) -> int:
    first = days_of(said.month)[0]
    bulletin = Bulletin(
        month=first,
        year=first.year,
        edition=edition,
        number=number,
        reason=reason,
        content=b"",
        sha256="",
        drafted_by=actor.person,
        drafted_at=clock.now(),
    )
    _write(bulletin, said)
    session.add(bulletin)
    session.flush()
    audit.record(session, actor, "bulletin.drafted", "bulletin", bulletin.id, month=said.month, edition=edition, reason=reason)
    outbox.publish(session, "bulletin.drafted", bulletin_id=bulletin.id)
    return bulletin.id


def _write(bulletin: Bulletin, said: Content) -> None:
    bulletin.content = frozen.frozen(said)
    bulletin.sha256 = frozen.digest(bulletin.content)


def _locked(session: Session, bulletin_id: int) -> Bulletin:
    statement = select(Bulletin).where(col(Bulletin.id) == bulletin_id).with_for_update()
    bulletin = session.exec(statement.execution_options(populate_existing=True)).first()
    if bulletin is None:
        raise NotFound
    return bulletin


def _supersede(session: Session, bulletin: Bulletin) -> None:
    """The edition before stays readable under its number, and says that there is a newer one."""
    statement = select(Bulletin).where(col(Bulletin.month) == bulletin.month, col(Bulletin.edition) == bulletin.edition - 1)
    before = session.exec(statement.with_for_update().execution_options(populate_existing=True)).one()
    before.status = BULLETIN.after(before.status, BulletinMove.SUPERSEDE)
    before.version += 1
    session.add(before)
    session.flush()
