"""The life of a purchase request."""

from enum import StrEnum

from shop.core.states import StateTable


class RequestStatus(StrEnum):
    WAITING = "waiting"
    RETURNED = "returned"
    APPROVED = "approved"
    ORDERED = "ordered"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"


class RequestMove(StrEnum):
    APPROVE_STEP = "approve_step"
    APPROVE = "approve"
    REJECT = "reject"
    RETURN = "return"
    RESUBMIT = "resubmit"
    WITHDRAW = "withdraw"
    ORDER = "order"


_S, _M = RequestStatus, RequestMove

PURCHASE_REQUEST = StateTable(
    "purchase_request",
    {
        # a step, but not the last one
        (_S.WAITING, _M.APPROVE_STEP): _S.WAITING,
        (_S.WAITING, _M.APPROVE): _S.APPROVED,
        (_S.WAITING, _M.REJECT): _S.REJECTED,
        (_S.WAITING, _M.RETURN): _S.RETURNED,
        (_S.WAITING, _M.WITHDRAW): _S.WITHDRAWN,
        (_S.RETURNED, _M.RESUBMIT): _S.WAITING,
        (_S.RETURNED, _M.WITHDRAW): _S.WITHDRAWN,
        # approved but not placed: goods are short, or dearer than was approved
        (_S.APPROVED, _M.ORDER): _S.ORDERED,
        (_S.APPROVED, _M.RESUBMIT): _S.WAITING,
        (_S.APPROVED, _M.WITHDRAW): _S.WITHDRAWN,
    },
    # what is asked for by now
    says_more={_M.RESUBMIT},
)

#: What whoever decides on a waiting request may do.
DECISIONS = frozenset({RequestMove.APPROVE, RequestMove.REJECT, RequestMove.RETURN})
