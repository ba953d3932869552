"""Products, packs and prices through the door."""

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from shop.identity.permissions import Role
from tests.factories.catalog import make_product, recount_search
from tests.factories.identity import make_organisation, make_supplier, signed_in

PACK = {
    "pack": "5kg/箱",
    "unit": "box",
    "net_grams": 5000,
    "vat_bp": 900,
    "tiers": [{"min_quantity": "1", "unit_price": "69.90"}, {"min_quantity": "100", "unit_price": "65.00"}],
}
ORANGES = {"name": "奉节脐橙", "kind": "goods", "category": "fruit", "district_code": "500236", "skus": [PACK]}


@pytest.fixture
def cooperative(database):
    with database.unit_of_work() as session:
        return make_supplier(session, "500236")


@pytest.fixture
def seller(api, cooperative):
    return signed_in(api, Role.SUPPLIER_ADMIN, cooperative)


@pytest.fixture
def buyer(api, database):
    with database.unit_of_work() as session:
        school = make_organisation(session, kind="school", role="school")
    return signed_in(api, Role.PURCHASER, school)


@pytest.fixture
def oranges(seller):
    return seller.post("/v1/products", json=ORANGES).json()


@pytest.mark.parametrize("sign", ["\n", "\t", "\u200b", "\u2028", "\ue000"])
def test_what_stands_on_a_certificate_stands_in_one_line(seller, sign):
    for name in ("name", "producer", "grade", "specification", "village"):
        refused = seller.post("/v1/products", json=ORANGES | {name: f"橙{sign}二"})
        assert (refused.status_code, [(each["field"], each["code"]) for each in refused.json()["errors"]]) == (
            422,
            [(name, "value_error")],
        )
    refused = seller.post("/v1/products", json=ORANGES | {"skus": [PACK | {"pack": f"5kg{sign}箱"}]})
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "skus[0].pack")
    assert seller.post("/v1/products", json=ORANGES | {"description": "草堂镇产\n单果 70 毫米以上"}).status_code == 201


def test_a_product_with_its_pack_is_there_for_everybody(seller, buyer, cooperative):
    made = seller.post("/v1/products", json={**ORANGES, "township_code": "500236T01", "village": "双店村"})
    assert made.status_code == 201
    assert made.headers["etag"] == '"1"'
    told = buyer.get(f"/v1/products/{made.json()['id']}").json()
    assert told == made.json()
    assert (told["supplier_id"], told["supplier_approved"], told["certificate"]) == (cooperative.id, True, None)
    assert (told["district_name"], told["township_name"], told["village"]) == ("奉节县", "平安乡", "双店村")
    sku = told["skus"][0]
    assert (sku["code"], sku["unit_label"], sku["min_quantity"], sku["available"]) == (f"P{told['id']}-1", "box", "1", "0")
    assert sku["tiers"] == PACK["tiers"]
    assert sku == buyer.get(f"/v1/skus/{sku['id']}").json()


@pytest.mark.parametrize("rate", [800, 10_000, 9, 1700])
def test_a_rate_of_tax_is_one_that_is_in_force(seller, oranges, rate):
    refused = seller.post("/v1/products", json={**ORANGES, "skus": [{**PACK, "vat_bp": rate}]})
    assert [(each["field"], each["code"]) for each in refused.json()["errors"]] == [("skus[0].vat_bp", "value_error")]
    assert seller.patch(f"/v1/skus/{oranges['skus'][0]['id']}", json={"vat_bp": rate}).status_code == 422


def test_the_certificate_in_force_is_shown(database, buyer, cooperative):
    with database.unit_of_work() as session:
        made = make_product(session, cooperative)
    path = f"/v1/products/{made.product_id}"
    assert buyer.get(path).json()["certificate"]["id"] == made.certificate_id
    with database.unit_of_work() as session:
        session.execute(text("UPDATE certificate SET suspended_at = now()"))
    assert buyer.get(path).json()["certificate"] is None


