"""Reading campaigns of the own region, and what they brought."""

# ruff: noqa: S608  statements are put together from constants only; every value that a caller gives is bound

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from sqlalchemy import Row, text
from sqlmodel import Session

from catalog.certificates.states import in_force_sql
from orders.ledger.selection import EVERYWHERE, Dimension, Selection
from orders.promotions import rules, sheets
from orders.promotions.errors import NoEffectYet
from orders.promotions.rules import Effect, Goods
from orders.promotions.schemas import LineOut, OtherOut, OutletOut, PromotionOut, PromotionRow
from orders.promotions.states import PROMOTION, STATUS_SQL, PromotionStatus, status_on
from orders.statistics.queries import ask
from orders.statistics.question import Measure, Question
from shop.core import clock, paging
from shop.core.errors import Language, NotFound
from shop.core.paging import Page
from shop.identity.actor import Actor
from shop.identity.permissions import Permission
from shop.programmes import queries as programmes

_PROMOTION = f"""
SELECT p.*, {STATUS_SQL} AS status_now, coalesce(CASE :language WHEN 'en' THEN r.name_en END, r.name_zh) AS region_name,
       (SELECT count(*) FROM promotion_outlet o WHERE o.promotion_id = p.id) AS outlet_count,
       (SELECT count(*) FROM promotion_line l WHERE l.promotion_id = p.id) AS line_count
FROM promotion p JOIN region r ON r.code = p.region_code
WHERE p.region_code LIKE ANY (CAST(:regions AS text[]))
"""
_PAGE = text(
    f"{_PROMOTION} AND (CAST(:status AS text) IS NULL OR {STATUS_SQL} = :status)"
    " AND (CAST(:start AS bigint) IS NULL OR p.id < :start) ORDER BY p.id DESC LIMIT :rows"
)
_ONE = text(f"{_PROMOTION} AND p.id = :id")
_LOCK = text("SELECT * FROM promotion p WHERE p.id = :id AND p.region_code LIKE ANY (CAST(:regions AS text[])) FOR UPDATE")
_LIST_PRICE = "(SELECT t.unit_price_fen FROM price_tier t WHERE t.sku_id = s.id ORDER BY t.min_quantity LIMIT 1)"
_LINES = text(
    f"""
    SELECT l.sku_id, s.product_id, p.name AS product_name, s.pack, p.supplier_id, o.name AS supplier_name, {_LIST_PRICE} AS list_price,
           l.online_fen AS online_price, l.offline_fen AS offline_price
    FROM promotion_line l JOIN sku s ON s.id = l.sku_id JOIN product p ON p.id = s.product_id JOIN organisation o ON o.id = p.supplier_id
    WHERE l.promotion_id = :id ORDER BY l.sku_id
    """
)
_OUTLETS = text(
    "SELECT o.id, o.number, o.name, o.region_code FROM promotion_outlet k JOIN outlet o ON o.id = k.outlet_id"
    " WHERE k.promotion_id = :id ORDER BY o.id"
)
_GOODS = text(
    f"""
    SELECT s.id, s.status = 'active' AND p.status = 'active' AS on_sale, {_LIST_PRICE} AS list_fen, s.net_grams, p.ceiling_fen, p.ceiling_grams,
           (SELECT max(least(c.valid_until, c.papers_valid_until)) FROM certificate c WHERE c.product_id = p.id AND {in_force_sql("c")})
             AS certified_until
    FROM sku s JOIN product p ON p.id = s.product_id WHERE s.id = ANY (CAST(:ids AS bigint[]))
    """
)
#: Outlets that do not work, or open after the campaign begins. One that works has no last day.
_NOT_OPEN = text(
    "SELECT o.id FROM outlet o WHERE o.id = ANY (CAST(:ids AS bigint[]))"
    " AND NOT (o.status = 'verified' AND o.opened_on <= :starts_on)"
)


