"""Reading purchase orders, each within the caller's reach."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import text
from sqlmodel import Session

from catalog.certificates.states import stop_sql
from orders.money.queries import NOT_ARRIVED
from orders.money.references import payment_reference
from orders.purchasing.queries.afterwards import AFTERWARDS
from orders.purchasing.queries.costs import ASKED_BACK, CREDIT, PAYABLE_AND_PAID_OF
from orders.purchasing.queries.offered import possible_actions
from orders.purchasing.schemas import (
    OrderLineOut,
    OrderSearch,
    PurchaseOrderOut,
    PurchaseOrderRow,
    SupplierOrderBrief,
    SupplierOrderOut,
    SupplierOrderRow,
)
from orders.purchasing.states import SupplierOrderStatus
from orders.terms import queries as terms
from shop.core import clock, paging
from shop.core.errors import NotFound
from shop.core.paging import Page
from shop.identity.actor import Actor
from shop.identity.permissions import Permission

# Who sees an order: the buyer's branch and that of the unit that ordered; a supplier whose branch delivers a part of it; officers of the
# buyer's region, and of the suppliers' regions. A supplier sees its own part only.
_SIDE = "coalesce({0}.path LIKE CAST(:branch AS text) OR {0}.region_code LIKE ANY (CAST(:regions AS text[])), false)"
_BUYER_SIDE = (
    f"({_SIDE.format('buyer')} OR EXISTS (SELECT FROM organisation u WHERE u.id = po.ordering_unit_id"
    " AND u.path LIKE CAST(:branch AS text)))"
)
_SUPPLIER_SIDE = _SIDE.format("supplier")
#: The sides of a supplier order ``so``, and who sees what hangs on it: for other parts' queries, with the parameters of ``reach``.
SIDES = """
    JOIN purchase_order po ON po.id = so.purchase_order_id
    JOIN organisation buyer ON buyer.id = po.buyer_id
    JOIN organisation unit ON unit.id = po.ordering_unit_id
    JOIN organisation supplier ON supplier.id = so.supplier_id
