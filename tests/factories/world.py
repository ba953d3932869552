"""One object of every kind that belongs to somebody, made over HTTP: what a stranger then must not reach."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from sqlalchemy import text

from orders.agreements.actions import drafts
from orders.online.models import OnlinePayment
from orders.outlet_sales.models import SalesTrial
from shop.core import clock, outbox, sealing, uploads
from shop.core.db import Database
from shop.core.months import month_before
from shop.identity.permissions import Role
from tests.databases import step
from tests.factories.bodies import PDF
from tests.factories.buying import Bureau, make_bureau
from tests.factories.identity import make_user
from tests.factories.outlets import make_batch_line, make_device, make_outlet
from tests.factories.pictures import PNG
from tests.factories.webhooks import make_endpoint
from workers.handlers import HANDLERS

#: By collection, such as ``purchase-requests`` or ``purchase-requests/files``.
World = dict[str, Any]

#: Each adds objects of one part of the marketplace.
MAKERS: list[Callable[[Bureau, World], None]] = []


def make_world(api: Any, database: Database) -> World:
    return step(database, "world", lambda: _made(api, database))


def _made(api: Any, database: Database) -> World:
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


@_maker
def _deliveries(bureau: Bureau, world: World) -> None:
    """An order that was accepted, and what may follow on it."""
    school, seller = bureau.as_("school_purchaser"), bureau.as_("seller")
    order = made(school.post("/v1/purchase-orders", json=bureau.order(2)))
    part = order["supplier_orders"][0]["id"]
    made(seller.post(f"/v1/supplier-orders/{part}/confirm"))
    shipment = made(seller.post(f"/v1/supplier-orders/{part}/shipments", json={}))
    world["shipments/photos"] = made(school.post(f"/v1/shipments/{shipment['id']}/photos", files={"file": ("a.png", PNG)}))["id"]
    made(school.post(f"/v1/shipments/{shipment['id']}/acceptance", json={}))
    line = shipment["lines"][0]["order_line_id"]
    back = {"reason_code": "quality", "reason": "冻伤", "lines": [{"order_line_id": line, "quantity": "1"}]}
    world["returns"] = made(school.post(f"/v1/shipments/{shipment['id']}/returns", json=back))["id"]
    files = {"file": ("a.pdf", PDF)}
    world["returns/files"] = made(school.post(f"/v1/returns/{world['returns']}/files", files=files))["files"][0]["id"]
    truth = {"reason": "称重有误", "lines": [{"order_line_id": line, "accepted_quantity": "2", "accepted_grams": 9900}]}
    world["acceptance-corrections"] = made(school.post(f"/v1/shipments/{shipment['id']}/corrections", json=truth))["id"]
    claim = {"kind": "quality", "claim": "三成腐烂", "claimed": "10.00"}
    world["disputes"] = made(school.post(f"/v1/supplier-orders/{part}/disputes", json=claim))["id"]
    world["disputes/files"] = made(school.post(f"/v1/disputes/{world['disputes']}/files", files=files))["files"][0]["id"]
    rated = {"quality": 5, "price": 5, "delivery": 5, "packaging": 5}
    world["evaluations"] = made(school.put(f"/v1/supplier-orders/{part}/evaluation", json=rated))["id"]
    photo = {"file": ("a.png", PNG)}
    evaluation = made(school.post(f"/v1/supplier-orders/{part}/evaluation/photos", files=photo))
    world["evaluations/photos"] = world["evaluation/photos"] = evaluation["photos"][0]["id"]
    world["suppliers"] = order["supplier_orders"][0]["supplier_id"]
    world["accepted orders"] = order["id"]


@_maker
def _money(bureau: Bureau, world: World) -> None:
    """An order that was paid ahead and cancelled."""
    school, finance = bureau.as_("school_purchaser"), bureau.as_("school_finance")
    world["cancelled orders"] = made(school.post("/v1/purchase-orders", json=bureau.order(1)))["id"]
    path = f"/v1/purchase-orders/{world['cancelled orders']}"
    transfer = {"amount": "10.00", "bank_reference": "W-1", "payer_name": "第一中学", "paid_on": str(clock.today())}
    world["purchase-orders/payments"] = made(finance.post(f"{path}/payments", json=transfer))["id"]
    made(school.post(f"{path}/cancel", json={"reason": "计划有变"}))
    with bureau.api.database.unit_of_work() as session:
        online = OnlinePayment(
            reference="world",
            purchase_order_id=world["purchase-orders"],
            method="card",
            amount_fen=1000,
            status="requires_action",
            created_at=clock.now(),
        )
        session.add(online)
        session.flush()
        world["online-payments"] = online.id
        world["transactions"] = session.execute(text("SELECT max(id) FROM money_transaction")).scalar_one()


@_maker
def _papers(bureau: Bureau, world: World) -> None:
    seller, part = bureau.as_("seller"), world["supplier-orders"]
    said = {"kind": "invoice", "number": "26502000000012345678", "issued_on": "2026-11-01", "amount": "10.00"}
    paper = seller.post(f"/v1/supplier-orders/{part}/papers", data=said, files={"file": ("a.pdf", PDF)})
    world["supplier-orders/papers"] = made(paper)["id"]
    order = made(bureau.as_("school_purchaser").post("/v1/purchase-orders", json=bureau.order(2)))
    other = order["supplier_orders"][0]["id"]
    made(seller.post(f"/v1/supplier-orders/{other}/confirm"))
    line = made(seller.get(f"/v1/supplier-orders/{other}"))["lines"][0]["id"]
    change = {"reason": "货源不足", "lines": [{"order_line_id": line, "quantity": "1"}]}
    world["amendments"] = made(seller.post(f"/v1/supplier-orders/{other}/amendments", json=change))["id"]


@_maker
def _invoices(bureau: Bureau, world: World) -> None:
    school, seller = bureau.as_("school_purchaser"), bureau.as_("seller")
    part = made(school.post("/v1/purchase-orders", json=bureau.order(1)))["supplier_orders"][0]["id"]
    made(seller.post(f"/v1/supplier-orders/{part}/confirm"))
    shipment = made(seller.post(f"/v1/supplier-orders/{part}/shipments", json={}))["id"]
    made(school.post(f"/v1/shipments/{shipment}/acceptance", json={}))
    invoice = world["invoices"] = made(seller.post(f"/v1/supplier-orders/{part}/invoices", json={}))["id"]
    today = clock.today()
    said = {
        "number": f"{today.year % 100}502000000012340000",
        "type": "ordinary",
        "issued_on": str(today),
        "gross": "69.90",
        "vat": "5.77",
    }
    claim = {"invoices": [{**said, "invoice_ids": [invoice]}]}
    world["tax-invoices"] = made(seller.post("/v1/tax-invoices", json=claim))[0]["id"]
    made(seller.post(f"/v1/tax-invoices/{world['tax-invoices']}/file", files={"file": ("a.pdf", PDF)}))
    error = {"reason": "issued_in_error"}
    world["credit-notes"] = made(seller.post(f"/v1/invoices/{invoice}/credit-notes", json=error))["id"]


@_maker
def _services(bureau: Bureau, world: World) -> None:
    host = bureau.as_("honey_seller")
    order = made(bureau.as_("school_purchaser").post("/v1/purchase-orders", json=bureau.order(None, None, 1)))
    part = order["supplier_orders"][0]["id"]
    made(host.post(f"/v1/supplier-orders/{part}/confirm"))
    until = str(clock.today() + timedelta(days=60))
    world["vouchers"] = made(host.post(f"/v1/supplier-orders/{part}/vouchers", json={"valid_until": until}))["items"][0]["id"]


@_maker
def _lists(bureau: Bureau, world: World) -> None:
    school = bureau.as_("school_purchaser")
    lines = [{"sku_id": world["skus"], "quantity": "1"}]
    world["saved-lists"] = made(school.post("/v1/saved-lists", json={"name": "每周", "lines": lines}))["id"]
    world["saved-lists/lines"] = world["skus"]
    content = "产品名称,产地区县,数量\n奉节脐橙,奉节县,1\n".encode()
    world["order-imports"] = made(school.post("/v1/order-imports", files={"file": ("a.csv", content)}))["id"]
    world["order-imports/rows"] = 2
    outbox.drain(bureau.api.database, HANDLERS)


@_maker
def _sourcing(bureau: Bureau, world: World) -> None:
    school, seller = bureau.as_("school_purchaser"), bureau.as_("seller")
    asked = {
        "title": "冬季水果",
        "supplier_ids": [world["suppliers"]],
        "fund_source": "canteen",
        "delivery_address": "大学城",
        "closes_at": (clock.now() + timedelta(days=2)).isoformat(),
        "lines": [{"sku_id": world["skus"], "quantity": "10"}],
    }
    request = world["quotation-requests"] = made(school.post("/v1/quotation-requests", json=asked))["id"]
    path, files = f"/v1/quotation-requests/{request}", {"file": ("a.pdf", PDF)}
    world["quotation-requests/files"] = made(school.post(path + "/files", files=files))["id"]
    made(school.post(path + "/publish"))
    world["quotation-requests/questions"] = made(seller.post(path + "/questions", json={"text": "可否分批？"}))["items"][0]["id"]
    tiers = [{"min_quantity": "1", "unit_price": "60.00"}]
    offer = {
        "valid_until": str(clock.today() + timedelta(days=30)),
        "lines": [{"line_no": 1, "sku_id": world["skus"], "tiers": tiers}],
    }
    world["quotations"] = made(seller.post(path + "/quotations", json=offer))["id"]
    world["quotations/files"] = made(seller.post(f"/v1/quotations/{world['quotations']}/files", files=files))["id"]


@_maker
def _agreements(bureau: Bureau, world: World) -> None:
    buyer, admin, seller = (bureau.as_(who) for who in ("bureau_purchaser", "bureau_buyer_admin", "seller"))
    today = clock.today()
    terms = {
        "title": "水果长期供货",
        "supplier_id": world["suppliers"],
        "fund_source": "union",
        "valid_from": str(today),
        "valid_until": str(today + timedelta(days=300)),
        "lines": [{"sku_id": world["skus"], "price": {"kind": "fixed", "unit_price": "60.00"}}],
    }
    agreement = made(buyer.post("/v1/agreements", json=terms))
    path = f"/v1/agreements/{agreement['id']}"
    entry = {"line_no": 1, "place": "食堂", "weekdays": [(today + timedelta(days=2)).isoweekday()], "quantity": "5"}
    places = [{"name": "食堂", "address": "大学城"}]
    made(buyer.put(path + "/schedule", json={"places": places, "entries": [entry]}))
    proposed = made(buyer.post(path + "/propose"))
    for who in (seller, admin):
        made(who.post(path + "/sign", json={"terms_hash": proposed["terms_hash"]}))
    world["agreements"] = agreement["id"]
    world["agreements/changes"] = made(admin.post(path + "/terminations", json={"reason": "不再需要", "last_day": str(today)}))[
        "id"
    ]
    with bureau.api.database.unit_of_work() as session:
        drafts.draft_due(session)
        world["call-off-drafts"] = session.execute(text("SELECT min(id) FROM call_off_draft")).scalar_one()
    winter = {"name": "寒假", "starts_on": str(today + timedelta(days=60)), "ends_on": str(today + timedelta(days=80))}
    world["closure-periods"] = made(buyer.post("/v1/closure-periods", json=winter))["id"]
    loss = {"product_id": world["products"], "months": [{"month": str(today.replace(day=1)), "grams": 1000}], "reason": "冰雹"}
    world["crop-losses"] = made(seller.post("/v1/crop-losses", json=loss))["items"][0]["id"]


@_maker
def _pledges(bureau: Bureau, world: World) -> None:
    buyer, today = bureau.as_("school_purchaser"), clock.today()
    pledge = {
        "title": "慰问医护",
        "kind": "donate_by_purchase",
        "amount": "20000.00",
        "regions": ["500236"],
        "purpose": "慰问",
        "valid_from": str(today - timedelta(days=1)),
        "valid_until": str(today + timedelta(days=60)),
        "fund_source": "canteen",
        "recipients": [{"name": "市第一医院", "heads": 4, "delivery_address": "渝中区健康路1号"}],
    }
    world["pledges"] = made(buyer.post("/v1/pledges", json=pledge))["id"]
    path = f"/v1/pledges/{world['pledges']}"
    made(buyer.post(path + "/open"))
    made(buyer.post(path + "/orders", json={"purchase_order_id": world["accepted orders"]}))
    world["pledges/orders"] = world["accepted orders"]
    world["pledges/agreements"] = world["agreements"]
    world["basket-proposals"] = made(buyer.post(path + "/basket-proposals", json={"budget": "1000.00"}))["id"]
    world["purchase-proofs"] = made(buyer.post(path + "/purchase-proofs", json={}))["number"]


@_maker
def _reserved_share(bureau: Bureau, world: World) -> None:
    world["reserved-shares"] = clock.today().year


@_maker
def _settlements(bureau: Bureau, world: World) -> None:
    """Rows alone: a settlement needs weeks. A payout that is on a list for the bank, an account that waits, and an advance."""
    values = {"supplier": bureau.market.suppliers[0].id, "user": bureau.people["seller"].id, "agreement": world["agreements"]}
    statement = text(
        """
        WITH run AS (INSERT INTO settlement_run (period_start, period_end, run_at) VALUES ('2026-01-01', '2026-01-15', now()) RETURNING id),
        made AS (
            INSERT INTO settlement (number, run_id, supplier_id, period_start, period_end, line_count, sales_fen, returns_fen, freight_fen, other_fen,
                                    commission_fen, net_fen, carried_fen, advance_used_fen, due_fen, held_fen, objections_until, made_at)
            SELECT 'JS-1', id, :supplier, '2026-01-01', '2026-01-15', 1, 100, 0, 0, 0, 0, 100, 0, 0, 100, 0, '2099-12-31', now() FROM run RETURNING id),
        account AS (
            INSERT INTO payout_account (supplier_id, holder, bank, sealed_number, tail, reason, requested_by, requested_at)
            VALUES (:supplier, '', '', :sealed, '0123', '', :user, now()) RETURNING id),
        pay AS (INSERT INTO payout (settlement_id, supplier_id, amount_fen, returned_fen, drafted_at) SELECT id, :supplier, 100, 0, now() FROM made RETURNING id),
        list AS (INSERT INTO payout_file (number, payout_count, amount_fen, made_by, made_at) VALUES ('FK-1', 1, 100, :user, now()) RETURNING id),
        attempt AS (INSERT INTO payout_attempt (payout_id, method, account_id, approved_by, approved_at, released_by, released_at)
                    SELECT pay.id, 'bank', account.id, :user, now(), :user, now() FROM pay, account RETURNING id),
        said AS (INSERT INTO failure_report (attempt_id, reason, requested_by, requested_at) SELECT id, '', :user, now() FROM attempt RETURNING id),
        listed AS (INSERT INTO payout_file_line (payout_file_id, attempt_id) SELECT list.id, attempt.id FROM list, attempt),
        ahead AS (INSERT INTO advance (number, agreement_id, supplier_id, amount_fen, reason, requested_by, requested_at)
                  VALUES ('YF-1', :agreement, :supplier, 100, '', :user, now()) RETURNING id)
        SELECT made.id AS settlements, pay.id AS payouts, list.id AS "payout-files", account.id AS "payout-accounts", ahead.id AS advances,
               said.id AS "failure-reports"
        FROM made, pay, list, account, ahead, said
        """
    )
    with bureau.api.database.unit_of_work() as session:
        world.update(session.execute(statement, {**values, "sealed": sealing.seal({"number": "0123"})}).one()._mapping)


@_maker
def _bank(bureau: Bureau, world: World) -> None:
    """A statement's line, a part of which came for the order that was cancelled: that is asked back."""
    with bureau.api.database.unit_of_work() as session:
        cashier = make_user(session, Role.PLATFORM_FINANCE)
    keeper = bureau.api.as_(cashier)
    rows = f"日期,借方,贷方,余额,对方户名\n{clock.today()},,5000.00,5000.00,第一中学\n"
    world["bank-statements"] = made(keeper.post("/v1/bank-statements", files={"file": ("a.csv", rows.encode())}))["id"]
    [line] = keeper.get("/v1/bank-lines").json()["items"]
    world["bank-lines"] = line["id"]
    cancelled = world["cancelled orders"]
    other = {"entry": "other", "amount": "1.00", "reason": "利息"}
    world["bank-write-offs"] = made(keeper.post(f"/v1/bank-lines/{line['id']}/write-offs", json=other))["id"]
    parts = [{"kind": "order", "purchase_order_id": cancelled, "amount": "10.00"}]
    matched = made(keeper.post(f"/v1/bank-lines/{line['id']}/matches", json={"parts": parts, "allow_credit": True}))
    world["bank-matches"] = matched["matches"][0]["id"]
    back = {"amount": "10.00", "reason": "取消", "payee": {"name": "第一中学", "account": "3100021009014400123"}}
    asked = bureau.as_("school_finance").post(f"/v1/purchase-orders/{cancelled}/refunds", json=back)
    world["refunds"] = made(asked)["id"]
    payer = {"payer_name": "张三", "reason_code": "personal", "reason": "垫付"}
    declared = made(keeper.post(f"/v1/purchase-orders/{world['purchase-orders']}/payer-declarations", json=payer))
    world["payer-declarations"] = declared["id"]
    # no refund was released: a file that nobody finds
    world["refund-files"] = 10**9


