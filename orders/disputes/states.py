"""The life of a dispute: answered within working days, perhaps settled by a county's proposal, else decided by the city."""

from enum import StrEnum

from shop.core.states import StateTable


class DisputeKind(StrEnum):
    QUALITY = "quality"
    QUANTITY = "quantity"
    WEIGHT = "weight"
    DELAY = "delay"
    RETURN = "return"
    PAYMENT = "payment"
    SERVICE = "service"
    OTHER = "other"


class DisputeStatus(StrEnum):
    OPEN = "open"
    ANSWERED = "answered"
    MEDIATING = "mediating"
    SETTLED = "settled"
    DECIDED = "decided"
    WITHDRAWN = "withdrawn"


class DisputeMove(StrEnum):
    ANSWER = "answer"
    MEDIATE = "mediate"
    SETTLE = "settle"
    DECIDE = "decide"
    WITHDRAW = "withdraw"


class Outcome(StrEnum):
    """How far who opened it is right."""

    FULL = "full"
    PARTIAL = "partial"
    NONE = "none"


_S, _M = DisputeStatus, DisputeMove

#: It waits for somebody.
UNDECIDED = (_S.OPEN, _S.ANSWERED, _S.MEDIATING)

DISPUTE = StateTable(
    "dispute",
    {
        (_S.OPEN, _M.ANSWER): _S.ANSWERED,
        (_S.ANSWERED, _M.MEDIATE): _S.MEDIATING,
        # another proposal
        (_S.MEDIATING, _M.MEDIATE): _S.MEDIATING,
        (_S.MEDIATING, _M.SETTLE): _S.SETTLED,
        # unanswered ones only when the time for the answer is over
        **{(state, _M.DECIDE): _S.DECIDED for state in UNDECIDED},
        **{(state, _M.WITHDRAW): _S.WITHDRAWN for state in UNDECIDED},
    },
    # the outcome, and what is owed by it
    says_more={_M.DECIDE},
)
