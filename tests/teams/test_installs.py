"""What the bot learns when its app is installed: whom it may ask for approval, though they never said a word."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.stage import Theatre
from tests.teams.conftest import Scene
from tests.teams.test_request_cards import APPROVER, ordered, thread

pytestmark = pytest.mark.asyncio(loop_scope="module")
HELLO = "Hello, I am Quartermaster"


async def test_an_approver_is_asked_in_the_chat_of_an_install_without_having_spoken(
    theatre: Theatre, tmp_path: Path
) -> None:
    async with theatre.open_stage(tmp_path, teams=True) as stage:
        scene = Scene(stage)
        ana, bo = scene.member(), scene.member("Bo Chen", email=APPROVER)
        scene.tenant.rosters[bo.personal] = {bo.told["id"]}
        bare, _ = bo.installs()
        await bo.sends({**bare, "from": {"id": scene.tenant.bot}})  # whom it was installed for is not said
        await scene.settles()
        request = await ordered(scene, ana, thread(scene))
        assert not [call for call in scene.tenant.calls if call[1].endswith("/v3/conversations")]  # none was opened
        assert request in scene.read(bo.personal)
        assert "Approve" in scene.buttons(bo.personal)


async def test_both_events_of_an_install_make_one_welcome_and_a_new_version_none(scene: Scene) -> None:
    ana = scene.member()
    upgraded = ana.activity("installationUpdate", action="add-upgrade")
    for activity in (*ana.installs(), *reversed(ana.installs()), upgraded):
        assert (await ana.sends(activity)).status_code == 200
    await scene.settles()
    assert scene.read(ana.personal).count(HELLO) == 1


async def test_who_installs_it_again_is_welcomed_again_though_teams_tells_of_it_in_one_way_only(scene: Scene) -> None:
    ana = scene.member()
    for activity in (*ana.installs(), ana.activity("installationUpdate", action="remove"), ana.installs()[0]):
        await ana.sends(activity)
        await scene.settles()
    assert scene.read(ana.personal).count(HELLO) == 2
    assert await scene.stage.application.services.people.with_email(ana.told["email"]) is not None


async def test_the_welcome_in_a_team_begins_a_thread_of_its_own(scene: Scene) -> None:
    ana, channel = scene.member(), thread(scene).partition(";")[0]
    added = ana.activity("conversationUpdate", channel, "channel", membersAdded=[{"id": scene.tenant.bot}])
    for activity in (
        {**added, "id": "f:5f85c2ad"},
        ana.activity("installationUpdate", channel, "channel", action="add"),
    ):
        await ana.sends(activity)
    await scene.settles()
    begun = {sent.conversation for sent in scene.tenant.sent if sent.conversation.startswith(f"{channel};messageid=")}
    assert [scene.read(conversation).count(HELLO) for conversation in begun] == [1]


async def test_an_install_that_names_nobody_makes_nobody_known_where_several_read(scene: Scene) -> None:
    ana, group = scene.member(), f"19:{scene.framework.number()}@thread.v2"
    scene.tenant.rosters[group] = {ana.told["id"]}
    added = ana.activity("installationUpdate", group, "groupChat", action="add")
    await ana.sends({**added, "from": {"id": ana.told["id"]}})
    await scene.settles()
    assert HELLO in scene.read(group)
    assert await scene.stage.application.services.people.with_email(ana.told["email"]) is None
