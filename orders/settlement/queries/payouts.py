"""Reading payouts, lists for the bank, bank accounts and advances, each within the caller's reach."""

# ruff: noqa: S608  statements are put together from constants only

from collections.abc import Sequence
from typing import Any, TypeVar

from pydantic import BaseModel
from sqlalchemy import Row, text
from sqlmodel import Session

from orders.agreements.states import state_sql
from orders.money.names import plain_name
from orders.money.queries.reach import keeps, reach
from orders.settlement.actions.accounts import IN_USE_OF, number_of
from orders.settlement.queries.ahead import AHEAD
from orders.settlement.queries.reach import IN_REACH
from orders.settlement.schemas.payouts import (
    AccountOut,
    AdvanceAgreementOut,
    AdvanceOut,
    AttemptOut,
    PayoutFileOut,
    PayoutOut,
    PayoutRow,
)
from orders.settlement.states import (
    AccountStatus,
    AdvanceMove,
    AdvanceStatus,
    PayoutFileStatus,
    PayoutMove,
    PayoutStatus,
    SettlementStatus,
    advance_moves,
    may_object,
    payout_file_moves,
    payout_moves,
)
from shop.core import clock, paging
from shop.core.errors import NotFound
from shop.core.paging import Page
from shop.identity.actor import Actor
from shop.identity.permissions import Permission

Shape = TypeVar("Shape", bound=BaseModel)

