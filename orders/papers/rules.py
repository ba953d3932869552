"""Who brings which paper, and what has to be said of it: pure functions."""

from dataclasses import asdict, dataclass
from datetime import date
from enum import StrEnum
from typing import Any

from shop.core.errors import Fault


class PaperKind(StrEnum):
    INVOICE = "invoice"
    ACCEPTANCE_REPORT = "acceptance_report"
    DELIVERY_PROOF = "delivery_proof"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Said:
    """What is said of a paper; ``amount`` in fen."""

    kind: PaperKind
    number: str | None = None
    issued_on: date | None = None
    amount: int | None = None
    note: str | None = None

    def values(self) -> dict[str, Any]:
        return asdict(self)


#: The side that brings it; what is not named both may.
SIDES = {PaperKind.INVOICE: "supplier", PaperKind.DELIVERY_PROOF: "supplier", PaperKind.ACCEPTANCE_REPORT: "buyer"}
#: States in which an order has nothing that such papers could speak of.
NOT_BOUND = frozenset({"placed", "rejected", "cancelled"})


def missing(said: Said) -> list[Fault]:
    """An invoice is known by its number, date and amount."""
    if said.kind is not PaperKind.INVOICE:
        return []
    names = [name for name in ("number", "issued_on", "amount") if getattr(said, name) is None]
    return [Fault(name, "missing", "发票须填写此项", "An invoice needs it") for name in names]
