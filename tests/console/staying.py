"""A stage on the loop that stays for the whole session: for the browser, which lives there, and for streams.

What watches for the server's end, to close streams, runs once a thread; so all tests that need it share a loop.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from tests.console.stage import Stage, started


@pytest_asyncio.fixture(loop_scope="session")
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    """The embedded default, as for the other tests."""
    async with started(Stage(tmp_path)) as stage:
        yield stage
