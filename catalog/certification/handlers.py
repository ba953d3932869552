"""Who hears of the events of certification. Workers run these beside the handlers of the other parts."""

from typing import Any

from sqlalchemy import Row, text
from sqlmodel import Session

from catalog.certification import steps
from catalog.certification.states import CaseStatus, Level
from shop.core.outbox import Handler
from shop.identity.actor import CITY
from shop.notifications.actions import notify

_CASE = text(
    "SELECT c.id, c.supplier_id, c.district_code, c.township_code, c.steps, p.name AS product"
    " FROM certification_case c JOIN product p ON p.id = c.product_id WHERE c.id = :id"
)


def _submitted(session: Session, payload: dict[str, Any]) -> None:
    """The officers of the first step have something to review."""
    case = session.execute(_CASE, {"id": payload["case_id"]}).one()
    _tell_officers(session, case, payload["version"], payload["status"])


def _appealed(session: Session, payload: dict[str, Any]) -> None:
    case = session.execute(_CASE, {"id": payload["case_id"]}).one()
    _tell_officers(session, case, payload["version"], CaseStatus.APPEALED, "certification.appealed")


def _noticed(session: Session, payload: dict[str, Any]) -> None:
    case = session.execute(_CASE, {"id": payload["case_id"]}).one()
    _tell_supplier(session, case, payload["version"], "certification.noticed")


def _decided(session: Session, payload: dict[str, Any]) -> None:
    """What was passed on is before the officers of the next step; the supplier hears of everything else. The event says how it was decided,
    because the case may have moved on since."""
    case = session.execute(_CASE, {"id": payload["case_id"]}).one()
    status = payload["status"]
    if status == CaseStatus.PUBLIC_NOTICE:
        return  # told as a notice
    if steps.step_of(case.steps, status):
        _tell_officers(session, case, payload["version"], status)
    else:
        _tell_supplier(session, case, payload["version"], f"certification.{status}", reason=payload["reason"])


def _tell_officers(session: Session, case: Row[Any], version: int, status: str, kind: str = "certification.submitted") -> None:
    step = steps.step_of(case.steps, status)
    places = {Level.TOWNSHIP: case.township_code, Level.COUNTY: case.district_code, Level.CITY: CITY}
    notify(
        session,
        origin=f"{kind}:{case.id}:{version}",
        kind=kind,
        subject_type="certification_case",
        subject_id=case.id,
        region_code=places[Level(step["level"])] if step else CITY,
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


HANDLERS: dict[str, Handler] = {
    "certification.appealed": _appealed,
    "certification.decided": _decided,
    "certification.noticed": _noticed,
    "certification.submitted": _submitted,
}
