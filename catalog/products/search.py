"""How the catalogue is searched: by any part of a Chinese name however short, by pinyin and by initials.

PostgreSQL's own text search cuts by blanks and its trigrams need three characters, but most Chinese words have two. So a product's
vector holds every single character and every pair of neighbours of its text, and from every syllable on the pinyin (marked ``=``) and the
initials (marked ``#``). A word of the query asks for all its pairs; that finds every product that holds the word, and a comparison with
the text drops the few that hold the pairs but not the word. No extension, dictionary or locale is needed.
"""

import unicodedata
from dataclasses import dataclass
from functools import lru_cache

#: Syllables that one pinyin token spans. Longer queries are cut, and still find what they mean.
SPAN = 10
#: Words of a query that count.
MAX_WORDS = 8
_PINYIN, _INITIALS = "=", "#"


def _syllables(text: str) -> list[str]:
    # Imported here because its dictionaries take fifty megabytes, which a process that names no products need not hold.
    from pypinyin import lazy_pinyin

    syllables: list[str] = lazy_pinyin(text)
    return syllables


def normalised(text: str) -> str:
    """Lower case, full-width forms made plain, everything but letters and digits made one blank."""
    folded = unicodedata.normalize("NFKC", text).casefold().replace("ü", "v")
    return " ".join("".join(c if c.isalnum() else " " for c in folded).split())


def lexemes(text: str) -> list[str]:
    """Everything by which a text is found, sorted."""
    return sorted(frozenset[str]().union(*(_word_lexemes(word) for word in normalised(text).split())))


def sort_key(name: str) -> str:
    """The pinyin of a name, syllables apart, so that names sort as a reader expects without any collation of the database."""
    return " ".join(_syllables(normalised(name)))


@dataclass(frozen=True)
class Words:
    """A query made ready. ``tsquery`` finds the candidates, each of ``patterns`` must then fit the text (for LIKE)."""

    #: The whole query as one text, to tell how well a name fits.
    whole: str
    tsquery: str
    patterns: tuple[str, ...]


def words(query: str) -> Words | None:
    """Read what somebody typed; None when it holds nothing to search for."""
    whole = normalised(query)
    each = whole.split()[:MAX_WORDS]
    if not each:
        return None
    # what is left of a query has letters and digits only, so nothing in it means anything to LIKE
    patterns = tuple(f"%{word}%" for word in each if not _is_latin(word))
    return Words(whole, " & ".join(f"({_tsquery(word)})" for word in each), patterns)


@lru_cache(maxsize=4096)  # places and suppliers return with every product of theirs
def _word_lexemes(word: str) -> frozenset[str]:
    found = _grams(word, 1) | _grams(word, 2)
    syllables = _syllables(word)
    for start in range(len(syllables)):
        spoken = syllables[start : start + SPAN]
        found.add(_PINYIN + "".join(spoken))
        found.add(_INITIALS + "".join(syllable[0] for syllable in spoken))
    return frozenset(found)


def _tsquery(word: str) -> str:
    pairs = " & ".join(_quoted(gram) for gram in sorted(_grams(word, min(2, len(word)))))
    if not _is_latin(word):
        return pairs
    return f"({pairs}) | {_quoted(_PINYIN + word[: 6 * SPAN])}:* | {_quoted(_INITIALS + word[:SPAN])}:*"


def _is_latin(word: str) -> bool:
    """Whether a word may be pinyin or initials."""
    return word.isascii() and word.isalpha()


def _grams(word: str, length: int) -> set[str]:
    return {word[i : i + length] for i in range(len(word) - length + 1)}


def _quoted(lexeme: str) -> str:
    """A lexeme as it stands in a query: letters, digits and our marks, nothing that would need more than quotes."""
    return f"'{lexeme}'"
