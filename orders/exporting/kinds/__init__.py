"""What can be exported."""

from enum import StrEnum

from orders.exporting.kinds import certified, entries, money, parts, sales, ties
from orders.exporting.table import Kind


class What(StrEnum):
    """The kinds of questions; the discriminator of a request."""

    SALES = "sales"
    ENTRIES = "entries"
    ORDERS = "orders"
    DUES = "dues"
    PAYMENTS = "payments"
    CERTIFIED = "certified"
    TIES = "ties"


KINDS: dict[str, Kind] = {
    What.SALES: sales.KIND,
    What.ENTRIES: entries.KIND,
    What.ORDERS: parts.KIND,
    What.DUES: money.DUES,
    What.PAYMENTS: money.PAYMENTS,
    What.CERTIFIED: certified.KIND,
    What.TIES: ties.KIND,
}

__all__ = ["KINDS", "What"]
