"""Signals that buyers rate low what is sold under a certificate: raised once, cleared by the county."""

from sqlalchemy import text
from sqlmodel import Session

from catalog.certificates.errors import NotYourRegion, OwnCase
from catalog.supervision.errors import SignalCleared
from catalog.supervision.queries.signals import signal_row
from shop.core import audit, clock, outbox
from shop.core.audit import SYSTEM
from shop.identity.actor import Actor
from shop.identity.permissions import Permission

_RAISE = text(
    "INSERT INTO quality_signal (certificate_id, ratings, buyers, raised_at) VALUES (:certificate_id, :ratings, :buyers, :now)"
    " ON CONFLICT (certificate_id) WHERE cleared_at IS NULL DO NOTHING RETURNING id"
)
_CLEAR = text(
    "UPDATE quality_signal SET cleared_at = :now, cleared_by = :by, clearing_reason = :reason"
    " WHERE id = :id AND cleared_at IS NULL RETURNING id"
)


def raise_signal(session: Session, certificate_id: int, *, ratings: int, buyers: int) -> bool:
    """Raise the signal, unless one is open; whether it was raised. Of many at once one is raised: the index of open ones sees to it."""
    values = {"certificate_id": certificate_id, "ratings": ratings, "buyers": buyers, "now": clock.now()}
    signal_id = session.execute(_RAISE, values).scalar_one_or_none()
    if signal_id is None:
        return False
    audit.record(session, SYSTEM, "quality_signal.raised", "quality_signal", signal_id, certificate_id=certificate_id)
    outbox.publish(session, "quality_signal.raised", signal_id=signal_id)
    return True


def clear(session: Session, actor: Actor, signal_id: int, reason: str) -> None:
    """Put on record what came of it; ratings from before count no more.

    Raises:
        NotFound: there is none within reach (404). OwnCase, NotYourRegion: somebody else's to decide (403). SignalCleared: see there (409).
    """
    row = signal_row(session, actor, signal_id)
    if actor.is_related(row.supplier_path):
        raise OwnCase
    if not actor.covers_region(Permission.CERTIFICATES_SUSPEND, row.district_code):
        raise NotYourRegion
    if session.execute(_CLEAR, {"id": signal_id, "now": clock.now(), "by": actor.user_id, "reason": reason}).first() is None:
        raise SignalCleared
    audit.record(session, actor, "quality_signal.cleared", "quality_signal", signal_id, reason=reason)
