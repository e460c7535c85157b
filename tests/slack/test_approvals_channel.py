"""Approvals in a channel of their own. Each scene stands alone: two bots can't run in one process."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from tests.slack.scene import APPROVER, Scene
from tests.support.slack.talking import buttons_of
from tests.support.stage import Theatre, eventually

Fresh = Callable[[str], str]


@pytest.fixture
async def with_channel(theatre: Theatre, tmp_path: Path) -> AsyncIterator[tuple[Scene, str]]:
    """A scene whose approvals go to a channel."""
    workspace = theatre.slack.workspace()
    channel = workspace.channel("approvals")
    async with theatre.open_stage(tmp_path, slack=workspace, slack_approvals_channel=channel) as stage:
        yield Scene(stage), channel


async def test_approvals_go_to_the_approvers_channel_where_there_is_one(
    with_channel: tuple[Scene, str], fresh: Fresh
) -> None:
    scene, approvals = with_channel
    ana, bo, channel = scene.member(fresh("ana")), scene.member(APPROVER, "Bo Diaz"), scene.workspace.channel()
    request = await scene.ordered(ana, fresh("channel"), channel)
    assert len(scene.said(approvals)) == 1
    assert scene.said(scene.workspace.direct(bo.user)) == []
    await scene.presses(bo, "Approve", approvals)
    await bo.submits(bo.newest_view(), reason="fine")
    await scene.settles()
    assert buttons_of(scene.said(approvals)[0]) == {}
    assert f"Approved by {APPROVER}: fine" in scene.read(approvals)

    async def is_carried_out() -> bool:
        await scene.stage.advance(minutes=5)
        return "is ready:" in scene.read(channel)

    await eventually(is_carried_out, lambda: scene.read(channel))
    assert (await scene.stage.view(request))["state"] == "succeeded"
    await scene.settles()
    assert "State done" in scene.read(approvals)


async def test_approvals_are_not_pushed_to_a_channel_that_others_read(
    with_channel: tuple[Scene, str], fresh: Fresh
) -> None:
    scene, approvals = with_channel
    scene.workspace.channels[approvals]["is_ext_shared"] = True
    ana, channel = scene.member(fresh("ana")), scene.workspace.channel()
    await scene.ordered(ana, fresh("shared"), channel)
    assert scene.said(approvals) == []
