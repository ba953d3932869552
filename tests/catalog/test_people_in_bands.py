"""How many households one certificate or case states is told exactly to its own supplier and to who may read its list; to all others, and
on paper, in bands."""

import io

import pytest
from python_calamine import CalamineWorkbook
from sqlalchemy import text

from catalog.certificates import pdf, queries
from catalog.households import actions
from orders.reconcile.checks.certified import CERTIFICATES
from shop.core import sealing
from shop.identity import tokens
from shop.identity.permissions import Role
from tests.catalog.conftest import COUNTY, TOWNSHIP
from tests.catalog.households.test_households import bring, person
from tests.factories.certification import make_case
from tests.factories.identity import access_token, make_supplier, make_user

EXACT = {"households": 3, "households_band": "1–9", "persons": 12, "persons_band": "10–19"}
BANDS = EXACT | {"households": None, "persons": None}
#: Of a product of a township of the county.
TOLD = {
    "supplier": EXACT,
    "township": EXACT,
    "county": EXACT,
    "city": EXACT,
    "monitor": BANDS,
    "department": BANDS,
    "admin": BANDS,
}


def people(answer):
    return {name: answer[name] for name in EXACT}


@pytest.fixture
def few(office):
    """A published batch: a certificate of the county that states three households and twelve persons, and one of another county with seven and twenty."""
    with office.database.unit_of_work() as session:
        office.users["admin"] = make_user(session, Role.PLATFORM_ADMIN)
    cases = [office.case("filing", township=TOWNSHIP, households=3, persons=12)]
    with office.database.unit_of_work() as session:
        other = make_supplier(session, "500240")
    office.supplier, own = other, office.supplier
    made = office.product()
    office.supplier = own
    with office.database.unit_of_work() as session:
        cases.append(make_case(session, made.product_id, "filing", households=7, persons=20))
    made = office.as_("city").post("/v1/catalogue-batches", json={"level": "city", "title": "第一批", "case_ids": cases})
    batch = made.json()["id"]
    assert office.as_("city").post(f"/v1/catalogue-batches/{batch}/publish").status_code == 200
    office.few = (cases[0], office.count("SELECT id FROM certificate WHERE case_id = :id", id=cases[0]), batch)
    return office


def test_a_certificate(few):
    _, certificate, _ = few.few
    for who, told in TOLD.items():
        answer = few.as_(who).get(f"/v1/certificates/{certificate}")
        assert (who, people(answer.json())) == (who, told)
        listed = few.as_(who).get("/v1/certificates", params={"district": COUNTY}).json()["items"]
        assert [(who, people(row)) for row in listed] == [(who, told)]
    assert few.as_("rival").get(f"/v1/certificates/{certificate}").status_code == 404
    foreign = few.as_("city").get("/v1/certificates", params={"district": "500240"}).json()["items"]
    assert [row["households"] for row in foreign] == [7]


def test_a_key_without_the_right_is_told_what_its_user_would_be_told_without(few):
    _, certificate, _ = few.few
    made = few.as_("county").post("/v1/api-keys", json={"name": "x", "scopes": ["certifications:read"], "valid_days": 30})
    assert made.status_code == 201, made.text
    answer = few.api.get(f"/v1/certificates/{certificate}", headers={"X-API-Key": made.json()["key"]})
    assert people(answer.json()) == BANDS


def test_the_printed_certificate(few):
    _, certificate, _ = few.few

    def printed(who):
        with few.database.unit_of_work() as session:
            actor = tokens.actor_of(session, token=access_token(session, few.users[who]), api_key=None)
            found = queries.certificate(session, actor, certificate)
            return dict(pdf._content(found, queries.public_certificate(session, found.number, "zh"), "zh")["rows"])[
                "联农带农 Linked"
            ]

    # it hangs on a wall, so whoever prints it makes no difference
    assert {printed(who) for who in ("supplier", "county", "city", "monitor")} == {"1–9 户 10–19 人"}
    assert few.as_("monitor").get(f"/v1/certificates/{certificate}/pdf").content.startswith(b"%PDF-")


def test_the_public_check_tells_no_number(few):
    _, certificate, _ = few.few
    number = few.as_("city").get(f"/v1/certificates/{certificate}").json()["number"]
    assert not EXACT.keys() & few.api.get(f"/v1/public/certificates/{number}").json().keys()


def test_a_case_and_the_certificate_in_it(few):
    case_id, _, _ = few.few
    for who, told in TOLD.items():
        case = few.read(who, case_id)
        assert (who, people(case), people(case["certificate"])) == (who, told, told)


