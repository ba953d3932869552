"""Reading purchase requests, within the caller's branch."""

import json
from collections.abc import Iterable
from typing import Any

from sqlalchemy import Row, text
from sqlmodel import Session

from catalog.certificates.rules import above_comparable_sql
from orders.approvals.queries import deciders
from orders.approvals.rules import Step
from orders.requests.schemas import PurchaseFileOut, PurchaseRequestOut, PurchaseRequestRow, RequestLineOut, StepOut
from orders.requests.states import DECISIONS, PURCHASE_REQUEST, RequestMove, RequestStatus
from shop.core import clock, paging
from shop.core.errors import NotFound, Problem
from shop.core.paging import Page
from shop.identity.actor import Actor
from shop.identity.permissions import Permission
from shop.programmes import queries as programmes

#: The fields that a request keeps for the order.
HEAD_FIELDS = (
    "fund_source",
    "platform",
    "declared_relation_id",
    "buyer_reference",
    "cost_centre",
    "deliver_by",
    "delivery_address",
    "delivery_contact",
    "delivery_phone",
    "payment_terms",
)

_REQUEST = """
    SELECT r.*, r.total_fen AS total, buyer.name AS buyer_name, asker.name AS requested_by_name, po.id AS purchase_order_id,
           next.name AS next_step
    FROM purchase_request r
    JOIN organisation buyer ON buyer.id = r.buyer_id
    JOIN organisation unit ON unit.id = r.ordering_unit_id
    JOIN app_user asker ON asker.id = r.requested_by
    LEFT JOIN purchase_order po ON po.purchase_request_id = r.id
    LEFT JOIN LATERAL (
        SELECT s.* FROM purchase_request_step s
        WHERE r.status = 'waiting' AND s.purchase_request_id = r.id AND s.round = r.round AND s.status = 'waiting'
        ORDER BY s.position LIMIT 1
    ) next ON true
    WHERE (buyer.path LIKE CAST(:branch AS text) OR unit.path LIKE CAST(:branch AS text))
"""
_TOOK_PART = (
    "EXISTS (SELECT FROM purchase_request_step t WHERE t.purchase_request_id = r.id AND t.round = r.round"
    " AND {} IN (t.decided_by, t.decided_for))"
)
#: The step that waits is the caller's: by role, by name, or in somebody's place; and neither the caller nor who is stood in for asked for it
#: or took another step.
_MINE = f"""
    r.status = 'waiting' AND r.requested_by <> :me AND NOT {_TOOK_PART.format(":me")}
    AND EXISTS (
        SELECT FROM app_user u JOIN user_role g ON g.user_id = u.id
        WHERE u.active AND (u.organisation_id = next.organisation_id AND g.role = next.role
                            OR u.id = ANY (next.user_ids) AND g.role IN ('approver', 'finance', 'buyer_admin'))
          AND (u.id = :me OR u.id <> r.requested_by AND NOT {_TOOK_PART.format("u.id")} AND EXISTS (
                SELECT FROM approval_deputy d WHERE d.user_id = u.id AND d.deputy_id = :me AND d.revoked_at IS NULL
                  AND CAST(:today AS date) BETWEEN d.first_day AND d.last_day)))
"""  # noqa: S608
_LIST = text(
    f"""{_REQUEST}
    AND (CAST(:status AS text) IS NULL OR r.status = :status)
    AND (CAST(:buyer_id AS bigint) IS NULL OR r.buyer_id = :buyer_id)
    AND (CAST(:fund_source AS text) IS NULL OR r.fund_source = :fund_source)
    AND (NOT :own OR r.requested_by = :me)
    AND (NOT :to_decide OR {_MINE})
    AND (CAST(:start AS bigint) IS NULL OR r.id < :start)
    ORDER BY r.id DESC LIMIT :rows"""
)
_ONE = text(f"{_REQUEST} AND r.id = :id")
_STEPS = text(
    """
    SELECT s.*, u.name AS decided_by_name FROM purchase_request_step s LEFT JOIN app_user u ON u.id = s.decided_by
    WHERE s.purchase_request_id = :id AND s.round = :round ORDER BY s.position
    """
)
#: The certificate that says what goods comparable to those of product ``p`` cost: the latest that has begun.
_COMPARABLE = """
    LEFT JOIN LATERAL (
        SELECT c.comparable_price_fen, c.comparable_pack_grams FROM certificate c
        WHERE c.product_id = p.id AND c.valid_from <= :today ORDER BY c.valid_from DESC, c.id DESC LIMIT 1
    ) comparable ON true
"""
_ABOVE = above_comparable_sql("l.unit_price_fen", "comparable", "s")
_LINES = text(
    f"""
    SELECT l.line_no, l.sku_id, s.code AS sku_code, p.name AS product_name, s.pack, s.unit, l.quantity, l.unit_price_fen AS unit_price,
           l.amount_fen AS amount, l.agreed, {_ABOVE} AS above_comparable
    FROM purchase_request_line l JOIN sku s ON s.id = l.sku_id JOIN product p ON p.id = s.product_id {_COMPARABLE}
    WHERE l.purchase_request_id = :id AND l.line_no > :start ORDER BY l.line_no LIMIT :rows
    """  # noqa: S608
)
_DEAR = text(
    f"""
    SELECT l.line_no FROM purchase_request_line l JOIN sku s ON s.id = l.sku_id JOIN product p ON p.id = s.product_id {_COMPARABLE}
    WHERE l.purchase_request_id = :id AND {_ABOVE} ORDER BY l.line_no LIMIT 20
    """  # noqa: S608
)


