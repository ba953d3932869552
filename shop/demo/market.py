"""What the demo's buyers want: goods in their season, more every year, and above all those of the places that they support."""

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from shop.demo.people import Buyer


@dataclass(frozen=True, slots=True)
class Offer:
    """One SKU on sale. Prices in fen; ``season`` holds a weight for each month, 1 on average."""

    sku_id: int
    product_id: int
    supplier_id: int
    supplier_user_id: int
    #: Township or district of origin.
    place: str
    category: str
    kind: str
    tiers: tuple[tuple[Decimal, int], ...]
    step: Decimal
    unit: str
    net_grams: int | None
    vat_bp: int
    certificate_id: int
    on_sale_from: date
    on_sale_until: date | None
    season: tuple[float, ...]
    #: Stock that is left today, in units.
    stock: int

    def lasts_since(self, day: date) -> bool:
        """Whether it is certified and on sale from a day to long after today."""
        return self.on_sale_from <= day and self.on_sale_until is None


@dataclass(frozen=True, slots=True)
class Relation:
    """Who supports which region, and when."""

    id: int
    kind: str
    supporter: str
    supporter_region: str | None
    region_code: str
    valid_from: date | None
    valid_to: date | None

    def in_force(self, on: date) -> bool:
        return (self.valid_from is None or self.valid_from <= on) and (self.valid_to is None or on < self.valid_to)

    def joins(self, buyer: Buyer) -> bool:
        """Whether the buyer acts for the supporter."""
        if self.supporter in buyer.supporters:
            return True
        regional = self.kind in ("east_west", "district_pair") and self.supporter_region is not None
        return regional and buyer.region_code.startswith(self.supporter_region or "?")


@dataclass(frozen=True, slots=True)
class Habit:
    """How one kind of buyer orders: lines of an order, yuan of a typical line, what it is paid from, what it prefers."""

    lines: tuple[int, int]
    yuan: int
    funds: dict[str, float]
    taste: dict[str, float]
    #: How much more it buys where it supports, and at home.
    loyalty: float
    home: float


_CANTEEN_TASTE = {"handicraft": 0.05, "rural_tourism": 0.2, "tcm": 0.2, "tea": 0.4, "vegetable": 1.6, "grain_oil": 1.4}
_GIFT_TASTE = {"handicraft": 0.8, "rural_tourism": 0.8, "vegetable": 0.3, "honey": 1.5, "tea": 1.4}
CANTEEN = Habit((4, 10), 700, {"canteen": 0.8, "union": 0.17, "other": 0.03}, _CANTEEN_TASTE, loyalty=8, home=6)
COMPANY = Habit((1, 6), 1_600, {"welfare": 0.6, "union": 0.3, "canteen": 0.1}, _GIFT_TASTE, loyalty=3, home=1)
SUPPORTER = Habit((2, 7), 2_400, {"union": 0.5, "canteen": 0.3, "welfare": 0.2}, _GIFT_TASTE, loyalty=30, home=1)
PARTNER = Habit((2, 5), 3_600, {"other": 1.0}, {"handicraft": 0.1, "rural_tourism": 0.2}, loyalty=60, home=1)


def habit_of(buyer: Buyer) -> Habit:
    if "east_partner" in buyer.roles:
        return PARTNER
    if buyer.roles & {"central_unit", "group_member"}:
        return SUPPORTER
    return COMPANY if "enterprise" in buyer.roles else CANTEEN


#: Orders grow by a quarter a year; a county may do better or worse than that.
YEARLY_GROWTH = 1.25
#: The year's rhythm: gifts before the Spring Festival and at Mid-Autumn, quiet holidays.
ORDERS_BY_MONTH = (1.3, 0.7, 0.95, 1.0, 1.0, 1.0, 0.85, 0.8, 1.15, 1.0, 1.1, 1.3)


