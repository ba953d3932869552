"""Reading what is held: for officers and monitors, each within the own regions."""

# ruff: noqa: S608  statements are put together from constants only

from collections.abc import Sequence
from typing import Any

from sqlalchemy import text
from sqlmodel import Session

from orders.counting import countable
from orders.counting.colliding import COLLIDING, days
from orders.counting.rules import Subject
from orders.counting.schemas import CollisionOut, HeldOut, HoldFilter, HoldOut, HoldRow, OpenDoubts, SideOut
from shop.core import paging
from shop.core.db import array
from shop.core.errors import Invalid, NotFound, unknown_code
from shop.core.paging import Page
from shop.identity.actor import Actor
from shop.identity.permissions import Permission

#: SQL: when the first sale of batch ``b`` was made, not after it was told, whatever the till's clock says; of one that withdraws another the first of that.
BATCH_SOLD_AT = """least(coalesce(b.first_sold_at, (SELECT of.first_sold_at FROM sales_batch of WHERE of.outlet_id = b.outlet_id AND of.batch_id = b.corrects)),
    b.received_at)"""
#: SQL: batch ``b`` waits for one before it, or a refund in it for its sale.
BATCH_WAITS = """b.id IN (SELECT id FROM sales_batch WHERE status = 'waiting' UNION ALL SELECT batch_id FROM sales_batch_line WHERE status = 'waiting')"""
#: SQL: the day of the sale that hold ``h`` is about (of a batch that of its first one); else the day on which it was opened.
SOLD_ON = f"""coalesce(
    (SELECT x.sold_on FROM external_sale x WHERE h.subject_kind = 'external_sale' AND x.id = h.subject_id),
    (SELECT ({BATCH_SOLD_AT} AT TIME ZONE 'Asia/Shanghai')::date FROM sales_batch b WHERE h.subject_kind = 'sales_batch' AND b.id = h.subject_id),
    (SELECT l.sold_on FROM sales_batch_line l WHERE h.subject_kind = 'sales_batch_line' AND l.id = h.subject_id),
    (h.opened_at AT TIME ZONE 'Asia/Shanghai')::date)"""
# One of the two that collide, whatever it is.
_SIDE = """
    LATERAL (
        SELECT jsonb_build_object('kind', h.{side}_kind, 'id', h.{side}_id, 'number', f.number, 'status', f.status, 'name', f.name,
                   'sold_on', f.sold_on, 'amount', f.amount_fen, 'documents', coalesce((
                       SELECT jsonb_agg(jsonb_build_object('kind', u.kind, 'number', u.number) ORDER BY u.kind, u.number)
                       FROM document_use u WHERE u.subject_kind = h.{side}_kind AND u.subject_id = h.{side}_id), '[]'::jsonb)) AS said
        FROM (SELECT 1) always LEFT JOIN LATERAL (
            SELECT x.number, x.status, o.name, x.sold_on, x.total_fen AS amount_fen
            FROM external_sale x JOIN organisation o ON o.id = x.supplier_id WHERE h.{side}_kind = 'external_sale' AND x.id = h.{side}_id
            UNION ALL
            SELECT b.batch_id, b.status, t.name, ({sold_at} AT TIME ZONE 'Asia/Shanghai')::date, b.certified_fen + b.other_fen
            FROM sales_batch b JOIN outlet t ON t.id = b.outlet_id WHERE h.{side}_kind = 'sales_batch' AND b.id = h.{side}_id
            UNION ALL
            SELECT l.line_id, l.status, t.name, l.sold_on, l.amount_fen
            FROM sales_batch_line l JOIN outlet t ON t.id = l.outlet_id WHERE h.{side}_kind = 'sales_batch_line' AND l.id = h.{side}_id
            UNION ALL
            SELECT p.number, NULL, NULL, (p.placed_at AT TIME ZONE 'Asia/Shanghai')::date, p.total_fen
            FROM purchase_order p WHERE h.{side}_kind = 'purchase_order' AND p.id = h.{side}_id
        ) f ON true
    )
"""


def _side(name: str) -> str:
    return _SIDE.format(side=name, sold_at=f"coalesce(b.last_sold_at, {BATCH_SOLD_AT})")


