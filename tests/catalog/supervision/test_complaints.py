"""Complaints about certified products: by anybody or by a buyer, stated to by the supplier, decided by the county."""

import re
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from catalog.supervision.actions import complaints as actions
from catalog.supervision.schemas.complaints import ComplaintIn, DecisionIn, PublicComplaintIn
from shop.core import clock, locks, outbox, sealing
from shop.core.errors import Problem
from shop.identity import tokens
from shop.identity.models import Organisation
from shop.identity.permissions import Role
from tests.catalog.conftest import COUNTY, MONDAY, Office
from tests.catalog.conftest import office as office  # a fixture
from tests.catalog.objections.conftest import CONTACT, canary, code, everything, leaked
from tests.factories.catalog import PDF
from tests.factories.identity import access_token, make_organisation, make_user
from workers.handlers import HANDLERS

WORDS = "到货的一批果品个头明显小于约定规格。"
#: The supplier has until Thursday the 26th; the decision is due on Monday, 7 December.
STATEMENT_OVER = MONDAY + timedelta(days=4)


@dataclass
class Desk:
    """The office with a certified product, and a school that buys."""

    office: Office
    certificate_id: int
    number: str

    def as_(self, who: str) -> Any:
        return self.office.as_(who)

    def file(self, who: str = "buyer", **changes: Any) -> Any:
        body = {"certificate_id": self.certificate_id, "kind": "quality", "text": WORDS, **changes}
        return self.as_(who).post("/v1/complaints", json={name: value for name, value in body.items() if value is not None})

    def complain(self, **changes: Any) -> Any:
        body = {"certificate_number": self.number, "kind": "quality", "text": WORDS, **CONTACT, **changes}
        return self.office.api.post("/v1/public/complaints", json=body)

    def filed(self, **changes: Any) -> int:
        answer = self.file(**changes)
        assert answer.status_code == 201, answer.text
        return int(answer.json()["id"])

    def complained(self, **changes: Any) -> tuple[int, str]:
        answer = self.complain(**changes)
        assert answer.status_code == 201, answer.text
        receipt = answer.json()["receipt"]
        return self.office.count("SELECT id FROM complaint WHERE receipt = :receipt", receipt=receipt), receipt

    def state(self, complaint_id: int, who: str = "supplier", words: str = "分拣疏漏，已补发。") -> Any:
        return self.as_(who).post(f"/v1/complaints/{complaint_id}/statement", json={"text": words})

    def decide(self, complaint_id: int, who: str = "county", *, upheld: bool = True, **body: Any) -> Any:
        body = {"answer": "抽查同批次产品，规格不足。", **body}
        return self.as_(who).post(f"/v1/complaints/{complaint_id}/decide", json={"upheld": upheld, **body})

    def read(self, complaint_id: int, who: str = "county") -> Any:
        return self.as_(who).get(f"/v1/complaints/{complaint_id}")

    def found(self, who: str = "county", **filters: Any) -> list[int]:
        answer = self.as_(who).get("/v1/complaints", params=filters)
        assert answer.status_code == 200, answer.text
        return [row["id"] for row in answer.json()["items"]]

    def certificate(self) -> Any:
        with self.office.database.unit_of_work() as session:
            return session.execute(text("SELECT * FROM certificate WHERE id = :id"), {"id": self.certificate_id}).one()

    def events(self) -> list[tuple[str, str | None]]:
        with self.office.database.unit_of_work() as session:
            found = session.execute(text("SELECT kind, reason_code FROM certificate_event ORDER BY id")).all()
        return [(row.kind, row.reason_code) for row in found]

    def drain(self) -> None:
        outbox.drain(self.office.database, HANDLERS)

    def heard(self, who: str) -> list[str]:
        items = self.as_(who).get("/v1/notifications").json()["items"]
        return sorted(item["kind"] for item in items if item["kind"].startswith("complaint"))


