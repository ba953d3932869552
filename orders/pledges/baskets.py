"""Baskets that fit a budget: what can be taken of each SKU, what is asked, whether a basket meets it, a greedy one, and the mixed-integer
model that a solver takes. Pure: amounts in fen, all arithmetic exact; only the model's coefficients are floats.

A SKU is counted in portions: the least quantity that is a multiple of its step, the same for every head where each gets the same basket, and
of which a portion costs whole fen. So the amount of a line is a number of portions times a price, with nothing to round.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from math import ceil, floor, inf, lcm

#: A basket fits a budget within two per cent.
BAND = Fraction(2, 100)
WHOLE = 10_000
#: The model's amounts are thousandths of the budget, so that they are of one size whatever the budget.
SCALE = 1_000


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


@dataclass(frozen=True, slots=True)
class Facts:
    """What the catalogue knows of a SKU that could be ordered now; ``tiers`` are (quantity from which it holds, fen), rising."""

    sku_id: int
    product_id: int
    supplier_id: int
    category: str
    step: Decimal
    min_quantity: Decimal
    available: Decimal
    tiers: tuple[tuple[Decimal, int], ...]
    deep: bool
    new_village: bool
    eligible: bool


@dataclass(frozen=True, slots=True)
class Tier:
    """From ``least`` to ``most`` portions, one costs ``price_fen``."""

    least: int
    most: int
    price_fen: int


@dataclass(frozen=True, slots=True)
class Offer:
    """What can be taken of a SKU, counted in portions."""

    facts: Facts
    portion: Decimal
    tiers: tuple[Tier, ...]

    def price(self, portions: int) -> int | None:
        """What a portion costs if so many are taken; None: so many cannot be."""
        return next((tier.price_fen for tier in self.tiers if tier.least <= portions <= tier.most), None)

    def most_within(self, amount_fen: int) -> int:
        """The most portions that cost no more than an amount; 0: none."""
        fitting = (min(tier.most, amount_fen // tier.price_fen) for tier in self.tiers)
        return max((most for tier, most in zip(self.tiers, fitting, strict=True) if most >= tier.least), default=0)

    @property
    def supply_fen(self) -> int:
        """The amount of everything that can be taken."""
        return max(tier.most * tier.price_fen for tier in self.tiers)


def offer(facts: Facts, demand: Demand) -> Offer | None:
    """What can be taken of a SKU within the highest amount; None: nothing."""
    step = Fraction(facts.step) * demand.each
    portion = step * lcm(*((step * price).denominator for _, price in facts.tiers))
    available, least = Fraction(facts.available), Fraction(facts.min_quantity)
    tiers = []
    for at, (minimum, unit_price) in enumerate(facts.tiers):
        first = ceil(max(Fraction(minimum), least) / portion)
        last = floor(available / portion)
        if at + 1 < len(facts.tiers):
            last = min(last, ceil(Fraction(facts.tiers[at + 1][0]) / portion) - 1)
        price = int(portion * unit_price)
        last = min(last, demand.highest_fen // price)
        if first <= last:
            tiers.append(Tier(first, last, price))
    if not tiers:
        return None
    return Offer(facts, Decimal(portion.numerator) / portion.denominator, tuple(tiers))


def allowed(facts: Facts, demand: Demand, without: Limit | None = None) -> bool:
    """Whether a SKU may be in the basket at all; ``without`` names a limit that does not hold."""
    if without is not Limit.CATEGORIES and (
        (demand.include and facts.category not in demand.include) or facts.category in demand.exclude
    ):
        return False
    return without is Limit.RESERVED_SHARE_ONLY or facts.eligible or not demand.reserved_share_only


def offers(catalogue: Iterable[Facts], demand: Demand, without: Limit | None = None) -> list[Offer]:
    """Everything that may be taken, by SKU."""
    made = (offer(facts, demand) for facts in catalogue if allowed(facts, demand, without))
    return sorted((each for each in made if each), key=lambda each: each.facts.sku_id)


@dataclass(frozen=True, slots=True)
class Item:
    """So many portions of an offer, at the price of the tier that they reach."""

    offer: Offer
    portions: int

    @property
    def quantity(self) -> Decimal:
        return self.offer.portion * self.portions

    @property
    def portion_fen(self) -> int:
        price = self.offer.price(self.portions)
        assert price is not None
        return price

    @property
    def unit_price_fen(self) -> int:
        return int(Fraction(self.portion_fen) / Fraction(self.offer.portion))

    @property
    def amount_fen(self) -> int:
        return self.portions * self.portion_fen


Basket = Sequence[Item]


@dataclass(frozen=True, slots=True)
class Totals:
    """The figures of a basket, in fen."""

    amount_fen: int = 0
    deep_fen: int = 0
    new_village_fen: int = 0
    products: int = 0
    suppliers: int = 0
    largest_supplier_fen: int = 0


def totals(basket: Basket) -> Totals:
    by_supplier: dict[int, int] = {}
    for item in basket:
        supplier = item.offer.facts.supplier_id
        by_supplier[supplier] = by_supplier.get(supplier, 0) + item.amount_fen
    return Totals(
        amount_fen=sum(item.amount_fen for item in basket),
        deep_fen=sum(item.amount_fen for item in basket if item.offer.facts.deep),
        new_village_fen=sum(item.amount_fen for item in basket if item.offer.facts.new_village),
        products=len({item.offer.facts.product_id for item in basket}),
        suppliers=len(by_supplier),
        largest_supplier_fen=max(by_supplier.values(), default=0),
    )


def broken(demand: Demand, basket: Basket) -> list[Limit]:
    """What a basket does not meet of what is asked. Exact."""
    sums = totals(basket)
    amount = sums.amount_fen
    met = {
        Limit.BUDGET: demand.lowest_fen <= amount <= demand.highest_fen,
        Limit.PER_HEAD_CAP: demand.capped_fen is None or amount <= demand.capped_fen,
        Limit.DEEP_SHARE: sums.deep_fen * WHOLE >= demand.deep_bp * amount,
        Limit.NEW_VILLAGE_SHARE: sums.new_village_fen * WHOLE >= demand.new_village_bp * amount,
        Limit.SUPPLIER_SHARE: demand.supplier_bp is None or sums.largest_supplier_fen * WHOLE <= demand.supplier_bp * amount,
        Limit.MAX_PRODUCTS: demand.max_products is None or sums.products <= demand.max_products,
        Limit.CATEGORIES: all(allowed(item.offer.facts, demand, Limit.RESERVED_SHARE_ONLY) for item in basket),
        Limit.RESERVED_SHARE_ONLY: all(allowed(item.offer.facts, demand, Limit.CATEGORIES) for item in basket),
    }
    return [limit for limit, is_met in met.items() if not is_met]


def score(demand: Demand, basket: Basket) -> tuple[int, int]:
    """Larger is better: what the aim wants most of, then how near to the budget."""
    sums = totals(basket)
    near = -abs(sums.amount_fen - demand.budget_fen)
    wanted = {Aim.CLOSEST: near, Aim.DEEP_TOWNSHIPS: sums.deep_fen, Aim.NEW_VILLAGES: sums.new_village_fen}
    return wanted[demand.aim], near


def greedy(demand: Demand, choices: Sequence[Offer]) -> list[Item]:
    """The basket that a clerk would put together: first what fills the shares asked, then anything, the dearest portion first, always as much
    as fits. It may break what is asked; :func:`broken` tells."""
    target = min(demand.budget_fen, demand.capped_fen or demand.budget_fen)
    a_supplier = target if demand.supplier_bp is None else demand.supplier_bp * target // WHOLE
    deep, new = -(-demand.deep_bp * target // WHOLE), -(-demand.new_village_bp * target // WHOLE)
    if demand.aim is Aim.DEEP_TOWNSHIPS:
        deep = target
    if demand.aim is Aim.NEW_VILLAGES:
        new = target
    by_price = sorted(choices, key=lambda each: (-each.tiers[0].price_fen, each.facts.sku_id))
    both = [each for each in by_price if each.facts.deep and each.facts.new_village]
    phases = [
        (min(deep, new), both),
        (deep, [each for each in by_price if each.facts.deep]),
        (new, [each for each in by_price if each.facts.new_village]),
        (target, by_price),
    ]
    taken: dict[int, Item] = {}
    of_supplier: dict[int, int] = {}
    products: set[int] = set()
    amount = 0
    for wanted, part in phases:
        in_part = {each.facts.sku_id for each in part}
        had = sum(item.amount_fen for sku, item in taken.items() if sku in in_part)
        for each in part:
            facts = each.facts
            full = demand.max_products is not None and len(products) >= demand.max_products
            if facts.sku_id in taken or (full and facts.product_id not in products):
                continue
            room = min(target - amount, wanted - had, a_supplier - of_supplier.get(facts.supplier_id, 0))
            if not (portions := each.most_within(room)):
                continue
            item = taken[facts.sku_id] = Item(each, portions)
            amount, had = amount + item.amount_fen, had + item.amount_fen
            of_supplier[facts.supplier_id] = of_supplier.get(facts.supplier_id, 0) + item.amount_fen
            products.add(facts.product_id)
    return list(taken.values())


def shortlist(choices: Sequence[Offer], size: int, keep: Iterable[int] = ()) -> list[Offer]:
    """At most so many offers, besides those to ``keep``, that leave every kind of place and many suppliers in the choice: by turns the one with
    the largest supply and the one with the smallest lot, of each supplier in turn."""
    if len(choices) <= size:
        return list(choices)
    kept = {each.facts.sku_id: each for each in choices if each.facts.sku_id in set(keep)}
    groups: dict[tuple[bool, bool], list[Offer]] = {}
    for each in choices:
        groups.setdefault((each.facts.deep, each.facts.new_village), []).append(each)
    rankings = []
    for group in groups.values():
        rankings.append(_in_turn(sorted(group, key=lambda each: (-each.supply_fen, each.facts.sku_id))))
        rankings.append(_in_turn(sorted(group, key=lambda each: (each.tiers[0].least * each.tiers[0].price_fen, each.facts.sku_id))))
    most = size + len(kept)
    for at in range(max(len(ranking) for ranking in rankings)):
        for ranking in rankings:
            if len(kept) >= most:
                return sorted(kept.values(), key=lambda each: each.facts.sku_id)
            if at < len(ranking):
                kept[ranking[at].facts.sku_id] = ranking[at]
    return sorted(kept.values(), key=lambda each: each.facts.sku_id)


def _in_turn(ranked: Sequence[Offer]) -> list[Offer]:
    """The first of every supplier, then the second of every supplier, and so on."""
    seen: dict[int, int] = {}
    turns = []
    for place, each in enumerate(ranked):
        turn = seen[each.facts.supplier_id] = seen.get(each.facts.supplier_id, -1) + 1
        turns.append((turn, place, each))
    return [each for _, _, each in sorted(turns, key=lambda entry: entry[:2])]


@dataclass(slots=True)
class Model:
    """A mixed-integer program: minimise cost over columns within their bounds, so that every row lies within its own."""

    cost: list[float] = field(default_factory=list)
    lower: list[float] = field(default_factory=list)
    upper: list[float] = field(default_factory=list)
    integer: list[bool] = field(default_factory=list)
    rows: list[tuple[float, float, list[tuple[int, float]]]] = field(default_factory=list)
    #: Of each column that stands for portions of an offer at a tier: which.
    portions: dict[int, tuple[Offer, Tier]] = field(default_factory=dict)
    #: The column that says whether those portions are taken at all, where there is one.
    taken: dict[int, int] = field(default_factory=dict)

    def column(self, lower: float, upper: float, *, integer: bool = False, cost: float = 0) -> int:
        self.cost.append(cost)
        self.lower.append(lower)
        self.upper.append(upper)
        self.integer.append(integer)
        return len(self.cost) - 1

    def row(self, lower: float, upper: float, entries: list[tuple[int, float]]) -> None:
        self.rows.append((lower, upper, entries))

    def basket(self, values: Sequence[float]) -> list[Item]:
        """The basket that a solution stands for."""
        found = ((each, round(values[at])) for at, (each, _) in self.portions.items())
        return [Item(each, portions) for each, portions in found if portions]

    def start(self, basket: Basket) -> Mapping[int, float]:
        """The integer columns of a basket, for a solver to begin with."""
        taken = {item.offer.facts.sku_id: item.portions for item in basket}
        values: dict[int, float] = {}
        for at, (each, tier) in self.portions.items():
            portions = taken.get(each.facts.sku_id, 0)
            here = portions if tier.least <= portions <= tier.most else 0
            values[at] = here
            if at in self.taken:
                values[self.taken[at]] = float(here > 0)
        return values


def model(demand: Demand, choices: Sequence[Offer], *, without: Limit | None = None, margin: float = 0) -> Model:
    """The program for a basket. ``without`` one limit: that may be missed, by as little as can be. ``margin``: how much inside their bounds
    amounts must stay, in thousandths of the budget."""
    made = Model()
    unit = SCALE / demand.budget_fen
    low, high = demand.lowest_fen * unit + margin, demand.highest_fen * unit - margin
    if without is Limit.BUDGET:
        low, high = min(unit, low), inf
    cap = inf if demand.capped_fen is None or without is Limit.PER_HEAD_CAP else demand.capped_fen * unit - margin
    amount = made.column(low, min(high, cap))
    all_of_it: list[tuple[int, float]] = [(amount, -1)]
    deep: list[tuple[int, float]] = [(amount, -demand.deep_bp / WHOLE)]
    new: list[tuple[int, float]] = [(amount, -demand.new_village_bp / WHOLE)]
    outside: list[tuple[int, float]] = []
    suppliers: dict[int, list[tuple[int, float]]] = {}
    products: dict[int, list[int]] = {}
    counted = demand.max_products is not None
    for each in choices:
        facts = each.facts
        switches = []
        for tier in each.tiers:
            portions = made.column(0, tier.most, integer=True)
            made.portions[portions] = (each, tier)
            if counted or tier.least > 1 or len(each.tiers) > 1:
                taken = made.column(0, 1, integer=True)
                made.taken[portions] = taken
                made.row(0, inf, [(portions, 1), (taken, -tier.least)])
                made.row(-inf, 0, [(portions, 1), (taken, -tier.most)])
                switches.append(taken)
            entry = (portions, tier.price_fen * unit)
            all_of_it.append(entry)
            suppliers.setdefault(facts.supplier_id, []).append(entry)
            if facts.deep:
                deep.append(entry)
            if facts.new_village:
                new.append(entry)
            if not allowed(facts, demand):
                outside.append(entry)
        if len(switches) > 1:
            made.row(-inf, 1, [(switch, 1) for switch in switches])
        products.setdefault(facts.product_id, []).extend(switches)
    made.row(0, 0, all_of_it)
    slack = _slack(made, demand, without, amount, outside)
    if demand.deep_bp:
        made.row(margin, inf, [*deep, *slack(Limit.DEEP_SHARE, 1)])
    if demand.new_village_bp:
        made.row(margin, inf, [*new, *slack(Limit.NEW_VILLAGE_SHARE, 1)])
    if demand.supplier_bp is not None:
        for entries in suppliers.values():
            made.row(-inf, -margin, [(amount, -demand.supplier_bp / WHOLE), *entries, *slack(Limit.SUPPLIER_SHARE, -1)])
    if demand.max_products is not None:
        used = [(_used(made, switches), 1.0) for switches in products.values()]
        made.row(-inf, demand.max_products, [*used, *slack(Limit.MAX_PRODUCTS, -1)])
    if without is None:
        _aim(made, demand, amount, deep, new)
    return made


def _used(made: Model, switches: list[int]) -> int:
    """The column that says whether a product is in the basket: that of its only SKU and tier, or one above those of all."""
    if len(switches) == 1:
        return switches[0]
    used = made.column(0, 1)
    for switch in switches:
        made.row(0, inf, [(used, 1), (switch, -1)])
    return used


def _slack(made: Model, demand: Demand, without: Limit | None, amount: int, outside: list[tuple[int, float]]):  # type: ignore[no-untyped-def]
    """By how much the one limit that may be missed is missed, at a cost."""
    if without is Limit.BUDGET:
        _distance(made, amount, cost=1)
    elif without in (Limit.CATEGORIES, Limit.RESERVED_SHARE_ONLY):
        for column, value in outside:
            made.cost[column] = value
    elif without is Limit.PER_HEAD_CAP:
        made.cost[amount] = 1
    column = made.column(0, inf, cost=1) if without is not None else None

    def entry(limit: Limit, sign: float) -> list[tuple[int, float]]:
        return [(column, sign)] if column is not None and limit is without else []

    return entry


def _aim(made: Model, demand: Demand, amount: int, deep: list[tuple[int, float]], new: list[tuple[int, float]]) -> None:
    wanted = {Aim.DEEP_TOWNSHIPS: deep, Aim.NEW_VILLAGES: new}.get(demand.aim)
    _distance(made, amount, cost=0.001 if wanted else 1)
    for column, value in (wanted or [])[1:]:
        made.cost[column] = -value


def _distance(made: Model, amount: int, cost: float) -> None:
    """A column that is at least as far as the amount is from the budget."""
    distance = made.column(0, inf, cost=cost)
    made.row(-SCALE, inf, [(distance, 1), (amount, -1)])
    made.row(SCALE, inf, [(distance, 1), (amount, 1)])


def attained(demand: Demand, limit: Limit, basket: Basket) -> str:
    """How far a basket comes at a limit, as it is shown: yuan, per cent, a number."""
    sums = totals(basket)
    amount = max(sums.amount_fen, 1)
    outside = replace(demand, include=frozenset(), exclude=frozenset()) if limit is Limit.RESERVED_SHARE_ONLY else demand
    missed = sum(item.amount_fen for item in basket if not allowed(item.offer.facts, outside))
    shown = {
        Limit.BUDGET: lambda: _yuan(Fraction(sums.amount_fen)),
        Limit.PER_HEAD_CAP: lambda: _yuan(Fraction(sums.amount_fen, demand.heads or 1)),
        Limit.DEEP_SHARE: lambda: _percent(sums.deep_fen, amount),
        Limit.NEW_VILLAGE_SHARE: lambda: _percent(sums.new_village_fen, amount),
        Limit.SUPPLIER_SHARE: lambda: _percent(sums.largest_supplier_fen, amount),
        Limit.MAX_PRODUCTS: lambda: str(sums.products),
        Limit.CATEGORIES: lambda: _percent(missed, amount),
        Limit.RESERVED_SHARE_ONLY: lambda: _percent(missed, amount),
    }
    return shown[limit]()


def _yuan(fen: Fraction) -> str:
    return f"{float(fen / 100):.2f}"


def _percent(part: int, whole: int) -> str:
    return f"{part * 100 / whole:.2f}"
