"""The money books of a month: every part of an order that moved in a month, came into it open, or is not paid, with its invoices, payments and tax
invoices.

The turnover of the month is that of its days, and stays what it is. What is missing is told as it is by now, since it is now that it is to be done.
"""

# ruff: noqa: S608  statements are put together from constants only

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import date
from typing import Any

from sqlalchemy import Row, text
from sqlmodel import Session

from orders.closing.errors import MonthNotBegun
from orders.closing.rules import Owed, Standing
from orders.closing.schemas import (
    CloseCreditNoteOut,
    CloseFilter,
    CloseInvoiceOut,
    CloseOwedOut,
    ClosePage,
    ClosePaymentOut,
    CloseRow,
    CloseTotals,
    CloseUnallocatedOut,
    DeliveryOut,
    State,
    Turnover,
)
from orders.invoices.pending import HELD, OPEN, parts_of
from orders.invoices.schemas import PartOfOrder
from orders.money import queries as money
from orders.money.queries.open_items import UNEXPLAINED
from orders.money.queries.reach import keeps_all
from orders.money.rules import Account
from orders.purchasing.queries import SIDES
from orders.tax_invoices.queries import RED_MISSING, REGISTERED, TOGETHER
from orders.tax_invoices.states import COUNTED
from shop.core import clock, paging
from shop.core.db import array
from shop.core.months import days_of, month_before
from shop.identity.actor import Actor
from shop.identity.permissions import Permission

_COUNTED = ", ".join(f"'{status}'" for status in COUNTED)
#: What changes how much a supplier is owed; all else on its account takes up what is owed, or pays it.
_OWED = "'sale', 'freight', 'allowance', 'reassignment'"