@pytest.fixture
def desk(office: Office) -> Desk:
    made = office.product(certified=True)
    with office.database.unit_of_work() as session:
        school = make_organisation(session, kind="school", name="重庆某学校")
        office.users["buyer"] = make_user(session, Role.PURCHASER, school)
        office.users["approver"] = make_user(session, Role.APPROVER, school)
        office.users["other_buyer"] = make_user(session, Role.PURCHASER, make_organisation(session, kind="school"))
        number = session.execute(text("SELECT number FROM certificate WHERE id = :id"), {"id": made.certificate_id}).scalar_one()
    return Desk(office, made.certificate_id, number)


# --- filed ----------------------------------------------------------------------------------------------------------


def test_a_buyer_complains_by_id_or_by_number(desk):
    told = desk.file().json()
    assert {
        "status": "received",
        "kind": "quality",
        "certificate_number": desk.number,
        "supplier_id": desk.office.supplier.id,
        "organisation_name": "重庆某学校",
        "statement_due_on": "2026-11-26",
        "decision_due_on": "2026-12-07",
        "statement_overdue": False,
        "overdue": False,
        "possible_actions": ["withdraw"],
    }.items() <= told.items()
    assert desk.file(certificate_id=None, certificate_number=desk.number).status_code == 201
    assert desk.office.count("SELECT count(*) FROM complaint WHERE receipt LIKE 'TS-2026-500236-%'") == 2


def test_anybody_complains_and_gets_a_receipt(desk):
    answer = desk.complain()
    assert (answer.status_code, answer.json()["state"], answer.json()["due_on"]) == (201, "received", "2026-12-07")
    assert re.fullmatch(r"TS-2026-500236-[2-9A-HJKMNP-TV-Z]{16}", answer.json()["receipt"])
    assert leaked(answer.text) == []


@pytest.mark.parametrize(
    "changes",
    [
        {"certificate_number": "CQ-2026-500236-999999"},
        {"certificate_number": "证书"},
        {"certificate_number": "x\x00"},
        {"kind": "taste"},
        {"text": ""},
        {"text": "x\x00"},
        {"text": "差" * 5001},
        {"name": ""},
        {"phone": "call me"},
        {"email": "hidden.villager@"},
        {"certificate_id": 1},
    ],
)
def test_a_faulty_complaint_is_refused_without_repeating_who_it_was(desk, changes):
    answer = desk.complain(**changes)
    assert answer.status_code == 422, answer.text
    assert leaked(answer.text) == []
    assert "call me" not in answer.text
    assert desk.office.count("SELECT count(*) FROM complaint") == 0


@pytest.mark.parametrize(
    "changes",
    [
        {"certificate_id": 10**9},
        {"certificate_id": None},
        {"certificate_number": "T-1"},
        {"certificate_id": 2**63},
        {"text": "\x00"},
    ],
)
def test_a_buyer_names_one_certificate_that_there_is(desk, changes):
    assert desk.file(**changes).status_code == 422


def test_a_long_complaint_in_chinese_is_kept_as_it_is(desk):
    words = "个头偏小。𠮷🍊" * 600
    complaint_id, receipt = desk.complained(text=words, email=None)
    assert desk.read(complaint_id).json()["text"] == words
    assert desk.office.api.get(f"/v1/public/complaints/{receipt}").json()["text"] == words


def test_the_same_complaint_sent_twice_counts_once(desk):
    body = {"certificate_id": desk.certificate_id, "kind": "price", "text": WORDS}
    public = {"certificate_number": desk.number, "kind": "price", "text": WORDS, **CONTACT}
    for client, path, content in [(desk.as_("buyer"), "/v1/complaints", body), (desk.office.api, "/v1/public/complaints", public)]:
        first, again = (client.post(path, json=content, headers={"Idempotency-Key": "k"}) for _ in range(2))
        assert (first.status_code, again.json()) == (201, first.json())
    assert desk.office.count("SELECT count(*) FROM complaint") == 2


def test_so_many_of_the_public_wait_and_no_more(desk, monkeypatch):
    monkeypatch.setattr(actions, "MOST_OPEN", 2)
    assert [desk.complain().status_code for _ in range(3)] == [201, 201, 409]
    assert desk.file().status_code == 201  # a buyer is heard nevertheless


# --- who sees it ----------------------------------------------------------------------------------------------------


