"""Vouchers as a table to be exported, and as a sheet to be cut."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from orders.bookings.schemas import VoucherOut
from shop.core import clock, printing
from shop.core.errors import Language
from shop.core.exports import Cell

_TEMPLATE = Path(__file__).with_name("vouchers.typ")
HEADER: dict[Language, list[str]] = {
    "zh": ["券号", "券码", "服务", "规格", "供应商", "有效期起", "有效期止", "状态", "预约日期", "客人", "核销时间"],
    "en": ["number", "code", "service", "pack", "supplier", "valid from", "valid until", "status", "booked for", "guest", "redeemed at"],
}  # fmt: skip
TITLE: dict[Language, str] = {"zh": "服务券", "en": "Vouchers"}
STATUS_ZH = {"issued": "未使用", "booked": "已预约", "redeemed": "已核销", "expired": "已过期", "cancelled": "已取消"}
#: More are not printed at once.
MOST_PRINTED = 500


def cells(vouchers: Iterable[VoucherOut], language: Language) -> Iterator[list[Cell]]:
    """One row of cells for each voucher, in the order of the header."""
    for each in vouchers:
        redeemed = each.redeemed_at and clock.shanghai_text(each.redeemed_at, "minutes")
        status = STATUS_ZH[each.status] if language == "zh" else str(each.status)
        yield [
            each.number,
            each.code,
            each.product_name,
            each.pack,
            each.supplier_name,
            each.valid_from,
            each.valid_until,
            status,
            each.booked_for,
            each.guest,
            redeemed,
        ]


def pdf(vouchers: Sequence[VoucherOut]) -> bytes:
    """Eight vouchers on a page, each with its code as text and as QR; only for who sees the codes."""
    content = [
        {
            "number": each.number,
            "code": each.code,
            "qr": printing.qr_svg(each.code or each.number),
            "product": each.product_name,
            "pack": each.pack,
            "supplier": each.supplier_name,
            "valid": f"{each.valid_from:%Y-%m-%d} 至 {each.valid_until:%Y-%m-%d}",
            "booked": f"预约日期 {each.booked_for:%Y-%m-%d}" if each.booked_for else "使用前请预约日期",
            "state": STATUS_ZH[each.status],
        }
        for each in vouchers
    ]
    return printing.pdf(_TEMPLATE, content)
