"""What may go back, until when, and what the truth about an acceptance may be: pure functions."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum

from catalog.products.rules import is_measure
from orders.fulfilment.rules import plausible, wrong_weight
from shop.core.errors import Fault
from shop.core.money import half_up, line_amount
from shop.core.quantities import plain


class ReturnReason(StrEnum):
    QUALITY = "quality"
    SPOILED = "spoiled"
    DAMAGED = "damaged"
    WRONG_GOODS = "wrong_goods"
    SHORT = "short"
    NOT_AS_DESCRIBED = "not_as_described"
    OTHER = "other"


#: What shows later than on the day of delivery.
OF_QUALITY = frozenset({ReturnReason.QUALITY, ReturnReason.SPOILED})


def last_day(accepted_on: date, reason: ReturnReason, days: int, quality_days: int) -> date:
    """The last Shanghai date on which accepted goods can be asked to go back; the day of acceptance is not counted."""
    return accepted_on + timedelta(days=max(days, quality_days) if reason in OF_QUALITY else days)


@dataclass(frozen=True, slots=True)
class AcceptedLine:
    """A line of an acceptance. ``left`` is what is neither asked back nor given back; ``spoken_for`` is what is."""

    acceptance_line_id: int
    order_line_id: int
    shipped: Decimal
    shipped_grams: int
    accepted: Decimal
    #: As both sides hold it for true by now.
    accepted_grams: int
    left: Decimal
    step: Decimal
    unit: str

    @property
    def spoken_for(self) -> Decimal:
        return self.accepted - self.left


def _unknown(index: int) -> Fault:
    return Fault(
        f"lines[{index}].order_line_id", "unknown_line", "该批发货没有此行，或重复", "Not in this shipment, or named twice"
    )


def _wrong_step(field: str) -> Fault:
    return Fault(field, "wrong_step", "数量不是步长的整数倍", "Not a multiple of the step")


def above_left(field: str, left: Decimal) -> Fault:
    told = plain(left)
    return Fault(field, "above_returnable", f"可退数量只剩 {told}", f"Only {told} can be given back", {"left": told})


def to_return(lines: Iterable[AcceptedLine], asked: Iterable[tuple[int, Decimal]] | None) -> tuple[dict[int, Decimal], list[Fault]]:
    """What is to go back by acceptance line: the order lines asked for with their quantities, or everything that is left."""
    by_id = {line.order_line_id: line for line in lines}
    if asked is None:
        asked = [(line.order_line_id, line.left) for line in by_id.values() if line.left > 0]
    taken: dict[int, Decimal] = {}
    faults = []
    for index, (order_line_id, quantity) in enumerate(asked):
        line = by_id.pop(order_line_id, None)
        if line is None:
            faults.append(_unknown(index))
        elif quantity > line.left:
            faults.append(above_left(f"lines[{index}].quantity", line.left))
        elif not is_measure(quantity, line.step, line.unit):
            faults.append(_wrong_step(f"lines[{index}].quantity"))
        else:
            taken[line.acceptance_line_id] = quantity
    if not taken and not faults:
        faults.append(Fault("lines", "nothing_left", "没有可退的数量", "Nothing is left to give back"))
    return taken, faults


@dataclass(frozen=True, slots=True)
class Receipt:
    """What arrived of a line, and how much of that goes back into stock."""

    line_id: int
    received: Decimal
    restocked: Decimal


def to_receive(
    lines: Mapping[int, tuple[Decimal, Decimal, str]], told: Iterable[Receipt] | None
) -> tuple[dict[int, Receipt], list[Fault]]:
    """The receipt of every line (id -> quantity sent, step, unit): what is not named has arrived whole and does not go back into stock."""
    given: dict[int, Receipt] = {}
    faults = []
    for index, one in enumerate(told or ()):
        if one.line_id not in lines or one.line_id in given:
            faults.append(
                Fault(f"lines[{index}].id", "unknown_line", "该退货单没有此行，或重复", "Not in this return, or named twice")
            )
            continue
        sent, step, unit = lines[one.line_id]
        given[one.line_id] = one
        if one.received > sent:
            faults.append(
                Fault(
                    f"lines[{index}].received_quantity",
                    "above_sent",
                    f"超过退回数量 {plain(sent)}",
                    f"Only {plain(sent)} was to come back",
                    {"sent": plain(sent)},
                )
            )
        elif one.restocked > one.received:
            faults.append(Fault(f"lines[{index}].restock_quantity", "above_received", "超过收到的数量", "More than was received"))
        elif not (is_measure(one.received, step, unit) and is_measure(one.restocked, step, unit)):
            faults.append(_wrong_step(f"lines[{index}].received_quantity"))
    return {line_id: given.get(line_id) or Receipt(line_id, sent, Decimal(0)) for line_id, (sent, *_) in lines.items()}, faults


def shipped_share(line: AcceptedLine, quantity: Decimal) -> int:
    """The shipped weight of a part of a line, to the gram."""
    return half_up(line.shipped_grams * quantity / line.shipped)


@dataclass(frozen=True, slots=True)
class Truth:
    """What was accepted of a line in truth."""

    order_line_id: int
    quantity: Decimal
    grams: int | None = None


@dataclass(frozen=True, slots=True)
class Corrected:
    acceptance_line_id: int
    order_line_id: int
    quantity: Decimal
    grams: int


def to_correct(lines: Iterable[AcceptedLine], truths: Iterable[Truth]) -> tuple[list[Corrected], list[Fault]]:
    """What each named line is to be: at least what is asked back or given back of it, at most what was shipped, of a weight that can be; without
    one, of the weight that was accepted where the quantity stays, else of its share of the shipped weight. Not all of them may stay as they are."""
    lines = list(lines)
    stand = {(line.order_line_id, line.accepted, line.accepted_grams) for line in lines}
    by_id = {line.order_line_id: line for line in lines}
    corrected, faults = [], []
    for index, truth in enumerate(truths):
        field = f"lines[{index}]"
        line = by_id.pop(truth.order_line_id, None)
        if line is None:
            faults.append(_unknown(index))
        elif truth.quantity > line.shipped:
            shipped = plain(line.shipped)
            zh, en = f"超过发货数量 {shipped}", f"Only {shipped} was shipped"
            faults.append(Fault(f"{field}.accepted_quantity", "above_shipped", zh, en, {"shipped": shipped}))
        elif truth.quantity < line.spoken_for:
            least = plain(line.spoken_for)
            zh, en = f"已有 {least} 退货或正在退货", f"{least} was given back or is asked back"
            faults.append(Fault(f"{field}.accepted_quantity", "below_returned", zh, en, {"returned": least}))
        elif not is_measure(truth.quantity, line.step, line.unit):
            faults.append(_wrong_step(f"{field}.accepted_quantity"))
        elif truth.grams is not None and not plausible(truth.grams, shipped_share(line, truth.quantity), line.unit):
            expected = shipped_share(line, truth.quantity)
            faults.append(wrong_weight(f"{field}.accepted_grams", expected, line.unit))
        else:
            # what was weighed stays true of a quantity that stays
            kept = line.accepted_grams if truth.quantity == line.accepted else shipped_share(line, truth.quantity)
            weight = kept if truth.grams is None else truth.grams
            corrected.append(Corrected(line.acceptance_line_id, line.order_line_id, truth.quantity, weight))
    if not faults and all((line.order_line_id, line.quantity, line.grams) in stand for line in corrected):
        faults.append(Fault("lines", "unchanged", "与现有验收结果相同，无需更正", "This is what was accepted already"))
    return corrected, faults


@dataclass(frozen=True, slots=True)
class Standing:
    """What stands in the ledger of a line, returns left out; fen and grams."""

    quantity: Decimal
    grams: int
    fen: int


def after_correction(before: Standing, accepted: Decimal, accepted_grams: int, returned: Decimal, unit_price_fen: int) -> Standing:
    """What is to stand instead. Weight follows in proportion to what was not given back; where only the weight was wrong the price stays,
    because goods are priced by quantity."""
    quantity = accepted - returned
    if not quantity:
        return Standing(quantity, 0, 0)
    grams = half_up(accepted_grams * quantity / accepted)
    fen = before.fen if quantity == before.quantity else line_amount(quantity, unit_price_fen)
    return Standing(quantity, grams, fen)
