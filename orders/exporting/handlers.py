"""Files are made, then told of: two events, so that what was made is not made again because the telling failed."""

from typing import Any

from sqlmodel import Session

from orders.exporting import actions
from shop.core.outbox import Handler


def _run(session: Session, payload: dict[str, Any]) -> None:
    actions.run(session, payload["export_id"])


def _finished(session: Session, payload: dict[str, Any]) -> None:
    actions.finished(session, payload["export_id"])


HANDLERS: dict[str, Handler] = {
    "export.finished": _finished,
    "export.requested": _run,
}
