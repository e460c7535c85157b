"""Hearing what the bot says later, by asking and by stream."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from adapters.rest import listening
from tests.rest.stage import Stage, problem, said, served

EVENTS = {"Accept": "text/event-stream"}


async def begun(stage: Stage, **more: Any) -> str:
    async with stage.caller() as caller:
        return str((await caller.post("/v1/messages", json=said(**more))).json()["conversation"])


async def test_gives_only_what_the_bot_said_and_only_what_came_after(stage: Stage) -> None:
    conversation = await begun(stage)
    await stage.notify(conversation, "Your account is ready.")
    async with stage.caller() as caller:
        place = f"/v1/conversations/{conversation}/messages"
        told = (await caller.get(place)).json()["messages"]
        assert [m["role"] for m in told] == ["bot"] * 3
        assert told[0]["at"] == "2026-03-01T08:00:00.000Z"
        news = (await caller.get(place, params={"after": told[1]["seq"]})).json()["messages"]
        assert [m["text"] for m in news] == ["Your account is ready."]
        assert (await caller.get(place, params={"after": told[2]["seq"]})).json()["messages"] == []


async def test_finds_a_conversation_by_the_name_it_was_begun_with(stage: Stage) -> None:
    await begun(stage, conversation="my thread/1")
    async with stage.caller() as caller:
        assert len((await caller.get("/v1/conversations/my thread%2F1/messages")).json().get("messages", [])) in {0, 2}
        await begun(stage, conversation="mine")
        assert len((await caller.get("/v1/conversations/mine/messages")).json()["messages"]) == 2
        await begun(stage, conversation="mine", email="bo@corp.example")
        problem(await caller.get("/v1/conversations/mine/messages"), 409)


@pytest.mark.parametrize("name", ["unknown", "%", "_", "rest:", "rest:%25:%25:%25", "' OR 1=1 --", "é🙂"])
async def test_knows_no_conversation_that_was_not_begun(stage: Stage, name: str) -> None:
    await begun(stage)
    async with stage.caller() as caller:
        problem(await caller.get(f"/v1/conversations/{name}/messages"), 404)


@pytest.mark.parametrize("after", ["-1", "x", "1.5", "9223372036854775808", ""])
async def test_refuses_an_after_that_is_no_seq(stage: Stage, after: str) -> None:
    conversation = await begun(stage)
    async with stage.caller() as caller:
        answer = await caller.get(f"/v1/conversations/{conversation}/messages", params={"after": after})
    assert problem(answer, 422)["errors"][0]["field"] == "after"


async def events(answer: httpx.Response) -> AsyncIterator[dict[str, Any]]:
    async for line in answer.aiter_lines():
        if line.startswith("data: "):
            yield json.loads(line.removeprefix("data: "))


async def test_streams_what_was_said_and_then_what_is_said(stage: Stage) -> None:
    conversation = await begun(stage)
    async with served(stage.app) as url, httpx.AsyncClient(base_url=url) as caller:
        async with caller.stream("GET", f"/v1/conversations/{conversation}/messages", headers=EVENTS) as answer:
            assert answer.headers["content-type"].startswith("text/event-stream")
            assert answer.headers["cache-control"] == "no-store"
            stream = events(answer)
            assert [(await anext(stream))["text"] for _ in range(2)] == ["Hi Ana, you said:", "hello"]
            await stage.notify(conversation, "Your account\nis ready.")
            news = await anext(stream)
            assert news["text"] == "Your account\nis ready."
        await stage.notify(conversation, "And one thing more.")
        headers = {**EVENTS, "Last-Event-ID": str(news["seq"])}
        async with caller.stream("GET", f"/v1/conversations/{conversation}/messages", headers=headers) as answer:
            assert (await anext(events(answer)))["text"] == "And one thing more."


async def test_sends_heartbeats_and_ends_when_the_client_goes(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[str] = []
    left = asyncio.Event()
    wait = stage.conversations.wait

    async def watched(conversation: str, seq: int, timeout: float) -> Any:
        waited.append(conversation)
        try:
            return await wait(conversation, seq, 0.01)
        except asyncio.CancelledError:
            left.set()
            raise

    monkeypatch.setattr(stage.conversations, "wait", watched)
    conversation = await begun(stage)
    path = f"/v1/conversations/{conversation}/messages?after={2**62}"
    async with served(stage.app) as url:
        async with httpx.AsyncClient(base_url=url) as caller, caller.stream("GET", path, headers=EVENTS) as answer:
            lines = answer.aiter_lines()
            while (await anext(lines)) != ": still here":
                pass
        async with asyncio.timeout(10):
            while True:
                before = len(waited)
                if left.is_set():
                    break
                await wait(conversation, 2**62, 0.2)
                if len(waited) == before:
                    break
    assert waited


async def test_keeps_no_more_streams_open_than_it_should(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listening, "STREAMS", 1)
    conversation = await begun(stage)
    path = f"/v1/conversations/{conversation}/messages"
    async with (
        served(stage.app) as url,
        httpx.AsyncClient(base_url=url) as caller,
        caller.stream("GET", path, headers=EVENTS) as first,
    ):
        stream = events(first)
        await anext(stream)
        problem(await caller.get(path, headers=EVENTS), 429)
        assert (await caller.get(path)).status_code == 200


async def test_answers_json_when_a_stream_is_not_wanted(stage: Stage) -> None:
    conversation = await begun(stage)
    async with stage.caller() as caller:
        for accept in ("*/*", "application/json", "text/event-stream;q=0, */*"):
            path = f"/v1/conversations/{conversation}/messages"
            answer = await caller.get(path, headers={"Accept": accept})
            assert answer.headers["content-type"] == "application/json"
