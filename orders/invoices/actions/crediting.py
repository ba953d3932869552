"""Credit notes: what invoices hold beyond what is owed is taken back."""

from collections.abc import Sequence
from itertools import groupby

from sqlalchemy import text
from sqlmodel import Session

from orders.invoices import positions, rules
from orders.invoices.errors import NothingToCredit, OtherReason
from orders.invoices.rules import Credit, CreditReason, Standing
from orders.invoices.schemas import CreditIn
from orders.invoices.states import INVOICE, InvoiceMove
from orders.money.queries import ALLOWED_OF_PART
from shop.core import audit, clock, numbers, outbox
from shop.core.audit import SYSTEM, Who
from shop.core.db import array
from shop.core.errors import NotFound
from shop.identity.actor import Actor
from shop.programmes import queries as programmes

_PART_OF = text(
    "SELECT i.supplier_order_id, supplier.path FROM invoice i JOIN organisation supplier ON supplier.id = i.seller_id WHERE i.id = :id"
)
_LOCK = text("SELECT id FROM invoice WHERE supplier_order_id = :id ORDER BY id FOR UPDATE")
_LINES = text(positions.LIVE_LINES)
_ALLOWED = text(f"SELECT {ALLOWED_OF_PART.format(id=':id')}")
_HEAD = text("SELECT id, seller_id, status, gross_fen, credited_fen FROM invoice WHERE id = :id")
_WRITE = text(
    """
    WITH given AS (
        SELECT * FROM unnest(CAST(:lines AS bigint[]), CAST(:quantities AS numeric[]), CAST(:returned AS bigint[]), CAST(:reduced AS bigint[]),
            CAST(:vats AS bigint[])) AS u (id, quantity, returned_fen, reduced_fen, vat_fen)
    ), made AS (
        INSERT INTO credit_note (number, invoice_id, seller_id, buyer_id, ordering_unit_id, year, serial, reason_code, note, issued_on, issued_at,
            issued_by, line_count, gross_fen, vat_fen)
        SELECT :number, i.id, i.seller_id, i.buyer_id, i.ordering_unit_id, :year, :serial, :reason, :note, :today, :now, :user,
               (SELECT count(*) FROM given), (SELECT sum(returned_fen + reduced_fen) FROM given), (SELECT sum(vat_fen) FROM given)
        FROM invoice i WHERE i.id = :invoice RETURNING id
    ), lines AS (
        INSERT INTO credit_note_line (credit_note_id, invoice_line_id, quantity, returned_fen, reduced_fen, amount_fen, vat_fen)
        SELECT made.id, g.id, g.quantity, g.returned_fen, g.reduced_fen, g.returned_fen + g.reduced_fen, g.vat_fen FROM given g CROSS JOIN made
    ), counted AS (
        UPDATE invoice_line l SET returned_quantity = l.returned_quantity + g.quantity, returned_fen = l.returned_fen + g.returned_fen,
               reduced_fen = l.reduced_fen + g.reduced_fen
        FROM given g WHERE l.id = g.id
    ), stated AS (
        UPDATE invoice SET status = :status, credited_fen = :credited, version = version + 1 WHERE id = :invoice
    )
    SELECT id FROM made
    """
)


def credit(session: Session, actor: Actor, invoice_id: int, body: CreditIn) -> int:
    """Write the credit note of an invoice: of what it holds beyond what is owed, or of all that it holds, because it was issued in error; then what
    was accepted can be invoiced again. Returns its id.

    Raises:
        NotFound: not an invoice of the caller's organisation (404). NothingToCredit: it holds what is owed, or nothing more (409).
        OtherReason: nothing of it is to be credited for this reason (409).
    """
    part = session.execute(_PART_OF, {"id": invoice_id}).first()
    if part is None or not actor.within_branch(part.path):
        raise NotFound
    lines, allowed = _standing(session, part.supplier_order_id)
    if body.reason is CreditReason.ISSUED_IN_ERROR:
        credits = rules.whole([line for line in lines if line.invoice_id == invoice_id])
    else:
        credits = [each for each in rules.to_credit(lines, allowed) if each.line.invoice_id == invoice_id]
    if not credits:
        raise NothingToCredit
    if not rules.explains(body.reason, credits):
        raise OtherReason
    return _write(session, actor, invoice_id, credits, body.reason, body.note)


