"""The whole course of a case against an oracle: everybody tries everything, in any order, and after each act the case is what a second, simpler
telling of the rules says it is."""

import os
from collections import Counter
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule, run_state_machine_as_test
from sqlalchemy import text

from catalog.certification.actions import applying, desk, reviewing
from catalog.certification.steps import Correction, Verdict
from shop.core import clock, workdays
from shop.core.errors import Problem
from shop.identity import tokens
from shop.identity.models import UserRole
from shop.identity.permissions import Role
from tests.factories.catalog import make_product
from tests.factories.certification import complete, make_case
from tests.factories.identity import access_token, make_organisation, make_supplier, make_user

COUNTY, TOWNSHIP = "500236", "500236T01"
WAY = ["township_review", "county_review", "public_notice", "city_review", "filing"]
LEVEL = dict(zip(WAY, ["township", "county", "county", "city", "city"], strict=True))
DAYS = dict(zip(WAY, [3, 3, 3, 3, 10], strict=True))
NOTICE_DAYS, CORRECTION_DAYS, APPEAL_DAYS = 5, 10, 10
#: Who decides at which level; the supplier and the others decide nothing.
OFFICE = {
    "township": {"township"},
    "county": {"county"},
    "county_too": {"county"},
    "city": {"city"},
    "city_too": {"city"},
    "both": {"county", "city"},
    "parent": {"county"},
}
STRANGERS = {"elsewhere", "rival"}
EVERYBODY = sorted(OFFICE) + sorted(STRANGERS) + ["supplier"]
anybody = st.sampled_from(EVERYBODY)
likely = st.sampled_from(["township", "county", "city", "both", "county_too", "city_too"])
START = datetime(2026, 9, 21, 1, 0, tzinfo=UTC)
RUNS = int(os.environ.get("SHOP_ORACLE_RUNS", "12"))


