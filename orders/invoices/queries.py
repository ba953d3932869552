"""Reading invoices and credit notes, each within the caller's reach: its seller, its buyer, the unit that ordered, officers of either region."""

# ruff: noqa: S608  statements are put together from constants only

from collections.abc import Sequence
from datetime import date
from typing import Any

from sqlalchemy import Row, text
from sqlmodel import Session

from orders.invoices import positions, rules
from orders.invoices.rules import Standing, in_words
from orders.invoices.schemas import (
    CreditNoteFilter,
    CreditNoteLineOut,
    CreditNoteOut,
    CreditNoteRow,
    ExemptionGroundOut,
    ExemptionOut,
    InvoiceFilter,
    InvoiceLineOut,
    InvoiceOut,
    InvoiceRow,
    TotalsOut,
    VatOut,
)
from orders.invoices.states import possible
from orders.money.queries import ALLOWED_OF_PART
from orders.purchasing.queries import FOLLOWED, IN_REACH, reach
from orders.purchasing.queries.following import paper
from shop.core import paging
from shop.core.errors import Language
from shop.core.paging import Page
from shop.identity.actor import Actor
from shop.identity.permissions import Permission
from shop.programmes import queries as programmes
from shop.programmes.invoicing import Exemption, Ground, grounds_on

_BOTH = "JOIN organisation supplier ON supplier.id = {0}.seller_id JOIN organisation buyer ON buyer.id = {0}.buyer_id"
_INVOICE = f"""
    SELECT i.*, po.number AS purchase_order_number, i.seller ->> 'name' AS seller_name, i.buyer ->> 'name' AS buyer_name,
           i.gross_fen - i.vat_fen AS net, i.vat_fen AS vat, i.gross_fen AS gross, i.credited_fen AS credited,
           i.gross_fen - i.credited_fen AS held, supplier.path AS seller_path
    FROM invoice i JOIN purchase_order po ON po.id = i.purchase_order_id {_BOTH.format("i")}
"""
_CREDIT_NOTE = f"""
    SELECT c.*, c.reason_code AS reason, i.number AS invoice_number, i.purchase_order_id, i.seller, i.buyer, i.seller ->> 'name' AS seller_name,
           i.buyer ->> 'name' AS buyer_name, c.gross_fen - c.vat_fen AS net, c.vat_fen AS vat, c.gross_fen AS gross
    FROM credit_note c JOIN invoice i ON i.id = c.invoice_id JOIN purchase_order po ON po.id = i.purchase_order_id {_BOTH.format("c")}
"""
_ONE_INVOICE = text(f"{_INVOICE} WHERE i.id = :id AND {IN_REACH}")
_ONE_CREDIT_NOTE = text(f"{_CREDIT_NOTE} WHERE c.id = :id AND {IN_REACH}")
_PART = "JOIN supplier_order so ON so.id = i.supplier_order_id"
_FOLLOWED_INVOICE = text(f"{_INVOICE} {_PART} WHERE i.id = :id AND {FOLLOWED}")
_FOLLOWED_CREDIT_NOTE = text(f"{_CREDIT_NOTE} {_PART} WHERE c.id = :id AND {FOLLOWED}")
_LINES = text("SELECT * FROM invoice_line WHERE invoice_id = :id ORDER BY line_no")
_CREDIT_NOTES = text(f"{_CREDIT_NOTE} WHERE c.invoice_id = :id ORDER BY c.id")
_CREDIT_LINES = text(
    """
    SELECT c.*, l.line_no, l.name, l.sku_code, l.pack, l.unit, l.vat_bp, l.exemption
    FROM credit_note_line c JOIN invoice_line l ON l.id = c.invoice_line_id WHERE c.credit_note_id = :id ORDER BY l.line_no
    """
)
_LIVE_LINES = text(positions.LIVE_LINES)
_ALLOWED = text(f"SELECT {ALLOWED_OF_PART.format(id=':id')}")

_ASKED = """
    (CAST(:seller_id AS bigint) IS NULL OR x.seller_id = :seller_id) AND (CAST(:buyer_id AS bigint) IS NULL OR x.buyer_id = :buyer_id)
    AND (CAST(:issued_from AS date) IS NULL OR x.issued_on >= :issued_from) AND (CAST(:issued_to AS date) IS NULL OR x.issued_on <= :issued_to)
    AND (CAST(:number AS text) IS NULL OR starts_with(x.number, :number)) AND (CAST(:start AS bigint) IS NULL OR x.id < :start)
"""
_INVOICES_ASKED = f"""{_ASKED}
    AND (CAST(:status AS text) IS NULL OR x.status = :status)
    AND (CAST(:purchase_order_id AS bigint) IS NULL OR x.purchase_order_id = :purchase_order_id)
    AND (CAST(:supplier_order_id AS bigint) IS NULL OR x.supplier_order_id = :supplier_order_id)
"""
_CREDIT_NOTES_ASKED = f"""{_ASKED}
    AND (CAST(:reason AS text) IS NULL OR x.reason_code = :reason) AND (CAST(:invoice_id AS bigint) IS NULL OR x.invoice_id = :invoice_id)
    AND (CAST(:purchase_order_id AS bigint) IS NULL
         OR x.invoice_id IN (SELECT id FROM invoice WHERE purchase_order_id = :purchase_order_id))
    AND (CAST(:supplier_order_id AS bigint) IS NULL
         OR x.invoice_id IN (SELECT id FROM invoice WHERE supplier_order_id = :supplier_order_id))
"""
_OF_BRANCH = """
    SELECT found.id FROM organisation unit CROSS JOIN LATERAL (
        SELECT x.id FROM {table} x WHERE x.{side} = unit.id AND {asked} ORDER BY x.id DESC LIMIT :rows
    ) found WHERE unit.path LIKE CAST(:branch AS text)
"""
_OF_REGIONS = """
    (SELECT x.id FROM {table} x JOIN organisation s ON s.id = x.seller_id JOIN organisation b ON b.id = x.buyer_id
     WHERE (s.region_code LIKE ANY (CAST(:regions AS text[])) OR b.region_code LIKE ANY (CAST(:regions AS text[]))) AND {asked}
     ORDER BY x.id DESC LIMIT :rows)
"""


