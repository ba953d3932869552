"""Making matches: a line is explained, what it shows is paid or shown, and the books follow. Lines, lists, orders, payouts and refunds are locked.

How much of a line is explained is one conditional UPDATE with a CHECK behind it, so of two persons who match the same money at once one finds it
taken.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from sqlalchemy import text
from sqlmodel import Session

from orders.banking.actions import carrying_out
from orders.banking.errors import AnnouncedTaken, LineTaken
from orders.banking.known import Line, Listed, Proposal
from orders.banking.reasons import Reason
from orders.banking.rules import BankEntryKind, MatchKind
from orders.money import actions as money
from orders.money.rules import Account, Kind, Place, Posting, carry
from orders.payments import actions as payments
from orders.payments.schemas import Taken
from orders.settlement.actions import listing
from orders.terms import actions as terms
from shop.core import audit, clock, outbox
from shop.core.audit import Who
from shop.core.db import array
from shop.core.money import yuan_from_fen

_EXPLAIN = text(
    """
    UPDATE bank_line l SET matched_fen = l.matched_fen + u.amount_fen, version = l.version + 1
    FROM unnest(CAST(:ids AS bigint[]), CAST(:amounts AS bigint[])) AS u (id, amount_fen)
    WHERE l.id = u.id AND l.matched_fen + u.amount_fen <= abs(l.amount_fen) RETURNING l.id
    """
)
_LEFT = text("SELECT min(abs(amount_fen) - matched_fen) FROM bank_line WHERE id = ANY (CAST(:ids AS bigint[]))")
_SHOW = text(
    """
    UPDATE payment p SET shown_at = :now FROM unnest(CAST(:ids AS bigint[]), CAST(:amounts AS bigint[])) AS u (id, amount_fen)
    WHERE p.id = u.id AND p.amount_fen = u.amount_fen AND p.source = 'announced' AND p.undone_at IS NULL AND p.shown_at IS NULL
    RETURNING p.id
    """
)
#: Whose credit an announcement is: the buyer that the order belonged to then.
ANNOUNCED_OF = text(
    """
    SELECT mt.origin_id AS payment_id, mp.party_id, mp.purchase_order_id FROM money_transaction mt JOIN money_posting mp ON mp.transaction_id = mt.id
    WHERE mt.kind = 'payment' AND mt.origin_id = ANY (CAST(:ids AS bigint[])) AND mp.account = 'announced'
    """
)
_DAYS = text(
    """
    SELECT t.id, t.booked_on FROM money_transaction t WHERE t.id = ANY (CAST(:transactions AS bigint[])) AND NOT EXISTS (
        SELECT FROM bank_match m WHERE m.undone_at IS NOT NULL AND (m.transaction_id = t.id OR m.line_id = ANY (CAST(:lines AS bigint[]))))
    """
)
_WRITE = text(
    """
    INSERT INTO bank_match (line_id, kind, amount_fen, purchase_order_id, payment_id, refund_id, payout_id, payout_file_id, refund_file_id,
        transaction_id, entry, reasons, score, note, matched_by, matched_at)
    SELECT u.line_id, u.kind, u.amount_fen, u.order_id, u.payment_id, u.refund_id, u.payout_id, u.payout_file_id, u.refund_file_id,
        u.transaction_id, u.entry, u.reasons, u.score, u.note, :user_id, :now
    FROM ROWS FROM (jsonb_to_recordset(CAST(:matches AS jsonb)) AS (line_id bigint, kind text, amount_fen bigint, order_id bigint,
        payment_id bigint, refund_id bigint, payout_id bigint, payout_file_id bigint, refund_file_id bigint, transaction_id bigint, entry text,
        reasons jsonb, score int, note text)) WITH ORDINALITY AS u (line_id, kind, amount_fen, order_id, payment_id, refund_id, payout_id, payout_file_id, refund_file_id,
        transaction_id, entry, reasons, score, note, number)
    ORDER BY u.number RETURNING id
    """
)

_OUT_OF_BANK, _UNALLOCATED = Place(Account.BANK), Place(Account.UNALLOCATED)


@dataclass(slots=True)
class Wanted:
    """One match that is to be made."""

    line: Any
    kind: MatchKind
    amount_fen: int
    order_id: int | None = None
    payment_id: int | None = None
    refund_id: int | None = None
    payout_id: int | None = None
    #: The list that is matched as a whole, of which this is one payout.
    payout_file_id: int | None = None
    #: The file that is matched as a whole, of which this is one refund.
    refund_file_id: int | None = None
    #: Which release of the payout; none: the one that fits.
    attempt_id: int | None = None
    transaction_id: int | None = None
    entry: BankEntryKind | None = None
    #: Who got what left once more.
    supplier_id: int | None = None
    reasons: Sequence[Reason] = ()
    score: int = 0
    note: str | None = None

    @property
    def signed_fen(self) -> int:
        return self.amount_fen if self.line.amount_fen > 0 else -self.amount_fen

    @classmethod
    def of(cls, line: Any, proposal: Proposal) -> "list[Wanted]":
        """What a proposal comes to: one match, or one for each payout of a list, or each refund of a file."""
        if proposal.listed:
            made = cls.of_list(
                line, proposal.listed, payout_file_id=proposal.payout_file_id, refund_file_id=proposal.refund_file_id
            )
            return [replace(each, reasons=proposal.reasons, score=proposal.score) for each in made]
        names = ("kind", "amount_fen", "order_id", "payment_id", "refund_id", "payout_id", "attempt_id", "transaction_id", "entry")
        told = {name: getattr(proposal, name) for name in (*names, "reasons", "score")}
        return [cls(line, **told)]

    @classmethod
    def of_list(
        cls, line: Any, listed: Iterable[Listed], *, payout_file_id: int | None = None, refund_file_id: int | None = None
    ) -> "list[Wanted]":
        """A match for each payout of a list, or each refund of a file."""
        return [
            cls(
                line,
                MatchKind.REFUND if each.refund_id else MatchKind.PAYOUT,
                each.amount_fen,
                each.order_id,
                refund_id=each.refund_id,
                payout_id=each.payout_id,
                attempt_id=each.attempt_id,
                payout_file_id=payout_file_id,
                refund_file_id=refund_file_id,
            )
            for each in listed
        ]

    def kept(self) -> dict[str, Any]:
        names = (
            "kind",
            "amount_fen",
            "order_id",
            "payment_id",
            "refund_id",
            "payout_id",
            "payout_file_id",
            "refund_file_id",
            "transaction_id",
            "entry",
            "score",
            "note",
        )
        return {"line_id": self.line.id, "reasons": list(self.reasons), **{name: getattr(self, name) for name in names}}


def as_line(row: Any) -> Line:
    """What is left of a line, as the rules see it."""
    left = abs(row.amount_fen) - row.matched_fen
    signed = left if row.amount_fen > 0 else -left
    return Line(row.id, signed, row.text, row.serial, row.payer_name, row.payer_account, row.booked_on, row.reversal)


def make(session: Session, who: Who, wanted: Sequence[Wanted]) -> list[int]:
    """Make matches; returns their ids, in the same order.

    Raises:
        LineTaken: less than that is left of a line (409). AnnouncedTaken, RefundUnfit, PayoutUnfit: see there (409).
    """
    if not wanted:
        return []
    amounts: dict[int, int] = {}
    for each in wanted:
        amounts[each.line.id] = amounts.get(each.line.id, 0) + each.amount_fen
    explained = session.execute(_EXPLAIN, {"ids": array(amounts), "amounts": array(amounts.values())}).scalars().all()
    if taken := amounts.keys() - explained:
        raise LineTaken(left=yuan_from_fen(session.execute(_LEFT, {"ids": array(taken)}).scalar_one()))
    terms.hold(session, sorted({each.order_id for each in wanted if each.order_id}))
    _take(session, who, [each for each in wanted if each.kind is MatchKind.ORDER])
    announced = _show(session, [each for each in wanted if each.kind is MatchKind.ANNOUNCED])
    for file_id, line in {each.payout_file_id: each.line for each in wanted if each.payout_file_id}.items():
        listing.shown(session, who, file_id, _told(line))
    for each in wanted:
        if each.refund_id:
            each.transaction_id = carrying_out.refund(session, who, each.line, each.refund_id, each.signed_fen)
        if each.payout_id:
            each.transaction_id = carrying_out.payout(session, who, each.line, each.payout_id, each.attempt_id, each.signed_fen)
    now = clock.now()
    values = {"matches": json.dumps([each.kept() for each in wanted], ensure_ascii=False), "user_id": who.user_id, "now": now}
    match_ids = sorted(session.execute(_WRITE, values).scalars())
    made = dict(zip(match_ids, wanted, strict=True))
    booked = {match_id: postings_of(each, announced) for match_id, each in made.items() if each.kind is not MatchKind.ORDER}
    entries = {match_id for match_id, each in made.items() if each.kind is MatchKind.BANK_ENTRY}
    money.book_each(session, Kind.BANK_ENTRY, {match_id: booked[match_id] for match_id in entries})
    matched = {each: postings for each, postings in booked.items() if each not in entries}
    money.book_each(session, Kind.RECEIPT_MATCHED, matched, _twice_since(session, made))
    shown = [each for each in made.values() if each.kind is MatchKind.ANNOUNCED]
    terms.settle(session, sorted({each.order_id or 0 for each in shown}))
    outbox.publish_each(session, "payment.arrived", "payment_id", [each.payment_id or 0 for each in shown])
    audit.record_each(
        session,
        who,
        "bank_line.matched",
        "bank_line",
        [
            (each.line.id, {"match_id": match_id, "kind": each.kind, "amount_fen": each.amount_fen, "order_id": each.order_id})
            for match_id, each in made.items()
        ],
    )
    return match_ids


def _twice_since(session: Session, made: Mapping[int, Wanted]) -> dict[int, date]:
    """By match, since when the books held the same money twice, as the line's and as that of the movement which it shows: on that day once is taken off,
    so that the account of no day between holds it twice. Not where a match of the line or the movement was undone since: then as of today."""
    shows = {match_id: each for match_id, each in made.items() if each.transaction_id}
    ids = {
        "lines": array(each.line.id for each in shows.values()),
        "transactions": array(each.transaction_id for each in shows.values()),
    }
    days = {row.id: row.booked_on for row in session.execute(_DAYS, ids)} if shows else {}
    return {
        match_id: max(days[each.transaction_id], each.line.booked_on)
        for match_id, each in shows.items()
        if each.transaction_id in days
    }


def _take(session: Session, who: Who, wanted: Sequence[Wanted]) -> None:
    """The payments that lines show; each is booked out of what nobody knew the purpose of."""
    taken = [
        Taken(
            each.order_id or 0,
            each.amount_fen,
            "bank_transfer",
            Account.UNALLOCATED,
            _told(each.line),
            each.line.payer_name or "-",
            each.line.booked_on,
        )
        for each in wanted
    ]
    if taken:
        for each, payment_id in zip(wanted, payments.take_many(session, who, taken), strict=True):
            each.payment_id = payment_id


def _told(line: Any) -> str:
    """The bank's number of a line, or else our own."""
    return line.serial or f"BL{line.id}"


