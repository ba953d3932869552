"""The stock of certificates at the end of many periods, counted in one pass: whether something holds at each of the ends is one bit of a number."""

# ruff: noqa: S608  statements are put together from constants only; every value that a caller gives is bound

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import text
from sqlmodel import Session

from catalog.monitoring import rules
from catalog.monitoring.queries.stock import BANDS, SUMS, with_people
from catalog.monitoring.schemas import Grain
from shop.core import clock
from shop.core.cell_room import Key
from shop.core.errors import Invalid

# As in catalog.monitoring.queries.stock, for each end. A measure lasts until the next one of its kind, or until the moment that it names.
_HELD = """
    WITH period AS (
        SELECT * FROM unnest(CAST(:days AS date[]), CAST(:ends AS timestamptz[])) WITH ORDINALITY AS p (on_day, ends, place)
    ), stop AS MATERIALIZED (
        SELECT * FROM (
            SELECT certificate_id, kind, at AS since, until, lead(at) OVER (PARTITION BY certificate_id, measure ORDER BY id) AS next
            FROM (SELECT *, kind IN ('held', 'released') AS measure FROM certificate_event
                  WHERE kind IN ('suspended', 'suspension_changed', 'reinstated', 'held', 'released')) e) m
        WHERE kind NOT IN ('reinstated', 'released')
    ), held AS MATERIALIZED (
        SELECT c.id, bit_or(1::bigint << (p.place::int - 1)) AS bits
        FROM certificate c CROSS JOIN period p
        WHERE c.issued_at < p.ends AND (c.revoked_at IS NULL OR c.revoked_at >= p.ends) AND p.on_day BETWEEN c.valid_from AND c.valid_until
          AND (c.papers_valid_until IS NULL OR c.papers_valid_until >= p.on_day)
          AND NOT EXISTS (SELECT FROM stop s WHERE s.certificate_id = c.id AND s.since < p.ends AND (s.next IS NULL OR s.next >= p.ends)
                          AND (s.until IS NULL OR s.until >= p.ends))
        GROUP BY c.id
    ), kept AS MATERIALIZED (
        SELECT held.bits, c.case_id, c.product_id, c.supplier_id, c.district_code AS county, p.category, c.households, c.persons,
               EXISTS (SELECT FROM household_member m WHERE m.case_id = c.case_id) AS listed
        FROM held JOIN certificate c USING (id) JOIN product p ON p.id = c.product_id
    )
"""


@dataclass(frozen=True)
class History:
    """The stock at the end of each of some days: by county and category, and by county (with an empty category), where everybody counts once."""

    days: Sequence[date]
    #: By county and category: each sum at each of the ends.
    sums: Mapping[tuple[str, str], Mapping[str, Sequence[int]]]
    #: Who has certificates in a county, with a bit for each end.
    suppliers: Sequence[tuple[str, int, int]]

    def at(self, place: int) -> tuple[dict[Key, dict[str, int]], dict[str, dict[str, int]]]:
        """What holds at one of the ends: by county and category, and by county; without what has no certificate then."""
        found = {
            key: with_people({name: values[place] for name, values in each.items()}) for key, each in sorted(self.sums.items())
        }
        held = {key: each for key, each in found.items() if each["certificates"]}
        return {key: each for key, each in held.items() if key[1]}, {
            county: each for (county, category), each in held.items() if not category
        }

    def totals(self, within: Sequence[str], district: str | None = None) -> list[dict[str, int]]:
        """All of some regions (patterns of codes), or of the one district in them, at each end."""
        prefixes = tuple(pattern.removesuffix("%") for pattern in within)
        counties = {county for county, _ in self.sums if county.startswith(prefixes) and district in (None, county)}
        rows = []
        for place in range(len(self.days)):
            suppliers = {supplier for county, supplier, bits in self.suppliers if county in counties and bits >> place & 1}
            sums = {name: sum(self.sums[county, ""][name][place] for county in counties) for name in SUMS}
            rows.append(with_people({**sums, "suppliers": len(suppliers)}))
        return rows


def ends(first: date, last: date, grain: Grain) -> list[date]:
    """The last days of the periods that begin in ``first`` to ``last``, none later than today.

    Raises:
        Invalid: too many periods, or none (422).
    """
    last = min(last, clock.today())
    if first > last:
        raise Invalid.one("from", "not_before_to", "起始日期不能晚于截止日期", "the first day lies after the last")
    found = list(rules.period_ends(first, last, grain))
    if len(found) > rules.MOST_PERIODS:
        told = f"最多 {rules.MOST_PERIODS} 个期间", f"at most {rules.MOST_PERIODS} periods"
        raise Invalid.one("from", "too_many_periods", *told)
    return found


def history(session: Session, days: Sequence[date]) -> History:
    """The stock of the whole city at the end of some days, at most 63 of them; small numbers of households as they are."""
    now = clock.now()
    asked = {"days": list(days), "ends": [min(clock.end_of_day(day), now) for day in days]}
    sums: dict[tuple[str, str], dict[str, list[int]]] = defaultdict(lambda: {name: [0] * len(days) for name in SUMS})
    for keys in ("county", "county, category"):
        for row in session.execute(text(_counts(keys, len(days))), asked).mappings():
            counted = sums[row["county"], row.get("category", "")]
            for name in SUMS:
                if row[name] is not None:
                    counted[name] = [int(value) for value in row[name]]
    suppliers = session.execute(text(f"{_HELD} SELECT county, supplier_id, bit_or(bits) FROM kept GROUP BY 1, 2"), asked)
    return History(days, dict(sums), [tuple(row) for row in suppliers])


def _counts(keys: str, days: int) -> str:
    def at_each(what: str = "1") -> str:
        return f"ARRAY[{', '.join(f'sum((bits >> {place} & 1) * {what})' for place in range(days))}]"

    def distinct(who: str) -> str:
        return f"(SELECT {keys}, bit_or(bits) AS bits FROM member GROUP BY {keys}, {who})"

    return f"""
        {_HELD}, member AS MATERIALIZED (
            SELECT kept.bits, {keys}, m.household_hash, m.person_hash FROM kept JOIN household_member m USING (case_id)
        ), base AS (
            SELECT {keys}, {at_each()} AS certificates, {at_each("CASE WHEN listed THEN 0 ELSE households END")} AS households_stated,
                   {at_each("CASE WHEN listed THEN 0 ELSE persons END")} AS persons_stated,
                   {", ".join(f"{at_each(value)} AS {name}" for name, value in BANDS.items())} FROM kept GROUP BY {keys}
        ), product_of AS (
            SELECT {keys}, {at_each()} AS products FROM (SELECT {keys}, bit_or(bits) AS bits FROM kept GROUP BY {keys}, product_id) p GROUP BY {keys}
        ), home AS (
            SELECT {keys}, {at_each()} AS households_listed FROM {distinct("household_hash")} h GROUP BY {keys}
        ), person AS (
            SELECT {keys}, {at_each()} AS persons_listed FROM {distinct("person_hash")} p GROUP BY {keys}
        )
        SELECT * FROM base JOIN product_of USING ({keys}) LEFT JOIN home USING ({keys}) LEFT JOIN person USING ({keys})
    """
