"""Every code that a file may hold has its words."""

from typing import get_args

from orders.counting import words
from orders.counting.rules import DocumentKind, HoldStatus, Reason, Subject
from orders.counting.schemas import UnmatchedRow
from orders.external_sales.states import SaleMove
from orders.invoices.states import InvoiceStatus


def test_what_made_a_decision_needless_is_told_in_words():
    assert words.decided("replaced", "zh") == "批次已更正或撤回"
    assert words.decided("ES-1, ES-2: withdraw", "zh") == "ES-1, ES-2: 已撤回"
    assert words.decided("已核实: 两笔", "en") == "已核实: 两笔"
    assert words.decided(None, "zh") is None
    # the moves that end a claim, and what may become of an invoice
    assert {SaleMove.WITHDRAW, SaleMove.RETURN, SaleMove.REFUSE, SaleMove.VOID, *InvoiceStatus} <= words.DECISIONS.keys()
    assert all(each["zh"] and each["en"] for each in words.DECISIONS.values())


def test_every_code_has_words():
    for codes, told in (
        (Reason, words.REASONS),
        (HoldStatus, words.STATUSES),
        (Subject, words.SUBJECTS),
        (DocumentKind, words.DOCUMENTS),
        (get_args(UnmatchedRow.model_fields["side"].annotation), words.SIDES),
        (get_args(UnmatchedRow.model_fields["reason_code"].annotation), words.ALONE),
    ):
        assert set(codes) == set(told)
        assert all(each["zh"] and each["en"] for each in told.values())
