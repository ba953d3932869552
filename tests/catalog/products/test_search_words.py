"""Reading names and queries: whatever is part of a name is found by it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.products.search import lexemes, normalised, sort_key, words

CHINESE = st.characters(min_codepoint=0x4E00, max_codepoint=0x9FA5)
NAMES = st.text(st.one_of(CHINESE, st.sampled_from("aAzZ09 -()（）％%_'\\·，")), min_size=1, max_size=30)
ANYTHING = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=60)


def fits(query, name):
    """What PostgreSQL does: every word's lexemes are there, and every pattern fits."""
    found = words(query)
    held = set(lexemes(name))
    for clause in found.tsquery.removeprefix("(").removesuffix(")").split(") & ("):
        alternatives = clause.removeprefix("(").split(") | ") if ":*" in clause else [clause]
        pairs = {lexeme.strip("'") for lexeme in alternatives[0].split(" & ")}
        prefixes = [p.removesuffix(":*").strip("'") for p in alternatives[1].split(" | ")] if len(alternatives) > 1 else []
        if not pairs <= held and not any(lexeme.startswith(prefix) for prefix in prefixes for lexeme in held):
            return False
    return all(pattern.strip("%") in normalised(name) for pattern in found.patterns)


@given(st.data(), NAMES.filter(normalised))
def test_every_part_of_a_name_finds_it(data, name):
    plain = normalised(name)
    start = data.draw(st.integers(0, len(plain) - 1))
    part = plain[start : data.draw(st.integers(start + 1, len(plain)))]
    if part.strip():
        assert fits(part, name)


@given(st.lists(CHINESE, min_size=1, max_size=12).map("".join), st.data())
def test_the_pinyin_and_initials_from_any_syllable_on_find_it(name, data):
    syllables = sort_key(name).split(" ")
    start = data.draw(st.integers(0, len(syllables) - 1))
    spoken = [syllable for syllable in syllables[start : start + 8] if syllable.isascii() and syllable.isalpha()]
    if spoken == syllables[start : start + 8]:
        assert fits("".join(spoken), name)
        assert fits("".join(syllable[0] for syllable in spoken), name)


@given(ANYTHING)
def test_nothing_that_is_typed_breaks_a_query(query):
    found = words(query)
    assert (found is None) == (not normalised(query))
    if found:
        assert found.tsquery.count("'") % 2 == 0
        assert "%" not in "".join(pattern[1:-1] for pattern in found.patterns)


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("茶", "永川秀芽茶叶"),
        ("榨菜", "涪陵榨菜"),
        ("zhacai", "涪陵榨菜"),
        ("zc", "涪陵榨菜"),
        ("fjqc", "奉节脐橙"),
        ("changshou", "重庆长寿沙田柚"),
        ("ＡＢ级", "精选ab级脐橙"),
        ("脐橙 奉节", "奉节脐橙 奉节县"),
        ("lvdou", "绿豆"),
        ("lüdou", "绿豆"),
    ],
)
def test_words_that_people_type(query, name):
    assert fits(query, name)


def test_pairs_alone_do_not_make_a_word():
    assert not fits("橙子橙", "橙子和子橙")


def test_names_sort_by_pinyin():
    assert sorted(["涪陵榨菜", "白市驿板鸭", "城口老腊肉"], key=sort_key) == ["白市驿板鸭", "城口老腊肉", "涪陵榨菜"]
