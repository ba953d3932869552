"""The trial balance (科目余额表): what each account held before a period, what was booked on it, and what it held then."""

from datetime import date
from typing import Any

from sqlalchemy import Row, text
from sqlmodel import Session

from orders.money.queries import bank_before, day_of
from orders.money.queries.reach import Conditions
from orders.money.rules import Account, word
from orders.money.schemas import By, TrialBalanceOut, TrialOut, TrialRowOut
from shop.core import clock, paging
from shop.identity.actor import Actor

_ACCOUNTS = list(Account)
_SUMS = list(TrialOut.model_fields)


def trial_balance(
    session: Session,
    actor: Actor,
    language: str,
    *,
    first: date,
    last: date,
    by: By,
    account: Account | None = None,
    party_id: int | None = None,
    limit: int,
    after: str | None = None,
) -> TrialBalanceOut:
    """Every account within the caller's reach on which something stood or was booked, in the order of the accounts; both days included.

    Raises:
        DayAhead: the last day lies ahead (422).
    """
    last = day_of(last, "to") or clock.today()
    where = Conditions(actor).add("p.account = :account", account=account).add("p.party_id = :party_id", party_id=party_id)
    start = paging.position(after, int, int) or [0, -1]
    totals = ", ".join(f"coalesce(sum({name}) OVER (), 0)::bigint AS total_{name}" for name in _SUMS)
    rows = session.execute(
        text(
            f"""
            WITH told AS (
                SELECT array_position(CAST(:accounts AS text[]), p.account) AS place, p.account,
                       {"p.party_id" if by is By.PARTY else "CAST(NULL AS bigint)"} AS party_id,
                       coalesce(sum(p.amount_fen) FILTER (WHERE t.booked_on < :first), 0)::bigint AS opening, sum(p.amount_fen)::bigint AS closing,
                       coalesce(sum(p.amount_fen) FILTER (WHERE t.booked_on >= :first AND p.amount_fen > 0), 0)::bigint AS debit,
                       coalesce(-sum(p.amount_fen) FILTER (WHERE t.booked_on >= :first AND p.amount_fen < 0), 0)::bigint AS credit
                FROM money_posting p JOIN money_transaction t ON t.id = p.transaction_id
                WHERE {where} AND t.booked_on <= :last GROUP BY 1, 2, 3
            ), sided AS (
                SELECT place, account, party_id, greatest(opening, 0) AS opening_debit, greatest(-opening, 0) AS opening_credit, debit, credit,
                       greatest(closing, 0) AS closing_debit, greatest(-closing, 0) AS closing_credit
                FROM told WHERE opening <> 0 OR debit <> 0 OR credit <> 0
            ), listed AS (SELECT *, {totals} FROM sided)
            SELECT l.*, party.name AS party_name FROM listed l LEFT JOIN organisation party ON party.id = l.party_id
            WHERE (l.place, coalesce(l.party_id, 0)) > (:place, :party) ORDER BY l.place, coalesce(l.party_id, 0) LIMIT :rows
            """  # noqa: S608
        ),
        {
            **where.values,
            "accounts": _ACCOUNTS,
            "first": first,
            "last": last,
            "place": start[0],
            "party": start[1],
            "rows": limit + 1,
        },
    ).all()
    before = bank_before(session)

    def shown(row: Row[Any]) -> TrialRowOut:
        code = Account(row.account)
        return TrialRowOut(
            account=code,
            label=word(code, language),
            party_id=row.party_id,
            party_name=row.party_name,
            before_books=before if code is Account.BANK and row.party_id is None else None,
            **{name: getattr(row, name) for name in _SUMS},
        )

    page = paging.page(rows, limit, shown, lambda row: [row.place, row.party_id or 0])
    told = TrialOut(**{name: getattr(rows[0], f"total_{name}") if rows else 0 for name in _SUMS})
    return TrialBalanceOut(items=page.items, next=page.next, first=first, last=last, totals=told)
