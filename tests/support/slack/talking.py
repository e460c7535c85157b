"""People of a workspace: what they do reaches the bot as really signed requests, what they see is what Slack shows."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import re
import secrets
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import httpx

from tests.support.slack.standin import Message, StandIn, Workspace

SECRET = "a-signing-secret-of-the-stage"


def signed(body: str, *, secret: str = SECRET, at: float | None = None, form: bool = False) -> dict[str, str]:
    """Return the headers with which Slack would send a body."""
    timestamp = str(int(time.time() if at is None else at))
    digest = hmac.new(secret.encode(), f"v0:{timestamp}:{body}".encode(), hashlib.sha256).hexdigest()
    return {
        "content-type": "application/x-www-form-urlencoded" if form else "application/json",
        "x-slack-request-timestamp": timestamp,
        "x-slack-signature": f"v0={digest}",
    }


def unescaped(text: str) -> str:
    """Return a text as Slack shows it."""
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def words_of(blocks: list[Any], text: str = "") -> list[str]:
    """Return what a person reads of a message, one line a text; buttons are not read."""
    return [line for shown in _shown(blocks) for line in shown.splitlines()] if blocks else unescaped(text).splitlines()


def _shown(value: Any) -> Iterator[str]:
    if isinstance(value, list):
        for part in value:
            yield from _shown(part)
    elif isinstance(value, dict):
        kind = value.get("type")
        if kind == "section" and "fields" in value:
            shown = [" ".join(_shown(f)) for f in value["fields"]]
            yield from (" ".join(shown[n : n + 2]) for n in range(0, len(shown), 2))
        elif kind in ("button", "static_select"):
            return
        elif kind == "mrkdwn":
            yield unescaped(_plain_mrkdwn(value["text"]))
        elif kind == "markdown":
            yield from (re.sub(r"\*\*(.+?)\*\*", r"\1", line).removeprefix("> ") for line in value["text"].splitlines())
        elif kind == "plain_text" or (kind == "text" and isinstance(value.get("text"), str)):
            yield unescaped(value["text"])
        else:
            for part in value.values():
                yield from _shown(part) if isinstance(part, dict | list) else ()


def _plain_mrkdwn(text: str) -> str:
    """Return bold words and links without their marks; a link as its words and its address."""
    if text.startswith("*") and text.endswith("*"):
        return text[1:-1]
    while "<http" in text:
        before, _, rest = text.partition("<http")
        inner, _, after = rest.partition(">")
        url, _, label = inner.partition("|")
        text = f"{before}{label} http{url}{after}"
    return text


@dataclass(frozen=True)
class Pressable:
    """A button of a message, or one choice of a select."""

    message: Message
    element: dict[str, Any]
    option: dict[str, Any] | None = None


def buttons_of(message: Message) -> dict[str, Pressable]:
    """Return what can be pressed in a message, by its words."""
    found: dict[str, Pressable] = {}
    for block in message.blocks:
        for element in [*block.get("elements", ()), block.get("accessory") or {}]:
            if element.get("type") == "button":
                found[unescaped(element["text"]["text"])] = Pressable(message, element)
            for option in element.get("options", ()):
                found[unescaped(option["text"]["text"])] = Pressable(message, element, option)
    return found


@dataclass
class Member:
    """One user of a workspace, and what they send."""

    standin: StandIn
    workspace: Workspace
    client: httpx.AsyncClient
    user: str
    more: dict[str, Any] = field(default_factory=dict)
    """What is laid over each event's envelope."""
    team: str = ""
    """The workspace of the organisation in which this is done; empty for the one workspace."""

    @property
    def _team(self) -> str:
        return self.team or self.workspace.team

    # ------------------------------------------------------------------------------ saying

    async def posts(self, text: str, channel: str, thread: str = "", **event: Any) -> Message:
        """Write a message in Slack, of which the bot gets the event; returns the message."""
        message = self.writes(text, channel, thread)
        answer = await self.sends(self.event_of(message, **event))
        assert answer.status_code == 200, f"{answer.status_code} {answer.text}"
        return message

    def writes(self, text: str, channel: str, thread: str = "") -> Message:
        """Write a message in Slack; nobody hears of it yet."""
        message = Message(self.standin.stamp(), channel, self.user, text, [], thread_ts=thread)
        self.workspace.messages.append(message)
        return message

    def event_of(self, message: Message, **event: Any) -> dict[str, Any]:
        """Return the event that tells of a message."""
        bot = self.workspace.bot_user
        kind = "im" if message.channel.startswith("D") else "channel"
        is_mention = f"<@{bot}>" in message.text and kind != "im"
        root = next((m for m in self.workspace.messages if m.ts == message.thread_ts), None)
        told = {
            "type": "app_mention" if is_mention else "message",
            "user": self.user,
            "text": message.text,
            "ts": message.ts,
            "channel": message.channel,
            "event_ts": message.ts,
            **({} if is_mention else {"channel_type": kind}),
            **({"thread_ts": message.thread_ts} if message.thread_ts else {}),
            **({"parent_user_id": root.user} if root else {}),
            **event,
        }
        return self.envelope(told)

    def envelope(self, event: dict[str, Any], event_id: str = "") -> dict[str, Any]:
        """Return an event as it comes."""
        workspace = self.workspace
        return {
            "token": "old-and-unused",
            "team_id": self._team,
            **({"enterprise_id": workspace.enterprise} if workspace.enterprise else {}),
            "api_app_id": workspace.app,
            "event": event,
            "type": "event_callback",
            "event_id": event_id or f"Ev{secrets.token_hex(6).upper()}",
            "event_time": int(time.time()),
            "authorizations": [
                {
                    "enterprise_id": workspace.enterprise or None,
                    "team_id": self._team,
                    "user_id": workspace.bot_user,
                    "is_bot": True,
                    "is_enterprise_install": bool(workspace.enterprise),
                }
            ],
            "is_ext_shared_channel": False,
            **self.more,
        }

    async def sends(self, payload: dict[str, Any], **headers: str) -> httpx.Response:
        """Send an event, really signed."""
        body = json.dumps(payload)
        return await self.client.post("/slack/events", content=body, headers={**signed(body), **headers})

    async def interacts(self, payload: dict[str, Any]) -> httpx.Response:
        """Send an interaction: a press, a submitted view, a shortcut."""
        body = urlencode({"payload": json.dumps(payload)})
        return await self.client.post("/slack/events", content=body, headers=signed(body, form=True))

    def interaction(self, kind: str, **more: Any) -> dict[str, Any]:
        """Return an interaction of that type."""
        return {
            "type": kind,
            "team": {"id": self._team, "domain": "corp"},
            "enterprise": {"id": self.workspace.enterprise, "name": "Org"} if self.workspace.enterprise else None,
            "is_enterprise_install": bool(self.workspace.enterprise),
            "user": {"id": self.user, "team_id": self.more.get("user_team", self._team)},
            "api_app_id": self.workspace.app,
            "trigger_id": self.workspace.trigger(),
            **more,
        }

    # ------------------------------------------------------------------------------ pressing

    async def presses(self, button: Pressable) -> httpx.Response:
        """Press a button of a message, or choose from a select."""
        message, element = button.message, button.element
        action = {"type": element["type"], "action_id": element["action_id"], "block_id": "b", "action_ts": "1.1"}
        if button.option is not None:
            action["selected_option"] = button.option
        elif "value" in element:
            action["value"] = element["value"]
        container = {
            "type": "message",
            "channel_id": message.channel,
            "message_ts": message.ts,
            "is_ephemeral": bool(message.ephemeral_to),
            **({"thread_ts": message.thread_ts} if message.thread_ts else {}),
        }
        told = {"ts": message.ts, "thread_ts": message.thread_ts, "user": message.user, "blocks": message.blocks}
        payload = self.interaction(
            "block_actions",
            container=container,
            channel={"id": message.channel},
            message=told,
            response_url=self.standin.response_url(self.workspace, self.user, message.channel),
            actions=[action],
        )
        return await self.interacts(payload)

    async def presses_at_home(self, title: str) -> httpx.Response:
        """Press a button of the home tab."""
        view = self.workspace.homes[self.user]
        shown = Message("", "", self.workspace.bot_user, "", view["blocks"])
        element = buttons_of(shown)[title].element
        action = {"type": "button", "action_id": element["action_id"], "value": element.get("value", "")}
        container = {"type": "view", "view_id": view["id"]}
        payload = self.interaction("block_actions", container=container, view=view, actions=[action])
        return await self.interacts(payload)

    async def submits(self, view: dict[str, Any], **answers: str) -> httpx.Response:
        """Fill a modal in and press its button; a field that is not named keeps what it was opened with."""
        values: dict[str, Any] = {}
        for block in view["blocks"]:
            if block["type"] != "input":
                continue
            element, name = block["element"], block["block_id"]
            given = answers.pop(name, None)
            if element["type"] == "static_select":
                chosen = next((o for o in element["options"] if o["value"] == given), element.get("initial_option"))
                state: dict[str, Any] = {"type": "static_select", "selected_option": chosen}
            else:
                value = given if given is not None else element.get("initial_value")
                state = {"type": element["type"], "value": value}
            values[name] = {element["action_id"]: state}
        assert not answers, f"the modal has no {', '.join(answers)}"
        submitted = {**view, "state": {"values": values}}
        return await self.interacts(self.interaction("view_submission", view=submitted, response_urls=[]))

    async def commands(self, text: str, channel: str) -> httpx.Response:
        """Type /ops with a text."""
        fields = {
            "token": "old-and-unused",
            "team_id": self._team,
            **({"enterprise_id": self.workspace.enterprise} if self.workspace.enterprise else {}),
            "team_domain": "corp",
            "channel_id": channel,
            "channel_name": "general",
            "user_id": self.user,
            "user_name": "somebody",
            "command": "/ops",
            "text": text,
            "api_app_id": self.workspace.app,
            "is_enterprise_install": str(bool(self.workspace.enterprise)).lower(),
            "response_url": self.standin.response_url(self.workspace, self.user, channel),
            "trigger_id": self.workspace.trigger(),
        }
        body = urlencode(fields)
        return await self.client.post("/slack/events", content=body, headers=signed(body, form=True))

    # ------------------------------------------------------------------------------ seeing

    def newest_view(self) -> dict[str, Any]:
        """Return the modal that was opened last."""
        return list(self.workspace.views.values())[-1]


async def until(look: Callable[[], Any], what: str, *, within: float = 30.0) -> Any:
    """Return what `look` returns as soon as it is something."""
    end = time.monotonic() + within
    while not (found := look()):
        assert time.monotonic() < end, what
        await asyncio.sleep(0.01)
    return found
