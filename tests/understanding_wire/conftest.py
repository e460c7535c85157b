"""A bot that asks Lex over the wire, and one that knows the engine only."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, MutableMapping
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

import adapters.lex.runtime
from tests.support.stage import Stage, Theatre
from tests.support.theatre import ana, bo, theatre

__all__ = ["ana", "bo", "theatre"]

LEX: dict[str, Any] = {"lex_bot_id": "QMBOT12345", "lex_bot_alias_id": "TSTALIASID"}


@pytest.fixture(autouse=True)
def _hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Waits between tries are the business of tests/lex/test_runtime.py."""
    monkeypatch.setattr(adapters.lex.runtime, "FIRST_WAIT", 0.01)


@pytest.fixture
def lex_timeout(request: pytest.FixtureRequest) -> float:
    """Seconds that Lex may take: few where it dawdles, which is waited out in each turn, elsewhere as on a busy day."""
    return 0.3 if "slow" in request.node.name else 10


@pytest.fixture
async def stage(theatre: Theatre, tmp_path: Path, lex_timeout: float) -> AsyncIterator[Stage]:
    """A running bot whose recogniser is Lex, served by the sandbox."""
    async with theatre.open_stage(tmp_path, lex_timeout=lex_timeout, **LEX) as stage:
        await stage.serves_lex()
        yield stage


@pytest.fixture
def logged() -> Iterator[list[MutableMapping[str, Any]]]:
    """What is logged during the test."""
    with capture_logs() as entries:
        yield entries