_PAYOUT = f"""
    SELECT p.*, p.amount_fen AS amount, p.returned_fen AS returned, s.number AS settlement_number, s.period_end,
           s.status AS settlement_status, s.objections_until, o.name AS supplier_name, o.region_code,
           drafted.name AS drafted_by_name, approved.name AS approved_by_name, released.name AS released_by_name,
           (SELECT max(a.released_at) FROM payout_attempt a WHERE a.payout_id = p.id AND p.released_by IS NOT NULL) AS released_at
    FROM payout p JOIN settlement s ON s.id = p.settlement_id JOIN organisation o ON o.id = p.supplier_id
    LEFT JOIN app_user drafted ON drafted.id = p.drafted_by LEFT JOIN app_user approved ON approved.id = p.approved_by
    LEFT JOIN app_user released ON released.id = p.released_by WHERE {IN_REACH}
"""
_ONE = text(f"{_PAYOUT} AND p.id = :id")
_FAILURE = text(
    "SELECT f.id FROM failure_report f JOIN payout_attempt a ON a.id = f.attempt_id"
    " WHERE a.payout_id = :id AND a.outcome IS DISTINCT FROM 'failed' AND f.status = 'requested'"
)
_MANY = text(
    f"""{_PAYOUT} AND (CAST(:supplier_id AS bigint) IS NULL OR p.supplier_id = :supplier_id)
    AND (CAST(:status AS text) IS NULL OR p.status = :status) AND (CAST(:method AS text) IS NULL OR p.method = :method)
    AND (CAST(:start AS bigint) IS NULL OR p.id < :start) ORDER BY p.id DESC LIMIT :rows"""
)
_ATTEMPTS = text(
    """
    SELECT a.*, c.tail AS account_tail, f.number AS file_number, u.name AS released_by_name
    FROM payout_attempt a JOIN app_user u ON u.id = a.released_by LEFT JOIN payout_account c ON c.id = a.account_id
    LEFT JOIN payout_file_line l ON l.attempt_id = a.id AND NOT l.void LEFT JOIN payout_file f ON f.id = l.payout_file_id
    WHERE a.payout_id = :id ORDER BY a.id
    """
)
#: SQL: whether list ``f`` still has release ``a`` paid: not once it failed, as another release pays it then; nor once it was paid, unless that was after
#: the list was handed over, or nobody knows when it was. A void one is told as it was.
_IN_CONTENT = """
    (f.status = 'void' OR a.outcome IS NULL OR a.outcome = 'paid' AND f.status = 'sent' AND (f.sent_at IS NULL OR a.ended_at >= f.sent_at))
"""
# a list may hold payouts of regions that the reader does not see
_FILES = f"""
    SELECT f.*, f.amount_fen AS amount, made.name AS made_by_name, sent.name AS sent_by_name, voided.name AS voided_by_name,
           content.count AS content_count, content.amount AS content_amount,
           NOT EXISTS (SELECT FROM payout_file_line l JOIN payout_attempt a ON a.id = l.attempt_id
                       WHERE l.payout_file_id = f.id AND a.outcome IS DISTINCT FROM 'failed') AS dead
    FROM payout_file f JOIN app_user made ON made.id = f.made_by LEFT JOIN app_user sent ON sent.id = f.sent_by
    LEFT JOIN app_user voided ON voided.id = f.voided_by CROSS JOIN LATERAL (
        SELECT count(*) AS count, coalesce(sum(p.amount_fen), 0)::bigint AS amount
        FROM payout_file_line l JOIN payout_attempt a ON a.id = l.attempt_id JOIN payout p ON p.id = a.payout_id
        WHERE l.payout_file_id = f.id AND {_IN_CONTENT}) content WHERE NOT EXISTS (
        SELECT FROM payout_file_line l JOIN payout_attempt a ON a.id = l.attempt_id JOIN payout p ON p.id = a.payout_id
        JOIN organisation o ON o.id = p.supplier_id WHERE l.payout_file_id = f.id AND {IN_REACH} IS NOT TRUE)
"""
_FILE = text(f"{_FILES} AND f.id = :id")
_FILES_PAGE = text(
    f"{_FILES} AND (CAST(:status AS text) IS NULL OR f.status = :status) AND (CAST(:start AS bigint) IS NULL OR f.id < :start)"
    " ORDER BY f.id DESC LIMIT :rows"
)
_FILE_ROWS = text(
    f"""
    SELECT c.holder, c.bank, c.sealed_number, p.amount_fen, s.number AS settlement_number, a.id AS attempt_id
    FROM payout_file f JOIN payout_file_line l ON l.payout_file_id = f.id JOIN payout_attempt a ON a.id = l.attempt_id
    JOIN payout p ON p.id = a.payout_id JOIN settlement s ON s.id = p.settlement_id JOIN payout_account c ON c.id = a.account_id
    WHERE f.id = :id AND {_IN_CONTENT} ORDER BY a.id
    """
)
_ACCOUNT = f"""
    SELECT a.*, o.name AS supplier_name, o.region_code, asked.name AS requested_by_name, decided.name AS decided_by_name,
           a.id = {IN_USE_OF.format(supplier="a.supplier_id")} AS in_use
    FROM payout_account a JOIN organisation o ON o.id = a.supplier_id JOIN app_user asked ON asked.id = a.requested_by
    LEFT JOIN app_user decided ON decided.id = a.decided_by WHERE {IN_REACH}
"""
_ACCOUNT_ONE = text(f"{_ACCOUNT} AND a.id = :id")
_ACCOUNTS = text(
    f"""{_ACCOUNT} AND (CAST(:supplier_id AS bigint) IS NULL OR a.supplier_id = :supplier_id)
    AND (CAST(:status AS text) IS NULL OR a.status = :status) AND (CAST(:start AS bigint) IS NULL OR a.id < :start)
    ORDER BY a.id DESC LIMIT :rows"""
)
_ADVANCE = f"""
    SELECT v.*, v.amount_fen AS amount, v.returned_fen AS returned, v.return_fen AS return_amount, g.number AS agreement_number,
           o.name AS supplier_name, o.region_code,
           asked.name AS requested_by_name, approved.name AS approved_by_name, returned.name AS return_asked_by_name,
           confirmed.name AS return_confirmed_by_name
    FROM advance v JOIN agreement g ON g.id = v.agreement_id JOIN organisation o ON o.id = v.supplier_id
    JOIN app_user asked ON asked.id = v.requested_by LEFT JOIN app_user approved ON approved.id = v.approved_by
    LEFT JOIN app_user returned ON returned.id = v.return_asked_by LEFT JOIN app_user confirmed ON confirmed.id = v.return_confirmed_by
    WHERE {IN_REACH}
"""
_ADVANCE_ONE = text(f"{_ADVANCE} AND v.id = :id")
_ADVANCES = text(
    f"""{_ADVANCE} AND (CAST(:supplier_id AS bigint) IS NULL OR v.supplier_id = :supplier_id)
    AND (CAST(:status AS text) IS NULL OR v.status = :status) AND (CAST(:start AS bigint) IS NULL OR v.id < :start)
    ORDER BY v.id DESC LIMIT :rows"""
)

