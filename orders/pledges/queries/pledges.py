"""Reading pledges, each within the caller's reach."""

# ruff: noqa: S608  statements are put together from constants only; every value that a caller gives is bound

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Row, text
from sqlmodel import Session

from catalog.certificates.reach import counts, reads_counts
from orders.pledges.queries.counting import COUNTED, Sums, sums
from orders.pledges.rules.figures import per_head, percent
from orders.pledges.schemas import (
    CountedOrderOut,
    FiguresOut,
    PartOut,
    PledgeKind,
    PledgeOut,
    PledgeRow,
    RecipientOut,
    RegionOut,
    SaleLineOut,
)
from orders.pledges.states import PLEDGE, PledgeAction, PledgeStatus
from shop.core import clock, paging
from shop.core.errors import Language, NotFound
from shop.core.paging import Page
from shop.identity.actor import Actor
from shop.identity.permissions import Permission
from shop.programmes import queries as programmes
from shop.regions import queries as regions

#: The pledging organisation's own branch.
OWN = "coalesce(o.path LIKE CAST(:branch AS text), false)"
#: The officers and monitors of a region that benefits, be it theirs, a part of it or one around it. Drafts are nobody else's business.
_IN_REGION = """(p.status <> 'draft' AND p.number IS NOT NULL AND EXISTS (
    SELECT FROM pledge_region g JOIN unnest(CAST(:regions AS text[])) AS u (prefix)
      ON starts_with(g.region_code, u.prefix) OR starts_with(u.prefix, g.region_code) WHERE g.pledge_id = p.id))"""
REACH = f"({OWN} OR {_IN_REGION})"

_PLEDGE = f"""
SELECT p.*, o.name AS organisation_name, o.uscc AS organisation_uscc, o.path, {OWN} AS own
FROM pledge p JOIN organisation o ON o.id = p.organisation_id
WHERE p.id = :id AND {REACH}
"""


def reach(actor: Actor) -> dict[str, Any]:
    """The parameters that the conditions above take."""
    return {
        "branch": f"{actor.organisation_path}%" if actor.organisation_path else None,
        "regions": actor.regions(Permission.PLEDGES_READ),
    }


def head(session: Session, actor: Actor, pledge_id: int) -> Row[Any]:
    """A pledge with whose it is, and whether it is the caller's own.

    Raises:
        NotFound: no such pledge within reach.
    """
    row = session.execute(text(_PLEDGE), {"id": pledge_id, **reach(actor)}).first()
    if row is None:
        raise NotFound
    return row


def locked(session: Session, actor: Actor, pledge_id: int, *, shared: bool = False) -> Row[Any]:
    """A pledge of the caller's own branch, locked until the transaction ends; ``shared``: beside others who add to it.

    Raises:
        NotFound: not a pledge of the caller's branch.
    """
    lock = "FOR SHARE OF p" if shared else "FOR UPDATE OF p"
    row = session.execute(text(f"{_PLEDGE} {lock}"), {"id": pledge_id, **reach(actor)}).first()
    if row is None or not row.own:
        raise NotFound
    return row


_REGIONS = text(
    "SELECT g.region_code AS code, r.name_zh, r.name_en FROM pledge_region g JOIN region r ON r.code = g.region_code"
    " WHERE g.pledge_id = :id ORDER BY 1"
)
_RECIPIENTS = text("SELECT * FROM pledge_recipient WHERE pledge_id = :id ORDER BY id")
_AGREEMENTS = text("SELECT agreement_id FROM pledge_agreement WHERE pledge_id = :id ORDER BY 1")


def regions_of(session: Session, pledge_id: int) -> Sequence[Row[Any]]:
    return session.execute(_REGIONS, {"id": pledge_id}).all()


def recipients_of(session: Session, pledge_id: int) -> Sequence[Row[Any]]:
    return session.execute(_RECIPIENTS, {"id": pledge_id}).all()