def test_each_side_sees_its_own_and_officers_their_region(desk):
    by_buyer = desk.filed()
    by_public, _ = desk.complained()
    for who in ("supplier", "county", "city", "department"):
        assert desk.found(who) == [by_public, by_buyer], who
    for who in ("buyer", "approver"):
        assert desk.found(who) == [by_buyer], who
    for who in ("other_buyer", "rival", "elsewhere", "township"):
        assert desk.found(who) == [], who
        assert code(desk.read(by_buyer, who)) == (404, "not_found"), who
        assert code(desk.read(by_public, who)) == (404, "not_found"), who
    assert code(desk.read(by_public, "buyer")) == (404, "not_found")
    assert code(desk.as_("monitor").get("/v1/complaints")) == (403, "forbidden")


def test_the_township_of_the_product_sees_it(desk):
    with desk.office.database.unit_of_work() as session:
        session.execute(text("UPDATE certificate SET township_code = '500236T01'"))
    complaint_id = desk.filed()
    assert desk.found("township") == [complaint_id]


def test_complaints_are_found_by_their_facts(desk):
    first = desk.filed(kind="price")
    second, receipt = desk.complained()
    desk.state(second)
    assert desk.found(kind="price") == desk.found(status="received") == [first]
    assert desk.found(q=receipt) == desk.found(status="stated") == [second]
    assert desk.found(certificate_id=desk.certificate_id, district=COUNTY, q=desk.number) == [second, first]
    assert desk.found(district="500240") == desk.found(q="%") == []
    page = desk.as_("county").get("/v1/complaints", params={"limit": 1}).json()
    assert desk.found(limit=1, after=page["next"]) == [first]


def test_who_of_the_public_complained_is_seen_by_who_decides_and_that_is_on_record(desk):
    complaint_id, _ = desk.complained()
    for who in ("supplier", "department"):
        answer = desk.read(complaint_id, who)
        assert (answer.json()["contact"], leaked(answer.text)) == (None, []), who
    assert desk.office.count("SELECT count(*) FROM audit_event WHERE action = 'complaint.contact_seen'") == 0
    assert desk.read(complaint_id, "county").json()["contact"] == CONTACT
    assert desk.read(desk.filed(), "county").json()["contact"] is None
    seen = "SELECT actor_id FROM audit_event WHERE action = 'complaint.contact_seen'"
    assert desk.office.count(seen) == desk.office.users["county"].id


def test_the_contact_is_nowhere_in_the_clear(desk, capfd):
    contact = canary()
    body = {"certificate_number": desk.number, "kind": "quality", "text": WORDS, **contact}
    answer = desk.office.api.post("/v1/public/complaints", json=body, headers={"Idempotency-Key": "k-9"})
    [complaint_id] = desk.found()
    desk.read(complaint_id)
    desk.state(complaint_id)
    done = desk.as_("county").post(
        f"/v1/complaints/{complaint_id}/decide", json={"upheld": True, "answer": "属实"}, headers={"Idempotency-Key": "k-10"}
    )
    followed = desk.office.api.get(f"/v1/public/complaints/{answer.json()['receipt']}")
    assert (done.status_code, leaked(done.text + followed.text, contact)) == (200, [])
    desk.drain()
    assert leaked(everything(desk.office.database), contact) == []
    captured = capfd.readouterr()
    assert leaked(captured.out + captured.err, contact) == []
    with desk.office.database.unit_of_work() as session:
        assert sealing.unseal(session.execute(text("SELECT sealed_contact FROM complaint")).scalar_one()) == contact


@pytest.mark.parametrize("receipt", ["TS-2026-500236-2222222222222222", "x", "%00", "é"])
def test_an_unknown_receipt_is_not_found(desk, receipt):
    desk.complained()
    assert code(desk.office.api.get(f"/v1/public/complaints/{receipt}")) == (404, "not_found")


# --- the statement --------------------------------------------------------------------------------------------------