def within(actor: Actor, table: str, asked: str) -> str:
    """SQL: the ids of rows of ``table`` (with seller_id, buyer_id, ordering_unit_id) within the caller's reach that ``asked`` picks, newest first."""
    given = reach(actor)
    parts = []
    if given["branch"]:
        parts += [_OF_BRANCH.format(table=table, side=side, asked=asked) for side in ("seller_id", "buyer_id", "ordering_unit_id")]
    if given["regions"]:
        parts.append(_OF_REGIONS.format(table=table, asked=asked))
    found = " UNION ".join(parts) or "SELECT CAST(NULL AS bigint) AS id WHERE false"
    return f"SELECT f.id FROM ({found}) f ORDER BY f.id DESC LIMIT :rows"


def invoice(session: Session, actor: Actor, invoice_id: int, language: Language, *, followed: bool = False) -> InvoiceOut:
    """One invoice with its lines and credit notes. ``followed``: also for whoever only follows a sale to it, without addresses and notes.

    Raises:
        NotFound: none within reach (404).
    """
    row, whole = paper(session, actor, invoice_id, _ONE_INVOICE, _FOLLOWED_INVOICE if followed else None)
    lines = session.execute(_LINES, {"id": invoice_id}).all()
    notes = session.execute(_CREDIT_NOTES, {"id": invoice_id}).all()
    grounds = programmes.config_of(session, row.issued_on).invoicing.exemptions
    return InvoiceOut(
        **_row(row, InvoiceRow),
        **_sides(row, whole=whole),
        issued_at=row.issued_at,
        automatic=row.issued_by is None,
        note=row.note if whole else None,
        in_words=in_words(row.gross_fen),
        to_credit=_to_credit(session, row),
        vat_by_rate=_by_rate(lines),
        lines=[_line(line, grounds, row.issued_on, language) for line in lines],
        credit_notes=[CreditNoteRow(**_credit_note_row(note, whole=whole)) for note in notes],
        possible_actions=possible(row.status, sent=row.sent_at is not None) if _issues(actor, row) else [],
    )


def _issues(actor: Actor, row: Any) -> bool:
    """Whether the actor issues, sends and credits the invoices of its seller."""
    return actor.may(Permission.INVOICES_ISSUE) and actor.within_branch(row.seller_path)


def credit_note(
    session: Session, actor: Actor, credit_note_id: int, language: Language, *, followed: bool = False
) -> CreditNoteOut:
    """One credit note with its lines; ``followed`` as for :func:`invoice`.

    Raises:
        NotFound: none within reach (404).
    """
    row, whole = paper(session, actor, credit_note_id, _ONE_CREDIT_NOTE, _FOLLOWED_CREDIT_NOTE if followed else None)
    grounds = programmes.config_of(session, row.issued_on).invoicing.exemptions
    return CreditNoteOut(
        **_credit_note_row(row, whole=whole),
        **_sides(row, whole=whole),
        issued_at=row.issued_at,
        in_words=in_words(row.gross_fen),
        lines=[
            CreditNoteLineOut(
                **{name: getattr(line, name) for name in ("id", "invoice_line_id", "line_no", "name", "sku_code", "pack", "unit")},
                quantity=line.quantity,
                vat_bp=line.vat_bp,
                net=line.amount_fen - line.vat_fen,
                vat=line.vat_fen,
                gross=line.amount_fen,
                reduced=line.reduced_fen,
                exemption=_exempt(grounds, line.exemption, row.issued_on, language),
            )
            for line in session.execute(_CREDIT_LINES, {"id": credit_note_id})
        ],
    )


def invoices(session: Session, actor: Actor, asked: InvoiceFilter, *, limit: int, after: str | None) -> Page[InvoiceRow]:
    """Invoices within reach, newest first."""
    rows = _many(
        session, actor, "invoice", _INVOICES_ASKED, f"{_INVOICE} WHERE i.id IN ({{ids}}) ORDER BY i.id DESC", asked, limit, after
    )
    return paging.page(rows, limit, lambda row: InvoiceRow(**_row(row, InvoiceRow)), lambda row: [row.id])


