"""Taking batches: what of them counts, is other goods, resale or doubted; corrections; and the outlets' days. A constant number of statements,
however many lines."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from sqlalchemy import Row, text
from sqlmodel import Session

from orders.counting import actions as counting
from orders.counting.actions import Doubted
from orders.counting.rules import Subject
from orders.ledger import actions as ledger
from orders.ledger.booking import CERTIFIED, SOLD_AT
from orders.ledger.rules import Claim
from orders.outlet_sales.actions import refunding, reselling, resembling, weighing
from orders.outlet_sales.actions.days import add_to_days
from orders.outlet_sales.rules import BatchStatus, Doubt, LineStatus, Told, doubt
from orders.outlets.rules import Term
from shop.core import audit, clock, outbox
from shop.core.audit import SYSTEM
from shop.core.db import array
from shop.programmes import queries as programmes

# Everything that changes an outlet's figures happens with its pulse locked: tills of one outlet come one after the other.
_LOCK = text("SELECT outlet_id FROM outlet_pulse WHERE outlet_id = ANY (CAST(:ids AS bigint[])) ORDER BY outlet_id FOR UPDATE")
#: SQL: when outlet ``o`` sells, as :func:`term_of` reads it.
TERM = "o.status AS outlet_status, o.opened_on, (o.verified_at AT TIME ZONE 'Asia/Shanghai')::date AS verified_on, o.closed_on"
_BATCHES = text(
    f"""
    SELECT b.*, {TERM}, o.region_code, o.operator_id,
           -- what it may count in place of what it corrects
           CASE WHEN b.corrects IS NOT NULL THEN (
               SELECT coalesce(sum(CASE WHEN l.refunds_line_id IS NULL THEN l.amount_fen ELSE -l.amount_fen END), 0)::bigint
               FROM sales_batch_line l WHERE l.batch_id = b.id AND l.product_id IS NOT NULL) END AS instead_fen
    FROM unnest(CAST(:ids AS bigint[])) WITH ORDINALITY AS given (id, place) JOIN sales_batch b ON b.id = given.id
    JOIN outlet o ON o.id = b.outlet_id ORDER BY given.place
    """  # noqa: S608
)
#: SQL: what sales of batch ``b`` count in the ledger, refunds apart, in fen.
COUNTS = """SELECT coalesce(sum(l.amount_fen), 0)::bigint FROM sales_batch_line l
    WHERE l.batch_id = b.id AND l.status = 'counted' AND l.refunds_line_id IS NULL"""
_CORRECTED = text(
    f"""
    SELECT b.id, b.outlet_id, b.batch_id, b.status, b.first_sold_at, b.certified_fen + b.other_fen AS fen, ({COUNTS}) AS counts_fen,
           EXISTS (SELECT FROM sales_batch c WHERE c.replaces_id = b.id AND c.status <> 'void') AS is_replaced
    FROM sales_batch b JOIN unnest(CAST(:outlets AS bigint[]), CAST(:names AS text[])) AS told (outlet_id, batch_id) USING (outlet_id, batch_id)
    """  # noqa: S608
)
_SET_BATCHES = text(
    """
    UPDATE sales_batch b SET status = t.status, reason_code = coalesce(t.reason, b.reason_code), replaces_id = coalesce(t.replaces, b.replaces_id),
        taken_out_fen = coalesce(t.taken_out, b.taken_out_fen), taken_out_on = CASE WHEN t.taken_out > 0 THEN :today ELSE b.taken_out_on END
    FROM unnest(CAST(:ids AS bigint[]), CAST(:statuses AS text[]), CAST(:reasons AS text[]), CAST(:replaces AS bigint[]), CAST(:taken_out AS bigint[]))
      AS t (id, status, reason, replaces, taken_out) WHERE b.id = t.id
    """
)
_TAKEN_OUT = text(
    """
    SELECT outlet_id, sum(taken_out_fen)::bigint AS fen FROM sales_batch
    WHERE outlet_id = ANY (CAST(:outlets AS bigint[])) AND taken_out_on = :today GROUP BY outlet_id
    """
)
_SET_LINES = text(
    """
    UPDATE sales_batch_line l SET status = t.status, reason_code = t.reason
    FROM unnest(CAST(:ids AS bigint[]), CAST(:statuses AS text[]), CAST(:reasons AS text[])) AS t (batch_id, status, reason)
    WHERE l.batch_id = t.batch_id
    """
)
#: Sales of batches that are taken which were told before, with the line that tells of them. A line with a reason has been looked at by an officer; one
#: whose quantity was looked at may be told twice still.
_TWICE = text(
    f"""
    SELECT id, other_id FROM (
        SELECT l.id, coalesce(
                   (SELECT e.id FROM sales_batch_line e WHERE e.outlet_id = l.outlet_id AND e.line_id = l.line_id
                      AND e.status IN ('counted', 'other', 'resale') AND e.reason_code IS NULL),
                   nullif(first_value(l.id) OVER (PARTITION BY l.outlet_id, l.line_id ORDER BY t.place, l.line_no), l.id)
               ) AS other_id, coalesce(l.reason_code, '{Doubt.IMPLAUSIBLE}') = '{Doubt.IMPLAUSIBLE}' AS is_open
        FROM unnest(CAST(:ids AS bigint[])) WITH ORDINALITY AS t (batch_id, place) JOIN sales_batch_line l ON l.batch_id = t.batch_id
        WHERE l.status = 'waiting' AND l.refunds_line_id IS NULL
    ) fresh WHERE other_id IS NOT NULL AND is_open
    """  # noqa: S608
)
_HOLD_TWICE = text(
    f"""
    UPDATE sales_batch_line SET status = 'held', reason_code = '{Doubt.SUSPECTED_DUPLICATE}' WHERE id = ANY (CAST(:ids AS bigint[]))
    RETURNING id, batch_id, outlet_id, sold_on, amount_fen
    """  # noqa: S608
)
#: The other sales: of the list, or other goods. One whose quantity was looked at is like any other once it counts, so that refunds find it. The lines
#: are joined with nothing but their batches: of many that were written just now a planner knows nothing, and would compare each with each.
_CLASSIFY = text(
    f"""
    UPDATE sales_batch_line l SET
        status = CASE WHEN EXISTS (SELECT FROM certificate f WHERE f.product_id = l.product_id AND {CERTIFIED.format(at=SOLD_AT)}) THEN 'counted'
                      ELSE 'other' END,
        reason_code = nullif(l.reason_code, '{Doubt.IMPLAUSIBLE}')
    FROM sales_batch b
    WHERE b.id = ANY (CAST(:ids AS bigint[])) AND l.batch_id = b.id AND l.status = 'waiting' AND l.refunds_line_id IS NULL
    RETURNING l.id, l.batch_id, l.outlet_id, l.line_no, {SOLD_AT} AS sold_at, l.sold_on, l.product_id, l.quantity, l.grams, l.amount_fen, l.status
    """  # noqa: S608
)
#: Of all that a batch says, however many of its lines were looked at just now.
_TOTALS = text(
    """
    UPDATE sales_batch b SET certified_fen = t.certified, other_fen = t.total - t.certified
    FROM (SELECT batch_id, sum(amount_fen) AS total, coalesce(sum(amount_fen) FILTER (WHERE status IN ('counted', 'resale')), 0) AS certified
          FROM sales_batch_line WHERE batch_id = ANY (CAST(:ids AS bigint[])) AND refunds_line_id IS NULL GROUP BY batch_id) t
    WHERE b.id = t.batch_id
    """
)
_PULSE = text(
    """
    UPDATE outlet_pulse p SET seen_at = :now, silent_since = NULL, batch_at = :now,
        sold_at = greatest(p.sold_at, CASE WHEN t.sold_at IS NOT NULL THEN least(t.sold_at, CAST(:now AS timestamptz)) END)
    FROM (SELECT outlet_id, max(last_sold_at) AS sold_at FROM sales_batch WHERE id = ANY (CAST(:ids AS bigint[])) GROUP BY outlet_id) t
    WHERE p.outlet_id = t.outlet_id
    """
)
# Its name goes with it, so that the same file may be sent again; whoever asked for it follows it by its new one.
_RENAME = text(
    """
    WITH back AS (
        UPDATE sales_batch t SET batch_id = t.batch_id || '-taken-back-' || t.id FROM sales_batch w
        WHERE w.replaces_id = t.id AND w.id = ANY (CAST(:ids AS bigint[])) AND w.way = 'file' RETURNING w.id, t.batch_id
    )
    UPDATE sales_batch w SET corrects = back.batch_id FROM back WHERE w.id = back.id
    """
)
_STATUSES = text("SELECT id, status, reason_code FROM sales_batch WHERE id = ANY (CAST(:ids AS bigint[]))")


@dataclass(frozen=True, slots=True)
class _Target:
    """What a batch corrects, as it stood before; ``_NOTHING`` where there is no such batch."""

    id: int
    status: BatchStatus | None
    is_replaced: bool
    first_sold_at: datetime | None
    fen: int
    counts_fen: int


_NOTHING = _Target(0, None, False, None, 0, 0)


@dataclass
class _Plan:
    """What becomes of each batch: held for a reason, put in the place of another, accepted."""

    status: dict[int, BatchStatus] = field(default_factory=dict)
    reasons: dict[int, Doubt] = field(default_factory=dict)
    replaces: dict[int, int] = field(default_factory=dict)
    #: Batches from before that are replaced now.
    undone: list[int] = field(default_factory=list)
    #: What each tells, or takes out of the figures, in fen.
    fen: dict[int, int] = field(default_factory=dict)
    #: What less counts of each that was replaced, nobody else asked, in fen.
    taken_out: dict[int, int] = field(default_factory=dict)

    def of(self, *statuses: BatchStatus) -> list[int]:
        return [batch_id for batch_id, status in self.status.items() if status in statuses]


def lock(session: Session, outlet_ids: Iterable[int]) -> None:
    """Nobody else changes these outlets' figures until the transaction ends."""
    session.execute(_LOCK, {"ids": array(sorted(set(outlet_ids)))})


