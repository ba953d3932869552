"""What of an order is due when: pure functions over what it costs, what was accepted and what was paid. Amounts in fen, dates of Shanghai."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from itertools import accumulate

from shop.core.money import share_out
from shop.programmes.payment import DepositPayment, InstalmentPayment, NetPayment, PaymentRules, PaymentTerms, Prepayment


class After(StrEnum):
    """What the days of a due are counted from."""

    ORDER = "order"
    #: The supplier's confirmation: what is due then is paid before anything is shipped.
    CONFIRMATION = "confirmation"
    ACCEPTANCE = "acceptance"


class Bucket(StrEnum):
    """How long an amount is overdue, in days."""

    TO_30 = "1-30"
    TO_60 = "31-60"
    TO_90 = "61-90"
    OVER_90 = "over_90"


#: The first and the last day of each.
BUCKETS: dict[Bucket, tuple[int, int | None]] = {
    Bucket.TO_30: (1, 30),
    Bucket.TO_60: (31, 60),
    Bucket.TO_90: (61, 90),
    Bucket.OVER_90: (91, None),
}


@dataclass(frozen=True, slots=True)
class Share:
    """A share of what an order costs, in percent, due so many days after something."""

    percent: int
    days: int
    after: After


@dataclass(frozen=True, slots=True)
class Part:
    """A supplier's part of an order: what it costs by now, when it was confirmed, and what was accepted or taken back on which days."""

    id: int
    cost_fen: int
    confirmed_on: date | None = None
    accepted: tuple[tuple[date, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Due:
    """An amount of one part, by when it is due (None: not before something that has not happened yet), how much of it is paid, and how much of that
    has arrived."""

    part_id: int
    after: After
    due_on: date | None
    amount_fen: int
    paid_fen: int = 0
    arrived_fen: int = 0


@dataclass(frozen=True, slots=True)
class _Chunk:
    on: date | None
    part_id: int
    fen: int


def shares_of(terms: PaymentTerms, extended_days: int = 0) -> tuple[Share, ...]:
    """Settled terms (:meth:`PaymentRules.settled`) as shares that are the whole."""
    match terms:
        case Prepayment():
            return (Share(100, (terms.days or 0) + extended_days, After.CONFIRMATION),)
        case NetPayment():
            return (Share(100, terms.days or 0, After.ACCEPTANCE),)
        case DepositPayment():
            return (
                Share(terms.percent, terms.deposit_days or 0, After.CONFIRMATION),
                Share(100 - terms.percent, terms.days or 0, After.ACCEPTANCE),
            )
        case InstalmentPayment():
            return tuple(Share(each.percent, each.days, After(each.after)) for each in terms.instalments)


def on_credit(terms: PaymentTerms) -> bool:
    """Whether anything may be owed after the goods were sent (先货后款)."""
    return not isinstance(terms, Prepayment)


def chosen(asked: PaymentTerms | None, usual: PaymentTerms | None, programme: PaymentRules, *, may_owe: bool) -> PaymentTerms:
    """The terms of an order, every number filled in: those asked for, else those of its unit, else of the programme. Who may owe nothing and asks
    for nothing else pays ahead.

    Raises:
        PaymentTooLate: see there.
    """
    terms = asked or usual or programme.default
    if asked is None and on_credit(terms) and not may_owe:
        terms = Prepayment(kind="prepayment")
    return programme.settled(terms)


def dues_of(parts: Sequence[Part], shares: Sequence[Share], ordered_on: date, paid_fen: int, not_arrived_fen: int = 0) -> list[Due]:
    """What is due of an order, oldest first and what has no date last. The amounts sum to what the order costs, to the fen; what was paid covers the
    oldest first, and what was paid too much covers nothing. Of what was paid, ``not_arrived_fen`` is not there (yet): what arrived covers the oldest
    first too.

    Each share is a share of the whole order, so that an acceptance in parts moves no fen between them. It is laid over what it is counted from
    (orders, confirmations or acceptances, by date) by running totals: what comes later changes no amount that was due before.
    """
    cost = sum(part.cost_fen for part in parts)
    if cost <= 0:
        return []
    found: dict[tuple[date | None, int, After], int] = {}
    for share, total in zip(shares, share_out(cost, [share.percent for share in shares]), strict=True):
        chunks = _chunks(parts, share.after, ordered_on)
        for chunk, fen in zip(chunks, _laid_over(total, [chunk.fen for chunk in chunks]), strict=True):
            due_on = chunk.on + timedelta(days=share.days) if chunk.on else None
            key = (due_on, chunk.part_id, share.after)
            found[key] = found.get(key, 0) + fen
    listed = sorted((key for key, fen in found.items() if fen), key=lambda key: (key[0] or date.max, key[1], key[2]))
    dues, left, there = [], max(paid_fen, 0), max(paid_fen - not_arrived_fen, 0)
    for key in listed:
        paid, arrived = min(left, found[key]), min(there, found[key])
        left, there = left - paid, there - arrived
        dues.append(Due(key[1], key[2], key[0], found[key], paid, arrived))
    return dues


def _chunks(parts: Sequence[Part], after: After, ordered_on: date) -> list[_Chunk]:
    """What an order costs, by what happened to it: oldest first, and last what has not happened yet."""
    chunks: list[_Chunk] = []
    for part in parts:
        match after:
            case After.ORDER:
                chunks.append(_Chunk(ordered_on, part.id, part.cost_fen))
            case After.CONFIRMATION:
                chunks.append(_Chunk(part.confirmed_on, part.id, part.cost_fen))
            case After.ACCEPTANCE:
                chunks += [_Chunk(on, part.id, fen) for on, fen in part.accepted]
                chunks.append(_Chunk(None, part.id, part.cost_fen - sum(fen for _, fen in part.accepted)))
    return sorted(_netted(chunks), key=lambda chunk: (chunk.on or date.max, chunk.part_id))


def _netted(chunks: Sequence[_Chunk]) -> list[_Chunk]:
    """The same without what was taken back: it comes off the same part's acceptances, the newest first, then off what is open of it, then
    off others."""
    kept = [chunk for chunk in chunks if chunk.fen > 0]
    left_of = {number: chunk.fen for number, chunk in enumerate(kept)}
    for back in (chunk for chunk in chunks if chunk.fen < 0):
        left = -back.fen
        for number in sorted(left_of, key=lambda number: _nearness(kept[number], back)):
            taken = min(left, left_of[number])
            left_of[number] -= taken
            left -= taken
    return [_Chunk(chunk.on, chunk.part_id, left_of[number]) for number, chunk in enumerate(kept) if left_of[number]]


def _nearness(chunk: _Chunk, back: _Chunk) -> tuple[bool, bool, int]:
    return chunk.part_id != back.part_id, chunk.on is None, -chunk.on.toordinal() if chunk.on else 0


def _laid_over(total: int, weights: Sequence[int]) -> list[int]:
    """``total`` in proportion to ``weights``, each part rounded with all those before it: they sum to it, and one more at the end changes only the
    last."""
    whole = sum(weights)
    bounds = [total * until // whole for until in accumulate(weights)]
    return [upper - lower for lower, upper in zip([0, *bounds], bounds, strict=False)]


_FROM = {"order": "下单", "acceptance": "每批货物验收合格"}


def words(terms: PaymentTerms, extension_days: int | None = None) -> str:
    """What a contract says of settled terms, in Chinese; of a prepayment also by how many days it may be put off.

    The share that is paid ahead is an advance (预付款), not earnest money (定金).
    """
    match terms:
        case Prepayment():
            put_off = f"，可申请延期一次{extension_days}日" if extension_days else ""
            said = (
                f"先款后货：需方自供方确认订单之日起{terms.days}日内付清价款{put_off}；付清后供方发货。"
                "逾期未付清的，供方可以取消订单，平台事先通知需方。"
            )
        case NetPayment():
            said = f"先货后款：需方自每批货物验收合格之日起{terms.days}日内支付该批价款。"
        case DepositPayment():
            said = (
                f"预付部分价款：需方自供方确认订单之日起{terms.deposit_days}日内支付总价的{terms.percent}%作为预付款，支付后供方发货；"
                f"其余自每批货物验收合格之日起{terms.days}日内支付。"
            )
        case InstalmentPayment():
            shares = "；".join(f"总价的{each.percent}%自{_FROM[each.after]}之日起{each.days}日内支付" for each in terms.instalments)
            said = f"分期付款：{shares}。"
    return f"{said}价款付至平台公布的收款账户，由平台与供方结算。"