def pledge(session: Session, actor: Actor, pledge_id: int, language: Language) -> PledgeOut:
    """One pledge with its figures, live.

    Raises:
        NotFound: no such pledge within reach.
    """
    row = head(session, actor, pledge_id)
    recipients = recipients_of(session, pledge_id)
    return PledgeOut(
        **{name: getattr(row, name) for name in _HEAD},
        amount=row.amount_fen,
        per_head_cap=row.per_head_cap_fen,
        regions=[RegionOut(code=region.code, name=named(region, language)) for region in regions_of(session, pledge_id)],
        recipients=[_recipient(each, own=row.own) for each in recipients],
        agreements=list(session.execute(_AGREEMENTS, {"id": pledge_id}).scalars()),
        figures=figures(session, row, sum(each.heads for each in recipients), language),
        possible_actions=PLEDGE.possible(row.status, moves_of(actor, row)),
    )


def moves_of(actor: Actor, row: Any) -> set[PledgeAction]:
    """What the actor may do with a pledge at all: everything, as who keeps those of its own branch."""
    return set(PledgeAction) if row.own and actor.may(Permission.PLEDGES_MANAGE) else set()


_HEAD = [
    "id",
    "number",
    "organisation_id",
    "organisation_name",
    "title",
    "kind",
    "status",
    "reason",
    "purpose",
    "valid_from",
    "valid_until",
    "fund_source",
    "opened_at",
    "closed_at",
    "version",
]


def named(row: Any, language: Language) -> str:
    return str(row.name_zh if language == "zh" else row.name_en)


def _recipient(row: Row[Any], *, own: bool) -> RecipientOut:
    return RecipientOut(
        id=row.id,
        name=row.name,
        heads=row.heads,
        delivery_address=row.delivery_address if own else None,
        delivery_contact=row.delivery_contact if own else None,
        delivery_phone=row.delivery_phone if own else None,
    )


def figures(session: Session, row: Row[Any], heads: int, language: Language) -> FiguresOut:
    """The figures of a pledge; ``heads`` of all its recipients."""
    of = sums(session, [row.id])[row.id]
    words = Words(session, language, of)
    each = per_head(of.accepted, heads)
    return FiguresOut(
        ordered=of.ordered,
        accepted=of.accepted,
        ordered_percent=percent(of.ordered, row.amount_fen),
        accepted_percent=percent(of.accepted, row.amount_fen),
        outside_ordered=of.outside_ordered,
        outside_accepted=of.outside_accepted,
        orders=of.orders,
        accepted_grams=of.grams,
        heads=heads,
        per_head=each,
        above_cap=bool(each and row.per_head_cap_fen and each > row.per_head_cap_fen),
        by_district=_parts(of, "district", words),
        by_township=_parts(of, "township", words),
        by_category=_parts(of, "category", words),
        by_fund=_parts(of, "fund", words),
    )


def _parts(of: Sums, part: str, words: "Words") -> list[PartOut]:
    return [
        PartOut(code=row.code, name=words.of(part, row.code), ordered=row.ordered, accepted=row.accepted)
        for row in of.parts.get(part, [])
    ]


class Words:
    """How the codes of a pledge's figures read: the names of regions, the programme's terms."""

    _GROUPS = {"category": "category", "fund": "fund_source"}

    def __init__(self, session: Session, language: Language, of: Sums) -> None:
        codes = [row.code for part in ("district", "township") for row in of.parts.get(part, [])]
        self._named = regions.names(session, codes, language)
        self._term = programmes.terms(session, clock.today(), language)

    def of(self, part: str, code: str) -> str:
        group = self._GROUPS.get(part)
        return self._term(group, code) if group else self._named(code)


