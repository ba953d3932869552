"""The life of a declared payer, and of a file of refunds."""

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
