"""What speaks against a line of a quotation as it comes in: pure functions."""

from dataclasses import dataclass
from decimal import Decimal

from catalog.products.rules import dear_faults, tier_faults
from orders.sourcing.rules import TOLD, Bar, Prices, Refusal, packs_for, price_at, same_measure
from shop.core.errors import Fault
from shop.core.money import MAX_FEN
from shop.core.quantities import MAX_QUANTITY, is_multiple


@dataclass(frozen=True, slots=True)
class Offered:
    """One line of a quotation as it comes in, with what the catalogue and the request know of it."""

    place: int
    line_no: int
    line_id: int | None
    declined: bool
    sku_id: int | None
    own: bool
    active: bool
    certified: bool
    asked: Decimal | None
    unit_grams: int | None
    net_grams: int | None
    step: Decimal | None
    #: Packs that can be had; None: as many as the line needs.
    given: Decimal | None
    prices: Prices
    list_prices: Prices
    #: The highest price that may be agreed on without a review; None: any.
    highest_fen: int | None = None
    #: The certificate is suspended or held.
    paused: bool = False

    @property
    def needed(self) -> Decimal:
        assert self.asked is not None
        assert self.step is not None
        return packs_for(self.asked, self.unit_grams, self.net_grams, self.step)

    @property
    def quantity(self) -> Decimal:
        return self.given or self.needed

    @property
    def list_fen(self) -> int | None:
        """What the list says for the quantity asked, or for as much of it as is offered."""
        return price_at(self.list_prices, min(self.needed, self.quantity))


def offer_faults(offered: Offered, seen: set[int]) -> list[Fault]:
    """Everything that speaks against a line of a quotation; ``seen`` are the lines before it."""

    def fault(code: str, zh: str, en: str, field: str = "") -> Fault:
        return Fault(f"lines[{offered.place}]{field}", code, zh, en, {"line_no": offered.line_no})

    if offered.line_id is None:
        return [fault(Refusal.UNKNOWN_LINE, *TOLD[Refusal.UNKNOWN_LINE])]
    if offered.line_no in seen:
        return [fault(Refusal.TWICE, "同一行只能报价一次", "A line can be offered only once")]
    if offered.declined:
        return []
    if not offered.own or offered.step is None:
        return [fault("unknown_sku", "不是本单位的规格", "This is no SKU of the own organisation", ".sku_id")]
    if not offered.active:
        return [fault(Bar.WITHDRAWN, *TOLD[Bar.WITHDRAWN], ".sku_id")]
    if not offered.certified:
        bar = Bar.CERTIFICATE_SUSPENDED if offered.paused else Bar.NOT_CERTIFIED
        return [fault(bar, *TOLD[bar], ".sku_id")]
    if not same_measure(offered.unit_grams, offered.net_grams):
        return [fault("no_weight", "询价按重量，所报规格没有净重", "It is asked for by weight; this SKU has none", ".sku_id")]
    faults = [
        fault(each.code, each.zh, each.en, f".{each.field}") for each in tier_faults(offered.step, offered.prices) if each.field
    ]
    faults += dear_faults(
        {f"lines[{offered.place}].tiers[{n}].unit_price": price for n, (_, price) in enumerate(offered.prices)}, offered.highest_fen
    )
    if not is_multiple(offered.quantity, offered.step):
        faults.append(fault("wrong_step", "数量不是步长的整数倍", "The quantity is not a multiple of the step", ".quantity"))
    if price_at(offered.prices, offered.quantity) is None:
        told = "所报数量低于起订量", "The quantity offered lies below the smallest that is sold"
        faults.append(fault(Refusal.BELOW_MINIMUM, *told, ".quantity"))
    if offered.quantity > MAX_QUANTITY or offered.quantity * max(price for _, price in offered.prices) > MAX_FEN:
        faults.append(fault(Refusal.AMOUNT_TOO_LARGE, *TOLD[Refusal.AMOUNT_TOO_LARGE]))
    return faults
