"""Reading the register of tax invoices, each within the caller's reach: its seller, its buyer, the unit that ordered, officers of either region."""

# ruff: noqa: S608  statements are put together from constants only

from typing import Any

from sqlalchemy import Row, text
from sqlmodel import Session

from orders.invoices.positions import LEFT, STANDING
from orders.invoices.queries import within
from orders.purchasing.queries import IN_REACH, reach
from orders.tax_invoices.schemas import CoverOut, MissingRow, SameNumberOut, TaxInvoiceFilter, TaxInvoiceOut, TaxInvoiceRow
from orders.tax_invoices.states import COUNTED, TAX_INVOICE
from shop.core import paging
from shop.core.errors import NotFound
from shop.core.paging import Page
from shop.identity.actor import Actor
from shop.identity.permissions import Permission

_COUNTED = ", ".join(f"'{status}'" for status in COUNTED)
# What each thing that a tax invoice covers comes to: (gross_fen, vat_fen), nothing for a part of an order as such.
_WORTH = f"""
    LATERAL (
        SELECT gross_fen, vat_fen, number FROM invoice WHERE id = x.invoice_id
        UNION ALL SELECT gross_fen, vat_fen, number FROM credit_note WHERE id = x.credit_note_id
        UNION ALL SELECT sum(n.amount_fen)::bigint, sum(round(n.amount_fen::numeric * l.vat_bp / (10000 + l.vat_bp)))::bigint, NULL
        FROM (WITH RECURSIVE standing AS ({STANDING.format(acceptances="a.id = x.acceptance_id")}) SELECT * FROM standing) s
        JOIN sale_entry e ON e.id = s.sale_entry_id CROSS JOIN {LEFT} n
        JOIN acceptance_line al ON al.id = s.acceptance_line_id JOIN order_line l ON l.id = al.order_line_id
        WHERE x.acceptance_id IS NOT NULL HAVING count(*) > 0
    )
"""
#: SQL: the tax invoices that cover something that ``t`` covers too.
_BESIDE = " UNION ".join(
    f"SELECT y.tax_invoice_id FROM tax_invoice_cover x JOIN tax_invoice_cover y ON y.{what} = x.{what} WHERE x.tax_invoice_id = t.id"
    for what in ("invoice_id", "credit_note_id", "acceptance_id")
)
_TAX_INVOICE = f"""
    SELECT t.*, t.gross_fen AS gross, t.vat_fen AS vat, t.file_id IS NOT NULL AS has_file, supplier.name AS seller_name, buyer.name AS buyer_name,
           w.expected, t.gross_fen + b.fen - w.expected AS difference
    FROM tax_invoice t JOIN organisation supplier ON supplier.id = t.seller_id JOIN organisation buyer ON buyer.id = t.buyer_id
    CROSS JOIN LATERAL (SELECT sum(v.gross_fen)::bigint AS expected FROM tax_invoice_cover x CROSS JOIN {_WORTH} v WHERE x.tax_invoice_id = t.id) w
    CROSS JOIN LATERAL (SELECT coalesce(sum(o.gross_fen), 0)::bigint AS fen FROM tax_invoice o
                        WHERE o.id <> t.id AND o.status IN ({_COUNTED}) AND o.id IN ({_BESIDE})) b
"""
# the unit that ordered sees it as the buyer does
_REACH = IN_REACH.replace("po.ordering_unit_id", "t.ordering_unit_id")
_ONE = text(f"{_TAX_INVOICE} WHERE t.id = :id AND {_REACH}")
_COVERS = text(
    f"SELECT x.*, v.number, v.gross_fen AS gross, v.vat_fen AS vat FROM tax_invoice_cover x LEFT JOIN {_WORTH} v ON true"
    " WHERE x.tax_invoice_id = :id ORDER BY x.id"
)
_SAME = text(
    """
    SELECT t.id, supplier.name AS seller_name, buyer.name AS buyer_name, t.status, t.gross_fen AS gross, t.registered_at
    FROM tax_invoice t JOIN organisation supplier ON supplier.id = t.seller_id JOIN organisation buyer ON buyer.id = t.buyer_id
    WHERE t.number = :number AND t.code IS NOT DISTINCT FROM :code AND t.id <> :id ORDER BY t.id LIMIT 100
    """
)
_FILE = text(
    f"""
    SELECT f.* FROM tax_invoice t JOIN organisation supplier ON supplier.id = t.seller_id JOIN organisation buyer ON buyer.id = t.buyer_id
    JOIN stored_file f ON f.id = t.file_id WHERE t.id = :id AND {_REACH}
    """
)
_ASKED = """
    (CAST(:status AS text) IS NULL OR x.status = :status) AND (CAST(:type AS text) IS NULL OR x.type = :type)
    AND (CAST(:red AS boolean) IS NULL OR x.red = :red) AND (CAST(:seller_id AS bigint) IS NULL OR x.seller_id = :seller_id)
    AND (CAST(:buyer_id AS bigint) IS NULL OR x.buyer_id = :buyer_id)
    AND (CAST(:supplier_order_id AS bigint) IS NULL
         OR x.id IN (SELECT tax_invoice_id FROM tax_invoice_cover WHERE supplier_order_id = :supplier_order_id))
    AND (CAST(:issued_from AS date) IS NULL OR x.issued_on >= :issued_from) AND (CAST(:issued_to AS date) IS NULL OR x.issued_on <= :issued_to)
    AND (CAST(:number AS text) IS NULL OR starts_with(x.number, :number)) AND (CAST(:start AS bigint) IS NULL OR x.id < :start)
"""
# An invoice counts as registered as soon as a tax invoice names it, or a delivery that stands in it.
_UNREGISTERED = f"""
    x.credited_fen < x.gross_fen
    AND NOT EXISTS (SELECT FROM tax_invoice_cover c JOIN tax_invoice t ON t.id = c.tax_invoice_id AND t.status IN ({_COUNTED})
                    WHERE c.invoice_id = x.id)
    AND NOT EXISTS (SELECT FROM invoice_line l JOIN tax_invoice_cover c ON c.acceptance_id = l.acceptance_id
                    JOIN tax_invoice t ON t.id = c.tax_invoice_id AND t.status IN ({_COUNTED}) WHERE l.invoice_id = x.id)
    AND (CAST(:start AS bigint) IS NULL OR x.id < :start)
"""
# a credit note needs a red-letter invoice only if what it takes back was registered
_UNREGISTERED_CREDIT_NOTES = f"""
    x.gross_fen > 0 AND NOT EXISTS (
        SELECT FROM tax_invoice_cover c JOIN tax_invoice t ON t.id = c.tax_invoice_id AND t.status IN ({_COUNTED}) WHERE c.credit_note_id = x.id)
    AND EXISTS (SELECT FROM tax_invoice_cover c JOIN tax_invoice t ON t.id = c.tax_invoice_id AND t.status IN ({_COUNTED})
                WHERE c.invoice_id = x.invoice_id)
    AND (CAST(:start AS bigint) IS NULL OR x.id < :start)
"""


