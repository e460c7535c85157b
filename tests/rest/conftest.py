"""Stages with and without keys."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.rest.stage import KEYS, Stage


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    """The embedded default: no keys, on the newcomer's machine."""
    stage = Stage(tmp_path)
    await stage.start()
    yield stage
    await stage.stop()


@pytest.fixture
async def keyed(tmp_path: Path) -> AsyncIterator[Stage]:
    """A stage where callers need keys."""
    stage = Stage(tmp_path, api_keys=KEYS)
    await stage.start()
    yield stage
    await stage.stop()
