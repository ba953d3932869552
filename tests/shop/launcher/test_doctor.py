"""What the doctor sees in real servers, and says about them."""

import socket
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from shop.core import clock, storage
from shop.core.db import Database
from shop.core.settings import Settings, settings
from shop.launcher.doctor import Finding, examine
from shop.launcher.processes import usable_port

#: Whatever the day on which the tests run: this year and the next are known.
_CALENDAR = text(
    "INSERT INTO workday (day, working, source) SELECT day, true, 'test' FROM generate_series(CAST(:first AS date), :last, '1 day') day"
    " ON CONFLICT (day) DO NOTHING"
)


@pytest.fixture
def healthy(database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Settings]:
    """Settings of an installation with nothing wrong, on the test servers."""
    storage.store.cache_clear()
    monkeypatch.setattr(settings(), "data_dir", tmp_path)  # where the file store looks
    with database.unit_of_work() as session:
        session.execute(text("INSERT INTO worker_heartbeat (name, beat_at) VALUES ('worker', :now)"), {"now": datetime.now(UTC)})
        session.execute(_CALENDAR, {"first": date(clock.today().year, 1, 1), "last": date(clock.today().year + 1, 12, 31)})
    yield Settings(
        data_dir=tmp_path,
        database_url=database.url,
        redis_url=settings().redis_url,
        port=usable_port("127.0.0.1", 0),
    )
    storage.store.cache_clear()


def wrong(config: Settings) -> dict[str, Finding]:
    return {finding.what: finding for finding in examine(config) if finding.ok is False}


def test_nothing_is_wrong_with_a_healthy_installation(healthy: Settings) -> None:
    assert wrong(healthy) == {}


def test_a_worker_that_fell_silent(healthy: Settings, database: Database) -> None:
    with database.unit_of_work() as session:
        session.execute(text("UPDATE worker_heartbeat SET beat_at = :then"), {"then": datetime.now(UTC) - timedelta(hours=1)})
    assert list(wrong(healthy)) == ["worker"]


def test_a_year_without_its_calendar(healthy: Settings, database: Database) -> None:
    year = clock.today().year
    with database.unit_of_work() as session:
        session.execute(text("DELETE FROM workday WHERE day = :day"), {"day": date(year, 12, 31)})
    finding = wrong(healthy)["working days"]
    assert finding.seen == f"the calendar of {year} is missing; deadlines in it are provisional"
    assert finding.hint.startswith(f"shop calendar {year} --off")


def test_a_database_without_the_schema(healthy: Settings, database: Database) -> None:
    with database.unit_of_work() as session:
        session.execute(text("DELETE FROM alembic_version"))
    assert wrong(healthy)["database schema"].hint == "run `shop migrate`"


def test_servers_that_do_not_answer(healthy: Settings) -> None:
    gone = healthy.model_copy(
        update={"database_url": "postgresql+psycopg://shop@/shop?host=/nonexistent", "redis_url": "unix:///nonexistent"}
    )
    assert list(wrong(gone)) == ["database", "redis"]


@pytest.mark.slow
def test_a_port_that_another_program_has(healthy: Settings) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken = healthy.model_copy(update={"port": other.getsockname()[1]})
        assert list(wrong(taken)) == ["port"]


def test_settings_that_are_not_for_production(healthy: Settings) -> None:
    careless = healthy.model_copy(update={"environment": "production", "demo": True})
    assert list(wrong(careless)) == ["SHOP_DEMO", "SHOP_PUBLIC_URL"]
    assert str(wrong(careless)["SHOP_DEMO"]).startswith("✗ SHOP_DEMO: on\n    ")
