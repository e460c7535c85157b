"""An Enterprise Grid organization installs the app once, and people of all its workspaces are served as one."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest

from tests.slack.install.test_served import OAUTH
from tests.slack.scene import APPROVER, Scene, read
from tests.support.slack.blockkit import texts
from tests.support.slack.talking import Member, buttons_of
from tests.support.stage import Theatre

ONE, OTHER = "T0ONE", "T0OTHER"


@pytest.fixture
async def scene(theatre: Theatre, tmp_path: Path) -> AsyncIterator[Scene]:
    """A bot that an organization may install, and nobody has yet."""
    organization = theatre.slack.organization()
    settings = {**OAUTH, "slack_allowed_teams": organization.enterprise}
    async with theatre.open_stage(tmp_path, slack=organization, **settings) as stage:
        yield Scene(stage)


async def installs(scene: Scene) -> httpx.Response:
    """Go the way of whoever administers the organization."""
    scene.standin.granted["a-code"] = scene.workspace
    async with httpx.AsyncClient(base_url=scene.stage.url, headers={"accept": "text/html"}) as browser:
        location = (await browser.get("/slack/install")).headers["location"]
        state = dict(parse_qsl(urlsplit(location).query))["state"]
        return await browser.get("/slack/oauth_redirect", params={"code": "a-code", "state": state})


def member(scene: Scene, email: str, name: str, team: str) -> Member:
    """Return somebody of one of the organization's workspaces."""
    enterprise = {"enterprise_id": scene.workspace.enterprise, "enterprise_name": "Org"}
    found = scene.member(email, name, team_id=team, enterprise_user=enterprise)
    found.team = team
    return found


async def test_the_whole_story_in_an_organization(scene: Scene) -> None:
    assert (await installs(scene)).status_code == 200
    ana, bo = member(scene, "ana@corp.example", "Ana Lopez", ONE), member(scene, APPROVER, "Bo Diaz", OTHER)
    direct, bos = scene.workspace.direct(ana.user), scene.workspace.direct(bo.user)
    await ana.posts("I need a sandbox account for org-wide@corp.example", direct)
    await scene.settles()
    ana.team = OTHER  # she looks at the same conversation from another workspace
    await scene.presses(ana, "Demos", direct)
    await scene.presses(ana, "Yes, go ahead", direct)
    assert "is placed" in scene.read(direct)
    event = {"type": "app_home_opened", "user": ana.user, "channel": direct, "tab": "home", "event_ts": "1"}
    await ana.sends(ana.envelope(event))
    await scene.settles()
    await scene.presses(bo, "Approve", bos)
    await bo.submits(bo.newest_view(), reason="fine")
    await scene.settles()
    assert buttons_of(scene.said(bos)[0]) == {}
    assert f"Approved by {APPROVER}: fine" in read(scene.said(bos)[0])
    assert "waiting for approval" not in " ".join(texts(scene.workspace.homes[ana.user]["blocks"]))
    await ana.commands("my requests", scene.workspace.channel())
    await scene.settles()
    assert "Create the Sandbox account org-wide-sandbox" in str([m.blocks for m in scene.workspace.messages[-1:]])

    stranger = member(scene, "eve@else.example", "Eve", ONE)
    scene.workspace.users[stranger.user]["enterprise_user"]["enterprise_id"] = "E0ELSE"
    await stranger.posts("I need a sandbox account", scene.workspace.direct(stranger.user))
    await scene.settles()
    assert "people from elsewhere" in scene.read(scene.workspace.direct(stranger.user))

    del scene.standin.workspaces[scene.workspace.token]
    await ana.sends(ana.envelope({"type": "app_uninstalled"}))
    await scene.stage.slack.settles()
    parts = (await scene.stage.client().get("/readyz")).json()["parts"]
    assert parts["slack"] == "the app is not installed in a workspace"


async def test_an_organization_that_is_not_on_the_list_is_refused(theatre: Theatre, tmp_path: Path) -> None:
    async with theatre.open_stage(tmp_path, slack=theatre.slack.organization(), **OAUTH) as stage:
        scene = Scene(stage)
        assert (await installs(scene)).status_code == 403
        ana = member(scene, "ana@corp.example", "Ana Lopez", ONE)
        await ana.posts("help", scene.workspace.direct(ana.user))
        await scene.stage.slack.settles()
        assert scene.said(scene.workspace.direct(ana.user)) == []
