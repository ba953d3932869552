"""An operator's file of sales: one batch for each of its outlets, and one for each doubt about days; all of it or nothing. And taking a file back."""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, text
from sqlmodel import Session

from orders.outlet_sales import sheets
from orders.outlet_sales.actions import receiving, refunding, taking
from orders.outlet_sales.errors import FileSeen, LeftOut, NotFromFile, RefundsNoSale, ReplacedBefore, TakeBackHeld, TakenBackBefore
from orders.outlet_sales.rules import BatchStatus, Doubt, LineStatus, Told, doubt, refunds_of_none
from orders.outlet_sales.schemas import SalesImportedOut, SalesLineRow, UndecidedOut
from orders.outlet_sales.sheets import SALES_COLUMNS
from orders.outlets import queries
from orders.outlets.errors import RowsRefused
from orders.outlets.sheets import MOST_FAULTS, NO_OUTLET, SEVERAL_OUTLETS, Read
from shop.core import audit, clock, uploads
from shop.core.db import array
from shop.core.errors import Fault, NotFound, Problem, refuse_some
from shop.core.sheets import by_row, plain_code
from shop.core.workbooks import kind
from shop.identity.actor import Actor
from shop.identity.permissions import Permission
from shop.programmes import queries as programmes

_SEEN = text(
    """
    SELECT l.outlet_id, l.line_id FROM sales_batch_line l
    JOIN unnest(CAST(:outlets AS bigint[]), CAST(:lines AS text[])) AS told (outlet_id, line_id) USING (outlet_id, line_id)
    WHERE l.status IN ('counted', 'other', 'resale')
    """
)
_FILE_SEEN = text(
    "SELECT id, received_at FROM sales_batch WHERE batch_id = ANY (CAST(:names AS text[])) AND outlet_id = ANY (CAST(:outlets AS bigint[])) ORDER BY id"
)
_TERMS = text(f"SELECT o.id, {taking.TERM} FROM outlet o WHERE o.id = ANY (CAST(:ids AS bigint[]))")  # noqa: S608
#: What became of the lines of batches, with as many numbers of each kind as are told.
_BECAME = text(
    """
    SELECT status, reason_code, count(*) AS rows, sum(CASE WHEN refunds_line_id IS NULL THEN amount_fen ELSE -amount_fen END)::bigint AS fen,
           (array_agg(line_id ORDER BY id))[1\\:20] AS line_ids
    FROM sales_batch_line WHERE batch_id = ANY (CAST(:ids AS bigint[])) GROUP BY status, reason_code ORDER BY status, reason_code
    """
)
#: Goods of sales that no list of their outlets names, by their number or their barcode.
_UNKNOWN = text(
    """
    SELECT DISTINCT l.goods_id FROM sales_batch_line l
    WHERE l.batch_id = ANY (CAST(:ids AS bigint[])) AND l.refunds_line_id IS NULL AND NOT EXISTS (
        SELECT FROM outlet_goods g WHERE g.outlet_id = l.outlet_id AND (g.goods_id = l.goods_id OR g.barcode = l.goods_id AND g.deleted_at IS NULL))
    ORDER BY l.goods_id LIMIT :most
    """
)
_TO_TAKE_BACK = text(
    f"""
    SELECT b.id, b.outlet_id, b.way, b.status, b.corrects, ({taking.COUNTS}) AS counts_fen,
           EXISTS (SELECT FROM sales_batch w WHERE w.outlet_id = b.outlet_id AND w.corrects = b.batch_id AND w.way = 'file' AND w.status = 'held') AS is_asked
    FROM sales_batch b JOIN outlet o ON o.id = b.outlet_id JOIN organisation op ON op.id = o.operator_id
    WHERE b.id = ANY (CAST(:ids AS bigint[])) AND {queries.IN_REACH}
    """  # noqa: S608
)
# its name goes with it, so that the same file may be sent again
_TAKEN_BACK = text(
    """
    UPDATE sales_batch b SET status = 'withdrawn', batch_id = b.batch_id || '-taken-back-' || b.id,
        taken_out_fen = nullif(t.fen, 0), taken_out_on = CASE WHEN t.fen > 0 THEN :today END
    FROM unnest(CAST(:ids AS bigint[]), CAST(:fens AS bigint[])) AS t (id, fen) WHERE b.id = t.id
    """
)
#: A withdrawal as a device would send it; its name tells one from those that were left out before.
_ASK = text(
    """
    INSERT INTO sales_batch (outlet_id, batch_id, way, hash, in_chain, corrects, status, line_count, certified_fen, other_fen, received_at, received_from)
    SELECT b.outlet_id, concat_ws('-', 'take-back', b.id, (SELECT count(*) FROM sales_batch w WHERE w.outlet_id = b.outlet_id AND w.corrects = b.batch_id) + 1),
           'file', b.hash, false, b.batch_id, 'waiting', 0, 0, 0, :now, :user
    FROM sales_batch b WHERE b.id = ANY (CAST(:ids AS bigint[])) ORDER BY b.id RETURNING id
    """
)
#: As many goods without a place on a list as an answer names.
MOST_UNKNOWN = 200


