"""Waiting for an effect: looked for again and again until a deadline, never for a fixed time."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

PACE = 0.04
"""Seconds between looks."""


async def eventually(look: Callable[[], Awaitable[bool]], what: Callable[[], str], *, within: float = 10) -> None:
    """Return as soon as `look` is true; fail with the words of `what` when that takes over `within` seconds."""
    end = time.monotonic() + within
    while not await look():
        assert time.monotonic() < end, what()
        await asyncio.sleep(PACE)
