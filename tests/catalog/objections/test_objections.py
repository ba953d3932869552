"""Objections over HTTP: raised by anybody while the notice runs, answered by the county, and nobody learns who it was."""

import re
from datetime import timedelta

import pytest
from sqlalchemy import text

from shop.core import clock, sealing
from shop.identity.models import Organisation
from shop.identity.permissions import Role
from tests.catalog.conftest import COUNTY
from tests.catalog.objections.conftest import CONTACT, LAST_DAY, OVER, WORDS, canary, code, everything, leaked
from tests.factories.catalog import PDF
from tests.factories.identity import make_user


def test_an_objection_gets_a_receipt_and_a_date(square):
    answer = square.object(square.notice())
    assert answer.status_code == 201
    told = answer.json()
    assert re.fullmatch(r"YY-2026-500236-[2-9A-HJKMNP-TV-Z]{16}", told["receipt"])
    # ten working days after Monday the 23rd
    assert (told["state"], told["due_on"]) == ("received", "2026-12-07")
    assert leaked(answer.text) == []


def test_the_receipt_tells_what_became_of_it_and_not_who_it_was(square):
    objection_id, receipt = square.objection()
    seen = square.follow(receipt).json()
    assert (seen["state"], seen["text"], seen["answer"], seen["decided_at"], seen["files"]) == ("received", WORDS, None, None, 0)
    square.do("county", objection_id, "investigate")
    assert square.follow(receipt).json()["state"] == "investigating"
    square.do("county", objection_id, "dismiss")
    answer = square.follow(receipt)
    assert (answer.json()["state"], answer.json()["answer"]) == ("dismissed", "经核查，产品为本村所产。")
    assert answer.json()["decided_at"]
    assert leaked(answer.text) == []
    assert "现场核对" not in answer.text  # the findings are for the record


@pytest.mark.parametrize(
    "receipt", ["YY-2026-500236-2222222222222222", "x", "YY-2026-500236-2222222222222222%00", "%00", "é" * 50, "' OR 1=1 --"]
)
def test_an_unknown_receipt_is_not_found(square, receipt):
    square.objection()
    assert code(square.follow(receipt)) == (404, "not_found")
    file = {"file": ("a.pdf", PDF, "application/pdf")}
    assert code(square.office.api.post(f"/v1/public/objections/{receipt}/files", files=file)) == (404, "not_found")


def test_objections_are_taken_on_the_last_day_and_not_after_it(square):
    case_id = square.notice()
    with clock.fixed(clock.end_of_day(LAST_DAY) - timedelta(seconds=1)):
        assert square.object(case_id).status_code == 201
    with clock.fixed(clock.start_of_day(OVER)):
        assert code(square.object(case_id)) == (409, "notice_not_running")
    assert square.office.count("SELECT count(*) FROM objection") == 1


@pytest.mark.parametrize("status", ["returned", "county_review", "city_review", "approved", "rejected", "withdrawn"])
def test_a_notice_that_was_broken_off_takes_no_objection(square, status):
    case_id = square.office.case(status, notice_from=LAST_DAY - timedelta(days=7), notice_until=OVER)
    assert code(square.object(case_id)) == (409, "notice_not_running")


def test_where_there_never_was_a_notice_nothing_is_told(square):
    assert code(square.object(square.office.case("county_review"))) == (404, "not_found")
    assert code(square.object(10**9)) == (404, "not_found")


@pytest.mark.parametrize(
    "changes",
    [
        {"name": ""},
        {"name": None},
        {"name": "冉\x00"},
        {"name": "冉" * 201},
        {"phone": "not a phone"},
        {"phone": 13912345678},
        {"phone": "1" * 31},
        {"email": "hidden.villager@"},
        {"text": ""},
        {"text": " \n "},
        {"text": "异\x00议"},
        {"text": "议" * 5001},
        {"text": "\ud800"},
        {"receipt": "YY-2026-500236-2222222222222222"},
    ],
)
def test_a_faulty_objection_is_refused_without_repeating_who_it_was(square, changes):
    case_id = square.notice()
    answer = (
        square.object(case_id, **changes)
        if changes.get("text") != "\ud800"
        else square.office.api.post(
            f"/v1/public/notices/{case_id}/objections",
            content=b'{"name": "x", "phone": "13912345678", "text": "\\ud800"}',
            headers={"Content-Type": "application/json"},
        )
    )
    assert answer.status_code == 422, answer.text
    assert leaked(answer.text) == []
    assert "not a phone" not in answer.text
    assert "hidden.villager" not in answer.text
    assert square.office.count("SELECT count(*) FROM objection") == 0


