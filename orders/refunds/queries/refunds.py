"""Reading refunds, each within the caller's reach."""

from typing import Any

from sqlalchemy import Row, text
from sqlmodel import Session

from orders.money.names import plain_name
from orders.money.queries.reach import keeps, reach
from orders.money.references import plain
from orders.refunds.schemas import RefundFilter, RefundOut
from orders.refunds.states import RefundMove, refund_moves
from shop.core import paging
from shop.core.errors import NotFound
from shop.core.exports import MAX_LINES, whole
from shop.core.paging import Page
from shop.identity.actor import Actor
from shop.identity.permissions import Permission

_REFUND = """
    SELECT r.*, r.amount_fen AS amount, po.number AS purchase_order_number, buyer.name AS buyer_name, buyer.path AS buyer_path, unit.path AS unit_path,
           buyer.region_code AS buyer_region,
           asked.name AS requested_by_name, released.name AS approved_by_name, unit.name AS unit_name, paid.names AS payers, paid.accounts AS payer_accounts,
           (SELECT f.id FROM failure_report f WHERE f.refund_id = r.id AND f.status = 'requested') AS failure_report_id
    FROM refund r LEFT JOIN app_user asked ON asked.id = r.requested_by LEFT JOIN app_user released ON released.id = r.approved_by
    LEFT JOIN LATERAL (
        SELECT array_agg(DISTINCT l.payer_name) AS names, array_agg(DISTINCT l.payer_account) FILTER (WHERE l.payer_account <> '') AS accounts
        FROM bank_match m JOIN bank_line l ON l.id = m.line_id
        WHERE m.purchase_order_id = r.purchase_order_id AND m.kind IN ('order', 'announced') AND m.undone_at IS NULL
    ) paid ON true
    JOIN purchase_order po ON po.id = r.purchase_order_id JOIN organisation buyer ON buyer.id = po.buyer_id
    JOIN organisation unit ON unit.id = po.ordering_unit_id
    WHERE (buyer.path LIKE CAST(:branch AS text) OR unit.path LIKE CAST(:branch AS text)
           OR buyer.region_code LIKE ANY (CAST(:regions AS text[])))
"""
_ONE = text(f"{_REFUND} AND r.id = :id")
_MANY = text(
    f"""{_REFUND} AND (CAST(:status AS text) IS NULL OR r.status = :status)
    AND (CAST(:method AS text) IS NULL OR r.method = :method)
    AND (CAST(:buyer_id AS bigint) IS NULL OR po.buyer_id = :buyer_id)
    AND (CAST(:purchase_order_id AS bigint) IS NULL OR r.purchase_order_id = :purchase_order_id)
    AND (CAST(:requested_from AS date) IS NULL OR (r.requested_at AT TIME ZONE 'Asia/Shanghai')::date >= :requested_from)
    AND (CAST(:requested_to AS date) IS NULL OR (r.requested_at AT TIME ZONE 'Asia/Shanghai')::date <= :requested_to)
    AND (CAST(:start AS bigint) IS NULL OR r.id < :start) ORDER BY r.id DESC LIMIT :rows"""
)


def refund(session: Session, actor: Actor, refund_id: int) -> RefundOut:
    """One refund.

    Raises:
        NotFound: there is none within reach (404).
    """
    row = session.execute(_ONE, {"id": refund_id, **reach(actor)}).first()
    if row is None:
        raise NotFound
    return _shown(row, actor)


def refunds(session: Session, actor: Actor, asked: RefundFilter, *, limit: int, after: str | None) -> Page[RefundOut]:
    """Refunds of the caller's branch, or of those whose money it keeps; newest first."""
    start = paging.position(after, int)
    values = {**asked.model_dump(), "start": start[0] if start else None, "rows": limit + 1}
    rows = session.execute(_MANY, {**values, **reach(actor)}).all()
    return paging.page(rows, limit, lambda row: _shown(row, actor), lambda row: [row.id])


def all_refunds(session: Session, actor: Actor, asked: RefundFilter) -> list[RefundOut]:
    """The same, all of them, for a file.

    Raises:
        TooManyLines: there are more than a file holds (422).
    """
    return whole(refunds(session, actor, asked, limit=MAX_LINES, after=None), MAX_LINES)


def _shown(row: Row[Any], actor: Actor) -> RefundOut:
    fields = {name: getattr(row, name) for name in RefundOut.model_fields if name not in ("payee_is_payer", "possible_actions")}
    mine = moves_of(actor, row)
    moves = refund_moves(row.status, row.method, own=row.requested_by == actor.user_id)
    return RefundOut(
        **fields,
        payee_is_payer=None if row.method == "online" else _is_payer(row),
        possible_actions=[move for move in moves if move in mine],
    )


def moves_of(actor: Actor, row: Any) -> set[RefundMove]:
    """What the actor may do with a refund at all: cancel it, as the buyer or who keeps its money, who also decides and carries it out."""
    keeper = keeps(actor, row.buyer_region)
    moves = set(RefundMove) - {RefundMove.CANCEL} if keeper else set()
    own = actor.within_branch(row.buyer_path) or actor.within_branch(row.unit_path)
    if actor.may(Permission.REFUNDS_REQUEST) and (own or keeper):
        moves.add(RefundMove.CANCEL)
    return moves


def _is_payer(row: Row[Any]) -> bool:
    """By its name one of those who pay for the order; and by its account, where lines of the bank tell from which the order was paid."""
    named = plain_name(row.payee_name) in {plain_name(name) for name in (row.buyer_name, row.unit_name, *(row.payers or ()))}
    accounts = {plain(account) for account in row.payer_accounts or ()}
    return named and (not accounts or plain(row.payee_account) in accounts)
