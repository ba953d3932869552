"""Names, numbers and contacts of households and of people who object or complain are found nowhere in the clear: not in the database, the logs,
the exports, nor in what anybody without the right to see them is told, errors included."""

import json
import random
from datetime import date, timedelta

import pytest
from sqlalchemy import text

from shop.core import outbox
from shop.demo.households import id_number
from tests.catalog.conftest import COUNTY
from tests.factories.certification import complete
from workers.handlers import HANDLERS

SEED = 20261125
#: Sealed, hashed or stored as the answer to nobody else.
_COLUMNS = text(
    "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'public' AND table_name NOT IN"
    " ('region', 'workday', 'programme') ORDER BY 1, 2"
)


class Canaries:
    """Made-up people; each of their names, numbers and contacts is a word that stands nowhere else."""

    def __init__(self):
        self.chance, self.words = random.Random(SEED), set()

    def word(self, prefix):
        made = prefix + "".join(self.chance.choices("鸑鷟鵷鶵鶢鶋鸀鳿鷫鷞鹓鸧", k=4))
        self.words.add(made)
        return made

    def phone(self):
        made = "139" + "".join(self.chance.choices("0123456789", k=8))
        self.words.add(made)
        return made

    def email(self):
        made = f"canary{self.chance.randrange(10**9)}@example.org"
        self.words.add(made)
        return made

    def id_number(self):
        born = date(1950, 1, 1) + timedelta(days=self.chance.randrange(20_000))
        made = id_number(COUNTY, born, self.chance.randrange(1, 1000))
        self.words.add(made)
        return made

    def person(self, household):
        return {
            "name": self.word("张"),
            "id_number": self.id_number(),
            "household_no": household,
            "mode": "purchase_contract",
            "village": "光明村",
        }

    def found_in(self, what, content):
        return [(what, word) for word in self.words if word in content]


@pytest.fixture
def canaries():
    return Canaries()


def everything(database):
    """Every value of every table, as text; bytes as they are and as what they might hold."""
    with database.unit_of_work() as session:
        for table, column in session.execute(_COLUMNS).all():
            for (value,) in session.execute(text(f'SELECT "{column}" FROM "{table}"')):
                if value is not None:
                    yield (
                        f"{table}.{column}",
                        bytes(value).decode("utf-8", "replace") if isinstance(value, bytes | memoryview) else str(value),
                    )