def take(
    session: Session, batch_ids: Sequence[int], *, broken: Collection[int] = (), decided: bool = False, why: str | None = None
) -> None:
    """Take batches that wait, in this order, as if one after the other. The caller holds their outlets locked.

    ``broken``: those that do not fit the chain. ``decided``: an officer has looked at them, and they count. ``why``: what whoever sent them says of them.
    """
    rows = session.execute(_BATCHES, {"ids": array(batch_ids)}).all()
    plan = _plan(session, rows, broken, decided)
    _set(session, plan)
    refunding.undo(session, plan.undone)
    if plan.replaces:
        session.execute(_RENAME, {"ids": array(plan.replaces)})
    accepted = plan.of(BatchStatus.ACCEPTED)
    held_lines = settle(session, accepted, sorted({row.outlet_id for row in rows}))
    session.execute(_PULSE, {"ids": array(batch_ids), "now": clock.now()})
    doubted = [
        Doubted(Subject.SALES_BATCH, row.id, plan.reasons[row.id], _evidence(row, why), row.region_code, plan.fen[row.id])
        for row in rows
        if plan.status[row.id] is BatchStatus.HELD
    ]
    counting.hold(session, doubted)
    held = sorted({*plan.of(BatchStatus.HELD), *held_lines})
    if held:
        outbox.publish_each(session, "sales_batch.held", "batch_id", held)
    if plan.undone:
        for status in (BatchStatus.REPLACED, BatchStatus.WITHDRAWN):
            audit.record_each(
                session,
                SYSTEM,
                f"sales_batch.{status}",
                "sales_batch",
                [(each, {}) for each in plan.undone if plan.status[each] is status],
            )