FAULTS = [
    ({"name": " "}, "name", "string_too_short"),
    ({"name": "a\x00b"}, "name", "value_error"),
    ({"name": "🍊😀"}, "name", "picture_in_text"),
    ({"name": "奉节脐橙🍊"}, "name", "picture_in_text"),
    ({"producer": "向阳农场☀️"}, "producer", "picture_in_text"),
    ({"village": "三坨村⛰"}, "village", "picture_in_text"),
    ({"name": "2026"}, "name", "name_without_letters"),
    ({"category": "gold"}, "category", "enum"),
    ({"district_code": "110000"}, "district_code", "string_pattern_mismatch"),
    ({"surprise": 1}, "surprise", "extra_forbidden"),
    ({"skus": [{**PACK, "net_grams": None}]}, "skus[0].net_grams", "weight_missing"),
    ({"kind": "service"}, "skus[0].net_grams", "weight_of_a_service"),
    ({"skus": [{**PACK, "unit": "kg"}]}, "skus[0].net_grams", "weight_of_unit"),
    ({"skus": [{**PACK, "unit": "kg", "net_grams": 1}]}, "skus[0].net_grams", "weight_of_unit"),
    ({"skus": [{**PACK, "unit": "room_night"}]}, "skus[0].unit", "unit_of_a_service"),
    ({"kind": "service", "skus": [{**PACK, "unit": "kg", "net_grams": None}]}, "skus[0].unit", "unit_of_goods"),
    ({"skus": [{**PACK, "net_grams": 0}]}, "skus[0].net_grams", "greater_than_equal"),
    ({"skus": [{**PACK, "tiers": []}]}, "skus[0].tiers", "too_short"),
    ({"skus": [{**PACK, "step": "0"}]}, "skus[0].step", "greater_than"),
    ({"skus": [{**PACK, "step": "2"}]}, "skus[0].tiers[0].min_quantity", "wrong_step"),
    ({"skus": [{**PACK, "tiers": [{"min_quantity": "1", "unit_price": "0"}]}]}, "skus[0].tiers[0].unit_price", "value_error"),
    (
        {"skus": [{**PACK, "tiers": [{"min_quantity": "NaN", "unit_price": "1"}]}]},
        "skus[0].tiers[0].min_quantity",
        "value_error",
    ),
]


def test_what_is_at_fault_is_named_and_nothing_is_saved(seller):
    for change, field, code in FAULTS:
        refused = seller.post("/v1/products", json={**ORANGES, **change})
        assert refused.status_code == 422, change
        assert (field, code) in [(e["field"], e["code"]) for e in refused.json()["errors"]], change
    assert seller.get("/v1/products").json()["items"] == []


def test_one_more_pack_by_the_kilogram_weighs_one(seller, oranges):
    path = f"/v1/products/{oranges['id']}/skus"
    refused = seller.post(path, json={**PACK, "unit": "kg", "net_grams": 10_000})
    assert [(fault["field"], fault["code"]) for fault in refused.json()["errors"]] == [("net_grams", "weight_of_unit")]
    assert len(seller.get(f"/v1/products/{oranges['id']}").json()["skus"]) == 1
    assert seller.post(path, json={**PACK, "unit": "kg", "net_grams": 1000}).status_code == 201


def test_goods_are_sold_by_the_sheet_too(seller):
    vouchers = {**ORANGES, "name": "脐橙提货券", "skus": [{**PACK, "pack": "5kg/张", "unit": "ticket"}]}
    made = seller.post("/v1/products", json=vouchers)
    assert made.status_code == 201, made.text
    assert [(sku["unit"], sku["net_grams"]) for sku in made.json()["skus"]] == [("ticket", PACK["net_grams"])]


@pytest.mark.parametrize("change", ["unit = 'kg'", "unit = 'person'", "unit = 'kg', net_grams = NULL"])
def test_the_database_keeps_units_and_weights_together(database, oranges, change):
    with pytest.raises(IntegrityError, match="ck_sku_unit"), database.unit_of_work() as session:
        session.execute(text(f"UPDATE sku SET {change}"))


def test_the_origin_is_a_district_in_force_or_a_township_in_it(seller):
    merged_away = {"district_code": "500112"}
    for place in ({"district_code": "500999"}, {"district_code": "500000"}, {"township_code": "500101T01"}, merged_away):
        assert seller.post("/v1/products", json={**ORANGES, **place}).json()["code"] == "unknown_origin", place


