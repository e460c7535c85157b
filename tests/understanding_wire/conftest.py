"""A bot that asks Lex over the wire, and one that knows the engine only."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, MutableMapping
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

import adapters.lex.runtime
from adapters.aws.cloud import BotoCloud
from adapters.lex.runtime import LexRecognizer
from bot.clock import SystemClock
from bot.main import build_services, discover
from bot.settings import load_settings
from tests.support.stage import Stage, Theatre
from tests.support.stage.three_ways import deploy_bot, wake
from tests.support.theatre import ana, bo, theatre

__all__ = ["ana", "bo", "theatre"]

LONGEST = 25
"""The longest time that settings allow Lex: a busy machine needs some of it."""


@pytest.fixture(autouse=True)
def _hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Waits between tries are the business of tests/lex/test_runtime.py."""
    monkeypatch.setattr(adapters.lex.runtime, "FIRST_WAIT", 0.01)


@pytest.fixture
def lex_timeout(request: pytest.FixtureRequest) -> float:
    """Seconds that Lex may take: few where it dawdles, which is waited out in each turn, elsewhere as on a busy day."""
    return 0.3 if "slow" in request.node.name else LONGEST


@pytest.fixture(scope="session")
def lex_bot(theatre: Theatre, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The settings of a bot that `lex deploy` built in the theatre's sandbox, and that has answered once."""
    folder = tmp_path_factory.mktemp("lex")
    settings = load_settings(aws_endpoint_url=theatre.sandbox.url, var_dir=folder, lex_timeout=LONGEST)
    cloud = BotoCloud(settings)
    registry = discover(build_services(settings, SystemClock(), cloud))
    bot, alias = asyncio.run(deploy_bot(theatre.sandbox, cloud, registry, "Quartermaster"))
    known = {"lex_bot_id": bot, "lex_bot_alias_id": alias}
    asyncio.run(wake(LexRecognizer(cloud, settings.model_copy(update=known))))
    cloud.close()
    return known


@pytest.fixture
async def stage(theatre: Theatre, tmp_path: Path, lex_timeout: float, lex_bot: dict[str, Any]) -> AsyncIterator[Stage]:
    """A running bot whose recogniser is Lex, served by the sandbox."""
    async with theatre.open_stage(tmp_path, lex_timeout=lex_timeout, **lex_bot) as stage:
        yield stage


@pytest.fixture
def logged() -> Iterator[list[MutableMapping[str, Any]]]:
    """What is logged during the test."""
    with capture_logs() as entries:
        yield entries
