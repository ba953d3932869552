"""Reads of requests for quotation."""

# ruff: noqa: S608  statements are put together from constants only; every value that a caller gives is bound

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, text
from sqlmodel import Session

from orders.sourcing.queries.reach import BUYER_SIDE, SEEN, SEEN_AS, STATUS, SUPPLIER_SIDE, reach
from orders.sourcing.rules import Kind
from orders.sourcing.schemas.requests import (
    FileOut,
    InvitationOut,
    QuestionOut,
    QuotationRequestOut,
    RequestLineOut,
    RequestRow,
)
from orders.sourcing.states import AWARDING, QUOTATION_REQUEST, RequestAction, RequestStatus, is_open_sql
from shop.core import paging
from shop.core.errors import NotFound
from shop.core.paging import Page
from shop.identity.actor import Actor
from shop.identity.permissions import Permission

_REQUEST = f"""
    SELECT q.*, {STATUS} AS state, buyer.name AS buyer_name, buyer.path AS buyer_path, {SEEN_AS} AS seen_as,
           (SELECT count(*) FROM quotation t WHERE t.quotation_request_id = q.id AND t.status = 'submitted') AS quotations,
           (SELECT t.id FROM quotation t WHERE t.quotation_request_id = q.id AND t.supplier_id = CAST(:supplier AS bigint)
            AND t.status = 'submitted') AS own_quotation_id
    FROM quotation_request q JOIN organisation buyer ON buyer.id = q.buyer_id
"""
_ONE = text(f"{_REQUEST} WHERE q.id = :id AND {SEEN}")
_FILES = text(
    "SELECT s.* FROM quotation_request_file f JOIN stored_file s ON s.id = f.file_id WHERE f.quotation_request_id = :id ORDER BY s.id"
)
_LINES = text(
    """
    SELECT l.*, s.code AS sku_code, s.pack FROM quotation_request_line l LEFT JOIN sku s ON s.id = l.sku_id
    WHERE l.quotation_request_id = :id AND l.line_no > :start ORDER BY l.line_no LIMIT :rows
    """
)
# Who declined and quotes all the same has not declined; that is told when the quotations are open.
_INVITATIONS = text(
    """
    SELECT i.supplier_id, o.name AS supplier_name, i.matched, i.seen_at,
           CASE WHEN t.id IS NULL THEN i.declined_at END AS declined_at, CASE WHEN t.id IS NULL THEN i.decline_reason END AS decline_reason
    FROM quotation_invitation i JOIN organisation o ON o.id = i.supplier_id JOIN quotation_request q ON q.id = i.quotation_request_id
    LEFT JOIN quotation t ON t.quotation_request_id = i.quotation_request_id AND t.supplier_id = i.supplier_id AND t.status = 'submitted'
         AND q.opened_at IS NOT NULL
    WHERE i.quotation_request_id = :id AND i.supplier_id > :start ORDER BY i.supplier_id LIMIT :rows
    """
)
_QUESTIONS = text(
    """
    SELECT u.* FROM quotation_question u
    WHERE u.quotation_request_id = :id AND u.id > :start AND (NOT :unanswered OR u.answer IS NULL) ORDER BY u.id LIMIT :rows
    """
)


def seen(session: Session, actor: Actor, request_id: int) -> Row[Any]:
    """One request as it stands, with the side from which the caller sees it.

    Raises:
        NotFound: there is none within the caller's reach (404).
    """
    row = session.execute(_ONE, {"id": request_id, **reach(actor)}).first()
    if row is None:
        raise NotFound
    return row


def request(session: Session, actor: Actor, request_id: int) -> QuotationRequestOut:
    """One request. Raises as :func:`seen`."""
    row = seen(session, actor, request_id)
    files = session.execute(_FILES, {"id": row.id}).all()
    fields = {name: getattr(row, name) for name in QuotationRequestOut.model_fields if hasattr(row, name)}
    return QuotationRequestOut(
        **fields
        | _row(row)
        | {
            "target_shown": row.target_shown,
            "failed": row.state == RequestStatus.CLOSED and not row.quotations and row.seen_as != "supplier",
            "cost_centre": row.cost_centre if row.seen_as == "buyer" else None,
            "files": [FileOut.model_validate(each, from_attributes=True) for each in files],
            "possible_actions": QUOTATION_REQUEST.possible(row.state, moves_of(actor, row)),
        }
    )


def moves_of(actor: Actor, row: Any) -> set[RequestAction]:
    """What the actor may do with a request at all: keep it, or award it, as its buyer."""
    moves: set[RequestAction] = set()
    if row.seen_as != "buyer":
        return moves
    if actor.may(Permission.QUOTATION_REQUESTS_MANAGE):
        moves |= set(RequestAction) - AWARDING
    if actor.may(Permission.ORDERS_PLACE):
        moves |= AWARDING
    return moves


