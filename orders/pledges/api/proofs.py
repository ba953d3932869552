"""Proofs of purchase over HTTP: to the organisation, to officers, and to everybody who holds a number."""

from typing import Annotated, Any

from fastapi import Path
from fastapi.responses import HTMLResponse, Response
from pydantic import AfterValidator

from orders.pledges.actions import proving
from orders.pledges.page import UNKNOWN, page
from orders.pledges.pdf import proof_pdf
from orders.pledges.queries import proofs as queries
from orders.pledges.schemas import ProofOut, PublicProofOut, ReasonIn
from shop.core import check_page
from shop.core.errors import NotFound
from shop.core.paging import After, Limit, Page
from shop.core.quantities import Id
from shop.identity.access import Call, Routes
from shop.identity.permissions import Permission

routes = Routes("purchase_proofs", "/v1")

Number = Annotated[str, AfterValidator(str.upper), Path(pattern=r"^[A-Za-z0-9\-]{1,40}$", examples=["XM-2026-000001"])]
_PDF: dict[int | str, Any] = {200: {"content": {"application/pdf": {"schema": {"type": "string", "format": "binary"}}}}}


@routes.post("/pledges/{pledge_id}/purchase-proofs", Permission.PLEDGES_MANAGE)
def issue(call: Call, pledge_id: Id) -> ProofOut:
    """Put on paper what was accepted so far: a numbered, frozen proof, which replaces the one before it."""
    return queries.proof(call.session, call.actor, proving.issue(call.session, call.actor, pledge_id))


@routes.get("/pledges/{pledge_id}/purchase-proofs", Permission.PLEDGES_READ)
def list_proofs(call: Call, pledge_id: Id, limit: Limit = 50, after: After = None) -> Page[ProofOut]:
    """The proofs of a pledge, newest first."""
    return queries.proofs(call.session, call.actor, pledge_id, limit=limit, after=after)


@routes.get("/purchase-proofs/{number}", Permission.PLEDGES_READ)
def read(call: Call, number: Number) -> ProofOut:
    """A proof, compared with what the ledger holds now."""
    return queries.proof(call.session, call.actor, number)


@routes.get("/purchase-proofs/{number}/pdf", Permission.PLEDGES_READ, responses=_PDF)
def print_proof(call: Call, number: Number) -> Response:
    """The proof as PDF, with a QR code that leads to its public check. One that does not hold now says so."""
    queries.proof(call.session, call.actor, number)
    zh, en = queries.public_proof_in_both(call.session, number)
    headers = {"Content-Disposition": f'attachment; filename="{number}.pdf"'}
    return Response(proof_pdf(zh, en), media_type="application/pdf", headers=headers)


@routes.post("/purchase-proofs/{number}/revoke", Permission.PLEDGES_MANAGE, status=200)
def revoke(call: Call, number: Number, body: ReasonIn) -> ProofOut:
    """Take a proof back; its number stays known as revoked."""
    proving.revoke(call.session, call.actor, number, body.reason)
    return queries.proof(call.session, call.actor, number)


@routes.get("/public/purchase-proofs/{number}", public=True)
def check(call: Call, number: Number) -> PublicProofOut:
    """What the number on a proof stands for, and whether the amount has changed since."""
    return queries.public_proof(call.session, number, call.language)


@routes.get("/public/purchase-proofs/{number}/page", public=True, responses=check_page.RESPONSES)
def check_as_page(call: Call, number: Number) -> HTMLResponse:
    """The same as a page for people, who are told on a page too when there is no such proof."""
    try:
        zh, en = queries.public_proof_in_both(call.session, number)
    except NotFound:
        return check_page.answer(UNKNOWN, 404)
    return check_page.answer(page(zh, en))