def settle(session: Session, batch_ids: Sequence[int], outlet_ids: Sequence[int]) -> set[int]:
    """Count the sales of accepted batches that still wait, then the refunds that wait at these outlets. Returns batches of which lines were held."""
    odd = weighing.hold(session, batch_ids) if batch_ids else []
    alike = resembling.hold(session, batch_ids) if batch_ids else []
    twice = _hold_twice(session, batch_ids) if batch_ids else []
    lines = session.execute(_CLASSIFY, {"ids": array(batch_ids)}).all() if batch_ids else []
    resold = reselling.mark(session, [line for line in lines if line.status == LineStatus.COUNTED])
    counted = [line.id for line in lines if line.status == LineStatus.COUNTED and line.id not in resold]
    if counted:
        ledger.book_claims(session, Claim.OUTLET_LINE, counted)
        outbox.publish(session, "sales_batch.counted", batch_ids=list(batch_ids))
    sales = [
        (line.outlet_id, line.sold_on, LineStatus.RESALE if line.id in resold else line.status, line.amount_fen, line.grams, 1)
        for line in lines
    ]
    add_to_days(session, sales)
    if batch_ids:
        session.execute(_TOTALS, {"ids": array(batch_ids)})
    doubted: list[tuple[Any, Doubt, int | None]] = [(line, Doubt.IMPLAUSIBLE, None) for line in odd]
    doubted += [(line, Doubt.SUSPECTED_DUPLICATE, other_id) for line, other_id in (*twice, *alike)]
    doubted += refunding.give_back(session, outlet_ids)
    hold_lines(session, doubted)
    return {line.batch_id for line, _, _ in doubted}


