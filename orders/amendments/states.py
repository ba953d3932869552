"""The life of a proposed change."""

from enum import StrEnum

from orders.purchasing.states import SupplierOrderStatus
from shop.core.states import StateTable


class AmendmentStatus(StrEnum):
    PROPOSED = "proposed"
    ACCEPTED = "accepted"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"


class AmendmentAction(StrEnum):
    ACCEPT = "accept"
    REFUSE = "refuse"
    WITHDRAW = "withdraw"
    EXPIRE = "expire"


_S, _A = AmendmentStatus, AmendmentAction

AMENDMENT = StateTable(
    "amendment",
    {
        (_S.PROPOSED, _A.ACCEPT): _S.ACCEPTED,
        (_S.PROPOSED, _A.REFUSE): _S.REFUSED,
        (_S.PROPOSED, _A.WITHDRAW): _S.WITHDRAWN,
        (_S.PROPOSED, _A.EXPIRE): _S.EXPIRED,
    },
    by_itself={_A.EXPIRE},
)

#: Orders that both sides are bound by and that are not delivered in full.
AMENDABLE = frozenset({SupplierOrderStatus.CONFIRMED, SupplierOrderStatus.PARTLY_SHIPPED, SupplierOrderStatus.PARTLY_ACCEPTED})
