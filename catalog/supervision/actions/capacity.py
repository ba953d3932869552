"""Sales against certified capacity: a product certified for 50 t cannot sell 80 t. Flagged (贴牌 is suspected), explained, held, cleared."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

from sqlalchemy import text
from sqlmodel import Session

from catalog.certificates import queries as certificates
from catalog.certificates.actions import measures
from catalog.certificates.errors import NotYourRegion, OwnCase
from catalog.certificates.states import CERTIFICATE, CertificateMove
from catalog.supervision import rules
from catalog.supervision.errors import FlagCleared
from catalog.supervision.queries.capacity import COMMITTED, flag_row
from shop.core import audit, clock, locks, outbox, workdays
from shop.core.audit import SYSTEM
from shop.core.errors import Forbidden
from shop.identity.actor import Actor
from shop.identity.permissions import Permission
from shop.programmes import queries as programmes

# A flag that was cleared is raised again when more was sold than it was cleared for.
_FLAG = """
    WITH committed AS ({committed}),
    measured AS (
        SELECT c.id, k.year, 0 AS month, c.annual_capacity_kg * 1000::bigint AS capacity, sum(k.grams)::bigint AS grams, :year_percent AS percent
        FROM committed k JOIN certificate c ON c.id = k.certificate_id WHERE c.annual_capacity_kg IS NOT NULL GROUP BY c.id, k.year
        UNION ALL
        SELECT c.id, k.year, k.month, c.monthly_capacity_kg[k.month] * 1000, k.grams, :month_percent
        FROM committed k JOIN certificate c ON c.id = k.certificate_id WHERE c.monthly_capacity_kg IS NOT NULL
    )
    INSERT INTO capacity_flag AS f (certificate_id, year, month, capacity_grams, committed_grams, flagged_at)
    SELECT m.id, m.year, m.month, m.capacity, m.grams, :now FROM measured m JOIN certificate c ON c.id = m.id
    WHERE m.grams * 100 > m.capacity * m.percent AND c.revoked_at IS NULL AND c.valid_until >= :today
    ORDER BY m.id, m.year, m.month
    ON CONFLICT (certificate_id, year, month) DO UPDATE SET
        committed_grams = excluded.committed_grams, capacity_grams = excluded.capacity_grams,
        flagged_at = CASE WHEN {again} THEN excluded.flagged_at ELSE f.flagged_at END,
        explanation = CASE WHEN {again} THEN NULL ELSE f.explanation END,
        explained_at = CASE WHEN {again} THEN NULL ELSE f.explained_at END,
        cleared_at = CASE WHEN {again} THEN NULL ELSE f.cleared_at END,
        cleared_by = CASE WHEN {again} THEN NULL ELSE f.cleared_by END,
        clearing_reason = CASE WHEN {again} THEN NULL ELSE f.clearing_reason END
    WHERE f.committed_grams <> excluded.committed_grams OR f.capacity_grams <> excluded.capacity_grams
    RETURNING f.id, f.certificate_id, f.flagged_at = :now AS raised
