"""A stand-in for Slack's Socket Mode on loopback.

Tickets work once; envelopes go to one connection each and are sent again over another when their connection
breaks before they were acknowledged, as Slack does.
"""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from aiohttp import WSMsgType, web

APP_TOKEN = "xapp-1-token-of-tests"


class Line:
    """One connection, seen from Slack."""

    def __init__(self, socket: web.WebSocketResponse, request: web.Request) -> None:
        self.socket, self._request = socket, request
        self.acknowledged: list[dict[str, Any]] = []
        self.waiting: dict[str, dict[str, Any]] = {}
        self.pongs: list[bytes] = []

    def cut(self) -> None:
        """Break the connection, as a network does."""
        if (transport := self._request.transport) is not None:  # it may be broken already
            transport.abort()

    async def disconnect(self, reason: str) -> None:
        """Announce the end."""
        await self.socket.send_json({"type": "disconnect", "reason": reason, "debug_info": {"host": "stand-in"}})


@dataclass
class SocketServer:
    """What happened, and what is to happen; `url` is the base of the Web API."""

    url: str = ""
    lines: list[Line] = field(default_factory=list)
    """Those that are open."""
    opened: int = 0
    refusals: list[tuple[int, str]] = field(default_factory=list)
    """(HTTP status, error) with which the next calls of apps.connections.open are answered."""
    handshakes_to_refuse: int = 0
    tokens: list[str] = field(default_factory=list)
    acknowledged: list[dict[str, Any]] = field(default_factory=list)
    answers_pings: bool = True
    _tickets: set[str] = field(default_factory=set)
    _changed: asyncio.Condition = field(default_factory=asyncio.Condition)
    _homeless: list[dict[str, Any]] = field(default_factory=list)

    async def until(self, holds: Callable[[], bool]) -> None:
        """Wait until something holds, looking after each thing that happens here."""
        async with self._changed, asyncio.timeout(20):
            await self._changed.wait_for(holds)

    async def send(self, kind: str, payload: dict[str, Any], *, over: Line | None = None, **more: Any) -> str:
        """Send an envelope; return its id."""
        envelope = {"envelope_id": secrets.token_hex(8), "type": kind, "payload": payload, **more}
        await self._deliver(envelope, over)
        return str(envelope["envelope_id"])

    async def _deliver(self, envelope: dict[str, Any], over: Line | None = None) -> None:
        if not self.lines:
            self._homeless.append(envelope)
            return
        line = over if over in self.lines else self.lines[-1]
        line.waiting[str(envelope["envelope_id"])] = envelope
        with suppress(ConnectionError):  # it is breaking; what waits is sent again when it has broken
            await line.socket.send_json(envelope)

    async def open_connection(self, request: web.Request) -> web.Response:
        """Answer apps.connections.open."""
        self.tokens.append(request.headers.get("authorization", ""))
        if self.refusals:
            status, error = self.refusals.pop(0)
            return web.json_response({"ok": False, "error": error}, status=status, headers={"Retry-After": "0"})
        ticket = secrets.token_hex(8)
        self._tickets.add(ticket)
        host = self.url.removeprefix("http://").removesuffix("/api/")
        return web.json_response({"ok": True, "url": f"ws://{host}/link/?ticket={ticket}&app_id=A1"})

    async def link(self, request: web.Request) -> web.StreamResponse:
        """Serve one connection."""
        ticket = request.query["ticket"]
        if ticket not in self._tickets:
            return web.Response(status=403)
        self._tickets.discard(ticket)
        if self.handshakes_to_refuse:
            self.handshakes_to_refuse -= 1
            return web.Response(status=503)
        socket = web.WebSocketResponse(autoping=False)
        await socket.prepare(request)
        line = Line(socket, request)
        self.lines.append(line)
        self.opened += 1
        await socket.send_json({"type": "hello", "num_connections": len(self.lines), "connection_info": {}})
        await self._tell()
        for envelope in self._homeless:
            await self._deliver(envelope | {"retry_attempt": 1}, line)
        self._homeless.clear()
        try:
            await self._listen(line)
        finally:
            self.lines.remove(line)
            for envelope in line.waiting.values():
                await self._deliver(envelope | {"retry_attempt": 1, "retry_reason": "timeout"})
            await self._tell()
        return socket

    async def _listen(self, line: Line) -> None:
        async for message in line.socket:
            if message.type == WSMsgType.PING and self.answers_pings:
                await line.socket.pong(message.data)
            elif message.type == WSMsgType.PONG:
                line.pongs.append(bytes(message.data))
            elif message.type == WSMsgType.TEXT:
                answer = json.loads(message.data)
                line.waiting.pop(answer["envelope_id"], None)
                line.acknowledged.append(answer)
                self.acknowledged.append(answer)
            await self._tell()

    async def _tell(self) -> None:
        async with self._changed:
            self._changed.notify_all()


@asynccontextmanager
async def serve_sockets() -> AsyncIterator[SocketServer]:
    """Serve the stand-in on a free port of loopback."""
    server = SocketServer()
    app = web.Application()
    app.router.add_route("*", "/api/apps.connections.open", server.open_connection)
    app.router.add_get("/link/", server.link)
    runner = web.AppRunner(app, shutdown_timeout=0)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    server.url = f"http://127.0.0.1:{runner.addresses[0][1]}/api/"
    yield server
    for line in list(server.lines):
        line.cut()
    await runner.cleanup()
