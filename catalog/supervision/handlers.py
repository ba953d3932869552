"""Who hears of checks and complaints."""

from typing import Any

from sqlalchemy import Row, text
from sqlmodel import Session

from shop.core import audit, clock, workdays
from shop.core.audit import SYSTEM
from shop.core.outbox import Handler
from shop.notifications.actions import notify
from shop.programmes import queries as programmes

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


# --- capacity and blacklist -----------------------------------------------------------------------------------------

_FLAG = text(
    "SELECT f.id, f.year, c.number, c.supplier_id, c.district_code, c.product_name FROM capacity_flag f"
    " JOIN certificate c ON c.id = f.certificate_id WHERE f.id = :id"
)
_BAR = text("SELECT b.id, b.organisation_id, b.until_on, b.reason, b.lifting_reason FROM blacklist_entry b WHERE b.id = :id")


def _tell_of_flag(kind: str, *, supplier: bool, county: bool) -> Handler:
    def tell(session: Session, payload: dict[str, Any]) -> None:
        flag = session.execute(_FLAG, {"id": payload["flag_id"]}).one()
        whom: list[dict[str, Any]] = [{"organisation_id": flag.supplier_id}] if supplier else []
        whom += [{"region_code": flag.district_code}] if county else []
        for to in whom:
            notify(
                session,
                origin=f"{kind}:{flag.id}:{payload['at']}:{next(iter(to.values()))}",
                kind=kind,
                subject_type="capacity_flag",
                subject_id=flag.id,
                number=flag.number,
                product=flag.product_name,
                year=flag.year,
                reason=payload.get("reason"),
                **to,
            )

    return tell


def _tell_of_bar(kind: str) -> Handler:
    def tell(session: Session, payload: dict[str, Any]) -> None:
        entry = session.execute(_BAR, {"id": payload["entry_id"]}).one()
        notify(
            session,
            origin=f"{kind}:{entry.id}",
            kind=kind,
            subject_type="blacklist_entry",
            subject_id=entry.id,
            organisation_id=entry.organisation_id,
            until=entry.until_on.isoformat(),
            reason=entry.lifting_reason or entry.reason,
        )

    return tell


# --- checks ---------------------------------------------------------------------------------------------------------

_INSPECTION = text(
    "SELECT i.id, i.kind, c.number, c.supplier_id, c.district_code, c.product_name FROM inspection i"
    " JOIN certificate c ON c.id = i.certificate_id WHERE i.id = :id"
)
_PRICE_CHECK = text(
    "SELECT p.id, p.above_bp, c.number, c.supplier_id, c.district_code, c.product_name FROM price_check p"
    " JOIN certificate c ON c.id = p.certificate_id WHERE p.id = :id"
)


def _inspection_done(session: Session, payload: dict[str, Any]) -> None:
    """The supplier hears of every result; the county of what failed, which whoever checked may have left to it."""
    row = session.execute(_INSPECTION, {"id": payload["inspection_id"]}).one()
    kind = f"inspection.{payload['status']}"
    _tell_of_check(session, row, kind, "inspection", organisation_id=row.supplier_id)
    if payload["status"] == "failed":
        _tell_of_check(session, row, kind, "inspection", region_code=row.district_code)


def _price_above(session: Session, payload: dict[str, Any]) -> None:
    row = session.execute(_PRICE_CHECK, {"id": payload["price_check_id"]}).one()
    for to in ({"organisation_id": row.supplier_id}, {"region_code": row.district_code}):
        _tell_of_check(session, row, "price_check.above", "price_check", percent=round(row.above_bp / 100), **to)


def _tell_of_check(session: Session, row: Row[Any], kind: str, subject: str, **data: Any) -> None:
    whom = data.get("organisation_id") or data.get("region_code")
    notify(
        session,
        origin=f"{kind}:{row.id}:{whom}",
        kind=kind,
        subject_type=subject,
        subject_id=row.id,
        number=row.number,
        product=row.product_name,
        **data,
    )


# --- low ratings ----------------------------------------------------------------------------------------------------

_SIGNAL = text(
    "SELECT q.id, q.ratings, q.buyers, c.number, c.district_code, c.product_name FROM quality_signal q"
    " JOIN certificate c ON c.id = q.certificate_id WHERE q.id = :id"
)


def _signal_raised(session: Session, payload: dict[str, Any]) -> None:
    """The county hears of it."""
    row = session.execute(_SIGNAL, {"id": payload["signal_id"]}).one()
    _tell_of_check(
        session,
        row,
        "quality_signal.raised",
        "quality_signal",
        region_code=row.district_code,
        ratings=row.ratings,
        buyers=row.buyers,
    )


# --- disputes of orders, of which the event tells all that is needed --------------------------------------------------

_OPEN_CHECK = text(
    """
    INSERT INTO inspection (certificate_id, kind, status, due_on, opened_at)
    SELECT c.id, 'quality', 'open', :due_on, :now FROM certificate c
    WHERE c.id = :id AND NOT EXISTS (SELECT FROM inspection i WHERE i.certificate_id = c.id AND i.kind = 'quality' AND i.status = 'open')
    RETURNING id
    """
)


def _dispute_decided(session: Session, payload: dict[str, Any]) -> None:
    """Goods that were bad by a decision are checked: the county hears of it, and has a check of each certificate on its desk."""
    today = clock.today()
    days = programmes.config_of(session, today).certification.inspection_working_days
    due_on = workdays.calendar(session, today).add(today, days)
    for certificate_id in payload["certificate_ids"]:
        opened = session.execute(_OPEN_CHECK, {"id": certificate_id, "due_on": due_on, "now": clock.now()}).scalar()
        if opened is not None:
            audit.record(session, SYSTEM, "inspection.opened", "inspection", opened, reason=payload["number"])
        certificate = session.execute(
            text("SELECT number, district_code FROM certificate WHERE id = :id"), {"id": certificate_id}
        ).one()
        notify(
            session,
            origin=f"dispute.quality:{payload['dispute_id']}:{certificate_id}",
            kind="dispute.quality",
            subject_type="inspections_due",
            subject_id=certificate_id,
            region_code=certificate.district_code,
            number=payload["number"],
            certificate=certificate.number,
        )


HANDLERS: dict[str, Handler] = {
    "blacklist.lifted": _tell_of_bar("blacklist.lifted"),
    "blacklist.listed": _tell_of_bar("blacklist.listed"),
    "capacity.cleared": _tell_of_flag("capacity.cleared", supplier=True, county=False),
    "capacity.explained": _tell_of_flag("capacity.explained", supplier=False, county=True),
    "capacity.flagged": _tell_of_flag("capacity.flagged", supplier=True, county=True),
    "complaint.decided": _complaint_decided,
    "complaint.filed": _complaint_filed,
    "complaint.stated": _complaint_stated,
    "complaint.withdrawn": _complaint_withdrawn,
    "dispute.decided": _dispute_decided,
    "inspection.done": _inspection_done,
    "price_check.above": _price_above,
    "quality_signal.raised": _signal_raised,
}
