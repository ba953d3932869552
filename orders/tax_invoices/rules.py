"""What the digits of a tax invoice's number must be: pure functions."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any

from shop.core.errors import Fault


class TaxInvoiceType(StrEnum):
    SPECIAL = "special"
    ORDINARY = "ordinary"


#: The five cities that plan for themselves (大连 宁波 厦门 青岛 深圳), as their tax bureaus seem to be numbered, with the province that each lies in.
_CITIES = {"91": "21", "92": "33", "93": "35", "94": "37", "95": "44"}
#: The tax bureaus that number invoices: provinces by the first two digits of GB/T 2260, and these cities.
_PROVINCES = frozenset(
    "11 12 13 14 15 21 22 23 31 32 33 34 35 36 37 41 42 43 44 45 46 50 51 52 53 54 61 62 63 64 65".split()  # noqa: SIM905
) | set(_CITIES)
_DIGITAL = re.compile(r"^[0-9]{20}$")
_CODES = re.compile(r"^([0-9]{10}|[0-9]{12})$")
_NUMBER = re.compile(r"^[0-9]{8}$")
_ASCII = str.maketrans("０１２３４５６７８９", "0123456789")


def normal(written: str) -> str:
    """A number as people write it, without spaces and with plain digits."""
    return "".join(written.split()).replace("-", "").translate(_ASCII)


def wrong_number(code: str | None, number: str, issued_on: date, today: date) -> list[tuple[str, str, str, str]]:
    """What is wrong with code, number or date: (field, code, Chinese, English).

    A fully digitalised invoice (数电票) has 20 digits: the year, the province, the way by which it was issued and a serial of 15 digits
    (国家税务总局公告2024年第11号). Older ones have a code of 10 or 12 digits, which names province and year of printing, and a number of 8.
    """
    wrong = []
    if code is None:
        if not _DIGITAL.match(number):
            wrong.append(
                (
                    "number",
                    "not_20_digits",
                    "数电票号码为20位数字；旧版发票请另填发票代码",
                    "20 digits; of an older invoice give its code too",
                )
            )
        else:
            wrong += _place_and_year("number", _place(code, number), number[:2], issued_on, exactly=True)
    else:
        if not _CODES.match(code):
            wrong.append(("code", "not_10_or_12_digits", "发票代码为10位或12位数字", "10 or 12 digits"))
        else:
            year = code[5:7] if len(code) == 12 else code[4:6]
            wrong += _place_and_year("code", _place(code, number), year, issued_on, exactly=False)
        if not _NUMBER.match(number):
            wrong.append(("number", "not_8_digits", "发票号码为8位数字", "8 digits"))
    if issued_on > today:
        wrong.append(("issued_on", "issued_in_future", "开具日期不能晚于今天", "lies in the future"))
    return wrong


def other_province(code: str | None, number: str, seller_uscc: str) -> bool:
    """Whether an invoice's digits name another province than that in which its seller was registered (digits 3 and 4 of its credit code; GB 32100).

    Digits 3 and 4 of a 数电票 are the bureau of the province where whoever issues it is (国家税务总局公告2024年第11号). A seller that moved keeps its credit
    code, and one registered with the State has no province in it: so this only tells somebody to look.
    """
    place, home = _place(code, number), seller_uscc[2:4]
    return home in _PROVINCES and _CITIES.get(place, place) != home


def _place(code: str | None, number: str) -> str:
    """The digits that name a province."""
    return number[2:4] if code is None else code[1:3] if len(code) == 12 else code[:2]


def _place_and_year(field: str, place: str, year: str, issued_on: date, *, exactly: bool) -> list[tuple[str, str, str, str]]:
    wrong = []
    if place not in _PROVINCES:
        wrong.append((field, "no_such_province", "号码中的省份代码有误", "its digits name no province"))
    of_issue = issued_on.year % 100
    # paper forms were used up in years after their printing
    if (int(year) != of_issue) if exactly else (int(year) > of_issue):
        wrong.append((field, "wrong_year", "号码中的年份与开具日期不符", "its digits name another year than that of its date"))
    return wrong


@dataclass(frozen=True, slots=True)
class Cover:
    """Something that a tax invoice is for, with whose it is."""

    supplier_order_id: int
    seller_id: int
    buyer_id: int
    ordering_unit_id: int
    invoice_id: int | None = None
    credit_note_id: int | None = None
    acceptance_id: int | None = None
    #: The invoice of the own books that it is, or that a credit note is of.
    of_invoice_id: int | None = None
    #: Whether there is VAT on it.
    taxed: bool = True

    def places(self) -> set[tuple[str, int]]:
        """What a tax invoice has to be for, one of these, that a red-letter one for this takes back."""
        named = (("part", self.supplier_order_id), ("invoice", self.of_invoice_id), ("acceptance", self.acceptance_id))
        return {(kind, number) for kind, number in named if number is not None}


def wrong_type(type: TaxInvoiceType, covers: Iterable[Cover], path: str, *, red: bool) -> list[Fault]:
    """For what is exempt no special invoice (专用发票) is issued (增值税暂行条例 §21(2)). One that was is taken back by a special one."""
    found = list(covers)
    if red or type is not TaxInvoiceType.SPECIAL or not found or any(cover.taxed for cover in found):
        return []
    return [Fault(path, "special_for_exempt", "免税货物不得开具增值税专用发票", "For exempt goods no special invoice is issued")]


def wrong_covers(covers: Iterable[Cover], path: str) -> list[Fault]:
    """One tax invoice has one seller and one buyer."""
    found = list(covers)
    if not found:
        return [
            Fault(
                path,
                "covers_nothing",
                "请注明对应的结算发票、红字发票或已验收的到货",
                "Say for which invoice, credit note or accepted delivery",
            )
        ]
    if len({(cover.seller_id, cover.buyer_id) for cover in found}) > 1:
        return [
            Fault(path, "several_parties", "一张发票只能对应一个销售方和一个购买方", "One invoice has one seller and one buyer")
        ]
    return []


def faults(wrong: Iterable[tuple[str, str, str, str]], path: str) -> list[Fault]:
    return [Fault(f"{path}.{field}" if path else field, code, zh, en) for field, code, zh, en in wrong]


def repeated(numbers: Iterable[Any]) -> set[Any]:
    """What is named more than once."""
    seen: set[Any] = set()
    return {number for number in numbers if number in seen or seen.add(number)}  # type: ignore[func-returns-value]


def unexplained(
    *, blue_gross: int, unlinked: int, red_gross: int, invoiced: int, credited: int, missing: int, red_missing: int
) -> int:
    """What the register says beyond the own books, in fen; zero where every tax invoice agrees with what it is for.

    ``blue_gross`` less ``unlinked`` (what is for nothing in the own books) less ``red_gross`` stands against ``invoiced`` less ``credited``; of that
    ``missing`` has no tax invoice yet, and ``red_missing`` no red-letter one.
    """
    return blue_gross - unlinked - red_gross - (invoiced - credited - missing + red_missing)
