"""The days off that the law itself gives (全国年节及纪念日放假办法, since 2025), for the years that the State Council has not arranged yet.

Which days around them are off or worked in exchange is told each autumn for the year after; until then nothing is made up.
"""

from datetime import date, timedelta

#: By year the first day of the first lunar month, 清明, 端午 and 中秋, after the rules of GB/T 33661-2017 (农历的编算和颁行).
_MOVING = {
    2027: ((2, 6), (4, 5), (6, 9), (9, 15)),
    2028: ((1, 26), (4, 4), (5, 28), (10, 3)),
    2029: ((2, 13), (4, 4), (6, 16), (9, 22)),
    2030: ((2, 3), (4, 5), (6, 5), (9, 12)),
    2031: ((1, 23), (4, 5), (6, 24), (10, 1)),
    2032: ((2, 11), (4, 4), (6, 12), (9, 19)),
}
_FIXED = ((1, 1), (5, 1), (5, 2), (10, 1), (10, 2), (10, 3))


def statutory(year: int) -> set[date]:
    """The days off by law of a year; none of a year that the table does not know."""
    if year not in _MOVING:
        return set()
    new_year, *others = (date(year, *day) for day in _MOVING[year])
    spring_festival = {new_year + timedelta(days=n) for n in range(-1, 3)}
    return spring_festival | {*others, *(date(year, *day) for day in _FIXED)}


def all_statutory() -> list[date]:
    return sorted(day for year in _MOVING for day in statutory(year))
