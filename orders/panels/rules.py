"""Sums that run on: pure functions."""

from collections.abc import Mapping
from datetime import date


def months(first: date, last: date) -> list[date]:
    """The first days of all months from one day to another."""
    begin, end = first.year * 12 + first.month - 1, last.year * 12 + last.month - 1
    return [date(month // 12, month % 12 + 1, 1) for month in range(begin, end + 1)]


def cumulated(by_month: Mapping[date, int], first: date, last: date) -> list[tuple[date, int, int]]:
    """Each month with its own figure and the sum up to its end; months without a figure have nothing."""
    found, so_far = [], 0
    for month in months(first, last):
        so_far += by_month.get(month, 0)
        found.append((month, by_month.get(month, 0), so_far))
    return found