@_maker
def _claims(bureau: Bureau, world: World) -> None:
    """A sale that was made elsewhere, held because another one rests on the same invoice."""
    seller, product = bureau.as_("seller"), bureau.market.products[0]
    body = {
        "side": "seller",
        "platform": "offline",
        "supplier_id": bureau.market.suppliers[0].id,
        "buyer_name": "某超市",
        "buyer_kind": "enterprise",
        "buyer_region_code": "371600",
        "sold_on": str(clock.today()),
    }
    for amount in ("77.00", "78.00"):
        lines = [{"product_id": product.product_id, "sku_id": product.sku_id, "quantity": "1", "amount": amount}]
        sale = made(seller.post("/v1/external-sales", json={**body, "lines": lines}))["id"]
        for kind, number in (("invoice", "05000190010487654321"), ("bank_receipt", f"R{amount}"), ("contract", None)):
            data = {"kind": kind, **({"number": number} if number else {})}
            path = f"/v1/external-sales/{sale}/documents"
            world["external-sales/documents"] = made(seller.post(path, data=data, files={"file": ("a.pdf", PDF)}))["documents"][0][
                "id"
            ]
        made(seller.post(f"/v1/external-sales/{sale}/submit"))
    world["external-sales"] = sale
    with bureau.api.database.unit_of_work() as session:
        world["counting-holds"] = session.execute(text("SELECT max(id) FROM counting_hold")).scalar_one()
    # no claim of a buyer is matched: a match that nobody finds
    world["books/matches"] = 10**9