def test_only_approved_suppliers_sell(api, database):
    with database.unit_of_work() as session:
        pending = make_supplier(session, status="pending")
        other = make_organisation(session, kind="cooperative", role="enterprise")
    assert (
        signed_in(api, Role.SUPPLIER_ADMIN, pending).post("/v1/products", json=ORANGES).json()["code"]
        == "organisation_not_approved"
    )
    assert signed_in(api, Role.SUPPLIER_ADMIN, other).post("/v1/products", json=ORANGES).json()["code"] == "not_a_supplier"


def test_names_are_taken_within_a_supplier_only(api, seller, oranges, database):
    assert seller.post("/v1/products", json=ORANGES).json()["code"] == "product_name_taken"
    with database.unit_of_work() as session:
        rival = make_supplier(session, "500236")
    assert signed_in(api, Role.SUPPLIER_ADMIN, rival).post("/v1/products", json=ORANGES).status_code == 201


def test_another_suppliers_product_is_seen_but_not_touched(api, oranges, database, buyer):
    with database.unit_of_work() as session:
        other = make_supplier(session)
    rival = signed_in(api, Role.SUPPLIER_ADMIN, other)
    path, sku = f"/v1/products/{oranges['id']}", f"/v1/skus/{oranges['skus'][0]['id']}"
    answers = [
        rival.patch(path, json={"name": "x"}),
        rival.post(f"{path}/withdraw"),
        rival.post(f"{path}/skus", json=PACK),
        rival.patch(sku, json={"pack": "x"}),
        rival.put(f"{sku}/prices", json={"tiers": PACK["tiers"]}),
    ]
    assert [(a.status_code, a.json()["code"]) for a in answers] == [(403, "not_your_product")] * 5
    assert rival.get(path).json() == oranges
    assert buyer.patch(path, json={"name": "x"}).json()["code"] == "forbidden"
    assert rival.patch("/v1/products/999999", json={"name": "x"}).status_code == 404


def test_a_change_moves_the_version_and_the_search(seller, oranges):
    path = f"/v1/products/{oranges['id']}"
    changed = seller.patch(path, json={"name": "巫山脆李", "district_code": "500237"}, headers={"If-Match": '"1"'})
    assert (changed.status_code, changed.json()["version"], changed.json()["district_name"]) == (200, 2, "巫山县")
    assert seller.patch(path, json={"name": "x"}, headers={"If-Match": '"1"'}).status_code == 412
    assert [p["name"] for p in seller.get("/v1/products", params={"q": "wscl"}).json()["items"]] == ["巫山脆李"]
    assert seller.get("/v1/products", params={"q": "脐橙"}).json()["items"] == []
    assert seller.patch(path, json={"name": None}).status_code == 422
    assert seller.patch(path, json={"township_code": "500101T01"}).json()["code"] == "unknown_origin"


def test_what_a_certificate_speaks_of_stays(database, seller, oranges, cooperative):
    with database.unit_of_work() as session:
        made = make_product(session, cooperative)
    path = f"/v1/products/{made.product_id}"
    refused = seller.patch(path, json={"name": "别的", "category": "tea", "description": "新说明"})
    assert refused.json()["code"] == "certified_frozen"
    assert refused.json()["data"]["fields"] == "category, name"
    assert seller.patch(path, json={"description": "新说明"}).json()["description"] == "新说明"


def test_a_withdrawn_product_leaves_the_list_and_returns(seller, oranges):
    path = f"/v1/products/{oranges['id']}"
    assert seller.post(f"{path}/withdraw").json()["status"] == "withdrawn"
    assert seller.post(f"{path}/withdraw").json()["code"] == "illegal_move"
    assert seller.get("/v1/products").json()["items"] == []
    assert [p["id"] for p in seller.get("/v1/products", params={"status": "withdrawn"}).json()["items"]] == [oranges["id"]]
    assert seller.post(f"{path}/relist").json()["status"] == "active"
    assert len(seller.get("/v1/products").json()["items"]) == 1


