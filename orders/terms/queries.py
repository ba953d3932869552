"""Reading terms, dues and credit limits, each within the caller's reach."""

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import Row, text
from sqlmodel import Session

from orders.ledger.queries import FREIGHT_LOST
from orders.money.queries import ALLOWED_OF_PART, NOT_ARRIVED, PAID
from orders.money.queries.reach import reach
from orders.terms.errors import NoCreditLimit
from orders.terms.models import SORTED_ON
from orders.terms.rules import BUCKETS, After, Bucket
from orders.terms.schemas import (
    BucketOut,
    CreditDrawOut,
    CreditLimitOut,
    DueFilter,
    DueOut,
    DueRow,
    DueSearch,
    DueStatus,
    DueTotalsOut,
    PaymentTerms,
)
from shop.core import clock, paging
from shop.core.errors import NotFound
from shop.core.exports import MAX_LINES, TooManyLines
from shop.core.paging import Page
from shop.identity.actor import Actor
from shop.programmes import queries as programmes

#: SQL: what supplier order ``so`` costs by now, in fen: its freight, and its goods less what was rejected, lost or will not come. What the ledger
#: took back or booked anew since the acceptance (returns, corrections) counts as it says, and so does what a dispute gave back. Rejected and
#: cancelled parts cost nothing, not even freight.
COST_OF_PART = f"""-{ALLOWED_OF_PART.format(id="so.id")}
  + CASE WHEN so.status IN ('rejected', 'cancelled') THEN 0 ELSE CASE WHEN {FREIGHT_LOST} THEN 0 ELSE so.freight_fen END
    + (SELECT coalesce(sum(round((l.quantity - l.rejected_quantity - l.difference_quantity - l.closed_quantity) * l.unit_price_fen)), 0)::bigint
       FROM order_line l WHERE l.supplier_order_id = so.id)
    + (SELECT coalesce(sum(e.amount_fen), 0)::bigint FROM sale_entry e
       WHERE e.order_id = so.purchase_order_id AND e.supplier_order_id = so.id AND e.origin_kind <> 'acceptance_line') END"""  # noqa: S608
#: SQL: what order ``{order}`` costs by now: its parts.
COST_OF_ORDER = f"(SELECT coalesce(sum({COST_OF_PART}), 0)::bigint FROM supplier_order so WHERE so.purchase_order_id = {{order}})"  # noqa: S608
#: SQL: what is to be paid for order ``{order}`` and has not arrived, whether it is due or not; below zero: paid too much. What a buyer only says that
#: it sent does not lessen what it owes.
OUTSTANDING = f"({COST_OF_ORDER} - {PAID} + {NOT_ARRIVED})"
#: SQL: of what supplier order ``so`` costs, what has arrived, what is only announced, and what is neither.
DUES_OF_PART = """(
    SELECT coalesce(sum(arrived_fen), 0)::bigint AS paid, coalesce(sum(paid_fen - arrived_fen), 0)::bigint AS announced,
           coalesce(sum(amount_fen - paid_fen), 0)::bigint AS due
    FROM payment_due WHERE supplier_order_id = so.id)"""
