"""Devices of outlets: their keys, their sign of life, and telling of those that are silent."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import Row, text
from sqlmodel import Session

from orders.outlets import queries
from orders.outlets.errors import DeviceNeeded, OutletClosed
from orders.outlets.models import OutletDevice
from orders.outlets.schemas import DeviceIn, HeartbeatIn, HeartbeatOut
from orders.outlets.states import OutletStatus
from shop.core import audit, clock, outbox
from shop.core.errors import NotFound
from shop.identity import tokens
from shop.identity.actor import Actor, Device
from shop.identity.permissions import Permission
from shop.programmes import queries as programmes

_REVOKE = text(
    "UPDATE outlet_device SET revoked_at = :now WHERE id = :id AND outlet_id = :outlet AND revoked_at IS NULL RETURNING id"
)
#: Heard of at this moment; what was told in the same minute is not written again, so that a talkative device costs nothing.
SEEN = text(
    """
    UPDATE outlet_pulse SET seen_at = :now, silent_since = NULL, software = coalesce(CAST(:software AS text), software)
    WHERE outlet_id = :outlet AND (seen_at < CAST(:now AS timestamptz) - interval '1 minute' OR silent_since IS NOT NULL
                                   OR software IS DISTINCT FROM coalesce(CAST(:software AS text), software))
    """
)
_STOCK = text(
    """
    INSERT INTO outlet_stock (outlet_id, goods_id, quantity, told_at)
    SELECT :outlet, goods_id, max(quantity), :now FROM unnest(CAST(:goods AS text[]), CAST(:quantities AS numeric[])) AS told (goods_id, quantity)
    GROUP BY goods_id
    ON CONFLICT (outlet_id, goods_id) DO UPDATE SET quantity = excluded.quantity, told_at = excluded.told_at
    """
)
_UNKNOWN = text(
    """
    SELECT DISTINCT told.goods_id FROM unnest(CAST(:goods AS text[])) AS told (goods_id)
    WHERE NOT EXISTS (SELECT FROM outlet_goods g WHERE g.outlet_id = :outlet AND g.goods_id = told.goods_id AND g.deleted_at IS NULL)
    ORDER BY told.goods_id LIMIT :most
    """
)
#: As many goods of which a device tells the stock, and which the outlet's list does not hold, as the answer names.
MOST_UNKNOWN = 200
_STATE = text(
    """
    SELECT o.number, o.status, d.last_sequence, d.last_hash,
           (SELECT count(*) FROM sales_batch b WHERE b.device_id = d.id AND b.status = 'waiting') AS waiting
    FROM outlet_device d JOIN outlet o ON o.id = d.outlet_id WHERE d.id = :id
    """
)
#: Outlets that were heard of before and are silent now, once for each silence; by operator and region, whoever is to be told.
_SILENT = text(
    """
    WITH silent AS (
        SELECT p.outlet_id FROM outlet_pulse p JOIN outlet o ON o.id = p.outlet_id
        WHERE p.silent_since IS NULL AND p.seen_at < :limit AND o.status = 'verified'
          AND EXISTS (SELECT FROM outlet_device d WHERE d.outlet_id = o.id AND d.revoked_at IS NULL)
        ORDER BY p.outlet_id FOR UPDATE OF p SKIP LOCKED
    ), told AS (
        UPDATE outlet_pulse p SET silent_since = p.seen_at FROM silent s WHERE s.outlet_id = p.outlet_id RETURNING p.outlet_id
    )
    SELECT min(o.id) AS first, o.operator_id, o.region_code, count(*) AS outlets FROM told JOIN outlet o ON o.id = told.outlet_id
    GROUP BY o.operator_id, o.region_code ORDER BY 1
    """
)


@dataclass(frozen=True, slots=True)
class Made:
    row: OutletDevice
    key: str


def make(session: Session, actor: Actor, outlet_id: int, body: DeviceIn) -> Made:
    """Give an outlet another device. Its key is returned, and kept as a hash only.

    Raises:
        NotFound (404), OutletClosed, DeviceNumberTaken: see there (409).
    """
    outlet = queries.row_within(session, actor, outlet_id, Permission.OUTLETS_MANAGE)
    if outlet.status == OutletStatus.CLOSED:
        raise OutletClosed
    secret, _ = tokens.fresh()
    key = tokens.DEVICE + secret
    device = OutletDevice(
        outlet_id=outlet_id,
        number=body.number,
        hash=tokens.hashed(key),
        prefix=key[:12],
        created_by=actor.user_id or 0,
        created_at=clock.now(),
    )
    session.add(device)
    session.flush()
    audit.record(session, actor, "outlet_device.made", "outlet", outlet_id, device_id=device.id, number=body.number)
    return Made(device, key)


def revoke(session: Session, actor: Actor, outlet_id: int, device_id: int) -> None:
    """End a key at once; batches that wait for one that will not come are held (``outlet_device.revoked``). Raises NotFound: no such device within
    reach that still holds (404)."""
    queries.row_within(session, actor, outlet_id, Permission.OUTLETS_MANAGE)
    revoked = session.execute(_REVOKE, {"id": device_id, "outlet": outlet_id, "now": clock.now()}).first()
    if revoked is None:
        raise NotFound
    audit.record(session, actor, "outlet_device.revoked", "outlet", outlet_id, device_id=device_id)
    outbox.publish(session, "outlet_device.revoked", device_id=device_id)


def device_of(actor: Actor) -> Device:
    """The device that asks. Raises DeviceNeeded: somebody else does (403)."""
    if actor.device is None:
        raise DeviceNeeded
    return actor.device


def heartbeat(session: Session, actor: Actor, body: HeartbeatIn) -> HeartbeatOut:
    """The device lives; it hears where its chain stands, what time it is, and which goods that it holds are on no list. Raises DeviceNeeded (403)."""
    device, now = device_of(actor), clock.now()
    unknown: list[str] = []
    session.execute(SEEN, {"outlet": device.outlet_id, "now": now, "software": body.software})
    if body.stock:
        goods, quantities = [held.goods_id for held in body.stock], [held.quantity for held in body.stock]
        session.execute(_STOCK, {"outlet": device.outlet_id, "goods": goods, "quantities": quantities, "now": now})
        asked = {"outlet": device.outlet_id, "goods": goods, "most": MOST_UNKNOWN}
        unknown = list(session.execute(_UNKNOWN, asked).scalars())
    state: Row[Any] = session.execute(_STATE, {"id": device.id}).one()
    return HeartbeatOut(outlet_id=device.outlet_id, at=now, unknown_goods=unknown, **state._mapping)


def tell_silent(session: Session) -> int:
    """Mark verified outlets from which nothing was heard for the programme's hours, and have operator and county told, once for each silence.
    Returns how many."""
    hours = programmes.config_of(session, clock.today()).counting.silent_hours
    now = clock.now()
    found = session.execute(_SILENT, {"limit": now - timedelta(hours=hours)}).all()
    for row in found:
        outbox.publish(
            session,
            "outlets.silent",
            outlet_id=row.first,
            operator_id=row.operator_id,
            region_code=row.region_code,
            count=row.outlets,
            at=now.isoformat(),
        )
    return sum(row.outlets for row in found)
