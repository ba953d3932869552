"""Suppliers' bank accounts: asked for by one person, approved by another, a changed one used after some days."""

from datetime import timedelta
from typing import Any

from sqlalchemy import text
from sqlmodel import Session

from orders.settlement.errors import ChangeWaiting, SameAccount, SamePerson
from orders.settlement.models import PayoutAccount
from orders.settlement.schemas.payouts import AccountIn
from orders.settlement.states import ACCOUNT, AccountMove, AccountStatus
from shop.core import audit, clock, outbox, sealing
from shop.core.errors import Invalid, NotFound
from shop.identity.actor import Actor
from shop.identity.permissions import Permission
from shop.programmes.queries import config_of

#: SQL: the id of the account that supplier ``{supplier}`` is paid to on ``:today``.
IN_USE_OF = """
    (SELECT u.id FROM payout_account u WHERE u.supplier_id = {supplier} AND u.status = 'approved' AND u.usable_from <= :today
     ORDER BY u.usable_from DESC, u.id DESC LIMIT 1)
"""
#: The account that supplier ``:id`` is paid to on ``:today``.
IN_USE = text(f"SELECT * FROM payout_account WHERE id = {IN_USE_OF.format(supplier=':id')}")  # noqa: S608
_SUPPLIES = text("SELECT 1 FROM organisation_role WHERE organisation_id = :id AND role = 'supplier'")
_WAITING = text("SELECT 1 FROM payout_account WHERE supplier_id = :id AND status = 'requested'")
_LOCK = text(
    "SELECT a.*, o.path, o.region_code FROM payout_account a JOIN organisation o ON o.id = a.supplier_id WHERE a.id = :id FOR UPDATE OF a"
)
_DECIDE = text(
    "UPDATE payout_account SET status = :status, decided_by = :user_id, decided_at = :now, decision_note = :note, usable_from = :usable_from"
    " WHERE id = :id"
)


def number_of(row: Any) -> str:
    """The account's number, decrypted."""
    return str(sealing.unseal(row.sealed_number)["number"])


def request(session: Session, actor: Actor, body: AccountIn) -> int:
    """Say to which account the caller's organisation wants to be paid; returns the request's id. The one in use stays until then.

    Raises:
        Invalid: the organisation is no supplier (422). ChangeWaiting: another change is not decided (409). SameAccount: see there (409).
    """
    supplier_id = actor.organisation
    if session.execute(_SUPPLIES, {"id": supplier_id}).first() is None:
        raise Invalid.one("holder", "not_a_supplier", "本单位不是供应商", "This organisation is not a supplier")
    if session.execute(_WAITING, {"id": supplier_id}).first() is not None:
        raise ChangeWaiting
    number = body.number.replace(" ", "").replace("-", "")
    used = session.execute(IN_USE, {"id": supplier_id, "today": clock.today()}).first()
    if used is not None and (number_of(used), used.holder, used.bank) == (number, body.holder, body.bank):
        raise SameAccount
    made = PayoutAccount(
        supplier_id=supplier_id,
        holder=body.holder,
        bank=body.bank,
        sealed_number=sealing.seal({"number": number}),
        tail=number[-4:],
        reason=body.reason,
        requested_by=actor.user_id or 0,
        requested_at=clock.now(),
    )
    session.add(made)
    session.flush()
    audit.record(session, actor, "payout_account.requested", "payout_account", made.id, reason=body.reason)
    outbox.publish(session, "payout_account.moved", account_id=made.id, status=AccountStatus.REQUESTED)
    return made.id


def approve(session: Session, actor: Actor, account_id: int, note: str | None) -> None:
    """Approve an account. The first of a supplier is used at once; a changed one after some days, in which the supplier, who is told, can still
    say that it was not itself that changed it.

    Raises:
        NotFound: not of a supplier whose money the caller keeps (404). SamePerson: the caller asked for it (403). IllegalMove: it was decided (409).
    """
    row = _kept(session, actor, account_id)
    ACCOUNT.after(row.status, AccountMove.APPROVE)
    if row.requested_by == actor.user_id:
        raise SamePerson
    today = clock.today()
    first = text("SELECT NOT EXISTS (SELECT FROM payout_account WHERE supplier_id = :id AND status = 'approved')")
    days = 0 if session.execute(first, {"id": row.supplier_id}).scalar_one() else config_of(session, today).settlement.account_days
    _decide(session, actor, row, AccountMove.APPROVE, note, usable_from=today + timedelta(days=days))


def refuse(session: Session, actor: Actor, account_id: int, note: str) -> None:
    """Say no to an account. Raises as :func:`approve`."""
    _decide(session, actor, _kept(session, actor, account_id), AccountMove.REFUSE, note)


def withdraw(session: Session, actor: Actor, account_id: int, note: str) -> None:
    """Take a change back that was not decided.

    Raises:
        NotFound: not of the caller's branch (404). IllegalMove: it was decided (409).
    """
    row = session.execute(_LOCK, {"id": account_id}).first()
    if row is None or not actor.within_branch(row.path):
        raise NotFound
    _decide(session, actor, row, AccountMove.WITHDRAW, note)


def _kept(session: Session, actor: Actor, account_id: int) -> Any:
    row = session.execute(_LOCK, {"id": account_id}).first()
    if row is None or not actor.covers_region(Permission.MONEY_MANAGE, row.region_code):
        raise NotFound
    return row


def _decide(session: Session, actor: Actor, row: Any, move: AccountMove, note: str | None, usable_from: Any = None) -> None:
    status = ACCOUNT.after(row.status, move)
    values = {
        "id": row.id,
        "status": status,
        "user_id": actor.user_id,
        "now": clock.now(),
        "note": note,
        "usable_from": usable_from,
    }
    session.execute(_DECIDE, values)
    audit.record(session, actor, f"payout_account.{move}", "payout_account", row.id, reason=note, to_status=str(status))
    outbox.publish(session, "payout_account.moved", account_id=row.id, status=status)
