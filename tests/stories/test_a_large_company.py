"""800 accounts and 60 OUs: what a plan asks of AWS, counted from the sandbox's call log."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.stories.errands import PLAN
from tests.stories.houses import open_house
from tests.stories.test_ready_means_ready import HOUSE
from tests.support.stage import Approver, Speaker, Stage, Theatre, eventually

MOST = 12
"""AWS calls that a plan may take while nothing has changed."""


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Theatre]:
    """A sandboxed AWS with an organization of 800 accounts and 60 OUs."""
    theatre = Theatre(tmp_path_factory.mktemp("large"), accounts=800, ous=60)
    yield theatre
    theatre.close()


@pytest.fixture
async def stage(large: Theatre, tmp_path: Path) -> AsyncIterator[Stage]:
    """A bot in that company, whose sandboxes get something of everything."""
    async with open_house(large, tmp_path, HOUSE) as stage:
        yield stage


async def calls_since(theatre: Theatre, number: int = 0) -> list[dict[str, Any]]:
    """Return the calls that the sandboxed AWS has had after that one."""
    async with httpx.AsyncClient(base_url=theatre.sandbox.url) as sandbox:
        found: list[dict[str, Any]] = (await sandbox.get("/_sandbox/calls", params={"since": number})).json()
        return found


async def is_quiet(theatre: Theatre) -> int:
    """Wait until whatever recurs by itself has made its calls; return the last one's number."""
    seen = [-1, -2, -3]

    async def has_ended() -> bool:
        seen.insert(0, (await calls_since(theatre))[-1]["number"])
        return len(set(seen[:8])) == 1

    await eventually(has_ended, lambda: "calls go on and on", within=60)
    return seen[0]


async def is_warm(stage: Stage, speaker: Speaker) -> None:
    """Plan something once, as anybody may have within the last minutes."""
    await speaker.says("I need a sandbox account in Demos for warm@corp.example")
    assert speaker.sees_button(PLAN)
    await speaker.says("cancel")


async def test_a_plan_takes_few_calls_and_our_own_change_is_seen_at_once(
    stage: Stage, large: Theatre, ana: Speaker, bo: Approver
) -> None:
    assert len(stage.aws("organizations").list_accounts()["Accounts"]) == 20
    await is_warm(stage, stage.speaker("Cy Young"))
    last = await is_quiet(large)
    await ana.says("I need a sandbox account in Demos for team-x@corp.example")
    assert ana.sees_button(PLAN)
    made = [call["operation"] for call in await calls_since(large, last)]
    assert 0 < len(made) <= MOST, Counter(made)
    assert "ListAccounts" not in made
    await ana.presses(PLAN)
    await bo.opens_the_mail(about=ana.request)
    await bo.approves()
    await ana.hears_later("is ordered", within=30)
    await stage.advance(minutes=25)
    await ana.hears_later("has made the account", within=30)
    dee = stage.speaker("Dee Moss")
    await dee.says("I need a sandbox account in Demos for team-x@corp.example")
    dee.hears("team-x@corp.example is already the root address of account")