@_maker
def _outlets(bureau: Bureau, world: World) -> None:
    """Rows alone: an outlet with a device, a batch and a line."""
    with bureau.api.database.unit_of_work() as session:
        clerk = bureau.people["county"]
        outlet = make_outlet(session, clerk, region_code="500106")
        world["outlets"] = outlet.id
        world["outlets/devices"], _ = make_device(session, outlet, clerk)
        line = make_batch_line(session, outlet, bureau.market.products[0], sold_at=clock.now())
        line.status = "other"
        world["sales-batches"] = line.batch_id
        file = uploads.keep(session, clerk.id, "sales.csv", "设备或渠道编号".encode(), uploads.CSV)
        trial = SalesTrial(user_id=clerk.id, file_id=file.id, name=file.name, asked_at=clock.now())
        session.add(trial)
        session.flush()
        world["sales-file-trials"] = trial.id


@_maker
def _panels(bureau: Bureau, world: World) -> None:
    """What officers report and run: a figure from outside, a station, a target, a campaign."""
    city = bureau.as_("city")
    figure = {
        "indicator": "rural_online_retail",
        "region_code": "500236",
        "period": "2024",
        "value": "1",
        "source": "商务委",
        "method": "监测",
    }
    world["indicators"] = made(city.post("/v1/indicators", json=figure))["id"]
    place = {"kind": "county_centre", "name": "县级中心", "region_code": "500236", "opened_on": "2024-01-01", "evidence": "验收单"}
    world["stations"] = made(city.post("/v1/coverage/stations", json=place))["id"]
    goal = {
        "code": "sales",
        "region_code": "500236",
        "name": "销售额",
        "measure": "amount",
        "value": "1",
        "reason": "下达",
        "source": "文件",
    }
    days = {"first_on": "2026-01-01", "due_on": "2026-12-31"}
    world["targets"] = made(city.post("/v1/targets", json={**goal, **days}))["id"]
    campaign = {
        "name": "脐橙节",
        "region_code": "500236",
        "starts_on": "2026-01-01",
        "ends_on": "2099-12-31",
        "online_place": "专区",
    }
    world["promotions"] = made(city.post("/v1/promotions", json=campaign))["id"]


