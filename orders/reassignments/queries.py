"""Reading applications for another budget unit: the own branch's, or those of an officer's region."""

from typing import Any

from sqlalchemy import Row, text
from sqlmodel import Session

from orders.reassignments.schemas import ApplicationOut
from orders.reassignments.states import APPLICATION, ApplicationMove, ApplicationStatus
from shop.core import paging
from shop.core.errors import NotFound
from shop.core.paging import Page
from shop.identity.actor import Actor
from shop.identity.permissions import Permission

_APPLICATION = """
    SELECT a.*, po.number AS purchase_order_number, f.name AS from_unit_name, t.name AS to_unit_name, u.name AS filed_by_name,
           f.region_code, f.path AS from_path, t.path AS to_path, unit.path AS unit_path
    FROM budget_unit_application a
    JOIN purchase_order po ON po.id = a.purchase_order_id
    JOIN organisation unit ON unit.id = po.ordering_unit_id
    JOIN organisation f ON f.id = a.from_unit_id
    JOIN organisation t ON t.id = a.to_unit_id
    JOIN app_user u ON u.id = a.filed_by
    WHERE (f.path LIKE CAST(:branch AS text) OR t.path LIKE CAST(:branch AS text) OR unit.path LIKE CAST(:branch AS text)
           OR f.region_code LIKE ANY (CAST(:regions AS text[])))
"""
_LIST = text(
    f"""{_APPLICATION} AND (CAST(:status AS text) IS NULL OR a.status = :status)
    AND (CAST(:order_id AS bigint) IS NULL OR a.purchase_order_id = :order_id)
    AND (CAST(:start AS bigint) IS NULL OR a.id < :start) ORDER BY a.id DESC LIMIT :rows"""
)
_ONE = text(f"{_APPLICATION} AND a.id = :id")


def _reach(actor: Actor) -> dict[str, Any]:
    return {
        "branch": f"{actor.organisation_path}%" if actor.organisation_path else None,
        "regions": actor.region_patterns(Permission.BUDGET_UNITS_DECIDE),
    }


def applications(
    session: Session, actor: Actor, *, status: ApplicationStatus | None, order_id: int | None, limit: int, after: str | None
) -> Page[ApplicationOut]:
    """Applications within reach, newest first."""
    start = paging.position(after, int)
    rows = session.execute(
        _LIST,
        {
            **_reach(actor),
            "status": status,
            "order_id": order_id,
            "start": start[0] if start else None,
            "rows": limit + 1,
        },
    ).all()
    return paging.page(rows, limit, lambda row: _shown(actor, row), lambda row: [row.id])


def application(session: Session, actor: Actor, application_id: int) -> ApplicationOut:
    """One application.

    Raises:
        NotFound: none within reach.
    """
    row = session.execute(_ONE, {**_reach(actor), "id": application_id}).first()
    if row is None:
        raise NotFound
    return _shown(actor, row)


def _shown(actor: Actor, row: Row[Any]) -> ApplicationOut:
    fields = {name: getattr(row, name) for name in ApplicationOut.model_fields if name != "possible_actions"}
    return ApplicationOut(**fields, possible_actions=APPLICATION.possible(row.status, moves_of(actor, row)))


def moves_of(actor: Actor, row: Any) -> set[ApplicationMove]:
    """What the actor may do with an application at all: take it back, as whose order it is, or decide it, as an officer of the region without an
    interest in it. ``row`` has the paths of all units, and the region of the one that the order leaves."""
    moves: set[ApplicationMove] = set()
    if actor.may(Permission.ORDERS_PLACE) and (actor.within_branch(row.from_path) or actor.within_branch(row.unit_path)):
        moves.add(ApplicationMove.WITHDRAW)
    officer = actor.may(Permission.BUDGET_UNITS_DECIDE) and actor.covers_region(Permission.BUDGET_UNITS_DECIDE, row.region_code)
    if officer and not is_party(actor, row):
        moves |= {ApplicationMove.APPROVE, ApplicationMove.REFUSE}
    return moves


def is_party(actor: Actor, row: Any) -> bool:
    """Whether a unit of an application is the actor's own, below it or above it."""
    return actor.is_related(row.from_path) or actor.is_related(row.to_path)