_BUCKET = "CASE {} END".format(
    " ".join(
        f"WHEN d.overdue_days >= {first}{'' if last is None else f' AND d.overdue_days <= {last}'} THEN '{bucket}'"
        for bucket, (first, last) in BUCKETS.items()
    )
)
# A date of null means that the days have not begun.
_DUES = f"""
    SELECT d.*, {_BUCKET} AS bucket FROM (
        SELECT d.id, d.purchase_order_id, d.supplier_order_id, d.position, d.counted_from, d.due_on, d.amount_fen, d.arrived_fen,
               d.paid_fen - d.arrived_fen AS announced_fen, d.amount_fen - d.paid_fen AS open_fen,
               CASE WHEN d.paid_fen < d.amount_fen THEN greatest(CAST(:today AS date) - d.due_on, 0) ELSE 0 END AS overdue_days,
               CASE WHEN d.arrived_fen = d.amount_fen THEN 'paid' WHEN d.paid_fen = d.amount_fen THEN 'announced' WHEN d.due_on IS NULL THEN 'undated'
                    WHEN d.due_on < CAST(:today AS date) THEN 'overdue' ELSE 'open' END AS status,
               {SORTED_ON.replace("due_on", "d.due_on")} AS sorted_on, po.number, po.buyer_id, buyer.name AS buyer_name, so.supplier_id,
               supplier.name AS supplier_name
        FROM payment_due d
        JOIN purchase_order po ON po.id = d.purchase_order_id
        JOIN supplier_order so ON so.id = d.supplier_order_id
        JOIN organisation buyer ON buyer.id = po.buyer_id
        JOIN organisation supplier ON supplier.id = so.supplier_id
        WHERE {{within}}
          AND (CAST(:buyer_id AS bigint) IS NULL OR po.buyer_id = :buyer_id)
          AND (CAST(:supplier_id AS bigint) IS NULL OR so.supplier_id = :supplier_id)
          AND (CAST(:purchase_order_id AS bigint) IS NULL OR d.purchase_order_id = :purchase_order_id)
          AND (CAST(:due_from AS date) IS NULL OR d.due_on >= :due_from)
          AND (CAST(:due_to AS date) IS NULL OR d.due_on <= :due_to)
    ) d
"""  # noqa: S608
_ASKED = f"(CAST(:status AS text) IS NULL OR d.status = :status) AND (CAST(:bucket AS text) IS NULL OR {_BUCKET} = :bucket)"
#: The dues of orders that a branch buys, that its units order, and that it delivers: each side by an index of its own.
_OF_BRANCH = """
    d.id IN (
        SELECT x.id FROM organisation o JOIN purchase_order po ON po.buyer_id = o.id JOIN payment_due x ON x.purchase_order_id = po.id
        WHERE o.path LIKE CAST(:branch AS text)
        UNION SELECT x.id FROM organisation o JOIN purchase_order po ON po.ordering_unit_id = o.id JOIN payment_due x ON x.purchase_order_id = po.id
        WHERE o.path LIKE CAST(:branch AS text)
        UNION SELECT x.id FROM organisation o JOIN supplier_order so ON so.supplier_id = o.id JOIN payment_due x ON x.supplier_order_id = so.id
        WHERE o.path LIKE CAST(:branch AS text))
"""
_OF_REGIONS = "buyer.region_code LIKE ANY (CAST(:regions AS text[]))"
_START = "(d.sorted_on, d.id) > (CAST(:start_on AS date), CAST(:start_id AS bigint))"
_OF_ORDER = text(
    """
    SELECT d.* FROM payment_due d
    WHERE d.purchase_order_id = :id AND (CAST(:parts AS bigint[]) IS NULL OR d.supplier_order_id = ANY (CAST(:parts AS bigint[])))
    ORDER BY d.position
    """
)
_AHEAD = text(
    """
    SELECT coalesce(sum(amount_fen - paid_fen), 0)::bigint AS open, coalesce(sum(paid_fen - arrived_fen), 0)::bigint AS announced
    FROM payment_due WHERE supplier_order_id = :id AND counted_from = 'confirmation'
    """
)
_PLAN = text("SELECT terms, extended_days FROM payment_plan WHERE purchase_order_id = :id")

_REACHED = "(o.path LIKE CAST(:branch AS text) OR o.region_code LIKE ANY (CAST(:regions AS text[])))"
_IN_REACH = text(f"SELECT 1 FROM organisation o WHERE o.id = :id AND {_REACHED}")  # noqa: S608
_LIMIT = f"""
    SELECT l.id, l.organisation_id, o.name AS organisation_name, l.limit_fen AS limit, l.used_fen + l.over_fen AS used,
           l.limit_fen - l.used_fen - l.over_fen AS available, l.reason, l.set_at, l.version
    FROM credit_limit l JOIN organisation o ON o.id = l.organisation_id WHERE {_REACHED}
"""  # noqa: S608
_ONE_LIMIT = text(f"{_LIMIT} AND l.organisation_id = :id")
_LIMITS = text(f"{_LIMIT} AND l.id > :start ORDER BY l.id LIMIT :rows")
_DRAWS = text(
    """
    SELECT d.id, d.purchase_order_id, po.number, d.amount_fen AS amount FROM credit_draw d JOIN purchase_order po ON po.id = d.purchase_order_id
    WHERE d.credit_limit_id = :id AND d.amount_fen > 0 AND d.id > :start ORDER BY d.id LIMIT :rows
    """
)
_TERMS: TypeAdapter[PaymentTerms] = TypeAdapter(PaymentTerms)


