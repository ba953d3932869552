"""The households that the demo's products carry: invented people, with ID numbers that pass the check and belong to nobody known."""

import random
from datetime import date, datetime, timedelta

from sqlmodel import Session

from shop.core import sealing
from shop.demo.rows import Table

_SURNAMES = "王李张刘陈杨黄周吴徐孙马朱胡郭何高林罗郑冉田向谭"
_GIVEN = ["大明", "国富", "桂英", "光荣", "家福", "兴贵", "代珍", "明秀", "小兰", "天云", "永发", "正芳", "德全", "长菊"]
VILLAGES = ["光明村", "团结村", "青龙村", "双河村", "大坪村", "石堰村", "花园村", "茶园村"]
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
#: Households of a county from which every product takes some: people take part in more than one.
_POOL = 60


class Hamlet:
    """Gathers the lists of cases. A household is the same people in whichever list it stands."""

    def __init__(self, session: Session, chance: random.Random) -> None:
        self.chance = chance
        self.members = Table(session, "household_member", "case_id person_hash household_hash sealed mode created_at")
        self._known: dict[tuple[str, int], list[tuple[str, str]]] = {}
        self._numbers: set[str] = set()

    def list_for(self, case_id: int, district: str, village: str, households: int, modes: list[str], at: datetime) -> int:
        """Write the list of one case; returns how many persons stand in it."""
        persons = 0
        for number in sorted(self.chance.sample(range(1, _POOL), households)):
            household_no = f"{district}{number:04}"
            for name, id_number in self._people(district, number):
                persons += 1
                content = {"name": name, "id_number": id_number, "household_no": household_no, "village": village}
                self.members.add(
                    case_id,
                    sealing.keyed_hash("person", id_number),
                    sealing.keyed_hash("household", district, household_no),
                    sealing.seal(content),
                    self.chance.choice(modes),
                    at,
                )
        return persons

    def _people(self, district: str, number: int) -> list[tuple[str, str]]:
        if (district, number) not in self._known:
            surname = self.chance.choice(_SURNAMES)
            self._known[district, number] = [
                (surname + self.chance.choice(_GIVEN), self._id_number(district)) for _ in range(self.chance.randint(2, 4))
            ]
        return self._known[district, number]

    def _id_number(self, district: str) -> str:
        while True:
            born = date(1950, 1, 1) + timedelta(days=self.chance.randrange(20_000))
            number = id_number(district, born, self.chance.randint(1, 999))
            if number not in self._numbers:
                self._numbers.add(number)
                return number


def id_number(district: str, born: date, sequence: int) -> str:
    """A resident ID number with its check character (GB 11643)."""
    first_17 = f"{district}{born:%Y%m%d}{sequence:03}"
    return first_17 + "10X98765432"[sum(int(digit) * weight for digit, weight in zip(first_17, _WEIGHTS, strict=True)) % 11]
