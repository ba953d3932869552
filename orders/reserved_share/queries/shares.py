"""One unit's share of one year."""

# ruff: noqa: S608  statements are put together from constants only; every value that a caller gives is bound

from typing import Any

from sqlalchemy import Row, text
from sqlmodel import Session

from orders.reserved_share.errors import NotABudgetUnit
from orders.reserved_share.queries import progress
from orders.reserved_share.queries.progress import BEFORE, REACH, Year, listed
from orders.reserved_share.rules import Exemption
from orders.reserved_share.schemas import ContentOut, ReservedShareOut, RevisionOut, ViewStatus
from orders.reserved_share.states import RESERVED_SHARE, ShareAction, ShareStatus
from shop.core import paging
from shop.core.errors import NotFound
from shop.core.paging import Page
from shop.identity.actor import Actor
from shop.identity.permissions import Permission, Role

_UNIT = text(f"SELECT o.id, o.name, o.path, o.region_code, o.parent_id FROM organisation o WHERE o.id = :unit_id AND {REACH}")
_LISTED = text(
    f"WITH {listed('o.id = :unit_id')}, page AS (SELECT * FROM listed), {BEFORE}"
    " SELECT page.*, before.last_year, before.last_year_to_date FROM page LEFT JOIN before ON before.unit_id = page.id"
)
_SHARE = text(
    "SELECT s.*, o.name AS shared_with_name FROM reserved_share s LEFT JOIN organisation o ON o.id = s.shared_with_id"
    " WHERE s.organisation_id = :unit_id AND s.year = :year"
)
_REVISIONS = """
    SELECT v.*, o.name AS shared_with_name
    FROM reserved_share s
    JOIN reserved_share_revision v ON v.reserved_share_id = s.id
    LEFT JOIN organisation o ON o.id = v.shared_with_id
    WHERE s.organisation_id = :unit_id AND s.year = :year
"""
_IN_FORCE = text(f"{_REVISIONS} AND v.number = s.accepted_number")
_REVISION_PAGE = text(f"{_REVISIONS} AND (CAST(:start AS int) IS NULL OR v.number < :start) ORDER BY v.number DESC LIMIT :rows")
_REPORTS_FOR = text(
    "SELECT s.organisation_id FROM reserved_share s"
    " JOIN reserved_share_revision v ON v.reserved_share_id = s.id AND v.number = s.accepted_number"
    " WHERE s.year = :year AND v.shared_with_id = :unit_id ORDER BY 1"
)
#: Goods that are ordered and neither accepted nor rejected, of suppliers whose county counts today.
_OPEN_ORDERS = text(
    """
    SELECT coalesce(sum(round((l.quantity - l.accepted_quantity - l.rejected_quantity) * l.unit_price_fen)), 0)::bigint
    FROM purchase_order po
    JOIN supplier_order so ON so.purchase_order_id = po.id AND so.status NOT IN ('rejected', 'cancelled', 'accepted')
    JOIN organisation supplier ON supplier.id = so.supplier_id
    JOIN order_line l ON l.supplier_order_id = so.id
    JOIN product p ON p.id = l.product_id AND p.kind = 'goods'
    WHERE po.buyer_id = ANY (CAST(:buyers AS bigint[])) AND po.fund_source = ANY (CAST(:counted AS text[])) AND EXISTS (
        SELECT FROM region_designation g
        WHERE g.region_code IN (supplier.region_code, left(supplier.region_code, 6)) AND g.designation = :designation
          AND (g.valid_from IS NULL OR g.valid_from <= :today) AND (g.valid_to IS NULL OR :today < g.valid_to))
    """
)

_REVIEWING = (Role.BUYER_ADMIN, Role.FINANCE)


def unit(session: Session, actor: Actor, unit_id: int | None) -> Row[Any]:
    """A unit in reach; the own one by default.

    Raises:
        NotFound: none within reach (404). Forbidden: the caller belongs to none and names none (403).
    """
    asked = actor.organisation if unit_id is None else unit_id
    row = session.execute(_UNIT, {"unit_id": asked, **progress.seen_from(actor)}).first()
    if row is None:
        raise NotFound
    return row


