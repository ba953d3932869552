"""The life of a registered tax invoice."""

from enum import StrEnum

from shop.core.states import StateTable


class TaxInvoiceStatus(StrEnum):
    REGISTERED = "registered"
    #: Its number is registered more than once: a reviewer decides.
    HELD = "held"
    CLEARED = "cleared"
    REFUSED = "refused"
    VOID = "void"


class TaxInvoiceMove(StrEnum):
    HOLD = "hold"
    CLEAR = "clear"
    REFUSE = "refuse"
    VOID = "void"


_S, _M = TaxInvoiceStatus, TaxInvoiceMove

TAX_INVOICE = StateTable(
    "tax_invoice",
    {
        (_S.REGISTERED, _M.HOLD): _S.HELD,
        (_S.REGISTERED, _M.VOID): _S.VOID,
        (_S.HELD, _M.CLEAR): _S.CLEARED,
        (_S.HELD, _M.REFUSE): _S.REFUSED,
        (_S.HELD, _M.VOID): _S.VOID,
        # somebody registers the same number later, and the reviewer finds that it is the right one
        (_S.CLEARED, _M.REFUSE): _S.REFUSED,
    },
    by_itself={_M.HOLD},
)
#: What counts; of one number one at most.
COUNTED = (TaxInvoiceStatus.REGISTERED, TaxInvoiceStatus.CLEARED)
#: What may count yet.
LIVE = (*COUNTED, TaxInvoiceStatus.HELD)
