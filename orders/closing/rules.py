"""The money books of a month: what is missing of a part of an order, and whether its figures explain one another. Pure."""

from dataclasses import dataclass
from enum import StrEnum


class Gap(StrEnum):
    """What is missing of a part of an order by now, the most pressing first."""

    #: The ledger of money tells of another amount than the invoices, or than the dues, and nothing below says why.
    UNEXPLAINED = "unexplained"
    NOT_INVOICED = "not_invoiced"
    CREDIT_NOTE_DUE = "credit_note_due"
    NO_TAX_INVOICE = "no_tax_invoice"
    NO_RED_LETTER = "no_red_letter"
    TAX_INVOICE_HELD = "tax_invoice_held"
    TAX_INVOICE_DIFFERS = "tax_invoice_differs"
    OVERDUE = "overdue"


@dataclass(frozen=True, slots=True)
class Standing:
    """How a part of an order stands by now, in fen; counts where it says so."""

    #: By the ledger of money: sales less what came back, freight, less what disputes gave back.
    owed: int
    #: What its invoices hold, credit notes taken off.
    held: int
    #: Accepted and in no invoice.
    uninvoiced: int
    #: In invoices beyond what is owed.
    credit_due: int
    #: What disputes gave back and no invoice has room for yet.
    waiting: int
    without_tax_invoice: int
    without_red_letter: int
    #: How many registrations wait for a decision, and how many that count differ from what they are for.
    tax_invoices_held: int
    tax_invoices_differing: int
    overdue: int
    #: Of its order: what the buyer's account says beyond what the dues of the order explain (:class:`Owed`); told of one part of each order.
    astray: int

    @property
    def unexplained(self) -> int:
        """What the ledger says is owed beyond the invoices, less what explains it: zero, or somebody has to look."""
        return self.owed - self.held - (self.uninvoiced - self.credit_due - self.waiting)

    def gaps(self) -> list[Gap]:
        """What is missing."""
        amounts = {
            Gap.UNEXPLAINED: self.unexplained or self.astray,
            Gap.NOT_INVOICED: self.uninvoiced,
            Gap.CREDIT_NOTE_DUE: self.credit_due,
            Gap.NO_TAX_INVOICE: self.without_tax_invoice,
            Gap.NO_RED_LETTER: self.without_red_letter,
            Gap.TAX_INVOICE_HELD: self.tax_invoices_held,
            Gap.TAX_INVOICE_DIFFERS: self.tax_invoices_differing,
            Gap.OVERDUE: self.overdue,
        }
        return [gap for gap, amount in amounts.items() if amount]


@dataclass(frozen=True, slots=True)
class Owed:
    """What buyers owe by the ledger of money, beside what explains it, in fen by now."""

    #: What stands on their accounts (应收采购单位).
    receivable: int
    #: Of the parts that are listed: accepted and neither paid nor announced; paid or announced before it was accepted.
    unpaid: int
    paid_ahead: int
    #: The first less the second, of the parts that are not listed.
    elsewhere: int
    #: Paid beyond what the orders cost.
    credit: int

    @property
    def unexplained(self) -> int:
        """What the accounts say beyond all that: zero, or somebody has to look."""
        return self.receivable - (self.unpaid - self.paid_ahead + self.elsewhere - self.credit)
