"""What the months of a harvest bear and what is promised of them; crop losses. Weights in grams."""

from collections.abc import Collection
from datetime import date
from typing import Any

from sqlalchemy import Row, text
from sqlmodel import Session

from orders.agreements import rules
from orders.agreements.rules import Harvest
from orders.agreements.schemas.harvest import CapacityOut, CropLossOut, LossShareOut
from shop.core import clock, paging
from shop.core.errors import NotFound
from shop.core.paging import Page
from shop.identity.actor import Actor
from shop.identity.permissions import Permission

Months = dict[tuple[int, date], Harvest]

# The supplier's signature promises, whether the buyer's is there yet or not; ``:with_id`` is looked at as if it bore one.
_PROMISED = (
    "(a.status = 'active' OR a.status = 'proposed' AND (a.supplier_signed_at IS NOT NULL OR a.id = CAST(:with_id AS bigint)))"
)
_DECLARED = text(
    """
    SELECT c.product_id, c.month, c.grams, coalesce((
        SELECT sum(l.grams) FROM crop_loss l WHERE l.product_id = c.product_id AND l.month = c.month), 0)::bigint AS lost
    FROM harvest_capacity c WHERE c.product_id = ANY (:products)
    """
)
_SCHEDULES = text(
    f"""
    SELECT s.product_id, date_trunc('month', i.due_on)::date AS month, sum(round(i.quantity * s.net_grams))::bigint AS grams
    FROM agreement a JOIN agreement_line l ON l.agreement_id = a.id JOIN sku s ON s.id = l.sku_id
    JOIN instalment i ON i.agreement_line_id = l.id
    WHERE s.product_id = ANY (:products) AND s.net_grams IS NOT NULL AND {_PROMISED} AND i.status <> 'skipped'
      AND i.due_on <= coalesce(a.terminated_on, a.valid_until)
    GROUP BY s.product_id, date_trunc('month', i.due_on)
    """  # noqa: S608
)
_CAPS = text(
    f"""
    SELECT s.product_id, a.valid_from, a.valid_until, coalesce(a.terminated_on, a.valid_until) AS last_day,
           round(l.quantity_cap * s.net_grams)::bigint AS grams
    FROM agreement a JOIN agreement_line l ON l.agreement_id = a.id JOIN sku s ON s.id = l.sku_id
    WHERE s.product_id = ANY (:products) AND s.net_grams IS NOT NULL AND l.quantity_cap IS NOT NULL AND {_PROMISED}
      AND NOT EXISTS (SELECT FROM schedule_entry e WHERE e.agreement_line_id = l.id AND NOT e.ended)
    """  # noqa: S608
)
# Orders under no agreement count in the month in which they are wanted by now, or were placed.
_ORDERS = text(
    """
    SELECT l.product_id,
           date_trunc('month', coalesce(so.deliver_by, po.deliver_by, (po.placed_at AT TIME ZONE 'Asia/Shanghai')::date))::date AS month,
           sum(round((l.quantity - l.rejected_quantity - l.difference_quantity - l.closed_quantity) * coalesce(s.net_grams, 0)))::bigint AS grams
    FROM sku s JOIN order_line l ON l.sku_id = s.id JOIN supplier_order so ON so.id = l.supplier_order_id
    JOIN purchase_order po ON po.id = l.purchase_order_id
    WHERE s.product_id = ANY (:products) AND l.agreement_line_id IS NULL AND so.status NOT IN ('rejected', 'cancelled')
    GROUP BY 1, 2
    """
)


def months(session: Session, product_ids: Collection[int], *, with_id: int | None = None) -> Months:
    """Every month in which something is declared or promised of these products."""
    asked: dict[str, Any] = {"products": list(product_ids), "with_id": with_id}
    declared = {
        (row.product_id, row.month): max(row.grams - row.lost, 0)
        for row in session.execute(_DECLARED, {"products": asked["products"]})
    }
    schedules = {(row.product_id, row.month): row.grams for row in session.execute(_SCHEDULES, asked)}
    orders = {(row.product_id, row.month): row.grams for row in session.execute(_ORDERS, {"products": asked["products"]})}
    caps: dict[tuple[int, date], int] = {}
    for row in session.execute(_CAPS, asked):
        for month, grams in rules.spread(row.grams, row.valid_from, row.valid_until).items():
            if month <= row.last_day:
                caps[row.product_id, month] = caps.get((row.product_id, month), 0) + grams
    return {
        key: Harvest(declared.get(key), schedules.get(key, 0), caps.get(key, 0), orders.get(key, 0))
        for key in sorted({*declared, *schedules, *orders, *caps})
    }


_REACH = "(coalesce(o.path LIKE CAST(:branch AS text), false) OR p.district_code LIKE ANY (CAST(:regions AS text[])))"


def _reach(actor: Actor) -> dict[str, Any]:
    return {
        "branch": f"{actor.organisation_path}%" if actor.organisation_path else None,
        "regions": actor.region_patterns(Permission.AGREEMENTS_READ),
    }


