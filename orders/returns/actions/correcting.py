"""Putting an acceptance right: one side says what was accepted in truth, and when the other agrees the ledger follows."""

from typing import Any

from sqlalchemy import text
from sqlmodel import Session

from orders.budgets import actions as budgets
from orders.invoices import actions as invoices
from orders.invoices.rules import CreditReason
from orders.ledger import actions as ledger
from orders.ledger.actions import Rebooked
from orders.ledger.rules import Part
from orders.purchasing.queries import SIDES
from orders.returns import queries, rules
from orders.returns.actions import balances
from orders.returns.errors import AboveAccepted, CorrectionLinesWrong, NotYourProposal, OwnProposal
from orders.returns.models import AcceptanceCorrection
from orders.returns.rules import Standing, Truth, after_correction
from orders.returns.schemas import CorrectionIn
from orders.returns.states import CORRECTION, CorrectionMove, CorrectionStatus
from orders.terms import actions as terms
from shop.core import audit, clock, numbers, outbox
from shop.core.errors import IfMatch, NotFound, any_version
from shop.identity.actor import Actor

_LINES = text(
    """
    INSERT INTO acceptance_correction_line (acceptance_correction_id, acceptance_line_id, order_line_id, accepted_quantity, accepted_grams)
    SELECT :id, u.line, u.order_line, u.quantity, u.grams
    FROM unnest(CAST(:lines AS bigint[]), CAST(:order_lines AS bigint[]), CAST(:quantities AS numeric[]), CAST(:grams AS bigint[]))
      AS u (line, order_line, quantity, grams) ORDER BY u.line
    """
)
# the order too: it must not move to another budget unit while a first sale of a line is booked
_LOCK = text(
    f"""
    SELECT c.*, so.purchase_order_id, supplier.path AS supplier_path, buyer.path AS buyer_path, unit.path AS unit_path
    FROM acceptance_correction c JOIN supplier_order so ON so.id = c.supplier_order_id {SIDES}
    WHERE c.id = :id FOR SHARE OF so FOR UPDATE OF c
    """  # noqa: S608
)
_FRESH = text("SELECT entry_id FROM acceptance_correction_line WHERE acceptance_correction_id = :id AND entry_id IS NOT NULL")
_ACCEPTANCE_LINES = text("SELECT acceptance_line_id FROM acceptance_correction_line WHERE acceptance_correction_id = :id")
# they have no entry, so no balance either
_NEVER_ACCEPTED = text(
    """
    SELECT c.id FROM acceptance_correction_line c
    WHERE c.acceptance_correction_id = :id AND c.accepted_quantity > 0
      AND NOT EXISTS (SELECT FROM acceptance_balance b WHERE b.acceptance_line_id = c.acceptance_line_id)
    ORDER BY c.id
    """
)
_WRITE_FIRST = text(
    """
    WITH line AS (
        UPDATE acceptance_correction_line c SET before_quantity = 0, before_grams = 0, before_fen = 0, after_quantity = e.quantity,
            after_grams = e.grams, after_fen = e.amount_fen, entry_id = e.id
        FROM unnest(CAST(:ids AS bigint[]), CAST(:entries AS bigint[])) AS u (id, entry_id) JOIN sale_entry e ON e.id = u.entry_id
        WHERE c.id = u.id RETURNING c.acceptance_line_id, c.accepted_quantity, e.id AS entry_id
    )
    INSERT INTO acceptance_balance (acceptance_line_id, entry_id, accepted, held, returned)
    SELECT acceptance_line_id, entry_id, accepted_quantity, 0, 0 FROM line
    """
)
# the balances are locked before what stands in the ledger is read
_BALANCES = text(
    "SELECT b.acceptance_line_id FROM acceptance_correction_line c JOIN acceptance_balance b USING (acceptance_line_id)"
    " WHERE c.acceptance_correction_id = :id ORDER BY 1 FOR UPDATE OF b"
)
_STANDING = text(
    """
    SELECT c.id, c.accepted_quantity, c.accepted_grams, b.entry_id, b.held, b.returned, l.unit_price_fen,
           e.quantity - coalesce(r.quantity, 0) AS quantity, e.grams - coalesce(r.grams, 0) AS grams, e.amount_fen - coalesce(r.fen, 0) AS fen
    FROM acceptance_correction_line c
    JOIN acceptance_balance b USING (acceptance_line_id)
    JOIN order_line l ON l.id = c.order_line_id
    JOIN sale_entry e ON e.id = b.entry_id
    LEFT JOIN LATERAL (SELECT -sum(quantity) AS quantity, -sum(grams)::bigint AS grams, -sum(amount_fen)::bigint AS fen
                       FROM sale_entry WHERE reverses_id = e.id) r ON true
    WHERE c.acceptance_correction_id = :id ORDER BY c.id
    """
)
_WRITE = text(
    """
    WITH line AS (
        UPDATE acceptance_correction_line c SET before_quantity = u.before, before_grams = u.before_grams, before_fen = u.before_fen,
            after_quantity = u.after, after_grams = u.after_grams, after_fen = u.after_fen, reversal_id = u.reversal_id, entry_id = u.entry_id
        FROM unnest(CAST(:ids AS bigint[]), CAST(:before AS numeric[]), CAST(:before_grams AS bigint[]), CAST(:before_fen AS bigint[]),
                    CAST(:after AS numeric[]), CAST(:after_grams AS bigint[]), CAST(:after_fen AS bigint[]), CAST(:reversals AS bigint[]),
                    CAST(:entries AS bigint[]))
          AS u (id, before, before_grams, before_fen, after, after_grams, after_fen, reversal_id, entry_id)
        WHERE c.id = u.id RETURNING c.acceptance_line_id, c.accepted_quantity, c.entry_id
    )
    UPDATE acceptance_balance b SET accepted = line.accepted_quantity, entry_id = coalesce(line.entry_id, b.entry_id)
    FROM line WHERE b.acceptance_line_id = line.acceptance_line_id
    """
)


