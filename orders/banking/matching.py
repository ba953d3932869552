"""What a line of the bank may be for, with the reasons: pure rules.

A match is made without asking only where a rule makes it certain: the reference of one order stands in the text and the amount is at most what
is due, or the number of an announced transfer is equal and so is its amount; and the money comes from the buyer itself, or from somebody who
was approved to pay for it. What leaves is certain where the number of a refund or payout stands in the text, and amount and payee are equal; what
comes back, where that number and a word for it do, unless it left twice, as then the one too many may have come back; so is an advance that the books hold. What was said to have failed and a line shows to have left, and what the bank takes back by a
reversal, are proposals. A whole list of payouts, or file of refunds, that left as one line is certain by its sum and its days, if its number stands
in the text, or the line names no account and nothing else left of this amount; unless one of them was said to have failed. Where the line
comes to all but those, the number makes it certain. Everything else is a proposal that a person decides on.
"""

import itertools
import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import replace

from orders.banking.known import BACK, Booked, Facts, Line, Order, Paid, Proposal, Sent
from orders.banking.reasons import Reason
from orders.banking.rules import BankEntryKind, MatchKind
from orders.money.names import plain_name
from orders.money.references import is_written, names_document, order_ids_in, plain, written
from orders.money.rules import LIST_DAYS

#: A name that a bank has cut off is at least so long.
_CUT = 8


def is_like(name: str, other: str) -> bool:
    """Whether one plain name is the beginning of the other, as banks cut long ones, or both differ by what stands before it, as a city."""
    short, long = sorted((name, other), key=len)
    return (len(short) >= _CUT and (long.startswith(short) or long.endswith(short))) or (
        len(short) >= 4 and long == f"重庆市{short}"
    )


_NUMBER = {MatchKind.REFUND: Reason.REFUND_NUMBER, MatchKind.PAYOUT: Reason.PAYOUT_NUMBER}
_FILE_NUMBER = {MatchKind.PAYOUT_FILE: Reason.PAYOUT_FILE_NUMBER, MatchKind.REFUND_FILE: Reason.REFUND_FILE_NUMBER}
#: Orders of a payer of which three are added up, and sums that are proposed.
_ADDED_UP, _TOGETHER = 50, 3
_ORDER_NUMBER = re.compile(r"PO\d{9,}")
#: The numbers of refunds, advances and releases of payouts, by what they begin with; behind a settlement's number stands the release.
_NUMBERS = {
    prefix: re.compile(rf"{prefix}[^A-Z0-9]*(\d{{4}})[^A-Z0-9]*(\d{{6}}){behind}")
    for prefix, behind in (("TK", r"(?!\d)"), ("YF", r"(?!\d)"), ("JS", r"[^A-Z0-9]*(\d{1,18})"))
}
_TOKEN = re.compile(r"[A-Z0-9]{6,64}")
#: Words of a text by which the bank itself is meant, and of one that came back.
_FEE = re.compile(r"手续费|工本费|账户管理费|短信服务费|汇划费|服务费|回单费")
_INTEREST = re.compile(r"利息|结息|季息")
_RETURNED = re.compile(r"退汇|退票|汇款退回|账号户名不符|退回")


def numbers_of_orders(line: Line) -> set[str]:
    """The numbers of orders in a text; a number may run on into other digits, so each beginning of it counts."""
    found = _ORDER_NUMBER.findall(plain(line.text))
    return {number[:length] for number in found for length in range(11, len(number) + 1)}


def numbers_in(text: str, prefix: str) -> set[str]:
    """The numbers of refunds (``TK``), advances (``YF``) or releases of payouts (``JS``) that may stand in a text, however they were typed:
    TK2026-000001, JS2026-000001-12."""
    found = _NUMBERS[prefix].findall(unicodedata.normalize("NFKC", text).upper())
    return {prefix + "-".join(parts) for parts in found}


def bank_references(line: Line) -> set[str]:
    """What may be the number of an announced transfer: the bank's own number, and every word of letters and digits of the text."""
    spoken = unicodedata.normalize("NFKC", line.text).upper()
    return {plain(line.serial), *_TOKEN.findall(spoken)} - {""}


