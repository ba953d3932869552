"""Reads of quotations and awards. The buyer's side and officers read what was opened, a supplier reads its own and never another's."""

from typing import Any

from sqlalchemy import Row, text
from sqlmodel import Session

from catalog.products.schemas import TierOut
from orders.sourcing.errors import QuotationsSealed
from orders.sourcing.queries import requests
from orders.sourcing.queries.comparison import prices_of
from orders.sourcing.queries.reach import reach
from orders.sourcing.schemas.quotations import AwardLineOut, AwardOut, QuotationLineOut, QuotationOut, QuotationRow
from orders.sourcing.schemas.requests import FileOut
from shop.core import clock, paging
from shop.core.errors import NotFound
from shop.core.paging import Page
from shop.identity.actor import Actor

_QUOTATION = "SELECT t.*, o.name AS supplier_name FROM quotation t JOIN organisation o ON o.id = t.supplier_id"
_ONE = text(f"{_QUOTATION} WHERE t.id = :id")
# what was replaced or withdrawn before the end is nobody's but the supplier's
_LIST = text(
    f"""{_QUOTATION} WHERE t.quotation_request_id = :id AND t.id > :start
    AND (CAST(:own AS bigint) IS NULL AND t.status = 'submitted' OR t.supplier_id = CAST(:own AS bigint)) ORDER BY t.id LIMIT :rows"""
)
_LINES = text(
    """
    SELECT ql.*, l.line_no, l.name, l.quantity AS asked_quantity, l.unit AS asked_unit, s.code AS sku_code, s.pack, s.net_grams,
           p.name AS product_name,
           (SELECT jsonb_agg(jsonb_build_array(a.min_quantity::text, a.unit_price_fen) ORDER BY a.min_quantity)
            FROM quotation_price a WHERE a.quotation_line_id = ql.id) AS prices
    FROM quotation_line ql JOIN quotation_request_line l ON l.id = ql.quotation_request_line_id
    LEFT JOIN sku s ON s.id = ql.sku_id LEFT JOIN product p ON p.id = s.product_id
    WHERE ql.quotation_id = :id ORDER BY l.line_no
    """
)
_FILES = text("SELECT s.* FROM quotation_file f JOIN stored_file s ON s.id = f.file_id WHERE f.quotation_id = :id ORDER BY s.id")
# an award that waits for approval, or lost it, is not told to suppliers
_AWARDS = text(
    """
    SELECT a.*, coalesce(a.purchase_order_id, po.id) AS order_id FROM quotation_award a
    LEFT JOIN purchase_order po ON po.purchase_request_id = a.purchase_request_id
    WHERE a.quotation_request_id = :id AND a.id > :start
      AND (CAST(:own AS bigint) IS NULL OR a.voided_at IS NULL AND (a.purchase_request_id IS NULL OR po.id IS NOT NULL)
           AND EXISTS (SELECT FROM quotation_award_line w JOIN quotation_line ql ON ql.id = w.quotation_line_id
                       JOIN quotation t ON t.id = ql.quotation_id
                       WHERE w.quotation_award_id = a.id AND t.supplier_id = CAST(:own AS bigint)))
    ORDER BY a.id LIMIT :rows
    """
)
_AWARD_LINES = text(
    """
    SELECT w.*, l.line_no, l.name, t.supplier_id, o.name AS supplier_name, t.id AS quotation_id, ql.sku_id
    FROM quotation_award_line w
    JOIN quotation_request_line l ON l.id = w.quotation_request_line_id
    JOIN quotation_line ql ON ql.id = w.quotation_line_id
    JOIN quotation t ON t.id = ql.quotation_id
    JOIN organisation o ON o.id = t.supplier_id
    WHERE w.quotation_award_id = ANY (CAST(:ids AS bigint[])) AND (CAST(:own AS bigint) IS NULL OR t.supplier_id = CAST(:own AS bigint))
    ORDER BY w.quotation_award_id, w.position
    """
)


def opened(session: Session, actor: Actor, request_id: int) -> Row[Any]:
    """A request whose quotations the caller may read.

    Raises:
        NotFound: there is none within reach, or the caller sees it as a supplier (404).
        QuotationsSealed: it is not opened (409).
    """
    head = requests.seen(session, actor, request_id)
    if head.seen_as == "supplier":
        raise NotFound
    if head.opened_at is None:
        told = head.closes_at.astimezone(clock.SHANGHAI).isoformat(timespec="minutes")
        raise QuotationsSealed(closes_at=told, count=head.quotations)
    return head


