"""Reading returns and corrections: for both sides, and the officers of either side's region."""

# ruff: noqa: S608  statements are put together from constants only; every value that a caller gives is bound

from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import Row, text
from sqlmodel import Session

from orders.purchasing.queries import IN_REACH, SIDES, reach
from orders.returns.errors import NotAccepted
from orders.returns.rules import AcceptedLine, ReturnReason, last_day
from orders.returns.schemas import (
    CorrectionLineOut,
    CorrectionOut,
    CorrectionRow,
    ReturnableLineOut,
    ReturnableOut,
    ReturnFileOut,
    ReturnLineOut,
    ReturnOut,
    ReturnRow,
)
from orders.returns.states import (
    ANSWERS,
    CORRECTION,
    REQUESTS,
    RETURN,
    CorrectionMove,
    CorrectionStatus,
    ReturnKind,
    ReturnMove,
    ReturnStatus,
)
from shop.core import clock, paging
from shop.core.errors import NotFound
from shop.core.paging import Page
from shop.identity.actor import Actor
from shop.identity.permissions import Permission
from shop.programmes import queries as programmes

_ACCEPTANCE = text(
    f"""
    SELECT a.id, a.shipment_id, a.supplier_order_id, a.accepted_at, buyer.path AS buyer_path, unit.path AS unit_path,
           supplier.path AS supplier_path
    FROM shipment s LEFT JOIN acceptance a ON a.shipment_id = s.id JOIN supplier_order so ON so.id = s.supplier_order_id {SIDES}
    WHERE s.id = :id AND {IN_REACH}
    """
)
_LINES = text(
    """
    SELECT al.id, al.order_line_id, sl.quantity, sl.grams, coalesce(b.accepted, al.accepted_quantity),
           coalesce((SELECT c.accepted_grams FROM acceptance_correction_line c WHERE c.acceptance_line_id = al.id AND c.after_quantity IS NOT NULL
                     ORDER BY c.id DESC LIMIT 1), al.accepted_grams),
           coalesce(b.accepted - b.held - b.returned, al.accepted_quantity), s.step, s.unit
    FROM acceptance a
    JOIN acceptance_line al ON al.acceptance_id = a.id
    JOIN shipment_line sl ON sl.shipment_id = a.shipment_id AND sl.order_line_id = al.order_line_id
    JOIN order_line l ON l.id = al.order_line_id
    JOIN sku s ON s.id = l.sku_id
    LEFT JOIN acceptance_balance b ON b.acceptance_line_id = al.id
    WHERE a.id = :id ORDER BY l.line_no
    """
)


def acceptance(session: Session, actor: Actor, shipment_id: int) -> Row[Any]:
    """The acceptance of a shipment, with the paths of both sides.

    Raises:
        NotFound: no such shipment within reach (404). NotAccepted: it has not been answered (409).
    """
    row = session.execute(_ACCEPTANCE, {"id": shipment_id, **reach(actor)}).first()
    if row is None:
        raise NotFound
    if row.id is None:
        raise NotAccepted
    return row


def accepted_lines(session: Session, acceptance_id: int) -> list[AcceptedLine]:
    return [AcceptedLine(*row) for row in session.execute(_LINES, {"id": acceptance_id})]


def returnable(session: Session, actor: Actor, shipment_id: int) -> ReturnableOut:
    """What of a shipment can still be asked back. Raises as :func:`acceptance`."""
    row = acceptance(session, actor, shipment_id)
    rules = programmes.config_of(session, clock.today()).returns
    on = clock.shanghai_date(row.accepted_at)
    return ReturnableOut(
        shipment_id=shipment_id,
        accepted_at=row.accepted_at,
        until=last_day(on, ReturnReason.OTHER, rules.days, rules.quality_days),
        until_for_quality=last_day(on, ReturnReason.QUALITY, rules.days, rules.quality_days),
        lines=[
            ReturnableLineOut(order_line_id=line.order_line_id, accepted_quantity=line.accepted, left_quantity=line.left)
            for line in accepted_lines(session, row.id)
        ],
    )


