"""Settlements over HTTP: running them, reading statements, objecting and answering."""

from typing import Annotated, Any

from fastapi import Query
from fastapi.responses import Response

from orders.settlement import sheets
from orders.settlement.actions import answering, running
from orders.settlement.pdf import statement_pdf
from orders.settlement.queries import balances as standing
from orders.settlement.queries import statements
from orders.settlement.queries import uncovered as shortfalls
from orders.settlement.rules import Hold
from orders.settlement.schemas.settlements import (
    AnswerIn,
    BalanceOut,
    DashboardOut,
    Format,
    HeldOut,
    LiftIn,
    LiftOut,
    LineOut,
    PeriodOut,
    ReasonIn,
    RunIn,
    RunOut,
    SettlementOut,
    SettlementRow,
    UncoveredOut,
)
from orders.settlement.states import SettlementStatus
from shop.core import exports, printing
from shop.core.exports import whole
from shop.core.paging import After, Limit, Page
from shop.core.quantities import AnyDay, Id
from shop.identity.access import Call, Routes
from shop.identity.permissions import Permission

routes = Routes("settlements", "/v1")
#: Lines of a statement that is printed: some hundred pages.
_MOST_PRINTED = 5_000
_AnyFormat = Annotated[str, Query(pattern="^(csv|xlsx)$")]


@routes.post("/settlements/run", Permission.MONEY_MANAGE)
def run(call: Call, body: RunIn) -> RunOut:
    """Settle a period that is over with every supplier. Asked again, it settles nothing twice."""
    period, run_id = running.run(call.session, call.actor, body.period_end)
    return statements.run(call.session, period, run_id)


@routes.get("/settlements", Permission.MONEY_READ, responses=exports.FILES, answer=Page[SettlementRow])
def settlements(
    call: Call,
    supplier_id: Id | None = None,
    status: Annotated[
        SettlementStatus | None, Query(description="open: the supplier has not answered, and something is still to be paid")
    ] = None,
    unpaid: Annotated[bool | None, Query(description="something is still to be paid, whatever the supplier said")] = None,
    period_end: AnyDay | None = None,
    format: Format = "json",
    limit: Limit = 50,
    after: After = None,
) -> Page[SettlementRow] | Response:
    """Settlements of the own branch, or of those whose money one keeps; newest first."""
    asked: dict[str, Any] = {"supplier_id": supplier_id, "status": status, "unpaid": unpaid, "period_end": period_end}
    if format == "json":
        return statements.settlements(call.session, call.actor, **asked, limit=limit, after=after)
    rows = whole(statements.settlements(call.session, call.actor, **asked, limit=exports.MAX_LINES), exports.MAX_LINES)
    return exports.file(
        format,
        "settlements",
        sheets.SETTLEMENTS_HEADER[call.language],
        sheets.settlement_cells(rows, call.language),
        sheets.TITLES["settlements"][call.language],
    )


@routes.get("/settlements/held", Permission.MONEY_READ, responses=exports.FILES, answer=Page[HeldOut])
def held(
    call: Call,
    supplier_id: Id | None = None,
    hold: Hold | None = None,
    format: Format = "json",
    limit: Limit = 50,
    after: After = None,
) -> Page[HeldOut] | Response:
    """What suppliers are owed by now and no settlement would take up today, each with the reason."""
    asked: dict[str, Any] = {"supplier_id": supplier_id, "hold": hold}
    if format == "json":
        return standing.held(call.session, call.actor, call.language, **asked, limit=limit, after=after)
    rows = whole(
        standing.held(call.session, call.actor, call.language, **asked, limit=exports.MAX_LINES, after=None), exports.MAX_LINES
    )
    return exports.file(
        format,
        "held",
        sheets.HELD_HEADER[call.language],
        sheets.held_cells(rows, call.language),
        sheets.TITLES["held"][call.language],
    )


@routes.get("/settlements/uncovered", Permission.MONEY_MANAGE, responses=exports.FILES, answer=Page[UncoveredOut])
def uncovered(
    call: Call, buyer_id: Id | None = None, format: Format = "json", limit: Limit = 50, after: After = None
) -> Page[UncoveredOut] | Response:
    """Orders that suppliers were settled with and whose buyer's payment was taken back since, with what is missing."""
    if format == "json":
        return shortfalls.uncovered(call.session, call.actor, buyer_id=buyer_id, limit=limit, after=after)
    rows = whole(
        shortfalls.uncovered(call.session, call.actor, buyer_id=buyer_id, limit=exports.MAX_LINES, after=None), exports.MAX_LINES
    )
    return exports.file(
        format,
        "uncovered",
        sheets.UNCOVERED_HEADER[call.language],
        sheets.uncovered_cells(rows),
        sheets.TITLES["uncovered"][call.language],
    )