def _reach(actor: Actor) -> dict[str, Any]:
    return {"branch": f"{actor.organisation_path}%" if actor.organisation_path else None}


def requests(
    session: Session,
    actor: Actor,
    *,
    status: RequestStatus | None,
    buyer_id: int | None,
    fund_source: str | None,
    own: bool,
    to_decide: bool,
    limit: int,
    after: str | None,
) -> Page[PurchaseRequestRow]:
    """Requests of the own branch, newest first; ``own``: the caller's; ``to_decide``: those whose next step is the caller's."""
    start = paging.position(after, int)
    rows = session.execute(
        _LIST,
        {
            **_reach(actor),
            "me": actor.user_id,
            "today": clock.today(),
            "status": status,
            "buyer_id": buyer_id,
            "fund_source": fund_source,
            "own": own,
            "to_decide": to_decide,
            "start": start[0] if start else None,
            "rows": limit + 1,
        },
    ).all()
    return paging.page(rows, limit, lambda row: PurchaseRequestRow(**_fields(row)), lambda row: [row.id])


def _fields(row: Row[Any]) -> dict[str, Any]:
    return {name: getattr(row, name) for name in PurchaseRequestRow.model_fields}


def request(session: Session, actor: Actor, request_id: int) -> PurchaseRequestOut:
    """One request with the steps of its present round.

    Raises:
        NotFound: none in the caller's branch.
    """
    row = session.execute(_ONE, {**_reach(actor), "id": request_id}).first()
    if row is None:
        raise NotFound
    steps = session.execute(_STEPS, {"id": request_id, "round": row.round}).all()
    waiting = next((step for step in steps if step.status == "waiting"), None)
    mine = False
    if row.status == RequestStatus.WAITING and waiting:
        mine = actor.user_id in deciders(session, step_of(waiting), row.requested_by, took_part(steps))
    return PurchaseRequestOut(
        **_fields(row),
        **{name: getattr(row, name) for name in HEAD_FIELDS if name not in PurchaseRequestRow.model_fields},
        source_kind=row.source_kind,
        source_id=row.source_id,
        round=row.round,
        decided_at=row.decided_at,
        faults=row.faults,
        steps=[StepOut.model_validate(step, from_attributes=True) for step in steps],
        possible_actions=_possible(actor, row, mine=mine),
        mine_to_decide=mine,
    )


