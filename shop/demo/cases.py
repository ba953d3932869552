"""The demo's certification cases: each product's way to its certificate, or to where it waits today."""

import json
import random
from datetime import date, datetime, timedelta

from sqlmodel import Session

from catalog.certification import steps
from catalog.certification.rules import checklist
from catalog.certification.states import CaseKind, CaseMove, CaseStatus, Level, course
from shop.core import clock
from shop.core.money import fen_from_yuan
from shop.core.workdays import Calendar
from shop.demo.certificates import Certified, Issue, Registry
from shop.demo.course import Course, Timetable
from shop.demo.dossier import Applied, Dossiers, Paper, monthly
from shop.demo.households import Hamlet
from shop.demo.people import People
from shop.demo.rows import Table, write_all
from shop.demo.trail import Trail
from shop.identity.permissions import Role
from shop.programmes import queries as programmes
from shop.programmes.schemas import ProgrammeConfig

_MOVES = dict.fromkeys(("township", "county", "notice", "city"), CaseMove.APPROVE)
_REASONS = {
    CaseMove.RETURN: "检测报告已过期，请补充近一年内的检测报告",
    CaseMove.REJECT: "产品原料主要来自外地，不符合认定条件",
}
_CORRECTIONS = [{"field": "documents.test_report", "message": "请上传 12 个月以内的检测报告"}]
#: How each move is put on record.
_RECORDED = {
    CaseMove.SUBMIT: "certification.submitted",
    CaseMove.RESUBMIT: "certification.resubmitted",
    CaseMove.APPROVE: "certification.approved",
    CaseMove.PUBLISH: "certification.published",
    CaseMove.RETURN: "certification.returned",
    CaseMove.REJECT: "certification.rejected",
}
_ROLES = {
    Level.SUPPLIER: Role.SUPPLIER_ADMIN,
    Level.TOWNSHIP: Role.TOWNSHIP_OFFICER,
    Level.COUNTY: Role.COUNTY_OFFICER,
    Level.CITY: Role.CITY_OFFICER,
}
_OPINIONS = {
    "agriculture": "产品为本地自产，生产主体与基地情况属实，同意认定。",
    "market_regulation": "证照齐全有效，近一年无行政处罚记录，无意见。",
    "commerce": "价格与同类产品相当，供货能力可以保证，同意。",
    "culture_tourism": "服务项目真实，接待条件符合要求，同意。",
}
#: Lists of persons are kept short, so that the demo loads quickly; larger numbers are only stated.
_LISTED_HOUSEHOLDS = (4, 10)


class CaseBook:
    """Gathers cases with their steps, opinions, papers and lists of households."""

    def __init__(
        self, session: Session, trail: Trail, people: People, workdays: Calendar, chance: random.Random, start: date, today: date
    ) -> None:
        self.session, self.trail, self.people, self.workdays = session, trail, people, workdays
        self.chance, self.start, self.today = chance, start, today
        self.timetable = Timetable(workdays, chance, start, today)
        self.cases = Table(
            session,
            "certification_case",
            "product_id supplier_id programme_code district_code township_code batch_id status steps entered_on due_on remaining_days"
            " sent_back_from statement annual_capacity_kg monthly_capacity_kg households persons linkage_modes linkage"
            " comparable_price_fen comparable_pack_grams comparable_price_source comparable_price_on decision_reason corrections"
            " submitted_at notice_from notice_until decided_at created_at version",
        )
        self.steps = Table(
            session,
            "certification_step",
            "case_id action from_status to_status level actor_id actor_role reason working_days late at",
        )
        self.opinions = Table(session, "certification_opinion", "case_id step department verdict opinion author_id author_role at")
        self.dossiers = Dossiers(session, chance)
        self.hamlet = Hamlet(session, chance)
        self.registry = Registry(session, trail, people, workdays, chance, today)
        self.linkages: dict[str, str] = {
            code: label.zh for code, label in self.config(today).terms["linkage_mode"].items() if code != "other"
        }

    def write(self) -> None:
        self.registry.write_batches()
        dossiers = [self.dossiers.files, self.dossiers.documents]
        write_all(self.session, [self.cases, self.steps, self.opinions, *dossiers, self.hamlet.members])
        self.registry.write()

    def config(self, on: date) -> ProgrammeConfig:
        return programmes.config_of(self.session, on)

    def open(self, applied: Applied, way: Course) -> Certified | None:
        """The case of one product, as far as it has come; and its certificate if it has got one."""
        case = _Case(self, applied, way)
        for word, day in way.moves:
            case.move(word, day)
        issue = case.write()
        return self.registry.issue(issue, applied.row["certification"], self.start) if issue else None

    def moment(self, day: date) -> datetime:
        return clock.start_of_day(day) + timedelta(minutes=self.chance.randint(9 * 60, 17 * 60))


