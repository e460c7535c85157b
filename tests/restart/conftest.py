"""A stage for drills: one sandbox and one relay; bots are started by the drills."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from tests.restart.processes import BotProcess, SandboxProcess, until
from tests.restart.rig import Rig

SPEED = 600.0
"""Simulated seconds per second: an account takes two seconds."""


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    """A running sandbox and relay; ends every process that the drill has started."""
    with Rig(tmp_path, speed=SPEED) as built:
        built.sandbox.start()
        yield built


@pytest.fixture
def sandbox(rig: Rig) -> SandboxProcess:
    """The rig's sandbox."""
    return rig.sandbox


@pytest.fixture
def bot(rig: Rig) -> BotProcess:
    """A running bot on an SQLite database of its own."""
    bot = rig.bot("bot")
    bot.start()
    return bot


@pytest.fixture
def replicas(rig: Rig, postgres_url: str) -> list[BotProcess]:
    """Two running replicas."""
    pair = [rig.bot(name, DATABASE_URL=postgres_url) for name in ("one", "two")]
    for bot in pair:
        bot.launch()
    for bot in pair:
        bot.wait_ready()
    return pair


@pytest.fixture
def split(replicas: list[BotProcess], postgres_url: str) -> Callable[[], tuple[BotProcess, BotProcess]]:
    """Tells which replica holds the scheduler's lease now, and which does not."""

    def look() -> tuple[BotProcess, BotProcess]:
        def holder() -> BotProcess | None:
            with psycopg.connect(postgres_url) as connection:
                found = connection.execute("SELECT owner FROM leases WHERE name = 'scheduler'").fetchone()
            return next((bot for bot in replicas if bot.runs and found and bot.replica == found[0]), None)

        holding = until(holder, "one of the replicas holds the scheduler's lease")
        return holding, next(bot for bot in replicas if bot is not holding)

    return look
