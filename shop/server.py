"""The HTTP server: the application is made once, and the processes that serve it are forks of the one that made it, so that together they hold it once."""

import multiprocessing
import signal
import sys
from collections.abc import Callable
from multiprocessing.context import ForkProcess
from socket import SO_REUSEPORT, SOL_SOCKET, socket

import uvicorn
import uvicorn.supervisors.multiprocess as supervisor

from shop.app import create_app
from shop.core import forks
from shop.core.settings import Settings

#: Whether the system deals connections out to the processes. Where they listen together, the first to wake takes all that have come, and a proxy, or
#: eight screens, that keep their connections open are served by one process while the others have nothing to do.
_EACH_LISTENS = sys.platform == "linux"


def run(settings: Settings) -> None:
    """Serve until a signal stops it."""
    config = uvicorn.Config(
        create_app(),
        host=settings.host,
        port=settings.port,
        workers=settings.processes,
        loop="uvloop",
        http="httptools",
        ws="none",
        access_log=False,  # the application logs its requests itself
        log_config=None,
        server_header=False,
        forwarded_allow_ips=settings.trusted_proxies,
        timeout_graceful_shutdown=5,
    )
    config.load()
    forks.ready()
    # uvicorn's own begin from nothing and load everything again
    supervisor.get_subprocess = _forked  # type: ignore[assignment, attr-defined]
    place = config.bind_socket()
    if _EACH_LISTENS:
        place.setsockopt(SOL_SOCKET, SO_REUSEPORT, 1)  # only now: a second server here is still refused
    supervisor.Multiprocess(config, [place]).run()


def _forked(_: uvicorn.Config, target: Callable[[list[socket]], None], sockets: list[socket]) -> ForkProcess:
    return multiprocessing.get_context("fork").Process(target=_serve, args=(target, sockets))


def _serve(target: Callable[[list[socket]], None], sockets: list[socket]) -> None:
    # the parent notes signals and passes them on; until the server takes them over they end a child
    for number in supervisor.SIGNALS:
        signal.signal(number, signal.SIG_DFL)
    target([_own(place) for place in sockets] if _EACH_LISTENS else sockets)


def _own(place: socket) -> socket:
    """A listener of this process alone at the same place."""
    own = socket(place.family)
    own.setsockopt(SOL_SOCKET, SO_REUSEPORT, 1)
    own.bind(place.getsockname())
    place.close()
    return own
