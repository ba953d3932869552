"""What can be exported."""

from orders.exporting.kinds import certified, entries, money, parts, sales, ties
from orders.exporting.table import Kind

#: By the name that a request gives; ``schemas`` has a body for each.
KINDS: dict[str, Kind] = {
    "sales": sales.KIND,
    "entries": entries.KIND,
    "orders": parts.KIND,
    "dues": money.DUES,
    "payments": money.PAYMENTS,
    "certified": certified.KIND,
    "ties": ties.KIND,
}
