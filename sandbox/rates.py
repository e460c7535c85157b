"""Rates as AWS limits them: a bucket of calls for each account, Region and operation, which refills with time."""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable, Mapping
from threading import Lock
from typing import Any


class Rates:
    """Token buckets in wall-clock time; thread-safe."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = Lock()
        self._buckets: dict[Hashable, tuple[float, float]] = {}

    def admit(self, bucket: Hashable, limit: Mapping[str, Any]) -> bool:
        """Whether one more call goes through now; `limit` holds `rate_a_second` and `burst`."""
        with self._lock:
            now = self._clock()
            left, at = self._buckets.get(bucket, (float(limit["burst"]), now))
            left = min(float(limit["burst"]), left + (now - at) * float(limit["rate_a_second"]))
            self._buckets[bucket] = (left - 1 if left >= 1 else left, now)
            return left >= 1