def _hold_twice(session: Session, batch_ids: Sequence[int]) -> list[tuple[Row[Any], int]]:
    """Hold the lines that wait, and tell a sale that was told before; returns each with the one that it tells again."""
    other = {row.id: row.other_id for row in session.execute(_TWICE, {"ids": array(batch_ids)})}
    held = session.execute(_HOLD_TWICE, {"ids": array(other)}).all() if other else []
    return [(line, other[line.id]) for line in held]


def hold_lines(session: Session, doubted: Sequence[tuple[Any, Doubt, int | None]]) -> None:
    """Open a hold for each line: with why, and the line that it is held against."""
    if not doubted:
        return
    regions = {
        row.id: row.region_code
        for row in session.execute(
            text("SELECT id, region_code FROM outlet WHERE id = ANY (CAST(:ids AS bigint[]))"),
            {"ids": array({line.outlet_id for line, _, _ in doubted})},
        )
    }
    found = [
        Doubted(
            Subject.SALES_BATCH_LINE,
            line.id,
            reason,
            {"batch": line.batch_id, "sold_on": str(line.sold_on), "amount_fen": line.amount_fen},
            regions[line.outlet_id],
            line.amount_fen,
            Subject.SALES_BATCH_LINE if other else None,
            other,
        )
        for line, reason, other in doubted
    ]
    counting.hold(session, found)


def term_of(row: Row[Any]) -> Term:
    """When the outlet of a row with ``TERM`` sells."""
    return Term(row.outlet_status, row.opened_on, row.verified_on, row.closed_on)


def statuses(session: Session, batch_ids: Sequence[int]) -> dict[int, dict[str, Any]]:
    """What became of batches, by their ids."""
    found = session.execute(_STATUSES, {"ids": array(batch_ids)})
    return {row.id: {"status": row.status, "reason_code": row.reason_code} for row in found}


def _plan(session: Session, rows: Sequence[Row[Any]], broken: Collection[int], decided: bool) -> _Plan:
    plan, limits = _Plan(), programmes.config_of(session, clock.today()).counting
    corrected = _corrected(session, rows)
    gone = taken_out_today(session, {outlet_id for outlet_id, _ in corrected})
    for row in rows:
        target = corrected.get((row.outlet_id, row.corrects), _NOTHING)
        plan.fen[row.id] = row.certified_fen + row.other_fen if row.line_count else target.fen
        target_status = plan.status.get(target.id, target.status)
        is_replaced = target.is_replaced or target.id in plan.replaces.values()
        taken_out = target.first_sold_at if target_status == BatchStatus.ACCEPTED and row.line_count == 0 else None
        told = Told(row.sent_at, row.received_at, row.first_sold_at or taken_out, row.last_sold_at)
        reason: Doubt | None = None
        if not decided:
            reason = (
                Doubt.BROKEN_CHAIN
                if row.id in broken
                else doubt(told, term_of(row), clock_minutes=limits.clock_minutes, late_days=limits.late_days)
            )
        if row.corrects is not None and reason is None:
            out = 0 if decided else _taken_out(row, target, target_status)
            if target_status is None or target_status == BatchStatus.WAITING or is_replaced or target.id == row.id:
                # one that is void stays void, but is corrected once, too
                reason = Doubt.CORRECTS_NOTHING
            elif out and _is_much(row, gone[row.outlet_id] + out, limits.withdrawal_yuan):
                reason, plan.fen[row.id] = Doubt.WITHDRAWAL, out
            else:
                plan.replaces[row.id] = target.id
                if out:
                    gone[row.outlet_id] += out
                    plan.taken_out[target.id] = out
                if target.id not in plan.status and target_status != BatchStatus.VOID:
                    plan.undone.append(target.id)
                if target_status != BatchStatus.VOID:
                    plan.status[target.id] = BatchStatus.REPLACED if row.line_count else BatchStatus.WITHDRAWN
        if reason is not None:
            plan.reasons[row.id] = reason
        plan.status[row.id] = BatchStatus.HELD if reason else BatchStatus.ACCEPTED
    return plan


