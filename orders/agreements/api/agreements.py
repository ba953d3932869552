"""Agreements over HTTP: terms, signatures, changes."""

from typing import Annotated

from fastapi import Query
from fastapi.responses import Response

from orders.agreements.actions import changing, drafting, signing
from orders.agreements.pdf import agreement_pdf
from orders.agreements.queries import agreements as queries
from orders.agreements.schemas.terms import (
    AgreementIn,
    AgreementOut,
    AnswerIn,
    ChangeIn,
    ChangeOut,
    ListedAgreementOut,
    ReasonIn,
    RenewalIn,
    ScheduleIn,
    SignIn,
    TerminationIn,
    TermsOut,
)
from orders.agreements.states import AgreementState, ChangeMove
from shop.core import printing
from shop.core.paging import After, Limit, Page
from shop.core.quantities import Id, ShortText
from shop.identity.access import Call, Routes
from shop.identity.permissions import Permission

routes = Routes("agreements", "/v1")


def _shown(call: Call, agreement_id: int) -> AgreementOut:
    return queries.agreement(call.session, call.actor, agreement_id, call.language)


@routes.post("/agreements", Permission.AGREEMENTS_MANAGE)
def draft_agreement(call: Call, body: AgreementIn) -> AgreementOut:
    """Draft an agreement with a supplier. Only the own side sees it before it is proposed."""
    return _shown(call, drafting.create(call.session, call.actor, body))


@routes.get("/agreements", Permission.AGREEMENTS_READ)
def list_agreements(
    call: Call,
    state: Annotated[AgreementState | None, Query()] = None,
    buyer_id: Annotated[Id | None, Query()] = None,
    supplier_id: Annotated[Id | None, Query()] = None,
    q: Annotated[ShortText | None, Query(description="part of the title or the number")] = None,
    limit: Limit = 50,
    after: After = None,
) -> Page[ListedAgreementOut]:
    """Agreements of the own branch or region, newest first, each with the lines that could not be ordered today."""
    return queries.agreements(
        call.session,
        call.actor,
        state=state,
        buyer_id=buyer_id,
        supplier_id=supplier_id,
        q=q,
        limit=limit,
        after=after,
        language=call.language,
    )


@routes.get("/agreements/{agreement_id}", Permission.AGREEMENTS_READ)
def read_agreement(call: Call, agreement_id: Id) -> AgreementOut:
    return _shown(call, agreement_id)


@routes.get("/agreements/{agreement_id}/terms", Permission.AGREEMENTS_READ)
def read_terms(call: Call, agreement_id: Id) -> TermsOut:
    """The terms as they are signed, word for word, with their hash."""
    return queries.terms(call.session, call.actor, agreement_id)


@routes.get("/agreements/{agreement_id}/pdf", Permission.AGREEMENTS_READ, responses=printing.PDF_ANSWER)
def print_agreement(call: Call, agreement_id: Id) -> Response:
    """The agreement in Chinese, as it stands now."""
    shown = _shown(call, agreement_id)
    return printing.pdf_answer(agreement_pdf(shown), f"{shown.number}.pdf")


@routes.put("/agreements/{agreement_id}", Permission.AGREEMENTS_MANAGE)
def edit_agreement(call: Call, agreement_id: Id, body: AgreementIn) -> AgreementOut:
    """Write a draft anew. Its schedule is gone with its lines."""
    drafting.replace(call.session, call.actor, agreement_id, body, call.if_match)
    return _shown(call, agreement_id)


@routes.put("/agreements/{agreement_id}/schedule", Permission.AGREEMENTS_MANAGE)
def set_schedule(call: Call, agreement_id: Id, body: ScheduleIn) -> AgreementOut:
    """Say what comes where on which weekdays. Once both have signed, a change does that."""
    drafting.schedule(call.session, call.actor, agreement_id, body, call.if_match)
    return _shown(call, agreement_id)


@routes.post("/agreements/{agreement_id}/propose", Permission.AGREEMENTS_MANAGE, status=200)
def propose(call: Call, agreement_id: Id) -> AgreementOut:
    """Put the agreement before the supplier; from here on its terms stand still."""
    drafting.propose(call.session, call.actor, agreement_id, if_match=call.if_match)
    return _shown(call, agreement_id)


@routes.post("/agreements/{agreement_id}/revise", Permission.AGREEMENTS_MANAGE, status=200)
def revise(call: Call, agreement_id: Id) -> AgreementOut:
    """Take a proposal back to a draft; a signature under it is void."""
    drafting.revise(call.session, call.actor, agreement_id, if_match=call.if_match)
    return _shown(call, agreement_id)


