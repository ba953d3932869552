"""A whole shop for one purpose: started on a free port with empty data, gone afterwards."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from shop.launcher.children import Child, started
from shop.launcher.ground import scratch_folder
from shop.launcher.processes import is_ready, usable_port

HOST = "127.0.0.1"


@contextmanager
def own_server() -> Iterator[str]:
    """The address of a shop with demo data whose clock may be moved.

    Raises:
        CannotStart: it did not come up.
    """
    with scratch_folder() as folder:
        port = usable_port(HOST, 0)
        mine = {"DEMO": "1", "DATA_DIR": folder, "HOST": HOST, "PORT": port, "ENVIRONMENT": "development"}
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("SHOP_")}
        env = inherited | {f"SHOP_{name}": str(value) for name, value in mine.items()}
        shop = Child("shop", [sys.executable, "-P", "-m", "shop.cli", "up"], env=env, log=folder / "up.log", patience=30)
        with started([shop]):
            shop.wait_until(lambda: is_ready(HOST, port), seconds=180)
            yield f"http://{HOST}:{port}"
