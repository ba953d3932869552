"""Batches that devices send: each kept once, and taken as soon as the chain before it is there."""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, text
from sqlmodel import Session

from orders.outlet_sales.actions import taking
from orders.outlet_sales.errors import (
    BatchReused,
    CorrectsItself,
    HashMismatch,
    LineTwice,
    RefundsNoSale,
    SequenceFarAhead,
    TooManyLines,
)
from orders.outlet_sales.rules import Link, refunds_of_none, walk
from orders.outlet_sales.schemas import MOST_AT_ONCE, LineIn, SalesBatchIn, TakenOut, UnreadableBatch
from orders.outlets.actions.devices import device_of
from shop.core import clock, outbox
from shop.core.db import array
from shop.core.errors import Invalid, Problem
from shop.identity.actor import Actor

#: Batches, and lines of them, that one transaction takes of a chain; what waits beyond is taken by the next.
MOST_BATCHES_TAKEN = 1_000
MOST_LINES_TAKEN = 50_000
#: So many places after the end of its chain a batch may lie: months of a till that was offline. One further ahead would wait for ever, as what is missing
#: before it never comes, and keep its month open.
FURTHEST = 10_000

# What is known of what was sent: by its id, or by its place in the chain.
_KNOWN = text(
    """
    SELECT id, batch_id, device_id, sequence, hash, in_chain FROM sales_batch WHERE outlet_id = :outlet AND batch_id = ANY (CAST(:ids AS text[]))
    UNION ALL
    SELECT id, NULL, device_id, sequence, hash, in_chain FROM sales_batch
    WHERE device_id = :device AND in_chain AND sequence = ANY (CAST(:sequences AS bigint[]))
    """
)
_KEEP = text(
    """
    INSERT INTO sales_batch (outlet_id, batch_id, way, device_id, sequence, previous_hash, hash, in_chain, corrects, status, line_count, certified_fen,
                             other_fen, first_sold_at, last_sold_at, sent_at, received_at, received_from, file_id)
    SELECT outlet_id, batch_id, :way, :device, sequence, previous_hash, hash, in_chain, corrects, 'waiting', line_count, 0, fen, first_sold_at,
           last_sold_at, sent_at, :now, :user, :file
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS given (place int, outlet_id bigint, batch_id text, sequence bigint, previous_hash text, hash text,
         in_chain boolean, corrects text, line_count int, fen bigint, first_sold_at timestamptz, last_sold_at timestamptz, sent_at timestamptz)
    ORDER BY place RETURNING id, outlet_id, batch_id
    """
)
# A till's clock may be somewhat ahead, but no sale is dated after the day on which it was told: figures up to today hold all there are.
# Goods are looked up as the outlet's list has them now, also those that it has taken off meanwhile; what is no number of theirs may be the barcode of
# one of them.
_KEEP_LINES = text(
    """
    INSERT INTO sales_batch_line (batch_id, outlet_id, line_no, line_id, refunds_line_id, receipt_number, sold_at, sold_on, goods_id, goods_name,
                                  barcode, certified, supplier_uscc, product_id, sku_id, quantity, grams, amount_fen, status)
    SELECT l.batch_id, l.outlet_id, l.line_no, l.line_id, l.refunds, l.receipt, l.sold_at,
           (least(l.sold_at, CAST(:now AS timestamptz)) AT TIME ZONE 'Asia/Shanghai')::date,
           l.goods_id, coalesce(g.name, l.goods_name, l.goods_id), g.barcode, coalesce(g.certified, false), g.supplier_uscc, g.product_id, g.sku_id,
           l.quantity, coalesce(round(l.quantity * s.net_grams), 0), l.fen, 'waiting'
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS l (batch_id bigint, outlet_id bigint, line_no int, line_id text, refunds text, receipt text,
         sold_at timestamptz, goods_id text, goods_name text, quantity numeric, fen bigint)
    LEFT JOIN outlet_goods own ON own.outlet_id = l.outlet_id AND own.goods_id = l.goods_id
    LEFT JOIN LATERAL (
        SELECT min(c.id) AS id FROM outlet_goods c
        WHERE own.id IS NULL AND c.outlet_id = l.outlet_id AND c.barcode = l.goods_id AND c.deleted_at IS NULL HAVING count(*) = 1
    ) scanned ON true
    LEFT JOIN outlet_goods g ON g.id = coalesce(own.id, scanned.id)
    LEFT JOIN sku s ON s.id = g.sku_id
    ORDER BY l.batch_id, l.line_no
    """
)
#: More lines at once than these a planner has to know of. While it takes the table for all but empty it thinks any index as good as another, and of a file
#: that was tried and not kept (a dry run) statistics tell nothing.
MANY_LINES = 1_000
_TELL_PLANNER = text(
    "SELECT analyze_sales_batch_line() FROM pg_class WHERE oid = CAST('sales_batch_line' AS regclass) AND reltuples < :lines"
)
_DEVICE = text("SELECT last_sequence, last_hash, revoked_at IS NOT NULL AS revoked FROM outlet_device WHERE id = :id")
_WAITING = text(
    """
    SELECT id, sequence, previous_hash, hash, line_count FROM sales_batch
    WHERE device_id = :device AND status = 'waiting' AND in_chain ORDER BY sequence LIMIT :most
    """
)
_ADVANCE = text("UPDATE outlet_device SET last_sequence = :sequence, last_hash = :hash WHERE id = :id")
_BESIDE = text("UPDATE sales_batch SET in_chain = false WHERE id = ANY (CAST(:ids AS bigint[]))")
_OUTLET_OF = text("SELECT outlet_id FROM outlet_device WHERE id = :id")


