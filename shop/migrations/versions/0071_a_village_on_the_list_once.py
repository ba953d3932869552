"""A village stands on the list of poor villages once, however its name is written.

Of those that stand there several times the oldest stays, for all the days that one of them was listed, with the stations that served any of them.
"""

import sqlalchemy as sa
from alembic import op

revision = "0071"
down_revision = "0070"
branch_labels = None
depends_on = None

_PLAIN = "lower(regexp_replace(normalize(name, NFKC), '\\s', '', 'g'))"
_ALIKE = f"(SELECT id, min(id) OVER (PARTITION BY township_code, {_PLAIN}) AS kept, valid_from, valid_to FROM poor_village)"  # noqa: S608


def upgrade() -> None:
    op.execute(
        f"INSERT INTO station_village (station_id, village_id, valid_from, valid_to)"  # noqa: S608
        f" SELECT s.station_id, a.kept, s.valid_from, s.valid_to FROM station_village s JOIN {_ALIKE} a ON a.id = s.village_id"
        " WHERE a.id <> a.kept ORDER BY s.village_id ON CONFLICT DO NOTHING"
    )
    op.execute(
        f"UPDATE poor_village v SET valid_from = a.first, valid_to = a.last FROM (SELECT kept, min(valid_from) AS first,"  # noqa: S608
        f" CASE WHEN bool_or(valid_to IS NULL) THEN NULL ELSE max(valid_to) END AS last FROM {_ALIKE} x GROUP BY kept HAVING count(*) > 1) a"
        " WHERE v.id = a.kept"
    )
    for table, column in (("station_village", "village_id"), ("poor_village", "id")):
        op.execute(f"DELETE FROM {table} USING {_ALIKE} a WHERE {table}.{column} = a.id AND a.id <> a.kept")  # noqa: S608
    op.drop_constraint(op.f("uq_poor_village_township_code_name"), "poor_village")
    op.create_index("uq_poor_village_plain_name", "poor_village", ["township_code", sa.text(_PLAIN)], unique=True)


def downgrade() -> None:
    op.drop_index("uq_poor_village_plain_name", "poor_village")
    op.create_unique_constraint(op.f("uq_poor_village_township_code_name"), "poor_village", ["township_code", "name"])
