"""The description of the API as OpenAPI, as it is served. To make it takes seconds and much memory, because every model of every route is looked at; it
is the same as long as the code is. So it is made once, when somebody first asks, and kept compressed in the data directory for all processes and later
starts; what was made of other code is not read."""

import gzip
import hashlib
import json
import sys
import tempfile
from collections.abc import Callable, Iterator
from importlib import metadata
from pathlib import Path
from threading import Lock
from typing import Any

from fastapi import Request
from fastapi.responses import Response

from shop.core.settings import settings

#: What it is made of: our own code, and what turns models into schemas.
_CODE, _LIBRARIES = ("shop", "catalog", "orders"), ("fastapi", "pydantic")


class Described:
    """The description that ``make`` makes, as compressed JSON; ``folder``: where it is kept."""

    def __init__(self, make: Callable[[], dict[str, Any]], folder: Path) -> None:
        self._make, self._folder, self._kept, self._lock = make, folder, b"", Lock()

    def compressed(self) -> bytes:
        """The same bytes from every process that runs this code."""
        with self._lock:
            if not self._kept:
                kept = self._folder / f"{fingerprint()}.json.gz"
                self._kept = _read(kept) or _write(kept, self._make())
        return self._kept

    def answer(self, request: Request) -> Response:
        """As it lies there, to whoever can read that."""
        content, headers = self.compressed(), {"Vary": "Accept-Encoding"}
        if "gzip" in request.headers.get("accept-encoding", ""):
            headers["Content-Encoding"] = "gzip"
        else:
            content = gzip.decompress(content)
        return Response(content, media_type="application/json", headers=headers)


def fingerprint() -> str:
    """Tells code from other code: its files with their sizes and when they were written, the libraries, and whether there is a demo besides."""
    said = [sys.version, str(settings().demo), *(metadata.version(name) for name in _LIBRARIES), *_files()]
    return hashlib.sha256("\n".join(said).encode()).hexdigest()[:32]


def _files() -> Iterator[str]:
    root = Path(__file__).parent.parent
    for file in sorted(each for name in _CODE for each in (root / name).rglob("*.py")):
        stat = file.stat()
        yield f"{file.relative_to(root)} {stat.st_size} {stat.st_mtime_ns}"


def _read(kept: Path) -> bytes:
    try:
        return kept.read_bytes()
    except OSError:
        return b""


def _write(kept: Path, described: dict[str, Any]) -> bytes:
    content = gzip.compress(json.dumps(described, ensure_ascii=False, separators=(",", ":")).encode(), mtime=0)
    try:
        kept.parent.mkdir(parents=True, exist_ok=True)
        for older in kept.parent.glob("*.json.gz"):
            older.unlink(missing_ok=True)
        # whole or not at all: another process may be reading
        with tempfile.NamedTemporaryFile(dir=kept.parent, delete=False) as written:
            written.write(content)
        Path(written.name).replace(kept)
    except OSError:
        pass  # a directory that cannot be written to: each process makes its own
    return content
