"""Whose thread it is: answers stay in it, and people who talk to each other there are left alone."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from adapters.slack.receiving import Receiver
from tests.slack.scene import APPROVER, Scene, read
from tests.support.slack.talking import buttons_of, until

pytestmark = pytest.mark.asyncio(loop_scope="module")
Fresh = Callable[[str], str]


async def test_a_thread_of_the_own_conversation_is_answered_in_that_thread(scene: Scene, fresh: Fresh) -> None:
    ana = scene.member(fresh("ana"))
    direct = scene.workspace.direct(ana.user)
    root = await ana.posts("hello", direct)
    await scene.settles()
    await ana.posts(f"I need a sandbox account for {fresh('inside')}", direct, root.ts)
    await scene.settles()
    asked = scene.said(direct, root.ts)
    assert "the OU this account should belong to" in read(asked[-1])
    await ana.presses(buttons_of(asked[-1])["Demos"])
    await scene.settles()
    assert "Shall I go ahead?" in read(scene.said(direct, root.ts)[-1])


async def test_the_typing_status_ends_with_an_answer_outside_its_thread(scene: Scene, fresh: Fresh) -> None:
    ana = scene.member(fresh("ana"))
    told = await ana.posts("help", scene.workspace.direct(ana.user))
    await scene.settles()
    shown = [(c["thread_ts"], c.get("status", "")) for c in scene.calls("assistant.threads.setStatus")]
    assert shown == [(told.ts, "is looking into it…"), (told.ts, "")]


async def test_news_of_a_request_name_who_placed_it_whoever_spoke_last(scene: Scene, fresh: Fresh) -> None:
    ana, cleo, channel = scene.member(fresh("ana")), scene.member(fresh("cleo"), "Cleo Roe"), scene.workspace.channel()
    bo = scene.member(APPROVER, "Bo Diaz")
    request = await scene.ordered(ana, fresh("named"), channel)
    thread = scene.said(channel)[0].thread_ts
    await cleo.posts(f"<@{scene.workspace.bot_user}> help", channel, thread)
    await scene.settles()
    await scene.presses(bo, "Reject", scene.workspace.direct(bo.user), about=request)
    await bo.submits(bo.newest_view(), reason="not now")
    await scene.settles()
    assert [m for m in scene.said(channel) if f"<@{ana.user}> Your request {request} was rejected" in m.text]
    assert not [m for m in scene.said(channel) if f"<@{cleo.user}>" in m.text]


async def test_people_who_talk_to_each_other_in_a_thread_are_left_alone(scene: Scene, fresh: Fresh) -> None:
    ana, bo, channel = scene.member(fresh("ana")), scene.member(fresh("bo"), "Bo Diaz"), scene.workspace.channel()
    told = await ana.posts(f"<@{scene.workspace.bot_user}> I need a sandbox account", channel)
    await scene.settles()
    before = len(scene.said(channel))
    for words in ("looks good to me, shall we get lunch?", "yes", "thanks!", "stop it", "x" * 1500, ""):
        await bo.posts(words, channel, told.ts)
    await scene.settles()
    assert len(scene.said(channel)) == before
    await bo.posts("help", channel, told.ts)
    await scene.settles()
    assert len(scene.said(channel)) == before + 1, "what is meant for the bot is answered without a mention"
    await bo.posts("flibber the gribbets", channel, told.ts)
    await scene.settles()
    assert "did not understand" in scene.read(channel), "who has begun to talk to it is not left without an answer"


async def test_a_reply_is_heard_while_the_mention_before_it_is_not_handled_yet(scene: Scene, fresh: Fresh) -> None:
    ana, channel = scene.member(fresh("ana")), scene.workspace.channel()
    scene.workspace.limits["users.info"] = 1
    mention = await ana.posts(f"<@{scene.workspace.bot_user}> help", channel)
    await until(lambda: scene.workspace.calls[-1].error == "ratelimited", "nobody asked who it was")
    receiver = Receiver(scene.stage.application.services)  # it remembers nothing: after a restart, or elsewhere
    await receiver.receive("events", ana.event_of(ana.writes("help", channel, mention.ts)))
    del scene.workspace.limits["users.info"]
    await scene.settles()
    assert len(scene.said(channel, mention.ts)) == 2


async def test_slacks_own_bot_is_not_answered(scene: Scene) -> None:
    slackbot = scene.member("", "Slackbot")
    slackbot.user = "USLACKBOT"
    direct = scene.workspace.direct("USLACKBOT")
    await slackbot.posts("Reminder: help", direct)
    await scene.settles()
    assert scene.said(direct) == []
