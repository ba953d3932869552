"""Matching lines of the bank with what they were for, by rule or by hand.

Lines are locked by id, then lists for the bank, then the orders that are paid or paid back, then refunds, then payouts with their settlements: of a
movement that the books hold already (``booked``), too, what it moved.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, NoReturn

import structlog
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session

from orders.banking.actions.making import Wanted, as_line, make
from orders.banking.errors import (
    AboveDue,
    AnnouncedWaits,
    LineTaken,
    NotOpenInBooks,
    PayerDiffers,
    PayerUnnamed,
    PayoutUnfit,
    RefundUnfit,
    Remedy,
    Unfit,
    WrongDirection,
)
from orders.banking.known import Facts, Line, Listed, Order, Proposal
from orders.banking.matching import nameless, payer_reason, propose
from orders.banking.queries.facts import LEAVES_OF_FILE, LEAVES_OF_LIST, OUTSTANDING, facts, sum_of
from orders.banking.reasons import Reason
from orders.banking.rules import MatchKind
from orders.banking.schemas.lines import (
    AnnouncedPart,
    BookedPart,
    MatchIn,
    OrderPart,
    Part,
    PayoutFilePart,
    PayoutPart,
    RefundFilePart,
    RefundPart,
)
from orders.payments import actions as payments
from orders.refunds import actions as refunds
from orders.settlement.actions import paying
from shop.core.audit import SYSTEM
from shop.core.db import array
from shop.core.errors import IfMatch, NotFound, Problem
from shop.core.money import yuan_from_fen
from shop.identity.actor import CITY, Actor
from shop.identity.permissions import Permission

log = structlog.get_logger()

_LOCK = text("SELECT * FROM bank_line WHERE id = ANY (CAST(:ids AS bigint[])) ORDER BY id FOR UPDATE")
#: What a person holds just now is left to that person.
_LOCK_OPEN = text(
    "SELECT * FROM bank_line WHERE id = ANY (CAST(:ids AS bigint[])) AND matched_fen = 0 AND automatic ORDER BY id FOR UPDATE SKIP LOCKED"
)
_PAYMENT = text("SELECT id, purchase_order_id, amount_fen FROM payment WHERE id = :id")
_REFUND = text("SELECT * FROM refund WHERE id = :id")
_PAYOUT = text("SELECT id, amount_fen FROM payout WHERE id = :id")
_BANK_MOVES = text(f"SELECT * FROM ({OUTSTANDING}) o WHERE o.id = ANY (CAST(:ids AS bigint[]))")  # noqa: S608
#: Against one who makes it void. A list that is matched as a whole is handed over by that, so that two who match it wait for one another.
_LIST = text("SELECT number, status FROM payout_file WHERE id = :id")
_HOLD_LISTS = text("SELECT 1 FROM payout_file WHERE id = ANY (CAST(:ids AS bigint[])) ORDER BY id FOR UPDATE")
_FILE = text("SELECT number, status FROM refund_file WHERE id = :id")
_HOLD_FILES = text("SELECT 1 FROM refund_file WHERE id = ANY (CAST(:ids AS bigint[])) ORDER BY id FOR SHARE")
#: The refund or payout that movements of the books are of, with the refund's order.
_OWNERS = text(
    """
    SELECT r.id AS refund_id, r.purchase_order_id AS order_id, a.payout_id
    FROM money_transaction t LEFT JOIN refund r ON t.kind IN ('refund_paid', 'refund_failed') AND r.id = t.origin_id
    LEFT JOIN payout_attempt a ON t.kind IN ('payout_paid', 'payout_failed') AND a.id = t.origin_id WHERE t.id = ANY (CAST(:ids AS bigint[]))
    """
)
_OF_LIST, _OF_FILE = (
    text(
        "SELECT payout_id, attempt_id, amount_fen, refund_id, order_id, failed"  # noqa: S608
        f" FROM ({rows}) l WHERE l.list_id = :id AND (l.leaves OR l.failed) ORDER BY l.attempt_id, l.refund_id"
    )
    for rows in (LEAVES_OF_LIST, LEAVES_OF_FILE)
)


def match_by_rule(session: Session, line_ids: Sequence[int]) -> int:
    """Match those of the lines that a rule makes certain; returns how many. Safe to run twice, and beside people who match by hand."""
    rows = {row.id: row for row in session.execute(_LOCK_OPEN, {"ids": array(line_ids)})}
    lines = [as_line(row) for row in rows.values()]
    likely = _certain(lines, facts(session, lines, wide=False))
    if not likely:
        return 0
    _lock(session, [each for line, proposal in likely for each in Wanted.of(rows[line.id], proposal)])
    # looked at again, now that nobody else can pay these orders; of what nobody else holds
    held = {line.id: _named_by(proposal) for line, proposal in likely}
    lines = [line for line, _ in likely]
    certain = _certain(lines, facts(session, lines, wide=False))
    wanted = [Wanted.of(rows[line.id], proposal) for line, proposal in certain if _named_by(proposal) == held[line.id]]
    if len(wanted) > 1 and _made(session, [each for one in wanted for each in one]):
        return len(wanted)
    # one that is refused leaves its own line open, and no other
    return sum(_made(session, one) for one in wanted)


def _lock(session: Session, wanted: Sequence[Wanted]) -> Sequence[Any]:
    """Lock what is matched, in the order in which everybody does: lists, files, orders, refunds, payouts. Returns the orders."""
    _hold(session, wanted)
    orders = payments.locked(session, sorted({each.order_id for each in wanted if each.order_id}))
    refunds.lock(session, {each.refund_id for each in wanted if each.refund_id})
    paying.lock(session, {each.payout_id for each in wanted if each.payout_id})
    return orders


def _hold(session: Session, named: Iterable[Any]) -> None:
    """Lock the lists and files that are named."""
    for statement, of in ((_HOLD_LISTS, "payout_file_id"), (_HOLD_FILES, "refund_file_id")):
        if ids := {getattr(each, of) for each in named if getattr(each, of, None)}:
            session.execute(statement, {"ids": array(ids)})


def _named_by(proposal: Proposal) -> tuple[Any, ...]:
    return proposal.payout_file_id, proposal.refund_file_id, proposal.order_id, proposal.transaction_id, proposal.moved


def _made(session: Session, wanted: Sequence[Wanted]) -> bool:
    """Make matches, all or none of them; returns whether they were made."""
    try:
        with session.begin_nested():
            make(session, SYSTEM, wanted)
    except (Problem, IntegrityError) as error:
        log.warning("match_refused", subject=sorted({each.line.id for each in wanted}), error=type(error).__name__)
        return False
    return True


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
        WrongDirection: what came in was for what went out (422). AboveDue, PayerDiffers, PayerUnnamed, AnnouncedTaken, AnnouncedWaits, RefundUnfit, PayoutUnfit,
        NotOpenInBooks: see there (409).
    """
    line = locked(session, actor, line_id)
    if_match(line.version)
    _hold(session, body.parts)
    named = [each for part in body.parts for each in _named(session, line, part, body.note)]
    asked = sum(each.amount_fen for each in named)
    left = abs(line.amount_fen) - line.matched_fen
    if asked > left:
        raise LineTaken(left=yuan_from_fen(left))
    if asked < left and any(each.kind is MatchKind.BOOKED for each in named):  # it is of another amount than the line
        raise NotOpenInBooks
    booked = array({each.transaction_id for each in named if each.transaction_id})
    owners = [Wanted(line, MatchKind.BOOKED, 0, **row._mapping) for row in session.execute(_OWNERS, {"ids": booked})]
    orders = {order.id: order for order in _lock(session, [*named, *owners])}
    # looked at again, now that nobody else takes back what they moved
    if len(session.execute(_BANK_MOVES, {"ids": booked}).all()) < len({each.transaction_id for each in named} - {None}):
        raise NotOpenInBooks
    _require_fit(session, line, named, orders, allow_credit=body.allow_credit)
    make(session, actor, named)


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


