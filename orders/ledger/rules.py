"""To what a sale is credited: pure decisions. ``booking.py`` says the same in SQL for many lines at once; a test holds them equal."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Literal

from shop.core.money import half_up
from shop.programmes.rules import Channel, Mode, Relation

#: Capacities whose purchases are policy procurement, in the order in which they are named as the basis.
POLICY_ROLES = ("budget_unit", "school", "hospital", "authority")
#: Relations that also hold for every buyer of the supporter's region, not only for the supporter's own bodies.
REGIONAL_RELATIONS = frozenset({Relation.EAST_WEST, Relation.DISTRICT_PAIR})
EAST_PARTNER = "east_partner"
SOCIAL_NETWORK = "social_network"


#: The kind of buyer of everybody who buys at a till.
CONSUMER = "consumer"
#: From which money of the buyer it is paid.
FundSource = Literal["canteen", "union", "welfare", "other"]


class Source(StrEnum):
    """Whether a sale was ordered here, made at an outlet, or made elsewhere and claimed."""

    PLATFORM = "platform"
    OUTLET = "outlet"
    EXTERNAL = "external"


class Claim(StrEnum):
    """Lines of sales that were made elsewhere; an entry's ``origin_kind``."""

    OUTLET_LINE = "outlet_line"
    EXTERNAL_LINE = "external_line"


class Direction(StrEnum):
    """Bought, or sold with somebody's help (帮助销售); reported apart, never as one sum."""

    PURCHASE = "purchase"
    HELPED_SALE = "helped_sale"


class SaleRelation(StrEnum):
    """The relation under which a sale stands; ``none`` for most."""

    NONE = "none"
    EAST_WEST = "east_west"
    CENTRAL_UNIT = "central_unit"
    MUNICIPAL_GROUP = "municipal_group"
    DISTRICT_PAIR = "district_pair"


@dataclass(frozen=True, slots=True)
class Term:
    """From its first day to the day before ``valid_to``; None: always, or still."""

    valid_from: date | None = None
    valid_to: date | None = None

    def holds(self, on: date) -> bool:
        return (self.valid_from is None or self.valid_from <= on) and (self.valid_to is None or on < self.valid_to)


@dataclass(frozen=True, slots=True)
class BuyerRole:
    role: str
    supporter_id: int | None
    term: Term


@dataclass(frozen=True, slots=True)
class Buyer:
    """``region_code`` as it was on the date of the sale."""

    region_code: str
    roles: tuple[BuyerRole, ...]

    def roles_on(self, on: date) -> list[BuyerRole]:
        return [role for role in self.roles if role.term.holds(on)]


@dataclass(frozen=True, slots=True)
class Support:
    """A support relation with the region of its supporter."""

    id: int
    kind: Relation
    supporter_id: int
    supporter_region: str | None
    region_code: str
    term: Term

    def covers(self, place: str) -> bool:
        """Whether a place of origin lies in the supported region; a township's code begins with its district's."""
        return place.startswith(self.region_code)

    def binds(self, buyer: Buyer, on: date) -> bool:
        """Whether the buyer belongs to the supporter, or (regional relations) lies in the supporter's region."""
        if any(role.supporter_id == self.supporter_id for role in buyer.roles_on(on)):
            return True
        region = self.supporter_region
        return self.kind in REGIONAL_RELATIONS and region is not None and buyer.region_code.startswith(region)

    def applies(self, buyer: Buyer, place: str, on: date) -> bool:
        return self.term.holds(on) and self.covers(place) and self.binds(buyer, on)


@dataclass(frozen=True, slots=True)
class Sale:
    """What attribution asks of a sale. ``place`` is the township of origin, or the district where none is known."""

    on: date
    place: str
    platform: str
    buyer: Buyer
    declared_relation_id: int | None = None


@dataclass(frozen=True, slots=True)
class Credit:
    mode: Mode
    relation: SaleRelation
    relation_id: int | None
    channel: Channel
    basis: str


def credit(sale: Sale, supports: Sequence[Support], priority: Sequence[str]) -> Credit:
    """Mode, relation and the one primary channel of a sale, with the reason (item 10 of the 2020 work points)."""
    relation = relation_of(sale, supports, priority)
    channel, basis = _channel(sale, relation, priority)
    return Credit(
        mode=mode_of(sale, supports),
        relation=SaleRelation(relation.kind if relation else "none"),
        relation_id=relation.id if relation else None,
        channel=channel,
        basis=basis,
    )


def mode_of(sale: Sale, supports: Iterable[Support]) -> Mode:
    """How the sale came about: the platform tells first, then what the buyer is, then where the buyer lies."""
    if sale.platform == SOCIAL_NETWORK:
        return Mode.SOCIAL_NETWORK
    if _policy_role(sale):
        return Mode.POLICY_PROCUREMENT
    eastern = any(
        support.kind == Relation.EAST_WEST
        and support.term.holds(sale.on)
        and support.covers(sale.place)
        and support.supporter_region is not None
        and sale.buyer.region_code.startswith(support.supporter_region)
        for support in supports
    )
    return Mode.EAST_WEST if eastern or _is_east_partner(sale) else Mode.MARKET


def relation_of(sale: Sale, supports: Iterable[Support], priority: Sequence[str]) -> Support | None:
    """The relation under which the sale stands: the declared one where it applies on the date of the sale, else the first by the
    programme's priority; of two of one kind the one for the smaller region, then the older one."""
    fitting = [support for support in supports if support.applies(sale.buyer, sale.place, sale.on)]
    return min(
        fitting,
        key=lambda support: (
            support.id != sale.declared_relation_id,
            priority.index(support.kind),
            -len(support.region_code),
            support.id,
        ),
        default=None,
    )


def _channel(sale: Sale, relation: Support | None, priority: Sequence[str]) -> tuple[Channel, str]:
    bases: dict[str, str] = {Channel.MARKET: "default"}
    if sale.platform == SOCIAL_NETWORK:
        bases[Channel.SOCIAL_NETWORK] = "platform"
    if role := _policy_role(sale):
        bases[Channel.POLICY_PROCUREMENT] = role
    if _is_east_partner(sale):
        bases[Channel.EAST_WEST] = EAST_PARTNER
    if relation:
        bases[relation.kind] = f"{'declared' if relation.id == sale.declared_relation_id else 'relation'}:{relation.id}"
    channel = next(channel for channel in priority if channel in bases)
    return Channel(channel), bases[channel]


def _policy_role(sale: Sale) -> str | None:
    held = {role.role for role in sale.buyer.roles_on(sale.on)}
    return next((role for role in POLICY_ROLES if role in held), None)


def _is_east_partner(sale: Sale) -> bool:
    return any(role.role == EAST_PARTNER for role in sale.buyer.roles_on(sale.on))


@dataclass(frozen=True, slots=True)
class Part:
    """A part of an entry; amount in fen, weight in grams."""

    quantity: Decimal
    grams: int
    amount_fen: int


def part_to_reverse(entry: Part, reversed_before: Part, quantity: Decimal) -> Part:
    """What reversing ``quantity`` more of an entry takes back, as positive numbers.

    Rounded so that parts sum to the whole: reversing an entry in many steps takes back exactly what it booked.
    """
    total = reversed_before.quantity + quantity
    return Part(
        quantity,
        half_up(entry.grams * total / entry.quantity) - reversed_before.grams,
        half_up(entry.amount_fen * total / entry.quantity) - reversed_before.amount_fen,
    )
