"""Waiting for an effect: looked for when there is news, and now and then, until a deadline; never for a fixed time."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress

GAP = 0.03
"""Seconds between two looks at least: a look costs a request, and news comes in bursts."""
PACE = 0.3
"""Seconds until the next look when there is no news: not everything that is waited for makes some."""
PATIENCE = 30.0
"""Seconds until what is waited for counts as missing: more than a busy machine takes."""

_listening: set[asyncio.Event] = set()


def tell_news() -> None:
    """Have everybody who waits look again; called in their event loop."""
    for event in _listening:
        event.set()


async def eventually(look: Callable[[], Awaitable[bool]], what: Callable[[], str], *, within: float = PATIENCE) -> None:
    """Return as soon as `look` is true; fail with the words of `what` when that takes over `within` seconds."""
    end, news = time.monotonic() + within, asyncio.Event()
    _listening.add(news)
    try:
        while not await look():
            assert time.monotonic() < end, what()
            await asyncio.sleep(GAP)
            with suppress(TimeoutError):
                async with asyncio.timeout(PACE):
                    await news.wait()
            news.clear()
    finally:
        _listening.discard(news)
