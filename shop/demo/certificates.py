"""The demo's certificates: the batches that published them, their numbers, and what happened to them since."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import text
from sqlmodel import Session

from catalog.certificates import rules
from catalog.certificates.states import SuspendedBy
from shop.core import clock
from shop.core.workdays import Calendar
from shop.demo.dossier import Applied
from shop.demo.people import People
from shop.demo.rows import Table, write_all
from shop.demo.trail import Trail
from shop.identity.permissions import Role
from shop.programmes.schemas import CertificationRules

CITY_OFFICER = str(Role.CITY_OFFICER)
#: How long ago the demo's suspended and revoked certificates were stopped.
_SUSPENDED_FOR, _REVOKED_FOR = timedelta(days=20), timedelta(days=200)
_WHY = {
    "suspended": ("quality_failure", "抽检标签不合格，整改中"),
    "revoked": ("relabelled", "抽检发现原料来自外地"),
}
_CHINESE = "零一二三四五六七八九十"


@dataclass(frozen=True)
class Certified:
    """A certificate and the days on which its product was ordered: from ``since`` to the day before ``until``."""

    certificate_id: int
    since: date
    until: date | None


@dataclass(frozen=True)
class Issue:
    """What a certificate says."""

    case_id: int
    batch_id: int
    applied: Applied
    township: str | None
    programme_code: str
    rules: CertificationRules
    capacity_kg: int | None
    monthly_kg: list[int] | None
    comparable_fen: int
    comparable_grams: int | None
    households: int
    persons: int
    papers_valid_until: date | None
    issued_at: datetime


class Registry:
    """Gathers batches and certificates."""

    def __init__(
        self, session: Session, trail: Trail, people: People, workdays: Calendar, chance: random.Random, today: date
    ) -> None:
        self.session, self.trail, self.people, self.workdays = session, trail, people, workdays
        self.chance, self.today = chance, today
        self.batches = Table(session, "catalogue_batch", "number level title status created_by created_at published_at version")
        self.certificates = Table(
            session,
            "certificate",
            "number case_id batch_id product_id supplier_id programme_code district_code township_code village product_name"
            " supplier_name producer grade specification annual_capacity_kg monthly_capacity_kg comparable_price_fen"
            " comparable_pack_grams households persons valid_from valid_until papers_valid_until suspended_at revoked_at"
            " reason_code reason issued_at",
        )
        self.suspensions = Table(session, "suspension", "certificate_id level since reason_code reason", numbered=False)
        self.events = Table(session, "certificate_event", "certificate_id kind at reason_code reason actor_id actor_role")
        self.revocations = Table(
            session,
            "revocation",
            "certificate_id status reason_code reason opened_by opened_at statement_due_on statement stated_at decided_by decided_at"
            " decision_reason",
        )
        self._published: dict[date, tuple[int, datetime]] = {}
        #: The highest price without a review by product: fen, grams.
        self.ceilings: dict[int, tuple[int, int | None]] = {}
        self._issues: list[tuple[Issue, date, dict[str, Any]]] = []

    def batch(self, day: date) -> int:
        """The id of the batch that was published on a day."""
        return self._batch(day)[0]

    def published_at(self, day: date) -> datetime:
        """The moment at which that batch was published."""
        return self._batch(day)[1]

    def issue(self, issue: Issue, certification: str, start: date) -> Certified:
        """A certificate, with what became of it since; ``start``: the day of the demo's first order."""
        first = clock.shanghai_date(issue.issued_at)
        last = rules.last_day(first, issue.rules.validity_months)
        certificate_id = self.certificates.next_id + len(self._issues)
        self._record(certificate_id, issue.issued_at, "issued", self.people.city_officer, CITY_OFFICER)
        stopped = self._stop(certificate_id, issue, certification, first)
        self._issues.append((issue, last, stopped))
        self.ceilings[issue.applied.product_id] = (
            rules.ceiling(issue.comparable_fen, issue.rules.price_tolerance_percent),
            issue.comparable_grams,
        )
        at: datetime | None = stopped.get("suspended_at") or stopped.get("revoked_at")
        until = clock.shanghai_date(at) if at else (last + timedelta(days=1) if last < self.today else None)
        return Certified(certificate_id, max(first + timedelta(days=1), start), until)

    def write_batches(self) -> None:
        """Number the batches of each year in the order of their days; cases refer to them."""
        counted: dict[int, int] = {}
        rows = self.batches.rows
        for day, (batch_id, at) in sorted(self._published.items()):
            counted[day.year] = counted.get(day.year, 0) + 1
            number = counted[day.year]
            title = f"重庆市消费帮扶产品{day.year}年第{_CHINESE[number] if number <= 10 else number}批"
            place = batch_id - (self.batches.next_id - len(rows))
            drawn_up = at - timedelta(days=1)
            creator = self.people.city_officer
            rows[place] = (f"{day.year}-{number:02}", "city", title, "published", creator, drawn_up, at, 2)
            self.trail.add(drawn_up, creator, CITY_OFFICER, "batch.created", "catalogue_batch", batch_id)
            self.trail.add(at, creator, CITY_OFFICER, "batch.published", "catalogue_batch", batch_id)
        self._count({f"catalogue_batch:{year}:city": last for year, last in counted.items()})
        self.batches.write(self.session)

    def write(self) -> None:
        """Number the certificates of each year and county in the order of their issue, without gaps, and write everything."""
        for row in self._numbered():
            self.certificates.add(*row)
        self.events.rows.sort(key=lambda row: row[2])
        write_all(self.session, [self.certificates, self.suspensions, self.events, self.revocations])

    def _batch(self, day: date) -> tuple[int, datetime]:
        if day not in self._published:
            at = clock.start_of_day(day) + timedelta(hours=17, minutes=30)
            self._published[day] = (self.batches.add(), at)
        return self._published[day]

    def _stop(self, certificate_id: int, issue: Issue, certification: str, first: date) -> dict[str, Any]:
        """A suspension or a revocation, if there was one: the columns that tell of it."""
        if certification not in _WHY:
            return {}
        code, reason = _WHY[certification]
        county = self.people.officers[issue.applied.district]
        if certification == "suspended":
            at = clock.start_of_day(self.today - _SUSPENDED_FOR) + timedelta(hours=10)
            self._record(certificate_id, at, "suspended", county, str(Role.COUNTY_OFFICER), code, reason)
            self.suspensions.add(certificate_id, SuspendedBy.COUNTY.value, at, code, reason)
            return {"suspended_at": at, "reason_code": code, "reason": reason}
        day = max(self.today - _REVOKED_FOR, first + timedelta(days=30))
        opened, stated, at = (clock.start_of_day(day - timedelta(days=n)) + timedelta(hours=10) for n in (9, 6, 0))
        due = self.workdays.add(clock.shanghai_date(opened), issue.rules.revocation_statement_working_days)
        statement, decision = "部分原料收购自邻省，已停止。", "陈述不影响事实认定，予以撤销。"
        city = self.people.city_officer
        user = issue.applied.supplier.user_id
        self.revocations.add(certificate_id, "revoked", code, reason, county, opened, due, statement, stated, city, at, decision)
        self._record(certificate_id, opened, "revocation_opened", county, str(Role.COUNTY_OFFICER), code, reason)
        self._record(certificate_id, stated, "revocation_stated", user, str(Role.SUPPLIER_ADMIN))
        self._record(certificate_id, at, "revoked", city, CITY_OFFICER, code, decision)
        return {"revoked_at": at, "reason_code": code, "reason": reason}

    def _record(
        self,
        certificate_id: int,
        at: datetime,
        kind: str,
        actor: int,
        role: str,
        reason_code: str | None = None,
        reason: str | None = None,
    ) -> None:
        self.events.add(certificate_id, kind, at, reason_code, reason, actor, role)
        self.trail.add(at, actor, role, f"certificate.{kind}", "certificate", certificate_id, reason)

    def _numbered(self) -> Iterator[tuple[Any, ...]]:
        counted: dict[tuple[int, str], int] = {}
        numbers: dict[int, str] = {}
        for issue, *_ in sorted(self._issues, key=lambda one: (one[0].issued_at, one[0].case_id)):
            year, district = clock.shanghai_date(issue.issued_at).year, issue.applied.district
            counted[year, district] = counted.get((year, district), 0) + 1
            numbers[issue.case_id] = rules.certificate_number(year, district, counted[year, district])
        self._count({rules.certificate_series(*key): last for key, last in counted.items()})
        for issue, last, stopped in self._issues:
            applied = issue.applied
            yield (
                numbers[issue.case_id],
                issue.case_id,
                issue.batch_id,
                applied.product_id,
                applied.supplier.id,
                issue.programme_code,
                applied.district,
                issue.township,
                applied.village,
                applied.row["name"],
                applied.supplier.name,
                applied.producer,
                applied.grade,
                applied.specification,
                issue.capacity_kg,
                issue.monthly_kg,
                issue.comparable_fen,
                issue.comparable_grams,
                issue.households,
                issue.persons,
                clock.shanghai_date(issue.issued_at),
                last,
                issue.papers_valid_until,
                stopped.get("suspended_at"),
                stopped.get("revoked_at"),
                stopped.get("reason_code"),
                stopped.get("reason"),
                issue.issued_at,
            )

    def _count(self, series: dict[str, int]) -> None:
        if series:
            self.session.execute(
                text("INSERT INTO number_series (series, last) VALUES (:series, :last)"),
                [{"series": name, "last": last} for name, last in series.items()],
            )
