"""Reading disputes: both sides see everything, and so do the officers of either side's region."""

# ruff: noqa: S608  statements are put together from constants only; every value that a caller gives is bound

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, text
from sqlmodel import Session

from orders.disputes.schemas import DisputeFileOut, DisputeOut, DisputeRow
from orders.disputes.states import DISPUTE, DisputeMove, DisputeStatus
from orders.purchasing import queries as purchasing
from orders.purchasing.queries import IN_REACH, SIDES, reach
from orders.returns.queries import side_of
from shop.core import clock, paging
from shop.core.errors import NotFound
from shop.core.paging import Page
from shop.identity.actor import Actor
from shop.identity.permissions import Permission

_OVERDUE = (
    "(d.status = 'open' AND d.answer_due_on < :today OR d.status IN ('answered', 'mediating') AND d.decision_due_on < :today)"
)
_DISPUTE = f"""
    SELECT d.*, d.claimed_fen AS claimed, d.proposed_fen AS proposed, d.refund_fen AS refund, d.goods_return_id AS return_id,
           po.number AS purchase_order_number, po.buyer_id, buyer.name AS buyer_name, so.supplier_id, supplier.name AS supplier_name,
           buyer.path AS buyer_path, unit.path AS unit_path, supplier.path AS supplier_path, buyer.region_code AS buyer_region,
           supplier.region_code AS supplier_region, {_OVERDUE} AS overdue
    FROM dispute d JOIN supplier_order so ON so.id = d.supplier_order_id {SIDES}
    WHERE {IN_REACH}
"""
_FILES = text(
    "SELECT f.*, u.organisation_id FROM dispute_file g JOIN stored_file f ON f.id = g.file_id LEFT JOIN app_user u ON u.id = f.uploaded_by"
    " WHERE g.dispute_id = :id ORDER BY f.id"
)
_FILE = text("SELECT f.* FROM dispute_file g JOIN stored_file f ON f.id = g.file_id WHERE g.dispute_id = :id AND f.id = :file")


#: What goods that go back will give back of an order; what other disputes did is in what it costs by now.
_GIVEN_BACK = text(
    """
    SELECT coalesce(sum(round(r.quantity * l.unit_price_fen)), 0)
    FROM goods_return g JOIN goods_return_line r ON r.goods_return_id = g.id JOIN order_line l ON l.id = r.order_line_id
    WHERE g.supplier_order_id = :order AND g.kind = 'return' AND g.status IN ('approved', 'sent')
    """
)


@dataclass(frozen=True)
class Filters:
    status: DisputeStatus | None = None
    overdue: bool | None = None
    supplier_order_id: int | None = None


def disputes(session: Session, actor: Actor, filters: Filters, *, limit: int, after: str | None) -> Page[DisputeRow]:
    """Disputes of the own branch or region, the newest first."""
    start = paging.position(after, int)
    rows = session.execute(
        text(
            f"""
            {_DISPUTE} AND (CAST(:status AS text) IS NULL OR d.status = :status)
              AND (CAST(:overdue AS boolean) IS NULL OR {_OVERDUE} = :overdue)
              AND (CAST(:order AS bigint) IS NULL OR d.supplier_order_id = :order)
              AND (CAST(:start AS bigint) IS NULL OR d.id < :start) ORDER BY d.id DESC LIMIT :rows
            """
        ),
        {
            **reach(actor),
            "today": clock.today(),
            "status": filters.status,
            "overdue": filters.overdue,
            "order": filters.supplier_order_id,
            "start": start[0] if start else None,
            "rows": limit + 1,
        },
    ).all()
    return paging.page(rows, limit, lambda row: DisputeRow.model_validate(row, from_attributes=True), lambda row: [row.id])


def row(session: Session, actor: Actor, dispute_id: int) -> Row[Any]:
    """One dispute as it stands. Raises NotFound: there is none within reach (404)."""
    found = session.execute(text(f"{_DISPUTE} AND d.id = :id"), {"id": dispute_id, "today": clock.today(), **reach(actor)}).first()
    if found is None:
        raise NotFound
    return found


def dispute(session: Session, actor: Actor, dispute_id: int) -> DisputeOut:
    """One dispute with everything that was said and brought. Raises as :func:`row`."""
    found = row(session, actor, dispute_id)
    return DisputeOut(
        **{name: getattr(found, name) for name in DisputeOut.model_fields if hasattr(found, name)},
        files=[
            DisputeFileOut(
                **{name: getattr(file, name) for name in DisputeFileOut.model_fields if hasattr(file, name)},
                by_supplier=file.organisation_id == found.supplier_id,
            )
            for file in session.execute(_FILES, {"id": dispute_id})
        ],
        possible_actions=DISPUTE.possible(found.status, moves_of(actor, found)),
    )


def moves_of(actor: Actor, row: Any) -> set[DisputeMove]:
    """What the actor may do with a dispute at all: argue, on a side of it, or mediate or decide, as an officer of a region of theirs without an
    interest in it; ``row`` has the paths and regions of both sides."""
    moves: set[DisputeMove] = set()
    if (side := side_of(actor, row)) and actor.may(Permission.DISPUTES_OPEN):
        moves.add(DisputeMove.WITHDRAW if side == row.opened_side else DisputeMove.ANSWER)
        if (row.buyer_agreed_at if side == "buyer" else row.supplier_agreed_at) is None:
            moves.add(DisputeMove.SETTLE)
    if not is_party(actor, row):
        if in_office(actor, row, Permission.DISPUTES_MEDIATE):
            moves.add(DisputeMove.MEDIATE)
        unheard = row.status == DisputeStatus.OPEN and row.answer_due_on >= clock.today()
        if in_office(actor, row, Permission.DISPUTES_DECIDE) and not unheard:
            moves.add(DisputeMove.DECIDE)
    return moves


def in_office(actor: Actor, row: Any, permission: Permission) -> bool:
    """Whether the actor is an officer of the region of either side."""
    return actor.may(permission) and any(
        actor.covers_region(permission, region) for region in (row.supplier_region, row.buyer_region)
    )


def is_party(actor: Actor, row: Any) -> bool:
    """Whether the actor has an interest in a dispute."""
    return any(actor.is_related(path) for path in (row.supplier_path, row.buyer_path, row.unit_path))


def file(session: Session, actor: Actor, dispute_id: int, file_id: int) -> Row[Any]:
    """A piece of evidence. Raises NotFound: there is none within reach (404)."""
    row(session, actor, dispute_id)
    found = session.execute(_FILE, {"id": dispute_id, "file": file_id}).first()
    if found is None:
        raise NotFound
    return found


def most_refund(session: Session, dispute: Row[Any]) -> int:
    """How much of an order can still be refunded by a dispute, in fen: what it costs by now, less what is given back otherwise. Its order is
    locked by the caller."""
    given_back = session.execute(_GIVEN_BACK, {"order": dispute.supplier_order_id}).scalar_one()
    return max(purchasing.payable_of_part(session, dispute.supplier_order_id) - int(given_back), 0)
