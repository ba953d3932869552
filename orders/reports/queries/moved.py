"""Accepted reports whose figures in the ledger have moved since: what was explained was the difference of that moment."""

from collections import defaultdict
from collections.abc import Collection
from datetime import date

from sqlalchemy import text
from sqlmodel import Session

from orders.reports import forms
from orders.reports.filling import Ledger, ledger_values_of
from orders.reports.forms import Scope
from orders.reports.rules import moved

_ACCEPTED = text(
    """
    SELECT r.id, r.form_code, r.form_version, r.organisation_id, r.region_code,
           (SELECT coalesce(jsonb_object_agg(v.field, v.ledger), '{}') FROM report_value v WHERE v.report_id = r.id) AS ledger
    FROM report r WHERE r.status = 'accepted' AND r.month = :month AND (CAST(:form AS text) IS NULL OR r.form_code = :form)
      AND (CAST(:county AS boolean) IS NULL OR (r.organisation_id IS NULL) = :county)
      AND (CAST(:districts AS text[]) IS NULL OR r.region_code = ANY (CAST(:districts AS text[])))
    """
)


def since_accepted(
    session: Session,
    month: date,
    *,
    scope: Scope | None = None,
    form: str | None = None,
    districts: Collection[str] | None = None,
) -> dict[int, str]:
    """By id the district of each accepted report of a month of which the ledger says something else now than when it was submitted."""
    asked = {
        "month": month,
        "form": form,
        "county": None if scope is None else scope == "county",
        "districts": None if districts is None else sorted(districts),
    }
    by_form: dict[tuple[str, int], dict[int, tuple[int | None, str]]] = defaultdict(dict)
    then: dict[int, Ledger] = {}
    for row in session.execute(_ACCEPTED, asked):
        by_form[row.form_code, row.form_version][row.id] = row.organisation_id, row.region_code
        then[row.id] = row.ledger
    found: dict[int, str] = {}
    for (code, version), reports in by_form.items():
        for report_id, now in ledger_values_of(session, forms.version(code, version), month, reports).items():
            if moved(then[report_id], now):
                found[report_id] = reports[report_id][1]
    return found
