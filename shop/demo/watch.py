"""How the demo's certified products are watched over: objections, a complaint, a plan of checks, a price compared, sales against capacity."""

import hashlib
import random
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Row, text
from sqlmodel import Session

from shop.core import clock, sealing
from shop.core.workdays import Calendar
from shop.demo.people import COUNTY, DEMO_BUYER, People
from shop.demo.rows import Table, write_all
from shop.demo.trail import Trail
from shop.identity.permissions import Role
from shop.programmes import queries as programmes

COUNTY_OFFICER = str(Role.COUNTY_OFFICER)
#: Letters and digits that cannot be taken for one another.
_LETTERS = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
#: What of the demo county is watched: its column ``name`` in ``products.csv``.
_OBJECTED, _ANSWERED, _SOLD_OUT, _COMPLAINED = "油橄榄叶茶", "三峡之巅民宿", "奉节腊肉", "奉节猕猴桃"
#: How much of the capacity was sold, in percent, where it was flagged.
_FLAGGED_AT = 108
_FOUND_PRICE_PERCENT = 93

_NOTICED = text(
    "SELECT c.id, c.notice_from FROM certification_case c JOIN product p ON p.id = c.product_id"
    " WHERE p.name = :name AND c.status = 'public_notice'"
)
_CERTIFIED = text(
    "SELECT c.id, c.number, c.case_id, c.supplier_id, s.id AS sku_id, s.net_grams, t.unit_price_fen FROM certificate c"
    " JOIN sku s ON s.product_id = c.product_id JOIN price_tier t ON t.sku_id = s.id"
    " WHERE c.product_name = :name AND c.district_code = :county ORDER BY t.min_quantity LIMIT 1"
)
_IN_FORCE = text(
    "SELECT id, number FROM certificate WHERE district_code = :county AND revoked_at IS NULL AND suspended_at IS NULL"
    " AND valid_from <= :on AND valid_until >= :on ORDER BY id"
)
#: Reserved and not given back, by year in Shanghai.
_COMMITTED = text(
    "SELECT extract(year FROM m.at AT TIME ZONE 'Asia/Shanghai')::int AS year, round(sum(m.reserved * s.net_grams))::bigint AS grams"
    " FROM stock_movement m JOIN sku s ON s.id = m.sku_id JOIN certificate c ON c.product_id = s.product_id"
    " WHERE c.id = :id AND m.kind IN ('reserve', 'release') GROUP BY 1 ORDER BY 1 DESC"
)
_SET_CAPACITY = (
    text("UPDATE certificate SET annual_capacity_kg = :kg, monthly_capacity_kg = NULL WHERE id = :id"),
    text("UPDATE certification_case SET annual_capacity_kg = :kg, monthly_capacity_kg = NULL WHERE id = :case_id"),
)