def payer_of(line: Line) -> str:
    """The plain name of whoever paid. A line that names nobody, such as cash paid in, goes by its own number, so that two persons can say of just this
    one that it pays an order."""
    return plain_name(line.payer_name) or plain_name(nameless(line.id))


def nameless(line_id: int) -> str:
    """Under which name the payer of a line that names none is declared."""
    return f"BL{line_id}"


def propose(line: Line, facts: Facts) -> list[Proposal]:
    """What a line may be for, the likeliest first. At most one is certain."""
    if line.reversal:  # it takes back another line: what was paid out by that came back; all else a person looks for
        entry = _bank_entry(line)
        own = [Proposal(MatchKind.BANK_ENTRY, abs(line.amount_fen), (Reason.BANK_WORDS,), entry=entry)] if entry else []
        back = [*_transfers(line, facts)] if line.amount_fen > 0 else _receipts(line, facts)
        return sorted([*back, *own], key=lambda each: -each.score)
    proposals = (
        [*_orders(line, facts), *_together(line, facts), *_transfers(line, facts), *_lists(line, facts)] if line.amount_fen else []
    )
    proposals += [_of_booked(line, each) for each in facts.booked_of(line.amount_fen)]
    if entry := _bank_entry(line):
        proposals.append(Proposal(MatchKind.BANK_ENTRY, abs(line.amount_fen), (Reason.BANK_WORDS,), entry=entry))
    if sum(each.certain for each in proposals) > 1:  # two rules name two things: a person decides
        proposals = [_uncertain(each) for each in proposals]
    return sorted(proposals, key=lambda each: (not each.certain, -each.score, each.order_id or 0, each.payment_id or 0))


def _of_booked(line: Line, booked: Booked) -> Proposal:
    """A movement of exactly this amount. An advance is certain by its number and its payee; one that came back by its number and a word for that."""
    named = bool(booked.number) and is_written(written(booked.number), line.text)
    to_payee = plain_name(line.payer_name) in booked.payees or plain(line.payer_account) in booked.accounts
    came_back = line.amount_fen > 0 and bool(_RETURNED.search(line.text))
    reasons = {Reason.ADVANCE_NUMBER: named, Reason.AMOUNT: True, Reason.PAYEE: to_payee, Reason.RETURNED: named and came_back}
    told = tuple(reason for reason, holds in reasons.items() if holds)
    sure = named and (to_payee if line.amount_fen < 0 else came_back)
    return Proposal(MatchKind.BOOKED, abs(line.amount_fen), told, sure, transaction_id=booked.transaction_id)


def _uncertain(proposal: Proposal) -> Proposal:
    return replace(proposal, certain=False)


def _orders(line: Line, facts: Facts) -> list[Proposal]:
    if line.amount_fen < 0:
        return []
    named = order_ids_in(line.text)
    numbers, references, payer = numbers_of_orders(line), bank_references(line), payer_of(line)
    proposals = []
    for order in facts.orders_for(named, {*numbers, *references, payer, line.payer_account}):
        who = payer_reason(line, order)
        basis: list[Reason] = [Reason.REFERENCE] if order.id in named else []
        if order.number in numbers:
            basis.append(Reason.ORDER_NUMBER)
        if line.payer_account and line.payer_account in order.accounts:
            basis.append(Reason.PAID_FROM_BEFORE)
        may_pay = who in (Reason.PAYER_IS_BUYER, Reason.PAYER_APPROVED)
        shown = _announced(line, order, basis, who, references, certain=may_pay and len(named | {order.id}) == 1)
        proposals += shown
        by_name = may_pay and order.due_fen == line.amount_fen
        if (basis or by_name) and not (shown and order.due_fen <= 0):
            amount = _amount(line.amount_fen, order)
            certain = named == {order.id} and may_pay and line.amount_fen <= order.due_fen and not shown
            proposals.append(Proposal(MatchKind.ORDER, line.amount_fen, (*basis, amount, who), certain, order_id=order.id))
    return proposals