def _taken_out(row: Row[Any], target: _Target, status: BatchStatus | None) -> int:
    """By how much less counts, in fen, once a batch stands in the place of another."""
    return max(target.counts_fen - row.instead_fen, 0) if status == BatchStatus.ACCEPTED else 0


def taken_out_today(session: Session, outlet_ids: Collection[int]) -> Counter[int]:
    """What less counts of each outlet by what was taken out of its figures today without a second person, in fen. The caller holds them locked."""
    found = session.execute(_TAKEN_OUT, {"outlets": array(sorted(outlet_ids)), "today": clock.today()}) if outlet_ids else ()
    return Counter({row.outlet_id: row.fen for row in found})


def _is_much(row: Row[Any], out: int, most_yuan: int) -> bool:
    """Whether a second person is asked; of a file, which is taken back with others, that was found before."""
    return row.way == "file" or out > most_yuan * 100


def _corrected(session: Session, rows: Sequence[Row[Any]]) -> Mapping[tuple[int, str | None], _Target]:
    asked = [(row.outlet_id, row.corrects) for row in rows if row.corrects is not None]
    if not asked:
        return {}
    values = {"outlets": [key[0] for key in asked], "names": [key[1] for key in asked]}
    found = session.execute(_CORRECTED, values)
    return {
        (row.outlet_id, row.batch_id): _Target(
            row.id, BatchStatus(row.status), row.is_replaced, row.first_sold_at, row.fen, row.counts_fen
        )
        for row in found
    }


def _set(session: Session, plan: _Plan) -> None:
    ids = list(plan.status)
    values = {
        "ids": array(ids),
        "statuses": [plan.status[each].value for each in ids],
        "reasons": [_value(plan.reasons.get(each)) for each in ids],
        "replaces": array(plan.replaces.get(each) for each in ids),
        "taken_out": array(plan.taken_out.get(each) for each in ids),
        "today": clock.today(),
    }
    session.execute(_SET_BATCHES, values)
    # what was counted before is taken back first; these never were
    lines = [each for each in plan.of(BatchStatus.HELD, BatchStatus.REPLACED, BatchStatus.WITHDRAWN) if each not in plan.undone]
    if lines:
        reasons = [_value(plan.reasons.get(each)) if plan.status[each] is BatchStatus.HELD else None for each in lines]
        states = [(LineStatus.HELD if plan.status[each] is BatchStatus.HELD else LineStatus.REPLACED).value for each in lines]
        session.execute(_SET_LINES, {"ids": array(lines), "statuses": states, "reasons": reasons})


def _value(reason: Doubt | None) -> str | None:
    return reason and reason.value


def _evidence(row: Row[Any], why: str | None) -> dict[str, Any]:
    def said(value: Any) -> Any:
        return value.isoformat() if isinstance(value, date) else value

    names = ("batch_id", "sequence", "previous_hash", "sent_at", "received_at", "first_sold_at", "last_sold_at", "corrects")
    told = {name: said(getattr(row, name)) for name in names if getattr(row, name) is not None}
    return {**told, "why": why} if why else told
