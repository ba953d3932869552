"""What is asked of a basket. Amounts in fen, shares in basis points."""

from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from math import ceil, floor

#: A basket fits a budget within two per cent.
BAND = Fraction(2, 100)
WHOLE = 10_000


class Aim(StrEnum):
    """What makes one basket better than another that meets everything asked."""

    CLOSEST = "closest"
    DEEP_TOWNSHIPS = "deep_townships"
    NEW_VILLAGES = "new_villages"


class Limit(StrEnum):
    """What is asked of a basket besides that it can be ordered."""

    BUDGET = "budget"
    PER_HEAD_CAP = "per_head_cap"
    DEEP_SHARE = "deep_share"
    NEW_VILLAGE_SHARE = "new_village_share"
    SUPPLIER_SHARE = "supplier_share"
    MAX_PRODUCTS = "max_products"
    CATEGORIES = "categories"
    RESERVED_SHARE_ONLY = "reserved_share_only"


@dataclass(frozen=True, slots=True)
class Demand:
    """What is asked. Shares in basis points of the basket's amount; ``identical``: every one of the heads gets the same."""

    budget_fen: int
    hard: bool = False
    heads: int | None = None
    identical: bool = False
    per_head_cap_fen: int | None = None
    deep_bp: int = 0
    new_village_bp: int = 0
    supplier_bp: int | None = None
    max_products: int | None = None
    include: frozenset[str] = frozenset()
    exclude: frozenset[str] = frozenset()
    reserved_share_only: bool = False
    aim: Aim = Aim.CLOSEST

    @property
    def lowest_fen(self) -> int:
        return ceil(self.budget_fen * (1 - BAND))

    @property
    def highest_fen(self) -> int:
        return self.budget_fen if self.hard else floor(self.budget_fen * (1 + BAND))

    @property
    def capped_fen(self) -> int | None:
        """What the cap of a head allows for all of them."""
        return self.per_head_cap_fen * self.heads if self.per_head_cap_fen and self.heads else None

    @property
    def each(self) -> int:
        """Of how many equal baskets the whole is made."""
        return self.heads or 1 if self.identical else 1

    def limits(self) -> list[Limit]:
        """What is asked in fact."""
        asked = {
            Limit.BUDGET: True,
            Limit.PER_HEAD_CAP: self.capped_fen is not None,
            Limit.DEEP_SHARE: self.deep_bp > 0,
            Limit.NEW_VILLAGE_SHARE: self.new_village_bp > 0,
            Limit.SUPPLIER_SHARE: self.supplier_bp is not None,
            Limit.MAX_PRODUCTS: self.max_products is not None,
            Limit.CATEGORIES: bool(self.include or self.exclude),
            Limit.RESERVED_SHARE_ONLY: self.reserved_share_only,
        }
        return [limit for limit, is_asked in asked.items() if is_asked]