def _together(line: Line, facts: Facts) -> list[Proposal]:
    """Orders that the payer may pay and whose dues come to exactly the line: pairs, or if there are none triples; a few of them."""
    payer = payer_of(line)
    if line.amount_fen <= 0 or not facts.by_payer:
        return []
    named = {
        Reason.REFERENCE: order_ids_in(line.text),
        Reason.ORDER_NUMBER: {order.id for order in facts.orders_for((), numbers_of_orders(line))},
    }
    first = set().union(*named.values())
    # whoever paid from this account before is no more likely to have paid one of its orders than some of them
    before = {order.id for order in facts.orders_for((), {line.payer_account} - {""})}
    found: dict[Reason, list[tuple[int, int]]] = {}
    for order in facts.orders_for((), {payer}):
        who = payer_reason(line, order)
        if who in (Reason.PAYER_IS_BUYER, Reason.PAYER_APPROVED) and 0 < order.due_fen < line.amount_fen:
            found.setdefault(who, []).append((order.id, order.due_fen))
    proposals = []
    for who, dues in found.items():
        # those that the text names before all others
        dues.sort(key=lambda due: (due[0] not in first, due))
        for orders in sums_to(dues, line.amount_fen):
            basis = [reason for reason, ids in named.items() if ids and ids <= dict(orders).keys()]
            basis += [Reason.PAID_FROM_BEFORE] if dict(orders).keys() <= before else []
            proposals.append(Proposal(MatchKind.ORDERS, line.amount_fen, (*basis, Reason.EXACT_DUES, who), orders=orders))
    return proposals


def sums_to(dues: Sequence[tuple[int, int]], amount_fen: int) -> list[tuple[tuple[int, int], ...]]:
    """Pairs of (order, due in fen) that add up to an amount; triples if there is no pair; so many at most as are worth showing."""
    for size, among in ((2, dues), (3, dues[:_ADDED_UP])):
        fitting = (each for each in itertools.combinations(among, size) if sum(due for _, due in each) == amount_fen)
        if few := list(itertools.islice(fitting, _TOGETHER)):
            return few
    return []


def _announced(
    line: Line, order: Order, basis: Sequence[Reason], who: Reason, references: Iterable[str], *, certain: bool
) -> list[Proposal]:
    """What the buyer announced for the order and this line may show. Equal amounts, and the bank's number or the order's reference, are certain
    unless two announcements fit alike."""
    found = []
    for each in order.announced:
        if each.amount_fen > line.amount_fen:
            continue
        reasons = [*basis]
        if plain(each.reference) in references:
            reasons.append(Reason.BANK_REFERENCE)
        equal = each.amount_fen == line.amount_fen
        if equal:
            reasons.append(Reason.ANNOUNCED_AMOUNT)
        strong = bool({Reason.BANK_REFERENCE, Reason.REFERENCE} & set(reasons))
        if strong or Reason.ORDER_NUMBER in reasons or (equal and who is not Reason.PAYER_DIFFERS):
            sure = certain and equal and strong
            found.append(
                Proposal(
                    MatchKind.ANNOUNCED, each.amount_fen, (*reasons, who), sure, order_id=each.order_id, payment_id=each.payment_id
                )
            )
    exact = [each for each in found if each.certain]
    if len(exact) > 1:
        by_number = [each for each in exact if Reason.BANK_REFERENCE in each.reasons]
        found = [each if len(by_number) == 1 and each is by_number[0] else _uncertain(each) for each in found]
    return found


def payer_reason(line: Line, order: Order) -> Reason:
    """How whoever paid stands to the buyer of an order."""
    payer = payer_of(line)
    if payer in order.buyers:
        return Reason.PAYER_IS_BUYER
    if payer in order.approved:
        return Reason.PAYER_APPROVED
    if not plain_name(line.payer_name):
        return Reason.PAYER_UNKNOWN
    return Reason.PAYER_SIMILAR if any(is_like(payer, buyer) for buyer in order.buyers) else Reason.PAYER_DIFFERS


def _amount(amount_fen: int, order: Order) -> Reason:
    if amount_fen == order.due_fen:
        return Reason.EXACT_DUE
    if amount_fen < order.due_fen:
        return Reason.BELOW_DUE
    # nothing was paid too much where it may be one of those that were announced, at another amount
    return Reason.ANNOUNCED_WAITS if order.announced and amount_fen <= order.outstanding_fen else Reason.ABOVE_DUE


