"""What a measure against a certificate means for orders: pure functions."""

from enum import StrEnum

from catalog.certificates.states import Stop
from orders.purchasing.states import SupplierOrderStatus
from shop.programmes.schemas import CertificationRules


class Choice(StrEnum):
    """What a buyer may want of the goods that were not shipped yet."""

    DELIVER = "deliver"
    CANCEL = "cancel"


#: Statuses in which something may still be shipped.
OPEN = (
    SupplierOrderStatus.PLACED,
    SupplierOrderStatus.CONFIRMED,
    SupplierOrderStatus.PARTLY_SHIPPED,
    SupplierOrderStatus.PARTLY_ACCEPTED,
)


def choices(stop: Stop | None, config: CertificationRules) -> list[Choice]:
    """What the programme leaves to the buyer; nothing while it is in order. All but a revocation counts as a suspension."""
    if stop is None:
        return []
    return [Choice(choice) for choice in (config.choices_when_revoked if stop is Stop.REVOKED else config.choices_when_suspended)]
