"""The lines of a revision's difference table, as far as a person's regions go; of all others their sums."""

# ruff: noqa: S608  statements are put together from constants only; every value that a caller gives is bound

from collections.abc import Callable
from typing import Any

from sqlalchemy import Row, text
from sqlmodel import Session

from orders.bulletins.queries.facts import MonthDays
from orders.bulletins.schemas.bulletins import ChangeOut, ChangesOut, ElsewhereOut
from orders.bulletins.words import CAUSES
from orders.ledger.booking import parent
from shop.core import paging
from shop.core.errors import Language, NotFound
from shop.identity.actor import Actor
from shop.identity.permissions import Permission
from shop.programmes import queries as programmes

_MONTH = text("SELECT to_char(month, 'YYYY-MM') FROM bulletin WHERE id = :id")
#: Districts are those of the day; a township's officer sees those of the township.
_WITHIN = (
    "(district_code LIKE ANY (CAST(:regions AS text[])) OR coalesce(township_code LIKE ANY (CAST(:regions AS text[])), false))"
)
# A correction has the papers of the sale that it takes back, and the day of that sale.
_LINES = text(
    f"""
    WITH RECURSIVE line AS MATERIALIZED (
        SELECT * FROM bulletin_change WHERE bulletin_id = :id AND {_WITHIN}
          AND (CAST(:start AS text) IS NULL OR (kind, entry_id) > (CAST(:start AS text), CAST(:start_id AS bigint)))
        ORDER BY kind, entry_id LIMIT :rows
    ), up (entry_id, at, depth) AS (
        SELECT DISTINCT entry_id, entry_id, 0 FROM line
        UNION ALL
        SELECT up.entry_id, {parent("s")}, up.depth + 1 FROM up JOIN sale_entry s ON s.id = up.at WHERE {parent("s")} IS NOT NULL
    ), paper AS (
        SELECT up.entry_id, 1 AS place, o.number FROM up JOIN sale_entry s ON s.id = up.at JOIN purchase_order o ON o.id = s.order_id
        UNION
        SELECT up.entry_id, 2, b.batch_id FROM up JOIN sale_entry s ON s.id = up.at AND s.origin_kind = 'outlet_line'
        JOIN sales_batch_line l ON l.id = s.origin_id JOIN sales_batch b ON b.id = l.batch_id
        UNION
        SELECT up.entry_id, 3, x.number FROM up JOIN sale_entry s ON s.id = up.at AND s.origin_kind = 'external_line'
        JOIN external_sale_line l ON l.id = s.origin_id JOIN external_sale x ON x.id = l.sale_id
        UNION
        SELECT up.entry_id, 4, d.number FROM up JOIN sale_entry s ON s.id = up.at AND s.origin_kind = 'external_line'
        JOIN external_sale_line l ON l.id = s.origin_id JOIN external_sale_document d ON d.sale_id = l.sale_id AND d.kind = 'invoice'
        UNION
        SELECT up.entry_id, 4, i.number FROM up JOIN invoice_line l ON l.sale_entry_id = up.at JOIN invoice i ON i.id = l.invoice_id
        UNION
        SELECT up.entry_id, 5, n.number FROM up JOIN invoice_line l ON l.sale_entry_id = up.at
        JOIN credit_note_line c ON c.invoice_line_id = l.id JOIN credit_note n ON n.id = c.credit_note_id
        UNION
        SELECT up.entry_id, 6, f.number FROM up JOIN sale_entry s ON s.id = up.at JOIN certificate f ON f.id = s.certificate_id
    )
    SELECT line.*, e.reverses_id, e.sold_on, p.name AS product, r.name_zh, r.name_en,
           (SELECT coalesce(s.occurred_on, s.sold_on) FROM up JOIN sale_entry s ON s.id = up.at
            WHERE up.entry_id = line.entry_id ORDER BY up.depth DESC LIMIT 1) AS made_on,
           ARRAY(SELECT number FROM paper WHERE paper.entry_id = line.entry_id ORDER BY place, number) AS documents
    FROM line JOIN sale_entry e ON e.id = line.entry_id JOIN product p ON p.id = e.product_id JOIN region r ON r.code = line.district_code
    ORDER BY line.kind, line.entry_id
    """
)
_ELSEWHERE = text(
    f"""
    SELECT c.*, r.name_zh, r.name_en FROM (
        SELECT kind, direction, district_code, count(*) AS lines, sum(amount_fen)::bigint AS amount_fen, sum(grams)::bigint AS grams,
               sum(certified_fen)::bigint AS certified_fen
        FROM bulletin_change WHERE bulletin_id = :id AND NOT {_WITHIN} GROUP BY 1, 2, 3) c
    JOIN region r ON r.code = c.district_code ORDER BY c.district_code, c.direction, c.kind
    """
)


def changes(session: Session, actor: Actor, bulletin_id: int, language: Language, *, limit: int, after: str | None) -> ChangesOut:
    """The lines of the caller's regions, by cause and entry; of all other districts their sums by cause, on every page.

    Raises:
        NotFound: there is no such edition (404).
    """
    month = session.execute(_MONTH, {"id": bulletin_id}).scalar()
    if month is None:
        raise NotFound
    start = paging.position(after, str, int) or [None, 0]
    asked = {"id": bulletin_id, "regions": actor.region_patterns(Permission.BULLETINS_READ)}
    rows = session.execute(_LINES, {**asked, "start": start[0], "start_id": start[1], "rows": limit + 1}).all()
    term = programmes.terms(session, MonthDays.of(month).last, language)
    page = paging.page(rows, limit, lambda row: _line(row, language, term), lambda row: [row.kind, row.entry_id])
    return ChangesOut(
        items=page.items,
        next=page.next,
        elsewhere=[ElsewhereOut(**_sums(row, language), lines=row.lines) for row in session.execute(_ELSEWHERE, asked)],
    )


def _sums(row: Row[Any], language: Language) -> dict[str, Any]:
    return {
        "cause": row.kind,
        "cause_label": CAUSES[row.kind][language],
        "direction": row.direction,
        "district": row.district_code,
        "district_name": row.name_zh if language == "zh" else row.name_en,
        "amount": row.amount_fen,
        "grams": row.grams,
        "certified": row.certified_fen,
    }


def _line(row: Row[Any], language: Language, term: Callable[[str, str], str]) -> ChangeOut:
    return ChangeOut(
        **_sums(row, language),
        entry_id=row.entry_id,
        reverses_id=row.reverses_id,
        sold_on=row.sold_on.isoformat(),
        occurred_on=row.made_on.isoformat(),
        channel=row.channel,
        channel_label=term("channel", row.channel),
        source=row.source,
        source_label=term("source", row.source),
        category=row.category,
        category_label=term("category", row.category),
        product=row.product,
        documents=row.documents,
    )
