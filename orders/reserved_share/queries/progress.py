"""The one statement behind every view: units, what they filed, and what they bought: the year's sums and the entries that they do not hold yet."""

# ruff: noqa: S608  statements are put together from constants only; every value that a caller gives is bound

from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Row
from sqlmodel import Session

from orders.ledger.rules import POLICY_ROLES
from orders.reserved_share import rules
from orders.reserved_share.schemas import FundOut, ProgressOut
from orders.statistics.cubes import FUND_KEYS
from shop.core import clock
from shop.core.errors import NotFound
from shop.core.quantities import FIRST_DAY, LAST_DAY
from shop.identity.actor import Actor
from shop.identity.permissions import Permission
from shop.programmes import queries as programmes
from shop.programmes.schemas import ReservedShare as Config

#: The funds that a purchase order may name.
FUNDS = ("canteen", "union", "welfare", "other")

#: The unit's own branch, or a region; ``o`` is the unit.
REACH = "(coalesce(o.path LIKE CAST(:branch AS text), false) OR coalesce(o.region_code LIKE ANY (CAST(:regions AS text[])), false))"

_POLICY = ", ".join(f"'{role}'" for role in POLICY_ROLES)
_COUNTED = "reserved_share_eligible AND fund_source = ANY (CAST(:counted AS text[]))"
#: Sums over what a buyer bought this year.
_SUMS = {
    **{f"by_{fund}": f"reserved_share_eligible AND fund_source = '{fund}'" for fund in FUNDS},
    "certified_only": "certified AND NOT reserved_share_eligible",
    "neither": "NOT certified AND NOT reserved_share_eligible",
}
#: What fills the share: the sums of the funds that count.
_DONE = " + ".join(
    f"CASE WHEN '{fund}' = ANY (CAST(:counted AS text[])) THEN coalesce(sale.by_{fund}, 0) ELSE 0 END" for fund in FUNDS
)
_OWN = " + ".join(f"coalesce(own.by_{fund}, 0)" for fund in FUNDS)

#: SQL: unit ``o`` is to file a share of the year from ``:first`` to ``:last``.
ASKED = f"""o.status = 'approved' AND EXISTS (
    SELECT FROM organisation_role r WHERE r.organisation_id = o.id AND r.role IN ({_POLICY})
      AND r.valid_from <= :last AND (r.valid_to IS NULL OR :first < r.valid_to))"""

# A canteen that is shared is bought for by several and counted once: all that its units bought stands with the unit that reports.
# What waits for the rollups is looked up by its own ids, never by the buyers: they have all the sales of the year.
_STATED = f"""
    unit AS MATERIALIZED (
        SELECT o.id, o.name, o.uscc, o.path, o.region_code, o.parent_id
        FROM organisation o
        WHERE {ASKED} AND {{where}}
    ), accepted AS MATERIALIZED (
        SELECT s.organisation_id, v.exemption, v.shared_with_id
        FROM reserved_share s JOIN reserved_share_revision v ON v.reserved_share_id = s.id AND v.number = s.accepted_number
        WHERE s.year = :year AND v.shared_with_id IS NOT NULL
    ), buyer AS MATERIALIZED (
        SELECT id AS unit_id, id AS buyer_id FROM unit WHERE id NOT IN (SELECT organisation_id FROM accepted)
        UNION ALL
        SELECT a.shared_with_id, a.organisation_id FROM accepted a JOIN unit ON unit.id = a.shared_with_id
    ), asked AS MATERIALIZED (
        SELECT buyer_id FROM buyer UNION SELECT id FROM unit
    ), waiting AS MATERIALIZED (
        SELECT {", ".join(f"e.{key}" for key in FUND_KEYS)}, e.amount_fen
        FROM sale_entry_pending p JOIN sale_entry e ON e.id = p.entry_id WHERE e.sold_on BETWEEN :first AND :last
    ), entry AS (
        SELECT {", ".join(FUND_KEYS)}, amount_fen FROM sales_fund_year WHERE year = :year AND {{of_asked}}
        UNION ALL
        SELECT * FROM waiting WHERE {{of_asked}}
    ), bought AS MATERIALIZED (
        SELECT buyer_id, {", ".join(f"coalesce(sum_bigint(amount_fen) FILTER (WHERE {which}), 0) AS {name}" for name, which in _SUMS.items())}
        FROM entry GROUP BY buyer_id
    ), sale AS (
        SELECT buyer.unit_id, {", ".join(f"sum_bigint(bought.{name}) AS {name}" for name in _SUMS)}
        FROM buyer JOIN bought USING (buyer_id) GROUP BY buyer.unit_id
    ), stated AS (
        SELECT unit.*, coalesce(s.status, 'missing') AS status, s.filed_at, s.accepted_number IS NOT NULL AS in_force,
               v.base_fen, v.percent_bp, v.reserved_fen, v.exemption, v.shared_with_id,
               CASE WHEN s.accepted_number IS NOT NULL THEN v.reserved_fen END AS share,
               {", ".join(f"coalesce(sale.{name}, 0) AS {name}" for name in _SUMS)}, {_DONE} AS done,
               {_OWN} AS own_eligible
        FROM unit
        LEFT JOIN reserved_share s ON s.organisation_id = unit.id AND s.year = :year
        LEFT JOIN reserved_share_revision v ON v.reserved_share_id = s.id AND v.number = coalesce(s.accepted_number, s.number)
        LEFT JOIN sale ON sale.unit_id = unit.id
        LEFT JOIN bought own ON own.buyer_id = unit.id
    )
"""
_LISTED = f"""
    {{stated}}, rated AS (
        SELECT stated.*, CASE WHEN share > 0 THEN floor(done::numeric * 10000 / share)::bigint END AS rate_bp,
               array_remove(ARRAY[
                   CASE WHEN status IN ('missing', 'draft') AND NOT in_force AND CAST(:today AS date) > :due_on THEN 'not_filed' END,
                   CASE WHEN status = 'returned' THEN 'returned' END,
                   CASE WHEN share > 0 AND done::numeric * :days < share::numeric * :days_over THEN 'behind' END], NULL) AS lacks
        FROM stated
    ), listed AS MATERIALIZED (
        SELECT rated.*, coalesce(rate_bp, {-(2**62)}) AS place,
               CASE WHEN rate_bp IS NOT NULL THEN rank() OVER (ORDER BY rate_bp DESC NULLS LAST) END AS rank
        FROM rated
    )
"""


