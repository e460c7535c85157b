"""Stretches of a text that mean something."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Found:
    """A half-open range of characters and the values it resolves to, best first."""

    start: int
    end: int
    values: tuple[str, ...]
    closeness: float = 1.0
    """1 for an exact match, less for a misspelt one."""

    def overlaps(self, other: Found) -> bool:
        """Whether both claim a character."""
        return self.start < other.end and other.start < self.end
