"""Deciding about registered tax invoices, and keeping their files."""

from typing import Any

from sqlalchemy import Row, text
from sqlmodel import Session

from orders.tax_invoices import queries
from orders.tax_invoices.actions.registering import number_key
from orders.tax_invoices.errors import HasFile, HasRedLetter
from orders.tax_invoices.states import LIVE, TAX_INVOICE, TaxInvoiceMove
from shop.core import audit, clock, locks, outbox, uploads
from shop.core.errors import IfMatch, NotFound, any_version
from shop.identity.actor import Actor

_LIVE = ", ".join(f"'{status}'" for status in LIVE)
_TAKEN_BACK = text(f"SELECT 1 FROM tax_invoice WHERE red_letter_of_id = :id AND status IN ({_LIVE}) LIMIT 1")  # noqa: S608
_NUMBER = text("SELECT code, number FROM tax_invoice WHERE id = :id")
_LOCK = text(
    """
    SELECT t.id, t.status, t.version, t.file_id, seller.path AS seller_path, seller.region_code AS seller_region, buyer.region_code AS buyer_region
    FROM tax_invoice t JOIN organisation seller ON seller.id = t.seller_id JOIN organisation buyer ON buyer.id = t.buyer_id
    WHERE t.id = :id FOR UPDATE OF t
    """
)
_STEP = text(
    "UPDATE tax_invoice SET status = :status, decision = :reason, decided_by = :user, decided_at = :now, version = version + 1 WHERE id = :id"
)


def decide(
    session: Session, actor: Actor, tax_invoice_id: int, move: TaxInvoiceMove, reason: str, if_match: IfMatch = any_version
) -> None:
    """Clear a registration that was held, or refuse it, as who keeps the money of its buyer or seller.

    Raises:
        NotFound: none within the caller's regions (404). IllegalMove: it is not held (409). NumberCounted: another one of its number counts (409).
    """
    row = _locked(session, tax_invoice_id)
    if not queries.decides(actor, row):
        raise NotFound
    if_match(row.version)
    _step(session, actor, row, move, reason)


def void(session: Session, actor: Actor, tax_invoice_id: int, reason: str, if_match: IfMatch = any_version) -> None:
    """Take a wrong registration out of account; it stays on record, and its number is free again unless somebody else's is held.

    Raises:
        NotFound: not one of the caller's organisation (404). IllegalMove: it was decided, or voided before (409).
        HasRedLetter: a red-letter invoice takes it back (409).
    """
    row = _locked(session, tax_invoice_id)
    if not actor.within_branch(row.seller_path):
        raise NotFound
    if_match(row.version)
    _step(session, actor, row, TaxInvoiceMove.VOID, reason)


def void_of_paper(session: Session, actor: Actor, tax_invoice_id: int, reason: str) -> None:
    """The same for one whose paper is voided; what was decided, or voided before, stays as it is."""
    row = _locked(session, tax_invoice_id)
    if TaxInvoiceMove.VOID in TAX_INVOICE.possible(row.status):
        _step(session, actor, row, TaxInvoiceMove.VOID, reason)


def attach(
    session: Session, actor: Actor, tax_invoice_id: int, name: str | None, content: bytes, if_match: IfMatch = any_version
) -> None:
    """Keep the file of a registered tax invoice, once.

    Raises:
        NotFound: not one of the caller's organisation (404). HasFile: it has one (409).
        TooLarge (413), UnreadableFile (422): as for every upload.
    """
    row = _locked(session, tax_invoice_id)
    if not actor.within_branch(row.seller_path):
        raise NotFound
    if_match(row.version)
    if row.file_id is not None:
        raise HasFile
    kept = uploads.keep(session, actor.user_id, name, content)
    session.execute(
        text("UPDATE tax_invoice SET file_id = :file, version = version + 1 WHERE id = :id"),
        {"id": tax_invoice_id, "file": kept.id},
    )
    audit.record(session, actor, "tax_invoice.file_added", "tax_invoice", tax_invoice_id, sha256=kept.sha256)


def _locked(session: Session, tax_invoice_id: int) -> Row[Any]:
    number = session.execute(_NUMBER, {"id": tax_invoice_id}).first()
    if number is None:
        raise NotFound
    # as who registers the same number does
    locks.hold(session, f"tax_invoice:{number_key(*number)}")
    return session.execute(_LOCK, {"id": tax_invoice_id}).one()


def _step(session: Session, actor: Actor, row: Row[Any], move: TaxInvoiceMove, reason: str) -> None:
    status = TAX_INVOICE.after(row.status, move, queries.moves_of(actor, row))
    if move is TaxInvoiceMove.VOID and session.execute(_TAKEN_BACK, {"id": row.id}).first():
        raise HasRedLetter
    session.execute(_STEP, {"id": row.id, "status": status, "reason": reason, "user": actor.user_id, "now": clock.now()})
    audit.record(
        session, actor, f"tax_invoice.{move}", "tax_invoice", row.id, reason=reason, from_status=row.status, to_status=str(status)
    )
    outbox.publish(session, "tax_invoice.moved", tax_invoice_id=row.id, status=status, version=row.version + 1)
