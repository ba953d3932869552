"""What a programme says on which sales count, and when a claim is doubted."""

from collections.abc import Mapping
from typing import Literal

from pydantic import Field

from shop.programmes.parts import Part

Platform = Literal["832", "social_network", "other_platform", "contract", "offline"]
DocumentKind = Literal["invoice", "bank_receipt", "waybill", "contract", "platform_list", "photo", "letter", "other"]
#: On the net: the platform's own data, and an invoice or the list of deliveries. Elsewhere: invoice, bank receipt and contract.
_ONLINE: tuple[tuple[DocumentKind, ...], ...] = (("platform_list",), ("invoice", "waybill"))
_OFFLINE: tuple[tuple[DocumentKind, ...], ...] = (("invoice",), ("bank_receipt",), ("contract",))


class EvidenceRules(Part):
    """Papers that a sale made elsewhere needs, as Qianjiang asked for them in 2022."""

    #: By the place of the sale: each group is met by one of its kinds.
    needed: Mapping[Platform, tuple[tuple[DocumentKind, ...], ...]] = {
        "832": _ONLINE,
        "social_network": _ONLINE,
        "other_platform": _ONLINE,
        "contract": _OFFLINE,
        "offline": _OFFLINE,
    }
    #: Whoever shows an invoice shows the bank receipt too.
    receipt_with_invoice: bool = True
    #: Papers that are needed come as files, not by their numbers alone.
    files: bool = True


class CountingRules(Part):
    """None of the numbers was published; each is a default that a programme may change."""

    #: Goods that are sold on: what counts is the first sale out of the certified supplier, or the sale to the last buyer.
    counted_sale: Literal["first_sale", "final_sale"] = "first_sale"
    evidence: EvidenceRules = EvidenceRules()
    #: Two claims of the same supplier, product and amount within so many days are looked at by a person.
    duplicate_days: int = Field(default=3, ge=0, le=60)
    #: A till's clock may be ahead by so many minutes.
    clock_minutes: int = Field(default=10, ge=0, le=1440)
    #: Sales told later than so many days after they were made are held.
    late_days: int = Field(default=92, ge=1, le=730)
    #: A sale at an outlet is looked at where its amount is more than so many times less, or more, than the price of the outlet's list ...
    price_times: int = Field(default=100, ge=2, le=1_000_000)
    #: ... or where one line weighs more than so many tonnes, the load of a lorry.
    line_tonnes: int = Field(default=20, ge=1, le=1_000_000)
    #: A refund that an outlet told waits for its sale for so many days; then an officer decides about it.
    refund_days: int = Field(default=31, ge=1, le=730)
    #: More than so many yuan are taken out of what counts, by withdrawing, correcting or taking back what an outlet told, only once a second person agrees;
    #: all that was taken out of one outlet's figures on a day together. As much as a figure needs to be large (``grading.growth_floor_yuan``).
    withdrawal_yuan: int = Field(default=50_000, ge=0)
    #: An outlet from which nothing was heard for so many hours is silent.
    silent_hours: int = Field(default=72, ge=1, le=2160)
    #: Amounts of buyer and seller differ by no more than so many fen, and days by no more than so many, where no document says that they are one sale.
    match_fen: int = Field(default=0, ge=0)
    match_days: int = Field(default=7, ge=0, le=92)
