"""What a claim of a sale made elsewhere has to bring: pure functions."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import StrEnum

from orders.counting.rules import wrong_document
from shop.core.errors import Fault
from shop.programmes.counting import EvidenceRules


class Side(StrEnum):
    """In whose book it stands: the seller's makes the figures, the buyer's is held against it."""

    SELLER = "seller"
    BUYER = "buyer"


class Platform(StrEnum):
    P832 = "832"
    SOCIAL_NETWORK = "social_network"
    OTHER_PLATFORM = "other_platform"
    CONTRACT = "contract"
    OFFLINE = "offline"


class PaperKind(StrEnum):
    INVOICE = "invoice"
    BANK_RECEIPT = "bank_receipt"
    WAYBILL = "waybill"
    CONTRACT = "contract"
    PLATFORM_LIST = "platform_list"
    PHOTO = "photo"
    LETTER = "letter"
    OTHER = "other"


#: Papers that are known by a number, of which each stands for one sale.
NUMBERED = frozenset({PaperKind.INVOICE, PaperKind.BANK_RECEIPT, PaperKind.WAYBILL})
_NAMES: Mapping[str, tuple[str, str]] = {
    "invoice": ("发票", "invoice"),
    "bank_receipt": ("银行回单", "bank receipt"),
    "waybill": ("运单或物流清单", "waybill"),
    "contract": ("合同", "contract"),
    "platform_list": ("平台后台数据", "platform's list"),
    "photo": ("照片", "photograph"),
    "letter": ("承诺书", "letter"),
    "other": ("其他材料", "other paper"),
}


@dataclass(frozen=True, slots=True)
class Line:
    """Goods of one product; ``amount_fen`` with tax. Without ``grams`` the weight of the pack is taken."""

    product_id: int
    quantity: Decimal
    amount_fen: int
    sku_id: int | None = None
    unit: str | None = None
    grams: int | None = None


@dataclass(frozen=True, slots=True)
class Paper:
    kind: PaperKind
    number: str | None = None
    issuer: str | None = None
    dated_on: date | None = None
    amount_fen: int | None = None


@dataclass(frozen=True, slots=True)
class Claim:
    """What is claimed. The buyer is named by ``buyer_id``, or by name, kind and region."""

    side: Side
    platform: Platform
    supplier_id: int
    sold_on: date
    lines: Sequence[Line]
    helper_id: int | None = None
    invoice_seller: str | None = None
    invoice_seller_uscc: str | None = None
    buyer_id: int | None = None
    buyer_name: str | None = None
    buyer_kind: str | None = None
    buyer_region_code: str | None = None
    order_number: str | None = None
    fund_source: str = "other"
    declared_relation_id: int | None = None
    note: str = ""
    papers: Sequence[Paper] = field(default=())

    @property
    def direction(self) -> str:
        return "helped_sale" if self.helper_id else "purchase"


@dataclass(frozen=True, slots=True)
class Brought:
    """A paper that a claim has by now."""

    kind: str
    has_file: bool


def missing(platform: str, papers: Collection[Brought], rules: EvidenceRules) -> list[Fault]:
    """Every paper that a claim still lacks, by the place of the sale; a group is met by any of its kinds."""
    good = {paper.kind for paper in papers if paper.has_file or not rules.files}
    groups = list(rules.needed.get(platform, ()))  # type: ignore[call-overload]
    if rules.receipt_with_invoice and "invoice" in {paper.kind for paper in papers} and ("bank_receipt",) not in groups:
        groups.append(("bank_receipt",))
    return [_lacks(group) for group in groups if not good.intersection(group)]


def _lacks(group: Sequence[str]) -> Fault:
    zh = "或".join(_NAMES[kind][0] for kind in group)
    en = " or ".join(_NAMES[kind][1] for kind in group)
    return Fault("documents", f"missing_{'_or_'.join(group)}", f"缺少{zh}（须附文件）", f"The {en} is missing, with its file")


def wrong_paper(paper: Paper, today: date, path: str = "") -> list[Fault]:
    """What cannot be true of a paper."""
    at = f"{path}." if path else ""
    faults = []
    if paper.kind in NUMBERED and not paper.number:
        faults.append(Fault(f"{at}number", "number_missing", "请填写号码", "the number is missing"))
    elif paper.kind in NUMBERED and paper.number:
        faults += wrong_document(paper.kind, paper.number, f"{at}number")
    if paper.kind is PaperKind.WAYBILL and not paper.issuer:
        faults.append(Fault(f"{at}issuer", "carrier_missing", "请填写承运单位", "the carrier is missing"))
    if paper.dated_on and paper.dated_on > today:
        faults.append(Fault(f"{at}dated_on", "in_future", "日期不能晚于今天", "lies in the future"))
    return faults
