"""Reading settlements and their lines, each within the caller's reach."""

# ruff: noqa: S608  statements are put together from constants only

from collections.abc import Sequence
from datetime import date
from typing import Any

from sqlalchemy import Row, text
from sqlmodel import Session

from orders.ledger.booking import accepted_line, parent
from orders.money.queries.reach import keeps, reach
from orders.settlement.queries.reach import IN_REACH
from orders.settlement.rules import Hold, Period
from orders.settlement.schemas.settlements import (
    LiftOut,
    LineOut,
    ObjectionOut,
    PeriodOut,
    RunOut,
    SettlementOut,
    SettlementRow,
)
from orders.settlement.sheets import AMOUNTS, why
from orders.settlement.states import SettlementMove, SettlementStatus, settlement_moves
from shop.core import clock, paging
from shop.core.errors import Language, NotFound
from shop.core.exports import TooManyLines
from shop.core.paging import Page
from shop.identity.actor import Actor
from shop.identity.permissions import Permission

_AMOUNTS = ", ".join(f"s.{name}_fen AS {name}" for name in AMOUNTS)
_SETTLEMENT = f"""
    SELECT s.*, {_AMOUNTS}, o.name AS supplier_name, o.path, o.region_code, p.id AS payout_id, p.status AS payout_status
    FROM settlement s JOIN organisation o ON o.id = s.supplier_id LEFT JOIN payout p ON p.settlement_id = s.id AND p.again_for_id IS NULL WHERE {IN_REACH}
"""
#: SQL: whether something of settlement ``s`` is still to be paid, be it again what came back.
_UNPAID = "EXISTS (SELECT FROM payout u WHERE u.settlement_id = s.id AND u.status <> 'paid')"
_ONE = text(f"{_SETTLEMENT} AND s.id = :id")
_MANY = text(
    f"""{_SETTLEMENT} AND (CAST(:supplier_id AS bigint) IS NULL OR s.supplier_id = :supplier_id)
    AND (CAST(:status AS text) IS NULL OR s.status = :status AND (:status <> 'open' OR {_UNPAID}))
    AND (CAST(:unpaid AS boolean) IS NULL OR {_UNPAID} = :unpaid) AND (CAST(:period_end AS date) IS NULL OR s.period_end = :period_end)
    AND (CAST(:start AS bigint) IS NULL OR s.id < :start) ORDER BY s.id DESC LIMIT :rows"""
)
_OBJECTIONS = text("SELECT * FROM settlement_objection WHERE settlement_id = :id ORDER BY id")
_RELEASED = text("SELECT EXISTS (SELECT FROM payout WHERE settlement_id = :id AND status IN ('released', 'sent', 'paid'))")
_RUN = text("SELECT count(*) AS settlements, coalesce(sum(due_fen), 0)::bigint AS due FROM settlement WHERE run_id = :id")
#: SQL: what a posting on a supplier's account is about; the delivery is that of the acceptance which the sale was booked by.
ABOUT = """
    JOIN money_transaction t ON t.id = mp.transaction_id
    JOIN purchase_order po ON po.id = mp.purchase_order_id
    LEFT JOIN sale_entry e ON e.id = mp.sale_entry_id
    LEFT JOIN product g ON g.id = e.product_id
"""
#: SQL: what kind of line a posting is.
KIND = """CASE WHEN t.kind = 'sale' AND mp.amount_fen > 0 THEN 'return' WHEN t.kind = 'loss_borne' AND mp.amount_fen < 0 THEN 'loss_returned'
    ELSE t.kind END"""
