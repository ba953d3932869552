"""Uploaded lists are read, then matched and checked: two events, so that a user who looks meanwhile sees how far it is."""

from typing import Any

from sqlmodel import Session

from orders.importing import actions
from shop.core.outbox import Handler


def _read(session: Session, payload: dict[str, Any]) -> None:
    actions.read(session, payload["order_import_id"])


def _check(session: Session, payload: dict[str, Any]) -> None:
    actions.check(session, payload["order_import_id"])


HANDLERS: dict[str, Handler] = {
    "order_import.read": _check,
    "order_import.uploaded": _read,
}