def test_a_long_objection_in_chinese_is_kept_as_it_is(square):
    words = "产地存疑。𠮷🍊" * 600
    answer = square.object(square.notice(), text=words, email=None)
    assert square.follow(answer.json()["receipt"]).json()["text"] == words


def test_the_same_objection_sent_twice_counts_once(square):
    case_id = square.notice()
    path, body = f"/v1/public/notices/{case_id}/objections", {**CONTACT, "text": WORDS}
    first, again = (square.office.api.post(path, json=body, headers={"Idempotency-Key": "k-1"}) for _ in range(2))
    assert (first.status_code, again.json()) == (201, first.json())
    other = square.office.api.post(path, json={**body, "text": "另一条"}, headers={"Idempotency-Key": "k-1"})
    assert code(other) == (422, "idempotency_key_reused")
    assert square.office.count("SELECT count(*) FROM objection") == 1


# --- who it was -----------------------------------------------------------------------------------------------------


def test_the_contact_is_nowhere_in_the_clear(square, capfd):
    contact = canary()
    case_id = square.notice()
    answer = square.office.api.post(
        f"/v1/public/notices/{case_id}/objections", json={**contact, "text": WORDS}, headers={"Idempotency-Key": "k-2"}
    )
    objection_id = square.found("county", case_id=case_id)[0]
    file = {"file": ("证据.pdf", PDF, "application/pdf")}
    square.office.api.post(f"/v1/public/objections/{answer.json()['receipt']}/files", files=file)
    assert square.read("county", objection_id).json()["contact"] == contact
    for action in ("investigate", "uphold"):
        done = square.office.as_("county").post(
            f"/v1/objections/{objection_id}/{action}",
            json={"findings": "外购原料", "answer": "异议成立"},
            headers={"Idempotency-Key": action},
        )
        assert (done.status_code, leaked(done.text, contact)) == (200, [])
    square.drain()
    assert leaked(everything(square.office.database), contact) == []
    captured = capfd.readouterr()
    assert leaked(captured.out + captured.err, contact) == []
    with square.office.database.unit_of_work() as session:
        sealed = session.execute(text("SELECT sealed_contact FROM objection")).scalar_one()
    assert sealing.unseal(sealed) == contact


def test_each_look_at_the_contact_is_on_record(square):
    objection_id, _ = square.objection()
    assert square.read("county", objection_id).json()["contact"] == CONTACT
    square.read("city", objection_id)
    square.found("county")
    square.do("county", objection_id, "investigate")
    with square.office.database.unit_of_work() as session:
        seen = session.execute(
            text("SELECT actor_id FROM audit_event WHERE action = 'objection.contact_seen' AND subject_id = :id ORDER BY id"),
            {"id": objection_id},
        ).scalars()
        assert list(seen) == [square.office.users["county"].id, square.office.users["city"].id]


@pytest.mark.parametrize("who", ["supplier", "rival", "township", "department", "monitor"])
def test_only_who_decides_sees_objections(square, who):
    objection_id, _ = square.objection()
    assert code(square.read(who, objection_id)) == (403, "forbidden")
    assert code(square.office.as_(who).get("/v1/objections")) == (403, "forbidden")
    assert code(square.do(who, objection_id, "dismiss")) == (403, "forbidden")
    assert code(square.office.as_(who).get(f"/v1/objections/{objection_id}/files/1")) == (403, "forbidden")


def test_the_supplier_sees_that_there_is_one_and_never_who(square):
    case_id = square.notice()
    square.objection(case_id)
    answer = square.office.as_("supplier").get(f"/v1/certification-cases/{case_id}")
    assert answer.json()["objections_open"] == 1
    assert leaked(answer.text) == []
    assert WORDS not in answer.text


def test_an_officer_of_another_county_finds_nothing(square):
    objection_id, _ = square.objection()
    assert square.found("elsewhere") == []
    assert code(square.read("elsewhere", objection_id)) == (404, "not_found")
    for action in ("investigate", "uphold", "dismiss"):
        assert code(square.do("elsewhere", objection_id, action)) == (404, "not_found")
    assert square.office.count("SELECT count(*) FROM audit_event WHERE action = 'objection.contact_seen'") == 0


