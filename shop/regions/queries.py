"""Reads of regions as of a date: what was in force on it, not what is known of today."""

# ruff: noqa: S608  the statements are put together from constants only; every value that a caller gives is bound

from collections.abc import Callable, Collection, Sequence
from datetime import date
from typing import Any

from sqlalchemy import Row, text
from sqlmodel import Session

from shop.core.errors import Invalid, Language, NotFound, unknown_code
from shop.identity.actor import CITY, region_prefixes
from shop.regions.rules import Designation, RegionKind, RelationKind, whole_of


def _in_force(table: str) -> str:
    """SQL: a period without a start was always in force, one without an end still is; ``valid_to`` is its first day after."""
    return f"({table}.valid_from IS NULL OR {table}.valid_from <= :on) AND ({table}.valid_to IS NULL OR :on < {table}.valid_to)"


_REGIONS = text(f"""
SELECT r.code, r.name_zh, r.name_en, r.kind, r.parent_code, r.valid_from, r.valid_to, r.successor_code,
       coalesce((SELECT array_agg(d.designation ORDER BY d.designation) FROM region_designation d
                 WHERE d.region_code = r.code AND {_in_force("d")}), '{{}}') AS designations
FROM region r
WHERE {_in_force("r")}
  AND (CAST(:after AS text) IS NULL OR r.code > :after)
  AND (CAST(:kind AS text) IS NULL OR r.kind = :kind)
  AND (CAST(:parent AS text) IS NULL OR r.parent_code = :parent)
  AND (CAST(:q AS text) IS NULL OR strpos(r.name_zh, :q) > 0 OR strpos(lower(r.name_en), lower(:q)) > 0 OR starts_with(r.code, :q))
  AND (CAST(:designation AS text) IS NULL OR EXISTS (
       SELECT FROM region_designation d WHERE d.region_code = r.code AND d.designation = :designation AND {_in_force("d")}))
ORDER BY r.code LIMIT :limit
""")

_REGION = text(f"SELECT r.*, ({_in_force('r')}) AS in_force FROM region r WHERE r.code = :code")

_NAMES = text("SELECT code, CASE :language WHEN 'en' THEN name_en ELSE name_zh END AS name FROM region WHERE code = ANY (:codes)")

_HERE = text("SELECT EXISTS (SELECT FROM region WHERE code = :code AND (code = :city OR parent_code = :city))")

_DESIGNATIONS = text(
    "SELECT d.designation, d.valid_from, d.valid_to FROM region_designation d"
    f" WHERE d.region_code = :code AND {_in_force('d')} ORDER BY d.designation"
)

_ALL_DESIGNATED = text(
    f"SELECT DISTINCT d.region_code FROM region_designation d WHERE d.designation = ANY (:designations) AND {_in_force('d')}"
)

_LAST_DESIGNATED = text(
    "SELECT max(valid_to) - 1 FROM region_designation WHERE designation = ANY (:designations) AND valid_to <= :on"
)

_PREDECESSORS = text("""
WITH RECURSIVE chain AS (
    SELECT unnest(CAST(:codes AS text[])) AS code
    UNION SELECT r.code FROM chain JOIN region r ON r.successor_code = chain.code
) SELECT code FROM chain ORDER BY code
""")

_ANY_WITHIN = text("SELECT EXISTS (SELECT FROM region WHERE starts_with(code, :prefix))")

_SUCCESSORS = text("""
WITH RECURSIVE chain AS (
    SELECT code AS ended, successor_code AS code FROM region WHERE successor_code IS NOT NULL AND valid_to <= :on
    UNION SELECT chain.ended, r.successor_code FROM chain JOIN region r ON r.code = chain.code WHERE r.successor_code IS NOT NULL AND r.valid_to <= :on
) SELECT ended, code FROM chain JOIN region USING (code) WHERE region.valid_to IS NULL OR region.valid_to > :on
""")

_DESIGNATED = text(
    "SELECT EXISTS (SELECT FROM region_designation d"
    f" WHERE d.region_code IN (CAST(:code AS text), left(CAST(:code AS text), 6)) AND d.designation = :designation AND {_in_force('d')})"
)

_RELATIONS = f"""
SELECT s.id, s.kind, s.supporter_id, p.name AS supporter, p.region_code AS supporter_region_code, s.region_code,
       r.name_zh AS region_name_zh, r.name_en AS region_name_en, s.valid_from, s.valid_to, s.confidence, s.note
FROM support_relation s JOIN supporter p ON p.id = s.supporter_id JOIN region r ON r.code = s.region_code
WHERE {_in_force("s")}
"""
_RELATIONS_PAGE = text(
    _RELATIONS + " AND s.id > :after AND (CAST(:kind AS text) IS NULL OR s.kind = :kind)"
    " AND starts_with(s.region_code, :prefix) ORDER BY s.id LIMIT :limit"
)
_RELATIONS_REACHING = text(
    _RELATIONS + " AND (starts_with(s.region_code, :code) OR starts_with(:code, s.region_code)) ORDER BY s.kind, s.id"
)


