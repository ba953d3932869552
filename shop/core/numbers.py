"""Numbers without gaps: certificates, notices, bulletins."""

from sqlalchemy import text
from sqlmodel import Session


def next_numbers(session: Session, series: str, count: int) -> range:
    """The next ``count`` numbers of a gapless series.

    The row stays locked until the transaction ends, so a rolled back transaction gives its numbers back and two parallel ones
    wait for each other.
    """
    last = session.execute(
        text(
            "INSERT INTO number_series (series, last) VALUES (:series, :count)"
            " ON CONFLICT (series) DO UPDATE SET last = number_series.last + :count RETURNING last"
        ),
        {"series": series, "count": count},
    ).scalar_one()
    return range(last - count + 1, last + 1)


def next_number(session: Session, series: str) -> int:
    """The next number of a gapless series; as :func:`next_numbers`."""
    return next_numbers(session, series, 1)[0]