def test_the_supplier_makes_its_statement_once(desk):
    complaint_id = desk.filed()
    assert desk.read(complaint_id, "supplier").json()["possible_actions"] == ["state"]
    told = desk.state(complaint_id).json()
    assert (told["status"], told["statement"], told["statement_overdue"]) == ("stated", "分拣疏漏，已补发。", False)
    assert code(desk.state(complaint_id)) == (409, "illegal_move")
    assert desk.read(complaint_id, "buyer").json()["statement"] == "分拣疏漏，已补发。"


def test_a_late_statement_is_heard_and_marked_until_the_decision(desk):
    complaint_id, other = desk.filed(), desk.filed()
    with clock.fixed(STATEMENT_OVER):
        desk.office.clients.clear()
        assert desk.read(complaint_id).json()["statement_overdue"] is True
        told = desk.state(complaint_id).json()
        assert (told["status"], told["statement_overdue"]) == ("stated", True)
        assert desk.decide(other, upheld=False).status_code == 200
        assert code(desk.state(other)) == (409, "illegal_move")


def test_nobody_else_speaks_for_the_supplier(desk):
    complaint_id = desk.filed()
    assert code(desk.state(complaint_id, "rival")) == (404, "not_found")
    for who in ("buyer", "county"):
        assert code(desk.state(complaint_id, who)) == (403, "forbidden")
    with desk.office.database.unit_of_work() as session:
        mine = session.get(Organisation, desk.office.supplier.id)
        above = make_user(session, Role.SUPPLIER_ADMIN, make_organisation(session, kind="enterprise", role="supplier"))
        above_path = session.execute(
            text("SELECT path FROM organisation WHERE id = :id"), {"id": above.organisation_id}
        ).scalar_one()
        session.execute(
            text("UPDATE organisation SET path = :path WHERE id = :id"), {"path": f"{above_path}{mine.id}/", "id": mine.id}
        )
    desk.office.users["above"] = above
    assert desk.read(complaint_id, "above").status_code == 200
    assert code(desk.state(complaint_id, "above")) == (403, "forbidden")


# --- the decision ---------------------------------------------------------------------------------------------------


def test_nothing_is_decided_before_the_supplier_was_heard_or_its_time_is_over(desk):
    complaint_id, other = desk.filed(), desk.filed()
    refused = desk.decide(complaint_id)
    assert (code(refused), refused.json()["data"]["until"]) == ((409, "statement_pending"), "2026-11-26")
    assert desk.read(complaint_id).json()["possible_actions"] == []
    desk.state(complaint_id)
    assert desk.read(complaint_id).json()["possible_actions"] == ["uphold", "dismiss"]
    assert desk.decide(complaint_id, upheld=False).json()["status"] == "dismissed"
    with clock.fixed(STATEMENT_OVER):
        desk.office.clients.clear()
        assert desk.decide(other, upheld=False).json()["status"] == "dismissed"


def test_a_complaint_found_true_suspends_the_certificate_at_once(desk):
    complaint_id, receipt = desk.complained()
    desk.state(complaint_id)
    told = desk.decide(complaint_id).json()
    assert (told["status"], told["decided_by"]) == ("upheld", desk.office.users["county"].id)
    certificate = desk.certificate()
    assert certificate.suspended_at == MONDAY
    assert (certificate.reason_code, certificate.reason) == ("complaint_upheld", "抽查同批次产品，规格不足。")
    assert desk.events() == [("suspended", "complaint_upheld")]
    followed = desk.office.api.get(f"/v1/public/complaints/{receipt}").json()
    assert (followed["state"], followed["answer"]) == ("upheld", "抽查同批次产品，规格不足。")
    assert "statement" not in followed
    assert code(desk.decide(complaint_id)) == (409, "illegal_move")
    # another one that is found true in the same words: what they suspended stands
    other, _ = desk.complained()
    desk.state(other)
    assert desk.decide(other).json()["status"] == "upheld"
    assert desk.events() == [("suspended", "complaint_upheld")]


