"""Which sales a question is about: its period, its filters, and how far the asking person's reach goes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Any

from orders.ledger.rules import Direction
from shop.identity.actor import Actor
from shop.identity.permissions import Permission, Role


class Dimension(StrEnum):
    """By what figures can be grouped and filtered."""

    DAY = "day"
    #: Weeks begin on Monday.
    WEEK = "week"
    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"
    DISTRICT = "district"
    TOWNSHIP = "township"
    VILLAGE = "village"
    MODE = "mode"
    RELATION = "relation"
    CHANNEL = "channel"
    SOURCE = "source"
    KIND = "kind"
    CATEGORY = "category"
    CERTIFIED = "certified"
    PRODUCT = "product"
    SUPPLIER = "supplier"
    BUYER = "buyer"
    BUYER_KIND = "buyer_kind"
    BUYER_REGION = "buyer_region"
    FUND_SOURCE = "fund_source"
    OUTLET = "outlet"


#: SQL: the day on which an entry became known.
KNOWN_ON = "(recorded_at AT TIME ZONE 'Asia/Shanghai')::date"
#: Of time, from the shortest to the longest.
TIME = (Dimension.DAY, Dimension.WEEK, Dimension.MONTH, Dimension.QUARTER, Dimension.YEAR)
#: Who and where exactly: open within the own region only, while totals by all else are open to every officer.
DETAIL = frozenset(
    {Dimension.TOWNSHIP, Dimension.VILLAGE, Dimension.PRODUCT, Dimension.SUPPLIER, Dimension.BUYER, Dimension.OUTLET}
)

#: The column of each dimension, by the same name in every rollup that has it and (but for those of ``_FROM_LINES``) in the ledger.
COLUMN: dict[Dimension, str] = {
    Dimension.DISTRICT: "district_code",
    Dimension.TOWNSHIP: "township_code",
    Dimension.VILLAGE: "village_code",
    Dimension.MODE: "mode",
    Dimension.RELATION: "relation",
    Dimension.CHANNEL: "channel",
    Dimension.SOURCE: "source",
    Dimension.KIND: "kind",
    Dimension.CATEGORY: "category",
    Dimension.CERTIFIED: "certified",
    Dimension.PRODUCT: "product_id",
    Dimension.SUPPLIER: "supplier_id",
    Dimension.BUYER: "buyer_id",
    Dimension.BUYER_KIND: "buyer_kind",
    Dimension.BUYER_REGION: "buyer_region_code",
    Dimension.FUND_SOURCE: "fund_source",
    Dimension.OUTLET: "outlet_id",
}
#: How a column comes from a ledger row, where it is none of its own or may be null there. A village is named within its township.
_FROM_LINES = {
    Dimension.TOWNSHIP: "coalesce(township_code, '')",
    Dimension.VILLAGE: "coalesce(coalesce(township_code, district_code) || '/' || village, '')",
    Dimension.BUYER: "coalesce(buyer_id, 0)",
    Dimension.OUTLET: "coalesce(outlet_id, 0)",
}
_NUMBERED = frozenset({Dimension.PRODUCT, Dimension.SUPPLIER, Dimension.BUYER, Dimension.OUTLET})


def from_lines(dimension: Dimension) -> str:
    """SQL: the value of a dimension (none of time) in a row of the ledger."""
    return _FROM_LINES.get(dimension, COLUMN[dimension])


def sql_type(dimension: Dimension) -> str:
    """The type of a dimension's values in SQL."""
    if dimension in _NUMBERED:
        return "bigint"
    return "boolean" if dimension is Dimension.CERTIFIED else "text"


#: What stands for nothing in answers, where a dimension may have no value: no township, no outlet.
_NOTHING: tuple[Any, ...] = ("", 0)
#: The code of no region: nothing fits.
NOWHERE = "000000"
#: Length of a district's code; a township's code begins with it and is longer.
DISTRICT_CODE = 6


@dataclass(frozen=True)
class Lapsed:
    """Designations that nobody has any more; ``until`` is the last day on which a region had one of them, if any has by then."""

    designations: tuple[str, ...]
    until: date | None


