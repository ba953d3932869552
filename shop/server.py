"""The HTTP server: the application is made once, and the processes that serve it are forks of the one that made it, so that together they hold it once."""

import multiprocessing
import signal
from collections.abc import Callable
from multiprocessing.context import ForkProcess
from socket import socket

import uvicorn
import uvicorn.supervisors.multiprocess as supervisor

from shop.app import create_app
from shop.core import forks
from shop.core.settings import Settings


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
    supervisor.Multiprocess(config, [config.bind_socket()]).run()


def _forked(_: uvicorn.Config, target: Callable[[list[socket]], None], sockets: list[socket]) -> ForkProcess:
    return multiprocessing.get_context("fork").Process(target=_serve, args=(target, sockets))


def _serve(target: Callable[[list[socket]], None], sockets: list[socket]) -> None:
    # the parent notes signals and passes them on; until the server takes them over they end a child
    for number in supervisor.SIGNALS:
        signal.signal(number, signal.SIG_DFL)
    target(sockets)
