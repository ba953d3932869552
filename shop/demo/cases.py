"""The demo's certification cases: each product's way to its certificate, or to where it waits today."""

import random
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import text
from sqlmodel import Session

from catalog.certification import rules
from catalog.certification.states import CASE, CaseMove, CaseStatus
from shop.core import clock, storage
from shop.core.money import fen_from_yuan
from shop.core.workdays import Calendar
from shop.demo.papers import paper
from shop.demo.people import People, Supplier
from shop.demo.rows import Table, write_all
from shop.demo.trail import Trail
from shop.identity.permissions import Role
from shop.programmes import queries as programmes

#: Working days before the last step at which each step was taken. The public notice and a margin lie between publishing and closing.
_TO_CERTIFICATE = (("submit", 11), ("take_up", 9), ("publish_notice", 8), ("close_notice", 2), ("certify", 0))
#: The same, back from today, for each state in which a product of ``products.csv`` may be.
_WAYS: Mapping[str, tuple[tuple[str, int], ...]] = {
    "draft": (),
    "submitted": (("submit", 2),),
    "county_review": (("submit", 4), ("take_up", 2)),
    "notice_open": (("submit", 6), ("take_up", 4), ("publish_notice", 2)),
    "notice_over": (("submit", 12), ("take_up", 10), ("publish_notice", 8)),
    "city_review": (("submit", 14), ("take_up", 12), ("publish_notice", 10), ("close_notice", 3)),
    "returned": (("submit", 7), ("take_up", 5), ("return", 4)),
    "rejected": (("submit", 18), ("take_up", 16), ("reject", 12)),
}
_REASONS = {
    "return": "检测报告已过期，请补充近一年内的检测报告",
    "reject": "产品原料主要来自外地，不符合认定条件",
}
#: How each move is put on record, and of which of them others hear.
_RECORDED = {
    "submit": "certification.submitted",
    "take_up": "certification.taken_up",
    "publish_notice": "certification.noticed",
    "close_notice": "certification.notice_closed",
    "certify": "certification.certified",
    "return": "certification.returned",
    "reject": "certification.rejected",
}
_TOLD = {"submit", "publish_notice"}
_LINKAGES = ["订单收购", "务工就业", "土地流转租金", "股份分红", "代养托管"]


@dataclass(frozen=True)
class Certified:
    """A certificate and the days on which its product was ordered: from ``since`` to the day before ``until``."""

    certificate_id: int
    since: date
    until: date | None


class CaseBook:
    """Gathers cases with their steps, documents and certificates."""

    def __init__(
        self, session: Session, trail: Trail, people: People, workdays: Calendar, chance: random.Random, start: date, today: date
    ) -> None:
        self.session, self.trail, self.people, self.workdays = session, trail, people, workdays
        self.chance, self.start, self.today = chance, start, today
        self.cases = Table(
            session,
            "certification_case",
            "product_id supplier_id programme_code district_code status statement annual_capacity_kg households persons linkage"
            " comparable_price_fen comparable_price_source decision_reason submitted_at notice_from notice_until decided_at"
            " created_at version",
        )
        self.notice_days = programmes.config_of(session, today).certification.public_notice_working_days
        self.steps = Table(session, "certification_step", "case_id action from_status to_status actor_id actor_role reason at")
        self.files = Table(session, "stored_file", "storage_key name content_type size sha256 uploaded_by uploaded_at")
        self.documents = Table(session, "certification_document", "case_id kind file_id")
        self.certificates = Table(
            session,
            "certificate",
            "number case_id product_id supplier_id programme_code district_code product_name supplier_name annual_capacity_kg"
            " households persons valid_from valid_until suspended_at revoked_at reason issued_at",
        )
        self.months: dict[str, int] = {
            row.code: row.months
            for row in session.execute(
                text("SELECT code, (config -> 'certification' ->> 'validity_months')::int AS months FROM programme")
            )
        }

    def write(self) -> None:
        """Number the certificates in the order of their issue, without gaps, and write everything."""
        self._number()
        write_all(self.session, [self.cases, self.steps, self.files, self.documents, self.certificates])

    def begins(self, certification: str, joined: date | None) -> date:
        """The day on which a product's application is drawn up. ``joined``: the first day of a district that is new."""
        if certification in _WAYS:
            return self.back(self.today, max((days for _, days in _WAYS[certification]), default=1) + 1)
        if certification == "expired":
            return months_later(self.today, -36) - timedelta(days=45)
        if joined:
            return joined
        if certification == "new":
            early = self.start + (self.today - self.start) * self.chance.uniform(0, 0.35)
            return min(early, self.back(self.today, _TO_CERTIFICATE[0][1] + 2))
        return self.start - timedelta(days=self.chance.randint(70, 140))

    def open(self, row: dict[str, str], product_id: int, supplier: Supplier, district: str, begun: date) -> Certified | None:
        """The case of one product, as far as it has come; and its certificate if it has got one."""
        state = row["certification"]
        case = _Case(self, row, product_id, supplier, district, begun)
        anchor = self.today if state in _WAYS else self.workdays.add(begun, _TO_CERTIFICATE[0][1] + 1)
        for action, days in _WAYS.get(state, _TO_CERTIFICATE):
            case.step(action, self.moment(self.back(anchor, days)))
        case_id = case.write()
        return None if state in _WAYS else self._certificate(row, case, case_id, anchor)

    def back(self, day: date, count: int) -> date:
        """The ``count``-th working day before ``day``."""
        while count:
            day -= timedelta(days=1)
            count -= self.workdays.is_working(day)
        return day

    def moment(self, day: date) -> datetime:
        return clock.start_of_day(day) + timedelta(minutes=self.chance.randint(9 * 60, 17 * 60))

    def programme(self, on: date) -> str:
        return programmes.in_force(self.session, on).code

    def _certificate(self, row: dict[str, str], case: "_Case", case_id: int, issued_on: date) -> Certified:
        last = rules.last_day(issued_on, self.months[case.programme])
        stopped = {"suspended": self.today - timedelta(days=20), "revoked": self.today - timedelta(days=200)}.get(
            row["certification"]
        )
        stopped_at = self.moment(stopped) if stopped else None
        certificate_id = self.certificates.add(
            "",
            case_id,
            case.product_id,
            case.supplier.id,
            case.programme,
            case.district,
            row["name"],
            case.supplier.name,
            case.capacity,
            case.households,
            case.persons,
            issued_on,
            last,
            stopped_at if row["certification"] == "suspended" else None,
            stopped_at if row["certification"] == "revoked" else None,
            {"suspended": "抽检标签不合格，整改中", "revoked": "抽检发现原料来自外地"}.get(row["certification"]),
            case.last_at,
        )
        until = stopped or (last if last < self.today else None)
        return Certified(certificate_id, max(issued_on + timedelta(days=1), self.start), until)

    def _number(self) -> None:
        """``CQ-<year>-<district>-<000001>`` in the order of issue, as the marketplace itself counts them."""
        counted: dict[tuple[int, str], int] = {}
        rows = self.certificates.rows
        for place in sorted(range(len(rows)), key=lambda place: rows[place][-1]):
            year, district = clock.shanghai_date(rows[place][-1]).year, rows[place][5]
            counted[year, district] = counted.get((year, district), 0) + 1
            rows[place] = (rules.certificate_number(year, district, counted[year, district]), *rows[place][1:])
        self.session.execute(
            text("INSERT INTO number_series (series, last) VALUES (:series, :last)"),
            [{"series": rules.certificate_series(year, district), "last": last} for (year, district), last in counted.items()],
        )