def locked(session: Session, actor: Actor, promotion_id: int) -> Row[Any]:
    """A campaign that the caller runs, locked until the transaction ends.

    Raises:
        NotFound: none within reach.
    """
    asked = {"id": promotion_id, "regions": actor.region_patterns(Permission.PROMOTIONS_MANAGE)}
    row = session.execute(_LOCK, asked).first()
    if row is None:
        raise NotFound
    return row


def promotions(
    session: Session, actor: Actor, language: Language, *, status: PromotionStatus | None, limit: int, after: str | None
) -> Page[PromotionRow]:
    """The campaigns of the caller's region, the last one first."""
    start = paging.position(after, int)
    asked = {
        "regions": actor.region_patterns(Permission.MONITORING_READ),
        "language": language,
        "today": clock.today(),
        "status": status,
        "start": start[0] if start else None,
        "rows": limit + 1,
    }
    rows = session.execute(_PAGE, asked).all()
    return paging.page(rows, limit, lambda row: PromotionRow.model_validate(_head(row)), lambda row: [row.id])


def promotion(session: Session, actor: Actor, promotion_id: int, language: Language) -> PromotionOut:
    """One campaign with its prices and outlets.

    Raises:
        NotFound: none within reach.
    """
    row = _one(session, actor, promotion_id, language)
    manages = actor.may(Permission.PROMOTIONS_MANAGE) and actor.covers_region(Permission.PROMOTIONS_MANAGE, row.region_code)
    status = status_on(row.status, row.ends_on, clock.today())
    return PromotionOut.model_validate(
        {
            **_head(row),
            "lines": [LineOut.model_validate(each, from_attributes=True) for each in session.execute(_LINES, {"id": promotion_id})],
            "outlets": [
                OutletOut.model_validate(each, from_attributes=True) for each in session.execute(_OUTLETS, {"id": promotion_id})
            ],
            "possible_actions": PROMOTION.possible(status) if manages else [],
        }
    )


def _one(session: Session, actor: Actor, promotion_id: int, language: Language) -> Row[Any]:
    asked = {
        "id": promotion_id,
        "regions": actor.region_patterns(Permission.MONITORING_READ),
        "language": language,
        "today": clock.today(),
    }
    row = session.execute(_ONE, asked).first()
    if row is None:
        raise NotFound
    return row


def _head(row: Row[Any]) -> dict[str, Any]:
    return {**row._mapping, "status": row.status_now}


def goods(session: Session, sku_ids: list[int]) -> dict[int, Goods]:
    """What is known of some packs."""
    fields = ("on_sale", "list_fen", "net_grams", "ceiling_fen", "ceiling_grams", "certified_until")
    asked = {"ids": sku_ids, **clock.present()}
    return {row.id: Goods(**{name: getattr(row, name) for name in fields}) for row in session.execute(_GOODS, asked)}


def not_open(session: Session, outlet_ids: list[int], starts_on: date) -> set[int]:
    """Those of some outlets that do not work from a day on."""
    return set(session.execute(_NOT_OPEN, {"ids": outlet_ids, "starts_on": starts_on}).scalars())


# --- effect ---------------------------------------------------------------------------------------------------------

_Days = Mapping[date, int]
#: As many other campaigns are named.
MOST_OTHERS = 100
#: Campaigns of the same products, without those cancelled, some of whose days lie in the weeks that one is compared with.
_OTHERS = text(
    f"""
    SELECT p.id, p.name, p.region_code, greatest(p.starts_on, :first) AS first, least(p.ends_on, :last) AS last, l.products,
           EXISTS (SELECT FROM promotion_outlet o JOIN promotion_outlet own ON own.outlet_id = o.outlet_id AND own.promotion_id = :id
                   WHERE o.promotion_id = p.id) AS shares_outlets
    FROM promotion p JOIN LATERAL (
        SELECT array_agg(DISTINCT s.product_id ORDER BY s.product_id) AS products
        FROM promotion_line l JOIN sku s ON s.id = l.sku_id WHERE l.promotion_id = p.id AND s.product_id = ANY (CAST(:products AS bigint[]))
    ) l ON l.products IS NOT NULL
    WHERE p.id <> :id AND p.status IN ('published', 'ended') AND p.starts_on <= :last AND p.ends_on >= :first
    ORDER BY p.starts_on, p.id LIMIT {MOST_OTHERS}
    """
)


