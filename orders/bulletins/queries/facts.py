"""What the grades of a month's figures rest on, and what else a bulletin counts, read from the papers and batches themselves."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import date
from typing import Any, Self

from sqlalchemy import text
from sqlmodel import Session

from catalog.monitoring.queries import stock as monitoring
from catalog.monitoring.schemas import StockKey
from orders.bulletins.content import Certificates, Outlets
from orders.bulletins.queries import copied
from orders.bulletins.rules.grading import Evidence, Signals
from orders.outlets.queries import WORKING
from shop.core import clock
from shop.core.months import days_of
from shop.programmes.reporting import GradingRules

_WHOLE_CITY = ["%"]

# Sales that count, before returns, by how far their papers go. A sale of the marketplace was ordered and accepted; its invoice and its payment make the
# chain whole. A till's batch in its device's hash chain needs no more; a claim needs its invoice and what shows that money or goods moved.
_EVIDENCE = text(
    """
    SELECT direction, district_code, channel, source, category,
           coalesce(sum(amount_fen) FILTER (WHERE proof = 2), 0)::bigint AS strong,
           coalesce(sum(amount_fen) FILTER (WHERE proof = 1), 0)::bigint AS partial,
           coalesce(sum(amount_fen) FILTER (WHERE proof = 0), 0)::bigint AS weak
    FROM (
        SELECT e.direction, e.district_code, e.channel, e.source, e.category, e.amount_fen, CASE
            WHEN e.origin_kind = 'history' THEN 0
            WHEN e.source = 'platform' THEN CASE
                WHEN EXISTS (SELECT FROM invoice_line l WHERE l.sale_entry_id = e.id AND l.returned_fen < l.amount_fen)
                     AND EXISTS (SELECT FROM payment_due d WHERE d.supplier_order_id = e.supplier_order_id)
                     AND NOT EXISTS (SELECT FROM payment_due d WHERE d.supplier_order_id = e.supplier_order_id AND d.paid_fen < d.amount_fen)
                THEN 2 ELSE 1 END
            WHEN e.origin_kind = 'outlet_line' THEN (
                SELECT CASE WHEN b.way = 'device' THEN 2 WHEN b.file_id IS NOT NULL THEN 1 ELSE 0 END
                FROM sales_batch_line l JOIN sales_batch b ON b.id = l.batch_id WHERE l.id = e.origin_id)
            WHEN e.origin_kind = 'external_line' THEN (
                SELECT CASE WHEN bool_or(p.kind = 'invoice') AND bool_or(p.kind IN ('bank_receipt', 'waybill')) THEN 2
                            WHEN count(p.id) > 0 THEN 1 ELSE 0 END
                FROM external_sale_line l LEFT JOIN external_sale_document p ON p.sale_id = l.sale_id WHERE l.id = e.origin_id)
            ELSE 1 END AS proof
        FROM sale_entry e WHERE e.sold_on BETWEEN :first AND :last AND e.counted AND e.reverses_id IS NULL
    ) graded
    GROUP BY 1, 2, 3, 4, 5
    """
)
_OVER_CAPACITY = text(
    """
    SELECT district_code, count(*) FROM (
        SELECT e.district_code, e.certificate_id FROM sale_entry e JOIN certificate c ON c.id = e.certificate_id
        WHERE e.sold_on BETWEEN :year_first AND :last AND e.counted AND c.annual_capacity_kg IS NOT NULL
        GROUP BY 1, 2, c.annual_capacity_kg HAVING sum(e.grams) * 100 > c.annual_capacity_kg::numeric * 1000 * :capacity_percent
    ) beyond GROUP BY 1
    """
)
_CLAIMED = text(
    """
    SELECT district_code, count(*), count(*) FILTER (WHERE amount_fen % (CAST(:round_yuan AS bigint) * 100) = 0)
    FROM sale_entry WHERE sold_on BETWEEN :first AND :last AND counted AND source <> 'platform' AND reverses_id IS NULL GROUP BY 1
    """
)
_OUTLETS = text(
    f"""
    SELECT count(*) FILTER (WHERE kind = 'cabinet') AS cabinets, count(*) FILTER (WHERE kind = 'hall') AS halls,
           count(*) FILTER (WHERE kind = 'zone') AS zones,
           (SELECT count(DISTINCT outlet_id) FROM outlet_day WHERE day BETWEEN :first AND :last AND lines > 0) AS sold,
           (SELECT count(DISTINCT outlet_id) FROM outlet_day d WHERE day BETWEEN :first AND :last AND lines > 0
            AND NOT EXISTS (SELECT FROM outlet o WHERE o.id = d.outlet_id AND {WORKING})) AS sold_besides
    FROM outlet WHERE {WORKING}
    """  # noqa: S608
)
Cell = tuple[str, str, str, str, str]


@dataclass(frozen=True, slots=True)
class MonthDays:
    """The days of a month, and what statements ask of them."""

    first: date
    last: date

    @classmethod
    def of(cls, month: str) -> Self:
        """Those of a month as it is written, ``2026-10``."""
        return cls(*days_of(month))

    @property
    def subject(self) -> int:
        """The month as the number of an audit's subject: 202610."""
        return self.first.year * 100 + self.first.month

    @property
    def values(self) -> dict[str, Any]:
        return {
            "first": self.first,
            "last": self.last,
            "year_first": self.first.replace(month=1),
            "end": clock.end_of_day(self.last),
        }


def evidence(session: Session, month: MonthDays, successors: dict[str, str]) -> dict[Cell, Evidence]:
    """How far papers prove the month's sales, by direction, district, channel, source and category."""
    found: dict[Cell, Evidence] = defaultdict(Evidence)
    for row in session.execute(_EVIDENCE, month.values):
        place = successors.get(row.district_code, row.district_code)
        cell = (row.direction, place, row.channel, row.source, row.category)
        found[cell] += Evidence(row.strong, row.partial, row.weak)
    return found


def signals(session: Session, month: MonthDays, successors: dict[str, str], rules: GradingRules) -> dict[str, Signals]:
    """What is to be looked at in each district, growth apart."""
    values = {**month.values, **rules.model_dump()}
    found: dict[str, Signals] = defaultdict(Signals)

    def add(district_code: str, signal: Signals) -> None:
        found[successors.get(district_code, district_code)] += signal

    for district_code, count in session.execute(_OVER_CAPACITY, values):
        add(district_code, Signals(over_capacity=count))
    for district_code, count in copied.counted(session, values).items():
        add(district_code, Signals(copied_days=count))
    for district_code, count, whole in session.execute(_CLAIMED, values):
        add(district_code, Signals(claimed=count, claimed_round=whole))
    return found


def outlets(session: Session, month: MonthDays) -> Outlets:
    """Places of sale at the month's end."""
    return Outlets.model_validate(session.execute(_OUTLETS, {**month.values, "on": month.last}).one()._asdict())


def certificates(session: Session, month: MonthDays) -> Certificates:
    """The stock of certified products at the month's end, as the monitors' figures tell it."""
    (total,) = monitoring.stock_rows(session, _WHOLE_CITY, [], month.last)
    return Certificates(**{name: total[name] for name in Certificates.model_fields})


def certificates_by_district(session: Session, month: MonthDays, successors: dict[str, str]) -> dict[str, int]:
    """The certificates of the same stock by district."""
    found: dict[str, int] = defaultdict(int)
    for row in monitoring.stock_rows(session, _WHOLE_CITY, [StockKey.COUNTY], month.last):
        found[successors.get(row["county"], row["county"])] += row["certificates"]
    return found
