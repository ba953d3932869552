"""Reading the register of tax invoices, each within the caller's reach: its seller, its buyer, the unit that ordered, officers of either region."""

# ruff: noqa: S608  statements are put together from constants only

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Row, text
from sqlmodel import Session

from orders.invoices.positions import LEFT, STANDING
from orders.invoices.queries import within
from orders.purchasing.queries import FOLLOWED, IN_REACH, reach
from orders.purchasing.queries.following import paper
from orders.tax_invoices import rules
from orders.tax_invoices.schemas import (
    By,
    CoverOut,
    MissingFilter,
    MissingRow,
    SameNumberOut,
    SumOut,
    TaxInvoiceFilter,
    TaxInvoiceOut,
    TaxInvoiceRow,
    TotalsFilter,
    TotalsOut,
    TotalsPage,
    TotalsRow,
)
from orders.tax_invoices.states import COUNTED, LIVE, TAX_INVOICE, TaxInvoiceMove
from shop.core import paging
from shop.core.errors import NotFound
from shop.core.paging import Page
from shop.identity.actor import Actor
from shop.identity.permissions import Permission

_COUNTED = ", ".join(f"'{status}'" for status in COUNTED)
_LIVE = ", ".join(f"'{status}'" for status in LIVE)
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
#: SQL: what tax invoice ``t`` and all that is for the same things come to, and what these things do: (gross_fen, vat_fen, expected_fen,
#: expected_vat_fen); no VAT where one of them does not say it. Two for one invoice, one of which is for another invoice too, are compared together.
TOGETHER = f"""
    LATERAL (
        WITH RECURSIVE together AS (
            SELECT t.id
            UNION
            SELECT o.id FROM together g JOIN tax_invoice_cover x ON x.tax_invoice_id = g.id
            CROSS JOIN LATERAL (
                SELECT tax_invoice_id FROM tax_invoice_cover WHERE invoice_id = x.invoice_id
                UNION ALL SELECT tax_invoice_id FROM tax_invoice_cover WHERE credit_note_id = x.credit_note_id
                UNION ALL SELECT tax_invoice_id FROM tax_invoice_cover WHERE acceptance_id = x.acceptance_id
            ) beside JOIN tax_invoice o ON o.id = beside.tax_invoice_id AND o.status IN ({_COUNTED})
        )
        SELECT said.gross_fen, said.vat_fen, worth.expected_fen, worth.expected_vat_fen
        FROM (SELECT sum(o.gross_fen)::bigint AS gross_fen, CASE WHEN count(o.vat_fen) = count(*) THEN sum(o.vat_fen)::bigint END AS vat_fen
              FROM together g JOIN tax_invoice o ON o.id = g.id) said
        CROSS JOIN (SELECT sum(v.gross_fen)::bigint AS expected_fen, sum(v.vat_fen)::bigint AS expected_vat_fen
                    FROM (SELECT DISTINCT c.invoice_id, c.credit_note_id, c.acceptance_id FROM together g
                          JOIN tax_invoice_cover c ON c.tax_invoice_id = g.id) x
                    CROSS JOIN {_WORTH} v) worth
    )
"""
_TAX_INVOICE = f"""
    SELECT t.*, t.gross_fen AS gross, t.vat_fen AS vat, t.file_id IS NOT NULL AS has_file, supplier.name AS seller_name, supplier.uscc AS seller_uscc,
           supplier.path AS seller_path, supplier.region_code AS seller_region, buyer.region_code AS buyer_region,
           buyer.name AS buyer_name, w.expected, w.expected_vat, CASE WHEN t.status IN ({_LIVE}) THEN a.gross_fen - a.expected_fen END AS difference,
           CASE WHEN t.status IN ({_LIVE}) THEN a.vat_fen - a.expected_vat_fen END AS vat_difference
    FROM tax_invoice t JOIN organisation supplier ON supplier.id = t.seller_id JOIN organisation buyer ON buyer.id = t.buyer_id
    CROSS JOIN LATERAL (SELECT sum(v.gross_fen)::bigint AS expected, sum(v.vat_fen)::bigint AS expected_vat FROM tax_invoice_cover x CROSS JOIN {_WORTH} v WHERE x.tax_invoice_id = t.id) w
    LEFT JOIN {TOGETHER} a ON t.status IN ({_LIVE})
"""
# the unit that ordered sees it as the buyer does
_REACH = IN_REACH.replace("po.ordering_unit_id", "t.ordering_unit_id")
_ONE = text(f"{_TAX_INVOICE} WHERE t.id = :id AND {_REACH}")
_FOLLOWED = text(
    f"""{_TAX_INVOICE} WHERE t.id = :id AND EXISTS (
        SELECT FROM tax_invoice_cover x JOIN supplier_order so ON so.id = x.supplier_order_id WHERE x.tax_invoice_id = t.id AND {FOLLOWED})"""
)
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
    AND (CAST(:purchase_order_id AS bigint) IS NULL
         OR x.id IN (SELECT c.tax_invoice_id FROM supplier_order so JOIN tax_invoice_cover c ON c.supplier_order_id = so.id
                     WHERE so.purchase_order_id = :purchase_order_id))
    AND (CAST(:supplier_order_id AS bigint) IS NULL
         OR x.id IN (SELECT tax_invoice_id FROM tax_invoice_cover WHERE supplier_order_id = :supplier_order_id))
    AND (CAST(:issued_from AS date) IS NULL OR x.issued_on >= :issued_from) AND (CAST(:issued_to AS date) IS NULL OR x.issued_on <= :issued_to)
    AND (CAST(:number AS text) IS NULL OR starts_with(x.number, :number)) AND (CAST(:start AS bigint) IS NULL OR x.id < :start)
