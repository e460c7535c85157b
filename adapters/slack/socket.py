"""Socket Mode: the same payloads as at POST /slack/events, over WebSockets that we open; no public address is needed.

Several connections are kept, and a connection that Slack is about to end is replaced before it ends. An envelope is
acknowledged on the connection it came over, after the inbox's commit; what is not acknowledged Slack sends again, and
the inbox knows it. Tickets for connections work once, so each try gets a new one (why this is not slack-sdk's client:
docs/decisions/016-socket-mode.md).
"""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import urlsplit

import aiohttp
import structlog
from aiohttp import ClientWebSocketResponse, WSMsgType
from prometheus_client import Counter, Gauge

from adapters.slack.web import RateLimited, SlackRefused, Web
from bot.errors import QuartermasterError, Unavailable
from bot.settings import is_loopback_host

log = structlog.get_logger(__name__)

OPEN = Gauge("quartermaster_slack_socket_connections", "Connections of Socket Mode that are open.")
ENVELOPES = Counter("quartermaster_slack_envelopes_total", "Envelopes of Socket Mode.", ["outcome"])

Kind = Literal["events", "interactive", "slash_commands"]
KINDS: dict[str, Kind] = {"events_api": "events", "interactive": "interactive", "slash_commands": "slash_commands"}
Receive = Callable[[Kind, dict[str, Any]], Awaitable[dict[str, Any] | None]]

CONNECTIONS = 2
"""Per process; Slack allows ten for an app, and gives each envelope to one of them."""
_Ended = Literal["refresh", "disabled", "crowded", "lost"]


@dataclass(frozen=True)
class Pace:
    """Seconds: pauses between tries, from the first to the longest; between pings; for a good-bye; and to retire."""

    first: float = 1.0
    most: float = 60.0
    ping: float = 10.0
    leave: float = 5.0
    handshake: float = 10.0
    retire: float = 30.0


