"""Reading statements, and how the bank's balance and the books' agree."""

from datetime import date
from typing import Any

from sqlalchemy import text
from sqlmodel import Session

from orders.banking.actions.importing import own_account
from orders.banking.actions.reading import TOLD, Parsed
from orders.banking.layouts import LAYOUTS
from orders.banking.queries.facts import OUTSTANDING_THEN, STOOD
from orders.banking.schemas.statements import (
    AgeOut,
    BankStatementOut,
    EntryOut,
    LayoutOut,
    OutstandingOut,
    ProblemOut,
    ReconciliationStatementOut,
    StatementPreviewOut,
)
from orders.money import queries as money
from orders.money.queries.reach import keeps_all, require_keeper
from shop.core import clock, paging
from shop.core.errors import Language, NotFound
from shop.core.exports import MAX_LINES, TooManyLines
from shop.core.models import StoredFile
from shop.core.paging import Page
from shop.identity.actor import Actor

_STATEMENT = """
    SELECT s.*, s.opening_fen AS opening, s.closing_fen AS closing, s.balance_fen AS balance, u.name AS imported_by_name,
           (SELECT count(*) FROM bank_line l WHERE l.statement_id = s.id AND l.matched_fen < abs(l.amount_fen)) AS open_count,
           m.goes_on_at AS matching_goes_on_at,
           (SELECT count(*) FROM bank_line l WHERE l.statement_id = s.id AND l.id > m.after) AS matching_left
    FROM bank_statement s JOIN app_user u ON u.id = s.imported_by
    LEFT JOIN LATERAL (
        SELECT min((e.payload ->> 'after')::bigint) AS after, min(e.next_attempt_at) AS goes_on_at FROM outbox_event e
        WHERE e.done_at IS NULL AND e.parked_at IS NULL AND e.name = 'bank_statement.imported'
          AND (e.payload ->> 'bank_statement_id')::bigint = s.id
    ) m ON true
"""
_ONE = text(f"{_STATEMENT} WHERE s.id = :id")
_MANY = text(f"{_STATEMENT} WHERE (CAST(:start AS bigint) IS NULL OR s.id < :start) ORDER BY s.id DESC LIMIT :rows")
_LATEST = text("SELECT least(max(to_on), :as_of) FROM bank_statement WHERE account = :account AND from_on <= :as_of")
#: What the accounts held at the end of a day: by their last statements, less what lines show of later days.
_HELD = text(
    """
    SELECT coalesce(sum(balance_fen), 0)::bigint - (SELECT coalesce(sum(amount_fen), 0)::bigint FROM bank_line WHERE booked_on > :as_of)
    FROM (SELECT DISTINCT ON (account) balance_fen FROM bank_statement ORDER BY account, id DESC) s
    """
)
#: What lies between the bank and the books at the end of a day. What left and is said to have come back, neither of which a line has shown, is nothing
#: that lies between them. A line of that day which was booked later lacks in the books: before lines were booked on the bank's day that was so.
_OUTSTANDING = text(
    f"""
    SELECT o.*, sum(o.amount_fen) OVER ()::bigint AS total
    FROM (SELECT o.*, sum(o.amount_fen) OVER (PARTITION BY regexp_replace(o.kind, '^(payout|refund)_(paid|failed)$', '\\1'), o.origin_id) AS whole
          FROM ({OUTSTANDING_THEN} UNION ALL
                SELECT t.id, t.kind, t.origin_id, l.booked_on, -l.amount_fen, CAST(NULL AS bigint)
                FROM bank_line l JOIN money_transaction t ON t.kind = 'receipt' AND t.origin_id = l.id
                WHERE l.booked_on <= :as_of AND t.booked_on > :as_of) o) o
    WHERE o.whole <> 0 ORDER BY o.id LIMIT :rows
    """  # noqa: S608
)
_AGES = text(
    f"""
    WITH line AS (
        SELECT id FROM bank_line WHERE matched_fen < abs(amount_fen) UNION SELECT line_id FROM bank_match WHERE matched_at >= :until OR undone_at >= :until
    ), open AS (
        SELECT l.amount_fen, :as_of - l.booked_on AS days, abs(l.amount_fen) - coalesce(m.fen, 0) AS fen
        FROM line JOIN bank_line l USING (id)
        CROSS JOIN LATERAL (SELECT sum(m.amount_fen) AS fen FROM bank_match m WHERE m.line_id = l.id AND {STOOD}) m
        WHERE l.booked_on <= :as_of
    )
    SELECT CASE WHEN amount_fen > 0 THEN 'in' ELSE 'out' END AS direction,
           CASE WHEN days <= 7 THEN '0-7' WHEN days <= 30 THEN '8-30' WHEN days <= 90 THEN '31-90' ELSE '90+' END AS age,
           count(*) AS lines, sum(fen)::bigint AS open
    FROM open WHERE fen > 0 GROUP BY 1, 2 ORDER BY 1, min(days)
    """  # noqa: S608
)
_FILE = text("SELECT f.* FROM bank_statement s JOIN stored_file f ON f.id = s.file_id WHERE s.id = :id")
#: Lines of a preview, and movements between the balances, that are shown.
_SHOWN, _OUTSTANDING_SHOWN = 20, 200


