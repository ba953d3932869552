"""Batches of the catalogue over HTTP."""

from typing import Annotated, Literal

from fastapi import Path, Query
from fastapi.responses import Response

from catalog.batches import actions, queries, sheets
from catalog.batches.schemas import BatchIn, BatchOut, CasesIn, PublicBatchOut, PublicBatchRow, WithdrawalIn
from catalog.batches.states import BatchLevel, BatchStatus
from shop.core import exports
from shop.core.paging import After, Limit, Page
from shop.core.quantities import Id
from shop.identity.access import Call, Routes
from shop.identity.permissions import Permission

routes = Routes("batches", "/v1")

Number = Annotated[str, Path(pattern=r"^N?[0-9]{4}-[0-9]{2,6}$", examples=["2026-03"])]


def _batch(call: Call, batch_id: int) -> BatchOut:
    return queries.batch(call.session, call.actor, batch_id, call.language)


@routes.get("/catalogue-batches", Permission.CERTIFICATIONS_READ)
def list_batches(
    call: Call, status: BatchStatus | None = None, level: BatchLevel | None = None, limit: Limit = 50, after: After = None
) -> Page[BatchOut]:
    """All batches, the newest first; those not published only for who publishes them."""
    return queries.batches(call.session, call.actor, call.language, status=status, level=level, limit=limit, after=after)


@routes.get("/catalogue-batches/{batch_id}", Permission.CERTIFICATIONS_READ)
def read_batch(call: Call, batch_id: Id) -> BatchOut:
    """One batch. Its cases are found by `/v1/certification-cases?batch_id=`, its certificates by `/v1/certificates?batch_id=`."""
    return _batch(call, batch_id)


@routes.post("/catalogue-batches", Permission.CATALOGUE_BATCHES_PUBLISH)
def create_batch(call: Call, body: BatchIn) -> BatchOut:
    """Begin a batch, with filed cases or without."""
    return _batch(call, actions.create(call.session, call.actor, body))


@routes.post("/catalogue-batches/{batch_id}/cases", Permission.CATALOGUE_BATCHES_PUBLISH, status=200)
def put_cases(call: Call, batch_id: Id, body: CasesIn) -> BatchOut:
    """Put filed cases into a batch; all of them or none."""
    actions.put(call.session, call.actor, batch_id, body.case_ids, call.if_match)
    return _batch(call, batch_id)


@routes.delete("/catalogue-batches/{batch_id}/cases/{case_id}", Permission.CATALOGUE_BATCHES_PUBLISH, status=200)
def take_case_out(call: Call, batch_id: Id, case_id: Id) -> BatchOut:
    """Take a case out of a batch; it stays filed."""
    actions.take_out(call.session, call.actor, batch_id, case_id, call.if_match)
    return _batch(call, batch_id)


@routes.delete("/catalogue-batches/{batch_id}", Permission.CATALOGUE_BATCHES_PUBLISH)
def discard_batch(call: Call, batch_id: Id) -> None:
    """Drop a batch that is not published; its cases stay filed."""
    actions.discard(call.session, call.actor, batch_id, call.if_match)


@routes.post("/catalogue-batches/{batch_id}/publish", Permission.CATALOGUE_BATCHES_PUBLISH, status=200)
def publish_batch(call: Call, batch_id: Id) -> BatchOut:
    """Publish a batch: it gets its number, and each of its cases a certificate."""
    actions.publish(call.session, call.actor, batch_id, call.if_match)
    return _batch(call, batch_id)


@routes.post("/catalogue-batches/{batch_id}/withdraw", Permission.CATALOGUE_BATCHES_PUBLISH, status=200)
def withdraw_batch(call: Call, batch_id: Id, body: WithdrawalIn) -> BatchOut:
    """Withdraw a published batch: all of its certificates are revoked."""
    actions.withdraw(call.session, call.actor, batch_id, body.reason, call.if_match)
    return _batch(call, batch_id)


@routes.get("/catalogue-batches/{batch_id}/export", Permission.CERTIFICATIONS_READ, responses=exports.FILES)
def export_batch(call: Call, batch_id: Id, format: Annotated[Literal["xlsx", "csv"], Query()] = "xlsx") -> Response:
    """The list of a batch, with the state of each certificate now; how many households exactly only where the caller may read their lists."""
    batch, listed = queries.whole_list(call.session, call.actor, batch_id, call.language)
    name, title = f"batch_{batch.number or batch.id}", batch.number or str(batch.id)
    return exports.file(format, name, sheets.HEADER[call.language], sheets.cells(listed), title)


@routes.get("/public/catalogue-batches", public=True)
def published_batches(call: Call, limit: Limit = 50, after: After = None) -> Page[PublicBatchRow]:
    """What was published, the newest first."""
    return queries.published(call.session, call.language, limit=limit, after=after)


@routes.get("/public/catalogue-batches/{number}", public=True)
def published_batch(call: Call, number: Number, limit: Limit = 50, after: After = None) -> PublicBatchOut:
    """A published batch with its certificates."""
    return queries.published_batch(call.session, number, call.language, limit=limit, after=after)
