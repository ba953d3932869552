"""What may be changed of a bound order, and how a change is worded: pure functions."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from catalog.products.rules import dear_faults
from orders.purchasing.rules import LineChange
from shop.core.errors import Fault
from shop.core.money import MAX_FEN, yuan_from_fen
from shop.core.quantities import is_multiple, plain


@dataclass(frozen=True, slots=True)
class BoundLine:
    """A line of a bound order; ``open`` of it is not shipped. ``by_voucher``: vouchers were issued for its units."""

    order_line_id: int
    line_no: int
    sku_id: int
    name: str
    unit: str
    step: Decimal
    quantity: Decimal
    open: Decimal
    unit_price_fen: int
    by_voucher: bool = False
    #: The highest price that may be agreed on without a review; None: any.
    highest_fen: int | None = None


def faults_of(lines: Sequence[BoundLine], changes: Sequence[LineChange]) -> list[Fault]:
    """What is wrong about changes, but for what only the catalogue knows of a new pack."""
    by_id = {line.order_line_id: line for line in lines}
    faults = []
    for index, change in enumerate(changes):
        fault = _fault(f"lines[{index}]", by_id.get(change.order_line_id), change)
        if fault:
            faults.append(fault)
    if not faults and changes and not remaining(lines, changes):
        zh, en = "变更后订单没有任何货物，请改为提出取消", "Nothing would be left of the order; propose its cancellation"
        faults.append(Fault("lines", "nothing_left", zh, en))
    return faults


def remaining(lines: Sequence[BoundLine], changes: Sequence[LineChange]) -> Decimal:
    """What an order holds after the changes, over all its packs."""
    return sum((line.quantity for line in lines), Decimal(0)) - sum(
        (change.open_quantity - change.quantity for change in changes), Decimal(0)
    )


def _fault(field: str, line: BoundLine | None, change: LineChange) -> Fault | None:
    if line is None:
        return Fault(f"{field}.order_line_id", "unknown_line", "订单没有此行", "The order has no such line")
    if not line.open:
        return Fault(f"{field}.order_line_id", "nothing_open", "该行已全部发货", "All of this line is shipped")
    if line.by_voucher:
        zh, en = (
            "该行已发放服务券，不能变更；未使用的服务券到期后不计费",
            "Vouchers were issued for this line; it is redeemed as it is",
        )
        return Fault(f"{field}.order_line_id", "redeemed_by_voucher", zh, en)
    if change.sku_id is None and change.quantity > line.open:
        left = plain(line.open)
        zh, en = f"不能超过未发数量 {left}", f"Only {left} of it is open; more is a new order"
        return Fault(f"{field}.quantity", "above_open", zh, en, {"open": left})
    # of goods sold by weight the rest that is open is what the scale left
    if change.sku_id is None and change.quantity != line.open and not is_multiple(change.quantity, line.step):
        return Fault(f"{field}.quantity", "wrong_step", "数量不是步长的整数倍", "Not a multiple of the step")
    if change.sku_id is not None and not change.quantity:
        return Fault(f"{field}.quantity", "no_quantity", "替换产品须填写数量", "A substitute needs a quantity")
    if change.sku_id == line.sku_id:
        return Fault(f"{field}.sku_id", "same_sku", "与原规格相同", "It is the same pack")
    if change.sku_id is None and change.quantity == line.open and change.unit_price_fen in (None, line.unit_price_fen):
        return Fault(field, "no_change", "没有变更", "Nothing would change")
    # a substitute's price is judged with all else that the catalogue says of it
    price = change.unit_price_fen or 0
    if (
        change.sku_id is None
        and price > line.unit_price_fen
        and (dear := dear_faults({f"{field}.unit_price": price}, line.highest_fen))
    ):
        return dear[0]
    if change.quantity * (change.unit_price_fen or 0) > MAX_FEN:
        return Fault(f"{field}.unit_price", "amount_too_large", "金额超出上限", "The amount is too large")
    return None


def day_fault(deliver_by: date, today: date) -> Fault | None:
    if deliver_by < today:
        return Fault("deliver_by", "in_past", "交货日期不能早于今天", "The day lies in the past")
    return None


def worded(line: BoundLine, change: LineChange, substitute: str | None) -> str:
    """The change as the supplement to the contract says it."""
    old = f"第 {line.line_no} 行“{line.name}”未发的 {plain(line.open)} {line.unit}"
    price = yuan_from_fen(change.unit_price_fen or line.unit_price_fen)
    if substitute:
        return f"{old}，改为“{substitute}”{plain(change.quantity)}，单价 {price} 元。"
    if not change.quantity:
        return f"{old}不再交付。"
    parts = [f"数量改为 {plain(change.quantity)}"] if change.quantity != line.open else []
    if change.unit_price_fen not in (None, line.unit_price_fen):
        parts.append(f"单价由 {yuan_from_fen(line.unit_price_fen)} 元改为 {price} 元")
    return f"{old}，{'，'.join(parts)}。"
