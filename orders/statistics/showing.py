"""An answer as the API and a spreadsheet program show it."""

from collections.abc import Callable, Collection, Iterable, Iterator
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from sqlmodel import Session

from orders.ledger.selection import TIME, Dimension, Lapsed
from orders.statistics import extras, labels
from orders.statistics.extras import Extra, Order, ordered
from orders.statistics.queries import Answer, Figures, Key
from orders.statistics.question import COUNTED, SPANS, Compare, Measure, Question
from orders.statistics.rules import growth, months_before, same_period_last_year, span_of, tonnes
from orders.statistics.schemas import CodedOut, ComparedOut, FiguresOut, PeriodOut, SalesOut, SalesRowOut
from shop.core import clock, exports
from shop.core.errors import Language
from shop.core.exports import TOTAL, Cell
from shop.core.money import yuan
from shop.core.quantities import plain
from shop.regions import queries as regions


def answer_out(
    session: Session, answer: Answer, language: Language, extra: Collection[Extra] = (), order: Order | None = None
) -> SalesOut:
    """The answer with labels, comparison and definitions in the caller's language.

    Raises:
        NothingToRunOver: running totals of rows that are not by one span of time (422).
    """
    question = answer.question
    shown = _shown(session, answer, language)
    periods = [PeriodOut(first=first, last=last) for first, last in question.periods]
    keys = ordered(answer, order or Order())
    share = extras.share(answer, question.measures) if Extra.SHARE in extra else {}
    rank = extras.rank(answer, question.measures) if Extra.RANK in extra else {}
    sums = [measure for measure in question.measures if measure not in COUNTED]
    running = _running(answer, sums) if Extra.RUNNING in extra else {}
    days = _days_of_rows(question)
    rows = [
        SalesRowOut(
            keys={dimension: shown[dimension][code] for dimension, code in zip(question.group_by, key, strict=True)},
            share=share.get(key),
            rank=rank.get(key),
            **days(key),
            **running.get(key, {}),
            **_compared(answer.rows[key], question.measures),
        )
        for key in keys
    ]
    return SalesOut(
        period=periods[0],
        compared_with=periods[1] if question.compare else None,
        direction=question.selection.direction,
        known_on=question.selection.known_on,
        group_by=list(question.group_by),
        filters={
            dimension: [labels.code_of(dimension, code) for code in wanted] for dimension, wanted in question.selection.only.items()
        },
        measures=list(question.measures),
        exact_to=answer.exact_to,
        scope=None if question.scope is None else list(question.scope),
        definition=_definition(session, answer, language),
        definitions={measure: labels.DEFINITIONS[measure][language] for measure in question.measures},
        row_count=len(answer.rows),
        rows=rows,
        totals=ComparedOut(**_compared(answer.totals, question.measures)),
    )


def _shown(session: Session, answer: Answer, language: Language) -> dict[Dimension, dict[Any, CodedOut]]:
    """For each dimension of the answer, its codes as they are shown. Few codes stand in many rows."""
    named = labels.of(session, answer, language)
    return {
        dimension: {
            code: CodedOut(labels.code_of(dimension, code), named[dimension](code)) for code in {key[n] for key in answer.rows}
        }
        for n, dimension in enumerate(answer.question.group_by)
    }


def _days_of_rows(question: Question) -> Callable[[Key], dict[str, Any]]:
    """The days of a row by its key, and those before; nothing where rows are by no span of time, or stand beside nothing."""
    span = question.span
    if question.compare is None or span is None:
        return lambda key: {}
    place, length = question.group_by.index(span), SPANS[span]
    whole, before = question.periods
    months, moved = question.shift.months, timedelta(days=question.shift.days)
    found: dict[date, dict[str, Any]] = {}

    def within(begin: date, period: tuple[date, date]) -> PeriodOut:
        first, last = span_of(begin, length)
        return PeriodOut(first=max(first, period[0]), last=min(last, period[1]))

    def days(key: Key) -> dict[str, Any]:
        begin = key[place]
        if begin not in found:
            now = within(begin, whole)
            if question.compare is Compare.LAST_YEAR:
                first, last = same_period_last_year(now.first, now.last)
                then = PeriodOut(first=first, last=last)
            else:
                then = within((months_before(begin, months) if months else begin) - moved, before)
            found[begin] = {"period": now, "compared_with": then}
        return found[begin]

    return days


