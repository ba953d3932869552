"""Values of a report: what is read is what is shown, and what is wrong is named."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orders.reports import forms, rules
from orders.reports.forms import Form
from orders.reports.rules import Value

FORM = forms.in_force("unit_monthly", date(2026, 9, 1))
FIGURE = st.one_of(st.none(), st.integers(-(10**11), 10**11))
VALUES = st.fixed_dictionaries(
    {field.code: st.builds(Value, FIGURE, FIGURE, st.one_of(st.none(), st.just("另有采购"))) for field in FORM.fields}
)


@given(st.sampled_from(["yuan", "kg", "count"]), st.integers(-(10**11), 10**11))
def test_what_is_shown_is_read_again(unit, value):
    assert rules.read(unit, rules.shown(unit, value)) == value


@pytest.mark.parametrize(
    ("unit", "written"), [("yuan", "1.001"), ("kg", "0.0001"), ("count", "1.5"), ("count", "1e3"), ("kg", "9" * 13)]
)
def test_what_cannot_be_kept_exactly_is_refused(unit, written):
    with pytest.raises(ValueError):
        rules.read(unit, written)


@given(VALUES)
def test_a_report_is_faultless_exactly_if_it_is_complete_explained_and_consistent(values):
    names = {field.code: field for field in FORM.fields}
    complete = all(values[field.code].own is not None for field in FORM.fields if field.required)
    explained = all(not value.difference or value.explanation for value in values.values())
    consistent = all(
        values[check.field].own is None or values[check.at_most].own is None or values[check.field].own <= values[check.at_most].own
        for check in FORM.checks
    )
    possible = all(
        value.own is None or names[code].minimum is None or value.own >= min(names[code].minimum, value.ledger or 0)
        for code, value in values.items()
    )
    assert (rules.faults(FORM, values) == []) == (complete and explained and consistent and possible)


@pytest.mark.parametrize(
    ("unit", "minimum", "ledger", "own", "taken"),
    [
        ("count", None, None, -1, False),
        ("count", None, 3, 0, True),
        ("count", 2, None, 1, False),
        ("kg", None, 5_000, -1_000, False),
        ("kg", None, -5_000, -5_000, True),
        ("kg", None, -5_000, -6_000, False),
        ("yuan", None, 5_000, -1_000, True),
        ("yuan", 0, 5_000, -1_000, False),
    ],
)
def test_what_cannot_have_been_is_not_reported(unit, minimum, ledger, own, taken):
    said = {"code": "fairs", "zh": "场次", "en": "Fairs", "unit": unit} | ({} if minimum is None else {"minimum": minimum})
    form = Form.model_validate({**FORM.model_dump(), "fields": [said], "checks": []})
    found = rules.faults(form, {"fairs": Value(ledger, own, "展销")})
    assert [(fault.field, fault.code) for fault in found] == ([] if taken else [("values.fairs.value", "below_minimum")])


def test_every_file_is_a_form_and_one_version_of_each_is_in_force():
    assert {form.code for form in forms.forms()} == {"unit_monthly", "county_monthly"}
    assert len({(form.code, form.version) for form in forms.forms()}) == len(forms.forms())


@pytest.mark.parametrize(
    "change",
    [
        {"fields": []},
        {"fields": [FORM.fields[0].model_dump(), FORM.fields[0].model_dump()], "checks": []},
        {"checks": [{"field": "purchases", "at_most": "nothing"}]},
        {"roles": []},
        {"fields": [{**FORM.fields[0].model_dump(), "unit": "kg"}], "checks": []},
    ],
)
def test_a_form_that_is_not_complete_is_refused(change):
    with pytest.raises(ValueError):
        Form.model_validate({**FORM.model_dump(), **change})


def test_a_month_is_due_some_days_after_its_end():
    assert str(rules.due_on(date(2026, 2, 1), 5)) == "2026-03-05"
