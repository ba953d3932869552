"""The life of a voucher."""

from enum import StrEnum

from shop.core.states import StateTable


class VoucherStatus(StrEnum):
    ISSUED = "issued"
    BOOKED = "booked"
    REDEEMED = "redeemed"
    EXPIRED = "expired"
    CANCELLED = "cancelled"


class VoucherMove(StrEnum):
    BOOK = "book"
    RELEASE = "release"
    REDEEM = "redeem"
    EXPIRE = "expire"
    CANCEL = "cancel"


_S, _M = VoucherStatus, VoucherMove

#: It can still be used.
OPEN = (_S.ISSUED, _S.BOOKED)

VOUCHER = StateTable(
    "voucher",
    {
        (_S.ISSUED, _M.BOOK): _S.BOOKED,
        # another day
        (_S.BOOKED, _M.BOOK): _S.BOOKED,
        (_S.BOOKED, _M.RELEASE): _S.ISSUED,
        **{(state, _M.REDEEM): _S.REDEEMED for state in OPEN},
        **{(state, _M.EXPIRE): _S.EXPIRED for state in OPEN},
        # the order was cancelled before any of it was redeemed
        **{(state, _M.CANCEL): _S.CANCELLED for state in OPEN},
    },
    by_itself={_M.EXPIRE, _M.CANCEL},
)
