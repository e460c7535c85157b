"""Stories of which nothing remains: they share one stage a module, each with somebody new in it."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.support.stage import Speaker, Stage, Theatre

_numbers = itertools.count(1)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stage(theatre: Theatre, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    """A running bot that several stories talk to, one after the other."""
    async with theatre.open_stage(tmp_path_factory.mktemp("stage"), slack=True, teams=True) as stage:
        yield stage


@pytest.fixture
def ana(stage: Stage, request: pytest.FixtureRequest) -> Speaker:
    """Somebody whom the bot has never met."""
    email = f"ana-{next(_numbers)}@corp.example"
    return stage.speaker("Ana Lopez", email=email, channel=getattr(request, "param", "rest"))
