"""Numbers of contracts, and the one form of their content that a digest is taken of: pure functions."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any


def canonical(content: Mapping[str, Any]) -> bytes:
    """The content as JSON with sorted keys and no spaces, in UTF-8: the same bytes for the same content, however it was stored."""
    return json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def sealed(content: Mapping[str, Any]) -> tuple[str, str]:
    """The canonical form, and its SHA-256 in hex."""
    said = canonical(content)
    return said.decode(), hashlib.sha256(said).hexdigest()


def digest(content: Mapping[str, Any]) -> str:
    """SHA-256 of the canonical form, in hex."""
    return sealed(content)[1]


def series(year: int, supplier_id: int) -> str:
    """Contracts are numbered by year and supplier."""
    return f"contract:{year}:{supplier_id}"


def contract_number(year: int, supplier_id: int, running: int) -> str:
    return f"HT{year}-{supplier_id:06}-{running:04}"


def supplement_number(contract: str, supplement_no: int) -> str:
    return f"{contract}-{supplement_no}"


def percent(basis_points: int) -> str:
    """900 -> ``9%``, 450 -> ``4.5%``."""
    whole, rest = divmod(basis_points, 100)
    return f"{whole}.{rest:02d}".rstrip("0").rstrip(".") + "%"
