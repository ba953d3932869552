"""What the ledger says for the fields of a report."""

from datetime import date

from sqlmodel import Session

from orders.ledger.selection import EVERYWHERE, Dimension, Selection
from orders.reports.forms import Form, own_values
from orders.statistics.queries import ask
from orders.statistics.question import Measure, Question
from shop.core.months import month_end
from shop.regions import queries as regions


def ledger_values(
    session: Session, form: Form, month: date, organisation_id: int | None, region_code: str
) -> dict[str, int | None]:
    """By field the ledger's figure in fen, grams or as a number, exact to the last committed sale; None where it knows nothing of it.

    Fields with the same filters are answered by one question.
    """
    whose = (
        {Dimension.BUYER: [organisation_id]}
        if organisation_id is not None
        else {Dimension.DISTRICT: regions.with_predecessors(session, [region_code])}
    )
    found: dict[str, int | None] = {field.code: None for field in form.fields}
    selections: list[tuple[Selection, dict[str, Measure]]] = []
    for field in form.fields:
        if field.prefill is None:
            continue
        selection = Selection(month, month_end(month), {**own_values(field.prefill.only), **whose}, field.prefill.direction)
        known = next((asked for asked in selections if asked[0] == selection), None)
        if known is None:
            selections.append((selection, {field.code: field.prefill.measure}))
        else:
            known[1][field.code] = field.prefill.measure
    for selection, fields in selections:
        measures = tuple(dict.fromkeys(fields.values()))
        # everywhere: who may see the report is settled before, and its figures are the same for all of them
        totals = ask(session, Question(selection, (), measures, EVERYWHERE)).totals[0]
        found |= {code: int(totals.value(measure)) for code, measure in fields.items()}
    return found
