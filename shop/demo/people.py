"""Who takes part in the demo."""

import csv
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from sqlalchemy import text
from sqlmodel import Session

from shop.core import uscc
from shop.identity import tokens
from shop.identity.actor import Actor

DATA = Path(__file__).parent / "data"

#: Where the officers of the demo logins sit, and whom the demo's supplier and buyer work for.
COUNTY, TOWNSHIP = "500236", "500236T01"
DEMO_SUPPLIER, DEMO_BUYER = "奉节县夔门脐橙专业合作社", "重庆大学城实验学校"
#: The enterprise that buys instead of donating.
DEMO_FIRM = "重庆南坪电子科技有限公司"

_USCC_KIND = {"cooperative": "93", "enterprise": "91", "village_collective": "N2", "agency": "11", "trade_union": "81"}


@dataclass(frozen=True)
class Region:
    code: str
    name: str
    valid_from: date | None
    valid_to: date | None
    successor: str | None


class Regions(dict[str, Region]):
    """All regions by code."""

    def in_force(self, code: str, on: date) -> Region:
        """The region, or the one that took its place by ``on``."""
        region = self[code]
        return self[region.successor] if region.successor and region.valid_to and region.valid_to <= on else region

    @classmethod
    def read(cls, session: Session) -> "Regions":
        rows = session.execute(text("SELECT code, name_zh, valid_from, valid_to, successor_code FROM region ORDER BY code"))
        return cls((row.code, Region(*row)) for row in rows)


@dataclass(frozen=True)
class Supplier:
    id: int
    user_id: int
    name: str
    #: District or township.
    region_code: str
    #: The district in which it lay before that was merged.
    formerly: Region | None = None


@dataclass(frozen=True)
class Buyer:
    """An organisation that orders, from ``since`` on. ``size`` is its share of all orders."""

    id: int
    user_id: int
    user_role: str
    name: str
    kind: str
    region_code: str
    address: str
    size: float
    roles: frozenset[str]
    #: Supporting bodies that it belongs to.
    supporters: frozenset[str]
    since: date


@dataclass(frozen=True)
class People:
    suppliers: dict[str, Supplier]
    buyers: list[Buyer]
    #: County officer of each district, by its code; township officer of each township from which products come.
    officers: dict[str, int]
    township_officers: dict[str, int]
    #: Who speaks for the departments of each district, by its code.
    department_officers: dict[str, int]
    city_officer: int


def acting(session: Session, username: str) -> Actor:
    """A user of the demo as the actions of the domains know who acts."""
    user_id = session.execute(text("SELECT id FROM app_user WHERE username = :name"), {"name": username}).scalar_one()
    return tokens.actor_of_user(session, user_id)


def as_it_is(_version: int) -> None:
    """Of what an action reads and changes any version is right: nobody else is there."""


def read_csv(name: str) -> list[dict[str, str]]:
    """The rows of a file of demo data."""
    with (DATA / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def credit_code(kind: str, region_code: str, number: int) -> str:
    """A code that passes the check and whose middle part (DEM and six digits) marks it as invented."""
    first_17 = f"{_USCC_KIND.get(kind, '12')}{region_code[:6]}DEM{number:06}"
    return first_17 + uscc.check_character(first_17)