_LINES = f"""
    SELECT mp.id AS posting_id, po.id AS purchase_order_id, po.number AS purchase_order_number, x.supplier_order_id, t.booked_on, {KIND} AS kind,
           g.name AS product_name, a.shipment_id, h.waybill, ol.line_no AS order_line_no, x.amount_fen AS amount, x.rule_id,
           x.commission_fen AS commission, x.amount_fen - x.commission_fen AS net, x.hold
    FROM (
        SELECT posting_id, supplier_order_id, amount_fen, rule_id, commission_fen, CAST(NULL AS text) AS hold FROM settlement_line
        WHERE settlement_id = :id
        UNION ALL SELECT posting_id, supplier_order_id, amount_fen, NULL, 0, hold FROM settlement_held WHERE settlement_id = :id
    ) x JOIN money_posting mp ON mp.id = x.posting_id {ABOUT}
    -- what was taken back, or booked again for another buyer, is shown with the delivery that it was of
    LEFT JOIN LATERAL (
        WITH RECURSIVE chain AS (
            SELECT e.id, e.origin_kind, e.origin_id, e.reverses_id
            UNION ALL
            SELECT before.id, before.origin_kind, before.origin_id, before.reverses_id FROM chain JOIN sale_entry before ON before.id = {parent("chain")}
        )
        SELECT {accepted_line("chain")} AS id FROM chain WHERE origin_kind IN ('acceptance_line', 'acceptance_correction') LIMIT 1
    ) accepted ON e.id IS NOT NULL
    LEFT JOIN acceptance_line al ON al.id = accepted.id
    LEFT JOIN acceptance a ON a.id = al.acceptance_id
    LEFT JOIN shipment h ON h.id = a.shipment_id
    LEFT JOIN order_line ol ON ol.id = al.order_line_id
"""
_LINES_PAGE = text(
    f"""SELECT * FROM ({_LINES}) l WHERE (CAST(:held AS boolean) IS NULL OR (hold IS NOT NULL) = :held)
    AND (CAST(:start AS bigint) IS NULL OR posting_id > :start) ORDER BY posting_id LIMIT :rows"""
)
_LINES_ALL = text(f"SELECT * FROM ({_LINES}) l ORDER BY hold IS NOT NULL, purchase_order_number, posting_id")
_LINE_COUNT = text(
    "SELECT (SELECT count(*) FROM settlement_line WHERE settlement_id = :id) + (SELECT count(*) FROM settlement_held WHERE settlement_id = :id)"
)
_PERIODS = text(
    f"""
    SELECT s.period_start, s.period_end, count(*) AS settlements,
           {", ".join(f"sum(s.{name}_fen)::bigint AS {name}" for name in AMOUNTS if name not in ("carried", "held"))},
           coalesce(sum(p.paid), 0)::bigint AS paid, count(*) FILTER (WHERE s.status = 'objected') AS objected
    FROM settlement s JOIN organisation o ON o.id = s.supplier_id
    LEFT JOIN (SELECT settlement_id, sum(amount_fen - returned_fen) AS paid FROM payout WHERE status = 'paid' GROUP BY 1) p
      ON p.settlement_id = s.id
    WHERE {IN_REACH} AND (CAST(:last AS date) IS NULL OR (s.period_end, s.period_start) < (:last, CAST(:first AS date)))
    GROUP BY s.period_start, s.period_end ORDER BY s.period_end DESC, s.period_start DESC LIMIT :rows
    """
)


def settlement(session: Session, actor: Actor, settlement_id: int) -> SettlementOut:
    """One settlement, as the head of its statement.

    Raises:
        NotFound: there is none within reach (404).
    """
    row = session.execute(_ONE, {"id": settlement_id, **reach(actor)}).first()
    if row is None:
        raise NotFound
    objections = [
        ObjectionOut(**{name: getattr(each, name) for name in ObjectionOut.model_fields})
        for each in session.execute(_OBJECTIONS, {"id": settlement_id})
    ]
    late = clock.today() > row.objections_until or is_released(session, settlement_id)
    mine = moves_of(actor, row)
    moves = [move for move in settlement_moves(row.status, late=late) if move in mine]
    return SettlementOut(**_shown(row).model_dump(), objections=objections, possible_actions=moves)


