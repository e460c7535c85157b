"""Stories take place in the theatre, and what is said in them is understood three ways."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from tests.support.stage import Theatre, ThreeWays
from tests.support.theatre import ana, bo, stage, theatre

__all__ = ["ana", "bo", "stage", "theatre"]

ELSEWHERE = {"account", "console", "slack", "teams", "postgresql"}
"""Parameters of tests that tell a story once more, on another channel or database."""


@pytest.fixture(scope="session", autouse=True)
def ways(theatre: Theatre, tmp_path_factory: pytest.TempPathFactory) -> ThreeWays:
    """The two other ways of understanding, ready."""
    theatre.ways = ThreeWays(tmp_path_factory.mktemp("lex"))
    asyncio.run(theatre.ways.prepare())
    return theatre.ways


@pytest.fixture(autouse=True)
def is_understood_three_ways(ways: ThreeWays, request: pytest.FixtureRequest) -> Iterator[None]:
    """Hold that Lex, and Lex with the engine behind it, understand each text of a story as the engine does."""
    spec = getattr(request.node, "callspec", None)
    ways.is_on = spec is None or not ELSEWHERE & {str(value) for value in spec.params.values()}
    ways.differences.clear()
    yield
    ways.is_on = False
    assert not ways.differences, "\n".join(ways.differences)