"""
IN_REACH = f"({_SUPPLIER_SIDE} OR {_BUYER_SIDE})"
#: Who follows a sale to its papers: officers and monitors in whose region a side of the part lies, or from where something sold by it comes.
FOLLOWED = """(
    supplier.region_code LIKE ANY (CAST(:followed AS text[])) OR buyer.region_code LIKE ANY (CAST(:followed AS text[]))
    OR EXISTS (SELECT FROM sale_entry e WHERE e.order_id = so.purchase_order_id AND e.supplier_order_id = so.id
               AND (e.district_code LIKE ANY (CAST(:followed AS text[])) OR e.township_code LIKE ANY (CAST(:followed AS text[])))))"""


def reach(actor: Actor) -> dict[str, Any]:
    """The parameters that the two conditions above take."""
    return {
        "branch": f"{actor.organisation_path}%" if actor.organisation_path else None,
        "regions": actor.region_patterns(Permission.ORDERS_READ),
    }


def followers(actor: Actor) -> dict[str, Any]:
    """The parameters that ``FOLLOWED`` takes, besides them."""
    return {**reach(actor), "followed": actor.region_patterns(Permission.ORDER_DOCUMENTS_READ)}


#: What supplier order ``so`` costs by now.
PAYABLE = terms.COST_OF_PART

_WITHIN_REACH = text(f"SELECT 1 FROM supplier_order so {SIDES} WHERE so.id = :id AND {IN_REACH}")  # noqa: S608
_PAYABLE_OF_PART = text(f"SELECT {PAYABLE} FROM supplier_order so WHERE so.id = :id")  # noqa: S608

_MONEY = text(
    f"{PAYABLE_AND_PAID_OF}, {NOT_ARRIVED} AS not_arrived, greatest({CREDIT} - {ASKED_BACK}, 0) AS refundable".format(order=":id")
)


def require_buyer_side(session: Session, actor: Actor, purchase_order_id: int) -> None:
    """For what only the buyer's side of an order may see, such as its payments.

    Raises:
        NotFound: no such order, or the caller is not on the buyer's side of it.
    """
    seen = session.execute(
        text(
            f"SELECT 1 FROM purchase_order po JOIN organisation buyer ON buyer.id = po.buyer_id WHERE po.id = :id AND {_BUYER_SIDE}"  # noqa: S608
        ),
        {"id": purchase_order_id, **reach(actor)},
    ).first()
    if seen is None:
        raise NotFound


def require_reach(session: Session, actor: Actor, supplier_order_id: int) -> None:
    """For what hangs on a supplier order: its supplier, its buyer, and the officers of either region see it.

    Raises:
        NotFound: no such order within reach.
    """
    if session.execute(_WITHIN_REACH, {"id": supplier_order_id, **reach(actor)}).first() is None:
        raise NotFound


def payable_of_part(session: Session, supplier_order_id: int) -> int:
    """What a supplier order costs by now, in fen."""
    return int(session.execute(_PAYABLE_OF_PART, {"id": supplier_order_id}).scalar_one())


def purchase_order(session: Session, actor: Actor, purchase_order_id: int, *, followed: bool = False) -> PurchaseOrderOut:
    """One order with its parts, as far as the caller may see them. ``followed``: also for whoever only follows a sale to it, without where and to
    whom it was delivered.

    Raises:
        NotFound: no such order within reach.
    """
    head = session.execute(
        text(
            f"""
            SELECT po.*, buyer.name AS buyer_name, {_BUYER_SIDE} AS whole
            FROM purchase_order po JOIN organisation buyer ON buyer.id = po.buyer_id WHERE po.id = :id
            """  # noqa: S608
        ),
        {"id": purchase_order_id, **reach(actor)},
    ).first()
    if head is None:
        raise NotFound
    parts = session.execute(
        text(
            f"""
            SELECT so.*, supplier.name AS supplier_name, :whole OR {_SUPPLIER_SIDE} AS reached,
                   CASE WHEN NOT :whole THEN (SELECT count(*) FROM order_line WHERE supplier_order_id = so.id) END AS line_count
            FROM supplier_order so {SIDES}
            WHERE so.purchase_order_id = :id AND (:whole OR {_SUPPLIER_SIDE}{f" OR {FOLLOWED}" if followed else ""}) ORDER BY so.id
            """  # noqa: S608
        ),
        {"id": purchase_order_id, "whole": head.whole, **followers(actor)},
    ).all()
    if not parts:
        raise NotFound
    money = session.execute(_MONEY, {"id": purchase_order_id}).one() if head.whole else None
    shown = {name: getattr(head, name) for name in _HEAD_FIELDS}
    if not head.whole:
        # how the buyer keeps its books, and what others deliver, is nothing of a supplier's
        shown |= {"cost_centre": None, "purchase_request_id": None, "line_count": sum(part.line_count for part in parts)}
    if not any(part.reached for part in parts):
        shown |= _NOWHERE
    plan = terms.plan(session, purchase_order_id)
    return PurchaseOrderOut(
        **shown,
        payment_terms=terms.read(plan.terms),
        payment_extended_days=plan.extended_days,
        dues=terms.dues_of_order(session, purchase_order_id, None if head.whole else [part.id for part in parts]),
        total=head.total_fen if head.whole else sum(part.total_fen for part in parts),
        total_grams=head.total_grams if head.whole else sum(part.total_grams for part in parts),
        freight=sum(part.freight_fen for part in parts if part.status not in _OVER),
        payable=money.payable if money else None,
        payment_reference=payment_reference(head.id) if head.whole else None,
        paid=money.paid - money.not_arrived if money else None,
        announced=money.not_arrived if money else None,
        due=money.payable - money.paid if money else None,
        refundable=money.refundable if money else None,
        supplier_orders=[_brief(part) for part in parts],
    )


#: What an order says to those who only follow a sale to it of where and to whom it was delivered.
_NOWHERE: dict[str, Any] = {"delivery_address": None, "delivery_contact": None, "delivery_phone": None}
#: Parts that cost nothing any more.
_OVER = (SupplierOrderStatus.REJECTED, SupplierOrderStatus.CANCELLED)

#: What is told of an order as its row has it; a column that is new is told once somebody says so.
_HEAD_FIELDS = (
    *("id", "number", "buyer_id", "buyer_name", "ordering_unit_id", "purchase_request_id", "fund_source", "platform"),
    *("buyer_reference", "cost_centre", "deliver_by", "source_kind", "source_id", "declared_relation_id"),
    *("delivery_address", "delivery_contact", "delivery_phone", "placed_at", "line_count"),
)


def _brief(part: Any) -> SupplierOrderBrief:
    return SupplierOrderBrief(
        id=part.id,
        supplier_id=part.supplier_id,
        supplier_name=part.supplier_name,
        status=part.status,
        reason=part.reason,
        reason_code=part.reason_code,
        freight=part.freight_fen,
        confirm_by=part.confirm_by,
        total=part.total_fen,
        total_grams=part.total_grams,
    )


#: What a list of orders ``po`` is narrowed by.
_ASKED = """
    (CAST(:buyer_id AS bigint) IS NULL OR po.buyer_id = :buyer_id)
    AND (CAST(:status AS text) IS NULL OR EXISTS (SELECT FROM supplier_order WHERE purchase_order_id = po.id AND status = :status))
    AND (CAST(:fund_source AS text) IS NULL OR po.fund_source = :fund_source)
    AND (CAST(:cost_centre AS text) IS NULL OR po.cost_centre = :cost_centre)
    AND (CAST(:placed_from AS timestamptz) IS NULL OR po.placed_at >= :placed_from)
    AND (CAST(:placed_until AS timestamptz) IS NULL OR po.placed_at < :placed_until)
    AND (CAST(:q AS text) IS NULL OR po.number = :q OR strpos(po.buyer_reference, :q) > 0)
    AND (CAST(:start AS bigint) IS NULL OR po.id < :start)