def _running(answer: Answer, measures: list[Measure]) -> dict[Key, dict[str, Any]]:
    """What the rows have of running totals, beside those of last year where these are asked for."""
    now = extras.running(answer)
    before = extras.running(answer, 1) if answer.question.compare is Compare.LAST_YEAR else None
    found: dict[Key, dict[str, Any]] = {}
    for key, sums in now.items():
        found[key] = {"running": _figures(sums, measures)}
        if before is not None:
            found[key]["running_previous"] = _figures(before[key], measures)
            found[key]["running_growth"] = {
                measure: growth(sums.value(measure), before[key].value(measure)) for measure in measures
            }
    return found


def _definition(session: Session, answer: Answer, language: Language) -> str:
    question, selection = answer.question, answer.question.selection
    said = [labels.GENERAL[language], labels.DIRECTIONS[selection.direction][language]]
    if Dimension.CERTIFIED in question.needed:
        said.append(labels.CERTIFIED[language])
    if question.scope is not None:
        said.append(labels.SCOPE[language].format(regions=", ".join(question.scope)))
    if not question.reach.official:
        said.append(labels.OWN[language])
    if selection.lapsed is not None:
        said.append(_nobody(selection.lapsed, selection.last, language))
    if question.compare is Compare.LAST_PERIOD and question.span is not None:
        said.append(labels.SPANS_BEFORE[language].format(span=labels.SPANS[question.span][language]))
    if Dimension.DISTRICT in answer.question.group_by:
        said.append(labels.BOUNDARIES[language].format(day=answer.boundaries_on))
    said += _former(session, answer, language)
    if selection.known_on is not None:
        said.append(labels.KNOWN[language].format(day=selection.known_on))
    return ("" if language == "zh" else " ").join(said)


def _former(session: Session, answer: Answer, language: Language) -> list[str]:
    """Of districts that were merged by now and were asked for without those that they are part of: their rows stand in these and are not all of them."""
    asked = answer.question.selection.only.get(Dimension.DISTRICT, ())
    if not asked:
        return []
    successors = regions.successors(session, answer.boundaries_on)
    parts = {code: successors[code] for code in asked if code in successors and successors[code] not in asked}
    named = regions.names(session, {*parts, *parts.values()}, language)
    return [
        labels.FORMER[language].format(former=f"{named(former)} ({former})", now=f"{named(now)} ({now})")
        for former, now in sorted(parts.items())
    ]


def _nobody(lapsed: Lapsed, day: date, language: Language) -> str:
    until = "" if lapsed.until is None else labels.UNTIL[language].format(day=lapsed.until)
    return labels.LAPSED[language].format(day=day, designations=", ".join(lapsed.designations), until=until)


def _compared(found: list[Figures], measures: Iterable[Measure]) -> dict[str, Any]:
    now, *before = found
    shown: dict[str, Any] = {"figures": _figures(now, measures)}
    if before:
        shown["previous"] = _figures(before[0], measures)
        shown["growth"] = {measure: growth(now.value(measure), before[0].value(measure)) for measure in measures}
    return shown


def _figures(found: Figures, measures: Iterable[Measure]) -> FiguresOut:
    shown = FiguresOut()
    for measure in measures:
        if measure is Measure.TONNES:
            shown.tonnes, shown.grams = tonnes(found.grams), found.grams
        else:
            setattr(shown, measure, found.value(measure))
    return shown


def cells(shown: SalesOut) -> Iterator[list[Cell]]:
    """The rows of the answer as those of a table below its :func:`header`."""
    for row in shown.rows:
        yield [*_key_cells(row, shown.group_by), *_value_cells(shown, row)]


def total(shown: SalesOut, language: Language) -> list[Cell]:
    """The totals as a row below :func:`cells`, for people; it says what they are limited to."""
    limited = "" if shown.scope is None else labels.TOTAL_OF[language].format(regions=", ".join(shown.scope))
    if rest := shown.row_count - len(shown.rows):
        limited += labels.TOTAL_WITH_REST[language].format(all=shown.row_count, rest=rest)
    beside = len(_key_header(shown.group_by, language)) - 1
    return [TOTAL[language] + limited, *[""] * beside, *_value_cells(shown, shown.totals)]


