"""How codes read in the caller's language."""

from collections.abc import Callable, Collection
from datetime import date

from sqlalchemy import text
from sqlmodel import Session

from shop.core import clock
from shop.core.errors import Language
from shop.programmes import queries as programmes
from shop.programmes.errors import NoProgramme

_REGIONS = text(
    "SELECT code, coalesce(CASE :language WHEN 'en' THEN name_en END, name_zh) AS name FROM region WHERE code = ANY (:codes)"
)


def regions(session: Session, codes: Collection[str], language: Language) -> Callable[[str], str]:
    names = {row.code: row.name for row in session.execute(_REGIONS, {"codes": list(codes), "language": language})}
    return lambda code: names.get(code, code)


def terms(session: Session, group: str, on: date, language: Language) -> Callable[[str], str]:
    """The programme's words on a day; before the first programme a code stands for itself."""
    try:
        config = programmes.config_of(session, min(on, clock.today()))
    except NoProgramme:
        return str
    return lambda code: config.term(group, code, language)