# What moved up to the end of the month, by part: (id, before, booked, invoiced, credited, vat, owed), in fen.
_MOVED = f"""
    SELECT p.supplier_order_id AS id, t.booked_on AS day, -p.amount_fen AS booked, 0 AS invoiced, 0 AS credited, 0 AS vat
    FROM money_posting p JOIN money_transaction t ON t.id = p.transaction_id
    WHERE p.account = 'payable' AND t.kind IN ({_OWED}) AND p.supplier_order_id IN (SELECT id FROM reachable)
    UNION ALL
    SELECT i.supplier_order_id, i.issued_on, 0, i.gross_fen, 0, i.vat_fen FROM invoice i WHERE i.supplier_order_id IN (SELECT id FROM reachable)
    UNION ALL
    SELECT i.supplier_order_id, c.issued_on, 0, 0, c.gross_fen, -c.vat_fen FROM credit_note c JOIN invoice i ON i.id = c.invoice_id
    WHERE i.supplier_order_id IN (SELECT id FROM reachable)
"""
# Freight that an invoice to the former buyer of a moved order holds: the new one owes it, and it is open as soon as that invoice gives it up.
_MOVING_FREIGHT = """
    (SELECT coalesce(sum(l.amount_fen), 0)::bigint FROM invoice_line l JOIN invoice i ON i.id = l.invoice_id
     WHERE l.supplier_order_id = so.id AND l.kind = 'freight' AND l.returned_fen < l.amount_fen AND i.buyer_id <> po.buyer_id)
"""
_ROWS = f"""
    WITH reachable AS MATERIALIZED (
        SELECT so.id FROM supplier_order so JOIN purchase_order po ON po.id = so.purchase_order_id
        WHERE so.id IN ({{within}})
          AND (CAST(:seller_id AS bigint) IS NULL OR so.supplier_id = :seller_id) AND (CAST(:buyer_id AS bigint) IS NULL OR po.buyer_id = :buyer_id)
    ), moved AS MATERIALIZED (
        SELECT id, sum(booked - invoiced + credited) FILTER (WHERE day < :first)::bigint AS opening,
               sum(booked) FILTER (WHERE day BETWEEN :first AND :last)::bigint AS booked,
               sum(invoiced) FILTER (WHERE day BETWEEN :first AND :last)::bigint AS invoiced,
               sum(credited) FILTER (WHERE day BETWEEN :first AND :last)::bigint AS credited,
               sum(vat) FILTER (WHERE day BETWEEN :first AND :last)::bigint AS vat, sum(booked)::bigint AS owed,
               bool_or(day BETWEEN :first AND :last) AS moved
        FROM ({_MOVED}) m GROUP BY 1 HAVING bool_or(day <= :last)
    ), due AS MATERIALIZED (
        SELECT supplier_order_id AS id, sum(amount_fen)::bigint AS cost, sum(paid_fen)::bigint AS covered, sum(arrived_fen)::bigint AS arrived,
               coalesce(sum(amount_fen - paid_fen) FILTER (WHERE due_on < :today), 0)::bigint AS overdue,
               min(due_on) FILTER (WHERE paid_fen < amount_fen) AS due_on
        FROM payment_due WHERE supplier_order_id IN (SELECT id FROM reachable) GROUP BY 1
    ), listed AS MATERIALIZED (
        SELECT m.*, coalesce(d.cost, 0) AS cost, coalesce(d.covered, 0) AS covered, coalesce(d.arrived, 0) AS arrived, coalesce(d.overdue, 0) AS overdue,
               d.due_on
        FROM moved m LEFT JOIN due d USING (id) WHERE m.opening <> 0 OR m.moved OR m.owed > coalesce(d.covered, 0)
    )
    SELECT so.id AS supplier_order_id, so.purchase_order_id, po.number AS purchase_order_number, so.supplier_id AS seller_id,
           supplier.name AS seller_name, po.buyer_id, buyer.name AS buyer_name, coalesce(m.opening, 0) AS opening, coalesce(m.booked, 0) AS booked,
           coalesce(m.invoiced, 0) AS invoiced, coalesce(m.credited, 0) AS credited, coalesce(m.vat, 0) AS vat, m.owed, o.total + {_MOVING_FREIGHT} AS uninvoiced,
           h.held, h.held - h.owed AS credit_due, h.waiting, x.*, m.arrived AS paid, m.covered - m.arrived AS announced,
           greatest(m.owed - m.covered, 0) AS unpaid, greatest(m.covered - m.owed, 0) AS paid_ahead, m.cost - m.owed AS not_accepted, m.overdue, m.due_on,
           {{buyers}} AS bought
    FROM listed m JOIN supplier_order so ON so.id = m.id {SIDES}
    CROSS JOIN LATERAL (SELECT so.id AS supplier_order_id, so.purchase_order_id) p
    CROSS JOIN {OPEN} o
    CROSS JOIN {HELD} h
    CROSS JOIN LATERAL (
        SELECT (SELECT coalesce(sum(i.gross_fen - i.credited_fen), 0)::bigint FROM invoice i
                WHERE i.supplier_order_id = so.id AND i.issued_on <= :last AND NOT {REGISTERED.format(invoice="i.id")}) AS without_tax_invoice,
               (SELECT coalesce(sum(n.gross_fen), 0)::bigint FROM invoice i JOIN credit_note n ON n.invoice_id = i.id
                WHERE i.supplier_order_id = so.id AND n.issued_on <= :last AND {RED_MISSING.format(invoice="i.id", note="n.id")}) AS without_red_letter,
               (SELECT count(DISTINCT t.id) FROM tax_invoice_cover c JOIN tax_invoice t ON t.id = c.tax_invoice_id
                WHERE c.supplier_order_id = so.id AND t.status = 'held') AS tax_invoices_held,
               (SELECT count(DISTINCT t.id) FROM tax_invoice_cover c JOIN tax_invoice t ON t.id = c.tax_invoice_id CROSS JOIN {TOGETHER} a
                WHERE c.supplier_order_id = so.id AND t.status IN ({_COUNTED}) AND (a.gross_fen <> a.expected_fen OR a.vat_fen <> a.expected_vat_fen)) AS tax_invoices_differing
    ) x
    ORDER BY so.id DESC
"""
_OF_BUYERS = (
    "{0} IN (SELECT id FROM organisation WHERE path LIKE CAST(:branch AS text) OR region_code LIKE ANY (CAST(:regions AS text[])))"
)
# What buyers within reach owe by the ledger, order by order, beside what was accepted of each (as suppliers are owed it) and what its dues say is paid.
_OWED_BY_BUYERS = f"""
    WITH bought AS MATERIALIZED (
        SELECT so.id, so.purchase_order_id FROM supplier_order so JOIN purchase_order po ON po.id = so.purchase_order_id
        WHERE {{buyers}} AND (CAST(:buyer_id AS bigint) IS NULL OR po.buyer_id = :buyer_id)
    ), accepted AS (
        SELECT p.supplier_order_id AS id, -sum(p.amount_fen) AS fen FROM money_posting p JOIN money_transaction t ON t.id = p.transaction_id
        WHERE p.account = 'payable' AND t.kind IN ({_OWED}) AND p.supplier_order_id IN (SELECT id FROM bought) GROUP BY 1
    ), due AS (
        SELECT supplier_order_id AS id, sum(amount_fen) AS cost, sum(paid_fen) AS covered FROM payment_due
        WHERE supplier_order_id IN (SELECT id FROM bought) GROUP BY 1
    ), told AS (
        SELECT b.purchase_order_id AS id, coalesce(sum(a.fen), 0) AS accepted, coalesce(sum(d.cost), 0) AS cost, coalesce(sum(d.covered), 0) AS covered
        FROM bought b LEFT JOIN accepted a USING (id) LEFT JOIN due d USING (id) GROUP BY 1
    ), account AS (
        SELECT p.purchase_order_id AS id, sum(p.amount_fen) AS fen FROM money_posting p
        WHERE p.account = 'receivable' AND {{parties}} AND (CAST(:buyer_id AS bigint) IS NULL OR p.party_id = :buyer_id) GROUP BY 1
    ), both_sides AS (
        SELECT coalesce(id, 0) AS id, coalesce(a.fen, 0) AS receivable, coalesce(t.accepted, 0) AS accepted, coalesce(t.cost, 0) AS cost,
               coalesce(t.covered, 0) AS covered
        FROM told t FULL JOIN account a USING (id)
    ), explained AS (SELECT *, greatest(accepted - receivable - cost, 0) AS credit FROM both_sides)
    SELECT count(*) AS orders, coalesce(sum(receivable), 0)::bigint AS receivable, coalesce(sum(accepted - covered), 0)::bigint AS open,
           coalesce(sum(credit), 0)::bigint AS credit, coalesce(sum(cost - accepted), 0)::bigint AS not_accepted,
           coalesce(jsonb_object_agg(id, receivable - (accepted - covered - credit)) FILTER (WHERE receivable <> accepted - covered - credit), '{{{{}}}}')
               AS astray
    FROM explained
"""
_DELIVERIES = text(
    """
    SELECT a.supplier_order_id AS part, a.shipment_id, (a.accepted_at AT TIME ZONE 'Asia/Shanghai')::date AS accepted_on FROM acceptance a
    WHERE a.supplier_order_id = ANY (CAST(:ids AS bigint[])) AND (a.accepted_at AT TIME ZONE 'Asia/Shanghai')::date BETWEEN :first AND :last
    ORDER BY a.id
    """
)
#: SQL: the numbers of the tax invoices that count and are for ``{what}``.
_NUMBERS = f"""
    ARRAY(SELECT DISTINCT concat_ws(' ', t.code, t.number) FROM tax_invoice_cover c JOIN tax_invoice t ON t.id = c.tax_invoice_id
          WHERE t.status IN ({_COUNTED}) AND {{what}} ORDER BY 1)
"""
_INVOICES = text(
    f"""
    SELECT i.supplier_order_id AS part, i.id, i.number, i.issued_on, i.gross_fen AS gross, i.gross_fen - i.credited_fen AS held, s.shipment_ids,
           {_NUMBERS.format(what="c.supplier_order_id = i.supplier_order_id AND (c.invoice_id = i.id OR c.acceptance_id = ANY (s.acceptance_ids))")} AS tax_invoices
    FROM invoice i CROSS JOIN LATERAL (
        SELECT coalesce(array_agg(a.shipment_id ORDER BY a.shipment_id), '{{}}') AS shipment_ids, array_agg(a.id) AS acceptance_ids
        FROM acceptance a WHERE a.id IN (SELECT l.acceptance_id FROM invoice_line l WHERE l.invoice_id = i.id)
    ) s
    WHERE i.supplier_order_id = ANY (CAST(:ids AS bigint[])) AND i.issued_on <= :last
      AND (i.issued_on >= :first OR i.gross_fen > (SELECT coalesce(sum(c.gross_fen), 0) FROM credit_note c
                                                   WHERE c.invoice_id = i.id AND c.issued_on < :first))
    ORDER BY i.id
    """
)
_CREDIT_NOTES = text(
    f"""
    SELECT i.supplier_order_id AS part, n.id, n.number, i.number AS invoice_number, n.gross_fen AS gross,
           {_NUMBERS.format(what="c.credit_note_id = n.id")} AS tax_invoices
    FROM credit_note n JOIN invoice i ON i.id = n.invoice_id
    WHERE i.supplier_order_id = ANY (CAST(:ids AS bigint[])) AND n.issued_on BETWEEN :first AND :last ORDER BY n.id
    """
)
# What nobody has said yet what it is for, of what was booked up to a day: each line of the bank and of the provider by what is open of it by now.
_STILL_UNALLOCATED = text(
    f"""
    SELECT coalesce(sum(u.fen), 0)::bigint
    FROM ({UNEXPLAINED}) u JOIN money_transaction t ON t.kind = u.kind AND t.origin_id = u.origin_id WHERE t.booked_on <= :last
    """
)
_WITHIN = "({0}.path LIKE CAST(:branch AS text) OR {0}.region_code LIKE ANY (CAST(:regions AS text[])))"
_PAYMENTS = text(
    f"""
    SELECT so.id AS part, y.id, y.bank_reference AS reference, y.paid_on, y.amount_fen AS amount
    FROM supplier_order so {SIDES} JOIN payment y ON y.purchase_order_id = po.id AND y.undone_at IS NULL
    WHERE so.id = ANY (CAST(:ids AS bigint[])) AND ({_WITHIN.format("buyer")} OR unit.path LIKE CAST(:branch AS text)) ORDER BY y.id
    """
)
_SETTLEMENTS = text(
    f"""
    SELECT DISTINCT so.id AS part, s.number
    FROM supplier_order so JOIN organisation supplier ON supplier.id = so.supplier_id
    JOIN settlement_line l ON l.supplier_order_id = so.id JOIN settlement s ON s.id = l.settlement_id
    WHERE so.id = ANY (CAST(:ids AS bigint[])) AND {_WITHIN.format("supplier")} ORDER BY s.number
    """
)


