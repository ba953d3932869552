"""What is open: how old it is, by party, and what stands on clearing accounts.

Amounts that came off an account are taken off the oldest first, order by order (of suppliers, part by part), so that what was paid too much for
one order does not hide that another is overdue. What is booked on one day for one order counts together: a correction, which takes everything
back and books it anew, does not make an old debt young.
"""

from datetime import date
from typing import Any

from sqlalchemy import Row, text
from sqlmodel import Session

from orders.money.queries.reach import NAMES, Conditions
from orders.money.rules import CLEARING, Account, Kind, word
from orders.money.schemas import (
    AgeingOut,
    AgeOut,
    ClearingOut,
    ClearingPage,
    ClearingTotal,
    PartyAgeOut,
    Side,
)
from shop.core import clock, paging
from shop.identity.actor import Actor

#: By what an account's amounts are set off against each other, and the sign of what is open on it.
_SIDES: dict[Side, tuple[str, int]] = {"receivable": ("purchase_order_id", 1), "payable": ("supplier_order_id", -1)}
_BUCKETS = {"days_0_30": "<= 30", "days_31_60": "BETWEEN 31 AND 60", "days_61_90": "BETWEEN 61 AND 90", "days_over_90": "> 90"}
_SUMS = [*_BUCKETS, "open", "balance"]
#: After all days, for who has nothing open.
_NEVER = "date '9999-12-31'"


def ageing(
    session: Session,
    actor: Actor,
    *,
    side: Side,
    as_of: date,
    party_id: int | None = None,
    limit: int,
    after: str | None = None,
) -> AgeingOut:
    """How long buyers have owed, or suppliers been owed, what is open at the end of a day; by party, the oldest debt first."""
    item, sign = _SIDES[side]
    where = Conditions(actor).add("p.account = :account", account=side).add("p.party_id = :party_id", party_id=party_id)
    start = paging.position(after, str, int)
    sums = ", ".join(f"coalesce(sum({name}) OVER (), 0)::bigint AS total_{name}" for name in _SUMS)
    buckets = ", ".join(
        f"coalesce(sum(fen) FILTER (WHERE :as_of - booked_on {days}), 0)::bigint AS {name}" for name, days in _BUCKETS.items()
    )
    rows = session.execute(
        text(
            f"""
            WITH day AS (
                SELECT p.party_id, p.{item} AS item, t.booked_on, {sign} * sum(p.amount_fen) AS fen
                FROM money_posting p JOIN money_transaction t ON t.id = p.transaction_id
                WHERE {where} AND t.booked_on <= CAST(:as_of AS date) GROUP BY 1, 2, 3
            ), line AS (
                SELECT *, sum(greatest(fen, 0)) OVER (PARTITION BY party_id, item ORDER BY booked_on) AS came,
                       sum(greatest(-fen, 0)) OVER (PARTITION BY party_id, item) AS went
                FROM day
            ), party AS (
                SELECT party_id, {buckets}, coalesce(sum(fen), 0)::bigint AS open, sum(all_of)::bigint AS balance,
                       min(booked_on) FILTER (WHERE fen > 0) AS oldest_on
                FROM (SELECT party_id, booked_on, fen AS all_of, least(greatest(fen, 0), greatest(came - went, 0)) AS fen FROM line) l
                GROUP BY 1
            ), listed AS (
                SELECT *, coalesce(oldest_on, {_NEVER}) AS place, {sums} FROM party WHERE open <> 0 OR balance <> 0
            )
            SELECT l.*, o.name AS party_name FROM listed l JOIN organisation o ON o.id = l.party_id
            WHERE (place, party_id) > (CAST(:start_day AS date), CAST(:start_id AS bigint)) ORDER BY place, party_id LIMIT :rows
            """  # noqa: S608
        ),
        {
            **where.values,
            "as_of": as_of,
            "start_day": paging.day(start[0]) if start else date.min,
            "start_id": start[1] if start else 0,
            "rows": limit + 1,
        },
    ).all()

    def shown(row: Row[Any]) -> PartyAgeOut:
        fields = {name: getattr(row, name) for name in PartyAgeOut.model_fields if name != "credit"}
        return PartyAgeOut(**fields, credit=row.open - row.balance)

    page = paging.page(rows, limit, shown, lambda row: [row.place, row.party_id])
    totals = {name: getattr(rows[0], f"total_{name}") if rows else 0 for name in _SUMS}
    return AgeingOut(
        items=page.items,
        next=page.next,
        side=side,
        as_of=as_of,
        totals=AgeOut(**totals, credit=totals["open"] - totals["balance"]),
    )


