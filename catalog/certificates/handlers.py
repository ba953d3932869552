"""Who hears what happened to a certificate: its supplier, and of a supplier's statement the officers of its county."""

from typing import Any

from sqlalchemy import Row, text
from sqlmodel import Session

from shop.core.outbox import Handler
from shop.notifications.actions import notify

_CERTIFICATE = text("SELECT id, number, product_name, supplier_id, district_code FROM certificate WHERE id = :id")
_REVOCATION = text(
    "SELECT c.id, c.number, c.product_name, c.supplier_id, c.district_code, r.id AS revocation_id, r.statement_due_on"
    " FROM revocation r JOIN certificate c ON c.id = r.certificate_id WHERE r.id = :id"
)


def _certificate(session: Session, payload: dict[str, Any]) -> Row[Any]:
    return session.execute(_CERTIFICATE, {"id": payload["certificate_id"]}).one()


def _tell(session: Session, row: Row[Any], kind: str, origin: str, *, county: bool = False, **data: Any) -> None:
    notify(
        session,
        origin=f"{kind}:{origin}",
        kind=kind,
        subject_type="certificate",
        subject_id=row.id,
        organisation_id=None if county else row.supplier_id,
        region_code=row.district_code if county else None,
        number=row.number,
        product=row.product_name,
        **data,
    )


def _tell_supplier(kind: str) -> Handler:
    def tell(session: Session, payload: dict[str, Any]) -> None:
        row = _certificate(session, payload)
        _tell(session, row, kind, f"{row.id}:{payload.get('at', '')}", reason=payload.get("reason"))

    return tell


def _revocation_opened(session: Session, payload: dict[str, Any]) -> None:
    row = session.execute(_REVOCATION, {"id": payload["revocation_id"]}).one()
    due = row.statement_due_on.isoformat()
    _tell(session, row, "certificate.revocation_opened", str(row.revocation_id), reason=payload["reason"], due=due)


def _revocation_stated(session: Session, payload: dict[str, Any]) -> None:
    row = session.execute(_REVOCATION, {"id": payload["revocation_id"]}).one()
    _tell(session, row, "certificate.revocation_stated", f"{row.revocation_id}:{payload['at']}", county=True)


def _revocation_dropped(session: Session, payload: dict[str, Any]) -> None:
    row = session.execute(_REVOCATION, {"id": payload["revocation_id"]}).one()
    _tell(session, row, "certificate.revocation_dropped", str(row.revocation_id), reason=payload["reason"])


HANDLERS: dict[str, Handler] = {
    "certificate.changed": _tell_supplier("certificate.changed"),
    "certificate.held": _tell_supplier("certificate.held"),
    "certificate.issued": _tell_supplier("certificate.issued"),
    "certificate.reinstated": _tell_supplier("certificate.reinstated"),
    "certificate.released": _tell_supplier("certificate.released"),
    "certificate.revocation_dropped": _revocation_dropped,
    "certificate.revocation_opened": _revocation_opened,
    "certificate.revocation_stated": _revocation_stated,
    "certificate.revoked": _tell_supplier("certificate.revoked"),
    "certificate.suspended": _tell_supplier("certificate.suspended"),
    "certificate.warned": _tell_supplier("certificate.warned"),
}