_HOLDS = f"""
    SELECT h.*, h.amount_fen AS amount, subject.said AS subject, CASE WHEN h.other_id IS NOT NULL THEN other.said END AS other
    FROM counting_hold h CROSS JOIN {_side("subject")} subject CROSS JOIN {_side("other")} other
    WHERE h.district_code LIKE ANY (CAST(:regions AS text[]))
"""
_PAGE = text(
    f"""
    {_HOLDS}
      AND (CAST(:reason AS text) IS NULL OR h.reason_code = :reason) AND (CAST(:district AS text) IS NULL OR h.district_code = :district)
      AND (CAST(:status AS text) IS NULL OR h.status = :status) AND (CAST(:subject AS text) IS NULL OR h.subject_kind = :subject)
      AND (CAST(:subject_id AS bigint) IS NULL OR h.subject_id = :subject_id)
      AND (CAST(:whole_batches AS boolean) IS NULL OR (h.subject_kind = 'sales_batch') = :whole_batches)
      AND (CAST(:sold_to AS date) IS NULL OR {SOLD_ON} <= :sold_to) AND (CAST(:start AS bigint) IS NULL OR h.id < :start)
    ORDER BY h.id DESC LIMIT :rows
    """
)
_ONE = text(f"{_HOLDS} AND h.id = :id")
# Whether there is, in the caller's regions, something that may be held; of one kind, or of any.
_SUBJECT = text(
    """
    SELECT EXISTS (
        SELECT FROM (
            SELECT 'external_sale' AS kind, x.id, x.district_code FROM external_sale x
            UNION ALL SELECT 'sales_batch', b.id, t.region_code FROM sales_batch b JOIN outlet t ON t.id = b.outlet_id
            UNION ALL SELECT 'sales_batch_line', l.id, t.region_code FROM sales_batch_line l JOIN outlet t ON t.id = l.outlet_id
            UNION ALL SELECT h.subject_kind, h.subject_id, h.district_code FROM counting_hold h
        ) s
        WHERE s.id = :subject_id AND (CAST(:subject AS text) IS NULL OR s.kind = :subject)
          AND s.district_code LIKE ANY (CAST(:regions AS text[])))
    """
)
_TWIN = text(
    """
    SELECT t.id FROM counting_hold h JOIN counting_hold t ON t.subject_kind = h.other_kind AND t.subject_id = h.other_id
         AND t.other_kind = h.subject_kind AND t.other_id = h.subject_id AND t.reason_code = h.reason_code
    WHERE h.id = :id ORDER BY t.id DESC LIMIT 1
    """
)

_OPEN = text(
    """
    SELECT id AS hold_id, reason_code, other_kind, other_id FROM counting_hold
    WHERE subject_kind = :kind AND subject_id = :id AND status = 'open' ORDER BY id
    """
)
_TO_COME = text(
    f"""
    SELECT c.* FROM (
        SELECT DISTINCT ON (other_kind, other_id) reason_code, other_kind, other_id
        FROM ({" UNION ALL ".join(f"SELECT '{reason}' AS reason_code, other_kind, other_id FROM ({each}) c" for reason, each in COLLIDING.items())}) c
        ORDER BY other_kind, other_id, reason_code
    ) c
    WHERE NOT EXISTS (SELECT FROM counting_hold h WHERE h.subject_kind = 'external_sale' AND h.subject_id = ANY (CAST(:ids AS bigint[]))
                      AND h.status = 'open' AND h.reason_code = c.reason_code AND h.other_kind = c.other_kind AND h.other_id = c.other_id)
    ORDER BY other_kind = 'external_sale', other_kind, other_id
    """
)
#: So many of those that are to come are shown.
_SHOWN = 50


def holds(session: Session, actor: Actor, asked: HoldFilter, *, limit: int, after: str | None) -> Page[HoldRow]:
    """What is or was held in the caller's regions, newest first, with both sides.

    Raises:
        Invalid: there is nothing there that has the id ``subject_id`` (422).
    """
    start = paging.position(after, int)
    fields = {name: getattr(asked, name) for name in HoldFilter.model_fields}
    values = {**_regions(actor), **fields, "start": start[0] if start else None, "rows": limit + 1}
    rows = session.execute(_PAGE, values).all()
    if not rows and asked.subject_id is not None and not session.execute(_SUBJECT, values).scalar_one():
        raise Invalid(faults=[unknown_code("subject_id", asked.subject_id)])
    return paging.page(rows, limit, lambda row: HoldRow(**_shown(row, HoldRow)), lambda row: [row.id])


def hold(session: Session, actor: Actor, hold_id: int) -> HoldOut:
    """One of them.

    Raises:
        NotFound: none within the caller's regions (404).
    """
    row = session.execute(_ONE, {"id": hold_id, **_regions(actor)}).first()
    if row is None:
        raise NotFound
    left = open_doubts(session, row.subject_kind, row.subject_id)
    return HoldOut(
        **_shown(row, HoldOut),
        **dict(left),
        other_hold_id=session.execute(_TWIN, {"id": hold_id}).scalar(),
        would_give_back=countable.would_give_back(session, row.subject_kind, row.subject_id),
    )


def open_doubts(session: Session, kind: str, subject_id: int) -> OpenDoubts:
    """What is to be decided before a claim is free; nothing comes after what is not held."""
    held = [HeldOut.model_validate(row, from_attributes=True) for row in session.execute(_OPEN, {"kind": kind, "id": subject_id})]
    to_come: Sequence[Any] = []
    if held and kind == Subject.EXTERNAL_SALE:
        to_come = session.execute(_TO_COME, {"ids": array([subject_id]), "days": days(session)}).all()
    shown = [CollisionOut.model_validate(row, from_attributes=True) for row in to_come[:_SHOWN]]
    return OpenDoubts(holds=held, to_come=shown, decisions_left=len(held) + len(to_come))


def _regions(actor: Actor) -> dict[str, Any]:
    return {"regions": actor.region_patterns(Permission.COUNTING_READ)}


def _shown(row: Any, model: type[HoldRow]) -> dict[str, Any]:
    shown = {name: getattr(row, name) for name in model.model_fields if hasattr(row, name)}
    return {**shown, "subject": SideOut(**row.subject), "other": SideOut(**row.other) if row.other else None}
