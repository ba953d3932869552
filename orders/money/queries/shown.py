"""What lines of the bank's statements show of transfers that the marketplace released to bank accounts."""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import text
from sqlmodel import Session

from orders.money.errors import ShownByBank
from orders.money.names import plain_name
from orders.money.references import plain
from orders.money.rules import LIST_DAYS, Kind
from shop.core.money import yuan_from_fen

_MATCHED = text(
    """
    SELECT l.* FROM money_transaction mt JOIN bank_match m ON m.transaction_id = mt.id AND m.undone_at IS NULL JOIN bank_line l ON l.id = m.line_id
    WHERE mt.kind = :left AND mt.origin_id = :origin_id AND l.id > :after
      -- unless a line shows that it came back
      AND NOT EXISTS (SELECT FROM money_transaction b JOIN bank_match r ON r.transaction_id = b.id AND r.undone_at IS NULL
                      WHERE b.kind = :back AND b.origin_id = :origin_id)
    ORDER BY l.id DESC LIMIT 1
    """
)
#: Lines that went out and are not explained, newest first: of these amounts, or with one of these numbers in their text.
_OPEN = text(
    """
    SELECT l.* FROM bank_line l
    WHERE l.amount_fen < 0 AND NOT l.reversal AND l.matched_fen < abs(l.amount_fen) AND l.id > :after
      AND (-l.amount_fen IN (:amount_fen, :list_fen) AND l.booked_on >= :since OR upper(normalize(l.text, NFKC)) ~ :numbers)
    ORDER BY l.id DESC
    """
)
_BACK = {Kind.PAYOUT_PAID: Kind.PAYOUT_FAILED, Kind.REFUND_PAID: Kind.REFUND_FAILED}
#: The number of any refund, release of a payout or list of payouts, in a plain text.
_ANY_NUMBER = re.compile(r"(?:FK|JS|TK)\d{10}")


@dataclass(frozen=True, slots=True)
class Transfer:
    """A transfer to a bank account that was released on a day: a payout by one of its releases, or a refund. ``list``: number, sum and day of the list
    for the bank that it stood on with others."""

    #: As what it is booked when it leaves; and what caused that.
    kind: Kind
    origin_id: int
    #: Numbers that stand in the text of the transfer.
    numbers: tuple[str, ...]
    amount_fen: int
    payee: str
    account: str
    since: date
    list: tuple[str, int, date] | None = None


def line_of(session: Session, transfer: Transfer, after: int = 0) -> Any | None:
    """The latest line that shows that a transfer left: it is matched with it and none with its return; or it is not matched, went out, and names the
    transfer or its list, or has its amount and payee, or the sum of its list, in time. ``after``: of the lines behind this one."""
    asked = {"left": transfer.kind, "back": _BACK[transfer.kind], "origin_id": transfer.origin_id, "after": after}
    if matched := session.execute(_MATCHED, asked).first():
        return matched
    numbers = [*transfer.numbers, *(transfer.list[:1] if transfer.list else ())]
    pattern = "|".join(written(number) for number in numbers)
    values = {
        "after": after,
        "amount_fen": transfer.amount_fen,
        "list_fen": transfer.list[1] if transfer.list else transfer.amount_fen,
        "since": transfer.since,
        "numbers": pattern,
    }
    return next((line for line in session.execute(_OPEN, values) if _shows(line, transfer, pattern)), None)


def written(number: str) -> str:
    """The pattern of a number in a text of capitals, with whatever stands between its letters and digits, and not as the beginning of a longer
    one. The database and Python read it alike."""
    return "[^A-Z0-9]*".join(plain(number)) + "(?![0-9]|-[0-9])"


def _shows(line: Any, transfer: Transfer, numbers: str) -> bool:
    if re.search(numbers, unicodedata.normalize("NFKC", line.text).upper()):
        return True
    if line.booked_on < transfer.since or _ANY_NUMBER.search(plain(line.text)):  # another one's
        return False
    if -line.amount_fen == transfer.amount_fen:
        if line.payer_account:
            return plain(line.payer_account) == plain(transfer.account)
        return not line.payer_name or plain_name(line.payer_name) == plain_name(transfer.payee)
    assert transfer.list is not None
    return not line.payer_account and transfer.list[2] <= line.booked_on <= transfer.list[2] + LIST_DAYS


def require_not_shown(session: Session, transfer: Transfer) -> None:
    """Refuse what somebody says against the bank.

    Raises:
        ShownByBank: a line of the bank shows that it left (409).
    """
    if line := line_of(session, transfer):
        raise ShownByBank(**of_line(line))


def latest_of(session: Session, transfers: Iterable[Transfer], after: int = 0) -> Any | None:
    """The latest line that shows one of several transfers, as :func:`line_of`."""
    found = [line for each in transfers if (line := line_of(session, each, after))]
    return max(found, key=lambda line: line.id, default=None)


def of_line(line: Any) -> dict[str, Any]:
    """What a refusal tells of a line."""
    return {"line_id": line.id, "day": str(line.booked_on), "amount": yuan_from_fen(abs(line.amount_fen))}