#: Whom money can be paid ahead to: the reach is that of asking for it.
_AGREEMENTS = text(
    f"""
    SELECT * FROM (
        SELECT g.*, {state_sql("g")} AS state, o.name AS supplier_name, buyer.name AS buyer_name,
               {AHEAD.format(agreement="g.id")} AS advances
        FROM agreement g JOIN organisation o ON o.id = g.supplier_id JOIN organisation buyer ON buyer.id = g.buyer_id
        WHERE o.region_code LIKE ANY (CAST(:regions AS text[]))
    ) g WHERE g.state IN ('active', 'upcoming') AND (CAST(:supplier_id AS bigint) IS NULL OR g.supplier_id = :supplier_id)
      AND (CAST(:q AS text) IS NULL OR strpos(lower(concat_ws(' ', g.number, g.title, g.supplier_name, g.buyer_name)), lower(:q)) > 0)
      AND (CAST(:start AS bigint) IS NULL OR g.id < :start) ORDER BY g.id DESC LIMIT :rows
    """
)


def payout(session: Session, actor: Actor, payout_id: int) -> PayoutOut:
    """One payout with all its releases.

    Raises:
        NotFound: there is none within reach (404).
    """
    row = _found(session, _ONE, actor, payout_id)
    attempts = [_as(AttemptOut, each) for each in session.execute(_ATTEMPTS, {"id": payout_id})]
    mine = payout_moves_of(actor, row)
    moves = payout_moves(
        row.status,
        row.method,
        objected=row.settlement_status == SettlementStatus.OBJECTED,
        early=may_object(row.settlement_status, row.objections_until, clock.today()),
    )
    return PayoutOut(
        **_as(PayoutRow, row).model_dump(),
        attempts=attempts,
        failure_report_id=session.execute(_FAILURE, {"id": payout_id}).scalar(),
        possible_actions=[move for move in moves if move in mine],
    )


def payout_moves_of(actor: Actor, row: Any) -> set[PayoutMove]:
    """What the actor may do with a payout at all, as who keeps the supplier's money; whoever drafted or approved it releases it not."""
    if not keeps(actor, row.region_code):
        return set()
    return set(PayoutMove) - ({PayoutMove.RELEASE} if actor.user_id in (row.approved_by, row.drafted_by) else set())


def payouts(
    session: Session,
    actor: Actor,
    *,
    supplier_id: int | None,
    status: PayoutStatus | None,
    method: str | None,
    limit: int,
    after: str | None,
) -> Page[PayoutRow]:
    """Payouts to the caller's branch, or to those whose money it keeps; newest first."""
    values = {"supplier_id": supplier_id, "status": status, "method": method}
    rows = _page(session, _MANY, actor, values, limit, after)
    return paging.page(rows, limit, lambda row: _as(PayoutRow, row), lambda row: [row.id])


def payout_file(session: Session, actor: Actor, file_id: int) -> PayoutFileOut:
    """One list for the bank.

    Raises:
        NotFound: there is none of which the caller sees every payout (404).
    """
    return _file(_found(session, _FILE, actor, file_id), actor)


def payout_files(
    session: Session, actor: Actor, *, status: PayoutFileStatus | None, limit: int, after: str | None
) -> Page[PayoutFileOut]:
    """Lists for the bank of which the caller sees every payout; newest first."""
    rows = _page(session, _FILES_PAGE, actor, {"status": status}, limit, after)
    return paging.page(rows, limit, lambda row: _file(row, actor), lambda row: [row.id])


def file_rows(session: Session, file_id: int) -> Sequence[Row[Any]]:
    """What the bank is to pay of a list that the caller was seen to reach."""
    return session.execute(_FILE_ROWS, {"id": file_id}).all()


def account(session: Session, actor: Actor, account_id: int) -> AccountOut:
    """One bank account, or asked-for change of one; who decides about it sees the whole number.

    Raises:
        NotFound: there is none within reach (404).
    """
    row = _found(session, _ACCOUNT_ONE, actor, account_id)
    return _account(row, whole=actor.covers_region(Permission.MONEY_MANAGE, row.region_code))