def receive(session: Session, actor: Actor, batches: Sequence[SalesBatchIn | UnreadableBatch]) -> list[TakenOut]:
    """Keep batches of the device that asks, and take what its chain allows; in the order in which they were sent. Each is judged by itself: one that
    is refused keeps none of the others back.

    Raises:
        DeviceNeeded: no device asks (403). TooManyLines: see there; nothing was kept (422).
    """
    became = iter(_receive(session, actor, [batch for batch in batches if isinstance(batch, SalesBatchIn)]))
    return [
        _refused(batch, Invalid.code, batch.field) if isinstance(batch, UnreadableBatch) else _told(batch, next(became))
        for batch in batches
    ]


def _told(batch: SalesBatchIn, became: TakenOut | Problem) -> TakenOut:
    if isinstance(became, TakenOut):
        return became
    return _refused(batch, became.code, became.faults[0].field if became.faults else None)


def _refused(batch: SalesBatchIn | UnreadableBatch, code: str, field: str | None) -> TakenOut:
    return TakenOut(batch_id=batch.batch_id, status="refused", reason_code=code, field=field)


def receive_one(session: Session, actor: Actor, batch: SalesBatchIn) -> int:
    """The same for one batch; returns its id.

    Raises:
        HashMismatch, LineTwice, RefundsNoSale, CorrectsItself, SequenceFarAhead: see there (422). BatchReused: its id was used for other content (409).
    """
    [became] = _receive(session, actor, [batch])
    if isinstance(became, Problem):
        raise became
    assert became.id is not None
    return became.id


def _receive(session: Session, actor: Actor, batches: Sequence[SalesBatchIn]) -> list[TakenOut | Problem]:
    """What became of each batch, or why it is refused."""
    device = device_of(actor)
    if sum(len(batch.lines) for batch in batches) > MOST_AT_ONCE:
        raise TooManyLines(limit=MOST_AT_ONCE)
    taking.lock(session, [device.outlet_id])
    end = session.execute(_DEVICE, {"id": device.id}).one()
    known = session.execute(
        _KNOWN,
        {
            "outlet": device.outlet_id,
            "device": device.id,
            "ids": [batch.batch_id for batch in batches],
            "sequences": [batch.sequence for batch in batches],
        },
    ).all()
    before: dict[str, Row[Any]] = {row.batch_id: row for row in known if row.batch_id is not None}
    places = {row.sequence for row in known if row.in_chain and row.device_id == device.id}
    fresh: dict[str, tuple[SalesBatchIn, bool]] = {}
    refused: dict[int, Problem] = {}
    for place, batch in enumerate(batches):
        same = fresh[batch.batch_id][0].hash if batch.batch_id in fresh else getattr(before.get(batch.batch_id), "hash", None)
        if (wrong := _wrong(batch, same, end.last_sequence)) is not None:
            refused[place] = wrong
        elif same is None:
            fresh[batch.batch_id] = (batch, batch.sequence not in places)
            places.add(batch.sequence)
    ids: dict[str, int] = {name: row.id for name, row in before.items()}
    if fresh:
        made = keep(session, [(device.outlet_id, *each) for each in fresh.values()], clock.now(), device_id=device.id)
        ids |= {batch_id: made_id for (_, batch_id), made_id in made.items()}
        beside = [ids[name] for name, (_, in_chain) in fresh.items() if not in_chain]
        if beside:
            taking.take(session, beside, broken=set(beside))
        _go_on(session, device.id, end)
    found = taking.statuses(session, list(ids.values()))
    return [
        refused[place]
        if place in refused
        else TakenOut(batch_id=batch.batch_id, id=ids[batch.batch_id], **found[ids[batch.batch_id]])
        for place, batch in enumerate(batches)
    ]


