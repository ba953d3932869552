"""By when orders are paid: the terms that there are, and what a programme says of them."""

from collections.abc import Mapping
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from shop.core.errors import BadValue
from shop.core.quantities import whole
from shop.programmes.errors import PaymentTooLate
from shop.programmes.parts import Part

PaymentDays = Annotated[int, Field(ge=0, le=365, description="calendar days; default: the programme's"), whole]
SharePercent = Annotated[int, Field(ge=1, le=100), whole]


class Prepayment(Part):
    """先款后货: everything is paid so many days after the supplier's confirmation, and shipped after that."""

    kind: Literal["prepayment"]
    days: PaymentDays | None = None


class NetPayment(Part):
    """先货后款: each part is paid so many days after its acceptance."""

    kind: Literal["net"]
    days: PaymentDays | None = None


class Instalment(Part):
    """A share of the price, due so many days after the order or after each acceptance."""

    percent: SharePercent
    days: Annotated[int, Field(ge=0, le=365), whole]
    after: Literal["order", "acceptance"]


class InstalmentPayment(Part):
    """分期: shares that together are the whole."""

    kind: Literal["instalments"]
    instalments: tuple[Instalment, ...] = Field(min_length=1, max_length=12)

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if sum(each.percent for each in self.instalments) != 100:
            raise BadValue("各期比例之和须为 100", "the shares must sum to 100", "instalments")
        return self


class DepositPayment(Part):
    """预付部分: a share is paid after the confirmation and before shipping, the rest after each acceptance."""

    kind: Literal["deposit"]
    percent: Annotated[int, Field(ge=1, le=99), whole]
    deposit_days: PaymentDays | None = None
    days: PaymentDays | None = None


PaymentTerms = Annotated[Prepayment | NetPayment | InstalmentPayment | DepositPayment, Field(discriminator="kind")]


class PaymentRules(Part):
    """By when orders are paid; ``docs/payment-terms.md`` says where each number is from. Days are calendar days."""

    #: What holds where neither the order nor its unit says anything else.
    default: PaymentTerms = NetPayment(kind="net", days=30)
    #: After the supplier's confirmation, and how often and by how much that may be put off.
    prepayment_days: int = Field(default=30, ge=1, le=365)
    extension_days: int = Field(default=15, ge=1, le=365)
    #: After each acceptance: unless said otherwise, and at most (also of each instalment after the order).
    net_days: int = Field(default=30, ge=0, le=365)
    max_days: int = Field(default=60, ge=0, le=365)
    #: What counts as paid before shipping: what arrived, or also what the buyer says it sent. And whether a supplier may ship before that.
    paid_means: Literal["received", "announced"] = "received"
    before_payment: bool = True
    #: So many days after an unpaid prepayment was due its supplier may cancel, and the buyer has been told.
    cancel_after_days: int = Field(default=3, ge=1, le=365)
    #: The buyer is told so many days before and after an amount is due.
    remind_before: tuple[Annotated[int, Field(ge=0, le=90), whole], ...] = (7, 1)
    remind_after: tuple[Annotated[int, Field(ge=1, le=365), whole], ...] = Field(default=(1, 15, 30), min_length=1)

    def settled(self, terms: PaymentTerms) -> PaymentTerms:
        """The terms with every number filled in.

        Raises:
            PaymentTooLate: an amount would be due later than this programme allows (422).
        """
        match terms:
            case Prepayment():
                given = {"days": self.prepayment_days if terms.days is None else terms.days}
                allowed = {"days": self.prepayment_days}
            case NetPayment():
                given, allowed = {"days": self.net_days if terms.days is None else terms.days}, {"days": self.max_days}
            case DepositPayment():
                given = {
                    "deposit_days": self.prepayment_days if terms.deposit_days is None else terms.deposit_days,
                    "days": self.net_days if terms.days is None else terms.days,
                }
                allowed = {"deposit_days": self.prepayment_days, "days": self.max_days}
            case InstalmentPayment():
                # goods are accepted after they were ordered: what is not later after the order is not later after the acceptance either
                given = {"days": max(each.days for each in terms.instalments)}
                allowed = {"days": self.max_days}
                _require_within(given, allowed)
                return terms
        _require_within(given, allowed)
        return terms.model_copy(update=given)


def _require_within(given: Mapping[str, int], allowed: Mapping[str, int]) -> None:
    for name, days in given.items():
        if days > allowed[name]:
            raise PaymentTooLate(most=allowed[name])
