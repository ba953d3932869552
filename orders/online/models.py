"""Online payments, what the provider was asked and told us, and what moved its balance."""

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, Index, text
from sqlmodel import Field, SQLModel

from orders.online.states import OPEN, CallStatus, DisputeStatus, OnlineStatus, Operation, TransferStatus
from shop.core.db import fen, key, moment, ref


def _list(codes: object) -> str:
    return ",".join(f"'{code}'" for code in codes)  # type: ignore[attr-defined]


class OnlinePayment(SQLModel, table=True):
    """One attempt of a buyer to pay for an order online."""

    __tablename__ = "online_payment"
    __table_args__ = (
        CheckConstraint("amount_fen > 0", name="amount_fen"),
        CheckConstraint("received_fen >= 0", name="received_fen"),
        CheckConstraint("method IN ('card','alipay','wechat_pay')", name="method"),
        CheckConstraint(f"status IN ({_list(OnlineStatus)})", name="status"),
        # money that came is booked, and nothing else is
        CheckConstraint("(status = 'succeeded') = (payment_id IS NOT NULL)", name="booked"),
        Index("uq_online_payment_open", "purchase_order_id", unique=True, postgresql_where=text(f"status IN ({_list(OPEN)})")),
        Index(None, "purchase_order_id"),
        Index(None, "payment_id", postgresql_where=text("payment_id IS NOT NULL")),
        Index(None, "status", "id"),
    )

    id: int = key()
    #: Random, so that a restored database never takes another payment for this one. It is what the provider knows the payment by.
    reference: str = Field(unique=True)
    purchase_order_id: int = ref("purchase_order.id")
    method: str
    amount_fen: int = fen()
    return_url: str | None = None
    status: str = Field(default="created", sa_column_kwargs={"server_default": "created"})
    #: The provider's number.
    intent_id: str | None = Field(default=None, unique=True)
    charge_id: str | None = Field(default=None, unique=True)
    #: What the payer's browser pays with; and where it goes, or what it scans.
    client_secret: str | None = None
    action_url: str | None = None
    qr_code: str | None = None
    received_fen: int = fen(default=0)
    payment_id: int | None = ref("payment.id", nullable=True)
    error_code: str | None = None
    error_text: str | None = None
    #: None: found at the provider after this database had been restored.
    created_by: int | None = ref("app_user.id", nullable=True)
    created_at: datetime = moment()
    looked_at: datetime | None = moment(nullable=True)
    cancel_asked_at: datetime | None = moment(nullable=True)
    ended_at: datetime | None = moment(nullable=True)
    version: int = Field(default=1, sa_column_kwargs={"server_default": "1"})


class ProviderCall(SQLModel, table=True):
    """What the provider is to be asked: the outbox of everything that leaves for it. Written with its key before anything is sent."""

    __tablename__ = "provider_call"
    __table_args__ = (
        CheckConstraint(f"operation IN ({_list(Operation)})", name="operation"),
        CheckConstraint(f"status IN ({_list(CallStatus)})", name="status"),
        CheckConstraint("(operation = 'look') = (key IS NULL)", name="key"),
        CheckConstraint("(operation = 'look') = (subject_id IS NULL)", name="subject"),
        CheckConstraint("operation <> 'look' OR object_id IS NOT NULL", name="object"),
        Index(None, "operation", "subject_id"),
        # events of one object that come together are one look at it; one that comes while it is looked at is another
        Index("uq_provider_call_look", "object_id", unique=True, postgresql_where=text("operation = 'look' AND status = 'due'")),
        Index(
            "ix_provider_call_open",
            "next_attempt_at",
            "id",
            postgresql_where=text("status IN ('due','sending','unknown','parked')"),
        ),
    )

    id: int = key()
    operation: str
    #: The online payment, refund, transfer or connected account that it is for.
    subject_id: int | None = Field(default=None, sa_type=BigInteger)
    attempt: int = Field(default=1, sa_column_kwargs={"server_default": "1"})
    #: The idempotency key.
    key: str | None = Field(default=None, unique=True)
    #: The provider's number: of what is looked at, or of what came of it.
    object_id: str | None = None
    status: str = Field(default="due", sa_column_kwargs={"server_default": "due"})
    tries: int = Field(default=0, sa_column_kwargs={"server_default": "0"})
    #: From then on the provider may have done it.
    sent_at: datetime | None = moment(nullable=True)
    #: The provider keeps a fault as the answer to this key: only another attempt can go on, once nothing is found there.
    spent: bool = Field(default=False, sa_column_kwargs={"server_default": "false"})
    next_attempt_at: datetime = moment()
    last_error: str | None = None
    created_at: datetime = moment()
    ended_at: datetime | None = moment(nullable=True)


