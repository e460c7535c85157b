"""Readings of AWS that change rarely, kept for minutes in this process; what must be fresh is read anew."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

T = TypeVar("T")
MINUTES = 300.0
"""Seconds for which a product, a group or a permission set is remembered."""
MOST = 500


class Kept:
    """A small memory by key; nothing that was read as empty is kept: it may be made any moment."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._entries: dict[str, tuple[float, Any]] = {}

    async def get(
        self, key: str, read: Callable[[], Awaitable[T]], *, seconds: float = MINUTES, fresh: bool = False
    ) -> T:
        """Return what is kept under the key, or read it; always read it if `fresh`. Raises what `read` raises."""
        known = self._entries.get(key)
        if known and not fresh and self._clock() < known[0]:
            found: T = known[1]
            return found
        value = await read()
        if len(self._entries) >= MOST:
            self._entries.clear()
        if value:
            self._entries[key] = (self._clock() + seconds, value)
        return value