@dataclass(frozen=True, slots=True)
class Brought:
    """What a campaign brought up to a day: a row for each product and place, all together, and the other campaigns in the weeks before it."""

    first: date
    last: date
    rows: list[dict[str, Any]]
    total: dict[str, Any]
    others: list[OtherOut]


def effect(session: Session, actor: Actor, promotion_id: int, language: Language, weeks: int | None) -> Brought:
    """What a campaign brought.

    Raises:
        NotFound: none within reach (404). NoEffectYet: see there (409).
    """
    head = _one(session, actor, promotion_id, language)
    last = min(head.ends_on, clock.today())
    if head.published_at is None or last < head.starts_on:
        raise NoEffectYet
    weeks = weeks or programmes.config_of(session, head.starts_on).promotions.baseline_weeks
    lines = session.execute(_LINES, {"id": promotion_id}).all()
    outlets = [row.id for row in session.execute(_OUTLETS, {"id": promotion_id})]
    names = {line.product_id: (line.product_name, line.supplier_name) for line in lines}
    suppliers = sorted({line.supplier_id for line in lines})
    before = head.starts_on - timedelta(days=7 * weeks), head.starts_on - timedelta(days=1)
    others = session.execute(_OTHERS, {"id": promotion_id, "products": list(names), "first": before[0], "last": before[1]}).all()
    rows = []
    for place, only in (("online", {Dimension.SOURCE: ["platform"]}), ("offline", {Dimension.OUTLET: outlets or [0]})):
        # the supplier leads to its few lines of these days, so that the ledger is not read through
        selection = Selection(
            before[0],
            last,
            {Dimension.PRODUCT: list(names), Dimension.SUPPLIER: suppliers, **only},
        )
        sold = _by_day(session, selection)
        for product_id, (name, supplier) in names.items():
            found = rules.effect(sold.get(product_id, {}), head.starts_on, last, weeks)
            spans = [(o.first, o.last) for o in others if product_id in o.products and (place == "online" or o.shares_outlets)]
            rows.append(
                {
                    "product": str(product_id),
                    "product_name": name,
                    "supplier_name": supplier,
                    "place": place,
                    "place_name": sheets.PLACES[place][language],
                    **_shown(found),
                    "other_days": len(rules.days_in(spans)),
                }
            )
    days = (last - head.starts_on).days + 1
    total = _shown(Effect(days, sum(row["sold"] for row in rows), sum(row["expected"] for row in rows)))
    return Brought(head.starts_on, last, rows, total, [_other(actor, each) for each in others])


def _other(actor: Actor, row: Row[Any]) -> OtherOut:
    """A campaign of a region that the caller does not read is told by its days only."""
    seen = actor.covers_region(Permission.MONITORING_READ, row.region_code)
    named = {"id": row.id, "name": row.name} if seen else {"id": None, "name": None}
    return OtherOut(**named, products=row.products, first=row.first, last=row.last, shares_outlets=row.shares_outlets)


def _by_day(session: Session, selection: Selection) -> Mapping[int, _Days]:
    question = Question(selection, (Dimension.PRODUCT, Dimension.DAY), (Measure.AMOUNT,), EVERYWHERE)
    found: dict[int, dict[date, int]] = defaultdict(dict)
    for (product_id, day), (figures, *_) in ask(session, question).rows.items():
        found[product_id][day] = figures.amount_fen
    return found


def _shown(found: Effect) -> dict[str, Any]:
    uplift = found.uplift
    return {"days": found.days, "sold": found.sold, "expected": found.expected, "uplift": None if uplift is None else str(uplift)}
