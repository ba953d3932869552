"""The traces of what the demo data say happened: audit events, and the news of the last days."""

import json
from datetime import datetime, timedelta
from typing import Any

from sqlmodel import Session

from shop.core import audit
from shop.demo.rows import Table

#: Others hear of what happened in the last days: as in real life, some of it is still on its way to them.
NEWS = timedelta(days=3)


class Trail:
    """Gathers events in any order; they are written in the order of their time."""

    def __init__(self, session: Session, now: datetime) -> None:
        self.session, self.now = session, now
        self.news = Table(session, "outbox_event", "name payload created_at next_attempt_at")
        self.table = Table(session, "audit_event", "at actor_id actor_role action subject_type subject_id reason detail")

    def add(
        self,
        at: datetime,
        actor_id: int | None,
        actor_role: str,
        action: str,
        subject_type: str,
        subject_id: int,
        reason: str | None = None,
        **detail: Any,
    ) -> None:
        self.table.add(at, actor_id, actor_role, action, subject_type, subject_id, reason, json.dumps(detail))

    def tell(self, at: datetime, event: str, **payload: Any) -> None:
        """Leave an event for the worker, who notifies those concerned, if it is recent enough to be news."""
        if at > self.now - NEWS:
            self.news.add(event, json.dumps(payload), at, at)

    def write(self) -> int:
        """Write the events and seal them into the chain; returns how many there are."""
        self.table.rows.sort(key=lambda row: row[0])
        self.news.rows.sort(key=lambda row: row[-1])
        self.news.write(self.session)
        written = self.table.write(self.session)
        while audit.seal(self.session):
            pass
        return written
