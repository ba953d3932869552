"""Texts of one line stand in one line, and nothing hides in them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from shop.core.faults import fault_of
from shop.core.quantities import LongText, Name, OneLine, OptionalLine, OptionalPaperLine, PaperLine, ProperName, ShortText

LINES = [TypeAdapter(kind) for kind in (Name, ProperName, OneLine, OptionalLine, PaperLine)]
TEXTS = [TypeAdapter(kind) for kind in (ShortText, LongText)]


@pytest.mark.parametrize("sign", list("\n\r\t\v\u0085\u00ad\u200b\u200d\u2028\u2029\u202e\ue000\ufeff\u3164\u2800"))
def test_what_breaks_or_hides_in_a_line_is_refused(sign):
    for kind in LINES:
        with pytest.raises(ValidationError) as refused:
            kind.validate_python(f"橙{sign}二")
        told = fault_of(refused.value.errors()[0])
        assert told.code == "value_error"
        assert not any("a" <= letter <= "z" for letter in told.zh)


@pytest.mark.parametrize(
    "name",
    [
        "奉节脐橙（5 斤装）",
        "买买提·艾力",
        "100% 橙汁",
        "O\u2019Brien & Söhne №3",
        "全　角",
        "㐂屋",
        "\U00020bb7野家",
        "葛\U000e0100",
    ],
)
def test_names_as_people_have_them_pass(name):
    for kind in LINES:
        assert kind.validate_python(f" {name}\n") == name


@pytest.mark.parametrize("picture", [*"😀⭐☎⌚", "1️⃣", "🇨🇳", "👨\u200d🌾"])
def test_what_stands_on_sealed_papers_has_no_pictures(picture):
    for kind in map(TypeAdapter, (ProperName, PaperLine, OptionalPaperLine)):
        with pytest.raises(ValidationError) as refused:
            kind.validate_python(f"橙{picture}二")
        if "\u200d" not in picture:  # it hides in a line, and is refused as such
            assert fault_of(refused.value.errors()[0]).code == "picture_in_text"
    for kind in TEXTS:
        kind.validate_python(f"橙{picture}二")


def test_a_name_without_letters_says_so():
    with pytest.raises(ValidationError) as refused:
        TypeAdapter(ProperName).validate_python("123")
    assert fault_of(refused.value.errors()[0]).code == "name_without_letters"


def test_reasons_and_statements_keep_their_lines():
    for kind in TEXTS:
        assert kind.validate_python("一、价格合理\n二、\t质量合格\r\n") == "一、价格合理\n二、\t质量合格"


@given(st.text(max_size=30))
def test_what_passes_is_one_line_however_lines_are_told(written):
    try:
        kept = LINES[0].validate_python(written)
    except ValidationError:
        return
    assert kept.splitlines() == [kept]
