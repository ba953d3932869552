"""Many cases in one request, over HTTP: each is done or refused by itself."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import Form

from catalog.certification.actions import applying, desk, listing, papers, reviewing
from catalog.certification.actions.cases import Outcomes, Read, read_of
from catalog.certification.api.applying import Paper, PrintedForm
from catalog.certification.queries import cases as queries
from catalog.certification.rules import DocumentKind
from catalog.certification.schemas.many import (
    MOST,
    AppealsIn,
    CaseIds,
    CaseResultOut,
    CaseResultsOut,
    DecisionsIn,
    ListCopyIn,
    OpinionsIn,
    SubmissionsIn,
    VersionsIn,
)
from shop.core.outcomes import counts, outcome
from shop.identity.access import Call, Routes
from shop.identity.permissions import Permission

routes = Routes("certification", "/v1")


def _read(call: Call, body: VersionsIn) -> Read:
    return read_of(call.session, body.case_ids, body.versions)


def _told(call: Call, case_ids: Sequence[int], outcomes: Outcomes) -> CaseResultsOut:
    states = queries.statuses(call.session, call.actor, case_ids)
    results = []
    for case_id in case_ids:
        problem = outcomes[case_id]
        errors = problem.told(call.language).get("errors", []) if problem else []
        told = outcome(problem, call.language)
        results.append(CaseResultOut(**told, case_id=case_id, status=states.get(case_id), errors=errors))
    return CaseResultsOut(**counts(results), results=results)


@routes.post("/certification-documents", Permission.CERTIFICATIONS_APPLY, status=200)
def add_document_to_many(
    call: Call,
    case_ids: Annotated[CaseIds, Form(min_length=1, max_length=MOST, description="the field once for each case")],
    kind: Annotated[DocumentKind, Form()],
    file: Paper,
    printed: PrintedForm,
) -> CaseResultsOut:
    """Add one paper, such as the business licence, to up to 200 own applications. Each gets it or is refused by itself: the answer has a result for
    every case, in the order given."""
    outcomes = papers.bring_many(call.session, call.actor, case_ids, kind, printed, file.filename, file.file.read())
    return _told(call, case_ids, outcomes)


@routes.post("/certification-household-lists", Permission.CERTIFICATIONS_APPLY, status=200)
def copy_list(call: Call, body: ListCopyIn) -> CaseResultsOut:
    """Put the list of households of one own case in the place of those that up to 200 own applications of the same county had. Each gets it or is
    refused by itself: the answer has a result for every case, in the order given."""
    return _told(call, body.case_ids, listing.share(call.session, call.actor, body.from_case_id, body.case_ids))


@routes.post("/certification-submissions", Permission.CERTIFICATIONS_APPLY, status=200)
def submit_many(call: Call, body: SubmissionsIn) -> CaseResultsOut:
    """Hand in up to 200 own applications. Each is handed in by itself, or stays as it is with everything that is missing: the answer has a result
    for every case, in the order given."""
    return _told(call, body.case_ids, applying.submit_many(call.session, call.actor, body.case_ids, _read(call, body)))


@routes.post("/certification-opinions", Permission.CERTIFICATIONS_OPINE, status=200)
def opine_many(call: Call, body: OpinionsIn) -> CaseResultsOut:
    """Record the same opinion of a department on up to 200 cases. Each is recorded by itself: the answer has a result for every case, in the order
    given."""
    outcomes = desk.opine_many(
        call.session, call.actor, body.case_ids, body.department, body.verdict, body.opinion, _read(call, body)
    )
    return _told(call, body.case_ids, outcomes)


@routes.post("/certification-decisions", Permission.CERTIFICATIONS_REVIEW, status=200)
def decide(call: Call, body: DecisionsIn) -> CaseResultsOut:
    """Decide up to 200 cases alike. Each is decided by itself: the answer has a result for every case, in the order given."""
    corrections = [item.correction() for item in body.corrections]
    outcomes = reviewing.decide_many(
        call.session, call.actor, body.case_ids, body.decision, body.reason, corrections, _read(call, body)
    )
    return _told(call, body.case_ids, outcomes)


@routes.post("/certification-appeals", Permission.CERTIFICATIONS_APPLY, status=200)
def appeal_many(call: Call, body: AppealsIn) -> CaseResultsOut:
    """Appeal against the rejection of up to 200 own applications for the same reason. Each appeal is made by itself: the answer has a result for every
    case, in the order given."""
    return _told(call, body.case_ids, desk.appeal_many(call.session, call.actor, body.case_ids, body.reason, _read(call, body)))
