"""What people note about lines, and who looks into one."""

from sqlalchemy import text
from sqlmodel import Session

from orders.banking.actions.matching import locked
from orders.banking.models import BankLineNote
from shop.core import audit, clock
from shop.core.errors import Invalid
from shop.identity.actor import Actor

_KEEPERS = text("SELECT 1 FROM user_role WHERE user_id = :id AND role = 'platform_finance'")
_ASSIGN = text("UPDATE bank_line SET assigned_to = :user_id, version = version + 1 WHERE id = :id")


def note(session: Session, actor: Actor, line_id: int, written: str) -> None:
    """Write down what was found out about a line. Raises NotFound as :func:`locked`."""
    locked(session, actor, line_id)
    session.add(BankLineNote(line_id=line_id, note=written, written_by=actor.user_id or 0, written_at=clock.now()))
    session.flush()


def assign(session: Session, actor: Actor, line_id: int, user_id: int | None) -> None:
    """Give a line to somebody of platform finance to look into; None: to nobody.

    Raises:
        NotFound: as :func:`locked` (404). Invalid: the user is not of platform finance (422).
    """
    locked(session, actor, line_id)
    if user_id is not None and session.execute(_KEEPERS, {"id": user_id}).first() is None:
        raise Invalid.one("user_id", "not_platform_finance", "该用户不是平台结算人员", "The user is not of platform finance")
    session.execute(_ASSIGN, {"id": line_id, "user_id": user_id})
    audit.record(session, actor, "bank_line.assigned", "bank_line", line_id, user_id=user_id)