def tax_invoice(session: Session, actor: Actor, tax_invoice_id: int) -> TaxInvoiceOut:
    """One tax invoice with what it covers; who decides also sees the other registrations of its number, whosever they are.

    Raises:
        NotFound: none within reach (404).
    """
    row = session.execute(_ONE, {"id": tax_invoice_id, **reach(actor)}).first()
    if row is None:
        raise NotFound
    same = (
        session.execute(_SAME, {"id": row.id, "code": row.code, "number": row.number}) if actor.may(Permission.MONEY_MANAGE) else ()
    )
    return TaxInvoiceOut(
        **_fields(row),
        red_letter_of_id=row.red_letter_of_id,
        note=row.note,
        covers=[CoverOut.model_validate(cover, from_attributes=True) for cover in session.execute(_COVERS, {"id": row.id})],
        same_number=[SameNumberOut.model_validate(one, from_attributes=True) for one in same],
        possible_actions=TAX_INVOICE.possible(row.status),
    )


def tax_invoices(session: Session, actor: Actor, asked: TaxInvoiceFilter, *, limit: int, after: str | None) -> Page[TaxInvoiceRow]:
    """Tax invoices within reach, newest first."""
    start = paging.position(after, int)
    values = {**reach(actor), **asked.model_dump(), "start": start[0] if start else None, "rows": limit + 1}
    statement = text(f"{_TAX_INVOICE} WHERE t.id IN ({within(actor, 'tax_invoice', _ASKED)}) ORDER BY t.id DESC")
    rows = session.execute(statement, values).all()
    return paging.page(rows, limit, lambda row: TaxInvoiceRow(**_fields(row)), lambda row: [row.id])


def missing(session: Session, actor: Actor, *, credit_notes: bool, limit: int, after: str | None) -> Page[MissingRow]:
    """Invoices, or credit notes, of the own books for which no tax invoice is registered; newest first."""
    start = paging.position(after, int)
    kind, asked = ("credit_note", _UNREGISTERED_CREDIT_NOTES) if credit_notes else ("invoice", _UNREGISTERED)
    statement = text(
        f"""
        SELECT '{kind}' AS kind, d.id, d.number, d.issued_on, d.seller_id, seller.name AS seller_name, d.buyer_id, buyer.name AS buyer_name,
               d.gross_fen AS gross, d.vat_fen AS vat
        FROM {kind} d JOIN organisation seller ON seller.id = d.seller_id JOIN organisation buyer ON buyer.id = d.buyer_id
        WHERE d.id IN ({within(actor, kind, asked)}) ORDER BY d.id DESC
        """
    )
    rows = session.execute(statement, {**reach(actor), "start": start[0] if start else None, "rows": limit + 1}).all()
    return paging.page(rows, limit, lambda row: MissingRow.model_validate(row, from_attributes=True), lambda row: [row.id])


def file(session: Session, actor: Actor, tax_invoice_id: int) -> Any:
    """The stored file of a tax invoice.

    Raises:
        NotFound: none within reach, or it has no file (404).
    """
    row = session.execute(_FILE, {"id": tax_invoice_id, **reach(actor)}).first()
    if row is None:
        raise NotFound
    return row


def _fields(row: Row[Any]) -> dict[str, Any]:
    return {name: getattr(row, name) for name in TaxInvoiceRow.model_fields}
