"""Wake-ups within the process: who waits for a topic hears at once; other replicas' news is polled for."""

from __future__ import annotations

import asyncio
from collections import defaultdict


class Signals:
    """Topics are free strings, such as "conversation:c1" or "outbox"."""

    def __init__(self) -> None:
        self._waiting: dict[str, set[asyncio.Event]] = defaultdict(set)
        self.closing = False
        """Whether the process is about to stop: who listens for ever should end."""

    def close(self) -> None:
        """Say that the process is about to stop, and wake everybody."""
        self.closing = True
        for topic in list(self._waiting):
            self.set(topic)

    def set(self, topic: str) -> None:
        """Wake everybody who waits for the topic now."""
        for event in self._waiting.get(topic, ()):
            event.set()

    async def wait(self, topic: str, timeout: float) -> bool:
        """Wait until the topic is set, at most `timeout` seconds; tell whether it was."""
        event = asyncio.Event()
        self._waiting[topic].add(event)
        try:
            async with asyncio.timeout(timeout):
                await event.wait()
            return True
        except TimeoutError:
            return False
        finally:
            self._waiting[topic].discard(event)
            if not self._waiting[topic]:
                del self._waiting[topic]
