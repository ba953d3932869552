"""What is known of a line of the bank, and of everything that it may be for: what the rules of matching look at."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import TypeVar

from orders.banking.reasons import WEIGHTS, Reason
from orders.banking.rules import BankEntryKind, MatchKind
from orders.money.references import plain


@dataclass(frozen=True, slots=True)
class Line:
    """What is not explained yet of a line. ``amount_fen`` above zero came in."""

    id: int
    amount_fen: int
    text: str = ""
    serial: str = ""
    payer_name: str = ""
    payer_account: str = ""
    booked_on: date = date.max
    #: The bank takes back a line of the other direction.
    reversal: bool = False


@dataclass(frozen=True, slots=True)
class Announced:
    """A transfer that a buyer says it made and no line has shown yet."""

    payment_id: int
    order_id: int
    amount_fen: int
    reference: str


@dataclass(slots=True)
class Order:
    """An order that may be paid. ``due_fen`` leaves out what was announced: below zero when too much was paid."""

    id: int
    number: str
    due_fen: int
    #: Plain names: of the buyer and the unit that ordered, and of those who were approved to pay for it.
    buyers: frozenset[str]
    approved: frozenset[str] = frozenset()
    #: Accounts from which it was paid for this buyer before.
    accounts: frozenset[str] = frozenset()
    announced: tuple[Announced, ...] = ()

    @property
    def outstanding_fen(self) -> int:
        """What is due, and what is announced and has not arrived."""
        return self.due_fen + sum(each.amount_fen for each in self.announced)


@dataclass(frozen=True, slots=True)
class Sent:
    """Money that the marketplace sends to a bank account: a released refund, or a release of a payout."""

    #: As what it leaves: REFUND or PAYOUT. What comes back is named in ``BACK``.
    kind: MatchKind
    #: The refund, or the payout.
    id: int
    #: It stands in the text of the transfer, because the files for the bank put it there.
    number: str
    amount_fen: int
    payee: str
    account: str
    #: It has not left, or the books say that it has and no line shows it.
    leaves: bool
    #: It has left, or the books say that it came back and no line shows that.
    returns: bool
    order_id: int | None = None
    #: Which release of the payout.
    attempt_id: int | None = None
    #: It was said to have failed, and no line shows that it came back.
    failed: bool = False
    #: It is paid by this or another release: a further line shows that it left once more.
    stands: bool = True
    #: It left twice, and nothing of that came back yet.
    twice: bool = False
    released_on: date = date.min


@dataclass(frozen=True, slots=True)
class Paid:
    """A payout, refund or advance that left, as a line may show that it left once more."""

    number: str
    state: str
    amount_fen: int
    #: Whether it did leave.
    left: bool
    #: What stands in the text of its transfers; and the lists or files that it stood on, which may leave as one line to an account of the bank's own.
    numbers: tuple[str, ...]
    lists: tuple[str, ...]
    #: Plain names and accounts to which it went.
    payees: frozenset[str]
    accounts: frozenset[str]
    #: The supplier or buyer that has it.
    party_id: int
    #: Of a refund.
    order_id: int | None = None


@dataclass(frozen=True, slots=True)
class Listed:
    """One payout of a list, or one refund of a file."""

    payout_id: int | None
    attempt_id: int | None
    amount_fen: int
    refund_id: int | None = None
    #: Of the refund.
    order_id: int | None = None
    #: It was said to have failed, and no line shows that it came back.
    failed: bool = False


@dataclass(frozen=True, slots=True)
class SentList:
    """A list of payouts, or a file of refunds, for the bank of which no line has shown any; banks may show all of it as one line, or all but what they
    rejected."""

    id: int
    number: str
    #: Of all that is listed here.
    amount_fen: int
    made_on: date
    listed: tuple[Listed, ...]
    #: One of them was said to have failed, and no line shows that it came back.
    failed: bool = False
    #: What was said to have failed is left out.
    less_failed: bool = False
    #: As what it leaves as a whole: PAYOUT_FILE or REFUND_FILE.
    kind: MatchKind = MatchKind.PAYOUT_FILE


@dataclass(frozen=True, slots=True)
class Receipt:
    """A match of a line that came in with an order or an announced payment; the bank may take that line back."""

    match_id: int
    #: Of the line.
    amount_fen: int
    payer_name: str
    payer_account: str
    order_id: int


#: What it is called when it comes back, and the reason that its number is.
BACK: Mapping[MatchKind, MatchKind] = {MatchKind.REFUND: MatchKind.REFUND_RETURNED, MatchKind.PAYOUT: MatchKind.PAYOUT_RETURNED}


@dataclass(frozen=True, slots=True)
class Booked:
    """Another movement of the bank account in the books that no line has shown; ``amount_fen`` above zero came in."""

    transaction_id: int
    amount_fen: int
    #: Of an advance, or one that came back: its number, and the plain names and accounts of its supplier.
    number: str = ""
    payees: frozenset[str] = frozenset()
    accounts: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Proposal:
    """What a line may be for, with the amount of it in fen, and why."""

    kind: MatchKind
    amount_fen: int
    reasons: tuple[Reason, ...]
    certain: bool = False
    order_id: int | None = None
    payment_id: int | None = None
    refund_id: int | None = None
    payout_id: int | None = None
    attempt_id: int | None = None
    payout_file_id: int | None = None
    refund_file_id: int | None = None
    #: What is on that list, or in that file.
    listed: tuple[Listed, ...] = ()
    #: Orders that are paid together, with what is due for each.
    orders: tuple[tuple[int, int], ...] = ()
    transaction_id: int | None = None
    entry: BankEntryKind | None = None
    #: Which is to be undone.
    match_id: int | None = None

    @property
    def moved(self) -> set[tuple[int | None, int | None]]:
        """The payouts and refunds that a match would pay, or have fail: each as its payout, its refund."""
        listed = {(each.payout_id, each.refund_id) for each in self.listed}
        return (listed | {(self.payout_id, self.refund_id)}) - {(None, None)}

    @property
    def score(self) -> int:
        return max(0, min(100, sum(WEIGHTS[reason] for reason in self.reasons)))


class Facts:
    """What lines are matched against, found by what a line may tell of them. ``by_payer``: also by who paid, which alone is never certain; a
    unit with many orders would be compared with each of them."""

    def __init__(
        self,
        orders: Iterable[Order] = (),
        sent: Iterable[Sent] = (),
        booked: Iterable[Booked] = (),
        lists: Iterable[SentList] = (),
        receipts: Iterable[Receipt] = (),
        named: Iterable[Sent] = (),
        *,
        by_payer: bool = True,
    ) -> None:
        self.orders = {order.id: order for order in orders}
        self.by_payer = by_payer
        self._by_word: dict[str, list[Order]] = {}
        for order in self.orders.values():
            announced = (plain(each.reference) for each in order.announced)
            payers = (*order.buyers, *order.approved, *order.accounts) if by_payer else ()
            for word in {order.number, *payers, *announced} - {""}:
                self._by_word.setdefault(word, []).append(order)
        self._sent = _by_amount(sent)
        self._booked = _by_amount(booked)
        self._lists = _by_amount(lists)
        self._receipts = _by_amount(receipts)
        #: What a text names, whatever its amount and state.
        self.named = list(named)

    def orders_for(self, named: Iterable[int], words: Iterable[str]) -> list[Order]:
        """The orders that are named, or that one of the words points to: a number, a name, an account."""
        found = {order_id: self.orders[order_id] for order_id in named if order_id in self.orders}
        for word in words:
            found |= {order.id: order for order in self._by_word.get(word, ())}
        return list(found.values())

    def sent_of(self, amount_fen: int) -> Sequence[Sent]:
        return self._sent.get(amount_fen, [])

    def lists_of(self, amount_fen: int) -> Sequence[SentList]:
        return self._lists.get(amount_fen, [])

    def receipts_of(self, amount_fen: int) -> Sequence[Receipt]:
        return self._receipts.get(amount_fen, [])

    def booked_of(self, amount_fen: int) -> Sequence[Booked]:
        return self._booked.get(amount_fen, [])

    def use(self, proposal: Proposal) -> None:
        """Take away what a match has used up, for the lines that follow."""
        order = self.orders.get(proposal.order_id or 0)
        if proposal.kind is MatchKind.ORDER and order:
            order.due_fen -= proposal.amount_fen
        if proposal.kind is MatchKind.ANNOUNCED and order:
            order.announced = tuple(each for each in order.announced if each.payment_id != proposal.payment_id)
        if proposal.transaction_id:
            for amount_fen in (proposal.amount_fen, -proposal.amount_fen):  # it came in or went out
                self._booked[amount_fen] = [
                    each for each in self.booked_of(amount_fen) if each.transaction_id != proposal.transaction_id
                ]
        if proposal.refund_id or proposal.payout_id:
            # what left may come back by the next line
            self._sent[proposal.amount_fen] = [
                replace(each, leaves=False, returns=proposal.kind is each.kind, failed=False) if _is_of(proposal, each) else each
                for each in self.sent_of(proposal.amount_fen)
            ]
        for listed in proposal.listed:
            self._sent[listed.amount_fen] = [
                replace(each, leaves=False, returns=True, failed=False) if _is_of(listed, each) else each
                for each in self.sent_of(listed.amount_fen)
            ]
        if gone := proposal.moved:
            for amount_fen, lists in self._lists.items():
                self._lists[amount_fen] = [
                    each for each in lists if gone.isdisjoint((listed.payout_id, listed.refund_id) for listed in each.listed)
                ]


def _is_of(moved: Proposal | Listed, sent: Sent) -> bool:
    named = moved.refund_id if sent.kind is MatchKind.REFUND else moved.payout_id
    return (named, moved.attempt_id) == (sent.id, sent.attempt_id)


_Amounted = TypeVar("_Amounted", Sent, Booked, SentList, Receipt)


def _by_amount(listed: Iterable[_Amounted]) -> dict[int, list[_Amounted]]:
    found: dict[int, list[_Amounted]] = {}
    for each in listed:
        found.setdefault(each.amount_fen, []).append(each)
    return found
