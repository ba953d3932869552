"""Drafting, publishing, ending and cancelling campaigns."""

from typing import Any

from sqlalchemy import Row, text
from sqlmodel import Session

from orders.promotions import queries, rules
from orders.promotions.errors import NotStarted, PromotionRefused
from orders.promotions.rules import Offer
from orders.promotions.schemas import PromotionIn
from orders.promotions.states import PROMOTION, PromotionAction, PromotionStatus, status_on
from shop.core import audit, clock, outbox
from shop.core.errors import Fault, IfMatch, Invalid, any_version
from shop.identity.actor import Actor
from shop.identity.permissions import Permission
from shop.regions import queries as regions

_INSERT = text(
    "INSERT INTO promotion (name, region_code, starts_on, ends_on, online_place, created_by, created_at)"
    " VALUES (:name, :region_code, :starts_on, :ends_on, :online_place, :user_id, :now) RETURNING id"
)
_UPDATE = text(
    "UPDATE promotion SET name = :name, region_code = :region_code, starts_on = :starts_on, ends_on = :ends_on,"
    " online_place = :online_place, version = version + 1 WHERE id = :id"
)
_CLEAR = [text(f"DELETE FROM promotion_{part} WHERE promotion_id = :id") for part in ("line", "outlet")]  # noqa: S608
_LINES = text(
    "INSERT INTO promotion_line (promotion_id, sku_id, online_fen, offline_fen)"
    " SELECT :id, * FROM unnest(CAST(:skus AS bigint[]), CAST(:online AS bigint[]), CAST(:offline AS bigint[]))"
)
_OUTLETS = text("INSERT INTO promotion_outlet (promotion_id, outlet_id) SELECT :id, o FROM unnest(CAST(:outlets AS bigint[])) AS o")
_PARTS = text(
    "SELECT (SELECT array_agg(outlet_id ORDER BY outlet_id) FROM promotion_outlet WHERE promotion_id = :id) AS outlets,"
    " (SELECT jsonb_agg(jsonb_build_array(sku_id, online_fen, offline_fen) ORDER BY sku_id) FROM promotion_line WHERE promotion_id = :id) AS lines"
)
_PUBLISH = text("UPDATE promotion SET status = :status, published_at = :now, version = version + 1 WHERE id = :id")
_STOP = text(
    "UPDATE promotion SET status = :status, reason = :reason, ends_on = coalesce(CAST(:ends_on AS date), ends_on), version = version + 1"
    " WHERE id = :id"
)


def draft(session: Session, actor: Actor, body: PromotionIn) -> int:
    """Write down a campaign of the caller's region; returns its id. Whether it may be published is looked at then.

    Raises:
        Invalid: no district within reach; packs or outlets that do not exist (422).
    """
    _refuse_region(session, actor, body.region_code)
    values = body.model_dump(exclude={"lines", "outlets"})
    made = int(session.execute(_INSERT, {**values, "user_id": actor.user_id, "now": clock.now()}).scalar_one())
    _write_parts(session, made, body)
    audit.record(session, actor, "promotion.drafted", "promotion", made, lines=len(body.lines), outlets=len(body.outlets))
    return made


def edit(session: Session, actor: Actor, promotion_id: int, body: PromotionIn, if_match: IfMatch) -> None:
    """Write a draft anew. Raises as :func:`draft`, and:

    Raises:
        NotFound: none within reach (404). IllegalMove: it is no draft any more (409). Changed: somebody else wrote meanwhile (412).
    """
    head = queries.locked(session, actor, promotion_id)
    if_match(head.version)
    PROMOTION.after(_status(head), PromotionAction.EDIT)
    _refuse_region(session, actor, body.region_code)
    session.execute(_UPDATE, {**body.model_dump(exclude={"lines", "outlets"}), "id": promotion_id})
    for statement in _CLEAR:
        session.execute(statement, {"id": promotion_id})
    _write_parts(session, promotion_id, body)
    audit.record(session, actor, "promotion.edited", "promotion", promotion_id, lines=len(body.lines), outlets=len(body.outlets))