"""
_AGAIN = "f.cleared_at IS NOT NULL AND excluded.committed_grams > f.cleared_grams"
_FLAG_ALL = text(_FLAG.format(committed=COMMITTED.format(which="m.at >= :since"), again=_AGAIN))
_FLAG_SOME = text(_FLAG.format(committed=COMMITTED.format(which="s.product_id = ANY (:product_ids)"), again=_AGAIN))
_TO_HOLD = text(
    """
    SELECT c.id, max(f.committed_grams * 100 / greatest(f.capacity_grams, 1)) AS percent
    FROM capacity_flag f JOIN certificate c ON c.id = f.certificate_id
    WHERE f.cleared_at IS NULL AND c.held_at IS NULL AND c.revoked_at IS NULL AND c.valid_until >= :today
      AND ((f.month = 0 AND f.committed_grams * 100 > f.capacity_grams * :hold_percent)
           OR (f.explained_at IS NULL AND (f.flagged_at AT TIME ZONE 'Asia/Shanghai')::date <= :unexplained_since))
      AND (CAST(:product_ids AS bigint[]) IS NULL OR c.product_id = ANY (CAST(:product_ids AS bigint[])))
    GROUP BY c.id ORDER BY c.id
    """
)
_EXPLAIN = text(
    "UPDATE capacity_flag SET explanation = :text, explained_at = :now WHERE id = :id AND cleared_at IS NULL RETURNING id"
)
_CLEAR = text(
    "UPDATE capacity_flag SET cleared_at = :now, cleared_by = :by, clearing_reason = :reason, cleared_grams = committed_grams"
    " WHERE id = :id AND cleared_at IS NULL RETURNING id"
)
_OPEN = text("SELECT count(*) FROM capacity_flag WHERE certificate_id = :id AND cleared_at IS NULL")


def watch(session: Session, product_ids: Sequence[int] | None = None) -> int:
    """Flag what was sold beyond its capacity this year and last, and hold what was sold far beyond it or was not explained in time; returns how
    many flags were raised. Safe to run twice, or at once. ``product_ids``: only of these products, as after an order of them.
    """
    if product_ids is None and not locks.try_hold(session, "capacity.watch"):
        return 0
    today, now = clock.today(), clock.now()
    config = programmes.config_of(session, today).certification
    values: dict[str, Any] = {
        "now": now,
        "today": today,
        "since": date(today.year - 1, 1, 1),
        "year_percent": config.capacity_flag_percent,
        "month_percent": config.capacity_month_percent,
        "product_ids": None if product_ids is None else list(product_ids),
    }
    if product_ids is None:
        # a day more than is counted, so that the first reserve of every line that is counted is seen
        flags = session.execute(_FLAG_ALL, {**values, "since": values["since"] - timedelta(days=1)}).all()
    else:
        flags = session.execute(_FLAG_SOME, values).all()
    raised = [row for row in flags if row.raised]
    for row in raised:
        audit.record(session, SYSTEM, "capacity.flagged", "capacity_flag", row.id, certificate_id=row.certificate_id)
        outbox.publish(session, "capacity.flagged", flag_id=row.id, at=now.isoformat())
    days = workdays.calendar(session, today)
    unexplained = rules.last_day_to_hold(today, config.capacity_explanation_working_days, days)
    for found in session.execute(
        _TO_HOLD, {**values, "hold_percent": config.capacity_hold_percent, "unexplained_since": unexplained}
    ).all():
        certificate = measures.locked(session, found.id)
        if CertificateMove.HOLD in CERTIFICATE.possible(certificates.state_of(certificate)):
            measures.hold(session, certificate, f"已售及已承诺数量达认定产能的 {found.percent}%")
    return len(raised)


def explain(session: Session, actor: Actor, flag_id: int, explanation: str) -> None:
    """What the supplier says to a flag of its certificate; a later explanation takes the place of an earlier one.

    Raises:
        NotFound: there is none within reach (404). Forbidden: another supplier's (403). FlagCleared: it was cleared (409).
    """
    row = flag_row(session, actor, flag_id)
    if row.supplier_id != actor.organisation_id:
        raise Forbidden
    if session.execute(_EXPLAIN, {"id": flag_id, "text": explanation, "now": clock.now()}).first() is None:
        raise FlagCleared(as_asked=False)
    audit.record(session, actor, "capacity.explained", "capacity_flag", flag_id)
    outbox.publish(session, "capacity.explained", flag_id=flag_id, at=clock.now().isoformat())


def clear(session: Session, actor: Actor, flag_id: int, reason: str) -> None:
    """Accept what was sold so far; the certificate is released when no other flag of it stands. More than that is flagged again.

    Raises:
        NotFound: there is none within reach (404). OwnCase, NotYourRegion: somebody else's to decide (403). FlagCleared: it was cleared (409).
    """
    row = flag_row(session, actor, flag_id)
    if actor.is_related(row.supplier_path):
        raise OwnCase
    if not actor.covers_region(Permission.CERTIFICATES_SUSPEND, row.district_code):
        raise NotYourRegion
    certificate = measures.locked(session, row.certificate_id)
    values = {"id": flag_id, "now": clock.now(), "by": actor.user_id, "reason": reason}
    if session.execute(_CLEAR, values).first() is None:
        raise FlagCleared
    audit.record(session, actor, "capacity.cleared", "capacity_flag", flag_id, reason=reason)
    outbox.publish(session, "capacity.cleared", flag_id=flag_id, at=clock.now().isoformat(), reason=reason)
    if certificate.held_at is not None and not session.execute(_OPEN, {"id": certificate.id}).scalar_one():
        measures.let_go(session, actor, certificate, reason)
