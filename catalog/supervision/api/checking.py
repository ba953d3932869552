"""Random checks, inspections, price checks and the risk list over HTTP."""

from typing import Annotated

from fastapi import File, Query, UploadFile
from fastapi.responses import Response

from catalog.products.rules import Category
from catalog.products.schemas import DistrictCode
from catalog.supervision.actions import checking as actions
from catalog.supervision.queries import checking as queries
from catalog.supervision.queries import risk
from catalog.supervision.queries.checking import Filters
from catalog.supervision.rules import CheckKind
from catalog.supervision.schemas.checking import (
    CancelIn,
    CheckFileOut,
    InspectionIn,
    InspectionOut,
    InspectionRow,
    InspectionStatus,
    PlanIn,
    PlanRow,
    PriceCheckIn,
    PriceCheckOut,
    ResultIn,
    RiskOut,
    VerifiedOut,
)
from shop.core import uploads
from shop.core.paging import After, Limit, Page
from shop.core.quantities import Id
from shop.identity.access import Call, Routes
from shop.identity.permissions import Permission

routes = Routes("supervision", "/v1")

District = Annotated[DistrictCode | None, Query()]
OptionalId = Annotated[Id | None, Query()]


@routes.get("/risk-list", Permission.SUPERVISION_READ)
def risk_list(
    call: Call, district: District = None, category: Category | None = None, limit: Limit = 50, after: After = None
) -> Page[RiskOut]:
    """The certificates of the region that there is a reason to look at, each reason with its evidence; those with the most first."""
    return risk.risks(call.session, call.actor, call.language, district=district, category=category, limit=limit, after=after)


@routes.get("/check-plans", Permission.SUPERVISION_READ)
def list_plans(call: Call, limit: Limit = 50, after: After = None) -> Page[PlanRow]:
    """The plans of random checks, the newest first. What a plan drew is found by `/v1/inspections?plan_id=`."""
    return queries.plans(call.session, call.actor, limit=limit, after=after)


@routes.post("/check-plans", Permission.SUPERVISION_RECORD)
def draw_plan(call: Call, body: PlanIn) -> PlanRow:
    """Draw certificates to be checked. The seed is made by the server and on record, so that anybody can repeat the draw."""
    return queries.plan(call.session, call.actor, actions.draw(call.session, call.actor, body))


@routes.get("/check-plans/{plan_id}", Permission.SUPERVISION_READ)
def read_plan(call: Call, plan_id: Id) -> PlanRow:
    """One plan."""
    return queries.plan(call.session, call.actor, plan_id)


@routes.post("/check-plans/{plan_id}/verify", Permission.SUPERVISION_READ, status=200, idempotent=False)
def verify_plan(call: Call, plan_id: Id) -> VerifiedOut:
    """Repeat the draw of a plan from its seed, among what was in force at that moment."""
    return actions.verify(call.session, call.actor, queries.plan(call.session, call.actor, plan_id))


@routes.get("/inspections", Permission.SUPERVISION_READ)
def list_inspections(
    call: Call,
    status: InspectionStatus | None = None,
    kind: CheckKind | None = None,
    plan_id: OptionalId = None,
    certificate_id: OptionalId = None,
    district: District = None,
    overdue: bool | None = None,
    limit: Limit = 50,
    after: After = None,
) -> Page[InspectionRow]:
    """The checks of the region, the newest first."""
    filters = Filters(status, kind, plan_id, certificate_id, district, overdue)
    return queries.inspections(call.session, call.actor, filters, limit=limit, after=after)


@routes.post("/inspections", Permission.SUPERVISION_RECORD)
def open_inspection(call: Call, body: InspectionIn) -> InspectionOut:
    """Order the check of one certificate. Its supplier is told the result, not the order."""
    return _inspection(call, actions.open_inspection(call.session, call.actor, body))


@routes.get("/inspections/{inspection_id}", Permission.SUPERVISION_READ)
def read_inspection(call: Call, inspection_id: Id) -> InspectionOut:
    """One check with its findings and files."""
    return _inspection(call, inspection_id)


