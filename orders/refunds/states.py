"""The life of a refund."""

from enum import StrEnum

from shop.core.states import StateTable


class RefundStatus(StrEnum):
    REQUESTED = "requested"
    APPROVED = "approved"
    SENT = "sent"
    PAID = "paid"
    REFUSED = "refused"
    CANCELLED = "cancelled"
    FAILED = "failed"


class RefundMove(StrEnum):
    APPROVE = "approve"
    REFUSE = "refuse"
    CANCEL = "cancel"
    SEND = "send"
    #: It was paid: as somebody confirms, or as the bank or the provider shows.
    PAY = "confirm"
    FAIL = "fail"
    #: It was said to have failed, and the bank shows that it left.
    REINSTATE = "reinstate"


_S, _M = RefundStatus, RefundMove

REFUND = StateTable(
    "refund",
    {
        (_S.REQUESTED, _M.APPROVE): _S.APPROVED,
        (_S.REQUESTED, _M.REFUSE): _S.REFUSED,
        (_S.REQUESTED, _M.CANCEL): _S.CANCELLED,
        (_S.APPROVED, _M.SEND): _S.SENT,
        # what the bank or the provider shows may come before anybody said that it was sent
        (_S.APPROVED, _M.PAY): _S.PAID,
        (_S.APPROVED, _M.FAIL): _S.FAILED,
        (_S.SENT, _M.PAY): _S.PAID,
        (_S.SENT, _M.FAIL): _S.FAILED,
        # a refund that was paid may come back days later
        (_S.PAID, _M.FAIL): _S.FAILED,
        (_S.FAILED, _M.REINSTATE): _S.PAID,
    },
    # only a line of the bank shows it
    by_itself={_M.REINSTATE},
)

#: What its provider tells of a refund that goes back online.
_TOLD_BY_PROVIDER = frozenset({_M.SEND, _M.PAY, _M.FAIL})


def refund_moves(status: str, method: str, *, own: bool = False) -> list[RefundMove]:
    """What a person may do with a refund; ``own``: whoever asked for it, which another person releases."""
    refused = (_TOLD_BY_PROVIDER if method == "online" else frozenset()) | ({_M.APPROVE} if own else frozenset())
    return [move for move in REFUND.possible(status) if move not in refused]
