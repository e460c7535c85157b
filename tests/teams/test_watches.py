"""Insights in a channel of Teams: a thread each, whose first message is updated; in a chat, messages of their own."""

from __future__ import annotations

import pytest

from tests.stories.news import has_heard, listens, plays
from tests.support.teams.cards import words_of
from tests.teams.conftest import Scene

pytestmark = pytest.mark.asyncio(loop_scope="module")
LAMBDA = "Lambda p50 duration is anomalous in checkout-service"


async def test_a_channel_follows_an_insight_in_a_thread_and_a_person_in_the_own_chat(scene: Scene) -> None:
    stage, ana, bo = scene.stage, scene.member(), scene.member("Bo Chen")
    await listens(stage)
    number = scene.framework.number()
    channel = f"19:{number}@thread.tacv2"
    await ana.sends(ana.mention("tell us here about insights in Production", f"{channel};messageid={number}"))
    await bo.sends(bo.activity("message", text="tell me about new insights of lambda"))
    await scene.settles()
    assert "From now on I tell you here about new insights in" in scene.read(f"{channel};messageid={number}")
    await plays(stage, "lambda-duration")
    await stage.advance(minutes=13)
    await has_heard(stage, 1)
    await scene.settles()
    threads = {s.conversation for s in scene.tenant.sent if f"Medium: {LAMBDA}" in words_of(s.activity)}
    (thread,) = [t for t in threads if t.startswith(channel)]
    (chat,) = [t for t in threads if not t.startswith("19:")]
    assert thread != f"{channel};messageid={number}", "it begins a thread of its own"
    await stage.advance(minutes=30)
    await has_heard(stage, 4)
    await scene.settles()
    for place in (thread, chat):
        shown = scene.said(place)
        (card,) = [s for s in shown if LAMBDA in words_of(s.activity) and s.versions > 1]
        assert f"High: {LAMBDA}" in words_of(card.activity), "the same message shows it as it is now"
        assert "its severity is high now." in scene.read(place)
    await ana.sends(ana.mention("mute this for 2 hours", thread))
    await scene.settles()
    assert "I keep quiet here about this insight until" in scene.read(thread)
    await plays(stage, "lambda-duration", fixed=True)
    await stage.advance(minutes=20)
    await has_heard(stage, 5)
    await scene.settles()
    assert "Closed after" in scene.read(thread)
    assert "it has closed" not in scene.read(thread)
    assert "it has closed" in scene.read(chat), "who muted it did so for the channel alone"


async def test_a_channel_by_name_is_asked_to_say_it_itself(scene: Scene) -> None:
    ana = scene.member()
    await ana.sends(ana.activity("message", text="tell #ops about new insights"))
    await scene.settles()
    said = " ".join(words_of(s.activity) for s in scene.tenant.sent)
    assert "I know no channel called #ops" in said
    assert "Say it in that channel instead" in said
