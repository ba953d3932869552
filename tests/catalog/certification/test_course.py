"""The course of a case, whatever steps a programme configures."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.certification import steps
from catalog.certification.states import CLOSED, EDITABLE, CaseKind, CaseMove, CaseStatus, course, resumes_at
from shop.core.states import IllegalMove
from shop.core.workdays import Calendar
from shop.programmes import seed

RULES = seed.files()[-1].certification
REVIEWS = ["township_review", "county_review", "public_notice", "city_review"]
#: Any order of any of them; filing, where there is one, stands last.
ways = st.builds(
    lambda some, filed: tuple(some) + (("filing",) if filed else ()),
    st.lists(st.sampled_from(REVIEWS), unique=True, min_size=1),
    st.booleans(),
)


@given(way=ways)
def test_a_case_that_everybody_passes_takes_every_step_once_and_ends(way):
    table = course(way)
    status, seen = table.after(CaseStatus.DRAFT, CaseMove.SUBMIT), []
    while status is not CaseStatus.APPROVED:
        seen.append(status.value)
        status = table.after(status, CaseMove.PUBLISH if status is CaseStatus.FILING else CaseMove.APPROVE)
    assert tuple(seen) == way


@given(way=ways, data=st.data(), appealed=st.booleans())
def test_what_is_sent_back_can_come_back_and_nothing_closed_moves(way, data, appealed):
    sent_back_from = data.draw(st.sampled_from(way))
    table = course(way, sent_back_from, appealed=appealed)
    assert table.after(CaseStatus.RETURNED, CaseMove.RESUBMIT).value in way
    assert [move for status in (CaseStatus.APPROVED, CaseStatus.WITHDRAWN) for move in table.possible(status)] == []
    assert table.possible(CaseStatus.REJECTED) == ([] if appealed else [CaseMove.APPEAL])
    # whatever is not closed can be taken back by who applied, and lies with the supplier exactly when it may be edited
    for status in {origin for origin, _ in table.moves}:
        assert (CaseMove.WITHDRAW in table.possible(status)) == (status not in CLOSED)
        handed_in = {CaseMove.SUBMIT, CaseMove.RESUBMIT} & set(table.possible(status))
        assert bool(handed_in) == (status in EDITABLE)


@given(way=ways, data=st.data())
def test_the_public_is_told_anew_of_what_changed_after_its_notice(way, data):
    sent_back_from = data.draw(st.sampled_from(way))
    resumed = way.index(resumes_at(way, sent_back_from))
    assert resumed <= way.index(sent_back_from)
    if "public_notice" in way[1:] and way.index(sent_back_from) >= way.index("public_notice"):
        assert resumed < way.index("public_notice")


@pytest.mark.parametrize("status", list(CaseStatus))
def test_a_draft_without_steps_can_only_be_taken_back(status):
    table = course(())
    assert table.possible(status) == ([CaseMove.WITHDRAW] if status in (CaseStatus.DRAFT, CaseStatus.RETURNED) else [])
    with pytest.raises(IllegalMove):
        table.after(status, CaseMove.APPROVE)


@pytest.mark.parametrize("kind", list(CaseKind))
def test_the_township_has_its_step_where_there_is_one(kind):
    with_township = steps.codes(steps.snapshot(RULES, kind, has_township=True))
    without = steps.codes(steps.snapshot(RULES, kind, has_township=False))
    assert with_township == RULES.pipelines[kind.value]
    assert without == tuple(step for step in with_township if RULES.steps[step].level != "township")


def test_a_step_in_hand():
    way = steps.snapshot(RULES, CaseKind.INITIAL, has_township=False)
    assert steps.step_of(way, "county_review")["min_opinions"] == 1
    assert steps.step_of(way, "returned") is None


@given(published=st.dates(date(2020, 1, 1), date(2030, 1, 1)), days=st.integers(1, 30))
def test_a_notice_runs_its_working_days_and_not_one_more(published, days):
    workdays = Calendar({})
    until = steps.notice_end(published, days, workdays)
    last = steps.notice_last_day(until)
    assert workdays.between(published, last) == days
    assert workdays.is_working(last)
