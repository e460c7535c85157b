"""Insights in a channel of Slack: one message each, updated in place, its chart and its news in the thread below."""

from __future__ import annotations

import pytest

from tests.slack.scene import Scene, read
from tests.stories.news import has_heard, listens, plays
from tests.support.slack.standin import Message
from tests.support.slack.talking import until
from tests.support.stage import eventually

pytestmark = pytest.mark.asyncio(loop_scope="module")
LAMBDA = "Lambda p50 duration is anomalous in checkout-service"
TALK = (
    "I am looking into it",
    "looks like the last deployment, I'll roll it back",
    "it is probably the cache again, shall we get lunch?",
    "let's mute it if it comes again",
    "it happened yesterday as well",
    "just the high ones, I think",
    "and in eu-central-1?",
    "yes",
    "thanks!",
    "flibber the gribbets",
)
"""What people say to each other about what is wrong."""


async def test_a_channel_follows_an_insight_in_one_thread_and_can_mute_it_there(scene: Scene) -> None:
    stage, ops = scene.stage, scene.workspace.channel("ops")
    ana = scene.member("ana-watches@corp.example")
    elsewhere = scene.workspace.channel("lounge")
    await listens(stage)
    await ana.posts(f"<@{scene.workspace.bot_user}> tell <#{ops}|ops> about insights in Production", elsewhere)
    await scene.settles()
    assert "From now on I tell #ops about new insights in Platform/Prod and Workloads/Prod" in scene.read(elsewhere)
    await plays(stage, "lambda-duration")
    await stage.advance(minutes=13)
    await has_heard(stage, 1)
    await scene.settles()
    (card,) = [m for m in scene.said(ops) if not m.thread_ts]
    assert f"Medium: {LAMBDA}" in read(card)
    assert any(m.files and m.thread_ts == card.ts for m in scene.said(ops)), "the chart is below its card"
    await stage.advance(minutes=30)
    await has_heard(stage, 4)
    await scene.settles()
    assert f"High: {LAMBDA}" in read(card), "the same message shows it as it is now"
    assert [m for m in scene.said(ops) if not m.thread_ts] == [card]
    assert "its severity is high now." in scene.read(ops, card.ts)
    bo = scene.member("bo-watches@corp.example", "Bo Berg")
    await bo.posts("mute this for 2 hours", ops, card.ts)
    await scene.settles()
    assert "I keep quiet here about this insight until" in scene.read(ops, card.ts)
    await plays(stage, "lambda-duration", fixed=True)
    await stage.advance(minutes=20)
    await has_heard(stage, 5)
    await scene.settles()
    assert "Closed after" in read(card), "what is muted is still shown as it is"
    assert "it has closed" not in scene.read(ops, card.ts)
    await stage.advance(hours=2)

    async def is_told() -> bool:
        return "Held back until now: 1 piece of news" in scene.read(ops)

    await eventually(is_told, lambda: scene.read(ops))


async def test_below_an_insight_a_command_is_heard_at_once_and_people_who_talk_are_left_alone(scene: Scene) -> None:
    stage, war_room = scene.stage, scene.workspace.channel("war-room")
    ana, bo = scene.member("ana-talks@corp.example"), scene.member("bo-talks@corp.example", "Bo Berg")
    await listens(stage)
    await ana.posts(f"<@{scene.workspace.bot_user}> tell us here about lambda insights", war_room)
    await scene.settles()
    before = len(await has_heard(stage, 0))
    await plays(stage, "lambda-duration")
    await stage.advance(minutes=13)

    def begun() -> Message | None:
        return next((m for m in scene.said(war_room) if not m.thread_ts and LAMBDA in read(m)), None)

    card = await until(begun, "the insight was not told")
    await bo.posts("show its events", war_room, card.ts)
    await has_heard(stage, before + 1)
    await scene.settles()
    assert "Events around" in scene.read(war_room, card.ts), "who replies at once is heard as well"
    said = len(scene.said(war_room))
    for words in TALK:
        await ana.posts(words, war_room, card.ts)
        await bo.posts(words, war_room, card.ts)
    await scene.settles()
    assert len(scene.said(war_room)) == said
    for words, answer in (
        ("mute this for 2 hours", "I keep quiet here about this insight until"),
        ("unmute this", "I tell you here about this insight again"),
        ("tell me more", "open for"),
    ):
        await ana.posts(words, war_room, card.ts)
        await scene.settles()
        assert answer in scene.read(war_room, card.ts)
    await bo.posts(f"<@{scene.workspace.bot_user}> flibber the gribbets", war_room, card.ts)
    await scene.settles()
    assert "did not understand" in scene.read(war_room, card.ts), "who speaks to it is answered"
    await plays(stage, "lambda-duration", fixed=True)


async def test_a_channel_that_can_not_be_told_is_refused_in_words(scene: Scene) -> None:
    foreign = scene.workspace.channel("shared", is_ext_shared=True)
    scene.workspace.channel("closed", is_member=False)
    ana, here = scene.member("ana-refused@corp.example"), scene.workspace.channel("here")
    for name, words in (
        ("shared", "People from other organisations read #shared"),
        ("closed", "I am not a member of #closed"),
        ("banana", "I know no channel called #banana"),
        (foreign, "People from other organisations read #shared"),
    ):
        told = await ana.posts(f"<@{scene.workspace.bot_user}> tell #{name} about new insights", here)
        await scene.settles()
        assert words in scene.read(here, told.ts)


async def test_a_direct_conversation_is_told_in_person(scene: Scene) -> None:
    ana, lounge = scene.member("ana-direct@corp.example"), scene.workspace.channel("lounge")
    await listens(scene.stage)
    await ana.posts(f"<@{scene.workspace.bot_user}> tell me about new insights of lambda", lounge)
    await scene.settles()
    assert "From now on I tell you about new insights of LAMBDA" in scene.read(lounge)
    before = len(await has_heard(scene.stage, 0))
    await plays(scene.stage, "lambda-duration")
    await scene.stage.advance(minutes=13)
    await has_heard(scene.stage, before + 1)
    await scene.settles()
    assert f"Medium: {LAMBDA}" in scene.read(scene.workspace.direct(ana.user))
