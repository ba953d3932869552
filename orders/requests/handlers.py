"""Who hears of purchase requests."""

from typing import Any

from sqlalchemy import Row, text
from sqlmodel import Session

from shop.core.outbox import Handler
from shop.notifications.actions import notify

_REQUEST = text("SELECT id, number, ordering_unit_id FROM purchase_request WHERE id = :id")
#: The step with the unit whose people take it, or the units of those it names, which may lie above it.
_STEP = text(
    """
    SELECT DISTINCT s.name, coalesce(u.organisation_id, s.organisation_id) AS organisation_id
    FROM purchase_request_step s LEFT JOIN app_user u ON u.id = ANY (s.user_ids)
    WHERE s.purchase_request_id = :id AND s.round = :round AND s.position = :position ORDER BY organisation_id
    """
)


def _of(session: Session, payload: dict[str, Any]) -> Row[Any]:
    return session.execute(_REQUEST, {"id": payload["purchase_request_id"]}).one()


def _waiting(session: Session, payload: dict[str, Any]) -> None:
    """Those who can take the next step."""
    request = _of(session, payload)
    for step in session.execute(_STEP, {"id": request.id, "round": payload["round"], "position": payload["position"]}).all():
        notify(
            session,
            origin=f"purchase_request.waiting:{request.id}:{payload['round']}:{payload['position']}:{step.organisation_id}",
            kind="purchase_request.waiting",
            subject_type="purchase_request",
            subject_id=request.id,
            organisation_id=step.organisation_id,
            number=request.number,
            step=step.name,
        )


def _told(kind: str, *parts: str) -> Handler:
    """The unit that asked; ``parts`` of the payload tell one time from another."""

    def handle(session: Session, payload: dict[str, Any]) -> None:
        request = _of(session, payload)
        notify(
            session,
            origin=":".join([kind, str(request.id), *(str(payload[part]) for part in parts)]),
            kind=kind,
            subject_type="purchase_request",
            subject_id=request.id,
            organisation_id=request.ordering_unit_id,
            number=request.number,
            **{part: payload[part] for part in parts},
        )

    return handle


HANDLERS: dict[str, Handler] = {
    "purchase_request.ordered": _told("purchase_request.ordered"),
    "purchase_request.rejected": _told("purchase_request.rejected", "round"),
    "purchase_request.returned": _told("purchase_request.returned", "round"),
    "purchase_request.stuck": _told("purchase_request.stuck", "version"),
    "purchase_request.waiting": _waiting,
}