_HEAD = f"""
    SELECT r.*, r.refund_fen AS refund, a.shipment_id, po.id AS purchase_order_id, po.number AS purchase_order_number, po.buyer_id,
           buyer.name AS buyer_name, so.supplier_id, supplier.name AS supplier_name, buyer.path AS buyer_path, unit.path AS unit_path,
           supplier.path AS supplier_path
    FROM goods_return r JOIN acceptance a ON a.id = r.acceptance_id JOIN supplier_order so ON so.id = r.supplier_order_id {SIDES}
"""
_RETURN_LINES = text(
    """
    SELECT r.*, r.amount_fen AS amount, l.line_no, p.name AS product_name, s.code AS sku_code, s.pack, s.unit
    FROM goods_return_line r JOIN order_line l ON l.id = r.order_line_id JOIN sku s ON s.id = l.sku_id JOIN product p ON p.id = l.product_id
    WHERE r.goods_return_id = :id ORDER BY l.line_no
    """
)
_FILES = text(
    "SELECT f.*, u.organisation_id FROM goods_return_file g JOIN stored_file f ON f.id = g.file_id"
    " LEFT JOIN app_user u ON u.id = f.uploaded_by WHERE g.goods_return_id = :id ORDER BY f.id"
)
_FILE = text(
    "SELECT f.* FROM goods_return_file g JOIN stored_file f ON f.id = g.file_id WHERE g.goods_return_id = :id AND f.id = :file"
)


@dataclass(frozen=True)
class Filters:
    status: ReturnStatus | None = None
    kind: ReturnKind | None = None
    supplier_order_id: int | None = None


def returns(session: Session, actor: Actor, filters: Filters, *, limit: int, after: str | None) -> Page[ReturnRow]:
    """Returns of the own branch's purchases and sales, or of the own region; the newest first."""
    start = paging.position(after, int)
    rows = session.execute(
        text(
            f"""
            {_HEAD} WHERE {IN_REACH}
              AND (CAST(:status AS text) IS NULL OR r.status = :status) AND (CAST(:kind AS text) IS NULL OR r.kind = :kind)
              AND (CAST(:order AS bigint) IS NULL OR r.supplier_order_id = :order)
              AND (CAST(:start AS bigint) IS NULL OR r.id < :start)
            ORDER BY r.id DESC LIMIT :rows
            """
        ),
        {
            **reach(actor),
            "status": filters.status,
            "kind": filters.kind,
            "order": filters.supplier_order_id,
            "start": start[0] if start else None,
            "rows": limit + 1,
        },
    ).all()
    return paging.page(rows, limit, lambda row: ReturnRow.model_validate(row, from_attributes=True), lambda row: [row.id])


def return_row(session: Session, actor: Actor, return_id: int) -> Row[Any]:
    """One return as it stands. Raises NotFound: no such return within reach (404)."""
    row = session.execute(text(f"{_HEAD} WHERE r.id = :id AND {IN_REACH}"), {"id": return_id, **reach(actor)}).first()
    if row is None:
        raise NotFound
    return row


def goods_return(session: Session, actor: Actor, return_id: int) -> ReturnOut:
    """One return with its lines and files. Raises as :func:`return_row`."""
    row = return_row(session, actor, return_id)
    lines = session.execute(_RETURN_LINES, {"id": return_id})
    files = session.execute(_FILES, {"id": return_id})
    return ReturnOut(
        **_fields(ReturnOut, row),
        lines=[ReturnLineOut.model_validate(line, from_attributes=True) for line in lines],
        files=[ReturnFileOut(**_fields(ReturnFileOut, file), by_buyer=file.organisation_id != row.supplier_id) for file in files],
        possible_actions=RETURN.possible(row.status, moves_of(actor, row)),
    )


def moves_of(actor: Actor, row: Any) -> set[ReturnMove]:
    """What the actor may do with a return at all: ask, as its buyer, or answer, as its supplier; ``row`` has the paths of both sides."""
    moves: set[ReturnMove] = set()
    if actor.may(Permission.RETURNS_REQUEST) and _buys(actor, row):
        moves |= REQUESTS
    if actor.may(Permission.RETURNS_ANSWER) and actor.within_branch(row.supplier_path):
        moves |= ANSWERS
    return moves


