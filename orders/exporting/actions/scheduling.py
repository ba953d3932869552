"""Schedules: set up, paused, resumed, deleted; and their answers, each moment once however many beats there are."""

from typing import Any

from sqlalchemy import text
from sqlmodel import Session, col, select

from orders.exporting.actions.asking import add, kept, require
from orders.exporting.errors import NoAddress, NoWebhooks, TooManySchedules
from orders.exporting.kinds import KINDS
from orders.exporting.models import ExportDelivery, ExportSchedule
from orders.exporting.rules import DELIVERED, MOST_SCHEDULES, Period, Rhythm, days_of, next_after
from orders.exporting.schemas import ScheduleIn
from orders.exporting.states import SCHEDULE, ScheduleMove, ScheduleStatus
from shop.core import audit, clock, locks
from shop.core.errors import IfMatch, Language, NotFound
from shop.identity.actor import Actor
from shop.identity.models import User
from shop.webhooks import queries as webhooks

_COUNT = text("SELECT count(*) FROM export_schedule WHERE user_id = :user_id AND status <> 'deleted'")
#: Two workers do not take the same schedule; the second one finds its next moment in the future.
_DUE = text(
    "SELECT id FROM export_schedule WHERE status = 'active' AND next_at <= :now ORDER BY next_at LIMIT 100 FOR UPDATE SKIP LOCKED"
)


def schedule(session: Session, actor: Actor, body: ScheduleIn, language: Language) -> int:
    """Have a question answered again and again; returns the schedule's id.

    Raises:
        Forbidden: the person lacks the permission of what is asked for (403). Invalid: a code that nothing has (422). TooManySchedules: see there
        (409). NoAddress, NoWebhooks: there is nowhere to deliver to (422).
    """
    assert actor.user_id is not None  # somebody signed in
    require(session, actor, body.export)
    if body.way == "webhook" and (actor.organisation_id is None or not webhooks.heard(session, actor.organisation_id, DELIVERED)):
        raise NoWebhooks.at("way")
    if body.way == "email" and session.get_one(User, actor.user_id).email is None:
        raise NoAddress.at("way")
    locks.hold(session, f"export_schedules:{actor.user_id}")
    if session.execute(_COUNT, {"user_id": actor.user_id}).scalar_one() >= MOST_SCHEDULES:
        raise TooManySchedules(most=MOST_SCHEDULES)
    now = clock.now()
    made = ExportSchedule(
        user_id=actor.user_id,
        organisation_id=actor.organisation_id,
        title=body.title,
        kind=body.export.kind,
        parameters=kept(body.export),
        format=body.export.format,
        language=language,
        period=body.period,
        rhythm=body.rhythm,
        hour=body.hour,
        weekday=body.weekday,
        month_day=body.month_day,
        way=body.way,
        next_at=next_after(now, body.rhythm, body.hour, body.weekday, body.month_day),
        created_at=now,
    )
    session.add(made)
    session.flush()
    audit.record(
        session, actor, "export_schedule.made", "export_schedule", made.id, kind=made.kind, rhythm=made.rhythm, way=made.way
    )
    return made.id


def pause(session: Session, actor: Actor, schedule_id: int, if_match: IfMatch) -> None:
    """Answer no more until it is resumed.

    Raises:
        NotFound: no such schedule of the caller's (404). IllegalMove: it is paused (409). Changed: see there (412).
    """
    _move(session, actor, schedule_id, ScheduleMove.PAUSE, if_match)


def resume(session: Session, actor: Actor, schedule_id: int, if_match: IfMatch) -> None:
    """Answer again, from the next moment on; what was missed is not made up for.

    Raises:
        NotFound: no such schedule of the caller's (404). IllegalMove: it is not paused (409). Changed: see there (412).
    """
    held = _move(session, actor, schedule_id, ScheduleMove.RESUME, if_match)
    held.next_at = _next(held)
    session.flush()


def delete(session: Session, actor: Actor, schedule_id: int, if_match: IfMatch) -> None:
    """Take a schedule away; its answers stay as long as any file.

    Raises:
        NotFound: no such schedule of the caller's (404). Changed: see there (412).
    """
    _move(session, actor, schedule_id, ScheduleMove.DELETE, if_match)


def _move(session: Session, actor: Actor, schedule_id: int, move: ScheduleMove, if_match: IfMatch) -> ExportSchedule:
    statement = select(ExportSchedule).where(
        col(ExportSchedule.id) == schedule_id,
        col(ExportSchedule.user_id) == actor.user_id,
        col(ExportSchedule.status) != ScheduleStatus.DELETED,
    )
    held = session.exec(statement.with_for_update()).first()
    if held is None:
        raise NotFound
    if_match(held.version)
    held.status = SCHEDULE.after(held.status, move).value
    held.version += 1
    session.flush()
    audit.record(session, actor, f"export_schedule.{move}d", "export_schedule", schedule_id)
    return held


def _next(held: ExportSchedule) -> Any:
    return next_after(clock.now(), Rhythm(held.rhythm), held.hour, held.weekday, held.month_day)


def run_due(session: Session) -> int:
    """Ask for the answers that are due; returns how many. After a standstill each schedule is answered once for all that it missed, as of today."""
    ids = session.execute(_DUE, {"now": clock.now()}).scalars().all()
    for schedule_id in ids:
        held = session.get_one(ExportSchedule, schedule_id)
        first, last = days_of(Period(held.period), clock.today())
        parameters = {**held.parameters, **KINDS[held.kind].of_days(first, last)}
        export_id = add(session, held.user_id, None, held.kind, parameters, held.format, held.language)
        session.add(ExportDelivery(schedule_id=held.id, due_at=held.next_at, export_id=export_id))
        held.next_at = _next(held)
        session.flush()
    return len(ids)
