"""Every code that a file may hold has its words."""

from typing import get_args

from orders.counting import words
from orders.counting.rules import DocumentKind, HoldStatus, Reason, Subject
from orders.counting.schemas import UnmatchedRow


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
