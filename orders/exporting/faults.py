"""Why a file could not be made, in words, and what to change so that it can be."""

from datetime import date

from orders.exporting.errors import NotAllowedAnyMore, NoWebhooks, TookTooLong, TooManyRows, Unfinished
from orders.exporting.kinds import KINDS
from orders.exporting.rules import MOST_ROWS, Format
from orders.exporting.schemas import FaultOut
from orders.statistics.errors import NothingToCompare, NothingToRunOver
from orders.statistics.errors import TooManyRows as TooManyGroups
from orders.statistics.question import MAX_ROWS
from shop.core.errors import Language, Problem

#: Reasons that are the same whatever was asked for.
_ALIKE: dict[str, tuple[Problem, str | None]] = {
    NotAllowedAnyMore.code: (NotAllowedAnyMore(), None),
    NoWebhooks.code: (NoWebhooks(), None),
    TookTooLong.code: (TookTooLong(), None),
    NothingToRunOver.code: (NothingToRunOver(), "parameters.extra"),
    NothingToCompare.code: (NothingToCompare(), "parameters.compare"),
    Unfinished.code: (Unfinished(), None),
}
assert TooManyGroups.code == TooManyRows.code


def told(code: str, kind: str, format: str, language: Language) -> FaultOut:
    """A reason for which an export of a kind failed; one without words shows its code."""
    if code == TooManyRows.code:
        problem, field = _too_many(kind, Format(format))
    elif code in _ALIKE:
        problem, field = _ALIKE[code]
    else:
        return FaultOut(code=code, message=code, field=None)
    return FaultOut(code=code, message=str(problem.told(language)["title"]), field=field)


def _too_many(kind: str, format: Format) -> tuple[Problem, str | None]:
    """Figures are by less, what does not go into a workbook goes into another format, and what goes into none is of fewer days."""
    if kind == "sales":
        return TooManyGroups(limit=MAX_ROWS), "parameters.group_by"
    most = MOST_ROWS[format]
    if most < max(MOST_ROWS.values()):
        return TooManyRows(limit=most), "format"
    first_day = next(iter(KINDS[kind].of_days(date.min, date.max)))
    return TooManyRows(limit=most), f"parameters.{first_day}"