_SHOWN = {"certified": LineStatus.COUNTED, "resale": LineStatus.RESALE, "other": LineStatus.OTHER}


@dataclass(frozen=True, slots=True)
class _Batch:
    batch_id: str
    hash: str
    lines: list[SalesLineRow]


def import_file(
    session: Session, actor: Actor, name: str | None, content: bytes, sheet: str | None, *, dry_run: bool
) -> SalesImportedOut:
    """Take the sales of a file. Sales that are doubted for their day (told too late, outlet closed) are batches of their own, which are held: the
    others count. On a dry run everything is tried and nothing kept, so that the answer tells the same.

    Raises:
        UnreadableSpreadsheet, TooManyRows, RowsRefused: see there (422); every fault by row and column.
        FileSeen: the same file was imported before (409).
    """
    rows, faults, ignored = sheets.read_sales(content, sheet)
    called = queries.called(session, actor, Permission.OUTLETS_MANAGE, sorted({row.body.outlet for row in rows if row.body.outlet}))
    outlets = {name: found[0].id for name, found in called.items() if len(found) == 1}
    taking.lock(session, outlets.values())
    # the sheets of one file are as many files
    digest = hashlib.sha256(content + plain_code(sheet or "").encode()).hexdigest()
    batch_id = f"file-{digest[:32]}"
    names = [batch_id, *(f"{batch_id}-{reason}" for reason in Doubt)]
    if before := session.execute(_FILE_SEEN, {"names": names, "outlets": sorted(set(outlets.values()))}).all():
        raise FileSeen(imported_at=clock.shanghai_text(before[0].received_at), batch_ids=[row.id for row in before])
    if faults := by_row([*faults, *_faults(session, rows, outlets, called.keys() - outlets.keys())]):
        raise RowsRefused(count=len(faults), faults=faults[:MOST_FAULTS])
    # what is doubted and what is kept go by one moment: a line on the edge would hold all others of its batch
    now = clock.now()
    batches = [
        (outlet_id, _Batch(f"{batch_id}-{reason}" if reason else batch_id, digest, each), False)
        for (outlet_id, reason), each in _parted(session, now, [(outlets[row.body.outlet], row.body) for row in rows]).items()
    ]
    file = None if dry_run else uploads.keep(session, actor.user_id, name, content, kind(content))
    with session.begin_nested() as trial:
        made = list(receiving.keep(session, batches, now, user_id=actor.user_id, file_id=file.id if file else None).values())
        taking.take(session, made)
        became = session.execute(_BECAME, {"ids": array(made)}).all()
        unknown = session.execute(_UNKNOWN, {"ids": array(made), "most": MOST_UNKNOWN}).scalars().all()
        if dry_run:
            trial.rollback()
    if file is not None:
        audit.record(
            session, actor, "outlet_sales.imported", "organisation", actor.organisation_id or 0, rows=len(rows), file_id=file.id
        )
    return SalesImportedOut(
        rows=len(rows),
        outlets=len({outlet_id for outlet_id, _, _ in batches}),
        amount=sum(-row.body.amount if row.body.refunds_line_id else row.body.amount for row in rows),
        **_sums(became),
        unknown_goods=list(unknown),
        batch_ids=[] if dry_run else made,
        dry_run=dry_run,
        ignored_columns=ignored,
    )


def take_back(session: Session, actor: Actor, batch_ids: Sequence[int], reason: str) -> int:
    """Take batches of files back, all or none: what counted of them is taken out of the figures on the days of its sales, what was held is not decided any more,
    and their numbers may be told anew by another file. Where of all of them, and of what was taken out at these outlets today, more counts than the
    programme's ``withdrawal_yuan``, those that count are held until a second person has decided; returns how many these are.

    Raises:
        NotFound: it is not within reach (404). NotFromFile: it is a device's, which corrects it by a batch (409).
        TakenBackBefore, ReplacedBefore, LeftOut: it stands no more (409). TakeBackHeld: it was asked for before (409).
        SomeRefused: of several, the same of each (422).
    """
    asked = {"ids": array(batch_ids), **queries.reach(actor, Permission.OUTLETS_MANAGE)}
    named = session.execute(_TO_TAKE_BACK, asked).all()
    outlet_ids = sorted({row.outlet_id for row in named})
    taking.lock(session, outlet_ids)
    found = {row.id: row for row in session.execute(_TO_TAKE_BACK, asked)}
    refused = {place: why for place, each in enumerate(batch_ids) if (why := _stays(found.get(each)))}
    refuse_some("ids", len(batch_ids), refused)
    counting = [each for each in batch_ids if found[each].counts_fen]
    most = programmes.config_of(session, clock.today()).counting.withdrawal_yuan
    out = sum(found[each].counts_fen for each in counting) + taking.taken_out_today(session, outlet_ids).total()
    held = counting if out > most * 100 else []
    at_once = [each for each in batch_ids if each not in held]
    refunding.undo(session, at_once)
    fens = [found[each].counts_fen for each in at_once]
    session.execute(_TAKEN_BACK, {"ids": array(at_once), "fens": array(fens), "today": clock.today()})
    # refunds of other batches that did not fit before may do so now
    taking.settle(session, [], outlet_ids)
    if held:
        asked_for = {"ids": array(held), "now": clock.now(), "user": actor.user_id}
        taking.take(session, session.execute(_ASK, asked_for).scalars().all(), why=reason)
    for batch_id in batch_ids:
        done = "take_back_asked" if batch_id in held else "taken_back"
        audit.record(session, actor, f"sales_batch.{done}", "sales_batch", batch_id, reason=reason)
    return len(held)


