"""One rate budget for all that is asked of the services that watch: so many calls at once, and no lane too fast.

A lane is what AWS throttles together: the calls of one account to one service in one Region. Each lane finds its own
pace: a throttled call halves it, calls that go through raise it again. What is throttled is asked again, later.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable
from typing import TypeVar

import structlog

from bot.errors import CloudError

log = structlog.get_logger(__name__)

T = TypeVar("T")
AT_ONCE = 10
"""Calls under way at once; the rest of the SDK's threads are for orders."""
BEGIN, LEAST, MOST = 12.0, 0.5, 60.0
"""Calls a second: what a lane begins with, and its bounds."""
RAISE = 0.5
"""Calls a second by which each success raises a lane's pace."""
TRIES = 9
LANES = 10_000


class Pace:
    """How fast one lane is; times in seconds of the process's clock."""

    def __init__(self, now: float) -> None:
        self.rate, self.next_at, self.eased_at = BEGIN, now, now

    def take(self, now: float) -> float:
        """Take the next turn and return how long to wait for it."""
        at = max(now, self.next_at)
        self.next_at = at + 1 / self.rate
        return at - now

    def speed_up(self) -> None:
        """Note that a call went through."""
        self.rate = min(MOST, self.rate + RAISE)

    def slow_down(self, now: float) -> None:
        """Note that a call was throttled; several at once count once."""
        if now - self.eased_at > 1 / self.rate:
            self.rate = max(LEAST, self.rate / 2)
            self.eased_at = now
        self.next_at = max(self.next_at, now + 1 / self.rate)


class Budget:
    """Shared by everything of one process that reads insights."""

    def __init__(
        self,
        clock: Callable[[], float] = time.monotonic,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._clock, self._pause, self._chance = clock, pause, chance
        self._places = asyncio.Semaphore(AT_ONCE)
        self._lanes: OrderedDict[Hashable, Pace] = OrderedDict()
        self.calls = self.throttled = 0

    async def spend(self, lane: Hashable, work: Callable[[], Awaitable[T]]) -> T:
        """Return what `work` returns, once the lane's turn has come; it is called again when AWS throttles it.

        Raises CloudError for what waiting does not cure, or has not cured in TRIES calls.
        """
        pace = self._lane(lane)
        for attempt in range(1, TRIES + 1):
            if (wait := pace.take(self._clock())) > 0:
                await self._pause(wait)
            async with self._places:
                self.calls += 1
                try:
                    answer = await work()
                except CloudError as error:
                    if not error.retryable or attempt == TRIES:
                        raise
                    self.throttled += 1
                    pace.slow_down(self._clock())
                    log.debug("insights.again", lane=lane, code=error.code, attempt=attempt, rate=round(pace.rate, 2))
                else:
                    pace.speed_up()
                    return answer
            await self._pause(self._chance() * min(4.0, 0.1 * 2**attempt))
        raise AssertionError("the last try returns or raises")

    def _lane(self, lane: Hashable) -> Pace:
        pace = self._lanes.get(lane)
        if pace is None:
            pace = self._lanes[lane] = Pace(self._clock())
            if len(self._lanes) > LANES:
                self._lanes.popitem(last=False)
        self._lanes.move_to_end(lane)
        return pace
