"""The commands of ``docs/tour.md`` and of the README's short tours work as they are printed."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

TOUR, README = Path("docs/tour.md"), Path("README.md")
needs_a_shell = pytest.mark.skipif(
    not (shutil.which("curl") and shutil.which("bash")), reason="the tours are told in curl and bash"
)


def played(told, address):
    """What the commands printed, pasted into one shell one after the other."""
    commands = "\n".join(re.findall(r"^```sh\n(.*?)^```", told, re.DOTALL | re.MULTILINE))
    assert "HOST=http://127.0.0.1:8000" in commands
    script = commands.replace("HOST=http://127.0.0.1:8000", f"HOST={address}").replace(".venv/bin/python", sys.executable)
    done = subprocess.run(["bash", "-ueo", "pipefail", "-c", script], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, f"{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
    return done.stdout


def short_tours():
    """The part of the README that is played."""
    return README.read_text().partition("## Five minutes for each kind of user")[2].partition("\n## ")[0]


@pytest.mark.slow(seconds=125)
@needs_a_shell
def test_every_command_of_the_tour_works(demo_server):
    told = played(TOUR.read_text(), demo_server)
    assert '"stock_short"' in told
    assert "a decision is possible from" in told
    for refused in (
        "already_ordered",
        "approval_needed",
        "quotations_sealed",
        "match_above_due",
        "own_refund",
        "own_write_off",
        "two_persons_needed",
    ):
        assert f'"code": "{refused}"' in told
    assert "It is not a donation receipt" in told
    assert '"status": "succeeded"' in told  # paid online
    assert told.rstrip().endswith("\n0")  # differences


@pytest.mark.slow(seconds=29)
@needs_a_shell
def test_the_monitor_opens_every_export(demo_server):
    parts = TOUR.read_text().split("\n## ")
    told = played("\n## ".join(part for part in parts if part.startswith(("Before you start", "The monitor"))), demo_server)
    assert re.search(r'^ +"content": \{$', told, re.MULTILINE)  # the contract of a sale
    for name in ("figures", "entries", "bulletin"):
        assert re.search(rf"^{name}\.xlsx: [\d,]+ bytes, workbook, sheets: \w", told, re.MULTILINE)
    assert re.search(r"^entries\.parquet: [\d,]+ bytes, Parquet, complete: True\nid BIGINT\n", told, re.MULTILINE)
    assert re.search(r"^bulletin\.pdf: [\d,]+ bytes, %PDF-", told, re.MULTILINE)
    assert "\nthe same\n" in told
    stated, made = re.findall(r"^[0-9a-f]{64}$", told, re.MULTILINE)
    assert stated == made
    assert "\nOCDS 1.1 by " in told
    assert told.rstrip().endswith("'bulletin']")


@pytest.mark.slow(seconds=23)
@needs_a_shell
def test_the_part_on_money_needs_nothing_of_the_parts_before_it(demo_server):
    parts = TOUR.read_text().split("\n## ")
    names = ("Before you start", "The buyer's finance", "Platform finance")
    told = played("\n## ".join(part for part in parts if part.startswith(names)), demo_server)
    assert '"status": "succeeded"' in told  # paid online
    assert told.rstrip().endswith("\n0")  # differences


@pytest.mark.slow(seconds=22)
@needs_a_shell
def test_every_command_of_the_readme_works(demo_server):
    told = played(short_tours(), demo_server)
    assert '"state": "in_force"' in told
    assert '"state": "received"' in told
    assert "STRUCTURE,STRUCTURE_ID,ACTION" in told  # SDMX
    assert re.search(r"^(40\.00|39\.\d\d)$", told, re.MULTILINE)  # per cent of the pledge
