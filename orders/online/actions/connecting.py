"""Suppliers' accounts at the provider, and the transfers of settled money to them."""

import secrets
from datetime import datetime, timedelta

from sqlalchemy import text
from sqlmodel import Session

from orders.money import actions as money
from orders.money.rules import Account, Kind, Place, carry
from orders.online import seen
from orders.online.actions.asking import ask
from orders.online.errors import AlreadyTransferred, NoAccount, PaymentOff
from orders.online.models import ConnectedAccount, OnlineTransfer
from orders.online.states import Operation, TransferStatus
from shop.core import audit, clock, outbox
from shop.core.audit import SYSTEM
from shop.core.settings import settings
from shop.identity.actor import Actor

_ACCOUNT = text("SELECT * FROM connected_account WHERE supplier_id = :id FOR UPDATE")
_SUPPLIER_OF = text("SELECT supplier_id FROM connected_account WHERE id = :id")
_WAS_REFUSED = text(
    "SELECT status = 'refused' FROM provider_call WHERE operation = 'account' AND subject_id = :id ORDER BY id DESC LIMIT 1"
)
_ASK_ANEW = text("UPDATE connected_account SET reference = :reference, country = :country WHERE id = :id")
_ACCOUNT_BY = text(
    "SELECT * FROM connected_account WHERE account_id = :account_id OR reference = :reference ORDER BY id LIMIT 1 FOR UPDATE"
)
_UPDATE_ACCOUNT = text(
    "UPDATE connected_account SET account_id = :account_id, enabled = :enabled, details_submitted = :details_submitted,"
    " still_due = :still_due, looked_at = :now WHERE id = :id"
)
_TRANSFER_BY = text(
    "SELECT * FROM online_transfer WHERE transfer_id = :transfer_id OR reference = :reference ORDER BY id LIMIT 1 FOR UPDATE"
)
_MOVE = text(
    "UPDATE online_transfer SET status = CAST(:status AS text), transfer_id = coalesce(:transfer_id, transfer_id), error_text = :words,"
    " reversed_fen = :reversed_fen,"
    " ended_at = CASE WHEN CAST(:status AS text) IN ('paid', 'failed', 'reversed') THEN CAST(:now AS timestamptz) END WHERE id = :id"
)

_TRANSFERRED = text("SELECT 1 FROM online_transfer WHERE payout_id = :payout_id AND supplier_id = :supplier_id AND status = 'paid'")

_ASKED_FOR = text("SELECT 1 FROM provider_call WHERE operation = 'transfer' AND subject_id = :id")
_AHEAD = text("SELECT EXISTS (SELECT FROM money_transaction WHERE kind = 'online_transfer' AND origin_id = :id)")

#: A link is asked for anew no more often than this.
LINK_EVERY = timedelta(minutes=1)


def open_account(session: Session, actor: Actor, country: str) -> int:
    """Have an account at the provider opened for the caller's organisation; asked for twice, it is one. Where the provider has refused, it is asked
    anew, with what is said now. Returns its id.

    Raises:
        PaymentOff: there is no provider (409). Forbidden: the caller belongs to no organisation (403).
    """
    if not settings().stripe_key:
        raise PaymentOff
    supplier_id = actor.organisation
    session.execute(text("SELECT 1 FROM organisation WHERE id = :id FOR NO KEY UPDATE"), {"id": supplier_id})
    row, reference = session.execute(_ACCOUNT, {"id": supplier_id}).first(), secrets.token_hex(16)
    if row and (row.account_id or not session.execute(_WAS_REFUSED, {"id": row.id}).scalar()):
        return int(row.id)
    if row:
        account_id = int(row.id)
        session.execute(_ASK_ANEW, {"id": account_id, "reference": reference, "country": country})
    else:
        made = ConnectedAccount(supplier_id=supplier_id, reference=reference, country=country, created_at=clock.now())
        session.add(made)
        session.flush()
        account_id = made.id
    # the key is of the reference: what was refused is not asked again under its own
    ask(session, Operation.ACCOUNT, account_id, reference)
    audit.record(
        session, actor, "connected_account.opened", "organisation", supplier_id, connected_account_id=account_id, country=country
    )
    return account_id


