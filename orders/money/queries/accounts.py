"""Balances of accounts, their statements, and single transactions."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Row, text
from sqlmodel import Session

from orders.money.queries import THEN, bank_before, day_of
from orders.money.queries.reach import NAMES, Conditions
from orders.money.rules import CLEARING, Account, Kind, word
from orders.money.schemas import BalanceOut, By, EntriesOut, EntryOut, PostingOut, TransactionOut
from shop.core import paging
from shop.core.errors import NotFound
from shop.core.paging import Page
from shop.identity.actor import Actor

_ACCOUNTS = list(Account)


def balances(
    session: Session,
    actor: Actor,
    language: str,
    *,
    by: By,
    account: Account | None = None,
    party_id: int | None = None,
    as_of: date | None = None,
    limit: int,
    after: str | None = None,
) -> Page[BalanceOut]:
    """What stands on the accounts within the caller's reach, now or at the end of a day, in the order of the accounts; those that are even are left out.

    Raises:
        DayAhead: the day lies ahead (422).
    """
    where = (
        Conditions(actor)
        .add("p.account = :account", account=account)
        .add("p.party_id = :party_id", party_id=party_id)
        .add(THEN, as_of=day_of(as_of))
    )
    start = paging.position(after, int, int) or [0, -1]
    rows = session.execute(
        text(
            f"""
            SELECT b.*, party.name AS party_name
            FROM (SELECT array_position(CAST(:accounts AS text[]), p.account) AS place, p.account,
                         {"p.party_id" if by is By.PARTY else "CAST(NULL AS bigint)"} AS party_id, sum(p.amount_fen)::bigint AS balance
                  FROM money_posting p WHERE {where} GROUP BY 1, 2, 3 HAVING sum(p.amount_fen) <> 0) b
            LEFT JOIN organisation party ON party.id = b.party_id
            WHERE (b.place, coalesce(b.party_id, 0)) > (:place, :party) ORDER BY b.place, coalesce(b.party_id, 0) LIMIT :rows
            """  # noqa: S608
        ),
        {**where.values, "accounts": _ACCOUNTS, "place": start[0], "party": start[1], "rows": limit + 1},
    ).all()
    before = bank_before(session)

    def shown(row: Row[Any]) -> BalanceOut:
        code = Account(row.account)
        return BalanceOut(
            before_books=before if code is Account.BANK and row.party_id is None else None,
            account=code,
            label=word(code, language),
            clearing=code in CLEARING,
            party_id=row.party_id,
            party_name=row.party_name,
            balance=row.balance,
        )

    return paging.page(rows, limit, shown, lambda row: [row.place, row.party_id or 0])


@dataclass(frozen=True, slots=True)
class Statement:
    """Which lines of an account are asked for; the days are included."""

    account: Account
    party_id: int | None = None
    purchase_order_id: int | None = None
    supplier_order_id: int | None = None
    kind: Kind | None = None
    first: date | None = None
    last: date | None = None


_CHOSEN = "t.booked_on BETWEEN :first AND :last AND (CAST(:kind AS text) IS NULL OR t.kind = :kind)"


def entries(session: Session, actor: Actor, language: str, asked: Statement, *, limit: int, after: str | None = None) -> EntriesOut:
    """The statement of an account, oldest first. Its balances are those of the account, of the party and of the order that were asked for; days
    and kinds only choose what is shown."""
    where = (
        Conditions(actor)
        .add("p.account = :account", account=asked.account)
        .add("p.party_id = :party_id", party_id=asked.party_id)
        .add("p.purchase_order_id = :purchase_order_id", purchase_order_id=asked.purchase_order_id)
        .add("p.supplier_order_id = :supplier_order_id", supplier_order_id=asked.supplier_order_id)
    )
    start = paging.position(after, str, int)
    values = {
        **where.values,
        "kind": asked.kind,
        "first": asked.first or date.min,
        "last": asked.last or date.max,
        "start_day": paging.day(start[0]) if start else date.min,
        "start_id": start[1] if start else 0,
    }
    rows = session.execute(
        text(
            f"""
            WITH line AS (
                SELECT p.*, t.kind, t.booked_on, t.recorded_at, sum(p.amount_fen) OVER (ORDER BY t.booked_on, p.id)::bigint AS balance
                FROM money_posting p JOIN money_transaction t ON t.id = p.transaction_id WHERE {where}
            )
            SELECT p.*, p.amount_fen AS amount, party.name AS party_name, po.number AS purchase_order_number
            FROM (SELECT * FROM line WHERE booked_on BETWEEN :first AND :last AND (CAST(:kind AS text) IS NULL OR kind = :kind)
                  AND (booked_on, id) > (CAST(:start_day AS date), CAST(:start_id AS bigint)) ORDER BY booked_on, id LIMIT :rows) p {NAMES}
            ORDER BY p.booked_on, p.id
            """  # noqa: S608
        ),
        {**values, "rows": limit + 1},
    ).all()
    sums = session.execute(
        text(
            f"""
            SELECT coalesce(sum(p.amount_fen) FILTER (WHERE t.booked_on < :first), 0)::bigint AS opening,
                   coalesce(sum(p.amount_fen) FILTER (WHERE t.booked_on <= :last), 0)::bigint AS closing,
                   coalesce(sum(p.amount_fen) FILTER (WHERE p.amount_fen > 0 AND {_CHOSEN}), 0)::bigint AS debit,
                   coalesce(-sum(p.amount_fen) FILTER (WHERE p.amount_fen < 0 AND {_CHOSEN}), 0)::bigint AS credit
            FROM money_posting p JOIN money_transaction t ON t.id = p.transaction_id WHERE {where}
            """  # noqa: S608
        ),
        values,
    ).one()

    def shown(row: Row[Any]) -> EntryOut:
        return EntryOut(
            **_posting(row, language),
            transaction_id=row.transaction_id,
            kind=Kind(row.kind),
            kind_label=word(Kind(row.kind), language),
            booked_on=row.booked_on,
            recorded_at=row.recorded_at,
            balance=row.balance,
        )

    page = paging.page(rows, limit, shown, lambda row: [row.booked_on, row.id])
    return EntriesOut(items=page.items, next=page.next, **sums._mapping)


def transaction(session: Session, actor: Actor, language: str, transaction_id: int) -> TransactionOut:
    """One transaction with those of its postings that are within the caller's reach.

    Raises:
        NotFound: there is none, or none of its postings is (404).
    """
    where = Conditions(actor).add("p.transaction_id = :transaction_id", transaction_id=transaction_id)
    rows: Sequence[Row[Any]] = session.execute(
        text(
            f"""
            SELECT p.*, p.amount_fen AS amount, party.name AS party_name, po.number AS purchase_order_number, t.kind, t.origin_id, t.booked_on,
                   t.recorded_at
            FROM money_posting p JOIN money_transaction t ON t.id = p.transaction_id {NAMES} WHERE {where} ORDER BY p.id
            """  # noqa: S608
        ),
        where.values,
    ).all()
    if not rows:
        raise NotFound
    first, kind = rows[0], Kind(rows[0].kind)
    return TransactionOut(
        id=transaction_id,
        kind=kind,
        label=word(kind, language),
        origin_id=first.origin_id,
        booked_on=first.booked_on,
        recorded_at=first.recorded_at,
        postings=[PostingOut(**_posting(row, language)) for row in rows],
    )


_COPIED = [name for name in PostingOut.model_fields if name not in ("account", "label")]


def _posting(row: Row[Any], language: str) -> dict[str, Any]:
    account = Account(row.account)
    return {**{name: getattr(row, name) for name in _COPIED}, "account": account, "label": word(account, language)}
