"""Does what is due: as time passes, or at once when the clock is put forward."""

import asyncio
import contextlib
import inspect
import logging
from typing import Any

from tests.stripe_twin.world import JOBS, Job, World

log = logging.getLogger("stripe_twin")


class Runner:
    def __init__(self, world: World) -> None:
        self.world = world
        self.turn = asyncio.Lock()
        self.wake = asyncio.Event()
        self.running: set[asyncio.Task[Any]] = set()
        world.on_job = self.wake.set

    async def run(self) -> None:
        while True:
            self.wake.clear()
            async with self.turn:
                while due := self.world.take_due():
                    self._begin(due)
            moment = self.world.next_due()
            wait = None if moment is None else max(0.0, moment - self.world.clock.now())
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.wake.wait(), wait)

    def _begin(self, due: Job) -> None:
        """What takes time goes on beside the rest."""
        try:
            done = JOBS[due.name](self.world, *due.args)
        except Exception:
            log.exception("job %s failed", due.name)
            return
        if inspect.isawaitable(done):
            task = asyncio.ensure_future(done)
            self.running.add(task)
            task.add_done_callback(self.running.discard)

    async def advance(self, seconds: float) -> None:
        """Puts the clock forward; what becomes due on the way is done in its order, at its time."""
        async with self.turn:
            target = self.world.clock.now() + seconds
            await self._idle()
            while (moment := self.world.next_due()) is not None and moment <= target:
                self.world.clock.reach(moment)
                if due := self.world.take_due():
                    self._begin(due)
                await self._idle()
            self.world.clock.reach(target)

    async def _idle(self) -> None:
        while self.running:
            await asyncio.wait(set(self.running))

    async def settle(self, patience: float) -> bool:
        """Waits until nothing that is due now is left undone; False if that takes longer than ``patience``."""

        async def quiet() -> None:
            while self.running or (self.world.next_due() or float("inf")) <= self.world.clock.now():
                await self._idle()
                await asyncio.sleep(0.005)

        try:
            await asyncio.wait_for(quiet(), patience)
        except TimeoutError:
            return False
        return True