@pytest.mark.parametrize(
    ("kind", "body", "refusal", "events"),
    [
        ("quality", {"measure": "none"}, (422, "reason_needed"), []),
        ("origin", {"measure": "warn"}, (422, "reason_needed"), []),
        ("quality", {"measure": "warn", "reason": "已整改"}, (200, None), [("warned", "complaint_upheld")]),
        ("linkage", {"measure": "none", "reason": "已补发分红"}, (200, None), []),
        ("price", {}, (200, None), [("suspended", "complaint_upheld")]),
        ("delivery", {}, (200, None), []),
        ("delivery", {"measure": "warn"}, (200, None), [("warned", "complaint_upheld")]),
        ("other", {"measure": "suspend"}, (200, None), [("suspended", "complaint_upheld")]),
        ("quality", {"upheld": False}, (200, None), []),
        ("quality", {"upheld": False, "measure": "warn"}, (422, "measure_without_fault"), []),
        ("quality", {"measure": "revoke"}, (422, "invalid"), []),
        ("quality", {"answer": ""}, (422, "invalid"), []),
    ],
)
def test_the_measure_follows_from_what_was_found(desk, kind, body, refusal, events):
    complaint_id = desk.filed(kind=kind)
    desk.state(complaint_id)
    answer = desk.decide(complaint_id, **body)
    assert code(answer)[0] == refusal[0], answer.text
    assert refusal[1] is None or answer.json()["code"] == refusal[1]
    assert desk.events() == events
    assert (desk.read(complaint_id).json()["status"] == "stated") is (refusal[0] == 422)


def test_a_measure_that_cannot_be_taken_leaves_the_complaint_undecided(desk):
    complaint_id = desk.filed()
    desk.state(complaint_id)
    with desk.office.database.unit_of_work() as session:
        session.execute(text("UPDATE certificate SET revoked_at = :now"), {"now": clock.now()})
    assert code(desk.decide(complaint_id)) == (409, "illegal_move")
    assert desk.read(complaint_id).json()["status"] == "stated"
    assert desk.decide(complaint_id, measure="none", reason="证书已撤销").json()["status"] == "upheld"


@pytest.mark.parametrize(
    ("who", "refusal"),
    [
        ("supplier", (403, "forbidden")),
        ("buyer", (403, "forbidden")),
        ("department", (403, "forbidden")),
        ("elsewhere", (404, "not_found")),
    ],
)
def test_only_the_county_or_the_city_decides(desk, who, refusal):
    complaint_id = desk.filed()
    desk.state(complaint_id)
    assert code(desk.decide(complaint_id, who)) == refusal
    assert desk.decide(complaint_id, "city", upheld=False).status_code == 200


@pytest.mark.parametrize("side", ["supplier", "buyer"])
def test_nobody_decides_for_or_against_the_own_organisation(desk, side):
    complaint_id, _ = desk.complained() if side == "supplier" else (desk.filed(), "")
    desk.state(complaint_id)
    with desk.office.database.unit_of_work() as session:
        own = session.get(Organisation, desk.office.users[side].organisation_id)
        desk.office.users["related"] = make_user(session, Role.COUNTY_OFFICER, own, COUNTY)
    assert code(desk.decide(complaint_id, "related")) == (403, "own_case")
    answer = desk.read(complaint_id, "related")
    assert (answer.json()["contact"], answer.json()["possible_actions"]) == (None, [])


def test_an_api_key_for_complaints_alone_takes_no_measure(desk):
    complaint_id = desk.filed()
    desk.state(complaint_id)
    made = desk.as_("county").post(
        "/v1/api-keys", json={"name": "complaints", "scopes": ["complaints:decide", "complaints:read"], "valid_days": 60}
    )
    assert made.status_code == 201, made.text
    key = {"X-API-Key": made.json()["key"]}
    path, body = f"/v1/complaints/{complaint_id}/decide", {"upheld": True, "answer": "属实"}
    assert code(desk.office.api.post(path, json=body, headers=key)) == (403, "forbidden")
    assert desk.events() == []
    assert desk.office.api.post(path, json={**body, "upheld": False}, headers=key).status_code == 200


def test_what_is_late_is_marked(desk):
    complaint_id = desk.filed()
    for days, late in {14: False, 15: True}.items():  # due on Monday, 7 December
        with clock.fixed(MONDAY + timedelta(days=days)):
            desk.office.clients.clear()
            assert desk.read(complaint_id).json()["overdue"] is late
            assert desk.found(overdue=True) == ([complaint_id] if late else [])
            assert desk.found(overdue=False) == ([] if late else [complaint_id])