"""
#: SQL: a tax invoice that counts is for invoice ``{invoice}``, or for a delivery that stands in it. (Inside it c, l and t are taken.)
REGISTERED = f"""
    (EXISTS (SELECT FROM tax_invoice_cover c JOIN tax_invoice t ON t.id = c.tax_invoice_id AND t.status IN ({_COUNTED})
             WHERE c.invoice_id = {{invoice}})
     OR EXISTS (SELECT FROM invoice_line l JOIN tax_invoice_cover c ON c.acceptance_id = l.acceptance_id
                JOIN tax_invoice t ON t.id = c.tax_invoice_id AND t.status IN ({_COUNTED}) WHERE l.invoice_id = {{invoice}}))
"""
#: SQL: credit note ``{note}`` of invoice ``{invoice}`` lacks its red-letter invoice: it needs one only if what it takes back was registered.
RED_MISSING = f"""
    ({REGISTERED} AND NOT EXISTS (
        SELECT FROM tax_invoice_cover c JOIN tax_invoice t ON t.id = c.tax_invoice_id AND t.status IN ({_COUNTED})
        WHERE c.credit_note_id = {{note}}))
"""
_SIDES_AND_DAYS = """
    (CAST(:seller_id AS bigint) IS NULL OR x.seller_id = :seller_id) AND (CAST(:buyer_id AS bigint) IS NULL OR x.buyer_id = :buyer_id)
    AND (CAST(:issued_from AS date) IS NULL OR x.issued_on >= :issued_from) AND (CAST(:issued_to AS date) IS NULL OR x.issued_on <= :issued_to)
