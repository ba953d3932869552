"""The audit events of what the demo data say happened."""

import json
from datetime import datetime
from typing import Any

from sqlmodel import Session

from shop.core import audit
from shop.demo.rows import Table


class Trail:
    """Gathers events in any order; they are written in the order of their time."""

    def __init__(self, session: Session) -> None:
        self.session = session
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

    def write(self) -> int:
        """Write the events and seal them into the chain; returns how many there are."""
        self.table.rows.sort(key=lambda row: row[0])
        written = self.table.write(self.session)
        while audit.seal(self.session):
            pass
        return written
