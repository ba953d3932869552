"""``python -m tests.stripe_twin --port 12111``: the twin as a process of its own, on this machine only."""

import argparse
import logging
import socket
from pathlib import Path

import uvicorn

from tests.stripe_twin.objects import webhook_endpoints
from tests.stripe_twin.server import Protocol, create_app
from tests.stripe_twin.store import Store
from tests.stripe_twin.world import World


def main() -> None:
    parser = argparse.ArgumentParser(prog="stripe_twin", description=__doc__)
    parser.add_argument("--port", type=int, default=12111, help="0 takes a free one; the first line of output tells which")
    parser.add_argument("--speed", type=float, default=1.0, help="how many times faster than Stripe all waits are")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="a setting, such as available_after=0")
    parser.add_argument("--webhook", metavar="URL", help="an endpoint for all events, there from the beginning")
    parser.add_argument("--webhook-secret", metavar="SECRET", help="its secret")
    parser.add_argument("--store", type=Path, metavar="FILE", help="keep everything in this file, and begin with what is in it")
    given = parser.parse_args()
    logging.basicConfig(level=logging.WARNING)

    # named as TCP, or asyncio leaves Nagle's algorithm on, and every answer takes 40 ms
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", given.port))
    listener.listen(1024)  # so that who reads our first line can connect, and waits for the rest
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    world = World(given.speed, url)
    store = Store(world, given.store) if given.store else None
    if store:
        store.load()
    world.settings.set(dict(each.split("=", 1) for each in given.set))
    known = {each["url"] for each in world.all("webhook_endpoint")}
    if given.webhook and given.webhook not in known:
        for connect in (False, True):
            webhook_endpoints.add(world, given.webhook, ["*"], secret=given.webhook_secret, connect=connect)
    config = uvicorn.Config(
        create_app(world, store), http=Protocol, loop="asyncio", log_config=None, access_log=False, timeout_graceful_shutdown=1
    )
    print(f"stripe_twin {url}", flush=True)
    uvicorn.Server(config).run(sockets=[listener])


if __name__ == "__main__":
    main()
