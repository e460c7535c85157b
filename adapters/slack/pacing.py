"""How fast one channel may be written to: a few messages at once, then one a second."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable

BURST = 3
"""Messages that may go at once to a channel that was quiet."""
MOST = 10_000


class Pacer:
    """Lets messages through, channel by channel; `seconds` is the average between two."""

    def __init__(
        self,
        seconds: float,
        now: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._seconds, self._now, self._sleep = seconds, now, sleep
        self._free: OrderedDict[str, float] = OrderedDict()
        """When each channel's allowance would be whole again."""

    async def wait(self, channel: str) -> None:
        """Return when a message may go to the channel."""
        if self._seconds <= 0:
            return
        now = self._now()
        whole = max(self._free.get(channel, now), now) + self._seconds
        self._free[channel] = whole
        self._free.move_to_end(channel)
        if len(self._free) > MOST:
            self._free.popitem(last=False)
        delay = whole - now - BURST * self._seconds
        if delay > 0:
            await self._sleep(delay)
