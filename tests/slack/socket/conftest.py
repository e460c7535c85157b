"""Socket Mode against a stand-in for Slack."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any

import pytest

from adapters.slack.socket import Pace, SocketMode
from adapters.slack.web import Web
from tests.support.slack.socket_server import APP_TOKEN, SocketServer, serve_sockets

FAST = Pace(first=0.01, most=0.05, ping=5.0, leave=5.0, handshake=5.0)


class Keeper:
    """Stands where the inbox is: keeps payloads, slowly or not at all if told so."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, dict[str, Any]]] = []
        self.kept: list[tuple[str, dict[str, Any]]] = []
        self.may_commit = asyncio.Event()
        self.may_commit.set()
        self.failures: list[Exception] = []
        self.answer: dict[str, Any] | None = None
        self.came = asyncio.Event()

    async def receive(self, kind: str, payload: dict[str, Any]) -> dict[str, Any] | None:
        self.seen.append((kind, payload))
        self.came.set()
        if self.failures:
            raise self.failures.pop(0)
        await self.may_commit.wait()
        self.kept.append((kind, payload))
        return self.answer


@pytest.fixture
async def slack() -> AsyncIterator[SocketServer]:
    """Slack."""
    async with serve_sockets() as server:
        yield server


@pytest.fixture
async def keeper() -> Keeper:
    """What is behind Socket Mode."""
    return Keeper()


Connect = Callable[..., Awaitable[SocketMode]]


@pytest.fixture
async def connect(slack: SocketServer, keeper: Keeper) -> AsyncIterator[Connect]:
    """Starts Socket Mode; it is stopped at the end."""
    async with AsyncExitStack() as stack:

        async def connect_one(connections: int = 1, pace: Pace = FAST, receive: Any = None) -> SocketMode:
            web = Web(slack.url)
            mode = SocketMode(web, APP_TOKEN, receive or keeper.receive, connections=connections, pace=pace)
            stack.push_async_callback(web.close)
            await mode.start()
            stack.push_async_callback(mode.stop)
            return mode

        yield connect_one
