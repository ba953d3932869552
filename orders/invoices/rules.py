"""What an invoice says of tax, what has to be credited of it, and amounts in words: pure functions."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum

from shop.core.money import share_level, vat_in_gross
from shop.programmes.invoicing import Exemption, Ground, grounds_on


def exemption_of(
    grounds: Sequence[Ground], seller_kind: str, product_kind: str, category: str, said: Sequence[Exemption]
) -> Exemption | None:
    """Why a line without VAT is exempt, by the ``grounds`` in force: the first that the seller says and that is for such a product, else what follows
    from what the seller is. None: the seller has to say it; nobody says it for a firm, or of a service."""
    fitting = {ground.code: ground for ground in grounds if ground.covers(product_kind, category)}
    presumed = (code for code, ground in fitting.items() if seller_kind in ground.presumed_of)
    return next((code for code in said if code in fitting), next(presumed, None))


def ground_of(grounds: Sequence[Ground], code: Exemption, on: date) -> Ground:
    """What an exemption rests on, on a Shanghai date; where it rests on nothing then, what it rested on last. A programme names every one."""
    named = [ground for ground in grounds if ground.code is code]
    return next(iter(grounds_on(named, on)), named[-1])


class CreditReason(StrEnum):
    """Why a credit note was written. In a red-letter invoice: 销货退回, 开票有误, 销售折让, 开票有误, 开票有误."""

    RETURN = "return"
    CORRECTION = "correction"
    PRICE_REDUCTION = "price_reduction"
    REASSIGNMENT = "reassignment"
    ISSUED_IN_ERROR = "issued_in_error"


@dataclass(frozen=True, slots=True)
class Standing:
    """A line of an invoice, what credit notes took back of it, and what is sold of it by now; fen, gross."""

    id: int
    invoice_id: int
    quantity: Decimal
    amount_fen: int
    vat_bp: int
    returned_quantity: Decimal
    returned_fen: int
    reduced_fen: int
    #: What is still sold and owed of it, reductions of the price left out.
    sold_quantity: Decimal
    sold_fen: int

    @property
    def held_fen(self) -> int:
        """What the invoice still holds of the line."""
        return self.amount_fen - self.returned_fen - self.reduced_fen


@dataclass(frozen=True, slots=True)
class Credit:
    """What a credit note takes back of a line, gross and VAT."""

    line: Standing
    quantity: Decimal
    returned_fen: int
    reduced_fen: int

    @property
    def amount_fen(self) -> int:
        return self.returned_fen + self.reduced_fen

    @property
    def vat_fen(self) -> int:
        """The VAT of what was held less that of what is held then, so that credits in any number of steps sum to the VAT of the whole."""
        held = self.line.held_fen
        return vat_in_gross(held, self.line.vat_bp) - vat_in_gross(held - self.amount_fen, self.line.vat_bp)


def to_credit(lines: Sequence[Standing], allowed_fen: int) -> list[Credit]:
    """What has to be credited of the lines of one part of an order, so that its invoices hold what is owed and no more.

    What is no longer sold comes off its own line. ``allowed_fen``, what disputes gave back of the part without goods, is shared over all lines at one
    rate of what is sold of each, whatever of it was credited before: so each line bears the same in whatever order credit notes are written, and those
    of other lines change nothing. Goods that go back take their reduction along, which goes over to the other lines. What a line bears already it
    keeps where others are invoiced after it. No line is credited below zero; what of the allowance finds no room waits for what is invoiced later.
    """
    returned = [max(line.amount_fen - line.sold_fen, line.returned_fen) for line in lines]
    rooms = [line.amount_fen - back for line, back in zip(lines, returned, strict=True)]
    # a credit note takes nothing back below zero, so a reduction goes over as far as goods go back
    borne = [max(line.reduced_fen - (back - line.returned_fen), 0) for line, back in zip(lines, returned, strict=True)]
    reduced = share_level(min(allowed_fen, sum(rooms)), rooms, borne)
    return [
        Credit(line, quantity, back - line.returned_fen, less - line.reduced_fen)
        for line, back, less in zip(lines, returned, reduced, strict=True)
        if (quantity := max(line.quantity - line.sold_quantity - line.returned_quantity, Decimal(0)))
        or (back, less) != (line.returned_fen, line.reduced_fen)
    ]


def explains(reason: CreditReason, credits: Sequence[Credit]) -> bool:
    """Whether there is something to credit for such a reason: a reduction of the price, or something that is no longer sold."""
    if reason is CreditReason.PRICE_REDUCTION:
        return any(each.reduced_fen > 0 for each in credits)
    return any(each.quantity or each.returned_fen for each in credits)


def reason_of(said: CreditReason, credits: Sequence[Credit]) -> CreditReason:
    """The reason of one invoice's credit note where a part of an order is credited for what is ``said``. What went back may have taken along a
    reduction, which goes over to other invoices, of which nothing went back."""
    if explains(said, credits):
        return said
    return CreditReason.RETURN if said is CreditReason.PRICE_REDUCTION else CreditReason.PRICE_REDUCTION


def whole(lines: Sequence[Standing]) -> list[Credit]:
    """Credit everything that an invoice still holds, so that what was accepted can be invoiced again."""
    return [
        Credit(line, line.quantity - line.returned_quantity, line.amount_fen - line.returned_fen, -line.reduced_fen)
        for line in lines
        if line.returned_fen < line.amount_fen
    ]


_DIGITS = "零壹贰叁肆伍陆柒捌玖"
_UNITS = ("", "拾", "佰", "仟")
_SIZES = ((10**8, "亿"), (10**4, "万"))


def in_words(fen: int) -> str:
    """An amount as cheques and invoices write it (《正确填写票据和结算凭证的基本规定》): 123450 -> 壹仟贰佰叁拾肆元伍角整."""
    if fen < 0:
        return "负" + in_words(-fen)
    yuan, rest = divmod(fen, 100)
    jiao, last = divmod(rest, 10)
    words = _whole_yuan(yuan) + "元" if yuan else ""
    if jiao:
        words += _DIGITS[jiao] + "角"
    elif last and yuan:
        words += "零"
    if last:
        return words + _DIGITS[last] + "分"
    return (words or "零元") + "整"


def _whole_yuan(yuan: int) -> str:
    for size, name in _SIZES:
        if yuan >= size:
            head, rest = divmod(yuan, size)
            return _whole_yuan(head) + name + ("零" if 0 < rest < size // 10 else "") + (_whole_yuan(rest) if rest else "")
    return _four(yuan)


def _four(number: int) -> str:
    words, gap = "", False
    for place in range(3, -1, -1):
        digit = number // 10**place % 10
        if digit:
            words += ("零" if gap else "") + _DIGITS[digit] + _UNITS[place]
            gap = False
        else:
            gap = bool(words)
    return words