class _Case:
    """One case while it is being told."""

    def __init__(self, book: CaseBook, applied: Applied, way: Course) -> None:
        self.book, self.applied, self.way = book, applied, way
        self.id = book.cases.next_id
        self.config = book.config(way.moves[0][1] if way.moves else way.begun)
        self.rules = self.config.certification
        self.township = applied.row["township_code"] or None
        self.created_at = self.last_at = book.moment(way.begun)
        self.status, self.version = CaseStatus.DRAFT, 1
        self.steps = steps.snapshot(self.rules, CaseKind.INITIAL, has_township=bool(self.township))
        self.entered: date | None = None
        self.due: date | None = None
        self.remaining: int | None = None
        self.sent_back_from: str | None = None
        self.submitted_at: datetime | None = None
        self.decided_at: datetime | None = None
        self.notice: tuple[date | None, date | None] = (None, None)
        self.reason: str | None = None
        self.corrections: list[dict[str, str]] = []

    def move(self, word: str, day: date) -> None:
        """Move the case through its own table, set its clock and keep the record."""
        if word == "township" and not self.township:
            return
        move = _MOVES.get(word) or CaseMove(word)
        at = self.book.registry.published_at(day) if word == "publish" else self.book.moment(day)
        if word == "county":
            self._hear_departments(day)
        supplier = move in (CaseMove.SUBMIT, CaseMove.RESUBMIT)
        level = Level.SUPPLIER if supplier else Level((steps.step_of(self.steps, self.status) or {})["level"])
        actor, role = self._actor(level), str(_ROLES[level])
        before = self.status
        self.status = course(steps.codes(self.steps), self.sent_back_from).after(before, move)
        self.version, self.last_at = self.version + 1, at
        spent = None if supplier or self.entered is None else self.book.workdays.between(self.entered, day)
        late = not supplier and self.due is not None and day > self.due
        self.reason = _REASONS.get(move)
        self.corrections = _CORRECTIONS if move is CaseMove.RETURN else []
        self.book.steps.add(
            self.id, str(move), str(before), str(self.status), str(level), actor, role, self.reason, spent, late, at
        )
        if supplier:
            self.submitted_at = at
        if self.status is CaseStatus.PUBLIC_NOTICE:
            self.notice = day, steps.notice_end(day, self.rules.public_notice_working_days, self.book.workdays)
        if self.status in (CaseStatus.APPROVED, CaseStatus.REJECTED):
            self.decided_at = at
        self._set_clock(before, day)
        self.book.trail.add(at, actor, role, _RECORDED[move], "certification_case", self.id, self.reason)
        self._tell(at, supplier=supplier)

    def write(self) -> Issue | None:
        """Put the case, its papers and its households with the other rows; returns what its certificate is to say, if it gets one."""
        book, row, chance = self.book, self.applied.row, self.book.chance
        modes = chance.sample(list(book.linkages), 2)
        households, persons = self._households(modes)
        capacity = int(row["capacity_kg"]) if row["capacity_kg"] else None
        months = (
            monthly(capacity, self.applied.season) if capacity and row["season"] != "even" and row["category"] == "fruit" else None
        )
        # goods are compared pack for pack, services unit for unit
        comparable = fen_from_yuan(row["price"]) * chance.randint(100, 112) // 100
        pack_grams = int(row["net_grams"]) if row["net_grams"] else None
        batch_id = book.registry.batch(self.way.published) if self.way.published else None
        book.cases.add(
            self.applied.product_id,
            self.applied.supplier.id,
            self.config.code,
            self.applied.district,
            self.township,
            batch_id,
            str(self.status),
            json.dumps(self.steps),
            self.entered,
            self.due,
            self.remaining,
            self.sent_back_from,
            f"{row['name']}由本单位在本区县自产自销，质量合格，价格不高于同类同质产品。",
            capacity,
            months,
            households,
            persons,
            modes,
            "、".join(book.linkages[mode] for mode in modes),
            comparable,
            pack_grams,
            "重庆双福农产品批发市场同期零售均价",
            self.way.begun - timedelta(days=chance.randint(3, 30)),
            self.reason,
            json.dumps(self.corrections),
            self.submitted_at,
            *self.notice,
            self.decided_at,
            self.created_at,
            self.version,
        )
        papers = self._papers()
        if batch_id is None:
            return None
        return Issue(
            case_id=self.id,
            batch_id=batch_id,
            applied=self.applied,
            township=self.township,
            programme_code=self.config.code,
            rules=self.rules,
            capacity_kg=capacity,
            monthly_kg=months,
            comparable_fen=comparable,
            comparable_grams=pack_grams,
            households=households,
            persons=persons,
            papers_valid_until=min((paper.valid_until for paper in papers if paper.valid_until), default=None),
            issued_at=self.last_at,
        )

    def _households(self, modes: list[str]) -> tuple[int, int]:
        chance = self.book.chance
        listed = self.way.published is None or chance.random() < 0.3
        if not listed:
            households = chance.randint(20, 160)
            return households, households * 3 + chance.randint(0, households)
        households = chance.randint(*_LISTED_HOUSEHOLDS)
        applied = self.applied
        return households, self.book.hamlet.list_for(self.id, applied.district, applied.village, households, modes, self.created_at)

    def _papers(self) -> list[Paper]:
        if self.status is CaseStatus.DRAFT:
            return []  # the demo's draft is not complete
        row, ends = self.applied.row, {}
        kinds = [*checklist(self.rules, row["kind"], row["category"]).documents]
        if row["certification"] == "expiring":
            kinds.append("quality_certificate")
            ends["quality_certificate"] = self.book.today + timedelta(days=30)
        return self.book.dossiers.bring(
            self.id, kinds, self.applied.district_name, self.applied.supplier.user_id, self.created_at, ends
        )

    def _hear_departments(self, day: date) -> None:
        """The agricultural department always speaks before the county passes a case, others now and then."""
        service = self.applied.row["kind"] == "service"
        departments = ["culture_tourism" if service else "agriculture"]
        departments += [name for name in ("market_regulation", "commerce") if self.book.chance.random() < 0.3]
        actor, role = self.book.people.department_officers[self.applied.district], str(Role.DEPARTMENT_OFFICER)
        at = clock.start_of_day(day) + timedelta(hours=8, minutes=30)
        for name in departments:
            verdict = "no_objection" if name == "market_regulation" else "support"
            self.book.opinions.add(self.id, "county_review", name, verdict, _OPINIONS[name], actor, role, at)
            self.version += 1
            self.book.trail.add(
                at, actor, role, "certification.opinion_given", "certification_case", self.id, department=name, verdict=verdict
            )

    def _set_clock(self, before: CaseStatus, day: date) -> None:
        """As the marketplace sets it: each step has its working days, what is returned has the supplier's."""
        workdays, due = self.book.workdays, self.due
        self.entered, self.due = day, None
        if self.status in (CaseStatus.RETURNED, CaseStatus.REJECTED):
            self.sent_back_from = str(before)
            self.remaining = workdays.between(day, due) if due and self.status is CaseStatus.RETURNED else None
            allowed = self.rules.correction_working_days if self.status is CaseStatus.RETURNED else self.rules.appeal_working_days
            self.due = workdays.add(day, allowed)
        elif step := steps.step_of(self.steps, self.status):
            resumed = before is CaseStatus.RETURNED and self.remaining is not None
            first = steps.notice_last_day(self.notice[1]) if self.status is CaseStatus.PUBLIC_NOTICE else day
            self.due = workdays.add(first, max(self.remaining or 0, 1) if resumed else step["working_days"])
            self.remaining = None

    def _tell(self, at: datetime, *, supplier: bool) -> None:
        facts = {"case_id": self.id, "version": self.version}
        if supplier:
            self.book.trail.tell(at, "certification.submitted", **facts, status=str(self.status))
            return
        if self.status is CaseStatus.PUBLIC_NOTICE:
            self.book.trail.tell(at, "certification.noticed", **facts)
        self.book.trail.tell(at, "certification.decided", **facts, status=str(self.status), reason=self.reason)

    def _actor(self, level: Level) -> int:
        people = self.book.people
        if level is Level.SUPPLIER:
            return self.applied.supplier.user_id
        if level is Level.TOWNSHIP:
            return people.township_officers[self.township or ""]
        return people.city_officer if level is Level.CITY else people.officers[self.applied.district]
