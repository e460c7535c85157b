"""The sandbox's own time: it runs at a multiple of real time, can be advanced, and never goes backwards."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from threading import RLock

MAX_SPEED = 1_000_000.0
LATEST = datetime(2200, 1, 1, tzinfo=UTC).timestamp()
_RESERVE_SECONDS = 1.0


class ClockError(ValueError):
    """A wish that the clock can't follow; the message says why."""


class SimulatedClock:
    """Simulated time as seconds since the epoch.

    `keep` is called with a time not yet reached *before* `now` may pass it, so that a clock resumed from the
    value last kept (`resume_at`) can't show a time earlier than one already seen, whenever it was killed.
    """

    def __init__(
        self,
        *,
        speed: float = 60.0,
        resume_at: float | None = None,
        keep: Callable[[float], None] | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._speed = check_speed(speed)
        self._monotonic = monotonic
        self._keep = keep
        self._base = time.time() if resume_at is None else resume_at
        self._since = monotonic()
        self._kept = -math.inf
        self._lock = RLock()
        self.now()

    @property
    def speed(self) -> float:
        """Simulated seconds per second; 0 stands still."""
        return self._speed

    def now(self) -> float:
        """Seconds since the epoch, in simulated time."""
        with self._lock:
            elapsed = self._monotonic() - self._since
            now = min(self._base + elapsed * self._speed, LATEST)
            self._keep_ahead_of(now)
            return now

    def advance(self, seconds: object) -> None:
        """Jump forward by simulated seconds; ClockError for what isn't a number or would go backwards."""
        step = _number("advance", seconds)
        if step < 0:
            raise ClockError("advance must not be negative: the clock never goes backwards.")
        with self._lock:
            target = self.now() + step
            if target > LATEST:
                raise ClockError(f"advance would pass {moment(LATEST).date()}, where the clock ends.")
            self._rebase(target)

    def set_speed(self, speed: object) -> None:
        """Change how many simulated seconds pass in a second, from now on; ClockError if it can't be."""
        checked = check_speed(speed)
        with self._lock:
            self._rebase(self.now())
            self._speed = checked

    def _rebase(self, now: float) -> None:
        self._base = now
        self._since = self._monotonic()
        self._keep_ahead_of(now)

    def _keep_ahead_of(self, now: float) -> None:
        if self._keep is not None and now > self._kept:
            ahead = min(now + self._speed * _RESERVE_SECONDS, LATEST)
            self._keep(ahead)
            self._kept = ahead


def check_speed(speed: object) -> float:
    """A usable speed, or ClockError saying what is wrong with it."""
    checked = _number("speed", speed)
    if not 0 <= checked <= MAX_SPEED:
        raise ClockError(f"speed must be from 0 (stands still) to {MAX_SPEED:.0f}.")
    return checked


def moment(seconds: float) -> datetime:
    """A time of the clock as an aware datetime in UTC."""
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)


def _number(name: str, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ClockError(f"{name} must be a number.")
    try:
        number = float(value)
    except OverflowError as error:
        raise ClockError(f"{name} is too large.") from error
    if not math.isfinite(number):
        raise ClockError(f"{name} must be a finite number.")
    return number