"""
# The newest of each unit are found by index: among the orders of a whole city, those of a unit that has few would take reading all of them.
_OF_BRANCH = f"""
    SELECT found.id FROM organisation unit CROSS JOIN LATERAL (
        (SELECT po.id FROM purchase_order po WHERE po.buyer_id = unit.id AND {_ASKED} ORDER BY po.id DESC LIMIT :rows)
        UNION
        (SELECT po.id FROM purchase_order po WHERE po.ordering_unit_id = unit.id AND {_ASKED} ORDER BY po.id DESC LIMIT :rows)
    ) found WHERE unit.path LIKE CAST(:branch AS text)
"""  # noqa: S608
_OF_REGIONS = f"""
    (SELECT po.id FROM purchase_order po JOIN organisation buyer ON buyer.id = po.buyer_id
     WHERE buyer.region_code LIKE ANY (CAST(:regions AS text[])) AND {_ASKED} ORDER BY po.id DESC LIMIT :rows)
"""  # noqa: S608


def _newest(actor: Actor, of_branch: str, of_regions: str) -> str:
    """SQL: the ids of a page of what the caller sees as a branch, as an officer, or as both."""
    sides = reach(actor)
    parts = [sql for sql, seen in ((of_branch, sides["branch"]), (of_regions, sides["regions"])) if seen]
    found = " UNION ".join(parts) or "SELECT NULL::bigint AS id WHERE false"
    return f"SELECT DISTINCT id FROM ({found}) f ORDER BY id DESC LIMIT :rows"  # noqa: S608


def purchase_orders(session: Session, actor: Actor, asked: OrderSearch) -> Page[PurchaseOrderRow]:
    """Orders of the caller's branch or region, newest first."""
    start = paging.position(asked.after, int)
    rows = session.execute(
        text(
            f"""
            SELECT po.*, buyer.name AS buyer_name,
                   (SELECT jsonb_object_agg(status, n) FROM (
                        SELECT status, count(*) AS n FROM supplier_order WHERE purchase_order_id = po.id GROUP BY status) s) AS statuses
            FROM purchase_order po JOIN organisation buyer ON buyer.id = po.buyer_id
            WHERE po.id IN ({_newest(actor, _OF_BRANCH, _OF_REGIONS)}) ORDER BY po.id DESC
            """  # noqa: S608
        ),
        {
            **reach(actor),
            "buyer_id": asked.buyer_id,
            "status": asked.status,
            "fund_source": asked.fund_source,
            "cost_centre": asked.cost_centre,
            "placed_from": clock.start_of_day(asked.placed_from) if asked.placed_from else None,
            "placed_until": clock.end_of_day(asked.placed_to) if asked.placed_to else None,
            "q": asked.q,
            "start": start[0] if start else None,
            "rows": asked.limit + 1,
        },
    ).all()
    return paging.page(
        rows,
        asked.limit,
        lambda row: PurchaseOrderRow(
            **{name: getattr(row, name) for name in PurchaseOrderRow.model_fields if name != "total"},
            total=row.total_fen,
        ),
        lambda row: [row.id],
    )