@pytest.mark.slow
def test_no_personal_data_in_the_clear(office, canaries, request):
    supplier, public = office.as_("supplier"), office.api
    draft, noticed = office.case("draft"), office.case("public_notice", notice_until=date(2026, 12, 1))
    households = f"/v1/certification-cases/{draft}/households"
    people = [canaries.person(f"F{number % 7}") for number in range(40)]
    answers = []

    def ask(client, method, path, **content):
        answer = client.request(method, path, **content)
        answers.append((f"{method} {path} {answer.status_code}", answer.text))
        return answer

    assert ask(supplier, "PUT", households, json={"members": people}).status_code == 200
    # errors of every kind: a wrong check character, a person twice, an unknown mode, no text, broken JSON
    wrong = people[0] | {"id_number": people[0]["id_number"][:-1] + ("1" if people[0]["id_number"][-1] != "1" else "2")}
    canaries.words.add(wrong["id_number"])
    for members in (
        [wrong],
        [people[1], people[1]],
        [people[2] | {"mode": canaries.word("方式")}],
        [people[3] | {"name": canaries.word("张") * 200}],
        [people[5] | {"id_number": int(people[5]["id_number"][:17])}],
        "x",
    ):
        assert ask(supplier, "PUT", households, json={"members": members}, headers={"Idempotency-Key": "k"}).status_code == 422
    # a field that nobody knows is not even named
    assert ask(supplier, "PUT", households, json={"members": [people[4] | {canaries.word("栏"): 1}]}).status_code == 200
    assert ask(supplier, "PUT", households, json={"members": people}).status_code == 200
    broken = json.dumps({"members": people})[:-3]
    assert ask(supplier, "PUT", households, content=broken, headers={"Content-Type": "application/json"}).status_code == 422
    sheet = "姓名,身份证号,户编号,带动方式,村\n" + "".join(
        f"{person['name']},{person['id_number'][:-2]},F1,订单收购,光明村\n" for person in people
    )
    file = {"file": ("名单.csv", sheet.encode())}
    assert ask(supplier, "POST", f"{households}/spreadsheet", files=file).status_code == 422
    assert ask(supplier, "GET", households).status_code == 200
    assert ask(office.as_("county"), "GET", f"/v1/certification-cases/{noticed}/households").status_code == 200
    ask(supplier, "GET", f"/v1/certification-cases/{draft}")

    contact = {"name": canaries.word("冉"), "phone": canaries.phone(), "email": canaries.email()}
    made = ask(public, "POST", f"/v1/public/notices/{noticed}/objections", json={**contact, "text": "请核实产地"})
    assert made.status_code == 201, made.text
    for body in (
        {**contact, "text": ""},
        {**contact, "phone": canaries.word("电话"), "text": "x"},
        {**contact, "email": canaries.word("信"), "text": "x"},
        {**contact, "text": "x", "age": 3},
    ):
        assert ask(public, "POST", f"/v1/public/notices/{noticed}/objections", json=body).status_code == 422
    ask(public, "POST", "/v1/public/notices/999999/objections", json={**contact, "text": "x"})
    ask(public, "GET", f"/v1/public/objections/{made.json()['receipt']}")
    certified = office.product(certified=True)
    number = office.count("SELECT number FROM certificate WHERE id = :id", id=certified.certificate_id)
    other = {"name": canaries.word("谭"), "phone": canaries.phone(), "email": canaries.email()}
    complaint = {**other, "certificate_number": number, "kind": "quality", "text": "到货不符"}
    assert ask(public, "POST", "/v1/public/complaints", json=complaint).status_code == 201
    ask(public, "POST", "/v1/public/complaints", json={**complaint, "kind": "x"})
    ask(public, "POST", "/v1/public/complaints", json={**complaint, "certificate_number": "T-0"})
    for who in ("supplier", "monitor", "county", "city"):
        ask(office.as_(who), "GET", "/v1/complaints")
        ask(office.as_(who), "GET", "/v1/notifications")
    ask(office.as_("county"), "GET", "/v1/objections")
    outbox.drain(office.database, HANDLERS)

    # opening the list is for few, on record, and kept nowhere
    with office.database.unit_of_work() as session:
        complete(session, draft)
        session.execute(text("UPDATE certification_case SET status = 'county_review' WHERE id = :id"), {"id": draft})
    revealed = office.as_("county").post(f"{households}/reveal", json={"reason": "核对名单"})
    assert people[0]["name"] in revealed.text
    objection = office.as_("county").get("/v1/objections").json()["items"][0]["id"]
    assert contact["phone"] in office.as_("county").get(f"/v1/objections/{objection}").text
    seen = {row.action for row in _audit(office)}
    assert {"households.revealed", "objection.contact_seen"} <= seen

    found = [hit for what, content in answers for hit in canaries.found_in(what, content)]
    found += [hit for what, content in everything(office.database) for hit in canaries.found_in(what, content)]
    # the server logs to what was standard output when it was started, which pytest holds
    out, err = request.config.pluginmanager.getplugin("capturemanager").read_global_capture()
    found += canaries.found_in("log", out) + canaries.found_in("log", err)
    assert "/v1/certification-cases/{case_id}/households" in out  # the log was looked at
    assert found == []
    assert len(canaries.words) > 90


def _audit(office):
    with office.database.unit_of_work() as session:
        return session.execute(text("SELECT action FROM audit_event")).all()