def _sent(line: Line, facts: Facts) -> list[Proposal]:
    """What was sent, of exactly this amount, and left or came back."""
    found = []
    for each in facts.sent_of(abs(line.amount_fen)):
        reasons = [_NUMBER[each.kind]] if is_written(written(each.number), line.text) else []
        named = bool(reasons)
        reasons.append(Reason.AMOUNT)
        to_payee = _is_payee(line, each)
        reasons += [Reason.PAYEE] if to_payee else []
        came_back = bool(_RETURNED.search(line.text))
        likely = each.leaves or named or (to_payee and line.booked_on >= each.released_on)
        if line.amount_fen < 0 and each.failed and likely:  # what people said only people take back
            found.append(_of_sent(each.kind, each, [*reasons, Reason.SAID_FAILED], certain=False))
        elif line.amount_fen < 0 and each.leaves:
            found.append(_of_sent(each.kind, each, reasons, certain=named and to_payee))
        elif line.reversal and each.returns and (named or to_payee):
            found += _one_too_many(each, [*reasons, Reason.REVERSAL])
            found.append(_of_sent(BACK[each.kind], each, [*reasons, Reason.REVERSAL], certain=False))
        elif line.amount_fen > 0 and not line.reversal and each.returns and (named or came_back):
            reasons += [Reason.RETURNED] if came_back else []
            found += _one_too_many(each, reasons)
            found.append(_of_sent(BACK[each.kind], each, reasons, certain=named and came_back and not each.twice))
    return found


def _one_too_many(sent: Sent, reasons: Sequence[Reason]) -> list[Proposal]:
    """That of what left twice the one came back that its supplier holds ahead; none: it left once."""
    made = _of_sent(MatchKind.BANK_ENTRY, sent, [*reasons, Reason.LEFT_TWICE], certain=False)
    return [replace(made, entry=BankEntryKind.PAID_TWICE)] if sent.twice else []


def _transfers(line: Line, facts: Facts) -> list[Proposal]:
    found = _sent(line, facts)
    return [*found, *_otherwise(line, facts, {(each.refund_id, each.attempt_id) for each in found})]


def _otherwise(line: Line, facts: Facts, fitting: set[tuple[int | None, int | None]]) -> list[Proposal]:
    """What the text names besides what fits, by refund and release, and the line shows with another amount, or though another line shows it: a person
    looks what happened."""
    found = []
    came_back = bool(_RETURNED.search(line.text)) or line.reversal
    for each in facts.named:
        named = (each.id if each.kind is MatchKind.REFUND else None, each.attempt_id)
        if named in fitting or not is_written(written(each.number), line.text):
            continue
        if line.amount_fen > 0 and not came_back:
            continue
        reasons = [_NUMBER[each.kind], *([Reason.PAYEE] if _is_payee(line, each) else [])]
        reasons.append(Reason.AMOUNT if each.amount_fen == abs(line.amount_fen) else Reason.AMOUNT_DIFFERS)
        if not (each.leaves if line.amount_fen < 0 else each.returns):
            reasons.append(Reason.SAID_FAILED if each.failed and line.amount_fen < 0 else Reason.SHOWN_ALREADY)
        kind = each.kind if line.amount_fen < 0 else BACK[each.kind]
        made = _of_sent(kind, each, reasons, certain=False)
        if (
            kind in _NUMBER and Reason.SHOWN_ALREADY in reasons and not each.stands
        ):  # it came back: neither it nor anything once more
            continue
        if kind in _NUMBER and Reason.SHOWN_ALREADY in reasons:  # its supplier has it ahead, its buyer owes it
            twice = min(each.amount_fen, abs(line.amount_fen))
            made = replace(made, kind=MatchKind.BANK_ENTRY, amount_fen=twice, entry=BankEntryKind.PAID_TWICE)
        found.append(made)
    return found


def _receipts(line: Line, facts: Facts) -> list[Proposal]:
    """Matches of what came in and the bank takes back by this line."""
    return [
        Proposal(
            MatchKind.RECEIPT_REVERSED,
            each.amount_fen,
            (Reason.AMOUNT, Reason.SAME_SIDE, Reason.REVERSAL),
            order_id=each.order_id,
            match_id=each.match_id,
        )
        for each in facts.receipts_of(-line.amount_fen)
        if (line.payer_account and each.payer_account == line.payer_account)
        or (plain_name(line.payer_name) and plain_name(each.payer_name) == plain_name(line.payer_name))
    ]


