"""Every code that a file for the books may show has its words."""

import pytest

from orders.closing.rules import Gap
from orders.invoices.rules import CreditReason
from orders.invoices.states import InvoiceStatus
from orders.money.labels import LABELS, label, yes
from orders.online.actions import reconciling
from orders.online.schemas import OnlineMethod
from orders.online.states import DisputeStatus, OnlineStatus
from orders.refunds.schemas import RefundMethod
from orders.refunds.states import RefundStatus
from orders.settlement.schemas.payouts import Method
from orders.settlement.states import PayoutStatus, SettlementStatus
from orders.tax_invoices.rules import TaxInvoiceType
from orders.tax_invoices.states import TaxInvoiceStatus


@pytest.mark.parametrize(
    ("kind", "codes"),
    [
        ("invoice_status", InvoiceStatus),
        ("credit_reason", CreditReason),
        ("tax_invoice_type", TaxInvoiceType),
        ("tax_invoice_status", TaxInvoiceStatus),
        ("gap", Gap),
        ("online_method", OnlineMethod.__args__),
        ("online_status", OnlineStatus),
        ("charge_dispute_status", DisputeStatus),
        ("refund_method", RefundMethod.__args__),
        ("refund_status", RefundStatus),
        ("settlement_status", SettlementStatus),
        ("payout_status", PayoutStatus),
        ("payout_method", Method.__args__),
    ],
)
def test_every_code_has_its_words_and_no_other_has(kind, codes):
    assert set(LABELS[kind]) == set(codes)
    assert all(ord(zh[-1]) > 0x3000 and en.isascii() for zh, en in LABELS[kind].values())


def test_every_line_of_the_provider_that_the_books_know_has_its_words():
    known = reconciling._CHARGED | reconciling._TO_OUR_BANK | reconciling._CHANGING
    assert known <= set(LABELS["provider_entry"])


def test_a_code_that_nobody_has_named_is_told_as_it_is():
    assert [label("provider_entry", "brand_new", language) for language in ("zh", "en")] == ["brand_new", "brand_new"]
    assert (label("gap", "overdue", "zh"), label("gap", "overdue", "en"), label("gap", None, "zh")) == ("已逾期", "overdue", "")
    assert (yes(True, "zh"), yes(False, "en")) == ("是", "")
