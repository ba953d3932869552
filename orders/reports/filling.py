"""What the ledger says for the fields of a report."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from sqlmodel import Session

from orders.ledger.selection import EVERYWHERE, Dimension, Selection
from orders.reports.forms import Form, own_values
from orders.statistics.queries import Figures, ask
from orders.statistics.question import MAX_ROWS, Measure, Question
from shop.core.months import month_end
from shop.regions import queries as regions

#: By field the ledger's figure in fen, grams or as a number; None where it knows nothing of it.
Ledger = dict[str, int | None]


def ledger_values(session: Session, form: Form, month: date, organisation_id: int | None, region_code: str) -> Ledger:
    """What the ledger says to one report, exact to the last committed sale. Fields with the same filters are answered by one question."""
    whose = (
        {Dimension.BUYER: [organisation_id]}
        if organisation_id is not None
        else {Dimension.DISTRICT: regions.with_predecessors(session, [region_code])}
    )
    found: Ledger = {field.code: None for field in form.fields}
    for selection, fields in _selections(form, month, whose):
        found |= _values(fields, ask(session, _question(selection, fields)).totals[0])
    return found


def ledger_values_of(session: Session, form: Form, month: date, reports: Mapping[int, tuple[int | None, str]]) -> dict[int, Ledger]:
    """The same for many reports of a form, by id; each with its organisation (none: a county's) and region. They share their questions."""
    if form.scope == "organisation":
        units = {organisation_id: report_id for report_id, (organisation_id, _) in reports.items()}
        return _grouped(session, form, month, Dimension.BUYER, units)
    alone = {
        report_id: region_code
        for report_id, (_, region_code) in reports.items()
        if len(regions.with_predecessors(session, [region_code])) > 1
    }
    # what districts counted before they were merged cannot be added: an order may have sales in both
    found = {report_id: ledger_values(session, form, month, None, code) for report_id, code in alone.items()}
    others = {region_code: report_id for report_id, (_, region_code) in reports.items() if report_id not in alone}
    return found | _grouped(session, form, month, Dimension.DISTRICT, others)


def _grouped(session: Session, form: Form, month: date, dimension: Dimension, reports: Mapping[Any, int]) -> dict[int, Ledger]:
    """By the code of whoever reports the id of the report."""
    blank = {field.code: None if field.prefill is None else 0 for field in form.fields}
    found: dict[int, Ledger] = {report_id: dict(blank) for report_id in reports.values()}
    codes = list(reports)
    for start in range(0, len(codes), MAX_ROWS):
        for selection, fields in _selections(form, month, {dimension: codes[start : start + MAX_ROWS]}):
            for (code,), [figures] in ask(session, _question(selection, fields, dimension)).rows.items():
                found[reports[code]] |= _values(fields, figures)
    return found


def _selections(form: Form, month: date, whose: Mapping[Dimension, list[Any]]) -> list[tuple[Selection, dict[str, Measure]]]:
    """The fields that the ledger fills in, those with the same filters together."""
    found: list[tuple[Selection, dict[str, Measure]]] = []
    for field in form.fields:
        if field.prefill is None:
            continue
        selection = Selection(month, month_end(month), {**own_values(field.prefill.only), **whose}, field.prefill.direction)
        known = next((fields for asked, fields in found if asked == selection), None)
        if known is None:
            found.append((selection, {field.code: field.prefill.measure}))
        else:
            known[field.code] = field.prefill.measure
    return found


def _question(selection: Selection, fields: Mapping[str, Measure], *by: Dimension) -> Question:
    # everywhere: who may see the report is settled before, and its figures are the same for all of them
    return Question(selection, by, tuple(dict.fromkeys(fields.values())), EVERYWHERE)


def _values(fields: Mapping[str, Measure], figures: Figures) -> Ledger:
    return {code: int(figures.value(measure)) for code, measure in fields.items()}
