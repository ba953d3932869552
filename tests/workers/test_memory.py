"""What the parts of the program load, each in a process of its own."""

import subprocess
import sys

import pytest

HEAVY = {
    "alembic",
    "catalog",
    "duckdb",
    "fastapi",
    "orders",
    "psycopg",
    "pypinyin",
    "sqlalchemy",
    "sqlmodel",
    "stripe",
    "typst",
    "xlsxwriter",
}


def told(program):
    return subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True).stdout.split()


def test_the_beat_holds_nothing_of_what_it_wakes_the_workers_for():
    program = "import shop.cli, celery.apps.beat, workers.app, sys; print(*{name.partition('.')[0] for name in sys.modules})"
    assert not HEAVY & set(told(program))


@pytest.mark.slow(8)
def test_a_worker_knows_all_tables_before_it_has_children():
    program = """
import gc
from celery.signals import worker_init
from sqlmodel.main import default_registry
import workers.tasks
worker_init.send(None)
print(all(mapper.configured for mapper in default_registry.mappers), gc.get_freeze_count() > 100_000)
"""
    assert told(program) == ["True", "True"]
