"""Pricing and checking of order lines: pure functions over the facts of a line."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum

from catalog.products.rules import above_agreed
from shop.core.errors import Fault
from shop.core.money import MAX_FEN, line_amount, vat_in_gross, yuan_from_fen
from shop.core.quantities import is_multiple, plain, weight_of


class Reason(StrEnum):
    """Why a line cannot be met."""

    UNKNOWN_SKU = "unknown_sku"
    WITHDRAWN = "withdrawn"
    SUPPLIER_NOT_APPROVED = "supplier_not_approved"
    NOT_CERTIFIED = "not_certified"
    #: Suspended or held: waiting may help.
    CERTIFICATE_SUSPENDED = "certificate_suspended"
    OWN_PRODUCT = "own_product"
    BELOW_MINIMUM = "below_minimum"
    WRONG_STEP = "wrong_step"
    #: Of an agreed price only; the list's was judged where it was set.
    ABOVE_CEILING = "above_ceiling"
    STOCK_SHORT = "stock_short"
    AMOUNT_TOO_LARGE = "amount_too_large"


_TOLD: dict[Reason, tuple[str, str]] = {
    Reason.UNKNOWN_SKU: ("没有此规格", "There is no such SKU"),
    Reason.WITHDRAWN: ("产品已下架", "The product was withdrawn"),
    Reason.SUPPLIER_NOT_APPROVED: ("供应单位未通过审核", "The supplier is not approved"),
    Reason.NOT_CERTIFIED: ("产品没有有效的认定证书", "The product has no certificate in force"),
    Reason.CERTIFICATE_SUSPENDED: (
        "产品的认定证书已暂停，恢复后可订购",
        "The certificate of the product is suspended; it can be ordered again when that ends",
    ),
    Reason.OWN_PRODUCT: ("不能采购本单位的产品", "A unit cannot buy its own products"),
    Reason.BELOW_MINIMUM: ("低于起订量", "Below the minimum quantity"),
    Reason.WRONG_STEP: ("数量不是步长的整数倍", "The quantity is not a multiple of the step"),
    Reason.ABOVE_CEILING: ("约定价格高于认定限价", "The agreed price lies above the ceiling of the certification"),
    Reason.STOCK_SHORT: ("库存不足", "Stock is short"),
    Reason.AMOUNT_TOO_LARGE: ("金额超出上限", "The amount is too large"),
}


class SourceKind(StrEnum):
    """By what way an order came."""

    DIRECT = "direct"
    IMPORT = "import"
    QUOTATION = "quotation"
    AGREEMENT = "agreement"


@dataclass(frozen=True, slots=True)
class Source:
    """What an order was made from; ``id`` is that of the import, quotation request or agreement."""

    kind: SourceKind = SourceKind.DIRECT
    id: int | None = None


DIRECT = Source()


@dataclass(frozen=True, slots=True)
class WantedLine:
    """A line at the list's price, taken from what the program keeps itself; what a caller sends is validated instead."""

    sku_id: int
    quantity: Decimal


@dataclass(frozen=True, slots=True)
class AgreedLine:
    """A line whose unit price (fen) both sides agreed on: it holds whatever the list says by now, and so does its quantity below the usual
    minimum. ``agreement_line_id`` is the line of a long-term agreement that it draws from."""

    sku_id: int
    quantity: Decimal
    unit_price_fen: int
    agreement_line_id: int | None = None


@dataclass(frozen=True, slots=True)
class LineFacts:
    """What the catalogue knows about one requested line."""

    line_no: int
    sku_id: int
    quantity: Decimal
    product_id: int | None
    supplier_id: int | None
    supplier_approved: bool
    active: bool
    certificate_id: int | None
    net_grams: int | None
    step: Decimal | None
    min_quantity: Decimal | None
    vat_bp: int | None
    unit_price_fen: int | None
    available: Decimal | None
    agreed: bool = False
    agreement_line_id: int | None = None
    category: str | None = None
    #: The highest price that may be agreed on without a review; None: any.
    highest_fen: int | None = None
    #: The certificate is suspended or held.
    paused: bool = False


@dataclass(frozen=True, slots=True)
class PricedLine:
    """A line as it is ordered: amounts in fen, weight in grams."""

    line_no: int
    sku_id: int
    product_id: int
    supplier_id: int
    certificate_id: int
    quantity: Decimal
    unit_price_fen: int
    amount_fen: int
    vat_bp: int
    vat_fen: int
    grams: int
    agreement_line_id: int | None = None


