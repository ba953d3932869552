"""The life of an outlet."""

from enum import StrEnum

from shop.core.states import StateTable


class OutletKind(StrEnum):
    CABINET = "cabinet"
    HALL = "hall"
    ZONE = "zone"


class OutletStatus(StrEnum):
    REGISTERED = "registered"
    VERIFIED = "verified"
    REFUSED = "refused"
    CLOSED = "closed"


class OutletMove(StrEnum):
    EDIT = "edit"
    VERIFY = "verify"
    REFUSE = "refuse"
    CLOSE = "close"


_S, _M = OutletStatus, OutletMove

OUTLET = StateTable(
    "outlet",
    {
        (_S.REGISTERED, _M.EDIT): _S.REGISTERED,
        (_S.VERIFIED, _M.EDIT): _S.VERIFIED,
        # what was corrected is looked at again
        (_S.REFUSED, _M.EDIT): _S.REGISTERED,
        (_S.REGISTERED, _M.VERIFY): _S.VERIFIED,
        (_S.REGISTERED, _M.REFUSE): _S.REFUSED,
        (_S.REGISTERED, _M.CLOSE): _S.CLOSED,
        (_S.VERIFIED, _M.CLOSE): _S.CLOSED,
        (_S.REFUSED, _M.CLOSE): _S.CLOSED,
    },
)