def refuse_account(session: Session, connected_account_id: int) -> None:
    """The provider will not make the account; the supplier may ask again."""
    supplier_id = session.execute(_SUPPLIER_OF, {"id": connected_account_id}).scalar_one()
    audit.record(
        session, SYSTEM, "connected_account.refused", "organisation", supplier_id, connected_account_id=connected_account_id
    )
    outbox.publish(session, "connected_account.refused", connected_account_id=connected_account_id, at=clock.now().isoformat())


def ask_for_link(session: Session, actor: Actor, return_url: str) -> None:
    """Have a page made where the supplier tells the provider what it wants to know.

    Raises:
        PaymentOff: there is no provider (409). NoAccount: no account was opened, or the provider has not opened it yet (409).
    """
    if not settings().stripe_key:
        raise PaymentOff
    row = session.execute(_ACCOUNT, {"id": actor.organisation}).first()
    if row is None or row.account_id is None:
        raise NoAccount
    session.execute(text("UPDATE connected_account SET return_url = :url WHERE id = :id"), {"id": row.id, "url": return_url})
    period = int(clock.now().timestamp() // LINK_EVERY.total_seconds())
    ask(session, Operation.LINK, row.id, f"{row.reference}-{period}", row.account_id)


def keep_link(session: Session, connected_account_id: int, link: seen.Link) -> None:
    session.execute(
        text("UPDATE connected_account SET link_url = :url, link_until = :until WHERE id = :id"),
        {"id": connected_account_id, "url": link.url, "until": link.until},
    )


def settle_account(session: Session, observed: seen.Account) -> bool:
    """Take over what was seen of a supplier's account; returns whether it is one of ours."""
    row = session.execute(_ACCOUNT_BY, {"account_id": observed.id, "reference": observed.metadata.get("reference")}).first()
    if row is None:
        return False
    session.execute(
        _UPDATE_ACCOUNT,
        {
            "id": row.id,
            "account_id": row.account_id or observed.id,
            "enabled": observed.enabled,
            "details_submitted": observed.details_submitted,
            "still_due": ",".join(observed.still_due)[:2000],
            "now": clock.now(),
        },
    )
    if observed.enabled != row.enabled:
        verb = "enabled" if observed.enabled else "disabled"
        audit.record(session, SYSTEM, f"connected_account.{verb}", "organisation", row.supplier_id, connected_account_id=row.id)
        outbox.publish(
            session, "connected_account.moved", connected_account_id=row.id, enabled=observed.enabled, at=clock.now().isoformat()
        )
    return True


# --- transfers -------------------------------------------------------------------------------------------------------------


def transfer(session: Session, payout_id: int, supplier_id: int, amount_fen: int, released_at: datetime) -> None:
    """Have a payout of a settlement transferred to the supplier's account; safe to run twice, and in a restored database.

    Raises:
        NoAccount: the supplier has no account that may be sent money.
        AlreadyTransferred: the payout was transferred by a release that was lost when the database was restored.
    """
    account = session.execute(_ACCOUNT, {"id": supplier_id}).first()
    if account is None or not account.enabled:
        raise NoAccount
    reference = reference_of(payout_id, released_at)
    if session.execute(_TRANSFER_BY, {"transfer_id": None, "reference": reference}).first():
        return
    if session.execute(_TRANSFERRED, {"payout_id": payout_id, "supplier_id": supplier_id}).first():
        raise AlreadyTransferred
    made = OnlineTransfer(
        payout_id=payout_id,
        reference=reference,
        supplier_id=supplier_id,
        amount_fen=amount_fen,
        account_id=account.account_id,
        created_at=clock.now(),
    )
    session.add(made)
    session.flush()
    ask(session, Operation.TRANSFER, made.id, reference)


def reference_of(payout_id: int, released_at: datetime) -> str:
    """What the transfer of one release of a payout is known by."""
    return f"payout-{payout_id}-{int(released_at.timestamp() * 1_000_000)}"


def settle_transfer(session: Session, observed: seen.Transferred) -> bool:
    """Take over what was seen of a transfer; returns whether that explains it.

    One whose payout is not here was forgotten when the database was restored: the supplier has it in advance, as it has one that reached it after its
    release had failed. What comes back of such a one is for finance to look at.
    """
    reference = observed.metadata.get("reference")
    row = session.execute(_TRANSFER_BY, {"transfer_id": observed.id, "reference": reference}).first()
    if row is None:
        return _found(session, observed)
    status = TransferStatus.REVERSED if observed.reversed_fen >= observed.amount_fen else TransferStatus.PAID
    if observed.reversed_fen and (is_ahead(session, row.id) or session.execute(_ASKED_FOR, {"id": row.id}).first() is None):
        return False
    if row.status == TransferStatus.REVERSED or (row.status == status and observed.reversed_fen <= row.reversed_fen):
        return True
    _end(session, row.id, status, observed.id, None, observed.reversed_fen)
    return True


def refuse_transfer(session: Session, transfer_id: int, words: str) -> None:
    """The provider will not make the transfer."""
    row = session.execute(text("SELECT * FROM online_transfer WHERE id = :id FOR UPDATE"), {"id": transfer_id}).one()
    if row.status in (TransferStatus.CREATED, TransferStatus.UNKNOWN):
        _end(session, row.id, TransferStatus.FAILED, None, words)


def leave_unknown(session: Session, transfer_id: int) -> None:
    """Nobody knows whether the provider made the transfer; it stays open until somebody does."""
    session.execute(
        text("UPDATE online_transfer SET status = 'unknown' WHERE id = :id AND status = 'created'"), {"id": transfer_id}
    )


def _end(
    session: Session, transfer_id: int, status: TransferStatus, number: str | None, words: str | None, reversed_fen: int = 0
) -> None:
    values = {"id": transfer_id, "status": status, "transfer_id": number, "words": words, "reversed_fen": reversed_fen}
    session.execute(_MOVE, {**values, "now": clock.now()})
    audit.record(session, SYSTEM, f"online_transfer.{status}", "online_transfer", transfer_id, reversed_fen=reversed_fen)
    outbox.publish(session, "online_transfer.moved", online_transfer_id=transfer_id, status=status)


def _found(session: Session, observed: seen.Transferred) -> bool:
    account = session.execute(_ACCOUNT_BY, {"account_id": observed.account_id, "reference": None}).first()
    if account is None:
        return False
    made = OnlineTransfer(
        payout_id=seen.number_of_ours(observed.metadata, "payout"),
        reference=observed.metadata.get("reference") or observed.id,
        supplier_id=account.supplier_id,
        amount_fen=observed.amount_fen,
        account_id=observed.account_id,
        transfer_id=observed.id,
        status=TransferStatus.PAID,
        created_at=clock.now(),
        ended_at=clock.now(),
    )
    session.add(made)
    session.flush()
    count_ahead(session, made.id, account.supplier_id, observed.amount_fen)
    outbox.publish(session, "online_transfer.moved", online_transfer_id=made.id, status="found")
    return True


def is_ahead(session: Session, transfer_id: int) -> bool:
    """Whether the supplier has a transfer in advance."""
    return bool(session.execute(_AHEAD, {"id": transfer_id}).scalar_one())


def count_ahead(session: Session, transfer_id: int, supplier_id: int, amount_fen: int) -> None:
    """A transfer that no release stands for reached the supplier: it has that much (in fen) in advance."""
    ahead = Place(Account.ADVANCES, supplier_id)
    money.book(session, Kind.ONLINE_TRANSFER, transfer_id, carry(amount_fen, to=ahead, out_of=Place(Account.ONLINE)))
    audit.record(session, SYSTEM, "online_transfer.found", "online_transfer", transfer_id)
