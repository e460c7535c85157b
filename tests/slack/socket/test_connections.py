"""Connections: opened, replaced, lost and found again."""

from __future__ import annotations

import asyncio
import dataclasses

import pytest

from adapters.slack.socket import SocketMode
from adapters.slack.web import Web
from tests.slack.socket.conftest import FAST, Connect, Keeper
from tests.support.slack.socket_server import APP_TOKEN, SocketServer
from tests.support.stage.waiting import eventually


async def until_well(mode: SocketMode) -> None:
    async def look() -> bool:
        return mode.fault() == ""

    await eventually(look, mode.fault)


async def test_connections_are_opened_with_the_app_level_token(slack: SocketServer, connect: Connect) -> None:
    mode = await connect(connections=2)
    await slack.until(lambda: len(slack.lines) == 2)
    assert set(slack.tokens) == {f"Bearer {APP_TOKEN}"}
    await until_well(mode)


async def test_starting_waits_for_nobody_and_says_what_is_missing(slack: SocketServer, connect: Connect) -> None:
    slack.refusals = [(200, "invalid_auth")] * 1000
    mode = await connect()
    assert "Socket Mode: connecting" in mode.fault()

    async def look() -> bool:
        return "SLACK_APP_TOKEN (invalid_auth)" in mode.fault()

    await eventually(look, mode.fault)
    slack.refusals.clear()
    await until_well(mode)


async def test_envelopes_of_a_connection_that_broke_come_again_over_the_next(
    slack: SocketServer, keeper: Keeper, connect: Connect
) -> None:
    await connect()
    await slack.until(lambda: slack.opened == 1)
    keeper.may_commit.clear()
    envelope = await slack.send("events_api", {"n": 1})
    await keeper.came.wait()
    slack.lines[0].cut()
    await slack.until(lambda: slack.opened == 2)
    keeper.may_commit.set()
    await slack.until(lambda: {"envelope_id": envelope} in slack.acknowledged)
    assert keeper.seen == [("events", {"n": 1})] * 2


@pytest.mark.parametrize("reason", ["warning", "refresh_requested"])
async def test_the_next_connection_is_open_before_the_last_one_ends(
    reason: str, slack: SocketServer, keeper: Keeper, connect: Connect
) -> None:
    mode = await connect()
    await slack.until(lambda: slack.opened == 1)
    first = slack.lines[0]
    keeper.may_commit.clear()
    slow = await slack.send("events_api", {"n": 1}, over=first)
    await keeper.came.wait()
    await first.disconnect(reason)
    await slack.until(lambda: len(slack.lines) == 2)
    late = await slack.send("events_api", {"n": 2}, over=first)
    keeper.may_commit.set()
    await slack.until(lambda: len(first.acknowledged) == 2)
    assert {a["envelope_id"] for a in first.acknowledged} == {slow, late}
    await first.socket.close()
    await slack.until(lambda: len(slack.lines) == 1)
    assert mode.fault() == ""
    assert slack.opened == 2


async def test_a_connection_that_is_announced_twice_is_replaced_once(slack: SocketServer, connect: Connect) -> None:
    await connect()
    await slack.until(lambda: slack.opened == 1)
    first = slack.lines[0]
    await first.disconnect("warning")
    await first.disconnect("refresh_requested")
    await slack.until(lambda: slack.opened == 2)
    await first.socket.close()
    await slack.until(lambda: len(slack.lines) == 1)
    await slack.send("events_api", {"n": 1})
    await slack.until(lambda: len(slack.acknowledged) == 1)
    assert slack.opened == 2


async def test_a_replaced_connection_that_slack_leaves_open_is_closed(slack: SocketServer, connect: Connect) -> None:
    await connect(pace=dataclasses.replace(FAST, retire=0.05))
    await slack.until(lambda: slack.opened == 1)
    first = slack.lines[0]
    await first.disconnect("refresh_requested")
    await slack.until(lambda: slack.opened == 2 and first not in slack.lines)


