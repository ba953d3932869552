"""Telling an organisation, the officers of a region or single persons, marking as read, and choosing what to hear of."""

import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import literal, text
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session, col, select

from shop.core import clock
from shop.core.db import array
from shop.core.errors import NotFound
from shop.identity import queries as identity
from shop.identity.actor import Actor
from shop.identity.permissions import Permission
from shop.notifications import queries, rules
from shop.notifications.errors import UnknownKind
from shop.notifications.models import Notification, NotificationReading
from shop.notifications.schemas import PreferenceIn

#: One statement, so that the event (see ``mailing``) is there exactly if the notification is new.
_INSERT = text(
    "WITH made AS ("
    " INSERT INTO notification (origin, organisation_id, region_code, kind, subject_type, subject_id, data, at)"
    " VALUES (:origin, :organisation_id, :region_code, :kind, :subject_type, :subject_id, CAST(:data AS jsonb), :at)"
    " ON CONFLICT (origin) DO NOTHING RETURNING id, at)"
    " INSERT INTO outbox_event (name, payload, created_at, next_attempt_at)"
    " SELECT 'notification.made', jsonb_build_object('notification_id', id), at, at FROM made"
)

#: The same of what is still being counted: told again, it says the newest; the event comes once, when it is time for the mails.
_GATHER = text(
    "WITH made AS ("
    " INSERT INTO notification AS n (origin, organisation_id, kind, subject_type, subject_id, data, at)"
    " VALUES (:origin, :organisation_id, :kind, :subject_type, :subject_id, CAST(:data AS jsonb), :at)"
    " ON CONFLICT (origin) DO UPDATE SET data = excluded.data WHERE n.data IS DISTINCT FROM excluded.data RETURNING id, xmax = 0 AS fresh)"
    " INSERT INTO outbox_event (name, payload, created_at, next_attempt_at)"
    " SELECT 'notification.made', jsonb_build_object('notification_id', id), :at, :mail_at FROM made WHERE fresh"
)

#: The same for each of several organisations.
_INSERT_EACH = text(
    "WITH made AS ("
    " INSERT INTO notification (origin, organisation_id, kind, subject_type, subject_id, data, at)"
    " SELECT CAST(:origin AS text) || ':' || t.organisation_id, t.organisation_id, :kind, :subject_type, :subject_id, t.data, :at"
    " FROM unnest(CAST(:organisation_ids AS bigint[]), CAST(:data AS jsonb[])) AS t (organisation_id, data) ORDER BY 1"
    " ON CONFLICT (origin) DO NOTHING RETURNING id, at)"
    " INSERT INTO outbox_event (name, payload, created_at, next_attempt_at)"
    " SELECT 'notification.made', jsonb_build_object('notification_id', id), at, at FROM made"
)

#: The same for each of several persons.
_INSERT_PERSONS = text(
    "WITH made AS ("
    " INSERT INTO notification (origin, user_id, kind, subject_type, subject_id, data, attachment, at)"
    " SELECT CAST(:origin AS text) || ':' || t.user_id, t.user_id, :kind, :subject_type, :subject_id, CAST(:data AS jsonb),"
    " CAST(:attachment AS jsonb), :at"
    " FROM unnest(CAST(:user_ids AS bigint[])) AS t (user_id) ORDER BY 1"
    " ON CONFLICT (origin) DO NOTHING RETURNING id, at)"
    " INSERT INTO outbox_event (name, payload, created_at, next_attempt_at)"
    " SELECT 'notification.made', jsonb_build_object('notification_id', id), at, at FROM made"
)

#: A null leaves what was chosen before, or the default.
_CHOOSE = text(
    "INSERT INTO notification_preference AS chosen (user_id, kind, inbox, email)"
    " VALUES (:user_id, :kind, coalesce(CAST(:inbox AS boolean), true), coalesce(CAST(:email AS boolean), true))"
    " ON CONFLICT (user_id, kind) DO UPDATE SET"
    " inbox = coalesce(CAST(:inbox AS boolean), chosen.inbox), email = coalesce(CAST(:email AS boolean), chosen.email)"
)


def notify(
    session: Session,
    *,
    origin: str,
    kind: str,
    subject_type: str,
    subject_id: int,
    organisation_id: int | None = None,
    region_code: str | None = None,
    **data: Any,
) -> None:
    """Tell one organisation, or the officers of one region, that something happened.

    ``origin`` names the cause (such as ``organisation.approved:7:2``): the same origin twice tells once, so a handler may run again.
    ``kind`` chooses the text in :mod:`shop.notifications.rules`, ``data`` fills it and holds no personal data.

    Raises:
        ValueError: not exactly one addressee.
    """
    if (organisation_id is None) == (region_code is None):
        raise ValueError("a notification goes to one organisation or to one region")
    session.execute(
        _INSERT,
        {
            "origin": origin,
            "organisation_id": organisation_id,
            "region_code": region_code,
            "kind": kind,
            "subject_type": subject_type,
            "subject_id": subject_id,
            "data": json.dumps(data, ensure_ascii=False),
            "at": clock.now(),
        },
    )