def close(session: Session, actor: Actor, asked: CloseFilter, *, limit: int, after: str | None) -> ClosePage:
    """The close of a month within the caller's reach, what lacks something on top, then the newest first.

    Raises:
        MonthNotBegun: the month lies ahead (422).
    """
    start = paging.position(after, int, int)
    month = asked.month or month_before(clock.today())
    first, last = days_of(month)
    if first > clock.today():
        raise MonthNotBegun(month=month)
    given: dict[str, Any] = {
        "branch": f"{actor.organisation_path}%" if actor.organisation_path else None,
        "regions": actor.region_patterns(Permission.MONEY_READ),
        "first": first,
        "last": last,
        "today": clock.today(),
        **asked.model_dump(include={"seller_id", "buyer_id"}),
    }
    # who keeps the money of the city sees everything: then nothing is looked for
    city = "%" in given["regions"]
    buyers = "true" if city else _OF_BUYERS.format("po.buyer_id")
    within = "SELECT id FROM supplier_order" if city else parts_of(given)
    owed = None
    if asked.seller_id is None:
        parties = "true" if city else _OF_BUYERS.format("p.party_id")
        owed = session.execute(text(_OWED_BY_BUYERS.format(buyers=buyers, parties=parties)), given).one()
        if not (owed.orders or given["regions"]):  # who only sells has no buyers whose accounts could be tied
            owed = None
    found = session.execute(text(_ROWS.format(within=within, buyers=buyers)), given).all()
    judged = [each for each in _judged(found, owed.astray if owed else {}) if _wanted(asked, *each)]
    # false comes before true: what lacks something, then the rest; either is sorted by part already
    judged.sort(key=lambda each: not each[1].gaps())
    places = [(int(not standing.gaps()), -row.supplier_order_id) for row, standing in judged]
    begin = 0 if start is None else sum(place <= (start[0], start[1]) for place in places)
    shown = judged[begin : begin + limit]
    told = _told(session, given, [row.supplier_order_id for row, _ in shown])
    more = begin + limit < len(judged)
    return ClosePage(
        items=[_row(row, standing, told[row.supplier_order_id]) for row, standing in shown],
        next=paging.cursor(places[begin + limit - 1]) if more else None,
        month=month,
        unallocated=_unallocated(session, last) if keeps_all(actor) else None,
        total=_total(judged, _owed(owed, judged) if owed else None),
    )