class Course(RuleBasedStateMachine):
    database = None  # given by the test
    #: How often each act had which outcome.
    seen: Counter[str] = Counter()

    @initialize(start=st.sampled_from(["draft", *WAY]))
    def begin(self, start):
        """A case at any step: by chance alone few would get as far as the city."""
        self.now = START
        with clock.fixed(self.now), self.database.unit_of_work() as session:
            parent = make_organisation(session, kind="enterprise", role=None, region_code=COUNTY)
            supplier = make_organisation(session, kind="cooperative", role="supplier", region_code=COUNTY, parent=parent)
            made = make_product(session, supplier, certified=False, township_code=TOWNSHIP)
            users = {
                "supplier": make_user(session, Role.SUPPLIER_ADMIN, supplier),
                "rival": make_user(session, Role.SUPPLIER_ADMIN, make_supplier(session, COUNTY)),
                "township": make_user(session, Role.TOWNSHIP_OFFICER, region_code=TOWNSHIP),
                "county": make_user(session, Role.COUNTY_OFFICER, region_code=COUNTY),
                "county_too": make_user(session, Role.COUNTY_OFFICER, region_code=COUNTY),
                "elsewhere": make_user(session, Role.COUNTY_OFFICER, region_code="500240"),
                "city": make_user(session, Role.CITY_OFFICER),
                "city_too": make_user(session, Role.CITY_OFFICER),
                "both": make_user(session, Role.COUNTY_OFFICER, region_code=COUNTY),
                "parent": make_user(session, Role.COUNTY_OFFICER, parent, region_code=COUNTY),
            }
            session.add(UserRole(user_id=users["both"].id, role=Role.CITY_OFFICER, region_code="500000"))
            session.flush()
            self.actors = {
                name: tokens.actor_of(session, token=access_token(session, user), api_key=None) for name, user in users.items()
            }
            self.case_id = make_case(session, made.product_id, start, opinions=False)
            complete(session, self.case_id)
            self.days = workdays.calendar(session, self.today)
        self.status, self.sent_back, self.appealed, self.claimed = start, None, False, None
        self.acted, self.spoken, self.objections, self.rejecters = {}, [], [], set()
        self.due = self.days.add(self.today, DAYS[start]) if start in WAY else None
        noticed = start in ("public_notice", "city_review", "filing")
        self.left, self.notice = None, (self.today - timedelta(days=8), self.today) if noticed else None
        self.moves = 0

    @property
    def today(self) -> date:
        return clock.shanghai_date(self.now)

    # --- the second telling of the rules ---------------------------------------------------------------------------

    def against(self, who, action, reason=True):
        """The code of the refusal that is due; None: it is done."""
        if who in STRANGERS or (self.status == "draft" and who not in ("supplier", "parent")):
            return "not_found"
        if action not in self.possible():
            return "illegal_move"
        if action in ("submit", "resubmit", "withdraw", "appeal"):
            return None if who == "supplier" else "forbidden"
        if against := self.office_against(who):
            return against
        if self.claimed not in (None, who):
            return "claimed_by_other"
        return self.matter_against(who, reason) if action == "approve" else None

    def office_against(self, who):
        level = LEVEL.get(self.status, "city")
        if who in ("supplier", "parent"):
            return "own_case"
        if level not in OFFICE[who]:  # every office here has a step of the case, so it is at another one
            return "illegal_move"
        if self.status == "appealed" and who in self.rejecters:
            return "same_person"
        return "same_person" if self.acted.get(who, set()) - {level} else None

    def matter_against(self, who, reason):
        if self.status == "county_review":
            said = {department: verdict for _, department, verdict in self.spoken}
            of_others = {department: verdict for author, department, verdict in self.spoken if author != who}
            if not of_others:
                return "opinions_missing"
            if "oppose" in [*said.values(), *of_others.values()] and not reason:
                return "reason_needed"
        if self.status == "public_notice":
            if self.today < self.notice[1]:
                return "notice_running"
            raised = [state for notice, state in self.objections if notice == self.notice[0]]
            if "received" in raised:
                return "objection_open"
            if "upheld" in raised:
                return "objection_upheld"
        return None

    def possible(self):
        if self.status in ("approved", "withdrawn"):
            return set()
        if self.status == "rejected":
            return set() if self.appealed else {"appeal"}
        if self.status == "appealed":
            return {"grant_appeal", "dismiss_appeal", "withdraw"}
        if self.status in ("draft", "returned"):
            return {"submit" if self.status == "draft" else "resubmit", "withdraw"}
        return {"publish" if self.status == "filing" else "approve", "return", "reject", "withdraw"}

    def enter(self, status, who, level):
        """The case comes to a new state; what that does to its clock."""
        before, due, left = self.status, self.due, None
        if status == "returned":
            left = max(self.days.between(self.today, due), 0) if due else None
        if status in ("returned", "rejected") and before != "appealed":
            self.sent_back = before
        if status == "rejected" and before != "appealed":
            self.rejecters.add(who)
        self.due = None
        if status in WAY:
            if status == "public_notice":
                self.notice = (self.today, self.days.add(self.today, NOTICE_DAYS) + timedelta(days=1))
            start = self.notice[1] - timedelta(days=1) if status == "public_notice" else self.today
            again = before == "returned" and status == self.sent_back and self.left is not None
            self.due = self.days.add(start, max(self.left, 1) if again else DAYS[status])
        elif status == "returned":
            self.due = self.days.add(self.today, CORRECTION_DAYS)
        elif status == "appealed" or (status == "rejected" and not self.appealed):
            self.due = self.days.add(self.today, APPEAL_DAYS)
        self.status, self.claimed, self.left = status, None, left
        self.acted.setdefault(who, set()).add(level)
        self.moves += 1

    def back_to(self):
        """Where a case goes on that was sent back: what the public saw has changed, so it is told anew."""
        late = WAY.index(self.sent_back) >= WAY.index("public_notice")
        return "county_review" if late else self.sent_back

    # --- doing ------------------------------------------------------------------------------------------------------

    def do(self, who, act):
        try:
            with clock.fixed(self.now), self.database.unit_of_work() as session:
                act(session, self.actors[who])
        except Problem as problem:
            return problem.code
        return None

    def expect(self, who, action, act, becomes, reason=True):
        due = self.against(who, action, reason)
        Course.seen[f"{self.status} {action}: {due or becomes}"] += 1
        assert self.do(who, act) == due, (who, action, self.status)
        if due is None:
            if action in ("submit", "resubmit"):
                self.notice = None  # what the public saw is no longer what is asked for
            supplier_moves = ("submit", "resubmit", "withdraw", "appeal")
            level = "supplier" if action in supplier_moves else LEVEL.get(self.status, "city")
            self.enter(becomes, who, level)

    @rule(days=st.integers(0, 6))
    def time_passes(self, days):
        self.now += timedelta(days=days)

    @rule()
    @precondition(lambda self: self.status in ("draft", "returned"))
    def supplier_hands_in(self):
        self.hand_in("supplier")

    @rule(who=anybody)
    def hand_in(self, who):
        again = self.status == "returned"
        becomes = self.back_to() if again else WAY[0]
        if self.status not in ("draft", "returned") and who not in STRANGERS:
            return  # which of the two moves is refused does not matter
        self.expect(who, "resubmit" if again else "submit", lambda s, a: applying.submit(s, a, self.case_id), becomes)

    @rule(who=likely, reason=st.sampled_from(["同意", None]))
    def officer_approves(self, who, reason):
        self.approve(who, reason)

    @rule(passes=st.sampled_from([True, True, True, False]))
    @precondition(lambda self: self.status in WAY)
    def who_has_it_before_them_decides(self, passes):
        who = {"township": "township", "county": "county_too", "city": "city_too"}[LEVEL[self.status]]
        if not passes:
            self.reject(who)
        elif self.status == "filing":
            self.publish(who)
        else:
            self.approve(who, "同意")

    @rule(who=anybody, reason=st.sampled_from(["同意", None]))
    def approve(self, who, reason):
        following = [*WAY, "approved"][WAY.index(self.status) + 1] if self.status in WAY else None
        self.expect(who, "approve", lambda s, a: reviewing.approve(s, a, self.case_id, reason), following, bool(reason))

    @rule(who=st.sampled_from(["city", "city_too", "both", "county"]))
    @precondition(lambda self: self.status == "filing")
    def publish(self, who):
        def act(session, actor):
            batch = text(
                "INSERT INTO catalogue_batch (level, title, status, created_at) VALUES ('city', 't', 'draft', now()) RETURNING id"
            )
            batch_id = session.execute(batch).scalar_one()
            gather = text("UPDATE certification_case SET batch_id = :batch WHERE id = :id")
            session.execute(gather, {"batch": batch_id, "id": self.case_id})
            session.execute(
                text("UPDATE catalogue_batch SET status = 'published', number = 'x' || id WHERE id = :id"), {"id": batch_id}
            )
            assert reviewing.publish(session, actor, batch_id) == 1

        self.expect(who, "publish", act, "approved")

    @rule(who=anybody)
    def return_(self, who):
        act = lambda s, a: reviewing.return_(s, a, self.case_id, "请补正", [Correction("documents.test_report", "过期")])  # noqa: E731
        self.expect(who, "return", act, "returned")

    @rule(who=anybody)
    @precondition(lambda self: self.moves > 1)
    def reject(self, who):
        self.expect(who, "reject", lambda s, a: reviewing.reject(s, a, self.case_id, "不符合条件"), "rejected")

    @rule(who=st.sampled_from(["supplier", "supplier", "parent", "rival", "county"]))
    @precondition(lambda self: self.moves > 2)
    def withdraw(self, who):
        self.expect(who, "withdraw", lambda s, a: applying.withdraw(s, a, self.case_id, None), "withdrawn")

    @rule(who=st.sampled_from(["supplier", "supplier", "rival", "county"]))
    @precondition(lambda self: self.status in ("rejected", "appealed"))
    def appeal(self, who):
        act = lambda s, a: desk.appeal(s, a, self.case_id, "请复查")  # noqa: E731
        due = self.against(who, "appeal")
        if due is None and self.due and self.today > self.due:
            assert self.do(who, act) == "appeal_too_late"
            return
        self.expect(who, "appeal", act, "appealed")
        if due is None:
            self.appealed = True

    @rule(granted=st.booleans())
    @precondition(lambda self: self.status == "appealed")
    def city_decides_the_appeal(self, granted):
        self.decide_appeal("city_too", granted)

    @rule(who=anybody, granted=st.booleans())
    @precondition(lambda self: self.status in ("appealed", "rejected", "county_review"))
    def decide_appeal(self, who, granted):
        act = lambda s, a: desk.decide_appeal(s, a, self.case_id, granted=granted, reason="复查结果")  # noqa: E731
        becomes = self.back_to() if granted and self.sent_back else "rejected"
        self.expect(who, "grant_appeal" if granted else "dismiss_appeal", act, becomes)

    @rule(who=anybody, take_over=st.booleans())
    def claim(self, who, take_over):
        if who in STRANGERS or (self.status == "draft" and who not in ("supplier", "parent")):
            due = "not_found"
        elif self.status not in [*WAY, "appealed"]:
            due = "illegal_move"
        else:
            due = self.office_against(who)
            if due is None and not take_over and self.claimed not in (None, who):
                due = "claimed_by_other"
        assert self.do(who, lambda s, a: desk.claim(s, a, self.case_id, take_over=take_over)) == due
        if due is None:
            self.claimed = who

    @rule(who=likely)
    def release(self, who):
        hidden = self.status == "draft"
        due = "not_found" if hidden else None if self.claimed == who else "not_claimed"
        assert self.do(who, lambda s, a: desk.release(s, a, self.case_id)) == due
        if due is None:
            self.claimed = None

    @rule(
        who=st.sampled_from(["county", "both", "county", "both", "city", "township", "supplier", "elsewhere"]),
        department=st.sampled_from(["agriculture", "commerce", "weather"]),
        verdict=st.sampled_from([Verdict.SUPPORT, Verdict.SUPPORT, Verdict.NO_OBJECTION, Verdict.OPPOSE]),
    )
    @precondition(lambda self: self.status in WAY)
    def opine(self, who, department, verdict):
        asked = {"agriculture", "commerce"} if self.status == "county_review" else set()
        due = "not_found" if who == "elsewhere" else self.office_against(who)
        due = due or (None if department in asked else "unknown_department")
        if due is None and [said for said in self.spoken if said[1] == department][-1:] == [(who, department, verdict.value)]:
            due = "opinion_given"
        assert self.do(who, lambda s, a: desk.opine(s, a, self.case_id, department, verdict, "意见", [])) == due
        if due is None:
            self.spoken.append((who, department, verdict.value))
            self.acted.setdefault(who, set()).add("county")

    @rule()
    @precondition(lambda self: self.status == "public_notice" and self.today < self.notice[1] and len(self.objections) < 3)
    def somebody_objects(self):
        with self.database.unit_of_work() as session:
            session.execute(
                text(
                    "INSERT INTO objection (receipt, case_id, notice_from, text, sealed_contact, status, received_at, due_on)"
                    " VALUES (gen_random_uuid()::text, :id, :notice, '不属实', '', 'received', now(), :notice)"
                ),
                {"id": self.case_id, "notice": self.notice[0]},
            )
        self.objections.append((self.notice[0], "received"))

    @rule(upheld=st.booleans())
    @precondition(lambda self: any(state == "received" for _, state in self.objections))
    def objections_are_decided(self, upheld):
        state = "upheld" if upheld else "dismissed"
        with self.database.unit_of_work() as session:
            session.execute(
                text(
                    "UPDATE objection SET status = :state, answer = '已核查', decided_at = now() WHERE case_id = :id AND status = 'received'"
                ),
                {"id": self.case_id, "state": state},
            )
        self.objections = [(notice, state if old == "received" else old) for notice, old in self.objections]

    # --- what holds after every act -----------------------------------------------------------------------------------

    @invariant()
    def the_case_is_as_told(self):
        if not hasattr(self, "case_id"):
            return
        with self.database.unit_of_work() as session:
            case = session.execute(text("SELECT * FROM certification_case WHERE id = :id"), {"id": self.case_id}).one()
            moves = session.execute(text("SELECT count(*) FROM certification_step WHERE case_id = :id"), {"id": self.case_id})
            certificates = session.execute(text("SELECT count(*) FROM certificate WHERE case_id = :id"), {"id": self.case_id})
            claimed = self.actors[self.claimed].user_id if self.claimed else None
            assert (case.status, case.appealed, case.claimed_by) == (self.status, self.appealed, claimed)
            assert case.due_on == self.due
            assert (case.notice_from, case.notice_until) == (self.notice or (None, None))
            assert moves.scalar_one() == self.moves
            assert certificates.scalar_one() == (self.status == "approved")


@pytest.mark.slow
def test_the_course_of_a_case_is_what_the_rules_say(database):
    """Twelve runs of fifty acts; ``SHOP_ORACLE_RUNS=200`` is the long form (``make thorough``)."""
    Course.database = database
    run_state_machine_as_test(
        Course,
        settings=settings(
            max_examples=RUNS,
            stateful_step_count=50,
            # a failing run is printed as it is: to shorten it takes many minutes of real transactions
            phases=[Phase.generate],
            deadline=None,
            suppress_health_check=list(HealthCheck),
            print_blob=True,
        ),
    )
    if RUNS >= 200:  # enough that every state was reached
        print(*sorted(Course.seen.items()), sep="\n")
        states = {"draft", *WAY, "returned", "rejected", "appealed", "approved", "withdrawn"}
        assert {line.split()[0] for line in Course.seen} >= states
