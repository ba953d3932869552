"""Finding columns of a table by their headings. Pure functions."""

import difflib
import unicodedata
from collections.abc import Mapping, Sequence
from typing import NamedTuple

#: From which likeness on a header is taken for a slip, and as much of one as is told again.
_ALIKE, _LONGEST_TITLE = 0.7, 60


class Wrong(NamedTuple):
    """What is wrong with a heading: the column that it is told of, its code, and the words for it."""

    column: str
    code: str
    zh: str
    en: str


def places_of(
    header: Sequence[str], titles: Mapping[str, Sequence[str]], required: Sequence[str]
) -> tuple[dict[str, int | None], list[str], list[Wrong]]:
    """Where each column stands; ``titles`` are the headers accepted for it, its own first. Width, case, blanks and a marking asterisk do not count. Then the
    headers that are none of them; and what is wrong: required columns are missing, stand there twice, or one is called much like a column that is not
    there."""
    given = [_title(cell) for cell in header]
    found: dict[str, int | None] = {}
    wrong = []
    for name, accepted in titles.items():
        places = [place for place, title in enumerate(given) if title in {_title(each) for each in accepted}]
        found[name] = places[0] if places else None
        own, both = accepted[0], _both(accepted)
        if not places and name in required:
            wrong.append(Wrong(own, "column_missing", f"缺少列：{own}", f"column {both} is missing"))
        if len(places) > 1:
            wrong.append(Wrong(own, "column_twice", f"列重复：{own}", f"column {both} stands there twice"))
    read = {_title(each) for accepted in titles.values() for each in accepted}
    ignored = [cell.strip()[:_LONGEST_TITLE] for cell, title in zip(header, given, strict=True) if title and title not in read]
    absent = {name: accepted for name, accepted in titles.items() if found[name] is None}
    for cell in ignored:
        if (meant := _meant(cell, absent)) is not None:
            told = (
                f"列“{cell}”无法识别，是否应为“{titles[meant][0]}”？请更正列名，或删去该列",
                f"column {cell} is not known; is it {_both(titles[meant])}? Call it so or leave it out",
            )
            wrong.append(Wrong(cell, "column_unclear", *told))
    return found, ignored, wrong


def _both(accepted: Sequence[str]) -> str:
    """A column in English: by the name that the template has, which is Chinese, and the English one that is taken, too."""
    return f"{accepted[0]} ({accepted[-1]})" if accepted[0] != accepted[-1] else accepted[0]


def _meant(header: str, absent: Mapping[str, Sequence[str]]) -> str | None:
    """The column of those that are not there which is called much like a header: a slip of the keyboard would pass over all that it holds."""
    likeness = {
        name: max(difflib.SequenceMatcher(None, _letters(header), _letters(each)).ratio() for each in accepted)
        for name, accepted in absent.items()
    }
    nearest = max(likeness, key=lambda each: likeness[each], default=None)
    return nearest if nearest is not None and likeness[nearest] >= _ALIKE else None


def _letters(header: str) -> str:
    return "".join(character for character in _title(header) if character.isalnum())


def _title(cell: str) -> str:
    return "".join(unicodedata.normalize("NFKC", cell).split()).rstrip("*").lower()