def propose(session: Session, actor: Actor, shipment_id: int, body: CorrectionIn) -> int:
    """Say what was accepted of a shipment in truth; returns the correction's id. Nothing changes until the other side agrees.

    Raises:
        NotFound: not a shipment of the caller's organisation (404). NotAccepted: it has not been accepted (409).
        CorrectionLinesWrong: unknown lines, more than was shipped, less than was given back, a weight that cannot be (422).
        CorrectionOpen: one waits for its answer already (409).
    """
    acceptance = queries.acceptance(session, actor, shipment_id)
    side = _side(actor, acceptance)
    truths = [Truth(line.order_line_id, line.accepted_quantity, line.accepted_grams) for line in body.lines]
    lines, faults = rules.to_correct(queries.accepted_lines(session, acceptance.id), truths)
    if faults:
        raise CorrectionLinesWrong(count=len(faults), faults=faults)
    now = clock.now()
    year = clock.shanghai_date(now).year
    made = AcceptanceCorrection(
        number=f"JZ{year}-{numbers.next_number(session, f'acceptance_correction:{year}'):06}",
        acceptance_id=acceptance.id,
        supplier_order_id=acceptance.supplier_order_id,
        reason=body.reason,
        proposed_side=side,
        proposed_by=actor.user_id or 0,
        proposed_at=now,
    )
    session.add(made)
    session.flush()
    session.execute(
        _LINES,
        {
            "id": made.id,
            "lines": [line.acceptance_line_id for line in lines],
            "order_lines": [line.order_line_id for line in lines],
            "quantities": [line.quantity for line in lines],
            "grams": [line.grams for line in lines],
        },
    )
    audit.record(session, actor, "acceptance_correction.proposed", "acceptance_correction", made.id, reason=body.reason, side=side)
    outbox.publish(session, "acceptance_correction.moved", correction_id=made.id, status=CorrectionStatus.PROPOSED)
    return made.id


def agree(session: Session, actor: Actor, correction_id: int, note: str | None, if_match: IfMatch = any_version) -> None:
    """The other side agrees: what stood wrongly is taken back in the ledger, and what is true is booked, today. Figures follow to the gram and
    the fen; months that are over stay as they are.

    Raises:
        NotFound: not a correction of the caller's organisation (404). OwnProposal: the own side proposed it (403).
        Changed: another version than the caller read (412). IllegalMove: it was answered already (409).
        AboveAccepted: more was given back since than is left by it (409).
        BuyersBudgetShort: more was accepted than the buyer's budget has left (409).
    """
    row = _begin(session, actor, correction_id, if_match)
    if _side(actor, row) == row.proposed_side:
        raise OwnProposal
    _step(session, actor, row, CorrectionMove.AGREE, note)
    with budgets.telling_sums(session, row.purchase_order_id, to_buyer=row.proposed_side == "supplier"):
        _book(session, actor, row)


def decline(session: Session, actor: Actor, correction_id: int, note: str | None, if_match: IfMatch = any_version) -> None:
    """The other side does not agree. Raises as :func:`agree`."""
    row = _begin(session, actor, correction_id, if_match)
    if _side(actor, row) == row.proposed_side:
        raise OwnProposal
    _step(session, actor, row, CorrectionMove.DECLINE, note)


