"""A stage for drills: one sandbox and one relay; bots are started by the drills."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.restart.processes import BotProcess, SandboxProcess
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
