"""Stages: one as a newcomer finds it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import expect

from tests.console.stage import Stage, started
from tests.support.theatre import theatre

__all__ = ["stage", "theatre"]

# As patient as the pages themselves: a machine that runs the whole suite is slow at times.
expect.set_options(timeout=20_000)


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    """The embedded default: no identity provider, on the newcomer's machine."""
    async with started(Stage(tmp_path)) as stage:
        yield stage
