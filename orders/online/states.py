"""The lives of online payments, calls to the provider, charge disputes and transfers."""

from enum import StrEnum


class OnlineStatus(StrEnum):
    #: Ours alone: the provider was not asked yet.
    CREATED = "created"
    #: The payer has something to do: enter a card, follow a link, scan a code.
    REQUIRES_ACTION = "requires_action"
    PROCESSING = "processing"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    #: The provider was asked, and nobody knows what became of it; looked up until it is known.
    UNKNOWN = "unknown"


#: An order has at most one of these.
OPEN = (OnlineStatus.CREATED, OnlineStatus.REQUIRES_ACTION, OnlineStatus.PROCESSING, OnlineStatus.UNKNOWN)


class OnlineMove(StrEnum):
    CANCEL = "cancel"


def possible(status: str) -> list[OnlineMove]:
    """What the payer's side may do: a payment that is being processed is the provider's to decide."""
    return [OnlineMove.CANCEL] if status in (OnlineStatus.CREATED, OnlineStatus.REQUIRES_ACTION, OnlineStatus.UNKNOWN) else []


def may_become(before: str, after: str) -> bool:
    """Whether what was seen at the provider is news. Money that came is always news; nothing else changes a payment that has ended.

    Observations arrive in any order: an older one must not undo what is final.
    """
    if before == OnlineStatus.SUCCEEDED or before == after:
        return False
    return after == OnlineStatus.SUCCEEDED or before in OPEN


class Operation(StrEnum):
    """What the provider is asked for. Only ``look`` changes nothing there."""

    PAY = "pay"
    CANCEL = "cancel"
    REFUND = "refund"
    TRANSFER = "transfer"
    ACCOUNT = "account"
    LINK = "link"
    LOOK = "look"


class CallStatus(StrEnum):
    DUE = "due"
    #: Claimed by a sender; due again when its lease ends.
    SENDING = "sending"
    #: No answer that tells the outcome: looked up before anything is sent again.
    UNKNOWN = "unknown"
    DONE = "done"
    REFUSED = "refused"
    #: Tried in vain too often; waits for a person.
    PARKED = "parked"


class DisputeStatus(StrEnum):
    #: A question of the payer's bank; no money has moved.
    INQUIRY = "inquiry"
    OPEN = "open"
    WON = "won"
    LOST = "lost"
    #: A question that ended without a dispute.
    CLOSED = "closed"


class TransferStatus(StrEnum):
    CREATED = "created"
    UNKNOWN = "unknown"
    PAID = "paid"
    FAILED = "failed"
    REVERSED = "reversed"
