"""HTTP to addresses that customers name. Only public servers are ever reached, whatever the name says or its name server answers.

A name is resolved once for each request, every address that comes back is judged, and the connection goes to one of those very addresses:
an answer that changes between judging and connecting changes nothing. Redirects are not followed, and proxies of the environment not used.
"""

import ipaddress
import re
import socket
import ssl
import time
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as TookTooLong
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import httpcore
import idna

from shop.core.settings import settings

#: Seconds for the answer of the name servers, for a connection, and for everything together.
RESOLVE_SECONDS = 3.0
CONNECT_SECONDS = 3.0
TOTAL_SECONDS = 10.0
#: No more of an answer is read.
MAX_ANSWER_BYTES = 64 * 1024
MAX_URL_LENGTH = 2000

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

#: Networks that are not the public internet, or lead out of it (IANA special-purpose registries of 2025), and the address at which
#: a large cloud serves its machines' secrets although it lies in a public network.
_CLOSED_V4 = [
    ipaddress.IPv4Network(network)
    for network in [
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.31.196.0/24",
        "192.52.193.0/24",
        "192.88.99.0/24",
        "192.168.0.0/16",
        "192.175.48.0/24",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",
        "240.0.0.0/4",
        "168.63.129.16/32",
    ]
]
#: Public IPv6 is 2000::/3; within it the protocols' own range (Teredo among them), documentation and 6to4 are not.
_PUBLIC_V6 = ipaddress.IPv6Network("2000::/3")
_CLOSED_V6 = [
    ipaddress.IPv6Network(network) for network in ("2001::/23", "2001:db8::/32", "2002::/16", "2620:4f:8000::/48", "3fff::/20")
]

_LABEL = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
#: The last label begins with a letter. That refuses every way to write an IPv4 address as a number: decimal, octal, hexadecimal, short.
_NAME = re.compile(rf"({_LABEL}\.)+[a-z]([a-z0-9-]{{0,61}}[a-z0-9])")
#: Names of one's own network, by RFC 6761, 6762, 8375, 9476 or by custom.
_LOCAL = (
    "localhost",
    "local",
    "internal",
    "intranet",
    "private",
    "corp",
    "home",
    "lan",
    "home.arpa",
    "test",
    "invalid",
    "onion",
    "alt",
)
_REST = re.compile(r"[!$-;=?-Z_a-z~%\[\]]*")

_resolvers = ThreadPoolExecutor(16, thread_name_prefix="resolve")


class Refused(Exception):
    """The address is none that may be used. ``code`` is stable."""

    def __init__(self, code: str, zh: str, en: str) -> None:
        super().__init__(en)
        self.code, self.zh, self.en = code, zh, en


class Unreachable(Exception):
    """No answer: not connected, not trusted, too slow, or not HTTP."""


class Target(NamedTuple):
    #: The address in the form in which it is kept and used: ASCII, lower case, with no doubt about its host.
    url: str
    host: str
    port: int


@dataclass(frozen=True)
class Answer:
    status: int
    #: At most :data:`MAX_ANSWER_BYTES`.
    body: bytes
    #: The header Retry-After as it came.
    retry_after: str | None = None


def target(url: str) -> Target:
    """Take an address apart, and refuse what is no plain ``https://name/path``.

    Raises:
        Refused: see there.
    """
    own = settings().webhook_allow_private
    malformed = Refused("bad_url", "网址格式不正确", "This is not a plain address such as https://erp.example.org/hooks")
    if len(url) > MAX_URL_LENGTH or "\\" in url or any(character.isspace() or not character.isprintable() for character in url):
        raise malformed
    try:
        parts = urlsplit(url)
        given, port = parts.hostname or "", parts.port
    except ValueError:
        raise malformed from None
    if parts.scheme != "https" and not (own and parts.scheme == "http"):
        raise Refused("not_https", "须为 https 网址", "Only https is used")
    if "@" in parts.netloc or "#" in url or not _REST.fullmatch(parts.path + parts.query):
        raise malformed
    host = _host(given, own)
    port = port if port is not None else (443 if parts.scheme == "https" else 80)
    if not own and str(port) not in settings().webhook_ports.split(","):
        raise Refused("port_not_allowed", "不允许使用此端口", f"Only these ports are used: {settings().webhook_ports}")
    shown = f"[{host}]" if ":" in host else host
    usual = port == (443 if parts.scheme == "https" else 80)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Target(f"{parts.scheme}://{shown}{'' if usual else f':{port}'}{path}", host, port)


def _host(given: str, own: bool) -> str:
    refused = Refused("bad_host", "主机须为公开的域名", "The host must be a public name; numbers and local names are not used")
    if own:
        with suppress(ValueError):
            return str(ipaddress.ip_address(given))
        if given == "localhost":
            return given
    try:
        host = given if given.isascii() else idna.encode(given, uts46=True).decode()
    except UnicodeError:
        raise refused from None
    host = host.lower()
    local = any(host == name or host.endswith(f".{name}") for name in _LOCAL)
    if len(host) > 253 or not _NAME.fullmatch(host) or local:
        raise refused
    return host


