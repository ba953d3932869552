"""Matching lines of the bank with what they were for, by rule or by hand, and taking a match back.

Lines are locked by id, then the orders that are paid or paid back, then payouts with their settlements, then refunds. How much of a line is explained
is one conditional UPDATE with a CHECK behind it, so of two persons who match the same money at once one finds it taken.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text
from sqlmodel import Session

from orders.banking.actions import carrying_out
from orders.banking.errors import (
    AboveDue,
    AnnouncedTaken,
    LineTaken,
    MatchUndone,
    NotOpenInBooks,
    PayerDiffers,
    WrongDirection,
)
from orders.banking.matching import Facts, Line, Proposal, payer_reason, propose
from orders.banking.queries.facts import OUTSTANDING, facts
from orders.banking.reasons import Reason
from orders.banking.rules import BankEntryKind, MatchKind
from orders.banking.schemas.lines import AnnouncedPart, BookedPart, EntryPart, MatchIn, OrderPart, Part, PayoutPart, RefundPart
from orders.money import actions as money
from orders.money.names import plain_name
from orders.money.rules import Account, Kind, Place, Posting, carry
from orders.payments import actions as payments
from orders.payments.schemas import Taken
from orders.settlement.actions import paying
from orders.terms import actions as terms
from shop.core import audit, clock, outbox
from shop.core.audit import SYSTEM, Who
from shop.core.db import array
from shop.core.errors import IfMatch, NotFound
from shop.core.money import yuan_from_fen
from shop.identity.actor import CITY, Actor
from shop.identity.permissions import Permission

_LOCK = text("SELECT * FROM bank_line WHERE id = ANY (CAST(:ids AS bigint[])) ORDER BY id FOR UPDATE")
#: What a person holds just now is left to that person.
_LOCK_OPEN = text(
    "SELECT * FROM bank_line WHERE id = ANY (CAST(:ids AS bigint[])) AND matched_fen = 0 AND automatic ORDER BY id FOR UPDATE SKIP LOCKED"
)
_EXPLAIN = text(
    """
    UPDATE bank_line l SET matched_fen = l.matched_fen + u.amount_fen, version = l.version + 1
    FROM unnest(CAST(:ids AS bigint[]), CAST(:amounts AS bigint[])) AS u (id, amount_fen)
    WHERE l.id = u.id AND l.matched_fen + u.amount_fen <= abs(l.amount_fen) RETURNING l.id
    """
)
_SHOW = text(
    """
    UPDATE payment p SET shown_at = :now FROM unnest(CAST(:ids AS bigint[]), CAST(:amounts AS bigint[])) AS u (id, amount_fen)
    WHERE p.id = u.id AND p.amount_fen = u.amount_fen AND p.source = 'announced' AND p.undone_at IS NULL AND p.shown_at IS NULL
    RETURNING p.id
    """
)
#: Whose credit an announcement is: the buyer that the order belonged to then.
_ANNOUNCED_OF = text(
    """
    SELECT mt.origin_id AS payment_id, mp.party_id, mp.purchase_order_id FROM money_transaction mt JOIN money_posting mp ON mp.transaction_id = mt.id
    WHERE mt.kind = 'payment' AND mt.origin_id = ANY (CAST(:ids AS bigint[])) AND mp.account = 'announced'
    """
)
_WRITE = text(
    """
    INSERT INTO bank_match (line_id, kind, amount_fen, purchase_order_id, payment_id, refund_id, payout_id, transaction_id, entry, reasons,
        score, note, matched_by, matched_at)
    SELECT u.line_id, u.kind, u.amount_fen, u.order_id, u.payment_id, u.refund_id, u.payout_id, u.transaction_id, u.entry, u.reasons,
        u.score, u.note, :user_id, :now
    FROM ROWS FROM (jsonb_to_recordset(CAST(:matches AS jsonb)) AS (line_id bigint, kind text, amount_fen bigint, order_id bigint,
        payment_id bigint, refund_id bigint, payout_id bigint, transaction_id bigint, entry text, reasons jsonb, score int, note text))
        WITH ORDINALITY AS u (line_id, kind, amount_fen, order_id, payment_id, refund_id, payout_id, transaction_id, entry, reasons, score,
        note, number)
    ORDER BY u.number RETURNING id
    """
)
_PAYMENT = text("SELECT id, purchase_order_id, amount_fen FROM payment WHERE id = :id")
_REFUND = text("SELECT * FROM refund WHERE id = :id")
_PAYOUT = text("SELECT id, amount_fen FROM payout WHERE id = :id")
_BANK_MOVE_BY_ID = text(f"SELECT * FROM ({OUTSTANDING}) o WHERE o.id = :id")  # noqa: S608
_MATCH = text("SELECT m.*, l.amount_fen AS line_fen FROM bank_match m JOIN bank_line l ON l.id = m.line_id WHERE m.id = :id")
_UNDO = text(
    "UPDATE bank_match SET undone_at = :now, undone_by = :user_id, undo_reason = :reason WHERE id = :id AND undone_at IS NULL RETURNING id"
)
#: What a person has taken back is not matched by rule again.
_REOPEN = text(
    "UPDATE bank_line SET matched_fen = matched_fen - :amount, automatic = false, version = version + 1 WHERE id = :id RETURNING id"
)
_HIDE = text("UPDATE payment SET shown_at = NULL WHERE id = :id")

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
    #: Which release of the payout; none: the one that fits.
    attempt_id: int | None = None
    transaction_id: int | None = None
    entry: BankEntryKind | None = None
    reasons: Sequence[Reason] = ()
    score: int = 0
    note: str | None = None

    @property
    def signed_fen(self) -> int:
        return self.amount_fen if self.line.amount_fen > 0 else -self.amount_fen

    @classmethod
    def of(cls, line: Any, proposal: Proposal) -> "Wanted":
        names = ("kind", "amount_fen", "order_id", "payment_id", "refund_id", "payout_id", "attempt_id", "transaction_id", "entry")
        told = {name: getattr(proposal, name) for name in (*names, "reasons", "score")}
        return cls(line, **told)

    def kept(self) -> dict[str, Any]:
        names = (
            "kind",
            "amount_fen",
            "order_id",
            "payment_id",
            "refund_id",
            "payout_id",
            "transaction_id",
            "entry",
            "score",
            "note",
        )
        return {"line_id": self.line.id, "reasons": list(self.reasons), **{name: getattr(self, name) for name in names}}


def as_line(row: Any) -> Line:
    """What is left of a line, as the rules see it."""
    left = abs(row.amount_fen) - row.matched_fen
    return Line(row.id, left if row.amount_fen > 0 else -left, row.text, row.serial, row.payer_name, row.payer_account)


def match_by_rule(session: Session, line_ids: Sequence[int]) -> int:
    """Match those of the lines that a rule makes certain; returns how many. Safe to run twice, and beside people who match by hand."""
    rows = {row.id: row for row in session.execute(_LOCK_OPEN, {"ids": array(line_ids)})}
    lines = [as_line(row) for row in rows.values()]
    likely = _certain(lines, facts(session, lines, wide=False))
    if not likely:
        return 0
    payments.locked(session, sorted({proposal.order_id for _, proposal in likely if proposal.order_id}))
    paying.lock(session, {proposal.payout_id for _, proposal in likely if proposal.payout_id})
    # looked at again, now that nobody else can pay these orders
    lines = [line for line, _ in likely]
    wanted = [Wanted.of(rows[line.id], proposal) for line, proposal in _certain(lines, facts(session, lines, wide=False))]
    _write(session, SYSTEM, wanted)
    return len(wanted)


def _certain(lines: Iterable[Line], known: Facts) -> list[tuple[Line, Proposal]]:
    found = []
    for line in lines:
        proposals = propose(line, known)
        if proposals and proposals[0].certain:
            known.use(proposals[0])
            found.append((line, proposals[0]))
    return found


def match(session: Session, actor: Actor, line_id: int, body: MatchIn, if_match: IfMatch) -> None:
    """Say what a line, or parts of it, were for; all of it or nothing.

    Raises:
        NotFound: no such line, order, payment, refund or payout, or the caller keeps the money of a district only (404).
        Changed: the line changed meanwhile (412). LineTaken: less than that is left of it (409).
        WrongDirection: what came in was for what went out (422). AboveDue, PayerDiffers, AnnouncedTaken, RefundUnfit, PayoutUnfit,
        NotOpenInBooks: see there (409).
    """
    line = locked(session, actor, line_id)
    if_match(line.version)
    named = [_named(session, line, part, body.note) for part in body.parts]
    asked = sum(each.amount_fen for each in named)
    left = abs(line.amount_fen) - line.matched_fen
    if asked > left:
        raise LineTaken(left=yuan_from_fen(left))
    orders = {order.id: order for order in payments.locked(session, sorted({each.order_id for each in named if each.order_id}))}
    paying.lock(session, {each.payout_id for each in named if each.payout_id})
    _require_fit(session, line, named, orders, allow_credit=body.allow_credit)
    _write(session, actor, named)


def locked(session: Session, actor: Actor, line_id: int) -> Any:
    """The line, locked until the transaction ends.

    Raises:
        NotFound: there is none, or the caller keeps the money of a district only (404).
    """
    if not actor.covers_region(Permission.MONEY_MANAGE, CITY):
        raise NotFound
    row = session.execute(_LOCK, {"ids": array([line_id])}).first()
    if row is None:
        raise NotFound
    return row


def _named(session: Session, line: Any, part: Part, note: str | None) -> Wanted:
    """What a part of a request names. Raises NotFound, WrongDirection."""
    incoming = line.amount_fen > 0
    if isinstance(part, EntryPart):
        return Wanted(line, MatchKind.BANK_ENTRY, part.amount, entry=part.entry, note=note)
    if isinstance(part, BookedPart):
        moved = session.execute(_BANK_MOVE_BY_ID, {"id": part.transaction_id}).first()
        if moved is None:
            raise NotOpenInBooks
        if (moved.amount_fen > 0) != incoming:
            raise WrongDirection
        return Wanted(line, MatchKind.BOOKED, abs(moved.amount_fen), transaction_id=moved.id, note=note)
    if isinstance(part, RefundPart):
        refund = session.execute(_REFUND, {"id": part.refund_id}).first()
        if refund is None:
            raise NotFound
        if (part.kind == "refund_returned") != incoming:
            raise WrongDirection
        return Wanted(line, MatchKind(part.kind), refund.amount_fen, refund.purchase_order_id, refund_id=refund.id, note=note)
    if isinstance(part, PayoutPart):
        payout = session.execute(_PAYOUT, {"id": part.payout_id}).first()
        if payout is None:
            raise NotFound
        if (part.kind == "payout_returned") != incoming:
            raise WrongDirection
        return Wanted(line, MatchKind(part.kind), payout.amount_fen, payout_id=payout.id, note=note)
    if not incoming:
        raise WrongDirection
    if isinstance(part, AnnouncedPart):
        payment = session.execute(_PAYMENT, {"id": part.payment_id}).first()
        if payment is None:
            raise NotFound
        return Wanted(line, MatchKind.ANNOUNCED, payment.amount_fen, payment.purchase_order_id, payment_id=payment.id, note=note)
    assert isinstance(part, OrderPart)
    return Wanted(line, MatchKind.ORDER, part.amount, part.purchase_order_id, note=note)


def _require_fit(session: Session, line: Any, wanted: Sequence[Wanted], orders: Mapping[int, Any], *, allow_credit: bool) -> None:
    """Whoever paid may pay for these orders, and no order is paid above its due unless that is meant. The orders are locked."""
    if any(each.order_id not in orders for each in wanted if each.order_id):
        raise NotFound
    paid = [each for each in wanted if each.kind in (MatchKind.ORDER, MatchKind.ANNOUNCED)]
    known = facts(session, [as_line(line)], wide=False, order_ids={each.order_id for each in paid if each.order_id}).orders
    payer = plain_name(line.payer_name)
    for each in paid:
        order = known[each.order_id or 0]
        if payer_reason(payer, order) in (Reason.PAYER_DIFFERS, Reason.PAYER_SIMILAR):
            raise PayerDiffers(payer=line.payer_name, number=order.number)
        if each.kind is MatchKind.ORDER:
            if each.amount_fen > order.due_fen and not allow_credit:
                raise AboveDue(number=order.number, due=yuan_from_fen(max(order.due_fen, 0)))
            order.due_fen -= each.amount_fen


def _write(session: Session, who: Who, wanted: Sequence[Wanted]) -> None:
    """Make matches. Lines and orders are locked."""
    if not wanted:
        return
    amounts: dict[int, int] = {}
    for each in wanted:
        amounts[each.line.id] = amounts.get(each.line.id, 0) + each.amount_fen
    explained = session.execute(_EXPLAIN, {"ids": array(amounts), "amounts": array(amounts.values())}).all()
    if len(explained) < len(amounts):
        raise LineTaken(left="0.00")
    _take(session, who, [each for each in wanted if each.kind is MatchKind.ORDER])
    announced = _show(session, [each for each in wanted if each.kind is MatchKind.ANNOUNCED])
    for each in wanted:
        if each.refund_id:
            each.transaction_id = carrying_out.refund(session, who, each.line, each.refund_id, each.signed_fen)
        if each.payout_id:
            each.transaction_id = carrying_out.payout(session, who, each.line, each.payout_id, each.attempt_id, each.signed_fen)
    now = clock.now()
    values = {"matches": json.dumps([each.kept() for each in wanted], ensure_ascii=False), "user_id": who.user_id, "now": now}
    match_ids = sorted(session.execute(_WRITE, values).scalars())
    made = dict(zip(match_ids, wanted, strict=True))
    booked = {match_id: _postings(each, announced) for match_id, each in made.items() if each.kind is not MatchKind.ORDER}
    entries = {match_id for match_id, each in made.items() if each.kind is MatchKind.BANK_ENTRY}
    money.book_each(session, Kind.BANK_ENTRY, {match_id: booked[match_id] for match_id in entries})
    money.book_each(session, Kind.RECEIPT_MATCHED, {each: postings for each, postings in booked.items() if each not in entries})
    shown = [each for each in made.values() if each.kind is MatchKind.ANNOUNCED]
    terms.count(session, sorted({each.order_id or 0 for each in shown}))
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


def _take(session: Session, who: Who, wanted: Sequence[Wanted]) -> None:
    """The payments that lines show; each is booked out of what nobody knew the purpose of."""
    taken = [
        Taken(
            each.order_id or 0,
            each.amount_fen,
            "bank_transfer",
            Account.UNALLOCATED,
            each.line.serial or f"BL{each.line.id}",
            each.line.payer_name or "-",
            each.line.booked_on,
        )
        for each in wanted
    ]
    if taken:
        for each, payment_id in zip(wanted, payments.take_many(session, who, taken), strict=True):
            each.payment_id = payment_id


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
        for row in session.execute(_ANNOUNCED_OF, {"ids": ids})
    }


def _postings(wanted: Wanted, announced: Mapping[int, Place]) -> list[Posting]:
    """What takes a match off the account of what nobody knew the purpose of. What the books had moved already had moved the bank account too:
    the line shows the same money, so it is counted once."""
    if wanted.kind is MatchKind.ANNOUNCED:
        return carry(wanted.signed_fen, to=_UNALLOCATED, out_of=announced[wanted.payment_id or 0])
    if wanted.kind is MatchKind.BANK_ENTRY:
        return carry(wanted.signed_fen, to=_UNALLOCATED, out_of=Place(Account.FEES))
    return carry(wanted.signed_fen, to=_UNALLOCATED, out_of=_OUT_OF_BANK)


def undo(session: Session, actor: Actor, match_id: int, reason: str) -> int:
    """Take a match back: the line is open again, and is not matched by rule any more. Returns the line's id.

    A payment that it made is undone. A refund or payout that it made stays paid, or failed, as a movement that no line has shown: match the
    right line with it, or report its failure.

    Raises:
        NotFound: there is none, or the caller keeps the money of a district only (404). MatchUndone: it was undone before (409).
    """
    held = session.execute(_MATCH, {"id": match_id}).first()
    if held is None:
        raise NotFound
    locked(session, actor, held.line_id)
    if held.purchase_order_id:
        payments.locked(session, [held.purchase_order_id])
    undone = session.execute(_UNDO, {"id": match_id, "user_id": actor.user_id, "now": clock.now(), "reason": reason}).first()
    if undone is None:
        raise MatchUndone
    session.execute(_REOPEN, {"id": held.line_id, "amount": held.amount_fen})
    if held.kind == MatchKind.ORDER:
        payments.undo(session, actor, held.payment_id, reason)
    else:
        announced = {}
        if held.kind == MatchKind.ANNOUNCED:
            session.execute(_HIDE, {"id": held.payment_id})
            [row] = session.execute(_ANNOUNCED_OF, {"ids": array([held.payment_id])})
            announced = {held.payment_id: Place(Account.ANNOUNCED, row.party_id, row.purchase_order_id)}
        was = Wanted(_Signed(held.line_fen), MatchKind(held.kind), held.amount_fen, payment_id=held.payment_id)
        back = [Posting(posting.place, -posting.amount_fen) for posting in _postings(was, announced)]
        money.book(session, Kind.RECEIPT_UNDONE, match_id, back)
        if held.kind == MatchKind.ANNOUNCED:
            terms.count(session, [held.purchase_order_id])
    audit.record(session, actor, "bank_line.match_undone", "bank_line", held.line_id, reason=reason, match_id=match_id)
    return int(held.line_id)


@dataclass(frozen=True, slots=True)
class _Signed:
    """As much of a line as its direction."""

    amount_fen: int
