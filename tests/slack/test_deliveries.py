"""Slack asks to wait, loses answers, or can't be reached: nothing is lost, said twice or out of order."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

import pytest

from adapters.slack.pacing import BURST, Pacer
from bot.card import Card, Image
from tests.slack.scene import Scene, read
from tests.support.slack.talking import until

pytestmark = pytest.mark.asyncio(loop_scope="module")
Fresh = Callable[[str], str]


async def tells(scene: Scene, channel: str, *texts: str, card: Card | None = None) -> None:
    """Have the bot say something of its own accord in a channel."""
    services = scene.stage.application.services

    async def work(transaction: Any) -> None:
        for text in texts:
            conversation = f"slack:{scene.workspace.team}:{channel}"
            await services.conversations.notify(transaction, conversation, f"{channel}:{text}", text, card, "")

    await services.database.write(work)


async def test_a_channel_that_asks_to_wait_holds_up_no_other_and_keeps_its_order(scene: Scene) -> None:
    busy, quiet = scene.workspace.channel("busy"), scene.workspace.channel("quiet")
    scene.workspace.limits[busy] = 1
    await tells(scene, busy, *(f"line {n}" for n in range(4)))
    await tells(scene, quiet, "hello")
    await until(lambda: scene.said(quiet), "the quiet channel waits for the busy one")
    assert scene.said(busy) == []
    tried = [c for c in scene.workspace.calls if c.arguments.get("channel") == busy]
    assert [c.error for c in tried] == ["ratelimited"], "while one waits, those behind it do not knock"
    del scene.workspace.limits[busy]
    await scene.settles()
    assert [read(m) for m in scene.said(busy)] == [f"line {n}" for n in range(4)]


@pytest.mark.parametrize("times", [1, 2])
async def test_an_answer_that_is_lost_after_the_post_is_not_posted_again(scene: Scene, times: int) -> None:
    channel = scene.workspace.channel()
    scene.workspace.broken["chat.postMessage"] = times
    await tells(scene, channel, "once", "twice")
    await scene.settles()
    assert [read(m) for m in scene.said(channel)] == ["once", "twice"]


async def test_a_lost_answer_is_found_in_a_thread_however_long_it_is(scene: Scene, fresh: Fresh) -> None:
    ana, channel = scene.member(fresh("ana")), scene.workspace.channel()
    told = await ana.posts(f"<@{scene.workspace.bot_user}> help", channel)
    await scene.settles()
    for n in range(3000):
        ana.writes(f"chatter {n}", channel, told.ts).ts = f"1000000000.{n:06d}"
    scene.workspace.broken["chat.postMessage"] = 1
    await ana.posts("my requests", channel, told.ts)
    await scene.settles()
    assert len(scene.said(channel, told.ts)) == 2


async def test_a_call_that_is_lost_before_the_post_is_made_again(scene: Scene) -> None:
    channel = scene.workspace.channel()
    scene.workspace.broken["chat.postMessage"] = -2
    await tells(scene, channel, "once", "twice")
    await scene.settles()
    assert [read(m) for m in scene.said(channel)] == ["once", "twice"]


async def test_a_message_waits_while_slack_does_not_tell_who_said_it(scene: Scene, fresh: Fresh) -> None:
    ana = scene.member(fresh("ana"))
    direct = scene.workspace.direct(ana.user)
    scene.workspace.broken["users.info"] = -1
    scene.workspace.limits["users.info"] = 1
    await ana.posts("help", direct)
    await until(lambda: any(c.error == "ratelimited" for c in scene.workspace.calls[-5:]), "nobody asked who it was")
    del scene.workspace.limits["users.info"]
    await scene.settles()
    assert "Something went wrong" not in scene.read(direct)
    assert scene.said(direct)


async def test_a_channel_that_is_gone_holds_up_nothing(scene: Scene) -> None:
    channel = scene.workspace.channel(is_archived=True)
    await tells(scene, channel, "into the void")
    await scene.settles()
    scene.workspace.channels[channel]["is_archived"] = False
    await tells(scene, channel, "and back")
    await scene.settles()
    assert [read(m) for m in scene.said(channel)] == ["and back"]


WORDS = "CPU of the last hour, rising from 20 to 90 percent"
CONTENT = b"\x89PNG" + bytes(500)
PICTURE = Image("data:image/png;base64," + base64.b64encode(CONTENT).decode(), WORDS)


async def test_a_picture_that_slack_can_not_fetch_is_uploaded_with_its_words(scene: Scene) -> None:
    channel = scene.workspace.channel()
    await tells(scene, channel, "Look at this", card=Card("CPU", (PICTURE,)))
    await scene.settles()
    file = next(f for f in scene.workspace.files.values() if f.get("channel") == channel)
    assert (file["content"], file["alt"]) == (CONTENT, WORDS)
    assert "CPU of the last hour" in scene.read(channel)


@pytest.mark.parametrize("times", [1, -1], ids=["after", "before"])
@pytest.mark.parametrize("method", ["files.getUploadURLExternal", "files.completeUploadExternal"])
async def test_a_picture_is_shown_once_whatever_is_lost(scene: Scene, method: str, times: int) -> None:
    channel = scene.workspace.channel()
    scene.workspace.broken[method] = times
    await tells(scene, channel, "Look at these", card=Card("CPU", (PICTURE, PICTURE)))
    await scene.settles()
    assert len([m for m in scene.said(channel) if m.blocks]) == 1
    assert len({m.files[0]["name"] for m in scene.said(channel) if m.files}) == 2
    assert len([m for m in scene.said(channel) if m.files]) == 2


async def test_after_a_few_at_once_a_channel_gets_one_message_a_second() -> None:
    now, slept = [100.0], []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)
        now[0] += seconds

    pacer = Pacer(1.0, lambda: now[0], sleep)
    for _ in range(BURST + 4):
        await pacer.wait("C1")
    assert slept == [1.0] * 4
    await pacer.wait("C2")
    assert len(slept) == 4, "another channel waits for nobody"
    now[0] += 60
    await pacer.wait("C1")
    assert len(slept) == 4
