"""Whether the prices of a campaign may stand, and what it brought: pure functions. Amounts are fen."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from catalog.products.rules import above_ceiling
from orders.statistics.rules import rise
from shop.core.errors import Fault
from shop.core.money import half_up


@dataclass(frozen=True, slots=True)
class Goods:
    """What is known of a pack: what it costs otherwise, the highest price that needs no review, the last day of its certificate."""

    on_sale: bool
    list_fen: int | None
    net_grams: int | None
    ceiling_fen: int | None
    ceiling_grams: int | None
    certified_until: date | None


@dataclass(frozen=True, slots=True)
class Offer:
    """The prices of a pack in a campaign."""

    online_fen: int
    offline_fen: int


def faults(offers: Sequence[tuple[Offer, Goods | None]], ends_on: date) -> list[Fault]:
    """Everything that keeps the lines of a campaign from being published, by field."""
    found = []
    for n, (offer, goods) in enumerate(offers):
        where = f"lines[{n}]"
        if goods is None or not goods.on_sale:
            found.append(Fault(f"{where}.sku_id", "not_on_sale", "该规格未在售", "This pack is not on sale"))
            continue
        if goods.certified_until is None or goods.certified_until < ends_on:
            told = "该产品的认定证书在活动期内无效", "No certificate of this product holds until the last day"
            found.append(Fault(f"{where}.sku_id", "not_certified", *told))
        for field, price in (("online_price", offer.online_fen), ("offline_price", offer.offline_fen)):
            if goods.list_fen is not None and price > goods.list_fen:
                told = "促销价高于日常售价", "The price lies above the usual one"
                found.append(Fault(f"{where}.{field}", "above_list_price", *told))
            if above_ceiling(price, goods.net_grams, goods.ceiling_fen, goods.ceiling_grams):
                told = "促销价高于认定时的限价", "The price lies above the ceiling of the certification"
                found.append(Fault(f"{where}.{field}", "above_ceiling", *told))
    return found


def days_in(spans: Iterable[tuple[date, date]]) -> set[date]:
    """The days of some spans, each once."""
    return {first + timedelta(days=n) for first, last in spans for n in range((last - first).days + 1)}


@dataclass(frozen=True, slots=True)
class Effect:
    """What was sold in the days of a campaign, and what would have been without it."""

    days: int
    sold: int
    expected: int

    @property
    def uplift(self) -> Decimal | None:
        """By how many percent more was sold than expected, with two decimals; None where nothing was to be expected."""
        return rise(self.sold, self.expected)


def effect(sales: Mapping[date, int], first: date, last: date, weeks: int) -> Effect:
    """The campaign from ``first`` to ``last`` against the ``weeks`` weeks before it: each of its days is expected to bring what the same weekday
    brought on average then. Days without sales count as days with nothing."""
    days = (last - first).days + 1
    if days <= 0:
        return Effect(0, 0, 0)
    before = [first - timedelta(days=n) for n in range(1, 7 * weeks + 1)]
    by_weekday = [sum(sales.get(day, 0) for day in before if day.weekday() == weekday) for weekday in range(7)]
    campaign = [first + timedelta(days=n) for n in range(days)]
    whole = sum(by_weekday[day.weekday()] for day in campaign)
    return Effect(days, sum(sales.get(day, 0) for day in campaign), half_up(Decimal(whole) / weeks))