class Watch:
    """Gathers what is on record of supervision; the goods and the orders are written before."""

    def __init__(
        self, session: Session, trail: Trail, people: People, workdays: Calendar, chance: random.Random, today: date
    ) -> None:
        self.session, self.trail, self.people, self.workdays = session, trail, people, workdays
        self.chance, self.today = chance, today
        self.rules = programmes.config_of(session, today).certification
        self.officer = people.officers[COUNTY]
        self.objections = Table(
            session,
            "objection",
            "receipt case_id notice_from text sealed_contact status received_at due_on investigator_id findings answer decided_by"
            " decided_at version",
        )
        self.events = Table(session, "certificate_event", "certificate_id kind at reason_code reason actor_id actor_role")
        self.complaints = Table(
            session,
            "complaint",
            "receipt certificate_id supplier_id organisation_id kind text status received_at statement_due_on decision_due_on"
            " statement stated_at answer decided_by decided_at version",
        )
        self.plans = Table(
            session,
            "check_plan",
            "number title district_code least_risk kind size seed population population_sha256 due_on drawn_by drawn_at",
        )
        self.inspections = Table(
            session, "inspection", "plan_id certificate_id kind status due_on opened_by opened_at findings done_on done_by version"
        )
        self.price_checks = Table(
            session,
            "price_check",
            "certificate_id sku_id found_fen found_grams own_fen own_grams above_bp source found_on recorded_by recorded_at",
        )
        self.flags = Table(
            session,
            "capacity_flag",
            "certificate_id year month capacity_grams committed_grams flagged_at explanation explained_at",
        )

    def write(self) -> None:
        """Tell everything and write it."""
        self._objections()
        self._complaint(self._certified(_COMPLAINED))
        self._checks()
        self._price(self._certified(_COMPLAINED))
        self._capacity(self._certified(_SOLD_OUT))
        tables = [self.objections, self.events, self.complaints, self.plans, self.inspections, self.price_checks, self.flags]
        write_all(self.session, tables)

    def _objections(self) -> None:
        """One that waits for its answer, and one that was dismissed."""
        waiting = self.session.execute(_NOTICED, {"name": _OBJECTED}).one()
        received = self._office_hours(waiting.notice_from, 1, hours=15)
        self._objection(waiting, received, "油橄榄叶大部分从外省购入，请核实原料来源。", {})
        answered = self.session.execute(_NOTICED, {"name": _ANSWERED}).one()
        received, decided = (self._office_hours(answered.notice_from, days, hours=11) for days in (2, 4))
        answer = {
            "investigator_id": self.officer,
            "findings": "现场走访并核对带动名单，均为本村农户。",
            "answer": "经核实，民宿由本村农户经营，带动情况属实，异议不成立。",
            "decided_by": self.officer,
            "decided_at": decided,
        }
        objection = self._objection(answered, received, "听说该民宿由外地公司经营，与农户无关。", answer)
        self._record(decided, "objection.dismissed", "objection", objection)

    def _objection(self, case: Row[Any], received: datetime, words: str, answer: dict[str, Any]) -> int:
        contact = {"name": "匿名村民", "phone": "13900000000", "email": None}
        objection = self.objections.add(
            self._receipt("YY", received),
            case.id,
            case.notice_from,
            words,
            sealing.seal(contact),
            "dismissed" if answer else "received",
            received,
            self.workdays.add(clock.shanghai_date(received), self.rules.objection_working_days),
            *(answer.get(column) for column in ("investigator_id", "findings", "answer", "decided_by", "decided_at")),
            3 if answer else 1,
        )
        self.trail.add(received, None, "public", "objection.received", "objection", objection)
        return objection

    def _complaint(self, certificate: Row[Any]) -> None:
        """A school's complaint that was upheld; the certificate carries a warning since."""
        received, stated, decided = (self._ago(days) for days in (16, 14, 10))
        first = clock.shanghai_date(received)
        buyer = next(buyer for buyer in self.people.buyers if buyer.name == DEMO_BUYER)
        answer = "抽查同批次产品，部分规格不足，投诉属实；已责令整改并警示。"
        complaint = self.complaints.add(
            self._receipt("TS", received),
            certificate.id,
            certificate.supplier_id,
            buyer.id,
            "quality",
            "到货的一批果品个头明显小于约定规格。",
            "upheld",
            received,
            self.workdays.add(first, self.rules.complaint_statement_working_days),
            self.workdays.add(first, self.rules.complaint_decision_working_days),
            "分拣环节疏漏，已更换分级设备并补发。",
            stated,
            answer,
            self.officer,
            decided,
            3,
        )
        self.trail.add(received, buyer.user_id, buyer.user_role, "complaint.filed", "complaint", complaint)
        self._record(decided, "complaint.upheld", "complaint", complaint, answer)
        self.events.add(certificate.id, "warned", decided, "complaint_upheld", answer, self.officer, COUNTY_OFFICER)
        self._record(decided, "certificate.warned", "certificate", certificate.id, answer)

    def _checks(self) -> None:
        """A random draw in the demo county: one product passed, one is still to be looked at."""
        drawn, seed = self._ago(6), f"{self.chance.getrandbits(128):032x}"
        found = self.session.execute(_IN_FORCE, {"county": COUNTY, "on": clock.shanghai_date(drawn)}).all()
        ranked = sorted(found, key=lambda row: hashlib.sha256(f"{seed}:{row.number}".encode()).hexdigest())
        chosen = sorted(ranked[:2], key=lambda row: row.id)
        due = self.workdays.add(clock.shanghai_date(drawn), self.rules.inspection_working_days)
        year = clock.shanghai_date(drawn).year
        population = hashlib.sha256("\n".join(row.number for row in found).encode()).hexdigest()
        plan = self.plans.add(
            f"JC-{year}-0001",
            f"奉节县{year}年帮扶产品质量抽查",
            COUNTY,
            0,
            "quality",
            len(chosen),
            seed,
            len(found),
            population,
            due,
            self.officer,
            drawn,
        )
        self._count(f"check_plan:{year}")
        self._record(drawn, "check_plan.drawn", "check_plan", plan)
        for number, row in enumerate(chosen):
            done = self._ago(2) if number == 0 else None
            inspection = self.inspections.add(
                plan,
                row.id,
                "quality",
                "passed" if done else "open",
                due,
                self.officer,
                drawn,
                "抽样检测合格，标签规范。" if done else None,
                clock.shanghai_date(done) if done else None,
                self.officer if done else None,
                2 if done else 1,
            )
            if done:
                self._record(done, "inspection.passed", "inspection", inspection)

    def _price(self, certificate: Row[Any]) -> None:
        """A price found elsewhere that is lower, within the tolerance."""
        at = self._ago(5)
        own, grams = certificate.unit_price_fen, certificate.net_grams
        found = own * _FOUND_PRICE_PERCENT // 100
        above = ((own - found) * 10_000 * 2 + found) // (2 * found)  # packs of the same weight; half up
        check = self.price_checks.add(
            certificate.id,
            certificate.sku_id,
            found,
            grams,
            own,
            grams,
            above,
            "县城两家超市同期零售价",
            clock.shanghai_date(at),
            self.officer,
            at,
        )
        self._record(at, "price_check.recorded", "price_check", check)

    def _capacity(self, certificate: Row[Any]) -> None:
        """More was sold of it in a year than it was certified for; its supplier has explained, the county has to say."""
        years = self.session.execute(_COMMITTED, {"id": certificate.id}).all()
        if not years:
            return
        # the year in which most was sold, so that no other is above it too
        committed = max(years, key=lambda row: row.grams)
        kg = max(committed.grams * 100 // (_FLAGGED_AT * 1000), 1)
        for statement in _SET_CAPACITY:
            self.session.execute(statement, {"kg": kg, "id": certificate.id, "case_id": certificate.case_id})
        flagged, explained = self._ago(2), self._ago(1)
        flag = self.flags.add(
            certificate.id,
            committed.year,
            0,
            kg * 1000,
            committed.grams,
            flagged,
            "今年新增两个代养点，产能已扩大，正在申请变更。",
            explained,
        )
        self.trail.add(flagged, None, "system", "capacity.flagged", "capacity_flag", flag)

    def _certified(self, name: str) -> Row[Any]:
        return self.session.execute(_CERTIFIED, {"name": name, "county": COUNTY}).one()

    def _record(self, at: datetime, action: str, subject: str, number: int, reason: str | None = None) -> None:
        self.trail.add(at, self.officer, COUNTY_OFFICER, action, subject, number, reason)

    def _receipt(self, kind: str, at: datetime) -> str:
        secret = "".join(self.chance.choices(_LETTERS, k=16))
        return f"{kind}-{clock.shanghai_date(at).year}-{COUNTY}-{secret}"

    def _count(self, series: str) -> None:
        self.session.execute(text("INSERT INTO number_series (series, last) VALUES (:series, 1)"), {"series": series})

    def _ago(self, days: int) -> datetime:
        return clock.start_of_day(self.today - timedelta(days=days)) + timedelta(hours=10, minutes=self.chance.randint(0, 300))

    def _office_hours(self, day: date, later: int, *, hours: int) -> datetime:
        return clock.start_of_day(self.workdays.add(day, later)) + timedelta(hours=hours)