class ProviderEvent(SQLModel, table=True):
    """An event that the provider told us of; each once, however often it is sent."""

    __tablename__ = "provider_event"
    __table_args__ = (Index(None, "received_at"),)

    event_id: str = Field(primary_key=True)
    type: str
    object_id: str | None = None
    received_at: datetime = moment()


class ProviderEntry(SQLModel, table=True):
    """A movement of our balance at the provider, as its own statement shows it."""

    __tablename__ = "provider_entry"
    __table_args__ = (
        CheckConstraint("net_fen = amount_fen - fee_fen", name="net_fen"),
        Index(None, "source_id"),
        Index(None, "created_at"),
        Index("ix_provider_entry_failed", "created_at", postgresql_where=text("failed")),
    )

    id: int = key()
    entry_id: str = Field(unique=True)
    type: str
    source_id: str | None = None
    #: What is looked at to understand it.
    behind: str | None = None
    amount_fen: int = fen()
    fee_fen: int = fen()
    net_fen: int = fen()
    #: When the provider made it.
    created_at: datetime = moment()
    #: What it is could not be told from our records; it is booked as money that nobody knows for what, and finance is told.
    unexplained: bool = Field(default=False, sa_column_kwargs={"server_default": "false"})
    #: By a fault of ours it could not be taken over, and nothing of it is booked; it is tried again until it is.
    failed: bool = Field(default=False, sa_column_kwargs={"server_default": "false"})


class ChargeDispute(SQLModel, table=True):
    """The payer's bank takes an online payment back, or asks about it."""

    __tablename__ = "charge_dispute"
    __table_args__ = (
        CheckConstraint("amount_fen > 0", name="amount_fen"),
        CheckConstraint(f"status IN ({_list(DisputeStatus)})", name="status"),
        CheckConstraint(
            "CASE status WHEN 'lost' THEN lost_at IS NOT NULL WHEN 'won' THEN true ELSE lost_at IS NULL END", name="lost_at"
        ),
        Index(None, "online_payment_id"),
        Index(None, "status", "id"),
    )

    id: int = key()
    dispute_id: str = Field(unique=True)
    online_payment_id: int = ref("online_payment.id")
    amount_fen: int = fen()
    reason: str
    status: str
    #: Until then evidence may be given at the provider.
    evidence_by: datetime | None = moment(nullable=True)
    opened_at: datetime = moment()
    ended_at: datetime | None = moment(nullable=True)
    #: When it was lost, also if it was won after all.
    lost_at: datetime | None = moment(nullable=True)


class ConnectedAccount(SQLModel, table=True):
    """A supplier's account at the provider, to which its money is transferred."""

    __tablename__ = "connected_account"

    id: int = key()
    supplier_id: int = ref("organisation.id")
    reference: str = Field(unique=True)
    country: str
    account_id: str | None = Field(default=None, unique=True)
    #: It may be sent transfers, and pays them out to the supplier's bank.
    enabled: bool = Field(default=False, sa_column_kwargs={"server_default": "false"})
    details_submitted: bool = Field(default=False, sa_column_kwargs={"server_default": "false"})
    #: What the provider still wants to know, by its own names.
    still_due: str = Field(default="", sa_column_kwargs={"server_default": ""})
    #: The page where the supplier tells it, good for some minutes, and where it comes back to.
    return_url: str | None = None
    link_url: str | None = None
    link_until: datetime | None = moment(nullable=True)
    looked_at: datetime | None = moment(nullable=True)
    created_at: datetime = moment()

    __table_args__ = (Index("uq_connected_account_supplier_id", "supplier_id", unique=True),)


class OnlineTransfer(SQLModel, table=True):
    """A payout of a settlement that goes to the supplier's account at the provider."""

    __tablename__ = "online_transfer"
    __table_args__ = (
        CheckConstraint("amount_fen > 0", name="amount_fen"),
        CheckConstraint("reversed_fen BETWEEN 0 AND amount_fen", name="reversed_fen"),
        CheckConstraint(f"status IN ({_list(TransferStatus)})", name="status"),
        Index(None, "payout_id"),
        Index(None, "supplier_id"),
        Index(None, "status", "id"),
    )

    id: int = key()
    #: The payout of the settlement. No foreign key: what was found after a restore may name one that is not there.
    payout_id: int | None = Field(default=None, sa_type=BigInteger)
    reference: str = Field(unique=True)
    supplier_id: int = ref("organisation.id")
    amount_fen: int = fen()
    #: What the provider took back of it.
    reversed_fen: int = fen(default=0)
    account_id: str
    status: str = Field(default="created", sa_column_kwargs={"server_default": "created"})
    transfer_id: str | None = Field(default=None, unique=True)
    error_text: str | None = None
    created_at: datetime = moment()
    ended_at: datetime | None = moment(nullable=True)