def _unallocated(session: Session, last: date) -> CloseUnallocatedOut:
    """What waited at the end of a month to be explained, and how much of it does by now: what is matched in a later month is booked there, so that the
    month's own trial balance goes on saying that it waits."""
    at_end = -money.balance(session, Account.UNALLOCATED, as_of=min(last, clock.today()))
    waiting = session.execute(_STILL_UNALLOCATED, {"last": last}).scalar_one()
    return CloseUnallocatedOut(at_end=at_end, matched_since=at_end - waiting, waiting=waiting)


def _judged(found: Iterable[Row[Any]], astray: dict[str, int]) -> Iterator[tuple[Row[Any], Standing]]:
    """Each row with how it stands; what is astray of an order is told of the first of its parts."""
    left = dict(astray)
    fields = [name for name in Standing.__slots__ if name != "astray"]
    for row in found:
        yield row, Standing(**{name: getattr(row, name) for name in fields}, astray=left.pop(str(row.purchase_order_id), 0))


def _wanted(asked: CloseFilter, row: Row[Any], standing: Standing) -> bool:
    gaps = standing.gaps()
    if asked.only == "unpaid":
        return bool(row.unpaid)
    return (bool(gaps) or not asked.missing) and (asked.only is None or asked.only in gaps)


def _owed(found: Row[Any], judged: Iterable[tuple[Row[Any], Standing]]) -> CloseOwedOut:
    listed = [row for row, _ in judged if row.bought]
    unpaid, ahead = sum(row.unpaid for row in listed), sum(row.paid_ahead for row in listed)
    owed = Owed(found.receivable, unpaid, ahead, elsewhere=found.open - (unpaid - ahead), credit=found.credit)
    return CloseOwedOut(
        **{name: getattr(owed, name) for name in CloseOwedOut.model_fields if name not in ("not_accepted", "dues")},
        not_accepted=found.not_accepted,
        dues=found.receivable + found.credit + found.not_accepted,
    )