class Market:
    """Chooses what is ordered. All chance comes from the ``chance`` given, so the same date gives the same market."""

    def __init__(
        self, chance: random.Random, offers: Sequence[Offer], buyers: Sequence[Buyer], relations: Sequence[Relation], start: date
    ) -> None:
        self.chance = chance
        self.offers = list(offers)
        self.buyers = list(buyers)
        self.relations = relations
        self.start = start
        districts = sorted({offer.place[:6] for offer in offers})
        self.trend = {district: chance.uniform(0.96, 1.06) for district in districts}
        for district in chance.sample(districts, min(2, len(districts))):
            self.trend[district] = 0.78
        self._popularity = [chance.uniform(0.6, 1.6) for _ in self.offers]
        self._wanted: dict[tuple[int, int, int], list[float]] = {}

    def orders_on(self, day: date, working: bool) -> int:
        """How many orders are placed on a day."""
        rate: float = 12.0 * ORDERS_BY_MONTH[day.month - 1] * YEARLY_GROWTH ** self._years(day) * (1 if working else 0.06)
        return int(rate) + (self.chance.random() < rate % 1)

    def buyer_on(self, day: date) -> Buyer:
        there = [buyer for buyer in self.buyers if buyer.since <= day]
        return self.chance.choices(there, [buyer.size for buyer in there])[0]

    def basket(self, buyer: Buyer, day: date) -> list[tuple[Offer, Decimal]]:
        """Different SKUs and how much of each; none where nothing is on sale."""
        habit = habit_of(buyer)
        wanted = self._weights(buyer, habit, day)
        if not any(wanted):
            return []
        picked = self.chance.choices(range(len(self.offers)), wanted, k=self.chance.randint(*habit.lines))
        chosen = [self.offers[i] for i in dict.fromkeys(picked)]
        return [(offer, self._quantity(offer, habit)) for offer in chosen]

    def fund_source(self, buyer: Buyer) -> str:
        funds = habit_of(buyer).funds
        return self.chance.choices(list(funds), list(funds.values()))[0]

    def declared(self, buyer: Buyer, offers: Iterable[Offer], day: date) -> int | None:
        """The relation that a buyer names on its order, now and then."""
        mine = [r for r in self.relations if r.in_force(day) and r.joins(buyer)]
        fitting = [r.id for r in mine if any(offer.place.startswith(r.region_code) for offer in offers)]
        return self.chance.choice(fitting) if fitting and self.chance.random() < 0.3 else None

    def _years(self, day: date) -> float:
        return (day - self.start).days / 365.25

    def _weights(self, buyer: Buyer, habit: Habit, day: date) -> list[float]:
        key = (buyer.id, day.year, day.month)
        if key not in self._wanted:
            places = tuple(r.region_code for r in self.relations if r.in_force(day) and r.joins(buyer))
            self._wanted[key] = [
                self._weight(offer, popularity, buyer, habit, places, day)
                for offer, popularity in zip(self.offers, self._popularity, strict=True)
            ]
        on_sale = [
            offer.on_sale_from <= day and (offer.on_sale_until is None or day < offer.on_sale_until) for offer in self.offers
        ]
        return [weight * there for weight, there in zip(self._wanted[key], on_sale, strict=True)]

    def _weight(self, offer: Offer, popularity: float, buyer: Buyer, habit: Habit, places: tuple[str, ...], day: date) -> float:
        weight: float = popularity * offer.season[day.month - 1] * habit.taste.get(offer.category, 1.0)
        weight *= self.trend[offer.place[:6]] ** self._years(day)
        if offer.place.startswith(places or ("?",)):
            weight *= habit.loyalty
        elif offer.place[:6] == buyer.region_code[:6]:
            weight *= habit.home
        return weight

    def _quantity(self, offer: Offer, habit: Habit) -> Decimal:
        yuan = min(habit.yuan * self.chance.lognormvariate(0, 0.55), habit.yuan * 5)
        least = offer.tiers[0][0]
        steps = max(least, Decimal(yuan * 100 / offer.tiers[0][1])) / offer.step
        whole = steps.to_integral_value()
        # people order tens of what they order many of
        return (whole.quantize(Decimal("1E1")) if whole > 40 else whole) * offer.step