def _named(session: Session, line: Any, part: Part, note: str | None) -> list[Wanted]:
    """What a part of a request names: one match, or one for each payout of a list, or each refund of a file. Raises NotFound, WrongDirection,
    PayoutUnfit, RefundUnfit."""
    unfit: type[Unfit]
    if isinstance(part, PayoutFilePart):
        found, rows, file_id, unfit = _LIST, _OF_LIST, {"payout_file_id": part.payout_file_id}, PayoutUnfit
    elif isinstance(part, RefundFilePart):
        found, rows, file_id, unfit = _FILE, _OF_FILE, {"refund_file_id": part.refund_file_id}, RefundUnfit
    else:
        return [_one_named(session, line, part, note)]
    [list_id] = file_id.values()
    held = session.execute(found, {"id": list_id}).first()
    if held is None:
        raise NotFound
    if line.amount_fen > 0:
        raise WrongDirection
    listed = [Listed(*row) for row in session.execute(rows, {"id": list_id})]
    # what was said to have failed is left out, unless the line shows just that it left with the others
    if sum_of(listed) != abs(line.amount_fen) - line.matched_fen:
        listed = [each for each in listed if not each.failed]
    if not listed:
        raise unfit(number=held.number, state=held.status, remedy=Remedy.ON_LIST)
    return [replace(each, note=note) for each in Wanted.of_list(line, listed, **file_id)]