def _is_payee(line: Line, sent: Sent) -> bool:
    return plain_name(sent.payee) == plain_name(line.payer_name) or bool(sent.account and sent.account == line.payer_account)


def _lists(line: Line, facts: Facts) -> list[Proposal]:
    """Lists of payouts and files of refunds that left as one line of exactly their sum, or of their sum less what was said to have failed. Of a list
    with one on it the line of that one tells."""
    if line.amount_fen > 0:
        return []
    found = []
    fitting = facts.lists_of(-line.amount_fen)
    for each in fitting:
        named = is_written(written(each.number), line.text)
        if not named and len(each.listed) == 1:
            continue
        in_time = each.made_on <= line.booked_on <= each.made_on + LIST_DAYS
        reasons = [_FILE_NUMBER[each.kind]] if named else []
        reasons += [Reason.AMOUNT, Reason.PAYOUT_FILE_DAY] if in_time else [Reason.AMOUNT]
        reasons += [Reason.SAID_FAILED] if each.failed else []
        reasons += [Reason.LESS_FAILED] if each.less_failed else []
        others = any(sent.leaves or sent.failed for sent in facts.sent_of(-line.amount_fen))
        alone = len(fitting) == 1 and not line.payer_account and not others
        sure = in_time and (named or (alone and not each.less_failed)) and not each.failed
        payout_file_id, refund_file_id = (each.id, None) if each.kind is MatchKind.PAYOUT_FILE else (None, each.id)
        found.append(
            Proposal(
                each.kind,
                each.amount_fen,
                tuple(reasons),
                sure,
                payout_file_id=payout_file_id,
                refund_file_id=refund_file_id,
                listed=each.listed,
            )
        )
    return found


def is_other_payee(line: Line, paid: Paid) -> bool:
    """Whether a line that is said to show a payment once more went to somebody else, or tells nothing of it at all."""
    if any(is_written(written(each), line.text) for each in paid.lists):
        return False
    if line.payer_name or line.payer_account:
        return plain_name(line.payer_name) not in paid.payees and plain(line.payer_account) not in paid.accounts
    return not any(is_written(written(each), line.text) for each in paid.numbers)


def is_other_number(line: Line, paid: Paid) -> bool:
    """Whether a line that is said to show a payment once more has the number of another one in its text, and not that of this one."""
    return names_document(line.text) and not any(is_written(written(each), line.text) for each in (*paid.numbers, *paid.lists))


def is_contradicted(line: Line, entry: BankEntryKind) -> bool:
    """Whether a line tells against what is said to be the bank's own: interest comes in and fees go out, unless the text speaks of them."""
    went_out = (line.amount_fen < 0) != line.reversal
    if entry is BankEntryKind.INTEREST:
        return went_out and not _INTEREST.search(line.text)
    return entry is BankEntryKind.FEE and not went_out and not _FEE.search(line.text)


def is_of_document(line: Line, entry: BankEntryKind) -> bool:
    """Whether what is said to be the bank's own has the number of a refund, payout or advance in its text, which is rather that; unless the text speaks of
    fees or interest, or the bank only takes back an entry of its own."""
    words = {BankEntryKind.FEE: _FEE, BankEntryKind.INTEREST: _INTEREST}.get(entry)
    own = words is not None and words.search(line.text)
    return entry is not BankEntryKind.PAID_TWICE and not line.reversal and names_document(line.text) and not own


def _of_sent(kind: MatchKind, sent: Sent, reasons: Sequence[Reason], *, certain: bool) -> Proposal:
    refund_id, payout_id = (sent.id, None) if sent.kind is MatchKind.REFUND else (None, sent.id)
    return Proposal(
        kind,
        sent.amount_fen,
        tuple(reasons),
        certain,
        order_id=sent.order_id,
        refund_id=refund_id,
        payout_id=payout_id,
        attempt_id=sent.attempt_id,
    )


def _bank_entry(line: Line) -> BankEntryKind | None:
    """What the bank takes is named by its text and has no other side; a person confirms it."""
    if line.payer_account and line.payer_name:
        return None
    went_out = (line.amount_fen < 0) != line.reversal
    if went_out and _FEE.search(line.text):
        return BankEntryKind.FEE
    return BankEntryKind.INTEREST if not went_out and _INTEREST.search(line.text) else None
