import pytest
from hypothesis import given
from hypothesis import strategies as st

from shop.core import uscc

ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"


def test_codes_of_real_bodies_pass():
    # Huawei Technologies and Tencent Computer Systems, as printed on their public papers
    for code in ("914403001922038216", "9144030071526726XG"):
        assert uscc.checked(code) == code


@given(st.text(ALPHABET, min_size=17, max_size=17), st.integers(0, 17), st.sampled_from(ALPHABET))
def test_any_single_wrong_character_is_found(first, position, wrong):
    code = first + uscc.check_character(first)
    changed = code[:position] + wrong + code[position + 1 :]
    if changed == code:
        assert uscc.checked(changed) == code
    else:
        with pytest.raises(ValueError):
            uscc.checked(changed)


@pytest.mark.parametrize("code", ["", "123", "9150023GMA5U0000X", "91500236MA5U0000I6", "９１５００２３６MA5U0000X6"])
def test_what_is_no_code_is_refused(code):
    with pytest.raises(ValueError):
        uscc.checked(code)
