"""The lives of a settlement's statement, a payout, a change of a bank account, and an advance."""

from datetime import date
from enum import StrEnum

from shop.core.states import StateTable


class SettlementStatus(StrEnum):
    OPEN = "open"
    CONFIRMED = "confirmed"
    OBJECTED = "objected"
    ANSWERED = "answered"


class SettlementMove(StrEnum):
    CONFIRM = "confirm"
    OBJECT = "object"
    ANSWER = "answer"


class PayoutStatus(StrEnum):
    DRAFT = "draft"
    APPROVED = "approved"
    RELEASED = "released"
    SENT = "sent"
    PAID = "paid"
    FAILED = "failed"


class PayoutMove(StrEnum):
    APPROVE = "approve"
    RELEASE = "release"
    SEND = "send"
    #: It was paid: as somebody confirms, or as the bank or the provider shows.
    PAY = "confirm"
    FAIL = "fail"
    #: Its approval is taken back.
    WITHDRAW = "withdraw"
    #: It was said to have failed, and the bank shows that it left.
    REINSTATE = "reinstate"
    #: The list that it was on is void.
    RECALL = "recall"


class PayoutFileStatus(StrEnum):
    MADE = "made"
    #: It was handed to the bank.
    SENT = "sent"
    VOID = "void"


class PayoutFileMove(StrEnum):
    SEND = "send"
    VOID = "void"


class AccountStatus(StrEnum):
    REQUESTED = "requested"
    APPROVED = "approved"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


class AccountMove(StrEnum):
    APPROVE = "approve"
    REFUSE = "refuse"
    WITHDRAW = "withdraw"


class AdvanceStatus(StrEnum):
    REQUESTED = "requested"
    APPROVED = "approved"
    PAID = "paid"
    #: Somebody says that it came back, or never left, and another person has not confirmed it yet.
    RETURNING = "returning"
    RETURNED = "returned"
    REFUSED = "refused"


class AdvanceMove(StrEnum):
    APPROVE = "approve"
    REFUSE = "refuse"
    PAY = "pay"
    RETURN = "return"
    #: Another person confirms that all of it, or all that was left, came back.
    CONFIRM_RETURN = "confirm-return"
    #: So is that a part of it came back; the rest is still with the supplier.
    RETURN_PART = "return-part"
    REFUSE_RETURN = "refuse-return"


_S, _P, _A, _V = SettlementStatus, PayoutStatus, AccountStatus, AdvanceStatus

SETTLEMENT = StateTable(
    "settlement",
    {
        (_S.OPEN, SettlementMove.CONFIRM): _S.CONFIRMED,
        (_S.OPEN, SettlementMove.OBJECT): _S.OBJECTED,
        (_S.OBJECTED, SettlementMove.ANSWER): _S.ANSWERED,
        (_S.ANSWERED, SettlementMove.CONFIRM): _S.CONFIRMED,
        (_S.ANSWERED, SettlementMove.OBJECT): _S.OBJECTED,
    },
)


def settlement_moves(status: str, *, late: bool) -> list[SettlementMove]:
    """What may be done with a statement; ``late``: the days for objections are over, or it is being paid."""
    return [move for move in SETTLEMENT.possible(status) if not (late and move is SettlementMove.OBJECT)]