def _own(actor: Actor, head: Row[Any]) -> int | None:
    return reach(actor)["supplier"] if head.seen_as == "supplier" else None


def quotations(session: Session, actor: Actor, request_id: int, limit: int, after: str | None) -> Page[QuotationRow]:
    """A supplier's own quotations, replaced ones included; for everybody else those in force, once opened. Raises as :func:`opened`."""
    head = requests.seen(session, actor, request_id)
    own = _own(actor, head)
    if own is None:
        opened(session, actor, request_id)
    values = {"id": head.id, "own": own, "start": _start(after), "rows": limit + 1}
    rows = session.execute(_LIST, values).all()
    return paging.page(rows, limit, lambda row: QuotationRow.model_validate(row, from_attributes=True), lambda row: [row.id])


def quotation_row(session: Session, actor: Actor, quotation_id: int) -> tuple[Row[Any], Row[Any]]:
    """A quotation that the caller may read, with its request.

    Raises:
        NotFound: there is none, or it is another supplier's, or sealed, or was withdrawn: the answer does not tell which (404).
    """
    row = session.execute(_ONE, {"id": quotation_id}).first()
    if row is None:
        raise NotFound
    head = requests.seen(session, actor, row.quotation_request_id)
    own = _own(actor, head)
    readable = row.supplier_id == own if own is not None else head.opened_at is not None and row.status == "submitted"
    if not readable:
        raise NotFound
    return row, head


def quotation(session: Session, actor: Actor, quotation_id: int) -> QuotationOut:
    """One quotation with its lines and files. Raises as :func:`quotation_row`."""
    row, head = quotation_row(session, actor, quotation_id)
    decided = head.state in ("partly_awarded", "awarded") and head.seen_as != "supplier"
    return QuotationOut(
        **{name: getattr(row, name) for name in QuotationRow.model_fields},
        lines=[_line(each, decided) for each in session.execute(_LINES, {"id": row.id})],
        files=[FileOut.model_validate(each, from_attributes=True) for each in session.execute(_FILES, {"id": row.id})],
    )


def _line(row: Row[Any], decided: bool) -> QuotationLineOut:
    fields = {name: getattr(row, name) for name in QuotationLineOut.model_fields if hasattr(row, name)}
    return QuotationLineOut(
        **fields
        | {
            "tiers": [TierOut(min_quantity=least, unit_price=price) for least, price in prices_of(row.prices)],
            "list_price": row.list_price_fen,
            "awarded_quantity": row.awarded_quantity if decided else None,
        }
    )


def file(session: Session, actor: Actor, quotation_id: int, file_id: int) -> Row[Any]:
    """Where the content of an attached file lies. Raises as :func:`quotation_row`."""
    row, _ = quotation_row(session, actor, quotation_id)
    for each in session.execute(_FILES, {"id": row.id}):
        if each.id == file_id:
            return each
    raise NotFound


def awards(session: Session, actor: Actor, request_id: int, limit: int, after: str | None) -> Page[AwardOut]:
    """What was decided, the oldest first; a supplier reads what it won and nothing of others. Raises as :func:`requests.seen`."""
    head = requests.seen(session, actor, request_id)
    own = _own(actor, head)
    rows = session.execute(_AWARDS, {"id": head.id, "own": own, "start": _start(after), "rows": limit + 1}).all()
    lines: dict[int, list[AwardLineOut]] = {row.id: [] for row in rows}
    for each in session.execute(_AWARD_LINES, {"ids": list(lines), "own": own}):
        fields = {name: getattr(each, name) for name in AwardLineOut.model_fields if hasattr(each, name)}
        told = {"unit_price": each.unit_price_fen, "amount": each.amount_fen}
        lines[each.quotation_award_id].append(AwardLineOut(**fields | told))

    def shown(row: Row[Any]) -> AwardOut:
        return AwardOut(
            id=row.id,
            awarded_at=row.awarded_at,
            reason=row.reason if own is None else None,
            result=row.result,
            purchase_order_id=row.order_id,
            purchase_request_id=row.purchase_request_id if own is None else None,
            voided_at=row.voided_at,
            agreement_id=row.agreement_id,
            total=sum(line.amount for line in lines[row.id]),
            lines=lines[row.id],
        )

    return paging.page(rows, limit, shown, lambda row: [row.id])


def _start(after: str | None) -> int:
    start = paging.position(after, int)
    return start[0] if start else 0