@routes.get("/settlements/periods", Permission.MONEY_READ, responses=exports.FILES, answer=Page[PeriodOut])
def periods(call: Call, format: Format = "json", limit: Limit = 50, after: After = None) -> Page[PeriodOut] | Response:
    """What each period came to, newest first."""
    if format == "json":
        return statements.periods(call.session, call.actor, limit=limit, after=after)
    rows = whole(statements.periods(call.session, call.actor, limit=exports.MAX_LINES, after=None), exports.MAX_LINES)
    return exports.file(
        format,
        "periods",
        sheets.PERIODS_HEADER[call.language],
        sheets.period_cells(rows, call.language),
        sheets.TITLES["periods"][call.language],
    )


@routes.get("/settlements/balances", Permission.MONEY_READ, responses=exports.FILES, answer=Page[BalanceOut])
def balances(
    call: Call, supplier_id: Id | None = None, format: Format = "json", limit: Limit = 50, after: After = None
) -> Page[BalanceOut] | Response:
    """Where the money of each supplier stands."""
    if format == "json":
        return standing.balances(call.session, call.actor, supplier_id=supplier_id, limit=limit, after=after)
    rows = whole(
        standing.balances(call.session, call.actor, supplier_id=supplier_id, limit=exports.MAX_LINES, after=None), exports.MAX_LINES
    )
    return exports.file(
        format,
        "balances",
        sheets.BALANCES_HEADER[call.language],
        sheets.balance_cells(rows, call.language),
        sheets.TITLES["balances"][call.language],
    )


@routes.get("/settlements/mine", Permission.MONEY_READ)
def mine(call: Call) -> DashboardOut:
    """What the own organisation is owed: what comes next, what is held and why, what was settled and paid."""
    return standing.dashboard(call.session, call.actor, call.language)


@routes.get("/settlements/{settlement_id}", Permission.MONEY_READ)
def settlement(call: Call, settlement_id: Id) -> SettlementOut:
    return statements.settlement(call.session, call.actor, settlement_id)


@routes.get("/settlements/{settlement_id}/lines", Permission.MONEY_READ)
def lines(
    call: Call,
    settlement_id: Id,
    held: Annotated[bool | None, Query(description="true: what had to wait; false: what was taken up")] = None,
    limit: Limit = 50,
    after: After = None,
) -> Page[LineOut]:
    """Every line of the statement, and what had to wait when it was made, and why."""
    return statements.lines(call.session, call.actor, settlement_id, call.language, held=held, limit=limit, after=after)


@routes.get("/settlements/{settlement_id}/statement", Permission.MONEY_READ, responses=exports.FILES)
def statement(call: Call, settlement_id: Id, format: _AnyFormat = "xlsx") -> Response:
    """The statement as a spreadsheet: its number, period, supplier and sums above the lines, what is held on a second sheet. As CSV it is one
    table, with the reason in the last column of what is held."""
    head = statements.settlement(call.session, call.actor, settlement_id)
    rows = statements.all_lines(call.session, settlement_id, most=exports.MAX_LINES)
    if format == "xlsx":
        return exports.workbook(head.number, sheets.statement_sheets(head, rows, call.language))
    header = sheets.STATEMENT_HEADER[call.language]
    return exports.file(format, head.number, header, sheets.statement_cells(rows, call.language), head.number)


@routes.get("/settlements/{settlement_id}/statement.pdf", Permission.MONEY_READ, responses=printing.PDF_ANSWER)
def print_statement(call: Call, settlement_id: Id) -> Response:
    """The statement in Chinese, to be printed."""
    head = statements.settlement(call.session, call.actor, settlement_id)
    rows = statements.all_lines(call.session, settlement_id, most=_MOST_PRINTED)
    return printing.pdf_answer(statement_pdf(head, rows), f"{head.number}.pdf")


@routes.post("/settlements/{settlement_id}/confirm", Permission.SETTLEMENTS_ANSWER, status=200)
def confirm(call: Call, settlement_id: Id) -> SettlementOut:
    """The supplier agrees: it need not wait for the end of the days in which it may object."""
    answering.confirm(call.session, call.actor, settlement_id, if_match=call.if_match)
    return statements.settlement(call.session, call.actor, settlement_id)


@routes.post("/settlements/{settlement_id}/object", Permission.SETTLEMENTS_ANSWER, status=200)
def object_to_statement(call: Call, settlement_id: Id, body: ReasonIn) -> SettlementOut:
    """The supplier objects: nothing is paid of it before the answer."""
    answering.object_(call.session, call.actor, settlement_id, body.reason, if_match=call.if_match)
    return statements.settlement(call.session, call.actor, settlement_id)


@routes.post("/settlements/{settlement_id}/answer", Permission.MONEY_MANAGE, status=200)
def answer(call: Call, settlement_id: Id, body: AnswerIn) -> SettlementOut:
    """Answer an objection."""
    answering.answer(call.session, call.actor, settlement_id, body.answer, if_match=call.if_match)
    return statements.settlement(call.session, call.actor, settlement_id)


@routes.post("/supplier-orders/{supplier_order_id}/hold-lifts", Permission.MONEY_MANAGE)
def lift(call: Call, supplier_order_id: Id, body: LiftIn) -> LiftOut:
    """Have a part of an order settled though its supplier or certificate is stopped, or no invoice is there."""
    return statements.lift(call.session, answering.lift(call.session, call.actor, supplier_order_id, body))
