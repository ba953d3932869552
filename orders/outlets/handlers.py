"""Who hears of outlets."""

from typing import Any

from sqlalchemy import text
from sqlmodel import Session

from shop.core.outbox import Handler
from shop.notifications.actions import notify
from shop.notifications.handlers import deciding_region

_OUTLET = text("SELECT id, number, name, operator_id, region_code, version, reason FROM outlet WHERE id = :id")


def _registered(session: Session, payload: dict[str, Any]) -> None:
    """The county has outlets to verify."""
    outlet = _outlet(session, payload["outlet_id"])
    notify(
        session,
        origin=f"outlets.registered:{outlet.id}:{payload['version']}",
        kind="outlets.registered",
        subject_type="outlet",
        subject_id=outlet.id,
        region_code=deciding_region(payload["region_code"]),
        number=outlet.number,
        count=payload["count"],
    )


def _tell_operator(kind: str) -> Handler:
    def tell(session: Session, payload: dict[str, Any]) -> None:
        outlet = _outlet(session, payload["outlet_id"])
        notify(
            session,
            origin=f"{kind}:{outlet.id}:{outlet.version}",
            kind=kind,
            subject_type="outlet",
            subject_id=outlet.id,
            organisation_id=outlet.operator_id,
            number=outlet.number,
            name=outlet.name,
            reason=outlet.reason or "",
        )

    return tell


def _closed(session: Session, payload: dict[str, Any]) -> None:
    """The county hears of it."""
    outlet = _outlet(session, payload["outlet_id"])
    notify(
        session,
        origin=f"outlet.closed:{outlet.id}",
        kind="outlet.closed",
        subject_type="outlet",
        subject_id=outlet.id,
        region_code=deciding_region(outlet.region_code),
        number=outlet.number,
        name=outlet.name,
    )


def _silent(session: Session, payload: dict[str, Any]) -> None:
    """Operator and county hear of outlets that are silent, as one message however many there are."""
    outlet = _outlet(session, payload["outlet_id"])
    told: list[dict[str, Any]] = [
        {"organisation_id": payload["operator_id"]},
        {"region_code": deciding_region(payload["region_code"])},
    ]
    for to in told:
        notify(
            session,
            origin=f"outlets.silent:{outlet.id}:{payload['at']}:{next(iter(to))}",
            kind="outlets.silent",
            subject_type="outlet",
            subject_id=outlet.id,
            number=outlet.number,
            name=outlet.name,
            count=payload["count"],
            **to,
        )


def _keys_revoked(session: Session, payload: dict[str, Any]) -> None:
    """The operator hears of keys of its devices that somebody else ended, as one message however many there are."""
    outlet = _outlet(session, payload["outlet_id"])
    notify(
        session,
        origin=f"outlet_keys.revoked:{payload['device_id']}",
        kind="outlet_keys.revoked",
        subject_type="outlet",
        subject_id=outlet.id,
        organisation_id=payload["operator_id"],
        number=outlet.number,
        name=outlet.name,
        count=payload["count"],
    )


def _outlet(session: Session, outlet_id: int) -> Any:
    return session.execute(_OUTLET, {"id": outlet_id}).one()


HANDLERS: dict[str, Handler] = {
    "outlet.closed": _closed,
    "outlet.refused": _tell_operator("outlet.refused"),
    "outlet.verified": _tell_operator("outlet.verified"),
    "outlet_keys.revoked": _keys_revoked,
    "outlets.registered": _registered,
    "outlets.silent": _silent,
}