def moves_of(actor: Actor, row: Any) -> set[SettlementMove]:
    """What the actor may do with a statement at all: agree or object, as the supplier, or answer, as who keeps its money."""
    moves: set[SettlementMove] = set()
    if actor.may(Permission.SETTLEMENTS_ANSWER) and actor.within_branch(row.path):
        moves |= {SettlementMove.CONFIRM, SettlementMove.OBJECT}
    if keeps(actor, row.region_code):
        moves.add(SettlementMove.ANSWER)
    return moves


def is_released(session: Session, settlement_id: int) -> bool:
    """Whether something of it is on its way, or paid: nothing is said against it any more."""
    return bool(session.execute(_RELEASED, {"id": settlement_id}).scalar_one())


def settlements(
    session: Session,
    actor: Actor,
    *,
    supplier_id: int | None = None,
    status: SettlementStatus | None = None,
    unpaid: bool | None = None,
    period_end: date | None = None,
    limit: int,
    after: str | None = None,
) -> Page[SettlementRow]:
    """Settlements of the caller's branch, or of those whose money it keeps; newest first. ``status`` open: the supplier has not answered, and
    something is still to be paid; ``unpaid``: something is, whatever the supplier said."""
    start = paging.position(after, int)
    values = {
        "supplier_id": supplier_id,
        "status": status,
        "unpaid": unpaid,
        "period_end": period_end,
        "start": start[0] if start else None,
    }
    rows = session.execute(_MANY, {**values, "rows": limit + 1, **reach(actor)}).all()
    return paging.page(rows, limit, _shown, lambda row: [row.id])


def lines(
    session: Session, actor: Actor, settlement_id: int, language: Language, *, held: bool | None, limit: int, after: str | None
) -> Page[LineOut]:
    """The lines of a statement, in the order in which they were booked: taken up, held, or both.

    Raises:
        NotFound: there is none within reach (404).
    """
    settlement(session, actor, settlement_id)
    start = paging.position(after, int)
    values = {"id": settlement_id, "held": held, "start": start[0] if start else None, "rows": limit + 1}
    return paging.page(
        session.execute(_LINES_PAGE, values).all(), limit, lambda row: _line(row, language), lambda row: [row.posting_id]
    )


def all_lines(session: Session, settlement_id: int, *, most: int) -> Sequence[Row[Any]]:
    """Every line of a settlement that the caller was seen to reach, by order; what was held comes last.

    Raises:
        TooManyLines: there are more than ``most``, counted before any is read (422).
    """
    if session.execute(_LINE_COUNT, {"id": settlement_id}).scalar_one() > most:
        raise TooManyLines(limit=most)
    return session.execute(_LINES_ALL, {"id": settlement_id}).all()


def periods(session: Session, actor: Actor, *, limit: int, after: str | None) -> Page[PeriodOut]:
    """What each period came to, newest first."""
    start = paging.position(after, str, str)
    last, first = map(paging.day, start) if start else (None, None)
    values = {"last": last, "first": first, "rows": limit + 1}
    rows = session.execute(_PERIODS, {**values, **reach(actor)}).all()
    return paging.page(
        rows,
        limit,
        lambda row: PeriodOut(**{name: getattr(row, name) for name in PeriodOut.model_fields}),
        lambda row: [row.period_end, row.period_start],
    )


def run(session: Session, period: Period, run_id: int | None) -> RunOut:
    """What a run made."""
    row = session.execute(_RUN, {"id": run_id}).one()
    return RunOut(period_start=period.first, period_end=period.last, settlements=row.settlements, due=row.due)


def lift(session: Session, lift_id: int) -> LiftOut:
    row = session.execute(text("SELECT * FROM hold_lift WHERE id = :id"), {"id": lift_id}).one()
    return LiftOut(**{name: getattr(row, name) for name in LiftOut.model_fields})


def _shown(row: Row[Any]) -> SettlementRow:
    return SettlementRow(**{name: getattr(row, name) for name in SettlementRow.model_fields})


def _line(row: Row[Any], language: Language) -> LineOut:
    fields = {name: getattr(row, name) for name in LineOut.model_fields if name != "why"}
    return LineOut(**fields, why=why(Hold(row.hold), language) if row.hold else None)