def test_packs_and_prices_move_the_lowest_price(seller, oranges, database):
    def shown():
        return seller.get("/v1/products").json()["items"][0]["price"]

    product, first = oranges["id"], oranges["skus"][0]["id"]
    assert shown() == "69.90"
    small = {**PACK, "pack": "500g/袋", "unit": "bag", "net_grams": 500, "tiers": [{"min_quantity": "2", "unit_price": "9.90"}]}
    second = seller.post(f"/v1/products/{product}/skus", json=small).json()
    assert (second["code"], second["min_quantity"], shown()) == (f"P{product}-2", "2", "9.90")
    prices = {"tiers": [{"min_quantity": "5", "unit_price": "80.00"}, {"min_quantity": "50", "unit_price": "1.00"}]}
    changed = seller.put(f"/v1/skus/{first}/prices", json=prices).json()
    assert (changed["min_quantity"], changed["tiers"], changed["version"]) == ("5", prices["tiers"], 2)
    assert seller.post(f"/v1/skus/{second['id']}/withdraw").json()["status"] == "withdrawn"
    assert shown() == "80.00"
    assert seller.post(f"/v1/skus/{second['id']}/relist").json()["status"] == "active"
    assert shown() == "9.90"
    for sku in (first, second["id"]):
        assert seller.post(f"/v1/skus/{sku}/withdraw").status_code == 200
    assert shown() is None
    with database.unit_of_work() as session:
        assert recount_search(session) == 0


def test_a_faulty_price_list_changes_nothing(seller, oranges):
    sku = f"/v1/skus/{oranges['skus'][0]['id']}"
    falling = {"tiers": [{"min_quantity": "10", "unit_price": "5.00"}, {"min_quantity": "2", "unit_price": "6.00"}]}
    refused = seller.put(f"{sku}/prices", json=falling).json()
    assert [e["code"] for e in refused["errors"]] == ["not_rising", "dearer_in_bulk"]
    assert seller.put(f"{sku}/prices", json={"tiers": PACK["tiers"]}, headers={"If-Match": '"9"'}).status_code == 412
    assert seller.get(sku).json()["tiers"] == PACK["tiers"]


def test_a_pack_is_described_anew(seller, oranges):
    sku = f"/v1/skus/{oranges['skus'][0]['id']}"
    assert seller.patch(sku, json={"pack": "10斤/箱", "vat_bp": 1300}, headers={"If-Match": '"1"'}).json()["pack"] == "10斤/箱"
    assert seller.patch(sku, json={"net_grams": 1}).json()["errors"][0]["code"] == "extra_forbidden"


def test_a_chosen_code_is_taken_once(seller, oranges):
    path = f"/v1/products/{oranges['id']}/skus"
    assert seller.post(path, json={**PACK, "code": "FJ-5KG"}).json()["code"] == "FJ-5KG"
    assert seller.post(path, json={**PACK, "code": "FJ-5KG"}).json()["code"] == "sku_code_taken"


def test_the_same_key_makes_one_product(seller):
    first = seller.post("/v1/products", json=ORANGES, headers={"Idempotency-Key": "k1"})
    again = seller.post("/v1/products", json=ORANGES, headers={"Idempotency-Key": "k1"})
    assert (first.json(), again.status_code, again.headers["idempotent-replayed"]) == (again.json(), 201, "true")


def test_labels_follow_the_language(seller, oranges):
    told = seller.get(f"/v1/skus/{oranges['skus'][0]['id']}", headers={"Accept-Language": "zh-CN"}).json()
    assert told["unit_label"] == "箱"


def test_a_pack_has_a_barcode_that_checks_out_once_among_the_suppliers(api, database, seller, oranges):
    with database.unit_of_work() as session:
        other = make_supplier(session)
    rival = signed_in(api, Role.SUPPLIER_ADMIN, other)
    sku = f"/v1/skus/{oranges['skus'][0]['id']}"
    wrong = seller.patch(sku, json={"barcode": "6901234567893"})
    assert (wrong.status_code, wrong.json()["errors"][0]["field"]) == (422, "barcode")
    assert seller.patch(sku, json={"barcode": "6901234567892"}).json()["barcode"] == "6901234567892"
    taken = seller.post(f"/v1/products/{oranges['id']}/skus", json={**PACK, "barcode": "6901234567892"})
    assert (taken.status_code, taken.json()["code"]) == (409, "barcode_taken")
    theirs = rival.post("/v1/products", json={**ORANGES, "skus": [{**PACK, "barcode": "6901234567892"}]})
    assert theirs.json()["skus"][0]["barcode"] == "6901234567892"
    assert seller.patch(sku, json={"barcode": None}).json()["barcode"] is None
    assert seller.post(f"/v1/products/{oranges['id']}/skus", json={**PACK, "barcode": "6901234567892"}).status_code == 201
