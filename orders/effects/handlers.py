"""Who hears that a certificate with open orders was stopped, or goes on."""

from typing import Any

from sqlalchemy import text
from sqlmodel import Session

from catalog.supervision.actions import capacity
from orders.effects import queries
from orders.purchasing.handlers import part
from shop.core.outbox import Handler
from shop.notifications.actions import notify
from shop.notifications.rules import PLACES

_NOBODY: dict[str, Any] = {"branch": None, "regions": []}


def _tell(kind: str) -> Handler:
    """Each buyer with open orders hears how many, once; the supplier and the county hear of all of them."""

    def tell(session: Session, payload: dict[str, Any]) -> None:
        certificate = queries.head(session, payload["certificate_id"], _NOBODY)
        by_buyer = queries.open_by_buyer(session, certificate)
        everything = sum(by_buyer.values())
        if not everything:
            return
        addressed: list[tuple[int | None, str | None, int]] = [(buyer, None, count) for buyer, count in by_buyer.items()]
        addressed += [(certificate.supplier_id, None, everything), (None, certificate.district_code, everything)]
        for organisation_id, region_code, count in addressed:
            notify(
                session,
                origin=f"{kind}:{certificate.id}:{payload['at']}:{f'region {region_code}' if region_code else organisation_id}",
                kind=kind,
                subject_type="open_orders",
                subject_id=certificate.id,
                organisation_id=organisation_id,
                region_code=region_code,
                number=certificate.number,
                count=count,
                where=PLACES["open_orders"].format(id=certificate.id),
            )

    return tell


def _to_deliver(session: Session, payload: dict[str, Any]) -> None:
    """The supplier may go on; that an order was cancelled it hears as of any other."""
    each = part(session, payload["supplier_order_id"])
    number = session.execute(text("SELECT number FROM certificate WHERE id = :id"), {"id": payload["certificate_id"]}).scalar_one()
    notify(
        session,
        origin=f"open_orders.to_deliver:{each.id}:{payload['certificate_id']}:{payload['at']}",
        kind="open_orders.to_deliver",
        subject_type="supplier_order",
        subject_id=each.id,
        organisation_id=each.supplier_id,
        number=each.number,
        certificate=number,
    )


def _watch_capacity(session: Session, payload: dict[str, Any]) -> None:
    """What was just ordered may be more than its products are certified for."""
    ordered = text("SELECT DISTINCT product_id FROM order_line WHERE purchase_order_id = :id")
    capacity.watch(session, list(session.execute(ordered, {"id": payload["purchase_order_id"]}).scalars()))


def tell_of_expired_papers(session: Session) -> None:
    """Papers end by date, with no event: whoever has open orders of their certificates hears once, whenever this runs next."""
    for row in queries.papers_just_expired(session):
        _tell("open_orders.papers_expired")(session, {"certificate_id": row.id, "at": row.papers_valid_until.isoformat()})


HANDLERS: dict[str, Handler] = {
    "certificate.held": _tell("open_orders.held"),
    "certificate.papers_renewed": _tell("open_orders.papers_renewed"),
    "certificate.reinstated": _tell("open_orders.reinstated"),
    "certificate.released": _tell("open_orders.released"),
    "certificate.revoked": _tell("open_orders.revoked"),
    "certificate.suspended": _tell("open_orders.suspended"),
    "purchase_order.placed": _watch_capacity,
    "supplier_order.to_deliver": _to_deliver,
}
