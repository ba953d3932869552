"""One object of every kind that belongs to somebody, made over HTTP: what a stranger then must not reach."""

from collections.abc import Callable
from typing import Any

from shop.core.db import Database
from shop.identity.permissions import Role
from tests.factories.bodies import PDF
from tests.factories.buying import Bureau, make_bureau
from tests.factories.identity import make_user

#: By collection, such as ``purchase-requests`` or ``purchase-requests/files``.
World = dict[str, Any]

#: Each adds objects of one part of the marketplace.
MAKERS: list[Callable[[Bureau, World], None]] = []


def make_world(api: Any, database: Database) -> World:
    bureau = make_bureau(api, database)
    with database.unit_of_work() as session:
        bureau.people["county"] = make_user(session, Role.COUNTY_OFFICER, region_code="500106")
        bureau.people["city"] = make_user(session, Role.CITY_OFFICER)
    world: World = {"organisations": bureau.school.id, "users": bureau.people["school_viewer"].id}
    for make in MAKERS:
        make(bureau, world)
    return world


def made(answer: Any) -> Any:
    assert answer.status_code in (200, 201, 202), answer.text
    return answer.json()


def _maker(make: Callable[[Bureau, World], None]) -> Callable[[Bureau, World], None]:
    MAKERS.append(make)
    return make


@_maker
def _orders(bureau: Bureau, world: World) -> None:
    school, seller = bureau.as_("school_purchaser"), bureau.as_("seller")
    world["products"] = bureau.market.products[0].product_id
    world["skus"] = bureau.market.products[0].sku_id
    world["certificates"] = bureau.market.products[0].certificate_id
    order = made(school.post("/v1/purchase-orders", json=bureau.order(3)))
    world["purchase-orders"] = order["id"]
    world["purchase-orders/files"] = made(school.post(f"/v1/purchase-orders/{order['id']}/files", files={"file": ("a.pdf", PDF)}))[
        0
    ]["id"]
    part = world["supplier-orders"] = order["supplier_orders"][0]["id"]
    made(seller.post(f"/v1/supplier-orders/{part}/confirm"))
    world["shipments"] = made(seller.post(f"/v1/supplier-orders/{part}/shipments", json={}))["id"]
    body = {"unit_id": bureau.other.id, "reason": "选错单位"}
    path = f"/v1/purchase-orders/{order['id']}/budget-unit-applications"
    world["budget-unit-applications"] = made(school.post(path, json=body))["id"]


@_maker
def _approvals(bureau: Bureau, world: World) -> None:
    school = bureau.as_("school_purchaser")
    world["delivery-addresses"] = made(school.post("/v1/delivery-addresses", json={"name": "食堂", "address": "大学城"}))["id"]
    world["budgets"] = bureau.budget("10000.00")["id"]
    world["approval-rules"] = bureau.rule(min_amount="200.00")["id"]
    days = {"first_day": "2026-01-01", "last_day": "2099-12-31"}
    deputy = {"deputy_id": bureau.people["bureau_finance"].id, **days}
    world["approval-deputies"] = made(bureau.as_("bureau_approver").post("/v1/approval-deputies", json=deputy))["id"]
    request = made(bureau.ask(5))["purchase_request"]["id"]
    world["purchase-requests"] = request
    world["purchase-requests/files"] = made(school.post(f"/v1/purchase-requests/{request}/files", files={"file": ("a.pdf", PDF)}))[
        0
    ]["id"]
