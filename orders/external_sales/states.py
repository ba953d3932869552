"""The life of a sale that was made elsewhere."""

from enum import StrEnum

from shop.core.states import StateTable


class SaleStatus(StrEnum):
    DRAFT = "draft"
    #: An officer of the supplier's district has to look.
    SUBMITTED = "submitted"
    RETURNED = "returned"
    #: Something speaks against it; it does not count until somebody has decided.
    HELD = "held"
    ACCEPTED = "accepted"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    VOID = "void"


class SaleMove(StrEnum):
    EDIT = "edit"
    SUBMIT = "submit"
    WITHDRAW = "withdraw"
    RETURN = "return"
    REFUSE = "refuse"
    ACCEPT = "accept"
    HOLD = "hold"
    #: The doubt is gone: it waits for its review again, or counts again.
    RELEASE = "release"
    REINSTATE = "reinstate"
    VOID = "void"


_S, _M = SaleStatus, SaleMove

EXTERNAL_SALE = StateTable(
    "external_sale",
    {
        (_S.DRAFT, _M.EDIT): _S.DRAFT,
        (_S.DRAFT, _M.SUBMIT): _S.SUBMITTED,
        (_S.DRAFT, _M.WITHDRAW): _S.WITHDRAWN,
        (_S.SUBMITTED, _M.RETURN): _S.RETURNED,
        (_S.SUBMITTED, _M.REFUSE): _S.REFUSED,
        (_S.SUBMITTED, _M.ACCEPT): _S.ACCEPTED,
        (_S.SUBMITTED, _M.HOLD): _S.HELD,
        (_S.SUBMITTED, _M.WITHDRAW): _S.WITHDRAWN,
        (_S.RETURNED, _M.EDIT): _S.RETURNED,
        (_S.RETURNED, _M.SUBMIT): _S.SUBMITTED,
        (_S.RETURNED, _M.WITHDRAW): _S.WITHDRAWN,
        (_S.ACCEPTED, _M.HOLD): _S.HELD,
        (_S.ACCEPTED, _M.VOID): _S.VOID,
        (_S.HELD, _M.RELEASE): _S.SUBMITTED,
        (_S.HELD, _M.REINSTATE): _S.ACCEPTED,
        (_S.HELD, _M.WITHDRAW): _S.WITHDRAWN,
        (_S.HELD, _M.VOID): _S.VOID,
    },
    said={_S.ACCEPTED: "已计入"},
    by_itself={_M.HOLD, _M.RELEASE, _M.REINSTATE},
)
#: What officers say of a claim.
REVIEW = frozenset({_M.RETURN, _M.REFUSE, _M.ACCEPT, _M.VOID})
#: It may count, now or later: its documents are taken.
STANDING = (_S.SUBMITTED, _S.HELD, _S.ACCEPTED)
