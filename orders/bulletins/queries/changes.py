"""What was booked after a month was closed and belongs to it, and what of its sales lost its certificate: the lines of a revision."""

# ruff: noqa: S608  statements are put together from constants only; every value that a caller gives is bound

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import text
from sqlmodel import Session

from orders.bulletins.content import Sums, canonical, digest
from orders.ledger.booking import parent
from shop.core.money import yuan_from_fen

#: SQL: from entries of ``{begin}`` up to the sale at the root of each; ``on_month`` is the first day of the month to which that belongs.
_ROOTS = f"""
    up (entry_id, at, depth) AS (
        SELECT id, id, 0 FROM ({{begin}}) begin
        UNION ALL
        SELECT up.entry_id, {parent("s")}, up.depth + 1 FROM up JOIN sale_entry s ON s.id = up.at WHERE {parent("s")} IS NOT NULL
    ), rooted AS (
        SELECT top.entry_id, date_trunc('month', coalesce(s.occurred_on, s.sold_on)::timestamp)::date AS on_month
        FROM (SELECT DISTINCT ON (entry_id) entry_id, at FROM up ORDER BY entry_id, depth DESC) top JOIN sale_entry s ON s.id = top.at
    )
"""
# What does not count is in no figure, and nor is what takes it back.
_AFTERWARDS = """
    SELECT id FROM sale_entry WHERE reverses_id IS NOT NULL AND counted AND {when}
    UNION
    SELECT id FROM sale_entry WHERE occurred_on IS NOT NULL AND counted AND {when}
    UNION
    SELECT id FROM sale_entry WHERE origin_kind IN ('release', 'reassignment', 'acceptance_correction') AND counted AND {when}
"""
# Each change is told once, in the first revision that is drafted after it: what stands in ``bulletin_change`` is left out. There is no watermark, so
# that an entry whose transaction was open for long is not stepped over. One statement, so one snapshot.
_TELL = text(
    f"""
    WITH RECURSIVE {_ROOTS.format(begin=_AFTERWARDS.format(when="sold_on > :last"))},
    later AS MATERIALIZED (
        SELECT e.*, CASE WHEN e.reverses_id IS NOT NULL THEN 'reversal' WHEN e.occurred_on IS NOT NULL THEN 'late' ELSE 'again' END AS what
        FROM rooted r JOIN sale_entry e ON e.id = r.entry_id WHERE r.on_month = :first AND e.district_code = ANY (CAST(:included AS text[]))
    ), base AS MATERIALIZED (
        SELECT e.* FROM sale_entry e
        WHERE e.sold_on BETWEEN :first AND :last AND e.counted AND e.district_code = ANY (CAST(:included AS text[]))
    ), lost AS (
        SELECT e.id, e.amount_fen + coalesce((SELECT sum(r.amount_fen) FROM sale_entry r WHERE r.reverses_id = e.id), 0) AS left_fen
        FROM (SELECT id, amount_fen, certificate_id FROM base WHERE reverses_id IS NULL
              UNION ALL SELECT id, amount_fen, certificate_id FROM later WHERE reverses_id IS NULL) e
        JOIN certificate c ON c.id = e.certificate_id AND c.revoked_at > :closed_at
    ), change AS (
        SELECT 'verified' AS kind, e.id, e.amount_fen, e.grams, CASE WHEN e.certified THEN e.amount_fen ELSE 0 END AS certified_fen, 1 AS entries
        FROM base e WHERE e.district_code = ANY (CAST(:added AS text[]))
        UNION ALL
        SELECT e.what, e.id, e.amount_fen, e.grams, CASE WHEN e.certified AND NOT EXISTS (
                   SELECT FROM bulletin_change t WHERE t.month = :first AND t.kind = 'revoked' AND t.entry_id = e.reverses_id)
               THEN e.amount_fen ELSE 0 END, 1
        FROM later e
        UNION ALL
        SELECT 'revoked', id, 0, 0, -left_fen, 0 FROM lost WHERE left_fen <> 0
    )
    INSERT INTO bulletin_change (month, kind, entry_id, bulletin_id, direction, district_code, township_code, channel, source, category,
                                 amount_fen, grams, certified_fen, entries)
    SELECT :first, c.kind, c.id, :bulletin_id, e.direction, coalesce(CAST(:successors AS jsonb) ->> e.district_code, e.district_code),
           e.township_code, e.channel, e.source, e.category, c.amount_fen, c.grams, c.certified_fen, c.entries
    FROM change c JOIN sale_entry e ON e.id = c.id
    WHERE NOT EXISTS (SELECT FROM bulletin_change t WHERE t.month = :first AND t.kind = c.kind AND t.entry_id = c.id)
    """
)
_FORGET = text("DELETE FROM bulletin_change WHERE bulletin_id = :bulletin_id")
_SUMS = """
    sum(amount_fen)::bigint AS amount_fen, sum(grams)::bigint AS grams, sum(certified_fen)::bigint AS certified_fen, sum(entries)::bigint AS entries
"""
_OF_MONTH = text(
    f"""
    SELECT direction, district_code, coalesce(township_code, '') AS township_code, channel, source, category, {_SUMS} FROM bulletin_change
    WHERE month = :month AND kind <> 'verified' GROUP BY 1, 2, 3, 4, 5, 6
    """
)
_PUBLISHED = text(
    """
    SELECT c.district_code, c.channel, sum(c.amount_fen)::bigint AS amount_fen, sum(c.grams)::bigint AS grams
    FROM bulletin_change c JOIN bulletin b ON b.id = c.bulletin_id
    WHERE c.month = :month AND c.kind <> 'verified' AND c.direction = 'purchase' AND b.status <> 'draft' GROUP BY 1, 2
    """
)
_OF_EDITION = text(
    f"SELECT direction, district_code, kind, {_SUMS} FROM bulletin_change WHERE bulletin_id = :bulletin_id GROUP BY 1, 2, 3 ORDER BY 1, 2, 3"
)
_LINES = text(
    "SELECT kind, entry_id, direction, district_code, amount_fen, grams, certified_fen FROM bulletin_change"
    " WHERE bulletin_id = :bulletin_id ORDER BY kind, entry_id"
)
# Of the month's entries those that belong to an earlier one.
_EARLIER = text(
    f"""
    WITH RECURSIVE {_ROOTS.format(begin=_AFTERWARDS.format(when="sold_on BETWEEN :first AND :last"))}
    SELECT coalesce(sum(e.amount_fen), 0)::bigint AS amount_fen, coalesce(sum(e.grams), 0)::bigint AS grams,
           coalesce(sum(e.amount_fen) FILTER (WHERE e.certified), 0)::bigint AS certified_fen, count(*) AS entries
    FROM rooted r JOIN sale_entry e ON e.id = r.entry_id
    WHERE r.on_month < :first AND e.direction = 'purchase' AND e.district_code = ANY (CAST(:included AS text[]))
    """
)
# Who took part: of the month's entries, and of what was told later of it. A correction makes nobody a participant, and takes nobody out.
_COUNTS = text(
    """
    SELECT count(DISTINCT order_id) AS orders, count(DISTINCT buyer_id) AS buyers, count(DISTINCT product_id) AS products,
           count(DISTINCT supplier_id) AS suppliers
    FROM (SELECT order_id, buyer_id, product_id, supplier_id FROM sale_entry
          WHERE sold_on BETWEEN :first AND :last AND counted AND reverses_id IS NULL AND direction = 'purchase'
            AND district_code = ANY (CAST(:included AS text[]))
          UNION ALL
          SELECT e.order_id, e.buyer_id, e.product_id, e.supplier_id FROM bulletin_change c JOIN sale_entry e ON e.id = c.entry_id
          WHERE c.month = :first AND c.kind IN ('late', 'again') AND e.direction = 'purchase') e
    """
)


