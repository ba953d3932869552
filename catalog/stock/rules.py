"""The kinds of stock movements."""

from enum import StrEnum


class MovementKind(StrEnum):
    RECEIVE = "receive"
    ADJUST = "adjust"
    RESERVE = "reserve"
    RELEASE = "release"
    SHIP = "ship"
    RETURN = "return"
    REPLACE = "replace"


#: No stock of one SKU may grow beyond this; sums of any number of SKUs stay exact.
MAX_ON_HAND = 10**9
