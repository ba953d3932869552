"""Prices, caps, schedules and harvests of agreements as pure functions."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_FLOOR, Decimal
from enum import StrEnum

from orders.agreements.states import SkipReason
from shop.core.errors import Fault
from shop.core.money import half_up, line_amount, share_out, yuan_from_fen
from shop.core.quantities import THOUSANDTH, plain

#: So many instalments one agreement may have: ten lines for three places on every school day of three years.
MOST_INSTALMENTS = 20_000


class Side(StrEnum):
    BUYER = "buyer"
    SUPPLIER = "supplier"


class PriceKind(StrEnum):
    FIXED = "fixed"
    LIST_MINUS = "list_minus"
    TIERS = "tiers"


@dataclass(frozen=True, slots=True)
class Price:
    """How a unit is priced: at a fixed price, at the list's less so many percent, or by tiers of (quantity from which it holds, fen)."""

    kind: PriceKind
    unit_price_fen: int | None = None
    percent_off: Decimal | None = None
    tiers: tuple[tuple[Decimal, int], ...] = ()


def unit_price(price: Price, quantity: Decimal, list_fen: int | None) -> int | None:
    """The price of a unit in fen when ``quantity`` is called off; ``list_fen``: that of the list for the same quantity. None: it has none.

    A formula is rounded half up once, to the fen, and never costs more than the list, nor nothing.
    """
    if price.kind is PriceKind.FIXED:
        return price.unit_price_fen
    if price.kind is PriceKind.LIST_MINUS:
        if list_fen is None or price.percent_off is None:
            return None
        return max(half_up(list_fen * (100 - price.percent_off) / 100), 1)
    held = [fen for least, fen in sorted(price.tiers) if least <= quantity]
    return held[-1] if held else None


def with_tolerance(cap: Decimal, percent: Decimal) -> Decimal:
    """The most that a cap of a quantity lets pass, rounded down to three places."""
    return (cap * (100 + percent) / 100).quantize(THOUSANDTH, rounding=ROUND_FLOOR)


def fen_with_tolerance(cap_fen: int, percent: Decimal) -> int:
    """The most fen that a cap of an amount lets pass, rounded down."""
    return int((cap_fen * (100 + percent) / 100).to_integral_value(rounding=ROUND_FLOOR))


@dataclass(frozen=True, slots=True)
class Drawn:
    """What was drawn from an agreement or a line of it."""

    quantity: Decimal = Decimal(0)
    amount_fen: int = 0


@dataclass(frozen=True, slots=True)
class Caps:
    """Caps of a line or, without quantity, of a whole agreement; None: no cap."""

    quantity: Decimal | None = None
    amount_fen: int | None = None


@dataclass(frozen=True, slots=True)
class Wanted:
    """One line of a call-off; ``position`` is its place in the request."""

    position: int
    line_id: int
    quantity: Decimal
    unit_price_fen: int

    @property
    def amount_fen(self) -> int:
        return line_amount(self.quantity, self.unit_price_fen)


def over_caps(
    whole: Caps, lines: Mapping[int, Caps], drawn: Mapping[int, Drawn], wanted: Sequence[Wanted], tolerance: Decimal
) -> list[Fault]:
    """Every cap that the lines would pass together with what was drawn before, with what is left below it. ``drawn`` holds every line of the
    agreement, by its id."""
    faults = []
    for line_id in dict.fromkeys(line.line_id for line in wanted):
        mine = [line for line in wanted if line.line_id == line_id]
        caps, before, field = lines[line_id], drawn.get(line_id, Drawn()), f"lines[{mine[-1].position}]"
        quantity = sum((line.quantity for line in mine), Decimal(0))
        if caps.quantity is not None:
            left = with_tolerance(caps.quantity, tolerance) - before.quantity
            if quantity > left:
                faults.append(_over(f"{field}.quantity", "quantity_cap", plain(caps.quantity), plain(before.quantity), plain(left)))
        if caps.amount_fen is not None:
            over = _over_amount(field, "line_amount_cap", caps.amount_fen, before.amount_fen, mine, tolerance)
            faults += over
    if whole.amount_fen is not None:
        before_fen = sum(each.amount_fen for each in drawn.values())
        faults += _over_amount("lines", "amount_cap", whole.amount_fen, before_fen, wanted, tolerance)
    return faults


