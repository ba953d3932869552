"""Whoever moves what answers with an ETag names the version that was read: what was changed meanwhile is not moved."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from catalog.supervision.rules import CheckKind
from catalog.supervision.schemas.checking import InspectionOut

STALE = {"If-Match": '"99"'}
WORDS = {"findings": "属实", "answer": "属实"}


@dataclass(frozen=True)
class Move:
    """``make`` gives the path of a new resource, which ``who`` moves by ``action``."""

    make: Callable[[Any], str]
    who: str
    action: str
    body: dict[str, Any] | None = None


def case(status: str, **details: Any) -> Callable[[Any], str]:
    return lambda office: f"/v1/certification-cases/{office.case(status, **details)}"


def batch(office: Any) -> str:
    body = {"level": "city", "title": "第一批", "case_ids": [office.case("filing")]}
    return f"/v1/catalogue-batches/{office.as_('city').post('/v1/catalogue-batches', json=body).json()['id']}"


def published(office: Any) -> str:
    path = batch(office)
    office.as_("city").post(f"{path}/publish")
    return path


def inspection(office: Any) -> str:
    body = {"certificate_id": office.product(certified=True).certificate_id, "kind": CheckKind.QUALITY}
    made = InspectionOut.model_validate(office.as_("county").post("/v1/inspections", json=body).json())
    return f"/v1/inspections/{made.id}"


def objection(office: Any) -> str:
    case_id = office.case("county_review")
    office.do("county", case_id, "approve")
    body = {"name": "冉先生", "phone": "13900000000", "text": "请核实产地。"}
    office.api.post(f"/v1/public/notices/{case_id}/objections", json=body)
    return f"/v1/objections/{office.as_('county').get('/v1/objections').json()['items'][0]['id']}"


def complaint(office: Any) -> str:
    certificate = office.as_("county").get(f"/v1/certificates/{office.product(certified=True).certificate_id}").json()
    body = {
        "certificate_number": certificate["number"],
        "kind": "delivery",
        "text": "迟到",
        "name": "冉先生",
        "phone": "13900000000",
    }
    office.api.post("/v1/public/complaints", json=body)
    return f"/v1/complaints/{office.as_('county').get('/v1/complaints').json()['items'][0]['id']}"


def product(office: Any) -> str:
    return f"/v1/products/{office.product().product_id}"


def pack(office: Any) -> str:
    return f"/v1/skus/{office.product().sku_id}"


MOVES = {
    "case submit": Move(case("draft"), "supplier", "submit"),
    "case withdraw": Move(case("county_review"), "supplier", "withdraw", {}),
    "case claim": Move(case("county_review"), "county", "claim", {}),
    "case release": Move(case("county_review"), "county", "release"),
    "case opinion": Move(
        case("county_review"), "county", "opinions", {"department": "agriculture", "verdict": "support", "opinion": "同意"}
    ),
    "case approve": Move(case("county_review"), "county", "approve", {}),
    "case return": Move(case("county_review"), "county", "return", {"reason": "x"}),
    "case reject": Move(case("county_review"), "county", "reject", {"reason": "x"}),
    "case appeal": Move(case("rejected", sent_back_from="county_review"), "supplier", "appeal", {"reason": "x"}),
    "case appeal decided": Move(
        case("appealed", sent_back_from="county_review"), "city", "appeal-decision", {"granted": True, "reason": "x"}
    ),
    "batch filled": Move(batch, "city", "cases", {"case_ids": [1]}),
    "batch published": Move(batch, "city", "publish"),
    "batch withdrawn": Move(published, "city", "withdraw", {"reason": "x"}),
    "inspection done": Move(inspection, "county", "result", {"passed": True, "findings": "合格", "done_on": "2026-11-23"}),
    "inspection cancelled": Move(inspection, "county", "cancel", {"reason": "x"}),
    "objection taken up": Move(objection, "county", "investigate"),
    "objection upheld": Move(objection, "county", "uphold", WORDS),
    "objection dismissed": Move(objection, "county", "dismiss", WORDS),
    "complaint stated": Move(complaint, "supplier", "statement", {"text": "x"}),
    "complaint decided": Move(complaint, "county", "decide", {"upheld": False, "answer": "x"}),
    "product withdrawn": Move(product, "supplier", "withdraw"),
    "pack withdrawn": Move(pack, "supplier", "withdraw"),
}


@pytest.mark.parametrize("move", MOVES.values(), ids=MOVES.keys())
def test_what_was_changed_meanwhile_is_not_moved(office, move):
    path, client = move.make(office), office.as_(move.who)
    read = client.get(path)
    assert read.headers["ETag"] != STALE["If-Match"]
    refused = client.post(f"{path}/{move.action}", json=move.body, headers=STALE)
    assert (refused.status_code, refused.json()["code"]) == (412, "changed_meanwhile")
    assert client.get(path).json() == read.json()
    asked = client.post(f"{path}/{move.action}", json=move.body, headers={"If-Match": read.headers["ETag"]})
    assert asked.status_code != 412


def test_a_case_is_taken_out_of_the_batch_that_was_read(office):
    path = batch(office)
    case_id = office.count("SELECT id FROM certification_case")
    city = office.as_("city")
    for address in (f"{path}/cases/{case_id}", path):
        refused = city.delete(address, headers=STALE)
        assert (refused.status_code, refused.json()["code"]) == (412, "changed_meanwhile")
    assert city.get(path).json()["cases"] == 1
