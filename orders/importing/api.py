"""Orders from uploaded lists over HTTP."""

from typing import Annotated, Literal

from fastapi import File, Form, Path, Query, UploadFile
from fastapi.responses import Response
from pydantic import Json

from orders.importing import actions, queries, sheets
from orders.importing.errors import RowsChanged
from orders.importing.rules import RowState
from orders.importing.schemas import (
    ChoiceIn,
    ChoicesIn,
    ColumnsIn,
    ImportOrderIn,
    ListRowOut,
    OrderImportOut,
    OrderImportRow,
    RowChoiceIn,
    SkipIn,
    SubmittedOut,
)
from orders.importing.states import ImportStatus
from shop.core import exports, uploads
from shop.core.paging import After, Limit, Page
from shop.core.quantities import Id
from shop.core.sheet_reader import MAX_ROWS
from shop.identity.access import Call, Routes
from shop.identity.permissions import Permission

routes = Routes("order_imports", "/v1")

Number = Annotated[int, Path(ge=1, le=MAX_ROWS, description="the row as a spreadsheet program counts it")]


def _import(call: Call, import_id: int) -> OrderImportOut:
    return queries.order_import(call.session, call.actor, import_id, call.language)


@routes.post("/order-imports", Permission.ORDERS_PLACE, status=202)
def upload_list(
    call: Call,
    file: Annotated[UploadFile, File(description="XLSX, or CSV in UTF-8 or GB18030, of up to 10,000 lines")],
    buyer_id: Annotated[Id | None, Form(description="the budget unit; default: the caller's own")] = None,
    columns: Annotated[
        Json[ColumnsIn] | None, Form(description="where the header is and what its columns are, as JSON; default: they are found")
    ] = None,
) -> OrderImportOut:
    """Upload a list to be ordered. It is read, matched and checked afterwards: look at its status. Orders nothing."""
    import_id = actions.upload(call.session, call.actor, file.filename, file.file.read(), buyer_id=buyer_id, columns=columns)
    return _import(call, import_id)


@routes.get("/order-imports", Permission.ORDERS_READ)
def order_imports(
    call: Call, status: ImportStatus | None = None, buyer_id: Id | None = None, limit: Limit = 50, after: After = None
) -> Page[OrderImportRow]:
    """The lists of the own branch, the newest first."""
    return queries.order_imports(
        call.session, call.actor, call.language, status=status, buyer_id=buyer_id, limit=limit, after=after
    )


@routes.get("/order-imports/template", Permission.ORDERS_PLACE, responses=exports.FILES)
def list_template(call: Call, format: Annotated[Literal["xlsx", "csv"], Query()] = "xlsx") -> Response:
    """An empty list to be filled in."""
    if format == "csv":
        return exports.file(format, "order_list", sheets.TEMPLATE, [], sheets.TITLE["zh"])
    headers = {"Content-Disposition": 'attachment; filename="order_list.xlsx"'}
    return Response(sheets.template_workbook(), media_type=exports.XLSX, headers=headers)


@routes.get("/order-imports/{import_id}", Permission.ORDERS_READ)
def order_import(call: Call, import_id: Id) -> OrderImportOut:
    """One list: how far it is, how it was understood, and what would be ordered."""
    return _import(call, import_id)


@routes.get("/order-imports/{import_id}/rows", Permission.ORDERS_READ)
def list_rows(call: Call, import_id: Id, state: RowState | None = None, limit: Limit = 50, after: After = None) -> Page[ListRowOut]:
    """The rows below the header, each with what it was understood as, why it cannot be ordered, and what could be ordered instead."""
    return queries.rows(call.session, call.actor, import_id, call.language, state=state, limit=limit, after=after)


@routes.get("/order-imports/{import_id}/file", Permission.ORDERS_READ, responses=exports.FILES)
def uploaded_list(call: Call, import_id: Id) -> Response:
    """The file as it was uploaded."""
    return uploads.served(queries.uploaded_file(call.session, call.actor, import_id))