def stated(where: str | None = None) -> str:
    """SQL: the tables of ``WITH`` up to ``stated``: the units (``o`` where ``where`` narrows them; None: all), what they filed and bought."""
    # of one unit nothing else is read; of all of them nothing needs to be left out
    of_asked = "true" if where is None else "buyer_id IN (SELECT buyer_id FROM asked)"
    return _STATED.format(where=where or "true", of_asked=of_asked)


def listed(where: str | None = None) -> str:
    """SQL: the same up to ``listed``: with how far each unit is, what it lacks, and its rank among those asked for."""
    return _LISTED.format(stated=stated(where))


#: What a forecast asks of last year, for the rows of ``page`` only.
BEFORE = f"""
    before AS (
        SELECT page.id AS unit_id, sum(e.amount_fen)::bigint AS last_year,
               coalesce(sum(e.amount_fen) FILTER (WHERE e.sold_on <= :same_day), 0)::bigint AS last_year_to_date
        FROM page
        JOIN buyer ON buyer.unit_id = page.id
        JOIN sale_entry e ON e.buyer_id = buyer.buyer_id AND e.sold_on BETWEEN :first_before AND :last_before AND e.counted AND {_COUNTED}
        GROUP BY page.id
    )
"""


@dataclass(frozen=True, slots=True)
class Year:
    """A year with its rules and how much of it is over."""

    year: int
    config: Config
    today: date
    due_on: date
    days_over: int
    days: int

    def values(self) -> dict[str, Any]:
        """What :func:`listed` and :data:`BEFORE` take, but for what narrows it."""
        first, last = rules.first_and_last(self.year)
        first_before, last_before = rules.first_and_last(self.year - 1)
        return {
            "year": self.year,
            "first": first,
            "last": last,
            "first_before": first_before,
            "last_before": last_before,
            "same_day": rules.same_day_last_year(self.today) if self.today.year == self.year else last_before,
            "today": self.today,
            "due_on": self.due_on,
            "days": self.days,
            "days_over": self.days_over,
            "counted": list(self.config.counted_funds),
        }


def year_of(session: Session, year: int) -> Year:
    """The year by the rules of the programme in force at its end.

    Raises:
        NotFound: no year that anybody could mean (404). NoProgramme: there is none in force (404).
    """
    if not FIRST_DAY.year < year < LAST_DAY.year:
        raise NotFound
    config = programmes.config_of(session, rules.first_and_last(year)[1]).reserved_share
    today = clock.today()
    return Year(year, config, today, config.due_on(year), *rules.elapsed(year, today))


def seen_from(actor: Actor) -> dict[str, Any]:
    """The parameters of :data:`REACH`."""
    return {
        "branch": f"{actor.organisation_path}%" if actor.organisation_path else None,
        "regions": actor.region_patterns(Permission.RESERVED_SHARE_READ),
    }


def by_fund(row: Row[Any], config: Config, prefix: str = "by_") -> list[FundOut]:
    return [FundOut(fund_source=fund, amount=getattr(row, prefix + fund), counted=fund in config.counted_funds) for fund in FUNDS]


def progress(row: Row[Any], year: Year) -> ProgressOut:
    """How far one unit is; ``row`` is one of ``listed``, with what stands of it in ``before``."""
    foreseen = rules.forecast(row.done, year.days_over, year.days, row.last_year or 0, row.last_year_to_date or 0)
    return ProgressOut(
        reserved=row.share,
        done=row.done,
        rate=row.rate_bp,
        missing=None if row.share is None else max(row.share - row.done, 0),
        behind="behind" in row.lacks,
        by_fund=by_fund(row, year.config),
        certified_not_eligible=row.certified_only,
        other_purchases=row.neither,
        own_eligible=row.own_eligible,
        forecast=foreseen.done_fen,
        forecast_method=foreseen.method,
    )