def _over_amount(field: str, code: str, cap_fen: int, before_fen: int, wanted: Sequence[Wanted], tolerance: Decimal) -> list[Fault]:
    left = fen_with_tolerance(cap_fen, tolerance) - before_fen
    if sum(line.amount_fen for line in wanted) <= left:
        return []
    return [_over(field, code, yuan_from_fen(cap_fen), yuan_from_fen(before_fen), yuan_from_fen(left))]


_CAPS = {
    "quantity_cap": ("数量上限", "the cap by quantity"),
    "line_amount_cap": ("该行金额上限", "the line's cap by amount"),
    "amount_cap": ("协议金额上限", "the agreement's cap by amount"),
}


def _over(field: str, code: str, cap: str, drawn: str, left: str) -> Fault:
    zh, en = _CAPS[code]
    return Fault(
        field,
        code,
        f"超过{zh} {cap}：已下单 {drawn}，含允差还可下单 {left}",
        f"passes {en}, {cap}: {drawn} was ordered, {left} is left with the tolerance",
        {"cap": cap, "drawn": drawn, "left": left},
    )


@dataclass(frozen=True, slots=True)
class Scheduled:
    """A line by its number or, without one, a whole agreement: what was drawn, and what its schedule asks for beside that."""

    line_no: int | None
    caps: Caps
    drawn: Drawn
    planned: Drawn


def beyond_caps(scheduled: Iterable[Scheduled], tolerance: Decimal) -> list[Fault]:
    """Every cap that keeps a schedule from being ordered to its end, with its tolerance; not what passed its cap without one."""
    faults = []
    for each in scheduled:
        caps, drawn, planned = each.caps, each.drawn, each.planned
        if caps.quantity is not None and planned.quantity:
            left = with_tolerance(caps.quantity, tolerance) - drawn.quantity
            if planned.quantity > left:
                told = (plain(quantity) for quantity in (caps.quantity, drawn.quantity, left, planned.quantity))
                faults.append(beyond_cap(each.line_no, "quantity_cap", *told))
        if caps.amount_fen is not None and planned.amount_fen:
            left_fen = fen_with_tolerance(caps.amount_fen, tolerance) - drawn.amount_fen
            if planned.amount_fen > left_fen:
                told = (yuan_from_fen(fen) for fen in (caps.amount_fen, drawn.amount_fen, left_fen, planned.amount_fen))
                faults.append(beyond_cap(each.line_no, "amount_cap" if each.line_no is None else "line_amount_cap", *told))
    return faults


def beyond_cap(line_no: int | None, code: str, cap: str, drawn: str, left: str, planned: str) -> Fault:
    """That a schedule passes a cap of a line, or without one of the whole agreement."""
    zh, en = _CAPS[code]
    return Fault(
        "schedule",
        code,
        f"供货计划尚有 {planned}，超过{zh} {cap}：已下单 {drawn}，含允差还可下单 {left}",
        f"the schedule asks for {planned} and passes {en}, {cap}: {drawn} was ordered, {left} is left with the tolerance",
        {"line_no": line_no, "cap": cap, "drawn": drawn, "left": left, "planned": planned},
    )


@dataclass(frozen=True, slots=True)
class Entry:
    """A delivery that comes back on weekdays (1 is Monday), every so many weeks counted from the week of its first day."""

    weekdays: Collection[int]
    every_weeks: int
    starts_on: date
    ends_on: date
    in_term_only: bool = True
    skips_public_holidays: bool = True


@dataclass(frozen=True, slots=True)
class Closure:
    name: str
    starts_on: date
    ends_on: date


@dataclass(frozen=True, slots=True)
class Due:
    """A day of a schedule; ``skipped`` says why nothing comes on it."""

    on: date
    skipped: SkipReason | None = None
    note: str | None = None