def layouts(language: Language) -> list[LayoutOut]:
    """The layouts that are known."""
    made = []
    for layout in LAYOUTS.values():
        columns: dict[Any, list[str]] = {}
        for name, column in layout.roles.items():
            columns.setdefault(column, []).append(name)
        made.append(LayoutOut(code=layout.code, bank=layout.en if language == "en" else layout.zh, columns=columns))
    return made


def preview(parsed: Parsed, new_count: int, language: Language) -> StatementPreviewOut:
    """What would be imported, or why nothing can be."""
    entries = parsed.statement.entries if parsed.statement else ()
    problem = parsed.problem.told(language) if parsed.problem else None
    found = parsed.found
    return StatementPreviewOut(
        format=parsed.format,
        layout=found.layout if found else None,
        header_row=found.row + 1 if found else None,
        headers=parsed.headers,
        columns={column: [at + 1 for at in places] for column, places in found.columns.items()} if found else {},
        sample=parsed.sample,
        line_count=len(entries),
        new_count=new_count,
        reversal_rows=[entry.row_no for entry in entries if entry.reversal][:TOLD],
        came_in=sum(entry.amount_fen for entry in entries if entry.amount_fen > 0),
        went_out=-sum(entry.amount_fen for entry in entries if entry.amount_fen < 0),
        opening=parsed.opening_fen,
        closing=parsed.closing_fen,
        entries=[
            EntryOut(
                row_no=entry.row_no,
                booked_on=entry.booked_on,
                amount=entry.amount_fen,
                balance=entry.balance_fen,
                serial=entry.serial,
                payer_name=entry.name,
                payer_account=entry.account,
                text=entry.text,
                reversal=entry.reversal,
            )
            for entry in entries[:_SHOWN]
        ],
        problem=ProblemOut(code=problem["code"], message=problem["title"], errors=problem.get("errors", [])) if problem else None,
    )


def statement(session: Session, actor: Actor, statement_id: int) -> BankStatementOut:
    """One statement.

    Raises:
        NotFound: there is none, or the caller keeps the money of a district only (404).
    """
    row = session.execute(_ONE, {"id": statement_id}).first()
    if row is None or not keeps_all(actor):
        raise NotFound
    return _shown(row)


def statements(session: Session, actor: Actor, *, limit: int, after: str | None) -> Page[BankStatementOut]:
    """The statements that were imported, newest first. Raises Forbidden as :func:`require_keeper`."""
    require_keeper(actor)
    start = paging.position(after, int)
    rows = session.execute(_MANY, {"start": start[0] if start else None, "rows": limit + 1}).all()
    return paging.page(rows, limit, _shown, lambda row: [row.id])


def statement_file(session: Session, actor: Actor, statement_id: int) -> Any:
    """The file of a statement (:class:`StoredFile`). Raises NotFound as :func:`statement`."""
    row: StoredFile | Any = session.execute(_FILE, {"id": statement_id}).first()
    if row is None or not keeps_all(actor):
        raise NotFound
    return row


def reconciliation(
    session: Session, actor: Actor, as_of: date | None = None, *, most: int = _OUTSTANDING_SHOWN
) -> ReconciliationStatementOut:
    """The bank's balance beside that of the books at the end of a day, today's unless another is named, with so many of the movements between them.

    Raises:
        Forbidden: the caller keeps the money of a district only (403). NoAccount: none is set (409). DayAhead: the day lies ahead (422).
    """
    require_keeper(actor)
    account = own_account()
    day = money.day_of(as_of) or clock.today()
    then = {"as_of": day}
    outstanding = session.execute(_OUTSTANDING, {**then, "rows": most}).all()
    booked, before = money.balance(session, "bank", as_of=day), money.bank_before(session)
    held = session.execute(_HELD, then).scalar_one()
    total = outstanding[0].total if outstanding else 0
    found = session.execute(_AGES, {**then, "until": clock.end_of_day(day)})
    ages = [AgeOut.model_validate(row, from_attributes=True) for row in found]
    return ReconciliationStatementOut(
        account=account,
        as_of=day,
        statement_to=session.execute(_LATEST, {**then, "account": account}).scalar(),
        statement_balance=held,
        booked=booked,
        before_books=before,
        book_balance=booked + before,
        outstanding=[
            OutstandingOut(
                transaction_id=row.id,
                kind=row.kind,
                origin_id=row.origin_id,
                booked_on=row.booked_on,
                amount=row.amount_fen,
                purchase_order_id=row.purchase_order_id,
            )
            for row in outstanding
        ],
        outstanding_total=total,
        difference=booked + before - total - held,
        unmatched_in=sum(age.open for age in ages if age.direction == "in"),
        unmatched_out=sum(age.open for age in ages if age.direction == "out"),
        announced=money.balance(session, "announced", as_of=day),
        by_age=ages,
    )


def whole_reconciliation(session: Session, actor: Actor, as_of: date | None = None) -> ReconciliationStatementOut:
    """The same with every movement between them, for a file. Raises as :func:`reconciliation`.

    Raises:
        TooManyLines: there are more than a file holds (422).
    """
    found = reconciliation(session, actor, as_of, most=MAX_LINES + 1)
    if len(found.outstanding) > MAX_LINES:
        raise TooManyLines(limit=MAX_LINES)
    return found


def _shown(row: Any) -> BankStatementOut:
    return BankStatementOut(**{name: getattr(row, name) for name in BankStatementOut.model_fields})