def _wrong(batch: SalesBatchIn, known_hash: str | None, last_sequence: int) -> Problem | None:
    """Why a batch is refused; ``known_hash``: of what its id was used for before."""
    if not batch.is_whole:
        return HashMismatch.at("hash")
    first: dict[str, int] = {}
    if twice := [n for n, line in enumerate(batch.lines) if first.setdefault(line.line_id, n) != n]:
        return LineTwice(faults=[LineTwice().fault(f"lines[{n}].line_id") for n in twice])
    if lost := refunds_of_none([(line.line_id, line.refunds_line_id) for line in batch.lines]):
        return RefundsNoSale(faults=[RefundsNoSale().fault(f"lines[{n}].refunds_line_id") for n in lost])
    if known_hash is not None:
        return None if known_hash == batch.hash else BatchReused(batch_id=batch.batch_id)
    if batch.corrects == batch.batch_id:
        return CorrectsItself.at("corrects")
    if batch.sequence > last_sequence + FURTHEST:
        return SequenceFarAhead.at("sequence", last=last_sequence, most=FURTHEST)
    return None


def continue_chain(session: Session, device_id: int) -> None:
    """Take more of what waits, or hold it, in a transaction of its own."""
    taking.lock(session, [session.execute(_OUTLET_OF, {"id": device_id}).scalar_one()])
    _go_on(session, device_id, session.execute(_DEVICE, {"id": device_id}).one())


def _go_on(session: Session, device_id: int, end: Row[Any]) -> None:
    """Take what waits from the end of a device's chain on, as far as there is no gap. What is missing of a revoked device will not come any more: what
    waits for it is held, beside the chain. The caller holds the outlet locked."""
    waiting = session.execute(_WAITING, {"device": device_id, "most": MOST_BATCHES_TAKEN + 1}).all()
    links: list[Link] = []
    lines = 0
    for row in waiting:
        lines += row.line_count
        if links and (lines > MOST_LINES_TAKEN or len(links) == MOST_BATCHES_TAKEN):
            break
        links.append(Link(row.id, row.sequence, row.previous_hash, row.hash))
    walked = walk(end.last_sequence, end.last_hash, links)
    taken = walked.taken
    if taken:
        session.execute(_ADVANCE, {"id": device_id, "sequence": walked.last_sequence, "hash": walked.last_hash})
        taking.take(session, taken, broken=walked.broken)
    elif end.revoked and links:
        taken = [link.id for link in links]
        session.execute(_BESIDE, {"ids": array(taken)})
        taking.take(session, taken, broken=taken)
    left = waiting[len(taken) :]
    if taken and left and (end.revoked or left[0].sequence == walked.last_sequence + 1):
        outbox.publish(session, "sales_chain.open", device_id=device_id)


def keep(
    session: Session,
    batches: Sequence[tuple[int, Any, bool]],
    now: datetime,
    *,
    device_id: int | None = None,
    user_id: int | None = None,
    file_id: int | None = None,
) -> dict[tuple[int, str], int]:
    """Write batches with their lines, received ``now``, all of them waiting: of each its outlet, what it says, and whether it stands in a chain. A few
    statements, however many. Returns their ids by outlet and batch id."""
    rows = [
        {
            "place": place,
            "outlet_id": outlet_id,
            "batch_id": batch.batch_id,
            "sequence": getattr(batch, "sequence", None),
            "previous_hash": getattr(batch, "previous_hash", None),
            "hash": batch.hash,
            "in_chain": in_chain,
            "corrects": getattr(batch, "corrects", None),
            "line_count": len(batch.lines),
            "fen": sum(line.amount for line in batch.lines if line.refunds_line_id is None),
            "first_sold_at": min(line.sold_at for line in batch.lines).isoformat() if batch.lines else None,
            "last_sold_at": max(line.sold_at for line in batch.lines).isoformat() if batch.lines else None,
            "sent_at": batch.sent_at.isoformat() if getattr(batch, "sent_at", None) else None,
        }
        for place, (outlet_id, batch, in_chain) in enumerate(batches)
    ]
    values = {
        "way": "file" if device_id is None else "device",
        "device": device_id,
        "user": user_id,
        "file": file_id,
        "now": now,
    }
    made = {(row.outlet_id, row.batch_id): row.id for row in session.execute(_KEEP, {**values, "rows": json.dumps(rows)})}
    lines = [
        _line(made[outlet_id, batch.batch_id], outlet_id, number, line)
        for outlet_id, batch, _ in batches
        for number, line in enumerate(batch.lines, 1)
    ]
    session.execute(_KEEP_LINES, {"rows": json.dumps(lines), "now": now})
    if len(lines) > MANY_LINES:
        session.execute(_TELL_PLANNER, {"lines": len(lines)})
    return made


def _line(batch_id: int, outlet_id: int, number: int, line: LineIn) -> dict[str, Any]:
    return {
        "batch_id": batch_id,
        "outlet_id": outlet_id,
        "line_no": number,
        "line_id": line.line_id,
        "refunds": line.refunds_line_id,
        "receipt": line.receipt_number,
        "sold_at": line.sold_at.isoformat(),
        "goods_id": line.goods_id,
        "goods_name": getattr(line, "goods_name", None),
        "quantity": str(line.quantity),
        "fen": line.amount,
    }