def is_reviewer(actor: Actor, unit: Row[Any]) -> bool:
    """Whether the review of a unit is this actor's office: of the department above it, or of the officers where there is none."""
    if actor.has_role(*_REVIEWING) and actor.within_branch(unit.path) and unit.id != actor.organisation_id:
        return True
    official = unit.parent_id is None and actor.covers_region(Permission.RESERVED_SHARE_REVIEW, unit.region_code)
    return official and not actor.is_related(unit.path)


def share(session: Session, actor: Actor, year_number: int, unit_id: int | None) -> ReservedShareOut:
    """What a unit filed for a year, what holds of it, and how far it is.

    Raises:
        NotFound, Forbidden: as :func:`unit`. NoProgramme: none in force in that year (404). NotABudgetUnit: see there (409).
    """
    found = unit(session, actor, unit_id)
    year = progress.year_of(session, year_number)
    place = {"unit_id": found.id, "year": year.year}
    standing = session.execute(_LISTED, {**year.values(), "unit_id": found.id}).first()
    if standing is None:
        raise NotABudgetUnit(year=year.year)
    row = session.execute(_SHARE, place).first()
    in_force = session.execute(_IN_FORCE, place).first()
    reports_for = list(session.execute(_REPORTS_FOR, place).scalars())
    reported = in_force is not None and in_force.shared_with_id is not None
    return ReservedShareOut(
        unit_id=found.id,
        unit_name=found.name,
        year=year.year,
        status=ViewStatus(row.status) if row else ViewStatus.MISSING,
        due_on=year.due_on,
        minimum_percent=year.config.minimum_percent,
        exemptions=[Exemption(each) for each in year.config.exemptions],
        draft=_content(row) if row else None,
        number=row.number if row else 0,
        in_force=_content(in_force) if in_force else None,
        in_force_number=in_force.number if in_force else None,
        **{name: getattr(row, name, None) for name in ("filed_by", "filed_at", "reviewed_by", "reviewed_at", "review_reason")},
        reports_for=reports_for,
        progress=progress.progress(standing, year),
        open_orders=_open_orders(session, year, [*reports_for, *([] if reported else [found.id])]),
        possible_actions=_possible(actor, found, row),
        version=row.version if row else 0,
    )


def _content(row: Row[Any]) -> ContentOut:
    return ContentOut(
        base=row.base_fen,
        percent=row.percent_bp,
        reserved=row.reserved_fen,
        exemption=row.exemption,
        exemption_reason=row.exemption_reason,
        shared_with_id=row.shared_with_id,
        shared_with_name=row.shared_with_name,
        contractor=row.contractor,
    )


def _open_orders(session: Session, year: Year, buyers: list[int]) -> int:
    if year.today.year != year.year:
        return 0
    values = {
        "buyers": buyers,
        "counted": list(year.config.counted_funds),
        "designation": year.config.eligible_designation,
        "today": year.today,
    }
    return int(session.execute(_OPEN_ORDERS, values).scalar_one())


def _possible(actor: Actor, unit: Row[Any], row: Row[Any] | None) -> list[ShareAction]:
    files = actor.may(Permission.RESERVED_SHARE_FILE) and actor.within_branch(unit.path)
    if row is None:
        return [ShareAction.EDIT] if files else []
    reviews = actor.may(Permission.RESERVED_SHARE_REVIEW) and is_reviewer(actor, unit) and row.filed_by != actor.user_id
    own = {ShareAction.EDIT: files, ShareAction.FILE: files}
    return [action for action in RESERVED_SHARE.possible(row.status) if own.get(action, reviews)]


def revisions(
    session: Session, actor: Actor, year: int, unit_id: int | None, *, limit: int, after: str | None
) -> Page[RevisionOut]:
    """Every version that a unit filed for a year, the newest first. Raises as :func:`unit`."""
    found = unit(session, actor, unit_id)
    start = paging.position(after, int)
    rows = session.execute(
        _REVISION_PAGE, {"unit_id": found.id, "year": year, "start": start[0] if start else None, "rows": limit + 1}
    ).all()
    return paging.page(rows, limit, _revision, lambda row: [row.number])


def _revision(row: Row[Any]) -> RevisionOut:
    return RevisionOut(
        **_content(row).model_dump(),
        number=row.number,
        reason=row.reason,
        filed_by=row.filed_by,
        filed_at=row.filed_at,
        decision=ShareStatus(row.decision) if row.decision else None,
        decision_reason=row.decision_reason,
        decided_by=row.decided_by,
        decided_at=row.decided_at,
    )