def test_a_buyer_takes_its_complaint_back(desk):
    complaint_id, by_public = desk.filed(), desk.complained()[0]
    path = f"/v1/complaints/{complaint_id}/withdraw"
    assert code(desk.as_("other_buyer").post(path)) == (404, "not_found")
    for who in ("supplier", "county", "approver"):
        assert code(desk.as_(who).post(path)) == (403, "forbidden")
    assert desk.as_("buyer").post(path).json()["status"] == "withdrawn"
    assert code(desk.as_("buyer").post(path)) == (409, "illegal_move")
    assert code(desk.state(complaint_id)) == (409, "illegal_move")
    assert code(desk.decide(complaint_id)) == (409, "illegal_move")
    assert code(desk.as_("buyer").post(f"/v1/complaints/{by_public}/withdraw")) == (404, "not_found")


# --- files ----------------------------------------------------------------------------------------------------------


def attach(desk, who, complaint_id, place="files", content=PDF):
    return desk.as_(who).post(f"/v1/complaints/{complaint_id}/{place}", files={"file": ("照片.pdf", content, "application/pdf")})


def test_both_sides_bring_papers(desk):
    complaint_id, other = desk.filed(), desk.filed()
    assert attach(desk, "buyer", complaint_id).status_code == 201
    told = attach(desk, "supplier", complaint_id, "statement/files", PDF + b"%").json()
    assert [file["side"] for file in told["files"]] == ["buyer", "supplier"]
    for file, content in zip(told["files"], (PDF, PDF + b"%"), strict=True):
        path = f"/v1/complaints/{complaint_id}/files/{file['id']}"
        for who in ("buyer", "supplier", "county"):
            assert desk.as_(who).get(path).content == content
        assert code(desk.as_("other_buyer").get(path)) == (404, "not_found")
        assert code(desk.as_("county").get(f"/v1/complaints/{other}/files/{file['id']}")) == (404, "not_found")


def test_papers_have_their_limits(desk):
    complaint_id = desk.filed()
    assert code(attach(desk, "buyer", complaint_id, content=b"MZ\x90")) == (422, "file_type_not_accepted")
    assert code(attach(desk, "other_buyer", complaint_id)) == (404, "not_found")
    assert code(attach(desk, "supplier", complaint_id)) == (403, "forbidden")
    for _ in range(10):
        assert attach(desk, "buyer", complaint_id).status_code == 201
    assert code(attach(desk, "buyer", complaint_id)) == (409, "too_many_files")
    assert attach(desk, "supplier", complaint_id, "statement/files").status_code == 201
    desk.as_("buyer").post(f"/v1/complaints/{complaint_id}/withdraw")
    assert code(attach(desk, "supplier", complaint_id, "statement/files")) == (409, "complaint_closed")


# --- who hears of it, and what is kept ------------------------------------------------------------------------------


def test_everybody_concerned_hears_of_it(desk):
    complaint_id = desk.filed()
    desk.drain()
    assert (desk.heard("supplier"), desk.heard("county"), desk.heard("buyer")) == (["complaint.received"], ["complaint.filed"], [])
    desk.state(complaint_id)
    desk.drain()
    assert desk.heard("county") == ["complaint.filed", "complaint.stated"]
    desk.decide(complaint_id)
    desk.drain()
    assert desk.heard("supplier") == ["complaint.received", "complaint.upheld"]
    assert desk.heard("buyer") == ["complaint.upheld"]
    other = desk.filed()
    desk.as_("buyer").post(f"/v1/complaints/{other}/withdraw")
    desk.drain()
    assert "complaint.withdrawn" in desk.heard("supplier")
    assert "complaint.withdrawn" in desk.heard("county")