_SUPPLIER_ORDER = f"""
    SELECT so.*, po.number AS purchase_order_number, po.buyer_id, buyer.name AS buyer_name, supplier.name AS supplier_name,
           coalesce(so.deliver_by, po.deliver_by) AS wanted_by, {PAYABLE} AS payable, d.*, po.placed_at, po.delivery_address, po.delivery_contact,
           po.delivery_phone,
           EXISTS (SELECT FROM dispute d WHERE d.supplier_order_id = so.id AND d.status IN ('open', 'answered', 'mediating')) AS in_dispute {{more}}
    FROM supplier_order so {SIDES}
    CROSS JOIN LATERAL {terms.DUES_OF_PART} d
"""  # noqa: S608


_PARTS_ASKED = "(CAST(:status AS text) IS NULL OR so.status = :status) AND (CAST(:start AS bigint) IS NULL OR so.id < :start)"
_PARTS_OF_BRANCH = f"""
    SELECT found.id FROM organisation unit CROSS JOIN LATERAL (
        SELECT so.id FROM supplier_order so WHERE so.supplier_id = unit.id AND {_PARTS_ASKED} ORDER BY so.id DESC LIMIT :rows
    ) found WHERE unit.path LIKE CAST(:branch AS text)
"""  # noqa: S608
_PARTS_OF_REGIONS = f"""
    (SELECT so.id FROM supplier_order so JOIN organisation supplier ON supplier.id = so.supplier_id
     WHERE supplier.region_code LIKE ANY (CAST(:regions AS text[])) AND {_PARTS_ASKED} ORDER BY so.id DESC LIMIT :rows)
"""  # noqa: S608


def supplier_orders(
    session: Session,
    actor: Actor,
    *,
    status: SupplierOrderStatus | None,
    limit: int,
    after: str | None,
) -> Page[SupplierOrderRow]:
    """Parts that the caller's organisation delivers, or that its region's suppliers deliver, newest first."""
    start = paging.position(after, int)
    rows = session.execute(
        text(
            f"""{_SUPPLIER_ORDER.format(more="")}
            WHERE so.id IN ({_newest(actor, _PARTS_OF_BRANCH, _PARTS_OF_REGIONS)}) ORDER BY so.id DESC
            """
        ),
        {**reach(actor), "status": status, "start": start[0] if start else None, "rows": limit + 1},
    ).all()
    return paging.page(rows, limit, lambda row: SupplierOrderRow(**_row_fields(row)), lambda row: [row.id])