def _one_named(session: Session, line: Any, part: Part, note: str | None) -> Wanted:
    incoming = line.amount_fen > 0
    if isinstance(part, BookedPart):
        moved = session.execute(_BANK_MOVES, {"ids": array([part.transaction_id])}).first()
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


def _refuse_above(order: Order, amount_fen: int) -> NoReturn:
    """Say why an order is not paid above its due, and by what it seems to be paid already."""
    due = yuan_from_fen(max(order.due_fen, 0))
    if not order.announced or amount_fen > order.outstanding_fen:
        raise AboveDue(number=order.number, due=due)
    waiting = "; ".join(f"{each.reference} {yuan_from_fen(each.amount_fen)}" for each in order.announced)
    raise AnnouncedWaits(number=order.number, due=due, announced=waiting, payment_ids=[each.payment_id for each in order.announced])


def _require_fit(session: Session, line: Any, wanted: Sequence[Wanted], orders: Mapping[int, Any], *, allow_credit: bool) -> None:
    """Whoever paid may pay for these orders, and no order is paid above its due unless that is meant. The orders are locked."""
    if any(each.order_id not in orders for each in wanted if each.order_id):
        raise NotFound
    paid = [each for each in wanted if each.kind in (MatchKind.ORDER, MatchKind.ANNOUNCED)]
    known = facts(session, [as_line(line)], wide=False, order_ids={each.order_id for each in paid if each.order_id}).orders
    shown = {each.payment_id for each in paid if each.payment_id}
    for order in known.values():  # what the line shows waits no more
        order.announced = tuple(each for each in order.announced if each.payment_id not in shown)
    for each in paid:
        order = known[each.order_id or 0]
        who = payer_reason(as_line(line), order)
        if who is Reason.PAYER_UNKNOWN:
            raise PayerUnnamed(payer=nameless(line.id), number=order.number)
        if who in (Reason.PAYER_DIFFERS, Reason.PAYER_SIMILAR):
            raise PayerDiffers(payer=line.payer_name, number=order.number)
        if each.kind is MatchKind.ORDER:
            if each.amount_fen > order.due_fen and not allow_credit:
                _refuse_above(order, each.amount_fen)
            order.due_fen -= each.amount_fen
