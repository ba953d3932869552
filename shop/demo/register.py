"""Writes the demo's organisations and the people in them."""

import random
from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta

from pwdlib.hashers.argon2 import Argon2Hasher
from sqlalchemy import text
from sqlmodel import Session

from shop.core import clock
from shop.demo.logins import PASSWORD
from shop.demo.people import (
    COUNTY,
    DEMO_BUYER,
    DEMO_FIRM,
    DEMO_SUPPLIER,
    TOWNSHIP,
    Buyer,
    People,
    Region,
    Regions,
    Supplier,
    credit_code,
    read_csv,
)
from shop.demo.rows import Table, write_all
from shop.demo.trail import Trail
from shop.identity.actor import CITY
from shop.identity.permissions import REGIONAL, Role

_ROLES_SINCE = date(2016, 1, 1)
# The same for every user: hashing takes a while on purpose. The salt is fixed so that a load can be repeated.
_HASH = Argon2Hasher(time_cost=2, memory_cost=19 * 1024, parallelism=1).hash(PASSWORD, salt=b"demo-data-only-1")
_SURNAMES = "王李张刘陈杨黄周吴徐孙马朱胡郭何高林罗郑冉田向谭"
_GIVEN = ["建国", "晓梅", "志强", "秀英", "伟", "丽华", "文涛", "春燕", "永福", "明珍", "小军", "玉兰", "世荣", "佳怡"]


def load(session: Session, trail: Trail, chance: random.Random, start: date, today: date) -> People:
    """Write every organisation and user of the demo.

    All registered half a year before ``start`` at the latest, or when their district came into being.
    """
    town = _Town(session, trail, chance, start, today)
    officers, departments = town.officers()
    townships = town.township_officers()
    suppliers = {row["name"]: town.supplier(number, row) for number, row in enumerate(read_csv("suppliers.csv"), start=1)}
    buyers = list(town.buyers([*read_csv("buyers.csv"), *town.district_agencies()]))
    town.outlet_operator()
    town.waiting_for_the_officer()
    town.write()
    return People(suppliers, buyers, officers, townships, departments, town.city_officer)


