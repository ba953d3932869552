"""The life of a supplier order."""

from enum import StrEnum

from shop.core.states import StateTable


class SupplierOrderStatus(StrEnum):
    PLACED = "placed"
    CONFIRMED = "confirmed"
    REJECTED = "rejected"
    CANCELLED = "cancelled"
    PARTLY_SHIPPED = "partly_shipped"
    SHIPPED = "shipped"
    PARTLY_ACCEPTED = "partly_accepted"
    ACCEPTED = "accepted"


class EndReason(StrEnum):
    """Why a part was rejected or cancelled, as a code; the words stand beside it."""

    # the buyer's
    NOT_NEEDED = "not_needed"
    WRONG_DETAILS = "wrong_details"
    WRONG_UNIT = "wrong_unit"
    FREIGHT = "freight"
    # the supplier's
    OUT_OF_STOCK = "out_of_stock"
    CANNOT_DELIVER = "cannot_deliver"
    PRICE = "price"
    NOT_PAID_IN_TIME = "not_paid_in_time"
    OTHER = "other"
    # of the marketplace
    NOT_CONFIRMED_IN_TIME = "not_confirmed_in_time"
    AGREED = "agreed"
    CERTIFICATE = "certificate"


class SupplierOrderAction(StrEnum):
    CONFIRM = "confirm"
    REJECT = "reject"
    CANCEL = "cancel"
    SHIP_PART = "ship_part"
    SHIP_REST = "ship_rest"
    ACCEPT_PART = "accept_part"
    ACCEPT_REST = "accept_rest"


#: What sends goods.
SENDING = frozenset({SupplierOrderAction.SHIP_PART, SupplierOrderAction.SHIP_REST})
_S, _A = SupplierOrderStatus, SupplierOrderAction

SUPPLIER_ORDER = StateTable(
    "supplier_order",
    {
        (_S.PLACED, _A.CONFIRM): _S.CONFIRMED,
        (_S.PLACED, _A.REJECT): _S.REJECTED,
        (_S.PLACED, _A.CANCEL): _S.CANCELLED,
        (_S.CONFIRMED, _A.CANCEL): _S.CANCELLED,
        (_S.CONFIRMED, _A.SHIP_PART): _S.PARTLY_SHIPPED,
        (_S.CONFIRMED, _A.SHIP_REST): _S.SHIPPED,
        (_S.PARTLY_SHIPPED, _A.SHIP_PART): _S.PARTLY_SHIPPED,
        (_S.PARTLY_SHIPPED, _A.SHIP_REST): _S.SHIPPED,
        (_S.PARTLY_SHIPPED, _A.ACCEPT_PART): _S.PARTLY_ACCEPTED,
        (_S.SHIPPED, _A.ACCEPT_PART): _S.PARTLY_ACCEPTED,
        (_S.SHIPPED, _A.ACCEPT_REST): _S.ACCEPTED,
        # once something was accepted, that is what the status says, whatever is still on its way
        (_S.PARTLY_ACCEPTED, _A.SHIP_PART): _S.PARTLY_ACCEPTED,
        (_S.PARTLY_ACCEPTED, _A.SHIP_REST): _S.PARTLY_ACCEPTED,
        (_S.PARTLY_ACCEPTED, _A.ACCEPT_PART): _S.PARTLY_ACCEPTED,
        (_S.PARTLY_ACCEPTED, _A.ACCEPT_REST): _S.ACCEPTED,
    },
)
