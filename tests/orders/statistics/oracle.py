"""Figures of the ledger counted line by line, in Python: slow, and written without a look at how the program does it."""

from collections import defaultdict
from datetime import date, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from orders.ledger.selection import Dimension
from orders.statistics.question import COUNTED, Measure

SHANGHAI = ZoneInfo("Asia/Shanghai")
MEMBER_COLUMN = {"order": "order_id", "buyer": "buyer_id", "product": "product_id", "supplier": "supplier_id"}
FIRST_BOOKINGS = {"acceptance_line", "history", "outlet_line", "external_line"}
CORRECTIONS = {"correction", "release", "acceptance_correction"}
#: 2025-11-06, as shared by the reference data.
MERGED_ON, MERGED = date(2025, 11, 6), {"500105": "500157", "500112": "500157", "500902": "500157"}
SPANS = {
    Dimension.DAY: lambda day: day,
    Dimension.WEEK: lambda day: day - timedelta(days=day.weekday()),
    Dimension.MONTH: lambda day: day.replace(day=1),
    Dimension.QUARTER: lambda day: day.replace(day=1, month=(day.month - 1) // 3 * 3 + 1),
    Dimension.YEAR: lambda day: day.replace(day=1, month=1),
}


def add_months(day, months):
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    for last in (31, 30, 29, 28):
        try:
            return day.replace(year=year, month=month + 1, day=min(day.day, last))
        except ValueError:
            continue
    raise AssertionError


def value(line, dimension, merged, day):
    """What a line is by one dimension; ``day`` is its day, moved into the period asked for."""
    if dimension in SPANS:
        return SPANS[dimension](day)
    plain = {
        Dimension.TOWNSHIP: line.township_code or "",
        Dimension.VILLAGE: f"{line.township_code or line.district_code}/{line.village}" if line.village else "",
        Dimension.BUYER: line.buyer_id or 0,
        Dimension.OUTLET: line.outlet_id or 0,
        Dimension.PRODUCT: line.product_id,
        Dimension.SUPPLIER: line.supplier_id,
        Dimension.DISTRICT: merged.get(line.district_code, line.district_code),
        Dimension.BUYER_REGION: merged.get(line.buyer_region_code, line.buyer_region_code),
    }
    return plain[dimension] if dimension in plain else getattr(line, dimension)


def recount(lines, question, period, today):
    """Figures of one period by group and over all, from the lines one by one. Filters hold for regions as the lines name them."""
    first, last = question.periods[period]
    merged = MERGED if min(question.selection.last, today) >= MERGED_ON else {}
    groups, everything = defaultdict(list), []
    for line in lines:
        if not first <= line.sold_on <= last or line.direction != question.selection.direction:
            continue
        known = question.selection.known_on
        if known is not None and line.recorded_at.astimezone(SHANGHAI).date() > known:
            continue
        if any(
            wanted and value(line, dimension, {}, line.sold_on) not in wanted
            for dimension, wanted in question.selection.only.items()
        ):
            continue
        day = add_months(line.sold_on, question.shift.months) + timedelta(days=question.shift.days) if period else line.sold_on
        groups[tuple(value(line, dimension, merged, day) for dimension in question.group_by)].append(line)
        everything.append(line)
    return {key: figures(found) for key, found in groups.items()}, figures(everything)


def figures(lines):
    sales = [line for line in lines if line.origin_kind not in CORRECTIONS]
    return {
        Measure.AMOUNT: sum(line.amount_fen for line in lines),
        Measure.GROSS: sum(line.amount_fen for line in lines if line.origin_kind in FIRST_BOOKINGS),
        Measure.TONNES: sum(line.grams for line in lines),
        Measure.QUANTITY: sum((line.quantity for line in lines), Decimal(0)),
        Measure.ENTRIES: len(lines),
        **{measure: len({getattr(line, MEMBER_COLUMN[member]) for line in sales} - {None}) for measure, member in COUNTED.items()},
    }
