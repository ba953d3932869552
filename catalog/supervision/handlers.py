"""Who hears of checks and complaints."""

from typing import Any

from sqlalchemy import Row, text
from sqlmodel import Session

from shop.core.outbox import Handler
from shop.notifications.actions import notify

# --- complaints -----------------------------------------------------------------------------------------------------

_COMPLAINT = text(
    "SELECT m.id, m.supplier_id, m.organisation_id, m.statement_due_on, m.decision_due_on, c.number, c.district_code FROM complaint m"
    " JOIN certificate c ON c.id = m.certificate_id WHERE m.id = :id"
)


def _complaint_filed(session: Session, payload: dict[str, Any]) -> None:
    complaint = _complaint(session, payload)
    _tell(
        session,
        complaint,
        "complaint.received",
        organisation_id=complaint.supplier_id,
        due_on=complaint.statement_due_on.isoformat(),
    )
    _tell(session, complaint, "complaint.filed", region_code=complaint.district_code, due_on=complaint.decision_due_on.isoformat())


def _complaint_stated(session: Session, payload: dict[str, Any]) -> None:
    complaint = _complaint(session, payload)
    _tell(session, complaint, "complaint.stated", region_code=complaint.district_code)


def _complaint_decided(session: Session, payload: dict[str, Any]) -> None:
    """Both sides hear of it; somebody of the public has the receipt."""
    complaint = _complaint(session, payload)
    for organisation_id in dict.fromkeys([complaint.supplier_id, complaint.organisation_id]):
        if organisation_id is not None:
            _tell(session, complaint, f"complaint.{payload['status']}", organisation_id=organisation_id)


def _complaint_withdrawn(session: Session, payload: dict[str, Any]) -> None:
    complaint = _complaint(session, payload)
    _tell(session, complaint, "complaint.withdrawn", organisation_id=complaint.supplier_id)
    _tell(session, complaint, "complaint.withdrawn", region_code=complaint.district_code)


def _complaint(session: Session, payload: dict[str, Any]) -> Row[Any]:
    return session.execute(_COMPLAINT, {"id": payload["complaint_id"]}).one()


def _tell(session: Session, complaint: Row[Any], kind: str, **to: Any) -> None:
    whom = f"organisation:{to['organisation_id']}" if "organisation_id" in to else f"region:{to['region_code']}"
    notify(
        session,
        origin=f"{kind}:{complaint.id}:{whom}",
        kind=kind,
        subject_type="complaint",
        subject_id=complaint.id,
        number=complaint.number,
        **to,
    )


HANDLERS: dict[str, Handler] = {
    "complaint.decided": _complaint_decided,
    "complaint.filed": _complaint_filed,
    "complaint.stated": _complaint_stated,
    "complaint.withdrawn": _complaint_withdrawn,
}