_PLEDGES = text(
    f"""
    SELECT p.*, o.name AS organisation_name, ARRAY(SELECT region_code FROM pledge_region g WHERE g.pledge_id = p.id ORDER BY 1) AS regions
    FROM pledge p JOIN organisation o ON o.id = p.organisation_id
    WHERE {REACH}
      AND (CAST(:status AS text) IS NULL OR p.status = :status)
      AND (CAST(:kind AS text) IS NULL OR p.kind = :kind)
      AND (CAST(:region AS text) IS NULL OR EXISTS (
           SELECT FROM pledge_region g WHERE g.pledge_id = p.id AND starts_with(g.region_code, :region)))
      AND (CAST(:organisation_id AS bigint) IS NULL OR p.organisation_id = :organisation_id)
      AND (CAST(:ends_before AS date) IS NULL OR p.valid_until < :ends_before)
      AND (CAST(:start AS bigint) IS NULL OR p.id < :start)
    ORDER BY p.id DESC LIMIT :rows
    """
)


@dataclass(frozen=True)
class Filters:
    status: PledgeStatus | None = None
    kind: PledgeKind | None = None
    region: str | None = None
    organisation_id: int | None = None
    ends_before: date | None = None


def pledges(session: Session, actor: Actor, filters: Filters, *, limit: int, after: str | None) -> Page[PledgeRow]:
    """The pledges of the own branch, or for an officer's region; newest first."""
    start = paging.position(after, int)
    values = {**reach(actor), **vars(filters), "start": start[0] if start else None, "rows": limit + 1}
    rows = session.execute(_PLEDGES, values).all()
    of = sums(session, [row.id for row in rows])
    return paging.page(rows, limit, lambda row: _row(row, of[row.id]), lambda row: [row.id])


def _row(row: Row[Any], of: Sums) -> PledgeRow:
    computed = {"amount": row.amount_fen, "ordered": of.ordered, "accepted": of.accepted}
    plain = {name: getattr(row, name) for name in PledgeRow.model_fields if name not in computed and name != "accepted_percent"}
    return PledgeRow(**plain, **computed, accepted_percent=percent(of.accepted, row.amount_fen))


_ORDERS = text(
    f"""
    WITH {COUNTED}, page AS (
        SELECT * FROM counted WHERE CAST(:start AS bigint) IS NULL OR order_id < :start ORDER BY order_id DESC LIMIT :rows
    )
    SELECT c.order_id AS purchase_order_id, c.number, c.placed_at, c.fund_source, c.agreement_id, n.name AS recipient,
           coalesce((SELECT sum(amount_fen) FROM line l WHERE l.order_id = c.order_id AND l.within), 0)::bigint AS ordered,
           coalesce((SELECT sum(amount_fen) FROM sale s WHERE s.order_id = c.order_id AND s.within), 0)::bigint AS accepted,
           coalesce((SELECT sum(amount_fen) FROM sale s WHERE s.order_id = c.order_id AND NOT s.within), 0)::bigint AS outside_accepted
    FROM page c LEFT JOIN pledge_recipient n ON n.id = c.recipient_id ORDER BY c.order_id DESC
    """
)


def counted_orders(session: Session, actor: Actor, pledge_id: int, *, limit: int, after: str | None) -> Page[CountedOrderOut]:
    """The orders that count towards a pledge, newest first.

    Raises:
        NotFound: no such pledge within reach.
    """
    head(session, actor, pledge_id)
    start = paging.position(after, int)
    rows = session.execute(_ORDERS, {"ids": [pledge_id], "start": start[0] if start else None, "rows": limit + 1}).all()
    shown = CountedOrderOut.model_validate
    return paging.page(rows, limit, lambda row: shown(row, from_attributes=True), lambda row: [row.purchase_order_id])


