"""From a checked list to an order: once for each file, unless a second order is asked for."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, text
from sqlmodel import Session

from orders.importing.actions.uploading import keep, locked
from orders.importing.errors import AlreadyOrdered, NothingToOrder, RowsChanged, RowsRefused
from orders.importing.models import OrderImport
from orders.importing.queries import head, orders_of_content
from orders.importing.rules import ORDERABLE, RowState, column_of, words
from orders.importing.schemas import ImportOrderIn
from orders.importing.states import ORDER_IMPORT, ImportAction, ImportStatus
from orders.purchasing.errors import LinesRefused
from orders.purchasing.rules import Source, SourceKind, WantedLine
from orders.purchasing.schemas import OrderHeadIn
from orders.requests.actions import Submitted, submit
from shop.core import audit
from shop.core.errors import Fault, IfMatch
from shop.identity.actor import Actor

# Whoever orders from the same content waits here, and then finds the order of who came first. Locked in the order of their ids.
_SAME_FILE = text(
    """
    SELECT i.id FROM order_import i WHERE i.organisation_id = :organisation_id AND i.sha256 = :sha256 ORDER BY i.id FOR UPDATE
    """
)
_ROWS = text(
    """
    SELECT row_no, product, code, state, nullif(faults, '[]') AS faults, sku_id, ordered_quantity FROM order_import_row
    WHERE import_id = :import_id AND state = ANY (:states) ORDER BY row_no
    """
)


def order(session: Session, actor: Actor, import_id: int, body: ImportOrderIn, if_match: IfMatch) -> Submitted:
    """Order the rows that were matched: all of them or none.

    Raises:
        NotFound: no such import of the own branch (404). IllegalMove: it is not ready (409). Changed: it changed meanwhile (412).
        AlreadyOrdered: the organisation ordered from a file with the same content, and ``again`` was not said (409).
        RowsRefused: rows that are not clear or not to be met; RowsChanged: that no longer are; each is named (422).
        NothingToOrder: no row is left (409). And what :func:`orders.requests.actions.submit` refuses.
    """
    held = _first_of_its_content(session, actor, import_id, again=body.again)
    if_match(held.version)
    move = ImportAction.ORDER_AGAIN if held.status == ImportStatus.ORDERED else ImportAction.ORDER
    status = ORDER_IMPORT.after(held.status, move)
    refused = _rows(session, import_id, [RowState.AMBIGUOUS, RowState.FAULTY])
    if refused and not body.leave_out_faulty:
        raise RowsRefused(count=len(refused), faults=[fault for row in refused for fault in _faults(row)])
    rows = _rows(session, import_id, ORDERABLE)
    if not rows:
        raise NothingToOrder
    submitted = _submit(session, actor, held, body, rows)
    held.status = status.value
    held.purchase_order_id = submitted.purchase_order.id if submitted.purchase_order else None
    held.purchase_request_id = submitted.purchase_request_id
    keep(session, held)
    audit.record(
        session,
        actor,
        "order_import.ordered",
        "order_import",
        import_id,
        rows=len(rows),
        left_out=len(refused),
        again=body.again,
        purchase_order_id=held.purchase_order_id,
        purchase_request_id=held.purchase_request_id,
    )
    return submitted


def _first_of_its_content(session: Session, actor: Actor, import_id: int, *, again: bool) -> OrderImport:
    """The import, locked with all of its organisation that hold the same content."""
    content = head(session, actor, import_id)
    session.execute(_SAME_FILE, {"organisation_id": content.organisation_id, "sha256": content.sha256})
    held = locked(session, actor, import_id)
    # a statement of its own, whose snapshot is taken after the locks
    ordered = orders_of_content(session, held.organisation_id, held.sha256)
    if ordered and not again:
        last = ordered[-1]
        raise AlreadyOrdered(
            number=last.number,
            order_import_id=last.order_import_id,
            purchase_order_id=last.purchase_order_id,
            purchase_request_id=last.purchase_request_id,
        )
    return held


def _submit(session: Session, actor: Actor, held: OrderImport, body: ImportOrderIn, rows: Sequence[Row[Any]]) -> Submitted:
    said = body.model_dump(exclude={"again", "leave_out_faulty"})
    head = OrderHeadIn(**{**said, "buyer_id": body.buyer_id or held.buyer_id})
    lines = [WantedLine(row.sku_id, row.ordered_quantity) for row in rows]
    try:
        return submit(session, actor, head, lines, Source(SourceKind.IMPORT, held.id))
    except LinesRefused as refused:
        faults = [_by_row(fault, rows[int(fault.data["line_no"]) - 1]) for fault in refused.faults]
        raise RowsChanged(count=len(faults), faults=faults) from refused


def _rows(session: Session, import_id: int, states: Sequence[str]) -> Sequence[Row[Any]]:
    return session.execute(_ROWS, {"import_id": import_id, "states": list(states)}).all()


def _by_row(fault: Fault, row: Row[Any]) -> Fault:
    data = {name: value for name, value in fault.data.items() if name != "line_no"}
    return _told(row, column_of(fault.code, row.product), fault.code, fault.zh, fault.en, data)


def _faults(row: Row[Any]) -> list[Fault]:
    grave = [each for each in row.faults if not each["warning"]]
    return [
        _told(row, each["column"], each["code"], words(each["code"], "zh"), words(each["code"], "en"), each["data"])
        for each in grave
    ]


def _told(row: Row[Any], column: str, code: str, zh: str, en: str, data: dict[str, Any]) -> Fault:
    named = row.product or row.code
    return Fault(
        f"row[{row.row_no}].{column}",
        code,
        f"第 {row.row_no} 行 {named}：{zh}",
        f"Row {row.row_no} {named}: {en}",
        {**data, "row": row.row_no, "column": column},
    )
