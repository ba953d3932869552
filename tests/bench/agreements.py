"""A hundred call-offs of one agreement at once, beside as many plain orders of the same goods at once."""

import json
import secrets
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from sqlalchemy import text

from orders.agreements.actions import drafting, signing
from orders.agreements.schemas import AgreementIn
from shop.core import clock
from shop.core.db import Database
from shop.identity import tokens
from shop.identity.permissions import Role
from tests.bench import load
from tests.bench.ground import Ground, Row, api, row
from tests.factories.identity import access_token, make_organisation, make_user

CALL_OFFS, AT_ONCE, ROUNDS, SKU = 100, 32, 5, 1


def run(made: Ground) -> list[Row]:
    database = Database(made.database_url, pool_size=2)
    token, agreement_id, line_id = _agreed(database)
    line = {"agreement_line_id": line_id, "quantity": "1"}
    plain = {"fund_source": "canteen", "lines": [{"sku_id": SKU, "quantity": "1"}]}
    with api(made) as address:
        called, floor = [], []
        for _ in range(ROUNDS):  # in turn, so that both meet the same machine
            called.append(_rush(address, token, f"/v1/agreements/{agreement_id}/call-offs", {"lines": [line]}))
            floor.append(_rush(address, token, "/v1/purchase-orders", plain))
    with database.unit_of_work() as session:
        drawn = session.execute(text("SELECT sum(quantity) FROM agreement_drawn WHERE agreement_line_id = :id"), {"id": line_id})
        assert drawn.scalar_one() == CALL_OFFS * ROUNDS
    database.dispose()
    value, beside = sorted(called)[ROUNDS // 2], sorted(floor)[ROUNDS // 2]
    goal = "at most 3 times as many plain orders of the same goods"
    return [row("buying.call_offs_100_parallel", value, "s", floor=beside, goal=goal, met=value <= 3 * beside)]


def _agreed(database: Database) -> tuple[str, int, int]:
    """An agreement for the first SKU whose cap is exactly what is called off."""
    with database.unit_of_work() as session:
        supplier_id, path = session.execute(
            text("SELECT o.id, o.path FROM product p JOIN organisation o ON o.id = p.supplier_id WHERE p.id = :sku"), {"sku": SKU}
        ).one()
        school = make_organisation(session, kind="school", role="budget_unit", region_code="500106")
        head = make_user(session, Role.BUYER_ADMIN, school)
        seller = make_user(session, Role.SUPPLIER_ADMIN)
        session.execute(
            text("UPDATE app_user SET organisation_id = :supplier WHERE id = :id"), {"supplier": supplier_id, "id": seller.id}
        )
        assert path
        buyer, farm = tokens.actor_of_user(session, head.id), tokens.actor_of_user(session, seller.id)
        body = AgreementIn.model_validate(
            {
                "title": "基准",
                "supplier_id": supplier_id,
                "fund_source": "canteen",
                "valid_from": clock.today(),
                "valid_until": clock.today() + timedelta(days=300),
                "lines": [
                    {
                        "sku_id": SKU,
                        "price": {"kind": "fixed", "unit_price": "60.00"},
                        "quantity_cap": str(CALL_OFFS * ROUNDS),
                    }
                ],
            }
        )
        agreement_id = drafting.create(session, buyer, body)
        drafting.propose(session, buyer, agreement_id)
        digest = session.execute(text("SELECT terms_hash FROM agreement WHERE id = :id"), {"id": agreement_id}).scalar_one()
        signing.sign(session, farm, agreement_id, digest)
        signing.sign(session, buyer, agreement_id, digest)
        line_id = session.execute(text("SELECT id FROM agreement_line WHERE agreement_id = :id"), {"id": agreement_id}).scalar_one()
        return access_token(session, head), agreement_id, line_id


def _rush(address: str, token: str, path: str, body: Mapping[str, object]) -> float:
    """Seconds for a hundred requests, thirty-two at once."""
    content = json.dumps({**body, "delivery_address": "重庆市沙坪坝区大学城中路1号"}).encode()

    def headers() -> dict[str, str]:
        return {"Authorization": f"Bearer {token}", "Idempotency-Key": secrets.token_hex(8)}

    asked = [load.request("POST", path, content, headers()) for _ in range(CALL_OFFS)]

    def send(request: bytes) -> tuple[float, int]:
        return load.once(address, request)

    started = time.perf_counter()
    with ThreadPoolExecutor(AT_ONCE) as pool:
        statuses = {status for _, status in pool.map(send, asked)}
    assert statuses == {201}, statuses
    return time.perf_counter() - started