def test_what_is_missing_does_not_tell_how_few_there_are(few):
    with few.database.unit_of_work() as session:
        session.execute(text("UPDATE programme SET config = jsonb_set(config, '{certification,min_households}', '3')"))
    returned = few.case("returned", households=2, persons=4, sent_back_from="county_review")

    def missing(who):
        return [item["code"] for item in few.read(who, returned)["missing_items"] if "households" in item["code"]]

    assert [missing(who) for who in ("supplier", "county", "city")] == [["too_few_households"]] * 3
    assert [missing(who) for who in ("monitor", "department", "admin")] == [[]] * 3


def test_a_published_batch(few):
    for who in (None, "monitor", "county"):
        client = few.as_(who) if who else few.api
        listed = client.get("/v1/public/catalogue-batches/2026-01").json()["items"]
        assert [people(row) for row in listed] == [BANDS, BANDS | {"households_band": "1–9", "persons_band": "20–29"}]


@pytest.mark.parametrize("format", ["csv", "xlsx"])
def test_the_exported_list_of_a_batch(few, format):
    _, _, batch = few.few

    def cells(who):
        asked = {"params": {"format": format}, "headers": {"Accept-Language": "zh"}}
        content = few.as_(who).get(f"/v1/catalogue-batches/{batch}/export", **asked).content
        if format == "csv":
            rows = [line.split(",") for line in content.decode("utf-8-sig").splitlines()]
        else:
            rows = CalamineWorkbook.from_filelike(io.BytesIO(content)).get_sheet_by_index(0).to_python()
        assert rows[0][9:13] == ["带动户数", "带动户数（区间）", "带动人数", "带动人数（区间）"]
        return [[str(cell).removesuffix(".0") for cell in row[9:13]] for row in rows[1:]]

    own, foreign = ["3", "1–9", "12", "10–19"], ["7", "1–9", "20", "20–29"]
    told = ["", "1–9", "", "10–19"], ["", "1–9", "", "20–29"]
    assert cells("city") == [own, foreign]
    assert cells("county") == cells("supplier") == [own, told[1]]
    assert cells("monitor") == cells("department") == list(told)


def test_a_notice(few):
    case_id = few.case("public_notice", households=3, persons=12)
    with few.database.unit_of_work() as session:
        session.execute(text("UPDATE certification_case SET notice_until = notice_until + 5 WHERE id = :id"), {"id": case_id})
    [row] = few.api.get("/v1/public/notices").json()["items"]
    assert people(row) == people(few.api.get(f"/v1/public/notices/{case_id}").json()) == BANDS


def test_the_risk_list_says_few_households_only_to_who_may_know(few):
    with few.database.unit_of_work() as session:
        session.execute(text("UPDATE certificate SET households = 2, persons = 4"))
    certificate = few.few[1]

    def risk(who):
        rows = few.as_(who).get("/v1/risk-list", params={"district": COUNTY}).json()["items"]
        return [(row["certificate_id"], row["score"], {flag["code"]: flag["evidence"] for flag in row["flags"]}) for row in rows]

    for who in ("county", "city", "township"):
        assert risk(who) == [(certificate, 15, {"few_households": {"households": 2}, "never_inspected": {}})]
    for who in ("monitor", "department"):
        assert risk(who) == [(certificate, 5, {"never_inspected": {}})], "nor by its score"

    def draw(who):
        plan = {"title": "抽查", "district": COUNTY, "size": 1, "kind": "site", "least_risk": 10}
        return few.as_(who).post("/v1/check-plans", json=plan).status_code

    assert (draw("department"), draw("county")) == (409, 201)


def test_the_record_of_a_list_tells_a_band(few):
    case_id = few.case("draft", households=0, persons=0)
    assert bring(few, case_id, [person(1), person(2), person(3)]).status_code == 200
    with few.database.unit_of_work() as session:
        actor = tokens.actor_of(session, token=access_token(session, few.users["county"]), api_key=None)
        session.execute(text("UPDATE certification_case SET status = 'county_review' WHERE id = :id"), {"id": case_id})
        assert len(actions.reveal(session, actor, case_id, "核对", "zh")) == 3
    events = few.as_("admin").get("/v1/audit/events", params={"subject_type": "certification_case", "subject_id": case_id})
    found = {row["action"]: row["detail"] for row in events.json()["items"]}
    assert found["households.listed"] == {"households": "1–9", "persons": "1–9"}
    assert found["households.revealed"] == {"persons": "1–9"}


def test_the_reconciliation_names_no_numbers(few):
    [check] = [each for each in CERTIFICATES if each.name == "households"]
    with few.database.unit_of_work() as session:
        session.execute(
            text(
                "INSERT INTO household_member (case_id, person_hash, household_hash, sealed, mode, created_at)"
                " VALUES (:case, :person, :home, '', 'employment', now())"
            ),
            {"case": few.few[0], "person": sealing.keyed_hash("person", "1"), "home": sealing.keyed_hash("household", COUNTY, "1")},
        )
        count, [found] = check.find(session, 5)
    assert (count, found.expected) == (1, "as the list")
    assert found.found == "other households, other persons, another certificate"
