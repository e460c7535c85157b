"""Waiting for an effect: looked for again and again until a deadline, never for a fixed time."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

PACE, PACE_MOST, SLOWER = 0.02, 0.2, 1.3
"""Seconds between the first looks and between the last, and by what each wait is longer than the one before: a look
costs a request, and what has not come at once takes its time."""
PATIENCE = 30.0
"""Seconds until what is waited for counts as missing: more than a busy machine takes."""


async def eventually(look: Callable[[], Awaitable[bool]], what: Callable[[], str], *, within: float = PATIENCE) -> None:
    """Return as soon as `look` is true; fail with the words of `what` when that takes over `within` seconds."""
    end, pace = time.monotonic() + within, PACE
    while not await look():
        assert time.monotonic() < end, what()
        await asyncio.sleep(pace)
        pace = min(pace * SLOWER, PACE_MOST)