@dataclass(frozen=True)
class Selection:
    """Sales from ``first`` to ``last`` (Shanghai dates, both included); each filter keeps the sales with one of its values."""

    first: date
    last: date
    only: Mapping[Dimension, Sequence[Any]] = field(default_factory=dict)
    #: Bought, or sold with somebody's help; never both in one sum.
    direction: Direction = Direction.PURCHASE
    #: What was known at the end of this day; none: what is known now.
    known_on: date | None = None
    #: Designations that were asked for and that no region had on the last day, and when the last region lost them.
    lapsed: Lapsed | None = None


@dataclass(frozen=True)
class Reach:
    """Officers and monitors see the totals of the whole city, and suppliers and single sales of their regions; a supplier sees what it sold,
    a buyer what its branch bought, an operator what was sold at its outlets."""

    #: Code prefixes of the regions whose details are open; an empty prefix is everywhere. None: not an officer.
    regions: tuple[str, ...] | None
    branch: str | None = None
    as_supplier: bool = False
    as_buyer: bool = False
    as_operator: bool = False

    @property
    def official(self) -> bool:
        return self.regions is not None

    @property
    def everywhere(self) -> bool:
        return self.regions is not None and "" in self.regions

    @property
    def scope(self) -> list[str] | None:
        """The regions (prefixes of their codes) to which an officer's list of single sales is limited; None: it is not, or not by regions."""
        return None if self.regions is None or self.everywhere else list(self.regions)

    @property
    def has_townships(self) -> bool:
        """Whether a region is smaller than the districts that rollups know."""
        return any(len(prefix) > DISTRICT_CODE for prefix in self.regions or ())


#: For totals, which are open to every officer.
EVERYWHERE = Reach(("",))

_BUYING = (Role.BUYER_ADMIN, Role.PURCHASER, Role.APPROVER, Role.FINANCE, Role.VIEWER)
_SELLING = (Role.SUPPLIER_ADMIN, Role.SUPPLIER_STAFF)


def reach_of(actor: Actor) -> Reach:
    """How far a person sees into the ledger.

    Raises:
        Forbidden: the person has neither a region nor an organisation.
    """
    if regions := actor.regions(Permission.STATISTICS_READ):
        return Reach(tuple(regions))
    _ = actor.organisation
    return Reach(
        None, actor.organisation_path, actor.has_role(*_SELLING), actor.has_role(*_BUYING), actor.has_role(Role.OUTLET_OPERATOR)
    )


class Binds:
    """The values of a statement that is put together from parts; the text only ever holds their names."""

    def __init__(self) -> None:
        self.values: dict[str, Any] = {}

    def __call__(self, value: Any, kind: str) -> str:
        name = f"v{len(self.values)}"
        self.values[name] = value
        return f"CAST(:{name} AS {kind})"


def filters(selection: Selection, bind: Binds, *, lines: bool = True) -> list[str]:
    """SQL conditions of the filters, for the ledger or (``lines=False``) any rollup that has the columns. What may be null there equals no value,
    so that the bare column, which an index may have, will do unless just that is asked for."""

    def column(dimension: Dimension, wanted: Sequence[Any]) -> str:
        worked_out = dimension is Dimension.VILLAGE or any(value in wanted for value in _NOTHING)
        return from_lines(dimension) if lines and worked_out else COLUMN[dimension]

    return [
        f"{column(dimension, wanted)} = ANY ({bind(list(wanted), f'{sql_type(dimension)}[]')})"
        for dimension, wanted in selection.only.items()
        if wanted
    ]


def details(reach: Reach, bind: Binds) -> list[str]:
    """SQL conditions on ledger rows: the single sales that the person may see."""
    if reach.regions is not None:
        if reach.everywhere:
            return []
        prefixes = bind([f"{prefix}%" for prefix in reach.regions], "text[]")
        within = f"district_code LIKE ANY ({prefixes})"
        return [f"({within} OR township_code LIKE ANY ({prefixes}))" if reach.has_townships else within]
    branch = f"(SELECT id FROM organisation WHERE path LIKE {bind(f'{reach.branch}%', 'text')})"  # noqa: S608
    outlets = f"(SELECT id FROM outlet WHERE operator_id IN {branch})"  # noqa: S608
    sides = [
        ("supplier_id", branch, reach.as_supplier),
        ("buyer_id", branch, reach.as_buyer),
        ("outlet_id", outlets, reach.as_operator),
    ]
    return ["(" + (" OR ".join(f"{column} IN {those}" for column, those, own in sides if own) or "false") + ")"]
