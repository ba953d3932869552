"""An operator's file of sales: one batch for each of its outlets, all of it or nothing."""

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass

from sqlalchemy import text
from sqlmodel import Session

from orders.outlet_sales import sheets
from orders.outlet_sales.actions import receiving, taking
from orders.outlet_sales.errors import FileSeen
from orders.outlet_sales.schemas import SalesImportedOut, SalesLineRow
from orders.outlet_sales.sheets import SALES_COLUMNS
from orders.outlets import queries
from orders.outlets.errors import RowsRefused
from orders.outlets.sheets import MOST_FAULTS, NO_OUTLET, SEVERAL_OUTLETS, Read, fault
from shop.core import audit, uploads
from shop.core.errors import Fault
from shop.identity.actor import Actor
from shop.identity.permissions import Permission

_SEEN = text(
    """
    SELECT l.outlet_id, l.line_id FROM sales_batch_line l
    JOIN unnest(CAST(:outlets AS bigint[]), CAST(:lines AS text[])) AS told (outlet_id, line_id) USING (outlet_id, line_id)
    WHERE l.status IN ('counted', 'other', 'resale')
    """
)
_FILE_SEEN = text("SELECT 1 FROM sales_batch WHERE batch_id = :name AND outlet_id = ANY (CAST(:outlets AS bigint[])) LIMIT 1")


@dataclass(frozen=True, slots=True)
class _Batch:
    batch_id: str
    hash: str
    lines: list[SalesLineRow]


def import_file(session: Session, actor: Actor, name: str | None, content: bytes, *, dry_run: bool) -> SalesImportedOut:
    """Take the sales of a file. What an outlet's batch is doubted for (told too late, outlet closed) holds that batch, as with devices.

    Raises:
        UnreadableSpreadsheet, FormulasFound, TooManyRows, RowsRefused: see there (422); every fault by row and column.
        FileSeen: the same file was imported before (409).
    """
    rows, faults, ignored = sheets.read_sales(content)
    called = queries.called(session, actor, Permission.OUTLETS_MANAGE, sorted({row.body.outlet for row in rows}))
    outlets = {name: found[0].id for name, found in called.items() if len(found) == 1}
    taking.lock(session, outlets.values())
    digest = hashlib.sha256(content).hexdigest()
    batch_id = f"file-{digest[:32]}"
    if session.execute(_FILE_SEEN, {"name": batch_id, "outlets": sorted(set(outlets.values()))}).first():
        raise FileSeen
    faults += _faults(session, rows, outlets, called.keys() - outlets.keys())
    if faults:
        faults.sort(key=lambda each: each.data["row"])
        raise RowsRefused(count=len(faults), faults=faults[:MOST_FAULTS])
    lines: dict[int, list[SalesLineRow]] = {}
    for row in rows:
        lines.setdefault(outlets[row.body.outlet], []).append(row.body)
    made: list[int] = []
    if not dry_run:
        kind = None if content[:2] == b"PK" else uploads.CSV
        file = uploads.keep(session, actor.user_id, name, content, kind)
        batches = [(outlet_id, _Batch(batch_id, digest, each), False) for outlet_id, each in sorted(lines.items())]
        made = list(receiving.keep(session, batches, user_id=actor.user_id, file_id=file.id).values())
        taking.take(session, made)
        audit.record(
            session, actor, "outlet_sales.imported", "organisation", actor.organisation_id or 0, rows=len(rows), file_id=file.id
        )
    amount = sum(-row.body.amount if row.body.refunds_line_id else row.body.amount for row in rows)
    return SalesImportedOut(
        rows=len(rows), outlets=len(lines), amount=amount, batch_ids=made, dry_run=dry_run, ignored_columns=ignored
    )


def _faults(session: Session, rows: Sequence[Read[SalesLineRow]], outlets: Mapping[str, int], several: Set[str]) -> list[Fault]:
    keys = [(outlets.get(row.body.outlet, 0), row.body.line_id) for row in rows]
    back = [(outlets.get(row.body.outlet, 0), row.body.refunds_line_id) for row in rows if row.body.refunds_line_id]
    asked = [*keys, *back]
    values = {"outlets": [key[0] for key in asked], "lines": [key[1] for key in asked]}
    seen, counts = {tuple(row) for row in session.execute(_SEEN, values)}, Counter(keys)
    found = []
    for row, key in zip(rows, keys, strict=True):
        if key[0] == 0:
            told = SEVERAL_OUTLETS if row.body.outlet in several else NO_OUTLET
            found.append(fault(row.number, SALES_COLUMNS, "outlet", *told))
            continue
        if counts[key] > 1:
            found.append(
                fault(row.number, SALES_COLUMNS, "line_id", "line_twice", "流水号在表中重复", "the number stands there twice")
            )
        elif key in seen:
            found.append(fault(row.number, SALES_COLUMNS, "line_id", "line_seen", "该流水号已报送过", "this sale was told before"))
        sale = (key[0], row.body.refunds_line_id)
        if row.body.refunds_line_id and sale not in seen and sale not in counts:
            zh, en = "没有此原流水号", "there is no such sale"
            found.append(fault(row.number, SALES_COLUMNS, "refunds_line_id", "unknown_sale", zh, en))
    return found
