"""Readiness: a relay that can't be reached is told, and asked for rarely."""

import asyncio
import socket
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from adapters.email.reachability import KEPT, RelayProbe
from adapters.email.transport import Relay
from tests.email.conftest import Desk
from tests.email.relay import FakeRelay, running_relay


@dataclass
class Stopwatch:
    """Monotonic time, moved by hand."""

    seconds: float = 1000.0

    def __call__(self) -> float:
        return self.seconds


def refusing_port() -> int:
    """Return a port on which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


async def fault_of(desk: Desk) -> str:
    assert desk.channel.ready is not None
    return await desk.channel.ready()


async def test_is_ready_while_the_relay_accepts_connections(make_desk: Callable[..., Any]) -> None:
    async with running_relay(FakeRelay()) as relay:
        assert await fault_of(await make_desk(smtp_url=f"smtp://127.0.0.1:{relay.port}")) == ""
        assert relay.mails == []


async def test_says_which_relay_refuses(make_desk: Callable[..., Any]) -> None:
    port = refusing_port()
    fault = await fault_of(await make_desk(smtp_url=f"smtp://qm:secret@127.0.0.1:{port}"))
    assert f"127.0.0.1:{port} can't be reached" in fault
    assert "secret" not in fault


async def test_waits_a_second_for_a_relay_that_is_silent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("adapters.email.reachability.CONNECT_TIMEOUT", 0.01)

    async def never(host: str, port: int) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(asyncio, "open_connection", never)
    assert "no answer within 0.01 s" in await RelayProbe(Relay("relay.test", 25)).fault()


@pytest.mark.parametrize("error", [OSError("no such host"), UnicodeError("label too long")])
async def test_a_host_that_is_not_found_is_a_fault_and_no_crash(
    monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    async def fails(host: str, port: int) -> None:
        raise error

    monkeypatch.setattr(asyncio, "open_connection", fails)
    assert "relay.test:25 can't be reached" in await RelayProbe(Relay("relay.test", 25)).fault()


async def test_looks_again_only_after_a_while() -> None:
    watch, port = Stopwatch(), refusing_port()
    probe = RelayProbe(Relay("127.0.0.1", port), monotonic=watch)
    assert await probe.fault()
    connections = 0

    def count(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        writer.close()

    async with await asyncio.start_server(count, "127.0.0.1", port):
        watch.seconds += KEPT - 1
        assert await probe.fault()
        watch.seconds += 1
        assert await asyncio.gather(*(probe.fault() for _ in range(5))) == [""] * 5
    assert connections <= 1
    assert await probe.fault() == ""
    watch.seconds += KEPT
    assert await probe.fault()


async def test_asks_no_relay_when_ses_sends(make_desk: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    async def forbidden(*args: Any, **named: Any) -> None:
        raise AssertionError("a connection was made")

    monkeypatch.setattr(asyncio, "open_connection", forbidden)
    desk = await make_desk(mail_transport="ses", smtp_url=f"smtp://127.0.0.1:{refusing_port()}")
    assert await fault_of(desk) == ""
