"""Monthly reports in the demo: those of the month before last are in, those of the last month are on their way through the offices."""

from collections.abc import Sequence
from datetime import date, timedelta
from functools import partial

from sqlalchemy import text
from sqlmodel import Session

from orders.reports import actions as reports
from orders.reports import forms, rules
from orders.reports.schemas import ReportEdit, ReportIn, ValueIn
from shop.core import clock
from shop.core.months import days_of, month_before
from shop.demo.diary import Diary
from shop.demo.people import COUNTY, People, acting, as_it_is
from shop.identity import tokens
from shop.identity.actor import Actor
from shop.regions import queries as regions
from shop.regions.rules import Designation

#: Counties that report in the demo: of the month before last all are accepted; of the last month what is said here, in this order.
_LAST_MONTH = ("return", "accept", "accept", "submit", "accept", "submit", "draft", "accept")
_RETURNED = "平台外销售额与申报台账不一致，请核对后重报"
_EXPLAINED = "另有一笔线下展销尚未申报，附销售清单"
#: What a county counts beside the ledger, in fen.
_BESIDE_FEN = 26_800_00
_LEDGER = text(
    "SELECT r.form_code, r.form_version, v.field, v.ledger FROM report r JOIN report_value v ON v.report_id = r.id WHERE r.id = :id AND v.ledger IS NOT NULL"
)


class Reporting:
    """Notes in the diary who reports what and what the office says of it; the clock need not have come so far, then it is done now."""

    def __init__(self, session: Session, diary: Diary, people: People, today: date) -> None:
        self.session, self.diary, self.people, self.today = session, diary, people, today

    def plan(self) -> None:
        """Eight counties of each month, and the demo's school of the last one."""
        last = month_before(self.today)
        before = month_before(days_of(last)[0])
        for place, (county, outcome) in enumerate(zip(self._counties(), _LAST_MONTH, strict=False)):
            self._of_county(before, county, "accept", place)
            self._of_county(last, county, outcome, place)
        self._of_school(last)

    def _counties(self) -> Sequence[str]:
        """The demo's own first."""
        task = regions.designated(self.session, [Designation.POVERTY_TASK], self.today)
        return sorted(task, key=lambda code: (code != COUNTY, code))

    def _of_county(self, month: str, county: str, outcome: str, place: int) -> None:
        over = clock.end_of_day(days_of(month)[1])
        at = over + timedelta(days=1 + place % 4, hours=9 + place % 7)
        self.diary.note(at, partial(self._report, month, county, outcome, place))

    def _report(self, month: str, county: str, outcome: str, place: int) -> None:
        officer = tokens.actor_of_user(self.session, self.people.officers[county])
        report_id = reports.draft(self.session, officer, ReportIn(form="county_monthly", month=month))
        self._fill(officer, report_id, _BESIDE_FEN if place % 3 == 0 else 0)
        if outcome == "draft":
            return
        reports.submit(self.session, officer, report_id, as_it_is)
        if outcome != "submit":
            self.diary.note(clock.now() + timedelta(days=2), partial(self._review, report_id, outcome))

    def _review(self, report_id: int, outcome: str) -> None:
        city = acting(self.session, "city")
        if outcome == "accept":
            reports.accept(self.session, city, report_id, as_it_is)
        else:
            reports.send_back(self.session, city, report_id, _RETURNED, as_it_is)

    def _of_school(self, month: str) -> None:
        """The school's finance has begun its report; it is to be submitted."""
        at = clock.end_of_day(days_of(month)[1]) + timedelta(days=2, hours=10)

        def begin() -> None:
            finance = acting(self.session, "finance")
            self._fill(finance, reports.draft(self.session, finance, ReportIn(form="unit_monthly", month=month)), 0)

        self.diary.note(at, begin)

    def _fill(self, who: Actor, report_id: int, beside_fen: int) -> None:
        """The unit's own values: what the ledger says, of sales as much more as it counts beside it."""
        rows = self.session.execute(_LEDGER, {"id": report_id}).all()
        units = {field.code: field.unit for field in forms.version(rows[0].form_code, rows[0].form_version).fields}
        values = {}
        for row in rows:
            more = beside_fen if row.field == "sales" else 0
            own = rules.shown(units[row.field], row.ledger + more)
            values[row.field] = ValueIn(value=own, explanation=_EXPLAINED if more else None)
        reports.save(self.session, who, report_id, ReportEdit(values=values), as_it_is)
