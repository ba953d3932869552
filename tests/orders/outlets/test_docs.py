"""What docs/outlets.md tells makers of devices to do does what it says."""

import re
import subprocess
from pathlib import Path

from sqlalchemy import text

from shop.core import clock
from tests.factories.ledger import make_trade
from tests.factories.outlets import make_device, make_outlet

DOCS = Path("docs/outlets.md").read_text()


def test_the_commands_send_a_batch_that_is_taken(api, database):
    with database.unit_of_work() as session:
        trade = make_trade(session)
        outlet = make_outlet(session, trade.clerk, region_code="500106")
        session.execute(text("UPDATE outlet SET verified_at = :at"), {"at": clock.now().replace(day=1, hour=0)})
        _, key = make_device(session, outlet, trade.clerk)
    [commands] = re.findall(r"```sh\n(.*?)```", DOCS, re.S)
    environment = {"HOST": str(api.base_url).rstrip("/"), "KEY": key, "PATH": "/usr/bin:/bin:/usr/local/bin"}
    for _ in range(2):
        done = subprocess.run(["bash", "-euc", commands], env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        assert '"status":"accepted"' in done.stdout
    with database.unit_of_work() as session:
        assert session.execute(text("SELECT sum(other_fen), sum(lines) FROM outlet_day")).one() == (11960, 2)


def test_the_vector_of_the_docs_is_the_one_that_is_tested():
    tests = Path("tests/orders/outlet_sales/test_rules.py").read_text()
    [vector] = re.findall(r"\n    ([0-9a-f]{64})\n", DOCS)
    assert vector in tests
