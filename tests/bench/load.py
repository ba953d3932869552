"""A load generator that costs little itself: raw HTTP/1.1 over kept-alive sockets, so that two cores are left to the server."""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field


@dataclass
class Result:
    """Latencies in milliseconds and the statuses that came."""

    seconds: float = 0
    latencies: list[float] = field(default_factory=list)
    statuses: dict[int, int] = field(default_factory=dict)

    @property
    def per_second(self) -> float:
        return len(self.latencies) / self.seconds

    def percentile(self, share: float) -> float:
        ordered = sorted(self.latencies)
        return ordered[min(int(len(ordered) * share), len(ordered) - 1)]


def request(method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None) -> bytes:
    """The bytes of one request."""
    lines = [f"{method} {path} HTTP/1.1", "Host: bench", f"Content-Length: {len(body)}"]
    if body:
        lines.append("Content-Type: application/json")
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def run(
    address: str, make: Callable[[int], bytes], concurrency: int, seconds: float, warm_up: float = 1.0, pause: float = 0.0
) -> Result:
    """Send ``make(n)`` over ``concurrency`` connections for ``seconds``; each pauses for some seconds after an answer."""
    return asyncio.run(_run(address, make, concurrency, seconds, warm_up, pause))


def all_of(address: str, requests: Sequence[bytes], concurrency: int) -> Result:
    """Send each of the requests once, over ``concurrency`` connections."""
    return asyncio.run(_all_of(address, requests, concurrency))


def once(address: str, content: bytes) -> tuple[float, int]:
    """Send one request; gives its seconds and its status."""
    return asyncio.run(_once(address, content))


async def _all_of(address: str, requests: Sequence[bytes], concurrency: int) -> Result:
    host, port = address.removeprefix("http://").split(":")
    result, left = Result(), iter(requests)
    begun = time.perf_counter()

    async def client() -> None:
        reader, writer = await asyncio.open_connection(host, int(port))
        for content in left:
            started = time.perf_counter()
            writer.write(content)
            status = await _answer(reader)
            result.latencies.append((time.perf_counter() - started) * 1000)
            result.statuses[status] = result.statuses.get(status, 0) + 1
        writer.close()

    await asyncio.gather(*(client() for _ in range(concurrency)))
    result.seconds = time.perf_counter() - begun
    return result


async def _once(address: str, content: bytes) -> tuple[float, int]:
    host, port = address.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    started = time.perf_counter()
    writer.write(content)
    status = await _answer(reader)
    seconds = time.perf_counter() - started
    writer.close()
    return seconds, status


async def _run(
    address: str, make: Callable[[int], bytes], concurrency: int, seconds: float, warm_up: float, pause: float
) -> Result:
    host, port = address.removeprefix("http://").split(":")
    result = Result(seconds=seconds)
    begin = time.perf_counter() + warm_up
    end = begin + seconds
    numbers = iter(range(10**9))

    async def client(n: int) -> None:
        reader, writer = await asyncio.open_connection(host, int(port))
        await asyncio.sleep(pause * n / concurrency)  # who pauses does not do so in step with all the others
        while (started := time.perf_counter()) < end:
            writer.write(make(next(numbers)))
            status = await _answer(reader)
            finished = time.perf_counter()
            if started >= begin:
                result.latencies.append((finished - started) * 1000)
                result.statuses[status] = result.statuses.get(status, 0) + 1
            await asyncio.sleep(pause)
        writer.close()

    await asyncio.gather(*map(client, range(concurrency)))
    return result


async def _answer(reader: asyncio.StreamReader) -> int:
    head = await reader.readuntil(b"\r\n\r\n")
    status = int(head[9:12])
    at = head.lower().find(b"content-length:")
    if at < 0:
        raise ValueError(head)
    await reader.readexactly(int(head[at + 15 : head.index(b"\r\n", at)]))
    return status
