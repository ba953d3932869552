"""The file store: a local folder by default, any object store that ``obstore`` speaks (S3 and its kin) by setting."""

import hashlib
from collections.abc import Iterator
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from shop.core.settings import settings

if TYPE_CHECKING:
    from obstore.store import ObjectStore


@lru_cache
def store() -> "ObjectStore":
    """The store named by ``SHOP_FILES_URL``; credentials come from the environment as the store's own clients read them."""
    # imported with the first file: most processes never touch one
    from obstore.store import LocalStore, from_url

    if url := settings().files_url:
        return from_url(url)
    folder = Path(settings().data_dir).absolute() / "files"
    folder.mkdir(parents=True, exist_ok=True)
    return LocalStore(prefix=str(folder))


def key_for(sha256: str) -> str:
    """Content decides the key, so no name that a user chose ever becomes a path and the same bytes are kept once."""
    return f"{sha256[:2]}/{sha256[2:4]}/{sha256}"


def put(content: bytes) -> tuple[str, str]:
    """Store bytes; returns (storage key, SHA-256 in hex)."""
    sha256 = hashlib.sha256(content).hexdigest()
    store().put(key_for(sha256), content)
    return key_for(sha256), sha256


def get(storage_key: str) -> bytes:
    """The bytes under a key.

    Raises:
        FileNotFoundError: nothing is stored there.
    """
    return bytes(store().get(storage_key).bytes())


#: Bytes of a file that are in memory at a time.
PIECE = 1024 * 1024


def put_file(storage_key: str, path: Path) -> tuple[int, str]:
    """Store a file of this machine under a key, piece by piece; returns (size, SHA-256 in hex). What was there before is replaced."""
    digest, size = hashlib.sha256(), 0
    with path.open("rb") as file:
        while piece := file.read(PIECE):
            digest.update(piece)
            size += len(piece)
    store().put(storage_key, path)
    return size, digest.hexdigest()


def pieces(storage_key: str, start: int, end: int) -> Iterator[bytes]:
    """The bytes from ``start`` up to (not including) ``end``, piece by piece.

    Raises:
        FileNotFoundError: nothing is stored there.
    """
    if start == end:
        return iter(())
    found = store().get(storage_key, options={"range": (start, end)}).stream(min_chunk_size=PIECE)
    return (bytes(piece) for piece in found)


def delete(storage_key: str) -> None:
    """Remove what is stored under a key; nothing there is as good."""
    with suppress(FileNotFoundError):
        store().delete(storage_key)