def _row(row: Row[Any]) -> dict[str, Any]:
    fields = {name: getattr(row, name) for name in RequestRow.model_fields if hasattr(row, name)}
    return fields | {"status": row.state, "quotations": None if row.seen_as == "supplier" else row.quotations}


@dataclass(frozen=True)
class Filters:
    status: RequestStatus | None = None
    kind: Kind | None = None
    buyer_id: int | None = None
    q: str | None = None
    open_to_me: bool = False


_CONDITIONS = {
    "status": f"{STATUS} = :status",
    "kind": "q.kind = :kind",
    "buyer_id": "q.buyer_id = :buyer_id",
    "q": "(strpos(q.title, :q) > 0 OR q.number = :q OR strpos(buyer.name, :q) > 0)",
}


def requests(session: Session, actor: Actor, filters: Filters, *, limit: int = 50, after: str | None = None) -> Page[RequestRow]:
    """The requests within the caller's reach, the newest first; ``open_to_me``: those that the caller's organisation may answer now."""
    values = {name: value for name in _CONDITIONS if (value := getattr(filters, name)) is not None}
    conditions = [_CONDITIONS[name] for name in values]
    conditions += [SUPPLIER_SIDE, f"NOT {BUYER_SIDE}"] if filters.open_to_me else [SEEN]
    if filters.open_to_me or filters.status is RequestStatus.OPEN:
        conditions.append(is_open_sql("q"))
    if start := paging.position(after, int):
        conditions.append("q.id < :start")
        values["start"] = start[0]
    statement = text(f"{_REQUEST} WHERE {' AND '.join(conditions)} ORDER BY q.id DESC LIMIT :rows")
    rows = session.execute(statement, {**values, **reach(actor), "rows": limit + 1}).all()
    return paging.page(rows, limit, lambda row: RequestRow(**_row(row)), lambda row: [row.id])


def lines(session: Session, actor: Actor, request_id: int, limit: int, after: str | None) -> Page[RequestLineOut]:
    """What is asked for. Target prices are for the buyer's side, and for suppliers where the buyer shows them. Raises as :func:`seen`."""
    head = seen(session, actor, request_id)
    supplier = head.seen_as == "supplier"

    def shown(row: Row[Any]) -> RequestLineOut:
        fields = {name: getattr(row, name) for name in RequestLineOut.model_fields if hasattr(row, name)}
        hidden = supplier and not head.target_shown
        return RequestLineOut(
            **fields
            | {
                "target_price": None if hidden else row.target_price_fen,
                "awarded_quantity": None if supplier else row.awarded_quantity,
            }
        )

    rows = session.execute(_LINES, {"id": head.id, "start": _start(after), "rows": limit + 1}).all()
    return paging.page(rows, limit, shown, lambda row: [row.line_no])


def invitations(session: Session, actor: Actor, request_id: int, limit: int, after: str | None) -> Page[InvitationOut]:
    """Who was asked.

    Raises:
        NotFound: there is no such request within reach, or the caller is a supplier (404).
    """
    head = seen(session, actor, request_id)
    if head.seen_as == "supplier":
        raise NotFound
    rows = session.execute(_INVITATIONS, {"id": head.id, "start": _start(after), "rows": limit + 1}).all()
    return paging.page(
        rows, limit, lambda row: InvitationOut.model_validate(row, from_attributes=True), lambda row: [row.supplier_id]
    )


def questions(
    session: Session, actor: Actor, request_id: int, *, unanswered: bool, limit: int, after: str | None
) -> Page[QuestionOut]:
    """Questions and answers, the oldest first. Who asked is told to the buyer's side only, once it has read the quotations too."""
    head = seen(session, actor, request_id)
    values = {"id": head.id, "unanswered": unanswered, "start": _start(after), "rows": limit + 1}
    rows = session.execute(_QUESTIONS, values).all()
    own = reach(actor)["supplier"]

    def shown(row: Row[Any]) -> QuestionOut:
        mine = head.seen_as == "supplier" and row.supplier_id == own
        named = mine or (head.seen_as != "supplier" and head.opened_at is not None)
        fields = {name: getattr(row, name) for name in QuestionOut.model_fields if hasattr(row, name)}
        return QuestionOut(**fields | {"mine": mine, "supplier_id": row.supplier_id if named else None})

    return paging.page(rows, limit, shown, lambda row: [row.id])


def file(session: Session, actor: Actor, request_id: int, file_id: int) -> Row[Any]:
    """Where the content of an attached file lies. Raises as :func:`seen`."""
    head = seen(session, actor, request_id)
    for each in session.execute(_FILES, {"id": head.id}):
        if each.id == file_id:
            return each
    raise NotFound


def _start(after: str | None) -> int:
    start = paging.position(after, int)
    return start[0] if start else 0