@_maker
def _reports(bureau: Bureau, world: World) -> None:
    """What the school reports of the month before; that month as the city closed it, and its bulletin as a draft."""
    month = month_before(clock.today())
    begun = bureau.as_("school_finance").post("/v1/reports", json={"form": "unit_monthly", "month": month})
    world["reports"] = made(begun)["id"]
    city, path = bureau.as_("city"), f"/v1/monthly-closes/{month}"
    close = made(city.get(path))
    for item in close["standing"]:
        made(city.post(f"{path}/explanations", json={"item": item, "explanation": "下月补齐"}))
    lacking = [county["code"] for county in close["counties"]]
    made(city.post(f"{path}/close", json={"without": lacking, "reason": "市级代结"}))
    world["monthly-closes"] = month
    world["bulletins"] = made(city.post("/v1/bulletins", json={"month": month}))["id"]
    world["bulletins/files"] = "json"


@_maker
def _figures(bureau: Bureau, world: World) -> None:
    """A file and a schedule of the school's, and a sale of it."""
    admin = bureau.as_("school_buyer_admin")
    world["exports"] = made(admin.post("/v1/exports", json={"kind": "entries"}))["id"]
    with bureau.api.database.unit_of_work() as session:
        make_endpoint(session, bureau.school)
    asked = {"title": "日报", "export": {"kind": "sales"}, "period": "yesterday", "rhythm": "daily", "hour": 8, "way": "webhook"}
    world["export-schedules"] = made(admin.post("/v1/export-schedules", json=asked))["id"]
    outbox.drain(bureau.api.database, HANDLERS)
    world["ties/orders"] = world["accepted orders"]
    sales = admin.get("/v1/sale-entries", params={"order_id": world["accepted orders"]}).json()["items"]
    world["sale-entries"] = sales[0]["id"]
