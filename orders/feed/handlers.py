"""Writes what happened into the feeds of the organisations that it concerns."""

# ruff: noqa: S608  statements are put together from constants only

from typing import Any

from sqlalchemy import text
from sqlmodel import Session

from orders.feed.concerned import CONCERNED
from shop.core.outbox import Handler
from shop.webhooks.actions import feed


def _told(kind: str, member: str, statement: str) -> Handler:
    concerned = text(f"SELECT * FROM ({statement}) AS concerned (organisation_id, subject_type, subject_id)")

    def handle(session: Session, payload: dict[str, Any]) -> None:
        rows = session.execute(concerned, {"id": payload[member]})
        feed.record(session, kind, [feed.Concerned(*row) for row in rows])

    return handle


HANDLERS: dict[str, Handler] = {kind: _told(kind, member, statement) for kind, (member, statement) in CONCERNED.items()}
