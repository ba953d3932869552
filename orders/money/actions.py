"""Booking what moves money, in the transaction of the event that moves it."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date

from sqlalchemy import text
from sqlmodel import Session

from orders.money.rules import REINSTATED, Account, Kind, Place, Posting, carry, is_balanced
from shop.core import clock
from shop.core.db import array

_BOOK = text(
    """
    WITH booked AS (
        INSERT INTO money_transaction (kind, origin_id, turn, booked_on, recorded_at) VALUES (:kind, :origin_id, :turn, :today, :now) RETURNING id
    )
    INSERT INTO money_posting (transaction_id, account, amount_fen, party_id, purchase_order_id, supplier_order_id)
    SELECT booked.id, p.account, p.amount_fen, p.party_id, p.purchase_order_id, p.supplier_order_id
    FROM booked CROSS JOIN unnest(CAST(:accounts AS text[]), CAST(:amounts AS bigint[]), CAST(:parties AS bigint[]), CAST(:orders AS bigint[]),
        CAST(:parts AS bigint[])) AS p (account, amount_fen, party_id, purchase_order_id, supplier_order_id)
    """
)
_BOOK_EACH = text(
    """
    WITH booked AS (
        INSERT INTO money_transaction (kind, origin_id, booked_on, recorded_at)
        SELECT :kind, cause.id, cause.day, :now FROM unnest(CAST(:origins AS bigint[]), CAST(:days AS date[])) AS cause (id, day) RETURNING id, origin_id
    )
    INSERT INTO money_posting (transaction_id, account, amount_fen, party_id, purchase_order_id, supplier_order_id)
    SELECT booked.id, p.account, p.amount_fen, p.party_id, p.purchase_order_id, p.supplier_order_id
    FROM unnest(CAST(:origins_of AS bigint[]), CAST(:accounts AS text[]), CAST(:amounts AS bigint[]), CAST(:parties AS bigint[]),
        CAST(:orders AS bigint[]), CAST(:parts AS bigint[]))
        AS p (origin_id, account, amount_fen, party_id, purchase_order_id, supplier_order_id) JOIN booked USING (origin_id)
    """
)
_TURN = text(
    """
    SELECT count(*) FROM money_transaction u JOIN money_transaction f ON f.id = u.origin_id
    WHERE u.kind = :reinstated AND f.kind = :kind AND f.origin_id = :origin_id
    """
)
_OWED = text(
    """
    SELECT coalesce(sum(amount_fen), 0)::bigint FROM money_posting
    WHERE account = 'receivable' AND purchase_order_id = :order_id AND party_id = :party_id
    """
)


def book(session: Session, kind: Kind, origin_id: int, postings: Iterable[Posting], *, turn: int = 0) -> None:
    """Book one transaction, today; postings of nothing are left out. ``origin_id``: what caused it; the same cause a second time is refused by
    the database, unless it is another turn of it (:func:`book_failure`).

    Raises:
        ValueError: there are none, they do not sum to zero, or one lacks its party: a fault of the program.
    """
    listed = [posting for posting in postings if posting.amount_fen]
    if not is_balanced(listed):
        raise ValueError(f"{kind} {origin_id}: the postings are no transaction")
    places = [posting.place for posting in listed]
    session.execute(
        _BOOK,
        {
            "kind": kind,
            "origin_id": origin_id,
            "turn": turn,
            **clock.present(),
            "accounts": [place.account for place in places],
            "amounts": array(posting.amount_fen for posting in listed),
            "parties": array(place.party_id for place in places),
            "orders": array(place.purchase_order_id for place in places),
            "parts": array(place.supplier_order_id for place in places),
        },
    )


def book_failure(session: Session, kind: Kind, origin_id: int, postings: Iterable[Posting]) -> None:
    """Book that something failed: once, and once more for each time that this was taken back. Raises as :func:`book`."""
    asked = {"reinstated": REINSTATED[kind], "kind": kind, "origin_id": origin_id}
    book(session, kind, origin_id, postings, turn=session.execute(_TURN, asked).scalar_one())


def book_each(
    session: Session, kind: Kind, transactions: Mapping[int, Sequence[Posting]], days: Mapping[int, date] | None = None
) -> None:
    """Book many transactions of one kind with one statement: the postings by what caused them, on the (Shanghai) day that this has in ``days``, else
    today. Raises as :func:`book`, and for a posting of nothing, too."""
    if not transactions:
        return
    if wrong := [origin_id for origin_id, postings in transactions.items() if not is_balanced(postings)]:
        raise ValueError(f"{kind} {wrong[:10]}: the postings are no transactions")
    listed = [(origin_id, posting) for origin_id, postings in transactions.items() for posting in postings]
    moment = clock.now()
    on, today = days or {}, clock.shanghai_date(moment)
    session.execute(
        _BOOK_EACH,
        {
            "kind": kind,
            "now": moment,
            "origins": array(transactions),
            "days": [on.get(origin_id, today) for origin_id in transactions],
            "origins_of": array(origin_id for origin_id, _ in listed),
            "accounts": [posting.place.account for _, posting in listed],
            "amounts": array(posting.amount_fen for _, posting in listed),
            "parties": array(posting.place.party_id for _, posting in listed),
            "orders": array(posting.place.purchase_order_id for _, posting in listed),
            "parts": array(posting.place.supplier_order_id for _, posting in listed),
        },
    )


def reassign(session: Session, purchase_order_id: int, *, from_id: int, to_id: int) -> None:
    """Have another buyer owe what is left of an order, and own what was paid for it, after its sales were booked anew."""
    left = session.execute(_OWED, {"order_id": purchase_order_id, "party_id": from_id}).scalar_one()
    if left:
        to, out_of = (Place(Account.RECEIVABLE, party, purchase_order_id) for party in (to_id, from_id))
        book(session, Kind.REASSIGNMENT, purchase_order_id, carry(left, to=to, out_of=out_of))
