"""Random checks that can be drawn again, their results and measures, prices compared, and where to look first."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import text

from catalog.supervision import rules
from shop.core import clock, outbox
from shop.identity.models import UserRole
from shop.identity.permissions import Role
from tests.catalog.conftest import COUNTY, MONDAY
from tests.factories.catalog import PDF
from tests.factories.identity import make_supplier, make_user
from workers.handlers import HANDLERS


def code(answer):
    return answer.status_code, answer.json().get("code")


def certified(office, many=1, **details):
    return [office.product(certified=True, **details).certificate_id for _ in range(many)]


def draw(office, who="county", **changes):
    body = {"title": "年度抽查", "kind": "quality", "size": 3, "district": COUNTY}
    return office.as_(who).post("/v1/check-plans", json=body | changes)


def do(office, who, path, **body):
    return office.as_(who).post(f"/v1/{path}", json=body)


def verify(office, plan):
    return do(office, "monitor", f"check-plans/{plan}/verify").json()


def test_a_plan_is_drawn_from_what_is_in_force_and_can_be_drawn_again(office):
    numbers = certified(office, 8)
    certified(office, 2, category="honey")
    with office.database.unit_of_work() as session:
        session.execute(text("UPDATE certificate SET suspended_at = :at WHERE id = :id"), {"id": numbers[0], "at": MONDAY})
        session.execute(text("UPDATE certificate SET valid_until = '2026-11-22' WHERE id = :id"), {"id": numbers[1]})
        session.execute(
            text(
                "INSERT INTO certificate_event (certificate_id, kind, at, actor_role) SELECT id, 'suspended', suspended_at, 'x' FROM certificate"
                " WHERE suspended_at IS NOT NULL"
            )
        )
        session.execute(text("UPDATE certificate SET issued_at = :at"), {"at": MONDAY - timedelta(days=30)})
    plan = draw(office, category="fruit").json()
    assert (plan["number"], plan["population"], plan["size"], plan["open"]) == ("JC-2026-0001", 6, 3, 3)
    drawn = office.as_("county").get("/v1/inspections", params={"plan_id": plan["id"]}).json()["items"]
    assert len({row["certificate_id"] for row in drawn} - set(numbers[2:])) == 0
    assert {row["due_on"] for row in drawn} == {"2026-12-07"}
    again = verify(office, plan["id"])
    assert (again["same"], again["population_sha256"]) == (True, plan["population_sha256"])
    assert sorted(row["certificate_number"] for row in drawn) == again["drawn"]
    # what ends, is suspended or issued afterwards changes nothing
    with clock.fixed(MONDAY + timedelta(days=2)):
        office.clients.clear()
        certified(office)
        measure = {"reason_code": "quality_failure", "reason": "x"}
        do(office, "county", f"certificates/{drawn[0]['certificate_id']}/suspend", **measure)
        with office.database.unit_of_work() as session:
            session.execute(
                text("UPDATE certificate SET issued_at = :at WHERE id = (SELECT max(id) FROM certificate)"), {"at": clock.now()}
            )
            session.execute(text("UPDATE certificate SET revoked_at = :at WHERE id = :id"), {"at": clock.now(), "id": numbers[7]})
        assert verify(office, plan["id"])["same"] is True
        # a seed that was chosen afterwards gives another draw
        with office.database.unit_of_work() as session:
            could = list(
                session.execute(text("SELECT number FROM certificate WHERE id = ANY (:ids)"), {"ids": numbers[2:]}).scalars()
            )
            chosen = next(str(n) for n in range(100) if set(rules.drawn(could, str(n), 3)) != set(again["drawn"]))
            session.execute(text("UPDATE check_plan SET seed = :seed"), {"seed": chosen})
        cheated = verify(office, plan["id"])
        assert (cheated["same"], set(cheated["drawn"])) == (False, set(rules.drawn(could, chosen, 3)))


def test_what_cannot_be_drawn(office):
    certified(office, 2)
    refused = draw(office)
    assert (code(refused), refused.json()["data"]["population"]) == ((409, "nothing_to_draw"), 2)
    assert code(draw(office, district="500240")) == (403, "not_your_region")
    assert draw(office, "city", district=None, size=2).status_code == 201
    assert [code(draw(office, who)) for who in ("supplier", "monitor")] == [(403, "forbidden")] * 2
    assert [draw(office, **wrong).status_code for wrong in ({"size": 0}, {"size": 501}, {"kind": "smell"}, {"seed": "mine"})] == [
        422
    ] * 4


def test_whoever_names_no_district_draws_in_the_own_one(office):
    certified(office, 2, district_code="500237")
    made = certified(office, 2)
    plan = draw(office, district=None, size=2).json()
    assert (plan["district_code"], plan["population"]) == (COUNTY, 2)
    drawn = office.as_("county").get("/v1/inspections", params={"plan_id": plan["id"]}).json()["items"]
    assert sorted(row["certificate_id"] for row in drawn) == made
    with office.database.unit_of_work() as session:
        office.users["both"] = both = make_user(session, Role.COUNTY_OFFICER, region_code=COUNTY)
        session.add(UserRole(user_id=both.id, role=Role.COUNTY_OFFICER, region_code="500237"))
    refused = draw(office, "both", district=None, size=2)
    assert (code(refused), refused.json()["errors"][0]["field"]) == ((422, "district_needed"), "district")


def test_a_plan_by_risk_draws_among_the_risky(office):
    made = certified(office, 5)
    with office.database.unit_of_work() as session:
        for certificate in made[:2]:
            session.execute(
                text(
                    "INSERT INTO inspection (certificate_id, kind, status, due_on, opened_at, done_on)"
                    " VALUES (:id, 'quality', 'failed', '2026-11-01', :at, '2026-11-01')"
                ),
                {"id": certificate, "at": MONDAY - timedelta(days=30)},
            )
        session.execute(text("UPDATE certificate SET issued_at = :at"), {"at": MONDAY - timedelta(days=30)})
    plan = draw(office, size=2, least_risk=40).json()
    assert plan["population"] == 2
    drawn = office.as_("county").get("/v1/inspections", params={"plan_id": plan["id"]}).json()["items"]
    assert {row["certificate_id"] for row in drawn} == set(made[:2])
    assert verify(office, plan["id"])["same"] is True


def result(office, inspection, who="county", **changes):
    body = {"passed": False, "findings": "农残超标", "measured": {"毒死蜱 mg/kg": 0.12}, "done_on": "2026-11-23"}
    return do(office, who, f"inspections/{inspection}/result", **body | changes)


@pytest.fixture
def inspection(office):
    (certificate,) = certified(office)
    made = do(office, "county", "inspections", certificate_id=certificate, kind="quality")
    assert made.status_code == 201, made.text
    return made.json()


def test_a_failed_check_and_its_measure(office, inspection):
    done = result(office, inspection["id"], measure="suspend").json()
    assert (done["status"], done["findings"], done["measured"]) == ("failed", "农残超标", {"毒死蜱 mg/kg": 0.12})
    certificate = office.as_("county").get(f"/v1/certificates/{inspection['certificate_id']}").json()
    assert (certificate["state"], certificate["reason_code"], certificate["reason"]) == ("suspended", "quality_failure", "农残超标")
    assert code(result(office, inspection["id"])) == (409, "illegal_move")
    outbox.drain(office.database, HANDLERS)
    told = {
        who: [row["kind"] for row in office.as_(who).get("/v1/notifications").json()["items"] if "inspection" in row["kind"]]
        for who in ("supplier", "county", "rival")
    }
    assert told == {"supplier": ["inspection.failed"], "county": ["inspection.failed"], "rival": []}


def test_who_may_record_what(office, inspection):
    refusals = {"supplier": 403, "monitor": 403, "elsewhere": 404, "township": 404}
    assert {who: result(office, inspection["id"], who).status_code for who in refusals} == refusals
    # a department records, and leaves the measure to the county
    assert code(result(office, inspection["id"], "department", measure="suspend")) == (403, "forbidden")
    assert office.as_("county").get(f"/v1/inspections/{inspection['id']}").json()["status"] == "open"
    assert result(office, inspection["id"], "department").json()["status"] == "failed"
    with office.database.unit_of_work() as session:
        office.users["own"] = make_user(session, Role.COUNTY_OFFICER, office.supplier, region_code=COUNTY)
    assert code(result(office, inspection["id"], "own")) == (403, "own_case")


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"done_on": "2026-11-24"}, "done_on"),
        ({"done_on": "2026-11-22"}, "done_on"),
        ({"passed": True, "measure": "warn"}, "measure"),
        ({"measured": {"x" * 101: 1}}, "measured"),
        ({"measured": {"x": "\x00"}}, "measured"),
        ({"findings": ""}, "findings"),
    ],
)
def test_what_is_no_result(office, inspection, changes, field):
    answer = result(office, inspection["id"], **changes)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, field)


def test_files_and_giving_up(office, inspection):
    path = f"/v1/inspections/{inspection['id']}/files"
    file = office.as_("department").post(path, files={"file": ("../报告.pdf", PDF)}).json()
    assert file["name"] == "报告.pdf"
    assert office.as_("monitor").get(f"{path}/{file['id']}").content == PDF
    assert office.as_("elsewhere").get(f"{path}/{file['id']}").status_code == 404
    assert office.as_("monitor").get(f"{path}/{file['id'] + 1}").status_code == 404
    cancelled = do(office, "county", f"inspections/{inspection['id']}/cancel", reason="企业停产").json()
    assert cancelled["status"] == "cancelled"
    assert code(result(office, inspection["id"])) == (409, "illegal_move")
    with office.database.unit_of_work() as session:
        session.execute(text("UPDATE certificate SET revoked_at = :at"), {"at": MONDAY})
    late = do(office, "county", "inspections", certificate_id=inspection["certificate_id"], kind="site")
    assert code(late) == (409, "certificate_not_live")


def test_overdue_checks_are_marked(office, inspection):
    with clock.fixed(MONDAY + timedelta(days=15)):
        office.clients.clear()
        (row,) = office.as_("county").get("/v1/inspections", params={"overdue": True}).json()["items"]
        assert (row["id"], row["overdue"]) == (inspection["id"], True)
        assert office.as_("county").get("/v1/inspections", params={"overdue": False}).json()["items"] == []


def test_of_two_who_record_at_once_one_does(office, inspection):
    clients = [office.as_("county"), office.as_("colleague")]
    start = threading.Barrier(2)

    def run(client):
        start.wait()
        body = {"passed": client is clients[0], "findings": "x", "done_on": "2026-11-23"}
        return client.post(f"/v1/inspections/{inspection['id']}/result", json=body).status_code

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(run, clients)) == [200, 409]


def test_what_shows_a_price_is_kept_with_it(office):
    made = office.product(certified=True)
    asked = {"certificate_id": made.certificate_id, "sku_id": made.sku_id, "source": "县城超市", "found_on": "2026-11-20"}
    check = do(office, "county", "price-checks", **asked, found_price="30.00", found_grams=2500).json()
    path, file = f"/v1/price-checks/{check['id']}", {"file": ("价签.pdf", PDF)}
    assert [office.as_(who).post(f"{path}/files", files=file).status_code for who in ("monitor", "elsewhere")] == [403, 404]
    added = office.as_("county").post(f"{path}/files", files=file)
    assert added.status_code == 201, added.text
    shown = office.as_("monitor").get(path).json()
    assert (shown["found_per_kg"], shown["own_per_kg"], [each["name"] for each in shown["files"]]) == (
        "12.00",
        "13.98",
        ["价签.pdf"],
    )
    assert office.as_("monitor").get("/v1/price-checks").json()["items"] == [shown]
    content = f"{path}/files/{added.json()['id']}"
    assert office.as_("monitor").get(content).content == PDF
    assert [office.as_("elsewhere").get(each).status_code for each in (path, content)] == [404, 404]
    assert office.as_("county").get(f"{path}/files/0").status_code in (404, 422)
    assert office.as_("county").get(f"{path}/files/{added.json()['id'] + 1}").status_code == 404


def test_prices_are_compared_gram_for_gram(office):
    made = office.product(certified=True)  # 69.90 yuan for 5 kg
    asked = {"certificate_id": made.certificate_id, "sku_id": made.sku_id, "source": "县城超市", "found_on": "2026-11-20"}

    def compare(**changes):
        return do(office, "county", "price-checks", **asked | {"found_price": "12.71", "found_grams": 1000} | changes)

    within = compare().json()
    assert (within["above_percent"], within["above"], within["own_price"]) == ("9.99", False, "69.90")
    assert (within["found_per_kg"], within["own_per_kg"], within["files"]) == ("12.71", "13.98", [])
    assert compare(found_price="12.70").json()["above_percent"] == "10.08"
    assert [
        row["found_price"] for row in office.as_("monitor").get("/v1/price-checks", params={"above": True}).json()["items"]
    ] == ["12.70"]
    other = office.product(certified=True)
    refused = compare(sku_id=other.sku_id)
    assert (code(refused), refused.json()["errors"][0]["field"]) == ((422, "sku_of_other_product"), "sku_id")
    absurd = compare(found_price="0.01", found_grams=10**12)
    assert (absurd.status_code, absurd.json()["errors"][0]["field"]) == (422, "found_price")
    assert compare(found_grams=None).status_code == compare(found_on="2026-11-24").status_code == 422
    assert [
        code(do(office, who, "price-checks", **asked | {"found_price": "1", "found_grams": 1}))[0]
        for who in ("elsewhere", "monitor")
    ] == [
        404,
        403,
    ]
    outbox.drain(office.database, HANDLERS)
    told = [row["kind"] for row in office.as_("supplier").get("/v1/notifications").json()["items"]]
    assert told == ["price_check.above"]


def test_the_risk_list_explains_itself(office):
    quiet, loud = certified(office, 2)
    with office.database.unit_of_work() as session:
        session.execute(text("UPDATE certificate SET households = 20"))
        session.execute(text("UPDATE certificate SET papers_valid_until = '2026-12-20' WHERE id = :id"), {"id": loud})
        foreign = make_supplier(session, "500240")
    office.supplier = foreign
    certified(office)
    do(office, "county", f"certificates/{loud}/warn", reason_code="other", reason="x")
    listed = office.as_("county").get("/v1/risk-list", headers={"Accept-Language": "zh"}).json()["items"]
    assert [(row["certificate_id"], row["score"], [flag["code"] for flag in row["flags"]]) for row in listed] == [
        (loud, 45, ["papers_ending", "warned", "never_inspected"]),
        (quiet, 5, ["never_inspected"]),
    ]
    assert listed[0]["flags"][0]["evidence"] == {"papers_valid_until": "2026-12-20"}
    assert listed[0]["flags"][0]["label"] == "30 天内证照到期或已到期"
    first = office.as_("city").get("/v1/risk-list", params={"limit": 2}).json()
    second = office.as_("city").get("/v1/risk-list", params={"limit": 2, "after": first["next"]}).json()
    assert [row["score"] for row in first["items"] + second["items"]] == [45, 15, 5]  # one of few households
    assert office.as_("county").get("/v1/risk-list", params={"category": "honey"}).json()["items"] == []
