"""Reading outlets, their devices, goods and plans within reach: the operator's branch, or the region of an officer."""

# ruff: noqa: S608  statements are put together from constants only; every value that a caller gives is bound

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import Row, text
from sqlmodel import Session

from orders.outlets.schemas.devices import DeviceOut, ListedDeviceOut
from orders.outlets.schemas.outlets import GoodsOut, OutletOut, PlanLineOut, PlanOut
from orders.outlets.states import OUTLET, OutletKind, OutletMove, OutletStatus
from shop.core import paging
from shop.core.errors import Language, NotFound
from shop.core.paging import Page
from shop.identity.actor import Actor
from shop.identity.permissions import Permission

#: SQL: outlet ``o`` of operator ``op`` within the caller's reach (see :func:`reach`).
IN_REACH = """('' = ANY (CAST(:regions AS text[])) OR starts_with(op.path, CAST(:branch AS text))
    OR EXISTS (SELECT FROM unnest(CAST(:regions AS text[])) AS within (prefix) WHERE starts_with(o.region_code, within.prefix)))"""
#: SQL: an outlet works on the day ``:on``, whose end is ``:end``; its last day is one of them.
WORKING = "status IN ('verified', 'closed') AND verified_at < :end AND opened_on <= :on AND (closed_on IS NULL OR :on <= closed_on)"
# Its silence is counted from its registration on, which is no sign of life.
#: SQL: how region ``r`` is called in the language of the caller.
REGION_NAME = "coalesce(CASE :language WHEN 'en' THEN r.name_en END, r.name_zh)"
_OUTLET = f"""
    SELECT o.*, op.name AS operator_name, op.path AS operator_path, {REGION_NAME} AS region_name,
           nullif(p.seen_at, o.registered_at) AS seen_at, p.sold_at, p.silent_since, p.software
    FROM outlet o JOIN organisation op ON op.id = o.operator_id JOIN region r ON r.code = o.region_code
    LEFT JOIN outlet_pulse p ON p.outlet_id = o.id
    WHERE {IN_REACH}
"""
#: SQL: the filters of lists of outlets; see :class:`Filters`.
FILTERED = """
    AND (CAST(:kind AS text) IS NULL OR o.kind = :kind) AND (CAST(:online AS boolean) IS NULL OR o.online = :online)
    AND (CAST(:status AS text) IS NULL OR o.status = :status) AND (CAST(:region AS text) IS NULL OR starts_with(o.region_code, :region))
    AND (CAST(:operator_id AS bigint) IS NULL OR o.operator_id = :operator_id) AND (CAST(:venue AS text) IS NULL OR o.venue = :venue)
    AND (CAST(:silent AS boolean) IS NULL OR (p.silent_since IS NOT NULL) = :silent)
    AND (CAST(:q AS text) IS NULL OR strpos(o.name, :q) > 0 OR strpos(o.address, :q) > 0 OR strpos(op.name, :q) > 0
         OR starts_with(o.number, upper(normalize(CAST(:q AS text), NFKC)))
         OR upper(normalize(o.external_number, NFKC)) = upper(normalize(CAST(:q AS text), NFKC)))
"""
_LIST = text(f"{_OUTLET} {FILTERED} AND (CAST(:start AS bigint) IS NULL OR o.id > :start) ORDER BY o.id LIMIT :rows")
_ONE = text(f"{_OUTLET} AND o.id = :id")
_SOME = text(f"{_OUTLET} AND o.id = ANY (CAST(:ids AS bigint[])) ORDER BY o.id")
_CALLED = text(
    f"""
    SELECT o.id, o.number, normalize(o.external_number, NFKC) AS external_number, o.kind, o.status FROM outlet o JOIN organisation op ON op.id = o.operator_id
    WHERE {IN_REACH}
      AND (upper(normalize(o.external_number, NFKC)) = ANY (CAST(:names AS text[])) OR o.number = ANY (CAST(:names AS text[]))) ORDER BY o.id
    """
)
_DEVICES = text("SELECT * FROM outlet_device WHERE outlet_id = :id ORDER BY id")
_ALL_DEVICES = text(
    f"""
    SELECT d.*, o.number AS outlet_number, o.name AS outlet_name
    FROM outlet_device d JOIN outlet o ON o.id = d.outlet_id JOIN organisation op ON op.id = o.operator_id
    WHERE {IN_REACH} AND (CAST(:outlet AS bigint) IS NULL OR o.id = :outlet)
      AND (CAST(:revoked AS boolean) IS NULL OR (d.revoked_at IS NOT NULL) = :revoked) AND (CAST(:start AS bigint) IS NULL OR d.id > :start)
    ORDER BY d.id LIMIT :rows
    """
)
_GOODS = text(
    """
    SELECT g.*, s.quantity AS stock, CASE WHEN NOT g.certified THEN 'other' WHEN g.product_id IS NULL THEN 'unmatched' ELSE 'matched' END AS match
    FROM outlet_goods g LEFT JOIN outlet_stock s ON s.outlet_id = g.outlet_id AND s.goods_id = g.goods_id
    WHERE g.outlet_id = :id AND g.deleted_at IS NULL
      AND (CAST(:match AS text) IS NULL OR :match = CASE WHEN NOT g.certified THEN 'other' WHEN g.product_id IS NULL THEN 'unmatched' ELSE 'matched' END)
      AND (CAST(:start AS text) IS NULL OR g.goods_id > :start) ORDER BY g.goods_id LIMIT :rows
    """
)
_PLAN = text(
    """
    SELECT l.sku_id, s.code, p.name AS product_name, s.pack, l.planned_quantity
    FROM outlet_plan_line l JOIN sku s ON s.id = l.sku_id JOIN product p ON p.id = s.product_id
    WHERE l.outlet_id = :id ORDER BY l.sku_id
    """
)


