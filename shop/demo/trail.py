"""The traces of what the demo data say happened: audit events, and the news of the last days."""

import json
from bisect import bisect_left
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import text
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

    def write_until(self, moment: datetime) -> None:
        """Write the events before ``moment``, so that what the domains themselves record then stands behind them."""
        self.table.rows.sort(key=lambda row: row[0])
        later = bisect_left(self.table.rows, moment, key=lambda row: row[0])
        rest, self.table.rows = self.table.rows[later:], self.table.rows[:later]
        self.table.go_on(self.session)
        self.table.write(self.session)
        self.table.rows = rest

    def write(self) -> int:
        """Write all that is left and seal the chain; returns how many events there are. What the domains told long ago is no news any more."""
        self.session.execute(text("DELETE FROM outbox_event WHERE created_at <= :old"), {"old": self.now - NEWS})
        self.news.rows.sort(key=lambda row: row[-1])
        self.news.go_on(self.session)
        self.news.write(self.session)
        self.write_until(datetime.max.replace(tzinfo=UTC))
        sealed = 0
        while count := audit.seal(self.session):
            sealed += count
        return sealed
