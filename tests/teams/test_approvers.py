"""How an approver is reached in Teams: in a chat that the bot opens, until they take the app out of it."""

from __future__ import annotations

from pathlib import Path

from tests.support.stage import Theatre
from tests.teams.conftest import Scene
from tests.teams.test_request_cards import APPROVER, ordered, thread


async def test_an_approver_who_was_met_in_a_channel_is_asked_in_a_chat_that_the_bot_opens_until_they_uninstall_it(
    theatre: Theatre, tmp_path: Path
) -> None:
    async with theatre.open_stage(tmp_path, teams=True) as stage:
        scene = Scene(stage)
        ana, bo = scene.member(), scene.member("Bo Chen", email=APPROVER)
        await bo.sends(bo.mention("help", thread(scene)))
        await scene.settles()
        first = await ordered(scene, ana, thread(scene))
        assert "Approval needed" in scene.read(bo.personal)
        assert first in scene.read(bo.personal)
        await bo.sends(bo.activity("installationUpdate", action="remove"))
        await scene.settles()
        second = await ordered(scene, ana, thread(scene))
        assert second not in scene.read(bo.personal)
        await stage.approver().opens_the_mail(about=second)
