"""The targets of the programmes' files."""

from datetime import date

from sqlalchemy import text
from sqlmodel import Session

from shop.core import clock
from shop.identity.actor import CITY
from shop.programmes import queries as programmes

_INSERT = text(
    """
    INSERT INTO target (programme_code, code, region_code, name_zh, name_en, measure, unit, channel, designation, indicator, first_on, due_on,
                        source, origin)
    VALUES (:programme, :code, :region, :zh, :en, :measure, :unit, :channel, :designation, :indicator, :first_on, :due, :source, 'programme')
    ON CONFLICT (programme_code, code, region_code) DO UPDATE
    SET name_zh = excluded.name_zh, name_en = excluded.name_en, source = excluded.source WHERE target.origin = 'programme'
    RETURNING id
    """
)
# What an officer set later stays, unless the file itself says something new.
_REVISE = text(
    """
    WITH told AS (
        SELECT value FROM target_revision WHERE target_id = :id AND set_by IS NULL ORDER BY number DESC LIMIT 1
    ), made AS (
        INSERT INTO target_revision (target_id, number, value, reason, set_at)
        SELECT :id, (SELECT coalesce(max(number), 0) + 1 FROM target_revision WHERE target_id = :id), CAST(:value AS numeric), :source, :now
        WHERE CAST(:value AS numeric) IS DISTINCT FROM (SELECT value FROM told)
        RETURNING number
    )
    UPDATE target SET number = made.number, version = target.version + CASE WHEN made.number > 1 THEN 1 ELSE 0 END FROM made WHERE id = :id
    """
)


def seed(session: Session) -> None:
    """Bring the targets of all programmes up to date. Safe to run any number of times."""
    for programme in programmes.programmes(session):
        for target in programmes.parsed(programme).targets:
            first = target.first or (date(target.due.year, 1, 1) if target.due else programme.valid_from)
            values = target.model_dump(exclude={"first", "value"})
            made = session.execute(_INSERT, {**values, "programme": programme.code, "region": CITY, "first_on": first}).scalar()
            if made is not None:
                session.execute(_REVISE, {"id": made, "value": target.value, "source": target.source, "now": clock.now()})
