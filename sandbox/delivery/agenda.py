"""What happens when: one heap for everything that time moves, however much that is."""

from __future__ import annotations

import heapq
from itertools import count


class Agenda:
    """Due times with what is due; an entry that no longer holds is left out by whoever carries it out."""

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, str, str]] = []
        self._numbers = count()

    def __len__(self) -> int:
        return len(self._heap)

    @property
    def next(self) -> float | None:
        """When the next thing is due."""
        return self._heap[0][0] if self._heap else None

    def add(self, due: float, part: str, key: str) -> None:
        """Have something looked at then."""
        heapq.heappush(self._heap, (due, next(self._numbers), part, key))

    def take(self, now: float) -> tuple[float, str, str] | None:
        """The earliest thing that is due by now: when it was, which part it is of, and its key."""
        if not self._heap or self._heap[0][0] > now:
            return None
        due, _, part, key = heapq.heappop(self._heap)
        return due, part, key