#: SQL: what came in and nobody knows yet for what, with what is open of it (fen; below zero it went out): lines of the bank and of the provider.
UNEXPLAINED = """
    SELECT 'receipt' AS kind, id AS origin_id, sign(amount_fen) * (abs(amount_fen) - matched_fen) AS fen,
           coalesce(nullif(serial, ''), 'BL' || id) AS reference
    FROM bank_line WHERE matched_fen < abs(amount_fen)
    UNION ALL SELECT 'online_found', id, amount_fen, entry_id FROM provider_entry WHERE unexplained
"""
#: What is on its way to suppliers is theirs, not an order's. What came in and nobody knows yet for what is shown by the lines of the bank that are
#: not matched, each by what is open of it, and of the provider's statement; what is announced by the payments that no line has shown: they name what is
#: open, not what came first.
_OPEN = f"""
    WITH held AS (
        SELECT *, sign(sum(amount_fen) OVER place)::int AS sign
        FROM (SELECT p.*, CASE WHEN p.account <> 'payouts' THEN p.purchase_order_id END AS item
              FROM money_posting p WHERE p.account = ANY (CAST(:accounts AS text[])) AND p.account NOT IN ('unallocated', 'announced') AND {{where}}) p
        WINDOW place AS (PARTITION BY account, party_id, item)
    ), line AS (
        SELECT h.*, t.kind, t.origin_id, t.booked_on, h.sign * h.amount_fen AS fen,
               sum(greatest(h.sign * h.amount_fen, 0)) OVER (PARTITION BY h.account, h.party_id, h.item ORDER BY t.booked_on, h.id) AS came,
               sum(greatest(-h.sign * h.amount_fen, 0)) OVER (PARTITION BY h.account, h.party_id, h.item) AS went
        FROM held h JOIN money_transaction t ON t.id = h.transaction_id WHERE h.sign <> 0
    ), each_open AS (
        SELECT 'unallocated' AS account, kind, origin_id, -fen AS fen, reference FROM ({UNEXPLAINED}) u
        UNION ALL SELECT 'announced', 'payment', id, amount_fen, bank_reference FROM payment
        WHERE source = 'announced' AND undone_at IS NULL AND shown_at IS NULL
    ), open AS (
        SELECT id, account, party_id, purchase_order_id, transaction_id, kind, origin_id, booked_on,
               (sign * least(greatest(fen, 0), greatest(came - went, 0)))::bigint AS amount, true AS explained,
               CASE WHEN kind = 'payment' THEN (SELECT bank_reference FROM payment WHERE id = origin_id)
                    WHEN kind = 'refund' THEN (SELECT number FROM refund WHERE id = origin_id) END AS reference
        FROM line WHERE fen > 0 AND came > went
        UNION ALL
        SELECT p.id, p.account, p.party_id, p.purchase_order_id, p.transaction_id, u.kind, u.origin_id, t.booked_on, u.fen::bigint,
               u.account = 'announced', u.reference
        FROM each_open u JOIN money_transaction t ON t.kind = u.kind AND t.origin_id = u.origin_id
        JOIN money_posting p ON p.transaction_id = t.id AND p.account = u.account
        WHERE u.account = ANY (CAST(:accounts AS text[])) AND {{where}}
    )
"""  # noqa: S608


def clearing(
    session: Session,
    actor: Actor,
    language: str,
    *,
    account: Account | None = None,
    explained: bool | None = None,
    limit: int,
    after: str | None = None,
) -> ClearingPage:
    """What stands on clearing accounts, since when and for what: first what somebody has to explain, then what runs its course; of each the oldest
    first. What left an account is taken off what came first to it. ``totals`` leave out ``explained``."""
    where = Conditions(actor)
    opened = _OPEN.format(where=where)
    start = paging.position(after, int, str, int)
    values = {**where.values, "accounts": sorted(CLEARING if account is None else CLEARING & {account})}
    totals = session.execute(
        text(
            f"""
            {opened}
            SELECT account, sum(amount)::bigint AS balance, count(*) AS items FROM open GROUP BY 1 ORDER BY 1
            """  # noqa: S608
        ),
        values,
    ).all()
    rows = session.execute(
        text(
            f"""
            {opened}
            SELECT p.*, p.explained::int AS place, party.name AS party_name, po.number AS purchase_order_number
            FROM open p {NAMES}
            WHERE (CAST(:explained AS boolean) IS NULL OR p.explained = :explained)
                AND (p.explained::int, p.booked_on, p.id) > (CAST(:start_place AS bigint), CAST(:start_day AS date), CAST(:start_id AS bigint))
            ORDER BY p.explained, p.booked_on, p.id LIMIT :rows
            """  # noqa: S608
        ),
        {
            **values,
            "explained": explained,
            "start_place": start[0] if start else 0,
            "start_day": paging.day(start[1]) if start else date.min,
            "start_id": start[2] if start else 0,
            "rows": limit + 1,
        },
    ).all()
    today = clock.today()

    def shown(row: Row[Any]) -> ClearingOut:
        return ClearingOut(
            posting_id=row.id,
            account=Account(row.account),
            label=word(Account(row.account), language),
            amount=row.amount,
            since=row.booked_on,
            days=(today - row.booked_on).days,
            kind=Kind(row.kind),
            kind_label=word(Kind(row.kind), language),
            **{name: getattr(row, name) for name in _COPIED},
        )

    page = paging.page(rows, limit, shown, lambda row: [row.place, row.booked_on, row.id])
    told = [
        ClearingTotal(
            account=Account(row.account), label=word(Account(row.account), language), balance=row.balance, items=row.items
        )
        for row in totals
    ]
    return ClearingPage(items=page.items, next=page.next, totals=told)


_COPIED = (
    "party_id",
    "party_name",
    "purchase_order_id",
    "purchase_order_number",
    "transaction_id",
    "explained",
    "origin_id",
    "reference",
)