_LIST = text(
    f"""
    SELECT c.product_id, p.name AS product_name, c.supplier_id, o.name AS supplier_name, c.month, c.grams AS declared_grams,
           coalesce((SELECT sum(l.grams) FROM crop_loss l WHERE l.product_id = c.product_id AND l.month = c.month), 0)::bigint AS lost_grams
    FROM harvest_capacity c JOIN product p ON p.id = c.product_id JOIN organisation o ON o.id = c.supplier_id
    WHERE {_REACH}
      AND (CAST(:supplier_id AS bigint) IS NULL OR c.supplier_id = :supplier_id)
      AND (CAST(:product_id AS bigint) IS NULL OR c.product_id = :product_id)
      AND (CAST(:from_month AS date) IS NULL OR c.month >= :from_month)
      AND (CAST(:start AS bigint) IS NULL OR (c.product_id, c.month) > (:start, CAST(:start_month AS date)))
    ORDER BY c.product_id, c.month LIMIT :rows
    """  # noqa: S608
)


def capacities(
    session: Session,
    actor: Actor,
    *,
    limit: int,
    after: str | None,
    supplier_id: int | None = None,
    product_id: int | None = None,
    from_month: date | None = None,
) -> Page[CapacityOut]:
    """Declared months of the own branch's products, or of the region's, by product and month."""
    start = paging.position(after, int, str)
    rows = session.execute(
        _LIST,
        {
            **_reach(actor),
            "supplier_id": supplier_id,
            "product_id": product_id,
            "from_month": from_month,
            "start": start[0] if start else None,
            "start_month": paging.day(start[1]) if start else None,
            "rows": limit + 1,
        },
    ).all()
    known = months(session, {row.product_id for row in rows}) if rows else {}

    def shown(row: Row[Any]) -> CapacityOut:
        harvest = known[row.product_id, row.month]
        return CapacityOut(
            **row._mapping,
            schedule_grams=harvest.schedules,
            cap_grams=harvest.caps,
            order_grams=harvest.orders,
            free_grams=max((harvest.declared or 0) - harvest.promised, 0),
        )

    return paging.page(rows, limit, shown, lambda row: [row.product_id, row.month])


# The supplier and the officers of the place see a loss whole, a buyer its own shares of it.
_SHARES = """
    SELECT x.crop_loss_id, x.agreement_line_id, x.planned_grams, x.cut_grams, a.id AS agreement_id, a.number AS agreement_number,
           a.buyer_id, buyer.name AS buyer_name, buyer.path AS buyer_path
    FROM crop_loss_share x JOIN agreement_line l ON l.id = x.agreement_line_id JOIN agreement a ON a.id = l.agreement_id
    JOIN organisation buyer ON buyer.id = a.buyer_id
"""
_LOSSES = text(
    f"""
    SELECT k.*, p.name AS product_name, o.name AS supplier_name, {_REACH} AS whole
    FROM crop_loss k JOIN product p ON p.id = k.product_id JOIN organisation o ON o.id = k.supplier_id
    WHERE ({_REACH} OR EXISTS (SELECT FROM ({_SHARES}) s WHERE s.crop_loss_id = k.id AND s.buyer_path LIKE CAST(:branch AS text)))
      AND (CAST(:id AS bigint) IS NULL OR k.id = :id)
      AND (CAST(:product_id AS bigint) IS NULL OR k.product_id = :product_id)
      AND (CAST(:start AS bigint) IS NULL OR k.id < :start)
    ORDER BY k.id DESC LIMIT :rows
    """  # noqa: S608
)
_SHARES_OF = text(f"{_SHARES} WHERE x.crop_loss_id = ANY (:ids) ORDER BY x.agreement_line_id")


def losses(
    session: Session, actor: Actor, *, product_id: int | None, limit: int, after: str | None, loss_id: int | None = None
) -> Page[CropLossOut]:
    """Crop losses that concern the caller, newest first."""
    start = paging.position(after, int)
    rows = session.execute(
        _LOSSES,
        {
            **_reach(actor),
            "id": loss_id,
            "product_id": product_id,
            "start": start[0] if start else None,
            "rows": limit + 1,
        },
    ).all()
    shares: dict[int, list[Row[Any]]] = {}
    for share in session.execute(_SHARES_OF, {"ids": [row.id for row in rows]}):
        shares.setdefault(share.crop_loss_id, []).append(share)

    def shown(row: Row[Any]) -> CropLossOut:
        mine = [share for share in shares.get(row.id, []) if row.whole or actor.within_branch(share.buyer_path)]
        return CropLossOut(
            **{name: getattr(row, name) for name in CropLossOut.model_fields if name != "shares"},
            shares=[LossShareOut.model_validate(share, from_attributes=True) for share in mine],
        )

    return paging.page(rows, limit, shown, lambda row: [row.id])


def loss(session: Session, actor: Actor, loss_id: int) -> CropLossOut:
    """One crop loss.

    Raises:
        NotFound: none that concerns the caller.
    """
    found = losses(session, actor, product_id=None, limit=1, after=None, loss_id=loss_id).items
    if not found:
        raise NotFound
    return found[0]


def evidence(session: Session, actor: Actor, loss_id: int) -> Any:
    """The stored file behind a crop loss.

    Raises:
        NotFound: no such loss, or none with evidence.
    """
    file_id = loss(session, actor, loss_id).evidence_file_id
    row = session.execute(text("SELECT * FROM stored_file WHERE id = :id"), {"id": file_id}).first()
    if row is None:
        raise NotFound
    return row


def this_month() -> date:
    return rules.month_of(clock.today())
