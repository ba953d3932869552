"""What accepted lines still can give back: held when it is asked back, let go or given back when that is over."""

from collections.abc import Mapping
from decimal import Decimal

from sqlalchemy import text
from sqlmodel import Session

from orders.returns.errors import AboveAccepted

# What stands of a line is its first entry, or the one that was booked for another buyer since.
_OPEN = text(
    """
    WITH RECURSIVE standing AS (
        SELECT al.id AS line, al.accepted_quantity, e.id AS entry_id
        FROM acceptance_line al JOIN sale_entry e ON e.origin_kind = 'acceptance_line' AND e.origin_id = al.id
        WHERE al.id = ANY (CAST(:lines AS bigint[]))
        UNION ALL
        SELECT s.line, s.accepted_quantity, n.id
        FROM standing s JOIN sale_entry c ON c.reverses_id = s.entry_id
        JOIN sale_entry n ON n.origin_kind = 'reassignment' AND n.origin_id = c.id
    )
    INSERT INTO acceptance_balance (acceptance_line_id, entry_id, accepted, held, returned)
    SELECT DISTINCT ON (line) line, entry_id, accepted_quantity, 0, 0 FROM standing ORDER BY line, entry_id DESC
    ON CONFLICT (acceptance_line_id) DO NOTHING
    """
)
# One conditional UPDATE on rows locked by id: of two who ask for the last goods at once, the second finds that they are spoken for.
_HOLD = text(
    """
    WITH locked AS MATERIALIZED (
        SELECT acceptance_line_id FROM acceptance_balance WHERE acceptance_line_id = ANY (CAST(:lines AS bigint[]))
        ORDER BY acceptance_line_id FOR UPDATE
    )
    UPDATE acceptance_balance b SET held = b.held + u.quantity
    FROM unnest(CAST(:lines AS bigint[]), CAST(:quantities AS numeric[])) AS u (line, quantity) JOIN locked l ON l.acceptance_line_id = u.line
    WHERE b.acceptance_line_id = u.line AND b.held + b.returned + u.quantity <= b.accepted
    RETURNING b.acceptance_line_id
    """
)
_LET_GO = text(
    """
    WITH line AS (
        SELECT acceptance_line_id, quantity, returned_quantity FROM goods_return_line WHERE goods_return_id = :id
    ), locked AS MATERIALIZED (
        SELECT b.acceptance_line_id FROM acceptance_balance b JOIN line USING (acceptance_line_id) ORDER BY 1 FOR UPDATE OF b
    )
    UPDATE acceptance_balance b SET held = b.held - line.quantity, returned = b.returned + line.returned_quantity
    FROM line JOIN locked USING (acceptance_line_id) WHERE b.acceptance_line_id = line.acceptance_line_id
    """
)


def hold(session: Session, wanted: Mapping[int, Decimal]) -> None:
    """Hold quantities of accepted lines, by acceptance line.

    Raises:
        AboveAccepted: they were asked back by somebody else this moment (409).
    """
    opened(session, list(wanted))
    values = {"lines": list(wanted), "quantities": list(wanted.values())}
    if len(session.execute(_HOLD, values).all()) < len(wanted):
        raise AboveAccepted


def opened(session: Session, acceptance_lines: list[int]) -> None:
    """See to it that accepted lines have a balance."""
    session.execute(_OPEN, {"lines": acceptance_lines})


def let_go(session: Session, return_id: int) -> None:
    """The return is over: nothing is held for it any more, and what the ledger took back by it counts as given back."""
    session.execute(_LET_GO, {"id": return_id})
