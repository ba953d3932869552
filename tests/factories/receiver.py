"""A customer's system: a real HTTP server on this machine that keeps what it is sent and answers as it is told."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Receiver:
    url: str = ""
    #: Status of each of the next answers; then 204.
    answers: list[int] = field(default_factory=list)
    #: Seconds before each answer, and between the bytes of its body.
    delay: float = 0
    drip: float = 0
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    #: (path, headers, body) of each request.
    requests: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)
    #: The most requests at once.
    at_once: int = 0
    now: int = 0


@contextmanager
def receiver() -> Iterator[Receiver]:
    state, lock = Receiver(), threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            content = self.rfile.read(int(self.headers["content-length"]))
            with lock:
                state.now += 1
                state.at_once = max(state.at_once, state.now)
                state.requests.append((self.path, {k.lower(): v for k, v in self.headers.items()}, content))
                status = state.answers.pop(0) if state.answers else 204
            try:
                time.sleep(state.delay)
                with suppress(OSError):
                    self._answer(status)
            finally:
                with lock:
                    state.now -= 1

        def _answer(self, status: int) -> None:
            self.send_response(status)
            for name, value in state.headers.items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(state.body) if status != 204 else 0))
            self.end_headers()
            pieces = [state.body] if not state.drip else [state.body[i : i + 1] for i in range(len(state.body))]
            for piece in pieces if status != 204 else []:
                self.wfile.write(piece)
                self.wfile.flush()
                time.sleep(state.drip)

        def log_message(self, *_: Any) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_: Any) -> None:
            """The caller went away."""

    server = Server(("127.0.0.1", 0), Handler)
    state.url = f"http://127.0.0.1:{server.server_address[1]}/hooks"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield state
    finally:
        server.shutdown()
        server.server_close()


@contextmanager
def canary() -> Iterator[tuple[int, list[Any]]]:
    """A port of the own machine that must never be reached, and whoever came nevertheless."""
    came: list[Any] = []
    listening = socket.create_server(("127.0.0.1", 0))
    listening.settimeout(0.02)
    stop = threading.Event()

    def listen() -> None:
        while not stop.is_set():
            with suppress(TimeoutError):
                connection, address = listening.accept()
                came.append(address)
                connection.close()

    thread = threading.Thread(target=listen, daemon=True)
    thread.start()
    try:
        yield listening.getsockname()[1], came
    finally:
        stop.set()
        thread.join()
        listening.close()