class _Case:
    """One case while it is being told."""

    def __init__(
        self, book: CaseBook, row: dict[str, str], product_id: int, supplier: Supplier, district: str, begun: date
    ) -> None:
        self.book, self.row, self.product_id, self.supplier, self.district = book, row, product_id, supplier, district
        self.id = book.cases.next_id
        self.programme = book.programme(begun)
        self.created_at = self.last_at = book.moment(begun)
        self.capacity = int(row["capacity_kg"]) if row["capacity_kg"] else None
        self.households = book.chance.randint(8, 160)
        self.persons = self.households * 3 + book.chance.randint(0, self.households)
        self.status, self.version = CaseStatus.DRAFT, 1
        self.submitted_at: datetime | None = None
        self.decided_at: datetime | None = None
        self.notice: tuple[date | None, date | None] = (None, None)
        self.reason: str | None = None
        self.moves: list[tuple[object, ...]] = []

    def step(self, action: str, at: datetime) -> None:
        """Move the case through its table, and keep the record."""
        before, self.status = self.status, CASE.after(self.status, CaseMove(action))
        self.version, self.last_at = self.version + 1, at
        self.reason = _REASONS.get(action)
        actor, role = self._actor(action)
        self.moves.append((self.id, action, str(before), str(self.status), actor, role, self.reason, at))
        trail = self.book.trail
        trail.add(at, actor, role, _RECORDED[action], "certification_case", self.id, self.reason)
        if action in _TOLD:
            trail.tell(at, _RECORDED[action], case_id=self.id, version=self.version)
        if action == "submit":
            self.submitted_at = at
        elif action == "publish_notice":
            day = clock.shanghai_date(at)
            self.notice = (day, rules.notice_end(day, self.book.notice_days, self.book.workdays))
        elif action in ("certify", "reject"):
            self.decided_at = at

    def write(self) -> int:
        """Put the case, its steps and its documents with the other rows; returns the case's id."""
        row, chance = self.row, self.book.chance
        comparable = fen_from_yuan(row["price"]) * chance.randint(100, 112) // 100
        self.book.cases.add(
            self.product_id,
            self.supplier.id,
            self.programme,
            self.district,
            str(self.status),
            f"{row['name']}由本单位在本区县自产自销，质量合格，价格不高于同类同质产品。",
            self.capacity,
            self.households,
            self.persons,
            "、".join(chance.sample(_LINKAGES, 2)),
            comparable,
            "重庆双福农产品批发市场同期零售均价",
            self.reason,
            self.submitted_at,
            *self.notice,
            self.decided_at,
            self.created_at,
            self.version,
        )
        for move in self.moves:
            self.book.steps.add(*move)
        if self.status != CaseStatus.DRAFT:
            self._papers()
        return self.id

    def _papers(self) -> None:
        for kind in rules.required_documents(self.row["kind"], self.row["category"]):
            content = paper(str(kind).replace("_", " ").title())
            storage_key, sha256 = storage.put(content)
            file_id = self.book.files.add(
                storage_key, f"{kind}.pdf", "application/pdf", len(content), sha256, self.supplier.user_id, self.created_at
            )
            self.book.documents.add(self.id, str(kind), file_id)

    def _actor(self, action: str) -> tuple[int, str]:
        if action == "submit":
            return self.supplier.user_id, str(Role.SUPPLIER_ADMIN)
        if action == "certify":
            return self.book.people.city_officer, str(Role.CITY_OFFICER)
        return self.book.people.officers[self.district], str(Role.COUNTY_OFFICER)


def months_later(day: date, months: int) -> date:
    """The same day of another month, or its last day where it has no such day."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    for last in (day.day, 30, 29, 28):
        try:
            return date(year, month + 1, last)
        except ValueError:
            continue
    raise AssertionError(day)
