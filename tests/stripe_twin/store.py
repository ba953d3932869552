"""Keeps a world in a file, so that the demo finds its payments again after a restart."""

import asyncio
import contextlib
import heapq
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tests.stripe_twin.idempotency import Kept
from tests.stripe_twin.ledger import Movement
from tests.stripe_twin.world import Job, World

_PLAIN = ("objects", "owners", "order", "touched", "notes", "numbers")
EVERY = 1.0  # seconds between two looks at whether something changed


def freeze(world: World) -> dict[str, Any]:
    """All of a world but its faults, as plain data."""
    return {
        **{name: getattr(world, name) for name in _PLAIN},
        "ahead": world.clock.ahead,
        "settings": vars(world.settings),
        "movements": [asdict(each) for each in world.ledger.movements],
        "jobs": [[each.due, each.number, each.name, each.args] for each in world.jobs],
        "keys": [
            [*place, asdict(kept) | {"body": kept.body.decode()}]
            for place, kept in world.keys.kept.items()
            if kept.status is not None
        ],
    }


def thaw(world: World, kept: dict[str, Any]) -> None:
    for name in _PLAIN:
        setattr(world, name, kept[name])
    world.clock.ahead = kept["ahead"]
    world.settings.set(kept["settings"])
    for each in kept["movements"]:
        movement = Movement(**each)
        world.ledger.move(movement.reason, movement.source, movement.currency, movement.entries)
    world.jobs = [Job(due, number, name, tuple(args)) for due, number, name, args in kept["jobs"]]
    heapq.heapify(world.jobs)
    for account, key, answer in kept["keys"]:
        world.keys.kept[account, key] = Kept(**answer | {"body": answer["body"].encode()})


class Store:
    def __init__(self, world: World, path: Path) -> None:
        self.world = world
        self.path = path
        self.saved = world.changes

    def load(self) -> None:
        if self.path.exists():
            thaw(self.world, json.loads(self.path.read_text()))

    def save(self) -> None:
        """Whole or not at all: a file half written is never put in the place of the old one."""
        if self.saved == self.world.changes:
            return
        self.saved = self.world.changes
        fresh = self.path.with_suffix(".new")
        fresh.write_text(json.dumps(freeze(self.world), ensure_ascii=False))
        fresh.replace(self.path)

    async def run(self) -> None:
        with contextlib.suppress(asyncio.CancelledError):
            while True:
                await asyncio.sleep(EVERY)
                self.save()
