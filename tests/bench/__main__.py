"""``make bench``: measure, print a table, write ``bench.json``. Names of groups may be given: ``python -m tests.bench orders``."""

import json
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from tests.bench import (
    agreements,
    approvals,
    banking,
    buying,
    catalogue,
    certification,
    certified,
    exports,
    figures,
    money,
    orders,
    outlets,
    pledges,
    settlement,
    startup,
)
from tests.bench.ground import Ground, Row, ground

GROUPS: dict[str, Callable[[Ground], Iterable[Row]]] = {
    "orders": orders.run,
    "agreements": agreements.run,
    "buying": buying.run,
    "catalogue": catalogue.run,
    "certification": certification.run,
    "certified": certified.run,
    "figures": figures.run,
    "exports": exports.run,
    "pledges": pledges.run,
    "approvals": approvals.run,
    "money": money.run,
    "banking": banking.run,
    "settlement": settlement.run,
    "outlets": outlets.run,
    "startup": startup.run,
}


def main(wanted: list[str]) -> int:
    rows: list[Row] = []
    for name in wanted or list(GROUPS):
        print(f"— {name}", flush=True)
        started = time.perf_counter()
        with ground() as made:
            for row in GROUPS[name](made):
                rows.append(row)
                print(_line(row), flush=True)
        print(f"  ({time.perf_counter() - started:.0f} s)", flush=True)
    Path("bench.json").write_text(json.dumps(rows, ensure_ascii=False, indent=1) + "\n")
    return int(any(row["met"] is False for row in rows))


def _line(row: Row) -> str:
    beside = f"  floor {row['floor']:,} (ratio {row['ratio']})" if row["floor"] else ""
    goal = f"  goal: {row['goal']} {'✓' if row['met'] else '✗'}" if row["goal"] else ""
    return f"  {row['name']}: {row['value']:,} {row['unit']}{beside}{goal}"


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
