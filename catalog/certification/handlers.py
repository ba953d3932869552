"""Who hears of the events of certification. Workers run these beside the handlers of the other parts."""

from itertools import groupby
from typing import Any

from sqlalchemy import Row, text
from sqlmodel import Session

from catalog.certification import steps
from catalog.certification.states import CaseStatus, Level
from shop.core.outbox import Handler
from shop.identity.actor import CITY
from shop.notifications.actions import notify

_CASES = text(
    "SELECT c.id, c.supplier_id, c.district_code, c.township_code, c.steps, p.name AS product, o.name AS supplier"
    " FROM certification_case c JOIN product p ON p.id = c.product_id JOIN organisation o ON o.id = c.supplier_id"
    " WHERE c.id = ANY (:ids) ORDER BY c.id"
)


def _case(session: Session, case_id: int) -> Row[Any]:
    return session.execute(_CASES, {"ids": [case_id]}).one()


def _awaiting(session: Session, payload: dict[str, Any]) -> None:
    """The officers of a step have something to review, each office is told once of all that came to it by one request. The event says at which step each
    case came to them, because it may have moved on since."""
    came = {each["case_id"]: each for each in payload["cases"]}
    cases = session.execute(_CASES, {"ids": list(came)}).all()
    at = {case.id: _office(case, came[case.id]["status"]) for case in cases}
    for office, group in groupby(sorted(cases, key=lambda case: (at[case.id], case.id)), key=lambda case: at[case.id]):
        first, *others = group
        told = {"count": len(others) + 1, "supplier": first.supplier} if others else {}
        notify(
            session,
            origin=f"certification.submitted:{first.id}:{came[first.id]['version']}",
            kind="certification.submitted",
            subject_type="certification_cases" if others else "certification_case",
            subject_id=first.id,
            region_code=office,
            product=first.product,
            **told,
        )


def _appealed(session: Session, payload: dict[str, Any]) -> None:
    case = _case(session, payload["case_id"])
    notify(
        session,
        origin=f"certification.appealed:{case.id}:{payload['version']}",
        kind="certification.appealed",
        subject_type="certification_case",
        subject_id=case.id,
        region_code=_office(case, CaseStatus.APPEALED),
        product=case.product,
    )


def _noticed(session: Session, payload: dict[str, Any]) -> None:
    _tell_supplier(session, _case(session, payload["case_id"]), payload["version"], "certification.noticed")


def _decided(session: Session, payload: dict[str, Any]) -> None:
    """The supplier hears of everything but that a case was passed on. The event says how it was decided, because the case may have moved on since."""
    case = _case(session, payload["case_id"])
    status = payload["status"]
    if not steps.step_of(case.steps, status):
        _tell_supplier(session, case, payload["version"], f"certification.{status}", reason=payload["reason"])


def _office(case: Row[Any], status: str) -> str:
    """The region whose officers have a case in this status."""
    step = steps.step_of(case.steps, status)
    places = {Level.TOWNSHIP: case.township_code, Level.COUNTY: case.district_code, Level.CITY: CITY}
    return str(places[Level(step["level"])]) if step else CITY


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
    "certification.awaiting": _awaiting,
    "certification.decided": _decided,
    "certification.noticed": _noticed,
}