@dataclass(frozen=True, slots=True)
class Filters:
    """``region``: the beginning of a region's code; ``q``: a part of name, address or operator, a number, or the beginning of ours."""

    kind: OutletKind | None = None
    online: bool | None = None
    status: OutletStatus | None = None
    region: str | None = None
    operator_id: int | None = None
    venue: str | None = None
    silent: bool | None = None
    q: str | None = None

    @property
    def values(self) -> dict[str, Any]:
        return asdict(self)


def reach(actor: Actor, permission: Permission = Permission.OUTLETS_READ) -> dict[str, Any]:
    """The values of ``IN_REACH``: an operator's branch, the regions in which an officer holds ``permission``."""
    regions = actor.regions(permission)
    return {"branch": actor.organisation_path if actor.organisation_path and not regions else "-", "regions": regions}


def outlets(
    session: Session, actor: Actor, filters: Filters, language: Language, *, limit: int, after: str | None
) -> Page[OutletOut]:
    start = paging.position(after, int)
    values = {**reach(actor), **filters.values, "language": language, "start": start[0] if start else None, "rows": limit + 1}
    return paging.page(session.execute(_LIST, values).all(), limit, lambda row: _out(actor, row), lambda row: [row.id])


def all_outlets(session: Session, actor: Actor, filters: Filters, language: Language, most: int) -> Sequence[Row[Any]]:
    """The same for a file, as rows."""
    values = {**reach(actor), **filters.values, "language": language, "start": None, "rows": most}
    return session.execute(_LIST, values).all()


def outlet(session: Session, actor: Actor, outlet_id: int, language: Language) -> OutletOut:
    """One outlet. Raises NotFound: there is none within reach (404)."""
    return _out(actor, row_within(session, actor, outlet_id, language=language))


def some(
    session: Session,
    actor: Actor,
    outlet_ids: Sequence[int],
    permission: Permission = Permission.OUTLETS_READ,
    language: Language = "zh",
) -> list[OutletOut]:
    """Of these outlets those within reach, by id."""
    values = {**reach(actor, permission), "language": language, "ids": list(outlet_ids)}
    return [_out(actor, row) for row in session.execute(_SOME, values)]


