"""An answer as the API and a spreadsheet program show it."""

from collections.abc import Iterable, Iterator
from decimal import Decimal

from sqlmodel import Session

from orders.ledger.selection import Dimension
from orders.statistics import labels
from orders.statistics.queries import Answer, Figures
from orders.statistics.question import COUNTED, Measure
from orders.statistics.rules import growth, tonnes
from orders.statistics.schemas import CodedOut, ComparedOut, FiguresOut, PeriodOut, SalesOut, SalesRowOut
from shop.core.errors import Language
from shop.core.exports import Cell
from shop.core.money import yuan
from shop.core.quantities import plain


def answer_out(session: Session, answer: Answer, language: Language) -> SalesOut:
    """The answer with labels, comparison and definitions in the caller's language."""
    question = answer.question
    named = labels.of(session, answer, language)
    periods = [PeriodOut(first=first, last=last) for first, last in question.periods]
    rows = [
        SalesRowOut(
            keys={
                dimension: CodedOut(code=labels.code_of(code), label=named[dimension](code))
                for dimension, code in zip(question.group_by, key, strict=True)
            },
            **_compared(found, question.measures),
        )
        for key, found in answer.rows.items()
    ]
    return SalesOut(
        period=periods[0],
        compared_with=periods[1] if question.compare else None,
        group_by=list(question.group_by),
        measures=list(question.measures),
        exact_to=answer.exact_to,
        definition=labels.GENERAL[language],
        definitions={measure: labels.DEFINITIONS[measure][language] for measure in question.measures},
        rows=rows,
        totals=ComparedOut(**_compared(answer.totals, question.measures)),
    )


def _compared(found: list[Figures], measures: Iterable[Measure]) -> dict[str, object]:
    now, *before = found
    shown: dict[str, object] = {"figures": _figures(now, measures)}
    if before:
        shown["previous"] = _figures(before[0], measures)
        shown["growth"] = {measure: growth(now.value(measure), before[0].value(measure)) for measure in measures}
    return shown


def _figures(found: Figures, measures: Iterable[Measure]) -> FiguresOut:
    shown: dict[str, object] = {}
    for measure in measures:
        if measure in COUNTED:
            shown[measure] = found.value(measure)
        elif measure is Measure.TONNES:
            shown |= {"tonnes": tonnes(found.grams), "grams": found.grams}
        else:
            shown[measure] = found.value(measure)
    return FiguresOut.model_validate(shown)


def cells(shown: SalesOut, language: Language) -> Iterator[list[Cell]]:
    """The answer as rows of a table below its :func:`header`; the last row holds the totals."""
    for row in shown.rows:
        yield [*_key_cells(row, shown.group_by), *_value_cells(row, shown.measures)]
    beside = len(_key_header(shown.group_by, language)) - 1
    yield ["合计" if language == "zh" else "Total", *[""] * beside, *_value_cells(shown.totals, shown.measures)]


def _key_header(group_by: Iterable[Dimension], language: Language) -> list[str]:
    code = "代码" if language == "zh" else " code"
    found: list[str] = []
    for dimension in group_by:
        name = labels.DIMENSIONS[dimension][language]
        found += [name] if dimension is Dimension.MONTH else [f"{name}{code}", name]
    return found or [""]


def header(shown: SalesOut, language: Language) -> list[str]:
    """The names of the columns in the caller's language."""
    return [*_key_header(shown.group_by, language), *_value_header(shown, language)]


def _value_header(shown: SalesOut, language: Language) -> Iterator[str]:
    before, rise = ("上年同期", "同比增长（%）") if language == "zh" else ("last year", "growth (%)")
    for measure in shown.measures:
        name = labels.MEASURES[measure][language]
        yield name
        if shown.compared_with:
            yield f"{name} {before}"
            yield f"{name} {rise}"


def _key_cells(row: SalesRowOut, group_by: Iterable[Dimension]) -> Iterator[str]:
    if not row.keys:
        yield ""
    for dimension in group_by:
        if dimension is not Dimension.MONTH:
            yield row.keys[dimension].code
        yield row.keys[dimension].code if dimension is Dimension.MONTH else row.keys[dimension].label


def _value_cells(row: ComparedOut, measures: Iterable[Measure]) -> Iterator[Cell]:
    for measure in measures:
        yield _cell(row.figures, measure)
        if row.previous is not None and row.growth is not None:
            yield _cell(row.previous, measure)
            rise = row.growth[measure]
            yield Decimal(rise) if rise else None


def _cell(figures: FiguresOut, measure: Measure) -> Cell:
    if measure is Measure.AMOUNT:
        return yuan(figures.amount or 0)
    if measure is Measure.QUANTITY:
        return Decimal(plain(figures.quantity or Decimal(0)))
    if measure is Measure.TONNES:
        return Decimal(figures.tonnes or 0)
    return int(getattr(figures, measure))
