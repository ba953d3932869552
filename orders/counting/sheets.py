"""Doubts and books as tables to be exported."""

from collections.abc import Callable, Iterable, Iterator

from orders.counting.rules import DocumentKind
from orders.counting.schemas import HoldRow, PairOut, SideOut, UnmatchedRow
from orders.counting.words import ALONE, DOCUMENTS, REASONS, SIDES, STATUSES, SUBJECTS, decided
from shop.core.errors import Language
from shop.core.exports import Cell
from shop.core.money import yuan

HOLDS: dict[Language, str] = {"zh": "待核疑点", "en": "Doubts"}
HOLDS_HEADER: dict[Language, list[str]] = {
    "zh": ["编号", "原因", "状态", "区县", "对象", "对象编号", "销售方", "销售日期", "金额（元）", "单据", "对方", "对方编号", "对方日期", "对方金额（元）", "对方单据", "处理意见"],
    "en": ["id", "reason", "status", "district", "subject", "its number", "seller", "sold on", "amount (yuan)", "documents", "other", "its number", "its day", "its amount (yuan)", "its documents", "decision"],
}  # fmt: skip
PAIRS: dict[Language, str] = {"zh": "购销账对照", "en": "Books"}
PAIRS_HEADER: dict[Language, list[str]] = {
    "zh": ["供应单位", "采购单位", "平台订单（元）", "供方场外（元）", "供方账（元）", "购方场外（元）", "购方账（元）", "已对应（元）", "差额（元）"],
    "en": ["supplier", "buyer", "orders (yuan)", "seller's claims (yuan)", "seller's book (yuan)", "buyer's claims (yuan)", "buyer's book (yuan)", "matched (yuan)", "difference (yuan)"],
}  # fmt: skip
UNMATCHED: dict[Language, str] = {"zh": "未对应", "en": "Unmatched"}
UNMATCHED_HEADER: dict[Language, list[str]] = {
    "zh": ["账册", "编号", "供应单位", "采购单位", "销售日期", "金额（元）", "原因"],
    "en": ["book", "number", "supplier", "buyer", "sold on", "amount (yuan)", "reason"],
}


def hold_cells(rows: Iterable[HoldRow], district: Callable[[str], str], language: Language) -> Iterator[list[Cell]]:
    """One row for each doubt, in the order of the header."""
    for row in rows:
        cells: list[Cell] = [
            row.id,
            REASONS[row.reason_code][language],
            STATUSES[row.status][language],
            district(row.district_code),
        ]
        for side in (row.subject, row.other):
            named: list[Cell] = [SUBJECTS[side.kind][language], side.number or side.id] if side else ["", ""]
            seller: list[Cell] = [row.subject.name] if side is row.subject else []
            amount = yuan(side.amount) if side and side.amount is not None else None
            cells += [*named, *seller, side.sold_on if side else None, amount, _documents(side, language)]
        yield [*cells, decided(row.decision, language)]


def _documents(side: SideOut | None, language: Language) -> str:
    return " ".join(f"{DOCUMENTS[DocumentKind(each.kind)][language]} {each.number}" for each in side.documents) if side else ""


def pair_cells(row: PairOut) -> list[Cell]:
    amounts = (row.orders, row.seller_claims, row.seller_book, row.buyer_claims, row.buyer_book, row.matched, row.difference)
    return [row.supplier_name, row.buyer_name, *map(yuan, amounts)]


def unmatched_cells(row: UnmatchedRow, language: Language) -> list[Cell]:
    why = ALONE[row.reason_code][language]
    return [SIDES[row.side][language], row.number, row.supplier_name, row.buyer_name, row.sold_on, yuan(row.amount), why]