@dataclass(frozen=True, slots=True)
class Changed:
    """What the revisions of a month change in one cell."""

    direction: str
    district_code: str
    township_code: str
    channel: str
    source: str
    category: str
    sums: Sums


def tell(
    session: Session,
    bulletin_id: int,
    *,
    first: date,
    last: date,
    closed_at: Any,
    included: Collection[str],
    added: Collection[str],
    successors: Mapping[str, str],
) -> int:
    """Write down what changed since the last edition; returns how many lines that makes. ``included``: the districts of the bulletin with those that
    were merged into them; ``added``: those of them whose figures are published for the first time. Certificates count as revoked since the month
    was closed."""
    values = {
        "bulletin_id": bulletin_id,
        "first": first,
        "last": last,
        "closed_at": closed_at,
        "included": sorted(included),
        "added": sorted(added),
        "successors": canonical(dict(successors)).decode(),
    }
    return int(session.execute(_TELL, values).rowcount)  # type: ignore[attr-defined]


def forget(session: Session, bulletin_id: int) -> None:
    """Drop the lines of a draft; the next revision tells them."""
    session.execute(_FORGET, {"bulletin_id": bulletin_id})


def _sums(row: Any) -> Sums:
    return Sums(amount_fen=row.amount_fen, grams=row.grams, certified_fen=row.certified_fen, entries=row.entries)


def of_month(session: Session, month: date) -> list[Changed]:
    """What all editions of a month changed, districts that were published later apart: their figures are the ledger's."""
    return [
        Changed(row.direction, row.district_code, row.township_code, row.channel, row.source, row.category, _sums(row))
        for row in session.execute(_OF_MONTH, {"month": month})
    ]


def published_of_month(session: Session, month: date) -> dict[tuple[str, str], tuple[int, int]]:
    """By district and channel the fen and grams of purchases that the published revisions of a month changed, as :func:`of_month`."""
    rows = session.execute(_PUBLISHED, {"month": month})
    return {(row.district_code, row.channel): (row.amount_fen, row.grams) for row in rows}


def of_edition(session: Session, bulletin_id: int) -> dict[tuple[str, str], dict[str, Sums]]:
    """What one edition changed: by direction and district, then by cause."""
    found: dict[tuple[str, str], dict[str, Sums]] = {}
    for row in session.execute(_OF_EDITION, {"bulletin_id": bulletin_id}):
        found.setdefault((row.direction, row.district_code), {})[row.kind] = _sums(row)
    return found


def lines_sha256(session: Session, bulletin_id: int) -> str:
    """The hash of an edition's lines, so that anybody who has them can see that they are those of the bulletin."""
    rows = session.execute(_LINES, {"bulletin_id": bulletin_id})
    return digest(
        b"\n".join(
            canonical([*row[:4], yuan_from_fen(row.amount_fen), row.grams, yuan_from_fen(row.certified_fen)]) for row in rows
        )
    )


def of_earlier_months(session: Session, first: date, last: date, included: Collection[str]) -> Sums:
    """Of the month's purchases: what was made in earlier months and told in this one, or taken back in it."""
    return _sums(session.execute(_EARLIER, {"first": first, "last": last, "included": sorted(included)}).one())


def counts(session: Session, first: date, last: date, included: Collection[str]) -> Any:
    """How many orders, buyers, products and suppliers took part in the month's purchases, each once."""
    return session.execute(_COUNTS, {"first": first, "last": last, "included": sorted(included)}).one()
