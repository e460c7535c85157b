"""The stream of what is said: live, resumable, and alive while nobody says anything."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import httpx
import pytest

from adapters.console import chat
from tests.console.stage import Stage
from tests.console.staying import stage

__all__ = ["stage"]

pytestmark = pytest.mark.asyncio(loop_scope="session")


@asynccontextmanager
async def listening(
    url: str, cookies: httpx.Cookies, path: str = "/chat/events", **headers: str
) -> AsyncIterator[AsyncIterator[str]]:
    """Open the stream over a real connection; gives its lines."""
    async with (
        httpx.AsyncClient(base_url=url, cookies=cookies, timeout=20) as client,
        client.stream("GET", path, headers={"last-event-id": headers["last"]} if headers else {}) as answer,
    ):
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/event-stream")
        assert answer.headers["x-accel-buffering"] == "no"
        assert "no-store" in answer.headers["cache-control"]
        yield answer.aiter_lines()


async def until(lines: AsyncIterator[str], start: str) -> str:
    """Return the next line that starts so, without the start."""
    async for line in lines:
        if line.startswith(start):
            return line.removeprefix(start).strip()
    raise AssertionError(f"the stream ended before {start}")


async def talk(stage: Stage) -> tuple[httpx.Cookies, str]:
    """Say something in a browser; return its cookies and the conversation's id."""
    async with stage.visitor() as ana:
        await ana.see("/")
        await ana.submit("/chat", text="hello")
        return ana.cookies, stage.heard[-1].conversation


async def test_brings_what_the_bot_says_when_it_says_it(stage: Stage) -> None:
    cookies, conversation = await talk(stage)
    async with stage.served() as url, listening(url, cookies, "/chat/events?after=2") as lines:
        assert await until(lines, "retry:") == "2000"
        await stage.say(conversation, "Your account is <ready>.")
        assert await until(lines, "id:") == "3"
        assert 'data-seq="3"' in await until(lines, "data: <li")
        assert "Your account is &lt;ready&gt;." in await until(lines, 'data:   <p class="bubble">')


async def test_goes_on_after_the_last_event_seen(stage: Stage) -> None:
    cookies, conversation = await talk(stage)
    for number in range(3):
        await stage.say(conversation, f"number {number}")
    async with stage.served() as url, listening(url, cookies, "/chat/events?after=0", last="4") as lines:
        assert await until(lines, "id:") == "5"
        assert "number 2" in await until(lines, 'data:   <p class="bubble">')


async def test_shows_signs_of_life_in_silence(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chat, "HEARTBEAT", 1)
    cookies, _ = await talk(stage)
    async with stage.served() as url, listening(url, cookies, last="2") as lines:
        assert await until(lines, ": ping")


async def test_ends_in_good_order_so_that_sign_in_is_looked_at_again(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chat, "STREAM_LIFETIME", 0.05)
    cookies, conversation = await talk(stage)
    await stage.say(conversation, "before the end")
    async with stage.served() as url, listening(url, cookies, last="2") as lines:
        assert [line async for line in lines if line.startswith("id:")] == ["id: 3"]


async def test_ends_in_good_order_when_the_server_closes(stage: Stage) -> None:
    cookies, _ = await talk(stage)
    async with AsyncExitStack() as open_streams:
        async with stage.served(patience=10) as url:
            lines = await open_streams.enter_async_context(listening(url, cookies, last="2"))
            await until(lines, "retry:")
            begun = time.monotonic()
        assert time.monotonic() - begun < 8  # less than the server's own patience
        assert [line async for line in lines if line and not line.startswith(":")] == []


async def test_brings_nobody_elses_words(stage: Stage) -> None:
    _, conversation = await talk(stage)
    async with stage.visitor() as bo:
        await bo.become("bo@corp.example")
        await bo.submit("/chat", text="mine")
        own = stage.heard[-1].conversation
        cookies = bo.cookies
    await stage.say(conversation, "for Ana")
    await stage.say(own, "for Bo")
    async with stage.served() as url, listening(url, cookies, last="1") as lines:
        words = [await until(lines, 'data:   <p class="bubble">') for _ in range(3)]
    assert [w.removesuffix("</p>") for w in words] == ["mine", "You said: mine", "for Bo"]