def about(shown: SalesOut, language: Language) -> list[list[Cell]]:
    """What the table is of, line by line: for the second sheet of a workbook."""
    filters = [
        f"{labels.DIMENSIONS[dimension][language]}: {', '.join(map(_named, codes))}" for dimension, codes in shown.filters.items()
    ]
    said: list[tuple[str, str]] = [("period", exports.days(shown.period.first, shown.period.last))]
    if shown.compared_with is not None:
        said.append(("compared_with", exports.days(shown.compared_with.first, shown.compared_with.last)))
    said += [("filters", each) for each in filters or [exports.UNFILTERED[language]]]
    said.append(("rows", labels.LISTED[language].format(listed=len(shown.rows), all=shown.row_count)))
    if shown.scope is not None:
        said.append(("scope", ", ".join(shown.scope)))
    if shown.known_on is not None:
        said.append(("known_on", shown.known_on.isoformat()))
    said.append(("exact_to", clock.shanghai_text(shown.exact_to)))
    said.append(("definition", shown.definition))
    lines = [(exports.ABOUT[name][language], content) for name, content in said]
    lines += [(labels.MEASURES[measure][language], shown.definitions[measure]) for measure in shown.measures]
    return [[what, content] for what, content in lines]


def _named(code: str) -> str:
    """A code as a filter shows it: the one that stands for nothing is no empty place."""
    return code or "—"


def _key_header(group_by: Iterable[Dimension], language: Language) -> list[str]:
    code = "代码" if language == "zh" else " code"
    found: list[str] = []
    for dimension in group_by:
        name = labels.DIMENSIONS[dimension][language]
        found += [name] if dimension in TIME else [f"{name}{code}", name]
    return found or [""]


def header(shown: SalesOut, language: Language) -> list[str]:
    """The names of the columns in the caller's language."""
    return [*_key_header(shown.group_by, language), *_value_header(shown, language)]


def _value_header(shown: SalesOut, language: Language) -> Iterator[str]:
    before, rise = labels.BEFORE[language]
    for measure in shown.measures:
        name = labels.MEASURES[measure][language]
        yield name
        if shown.compared_with:
            yield f"{name} {before}"
            yield f"{name} {rise}"
        for extra, title in labels.EXTRAS.items():
            if _has(shown, extra, measure):
                yield f"{name} {title[language]}"
                if extra is Extra.RUNNING and beside_last_year(shown):
                    yield f"{name} {title[language]} {before}"
                    yield f"{name} {title[language]} {rise}"


def _has(shown: SalesOut, extra: Extra, measure: Measure) -> bool:
    """Whether the rows bring an extra column of a measure; all rows do, or none."""
    first = shown.rows[0] if shown.rows else None
    return getattr(first, extra, None) is not None and not (extra is Extra.RUNNING and measure in COUNTED)


def beside_last_year(shown: SalesOut) -> bool:
    """Whether running totals stand beside those of last year."""
    return bool(shown.rows) and shown.rows[0].running_previous is not None


def _key_cells(row: SalesRowOut, group_by: Iterable[Dimension]) -> Iterator[str]:
    if not row.keys:
        yield ""
    for dimension in group_by:
        yield row.keys[dimension].code
        if dimension not in TIME:
            yield row.keys[dimension].label


def _value_cells(shown: SalesOut, row: ComparedOut) -> Iterator[Cell]:
    for measure in shown.measures:
        yield _cell(row.figures, measure)
        if row.previous is not None and row.growth is not None:
            yield _cell(row.previous, measure)
            yield _percent(row.growth[measure])
        for extra in labels.EXTRAS:
            if _has(shown, extra, measure):
                yield _extra(row, extra, measure)
                if extra is Extra.RUNNING and beside_last_year(shown):
                    yield from _running_before(row, measure)


def _extra(row: ComparedOut, extra: Extra, measure: Measure) -> Cell:
    match extra, row:
        case Extra.SHARE, SalesRowOut(share=dict(found)):
            return _percent(found[measure])
        case Extra.RANK, SalesRowOut(rank=dict(places)):
            return places[measure]
        case Extra.RUNNING, SalesRowOut(running=FiguresOut() as sums):
            return _cell(sums, measure)
        case _:  # totals have neither
            return None


def _running_before(row: ComparedOut, measure: Measure) -> Iterator[Cell]:
    match row:
        case SalesRowOut(running_previous=FiguresOut() as before, running_growth=dict(rise)):
            yield from (_cell(before, measure), _percent(rise[measure]))
        case _:
            yield from (None, None)


def _percent(value: str | None) -> Decimal | None:
    return None if value is None else Decimal(value)


def _cell(figures: FiguresOut, measure: Measure) -> Cell:
    match measure:
        case Measure.AMOUNT:
            return yuan(figures.amount or 0)
        case Measure.GROSS:
            return yuan(figures.gross or 0)
        case Measure.QUANTITY:
            return Decimal(plain(figures.quantity or Decimal(0)))
        case Measure.TONNES:
            return Decimal(figures.tonnes or 0)
        case _:
            return int(getattr(figures, measure))