# An officer sees the lines of the own region only, whatever else the pledge is for. A proof covers what was recorded of its orders before it was issued.
_LINES = f"""
WITH {COUNTED}, proved AS (
    SELECT f.pledge_id, f.number, f.issued_at, each ->> 'number' AS order_number
    FROM purchase_proof f CROSS JOIN jsonb_array_elements(f.snapshot -> 'accepted_by_order') AS each
    WHERE f.pledge_id = ANY (CAST(:ids AS bigint[])) AND f.superseded_at IS NULL AND f.revoked_at IS NULL
)
SELECT s.id, p.number AS pledge_number, o.name AS organisation_name, o.uscc AS organisation_uscc, d.name_zh AS district_name,
       t.name_zh AS township_name, nullif(s.village, '') AS village, pr.name AS product_name, s.category, s.quantity, k.unit, s.grams,
       s.amount_fen AS amount, s.sold_on, c.households, c.persons, c.district_code,
       c.township_code, co.path AS supplier_path, s.order_number AS purchase_order_number,
       f.number AS proof_number
FROM sale s
JOIN pledge p ON p.id = s.pledge_id
JOIN organisation o ON o.id = p.organisation_id
JOIN product pr ON pr.id = s.product_id
JOIN sku k ON k.id = s.sku_id
JOIN region d ON d.code = s.district_code
LEFT JOIN region t ON t.code = s.township_code
LEFT JOIN certificate c ON c.id = s.certificate_id
LEFT JOIN organisation co ON co.id = c.supplier_id
LEFT JOIN proved f ON f.pledge_id = s.pledge_id AND f.order_number = s.order_number AND f.issued_at >= s.recorded_at
WHERE s.within AND s.sold_on BETWEEN :first AND :last
  AND ({OWN} OR EXISTS (SELECT FROM unnest(CAST(:regions AS text[])) AS u (prefix)
                        WHERE starts_with(coalesce(s.township_code, s.district_code), u.prefix)))
"""
_LINES_PAGE = text(f"{_LINES} AND (CAST(:start AS bigint) IS NULL OR s.id < :start) ORDER BY s.id DESC LIMIT :rows")
_ALL_LINES = text(f"{_LINES} ORDER BY s.id")
_WITHIN_REACH = text(
    f"SELECT p.id FROM pledge p JOIN organisation o ON o.id = p.organisation_id"
    f" WHERE {REACH} AND p.number IS NOT NULL AND p.status <> 'cancelled' AND p.valid_from <= :last"
    " AND (CAST(:pledge_id AS bigint) IS NULL OR p.id = :pledge_id)"
)


def _line_values(session: Session, actor: Actor, pledge_id: int | None, first: date, last: date) -> dict[str, Any]:
    if pledge_id is not None:
        head(session, actor, pledge_id)
    values = {**reach(actor), "first": first, "last": last}
    ids = list(session.execute(_WITHIN_REACH, {**reach(actor), "last": last, "pledge_id": pledge_id}).scalars())
    return {**values, "ids": ids}


def sale_lines(
    session: Session, actor: Actor, pledge_id: int | None, first: date, last: date, *, limit: int, after: str | None
) -> Page[SaleLineOut]:
    """What was accepted for pledges between two Shanghai dates, line by line, newest first; of one pledge or of all within reach.

    Raises:
        NotFound: no such pledge within reach.
    """
    start = paging.position(after, int)
    values = _line_values(session, actor, pledge_id, first, last) | {"start": start[0] if start else None, "rows": limit + 1}
    rows = session.execute(_LINES_PAGE, values).all()
    return paging.page(rows, limit, lambda row: _line(actor, row), lambda row: [row.id])


def all_sale_lines(session: Session, actor: Actor, pledge_id: int | None, first: date, last: date) -> Iterator[SaleLineOut]:
    """The same, all of them, the oldest first.

    Raises:
        NotFound: as :func:`sale_lines`.
    """
    values = _line_values(session, actor, pledge_id, first, last)
    rows = session.execute(_ALL_LINES, values, execution_options={"yield_per": 2000})
    return (_line(actor, row) for row in rows)


_PEOPLE = ("households", "households_band", "persons", "persons_band")
_PLAIN = [name for name in SaleLineOut.model_fields if name not in (*_PEOPLE, "mode")]


def _line(actor: Actor, row: Row[Any]) -> SaleLineOut:
    """One line; a sale that was not made under a certificate has nobody behind it."""
    certified = row.households is not None
    people = counts(row, exact=reads_counts(actor, row)) if certified else dict.fromkeys(_PEOPLE)
    return SaleLineOut(**{name: getattr(row, name) for name in _PLAIN}, **people)