def is_public(address: Address) -> bool:
    """Whether an address belongs to the public internet. Forms that carry an IPv4 address inside (mapped, NAT64, 6to4) do not."""
    if isinstance(address, ipaddress.IPv4Address):
        return not any(address in network for network in _CLOSED_V4)
    return address in _PUBLIC_V6 and address.scope_id is None and not any(address in network for network in _CLOSED_V6)


def addresses_of(host: str, port: int) -> list[Address]:
    """The addresses of a name, of which all are public.

    Raises:
        Refused: one of them is not, or there is none.
        Unreachable: the name servers do not answer in time.
    """
    try:
        found = _resolvers.submit(socket.getaddrinfo, host, port, type=socket.SOCK_STREAM).result(RESOLVE_SECONDS)
    except TookTooLong:
        raise Unreachable("the name servers do not answer") from None
    except (OSError, UnicodeError):
        raise Refused("unknown_host", "无法解析该域名", "The name has no address") from None
    try:
        addresses = list(dict.fromkeys(ipaddress.ip_address(entry[4][0]) for entry in found))
    except ValueError:
        addresses = []
    if not addresses:
        raise Refused("unknown_host", "无法解析该域名", "The name has no address")
    if not settings().webhook_allow_private and not all(is_public(address) for address in addresses):
        raise Refused("address_not_public", "该域名指向非公网地址", "The name leads to an address that is not public")
    return addresses


def check(url: str) -> str:
    """Judge an address as a whole, its name's present addresses included; returns the form to keep.

    Raises:
        Refused, Unreachable: see there.
    """
    whole = target(url)
    addresses_of(whole.host, whole.port)
    return whole.url


def post(url: str, headers: Mapping[str, str], body: bytes, tls: ssl.SSLContext | None = None) -> Answer:
    """Send one request and read its answer, whatever its status. Takes :data:`TOTAL_SECONDS` at most.

    Raises:
        Refused: the address may not be used (now).
        Unreachable: no answer.
    """
    url = target(url).url
    deadline = time.monotonic() + TOTAL_SECONDS
    seconds = {"connect": CONNECT_SECONDS, "read": TOTAL_SECONDS, "write": TOTAL_SECONDS, "pool": TOTAL_SECONDS}
    try:
        with (
            httpcore.ConnectionPool(ssl_context=tls or _tls(), network_backend=_Guarded(deadline)) as pool,
            pool.stream("POST", url, headers=[*headers.items()], content=body, extensions={"timeout": seconds}) as response,
        ):
            read = bytearray()
            for piece in response.iter_stream():
                read += piece
                if len(read) >= MAX_ANSWER_BYTES:
                    break
            wait = next((value for name, value in response.headers if name.lower() == b"retry-after"), None)
            return Answer(response.status, bytes(read[:MAX_ANSWER_BYTES]), None if wait is None else wait.decode("latin-1"))
    except httpcore.TimeoutException as error:
        raise Unreachable("no answer in time") from error
    except (httpcore.NetworkError, httpcore.ProtocolError, OSError) as error:
        raise Unreachable(f"{type(error).__name__}: {error}"[:300]) from error


@lru_cache
def _tls() -> ssl.SSLContext:
    return httpcore.default_ssl_context()


class _Guarded(httpcore.NetworkBackend):
    """Connects to judged addresses only. The name stays what TLS checks and what the Host header says."""

    def __init__(self, deadline: float) -> None:
        self._deadline = deadline
        self._plain = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        ends = min(time.monotonic() + (timeout or CONNECT_SECONDS), self._deadline)
        failure: Exception = httpcore.ConnectError("no address")
        for address in addresses_of(host.strip("[]"), port):
            if (left := ends - time.monotonic()) <= 0:
                break
            try:
                return _Timed(self._plain.connect_tcp(str(address), port, left, local_address, socket_options), self._deadline)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
        raise failure


class _Timed(httpcore.NetworkStream):
    """A stream with one deadline for all of it: a server that sends a byte now and then does not hold us."""

    def __init__(self, stream: httpcore.NetworkStream, deadline: float) -> None:
        self._stream = stream
        self._deadline = deadline

    def _left(self, timeout: float | None, late: type[Exception]) -> float:
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise late("too slow")
        return left if timeout is None else min(left, timeout)

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, self._left(timeout, httpcore.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, self._left(timeout, httpcore.WriteTimeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        left = self._left(timeout, httpcore.ConnectTimeout)
        return _Timed(self._stream.start_tls(ssl_context, server_hostname, left), self._deadline)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)