def supplier_order(session: Session, actor: Actor, supplier_order_id: int, *, followed: bool = False) -> SupplierOrderOut:
    """One part with its lines, for its supplier, its buyer, and the officers of either region; ``followed`` as for :func:`purchase_order`.

    Raises:
        NotFound: no such order within reach.
    """
    row = session.execute(
        text(
            f"{_SUPPLIER_ORDER.format(more=f', supplier.path AS supplier_path, buyer.path AS buyer_path, unit.path AS unit_path, {IN_REACH} AS reached')}"
            f" WHERE so.id = :id AND ({IN_REACH}{f' OR {FOLLOWED}' if followed else ''})"
        ),
        {"id": supplier_order_id, **followers(actor)},
    ).first()
    if row is None:
        raise NotFound
    return SupplierOrderOut(
        **_row_fields(row),
        **(_NOWHERE if not row.reached else {name: getattr(row, name) for name in _NOWHERE}),
        payment_terms=terms.read(terms.plan(session, row.purchase_order_id).terms),
        dues=terms.dues_of_order(session, row.purchase_order_id, [row.id]),
        possible_actions=possible_actions(session, actor, row),
        lines=[_line(line) for line in _lines(session, [row.id], 0, None)],
    )


def _row_fields(row: Any) -> dict[str, Any]:
    known = {
        "total": row.total_fen,
        "freight": row.freight_fen,
        # of a part that came to nothing nobody agrees to a freight any more
        "freight_asked": row.freight_asked_fen if row.status == SupplierOrderStatus.PLACED else None,
        "deliver_by": row.wanted_by,
    }
    return known | {name: getattr(row, name) for name in SupplierOrderRow.model_fields if name not in known}


def order_lines(session: Session, actor: Actor, purchase_order_id: int, limit: int, after: str | None) -> Page[OrderLineOut]:
    """The lines of an order by line number.

    Raises:
        NotFound: no such order within reach.
    """
    order = purchase_order(session, actor, purchase_order_id)
    start = paging.position(after, int)
    rows = _lines(session, [part.id for part in order.supplier_orders], start[0] if start else 0, limit + 1)
    return paging.page(rows, limit, _line, lambda row: [row.line_no])


def all_lines(session: Session, actor: Actor, purchase_order_id: int) -> tuple[str, list[OrderLineOut]]:
    """The number of an order, and all its lines.

    Raises:
        NotFound: no such order within reach.
    """
    order = purchase_order(session, actor, purchase_order_id)
    return order.number, [_line(row) for row in _lines(session, [part.id for part in order.supplier_orders], 0, None)]


def _lines(session: Session, supplier_order_ids: list[int], after: int, rows: int | None) -> Sequence[Any]:
    return session.execute(
        text(
            f"""
            SELECT l.*, s.code AS sku_code, s.pack, s.unit, p.name AS product_name, o.name AS supplier_name,
                   c.number AS certificate_number, {stop_sql("c")} AS certificate_stop,
                   l.accepted_quantity + coalesce(r.corrected_by, 0) AS corrected_quantity, coalesce(r.returned_quantity, 0) AS returned_quantity
            FROM order_line l JOIN certificate c ON c.id = l.certificate_id JOIN sku s ON s.id = l.sku_id JOIN product p ON p.id = l.product_id
            JOIN supplier_order so ON so.id = l.supplier_order_id JOIN organisation o ON o.id = so.supplier_id
            LEFT JOIN ({AFTERWARDS}) r ON r.order_line_id = l.id
            WHERE l.supplier_order_id = ANY (:ids) AND l.line_no > :after ORDER BY l.line_no LIMIT :rows
            """  # noqa: S608
        ),
        {"ids": supplier_order_ids, "after": after, "rows": rows, **clock.present()},
    ).all()


_LINE_FIELDS = [name for name in OrderLineOut.model_fields if name not in ("unit_price", "amount", "vat")]


def _line(row: Any) -> OrderLineOut:
    return OrderLineOut(
        **{name: getattr(row, name) for name in _LINE_FIELDS},
        unit_price=row.unit_price_fen,
        amount=row.amount_fen,
        vat=row.vat_fen,
    )