def test_nobody_looks_into_what_is_against_the_own_organisation(square):
    office = square.office
    objection_id, receipt = square.objection()
    office.api.post(f"/v1/public/objections/{receipt}/files", files={"file": ("a.pdf", PDF, "application/pdf")})
    with office.database.unit_of_work() as session:
        own = session.get(Organisation, office.supplier.id)
        office.users["related"] = make_user(session, Role.COUNTY_OFFICER, own, COUNTY)
    assert square.found("related") == []
    assert code(square.read("related", objection_id)) == (403, "own_case")
    file_id = office.count("SELECT file_id FROM objection_file")
    assert code(office.as_("related").get(f"/v1/objections/{objection_id}/files/{file_id}")) == (403, "own_case")
    for action in ("investigate", "uphold", "dismiss"):
        assert code(square.do("related", objection_id, action)) == (403, "own_case")


# --- the answer -----------------------------------------------------------------------------------------------------


def test_from_the_objection_to_the_answer(square):
    office = square.office
    case_id = square.notice()
    objection_id, _ = square.objection(case_id)
    with clock.fixed(clock.start_of_day(OVER)):
        assert code(office.do("county", case_id, "approve")) == (409, "objection_open")
        taken = square.do("county", objection_id, "investigate").json()
        assert (taken["status"], taken["investigator_id"]) == ("investigating", office.users["county"].id)
        assert taken["possible_actions"] == ["uphold", "dismiss"]
        assert code(square.do("colleague", objection_id, "investigate")) == (409, "illegal_move")
        assert code(office.do("county", case_id, "approve")) == (409, "objection_open")
        done = square.do("county", objection_id, "dismiss")
        assert done.headers["ETag"] == '"3"'
        done = done.json()
        assert (done["status"], done["decided_by"], done["possible_actions"]) == ("dismissed", office.users["county"].id, [])
        assert code(square.do("county", objection_id, "uphold")) == (409, "illegal_move")
        assert office.do("county", case_id, "approve").json()["status"] == "city_review"


def test_after_an_upheld_objection_the_case_can_only_be_returned_or_rejected(square):
    office = square.office
    case_id = square.notice()
    objection_id, _ = square.objection(case_id)
    assert square.do("county", objection_id, "uphold").json()["status"] == "upheld"
    with clock.fixed(clock.start_of_day(OVER)):
        office.clients.clear()
        assert code(office.do("county", case_id, "approve")) == (409, "objection_upheld")
        assert office.read("county", case_id)["possible_actions"] == ["return", "reject"]
        assert office.do("county", case_id, "return", reason="异议成立，请更正产地").json()["status"] == "returned"


@pytest.mark.parametrize(
    "body", [{"findings": "x"}, {"answer": "x"}, {"findings": " ", "answer": "x"}, {"findings": "x", "answer": ""}]
)
def test_a_decision_has_findings_and_an_answer(square, body):
    objection_id, _ = square.objection()
    assert square.do("county", objection_id, "dismiss", **body).status_code == 422


def test_a_decision_sent_twice_happens_once(square):
    objection_id, _ = square.objection()
    client, body = square.office.as_("county"), {"findings": "x", "answer": "y"}
    answers = [
        client.post(f"/v1/objections/{objection_id}/dismiss", json=body, headers={"Idempotency-Key": "k-3"}) for _ in range(2)
    ]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert square.office.count("SELECT version FROM objection WHERE id = :id", id=objection_id) == 2


def test_what_is_late_is_marked(square):
    objection_id, _ = square.objection()
    # it is due on Monday, 7 December
    with clock.fixed(clock.start_of_day(OVER + timedelta(days=6))):
        square.office.clients.clear()
        assert square.read("county", objection_id).json()["overdue"] is False
        assert (square.found("county", overdue=True), square.found("county", overdue=False)) == ([], [objection_id])
    with clock.fixed(clock.start_of_day(OVER + timedelta(days=7))):
        square.office.clients.clear()
        assert square.read("county", objection_id).json()["overdue"] is True
        assert (square.found("county", overdue=True), square.found("county", overdue=False)) == ([objection_id], [])
        square.do("county", objection_id, "dismiss")
        assert square.found("county", overdue=True) == []