def _stays(batch: Row[Any] | None) -> Problem | None:
    """Why a batch is not taken back."""
    if batch is None:
        return NotFound()
    if batch.way != "file":
        return NotFromFile()
    if batch.is_asked:
        return TakeBackHeld()
    # what asked for another to be taken back is given up as long as nobody has decided about it
    if batch.status == BatchStatus.HELD or (batch.status == BatchStatus.ACCEPTED and batch.corrects is None):
        return None
    gone: dict[str, type[Problem]] = {
        BatchStatus.ACCEPTED: TakenBackBefore,
        BatchStatus.WITHDRAWN: TakenBackBefore,
        BatchStatus.VOID: LeftOut,
    }
    return gone.get(batch.status, ReplacedBefore)()


def _parted(
    session: Session, now: datetime, rows: Sequence[tuple[int, SalesLineRow]]
) -> dict[tuple[int, Doubt | None], list[SalesLineRow]]:
    """The lines of each outlet, those apart that are doubted for their day."""
    limits = programmes.config_of(session, clock.today()).counting
    terms = {row.id: taking.term_of(row) for row in session.execute(_TERMS, {"ids": array({outlet_id for outlet_id, _ in rows})})}
    found: dict[tuple[int, Doubt | None], list[SalesLineRow]] = defaultdict(list)
    for outlet_id, line in rows:
        told = Told(None, now, line.sold_at, line.sold_at)
        reason = doubt(told, terms[outlet_id], clock_minutes=limits.clock_minutes, late_days=limits.late_days)
        found[outlet_id, reason].append(line)
    return dict(sorted(found.items(), key=lambda each: (each[0][0], each[0][1] or "")))


def _sums(became: Sequence[Row[Any]]) -> dict[str, Any]:
    open_ones = [row for row in became if row.status in (LineStatus.HELD, LineStatus.WAITING)]
    fens = {name: sum(row.fen for row in became if row.status == status) for name, status in _SHOWN.items()}
    told = [UndecidedOut(reason_code=row.reason_code, rows=row.rows, amount=row.fen, line_ids=row.line_ids) for row in open_ones]
    return {**fens, "undecided": sum(row.fen for row in open_ones), "held": told}


def _faults(session: Session, rows: Sequence[Read[SalesLineRow]], outlets: Mapping[str, int], several: Set[str]) -> list[Fault]:
    keys = [(outlets.get(row.body.outlet, 0), row.body.line_id) for row in rows]
    back = [(outlets.get(row.body.outlet, 0), row.body.refunds_line_id) for row in rows if row.body.refunds_line_id]
    asked = [*keys, *back]
    values = {"outlets": [key[0] for key in asked], "lines": [key[1] for key in asked]}
    seen, counts = {tuple(row) for row in session.execute(_SEEN, values)}, Counter(keys)
    lost = set(
        refunds_of_none(
            [
                (key, (key[0], row.body.refunds_line_id) if row.body.refunds_line_id else None)
                for row, key in zip(rows, keys, strict=True)
            ]
        )
    )
    found = []
    for place, (row, key) in enumerate(zip(rows, keys, strict=True)):
        told: list[tuple[str, str, str, str]] = []
        sale = (key[0], row.body.refunds_line_id)
        if key[0] == 0:
            told.append(("outlet", *(SEVERAL_OUTLETS if row.body.outlet in several else NO_OUTLET)))
        elif counts[key] > 1:
            told.append(("line_id", "line_twice", "流水号在表中重复", "the number stands there twice"))
        elif key in seen:
            told.append(("line_id", "line_seen", "该流水号已报送过", "this sale was told before"))
        if key[0] and row.body.refunds_line_id and sale not in seen and sale not in counts:
            told.append(("refunds_line_id", "unknown_sale", "没有此原流水号", "there is no such sale"))
        elif key[0] and place in lost:
            told.append(("refunds_line_id", RefundsNoSale.code, RefundsNoSale.zh, RefundsNoSale.en))
        found += row.faults(SALES_COLUMNS, told)
    return found
