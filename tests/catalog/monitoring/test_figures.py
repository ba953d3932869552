"""The figures of certification, counted by hand beside what is answered."""

import io
import itertools
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from python_calamine import CalamineWorkbook
from sqlalchemy import text

from catalog.monitoring import rules
from catalog.monitoring.schemas import Grain
from shop.core import sealing
from shop.identity.permissions import Role
from tests.catalog.conftest import COUNTY, MONDAY, TOWNSHIP
from tests.factories.identity import make_organisation, make_supplier, make_user

PATH = "/v1/certification-statistics"


def ask(office, table, who="monitor", **params):
    answer = office.as_(who).get(f"{PATH}/{table}", params=params)
    assert answer.status_code == 200, answer.text
    return answer.json()


def certified(office, *, people=(), stated=(7, 20), **details):
    """A certificate issued a month before, whose list holds these people, or has none and states numbers."""
    made = office.product(certified=True, **details)
    with office.database.unit_of_work() as session:
        case = session.execute(
            text("SELECT case_id, district_code FROM certificate WHERE id = :id"), {"id": made.certificate_id}
        ).one()
        households, persons = (len({home for home, _ in people}), len(people)) if people else stated
        session.execute(
            text("UPDATE certificate SET households = :h, persons = :p, issued_at = :at WHERE id = :id"),
            {"h": households, "p": persons, "at": MONDAY - timedelta(days=30), "id": made.certificate_id},
        )
        for home, name in people:
            session.execute(
                text(
                    "INSERT INTO household_member (case_id, person_hash, household_hash, sealed, mode, created_at)"
                    " VALUES (:case, :person, :home, '', 'employment', now())"
                ),
                {
                    "case": case.case_id,
                    "person": sealing.keyed_hash("person", name),
                    "home": sealing.keyed_hash("household", case.district_code, home),
                },
            )
    return made.certificate_id


@pytest.fixture
def elsewhere(office):
    """Another county's supplier; to be used by setting it as the office's."""
    with office.database.unit_of_work() as session:
        return make_supplier(session, "500240")


def test_a_person_counts_once_in_a_county_and_once_in_each_county(office, elsewhere):
    certified(office, people=[("F1", "甲"), ("F1", "乙"), ("F2", "丙")])
    certified(office, people=[("F1", "甲"), ("F3", "丁")], category="honey")
    certified(office, stated=(5, 12))
    office.supplier = elsewhere
    certified(office, people=[("F1", "甲")])
    counties = ask(office, "stock", "city", group_by="county")
    shown = {
        row["county"]: (row["products"], row["households_listed"], row["persons_listed"], row["households"], row["persons"])
        for row in counties["rows"]
    }
    assert shown == {"500236": (3, 3, 4, 8, 16), "500240": (1, 1, 1, 1, 1)}
    assert counties["rows"][0]["county_name"] == "Fengjie"
    assert (counties["totals"]["persons"], counties["totals"]["products"], counties["totals"]["suppliers"]) == (17, 4, 2)
    # of two categories one person stands in both, but once in the total
    categories = ask(office, "stock", "city", group_by="category", district=COUNTY)
    assert {row["category"]: row["persons_listed"] for row in categories["rows"]} == {"fruit": 3, "honey": 2}
    assert categories["totals"]["persons_listed"] == 4


