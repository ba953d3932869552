"""Contracts over HTTP: confirming an order makes one."""

from typing import Annotated

from fastapi import Query
from fastapi.responses import Response

from orders.contracts import actions, queries
from orders.contracts.pdf import contract_pdf
from orders.contracts.schemas import ContractOut
from orders.purchasing import queries as purchasing
from orders.purchasing.schemas import SupplierOrderOut
from shop.core import printing
from shop.core.quantities import Id
from shop.identity.access import Call, Routes
from shop.identity.permissions import Permission

routes = Routes("contracts", "/v1")


@routes.post("/supplier-orders/{supplier_order_id}/confirm", Permission.SUPPLIER_ORDERS_ANSWER, status=200)
def confirm(call: Call, supplier_order_id: Id) -> SupplierOrderOut:
    """The supplier promises to deliver; the contract is made and stands from now on."""
    actions.confirm(call.session, call.actor, supplier_order_id, if_match=call.if_match)
    return purchasing.supplier_order(call.session, call.actor, supplier_order_id)


@routes.get("/supplier-orders/{supplier_order_id}/contract", Permission.ORDER_DOCUMENTS_READ)
def contract(call: Call, supplier_order_id: Id) -> ContractOut:
    """The contract as it was made, and every supplement since. Monitors, and officers of the region from which its goods come, read it without
    addresses and without whom it was delivered to."""
    return queries.contract(call.session, call.actor, supplier_order_id)


@routes.get("/supplier-orders/{supplier_order_id}/contract.pdf", Permission.ORDERS_READ, responses=printing.PDF_ANSWER)
def print_contract(
    call: Call,
    supplier_order_id: Id,
    supplement: Annotated[int, Query(ge=0, le=10_000, description="0: the contract itself; 1 …: a supplement")] = 0,
) -> Response:
    """The contract in Chinese, from the frozen text."""
    shown = queries.supplement(call.session, call.actor, supplier_order_id, supplement)
    return printing.pdf_answer(contract_pdf(shown), f"{shown.number}.pdf")