def expand(entry: Entry, closures: Sequence[Closure], published: Mapping[date, bool]) -> Iterator[Due]:
    """The days of an entry in their order, with those on which nothing comes and why.

    ``published``: the official calendar, day -> worked. A public holiday is a day of the week's first five that is not worked; the weekend
    needs no holiday, and who has deliveries on Saturdays has them on every Saturday.
    """
    monday = entry.starts_on - timedelta(days=entry.starts_on.weekday())
    for week in range(0, (entry.ends_on - monday).days // 7 + 1, entry.every_weeks):
        for weekday in sorted(set(entry.weekdays)):
            day = monday + timedelta(days=7 * week + weekday - 1)
            if entry.starts_on <= day <= entry.ends_on:
                yield _due(entry, day, closures, published)


def _due(entry: Entry, day: date, closures: Sequence[Closure], published: Mapping[date, bool]) -> Due:
    if entry.in_term_only:
        for closure in closures:
            if closure.starts_on <= day <= closure.ends_on:
                return Due(day, SkipReason.CLOSURE, closure.name)
    if entry.skips_public_holidays and day.weekday() < 5 and published.get(day) is False:
        return Due(day, SkipReason.PUBLIC_HOLIDAY)
    return Due(day)


def month_of(day: date) -> date:
    """The first day of its month."""
    return day.replace(day=1)


def months_between(first: date, last: date) -> list[date]:
    """The months that two days and everything between them lie in."""
    count = (last.year - first.year) * 12 + last.month - first.month + 1
    return [date(first.year + (first.month - 1 + n) // 12, (first.month - 1 + n) % 12 + 1, 1) for n in range(max(count, 0))]


def spread(total_grams: int, first: date, last: date) -> dict[date, int]:
    """A cap without a schedule, spread evenly over the months of its agreement; the sum is kept."""
    months = months_between(first, last)
    return dict(zip(months, share_out(total_grams, [1] * len(months)), strict=True))


@dataclass(frozen=True, slots=True)
class Harvest:
    """A month of one product, in grams: declared (less losses), and promised to agreements' schedules, to caps without one, to other orders."""

    declared: int | None
    schedules: int = 0
    caps: int = 0
    orders: int = 0

    @property
    def promised(self) -> int:
        return self.schedules + self.caps + self.orders

    @property
    def over(self) -> int:
        """By how much more is promised than there is; without a declaration there is no limit."""
        return 0 if self.declared is None else max(self.promised - self.declared, 0)


@dataclass(frozen=True, slots=True)
class Portion:
    """An instalment that a crop loss may cut: its grams by now, those of one unit, and the step in which units are counted."""

    id: int
    line_id: int
    quantity: Decimal
    net_grams: int
    step: Decimal

    @property
    def grams(self) -> int:
        return half_up(self.quantity * self.net_grams)


@dataclass(frozen=True, slots=True)
class Cut:
    """What an instalment loses in grams, and the quantity that still comes: whole steps of what is left."""

    id: int
    line_id: int
    grams: int
    quantity: Decimal


def shared_loss(loss_grams: int, portions: Sequence[Portion]) -> list[Cut]:
    """A crop loss shared over instalments by their grams: first over agreement lines, then within each line. The cuts sum to the loss, or to all
    that was planned where that is less, to the gram.

    Every line bears what it would bear if its instalments were one; none loses more than it has.
    """
    by_line: dict[int, list[Portion]] = {}
    for portion in portions:
        if portion.grams:
            by_line.setdefault(portion.line_id, []).append(portion)
    planned = [sum(portion.grams for portion in mine) for mine in by_line.values()]
    if not planned:
        return []
    cuts = []
    for mine, share in zip(by_line.values(), share_out(min(loss_grams, sum(planned)), planned), strict=True):
        for portion, grams in zip(mine, share_out(share, [portion.grams for portion in mine]), strict=True):
            cuts.append(Cut(portion.id, portion.line_id, grams, _whole_steps(portion, grams)))
    return cuts


def _whole_steps(portion: Portion, cut_grams: int) -> Decimal:
    if not cut_grams:
        return portion.quantity
    left = Decimal(max(portion.grams - cut_grams, 0)) / portion.net_grams
    return (left // portion.step * portion.step).quantize(THOUSANDTH)


def percent_of(part: Decimal | int, whole: Decimal | int | None) -> Decimal | None:
    """``part`` of ``whole`` in percent with one place, rounded down: 99.96 % is not yet all of it. None without a whole."""
    return (Decimal(part) * 100 / Decimal(whole)).quantize(Decimal("0.1"), rounding=ROUND_FLOOR) if whole else None
