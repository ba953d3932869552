"""Goods that were delivered and accepted, as what follows after it needs them."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import text

from orders.reconcile import report
from orders.reconcile.checks import CHECKS
from shop.core import clock
from tests.databases import step
from tests.factories.identity import access_token
from tests.factories.orders import Market


@dataclass
class Delivered:
    order_id: int
    part: int
    line: int
    shipment: int


def deliver(api: Any, market: Market, *quantities: Any, of: int = 0, accept: bool = True) -> Delivered:
    """An order of the market's products whose part of one supplier (``of``) is shipped, and accepted."""
    name = f"delivered {market.purchaser.id} {quantities} {of} {accept}"
    return step(api.database, name, lambda: _delivered(api, market, quantities, of, accept))


def _delivered(api: Any, market: Market, quantities: tuple[Any, ...], of: int, accept: bool) -> Delivered:
    buyer, seller = api.as_(market.purchaser), api.as_(market.sellers[of])
    order = buyer.post("/v1/purchase-orders", json=market.order(*quantities)).json()
    supplier = market.suppliers[of].id
    part = next(part["id"] for part in order["supplier_orders"] if part["supplier_id"] == supplier)
    seller.post(f"/v1/supplier-orders/{part}/confirm")
    shipment = seller.post(f"/v1/supplier-orders/{part}/shipments", json={}).json()
    if accept:
        assert buyer.post(f"/v1/shipments/{shipment['id']}/acceptance", json={}).status_code == 201
    return Delivered(order["id"], part, shipment["lines"][0]["order_line_id"], shipment["id"])


def ask_back(api: Any, market: Market, delivered: Delivered, quantity: Any, **more: Any) -> Any:
    return ask_back_as(api.as_(market.purchaser), delivered, quantity, **more)


def ask_back_as(buyer: Any, delivered: Delivered, quantity: Any, **more: Any) -> Any:
    body = {
        "reason_code": "quality",
        "reason": "部分冻伤",
        "lines": [{"order_line_id": delivered.line, "quantity": str(quantity)}],
        **more,
    }
    return buyer.post(f"/v1/shipments/{delivered.shipment}/returns", json=body)


def token_of(database: Any, user: Any) -> str:
    with database.unit_of_work() as session:
        return access_token(session, user)


def rows(database: Any, statement: str, **values: Any) -> list[tuple[Any, ...]]:
    with database.unit_of_work() as session:
        return [tuple(row) for row in session.execute(text(statement), values)]


def differences(database: Any) -> dict[str, Any]:
    """What does not agree, by check; empty is what it should be."""
    with database.unit_of_work() as session:
        return {finding.name: finding.first for finding in report.findings(session) if finding.count}


def finds(session: Any, name: str) -> bool:
    """Whether the check of this name finds a difference; the others are not asked, which takes a ninetieth of the time."""
    [check] = [each for each in CHECKS if each.name == name]
    return check.find(session, 0)[0] > 0


def days_later(monkeypatch: Any, days: int) -> None:
    monkeypatch.setattr(clock, "_shift", timedelta(days=days))
