"""Who has signed out hears no more, on a stream that was open before too."""

from __future__ import annotations

import asyncio

import pytest

from adapters.console import chat
from tests.console.stage import Stage
from tests.console.test_events import listening, until


@pytest.mark.parametrize("is_told", [True, False], ids=["when something is said", "in silence"])
async def test_a_stream_ends_when_its_session_is_signed_out(
    stage: Stage, is_told: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert chat.RECHECK <= 5, "at most five seconds after the sign-out"
    monkeypatch.setattr(chat, "RECHECK", 60.0 if is_told else 0.05)
    async with stage.visitor() as ana:
        await ana.see("/")
        await ana.submit("/chat", text="hello")
        cookies, conversation = ana.cookies, stage.heard[-1].conversation
        async with stage.served() as url, listening(url, cookies, last="2") as lines:
            await until(lines, "retry:")
            await ana.submit("/signout")
            if is_told:
                await stage.say(conversation, "for nobody's eyes")
            async with asyncio.timeout(10):
                rest = [line async for line in lines if line and not line.startswith(":")]
    assert rest == []


async def test_a_stream_of_another_session_goes_on(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chat, "RECHECK", 0.05)
    async with stage.visitor() as ana, stage.visitor() as elsewhere:
        await elsewhere.see("/")
        await elsewhere.submit("/chat", text="hello")
        cookies, conversation = elsewhere.cookies, stage.heard[-1].conversation
        await ana.see("/")
        async with stage.served() as url, listening(url, cookies, last="2") as lines:
            await until(lines, "retry:")
            await ana.submit("/signout")
            await stage.say(conversation, "still here")
            assert "still here" in await until(lines, 'data:   <p class="bubble">')
