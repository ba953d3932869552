"""How a document reads the same wherever it is written down, and which figures cannot be: pure functions."""

import re
import unicodedata
from decimal import Decimal
from enum import StrEnum

from shop.core.errors import Fault


class DocumentKind(StrEnum):
    """Documents of which one stands for one sale."""

    INVOICE = "invoice"
    BANK_RECEIPT = "bank_receipt"
    WAYBILL = "waybill"


class Subject(StrEnum):
    """What a doubt may be about."""

    EXTERNAL_SALE = "external_sale"
    SALES_BATCH = "sales_batch"
    SALES_BATCH_LINE = "sales_batch_line"
    PURCHASE_ORDER = "purchase_order"


class Reason(StrEnum):
    """Why a claim does not count yet."""

    DOCUMENT_SEEN = "document_seen"
    SUSPECTED_DUPLICATE = "suspected_duplicate"
    NOT_CERTIFIED = "not_certified"
    OVER_CAPACITY = "over_capacity"
    BROKEN_CHAIN = "broken_chain"
    CORRECTS_NOTHING = "corrects_nothing"
    CLOCK = "clock"
    OUTLET_CLOSED = "outlet_closed"
    #: Of outlets' sales: told too late; more given back than was sold; a quantity that cannot be.
    LATE = "late"
    REFUND = "refund"
    IMPLAUSIBLE = "implausible"
    #: It takes much out of the figures.
    WITHDRAWAL = "withdrawal"
    #: A refund whose sale has not come.
    NO_SALE = "no_sale"


class HoldStatus(StrEnum):
    OPEN = "open"
    COUNTED = "counted"
    VOID = "void"


class Verdict(StrEnum):
    """What an officer says of a claim that is held: it is a sale of its own, or none."""

    COUNT = "count"
    VOID = "void"

    @property
    def status(self) -> HoldStatus:
        return HoldStatus.COUNTED if self is Verdict.COUNT else HoldStatus.VOID

    @property
    def of_other(self) -> "Verdict":
        """What it means for the claim on the other side, if nothing else is said: one of the two is the sale."""
        return Verdict.VOID if self is Verdict.COUNT else Verdict.COUNT


#: Names under which carriers write themselves, by the beginning.
_CARRIERS = {
    "顺丰": "SF",
    "SF": "SF",
    "中国邮政": "EMS",
    "邮政": "EMS",
    "EMS": "EMS",
    "圆通": "YTO",
    "YTO": "YTO",
    "中通": "ZTO",
    "ZTO": "ZTO",
    "申通": "STO",
    "STO": "STO",
    "韵达": "YUNDA",
    "YUNDA": "YUNDA",
    "极兔": "JT",
    "京东": "JD",
    "JD": "JD",
    "德邦": "DEPPON",
    "DEPPON": "DEPPON",
}
_INVOICE = re.compile(r"[0-9]{18}|[0-9]{20}")


def document_key(kind: DocumentKind | str, number: str, issuer: str | None = None) -> str:
    """A document's number without what people write differently: width, case, spaces, dashes and other marks.

    An invoice is its code (10 or 12 digits) and number (8), or 20 digits (数电票); a bank receipt its serial; a waybill its carrier and number.
    """
    key = _plain(number)
    return f"{_carrier(issuer or '')}:{key}" if kind == DocumentKind.WAYBILL else key


def wrong_document(kind: DocumentKind | str, number: str, field: str) -> list[Fault]:
    """What cannot be such a document's number."""
    key = _plain(number)
    if kind == DocumentKind.INVOICE and not _INVOICE.fullmatch(key):
        zh, en = (
            "发票须为10或12位代码加8位号码，或20位数电票号码",
            "an invoice has a code of 10 or 12 digits and a number of 8, or 20 digits",
        )
        return [Fault(field, "wrong_invoice_number", zh, en)]
    if not key:
        return [Fault(field, "number_missing", "请填写号码", "the number is missing")]
    return []


GRAMS_PER_TONNE = 1_000_000


class Oddity(StrEnum):
    """By what a line's quantity cannot be."""

    WEIGHT = "weight"
    PRICE = "price"


def implausible(grams: int, amount_fen: int, listed_fen: Decimal | None, *, price_times: int, line_tonnes: int) -> list[Oddity]:
    """By what a line's quantity cannot be, if it cannot: it weighs more than ``line_tonnes``, or what was paid lies more than ``price_times`` below or
    above what the list asks for it (None or 0: there is no such price). What was given away (amount 0) tells nothing by its price.

    No source names such limits; both are the programme's.
    """
    odd = [Oddity.WEIGHT] if grams > line_tonnes * GRAMS_PER_TONNE else []
    if listed_fen and amount_fen and (amount_fen * price_times < listed_fen or listed_fen * price_times < amount_fen):
        odd.append(Oddity.PRICE)
    return odd


def _plain(written: str) -> str:
    return "".join(character for character in unicodedata.normalize("NFKC", written).upper() if character.isalnum())


def _carrier(written: str) -> str:
    plain = _plain(written)
    return next((code for name, code in _CARRIERS.items() if plain.startswith(name)), plain)