@routes.post("/agreements/{agreement_id}/sign", Permission.AGREEMENTS_SIGN, status=200)
def sign(call: Call, agreement_id: Id, body: SignIn) -> AgreementOut:
    """Sign for the own side the terms that were read. A supplier signs no more than its declared harvest bears."""
    says = signing.sign(call.session, call.actor, agreement_id, body.terms_hash, if_match=call.if_match)
    return _shown(call, agreement_id).model_copy(update={"harvest": says})


@routes.post("/agreements/{agreement_id}/decline", Permission.AGREEMENTS_SIGN, status=200)
def decline(call: Call, agreement_id: Id, body: ReasonIn) -> AgreementOut:
    """The supplier will not sign."""
    signing.decline(call.session, call.actor, agreement_id, body.reason, if_match=call.if_match)
    return _shown(call, agreement_id)


@routes.post("/agreements/{agreement_id}/withdraw", Permission.AGREEMENTS_MANAGE, status=200)
def withdraw(call: Call, agreement_id: Id, body: ReasonIn) -> AgreementOut:
    """The buyer takes its draft or proposal back for good."""
    signing.withdraw(call.session, call.actor, agreement_id, body.reason, if_match=call.if_match)
    return _shown(call, agreement_id)


@routes.get("/agreements/{agreement_id}/changes", Permission.AGREEMENTS_READ)
def list_changes(call: Call, agreement_id: Id, limit: Limit = 50, after: After = None) -> Page[ChangeOut]:
    """Changes, early ends and renewals that were proposed, newest first."""
    return queries.changes(call.session, call.actor, agreement_id, call.language, limit=limit, after=after)


@routes.post("/agreements/{agreement_id}/changes", Permission.AGREEMENTS_SIGN)
def propose_change(call: Call, agreement_id: Id, body: ChangeIn) -> ChangeOut:
    """Propose other caps, prices, days or deliveries; the other side answers."""
    return _proposed(call, agreement_id, body)


@routes.post("/agreements/{agreement_id}/terminations", Permission.AGREEMENTS_SIGN)
def propose_termination(call: Call, agreement_id: Id, body: TerminationIn) -> ChangeOut:
    """Propose to end it sooner."""
    return _proposed(call, agreement_id, body)


@routes.post("/agreements/{agreement_id}/renewals", Permission.AGREEMENTS_SIGN)
def propose_renewal(call: Call, agreement_id: Id, body: RenewalIn) -> ChangeOut:
    """Propose the same terms for another time; accepted, they are an agreement of their own."""
    return _proposed(call, agreement_id, body)


def _proposed(call: Call, agreement_id: int, body: ChangeIn | TerminationIn | RenewalIn) -> ChangeOut:
    change_id = changing.propose(call.session, call.actor, agreement_id, body)
    return queries.change(call.session, call.actor, agreement_id, change_id, call.language)


@routes.post("/agreements/{agreement_id}/changes/{change_id}/accept", Permission.AGREEMENTS_SIGN, status=200)
def accept_change(call: Call, agreement_id: Id, change_id: Id, body: AnswerIn) -> ChangeOut:
    """Agree to what the other side proposed; it holds from now on."""
    return _answered(call, agreement_id, change_id, ChangeMove.ACCEPT, body)


@routes.post("/agreements/{agreement_id}/changes/{change_id}/decline", Permission.AGREEMENTS_SIGN, status=200)
def decline_change(call: Call, agreement_id: Id, change_id: Id, body: AnswerIn) -> ChangeOut:
    """Leave the agreement as it is."""
    return _answered(call, agreement_id, change_id, ChangeMove.DECLINE, body)


@routes.post("/agreements/{agreement_id}/changes/{change_id}/withdraw", Permission.AGREEMENTS_SIGN, status=200)
def withdraw_change(call: Call, agreement_id: Id, change_id: Id, body: AnswerIn) -> ChangeOut:
    """Take the own proposal back."""
    return _answered(call, agreement_id, change_id, ChangeMove.WITHDRAW, body)


def _answered(call: Call, agreement_id: int, change_id: int, move: ChangeMove, body: AnswerIn) -> ChangeOut:
    changing.answer(call.session, call.actor, agreement_id, change_id, move, body.answer)
    return queries.change(call.session, call.actor, agreement_id, change_id, call.language)
