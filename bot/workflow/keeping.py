"""Writes that work under way can't go on without: repeated until the database takes them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import structlog
from sqlalchemy.exc import DBAPIError

from bot.errors import Unavailable

log = structlog.get_logger(__name__)

T = TypeVar("T")
PAUSE, PAUSE_MOST = 0.2, 5.0
"""Seconds between tries, doubled each time up to the most."""


async def until_kept(work: Callable[[], Awaitable[T]]) -> T:
    """Return what `work` returns, trying again for as long as the database does not answer.

    A failed write must not be taken for a failed step: AWS may have done what was asked. The process
    stopping ends it by cancellation, and the segment is run again by whoever takes it over.
    """
    pause = PAUSE
    while True:
        try:
            return await work()
        except (Unavailable, DBAPIError) as error:
            if isinstance(error, DBAPIError) and not error.connection_invalidated:
                raise
            log.warning("workflow.database_away", error=str(error), pause_s=pause)
            await asyncio.sleep(pause)
            pause = min(pause * 2, PAUSE_MOST)
