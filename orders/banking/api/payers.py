"""What a transfer has to say, who else may pay, and files of refunds, over HTTP."""

from typing import Annotated, Literal

from fastapi import Query
from fastapi.responses import Response

from orders.banking import pdf
from orders.banking.actions import declaring, refund_files
from orders.banking.queries import payers as queries
from orders.banking.schemas.payers import (
    DecisionIn,
    PayerDeclarationIn,
    PayerDeclarationOut,
    RefundFileIn,
    RefundFileOut,
    RefundFileVoidIn,
    TransferInstructionsOut,
)
from orders.banking.states import FileStatus, PayerStatus
from orders.refunds.schemas import SentIn
from shop.core import exports, printing
from shop.core.paging import After, Limit, Page
from shop.core.quantities import Id
from shop.identity.access import PROBLEM, Call, Routes
from shop.identity.permissions import Permission

routes = Routes("bank_transfers", "/v1")


@routes.get("/purchase-orders/{purchase_order_id}/transfer-instructions", Permission.ORDERS_READ, responses={409: PROBLEM})
def transfer_instructions(call: Call, purchase_order_id: Id) -> TransferInstructionsOut:
    """What a bank transfer for the order has to say: account, amount and payment reference."""
    return queries.transfer_instructions(call.session, call.actor, purchase_order_id)


@routes.get(
    "/purchase-orders/{purchase_order_id}/transfer-instructions.pdf",
    Permission.ORDERS_READ,
    responses={**printing.PDF_ANSWER, 409: PROBLEM},
)
def transfer_slip(call: Call, purchase_order_id: Id) -> Response:
    """The same on paper, for the cashier; 409 when nothing is due."""
    told = queries.transfer_instructions(call.session, call.actor, purchase_order_id)
    return printing.pdf_answer(pdf.transfer_slip(told, call.language), f"{told.purchase_order_number}.pdf")


@routes.post("/purchase-orders/{purchase_order_id}/payer-declarations", Permission.PAYMENTS_RECORD)
def declare_payer(call: Call, purchase_order_id: Id, body: PayerDeclarationIn) -> PayerDeclarationOut:
    """Say that somebody else than the buyer pays. Another person approves it."""
    declaration_id = declaring.declare(call.session, call.actor, purchase_order_id, body)
    return queries.declaration(call.session, call.actor, declaration_id)


@routes.get("/payer-declarations", Permission.MONEY_READ)
def payer_declarations(
    call: Call, status: PayerStatus | None = None, buyer_id: Id | None = None, limit: Limit = 50, after: After = None
) -> Page[PayerDeclarationOut]:
    """Declared payers of the own branch, or of those whose money one keeps; newest first."""
    return queries.declarations(call.session, call.actor, status=status, buyer_id=buyer_id, limit=limit, after=after)


@routes.get("/payer-declarations/{declaration_id}", Permission.MONEY_READ)
def payer_declaration(call: Call, declaration_id: Id) -> PayerDeclarationOut:
    return queries.declaration(call.session, call.actor, declaration_id)


@routes.post("/payer-declarations/{declaration_id}/approve", Permission.MONEY_MANAGE, status=200)
def approve_payer(call: Call, declaration_id: Id, body: DecisionIn) -> PayerDeclarationOut:
    """Approve a payer that somebody else declared: its money may be matched from now on."""
    declaring.approve(call.session, call.actor, declaration_id, body.reason, if_match=call.if_match)
    return queries.declaration(call.session, call.actor, declaration_id)


@routes.post("/payer-declarations/{declaration_id}/refuse", Permission.MONEY_MANAGE, status=200)
def refuse_payer(call: Call, declaration_id: Id, body: DecisionIn) -> PayerDeclarationOut:
    declaring.refuse(call.session, call.actor, declaration_id, body.reason, if_match=call.if_match)
    return queries.declaration(call.session, call.actor, declaration_id)


@routes.post("/payer-declarations/{declaration_id}/withdraw", Permission.PAYMENTS_RECORD, status=200)
def withdraw_payer(call: Call, declaration_id: Id, body: DecisionIn) -> PayerDeclarationOut:
    """Take a declaration back, also one that was approved."""
    declaring.withdraw(call.session, call.actor, declaration_id, body.reason, if_match=call.if_match)
    return queries.declaration(call.session, call.actor, declaration_id)


@routes.post("/refund-files", Permission.MONEY_MANAGE)
def make_refund_file(call: Call, body: RefundFileIn) -> RefundFileOut:
    """Put released refunds by bank transfer into a file for the online bank; each goes into one file only. Of those that are not named, the ones whose
    money is not there any more are left out."""
    return queries.refund_file(call.session, call.actor, refund_files.make(call.session, call.actor, body))


@routes.get("/refund-files", Permission.MONEY_MANAGE)
def list_refund_files(call: Call, status: FileStatus | None = None, limit: Limit = 50, after: After = None) -> Page[RefundFileOut]:
    """Files of refunds, newest first."""
    return queries.refund_files(call.session, call.actor, status=status, limit=limit, after=after)


@routes.get("/refund-files/{file_id}", Permission.MONEY_MANAGE)
def refund_file(call: Call, file_id: Id) -> RefundFileOut:
    return queries.refund_file(call.session, call.actor, file_id)


@routes.get("/refund-files/{file_id}/file", Permission.MONEY_MANAGE, responses=exports.FILES)
def download_refund_file(call: Call, file_id: Id, format: Annotated[Literal["xlsx", "csv"], Query()] = "csv") -> Response:
    """The file itself, in the layout that it was made for; before it was sent, without what a line of the bank shows to have left already. That of a
    void one says so by its name."""
    found = queries.refund_file(call.session, call.actor, file_id)
    header = list(queries.BULK[found.layout].values())
    name = f"{found.number}-void" if found.status == "void" else found.number
    return exports.file(format, name, header, queries.bulk_cells(call.session, file_id, found.layout), found.number)


@routes.post("/refund-files/{file_id}/send", Permission.MONEY_MANAGE, status=200)
def send_refund_file(call: Call, file_id: Id, body: SentIn) -> RefundFileOut:
    """Say that the file was uploaded to the bank, with the bank's number: its refunds are sent."""
    refund_files.send(call.session, call.actor, file_id, body.reference, body.despite, if_match=call.if_match)
    return queries.refund_file(call.session, call.actor, file_id)


@routes.post("/refund-files/{file_id}/void", Permission.MONEY_MANAGE, status=200)
def void_refund_file(call: Call, file_id: Id, body: RefundFileVoidIn) -> RefundFileOut:
    """Say that the file was never uploaded: its refunds may go into another. Only by another person than who made it."""
    refund_files.void(call.session, call.actor, file_id, body.reason, if_match=call.if_match)
    return queries.refund_file(call.session, call.actor, file_id)
