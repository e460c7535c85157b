"""Fixtures of the stories: the theatre, a stage in it, and the people on it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.support.stage import Approver, Speaker, Stage, Theatre


@pytest.fixture(scope="session")
def theatre(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Theatre]:
    """The sandboxed AWS, and what else all stages share."""
    theatre = Theatre(tmp_path_factory.mktemp("theatre"))
    yield theatre
    theatre.close()


@pytest.fixture
async def stage(theatre: Theatre, tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[Stage]:
    """A running bot on SQLite, or on the database that the test is parametrised with; the mark "settings" adds some."""
    database_url = request.getfixturevalue("postgres_url") if getattr(request, "param", "") == "postgresql" else ""
    slack, teams = takes_slack(request), takes_slack(request, "teams")
    marked = request.node.get_closest_marker("settings")
    more = marked.kwargs if marked else {}
    async with theatre.open_stage(tmp_path, database_url=database_url, slack=slack, teams=teams, **more) as stage:
        yield stage


def takes_slack(request: pytest.FixtureRequest, channel: str = "slack") -> bool:
    """Tell whether a test is parametrised with Slack (or another such channel), so that its stage needs one."""
    spec = getattr(request.node, "callspec", None)
    return spec is not None and channel in spec.params.values()


@pytest.fixture
def ana(stage: Stage, request: pytest.FixtureRequest) -> Speaker:
    """Somebody who needs an account, on REST or on the channel that the test is parametrised with."""
    return stage.speaker("Ana Lopez", channel=getattr(request, "param", "rest"))


@pytest.fixture
def bo(stage: Stage) -> Approver:
    """The one who approves."""
    return stage.approver()


on_every_channel = pytest.mark.parametrize("ana", ["rest", "account", "console", "slack", "teams"], indirect=True)
on_every_database = pytest.mark.parametrize(
    "stage", ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)], indirect=True
)
