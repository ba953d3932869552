"""The life of an invoice. What it says never changes; credit notes take back what is no longer owed."""

from enum import StrEnum

from shop.core.states import StateTable


class InvoiceStatus(StrEnum):
    ISSUED = "issued"
    SENT = "sent"
    PARTLY_CREDITED = "partly_credited"
    CREDITED = "credited"


class InvoiceMove(StrEnum):
    SEND = "send"
    CREDIT_PART = "credit_part"
    CREDIT_REST = "credit_rest"


_S, _M = InvoiceStatus, InvoiceMove

INVOICE = StateTable(
    "invoice",
    {
        (_S.ISSUED, _M.SEND): _S.SENT,
        (_S.ISSUED, _M.CREDIT_PART): _S.PARTLY_CREDITED,
        (_S.ISSUED, _M.CREDIT_REST): _S.CREDITED,
        (_S.SENT, _M.CREDIT_PART): _S.PARTLY_CREDITED,
        (_S.SENT, _M.CREDIT_REST): _S.CREDITED,
        (_S.PARTLY_CREDITED, _M.CREDIT_PART): _S.PARTLY_CREDITED,
        (_S.PARTLY_CREDITED, _M.CREDIT_REST): _S.CREDITED,
        # what was credited before it was sent is sent all the same: the buyer gets both
        (_S.PARTLY_CREDITED, _M.SEND): _S.PARTLY_CREDITED,
        (_S.CREDITED, _M.SEND): _S.CREDITED,
    },
)


def possible(status: str, *, sent: bool) -> list[InvoiceMove]:
    """What may be done with an invoice; it is sent once."""
    return [move for move in INVOICE.possible(status) if not (sent and move is InvoiceMove.SEND)]