def _show(session: Session, wanted: Sequence[Wanted]) -> dict[int, Place]:
    """Announced transfers that the bank shows now; returns on which account each stood."""
    if not wanted:
        return {}
    ids, amounts = array(each.payment_id for each in wanted), array(each.amount_fen for each in wanted)
    shown = session.execute(_SHOW, {"ids": ids, "amounts": amounts, "now": clock.now()}).all()
    if len(shown) < len(wanted):
        raise AnnouncedTaken
    return {
        row.payment_id: Place(Account.ANNOUNCED, row.party_id, row.purchase_order_id)
        for row in session.execute(ANNOUNCED_OF, {"ids": ids})
    }


def postings_of(wanted: Wanted, announced: Mapping[int, Place]) -> list[Posting]:
    """What takes a match off the account of what nobody knew the purpose of. What the books had moved already had moved the bank account too:
    the line shows the same money, so it is counted once."""
    if wanted.kind is MatchKind.ANNOUNCED:
        return carry(wanted.signed_fen, to=_UNALLOCATED, out_of=announced[wanted.payment_id or 0])
    if wanted.kind is MatchKind.BANK_ENTRY:
        twice = wanted.entry is BankEntryKind.PAID_TWICE
        return carry(
            wanted.signed_fen, to=_UNALLOCATED, out_of=Place(Account.ADVANCES, wanted.supplier_id) if twice else Place(Account.FEES)
        )
    return carry(wanted.signed_fen, to=_UNALLOCATED, out_of=_OUT_OF_BANK)
