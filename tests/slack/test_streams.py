"""A turn that takes its time shows a stream, whose place its answer takes: once, whatever is lost in between."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from adapters.slack import streaming
from bot.activity import Activity
from bot.database.tables import outbox, slack_streams
from bot.dialogue.exchange import Decided
from tests.slack.scene import Scene, read
from tests.support.slack.methods import METHODS
from tests.support.slack.standin import Message, Refusal
from tests.support.slack.talking import Member
from tests.support.stage import eventually

pytestmark = pytest.mark.asyncio(loop_scope="module")
Fresh = Callable[[str], str]


@pytest.fixture(autouse=True)
def slow_turns(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every turn takes longer than a moment: until its stream was asked for, however that ends."""
    inbox = scene.stage.application.services.inbox
    handler, calls = inbox._handler, scene.workspace.calls
    assert handler is not None

    async def slow(activity: Activity) -> Decided:
        for _ in range(500):
            if any(c.method == "chat.startStream" for c in calls[scene.begun :]):
                break
            await asyncio.sleep(0.01)
        return await handler(activity)

    monkeypatch.setattr(inbox, "_handler", slow)
    monkeypatch.setattr(streaming, "MOMENT", 0)


async def asks(scene: Scene, member: Member, words: str = "help") -> tuple[str, Message]:
    """Mention the bot in a channel of its own; returns the channel and what was said."""
    channel = scene.workspace.channel()
    told = await member.posts(f"<@{scene.workspace.bot_user}> {words}", channel)
    await scene.settles()
    return channel, told


def the_answer(scene: Scene, channel: str) -> Message:
    """Return the one message that the bot shows in a channel, and it is whole."""
    (answer,) = scene.said(channel)
    assert "What I can do" in read(answer)
    assert not answer.is_streaming
    return answer


async def test_the_answer_takes_the_streams_place(scene: Scene, fresh: Fresh) -> None:
    ana = scene.member(fresh("ana"))
    channel, told = await asks(scene, ana)
    assert the_answer(scene, channel).thread_ts == told.ts
    (started,) = scene.calls("chat.startStream")
    assert (started["recipient_user_id"], started["recipient_team_id"]) == (ana.user, scene.workspace.team)
    assert scene.calls("chat.postMessage") == []


async def test_a_thread_of_a_direct_message_is_streamed_to(scene: Scene, fresh: Fresh) -> None:
    ana = scene.member(fresh("ana"))
    direct = scene.workspace.direct(ana.user)
    root = ana.writes("hello", direct)
    await ana.posts("help", direct, root.ts)
    await scene.settles()
    the_answer(scene, direct)
    assert len(scene.calls("chat.startStream")) == 1


@pytest.mark.parametrize("method", ["chat.startStream", "chat.stopStream", "chat.update"])
@pytest.mark.parametrize("times", [1, -1], ids=["after", "before"])
async def test_an_answer_of_slacks_that_is_lost_leads_to_no_second_message(
    scene: Scene, fresh: Fresh, method: str, times: int
) -> None:
    scene.workspace.broken[method] = times
    channel, _ = await asks(scene, scene.member(fresh("ana")))
    the_answer(scene, channel)


@pytest.mark.parametrize("code", ["ratelimited", "feature_not_enabled"])
async def test_where_there_are_no_streams_now_there_are_messages(
    scene: Scene, fresh: Fresh, monkeypatch: pytest.MonkeyPatch, code: str
) -> None:
    def refuse(*_: Any) -> Any:
        raise Refusal(code)

    monkeypatch.setitem(METHODS, "chat.startStream", refuse)
    monkeypatch.setattr(streaming, "REST", 0)
    channel, _ = await asks(scene, scene.member(fresh("ana")))
    the_answer(scene, channel)
    assert len(scene.calls("chat.postMessage")) == 1


async def test_a_stream_that_slack_has_ended_meanwhile_is_replaced_all_the_same(scene: Scene, fresh: Fresh) -> None:
    ana, workspace = scene.member(fresh("ana")), scene.workspace
    channel, told = await asks(scene, ana)
    answer = the_answer(scene, channel)
    started = Message(scene.standin.stamp(), channel, workspace.bot_user, streaming.WORDS, [], thread_ts=told.ts)
    workspace.messages.append(started)
    workspace.messages.remove(answer)
    await answers_again(scene, channel, ts=started.ts)
    assert the_answer(scene, channel) is started


@pytest.mark.parametrize("was_started", [True, False])
async def test_a_stream_of_a_process_that_was_killed_is_found_again(
    scene: Scene, fresh: Fresh, was_started: bool
) -> None:
    ana, workspace = scene.member(fresh("ana")), scene.workspace
    channel, told = await asks(scene, ana)
    workspace.messages.remove(the_answer(scene, channel))
    started = Message(scene.standin.stamp(), channel, workspace.bot_user, streaming.WORDS, [], thread_ts=told.ts)
    started.is_streaming = True
    if was_started:
        workspace.messages.append(started)
    await answers_again(scene, channel, ts="", replica="killed")
    assert (the_answer(scene, channel) is started) is was_started


async def answers_again(scene: Scene, channel: str, **row: Any) -> None:
    """Have the newest answer in a channel sent as if it had not been yet, and its stream were as `row` says."""
    services = scene.stage.application.services
    old = services.clock.wall() - timedelta(seconds=60)

    async def work(transaction: Any) -> None:
        mine = slack_streams.c.channel == channel
        await transaction.execute(update(slack_streams).where(mine).values(used_by="", began_at=old, **row))
        sent = outbox.c.pace == f"slack:{scene.workspace.team}:{channel}"
        await transaction.execute(update(outbox).where(sent).values(sent_at=None))

    await services.database.write(work)
    services.signals.set("outbox")
    await scene.settles()


async def test_what_nobody_answers_leaves_no_stream(
    scene: Scene, fresh: Fresh, monkeypatch: pytest.MonkeyPatch
) -> None:
    ana, channel = scene.member(fresh("ana")), scene.workspace.channel()
    inbox = scene.stage.application.services.inbox
    handler = inbox._handler
    assert handler is not None

    async def silent(activity: Activity) -> Decided:
        decided = await handler(activity)

        async def commit(transaction: Any) -> None:
            return None

        return Decided([], commit, decided.request)

    monkeypatch.setattr(inbox, "_handler", silent)
    await ana.posts(f"<@{scene.workspace.bot_user}> help", channel)
    await scene.settles()
    left = select(slack_streams.c.key).where(slack_streams.c.channel == channel)

    async def is_gone() -> bool:
        async with scene.stage.application.services.database.read() as connection:
            return scene.said(channel) == [] and (await connection.execute(left)).first() is None

    await eventually(is_gone, lambda: "the stream stays, or what is known of it")
    assert len(scene.calls("chat.startStream")) == 1