def notify_gathered(
    session: Session,
    *,
    origin: str,
    kind: str,
    subject_type: str,
    subject_id: int,
    organisation_id: int,
    mail_at: datetime,
    **data: Any,
) -> None:
    """Tell one organisation of what goes on being counted for a while. The same origin again writes the newest ``data`` over what was told; mails go at
    ``mail_at`` and say what stands then."""
    session.execute(
        _GATHER,
        {
            "origin": origin,
            "kind": kind,
            "subject_type": subject_type,
            "subject_id": subject_id,
            "organisation_id": organisation_id,
            "data": json.dumps(data, ensure_ascii=False),
            "at": clock.now(),
            "mail_at": mail_at,
        },
    )


def notify_each(
    session: Session,
    told: Mapping[int, Mapping[str, Any]],
    *,
    origin: str,
    kind: str,
    subject_type: str,
    subject_id: int,
) -> None:
    """Tell several organisations, by their ids, each with its own data: one statement, however many they are.

    The origin of each is ``origin`` with its id behind it; the same one twice tells once, as in :func:`notify`.
    """
    if not told:
        return
    session.execute(
        _INSERT_EACH,
        {
            "origin": origin,
            "kind": kind,
            "subject_type": subject_type,
            "subject_id": subject_id,
            "organisation_ids": list(told),
            "data": [json.dumps(data, ensure_ascii=False) for data in told.values()],
            "at": clock.now(),
        },
    )


def notify_persons(
    session: Session,
    user_ids: Iterable[int],
    *,
    origin: str,
    kind: str,
    subject_type: str,
    subject_id: int,
    attachment: Mapping[str, str] | None = None,
    **data: Any,
) -> None:
    """Tell single persons, and nobody else of their organisation or region. The origin of each is ``origin`` with its id behind it.

    ``attachment`` names a stored file that goes along with the mails: ``storage_key``, ``name`` and ``content_type``.
    """
    session.execute(
        _INSERT_PERSONS,
        {
            "origin": origin,
            "kind": kind,
            "subject_type": subject_type,
            "subject_id": subject_id,
            "user_ids": array(user_ids),
            "data": json.dumps(data, ensure_ascii=False),
            "attachment": json.dumps(attachment, ensure_ascii=False) if attachment else None,
            "at": clock.now(),
        },
    )


def notify_second(
    session: Session,
    permission: Permission,
    region_code: str,
    *,
    but: Iterable[int | None],
    origin: str,
    kind: str,
    subject_type: str,
    subject_id: int,
    **data: Any,
) -> None:
    """Tell everybody who may be the second of two persons: who holds the permission over the region, less those who were the first."""
    second = set(identity.holders(session, permission, region_code)) - set(but)
    notify_persons(session, sorted(second), origin=origin, kind=kind, subject_type=subject_type, subject_id=subject_id, **data)


def mark_read(session: Session, actor: Actor, notification_id: int) -> tuple[Notification, datetime]:
    """Mark a notification as read by the actor; the first reading counts, a second one changes nothing. Returns it with that moment.

    Raises:
        NotFound: it does not exist or is addressed to others (404).
    """
    statement = select(Notification).where(queries.addressed_to(actor), Notification.id == notification_id)
    notification = session.exec(statement).first()
    if notification is None:
        raise NotFound
    reading = {"user_id": actor.user_id, "notification_id": notification_id, "read_at": clock.now()}
    session.execute(insert(NotificationReading).values(reading).on_conflict_do_nothing())
    read_at = select(NotificationReading.read_at).where(
        NotificationReading.user_id == actor.user_id, NotificationReading.notification_id == notification_id
    )
    return notification, session.exec(read_at).one()


def mark_all_read(session: Session, actor: Actor) -> int:
    """Mark everything in the actor's inbox as read; returns how many were not."""
    unread = select(literal(actor.user_id), col(Notification.id), literal(clock.now())).where(
        queries.addressed_to(actor), queries.wanted_by(actor), ~queries.read_by(actor)
    )
    marked = insert(NotificationReading).from_select(["user_id", "notification_id", "read_at"], unread).on_conflict_do_nothing()
    return len(session.execute(marked.returning(col(NotificationReading.notification_id))).all())


def choose(session: Session, actor: Actor, kinds: Mapping[str, PreferenceIn]) -> None:
    """Switch kinds of notifications on or off for the actor, in the inbox or by mail.

    Raises:
        UnknownKind: see there (422).
    """
    if unknown := sorted(kinds.keys() - rules.TEXTS.keys()):
        raise UnknownKind.of(unknown)
    rows = [
        {"user_id": actor.user_id, "kind": kind, "inbox": None, "email": None, **kinds[kind].model_dump(exclude_unset=True)}
        for kind in sorted(kinds)  # in one order, so that two requests of one person do not wait for each other in a ring
    ]
    if rows:
        session.execute(_CHOOSE, rows)
