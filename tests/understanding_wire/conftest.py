"""A bot that asks Lex over the wire, and one that knows the engine only."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, MutableMapping
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from tests.support.stage import Stage, Theatre
from tests.support.theatre import ana, bo, theatre

__all__ = ["ana", "bo", "theatre"]

LEX: dict[str, Any] = {"lex_bot_id": "QMBOT12345", "lex_bot_alias_id": "TSTALIASID", "lex_timeout": 0.4}


@pytest.fixture
async def stage(theatre: Theatre, tmp_path: Path) -> AsyncIterator[Stage]:
    """A running bot whose recogniser is Lex, served by the sandbox."""
    async with theatre.open_stage(tmp_path, **LEX) as stage:
        await stage.serves_lex()
        yield stage


@pytest.fixture
def logged() -> Iterator[list[MutableMapping[str, Any]]]:
    """What is logged during the test."""
    with capture_logs() as entries:
        yield entries
