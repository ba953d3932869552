"""Evaluations over HTTP."""

from typing import Annotated

from fastapi import File, UploadFile
from fastapi.responses import Response

from orders.evaluations import actions, queries
from orders.evaluations.schemas import AnswerIn, EvaluationIn, EvaluationOut, EvaluationsOut
from shop.core import uploads
from shop.core.paging import After, Limit
from shop.core.quantities import Id
from shop.identity.access import Call, Routes
from shop.identity.permissions import Permission

routes = Routes("evaluations", "/v1")


def _evaluation(call: Call, supplier_order_id: int) -> EvaluationOut:
    return queries.evaluation(call.session, call.actor, supplier_order_id)


@routes.get("/supplier-orders/{supplier_order_id}/evaluation", Permission.ORDERS_READ)
def read_evaluation(call: Call, supplier_order_id: Id) -> EvaluationOut:
    """How the buyer rated a supplier order, for its two sides and their officers."""
    return _evaluation(call, supplier_order_id)


@routes.put("/supplier-orders/{supplier_order_id}/evaluation", Permission.EVALUATIONS_WRITE)
def rate(call: Call, supplier_order_id: Id, body: EvaluationIn) -> EvaluationOut:
    """Rate a supplier order of which something was accepted; it may be changed within 30 days."""
    actions.rate(call.session, call.actor, supplier_order_id, body, call.if_match)
    return _evaluation(call, supplier_order_id)


@routes.post("/supplier-orders/{supplier_order_id}/evaluation/photos", Permission.EVALUATIONS_WRITE)
def add_photo(call: Call, supplier_order_id: Id, file: Annotated[UploadFile, File(description="PNG or JPEG")]) -> EvaluationOut:
    """Add a photo to the own evaluation."""
    actions.add_photo(call.session, call.actor, supplier_order_id, file.filename, file.file.read())
    return _evaluation(call, supplier_order_id)


@routes.delete("/supplier-orders/{supplier_order_id}/evaluation/photos/{file_id}", Permission.EVALUATIONS_WRITE)
def remove_photo(call: Call, supplier_order_id: Id, file_id: Id) -> None:
    """Take a photo off the own evaluation."""
    actions.remove_photo(call.session, call.actor, supplier_order_id, file_id)


@routes.post("/supplier-orders/{supplier_order_id}/evaluation/answer", Permission.EVALUATIONS_ANSWER)
def answer_evaluation(call: Call, supplier_order_id: Id, body: AnswerIn) -> EvaluationOut:
    """The supplier's one answer."""
    actions.answer(call.session, call.actor, supplier_order_id, body)
    return _evaluation(call, supplier_order_id)


@routes.get("/products/{product_id}/evaluations", Permission.PRODUCTS_READ)
def evaluations_of_product(call: Call, product_id: Id, limit: Limit = 50, after: After = None) -> EvaluationsOut:
    """What buyers who accepted the product say, with the averages; of a buyer only its kind and district are told."""
    return queries.of_product(call.session, product_id, limit=limit, after=after)


@routes.get("/suppliers/{supplier_id}/evaluations", Permission.PRODUCTS_READ)
def evaluations_of_supplier(call: Call, supplier_id: Id, limit: Limit = 50, after: After = None) -> EvaluationsOut:
    """The same of all that a supplier delivered."""
    return queries.of_supplier(call.session, supplier_id, limit=limit, after=after)


@routes.get("/evaluations/{evaluation_id}/photos/{file_id}", Permission.PRODUCTS_READ, responses=uploads.FILE_ANSWER)
def read_photo(call: Call, evaluation_id: Id, file_id: Id) -> Response:
    """The content of a photo."""
    return uploads.served(queries.photo(call.session, evaluation_id, file_id))
