"""Chinese product search on any PostgreSQL, without an extension.

A name is indexed by its single characters and pairs of characters, so a word of one or two characters is found by the index and a longer one by its
pairs, rechecked against the name itself: nothing is missed, nothing wrong is found. Latin letters are looked up as pinyin: ``zhacai``, ``zc`` and
``qicheng`` find 涪陵榨菜 and 奉节脐橙 from any syllable on.
"""

import re
import unicodedata
from dataclasses import dataclass

from pypinyin import lazy_pinyin

#: Marks in the index: pinyin from a syllable on, and the initials from a syllable on.
_PINYIN, _INITIALS = "~", "#"


def normalised(text: str) -> str:
    """The same text however it was typed: full-width forms, capitals and runs of blanks make no difference."""
    return " ".join(unicodedata.normalize("NFKC", text).lower().split())


def lexemes(name: str) -> list[str]:
    """What the index holds for a name."""
    found: set[str] = set()
    for run in _runs(normalised(name)):
        found.update(run)
        found.update(_pairs(run))
        if run.isascii():
            found.add(run)
    syllables = [syllable for syllable in lazy_pinyin(normalised(name), errors="ignore") if syllable.isascii()]
    for start in range(len(syllables)):
        found.add(_PINYIN + "".join(syllables[start:]))
        found.add(_INITIALS + "".join(syllable[0] for syllable in syllables[start:]))
    return sorted(found)


def sort_key(name: str) -> str:
    """Pinyin, so that names sort as readers expect without a collation of the database."""
    return " ".join(lazy_pinyin(normalised(name)))[:200]


@dataclass(frozen=True)
class Words:
    """A search: the index query, the LIKE patterns that the text must fit besides, and the words as one, for ranking."""

    tsquery: str
    patterns: tuple[str, ...]
    whole: str


def words(typed: str) -> Words | None:
    """What to look for; None when there is nothing to look for in what was typed."""
    queries: list[str] = []
    patterns: list[str] = []
    for word in normalised(typed).split():
        runs = _runs(word)
        if not runs:
            continue
        if word.isascii() and word.isalpha():
            queries.append(f"({_quoted(_PINYIN + word)}:* | {_quoted(_INITIALS + word)}:* | {_quoted(word)})")
            continue
        for run in runs:
            queries += [_quoted(term) for term in (_pairs(run) or [run])]
        patterns.append(_containing(word))
    return Words(" & ".join(queries), tuple(patterns), normalised(typed)) if queries else None


def _containing(word: str) -> str:
    """A LIKE pattern for a text that contains the word literally."""
    return "%" + re.sub(r"([\\%_])", r"\\\1", word) + "%"


def _runs(text: str) -> list[str]:
    """Letters and digits without what separates them."""
    return "".join(character if character.isalnum() else " " for character in text).split()


def _pairs(run: str) -> list[str]:
    return sorted({run[i : i + 2] for i in range(len(run) - 1)})


def _quoted(term: str) -> str:
    return "'" + term.replace("\\", "\\\\").replace("'", "''") + "'"