def accounts(
    session: Session, actor: Actor, *, supplier_id: int | None, status: AccountStatus | None, limit: int, after: str | None
) -> Page[AccountOut]:
    """Bank accounts of the caller's branch, or of those whose money it keeps; newest first."""
    rows = _page(session, _ACCOUNTS, actor, {"supplier_id": supplier_id, "status": status}, limit, after)
    return paging.page(rows, limit, lambda row: _account(row, whole=False), lambda row: [row.id])


def advance(session: Session, actor: Actor, advance_id: int) -> AdvanceOut:
    """One advance.

    Raises:
        NotFound: there is none within reach (404).
    """
    return _advance(_found(session, _ADVANCE_ONE, actor, advance_id), actor)


def advances(
    session: Session, actor: Actor, *, supplier_id: int | None, status: AdvanceStatus | None, limit: int, after: str | None
) -> Page[AdvanceOut]:
    """Advances to the caller's branch, or to those whose money it keeps; newest first."""
    rows = _page(session, _ADVANCES, actor, {"supplier_id": supplier_id, "status": status}, limit, after)
    return paging.page(rows, limit, lambda row: _advance(row, actor), lambda row: [row.id])


def agreements(
    session: Session, actor: Actor, *, supplier_id: int | None, q: str | None, limit: int, after: str | None
) -> Page[AdvanceAgreementOut]:
    """Signed agreements in force, or soon, of suppliers whose money the caller keeps; newest first."""
    start = paging.position(after, int)
    regions = actor.region_patterns(Permission.MONEY_MANAGE)
    values = {"supplier_id": supplier_id, "q": q, "regions": regions, "today": clock.today()}
    rows = session.execute(_AGREEMENTS, {**values, "start": start[0] if start else None, "rows": limit + 1}).all()
    return paging.page(rows, limit, lambda row: _as(AdvanceAgreementOut, row), lambda row: [row.id])


def _found(session: Session, statement: Any, actor: Actor, the_id: int) -> Row[Any]:
    row = session.execute(statement, {"id": the_id, "today": clock.today(), **reach(actor)}).first()
    if row is None:
        raise NotFound
    return row


def _page(
    session: Session, statement: Any, actor: Actor, values: dict[str, Any], limit: int, after: str | None
) -> Sequence[Row[Any]]:
    start = paging.position(after, int)
    values = {**values, "start": start[0] if start else None, "rows": limit + 1, "today": clock.today()}
    return session.execute(statement, {**values, **reach(actor)}).all()


def _as(shape: type[Shape], row: Row[Any]) -> Shape:
    return shape(**{name: getattr(row, name) for name in shape.model_fields})


def _account(row: Row[Any], *, whole: bool) -> AccountOut:
    fields = {
        name: getattr(row, name) for name in AccountOut.model_fields if name not in ("number", "in_use", "holder_is_supplier")
    }
    return AccountOut(
        **fields,
        in_use=bool(row.in_use),
        holder_is_supplier=plain_name(row.holder) == plain_name(row.supplier_name),
        number=number_of(row) if whole else f"****{row.tail}",
    )


def _file(row: Row[Any], actor: Actor) -> PayoutFileOut:
    return _with_moves(PayoutFileOut, row, payout_file_moves(row.status, own=row.made_by == actor.user_id, dead=row.dead))


def _advance(row: Row[Any], actor: Actor) -> AdvanceOut:
    mine = advance_moves_of(actor, row)
    return _with_moves(AdvanceOut, row, [move for move in advance_moves(row.status) if move in mine])


def advance_moves_of(actor: Actor, row: Any) -> set[AdvanceMove]:
    """What the actor may do with an advance at all, as who keeps the supplier's money; what somebody asked for or said another person confirms."""
    if not keeps(actor, row.region_code):
        return set()
    own = {AdvanceMove.APPROVE: row.requested_by, AdvanceMove.CONFIRM_RETURN: row.return_asked_by}
    return {move for move in AdvanceMove if move not in own or own[move] != actor.user_id}


def _with_moves(shape: type[Shape], row: Row[Any], moves: Sequence[Any]) -> Shape:
    fields = {name: getattr(row, name) for name in shape.model_fields if name != "possible_actions"}
    return shape(**fields, possible_actions=moves)
