"""The server that `shop demo` plays against: one that lets the clock be moved."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import httpx

from shop.launcher.children import Child, started
from shop.launcher.ground import scratch_folder
from shop.launcher.processes import is_ready, server_url, usable_port

HOST = "127.0.0.1"


def demo_server_here(host: str, port: int) -> str | None:
    """The address of the server that listens there, if it runs for demos."""
    if not is_ready(host, port):
        return None
    url = server_url(host, port)
    # not by way of a proxy that the environment may name
    paths = httpx.get(f"{url}/openapi.json", timeout=30, trust_env=False).json()["paths"]
    return url if "/v1/demo/clock" in paths else None


@contextmanager
def own_demo_server() -> Iterator[str]:
    """The address of a whole shop with demo data, on a free port, gone afterwards.

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
            shop.wait_until(lambda: is_ready(HOST, port), seconds=300)
            yield f"http://{HOST}:{port}"