def _status(head: Row[Any]) -> PromotionStatus:
    return status_on(head.status, head.ends_on, clock.today())


def _refuse_region(session: Session, actor: Actor, code: str) -> None:
    if not regions.is_here(session, code) or not actor.covers_region(Permission.PROMOTIONS_MANAGE, code):
        raise Invalid.one("region_code", "unknown_region", "不是本辖区的区县", "no district within reach")


def _write_parts(session: Session, promotion_id: int, body: PromotionIn) -> None:
    lines = {
        "skus": [line.sku_id for line in body.lines],
        "online": [line.online_price for line in body.lines],
        "offline": [line.offline_price for line in body.lines],
    }
    session.execute(_LINES, {"id": promotion_id, **lines})
    session.execute(_OUTLETS, {"id": promotion_id, "outlets": body.outlets})


def publish(session: Session, actor: Actor, promotion_id: int, if_match: IfMatch = any_version) -> None:
    """Make a campaign known: its prices hold both on the net and at its outlets.

    Raises:
        NotFound: none within reach (404). IllegalMove: it is no draft any more (409).
        PromotionRefused: prices above the usual ones or the ceiling, goods without a certificate, outlets that do not work (422).
    """
    head = queries.locked(session, actor, promotion_id)
    if_match(head.version)
    status = PROMOTION.after(_status(head), PromotionAction.PUBLISH)
    parts = session.execute(_PARTS, {"id": promotion_id}).one()
    if faults := _faults(session, head, parts.lines or [], parts.outlets or []):
        raise PromotionRefused(count=len(faults), faults=faults)
    session.execute(_PUBLISH, {"id": promotion_id, "status": status, "now": clock.now()})
    audit.record(session, actor, "promotion.published", "promotion", promotion_id)
    outbox.publish(session, "promotion.published", promotion_id=promotion_id)


def _faults(session: Session, head: Row[Any], lines: list[list[int]], outlets: list[int]) -> list[Fault]:
    found = []
    if head.ends_on < clock.today():
        found.append(Fault("ends_on", "over", "结束日期已过", "Its last day is over"))
    if not lines:
        found.append(Fault("lines", "missing", "没有产品", "It has no goods"))
    if not outlets:
        found.append(Fault("outlets", "missing", "没有线下网点，不是联动促销", "Without an outlet it is not linked"))
    known = queries.goods(session, [sku_id for sku_id, *_ in lines])
    found += rules.faults([(Offer(online, offline), known.get(sku_id)) for sku_id, online, offline in lines], head.ends_on)
    closed = queries.not_open(session, outlets, head.starts_on)
    told = "网点在活动期内未运行", "This outlet does not work over the whole campaign"
    return found + [Fault(f"outlets[{n}]", "not_open", *told) for n, outlet in enumerate(outlets) if outlet in closed]


def stop(
    session: Session, actor: Actor, promotion_id: int, action: PromotionAction, reason: str, if_match: IfMatch = any_version
) -> None:
    """End a campaign today, or cancel it.

    Raises:
        NotFound: none within reach (404). IllegalMove, NotStarted: see there (409).
    """
    head = queries.locked(session, actor, promotion_id)
    if_match(head.version)
    status = PROMOTION.after(_status(head), action)
    ends_on = None
    if action is PromotionAction.END:
        if clock.today() < head.starts_on:
            raise NotStarted
        ends_on = clock.today()
    session.execute(_STOP, {"id": promotion_id, "status": status, "reason": reason, "ends_on": ends_on})
    audit.record(session, actor, f"promotion.{status}", "promotion", promotion_id, reason=reason)
    if head.published_at is not None:
        outbox.publish(session, "promotion.stopped", promotion_id=promotion_id)
