"""Who sees a report, and whose it is to write or to review."""

from typing import Any

from sqlalchemy import Row, text
from sqlmodel import Session

from shop.core.errors import NotFound
from shop.identity.actor import Actor
from shop.identity.permissions import Permission

#: SQL: the unit's own branch, or a region; ``r`` has a district, ``o`` is the unit (none for a county's report).
REACH = "(coalesce(o.path LIKE CAST(:branch AS text), false) OR r.region_code LIKE ANY (CAST(:regions AS text[])))"
NAMED = """
    FROM report r LEFT JOIN organisation o ON o.id = r.organisation_id JOIN region d ON d.code = r.region_code
"""
COLUMNS = "r.*, o.name AS unit_name, o.path, d.name_zh, d.name_en"
_REPORT = text(f"SELECT {COLUMNS} {NAMED} WHERE r.id = :id AND {REACH}")


def seen_from(actor: Actor, permission: Permission = Permission.REPORTS_READ) -> dict[str, Any]:
    """The values of :data:`REACH`."""
    branch = f"{actor.organisation_path}%" if actor.organisation_path else None
    return {"branch": branch, "regions": actor.region_patterns(permission)}


def row_of(session: Session, actor: Actor, report_id: int) -> Row[Any]:
    """A report within reach.

    Raises:
        NotFound: none (404).
    """
    row = session.execute(_REPORT, {"id": report_id, **seen_from(actor)}).first()
    if row is None:
        raise NotFound
    return row


def may_write(actor: Actor, row: Row[Any]) -> bool:
    """Whether a report is the actor's own to write: of its branch, or of the county whose officer it is."""
    if not actor.may(Permission.REPORTS_SUBMIT):
        return False
    if row.organisation_id is not None:
        return actor.within_branch(row.path)
    return actor.covers_region(Permission.REPORTS_SUBMIT, row.region_code)


def may_review(actor: Actor, row: Row[Any]) -> bool:
    """Whether the review is the actor's office: of officers of the county, or the city, for units; of the city's for counties."""
    if row.organisation_id is None:
        return "" in actor.regions(Permission.REPORTS_REVIEW)
    return actor.covers_region(Permission.REPORTS_REVIEW, row.region_code) and not actor.is_related(row.path)
