"""Devices of outlets: their keys, their sign of life, and telling of those that are silent."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import Row, text
from sqlmodel import Session

from orders.outlets import queries
from orders.outlets.errors import DeviceNeeded, DeviceNumberTaken, KeyRevoked, NotYourOutlet, OutletClosed, OutletRefused
from orders.outlets.models import OutletDevice
from orders.outlets.schemas.devices import DeviceIn, DeviceOfIn, HeartbeatIn, HeartbeatOut
from orders.outlets.states import OutletStatus
from shop.core import audit, clock, outbox
from shop.core.db import array
from shop.core.errors import Language, NotFound, Problem
from shop.identity import tokens
from shop.identity.actor import Actor, Device
from shop.identity.permissions import Permission
from shop.programmes import queries as programmes

_MAKE = text(
    """
    INSERT INTO outlet_device (outlet_id, number, hash, prefix, created_by, created_at)
    SELECT outlet_id, number, hash, prefix, :user, :now
    FROM unnest(CAST(:outlets AS bigint[]), CAST(:numbers AS text[]), CAST(:hashes AS bytea[]), CAST(:prefixes AS text[]))
        AS made (outlet_id, number, hash, prefix)
    ORDER BY outlet_id, number
    ON CONFLICT (outlet_id, number) WHERE revoked_at IS NULL DO NOTHING RETURNING id, outlet_id, number
    """
)
#: In one order, so that two who end overlapping lists of keys never wait for each other in a circle.
_REVOKE_MANY = text(
    f"""
    WITH found AS (
        SELECT d.id, d.outlet_id, o.operator_id, op.path AS operator_path
        FROM outlet_device d JOIN outlet o ON o.id = d.outlet_id JOIN organisation op ON op.id = o.operator_id
        WHERE d.id = ANY (CAST(:ids AS bigint[])) AND {queries.IN_REACH} ORDER BY d.id FOR UPDATE OF d
    ), ended AS (
        UPDATE outlet_device d SET revoked_at = :now FROM found WHERE found.id = d.id AND d.revoked_at IS NULL RETURNING d.id
    )
    SELECT found.*, ended.id IS NOT NULL AS ended FROM found LEFT JOIN ended ON ended.id = found.id ORDER BY found.id
    """  # noqa: S608
)
_IS_OF = text("SELECT EXISTS (SELECT FROM outlet_device WHERE id = :id AND outlet_id = :outlet)")
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
    """Give an own outlet another device. Its key is returned, and kept as a hash only. An outlet that is not verified yet gets its devices too: their
    sales count from its verification on.

    Raises:
        NotFound (404), NotYourOutlet (403), OutletClosed, OutletRefused, DeviceNumberTaken: see there (409).
    """
    if refused := _against(actor, queries.row_within(session, actor, outlet_id, Permission.OUTLETS_MANAGE)):
        raise refused
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


_NO_KEYS: dict[str, type[Problem]] = {OutletStatus.CLOSED: OutletClosed, OutletStatus.REFUSED: OutletRefused}


def _against(actor: Actor, outlet: Row[Any]) -> Problem | None:
    """What stands against giving an outlet within reach another key."""
    if not actor.within_branch(outlet.operator_path):
        return NotYourOutlet()
    return _NO_KEYS[outlet.status]() if outlet.status in _NO_KEYS else None


@dataclass(frozen=True, slots=True)
class Asked:
    """A device that was asked for, and what became of it: with its key, or with why not."""

    outlet_id: int
    number: str
    outlet: Row[Any] | None
    device_id: int | None = None
    key: str | None = None
    problem: Problem | None = None


def make_many(session: Session, actor: Actor, asked: Sequence[DeviceOfIn], language: Language) -> list[Asked]:
    """Give many own outlets a device each, or several, in the order given; each by itself: what cannot be made is told with its problem and hinders no
    other. The keys are returned, and kept as hashes only."""
    ids = sorted({each.outlet_id for each in asked})
    outlets = {row.id: row for row in queries.rows_within(session, actor, ids, Permission.OUTLETS_MANAGE, language)}
    against = {outlet_id: _against(actor, outlets[outlet_id]) if outlet_id in outlets else NotFound() for outlet_id in ids}
    keys = {(each.outlet_id, each.number): tokens.DEVICE + tokens.fresh()[0] for each in asked if against[each.outlet_id] is None}
    values = {
        "outlets": [outlet_id for outlet_id, _ in keys],
        "numbers": [number for _, number in keys],
        "hashes": [tokens.hashed(key) for key in keys.values()],
        "prefixes": [key[:12] for key in keys.values()],
        "user": actor.user_id or 0,
        "now": clock.now(),
    }
    made = {(row.outlet_id, row.number): row.id for row in session.execute(_MAKE, values)}
    details = [(outlet_id, {"device_id": device_id, "number": number}) for (outlet_id, number), device_id in made.items()]
    audit.record_each(session, actor, "outlet_device.made", "outlet", details)
    results = []
    for each in asked:
        outlet, place = outlets.get(each.outlet_id), (each.outlet_id, each.number)
        # a number that is asked for twice is made once: the second finds it taken
        if (device_id := made.pop(place, None)) is not None:
            results.append(Asked(*place, outlet, device_id, keys[place]))
            continue
        results.append(Asked(*place, outlet, problem=against[each.outlet_id] or DeviceNumberTaken()))
    return results


def revoke_many(session: Session, actor: Actor, device_ids: Sequence[int]) -> dict[int, Problem | None]:
    """End many keys at once, each by itself as :func:`revoke` does: what became of each. An operator is told once of those that somebody else ended."""
    values = {"ids": array(device_ids), "now": clock.now(), **queries.reach(actor, Permission.OUTLETS_MANAGE)}
    found = {row.id: row for row in session.execute(_REVOKE_MANY, values)}
    ended = [row for row in found.values() if row.ended]
    audit.record_each(session, actor, "outlet_device.revoked", "outlet", [(row.outlet_id, {"device_id": row.id}) for row in ended])
    theirs: dict[int, list[Row[Any]]] = {}
    for row in ended:
        outbox.publish(session, "outlet_device.revoked", device_id=row.id)
        if not actor.within_branch(row.operator_path):
            theirs.setdefault(row.operator_id, []).append(row)
    for operator_id, rows in theirs.items():
        first = rows[0]
        told = {"device_id": first.id, "outlet_id": first.outlet_id, "operator_id": operator_id, "count": len(rows)}
        outbox.publish(session, "outlet_keys.revoked", **told)
    outcomes: dict[int, Problem | None] = dict.fromkeys(device_ids)
    for device_id in device_ids:
        if device_id not in found:
            outcomes[device_id] = NotFound()
        elif not found[device_id].ended:
            outcomes[device_id] = KeyRevoked()
    return outcomes


def revoke(session: Session, actor: Actor, outlet_id: int, device_id: int) -> None:
    """End a key at once; batches that wait for one that will not come are held (``outlet_device.revoked``).

    Raises:
        NotFound: no such device of an outlet within reach (404). KeyRevoked: it was ended before (409).
    """
    queries.row_within(session, actor, outlet_id, Permission.OUTLETS_MANAGE)
    if not session.execute(_IS_OF, {"id": device_id, "outlet": outlet_id}).scalar_one():
        raise NotFound
    if problem := revoke_many(session, actor, [device_id])[device_id]:
        raise problem


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