def _possible(actor: Actor, row: Row[Any], *, mine: bool) -> list[RequestMove]:
    """What the caller may do: decide, if it is its turn; send it again, if it is its own; withdraw it, as an administrator too; order what was
    approved, if it orders for the unit. A single step is taken by approving."""
    own, orders = row.requested_by == actor.user_id, actor.may(Permission.ORDERS_PLACE)
    may = {
        **dict.fromkeys(DECISIONS, mine),
        RequestMove.RESUBMIT: own and orders,
        RequestMove.WITHDRAW: orders and (own or actor.may(Permission.UNITS_MANAGE)),
    }
    moves = [move for move in PURCHASE_REQUEST.possible(row.status) if move is not RequestMove.APPROVE_STEP]
    return [move for move in moves if may.get(move, orders)]


def step_of(row: Row[Any]) -> Step:
    """A row of a request's steps as the rules know it."""
    return Step(row.name, row.organisation_id, row.role, tuple(row.user_ids))


def took_part(steps: Iterable[Row[Any]]) -> frozenset[int]:
    """Who took one of these steps, or had one taken in the own place."""
    return frozenset(user for step in steps for user in (step.decided_by, step.decided_for) if user)


def lines(session: Session, actor: Actor, request_id: int, *, limit: int, after: str | None) -> Page[RequestLineOut]:
    """The lines of a request by line number.

    Raises:
        NotFound: none in the caller's branch.
    """
    request(session, actor, request_id)
    start = paging.position(after, int)
    values = {"id": request_id, "start": start[0] if start else 0, "rows": limit + 1, **_tolerated(session)}
    rows = session.execute(_LINES, values).all()
    return paging.page(rows, limit, lambda row: RequestLineOut.model_validate(row, from_attributes=True), lambda row: [row.line_no])


def dear_lines(session: Session, request_id: int) -> list[int]:
    """The first lines of a request whose price lies further above that of comparable goods than the programme tolerates."""
    return list(session.execute(_DEAR, {"id": request_id, **_tolerated(session)}).scalars())


def _tolerated(session: Session) -> dict[str, Any]:
    today = clock.today()
    return {"today": today, "tolerance": programmes.config_of(session, today).certification.price_tolerance_percent}


def keep_faults(session: Session, request_id: int, problem: Problem) -> None:
    """Write down why an approved request could not be placed, in both languages."""
    told = [{"code": problem.code, "zh": problem.told("zh")["title"], "en": problem.told("en")["title"]}]
    told += [{"field": fault.field, "code": fault.code, "zh": fault.zh, "en": fault.en, **fault.data} for fault in problem.faults]
    session.execute(
        text("UPDATE purchase_request SET faults = CAST(:faults AS jsonb) WHERE id = :id"),
        {"id": request_id, "faults": json.dumps(told, ensure_ascii=False, default=str)},
    )


_FILES = """
    SELECT f.id, s.name, f.title, s.content_type, s.size, f.uploaded_by, f.uploaded_at, s.storage_key
    FROM purchase_file f JOIN stored_file s ON s.id = f.file_id
    WHERE (f.purchase_request_id = CAST(:request_id AS bigint)
           OR f.purchase_order_id = CAST(:order_id AS bigint)
           OR f.purchase_request_id = (SELECT purchase_request_id FROM purchase_order WHERE id = CAST(:order_id AS bigint)))
"""
_ALL_FILES = text(f"{_FILES} ORDER BY f.id")
_ONE_FILE = text(f"{_FILES} AND f.id = :id")


def files(session: Session, *, request_id: int | None = None, order_id: int | None = None) -> list[PurchaseFileOut]:
    """The papers of a request, or of an order with those of its request; that the caller may see it is the caller's to check."""
    rows = session.execute(_ALL_FILES, {"request_id": request_id, "order_id": order_id})
    return [PurchaseFileOut.model_validate(row, from_attributes=True) for row in rows]


def file(session: Session, file_id: int, *, request_id: int | None = None, order_id: int | None = None) -> Row[Any]:
    """One paper with where its content lies.

    Raises:
        NotFound: it has no such paper.
    """
    row = session.execute(_ONE_FILE, {"request_id": request_id, "order_id": order_id, "id": file_id}).first()
    if row is None:
        raise NotFound
    return row