@dataclass(frozen=True, slots=True)
class LineChange:
    """What becomes of the open quantity of a line: so much, of another pack, at another price (fen); None: as before."""

    order_line_id: int
    open_quantity: Decimal
    quantity: Decimal
    sku_id: int | None = None
    unit_price_fen: int | None = None

    @property
    def replaces(self) -> bool:
        return bool(self.quantity) and (self.sku_id is not None or self.unit_price_fen is not None)

    @property
    def given_up(self) -> Decimal:
        """How much of the old line will not come."""
        return self.open_quantity if self.replaces else self.open_quantity - self.quantity


def priced(facts: LineFacts) -> PricedLine:
    """The line at its tier's price; the caller has made sure with :func:`reason_against` that it can be met."""
    assert facts.product_id
    assert facts.supplier_id
    assert facts.certificate_id
    assert facts.unit_price_fen
    amount = line_amount(facts.quantity, facts.unit_price_fen)
    vat_bp = facts.vat_bp or 0
    return PricedLine(
        line_no=facts.line_no,
        sku_id=facts.sku_id,
        product_id=facts.product_id,
        supplier_id=facts.supplier_id,
        certificate_id=facts.certificate_id,
        quantity=facts.quantity,
        unit_price_fen=facts.unit_price_fen,
        amount_fen=amount,
        vat_bp=vat_bp,
        vat_fen=vat_in_gross(amount, vat_bp),
        grams=weight_of(facts.quantity, facts.net_grams or 0),
        agreement_line_id=facts.agreement_line_id,
    )


def reason_against(facts: LineFacts, buyer_id: int, wanted: Decimal) -> Reason | None:
    """Why a line cannot be met, or None. ``wanted`` is the quantity of this SKU over all lines of the order."""
    if facts.product_id is None or facts.step is None or facts.min_quantity is None:
        return Reason.UNKNOWN_SKU
    if not facts.active:
        return Reason.WITHDRAWN
    if not facts.supplier_approved:
        return Reason.SUPPLIER_NOT_APPROVED
    if facts.certificate_id is None:
        return Reason.CERTIFICATE_SUSPENDED if facts.paused else Reason.NOT_CERTIFIED
    if facts.supplier_id == buyer_id:
        return Reason.OWN_PRODUCT
    # a SKU without a price tier that reaches down to the quantity cannot be bought in that quantity
    if (facts.quantity < facts.min_quantity and not facts.agreed) or facts.unit_price_fen is None:
        return Reason.BELOW_MINIMUM
    if not is_multiple(facts.quantity, facts.step):
        return Reason.WRONG_STEP
    if facts.agreed and above_agreed(facts.unit_price_fen, facts.highest_fen):
        return Reason.ABOVE_CEILING
    if facts.available is None or wanted > facts.available:
        return Reason.STOCK_SHORT
    if facts.quantity * facts.unit_price_fen > MAX_FEN:
        return Reason.AMOUNT_TOO_LARGE
    return None


def cancels_alone(confirmed_at: datetime | None, hours: int | None, now: datetime) -> bool:
    """Whether the buyer may cancel a part without asking; ``hours`` after its confirmation, or None: for as long as nothing is shipped."""
    return confirmed_at is None or hours is None or now <= confirmed_at + timedelta(hours=hours)


def wanted_by_sku(lines: Iterable[LineFacts]) -> dict[int, Decimal]:
    """The quantity of each SKU over all lines."""
    wanted: dict[int, Decimal] = {}
    for line in lines:
        wanted[line.sku_id] = wanted.get(line.sku_id, Decimal(0)) + line.quantity
    return wanted


def faults_of(lines: list[LineFacts], buyer_id: int, wanted: Mapping[int, Decimal]) -> list[Fault]:
    """Every line that cannot be met, with its reason and what would have been possible."""
    reasons = ((line, reason_against(line, buyer_id, wanted[line.sku_id])) for line in lines)
    return [fault(line, reason) for line, reason in reasons if reason]


def words_of(reason: Reason) -> tuple[str, str]:
    """A reason in Chinese and English."""
    return _TOLD[reason]


def fault(line: LineFacts, reason: Reason) -> Fault:
    zh, en = words_of(reason)
    data: dict[str, object] = {"line_no": line.line_no, "sku_id": line.sku_id, "quantity": plain(line.quantity)}
    if reason is Reason.STOCK_SHORT:
        data["available"] = plain(line.available or Decimal(0))
    if reason is Reason.BELOW_MINIMUM and line.min_quantity is not None:
        data["min_quantity"] = plain(line.min_quantity)
    if reason is Reason.WRONG_STEP and line.step is not None:
        data["step"] = plain(line.step)
    if reason is Reason.ABOVE_CEILING and line.highest_fen is not None:
        data["ceiling"] = yuan_from_fen(line.highest_fen)
    return Fault(f"lines[{line.line_no - 1}]", reason, zh, en, data)
