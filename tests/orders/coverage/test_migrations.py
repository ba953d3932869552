"""What a migration makes of villages that stand on the list several times."""

import pytest
from alembic import command
from sqlalchemy import text

from shop.core import migrate
from shop.identity.permissions import Role
from tests.factories.identity import make_user

TOWNSHIP = "500236T01"


@pytest.mark.slow
def test_villages_that_are_written_otherwise_become_one(database):
    with database.unit_of_work() as session:
        user = make_user(session, Role.COUNTY_OFFICER, region_code="500236").id
    database.dispose()
    command.downgrade(migrate.config(database.url), "0070")
    with database.unit_of_work() as session:
        for place, (name, first, last) in enumerate(
            [("A村", "2015-01-01", "2020-01-01"), ("a 村", "2014-01-01", None), ("B村", "2014-01-01", "2021-01-01")], start=1
        ):
            values = {"id": place, "township": TOWNSHIP, "name": name, "first": first, "last": last}
            session.execute(
                text(
                    "INSERT INTO poor_village OVERRIDING SYSTEM VALUE VALUES (:id, :township, :name, CAST(:first AS date), CAST(:last AS date))"
                ),
                values,
            )
            session.execute(
                text(
                    "INSERT INTO service_station (kind, name, region_code, address, opened_on, evidence, recorded_by, recorded_at)"
                    " VALUES ('town_station', :name, :township, '', '2014-01-01', '合同', :user, now())"
                ),
                {"name": f"站{place}", "township": TOWNSHIP, "user": user},
            )
        session.execute(
            text(
                "INSERT INTO station_village (station_id, village_id, valid_from)"
                " SELECT s.id, v, '2016-01-01' FROM service_station s, unnest(ARRAY[1, 2]) AS v WHERE s.name = '站1' OR v = 2"
            )
        )
    database.dispose()
    migrate.upgrade(database.url)
    assert migrate.differences(database.url) is None
    with database.session() as session:
        listed = session.execute(
            text("SELECT name, CAST(valid_from AS text), CAST(valid_to AS text) FROM poor_village ORDER BY id")
        ).all()
        served = session.execute(text("SELECT count(*), count(DISTINCT village_id) FROM station_village")).one()
    assert [tuple(row) for row in listed] == [("A村", "2014-01-01", None), ("B村", "2014-01-01", "2021-01-01")]
    assert tuple(served) == (3, 1)
