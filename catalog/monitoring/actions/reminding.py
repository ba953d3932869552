"""Reminding those for whom somebody waits, or whose time ends. Each is told once; what is a desk's daily business once a working day."""

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import text
from sqlmodel import Session

from shop.core import clock, workdays
from shop.identity.actor import CITY
from shop.notifications.actions import notify
from shop.programmes import queries as programmes

#: Days before their end at which papers are told of.
PAPERS_DAYS = (30, 7)
#: So long after it something that has ended is still told, should nobody have looked on the day itself.
LATE_DAYS = 7

_ENDING = text(
    """
    SELECT c.id, c.number, c.product_name, c.supplier_id, c.valid_until AS ends, (SELECT min(d) FROM unnest(CAST(:days AS int[])) d
           WHERE c.valid_until - CAST(:today AS date) <= d) AS mark
    FROM certificate c
    WHERE c.revoked_at IS NULL AND c.valid_until BETWEEN :today AND CAST(:today AS date) + CAST(:most AS int)
      AND NOT EXISTS (SELECT FROM certificate later WHERE later.renews_id = c.id)
      AND NOT EXISTS (SELECT FROM certification_case k WHERE k.certificate_id = c.id AND k.kind = 'renewal'
                      AND k.status NOT IN ('draft', 'approved', 'rejected', 'withdrawn'))
    ORDER BY c.id
    """
)
_PAPERS_ENDING = text(
    """
    SELECT c.id, c.number, c.product_name, c.supplier_id, c.papers_valid_until AS ends, (SELECT min(d) FROM unnest(CAST(:days AS int[])) d
           WHERE c.papers_valid_until - CAST(:today AS date) <= d) AS mark
    FROM certificate c
    WHERE c.revoked_at IS NULL AND c.valid_until >= :today AND c.papers_valid_until < c.valid_until
      AND c.papers_valid_until BETWEEN :today AND CAST(:today AS date) + CAST(:most AS int)
    ORDER BY c.id
    """
)
_ENDED = text(
    """
    SELECT id, number, product_name, supplier_id, 'certificate.expired' AS kind, valid_until AS ends FROM certificate c
    WHERE NOT EXISTS (SELECT FROM certificate later WHERE later.renews_id = c.id) AND revoked_at IS NULL AND valid_until BETWEEN CAST(:today AS date) - CAST(:late AS int) AND CAST(:today AS date) - 1
    UNION ALL
    SELECT id, number, product_name, supplier_id, 'certificate.papers_expired', papers_valid_until FROM certificate
    WHERE revoked_at IS NULL AND valid_until >= :today
      AND papers_valid_until BETWEEN CAST(:today AS date) - CAST(:late AS int) AND CAST(:today AS date) - 1
    ORDER BY 1
    """
)
_CORRECTIONS = text(
    "SELECT c.id, c.supplier_id, c.due_on, p.name AS product FROM certification_case c JOIN product p ON p.id = c.product_id"
    " WHERE c.status = 'returned' AND c.due_on <= :soon ORDER BY c.id"
)
_NOTICES_OVER = text(
    "SELECT c.id, c.notice_from, c.district_code, p.name AS product FROM certification_case c JOIN product p ON p.id = c.product_id"
    " WHERE c.status = 'public_notice' AND c.notice_until <= :today"
    " AND NOT EXISTS (SELECT FROM objection j WHERE j.case_id = c.id AND j.notice_from = c.notice_from"
    " AND j.status IN ('received', 'investigating')) ORDER BY c.id"
)
_STATEMENTS = text(
    "SELECT r.id, c.id AS certificate_id, c.number, c.supplier_id, r.statement_due_on FROM revocation r JOIN certificate c ON c.id = r.certificate_id"
    " WHERE r.status = 'open' AND r.stated_at IS NULL AND r.statement_due_on BETWEEN :today AND :soon ORDER BY r.id"
)
_RIPE = text(
    "SELECT r.id, c.id AS certificate_id, c.number FROM revocation r JOIN certificate c ON c.id = r.certificate_id"
    " WHERE r.status = 'open' AND (r.stated_at IS NOT NULL OR r.statement_due_on < :today) ORDER BY r.id"
)
#: What lies on the desk of a region: how much is due soon, and how much is overdue.
_DESKS = {
    "certification.due": text(
        """
        SELECT CASE c.level WHEN 'township' THEN c.township_code WHEN 'county' THEN c.district_code ELSE :city END AS region,
               count(*) FILTER (WHERE c.due_on >= :today) AS soon, count(*) FILTER (WHERE c.due_on < :today) AS overdue
        FROM certification_case c
        WHERE c.due_on <= :next
          AND c.status IN ('township_review', 'county_review', 'public_notice', 'city_review', 'filing', 'appealed')
        GROUP BY 1 ORDER BY 1
        """
    ),
    "objections.due": text(
        "SELECT c.district_code AS region, count(*) FILTER (WHERE j.due_on >= :today) AS soon, count(*) FILTER (WHERE j.due_on < :today) AS overdue"
        " FROM objection j JOIN certification_case c ON c.id = j.case_id WHERE j.status IN ('received', 'investigating') AND j.due_on <= :soon"
        " GROUP BY 1 ORDER BY 1"
    ),
    "complaints.due": text(
        "SELECT c.district_code AS region, count(*) FILTER (WHERE m.decision_due_on >= :today) AS soon,"
        " count(*) FILTER (WHERE m.decision_due_on < :today) AS overdue"
        " FROM complaint m JOIN certificate c ON c.id = m.certificate_id WHERE m.status IN ('received', 'stated')"
        " AND m.decision_due_on <= :soon GROUP BY 1 ORDER BY 1"
    ),
    "inspections.due": text(
        "SELECT c.district_code AS region, count(*) FILTER (WHERE i.due_on >= :today) AS soon, count(*) FILTER (WHERE i.due_on < :today) AS overdue"
        " FROM inspection i JOIN certificate c ON c.id = i.certificate_id WHERE i.status = 'open' AND i.due_on <= :soon GROUP BY 1 ORDER BY 1"
    ),
}


