"""Statements of the marketplace's bank account over HTTP."""

from typing import Annotated, Literal

from fastapi import File, Form, Query, UploadFile
from fastapi.responses import Response
from pydantic import Json

from orders.banking import sheets
from orders.banking.actions import importing
from orders.banking.queries import statements as queries
from orders.banking.schemas.statements import (
    BankColumnsIn,
    BankStatementOut,
    HowRead,
    LayoutOut,
    ReconciliationStatementOut,
    StatementPreviewOut,
)
from orders.money.schemas import AsOf
from shop.core import exports, uploads
from shop.core.money import YuanIn
from shop.core.paging import After, Limit, Page
from shop.core.quantities import Id
from shop.core.sheets import SheetName
from shop.identity.access import PROBLEM, Call, Routes
from shop.identity.permissions import Permission

routes = Routes("bank_statements", "/v1")

_File = Annotated[UploadFile, File(description="CSV in UTF-8 or GB18030, XLSX, CAMT.053, or MT940")]
_Layout = Annotated[str | None, Form(max_length=20, description="the bank whose layout it has; default: it is found")]
_Columns = Annotated[Json[BankColumnsIn] | None, Form(description="where the header is and what its columns are, as JSON")]
_Closing = Annotated[YuanIn | None, Form(description="where the file tells no balance; or to be checked")]


@routes.post("/bank-statements/preview", Permission.MONEY_MANAGE, status=200)
def preview_statement(
    call: Call,
    file: _File,
    layout: _Layout = None,
    columns: _Columns = None,
    closing_balance: _Closing = None,
    sheet: SheetName = None,
) -> StatementPreviewOut:
    """What an import would do: how the file is understood, its first lines, how many are new, and what stands against it. Changes nothing."""
    how = HowRead(layout=layout, sheet=sheet, columns=columns, closing_balance=closing_balance)
    parsed, new_count = importing.look(call.session, call.actor, file.file.read(), how)
    return queries.preview(parsed, new_count, call.language)


@routes.post("/bank-statements", Permission.MONEY_MANAGE)
def import_statement(
    call: Call,
    file: _File,
    layout: _Layout = None,
    columns: _Columns = None,
    closing_balance: _Closing = None,
    sheet: SheetName = None,
) -> BankStatementOut:
    """Import a statement: all of it or nothing, each line once. The same file again is the same statement. Matching follows by itself."""
    how = HowRead(layout=layout, sheet=sheet, columns=columns, closing_balance=closing_balance)
    statement_id = importing.import_statement(call.session, call.actor, file.filename, file.file.read(), how)
    return queries.statement(call.session, call.actor, statement_id)


@routes.get("/bank-statements", Permission.MONEY_MANAGE)
def statements(call: Call, limit: Limit = 50, after: After = None) -> Page[BankStatementOut]:
    """What was imported, newest first."""
    return queries.statements(call.session, call.actor, limit=limit, after=after)


@routes.get("/bank-statements/{statement_id}", Permission.MONEY_MANAGE)
def statement(call: Call, statement_id: Id) -> BankStatementOut:
    return queries.statement(call.session, call.actor, statement_id)


@routes.get("/bank-statements/{statement_id}/file", Permission.MONEY_MANAGE, responses=uploads.FILE_ANSWER)
def statement_file(call: Call, statement_id: Id) -> Response:
    """The file as it was imported."""
    return uploads.served(queries.statement_file(call.session, call.actor, statement_id))


@routes.get("/bank-layouts", Permission.MONEY_MANAGE)
def layouts(call: Call) -> list[LayoutOut]:
    """The layouts of statements that are known."""
    return queries.layouts(call.language)


@routes.get(
    "/bank-reconciliation",
    Permission.MONEY_MANAGE,
    answer=ReconciliationStatementOut,
    responses={**exports.FILES, 409: PROBLEM},
)
def reconciliation(
    call: Call,
    as_of: AsOf = None,
    format: Annotated[Literal["json", "csv", "xlsx"], Query(description="a file holds every movement between them")] = "json",
) -> ReconciliationStatementOut | Response:
    """The bank's balance beside that of the books at the end of a day, and everything that lies between them (银行存款余额调节表)."""
    if format == "json":
        return queries.reconciliation(call.session, call.actor, as_of)
    return sheets.reconciliation(format, call.language, queries.whole_reconciliation(call.session, call.actor, as_of))