async def test_socket_mode_switched_off_is_told_and_tried_again(slack: SocketServer, connect: Connect) -> None:
    mode = await connect()
    await slack.until(lambda: slack.opened == 1)
    slack.refusals = [(200, "not_allowed_token_type")] * 1000
    await slack.lines[0].disconnect("link_disabled")
    await slack.until(lambda: slack.lines == [])

    async def look() -> bool:
        return "link_disabled" in mode.fault() or "not_allowed_token_type" in mode.fault()

    await eventually(look, mode.fault)
    slack.refusals.clear()
    await slack.until(lambda: len(slack.lines) == 1)
    await until_well(mode)


async def test_one_connection_too_many_is_closed_before_another_is_tried(slack: SocketServer, connect: Connect) -> None:
    mode = await connect(connections=2)
    await slack.until(lambda: len(slack.lines) == 2)
    await slack.lines[0].disconnect("too_many_websockets")
    await slack.until(lambda: slack.opened == 3)
    assert len(slack.lines) == 2
    assert mode.fault() == ""


async def test_a_ticket_that_did_not_open_a_connection_is_not_tried_again(
    slack: SocketServer, connect: Connect
) -> None:
    slack.handshakes_to_refuse = 3
    mode = await connect()
    await slack.until(lambda: slack.opened == 1)
    assert len(slack.tokens) == 4
    await until_well(mode)


async def test_a_slack_that_asks_to_wait_is_asked_again(slack: SocketServer, connect: Connect) -> None:
    slack.refusals = [(429, "ratelimited"), (503, "service_unavailable"), (200, "internal_error")]
    mode = await connect()
    await slack.until(lambda: slack.opened == 1)
    await until_well(mode)


async def test_a_connection_on_which_slack_falls_silent_is_given_up(slack: SocketServer, connect: Connect) -> None:
    slack.answers_pings = False
    await connect(pace=dataclasses.replace(FAST, ping=0.05))
    await slack.until(lambda: slack.opened >= 2)
    slack.answers_pings = True


async def test_a_connection_that_is_not_encrypted_is_not_opened_beyond_this_machine(
    slack: SocketServer, keeper: Keeper, monkeypatch: pytest.MonkeyPatch
) -> None:
    web = Web(slack.url)
    mode = SocketMode(web, APP_TOKEN, keeper.receive, connections=1, pace=FAST)

    async def call(*_: object, **__: object) -> dict[str, str]:
        return {"url": "ws://slack.example/link"}

    monkeypatch.setattr(web, "call", call)
    await mode.start()

    async def look() -> bool:
        return "named no address of a WebSocket" in mode.fault()

    await eventually(look, mode.fault)
    await mode.stop()
    await web.close()


async def test_stopping_lets_what_is_being_kept_be_acknowledged(slack: SocketServer, keeper: Keeper) -> None:
    web = Web(slack.url)
    mode = SocketMode(web, APP_TOKEN, keeper.receive, connections=1, pace=FAST)
    await mode.start()
    await slack.until(lambda: slack.opened == 1)
    keeper.may_commit.clear()
    envelope = await slack.send("events_api", {"n": 1})
    await keeper.came.wait()
    stopping = asyncio.create_task(mode.stop())

    async def has_begun() -> bool:
        return not any(task.get_name().startswith("slack-socket") for task in asyncio.all_tasks())

    await eventually(has_begun, lambda: "it does not stop")
    keeper.may_commit.set()
    await stopping
    await web.close()
    await slack.until(lambda: slack.lines == [])
    assert slack.acknowledged == [{"envelope_id": envelope}]


async def test_stopping_without_a_connection_leaves_nothing_behind(slack: SocketServer, keeper: Keeper) -> None:
    slack.refusals = [(200, "invalid_auth")] * 1000
    web = Web(slack.url)
    mode = SocketMode(web, APP_TOKEN, keeper.receive, connections=3, pace=FAST)
    await mode.start()
    await slack.until(lambda: True)
    await mode.stop()
    await mode.stop()
    await web.close()
    assert [task for task in asyncio.all_tasks() if task.get_name().startswith("slack-socket")] == []
