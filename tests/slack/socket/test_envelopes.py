"""Envelopes: what is acknowledged, when, and with what."""

from __future__ import annotations

from typing import Any

import pytest

from bot.errors import Unavailable
from tests.slack.socket.conftest import Connect, Keeper
from tests.support.slack.socket_server import SocketServer


@pytest.mark.parametrize(
    ("kind", "as_"),
    [("events_api", "events"), ("interactive", "interactive"), ("slash_commands", "slash_commands")],
)
async def test_payloads_come_as_they_do_over_http(
    kind: str, as_: str, slack: SocketServer, keeper: Keeper, connect: Connect
) -> None:
    await connect()
    await slack.until(lambda: slack.opened == 1)
    envelope = await slack.send(kind, {"hello": "there"})
    await slack.until(lambda: len(slack.acknowledged) == 1)
    assert keeper.kept == [(as_, {"hello": "there"})]
    assert slack.acknowledged == [{"envelope_id": envelope}]


async def test_an_envelope_is_acknowledged_after_it_was_kept_and_not_before(
    slack: SocketServer, keeper: Keeper, connect: Connect
) -> None:
    await connect()
    await slack.until(lambda: slack.opened == 1)
    keeper.may_commit.clear()
    first = await slack.send("events_api", {"n": 1})
    await keeper.came.wait()
    await slack.lines[0].socket.ping(b"still there")
    await slack.until(lambda: slack.lines[0].pongs == [b"still there"])
    assert slack.acknowledged == []
    keeper.may_commit.set()
    await slack.until(lambda: slack.acknowledged == [{"envelope_id": first}])


async def test_what_could_not_be_kept_is_not_acknowledged(
    slack: SocketServer, keeper: Keeper, connect: Connect
) -> None:
    await connect()
    await slack.until(lambda: slack.opened == 1)
    keeper.failures = [Unavailable("The database does not answer.")]
    lost = await slack.send("events_api", {"n": 1})
    kept = await slack.send("events_api", {"n": 2})
    await slack.until(lambda: slack.acknowledged == [{"envelope_id": kept}])
    assert list(slack.lines[0].waiting) == [lost]


@pytest.mark.parametrize("failure", [ValueError("a bug"), KeyError("team"), RuntimeError("another")])
async def test_a_mistake_of_ours_does_not_end_the_connection(
    failure: Exception, slack: SocketServer, keeper: Keeper, connect: Connect
) -> None:
    await connect()
    await slack.until(lambda: slack.opened == 1)
    keeper.failures = [failure]
    await slack.send("events_api", {"n": 1})
    await slack.send("events_api", {"n": 2})
    await slack.until(lambda: len(slack.acknowledged) == 1)
    assert slack.opened == 1


@pytest.mark.parametrize("accepts", [True, False])
async def test_an_answer_travels_with_the_acknowledgement_where_slack_takes_one(
    accepts: bool, slack: SocketServer, keeper: Keeper, connect: Connect
) -> None:
    await connect()
    await slack.until(lambda: slack.opened == 1)
    keeper.answer = {"response_action": "errors", "errors": {"RootEmail": "This is no address."}}
    envelope = await slack.send("interactive", {"type": "view_submission"}, accepts_response_payload=accepts)
    await slack.until(lambda: len(slack.acknowledged) == 1)
    expected: dict[str, Any] = {"envelope_id": envelope}
    assert slack.acknowledged == [expected | ({"payload": keeper.answer} if accepts else {})]


async def test_a_kind_of_envelope_we_do_not_know_is_acknowledged_and_left(
    slack: SocketServer, keeper: Keeper, connect: Connect
) -> None:
    await connect()
    await slack.until(lambda: slack.opened == 1)
    await slack.send("a_kind_of_the_future", {"n": 1})
    await slack.until(lambda: len(slack.acknowledged) == 1)
    assert keeper.seen == []


@pytest.mark.parametrize("text", ["", "not json", "[]", "7", "null", "{}", '{"type": 1}', '{"type": "events_api"}'])
async def test_nonsense_is_passed_over(text: str, slack: SocketServer, keeper: Keeper, connect: Connect) -> None:
    await connect()
    await slack.until(lambda: slack.opened == 1)
    await slack.lines[0].socket.send_str(text)
    await slack.send("events_api", {"n": 1})
    await slack.until(lambda: len(slack.acknowledged) == 1)
    assert (len(keeper.kept), slack.opened) == (1, 1)


async def test_many_envelopes_are_taken_in_the_order_they_came(
    slack: SocketServer, keeper: Keeper, connect: Connect
) -> None:
    await connect()
    await slack.until(lambda: slack.opened == 1)
    for n in range(200):
        await slack.send("events_api", {"n": n})
    await slack.until(lambda: len(slack.acknowledged) == 200)
    assert [payload["n"] for _, payload in keeper.seen] == list(range(200))