def _buys(actor: Actor, row: Any) -> bool:
    return actor.within_branch(row.buyer_path) or actor.within_branch(row.unit_path)


def file(session: Session, actor: Actor, return_id: int, file_id: int) -> Row[Any]:
    """A file of a return. Raises NotFound: there is none within reach (404)."""
    return_row(session, actor, return_id)
    found = session.execute(_FILE, {"id": return_id, "file": file_id}).first()
    if found is None:
        raise NotFound
    return found


_CORRECTION = f"""
    SELECT c.*, a.shipment_id, po.number AS purchase_order_number, buyer.name AS buyer_name, supplier.name AS supplier_name,
           buyer.path AS buyer_path, unit.path AS unit_path, supplier.path AS supplier_path
    FROM acceptance_correction c JOIN acceptance a ON a.id = c.acceptance_id JOIN supplier_order so ON so.id = c.supplier_order_id {SIDES}
    WHERE {IN_REACH}
"""


def corrections(
    session: Session,
    actor: Actor,
    *,
    status: CorrectionStatus | None,
    supplier_order_id: int | None,
    limit: int,
    after: str | None,
) -> Page[CorrectionRow]:
    """Corrections of acceptances of the own branch or region, the newest first."""
    start = paging.position(after, int)
    rows = session.execute(
        text(
            f"""
            {_CORRECTION} AND (CAST(:status AS text) IS NULL OR c.status = :status)
              AND (CAST(:order AS bigint) IS NULL OR c.supplier_order_id = :order)
              AND (CAST(:start AS bigint) IS NULL OR c.id < :start) ORDER BY c.id DESC LIMIT :rows
            """
        ),
        {
            **reach(actor),
            "status": status,
            "order": supplier_order_id,
            "start": start[0] if start else None,
            "rows": limit + 1,
        },
    ).all()
    return paging.page(rows, limit, lambda row: CorrectionRow.model_validate(row, from_attributes=True), lambda row: [row.id])


def correction(session: Session, actor: Actor, correction_id: int) -> CorrectionOut:
    """One correction with its lines.

    Raises:
        NotFound: there is none within reach (404).
    """
    row = session.execute(text(f"{_CORRECTION} AND c.id = :id"), {"id": correction_id, **reach(actor)}).first()
    if row is None:
        raise NotFound
    lines = session.execute(
        text(
            "SELECT c.*, c.before_fen AS before, c.after_fen AS after, p.name AS product_name FROM acceptance_correction_line c"
            " JOIN order_line l ON l.id = c.order_line_id JOIN product p ON p.id = l.product_id"
            " WHERE c.acceptance_correction_id = :id ORDER BY l.line_no"
        ),
        {"id": correction_id},
    )
    return CorrectionOut(
        **_fields(CorrectionOut, row),
        lines=[CorrectionLineOut.model_validate(line, from_attributes=True) for line in lines],
        possible_actions=CORRECTION.possible(row.status, correction_moves_of(actor, row)),
    )


def side_of(actor: Actor, row: Any) -> Literal["supplier", "buyer"] | None:
    """On which side of the order the actor stands, if on one; ``row`` has the paths of both."""
    if actor.within_branch(row.supplier_path):
        return "supplier"
    return "buyer" if _buys(actor, row) else None


def correction_moves_of(actor: Actor, row: Any) -> set[CorrectionMove]:
    """What the actor may do with a correction at all: answer what the other side proposed, or take back what the own did."""
    side = side_of(actor, row)
    if side is None or not actor.may(Permission.ACCEPTANCES_CORRECT):
        return set()
    return {CorrectionMove.WITHDRAW} if side == row.proposed_side else {CorrectionMove.AGREE, CorrectionMove.DECLINE}


def _fields(schema: Any, row: Row[Any]) -> dict[str, Any]:
    """The columns of a row that a schema has."""
    return {name: getattr(row, name) for name in schema.model_fields if hasattr(row, name)}
