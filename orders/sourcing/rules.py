"""Comparing offers and splitting awards: pure functions.

What is asked for is counted in its own unit, what is offered in packs of the SKU offered. Where both have a weight, packs of any size meet
the same need gram for gram; otherwise one pack is one unit. Offers are compared by what the buyer would pay for the quantity asked, whole packs
included, for each unit that it covers: exactly, as fractions of a fen. So of two that cover a line in full the lower amount is the lower offer.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction

from shop.core.errors import Fault
from shop.core.money import MAX_FEN, half_up, line_amount
from shop.core.quantities import THOUSANDTH, plain

#: (quantity from which it holds, price in fen), by rising quantity.
Prices = Sequence[tuple[Decimal, int]]


class Kind(StrEnum):
    """Who is asked."""

    INVITED = "invited"
    PUBLISHED = "published"


class Result(StrEnum):
    """What an award makes."""

    ORDER = "order"
    AGREEMENT = "agreement"


class ReasonCode(StrEnum):
    """Why an offer was taken that is not the cheapest."""

    DELIVERY = "delivery"
    QUALITY = "quality"
    SERVICE = "service"
    SPLIT_SUPPLY = "split_supply"
    RESERVED_SHARE = "reserved_share"
    ORIGIN = "origin"
    OTHER = "other"


class Bar(StrEnum):
    """Why an offer cannot be awarded now."""

    EXPIRED = "quotation_expired"
    NOT_CERTIFIED = "not_certified"
    CERTIFICATE_SUSPENDED = "certificate_suspended"
    WITHDRAWN = "withdrawn"
    SUPPLIER_NOT_APPROVED = "supplier_not_approved"


@dataclass(frozen=True, slots=True)
class Asked:
    """A line of the request; ``target_fen`` is for one unit."""

    id: int
    line_no: int
    quantity: Decimal
    unit_grams: int | None
    target_fen: int | None = None
    awarded: Decimal = Decimal(0)

    @property
    def left(self) -> Decimal:
        return self.quantity - self.awarded


@dataclass(frozen=True, slots=True)
class Offer:
    """A line of a quotation in force. ``quantity`` packs can be had, ``awarded`` of them are taken; ``bar`` is why none can be now."""

    id: int
    line_id: int
    supplier_id: int
    sku_id: int
    net_grams: int | None
    step: Decimal
    quantity: Decimal
    prices: Prices
    list_fen: int | None = None
    awarded: Decimal = Decimal(0)
    bar: Bar | None = None

    @property
    def left(self) -> Decimal:
        return self.quantity - self.awarded


@dataclass(frozen=True, slots=True)
class Valued:
    """What an offer comes to for the quantity asked, or for as much of it as there is."""

    offer: Offer
    #: In units asked for.
    covered: Decimal
    packs: Decimal
    unit_price_fen: int
    amount_fen: int
    #: Fen for one unit asked for, at whole packs.
    comparable: Fraction
    complete: bool
    over_target_fen: int | None
    over_list_fen: int | None


def price_at(prices: Prices, packs: Decimal) -> int | None:
    """The price of a pack when so many are taken; None below the smallest quantity that is sold."""
    fitting = [price for least, price in prices if least <= packs]
    return fitting[-1] if fitting else None


def same_measure(unit_grams: int | None, net_grams: int | None) -> bool:
    """Whether an offer of this weight can be set against the unit asked for: what is asked by weight is offered by weight."""
    return unit_grams is None or net_grams is not None


def packs_for(quantity: Decimal, unit_grams: int | None, net_grams: int | None, step: Decimal) -> Decimal:
    """The packs that hold ``quantity`` units: whole steps, rounded up."""
    exact = Fraction(quantity) * unit_grams / net_grams if unit_grams and net_grams else Fraction(quantity)
    return -(-exact // Fraction(step)) * step


def units_in(packs: Decimal, unit_grams: int | None, net_grams: int | None) -> Decimal:
    """The units asked for that so many packs hold, rounded down to a thousandth."""
    if not (unit_grams and net_grams):
        return packs
    return Decimal(int(Fraction(packs) * net_grams / unit_grams / Fraction(THOUSANDTH))) * THOUSANDTH


def most_covered(asked: Asked, offer: Offer) -> Decimal:
    """How much of what is not awarded yet an offer can meet."""
    return min(asked.left, units_in(offer.left, asked.unit_grams, offer.net_grams))


def valued(asked: Asked, offer: Offer) -> Valued | None:
    """An offer at the quantity asked, whatever is awarded already; None where it sells no quantity so small."""
    covered = min(asked.quantity, units_in(offer.quantity, asked.unit_grams, offer.net_grams))
    if covered <= 0:
        return None
    packs = min(packs_for(covered, asked.unit_grams, offer.net_grams, offer.step), offer.quantity)
    price = price_at(offer.prices, packs)
    if price is None:
        return None
    amount = line_amount(packs, price)
    return Valued(
        offer=offer,
        covered=covered,
        packs=packs,
        unit_price_fen=price,
        amount_fen=amount,
        comparable=Fraction(packs) * price / Fraction(covered),
        complete=covered == asked.quantity,
        over_target_fen=None if asked.target_fen is None else amount - half_up(covered * asked.target_fen),
        over_list_fen=None if offer.list_fen is None else amount - line_amount(packs, offer.list_fen),
    )


def lowest(offers: Iterable[Valued]) -> Fraction | None:
    """The lowest comparable price among the offers that can be awarded."""
    return min((each.comparable for each in offers if each.offer.bar is None), default=None)


# --- awards ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Choice:
    """One line of an award as the buyer states it: so much of a line to one supplier; no quantity: all that it can meet."""

    line_no: int
    supplier_id: int
    quantity: Decimal | None = None
    reason_code: ReasonCode | None = None


@dataclass(frozen=True, slots=True)
class Awarded:
    """One line of an award as it is written."""

    asked: Asked
    offer: Offer
    quantity: Decimal
    packs: Decimal
    unit_price_fen: int
    amount_fen: int
    lowest: bool
    reason_code: ReasonCode | None


class Refusal(StrEnum):
    """Why a line of an award is refused."""

    UNKNOWN_LINE = "unknown_line"
    NOTHING_OFFERED = "nothing_offered"
    TWICE = "named_twice"
    MORE_THAN_ASKED = "more_than_asked"
    MORE_THAN_OFFERED = "more_than_offered"
    BELOW_MINIMUM = "below_minimum"
    REASON_CODE = "reason_code_required"
    AMOUNT_TOO_LARGE = "amount_too_large"


TOLD: Mapping[str, tuple[str, str]] = {
    Refusal.UNKNOWN_LINE: ("询价单没有此行", "The request has no such line"),
    Refusal.NOTHING_OFFERED: ("该供应商未对此行报价", "This supplier offers nothing for the line"),
    Refusal.TWICE: ("同一行同一供应商只能出现一次", "A line can go to a supplier only once in an award"),
    Refusal.MORE_THAN_ASKED: ("超过尚未定标的询价数量", "More than is asked for and not awarded yet"),
    Refusal.MORE_THAN_OFFERED: ("超过供应商所报数量", "More than the supplier offers"),
    Refusal.BELOW_MINIMUM: ("低于报价的起订量", "Below the smallest quantity that the offer sells"),
    Refusal.REASON_CODE: ("未选最低价时须填写原因代码", "An offer that is not the lowest needs a reason code"),
    Refusal.AMOUNT_TOO_LARGE: ("金额超出上限", "The amount is too large"),
    Bar.EXPIRED: ("报价已过有效期", "The quotation is no longer valid"),
    Bar.NOT_CERTIFIED: ("产品没有有效的认定证书", "The product has no certificate in force"),
    Bar.CERTIFICATE_SUSPENDED: ("产品的认定证书已暂停", "The certificate of the product is suspended"),
    Bar.WITHDRAWN: ("产品已下架", "The product was withdrawn"),
    Bar.SUPPLIER_NOT_APPROVED: ("供应单位未通过审核", "The supplier is not approved"),
}


@dataclass(slots=True)
class Split:
    """What a set of choices comes to."""

    lines: list[Awarded] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)

    @property
    def total_fen(self) -> int:
        return sum(line.amount_fen for line in self.lines)


def split(lines: Mapping[int, Asked], offers: Mapping[tuple[int, int], Offer], choices: Sequence[Choice]) -> Split:
    """Check an award as a whole: no more of a line than is asked and left, no more of an offer than there is, at the price of its tier.

    ``lines`` are by line number, ``offers`` by (line id, supplier). Each choice is met in its turn, so that of two choices of one line without
    a quantity the second gets what the first leaves.
    """
    by_id = {asked.id: asked for asked in lines.values()}
    prices: dict[int, list[Valued]] = {}
    for each in offers.values():
        if found := valued(by_id[each.line_id], each):
            prices.setdefault(each.line_id, []).append(found)
    cheapest = {line_id: lowest(found) for line_id, found in prices.items()}
    left = {asked.id: asked.left for asked in lines.values()}
    seen: set[tuple[int, int]] = set()
    result = Split()
    for place, choice in enumerate(choices):
        asked = lines.get(choice.line_no)
        offer = offers.get((asked.id, choice.supplier_id)) if asked else None
        outcome = _choose(asked, offer, choice, left, cheapest, seen)
        if isinstance(outcome, Awarded):
            result.lines.append(outcome)
            left[outcome.asked.id] -= outcome.quantity
        else:
            zh, en = TOLD[outcome]
            data: dict[str, object] = {"line_no": choice.line_no, "supplier_id": choice.supplier_id}
            if outcome is Refusal.MORE_THAN_ASKED and asked:
                data["left"] = plain(left[asked.id])
            if outcome is Refusal.MORE_THAN_OFFERED and offer and asked:
                data["offered"] = plain(units_in(offer.left, asked.unit_grams, offer.net_grams))
            result.faults.append(Fault(f"lines[{place}]", outcome, zh, en, data))
    if result.total_fen > MAX_FEN and not result.faults:
        result.faults.append(Fault("lines", Refusal.AMOUNT_TOO_LARGE, *TOLD[Refusal.AMOUNT_TOO_LARGE]))
    return result


def _choose(
    asked: Asked | None,
    offer: Offer | None,
    choice: Choice,
    left: Mapping[int, Decimal],
    cheapest: Mapping[int, Fraction | None],
    seen: set[tuple[int, int]],
) -> Awarded | Refusal | Bar:
    if asked is None:
        return Refusal.UNKNOWN_LINE
    if offer is None:
        return Refusal.NOTHING_OFFERED
    if offer.bar is not None:
        return offer.bar
    if (asked.id, offer.supplier_id) in seen:
        return Refusal.TWICE
    seen.add((asked.id, offer.supplier_id))
    quantity = choice.quantity or min(left[asked.id], units_in(offer.left, asked.unit_grams, offer.net_grams))
    if quantity > left[asked.id] or left[asked.id] <= 0:
        return Refusal.MORE_THAN_ASKED
    if quantity <= 0:
        return Refusal.MORE_THAN_OFFERED
    packs = packs_for(quantity, asked.unit_grams, offer.net_grams, offer.step)
    if packs > offer.left:
        return Refusal.MORE_THAN_OFFERED
    price = price_at(offer.prices, packs)
    if price is None:
        return Refusal.BELOW_MINIMUM
    is_lowest = _is_lowest(valued(asked, offer), price, cheapest.get(asked.id))
    if not is_lowest and choice.reason_code is None:
        return Refusal.REASON_CODE
    if packs * price > MAX_FEN:
        return Refusal.AMOUNT_TOO_LARGE
    return Awarded(asked, offer, quantity, packs, price, line_amount(packs, price), is_lowest, choice.reason_code)


def _is_lowest(whole: Valued | None, price: int, best: Fraction | None) -> bool:
    """Whether a part of an offer, at the price of its tier, is no dearer than the best for the whole line; its own rounding does not count."""
    return whole is None or best is None or whole.comparable * price / whole.unit_price_fen <= best


def all_awarded(lines: Iterable[Asked], awarded: Iterable[Awarded]) -> bool:
    """Whether nothing of any line is left after an award."""
    left = {asked.id: asked.left for asked in lines}
    for each in awarded:
        left[each.asked.id] -= each.quantity
    return not any(left.values())


def whole(lines: Iterable[Asked], offers: Iterable[Offer], supplier_id: int, reason_code: ReasonCode | None) -> list[Choice]:
    """The choices that give one supplier all that it offers and that is left."""
    by_id = {asked.id: asked for asked in lines}
    met = [by_id[o.line_id] for o in offers if o.supplier_id == supplier_id and most_covered(by_id[o.line_id], o) > 0]
    return [Choice(asked.line_no, supplier_id, None, reason_code) for asked in sorted(met, key=lambda asked: asked.line_no)]