PAYOUT = StateTable(
    "payout",
    {
        (_P.DRAFT, PayoutMove.APPROVE): _P.APPROVED,
        (_P.APPROVED, PayoutMove.RELEASE): _P.RELEASED,
        # who approved and released it before said nothing of a second time; perhaps by another way
        (_P.FAILED, PayoutMove.APPROVE): _P.APPROVED,
        (_P.RELEASED, PayoutMove.SEND): _P.SENT,
        (_P.SENT, PayoutMove.RECALL): _P.RELEASED,
        # what the bank or the provider shows may come before anybody said that it was sent
        (_P.RELEASED, PayoutMove.PAY): _P.PAID,
        (_P.SENT, PayoutMove.PAY): _P.PAID,
        (_P.RELEASED, PayoutMove.FAIL): _P.FAILED,
        (_P.SENT, PayoutMove.FAIL): _P.FAILED,
        # a transfer that left may come back days later
        (_P.PAID, PayoutMove.FAIL): _P.FAILED,
        (_P.APPROVED, PayoutMove.WITHDRAW): _P.DRAFT,
        (_P.FAILED, PayoutMove.REINSTATE): _P.PAID,
        # approved again, and that was taken back
        (_P.DRAFT, PayoutMove.REINSTATE): _P.PAID,
    },
    # its list, or a line of the bank, says so; nobody says it of a single payout
    by_itself={PayoutMove.RECALL, PayoutMove.REINSTATE},
)
#: What nobody says by hand of one that the provider carries out.
_BY_BANK = frozenset({PayoutMove.SEND, PayoutMove.PAY, PayoutMove.FAIL})


def may_object(settlement_status: str, until: date, today: date) -> bool:
    """Whether the supplier may still object, and has not confirmed: also after an answer, which it may not agree with."""
    return settlement_status in (SettlementStatus.OPEN, SettlementStatus.ANSWERED) and today <= until


def payout_moves(status: str, method: str, *, objected: bool, early: bool) -> list[PayoutMove]:
    """What a person may do with a payout; ``objected``: an objection waits for its answer; ``early``: the supplier may still object."""
    refused = frozenset() if method == "bank" else _BY_BANK
    if objected:
        refused |= {PayoutMove.APPROVE}
    if objected or early:
        refused |= {PayoutMove.RELEASE}
    return [move for move in PAYOUT.possible(status) if move not in refused]


PAYOUT_FILE = StateTable(
    "payout_file",
    {
        (PayoutFileStatus.MADE, PayoutFileMove.SEND): PayoutFileStatus.SENT,
        (PayoutFileStatus.MADE, PayoutFileMove.VOID): PayoutFileStatus.VOID,
    },
)


def payout_file_moves(status: str, *, own: bool, dead: bool) -> list[PayoutFileMove]:
    """What a person may do with a list; ``own``: whoever made it, which another person makes void; ``dead``: all on it has failed."""
    refused = ({PayoutFileMove.VOID} if own else set()) | (set(PayoutFileMove) if dead else set())
    return [move for move in PAYOUT_FILE.possible(status) if move not in refused]


ACCOUNT = StateTable(
    "payout_account",
    {
        (_A.REQUESTED, AccountMove.APPROVE): _A.APPROVED,
        (_A.REQUESTED, AccountMove.REFUSE): _A.REFUSED,
        (_A.REQUESTED, AccountMove.WITHDRAW): _A.WITHDRAWN,
    },
)
ADVANCE = StateTable(
    "advance",
    {
        (_V.REQUESTED, AdvanceMove.APPROVE): _V.APPROVED,
        (_V.REQUESTED, AdvanceMove.REFUSE): _V.REFUSED,
        (_V.APPROVED, AdvanceMove.PAY): _V.PAID,
        (_V.APPROVED, AdvanceMove.REFUSE): _V.REFUSED,
        (_V.PAID, AdvanceMove.RETURN): _V.RETURNING,
        (_V.RETURNING, AdvanceMove.CONFIRM_RETURN): _V.RETURNED,
        (_V.RETURNING, AdvanceMove.RETURN_PART): _V.PAID,
        (_V.RETURNING, AdvanceMove.REFUSE_RETURN): _V.PAID,
    },
    # how much came back; and what came back in part is paid as what did not
    says_more={AdvanceMove.RETURN, AdvanceMove.REFUSE_RETURN},
)


def advance_moves(status: str) -> list[AdvanceMove]:
    """What a person may do with an advance; how much of it came back says itself by the amount."""
    return [move for move in ADVANCE.possible(status) if move is not AdvanceMove.RETURN_PART]
