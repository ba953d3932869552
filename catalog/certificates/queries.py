"""Reads of certificates, within the reach of who asks."""

from typing import Any

from sqlalchemy import Row, text
from sqlmodel import Session

from catalog.certificates.reach import IN_REGION, OWN, reach
from catalog.certificates.schemas import CertificateOut
from catalog.certificates.states import CERTIFICATE, CertificateMove, CertificateState, certificate_state
from shop.core import clock
from shop.core.errors import NotFound
from shop.identity.actor import Actor
from shop.identity.permissions import Permission

_CERTIFICATE = """
    SELECT c.*, r.name_zh AS district_name, o.path AS supplier_path
    FROM certificate c
    JOIN organisation o ON o.id = c.supplier_id
    JOIN region r ON r.code = c.district_code
"""
_ONE = text(f"{_CERTIFICATE} WHERE c.id = :id AND ({OWN} OR {IN_REGION})")
_OF_CASE = text(f"{_CERTIFICATE} WHERE c.case_id = :id")

#: What it takes to make each move.
PERMISSIONS = {
    CertificateMove.WARN: Permission.CERTIFICATES_SUSPEND,
    CertificateMove.SUSPEND: Permission.CERTIFICATES_SUSPEND,
    CertificateMove.REINSTATE: Permission.CERTIFICATES_SUSPEND,
    CertificateMove.RELEASE: Permission.CERTIFICATES_SUSPEND,
    CertificateMove.OPEN_REVOCATION: Permission.CERTIFICATES_SUSPEND,
    CertificateMove.REVOKE: Permission.CERTIFICATES_REVOKE,
}


def certificate_row(session: Session, actor: Actor, certificate_id: int) -> Row[Any]:
    """One certificate as it stands.

    Raises:
        NotFound: there is none within the caller's reach (404).
    """
    row = session.execute(_ONE, {"id": certificate_id, **reach(actor)}).first()
    if row is None:
        raise NotFound
    return row


def certificate(session: Session, actor: Actor, certificate_id: int) -> CertificateOut:
    """One certificate. Raises as :func:`certificate_row`."""
    return out(actor, certificate_row(session, actor, certificate_id))


def of_case(session: Session, actor: Actor, case_id: int) -> CertificateOut | None:
    """The certificate in which a case ended; the caller has made sure that the actor may see the case."""
    row = session.execute(_OF_CASE, {"id": case_id}).first()
    return out(actor, row) if row else None


def state_of(row: Any) -> CertificateState:
    """The present state of a certificate's row."""
    return certificate_state(
        revoked=row.revoked_at is not None,
        suspended_at=row.suspended_at,
        suspended_until=row.suspended_until,
        held=row.held_at is not None,
        valid_from=row.valid_from,
        valid_until=row.valid_until,
        papers_valid_until=row.papers_valid_until,
        now=clock.now(),
        today=clock.today(),
    )


def possible(actor: Actor, row: Any) -> list[CertificateMove]:
    """What the actor may do with a certificate now."""
    if actor.is_related(row.supplier_path):
        return []
    moves = dict.fromkeys(CERTIFICATE.possible(state_of(row)))
    return [
        move
        for move in moves
        if (permission := PERMISSIONS.get(move)) and actor.may(permission) and actor.covers_region(permission, row.district_code)
    ]


def out(actor: Actor, row: Any) -> CertificateOut:
    shown = {name: getattr(row, name) for name in CertificateOut.model_fields if hasattr(row, name)}
    return CertificateOut(
        **shown, comparable_price_fen=row.comparable_price_fen, state=state_of(row), possible_actions=possible(actor, row)
    )
