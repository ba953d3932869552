"""The mixed-integer program whose solution is the best basket. Pure; its coefficients are floats, so what comes out is checked exactly."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from math import inf

from orders.pledges.rules.asking import WHOLE, Aim, Demand, Limit
from orders.pledges.rules.choosing import Basket, Item, Offer, Tier, allowed

#: The program's amounts are thousandths of the budget, so that they are of one size whatever the budget.
SCALE = 1_000

Entries = list[tuple[int, float]]
Slack = Callable[[Limit, float], Entries]


@dataclass(slots=True)
class Model:
    """A mixed-integer program: minimise cost over columns within their bounds, so that every row lies within its own."""

    cost: list[float] = field(default_factory=list)
    lower: list[float] = field(default_factory=list)
    upper: list[float] = field(default_factory=list)
    integer: list[bool] = field(default_factory=list)
    rows: list[tuple[float, float, Entries]] = field(default_factory=list)
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

    def row(self, lower: float, upper: float, entries: Entries) -> None:
        self.rows.append((lower, upper, entries))

    def basket(self, values: Sequence[float]) -> list[Item]:
        """The basket that a solution stands for. A solver keeps bounds within a tolerance, so it may name a few portions of a tier that is not
        taken: what lies outside its tier is left out, and of a SKU one tier is kept."""
        found: dict[int, Item] = {}
        for at, (each, tier) in self.portions.items():
            portions, before = round(values[at]), found.get(each.facts.sku_id)
            if tier.least <= portions <= tier.most and (before is None or before.portions < portions):
                found[each.facts.sku_id] = Item(each, portions)
        return list(found.values())

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
    # where the budget may be missed, the smallest lot may cost a multiple of it
    lots = [each.tiers[0].least * each.tiers[0].price_fen for each in choices] if without is Limit.BUDGET else []
    unit = SCALE / max(demand.budget_fen, min(lots, default=0))
    budget = demand.budget_fen * unit
    low, high = demand.lowest_fen * unit + margin, demand.highest_fen * unit - margin
    if without is Limit.BUDGET:
        low, high = min(unit, low), inf
    cap = inf if demand.capped_fen is None or without is Limit.PER_HEAD_CAP else demand.capped_fen * unit - margin
    amount = made.column(low, min(high, cap))
    all_of_it: Entries = [(amount, -1)]
    deep: Entries = [(amount, -demand.deep_bp / WHOLE)]
    new: Entries = [(amount, -demand.new_village_bp / WHOLE)]
    outside: Entries = []
    suppliers: dict[int, Entries] = {}
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
    slack = _slack(made, budget, without, amount, outside)
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
        _aim(made, demand.aim, budget, amount, deep, new)
    return made


def _used(made: Model, switches: list[int]) -> int:
    """The column that says whether a product is in the basket: that of its only SKU and tier, or one above those of all."""
    if len(switches) == 1:
        return switches[0]
    used = made.column(0, 1)
    for switch in switches:
        made.row(0, inf, [(used, 1), (switch, -1)])
    return used


def _slack(made: Model, budget: float, without: Limit | None, amount: int, outside: Entries) -> Slack:
    """By how much the one limit that may be missed is missed, at a cost."""
    if without is Limit.BUDGET:
        _distance(made, amount, budget, cost=1)
    elif without in (Limit.CATEGORIES, Limit.RESERVED_SHARE_ONLY):
        for column, value in outside:
            made.cost[column] = value
    elif without is Limit.PER_HEAD_CAP:
        made.cost[amount] = 1
    missed = None if without is None else made.column(0, inf, cost=1)

    def entry(limit: Limit, sign: float) -> Entries:
        return [(missed, sign)] if missed is not None and limit is without else []

    return entry


def _aim(made: Model, aim: Aim, budget: float, amount: int, deep: Entries, new: Entries) -> None:
    wanted = {Aim.DEEP_TOWNSHIPS: deep, Aim.NEW_VILLAGES: new}.get(aim)
    _distance(made, amount, budget, cost=0.001 if wanted else 1)
    for column, value in (wanted or [])[1:]:
        made.cost[column] = -value


def _distance(made: Model, amount: int, budget: float, cost: float) -> None:
    """A column that is at least as far as the amount is from the budget."""
    distance = made.column(0, inf, cost=cost)
    made.row(-budget, inf, [(distance, 1), (amount, -1)])
    made.row(budget, inf, [(distance, 1), (amount, 1)])