def test_a_stock_of_a_past_day_is_what_held_then(office):
    suspended, revoked, expired, papers = (certified(office) for _ in range(4))
    day = lambda n: MONDAY + timedelta(days=n)  # noqa: E731
    with office.database.unit_of_work() as session:
        for kind, at, until in (("suspended", day(-10), None), ("reinstated", day(-5), None), ("suspended", day(-3), day(-1))):
            session.execute(
                text(
                    "INSERT INTO certificate_event (certificate_id, kind, at, until, actor_role) VALUES (:id, :kind, :at, :until, 'x')"
                ),
                {"id": suspended, "kind": kind, "at": at, "until": until},
            )
        session.execute(text("UPDATE certificate SET revoked_at = :at WHERE id = :id"), {"at": day(-7), "id": revoked})
        session.execute(text("UPDATE certificate SET valid_until = :on WHERE id = :id"), {"on": day(-2).date(), "id": expired})
        session.execute(
            text("UPDATE certificate SET papers_valid_until = :on WHERE id = :id"), {"on": day(-4).date(), "id": papers}
        )
    held = {
        n: ask(office, "stock", on=day(n).date().isoformat())["totals"]["certificates"]
        for n in (-31, -20, -10, -8, -7, -5, -3, -1, 0)
    }
    # issued -30; suspended from -10 to -5 and from -3 to -1; revoked -7; papers end after -4; expired after -2
    assert held == {-31: 0, -20: 4, -10: 3, -8: 3, -7: 2, -5: 3, -3: 1, -1: 1, 0: 1}
    # until this evening is not now
    with office.database.unit_of_work() as session:
        session.execute(
            text(
                "INSERT INTO certificate_event (certificate_id, kind, at, until, actor_role) VALUES (:id, 'suspended', :at, :until, 'x')"
            ),
            {"id": suspended, "at": MONDAY - timedelta(minutes=5), "until": MONDAY + timedelta(hours=5)},
        )
    assert ask(office, "stock")["totals"]["certificates"] == 0
    with office.database.unit_of_work() as session:
        session.execute(
            text("INSERT INTO certificate_event (certificate_id, kind, at, actor_role) VALUES (:id, 'reinstated', :at, 'x')"),
            {"id": suspended, "at": MONDAY - timedelta(minutes=1)},
        )
    states = ask(office, "stock", group_by="state")
    assert {row["state"]: row["certificates"] for row in states["rows"]} == {
        "in_force": 1,
        "revoked": 1,
        "expired": 1,
        "papers_expired": 1,
    }
    assert states["totals"]["certificates"] == sum(row["certificates"] for row in states["rows"])
    over_time = ask(office, "stock-over-time", **{"from": "2026-10-01", "to": "2026-11-30", "grain": "month"})
    assert [(row["period"], row["certificates"]) for row in over_time["rows"]] == [("2026-10-31", 4), ("2026-11-23", 1)]


def test_how_long_steps_take(office):
    cases = [office.case("city_review") for _ in range(4)]
    with office.database.unit_of_work() as session:
        for place, days in enumerate([1, 2, 2, 9]):
            session.execute(
                text(
                    "INSERT INTO certification_step (case_id, action, from_status, to_status, level, actor_role, working_days, late, at)"
                    " VALUES (:case, 'approve', 'county_review', 'public_notice', 'county', 'x', :days, :late, :at)"
                ),
                {"case": cases[place], "days": days, "late": days > 3, "at": MONDAY - timedelta(days=place)},
            )
    (row,) = ask(office, "steps")["rows"]
    assert (row["step"], row["step_label"], row["decisions"], row["late"]) == ("county_review", "County review", 4, 1)
    assert (row["average_days"], row["median_days"], row["p90_days"]) == (3.5, 2, 9)
    assert len(ask(office, "steps", group_by=["county", "month", "kind"])["rows"]) == 1
    assert ask(office, "steps", to="2026-11-20")["totals"]["decisions"] == 1


def test_what_is_overdue_and_what_came_and_went(office):
    office.case("county_review", due_on=(MONDAY - timedelta(days=3)).date())
    office.case("county_review")
    office.do("county", office.case("county_review"), "reject", reason="x")
    office.do("county", office.case("county_review"), "return", reason="x")
    overdue = ask(office, "overdue")
    assert [(row["step"], row["county"], row["cases"], row["oldest_due_on"]) for row in overdue["rows"]] == [
        ("county_review", COUNTY, 1, "2026-11-20")
    ]
    (flow,) = ask(office, "flow")["rows"]
    assert (flow["period"], flow["rejected"], flow["returned"], flow["approved"]) == ("2026-11", 1, 1, 0)


def test_objections_and_measures(office):
    case_id = office.case("public_notice", notice_until=(MONDAY + timedelta(days=3)).date())
    with office.database.unit_of_work() as session:
        for place, (status, answer, decided) in enumerate(
            [("received", None, None), ("dismissed", "x", MONDAY), ("upheld", "x", MONDAY)]
        ):
            session.execute(
                text(
                    "INSERT INTO objection (receipt, case_id, notice_from, text, sealed_contact, status, received_at, due_on, answer, decided_at)"
                    " VALUES (:receipt, :case, '2026-11-15', 'x', '', :status, :at, '2026-11-20', :answer, :decided)"
                ),
                {
                    "receipt": f"R{place}",
                    "case": case_id,
                    "status": status,
                    "at": MONDAY - timedelta(days=2 * place),
                    "answer": answer,
                    "decided": decided,
                },
            )
    (row,) = ask(office, "objections")["rows"]
    assert (row["received"], row["open"], row["overdue"], row["upheld"], row["dismissed"], row["average_days"]) == (
        3,
        1,
        1,
        1,
        1,
        3.0,
    )
    certificate = certified(office)
    body = {"reason_code": "price_above", "reason": "x"}
    office.as_("county").post(f"/v1/certificates/{certificate}/warn", json=body)
    office.as_("county").post(f"/v1/certificates/{certificate}/suspend", json=body)
    office.as_("county").post("/v1/inspections", json={"certificate_id": certificate, "kind": "site"})
    complaint = {"certificate_id": certificate, "kind": "quality", "text": "有霉点"}
    with office.database.unit_of_work() as session:
        office.users["buyer"] = make_user(session, Role.PURCHASER, make_organisation(session))
    assert office.as_("buyer").post("/v1/complaints", json=complaint).status_code == 201
    shown = [(row["measure_label"], row["reason"], row["reason_label"], row["count"]) for row in ask(office, "measures")["rows"]]
    assert shown[:2] == [("complaints filed", "quality", "Quality", 1), ("complaints still open", "quality", "Quality", 1)]
    assert shown[2:] == [
        ("checks still open", "site", "Site", 1),
        ("suspended", "price_above", "Price above comparable goods", 1),
        ("warned", "price_above", "Price above comparable goods", 1),
    ]


