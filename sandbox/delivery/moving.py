"""Time passes over deliveries: one thread sleeps until the next thing on the agenda is due, however many there are."""

from __future__ import annotations

import logging
from collections.abc import Callable
from threading import Event, Thread
from typing import TYPE_CHECKING

from sandbox.delivery import building, running, shifting, stack_running

if TYPE_CHECKING:
    from sandbox.world import World

_LOG = logging.getLogger("sandbox")
_LONGEST = 0.5
_SHORTEST = 0.002
"""Real seconds to sleep at most and at least."""
_SLICE = 500
"""So many things happen in a row before others may have the world."""

_MOVES: dict[str, Callable[[World, str, float], None]] = {
    "executions": running.move,
    "builds": building.finish,
    "shifts": shifting.move,
    "stacks": stack_running.move,
}


def settle_deliveries(world: World, most: int | None = None) -> None:
    """Carry out what has come due, in the order of time; at most so many things."""
    now = world.clock.now()
    agenda = world.delivery.agenda
    carried_out = 0
    while most is None or carried_out < most:
        found = agenda.take(now)
        if found is None:
            return
        due, part, key = found
        _MOVES[part](world, key, due)
        carried_out += 1


class Mover:
    """The thread that carries out what is due when nobody calls, so that news is told in time."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._stopped = Event()
        self._thread = Thread(target=self._run, name="sandbox-mover", daemon=True)

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def stop(self) -> None:
        """Stop, and wait until it has."""
        self._stopped.set()
        self._world.moved.set()
        if self._thread.ident is not None:
            self._thread.join()

    def _run(self) -> None:
        world = self._world
        while not self._stopped.is_set():
            with world.lock:
                try:
                    settle_deliveries(world, _SLICE)
                    world.save()
                except Exception:
                    # What failed is off the agenda; the rest must go on.
                    _LOG.exception("sandbox bug: something due could not be carried out")
                seconds = self._seconds_until_next()
            world.moved.wait(seconds)
            world.moved.clear()

    def _seconds_until_next(self) -> float:
        due, clock = self._world.delivery.agenda.next, self._world.clock
        if due is None or clock.speed == 0:
            return _LONGEST
        return min(max((due - clock.now()) / clock.speed, _SHORTEST), _LONGEST)
