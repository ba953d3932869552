"""Reads of programmes: what counts on a date is the programme in force on that date."""

from collections.abc import Callable, Mapping
from datetime import date

from sqlalchemy import text
from sqlmodel import Session, col, select

from shop.core.errors import Language, NotFound
from shop.programmes.errors import NoProgramme
from shop.programmes.models import Programme
from shop.programmes.schemas import ProgrammeConfig

_FINGERPRINTS = text(
    "SELECT code, fingerprint FROM programme WHERE valid_from <= :last AND (valid_to IS NULL OR :first < valid_to) ORDER BY valid_from"
)
_CONFIG = text("SELECT config FROM programme WHERE code = :code")
#: Parsed configurations by the fingerprint of their content; a handful in the life of a process.
_parsed: dict[tuple[str, str], ProgrammeConfig] = {}


def programmes(session: Session) -> list[Programme]:
    """All programmes, oldest first."""
    return list(session.exec(select(Programme).order_by(col(Programme.valid_from))))


def programme(session: Session, code: str) -> Programme:
    """One programme.

    Raises:
        NotFound: there is none with this code.
    """
    if (found := session.get(Programme, code)) is None:
        raise NotFound
    return found


def in_force(session: Session, on: date) -> Programme:
    """The programme in force on a Shanghai date.

    Raises:
        NoProgramme: none is; nothing was in force before 16 February 2020.
    """
    found = session.exec(
        select(Programme)
        .where(col(Programme.valid_from) <= on)
        .where(col(Programme.valid_to).is_(None) | (col(Programme.valid_to) > on))
    ).first()
    if found is None:
        raise NoProgramme(on=on.isoformat())
    return found


def config_of(session: Session, on: date) -> ProgrammeConfig:
    """The configuration in force on a Shanghai date: one small query, parsed once per process and content.

    Raises:
        NoProgramme: as :func:`in_force`.
    """
    found = configs(session, on, on)
    if not found:
        raise NoProgramme(on=on.isoformat())
    return found[0]


def configs(session: Session, first: date, last: date) -> list[ProgrammeConfig]:
    """The configurations that were in force at any time between two Shanghai dates, the oldest first."""
    found = []
    for row in session.execute(_FINGERPRINTS, {"first": first, "last": last}):
        key = (row.code, row.fingerprint)
        if key not in _parsed:
            content = session.execute(_CONFIG, {"code": row.code}).scalar_one()
            _parsed[key] = ProgrammeConfig.model_validate({"code": row.code, **content})
        found.append(_parsed[key])
    return found


def terms(session: Session, on: date, language: Language) -> Callable[[str, str], str]:
    """How the codes of a group read on a date; before the first programme a code stands for itself."""
    try:
        config = config_of(session, on)
    except NoProgramme:
        return lambda group, code: code
    return lambda group, code: config.term(group, code, language)


def words(session: Session, on: date, language: Language) -> Callable[[str], Mapping[str, str]]:
    """All codes of a group with how they read on a date; before the first programme none has words."""
    try:
        config = config_of(session, on)
    except NoProgramme:
        return lambda group: {}
    return lambda group: {code: label.in_(language) for code, label in config.terms.get(group, {}).items()}


def codes(session: Session, group: str, first: date, last: date) -> set[str]:
    """The codes of a group that had words at any time between two Shanghai dates; before the first programme none."""
    return {code for config in configs(session, first, last) for code in config.terms.get(group, {})}


def parsed(row: Programme) -> ProgrammeConfig:
    """The configuration that a row holds."""
    return ProgrammeConfig.model_validate({"code": row.code, **row.config})
