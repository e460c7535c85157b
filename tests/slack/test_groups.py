"""Slack's user groups as keepers of groups: members alone, and no group of another company."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable

import pytest
import pytest_asyncio

from adapters.slack.groups import SlackGroups
from adapters.slack.persons import Persons
from adapters.slack.web import Web
from adapters.slack.workspaces import SingleWorkspace
from bot.errors import NotFound, Unavailable
from tests.slack.scene import Scene

pytestmark = pytest.mark.asyncio(loop_scope="module")
Fresh = Callable[[str], str]


@pytest_asyncio.fixture(loop_scope="module")
async def groups(scene: Scene) -> AsyncIterator[SlackGroups]:
    """What reads the groups of the scene's workspace."""
    web = Web(scene.standin.url + "/api/")
    yield SlackGroups(web, SingleWorkspace(web, scene.workspace.token), Persons(scene.stage.application.services, web))
    await web.close()


async def test_members_count_and_guests_closed_accounts_and_strangers_do_not(
    scene: Scene, groups: SlackGroups, fresh: Fresh
) -> None:
    address, team = fresh("cy"), scene.workspace.team
    users = [scene.workspace.user(address)]
    for told in ({"is_restricted": True}, {"deleted": True}, {"team_id": "T0ELSEWHERE"}, {"is_bot": True}):
        users.append(scene.workspace.user(fresh("eve"), **told))
    group = scene.workspace.user_group("finance", [*users, "U0UNKNOWN"])
    assert await groups.members(f"{team}/{group}") == (address,)


async def test_a_group_that_is_disabled_foreign_or_nowhere_is_not_believed(
    scene: Scene, groups: SlackGroups, fresh: Fresh
) -> None:
    users, team = [scene.workspace.user(fresh("cy"))], scene.workspace.team
    for more in ({"date_delete": 1_700_000_000}, {"is_external": True}):
        with pytest.raises(NotFound):
            await groups.members(f"{team}/{scene.workspace.user_group('finance', users, **more)}")
    with pytest.raises(NotFound):
        await groups.members(f"{team}/S0NOWHERE")
    with pytest.raises(Unavailable):
        await groups.members(f"T0ELSEWHERE/{scene.workspace.user_group('finance', users)}")
