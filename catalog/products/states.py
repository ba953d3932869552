"""On sale or withdrawn: the same two states for a product and for each of its SKUs."""

from enum import StrEnum

from shop.core.states import StateTable


class ListingStatus(StrEnum):
    ACTIVE = "active"
    WITHDRAWN = "withdrawn"


class ListingMove(StrEnum):
    WITHDRAW = "withdraw"
    RELIST = "relist"


LISTING = StateTable(
    "listing",
    {
        (ListingStatus.ACTIVE, ListingMove.WITHDRAW): ListingStatus.WITHDRAWN,
        (ListingStatus.WITHDRAWN, ListingMove.RELIST): ListingStatus.ACTIVE,
    },
)
