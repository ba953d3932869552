"""What the sender of a list says about single rows: which SKU is meant, or that a row is to be left out."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, text
from sqlmodel import Session

from orders.importing.actions.checking import recheck
from orders.importing.actions.uploading import keep, locked
from orders.importing.errors import NoQuantity, NoSuchRow, UnknownSku
from orders.importing.matching import measured
from orders.importing.models import OrderImport
from orders.importing.schemas import RowChoiceIn
from orders.importing.states import ORDER_IMPORT, ImportAction
from shop.core import audit
from shop.core.errors import IfMatch, any_version
from shop.identity.actor import Actor

_LINES = text(
    "SELECT row_no, sku_id, quantity, unit FROM order_import_row"
    " WHERE import_id = :import_id AND kind = 'line' AND row_no = ANY (CAST(:row_nos AS int[]))"
)
_SKUS = text("SELECT id, unit, pack, net_grams FROM sku WHERE id = ANY (CAST(:skus AS bigint[]))")
_CHOOSE = text(
    """
    UPDATE order_import_row r SET sku_id = u.sku_id, quantity = coalesce(u.quantity, r.quantity), chosen = true, skipped = false,
        unit = CASE WHEN u.quantity IS NULL THEN r.unit ELSE '' END
    FROM unnest(CAST(:row_nos AS int[]), CAST(:skus AS bigint[]), CAST(:quantities AS numeric[])) AS u (row_no, sku_id, quantity)
    WHERE r.import_id = :import_id AND r.row_no = u.row_no
    """
)
_SKIP = text("UPDATE order_import_row SET skipped = :skipped WHERE import_id = :import_id AND row_no = :row_no")


def choose(session: Session, actor: Actor, import_id: int, choices: Sequence[RowChoiceIn], if_match: IfMatch = any_version) -> None:
    """Say which SKU rows mean, and their quantity in its unit where it could not be read or counts in another unit; all of it or nothing.

    Raises:
        NotFound, NoSuchRow: no such import of the own branch, or no such line in it (404).
        IllegalMove: it is not ready, or was ordered (409). UnknownSku, NoQuantity: see there (422).
        Changed: the rows may be those of another sheet by now, or another's choice stands there (412).
    """
    held = _correctable(session, actor, import_id, if_match)
    row_nos, skus = [each.row_no for each in choices], [each.sku_id for each in choices]
    before = {row.row_no: row for row in _lines(session, held, row_nos)}
    known = {row.id: row for row in session.execute(_SKUS, {"skus": skus})}
    for each in choices:
        if each.row_no not in before:
            raise NoSuchRow(row_no=each.row_no)
        if each.sku_id not in known:
            raise UnknownSku(sku_id=each.sku_id)
        sku = known[each.sku_id]
        if each.quantity is None and measured(before[each.row_no], sku.unit, sku.pack, sku.net_grams)[0] is None:
            raise NoQuantity(row_no=each.row_no)
    session.execute(
        _CHOOSE,
        {"import_id": import_id, "row_nos": row_nos, "skus": skus, "quantities": [each.quantity for each in choices]},
    )
    # the rows that wanted the same goods as before may find enough of them now
    recheck(session, held, row_nos, [*skus, *(row.sku_id for row in before.values() if row.sku_id)])
    keep(session, held)
    audit.record(session, actor, "order_import.chosen", "order_import", import_id, rows=row_nos[:100], count=len(row_nos))


def skip(session: Session, actor: Actor, import_id: int, row_no: int, if_match: IfMatch = any_version, *, skipped: bool) -> None:
    """Leave a row out of the order, or take it in again.

    Raises:
        NotFound, NoSuchRow, IllegalMove, Changed: as :func:`choose`.
    """
    held = _correctable(session, actor, import_id, if_match)
    rows = _lines(session, held, [row_no])
    if not rows:
        raise NoSuchRow(row_no=row_no)
    session.execute(_SKIP, {"import_id": import_id, "row_no": row_no, "skipped": skipped})
    recheck(session, held, [row_no], [row.sku_id for row in rows if row.sku_id])
    keep(session, held)
    audit.record(
        session, actor, "order_import.skipped" if skipped else "order_import.taken_in", "order_import", import_id, row_no=row_no
    )


def _correctable(session: Session, actor: Actor, import_id: int, if_match: IfMatch) -> OrderImport:
    held = locked(session, actor, import_id)
    if_match(held.version)
    ORDER_IMPORT.after(held.status, ImportAction.CORRECT)
    return held


def _lines(session: Session, held: OrderImport, row_nos: Sequence[int]) -> Sequence[Row[Any]]:
    return session.execute(_LINES, {"import_id": held.id, "row_nos": list(row_nos)}).all()
