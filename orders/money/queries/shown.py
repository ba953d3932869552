"""What lines of the bank's statements show of transfers that the marketplace released to bank accounts."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import text
from sqlmodel import Session

from orders.money.errors import ShownByBank
from orders.money.names import plain_name
from orders.money.references import is_written, names_document, plain, written
from orders.money.rules import LIST_DAYS, Kind
from shop.core.db import array
from shop.core.money import yuan_from_fen

#: The latest line with which each of them is matched as having left.
_MATCHED = text(
    """
    SELECT DISTINCT ON (t.number) t.number, l.*
    FROM unnest(CAST(:ids AS bigint[]), CAST(:afters AS bigint[])) WITH ORDINALITY AS t (origin_id, after, number)
    JOIN money_transaction mt ON mt.kind = :left AND mt.origin_id = t.origin_id
    JOIN bank_match m ON m.transaction_id = mt.id AND m.undone_at IS NULL JOIN bank_line l ON l.id = m.line_id AND l.id > t.after
    -- unless a line shows that it came back
    WHERE NOT EXISTS (SELECT FROM money_transaction b JOIN bank_match r ON r.transaction_id = b.id AND r.undone_at IS NULL
                      WHERE b.kind = :back AND b.origin_id = t.origin_id)
    ORDER BY t.number, l.id DESC
    """
)
#: Lines that went out and are not explained, newest first: of these amounts, or that name any document of such a kind.
_OPEN = text(
    """
    SELECT l.* FROM bank_line l
    WHERE l.amount_fen < 0 AND NOT l.reversal AND l.matched_fen < abs(l.amount_fen) AND l.id > :after
      AND (-l.amount_fen = ANY (CAST(:amounts AS bigint[])) AND l.booked_on >= :since OR upper(normalize(l.text, NFKC)) ~ :documents)
    ORDER BY l.id DESC
    """
)
_SUM_LEFT = text(
    """
    SELECT EXISTS (SELECT FROM bank_line l WHERE l.amount_fen = -CAST(:amount_fen AS bigint) AND NOT l.reversal
                   AND l.matched_fen < abs(l.amount_fen) AND l.booked_on >= :since)
    """
)
_BACK = {Kind.PAYOUT_PAID: Kind.PAYOUT_FAILED, Kind.REFUND_PAID: Kind.REFUND_FAILED}


@dataclass(frozen=True, slots=True)
class Transfer:
    """A transfer to a bank account that was released on a day: a payout by one of its releases, or a refund. ``list``: number, sums and day of the list
    for the bank that it stood on with others; the sum of all of it, and less what else on it failed, as that may have been rejected."""

    #: As what it is booked when it leaves; and what caused that.
    kind: Kind
    origin_id: int
    #: Numbers that stand in the text of the transfer.
    numbers: tuple[str, ...]
    amount_fen: int
    payee: str
    account: str
    since: date
    list: tuple[str, tuple[int, ...], date] | None = None
    #: Only lines behind this one are looked at.
    after: int = 0


def lines_of(session: Session, transfers: Sequence[Transfer]) -> list[Any | None]:
    """Of each transfer the latest line that shows that it left: it is matched with it and none with its return; or it is not matched, went out, and
    names the transfer or its list, or has its amount and payee, or a sum of its list, in time. All are payouts, or all are refunds."""
    if not transfers:
        return []
    kind = transfers[0].kind
    asked = {
        "left": kind,
        "back": _BACK[kind],
        "ids": array(each.origin_id for each in transfers),
        "afters": array(each.after for each in transfers),
    }
    matched = {row.number - 1: row for row in session.execute(_MATCHED, asked)}
    numbers = [[*each.numbers, *(each.list[:1] if each.list else ())] for each in transfers]
    sums = {each.amount_fen for each in transfers}.union(*(each.list[1] for each in transfers if each.list))
    values = {
        "after": min(each.after for each in transfers),
        "amounts": array(sums),
        "since": min(each.since for each in transfers),
        "documents": "|".join(sorted({"[^A-Z0-9]*".join(number[:2]) for some in numbers for number in some})),
    }
    lines = session.execute(_OPEN, values).all()
    patterns = [re.compile("|".join(written(number) for number in some)) for some in numbers] if lines else []
    return [
        matched.get(at) or next((line for line in lines if line.id > each.after and _shows(line, each, patterns[at])), None)
        for at, each in enumerate(transfers)
    ]


def _shows(line: Any, transfer: Transfer, numbers: str | re.Pattern[str]) -> bool:
    if is_written(numbers, line.text):
        return True
    if line.booked_on < transfer.since or names_document(line.text):  # another one's
        return False
    if -line.amount_fen == transfer.amount_fen:
        if line.payer_account:
            return plain(line.payer_account) == plain(transfer.account)
        return not line.payer_name or plain_name(line.payer_name) == plain_name(transfer.payee)
    if transfer.list is None or -line.amount_fen not in transfer.list[1]:
        return False
    return not line.payer_account and transfer.list[2] <= line.booked_on <= transfer.list[2] + LIST_DAYS


def is_sum_left(session: Session, amount_fen: int, since: date) -> bool:
    """Whether a line that is not explained yet went out from a day on with exactly this sum, in fen, whoever it names: as that of a list may."""
    return bool(session.execute(_SUM_LEFT, {"amount_fen": amount_fen, "since": since}).scalar_one())


def require_not_shown(session: Session, transfer: Transfer) -> None:
    """Refuse what somebody says against the bank.

    Raises:
        ShownByBank: a line of the bank shows that it left (409).
    """
    [line] = lines_of(session, [transfer])
    if line is not None:
        raise ShownByBank(**of_line(line))


def of_line(line: Any) -> dict[str, Any]:
    """What a refusal tells of a line."""
    return {"line_id": line.id, "day": str(line.booked_on), "amount": yuan_from_fen(abs(line.amount_fen))}
