"""A bot with a workspace of Slack beside it; stories of which nothing remains share one a module."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator, Callable

import pytest
import pytest_asyncio

from tests.slack.scene import Scene
from tests.support.stage import Theatre
from tests.support.theatre import theatre

__all__ = ["fresh", "scene", "shared_scene", "theatre"]
_numbers = itertools.count(1)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared_scene(theatre: Theatre, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Scene]:
    """One scene for a module's tests, each with somebody new in it."""
    async with theatre.open_stage(tmp_path_factory.mktemp("slack"), slack=True) as stage:
        yield Scene(stage)


@pytest.fixture
def scene(shared_scene: Scene) -> Scene:
    """The module's scene, with nothing of the tests before on its record."""
    shared_scene.begins()
    return shared_scene


@pytest.fixture
def fresh() -> Callable[[str], str]:
    """Makes addresses that no test had before: “ana” becomes ana-7@corp.example."""
    return lambda name: f"{name}-{next(_numbers)}@corp.example"