def _told(session: Session, given: dict[str, Any], parts: list[int]) -> dict[int, dict[str, list[Any]]]:
    """The documents of the parts that are shown, by part and field."""
    told: dict[int, dict[str, list[Any]]] = {
        part: {name: [] for name in ("deliveries", "invoices", "credit_notes", "payments", "settlements")} for part in parts
    }
    asked = {**given, "ids": array(parts)}
    for name, statement, shape in (
        ("deliveries", _DELIVERIES, DeliveryOut),
        ("invoices", _INVOICES, CloseInvoiceOut),
        ("credit_notes", _CREDIT_NOTES, CloseCreditNoteOut),
        ("payments", _PAYMENTS, ClosePaymentOut),
    ):
        for row in session.execute(statement, asked):
            told[row.part][name].append(shape.model_validate(row, from_attributes=True))
    for row in session.execute(_SETTLEMENTS, asked):
        told[row.part]["settlements"].append(row.number)
    return told


_SUMS = [
    name for name in (*Turnover.model_fields, *State.model_fields) if name not in ("closing", "unexplained", "unpaid_unexplained")
]


def _sums(row: Row[Any], standing: Standing) -> dict[str, int]:
    return {
        **{name: getattr(row, name) for name in _SUMS},
        "closing": row.opening + row.booked - row.invoiced + row.credited,
        "unexplained": standing.unexplained,
        "unpaid_unexplained": standing.astray,
    }


def _row(row: Row[Any], standing: Standing, told: dict[str, list[Any]]) -> CloseRow:
    part = {name: getattr(row, name) for name in PartOfOrder.model_fields}
    return CloseRow(**part, **_sums(row, standing), **told, gaps=standing.gaps(), due_on=row.due_on)


def _total(judged: Iterable[tuple[Row[Any], Standing]], owed: CloseOwedOut | None) -> CloseTotals:
    sums: Counter[str] = Counter()
    gaps: Counter[Any] = Counter()
    parts = 0
    for row, standing in judged:
        parts += 1
        sums.update(_sums(row, standing))
        gaps.update(standing.gaps())
    names = [*Turnover.model_fields, *State.model_fields]
    return CloseTotals(**{name: sums[name] for name in names}, owed=owed, parts=parts, gaps=dict(gaps))