def dues(session: Session, actor: Actor, asked: DueSearch) -> Page[DueRow]:
    """Dues of the own branch's orders, bought or delivered, or of a region's buyers, by date."""
    start = paging.position(asked.after, str, int)
    rows = _found(session, actor, asked, start, asked.limit + 1)
    return paging.page(rows, asked.limit, _row, lambda row: [row.sorted_on, row.id])


def all_dues(session: Session, actor: Actor, asked: DueFilter) -> Iterator[DueRow]:
    """The same, all of them, for a file.

    Raises:
        TooManyLines: there are more than a file holds; some of them would have wrong totals (422).
    """
    rows = _found(session, actor, asked, None, MAX_LINES + 1)
    if len(rows) > MAX_LINES:
        raise TooManyLines(limit=MAX_LINES)
    return (_row(row) for row in rows)


def listed(actor: Actor, asked: DueFilter) -> tuple[str, dict[str, Any]]:
    """The statement of all of them and its values: for a longer file."""
    return _picked(actor, asked), _values(actor, asked)


def _picked(actor: Actor, asked: DueFilter) -> str:
    """SQL: the dues within the caller's reach that are asked for."""
    given = reach(actor)
    sides = [side for side, name in ((_OF_BRANCH, "branch"), (_OF_REGIONS, "regions")) if given[name]]
    within = f"({' OR '.join(sides) or 'false'})"
    if asked.bucket or asked.status not in (None, DueStatus.PAID):
        within += " AND d.arrived_fen < d.amount_fen"  # as the index has it
    return f"{_DUES.format(within=within)} WHERE {_ASKED}"


def _found(session: Session, actor: Actor, asked: DueFilter, start: list[Any] | None, rows: int) -> Sequence[Row[Any]]:
    values = {**_values(actor, asked), "rows": rows}
    picked = _picked(actor, asked)
    if start:
        picked += f" AND {_START}"
        values |= {"start_on": paging.day(start[0]), "start_id": start[1]}
    return session.execute(text(f"{picked} ORDER BY d.sorted_on, d.id LIMIT :rows"), values).all()


def totals(session: Session, actor: Actor, asked: DueFilter) -> DueTotalsOut:
    """What all of them come to, and what is overdue by age."""
    statement = f"""
        SELECT bucket, count(*) AS count, coalesce(sum(amount_fen), 0)::bigint AS amount, coalesce(sum(arrived_fen), 0)::bigint AS paid,
               coalesce(sum(announced_fen), 0)::bigint AS announced, coalesce(sum(open_fen), 0)::bigint AS open
        FROM ({_picked(actor, asked)}) found GROUP BY bucket
    """  # noqa: S608
    rows = session.execute(text(statement), _values(actor, asked)).all()
    by_age = {row.bucket: row for row in rows if row.bucket}
    return DueTotalsOut(
        count=sum(row.count for row in rows),
        amount=sum(row.amount for row in rows),
        paid=sum(row.paid for row in rows),
        announced=sum(row.announced for row in rows),
        open=sum(row.open for row in rows),
        overdue=sum(row.open for row in by_age.values()),
        buckets=[
            BucketOut(
                bucket=bucket,
                count=by_age[bucket].count if bucket in by_age else 0,
                open=by_age[bucket].open if bucket in by_age else 0,
            )
            for bucket in Bucket
        ],
    )


def _values(actor: Actor, asked: DueFilter) -> dict[str, Any]:
    return {**reach(actor), **asked.model_dump(exclude={"limit", "after"}), "today": clock.today()}


def _row(row: Row[Any]) -> DueRow:
    known = {"amount": row.amount_fen, "paid": row.arrived_fen, "announced": row.announced_fen, "open": row.open_fen}
    return DueRow(**known, **{name: getattr(row, name) for name in DueRow.model_fields if name not in known})


