"""Who brings which paper, and what has to be said of it: pure functions."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from orders.tax_invoices import rules as digits
from shop.core.errors import Fault


class PaperKind(StrEnum):
    INVOICE = "invoice"
    ACCEPTANCE_REPORT = "acceptance_report"
    DELIVERY_PROOF = "delivery_proof"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Said:
    """What is said of a paper; ``amount`` and ``vat`` in fen. ``code`` and ``vat`` are said of invoices only."""

    kind: PaperKind
    number: str | None = None
    issued_on: date | None = None
    amount: int | None = None
    note: str | None = None
    code: str | None = None
    vat: int | None = None


#: The side that brings it; what is not named both may.
SIDES = {PaperKind.INVOICE: "supplier", PaperKind.DELIVERY_PROOF: "supplier", PaperKind.ACCEPTANCE_REPORT: "buyer"}
#: States in which an order has nothing that such papers could speak of.
NOT_BOUND = frozenset({"placed", "rejected", "cancelled"})


def wrong(said: Said, today: date) -> list[Fault]:
    """An invoice is known by its number, date and amount, and its digits are those of the tax authority."""
    if said.kind is not PaperKind.INVOICE:
        return []
    names = [name for name in ("number", "issued_on", "amount") if getattr(said, name) is None]
    if names or said.number is None or said.issued_on is None or said.amount is None:
        return [Fault(name, "missing", "发票须填写此项", "An invoice needs it") for name in names]
    faults = digits.faults(digits.wrong_number(said.code, said.number, said.issued_on, today), "")
    if said.vat is not None and not 0 <= said.vat <= said.amount:
        faults.append(Fault("vat", "out_of_range", "税额须在零与价税合计之间", "It lies between zero and the amount"))
    return faults
