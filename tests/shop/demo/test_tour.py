"""The commands of ``docs/tour.md`` work as they are printed."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

TOUR = Path("docs/tour.md")


@pytest.mark.skipif(not (shutil.which("curl") and shutil.which("bash")), reason="the tour is told in curl and bash")
def test_every_command_of_the_tour_works(demo_server):
    commands = "\n".join(re.findall(r"^```sh\n(.*?)^```", TOUR.read_text(), re.DOTALL | re.MULTILINE))
    assert "HOST=http://127.0.0.1:8000" in commands
    script = commands.replace("HOST=http://127.0.0.1:8000", f"HOST={demo_server}")
    done = subprocess.run(["bash", "-ueo", "pipefail", "-c", script], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, f"{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
    assert '"stock_short"' in done.stdout
    assert "a decision is possible from" in done.stdout
    assert done.stdout.rstrip().endswith("}")
