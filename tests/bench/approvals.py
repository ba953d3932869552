"""Approvals that all draw on one budget: fifty people press the button in the same moment."""

import json
import secrets
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
from sqlalchemy import text

from shop.core import clock
from shop.core.db import Database
from shop.identity.permissions import Role
from tests.bench.ground import Ground, Row, api, row
from tests.factories.identity import access_token, make_organisation, make_user

REQUESTS = 50


def run(made: Ground) -> list[Row]:
    database = Database(made.database_url, pool_size=2)
    with database.unit_of_work() as session:
        unit = make_organisation(session, kind="school", role="budget_unit")
        tokens = {role: access_token(session, make_user(session, role, unit)) for role in (Role.PURCHASER, Role.BUYER_ADMIN)}
        approvers = [access_token(session, make_user(session, Role.APPROVER, unit)) for _ in range(REQUESTS)]
    # the connections of all fifty are open before the clock starts; the server has sixteen threads
    with api(made) as address, httpx.Client(base_url=address, timeout=60) as client:

        def post(token: str, path: str, body: dict[str, object], other: httpx.Client = client) -> httpx.Response:
            headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": secrets.token_hex(12)}
            return other.post(path, content=json.dumps(body), headers=headers | {"Content-Type": "application/json"})

        admin = tokens[Role.BUYER_ADMIN]
        year = clock.today().year
        assert post(admin, "/v1/budgets", {"year": year, "fund_source": "canteen", "limit": "10000000.00"}).status_code == 201
        order = {
            "fund_source": "canteen",
            "delivery_address": "重庆市沙坪坝区大学城中路1号",
            "lines": [{"sku_id": sku, "quantity": "2"} for sku in range(1, 11)],
        }
        clients = [httpx.Client(base_url=address, timeout=60) for _ in range(REQUESTS)]
        for each in clients:
            each.get("/healthz")
        with ThreadPoolExecutor(REQUESTS) as pool:

            def at_once(path: list[str], body: dict[str, object], status: int) -> float:
                started = time.perf_counter()
                answers = list(pool.map(lambda n: post(approvers[n], path[n], body, clients[n]), range(REQUESTS)))
                assert {answer.status_code for answer in answers} == {status}, {answer.text for answer in answers}
                return time.perf_counter() - started

            # the floor: the same orders without anybody to approve them, by people who may order
            with database.unit_of_work() as session:
                session.execute(text("UPDATE user_role SET role = 'purchaser' WHERE role = 'approver'"))
            floor = at_once(["/v1/purchase-orders"] * REQUESTS, order, 201)
            with database.unit_of_work() as session:
                buyers = "SELECT u.id FROM app_user u WHERE u.organisation_id = :unit ORDER BY u.id OFFSET 2"
                session.execute(text(f"UPDATE user_role SET role = 'approver' WHERE user_id IN ({buyers})"), {"unit": unit.id})
            rule = {"name": "审批", "min_amount": "0", "steps": [{"name": "领导", "role": "approver"}]}
            assert post(admin, "/v1/approval-rules", rule).status_code == 201
            asked = [post(tokens[Role.PURCHASER], "/v1/purchase-requests", order) for _ in range(REQUESTS)]
            paths = [f"/v1/purchase-requests/{one.json()['purchase_request']['id']}/approve" for one in asked]
            value = at_once(paths, {}, 200)
        for each in clients:
            each.close()
    with database.unit_of_work() as session:
        ordered = session.execute(text("SELECT count(*) FROM purchase_request WHERE status = 'ordered'")).scalar_one()
        drawn = session.execute(text("SELECT reserved_fen = (SELECT sum(reserved_fen) FROM budget_draw) FROM budget")).scalar_one()
    assert ordered == REQUESTS
    assert drawn
    database.dispose()
    return [row("buying.approvals_50_parallel", value, "s", floor=floor)]
