"""Counting anew what is certified in the counties of which something changed, see :mod:`catalog.monitoring.models`."""

from sqlalchemy import delete, insert, text
from sqlmodel import Session, col

from catalog.monitoring.models import CertifiedStock, CertifiedStockDay, CertifiedStockTouched, CertifiedSupplierDays
from catalog.monitoring.queries.counting import by_day, by_each
from catalog.monitoring.queries.kept import STALE
from shop.core import clock, locks

_LOCK = "certified_stock.recount"
_TOUCHED = text("SELECT id FROM certified_stock_touched")
_STALE = text(STALE)
# The next moment at which a certificate of a county begins or ends by itself, or at which something is on record that has not happened yet.
_COUNTED = text(
    """
    INSERT INTO certified_stock_county (district_code, counted_at, holds_until)
    SELECT code, :now, (
        SELECT min(moment) FROM (
            SELECT m.moment FROM certificate c CROSS JOIN LATERAL (VALUES
                (c.issued_at), (c.revoked_at), (CAST(c.valid_from AS timestamp) AT TIME ZONE 'Asia/Shanghai'),
                (CAST(c.valid_until + 1 AS timestamp) AT TIME ZONE 'Asia/Shanghai'),
                (CAST(c.papers_valid_until + 1 AS timestamp) AT TIME ZONE 'Asia/Shanghai')) AS m (moment)
            WHERE c.district_code = code
            UNION ALL
            SELECT m.moment FROM certificate c JOIN certificate_event e ON e.certificate_id = c.id
            CROSS JOIN LATERAL (VALUES (e.at), (e.until)) AS m (moment) WHERE c.district_code = code
        ) AS moments WHERE moment >= :now)
    FROM unnest(CAST(:codes AS text[])) AS code
    ON CONFLICT (district_code) DO UPDATE SET counted_at = excluded.counted_at, holds_until = excluded.holds_until
    """
)
_ALL = text(
    "INSERT INTO certified_stock_touched (district_code)"
    " SELECT district_code FROM certificate UNION SELECT district_code FROM certified_stock_county"
)


def recount(session: Session) -> int:
    """Count anew the counties of which what is kept does not hold; returns how many.

    One at a time: a second one finds the lock taken and leaves the work to the first. Who changes certificates waits for nobody; what is committed
    while a county is counted leaves a row that stands.
    """
    return _recounted(session) if locks.try_hold(session, _LOCK) else 0


def rebuild(session: Session) -> int:
    """Count every county anew; returns how many."""
    locks.hold(session, _LOCK)
    session.execute(_ALL)
    return _recounted(session)


def _recounted(session: Session) -> int:
    now = clock.now()
    # first what was touched, then the lists: what comes between the two is counted, and is counted again
    touched = session.execute(_TOUCHED).scalars().all()
    codes = sorted(session.execute(_STALE, {"now": now}).scalars())
    if not codes:
        return 0
    for table in (CertifiedStock, CertifiedStockDay, CertifiedSupplierDays):
        session.execute(delete(table).where(col(table.district_code).in_(codes)))
    for code in codes:  # one by one, for all of them together do not fit into memory
        days, suppliers = by_day(session, code)
        for table, rows in (
            (CertifiedStock, by_each(session, code)),
            (CertifiedStockDay, days),
            (CertifiedSupplierDays, suppliers),
        ):
            if rows:
                session.execute(insert(table), [{"district_code": row.pop("county"), **row} for row in rows])
    session.execute(_COUNTED, {"now": now, "codes": codes})
    session.execute(delete(CertifiedStockTouched).where(col(CertifiedStockTouched.id).in_(touched)))
    return len(codes)