def regions(
    session: Session,
    on: date,
    *,
    kind: RegionKind | None = None,
    designation: Designation | None = None,
    parent: str | None = None,
    q: str | None = None,
    after: str | None = None,
    limit: int = 200,
) -> list[Row[Any]]:
    """Regions in force on a date, by code, each with the designations that it had then."""
    filters = {"kind": kind, "designation": designation, "parent": parent, "q": q, "after": after}
    return list(session.execute(_REGIONS, {"on": on, "limit": limit, **filters}))


def region(session: Session, code: str, on: date) -> Row[Any]:
    """One region, and whether it was in force on a date.

    Raises:
        NotFound: there is none with this code.
    """
    row = session.execute(_REGION, {"code": code, "on": on}).first()
    if row is None:
        raise NotFound
    return row


def is_here(session: Session, code: str) -> bool:
    """Whether it is the city or one of its districts, be it one that has ended."""
    return bool(session.execute(_HERE, {"code": code, "city": CITY}).scalar_one())


def prefix_asked(session: Session, code: str | None, field: str = "region") -> str | None:
    """With what the codes of a region's parts begin, where a list is asked for it: 500000 is the whole city, 50.

    Raises:
        Invalid: no region's code begins so (422).
    """
    if code is None:
        return None
    prefix = whole_of(code)
    if not session.execute(_ANY_WITHIN, {"prefix": prefix}).scalar_one():
        raise Invalid(faults=[unknown_code(field, code)])
    return prefix


def names(session: Session, codes: Collection[str], language: Language) -> Callable[[str], str]:
    """How some codes read; one that is not known stands for itself."""
    found = {row.code: row.name for row in session.execute(_NAMES, {"codes": list(codes), "language": language})}
    return lambda code: found.get(code, code)


def both_names(session: Session, codes: Collection[str]) -> dict[str, dict[str, Any]]:
    """How some codes read in both languages, as refusals tell them beside the code: ``name_zh`` and ``name_en``."""
    if not codes:
        return {}
    chinese, english = names(session, codes, "zh"), names(session, codes, "en")
    return {code: {"name_zh": chinese(code), "name_en": english(code)} for code in codes}


def designations(session: Session, code: str, on: date) -> list[Row[Any]]:
    """The designations that a region had on a date."""
    return list(session.execute(_DESIGNATIONS, {"code": code, "on": on}))


def is_designated(session: Session, code: str, designation: Designation | str, on: date) -> bool:
    """Whether a region, or the district in which it lies, had a designation on a date."""
    found = session.execute(_DESIGNATED, {"code": code, "designation": str(designation), "on": on})
    return bool(found.scalar_one())


def support_relations(
    session: Session,
    on: date,
    *,
    kind: RelationKind | None = None,
    region_code: str | None = None,
    after: int = 0,
    limit: int = 200,
) -> list[Row[Any]]:
    """Support relations in force on a date; ``region_code`` keeps those of a region and of what lies in it."""
    prefix = region_prefixes([region_code])[0] if region_code else ""
    return list(session.execute(_RELATIONS_PAGE, {"on": on, "kind": kind, "prefix": prefix, "after": after, "limit": limit}))


def relations_reaching(session: Session, code: str, on: date) -> list[Row[Any]]:
    """Relations in force on a date that support a region, a township in it or the district around it."""
    return list(session.execute(_RELATIONS_REACHING, {"code": code, "on": on}))


def designated(session: Session, wanted: Sequence[Designation], on: date) -> set[str]:
    """The codes of all regions that had one of some designations on a date."""
    found = session.execute(_ALL_DESIGNATED, {"designations": [str(one) for one in wanted], "on": on})
    return set(found.scalars())


def designated_until(session: Session, wanted: Sequence[Designation], on: date) -> date | None:
    """The last day up to a date on which a region had one of some designations that ended; None: none has ended."""
    found: date | None = session.execute(_LAST_DESIGNATED, {"designations": [str(one) for one in wanted], "on": on}).scalar_one()
    return found


def with_predecessors(session: Session, codes: Sequence[str]) -> list[str]:
    """The codes, and those of every region that was merged into one of them: what was sold there before belongs to it."""
    if not codes:
        return []
    return list(session.execute(_PREDECESSORS, {"codes": list(codes)}).scalars())


def successors(session: Session, on: date) -> dict[str, str]:
    """For every region that had ended by a date, the one in force then that it was merged into; read once in a session, which is one transaction."""
    kept: dict[date, dict[str, str]] = session.info.setdefault("successors", {})
    if on not in kept:
        kept[on] = {row.ended: row.code for row in session.execute(_SUCCESSORS, {"on": on})}
    return kept[on]
