"""What numbers of outlets look like, what the public field list calls their kinds, and when one may sell."""

from dataclasses import dataclass
from datetime import date

from orders.outlets.states import OutletKind, OutletStatus

#: 专柜, 专馆, 专区.
SERIES = {OutletKind.CABINET: "ZG", OutletKind.HALL: "GG", OutletKind.ZONE: "ZQ"}
#: Channel types of the public field list.
CHANNEL_TYPES = {"01": OutletKind.ZONE, "02": OutletKind.CABINET, "03": OutletKind.HALL}


def outlet_number(kind: OutletKind, region_code: str, n: int) -> str:
    """``ZG-500236-000012``."""
    return f"{SERIES[kind]}-{region_code}-{n:06}"


@dataclass(frozen=True, slots=True)
class Term:
    """From when to when an outlet may sell: from its first day, not before the day on which it was verified, to its last."""

    status: OutletStatus
    opened_on: date
    verified_on: date | None
    closed_on: date | None

    def holds(self, first: date, last: date) -> bool:
        """Whether it was open and verified on all days from ``first`` to ``last`` (Shanghai dates). Sales of a closed outlet count up to its last
        day, however late they are told."""
        if self.verified_on is None or self.status is OutletStatus.REFUSED:
            return False
        return max(self.opened_on, self.verified_on) <= first and (self.closed_on is None or last <= self.closed_on)
