"""Personal data that only a few may see: encrypted at rest, and told apart by a keyed hash without being opened.

Keys come from the settings. Where none are given they are made once and kept, readable by the owner only, beside the data.
"""

import hashlib
import hmac
import json
import os
import secrets
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shop.core.settings import settings

if TYPE_CHECKING:
    from cryptography.fernet import MultiFernet


class Unreadable(RuntimeError):
    """Sealed with a key that is no longer among the settings."""


@lru_cache
def _cipher() -> "MultiFernet":
    # in memory from the first secret on; most processes open none
    from cryptography.fernet import Fernet, MultiFernet

    keys = settings().sealing_keys or _kept("sealing_keys", lambda: Fernet.generate_key().decode())
    return MultiFernet([Fernet(key.strip()) for key in keys.split(",")])


@lru_cache
def _index_key() -> bytes:
    return (settings().sealing_index_key or _kept("sealing_index_key", lambda: secrets.token_urlsafe(32))).encode()


def _kept(name: str, make: Any) -> str:
    """A secret of this installation's data folder; made by whoever comes first."""
    path = Path(settings().data_dir).absolute() / "keys" / name
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = path.with_name(f"{name}.{os.getpid()}.{secrets.token_hex(4)}")
    if not path.exists():
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(make())
        try:
            os.link(draft, path)  # fails when another process was faster; its key then counts
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return path.read_text()


def seal(content: dict[str, Any]) -> bytes:
    """Encrypt; the same content gives other bytes each time."""
    return _cipher().encrypt(json.dumps(content, ensure_ascii=False).encode())


def unseal(sealed: bytes) -> dict[str, Any]:
    """Decrypt what :func:`seal` gave.

    Raises:
        Unreadable: the key that sealed it is not known any more.
    """
    from cryptography.fernet import InvalidToken

    try:
        content: dict[str, Any] = json.loads(_cipher().decrypt(bytes(sealed)))
    except InvalidToken as error:
        raise Unreadable from error
    return content


def keyed_hash(*parts: str) -> bytes:
    """32 bytes that are equal for equal parts and tell nothing without the key."""
    return hmac.new(_index_key(), "\x1f".join(parts).encode(), hashlib.sha256).digest()


def forget_keys() -> None:
    """Read the keys again (tests that change the settings)."""
    _cipher.cache_clear()
    _index_key.cache_clear()
