"""What can be taken of each SKU, what a basket adds up to, whether it meets what is asked, and the greedy one. Amounts in fen, all exact.

A SKU is counted in portions: the least quantity that is a multiple of its step, the same for every head where each gets the same basket, and
of which one costs whole fen. So the amount of a line is a number of portions times a price, with nothing to round.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from math import gcd, lcm

from orders.pledges.rules.asking import WHOLE, Aim, Demand, Limit
from shop.core.money import MAX_FEN, yuan_from_fen


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


def offer(facts: Facts, demand: Demand, highest_fen: int) -> Offer | None:
    """What can be taken of a SKU within an amount; None: nothing."""
    # in thousandths of a unit, so that every number is whole
    step = int(facts.step * 1000) * demand.each
    portion = step * lcm(*(1000 // gcd(step * price, 1000) for _, price in facts.tiers))
    available, least = int(facts.available * 1000), int(facts.min_quantity * 1000)
    tiers = []
    for at, (minimum, unit_price) in enumerate(facts.tiers):
        first = -(-max(int(minimum * 1000), least) // portion)
        last = available // portion
        if at + 1 < len(facts.tiers):
            last = min(last, -(-int(facts.tiers[at + 1][0] * 1000) // portion) - 1)
        price = portion * unit_price // 1000
        last = min(last, highest_fen // price)
        if first <= last:
            tiers.append(Tier(first, last, price))
    return Offer(facts, Decimal(portion) / 1000, tuple(tiers)) if tiers else None


def allowed(facts: Facts, demand: Demand, without: Limit | None = None) -> bool:
    """Whether a SKU may be in the basket at all; ``without`` names a limit that does not hold."""
    if without is not Limit.CATEGORIES and (
        (demand.include and facts.category not in demand.include) or facts.category in demand.exclude
    ):
        return False
    return without is Limit.RESERVED_SHARE_ONLY or facts.eligible or not demand.reserved_share_only


def offers(catalogue: Iterable[Facts], demand: Demand, without: Limit | None = None) -> list[Offer]:
    """Everything that may be taken, by SKU. ``without`` the budget: up to ten times as much, or whatever there is if the smallest lot costs more."""
    may = [facts for facts in catalogue if allowed(facts, demand, without)]
    for highest in (10 * demand.highest_fen, MAX_FEN) if without is Limit.BUDGET else (demand.highest_fen,):
        made = (offer(facts, demand, highest) for facts in may)
        if found := [each for each in made if each]:
            return sorted(found, key=lambda each: each.facts.sku_id)
    return []


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
        return int(self.portion_fen / self.offer.portion)

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
            if full and facts.product_id not in products:
                continue
            before = taken[facts.sku_id].amount_fen if facts.sku_id in taken else 0
            room = min(target - amount, wanted - had, a_supplier - of_supplier.get(facts.supplier_id, 0))
            portions = each.most_within(before + room)
            more = portions * (each.price(portions) or 0) - before
            if more <= 0:
                continue
            taken[facts.sku_id] = Item(each, portions)
            amount, had = amount + more, had + more
            of_supplier[facts.supplier_id] = of_supplier.get(facts.supplier_id, 0) + more
            products.add(facts.product_id)
    return list(taken.values())


def shortlist(choices: Sequence[Offer], size: int, keep: Iterable[int] = ()) -> list[Offer]:
    """At most so many offers, besides those to ``keep``, that leave every kind of place and many suppliers in the choice: by turns the one with
    the largest supply and the one with the smallest lot, of each supplier in turn."""
    if len(choices) <= size:
        return list(choices)
    wanted = set(keep)
    kept = {each.facts.sku_id: each for each in choices if each.facts.sku_id in wanted}
    groups: dict[tuple[bool, bool], list[Offer]] = {}
    for each in choices:
        groups.setdefault((each.facts.deep, each.facts.new_village), []).append(each)
    rankings = []
    for group in groups.values():
        rankings.append(_in_turn(sorted(group, key=lambda each: (-each.supply_fen, each.facts.sku_id))))
        rankings.append(
            _in_turn(sorted(group, key=lambda each: (each.tiers[0].least * each.tiers[0].price_fen, each.facts.sku_id)))
        )
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


def attained(demand: Demand, limit: Limit, basket: Basket) -> str:
    """How far a basket comes at a limit, as it is shown: yuan, per cent, a number."""
    sums = totals(basket)
    amount = max(sums.amount_fen, 1)
    outside = replace(demand, include=frozenset(), exclude=frozenset()) if limit is Limit.RESERVED_SHARE_ONLY else demand
    missed = sum(item.amount_fen for item in basket if not allowed(item.offer.facts, outside))
    shown = {
        Limit.BUDGET: lambda: yuan_from_fen(sums.amount_fen),
        Limit.PER_HEAD_CAP: lambda: yuan_from_fen(-(-sums.amount_fen // (demand.heads or 1))),
        Limit.DEEP_SHARE: lambda: _percent(sums.deep_fen, amount),
        Limit.NEW_VILLAGE_SHARE: lambda: _percent(sums.new_village_fen, amount),
        Limit.SUPPLIER_SHARE: lambda: _percent(sums.largest_supplier_fen, amount),
        Limit.MAX_PRODUCTS: lambda: str(sums.products),
        Limit.CATEGORIES: lambda: _percent(missed, amount),
        Limit.RESERVED_SHARE_ONLY: lambda: _percent(missed, amount),
    }
    return shown[limit]()


def _percent(part: int, whole: int) -> str:
    return yuan_from_fen(part * WHOLE // whole)