def test_objections_are_found_by_state_case_place_and_words(square):
    first, receipt = square.objection()
    second, _ = square.objection()
    square.do("county", second, "investigate")
    case_id = square.office.count("SELECT case_id FROM objection WHERE id = :id", id=first)
    assert square.found("county") == [second, first]
    assert (
        square.found("city", status="received")
        == square.found("city", case_id=case_id)
        == square.found("city", q=receipt)
        == [first]
    )
    assert square.found("city", district="500240") == []
    assert square.found("city", district=COUNTY, q=square.office.supplier.name) == [second, first]
    page = square.office.as_("city").get("/v1/objections", params={"limit": 1}).json()
    assert square.found("city", limit=1, after=page["next"]) == [first]


# --- evidence -------------------------------------------------------------------------------------------------------


def attach(square, receipt, content=PDF, name="照片.pdf"):
    return square.office.api.post(f"/v1/public/objections/{receipt}/files", files={"file": (name, content, "application/pdf")})


def test_evidence_goes_to_who_decides(square):
    objection_id, receipt = square.objection()
    kept = attach(square, receipt)
    assert (kept.status_code, kept.json()["name"]) == (201, "照片.pdf")
    assert square.follow(receipt).json()["files"] == 1
    [file] = square.read("county", objection_id).json()["files"]
    answer = square.office.as_("county").get(f"/v1/objections/{objection_id}/files/{file['id']}")
    assert (answer.status_code, answer.content) == (200, PDF)
    assert answer.headers["content-disposition"].startswith("attachment")
    assert code(square.office.as_("elsewhere").get(f"/v1/objections/{objection_id}/files/{file['id']}")) == (404, "not_found")
    other, _ = square.objection()
    assert code(square.office.as_("county").get(f"/v1/objections/{other}/files/{file['id']}")) == (404, "not_found")


def test_evidence_has_its_limits(square):
    objection_id, receipt = square.objection()
    assert code(attach(square, receipt, b"MZ\x90\x00")) == (422, "file_type_not_accepted")
    assert attach(square, receipt, name="../../etc/passwd\x00.exe").json()["name"].endswith(".pdf")
    for number in range(9):
        assert attach(square, receipt, PDF + b"%" * number).status_code == 201
    assert code(attach(square, receipt)) == (409, "too_many_files")
    square.do("county", objection_id, "dismiss")
    assert code(attach(square, receipt)) == (409, "objection_decided")


# --- who hears of it ------------------------------------------------------------------------------------------------


def heard(square, who):
    items = square.office.as_(who).get("/v1/notifications").json()["items"]
    return [(item["kind"], item["text"]) for item in items if item["kind"].startswith("objection")]


def test_the_county_hears_of_an_objection_and_the_supplier_how_it_ended(square):
    objection_id, _ = square.objection()
    square.drain()
    product = square.office.count("SELECT name FROM product ORDER BY id DESC LIMIT 1")
    words = f"There is an objection against the notice on “{product}”; the answer is due by 2026-12-07"
    assert heard(square, "county") == [("objection.received", words)]
    assert (heard(square, "supplier"), heard(square, "elsewhere")) == ([], [])
    square.do("county", objection_id, "uphold")
    square.drain()
    assert [kind for kind, _ in heard(square, "supplier")] == ["objection.upheld"]


def test_every_move_is_on_record(square):
    objection_id, receipt = square.objection()
    attach(square, receipt)
    square.do("county", objection_id, "investigate")
    square.do("county", objection_id, "dismiss")
    with square.office.database.unit_of_work() as session:
        record = session.execute(
            text("SELECT action, actor_role FROM audit_event WHERE subject_type = 'objection' AND subject_id = :id ORDER BY id"),
            {"id": objection_id},
        ).all()
    assert [tuple(row) for row in record] == [
        ("objection.received", "public"),
        ("objection.evidence_added", "public"),
        ("objection.investigated", "county_officer"),
        ("objection.dismissed", "county_officer"),
    ]


def test_the_applicant_reads_what_was_objected_and_how_it_was_decided_but_not_by_whom(square):
    case_id = square.notice()
    objection, receipt = square.objection(case_id)
    path = f"/v1/certification-cases/{case_id}/objections"
    [open_one] = square.office.as_("supplier").get(path).json()
    assert (open_one["status"], open_one["text"], open_one["answer"]) == ("received", WORDS, None)
    square.do("county", objection, "dismiss")
    answer = square.office.as_("supplier").get(path)
    [decided] = answer.json()
    assert (decided["status"], decided["answer"]) == ("dismissed", "经核查，产品为本村所产。")
    for secret in (*CONTACT.values(), receipt, "现场核对采摘记录"):
        assert secret not in answer.text
    assert code(square.office.as_("rival").get(path)) == (404, "not_found")
