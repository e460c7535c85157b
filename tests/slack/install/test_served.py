"""Workspaces that installed the app are served by the whole bot, each with its own token; others are not."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from slack_sdk.oauth.installation_store import Installation

from adapters.slack.install import KEEPSAKE
from adapters.slack.install.sealing import Sealer, parse_keys
from adapters.slack.install.stores import InstallationStore
from tests.slack.scene import APPROVER, Scene
from tests.support.slack.oauth_server import CLIENT_ID
from tests.support.slack.standin import Workspace
from tests.support.slack.talking import Member
from tests.support.stage import Theatre
from tests.support.stage.stage import Stage

ORGANIZATION = "E0001"
OAUTH: dict[str, Any] = {
    "slack_bot_token": "",
    "slack_client_id": CLIENT_ID,
    "slack_client_secret": "s",
    "slack_allowed_teams": ORGANIZATION,
}


@pytest.fixture
async def stage(theatre: Theatre, tmp_path: Path) -> AsyncIterator[Stage]:
    """A bot into which workspaces are installed."""
    async with theatre.open_stage(tmp_path, slack=True, **OAUTH) as stage:
        yield stage


async def install(stage: Stage, workspace: Workspace, organization: str | None = ORGANIZATION) -> None:
    services = stage.application.services
    sealer = Sealer(parse_keys([await services.keepsake(KEEPSAKE)]))
    kept = Installation(
        app_id=workspace.app,
        enterprise_id=organization,
        team_id=workspace.team,
        bot_token=workspace.token,
        bot_id=workspace.bot,
        bot_user_id=workspace.bot_user,
        user_id="U1",
    )
    await InstallationStore(services.database, CLIENT_ID, sealer).async_save(kept)


async def said_to(stage: Stage, workspace: Workspace) -> list[str]:
    """Let somebody there ask for help; return what the bot says to them."""
    user = workspace.user("ana@corp.example", "Ana Lopez")
    member = Member(stage.slack.standin, workspace, stage.client(), user)
    answer = await member.sends(member.event_of(member.writes("help", workspace.direct(user))))
    assert answer.status_code == 200
    await stage.slack.settles()
    return [m.text for m in workspace.shown_in(workspace.direct(user)) if m.user == workspace.bot_user]


async def test_two_workspaces_are_answered_each_with_its_own_token(stage: Stage) -> None:
    one, other = stage.slack.workspace, stage.slack.standin.workspace()
    for workspace in (one, other):
        await install(stage, workspace)
    for workspace in (one, other):
        (text,) = await said_to(stage, workspace)
        assert "What I can do" in text
        assert workspace.faults == []


async def test_a_workspace_without_the_app_or_off_the_list_is_not_answered(stage: Stage) -> None:
    stranger, removed = stage.slack.standin.workspace(), stage.slack.standin.workspace()
    await install(stage, removed, organization="E0666")
    for workspace in (stranger, removed):
        assert await said_to(stage, workspace) == []
        assert workspace.calls == []


async def test_the_bot_says_where_it_can_be_installed(stage: Stage) -> None:
    response = await stage.client().get("/slack/install")
    assert response.status_code == 302
    parts = (await stage.client().get("/readyz")).json()["parts"]
    assert parts["slack"] == "the app is not installed in a workspace"
    await install(stage, stage.slack.workspace)
    assert (await stage.client().get("/readyz")).json()["parts"]["slack"] == "ok"


async def test_a_workspace_that_uninstalls_the_app_is_forgotten(stage: Stage) -> None:
    workspace = stage.slack.workspace
    await install(stage, workspace)
    assert len(await said_to(stage, workspace)) == 1
    user = workspace.user("ana@corp.example")
    member = Member(stage.slack.standin, workspace, stage.client(), user)
    told = member.envelope({"type": "app_uninstalled"})
    await member.sends(told)
    await stage.slack.settles()
    assert await said_to(stage, workspace), "Slack still takes its token, so that was old news"
    del stage.slack.standin.workspaces[workspace.token]
    await member.sends(member.envelope({"type": "app_uninstalled"}))
    await stage.slack.settles()
    parts = (await stage.client().get("/readyz")).json()["parts"]
    assert parts["slack"] == "the app is not installed in a workspace"


async def test_an_approver_is_asked_in_whichever_workspace_they_are(stage: Stage) -> None:
    one, other = stage.slack.workspace, stage.slack.standin.workspace()
    for workspace in (one, other):
        await install(stage, workspace)
    scene = Scene(stage)
    bo = other.user(APPROVER, "Bo Diaz")
    await scene.ordered(scene.member("ana@corp.example"), "two-places@corp.example", one.channel())
    (asked,) = [m for m in other.shown_in(other.direct(bo)) if m.user == other.bot_user]
    assert "Approval needed" in asked.text
