"""Awards and contracts of public buyers, as the open contracting standard wants them."""

import json
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import jsonschema_rs
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text

from orders.opendata import contracting
from orders.opendata.rules import amount
from shop.core import clock, outbox
from shop.core.settings import settings
from shop.identity.permissions import Role
from tests.factories.identity import make_organisation, make_user
from tests.factories.paths import Paths
from workers.handlers import HANDLERS

_SCHEMAS = Path(__file__).parent / "ocds"
_RELEASE = json.loads((_SCHEMAS / "release-schema.json").read_text())
_PACKAGE = json.loads((_SCHEMAS / "release-package-schema.json").read_text())
_NAME = "https://standard.open-contracting.org/schema/1__1__5/release-schema.json"


@pytest.fixture(scope="module")
def faults():
    """The faults that the standard's own schema finds in a release package."""
    registry = jsonschema_rs.Registry([(_NAME, _RELEASE)])
    validator = jsonschema_rs.Draft4Validator(_PACKAGE, registry=registry, validate_formats=True)
    return lambda package: [
        f"{'/'.join(map(str, fault.instance_path))}: {fault.message}" for fault in validator.iter_errors(package)
    ]


@pytest.fixture
def paths(api, database, monkeypatch):
    """A large order, one below the sum, an order of a firm, an award that became an order, an agreement and an order from it."""
    made = Paths(api, database)
    agreement, line = made.agreement()
    path, body = made.award(quantity=300)
    body["lines"][0]["quantity"] = "250"
    orders = [
        made.done(made.buyer.post("/v1/purchase-orders", json=made.market.order(200))),
        made.done(made.buyer.post("/v1/purchase-orders", json=made.market.order(1))),
        made.done(made.buyer.post(path, json=body)),
    ]
    call, asked = made.call_off(agreement, line)
    asked["lines"][0]["quantity"] = "240"
    made.done(made.buyer.post(call, json=asked))
    with database.unit_of_work() as session:
        firm = make_organisation(session, kind="enterprise", role="enterprise", region_code="500103", name="某有限公司")
        clerk = make_user(session, Role.PURCHASER, firm)
    made.done(api.as_(clerk).post("/v1/purchase-orders", json=made.market.order(300)))
    with database.unit_of_work() as session:
        parts = (
            session.execute(text("SELECT id FROM supplier_order WHERE supplier_id = :id"), {"id": made.supplier}).scalars().all()
        )
    for part in parts:
        made.done(made.seller.post(f"/v1/supplier-orders/{part}/confirm"))
    outbox.drain(database, HANDLERS)
    assert orders[0]["number"]
    return made


def everything(api, **query):
    found, asked = [], "/v1/public/ocds/releases?" + "&".join(f"{name}={value}" for name, value in query.items())
    while asked:
        package = api.get(asked).json()
        found.append(package)
        asked = package.get("links", {}).get("next", "").replace(settings().public_url, "")
    return found


def test_a_release_package_passes_the_standards_own_schema(api, paths, faults):
    [package] = everything(api)
    assert faults(package) == []
    told = {
        (tuple(each["tag"]), each["awards"][0]["value"]["amount"] if "value" in each["awards"][0] else None)
        for each in package["releases"]
    }
    assert told == {
        (("award", "contract"), None),  # the agreement, which has no sum of its own
        (("award",), 15000),
        (("award", "contract"), 15000),
        (("award", "contract"), 14400),
        (("award", "contract"), 13000),
    }


def test_the_schema_finds_what_is_wrong(api, paths, faults):
    """The control: the same package with three faults."""
    [package] = everything(api)
    package["releases"][0]["tender"]["status"] = "opened"
    del package["releases"][1]["ocid"]
    next(each for each in package["releases"] if "contracts" in each)["awards"][0]["value"] = {"amount": "1.00"}
    assert len(faults(package)) == 3


def test_parties_are_organisations_by_their_register_and_nobody_is_named(api, paths):
    [package] = everything(api)
    release = package["releases"][-1]
    buyer, supplier = release["parties"]
    assert (buyer["name"], buyer["identifier"]["scheme"]) == ("沙坪坝中学", "CN-USCC")
    assert buyer["id"] == f"CN-USCC-{buyer['identifier']['id']}" == release["buyer"]["id"]
    assert (buyer["roles"], supplier["roles"]) == (["buyer", "procuringEntity"], ["supplier"])
    assert "某有限公司" not in json.dumps(package, ensure_ascii=False), "what a firm buys is its own affair"
    assert "测试用户" not in json.dumps(package, ensure_ascii=False)


def test_pages_hold_each_release_once(api, paths, monkeypatch):
    [whole] = everything(api)
    monkeypatch.setattr(contracting, "PAGE", 2)
    pages = everything(api)
    assert [len(page["releases"]) for page in pages] == [2, 2, 1]
    assert [each["id"] for page in pages for each in page["releases"]] == [each["id"] for each in whole["releases"]]
    # however the day is written that the first page was asked for
    assert [len(page["releases"]) for page in everything(api, **{"from": f"{clock.today()}T00:00:00"})] == [2, 2, 1]


def test_only_what_is_new_since_a_day(api, paths):
    today = clock.today()
    assert len(everything(api, **{"from": today})[0]["releases"]) == 5
    assert everything(api, **{"from": today + timedelta(days=1)})[0]["releases"] == []
    assert everything(api, to=today - timedelta(days=1))[0]["releases"] == []


def test_a_record_joins_what_belongs_to_one_process(api, paths, faults):
    [package] = everything(api)
    award = next(each for each in package["releases"] if each["tag"] == ["award"])
    found = api.get(f"/v1/public/ocds/records/{award['ocid']}").json()
    [record] = found["records"]
    assert [each["tag"] for each in record["releases"]] == [["award"], ["award", "contract"]]
    compiled = record["compiledRelease"]
    assert compiled["tag"] == ["compiled"]
    assert {each["id"] for each in compiled["awards"]} == {each["awards"][0]["id"] for each in record["releases"]}
    assert [party["roles"] for party in compiled["parties"]] == [["buyer", "procuringEntity"], ["supplier"]]
    assert faults(package | {"releases": [compiled]}) == []


def test_there_is_no_record_of_what_is_not_published(api, paths):
    small = paths.buyer.get("/v1/purchase-orders").json()["items"]
    below = next(each for each in small if each["total"] == "69.90")
    for ocid in (f"ocds-000000-{below['number']}", "ocds-000000-X", "other-PO1"):
        assert api.get(f"/v1/public/ocds/records/{ocid}").status_code == 404
    assert api.get("/v1/public/ocds/releases?after=x").status_code == 422
    assert api.get("/v1/public/ocds/releases?form=2026-01-01").status_code == 422
    backwards = api.get("/v1/public/ocds/releases?from=2026-02-01&to=2026-01-31")
    assert (backwards.status_code, backwards.json()["code"]) == (422, "period_backwards")


@given(st.integers(0, 10**14))
def test_an_amount_reads_back_to_the_fen(fen):
    written = json.dumps(amount(fen))
    assert json.loads(written, parse_float=Decimal, parse_int=Decimal)["amount"] * 100 == fen
