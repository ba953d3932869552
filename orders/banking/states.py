"""The lives of a declared payer, of what is written off of a line of the bank, of a failure that two persons say, and of a file of refunds."""

from enum import StrEnum

from shop.core.states import StateTable


class PayerStatus(StrEnum):
    DECLARED = "declared"
    APPROVED = "approved"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


class PayerMove(StrEnum):
    APPROVE = "approve"
    REFUSE = "refuse"
    WITHDRAW = "withdraw"


PAYER = StateTable(
    "payer_declaration",
    {
        (PayerStatus.DECLARED, PayerMove.APPROVE): PayerStatus.APPROVED,
        (PayerStatus.DECLARED, PayerMove.REFUSE): PayerStatus.REFUSED,
        (PayerStatus.DECLARED, PayerMove.WITHDRAW): PayerStatus.WITHDRAWN,
        (PayerStatus.APPROVED, PayerMove.WITHDRAW): PayerStatus.WITHDRAWN,
    },
)


class WriteOffStatus(StrEnum):
    REQUESTED = "requested"
    APPROVED = "approved"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    #: The match that it became was taken back.
    UNDONE = "undone"


class WriteOffMove(StrEnum):
    APPROVE = "approve"
    REFUSE = "refuse"
    WITHDRAW = "withdraw"
    UNDO = "undo"


WRITE_OFF = StateTable(
    "bank_write_off",
    {
        (WriteOffStatus.REQUESTED, WriteOffMove.APPROVE): WriteOffStatus.APPROVED,
        (WriteOffStatus.REQUESTED, WriteOffMove.REFUSE): WriteOffStatus.REFUSED,
        (WriteOffStatus.REQUESTED, WriteOffMove.WITHDRAW): WriteOffStatus.WITHDRAWN,
        (WriteOffStatus.APPROVED, WriteOffMove.UNDO): WriteOffStatus.UNDONE,
    },
    by_itself={WriteOffMove.UNDO},
)


def write_off_moves(status: str, *, own: bool) -> list[WriteOffMove]:
    """What somebody may do with a request; ``own``: whoever made it, which another person decides on. One that was approved ends with its match."""
    return [move for move in WRITE_OFF.possible(status) if not own or move is WriteOffMove.WITHDRAW]


class FailureStatus(StrEnum):
    REQUESTED = "requested"
    APPROVED = "approved"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    #: What it speaks of failed without it.
    SUPERSEDED = "superseded"


class FailureMove(StrEnum):
    APPROVE = "approve"
    REFUSE = "refuse"
    WITHDRAW = "withdraw"
    SUPERSEDE = "supersede"


FAILURE_REPORT = StateTable(
    "failure_report",
    {
        (FailureStatus.REQUESTED, FailureMove.APPROVE): FailureStatus.APPROVED,
        (FailureStatus.REQUESTED, FailureMove.REFUSE): FailureStatus.REFUSED,
        (FailureStatus.REQUESTED, FailureMove.WITHDRAW): FailureStatus.WITHDRAWN,
        (FailureStatus.REQUESTED, FailureMove.SUPERSEDE): FailureStatus.SUPERSEDED,
    },
    by_itself={FailureMove.SUPERSEDE},
)


def failure_moves(status: str, *, own: bool) -> list[FailureMove]:
    """What somebody may do with what was said; that it is superseded a line of the bank brings about. ``own``: whoever said it, which another person
    decides on."""
    return [move for move in FAILURE_REPORT.possible(status) if not own or move is FailureMove.WITHDRAW]


class FileStatus(StrEnum):
    MADE = "made"
    SENT = "sent"
    VOID = "void"


class FileMove(StrEnum):
    SEND = "send"
    VOID = "void"


REFUND_FILE = StateTable(
    "refund_file",
    {(FileStatus.MADE, FileMove.SEND): FileStatus.SENT, (FileStatus.MADE, FileMove.VOID): FileStatus.VOID},
)