def test_a_township_sees_its_own(office):
    certified(office, township_code=TOWNSHIP)
    certified(office)
    office.case("county_review", township=TOWNSHIP)
    assert ask(office, "stock", "township")["totals"]["certificates"] == 1
    assert ask(office, "stock", "county")["totals"]["certificates"] == 2
    risky = office.as_("township").get("/v1/risk-list").json()["items"]
    assert len(risky) == 1


def test_who_sees_what(office, elsewhere):
    certified(office)
    office.supplier = elsewhere
    certified(office)
    with office.database.unit_of_work() as session:
        office.users["local"] = make_user(session, Role.MONITOR, region_code=COUNTY)
    seen = {who: ask(office, "stock", who)["totals"]["certificates"] for who in ("monitor", "city", "county", "local", "elsewhere")}
    assert seen == {"monitor": 2, "city": 2, "county": 1, "local": 1, "elsewhere": 1}
    assert ask(office, "stock", "county", district="500240")["totals"]["certificates"] == 0
    for table in ("stock", "stock-over-time", "steps", "overdue", "objections", "measures", "flow"):
        assert office.as_("supplier").get(f"{PATH}/{table}").status_code == 403


@pytest.mark.parametrize(
    ("table", "params"),
    [
        ("stock", {"group_by": "colour"}),
        ("stock", {"on": "2026-02-30"}),
        ("stock", {"on": "9999-12-31"}),
        ("steps", {"to": "0001-01-01"}),
        ("flow", {"from": "0001-01-01", "to": "0001-01-02"}),
        ("stock-over-time", {"from": "1990-01-01", "to": "2026-01-01"}),
        ("stock-over-time", {"from": "2026-11-01", "to": "2026-10-01"}),
        ("steps", {"from": "2026-11-01", "to": "2026-10-01"}),
        ("flow", {"since": "2026-01-01"}),
        ("measures", {"format": "pdf"}),
    ],
)
def test_what_cannot_be_asked(office, table, params):
    assert office.as_("monitor").get(f"{PATH}/{table}", params=params).status_code == 422


def test_every_answer_says_what_it_counts_and_opens_as_a_file(office):
    certified(office)
    for table in ("stock", "stock-over-time", "steps", "overdue", "objections", "measures", "flow"):
        answer = ask(office, table)
        assert answer["definition"]
        assert answer["exact_to"].startswith("2026-11-23T01:00:00")
    with office.database.unit_of_work() as session:
        session.execute(
            text(
                "INSERT INTO catalogue_batch (number, level, title, status, created_at) VALUES ('=1+1', 'city', 't', 'published', now())"
            )
        )
        session.execute(text("UPDATE certificate SET batch_id = (SELECT id FROM catalogue_batch)"))
    content = office.as_("monitor").get(f"{PATH}/stock", params={"group_by": ["batch", "county"], "format": "csv"}).content
    header, row = content.decode("utf-8-sig").splitlines()
    assert header.split(",")[:3] == ["county code", "county", "batch"]
    assert "'=1+1" in row
    sheet = office.as_("monitor").get(f"{PATH}/stock", params={"group_by": "batch", "format": "xlsx"}).content
    rows = CalamineWorkbook.from_filelike(io.BytesIO(sheet)).get_sheet_by_index(0).to_python()
    assert rows[1][0] == "'=1+1"


@given(st.dates(date(2020, 1, 1), date(2026, 12, 31)), st.integers(0, 1500), st.sampled_from(Grain))
def test_periods_follow_each_other_up_to_the_last_day(first, days, grain):
    last = first + timedelta(days=days)
    ends = list(rules.period_ends(first, last, grain))
    assert ends[-1] == last
    assert ends == sorted(set(ends))
    assert all((end + timedelta(days=1)).day == 1 for end in ends[:-1])
    longest = {Grain.MONTH: 31, Grain.QUARTER: 92, Grain.YEAR: 366}[grain]
    assert all((later - earlier).days <= longest for earlier, later in itertools.pairwise(ends))
