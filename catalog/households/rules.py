"""What a list of households must be, and how little of a person is shown."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date

from shop.core.errors import Fault

#: Weights and check characters of the resident ID number (GB 11643).
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECKS = "10X98765432"


@dataclass(frozen=True)
class Member:
    """One person of one household, as the supplier lists them. ``id_number`` with a capital X."""

    name: str
    id_number: str
    household_no: str
    mode: str
    village: str


def is_id_number(number: str, today: date) -> bool:
    """Whether a resident ID number can be one: its form, a birthday in the past, the check character."""
    if len(number) != 18 or not (number[:17].isascii() and number[:17].isdigit()):
        return False
    try:
        born = date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    except ValueError:
        return False
    if not date(1900, 1, 1) <= born <= today:
        return False
    return number[17] == _CHECKS[sum(int(digit) * weight for digit, weight in zip(number, _WEIGHTS, strict=False)) % 11]


def faults(members: Sequence[Member], modes: Collection[str], today: date) -> list[tuple[int, str, Fault]]:
    """Every fault of a list, with the place of its person and the field; what was written is never repeated."""
    found = []
    first: dict[str, int] = {}
    for at, member in enumerate(members):
        if not is_id_number(member.id_number, today):
            found.append((at, "id_number", Fault("id_number", "id_number_wrong", "身份证号有误", "the ID number cannot be one")))
        elif first.setdefault(member.id_number, at) != at:
            found.append(
                (at, "id_number", Fault("id_number", "person_twice", "同一人重复出现", "this person stands in the list twice"))
            )
        if member.mode not in modes:
            found.append((at, "mode", Fault("mode", "unknown_mode", "没有此带动方式", "there is no such way of taking part")))
    return found


def masked_name(name: str) -> str:
    """张大明 -> 张**."""
    return name[:1] + "*" * max(len(name) - 1, 1)


def masked_id_number(number: str) -> str:
    """The county and the check character; nothing of the birthday."""
    return f"{number[:6]}***********{number[-1:]}"