def called(session: Session, actor: Actor, permission: Permission, names: Sequence[str]) -> dict[str, list[Row[Any]]]:
    """Outlets within reach by what they are called: the number here, or that of the operator, which two operators may have given alike. Case counts only
    between those that differ in nothing else."""
    exact: dict[str, list[Row[Any]]] = {}
    alike: dict[str, list[Row[Any]]] = {}
    for row in session.execute(_CALLED, {**reach(actor, permission), "names": [name.upper() for name in names]}):
        for name in {row.number, row.external_number}:
            exact.setdefault(name, []).append(row)
        for name in {row.number, row.external_number.upper()}:
            alike.setdefault(name, []).append(row)
    return {name: found for name in names if (found := exact.get(name) or alike.get(name.upper()))}


def row_within(
    session: Session,
    actor: Actor,
    outlet_id: int,
    permission: Permission = Permission.OUTLETS_READ,
    language: Language = "zh",
) -> Row[Any]:
    """An outlet as a row. Raises NotFound: there is none within reach (404)."""
    row = session.execute(_ONE, {**reach(actor, permission), "language": language, "id": outlet_id}).first()
    if row is None:
        raise NotFound
    return row


def rows_within(
    session: Session, actor: Actor, ids: Sequence[int], permission: Permission, language: Language
) -> Sequence[Row[Any]]:
    """Those of several outlets that are within reach, as rows."""
    return session.execute(_SOME, {**reach(actor, permission), "language": language, "ids": list(ids)}).all()


def all_devices(
    session: Session, actor: Actor, *, outlet_id: int | None, revoked: bool | None, limit: int, after: str | None
) -> Page[ListedDeviceOut]:
    """The devices of all outlets within reach, in the order in which they were made."""
    start = paging.position(after, int)
    asked = {"outlet": outlet_id, "revoked": revoked, "start": start[0] if start else None, "rows": limit + 1, **reach(actor)}
    rows = session.execute(_ALL_DEVICES, asked).all()
    return paging.page(rows, limit, lambda row: ListedDeviceOut.model_validate(row, from_attributes=True), lambda row: [row.id])


def devices(session: Session, actor: Actor, outlet_id: int) -> list[DeviceOut]:
    row_within(session, actor, outlet_id)
    return [DeviceOut.model_validate(row, from_attributes=True) for row in session.execute(_DEVICES, {"id": outlet_id})]


def goods(session: Session, actor: Actor, outlet_id: int, *, match: str | None, limit: int, after: str | None) -> Page[GoodsOut]:
    """The goods of an outlet by their numbers."""
    row_within(session, actor, outlet_id)
    start = paging.position(after, str)
    values = {"id": outlet_id, "match": match, "start": start[0] if start else None, "rows": limit + 1}
    rows = session.execute(_GOODS, values).all()
    return paging.page(rows, limit, _goods_out, lambda row: [row.goods_id])


def plan(session: Session, actor: Actor, outlet_id: int) -> PlanOut:
    row_within(session, actor, outlet_id)
    lines = [PlanLineOut.model_validate(row, from_attributes=True) for row in session.execute(_PLAN, {"id": outlet_id})]
    return PlanOut(outlet_id=outlet_id, lines=lines)


def _goods_out(row: Row[Any]) -> GoodsOut:
    return GoodsOut.model_validate({**row._mapping, "price": row.price_fen})


def _out(actor: Actor, row: Row[Any]) -> OutletOut:
    possible = [move for move in OUTLET.possible(row.status) if _may(actor, row, move)]
    return OutletOut.model_validate({**row._mapping, "possible_actions": possible})


def _may(actor: Actor, row: Row[Any], move: OutletMove) -> bool:
    if move in (OutletMove.VERIFY, OutletMove.REFUSE):
        return actor.covers_region(Permission.OUTLETS_VERIFY, row.region_code) and not actor.is_related(row.operator_path)
    if regions := actor.regions(Permission.OUTLETS_MANAGE):
        return any(row.region_code.startswith(prefix) for prefix in regions)
    return actor.may(Permission.OUTLETS_MANAGE) and actor.within_branch(row.operator_path)