@routes.get("/order-imports/{import_id}/result.xlsx", Permission.ORDERS_READ, responses=exports.FILES)
def result_workbook(call: Call, import_id: Id) -> Response:
    """The list with what became of its rows, to be corrected and uploaded again."""
    return _result(call, import_id, "xlsx")


@routes.get("/order-imports/{import_id}/result.csv", Permission.ORDERS_READ, responses=exports.FILES)
def result_csv(call: Call, import_id: Id) -> Response:
    """The same as CSV."""
    return _result(call, import_id, "csv")


def _result(call: Call, import_id: int, format: str) -> Response:
    headers, places, found = queries.all_rows(call.session, call.actor, import_id, call.language)
    rows = list(found)
    header, cells = sheets.header(headers, rows, call.language), sheets.cells(headers, places, rows, call.language)
    return exports.file(format, f"order_import_{import_id}", header, cells, sheets.TITLE[call.language])


@routes.put("/order-imports/{import_id}/columns", Permission.ORDERS_PLACE, status=202)
def set_columns(call: Call, import_id: Id, body: ColumnsIn) -> OrderImportOut:
    """Say where the header is and what its columns are. The list is read again; choices made before are forgotten."""
    actions.set_columns(call.session, call.actor, import_id, body, call.if_match)
    return _import(call, import_id)


@routes.post("/order-imports/{import_id}/check", Permission.ORDERS_PLACE, status=202)
def check_list_again(call: Call, import_id: Id) -> OrderImportOut:
    """Match and check the rows again, at today's prices and stock; what was chosen stays."""
    actions.check_again(call.session, call.actor, import_id, call.if_match)
    return _import(call, import_id)


@routes.post("/order-imports/{import_id}/rows/{row_no}/choice", Permission.ORDERS_PLACE, status=200)
def choose_sku(call: Call, import_id: Id, row_no: Number, body: ChoiceIn) -> ListRowOut:
    """Say which SKU a row means: one of its candidates or substitutes, or any other."""
    actions.choose(call.session, call.actor, import_id, [RowChoiceIn(row_no=row_no, **body.model_dump())], call.if_match)
    return queries.row(call.session, call.actor, import_id, row_no, call.language)


@routes.post("/order-imports/{import_id}/choices", Permission.ORDERS_PLACE, status=200)
def choose_skus(call: Call, import_id: Id, body: ChoicesIn) -> OrderImportOut:
    """The same for many rows: all of it or nothing."""
    actions.choose(call.session, call.actor, import_id, body.choices, call.if_match)
    return _import(call, import_id)


@routes.post("/order-imports/{import_id}/rows/{row_no}/skip", Permission.ORDERS_PLACE, status=200)
def skip_row(call: Call, import_id: Id, row_no: Number, body: SkipIn) -> ListRowOut:
    """Leave a row out of the order, or take it in again."""
    actions.skip(call.session, call.actor, import_id, row_no, call.if_match, skipped=body.skipped)
    return queries.row(call.session, call.actor, import_id, row_no, call.language)


@routes.post("/order-imports/{import_id}/order", Permission.ORDERS_PLACE)
def order_list(call: Call, import_id: Id, body: ImportOrderIn) -> SubmittedOut:
    """Order the rows that were matched: all of them or none, and once for each file unless a second order is meant."""
    try:
        submitted = actions.order(call.session, call.actor, import_id, body, call.if_match)
    except RowsChanged:
        _show_why(call, import_id)
        raise
    return SubmittedOut(purchase_order=submitted.purchase_order, purchase_request_id=submitted.purchase_request_id)


def _show_why(call: Call, import_id: int) -> None:
    """A refusal takes back all that its transaction wrote; one of its own checks the rows again, so that they show what changed meanwhile."""
    call.session.rollback()
    with call.request.app.state.database.unit_of_work() as session:
        actions.refresh(session, import_id)