def withdraw(session: Session, actor: Actor, correction_id: int, note: str | None, if_match: IfMatch = any_version) -> None:
    """Take the own proposal back.

    Raises:
        NotFound: not a correction of the caller's organisation (404). NotYourProposal: the other side proposed it (403).
        Changed: another version than the caller read (412). IllegalMove: it was answered already (409).
    """
    row = _begin(session, actor, correction_id, if_match)
    if _side(actor, row) != row.proposed_side:
        raise NotYourProposal
    _step(session, actor, row, CorrectionMove.WITHDRAW, note)


def _begin(session: Session, actor: Actor, correction_id: int, if_match: IfMatch) -> Any:
    row = session.execute(_LOCK, {"id": correction_id}).first()
    if row is None:
        raise NotFound
    _side(actor, row)
    if_match(row.version)
    return row


def _side(actor: Actor, row: Any) -> str:
    """On which side of the order the actor stands.

    Raises:
        NotFound: on neither (404).
    """
    side = queries.side_of(actor, row)
    if side is None:
        raise NotFound
    return side


def _step(session: Session, actor: Actor, row: Any, move: CorrectionMove, note: str | None) -> None:
    status = CORRECTION.after(row.status, move, queries.correction_moves_of(actor, row))
    session.execute(
        text(
            "UPDATE acceptance_correction SET status = :status, answered_by = :user, answered_at = :now, note = :note, version = version + 1"
            " WHERE id = :id"
        ),
        {"id": row.id, "status": status, "user": actor.user_id, "now": clock.now(), "note": note},
    )
    audit.record(session, actor, f"acceptance_correction.{status}", "acceptance_correction", row.id, reason=note)
    outbox.publish(session, "acceptance_correction.moved", correction_id=row.id, status=status)


def _book(session: Session, actor: Actor, correction: Any) -> None:
    """Have the ledger, the balances and the budget follow a correction that both sides agreed to."""
    wanted = {"id": correction.id}
    balances.opened(session, list(session.execute(_ACCEPTANCE_LINES, wanted).scalars()))
    session.execute(_BALANCES, wanted)
    lines = session.execute(_STANDING, wanted).all()
    if any(line.accepted_quantity < line.held + line.returned for line in lines):
        raise AboveAccepted
    first = _book_first(session, correction.id)
    changes = []
    for line in lines:
        before = Standing(line.quantity, int(line.grams), int(line.fen))
        after = after_correction(before, line.accepted_quantity, line.accepted_grams, line.returned, line.unit_price_fen)
        if after != before:
            changes.append((line, before, after))
    standing = {line.entry_id: before.quantity for line, before, _ in changes if before.quantity}
    reversed_ = ledger.reverse_parts(session, standing) if standing else {}
    booked = ledger.rebook(
        session,
        [
            Rebooked(line.entry_id, line.id, Part(after.quantity, after.grams, after.fen))
            for line, _, after in changes
            if after.quantity
        ],
    )
    session.execute(
        _WRITE,
        {
            "ids": [line.id for line, _, _ in changes],
            "before": [before.quantity for _, before, _ in changes],
            "before_grams": [before.grams for _, before, _ in changes],
            "before_fen": [before.fen for _, before, _ in changes],
            "after": [after.quantity for _, _, after in changes],
            "after_grams": [after.grams for _, _, after in changes],
            "after_fen": [after.fen for _, _, after in changes],
            "reversals": [reversed_[line.entry_id].correction_id if before.quantity else None for line, before, _ in changes],
            "entries": [booked.get(line.id) for line, _, _ in changes],
        },
    )
    invoices.follow(session, correction.supplier_order_id, CreditReason.CORRECTION)
    fresh = session.execute(_FRESH, wanted).scalars().all()
    invoices.after_acceptance(session, correction.supplier_order_id, correction.acceptance_id, fresh)
    terms.redraw_part(session, correction.supplier_order_id)
    audit.record(
        session,
        actor,
        "acceptance_correction.booked",
        "acceptance_correction",
        correction.id,
        lines=len(changes) + len(first),
        fen=sum(after.fen - before.fen for _, before, after in changes) + sum(part.amount_fen for part in first.values()),
        grams=sum(after.grams - before.grams for _, before, after in changes) + sum(part.grams for part in first.values()),
    )


def _book_first(session: Session, correction_id: int) -> dict[int, Part]:
    """Book the lines of a correction of which nothing was accepted before, as sales of today; returns what was booked by line."""
    ids = list(session.execute(_NEVER_ACCEPTED, {"id": correction_id}).scalars())
    booked = ledger.book_corrections(session, ids) if ids else {}
    if booked:
        session.execute(_WRITE_FIRST, {"ids": list(booked), "entries": [entry_id for entry_id, _ in booked.values()]})
    return {line_id: part for line_id, (_, part) in booked.items()}
