"""Grades: more papers never make a figure worse, more doubts never make it better."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orders.bulletins.rules import grading
from orders.bulletins.rules.grading import LETTERS, Evidence, Signals
from shop.programmes.reporting import GradingRules

RULES = GradingRules()
FEN = st.integers(0, 10**12)
EVIDENCE = st.builds(Evidence, FEN, FEN, FEN)
SIGNALS = st.builds(
    Signals, st.integers(0, 3), st.integers(0, 3), st.integers(-(10**9), 10**9), st.integers(-(10**9), 10**9), st.integers(0, 50)
)


@pytest.mark.slow
@given(EVIDENCE, SIGNALS)
def test_a_grade_has_reasons_for_every_step_below_what_the_papers_give(evidence, signals):
    found = grading.grade(evidence, signals, RULES)
    if not evidence.total:
        assert found is None
        return
    alone = grading.grade(evidence, Signals(), RULES)
    doubts = found.reasons[1:]
    assert LETTERS.index(found.letter) == min(LETTERS.index(alone.letter) + len(doubts), 3)
    assert found.points == alone.points == grading.points(evidence, RULES)
    assert RULES.weak_points <= found.points <= RULES.strong_points
    assert [each.code for each in doubts] == [each.code for each in grading.flags(signals, RULES)]


@given(EVIDENCE, FEN)
def test_papers_that_come_in_never_make_it_worse(evidence, moved):
    if not evidence.total:
        return
    moved = min(moved, evidence.weak)
    better = Evidence(evidence.strong + moved, evidence.partial, evidence.weak - moved)
    before, after = grading.grade(evidence, Signals(), RULES), grading.grade(better, Signals(), RULES)
    assert after.points >= before.points
    assert LETTERS.index(after.letter) <= LETTERS.index(before.letter)


@given(st.lists(EVIDENCE, max_size=6))
def test_evidence_adds_up(found):
    whole = grading.together(found)
    assert whole.total == sum(each.total for each in found)


def letter(evidence, signals=None, rules=RULES):
    return grading.grade(evidence, signals or Signals(), rules).letter


def test_letters_by_their_thresholds():
    assert letter(Evidence(strong=100)) == "A"
    assert letter(Evidence(partial=100)) == "B"
    assert letter(Evidence(partial=50, weak=50)) == "C"
    assert letter(Evidence(weak=100)) == "D"
    assert letter(Evidence(strong=66, partial=34)) == "B"  # 89 points
    assert letter(Evidence(strong=67, partial=33)) == "A"  # 90


def test_thresholds_are_configuration():
    strict = GradingRules(a_points=100, b_points=95, c_points=90, published="A")
    assert letter(Evidence(strong=66, partial=34), rules=strict) == "D"
    assert grading.publishable("A", strict)
    assert not grading.publishable("B", strict)
    assert grading.publishable("C", RULES)
    assert not grading.publishable("D", RULES)


def codes(**signals):
    return [flag.code for flag in grading.flags(Signals(**signals), RULES)]


def test_what_makes_a_figure_doubtful():
    assert codes() == []
    assert codes(over_capacity=1) == ["over_capacity"]
    assert codes(copied_days=2) == ["copied_batches"]
    million = 100_000_000
    assert codes(now_fen=5 * million, before_fen=million) == ["odd_growth"]
    assert codes(now_fen=million, before_fen=5 * million) == ["odd_growth"]
    assert codes(now_fen=4 * million, before_fen=million) == []
    assert codes(now_fen=5_000_00, before_fen=1_000_00) == []  # too small to tell
    assert codes(now_fen=million, before_fen=0) == []  # new: nothing to compare with
    assert codes(claimed=20, claimed_round=12) == ["round_amounts"]
    assert codes(claimed=19, claimed_round=19) == []  # too few to tell
    assert codes(claimed=20, claimed_round=11) == []
