"""The port by which caches of insights learn that something has changed."""

from __future__ import annotations

from typing import Protocol


class Forgetful(Protocol):
    """A cache of insights."""

    def forget(self, account: str, region: str) -> None:
        """Read anew what is asked next about an account in a Region, and about all that it is a part of."""
        ...


class InsightsChanged:
    """Tells the caches of this process; those of other replicas grow old by themselves, within seconds."""

    def __init__(self) -> None:
        self._caches: list[Forgetful] = []

    def connect(self, cache: Forgetful) -> None:
        """Add a cache."""
        self._caches.append(cache)

    def tell(self, account: str, region: str) -> None:
        """Say that something was told about an account in a Region."""
        for cache in self._caches:
            cache.forget(account, region)
