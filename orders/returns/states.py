"""The lives of a return, and of the correction of an acceptance."""

from enum import StrEnum

from shop.core.states import StateTable


class ReturnKind(StrEnum):
    RETURN = "return"
    EXCHANGE = "exchange"


class ReturnStatus(StrEnum):
    REQUESTED = "requested"
    APPROVED = "approved"
    REFUSED = "refused"
    SENT = "sent"
    RECEIVED = "received"
    REPLACED = "replaced"
    CLOSED = "closed"
    CANCELLED = "cancelled"


class ReturnMove(StrEnum):
    APPROVE = "approve"
    APPROVE_WITHOUT_GOODS = "approve_without_goods"
    REFUSE = "refuse"
    OVERRULE = "overrule"
    CANCEL = "cancel"
    SEND = "send"
    RECEIVE = "receive"
    REPLACE = "replace"
    REFUND = "refund"
    CLOSE = "close"


_S, _M = ReturnStatus, ReturnMove

RETURN = StateTable(
    "goods_return",
    {
        (_S.REQUESTED, _M.APPROVE): _S.APPROVED,
        # spoiled food need not travel
        (_S.REQUESTED, _M.APPROVE_WITHOUT_GOODS): _S.RECEIVED,
        (_S.REQUESTED, _M.REFUSE): _S.REFUSED,
        (_S.REQUESTED, _M.CANCEL): _S.CANCELLED,
        # a dispute was decided for the buyer
        (_S.REQUESTED, _M.OVERRULE): _S.APPROVED,
        (_S.REFUSED, _M.OVERRULE): _S.APPROVED,
        (_S.APPROVED, _M.CANCEL): _S.CANCELLED,
        (_S.APPROVED, _M.SEND): _S.SENT,
        (_S.SENT, _M.RECEIVE): _S.RECEIVED,
        # the supplier does not say what came: a dispute decides that all of it did
        (_S.SENT, _M.OVERRULE): _S.RECEIVED,
        # an exchange: the same goods are sent again; or there are none, and the sale is taken back
        (_S.RECEIVED, _M.REPLACE): _S.REPLACED,
        (_S.REPLACED, _M.CLOSE): _S.CLOSED,
        # the sale is taken back: a return at once with its receipt, an exchange if nothing can be sent
        (_S.RECEIVED, _M.REFUND): _S.CLOSED,
    },
    by_itself={_M.OVERRULE},
    # what came, if anything had to; and what was replaced is closed as what was refunded is
    says_more={_M.APPROVE_WITHOUT_GOODS, _M.RECEIVE, _M.REFUND},
)

#: What the buyer does with it, and what the supplier does.
REQUESTS = frozenset({_M.CANCEL, _M.SEND, _M.CLOSE})
ANSWERS = frozenset({_M.APPROVE, _M.APPROVE_WITHOUT_GOODS, _M.REFUSE, _M.RECEIVE, _M.REPLACE, _M.REFUND})
#: Nothing more will come of it.
ENDED = (ReturnStatus.REFUSED, ReturnStatus.CLOSED, ReturnStatus.CANCELLED)


class CorrectionStatus(StrEnum):
    PROPOSED = "proposed"
    AGREED = "agreed"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"


class CorrectionMove(StrEnum):
    AGREE = "agree"
    DECLINE = "decline"
    WITHDRAW = "withdraw"


CORRECTION = StateTable(
    "acceptance_correction",
    {
        (CorrectionStatus.PROPOSED, CorrectionMove.AGREE): CorrectionStatus.AGREED,
        (CorrectionStatus.PROPOSED, CorrectionMove.DECLINE): CorrectionStatus.DECLINED,
        (CorrectionStatus.PROPOSED, CorrectionMove.WITHDRAW): CorrectionStatus.WITHDRAWN,
    },
)