def credit_notes(session: Session, actor: Actor, asked: CreditNoteFilter, *, limit: int, after: str | None) -> Page[CreditNoteRow]:
    """Credit notes within reach, newest first."""
    statement = f"{_CREDIT_NOTE} WHERE c.id IN ({{ids}}) ORDER BY c.id DESC"
    rows = _many(session, actor, "credit_note", _CREDIT_NOTES_ASKED, statement, asked, limit, after)
    return paging.page(rows, limit, lambda row: CreditNoteRow(**_credit_note_row(row, whole=True)), lambda row: [row.id])


def totals(session: Session, actor: Actor, asked: InvoiceFilter) -> TotalsOut:
    """What all invoices of a list come to."""
    statement = text(
        f"""
        SELECT count(*) AS count, coalesce(sum(gross_fen - vat_fen), 0)::bigint AS net, coalesce(sum(vat_fen), 0)::bigint AS vat,
               coalesce(sum(gross_fen), 0)::bigint AS gross, coalesce(sum(credited_fen), 0)::bigint AS credited,
               coalesce(sum(gross_fen - credited_fen), 0)::bigint AS held
        FROM invoice WHERE id IN ({within(actor, "invoice", _INVOICES_ASKED)})
        """
    )
    row = session.execute(statement, {**reach(actor), **asked.model_dump(), "start": None, "rows": None}).one()
    return TotalsOut.model_validate(row, from_attributes=True)


def exemptions(session: Session, on: date, language: Language) -> list[ExemptionGroundOut]:
    """The reasons for which a line holds no VAT, as they rest on a Shanghai date by the programme in force then.

    Raises:
        NoProgramme: none was.
    """
    return [
        ExemptionGroundOut(
            **_worded(ground, language).model_dump(),
            valid_until=ground.valid_until,
            categories=list(ground.categories),
            presumed_of=list(ground.presumed_of),
        )
        for ground in grounds_on(programmes.config_of(session, on).invoicing.exemptions, on)
    ]


def _many(
    session: Session, actor: Actor, table: str, filters: str, statement: str, asked: Any, limit: int, after: str | None
) -> Sequence[Row[Any]]:
    start = paging.position(after, int)
    values = {
        **reach(actor),
        **asked.model_dump(),
        "start": start[0] if start else None,
        "rows": limit + 1,
    }
    return session.execute(text(statement.format(ids=within(actor, table, filters))), values).all()


def _row(row: Row[Any], shape: Any) -> dict[str, Any]:
    return {name: getattr(row, name) for name in shape.model_fields}


def _credit_note_row(row: Row[Any], *, whole: bool) -> dict[str, Any]:
    return _row(row, CreditNoteRow) | ({} if whole else {"note": None})


def _sides(row: Row[Any], *, whole: bool) -> dict[str, Any]:
    """Seller and buyer; where they are is told to those who see the paper as a whole."""
    nowhere = {} if whole else {"address": None}
    return {"seller": row.seller | nowhere, "buyer": row.buyer | nowhere}


def _to_credit(session: Session, row: Row[Any]) -> int:
    """What the invoice holds beyond what is owed by now, in fen."""
    part = {"id": row.supplier_order_id}
    lines = [Standing(*line) for line in session.execute(_LIVE_LINES, part)]
    credits = rules.to_credit(lines, session.execute(_ALLOWED, part).scalar_one())
    return sum(each.amount_fen for each in credits if each.line.invoice_id == row.id)


def _by_rate(lines: Sequence[Row[Any]]) -> list[VatOut]:
    rates: dict[int, list[Row[Any]]] = {}
    for line in lines:
        rates.setdefault(line.vat_bp, []).append(line)
    sums = [
        (rate, sum(line.amount_fen for line in each), sum(line.vat_fen for line in each)) for rate, each in sorted(rates.items())
    ]
    return [VatOut(vat_bp=rate, net=gross - vat, vat=vat, gross=gross) for rate, gross, vat in sums]


def _line(line: Row[Any], grounds: Sequence[Ground], on: date, language: Language) -> InvoiceLineOut:
    plain = ("id", "line_no", "kind", "acceptance_id", "order_line_id", "name", "sku_code", "pack", "unit", "quantity", "vat_bp")
    return InvoiceLineOut(
        **{name: getattr(line, name) for name in plain},
        unit_price=line.unit_price_fen,
        net=line.amount_fen - line.vat_fen,
        vat=line.vat_fen,
        gross=line.amount_fen,
        exemption=_exempt(grounds, line.exemption, on, language),
        returned_quantity=line.returned_quantity,
        returned=line.returned_fen,
        reduced=line.reduced_fen,
    )


def _exempt(grounds: Sequence[Ground], code: str | None, on: date, language: Language) -> ExemptionOut | None:
    return _worded(rules.ground_of(grounds, Exemption(code), on), language) if code else None


def _worded(ground: Ground, language: Language) -> ExemptionOut:
    zh = language == "zh"
    return ExemptionOut(code=ground.code, label=ground.zh if zh else ground.en, source=ground.source_zh if zh else ground.source_en)
