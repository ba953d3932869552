"""Reviewing over HTTP: queues, decisions, opinions, appeals."""

from typing import Annotated

from fastapi import Query

from catalog.certification.actions import changing, desk, reviewing
from catalog.certification.queries import cases as queries
from catalog.certification.queries import lists
from catalog.certification.queries.lists import Claimed, Filters, Sort
from catalog.certification.schemas.cases import (
    AppealDecisionIn,
    AppealIn,
    ApprovalIn,
    CaseOut,
    CaseRow,
    ChangeIn,
    ClaimIn,
    OpinionIn,
    PriceReviewIn,
    QueueRow,
    ReasonIn,
    ReturnIn,
)
from catalog.certification.states import CaseKind, CaseStatus
from catalog.products.rules import Category
from catalog.products.schemas import DistrictCode
from shop.core.paging import After, Limit, Page
from shop.core.quantities import AnyDay, Id, ShortText
from shop.identity.access import Call, Routes
from shop.identity.permissions import Permission

routes = Routes("certification", "/v1")

District = Annotated[DistrictCode | None, Query()]
OptionalId = Annotated[Id | None, Query()]
Search = Annotated[ShortText | None, Query(description="part of the name of the product or the supplier")]


def _case(call: Call, case_id: int) -> CaseOut:
    return queries.case(call.session, call.actor, case_id, call.language)


@routes.get("/certification-cases", Permission.CERTIFICATIONS_READ)
def list_cases(
    call: Call,
    status: CaseStatus | None = None,
    kind: CaseKind | None = None,
    district: District = None,
    category: Category | None = None,
    supplier_id: OptionalId = None,
    product_id: OptionalId = None,
    batch_id: OptionalId = None,
    q: Search = None,
    due_before: AnyDay | None = None,
    overdue: bool | None = None,
    claimed: Claimed | None = None,
    mine: Annotated[bool | None, Query(description="true: only what waits for the caller's decision")] = None,
    sort: Sort = Sort.NEWEST,
    limit: Limit = 50,
    after: After = None,
) -> Page[CaseRow]:
    """An officer's queue, or a supplier's own applications."""
    filters = Filters(status, kind, district, category, supplier_id, product_id, batch_id, q, due_before, overdue, claimed, mine)
    return lists.cases(call.session, call.actor, filters, sort=sort, limit=limit, after=after)


@routes.get("/certification-queue", Permission.CERTIFICATIONS_READ)
def queue(call: Call, district: District = None, kind: CaseKind | None = None, mine: bool | None = None) -> list[QueueRow]:
    """How many cases wait at each step, how many of them are overdue, and since when the oldest waits."""
    return lists.queue(call.session, call.actor, Filters(district=district, kind=kind, mine=mine))


@routes.get("/certification-cases/{case_id}", Permission.CERTIFICATIONS_READ)
def read_case(call: Call, case_id: Id) -> CaseOut:
    """One application with its way, its record, its papers, what is missing and what the caller may do with it now."""
    return _case(call, case_id)


@routes.post("/certification-cases/{case_id}/claim", Permission.CERTIFICATIONS_REVIEW, status=200)
def claim(call: Call, case_id: Id, body: ClaimIn) -> CaseOut:
    """Take a case on the own desk: no colleague decides it meanwhile."""
    desk.claim(call.session, call.actor, case_id, take_over=body.take_over, if_match=call.if_match)
    return _case(call, case_id)


@routes.post("/certification-cases/{case_id}/release", Permission.CERTIFICATIONS_REVIEW, status=200)
def release(call: Call, case_id: Id) -> CaseOut:
    """Put a case back into the queue."""
    desk.release(call.session, call.actor, case_id, call.if_match)
    return _case(call, case_id)


@routes.post("/certification-cases/{case_id}/opinions", Permission.CERTIFICATIONS_OPINE)
def opine(call: Call, case_id: Id, body: OpinionIn) -> CaseOut:
    """Record the opinion of a department; a later one of the same department counts instead."""
    desk.opine(call.session, call.actor, case_id, body.department, body.verdict, body.opinion, body.attachment_ids, call.if_match)
    return _case(call, case_id)


@routes.post("/certification-cases/{case_id}/approve", Permission.CERTIFICATIONS_REVIEW, status=200)
def approve(call: Call, case_id: Id, body: ApprovalIn) -> CaseOut:
    """Pass a case on to its next step. The county's passing publishes the notice; at the notice's end it is the county's decision."""
    reviewing.approve(call.session, call.actor, case_id, body.reason, body.attachment_ids, call.if_match)
    return _case(call, case_id)


@routes.post("/certification-cases/{case_id}/return", Permission.CERTIFICATIONS_REVIEW, status=200)
def return_case(call: Call, case_id: Id, body: ReturnIn) -> CaseOut:
    """Give the application back for correction, item by item; the clock of the step stands still."""
    corrections = [item.correction() for item in body.corrections]
    reviewing.return_(call.session, call.actor, case_id, body.reason, corrections, body.attachment_ids, call.if_match)
    return _case(call, case_id)


@routes.post("/certification-cases/{case_id}/reject", Permission.CERTIFICATIONS_REVIEW, status=200)
def reject(call: Call, case_id: Id, body: ReasonIn) -> CaseOut:
    """Decide against the application; the supplier may appeal once."""
    reviewing.reject(call.session, call.actor, case_id, body.reason, body.attachment_ids, call.if_match)
    return _case(call, case_id)


@routes.post("/certification-cases/{case_id}/appeal", Permission.CERTIFICATIONS_APPLY, status=200)
def appeal(call: Call, case_id: Id, body: AppealIn) -> CaseOut:
    """Ask the city to look again at the own application that was rejected; once, within the days that the programme gives."""
    desk.appeal(call.session, call.actor, case_id, body.reason, call.if_match)
    return _case(call, case_id)


@routes.post("/certification-cases/{case_id}/appeal-decision", Permission.CERTIFICATIONS_CITY_REVIEW, status=200)
def decide_appeal(call: Call, case_id: Id, body: AppealDecisionIn) -> CaseOut:
    """The city grants an appeal: the case goes on where it was rejected; or dismisses it: the rejection stands."""
    desk.decide_appeal(
        call.session,
        call.actor,
        case_id,
        granted=body.granted,
        reason=body.reason,
        documents=body.attachment_ids,
        if_match=call.if_match,
    )
    return _case(call, case_id)


@routes.post("/certificates/{certificate_id}/changes", Permission.CERTIFICATIONS_APPLY)
def propose_change(call: Call, certificate_id: Id, body: ChangeIn) -> CaseOut:
    """Propose to change what a certificate in force says. It is a case like any other; the certified version stays on sale meanwhile."""
    changes = body.model_dump(exclude_unset=True, exclude={"statement"})
    return _case(call, changing.propose(call.session, call.actor, certificate_id, changes, body.statement))


@routes.post("/skus/{sku_id}/price-review", Permission.PRODUCTS_EDIT)
def propose_prices(call: Call, sku_id: Id, body: PriceReviewIn) -> CaseOut:
    """Ask for prices that lie too far above comparable goods to apply at once. The present prices stay until the review is passed. A `draft` takes papers
    as any case does, and is handed in as one."""
    return _case(call, changing.propose_prices(call.session, call.actor, sku_id, body.tiers, body.statement, draft=body.draft))