"""
_STARTING = "(CAST(:start AS bigint) IS NULL OR x.id < :start)"
_UNREGISTERED = f"x.credited_fen < x.gross_fen AND NOT {REGISTERED.format(invoice='x.id')} AND {_SIDES_AND_DAYS} AND {_STARTING}"
_UNREGISTERED_CREDIT_NOTES = (
    f"x.gross_fen > 0 AND {RED_MISSING.format(invoice='x.invoice_id', note='x.id')} AND {_SIDES_AND_DAYS} AND {_STARTING}"
)
# Sums of the register and of the own books, by ``{place}``. Of the register: what counts (by state: what is in it), and of that what is for nothing in
# the own books; how many wait for a decision. Of the own books: what invoices hold that lack a tax invoice, and credit notes without a red-letter one.
_TOTALS = f"""
    WITH register AS (
        SELECT {{place}} AS place, count(*) FILTER (WHERE counts AND NOT red) AS blue_count, count(*) FILTER (WHERE counts AND red) AS red_count,
               sum(gross_fen) FILTER (WHERE counts AND NOT red) AS blue_gross, sum(gross_fen) FILTER (WHERE counts AND red) AS red_gross,
               sum(vat_fen) FILTER (WHERE counts AND NOT red) AS blue_vat, sum(vat_fen) FILTER (WHERE counts AND red) AS red_vat,
               sum(gross_fen) FILTER (WHERE counts AND NOT red AND NOT linked) AS unlinked, count(*) FILTER (WHERE status = 'held') AS held
        FROM (SELECT x.*, {{counts}} AS counts, EXISTS (
                  SELECT FROM tax_invoice_cover c WHERE c.tax_invoice_id = x.id
                  AND (c.invoice_id IS NOT NULL OR EXISTS (SELECT FROM invoice_line l WHERE l.acceptance_id = c.acceptance_id))) AS linked
              FROM tax_invoice x WHERE x.id IN ({{tax_invoices}})) x
        GROUP BY 1
    ), books AS (
        SELECT {{place}} AS place, sum(gross_fen) AS invoiced, sum(credited_fen) AS credited,
               sum(gross_fen - credited_fen) FILTER (WHERE NOT registered) AS missing, sum(red_missing) AS red_missing
        FROM (SELECT x.*, {REGISTERED.format(invoice="x.id")} AS registered,
                     (SELECT sum(n.gross_fen) FROM credit_note n WHERE n.invoice_id = x.id AND {RED_MISSING.format(invoice="x.id", note="n.id")}) AS red_missing
              FROM invoice x WHERE x.id IN ({{invoices}})) x
        GROUP BY 1
    )
    SELECT place, supplier.name, {{sums}}
    FROM register r FULL JOIN books b USING (place) LEFT JOIN organisation supplier ON :by = 'seller' AND supplier.id = CAST(place AS bigint)
    ORDER BY place COLLATE "C"
"""
_SUMS = (
    "blue_count",
    "blue_gross",
    "blue_vat",
    "red_count",
    "red_gross",
    "red_vat",
    "unlinked",
    "held",
    "invoiced",
    "credited",
    "missing",
    "red_missing",
)
_PLACES = {
    By.STATUS: "x.status",
    By.SELLER: "to_char(x.seller_id, 'FM0000000000000000000')",
    By.MONTH: "to_char(x.issued_on, 'YYYY-MM')",
}


def tax_invoice(session: Session, actor: Actor, tax_invoice_id: int, *, followed: bool = False) -> TaxInvoiceOut:
    """One tax invoice with what it covers; who decides also sees the other registrations of its number, whosever they are. ``followed``: also for
    whoever only follows a sale to it, without what is noted on it.

    Raises:
        NotFound: none within reach (404).
    """
    row, whole = paper(session, actor, tax_invoice_id, _ONE, _FOLLOWED if followed else None)
    same = (
        session.execute(_SAME, {"id": row.id, "code": row.code, "number": row.number}) if actor.may(Permission.MONEY_MANAGE) else ()
    )
    return TaxInvoiceOut(
        **_fields(row) | ({} if whole else {"decision": None}),
        red_letter_of_id=row.red_letter_of_id,
        note=row.note if whole else None,
        covers=[CoverOut.model_validate(cover, from_attributes=True) for cover in session.execute(_COVERS, {"id": row.id})],
        same_number=[SameNumberOut.model_validate(one, from_attributes=True) for one in same],
        possible_actions=TAX_INVOICE.possible(row.status, moves_of(actor, row)) if whole else [],
    )


def moves_of(actor: Actor, row: Any) -> set[TaxInvoiceMove]:
    """What the actor may do with a tax invoice at all: void it, as its seller, or decide about it, as who keeps the money of either side's region."""
    moves: set[TaxInvoiceMove] = set()
    if actor.may(Permission.INVOICES_ISSUE) and actor.within_branch(row.seller_path):
        moves.add(TaxInvoiceMove.VOID)
    if actor.may(Permission.MONEY_MANAGE) and decides(actor, row):
        moves |= {TaxInvoiceMove.CLEAR, TaxInvoiceMove.REFUSE}
    return moves


def decides(actor: Actor, row: Any) -> bool:
    """Whether the actor keeps the money of the seller's or the buyer's region."""
    return any(actor.covers_region(Permission.MONEY_MANAGE, region) for region in (row.seller_region, row.buyer_region))


