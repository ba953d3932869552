"""The embedded Valkey, which speaks Redis' protocol: broker of the workers, counter of the rate limits."""

import socket
from contextlib import suppress
from pathlib import Path

from shop.launcher.children import Child
from shop.launcher.ground import Ground, give
from shop.launcher.leftovers import end
from shop.launcher.postgres import ENVIRONMENT

SOCKET = "valkey.sock"


def redis_url(sockets: Path) -> str:
    return f"unix://{sockets / SOCKET}"


class Valkey(Child):
    """A service of the launcher."""

    def __init__(self, ground: Ground, *, durable: bool = True) -> None:
        self._ground = ground
        self._folder = ground.home / "valkey"
        self._socket = ground.sockets / SOCKET
        self._mark = f"{ground.mark}:valkey"
        self.url = redis_url(ground.sockets)
        settings = {
            "port": "0",
            "unixsocket": str(self._socket),
            "unixsocketperm": "700",
            "dir": str(self._folder),
            "save": "",
            "appendonly": "yes",
            "appendfsync": "everysec" if durable else "no",
            "maxmemory-policy": "noeviction",  # a broker that forgets loses work
            "proc-title-template": f"{{title}} {self._mark} {{listen-addr}}",
        }
        super().__init__(
            "valkey",
            [str(ground.binaries.valkey), *(word for name, value in settings.items() for word in (f"--{name}", value))],
            env=ENVIRONMENT,
            log=ground.logs / "valkey.log",
            run_as=ground.run_as,
        )

    def start(self) -> None:
        end(self._mark)
        give(self._folder, self._ground.run_as)
        super().start()
        self.wait_until(self._answers, seconds=60)

    def _answers(self) -> bool:
        """It says PONG; while it still loads its file, it says so instead."""
        with suppress(OSError), socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(2)
            connection.connect(str(self._socket))
            connection.sendall(b"PING\r\n")
            return connection.recv(5) == b"+PONG"
        return False