def follow(session: Session, supplier_order_id: int, reason: CreditReason) -> None:
    """Something of a part of an order is no longer owed: write the credit notes at once, in this transaction, if the programme has it so; else tell
    the seller of each invoice that waits for one. Nothing happens where its invoices hold what is owed, or there are none."""
    lines, allowed = _standing(session, supplier_order_id)
    credits = rules.to_credit(lines, allowed) if lines else []
    if not credits:
        return
    if programmes.config_of(session, clock.today()).invoicing.credit_notes == "automatic":
        for invoice_id, each in _by_invoice(credits):
            _write(session, SYSTEM, invoice_id, each, rules.reason_of(reason, each), None)
        return
    for invoice_id, each in _by_invoice(credits):
        due = sum(one.amount_fen for one in each)
        outbox.publish(session, "invoice.credit_due", invoice_id=invoice_id, due_fen=due)


def hold(session: Session, supplier_order_id: int) -> int:
    """Lock the invoices of a part; returns what disputes gave back of it, in fen."""
    session.execute(_LOCK, {"id": supplier_order_id}).all()
    return int(session.execute(_ALLOWED, {"id": supplier_order_id}).scalar_one())


def credit_note_series(seller_id: int, year: int) -> str:
    return f"credit_note:{seller_id}:{year}"


def _standing(session: Session, supplier_order_id: int) -> tuple[list[Standing], int]:
    """The lines that the part's invoices hold, and what disputes gave back of it; read after the invoices are locked."""
    allowed = hold(session, supplier_order_id)
    return [Standing(*row) for row in session.execute(_LINES, {"id": supplier_order_id})], allowed


def _by_invoice(credits: Sequence[Credit]) -> list[tuple[int, list[Credit]]]:
    ordered = sorted(credits, key=lambda each: (each.line.invoice_id, each.line.id))
    return [(invoice_id, list(each)) for invoice_id, each in groupby(ordered, key=lambda each: each.line.invoice_id)]


def _write(session: Session, who: Who, invoice_id: int, credits: Sequence[Credit], reason: CreditReason, note: str | None) -> int:
    now = clock.now()
    today = clock.shanghai_date(now)
    year = today.year
    head = session.execute(_HEAD, {"id": invoice_id}).one()
    amount = sum(each.amount_fen for each in credits)
    credited = head.credited_fen + amount
    move = InvoiceMove.CREDIT_REST if credited == head.gross_fen else InvoiceMove.CREDIT_PART
    # a reduction that goes over into a return takes nothing back
    status = INVOICE.after(head.status, move) if amount else head.status
    serial = numbers.next_number(session, credit_note_series(head.seller_id, year))
    credit_note_id: int = session.execute(
        _WRITE,
        {
            "now": now,
            "today": today,
            "invoice": invoice_id,
            "number": f"HC{year}-{head.seller_id:06}-{serial:06}",
            "year": year,
            "serial": serial,
            "reason": reason,
            "note": note,
            "user": who.user_id,
            "status": status,
            "credited": credited,
            "lines": array(each.line.id for each in credits),
            "quantities": array(each.quantity for each in credits),
            "returned": array(each.returned_fen for each in credits),
            "reduced": array(each.reduced_fen for each in credits),
            "vats": array(each.vat_fen for each in credits),
        },
    ).scalar_one()
    audit.record(
        session, who, "credit_note.issued", "credit_note", credit_note_id, reason=note, reason_code=reason, amount_fen=amount
    )
    outbox.publish(session, "credit_note.issued", credit_note_id=credit_note_id)
    return credit_note_id
