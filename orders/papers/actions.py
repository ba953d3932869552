"""Bringing papers of an order, and taking wrong ones out of account."""

from typing import Any

from sqlalchemy import text
from sqlmodel import Session

from orders.papers import rules
from orders.papers.errors import AlreadyVoid, IssuedInFuture, NotConfirmed, NotYourKind, TooManyPapers
from orders.papers.rules import PaperKind, Said
from orders.purchasing.actions.moving import locked, side_of
from orders.tax_invoices.actions import deciding, registering
from orders.tax_invoices.actions.registering import Said as Entry
from orders.tax_invoices.rules import Cover
from shop.core import audit, clock, outbox, uploads
from shop.core.errors import Invalid, NotFound
from shop.identity.actor import Actor

_WRITE = text(
    """
    INSERT INTO order_paper (supplier_order_id, supplier_id, kind, number, issued_on, amount_fen, note, file_id, tax_invoice_id, uploaded_by,
        uploaded_at)
    VALUES (:order, :supplier, :kind, :number, :issued_on, :amount, :note, :file, :tax_invoice, :user, :now) RETURNING id
    """
)
#: As many may be brought to one order, void ones included.
MOST_PAPERS = 500

_UNIT = text("SELECT ordering_unit_id FROM purchase_order WHERE id = :id")
_COUNT = text("SELECT count(*) FROM order_paper WHERE supplier_order_id = :id")
_PAPER = text("SELECT * FROM order_paper WHERE id = :paper AND supplier_order_id = :id FOR UPDATE")


def upload(session: Session, actor: Actor, supplier_order_id: int, said: Said, name: str | None, content: bytes) -> int:
    """Keep a paper of an order; returns its id. An invoice goes into the register of tax invoices too: a number that is there already is held.

    Raises:
        NotFound: not an order of either side of the caller.
        NotYourKind: the other side brings this kind. NotConfirmed: there is nothing yet, or nothing any more, that it could prove (409).
        TooManyPapers: see there (409).
        Invalid, IssuedInFuture: an invoice without number, date or amount, or with wrong digits; a date after today (422).
        TooLarge (413), UnreadableFile (422): as for every upload.
    """
    order = locked(session, actor, supplier_order_id, "either")
    if rules.SIDES.get(said.kind, side_of(actor, order)) != side_of(actor, order):
        raise NotYourKind
    if said.kind is not PaperKind.OTHER and order.status in rules.NOT_BOUND:
        raise NotConfirmed
    if said.issued_on and said.issued_on > clock.today():
        raise IssuedInFuture
    if faults := rules.wrong(said, clock.today()):
        raise Invalid(faults=faults)
    if session.execute(_COUNT, {"id": order.id}).scalar_one() >= MOST_PAPERS:
        raise TooManyPapers(most=MOST_PAPERS)
    kept = uploads.keep(session, actor.user_id, name, content)
    values = {
        "kind": said.kind,
        "number": said.number,
        "issued_on": said.issued_on,
        "amount": said.amount,
        "note": said.note,
        "order": order.id,
        "supplier": order.supplier_id,
        "file": kept.id,
        "tax_invoice": _register(session, actor, order, said, kept.id) if said.kind is PaperKind.INVOICE else None,
        "user": actor.user_id,
        "now": clock.now(),
    }
    paper_id: int = session.execute(_WRITE, values).scalar_one()
    known: dict[str, Any] = {"paper_id": paper_id, "kind": str(said.kind), "number": said.number, "sha256": kept.sha256}
    audit.record(session, actor, "paper.uploaded", "supplier_order", order.id, **known)
    outbox.publish(session, "paper.uploaded", paper_id=paper_id)
    return paper_id


def _register(session: Session, actor: Actor, order: Any, said: Said, file_id: int) -> int:
    """Enter an invoice into the register, for the order as such; returns its place there."""
    assert said.number is not None
    assert said.issued_on is not None
    assert said.amount is not None
    unit_id = session.execute(_UNIT, {"id": order.purchase_order_id}).scalar_one()
    entry = Entry(said.code, said.number, "ordinary", False, None, said.issued_on, said.amount, said.vat, said.note)
    cover = Cover(order.id, order.supplier_id, order.buyer_id, unit_id)
    return registering.enter(session, actor, [(entry, [cover])], file_id)[0]


def void(session: Session, actor: Actor, supplier_order_id: int, paper_id: int, reason: str) -> None:
    """Take a wrong paper out of account, an invoice in the register too; it stays on record, and its number is free again.

    Raises:
        NotFound: no such paper of an order of the caller. NotYourKind: the other side brought it. AlreadyVoid: done before (409).
    """
    order = locked(session, actor, supplier_order_id, "either")
    paper = session.execute(_PAPER, {"paper": paper_id, "id": supplier_order_id}).first()
    if paper is None:
        raise NotFound
    if rules.SIDES.get(paper.kind, side_of(actor, order)) != side_of(actor, order):
        raise NotYourKind
    if paper.kind == PaperKind.OTHER and paper.uploaded_by != actor.user_id:
        raise NotYourKind
    if paper.voided_at is not None:
        raise AlreadyVoid
    session.execute(
        text("UPDATE order_paper SET voided_at = :now, voided_by = :user, void_reason = :reason WHERE id = :id"),
        {"id": paper_id, "now": clock.now(), "user": actor.user_id, "reason": reason},
    )
    if paper.tax_invoice_id is not None:
        deciding.void_of_paper(session, actor, paper.tax_invoice_id, reason)
    audit.record(session, actor, "paper.voided", "supplier_order", order.id, reason=reason, paper_id=paper_id)