class _Town:
    """Gathers the rows of organisations, users and their roles."""

    def __init__(self, session: Session, trail: Trail, chance: random.Random, start: date, today: date) -> None:
        self.session, self.trail, self.chance = session, trail, chance
        self.start, self.today = start, today
        self.regions = Regions.read(session)
        self.supporters: dict[str, int] = dict(session.execute(text("SELECT name, id FROM supporter")).all())
        self.organisations = Table(
            session,
            "organisation",
            "uscc name kind region_code address contact_name contact_phone status rejection_reason parent_id path registered_at"
            " decided_at version",
        )
        self.roles = Table(session, "organisation_role", "organisation_id role supporter_id valid_from")
        self.users = Table(session, "app_user", "username password_hash name organisation_id active created_at email")
        self.user_roles = Table(session, "user_role", "user_id role region_code")
        self.city_officer = 0
        self.paths: dict[str, tuple[int, str]] = {}

    def write(self) -> None:
        write_all(self.session, [self.organisations, self.roles, self.users, self.user_roles])

    # --- officers ---------------------------------------------------------------------------------------------------

    def officers(self) -> tuple[dict[str, int], dict[str, int]]:
        """The platform's own people; returns the county officers and who speaks for the departments there, by district, also by those that were
        merged into theirs."""
        self.user("admin", None, [(Role.PLATFORM_ADMIN, None)])
        self.city_officer = self.user("city", None, [(Role.CITY_OFFICER, CITY)])
        self.user("publisher", None, [(Role.CITY_OFFICER, CITY)])
        self.user("monitor", None, [(Role.MONITOR, CITY)])
        self.user("monitor-county", None, [(Role.MONITOR, COUNTY)])
        self.user("cashier", None, [(Role.PLATFORM_FINANCE, CITY)])
        self.user("treasurer", None, [(Role.PLATFORM_FINANCE, CITY)])
        department = self.user("department", None, [(Role.DEPARTMENT_OFFICER, COUNTY)])
        counties = {
            region.code: self.user(
                "county" if region.code == COUNTY else f"county-{region.code}", None, [(Role.COUNTY_OFFICER, region.code)]
            )
            for region in self.districts()
        }
        # drawn apart, so that they change nothing else of the demo
        chance, self.chance = self.chance, random.Random(len(counties))  # noqa: S311  demo data
        departments = {
            region.code: department
            if region.code == COUNTY
            else self.user(f"department-{region.code}", None, [(Role.DEPARTMENT_OFFICER, region.code)])
            for region in self.districts()
        }
        self.chance = chance
        return self.with_merged(counties), self.with_merged(departments)

    def with_merged(self, officers: dict[str, int]) -> dict[str, int]:
        now = {code: self.regions.in_force(code, self.today).code for code in self.regions}
        return officers | {code: officers[successor] for code, successor in now.items() if successor in officers}

    def township_officers(self) -> dict[str, int]:
        """An officer for every township from which products come."""
        codes = sorted({row["township_code"] for row in read_csv("products.csv")} - {""})
        return {
            code: self.user("township" if code == TOWNSHIP else f"township-{code}", None, [(Role.TOWNSHIP_OFFICER, code)])
            for code in codes
        }

    def districts(self) -> list[Region]:
        """Every district and county of the city that is in force today."""
        return [
            region
            for region in self.regions.values()
            if len(region.code) == 6
            and region.code.startswith("500")
            and region.code != CITY
            and (region.valid_to is None or region.valid_to > self.today)
        ]

    # --- suppliers and buyers ---------------------------------------------------------------------------------------

    def supplier(self, number: int, row: dict[str, str]) -> Supplier:
        former = self.regions[row["region_code"]]
        region = self.regions.in_force(former.code, self.today)
        organisation = self.organisation(row["name"], row["kind"], region.code, self.registered_on(former))
        self.roles.add(organisation, "supplier", None, _ROLES_SINCE)
        user = self.user(f"supplier-{number}", organisation, [(Role.SUPPLIER_ADMIN, None)])
        if row["name"] == DEMO_SUPPLIER:
            user = self.user("supplier", organisation, [(Role.SUPPLIER_ADMIN, None)])
            self.user("staff", organisation, [(Role.SUPPLIER_STAFF, None)])
        return Supplier(organisation, user, row["name"], region.code, None if former is region else former)

    def district_agencies(self) -> Iterator[dict[str, str]]:
        """Each district's own service centre, which buys for its canteen."""
        for region in self.districts():
            yield {
                "name": f"{region.name}机关事务服务中心",
                "kind": "public_institution",
                "region_code": region.code,
                "roles": "budget_unit",
                "parent": "",
                "size": "2",
            }

    def buyers(self, rows: Sequence[dict[str, str]]) -> Iterator[Buyer]:
        """``roles`` are words such as ``budget_unit`` or ``central_unit:水利部``; a parent stands before its units."""
        for number, row in enumerate(rows, start=1):
            region = self.regions.in_force(row["region_code"], self.today)
            organisation = self.organisation(row["name"], row["kind"], region.code, self.registered_on(region), row["parent"])
            roles = [word.partition(":")[::2] for word in row["roles"].split()]
            for role, supporter in roles:
                self.roles.add(organisation, role, self.supporters[supporter] if supporter else None, _ROLES_SINCE)
            if row["name"] == DEMO_BUYER:
                user, role_name = self.demo_buyer(organisation)
            else:
                if row["name"] == DEMO_FIRM:
                    self.user("firm", organisation, [(Role.BUYER_ADMIN, None), (Role.PURCHASER, None)])
                roles_held = (Role.BUYER_ADMIN, Role.PURCHASER, Role.FINANCE)
                user = self.user(f"buyer-{number}", organisation, [(role_name, None) for role_name in roles_held])
                role_name = ",".join(roles_held)
            yield Buyer(
                id=organisation,
                user_id=user,
                user_role=role_name,
                name=row["name"],
                kind=row["kind"],
                region_code=region.code,
                address=self.address(region),
                size=float(row["size"]),
                roles=frozenset(role for role, _ in roles),
                supporters=frozenset(supporter for _, supporter in roles if supporter),
                since=max(self.start, self.registered_on(region)),
            )

    def demo_buyer(self, organisation: int) -> tuple[int, str]:
        """The school of the demo logins has a person for each part of the work; returns who orders, and that role."""
        user = self.user("buyer", organisation, [(Role.PURCHASER, None)])
        self.user("unit", organisation, [(Role.BUYER_ADMIN, None)])
        self.user("approver", organisation, [(Role.APPROVER, None)])
        self.user("finance", organisation, [(Role.FINANCE, None)])
        self.user("viewer", organisation, [(Role.VIEWER, None)])
        return user, str(Role.PURCHASER)

    def outlet_operator(self) -> None:
        organisation = self.organisation("重庆渝扶专柜运营有限公司", "enterprise", "500103", self.start - timedelta(days=180))
        self.roles.add(organisation, "outlet_operator", None, _ROLES_SINCE)
        self.user("outlet", organisation, [(Role.OUTLET_OPERATOR, None)])

    def waiting_for_the_officer(self) -> None:
        """Registrations in the demo county that are not decided, and one that was refused."""
        waiting = [("奉节县白帝城果蔬专业合作社", "cooperative", 2), ("奉节县天坑地缝食品有限公司", "enterprise", 1)]
        for name, kind, days in waiting:
            self.registration(name, kind, days, "pending", None)
        self.registration("奉节县永乐家庭农场", "family_farm", 9, "rejected", "营业执照经营范围不含所申请的产品")

    def registration(self, name: str, kind: str, days: int, status: str, reason: str | None) -> None:
        organisation = self.organisation(name, kind, COUNTY, self.today - timedelta(days=days), status=status, reason=reason)
        self.roles.add(organisation, "supplier", None, self.today - timedelta(days=days))
        self.user(f"applicant-{organisation}", organisation, [(Role.SUPPLIER_ADMIN, None)])

    # --- rows -------------------------------------------------------------------------------------------------------

    def registered_on(self, region: Region) -> date:
        """Half a year before the first order; in a new district on the district's first day."""
        early = self.start - timedelta(days=180)
        return max(early, region.valid_from) if region.valid_from else early

    def organisation(
        self,
        name: str,
        kind: str,
        region_code: str,
        registered_on: date,
        parent: str = "",
        *,
        status: str = "approved",
        reason: str | None = None,
    ) -> int:
        number = len(self.organisations.rows) + 1
        registered = self.at_office_hours(registered_on)
        decided = None if status == "pending" else registered + timedelta(days=2)
        parent_id, parent_path = self.paths[parent] if parent else (None, "/")
        organisation = self.organisations.add(
            credit_code(kind, region_code, number),
            name,
            kind,
            region_code,
            self.address(self.regions[region_code]),
            self.person(),
            f"023-5550{number:04}",
            status,
            reason,
            parent_id,
            "",
            registered,
            decided,
            1 if decided is None else 2,
        )
        path = f"{parent_path}{organisation}/"
        row = list(self.organisations.rows[-1])
        row[10] = path
        self.organisations.rows[-1] = tuple(row)
        self.paths[name] = (organisation, path)
        self.trail.add(registered, None, "system", "organisation.registered", "organisation", organisation)
        self.trail.tell(registered, "organisation.registered", organisation_id=organisation, version=1)
        if decided:
            verb = "approved" if status == "approved" else "rejected"
            self.trail.add(
                decided, self.city_officer, str(Role.CITY_OFFICER), f"organisation.{verb}", "organisation", organisation, reason
            )
        return organisation

    def user(self, username: str, organisation: int | None, grants: Sequence[tuple[Role, str | None]]) -> int:
        created = self.at_office_hours(self.start - timedelta(days=170))
        user = self.users.add(username, _HASH, self.person(), organisation, True, created, f"{username}@example.org")
        for role, region in grants:
            self.user_roles.add(user, str(role), region if role in REGIONAL else None)
        return user

    def person(self) -> str:
        return self.chance.choice(_SURNAMES) + self.chance.choice(_GIVEN)

    def address(self, region: Region) -> str:
        city = "重庆市" if region.code.startswith("500") and region.code != CITY else ""
        street = self.chance.choice(["人民路", "滨江路", "新城大道", "文化路", "建设路"])
        return f"{city}{region.name}{street}{self.chance.randint(1, 300)}号"

    def at_office_hours(self, day: date) -> datetime:
        return clock.start_of_day(day) + timedelta(minutes=self.chance.randint(9 * 60, 17 * 60))
