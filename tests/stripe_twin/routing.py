"""Which function answers which address; the server makes its routes of this list."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Handler = Callable[..., dict[str, Any]]


@dataclass(frozen=True)
class Entry:
    method: str
    path: str
    handler: Handler
    connected: bool  # may be asked for a connected account, by the header Stripe-Account


ENTRIES: list[Entry] = []


def route(method: str, path: str, *, connected: bool = False) -> Callable[[Handler], Handler]:
    """``function(world, call, **ids in the path)`` answers ``method path``."""

    def register(handler: Handler) -> Handler:
        ENTRIES.append(Entry(method, path, handler, connected))
        return handler

    return register
