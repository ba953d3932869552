"""A document reads the same wherever it is written down."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orders.counting.rules import DocumentKind, HoldStatus, Verdict, document_key, implausible, wrong_document


@pytest.mark.parametrize(
    ("kind", "one", "other"),
    [
        (DocumentKind.INVOICE, ("050001900104 12345678", None), ("０５０００１９００１０４－１２３４５６７８", None)),
        (DocumentKind.INVOICE, ("5000194130 12345678", None), ("5000194130/12345678", "重庆市税务局")),
        (DocumentKind.BANK_RECEIPT, ("ab-2026-0001", "农行"), ("ＡＢ２０２６０００１", None)),
        (DocumentKind.WAYBILL, ("SF 1300 0000 0001", "顺丰速运"), ("sf130000000001", "SF")),
        (DocumentKind.WAYBILL, ("123456", "中国邮政EMS"), ("１２３４５６", "邮政")),
    ],
)
def test_the_same_document(kind, one, other):
    assert document_key(kind, *one) == document_key(kind, *other)


def test_two_carriers_may_have_one_number():
    assert document_key("waybill", "1001", "圆通") != document_key("waybill", "1001", "中通")


@given(st.sampled_from(list(DocumentKind)), st.text(max_size=40), st.text(max_size=20))
def test_a_key_is_its_own_key(kind, number, issuer):
    key = document_key(kind, number, issuer)
    carrier, _, plain = key.rpartition(":")
    assert document_key(kind, plain, carrier) == key


@given(st.text(alphabet="0123456789", min_size=20, max_size=20), st.text(alphabet=" -－\u3000/", max_size=6), st.integers(0, 20))
def test_marks_between_digits_say_nothing(digits, marks, at):
    written = digits[:at] + marks + digits[at:]
    assert document_key("invoice", written) == digits
    assert wrong_document("invoice", written, "number") == []


@pytest.mark.parametrize("number", ["", "123", "1" * 19, "1" * 21, "A" * 20])
def test_what_is_no_invoice(number):
    [fault] = wrong_document("invoice", number, "number")
    assert fault.code == "wrong_invoice_number"


def test_one_of_two_is_the_sale():
    assert [verdict.of_other for verdict in Verdict] == [Verdict.VOID, Verdict.COUNT]
    assert [verdict.status for verdict in Verdict] == [HoldStatus.COUNTED, HoldStatus.VOID]


@given(st.decimals(0, 10**15, places=3), st.integers(0, 10**9), st.integers(2, 1000), st.integers(0, 10**9), st.integers(1, 100))
def test_a_quantity_goes_with_its_amount_within_the_programmes_limits(listed, fen, times, grams, tonnes):
    found = implausible(grams, fen, listed, price_times=times, line_tonnes=tonnes)
    # wider limits doubt no more, and a heavier line is doubted no less
    assert found or not implausible(grams, fen, listed, price_times=times, line_tonnes=tonnes + 1)
    assert found or not implausible(grams, fen, listed, price_times=times + 1, line_tonnes=tonnes)
    assert not found or implausible(grams + 1, fen, listed, price_times=times, line_tonnes=tonnes)
    dear = fen > 0 and listed > 0 and not 1 / Fraction(times) <= fen / Fraction(listed) <= times
    heavy = grams > tonnes * 1_000_000
    assert found == [*["weight"] * heavy, *["price"] * dear]
    assert implausible(grams, fen, None, price_times=times, line_tonnes=tonnes) == ["weight"] * heavy