def remind(session: Session) -> int:
    """Tell everybody whose time ends, or for whom somebody waits; returns how many reminders hold now, told before or just now. Safe to run
    at any time and any number of times.
    """
    today = clock.today()
    days = workdays.calendar(session, today)
    config = programmes.config_of(session, today).certification
    values = {"today": today, "next": days.add(today, 1), "soon": days.add(today, 2), "city": CITY, "late": LATE_DAYS}
    count = _certificates(session, values, config.reminder_days)
    for row in session.execute(_CORRECTIONS, values).all():
        kind = "certification.correction_overdue" if row.due_on < today else "certification.correction_due"
        data = {"product": row.product, "due": row.due_on.isoformat()}
        _tell(session, kind, f"{row.id}:{row.due_on}", "certification_case", row.id, row.supplier_id, **data)
        count += 1
    for row in session.execute(_NOTICES_OVER, values).all():
        origin = f"{row.id}:{row.notice_from}"
        _tell(
            session,
            "certification.notice_over",
            origin,
            "certification_case",
            row.id,
            region=row.district_code,
            product=row.product,
        )
        count += 1
    for row in session.execute(_STATEMENTS, values).all():
        data = {"number": row.number, "due": row.statement_due_on.isoformat()}
        _tell(session, "certificate.statement_due", str(row.id), "certificate", row.certificate_id, row.supplier_id, **data)
        count += 1
    for row in session.execute(_RIPE, values).all():
        _tell(
            session, "certificate.revocation_ripe", str(row.id), "certificate", row.certificate_id, region=CITY, number=row.number
        )
        count += 1
    return count + (_desks(session, values) if days.is_working(today) else 0)


def _certificates(session: Session, values: dict[str, Any], reminder_days: Sequence[int]) -> int:
    """Suppliers hear that a certificate, or a paper behind it, ends; and that it has."""
    count = 0
    for kind, statement, marks in (
        ("certificate.ending", _ENDING, reminder_days),
        ("certificate.papers_ending", _PAPERS_ENDING, PAPERS_DAYS),
    ):
        if not marks:
            continue
        rows = session.execute(statement, {**values, "days": list(marks), "most": max(marks)}).all()
        count += _tell_suppliers(session, ((kind, f"{row.ends}:{row.mark}", row) for row in rows))
    ended = session.execute(_ENDED, values).all()
    return count + _tell_suppliers(session, ((row.kind, str(row.ends), row) for row in ended))


def _tell_suppliers(session: Session, told: Iterable[tuple[str, str, Any]]) -> int:
    count = 0
    for kind, cause, row in told:
        data = {"number": row.number, "product": row.product_name, "ends": row.ends.isoformat()}
        _tell(session, kind, f"{row.id}:{cause}", "certificate", row.id, row.supplier_id, **data)
        count += 1
    return count


def _desks(session: Session, values: dict[str, Any]) -> int:
    count = 0
    for kind, statement in _DESKS.items():
        for row in session.execute(statement, values).all():
            origin = f"{row.region}:{values['today']}"
            _tell(session, kind, origin, kind.replace(".due", "_due"), 0, region=row.region, soon=row.soon, overdue=row.overdue)
            count += 1
    return count


def _tell(
    session: Session,
    kind: str,
    cause: str,
    subject_type: str,
    subject_id: int,
    organisation_id: int | None = None,
    *,
    region: str | None = None,
    **data: Any,
) -> None:
    notify(
        session,
        origin=f"{kind}:{cause}",
        kind=kind,
        subject_type=subject_type,
        subject_id=subject_id,
        organisation_id=organisation_id,
        region_code=region,
        **data,
    )
