"""Texts that no database takes, anywhere in what Slack signed: a clean answer, and nothing kept that can't be."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlencode

import httpx

from adapters.slack.envelope import ASK_ABOUT
from adapters.slack.receiving import Receiver
from adapters.slack.route import EventsRoute
from bot.activity import Activity
from tests.slack.scene import Scene
from tests.support.slack.standin import Message
from tests.support.slack.talking import SECRET, signed

ODD = "a\ud800\x00z"


class Keeper:
    """Stands where the inbox would, and is as strict as the strictest database."""

    def __init__(self) -> None:
        self.kept: list[Activity] = []

    async def receive(self, activity: Activity) -> bool:
        text = json.dumps(activity.as_dict(), ensure_ascii=False)
        text.encode()
        assert "\\u0000" not in text
        self.kept.append(activity)
        return True


def spoiled(value: Any) -> Iterator[Any]:
    """Yield a payload with one of its texts or names made odd, each in turn."""
    for name in list(value) if isinstance(value, dict) else range(len(value)):
        held = value[name]
        if isinstance(held, dict | list):
            for changed in spoiled(held):
                other = copy.copy(value)
                other[name] = changed
                yield other
        elif isinstance(held, str):
            other = copy.copy(value)
            other[name] = ODD
            yield other
        if isinstance(value, dict):
            yield {**value, ODD: held}


async def test_no_odd_text_is_answered_with_a_fault_of_ours_or_kept(scene: Scene) -> None:
    ana = scene.member("odd@corp.example")
    direct = scene.workspace.direct(ana.user)
    keeper = Keeper()
    services: Any = SimpleNamespace(inbox=keeper)
    route: Any = EventsRoute(SECRET, Receiver(services))
    block = {"type": "button", "action_id": "fill:1", "value": "AccountType=Sandbox", "block_id": "b"}
    where: dict[str, Any] = {"channel": {"id": direct}, "message": {"ts": "1.1", "text": "x", "user": "U1"}}
    view = {"type": "modal", "callback_id": "qm_start", "private_metadata": "{}", "state": {"values": {}}}
    events = [
        ana.event_of(Message("1.1", direct, ana.user, "help", [])),
        ana.envelope({"type": "app_home_opened", "user": ana.user, "channel": direct, "tab": "home"}),
    ]
    interactions = [
        ana.interaction("block_actions", container={"channel_id": direct}, actions=[block], **where),
        ana.interaction("message_action", callback_id=ASK_ABOUT, **where),
        ana.interaction("view_submission", view=view),
    ]
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=route), base_url="http://slack.test") as door:

        async def answers(body: str, *, form: bool) -> None:
            answer = await door.post("/slack/events", content=body, headers=signed(body, form=form))
            assert answer.status_code in (200, 400), body

        for payload in (changed for event in events for changed in spoiled(event)):
            await answers(json.dumps(payload), form=False)
        for payload in (changed for interaction in interactions for changed in spoiled(interaction)):
            await answers(urlencode({"payload": json.dumps(payload)}), form=True)
        deep = json.dumps({**events[1], "event": {"type": "app_home_opened"}})[:-1] + ', "deep": '
        await answers(deep + "[" * 400 + "]" * 400 + "}", form=False)
    assert len(keeper.kept) > 50
