"""Asking for a file, and thinking better of it. It is made afterwards, by whoever hears of it."""

from datetime import timedelta
from math import ceil
from typing import Any

from sqlalchemy import text
from sqlmodel import Session, col, select

from orders.exporting.errors import TooManyExports, TooManyExportsADay
from orders.exporting.kinds import KINDS
from orders.exporting.models import Export
from orders.exporting.rules import MOST_A_DAY, MOST_OPEN
from orders.exporting.schemas import ExportIn
from orders.exporting.states import EXPORT, ExportMove
from shop.core import audit, clock, locks, outbox
from shop.core.errors import Forbidden, Language, NotFound
from shop.identity.actor import Actor

_DAY = timedelta(days=1)
_COUNTS = text(
    """
    SELECT count(*) FILTER (WHERE status IN ('waiting', 'running')) AS open, count(*) FILTER (WHERE requested_at > :since) AS lately,
           min(requested_at) FILTER (WHERE requested_at > :since) AS first
    FROM export e WHERE user_id = :user_id AND NOT EXISTS (SELECT FROM export_delivery d WHERE d.export_id = e.id)
    """
)


def ask(session: Session, actor: Actor, body: ExportIn, language: Language) -> int:
    """Ask for a file; returns its id.

    Raises:
        Forbidden: the person lacks the permission of what is asked for (403). Invalid: a code that nothing has (422). TooManyExports, TooManyExportsADay: see there (409).
    """
    assert actor.user_id is not None  # somebody signed in
    require(session, actor, body)
    locks.hold(session, f"exports:{actor.user_id}")
    now = clock.now()
    counts = session.execute(_COUNTS, {"user_id": actor.user_id, "since": now - _DAY}).one()
    if counts.lately >= MOST_A_DAY:
        again = counts.first + _DAY
        raise TooManyExportsADay(
            limit=MOST_A_DAY, again_at=clock.shanghai_text(again), retry_after=ceil((again - now).total_seconds())
        )
    if counts.open >= MOST_OPEN:
        raise TooManyExports(limit=MOST_OPEN)
    scopes = None if actor.scopes is None else sorted(actor.scopes)
    export_id = add(session, actor.user_id, scopes, body.kind, kept(body), body.format, language)
    audit.record(session, actor, "export.requested", "export", export_id, kind=body.kind, format=body.format)
    return export_id


def require(session: Session, actor: Actor, body: ExportIn) -> None:
    """Refuse what the person may not read, and what could not be answered.

    Raises:
        Forbidden: see there (403). Invalid: a code that nothing has (422).
    """
    kind = KINDS[body.kind]
    if not actor.may(kind.permission):
        raise Forbidden(permission=kind.permission)
    if kind.check is not None:
        kind.check(session, body.parameters)


def kept(body: ExportIn) -> dict[str, Any]:
    """The parameters as they are kept."""
    return body.parameters.model_dump(mode="json", by_alias=True, exclude_defaults=True)


def add(
    session: Session, user_id: int, scopes: list[str] | None, kind: str, parameters: dict[str, Any], format: str, language: str
) -> int:
    made = Export(
        user_id=user_id,
        scopes=scopes,
        kind=kind,
        parameters=parameters,
        format=format,
        language=language,
        requested_at=clock.now(),
    )
    session.add(made)
    session.flush()
    outbox.publish(session, "export.requested", export_id=made.id)
    return made.id


def cancel(session: Session, actor: Actor, export_id: int) -> None:
    """Stop making a file; the worker that makes it notices within some thousand rows.

    Raises:
        NotFound: no such export of the caller's (404). IllegalMove: it is made, or came to nothing (409).
    """
    statement = select(Export).where(col(Export.id) == export_id, col(Export.user_id) == actor.user_id).with_for_update()
    held = session.exec(statement).first()
    if held is None:
        raise NotFound
    held.status = EXPORT.after(held.status, ExportMove.CANCEL).value
    held.finished_at = clock.now()
    session.flush()
    audit.record(session, actor, "export.cancelled", "export", export_id)
