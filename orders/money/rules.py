"""The money ledger in words: accounts, kinds of transactions, and what a transaction must be. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum


class Account(StrEnum):
    """Where money is or is owed. A balance above zero: owed to the marketplace, or held by it; below zero: owed by it, or earned."""

    #: What a buyer owes for what it accepted, by order; below zero: paid ahead.
    RECEIVABLE = "receivable"
    #: What a supplier is owed for what was accepted, by part of an order, until a settlement takes it up.
    PAYABLE = "payable"
    #: What settlements say that a supplier gets.
    SETTLED = "settled"
    #: Paid to suppliers before they are owed it.
    ADVANCES = "advances"
    #: On the way to suppliers; empty when every payout has come to its end.
    PAYOUTS = "payouts"
    #: What suppliers bear of payments that buyers' banks took back; theirs again as far as the buyer pays after all.
    BORNE = "borne"
    #: Transfers that buyers say they made; empty when the bank's statements showed all of them.
    ANNOUNCED = "announced"
    BANK = "bank"
    #: The balance at the provider of online payments.
    ONLINE = "online"
    #: Came in by the bank, and nobody knows yet for what.
    UNALLOCATED = "unallocated"
    #: Promised back to buyers and not on their accounts yet; empty when every refund has come to its end.
    REFUNDS = "refunds"
    #: Taken back by buyers' banks and still argued over; empty when every such dispute is closed.
    CHARGEBACKS = "chargebacks"
    COMMISSION = "commission"
    #: What banks and the provider of online payments take for themselves, less the interest that they give.
    FEES = "fees"


#: Accounts that belong to a buyer or a supplier.
OF_PARTY = frozenset(
    {
        Account.RECEIVABLE,
        Account.PAYABLE,
        Account.SETTLED,
        Account.ADVANCES,
        Account.PAYOUTS,
        Account.BORNE,
        Account.ANNOUNCED,
        Account.REFUNDS,
    }
)
#: Accounts that money only passes through: what stays on them has to be explained.
CLEARING = frozenset({Account.PAYOUTS, Account.ANNOUNCED, Account.UNALLOCATED, Account.REFUNDS, Account.CHARGEBACKS})


class Kind(StrEnum):
    """What a transaction is for; with the id of what caused it, it is booked once."""

    # what was bought: written by the database itself with every entry of the sales ledger
    SALE = "sale"
    FREIGHT = "freight"
    #: A decision in a dispute that gives money back without goods.
    ALLOWANCE = "allowance"
    #: An order belongs to another buyer from now on: what is owed and paid for it goes along.
    REASSIGNMENT = "reassignment"
    # what was paid
    PAYMENT = "payment"
    PAYMENT_UNDONE = "payment_undone"
    #: What was paid too much for one order counts for another of the same buyer.
    CREDIT_MOVED = "credit_moved"
    REFUND = "refund"
    REFUND_PAID = "refund_paid"
    REFUND_FAILED = "refund_failed"
    #: Said to have failed, and the bank shows that it left after all; caused by the transaction that it takes back.
    REFUND_REINSTATED = "refund_reinstated"
    # the bank
    RECEIPT = "receipt"
    RECEIPT_MATCHED = "receipt_matched"
    RECEIPT_UNDONE = "receipt_undone"
    BANK_ENTRY = "bank_entry"
    # online payments
    FEE = "fee"
    CHARGEBACK = "chargeback"
    CHARGEBACK_CLOSED = "chargeback_closed"
    #: Lost, and won after all.
    CHARGEBACK_REINSTATED = "chargeback_reinstated"
    ONLINE_PAYOUT = "online_payout"
    #: The provider's statement shows it, and nobody knows for what.
    ONLINE_FOUND = "online_found"
    #: It shows a transfer to a supplier that no payout here explains.
    ONLINE_TRANSFER = "online_transfer"
    # suppliers
    SETTLEMENT = "settlement"
    #: A supplier bears what a buyer's bank took back, or gets it again.
    LOSS_BORNE = "loss_borne"
    PAYOUT = "payout"
    PAYOUT_PAID = "payout_paid"
    PAYOUT_FAILED = "payout_failed"
    #: As of refunds.
    PAYOUT_REINSTATED = "payout_reinstated"
    #: A part of one came back.
    PAYOUT_RETURNED = "payout_returned"
    ADVANCE = "advance"
    ADVANCE_USED = "advance_used"
    #: What the bank brought back of one, or what had never left.
    ADVANCE_RETURNED = "advance_returned"


#: A failure, and what takes it back: after that it may come again, once more for each time.
REINSTATED = {Kind.PAYOUT_FAILED: Kind.PAYOUT_REINSTATED, Kind.REFUND_FAILED: Kind.REFUND_REINSTATED}
#: What changes how much a buyer has paid for an order; all else changes how much it owes.
CASH = frozenset(
    {
        Kind.PAYMENT,
        Kind.PAYMENT_UNDONE,
        Kind.CREDIT_MOVED,
        Kind.REFUND,
        Kind.REFUND_FAILED,
        Kind.REFUND_REINSTATED,
        Kind.CHARGEBACK,
        Kind.CHARGEBACK_CLOSED,
        Kind.CHARGEBACK_REINSTATED,
    }
)


#: A bank carries a list of transfers out within so many days, long holidays included.
LIST_DAYS = timedelta(days=10)
#: What accounts and transactions are called, in Chinese and in English.
ACCOUNT_WORDS: dict[Account, tuple[str, str]] = {
    Account.RECEIVABLE: ("应收采购单位", "owed by buyers"),
    Account.PAYABLE: ("应付供应商（未结算）", "owed to suppliers, not settled"),
    Account.SETTLED: ("应付供应商（已结算）", "owed to suppliers, settled"),
    Account.ADVANCES: ("预付供应商", "paid to suppliers ahead"),
    Account.PAYOUTS: ("付款在途", "payouts on their way"),
    Account.BORNE: ("供应商承担的拒付款", "lost payments that suppliers bear"),
    Account.ANNOUNCED: ("待核对汇款", "transfers announced by buyers"),
    Account.BANK: ("银行存款", "bank"),
    Account.ONLINE: ("在线支付账户", "online payments"),
    Account.UNALLOCATED: ("待认领款项", "received, not allocated"),
    Account.REFUNDS: ("待退款", "refunds on their way"),
    Account.CHARGEBACKS: ("拒付争议款", "charged back, in dispute"),
    Account.COMMISSION: ("平台服务费", "commission"),
    Account.FEES: ("手续费净额（减利息）", "fees, less interest"),
}
KIND_WORDS: dict[Kind, tuple[str, str]] = {
    Kind.SALE: ("销售", "sale"),
    Kind.FREIGHT: ("运费", "freight"),
    Kind.ALLOWANCE: ("争议减免", "allowance after a dispute"),
    Kind.REASSIGNMENT: ("变更预算单位", "moved to another budget unit"),
    Kind.PAYMENT: ("付款", "payment"),
    Kind.PAYMENT_UNDONE: ("撤销付款", "payment taken back"),
    Kind.CREDIT_MOVED: ("余款转单", "credit moved to another order"),
    Kind.REFUND: ("批准退款", "refund released"),
    Kind.REFUND_PAID: ("退款付出", "refund paid"),
    Kind.REFUND_FAILED: ("退款退回", "refund came back"),
    Kind.REFUND_REINSTATED: ("退款经银行证实已付", "refund shown to have left after all"),
    # whether it came in or went out
    Kind.RECEIPT: ("银行收付", "bank line"),
    Kind.RECEIPT_MATCHED: ("银行流水核销", "bank line matched"),
    Kind.RECEIPT_UNDONE: ("撤销流水核销", "match of a bank line undone"),
    Kind.BANK_ENTRY: ("银行流水", "bank entry"),
    Kind.FEE: ("手续费", "fee"),
    Kind.CHARGEBACK: ("拒付", "chargeback"),
    Kind.CHARGEBACK_CLOSED: ("拒付结案", "chargeback closed"),
    Kind.CHARGEBACK_REINSTATED: ("拒付改判退回", "chargeback won after all"),
    Kind.ONLINE_FOUND: ("线上补记", "found at the payment provider"),
    Kind.ONLINE_TRANSFER: ("线上划转", "transfer by the payment provider"),
    Kind.ONLINE_PAYOUT: ("在线支付提现", "payout of online payments"),
    Kind.SETTLEMENT: ("供应商结算", "settlement"),
    Kind.LOSS_BORNE: ("供应商承担拒付款", "lost payment borne by the supplier"),
    Kind.PAYOUT: ("发起付款", "payout begun"),
    Kind.PAYOUT_PAID: ("付款完成", "payout arrived"),
    Kind.PAYOUT_FAILED: ("付款退回", "payout came back"),
    Kind.PAYOUT_REINSTATED: ("付款经银行证实已付", "payout shown to have left after all"),
    Kind.PAYOUT_RETURNED: ("付款部分退回", "part of a payout came back"),
    Kind.ADVANCE: ("预付款", "advance"),
    Kind.ADVANCE_USED: ("预付款抵扣", "advance set off"),
    Kind.ADVANCE_RETURNED: ("预付款退回", "advance came back"),
}


def word(code: Account | Kind, language: str) -> str:
    """What an account or a kind of transaction is called."""
    words = ACCOUNT_WORDS[code] if isinstance(code, Account) else KIND_WORDS[code]
    return words[language != "zh"]


@dataclass(frozen=True, slots=True)
class Place:
    """Where an amount is booked: an account, whose it is, and for what."""

    account: Account
    party_id: int | None = None
    purchase_order_id: int | None = None
    supplier_order_id: int | None = None


@dataclass(frozen=True, slots=True)
class Posting:
    """One side of a transaction: ``amount_fen`` above zero is a debit, below zero a credit."""

    place: Place
    amount_fen: int


def carry(amount_fen: int, *, to: Place, out_of: Place) -> list[Posting]:
    """The two postings that debit ``to`` and credit ``out_of``."""
    return [Posting(to, amount_fen), Posting(out_of, -amount_fen)]


def is_balanced(postings: Iterable[Posting]) -> bool:
    """Whether a transaction may be booked: its postings sum to zero, none is zero, and those of parties name one."""
    listed = list(postings)
    return (
        bool(listed)
        and sum(posting.amount_fen for posting in listed) == 0
        and all(posting.amount_fen and (posting.place.account not in OF_PARTY or posting.place.party_id) for posting in listed)
    )
