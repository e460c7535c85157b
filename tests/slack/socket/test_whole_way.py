"""From an envelope to the inbox, with the real parts between."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from adapters.slack.building import build_slack
from adapters.slack.receiving import Receiver
from bot.clock import SystemClock
from bot.database.tables import inbox
from bot.main import build_cloud, build_services
from bot.services import Services
from bot.settings import load_settings
from tests.slack.socket.conftest import Connect
from tests.support.slack.socket_server import APP_TOKEN, SocketServer
from tests.support.tables import make_tables


def message(n: int) -> dict[str, Any]:
    """Return an event: somebody writes to the bot."""
    event = {"type": "message", "channel_type": "im", "channel": "D1", "user": "U1", "text": "help", "ts": f"1.{n}"}
    return {"type": "event_callback", "api_app_id": "A1", "team_id": "T1", "event_id": f"Ev{n}", "event": event}


@pytest.fixture
async def services(tmp_path: Path, slack: SocketServer) -> AsyncIterator[Services]:
    """The core's parts, with Socket Mode in the settings."""
    settings = load_settings(
        aws_endpoint_url="http://127.0.0.1:1",
        var_dir=tmp_path,
        slack_bot_token="xoxb-1",
        slack_app_token=APP_TOKEN,
        slack_api_url=slack.url,
    )
    make_tables(settings.database_url)
    built = build_services(settings, SystemClock(), build_cloud(settings))
    await built.database.start()
    yield built
    await built.database.close()


async def kept(services: Services) -> list[str]:
    async with services.database.read() as connection:
        return list((await connection.execute(select(inbox.c.key).order_by(inbox.c.seq))).scalars())


async def test_a_connection_cut_between_commit_and_acknowledgement_leaves_one_row(
    services: Services, slack: SocketServer, connect: Connect
) -> None:
    receiver, came, may_answer = Receiver(services), asyncio.Event(), asyncio.Event()

    async def receive(kind: Any, payload: dict[str, Any]) -> dict[str, Any] | None:
        body = await receiver.receive(kind, payload)
        came.set()
        await may_answer.wait()
        return body

    await connect(receive=receive)
    await slack.until(lambda: slack.opened == 1)
    envelope = await slack.send("events_api", message(1))
    await came.wait()
    assert len(await kept(services)) == 1
    slack.lines[0].cut()
    await slack.until(lambda: slack.opened == 2)
    may_answer.set()
    await slack.until(lambda: {"envelope_id": envelope} in slack.acknowledged)
    assert len(await kept(services)) == 1


async def test_every_envelope_of_connections_that_keep_breaking_is_kept_once(
    services: Services, slack: SocketServer, connect: Connect
) -> None:
    await connect(connections=2, receive=Receiver(services).receive)
    for n in range(60):
        await slack.until(lambda: bool(slack.lines))
        line = slack.lines[n % len(slack.lines)]
        await slack.send("events_api", message(n), over=line)
        if n % 7 == 0:
            line.cut()
    await slack.until(lambda: len({a["envelope_id"] for a in slack.acknowledged}) == 60)
    assert sorted(await kept(services)) == sorted({f"slack:A1:T1:D1:1.{n}" for n in range(60)})


async def test_an_app_level_token_in_the_settings_is_all_it_takes(services: Services, slack: SocketServer) -> None:
    channel = build_slack(services)
    assert channel.start is not None
    assert channel.stop is not None
    assert channel.router is not None
    assert channel.router.routes == [], "without a signing secret nothing comes in over HTTP"
    await channel.start()
    await slack.until(lambda: len(slack.lines) == 2)
    await slack.send("events_api", message(1))
    await slack.until(lambda: len(slack.acknowledged) == 1)
    assert await kept(services) == ["slack:A1:T1:D1:1.1"]
    await channel.stop()
    await slack.until(lambda: slack.lines == [])