class SocketMode:
    """Keeps connections to Slack and hands what comes over them to `receive`."""

    def __init__(
        self, web: Web, app_token: str, receive: Receive, *, connections: int = CONNECTIONS, pace: Pace | None = None
    ) -> None:
        self._web, self._app_token, self._receive, self._count = web, app_token, receive, connections
        self._pace = pace or Pace()
        self._session: aiohttp.ClientSession | None = None
        self._keepers: list[asyncio.Task[None]] = []
        self._serving: set[asyncio.Task[None]] = set()
        self._taking: set[asyncio.Task[None]] = set()
        self._lines: set[_Line] = set()
        self._why_not = "connecting"

    async def start(self) -> None:
        """Begin to connect; returns at once, `fault` tells how it goes."""
        self._session = aiohttp.ClientSession(trust_env=True)
        self._keepers = [asyncio.create_task(self._keep(), name=f"slack-socket-{n}") for n in range(self._count)]

    async def stop(self) -> None:
        """Take nothing more, let what is being stored be acknowledged, and close."""
        await _end(self._keepers)
        if self._taking:
            await asyncio.wait(self._taking, timeout=self._pace.leave)
        await _end([*self._serving, *self._taking])
        if self._session is not None:
            await self._session.close()

    def fault(self) -> str:
        """Return why nothing comes in, empty while a connection is open."""
        return "" if any(line.is_open for line in self._lines) else f"Socket Mode: {self._why_not}"

    async def _keep(self) -> None:
        """Keep one connection, for ever; return never."""
        failures = 0
        while True:
            try:
                line = await self._connect()
            except QuartermasterError as error:
                failures += 1
                pause = max(self._pause(failures), getattr(error, "retry_after", 0.0))
                if isinstance(error, SlackRefused) and error.code not in _PASSING:
                    pause = self._pace.most
                await self._rest(_word_for(error), pause)
                continue
            task = self._spawn(self._serve(line), self._serving)
            ended = await line.ended
            failures = 0 if line.has_begun else failures + 1
            if ended == "refresh":
                self._spawn(self._retire(line, task), self._serving)
                continue  # the next one is opened while this one still serves
            await asyncio.wait([task])
            if ended == "disabled":
                await self._rest("link_disabled: Socket Mode is switched off on the app's page", self._pace.most)
            elif ended == "crowded" or not line.has_begun:
                await self._rest("too_many_websockets" if ended == "crowded" else "no hello", self._pause(failures + 1))

    async def _rest(self, why: str, seconds: float) -> None:
        self._why_not = why
        log.warning("slack.socket_not_open", reason=why, again_in=round(seconds, 2))
        await asyncio.sleep(seconds)

    def _pause(self, failures: int) -> float:
        return min(self._pace.most, self._pace.first * 2.0 ** min(failures - 1, 16)) * random.uniform(0.75, 1.25)

    async def _connect(self) -> _Line:
        """Open a connection with a new ticket; raises SlackRefused, RateLimited or Unavailable."""
        if self._session is None:
            raise RuntimeError("not started")
        told = await self._web.call("", "apps_connections_open", app_token=self._app_token)
        url = str(told.get("url") or "")
        address = urlsplit(url)
        if address.scheme != "wss" and not (address.scheme == "ws" and is_loopback_host(address.hostname or "")):
            raise Unavailable("Slack named no address of a WebSocket.")
        try:
            async with asyncio.timeout(self._pace.handshake):
                socket = await self._session.ws_connect(
                    url, heartbeat=self._pace.ping, timeout=aiohttp.ClientWSTimeout(ws_close=1.0)
                )
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            raise Unavailable(f"The connection was not opened: {type(error).__name__}.") from error
        return _Line(socket)

    async def _retire(self, line: _Line, task: asyncio.Task[None]) -> None:
        """Leave a connection that was replaced to Slack to end, for a while."""
        await asyncio.wait([task], timeout=self._pace.retire)
        await line.socket.close()

    async def _serve(self, line: _Line) -> None:
        """Read a connection to its end."""
        self._lines.add(line)
        try:
            while (message := await line.socket.receive()).type == WSMsgType.TEXT:
                self._read(line, message.data)
        finally:
            self._lines.discard(line)
            line.end("lost")
            if line.is_open:
                line.is_open = False
                OPEN.dec()
            # A close handshake that Slack does not answer is given up after a second.
            await line.socket.close()

    def _read(self, line: _Line, text: str) -> None:
        try:
            told = json.loads(text)
            kind = told["type"]
        except (ValueError, TypeError, KeyError):
            log.warning("slack.socket_nonsense", length=len(text))
            return
        if kind == "hello":
            line.has_begun = line.is_open = True
            OPEN.inc()
            log.info("slack.socket_open", connections=told.get("num_connections"))
        elif kind == "disconnect":
            self._leave(line, str(told.get("reason") or ""))
        elif told.get("envelope_id"):
            self._spawn(self._take(line, told), self._taking)

    def _leave(self, line: _Line, reason: str) -> None:
        """Do as Slack says before it ends a connection."""
        log.info("slack.socket_leaving", reason=reason)
        ends: dict[str, _Ended] = {"link_disabled": "disabled", "too_many_websockets": "crowded"}
        ended = ends.get(reason, "refresh")
        line.end(ended)
        if ended != "refresh":
            self._spawn(_close(line.socket), self._taking)

    async def _take(self, line: _Line, envelope: dict[str, Any]) -> None:
        """Hand an envelope on and acknowledge it once it is kept; else Slack is left to send it again."""
        kind, payload = KINDS.get(str(envelope.get("type"))), envelope.get("payload")
        body = None
        try:
            if kind is not None and isinstance(payload, dict):
                body = await self._receive(kind, payload)
        except Exception as error:  # whatever it was, the next envelope must find us listening
            ENVELOPES.labels("failed").inc()
            log.warning("slack.envelope_not_kept", kind=kind, error=type(error).__name__)
            return
        answer: dict[str, Any] = {"envelope_id": envelope["envelope_id"]}
        if body and envelope.get("accepts_response_payload"):
            answer["payload"] = body
        try:
            await line.socket.send_str(json.dumps(answer))
        except (aiohttp.ClientError, ConnectionError, RuntimeError) as error:
            ENVELOPES.labels("unacknowledged").inc()
            log.info("slack.envelope_not_acknowledged", error=type(error).__name__)
        else:
            ENVELOPES.labels("acknowledged").inc()

    def _spawn(self, work: Coroutine[Any, Any, None], among: set[asyncio.Task[None]]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        among.add(task)
        task.add_done_callback(among.discard)
        return task


class _Line:
    """One connection; `ended` is set when it is to be replaced, which may be before it is closed."""

    def __init__(self, socket: ClientWebSocketResponse) -> None:
        self.socket = socket
        self.ended: asyncio.Future[_Ended] = asyncio.get_running_loop().create_future()
        self.is_open = self.has_begun = False

    def end(self, how: _Ended) -> None:
        """Say how it ended; the first word counts."""
        if not self.ended.done():
            self.ended.set_result(how)


_PASSING = frozenset({"internal_error", "fatal_error", "request_timeout", "service_unavailable", "ratelimited"})
"""What Slack says of itself, and not of our token."""


def _word_for(error: QuartermasterError) -> str:
    if isinstance(error, SlackRefused):
        return f"Slack does not take SLACK_APP_TOKEN ({error.code})"
    return "Slack asks to wait" if isinstance(error, RateLimited) else error.detail


async def _close(socket: ClientWebSocketResponse) -> None:
    await socket.close()


async def _end(tasks: list[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    with suppress(asyncio.CancelledError):
        await asyncio.gather(*tasks, return_exceptions=True)
