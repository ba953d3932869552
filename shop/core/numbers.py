"""Numbers without gaps: certificates, notices, bulletins."""

from sqlalchemy import text
from sqlmodel import Session


def next_number(session: Session, series: str) -> int:
    """The next number of a gapless series.

    The row stays locked until the transaction ends, so a rolled back transaction gives its number back and two parallel ones
    wait for each other.
    """
    return int(
        session.execute(
            text(
                "INSERT INTO number_series (series, last) VALUES (:series, 1)"
                " ON CONFLICT (series) DO UPDATE SET last = number_series.last + 1 RETURNING last"
            ),
            {"series": series},
        ).scalar_one()
    )