def tax_invoices(session: Session, actor: Actor, asked: TaxInvoiceFilter, *, limit: int, after: str | None) -> Page[TaxInvoiceRow]:
    """Tax invoices within reach, newest first."""
    start = paging.position(after, int)
    values = {**reach(actor), **asked.model_dump(), "start": start[0] if start else None, "rows": limit + 1}
    statement = text(f"{_TAX_INVOICE} WHERE t.id IN ({within(actor, 'tax_invoice', _ASKED)}) ORDER BY t.id DESC")
    rows = session.execute(statement, values).all()
    return paging.page(rows, limit, lambda row: TaxInvoiceRow(**_fields(row)), lambda row: [row.id])


def missing(session: Session, actor: Actor, asked: MissingFilter, *, limit: int, after: str | None) -> Page[MissingRow]:
    """Invoices, or credit notes, of the own books for which no tax invoice is registered; newest first."""
    start = paging.position(after, int)
    kind, which = ("credit_note", _UNREGISTERED_CREDIT_NOTES) if asked.credit_notes else ("invoice", _UNREGISTERED)
    statement = text(
        f"""
        SELECT '{kind}' AS kind, d.id, d.number, d.issued_on, d.seller_id, seller.name AS seller_name, d.buyer_id, buyer.name AS buyer_name,
               d.gross_fen AS gross, d.vat_fen AS vat
        FROM {kind} d JOIN organisation seller ON seller.id = d.seller_id JOIN organisation buyer ON buyer.id = d.buyer_id
        WHERE d.id IN ({within(actor, kind, which)}) ORDER BY d.id DESC
        """
    )
    values = {**reach(actor), **asked.model_dump(), "start": start[0] if start else None, "rows": limit + 1}
    rows = session.execute(statement, values).all()
    return paging.page(rows, limit, lambda row: MissingRow.model_validate(row, from_attributes=True), lambda row: [row.id])


def totals(session: Session, actor: Actor, asked: TotalsFilter, *, limit: int, after: str | None) -> TotalsPage:
    """What the register comes to by state, seller or month of issue, set against the own books of the same sellers and days. The sums of all are
    taken over everything that was asked for; a page only chooses which rows are told."""
    start = paging.position(after, str)
    of_status = asked.by is By.STATUS
    statement = _TOTALS.format(
        place=_PLACES[asked.by],
        counts="true" if of_status else f"x.status IN ({_COUNTED})",
        tax_invoices=within(actor, "tax_invoice", _SIDES_AND_DAYS),
        # of the own books nothing has such a state
        invoices="NULL" if of_status else within(actor, "invoice", _SIDES_AND_DAYS),
        sums=", ".join(f"coalesce({name}, 0)::bigint AS {name}" for name in _SUMS),
    )
    rows = session.execute(text(statement), {**reach(actor), **asked.model_dump(), "rows": None}).all()
    counted = [row for row in rows if not of_status or row.place in COUNTED]
    everything = {name: sum(getattr(row, name) for row in counted) for name in _SUMS}
    if of_status:
        everything["held"] = sum(row.held for row in rows)
    page = paging.page(
        [row for row in rows if start is None or row.place > start[0]],
        limit,
        lambda row: TotalsRow(place=row.place, seller_name=row.name, **_told(asked, row._asdict())),
        lambda row: [row.place],
    )
    return TotalsPage(items=page.items, next=page.next, total=TotalsOut(**_told(asked, everything, of_all=True)))


def _told(asked: TotalsFilter, sums: Mapping[str, int], *, of_all: bool = False) -> dict[str, Any]:
    """A row's sums as they are told. A tax invoice may be of another month than what it is for, so that only all days together must agree."""
    books = {} if asked.by is By.STATUS else {name: sums[name] for name in ("invoiced", "credited", "missing", "red_missing")}
    if books and asked.issued_from is None and asked.issued_to is None and (of_all or asked.by is By.SELLER):
        books["difference"] = rules.unexplained(**{name: sums[name] for name in ("blue_gross", "unlinked", "red_gross")}, **books)
    return {
        **{
            colour: SumOut(count=sums[f"{colour}_count"], gross=sums[f"{colour}_gross"], vat=sums[f"{colour}_vat"])
            for colour in ("blue", "red")
        },
        "unlinked": sums["unlinked"],
        "held": sums["held"],
        **books,
    }


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
    looked_at = rules.other_province(row.code, row.number, row.seller_uscc)
    return {
        "other_province": looked_at,
        **{name: getattr(row, name) for name in TaxInvoiceRow.model_fields if name != "other_province"},
    }
