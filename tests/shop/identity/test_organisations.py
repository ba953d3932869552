"""Changing organisations, their units and roles, and who sees which."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import text

from tests.factories.identity import make_organisation, make_supplier, random_uscc, signed_in


def place(organisation):
    return f"/v1/organisations/{organisation.id}"


def unit(**changes):
    return {"uscc": random_uscc(), "name": "附属小学", "kind": "school", "region_code": "500106", **changes}


@pytest.fixture
def bureau(database):
    with database.unit_of_work() as session:
        return make_organisation(session, name="区教育委员会")


@pytest.fixture
def admin(api, bureau):
    return signed_in(api, "buyer_admin", bureau)


def test_an_approved_organisation_changes_its_contact_but_not_what_was_approved(admin, bureau):
    changed = admin.patch(place(bureau), json={"contact_phone": "023-65432100", "address": "天星桥街1号"})
    assert changed.status_code == 200
    assert (changed.json()["contact_phone"], changed.json()["version"]) == ("023-65432100", 2)
    assert changed.headers["etag"] == '"2"'
    frozen = admin.patch(place(bureau), json={"name": "别的名字"})
    assert (frozen.status_code, frozen.json()["code"]) == (409, "registration_frozen")
    assert frozen.json()["data"]["fields"] == ["name"]
    # sending what stands there already changes nothing, so it is no fault
    assert admin.patch(place(bureau), json={"name": bureau.name}).status_code == 200
    assert admin.patch(place(bureau), json={"address": None}).json()["address"] is None


def test_a_change_made_on_an_old_reading_is_refused(admin, bureau):
    for unread in ('"0"', "1", 'W/"1"', "x", "", '"0", "7"'):
        refused = admin.patch(place(bureau), json={"address": "一"}, headers={"If-Match": unread})
        assert (refused.status_code, refused.json()["code"]) == (412, "changed_meanwhile"), unread
    assert admin.patch(place(bureau), json={"address": "一"}, headers={"If-Match": '"1"'}).status_code == 200
    stale = admin.patch(place(bureau), json={"address": "二"}, headers={"If-Match": '"1"'})
    assert (stale.status_code, stale.json()["code"]) == (412, "changed_meanwhile")
    assert admin.get(place(bureau)).json()["address"] == "一"


def test_of_parallel_changes_on_one_reading_one_wins(admin, bureau):
    def change(n):
        return admin.patch(place(bureau), json={"address": f"{n}号"}, headers={"If-Match": '"1"'}).status_code

    with ThreadPoolExecutor(6) as pool:
        assert sorted(pool.map(change, range(6))) == [200] + [412] * 5


@pytest.mark.parametrize(
    "patch", [{"name": None}, {"kind": None}, {"status": "approved"}, {"contact_phone": "call me"}, {"name": ""}]
)
def test_bad_changes_are_refused(admin, bureau, patch):
    assert admin.patch(place(bureau), json=patch).status_code == 422


def test_a_pending_organisation_corrects_its_kind_and_place(api, database):
    with database.unit_of_work() as session:
        pending = make_organisation(session, kind="agency", role="budget_unit", status="pending")
        cooperative = make_supplier(session, status="pending")
    corrected = signed_in(api, "buyer_admin", pending).patch(place(pending), json={"kind": "school", "region_code": "500107"})
    assert corrected.status_code == 200
    assert [role["role"] for role in corrected.json()["roles"]] == ["school"]
    supplier = signed_in(api, "supplier_admin", cooperative)
    assert supplier.patch(place(cooperative), json={"region_code": "500112"}).json()["code"] == "unknown_region"
    assert supplier.patch(place(cooperative), json={"kind": "hospital"}).json()["code"] == "kind_may_not_supply"
    assert supplier.get(place(cooperative)).json()["kind"] == "cooperative"


def test_units_form_a_tree(admin, bureau, database):
    school = admin.post(f"{place(bureau)}/units", json=unit())
    assert school.status_code == 201, school.text
    school = school.json()
    assert (school["parent_id"], school["status"]) == (bureau.id, "pending")
    assert [role["role"] for role in school["roles"]] == ["school"]
    early = admin.post(f"/v1/organisations/{school['id']}/units", json=unit())
    assert (early.status_code, early.json()["code"]) == (409, "organisation_not_approved")
    with database.unit_of_work() as session:
        session.execute(text("UPDATE organisation SET status = 'approved' WHERE id = :id"), {"id": school["id"]})
    canteen = admin.post(f"/v1/organisations/{school['id']}/units", json=unit(name="食堂")).json()
    with database.unit_of_work() as session:
        path = session.execute(text("SELECT path FROM organisation WHERE id = :id"), {"id": canteen["id"]}).scalar_one()
    assert path == f"/{bureau.id}/{school['id']}/{canteen['id']}/"
    assert [row["id"] for row in admin.get("/v1/organisations").json()["items"]] == [bureau.id, school["id"], canteen["id"]]


def test_only_the_own_buying_branch_gets_units(api, admin, database):
    with database.unit_of_work() as session:
        other, supplier = make_organisation(session), make_supplier(session)
    assert admin.post(f"{place(other)}/units", json=unit()).status_code == 404
    refused = signed_in(api, "supplier_admin", supplier).post(f"{place(supplier)}/units", json=unit())
    assert (refused.status_code, refused.json()["code"]) == (409, "not_a_buyer")
    with database.unit_of_work() as session:
        purchaser = make_organisation(session)
    assert signed_in(api, "purchaser", purchaser).post(f"{place(purchaser)}/units", json=unit()).status_code == 403


def test_everybody_sees_what_the_role_reaches(api, database):
    with database.unit_of_work() as session:
        parent = make_organisation(session, region_code="500106")
        child = make_organisation(session, region_code="500236", parent=parent)
        fengjie = make_supplier(session, "500236")
        township = make_supplier(session, "500236T01")
        wushan = make_supplier(session, "500237")
    everything = {parent.id, child.id, fengjie.id, township.id, wushan.id}

    def seen(*who):
        return {row["id"] for row in signed_in(api, *who).get("/v1/organisations").json()["items"]}

    assert seen("platform_admin") == seen("city_officer") == seen("monitor") == everything
    assert seen("county_officer", None, "500236") == {child.id, fengjie.id, township.id}
    assert seen("township_officer", None, "500236T01") == {township.id}
    assert seen("purchaser", parent) == {parent.id, child.id}
    assert seen("purchaser", child) == {child.id}
    assert seen("supplier_staff", fengjie) == {fengjie.id}
    assert seen("platform_admin", None, None) == everything


def test_lists_are_filtered_and_paged(api, database):
    with database.unit_of_work() as session:
        suppliers = [make_supplier(session, "500236") for _ in range(5)]
        pending = make_organisation(session, status="pending", region_code="500236", name="奉节县人民医院")
    city = signed_in(api, "city_officer")

    def ids(**query):
        return [row["id"] for row in city.get("/v1/organisations", params=query).json()["items"]]

    assert ids(role="supplier") == [row.id for row in suppliers]
    assert ids(status="pending") == ids(q="人民医院") == ids(q=pending.uscc.lower()) == [pending.id]
    assert ids(region_code="500237") == []
    found, after = [], None
    while True:
        page = city.get("/v1/organisations", params={"limit": 2} | ({"after": after} if after else {})).json()
        found += [row["id"] for row in page["items"]]
        if not (after := page["next"]):
            break
    assert found == [*(row.id for row in suppliers), pending.id]
    for bad in ({"after": "nonsense"}, {"limit": 0}, {"status": "unknown"}, {"q": "a\x00"}, {"region_code": "x"}):
        assert city.get("/v1/organisations", params=bad).status_code == 422, bad
    assert city.get("/v1/organisations/9223372036854775807").status_code == 404
    assert city.get("/v1/organisations/9223372036854775808").status_code == 422


def test_an_officer_grants_dated_roles(api, database, bureau):
    with database.unit_of_work() as session:
        group = session.execute(text("SELECT id FROM supporter WHERE name = '市委组织部扶贫集团'")).scalar_one()
    officer = signed_in(api, "county_officer", None, "500106")
    role = {"role": "group_member", "supporter_id": group, "valid_from": "2017-08-01", "valid_to": "2021-01-01"}
    granted = officer.post(f"{place(bureau)}/roles", json=role)
    assert granted.status_code == 201, granted.text
    assert granted.json()["roles"][-1] | {"id": None} == {"id": None, **role}
    overlapping = officer.post(f"{place(bureau)}/roles", json=role | {"valid_from": "2020-12-31", "valid_to": None})
    assert (overlapping.status_code, overlapping.json()["code"]) == (409, "role_held")
    assert officer.post(f"{place(bureau)}/roles", json=role | {"valid_from": "2021-01-01", "valid_to": None}).status_code == 201
    for faulty in (
        role | {"valid_to": "2017-08-01"},
        role | {"supporter_id": None},
        role | {"role": "outlet_operator"},
        role | {"supporter_id": 10**18, "valid_from": "2030-01-01", "valid_to": None},
        role | {"role": "emperor"},
    ):
        assert officer.post(f"{place(bureau)}/roles", json=faulty).status_code == 422, faulty


def test_of_parallel_grants_of_one_role_one_wins(api, bureau):
    officer = signed_in(api, "city_officer")
    body = {"role": "outlet_operator", "valid_from": "2026-01-01"}
    with ThreadPoolExecutor(6) as pool:
        codes = list(pool.map(lambda _: officer.post(f"{place(bureau)}/roles", json=body).status_code, range(6)))
    assert sorted(codes) == [201] + [409] * 5