@routes.post("/inspections/{inspection_id}/result", Permission.SUPERVISION_RECORD, status=200)
def record_result(call: Call, inspection_id: Id, body: ResultIn) -> InspectionOut:
    """Record what a check found; where it failed, with a measure against the certificate or without."""
    actions.record_result(call.session, call.actor, inspection_id, body, call.if_match)
    return _inspection(call, inspection_id)


@routes.post("/inspections/{inspection_id}/cancel", Permission.SUPERVISION_RECORD, status=200)
def cancel_inspection(call: Call, inspection_id: Id, body: CancelIn) -> InspectionOut:
    """Give up a check that was not done."""
    actions.cancel(call.session, call.actor, inspection_id, body.reason, call.if_match)
    return _inspection(call, inspection_id)


@routes.post("/inspections/{inspection_id}/files", Permission.SUPERVISION_RECORD)
def add_inspection_file(
    call: Call, inspection_id: Id, file: Annotated[UploadFile, File(description="PDF, PNG, JPEG, DOCX or XLSX")]
) -> CheckFileOut:
    """Add a file to a check, such as the laboratory's report."""
    kept = actions.add_file(call.session, call.actor, inspection_id, file.filename, file.file.read())
    return CheckFileOut.model_validate(kept, from_attributes=True)


@routes.get("/inspections/{inspection_id}/files/{file_id}", Permission.SUPERVISION_READ, responses=uploads.FILE_ANSWER)
def read_inspection_file(call: Call, inspection_id: Id, file_id: Id) -> Response:
    """The content of a file."""
    return uploads.served(queries.inspection_file(call.session, call.actor, inspection_id, file_id))


@routes.get("/price-checks", Permission.SUPERVISION_READ)
def list_price_checks(
    call: Call,
    certificate_id: OptionalId = None,
    district: District = None,
    above: Annotated[bool | None, Query(description="true: further above than the programme tolerates")] = None,
    limit: Limit = 50,
    after: After = None,
) -> Page[PriceCheckOut]:
    """The price checks of the region, the newest first."""
    return queries.price_checks(
        call.session, call.actor, certificate_id=certificate_id, district=district, above=above, limit=limit, after=after
    )


@routes.post("/price-checks", Permission.SUPERVISION_RECORD)
def compare_price(call: Call, body: PriceCheckIn) -> PriceCheckOut:
    """Put a price that was found elsewhere beside the product's own, gram for gram."""
    made = actions.compare_price(call.session, call.actor, body)
    return queries.price_check(call.session, call.actor, made)


@routes.get("/price-checks/{price_check_id}", Permission.SUPERVISION_READ)
def read_price_check(call: Call, price_check_id: Id) -> PriceCheckOut:
    """One price check with its files."""
    return queries.price_check(call.session, call.actor, price_check_id)


@routes.post("/price-checks/{price_check_id}/files", Permission.SUPERVISION_RECORD)
def add_price_check_file(
    call: Call, price_check_id: Id, file: Annotated[UploadFile, File(description="PDF, PNG, JPEG, DOCX or XLSX")]
) -> CheckFileOut:
    """Add what shows the price that was found, such as a photo of its label or a receipt."""
    kept = actions.add_price_file(call.session, call.actor, price_check_id, file.filename, file.file.read())
    return CheckFileOut.model_validate(kept, from_attributes=True)


@routes.get("/price-checks/{price_check_id}/files/{file_id}", Permission.SUPERVISION_READ, responses=uploads.FILE_ANSWER)
def read_price_check_file(call: Call, price_check_id: Id, file_id: Id) -> Response:
    """The content of a file."""
    return uploads.served(queries.price_check_file(call.session, call.actor, price_check_id, file_id))


def _inspection(call: Call, inspection_id: int) -> InspectionOut:
    return queries.inspection(call.session, call.actor, inspection_id)