def dues_of_order(session: Session, purchase_order_id: int, parts: Sequence[int] | None = None) -> list[DueOut]:
    """The dues of an order, oldest first; ``parts``: those of these parts only. That the caller may see them is the caller's to check."""
    rows = session.execute(_OF_ORDER, {"id": purchase_order_id, "parts": None if parts is None else list(parts)})
    return [
        shown(row.supplier_order_id, row.counted_from, row.due_on, row.amount_fen, row.paid_fen, row.arrived_fen) for row in rows
    ]


def shown(part_id: int, counted_from: After, due_on: date | None, amount_fen: int, paid_fen: int, arrived_fen: int) -> DueOut:
    """A due as it stands today."""
    late = (clock.today() - due_on).days if due_on and paid_fen < amount_fen else 0
    if arrived_fen == amount_fen:
        status = DueStatus.PAID
    elif paid_fen == amount_fen:
        status = DueStatus.ANNOUNCED
    elif due_on is None:
        status = DueStatus.UNDATED
    else:
        status = DueStatus.OVERDUE if late > 0 else DueStatus.OPEN
    return DueOut(
        supplier_order_id=part_id,
        counted_from=counted_from,
        due_on=due_on,
        amount=amount_fen,
        paid=arrived_fen,
        announced=paid_fen - arrived_fen,
        open=amount_fen - paid_fen,
        status=status,
        overdue_days=max(late, 0),
    )


def plan(session: Session, purchase_order_id: int) -> Row[Any]:
    """The terms of an order as they are kept, and by how many days its prepayment was put off."""
    return session.execute(_PLAN, {"id": purchase_order_id}).one()


def ahead_of_shipping(session: Session, supplier_order_id: int) -> tuple[int, int]:
    """What of a part has to be paid before it is shipped, in fen: what is not even announced, and what is announced and has not arrived."""
    row = session.execute(_AHEAD, {"id": supplier_order_id}).one()
    return int(row.open), int(row.announced)


def credit_limits(session: Session, actor: Actor, *, limit: int, after: str | None) -> Page[CreditLimitOut]:
    """Credit limits of the own branch, or of a region's buyers."""
    start = paging.position(after, int)
    rows = session.execute(_LIMITS, {**reach(actor), "start": start[0] if start else 0, "rows": limit + 1}).all()
    return paging.page(rows, limit, _limit, lambda row: [row.id])


def credit_limit(session: Session, actor: Actor, organisation_id: int) -> CreditLimitOut:
    """One of them.

    Raises:
        NotFound: no such organisation within reach (404). NoCreditLimit: it has none (404).
    """
    return _limit(_one(session, actor, organisation_id))


def draws(session: Session, actor: Actor, organisation_id: int, *, limit: int, after: str | None) -> Page[CreditDrawOut]:
    """The orders that draw on it. Raises as :func:`credit_limit`."""
    found = _one(session, actor, organisation_id)
    start = paging.position(after, int)
    rows = session.execute(_DRAWS, {"id": found.id, "start": start[0] if start else 0, "rows": limit + 1}).all()
    return paging.page(rows, limit, lambda row: CreditDrawOut.model_validate(row, from_attributes=True), lambda row: [row.id])


def _one(session: Session, actor: Actor, organisation_id: int) -> Row[Any]:
    asked = {**reach(actor), "id": organisation_id}
    row = session.execute(_ONE_LIMIT, asked).first()
    if row is None:
        raise NoCreditLimit if session.execute(_IN_REACH, asked).first() else NotFound
    return row


def _limit(row: Row[Any]) -> CreditLimitOut:
    return CreditLimitOut.model_validate(row, from_attributes=True)


def settled(session: Session, terms: PaymentTerms | None) -> str | None:
    """Terms that are agreed on ahead of orders, every number filled in, as the database keeps them.

    Raises:
        PaymentTooLate: see there (422).
    """
    if terms is None:
        return None
    return programmes.config_of(session, clock.today()).payment.settled(terms).model_dump_json()


def read(terms: dict[str, Any]) -> PaymentTerms:
    """Terms as the database keeps them."""
    return _TERMS.validate_python(terms)
