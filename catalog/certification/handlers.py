"""Who hears of the events of certification. Workers run these beside the handlers of the other parts."""

from typing import Any

from sqlalchemy import Row, text
from sqlmodel import Session

from catalog.certification.states import CaseStatus
from shop.core.outbox import Handler
from shop.identity.actor import CITY
from shop.notifications.actions import notify

_CASE = text(
    "SELECT c.id, c.supplier_id, c.district_code, c.decision_reason, p.name AS product"
    " FROM certification_case c JOIN product p ON p.id = c.product_id WHERE c.id = :id"
)
_CERTIFICATE = text("SELECT id, number, supplier_id, product_name AS product, reason FROM certificate WHERE id = :id")


def _submitted(session: Session, payload: dict[str, Any]) -> None:
    """The county's officers have something to review."""
    case = session.execute(_CASE, {"id": payload["case_id"]}).one()
    _tell_officers(session, case, payload["version"], case.district_code)


def _noticed(session: Session, payload: dict[str, Any]) -> None:
    case = session.execute(_CASE, {"id": payload["case_id"]}).one()
    _tell_supplier(session, case, payload["version"], "certification.noticed")


def _decided(session: Session, payload: dict[str, Any]) -> None:
    """The supplier hears of a return or a rejection; what the county passed on is before the city's officers."""
    case = session.execute(_CASE, {"id": payload["case_id"]}).one()
    if payload["status"] == CaseStatus.CITY_REVIEW:
        _tell_officers(session, case, payload["version"], CITY)
    else:
        _tell_supplier(session, case, payload["version"], f"certification.{payload['status']}", reason=case.decision_reason)


def _tell_officers(session: Session, case: Row[Any], version: int, region_code: str) -> None:
    notify(
        session,
        origin=f"certification.submitted:{case.id}:{version}",
        kind="certification.submitted",
        subject_type="certification_case",
        subject_id=case.id,
        region_code=region_code,
        product=case.product,
    )


def _tell_supplier(session: Session, case: Row[Any], version: int, kind: str, **data: Any) -> None:
    notify(
        session,
        origin=f"{kind}:{case.id}:{version}",
        kind=kind,
        subject_type="certification_case",
        subject_id=case.id,
        organisation_id=case.supplier_id,
        product=case.product,
        **data,
    )


def _certificate(kind: str) -> Handler:
    """The supplier hears what happened to its certificate; one that is suspended twice is told twice."""

    def tell(session: Session, payload: dict[str, Any]) -> None:
        row = session.execute(_CERTIFICATE, {"id": payload["certificate_id"]}).one()
        notify(
            session,
            origin=f"{kind}:{row.id}:{payload.get('at', '')}",
            kind=kind,
            subject_type="certificate",
            subject_id=row.id,
            organisation_id=row.supplier_id,
            number=row.number,
            product=row.product,
            reason=row.reason,
        )

    return tell


HANDLERS: dict[str, Handler] = {
    "certificate.issued": _certificate("certificate.issued"),
    "certificate.reinstated": _certificate("certificate.reinstated"),
    "certificate.revoked": _certificate("certificate.revoked"),
    "certificate.suspended": _certificate("certificate.suspended"),
    "certification.decided": _decided,
    "certification.noticed": _noticed,
    "certification.submitted": _submitted,
}