def test_every_move_is_on_record(desk):
    complaint_id, _ = desk.complained()
    desk.state(complaint_id)
    desk.decide(complaint_id, measure="warn", reason="已整改")
    with desk.office.database.unit_of_work() as session:
        record = session.execute(
            text("SELECT action, actor_role FROM audit_event WHERE subject_type = 'complaint' AND subject_id = :id ORDER BY id"),
            {"id": complaint_id},
        ).all()
    assert [tuple(row) for row in record] == [
        ("complaint.filed", "public"),
        ("complaint.stated", "supplier_admin"),
        ("complaint.upheld", "county_officer"),
    ]


# --- at once --------------------------------------------------------------------------------------------------------


def actor(desk, who):
    with desk.office.database.unit_of_work() as session:
        return tokens.actor_of(session, token=access_token(session, desk.office.users[who]), api_key=None)


def at_once(database, *acts):
    start = threading.Barrier(len(acts))

    def run(act):
        start.wait()
        try:
            with database.unit_of_work() as session:
                act(session)
        except Problem as refusal:
            return refusal.code
        return None

    with ThreadPoolExecutor(len(acts)) as pool:
        return list(pool.map(run, acts))


def test_of_two_who_decide_at_once_one_wins(desk):
    county, colleague, buyer = (actor(desk, who) for who in ("county", "colleague", "buyer"))
    database = desk.office.database
    yes = DecisionIn(upheld=True, answer="属实", measure="warn", reason="已整改")
    no = DecisionIn(upheld=False, answer="不属实")
    for _ in range(10):
        complaint_id = desk.filed()
        desk.state(complaint_id)
        results = at_once(
            database,
            lambda session, c=complaint_id: actions.decide(session, county, c, yes),
            lambda session, c=complaint_id: actions.decide(session, colleague, c, no),
            lambda session, c=complaint_id: actions.withdraw(session, buyer, c),
        )
        assert sorted(map(str, results)) == ["None", "illegal_move", "illegal_move"]
    upheld = desk.office.count("SELECT count(*) FROM complaint WHERE status = 'upheld'")
    assert desk.events() == [("warned", "complaint_upheld")] * upheld


def complaining_at_once(desk, many=8):
    body = PublicComplaintIn(certificate_number=desk.number, kind="quality", text=WORDS, **CONTACT)
    return at_once(desk.office.database, *[lambda session: actions.receive(session, body)] * many)


def test_no_more_wait_than_the_limit_however_many_come_at_once(desk, monkeypatch):
    monkeypatch.setattr(actions, "MOST_OPEN", 3)
    results = complaining_at_once(desk)
    assert (results.count(None), results.count("too_many_complaints")) == (3, 5)


@pytest.mark.control
def test_without_the_lock_the_limit_is_passed(desk, monkeypatch):
    """The control."""
    monkeypatch.setattr(actions, "MOST_OPEN", 3)
    counted, sealed = threading.Barrier(8), PublicComplaintIn.sealed

    def late(body):  # after the count, before the row
        counted.wait(30)
        return sealed(body)

    monkeypatch.setattr(locks, "hold", lambda session, name: None)
    monkeypatch.setattr(PublicComplaintIn, "sealed", late)
    assert complaining_at_once(desk).count(None) == 8


def test_a_statement_and_a_decision_at_once_take_turns(desk):
    county, supplier = actor(desk, "county"), actor(desk, "supplier")
    no = DecisionIn(upheld=False, answer="不属实")
    with clock.fixed(STATEMENT_OVER):
        for _ in range(10):
            with desk.office.database.unit_of_work() as session:
                body = ComplaintIn(certificate_id=desk.certificate_id, kind="quality", text=WORDS)
                complaint_id = actions.file(session, supplier, body)
                session.execute(text("UPDATE complaint SET statement_due_on = '2026-11-26' WHERE id = :id"), {"id": complaint_id})
            results = at_once(
                desk.office.database,
                lambda session, c=complaint_id: actions.state(session, supplier, c, "说明"),
                lambda session, c=complaint_id: actions.decide(session, county, c, no),
            )
            assert results in ([None, None], ["illegal_move", None])
            said = "SELECT statement IS NOT NULL FROM complaint WHERE id = :id"
            assert desk.office.count(said, id=complaint_id) is (results[0] is None)
