"""What the tests of Slack look at and do, beyond what one person does."""

from __future__ import annotations

import re
from typing import Any

from tests.support.slack.standin import Message, StandIn, Workspace
from tests.support.slack.talking import Member, buttons_of, words_of
from tests.support.stage import Stage

APPROVER = "bo@corp.example"


class Scene:
    """A stage and its workspace."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.standin: StandIn = stage.slack.standin
        self.workspace: Workspace = stage.slack.workspace
        self.begun = 0
        """Calls that were made before this test."""

    def begins(self) -> None:
        """Forget which calls were made before."""
        self.workspace.faults.clear()
        self.workspace.limits.clear()
        self.workspace.broken.clear()
        self.begun = len(self.workspace.calls)

    def member(self, email: str, name: str = "Ana Lopez", **more: Any) -> Member:
        """Return a user with that address; `more` goes into what users.info says."""
        return Member(self.standin, self.workspace, self.stage.client(), self.workspace.user(email, name, **more))

    async def settles(self) -> None:
        """Wait until all is handled and sent, and hold what was sent against the protocol."""
        await self.stage.slack.settles()
        assert self.workspace.faults == []

    def shares(self, channel: str) -> None:
        """Let another organisation into a channel."""
        self.workspace.channels[channel]["is_ext_shared"] = True

    def calls(self, method: str) -> list[dict[str, Any]]:
        """Return the arguments of the calls of one method that Slack took in this test."""
        return [c.arguments for c in self.workspace.calls[self.begun :] if c.method == method and c.ok]

    def said(self, channel: str, thread: str = "") -> list[Message]:
        """Return what the bot shows in a channel or thread now, oldest first."""
        shown = self.workspace.shown_in(channel, thread)
        return [m for m in shown if m.user == self.workspace.bot_user]

    def read(self, channel: str, thread: str = "") -> str:
        """Return what one reads there of the bot's, blanks made one."""
        return " ".join(" ".join(read(m) for m in self.said(channel, thread)).split())

    async def ordered(self, ana: Member, email: str, channel: str) -> str:
        """Have an account asked for and the plan confirmed; returns the request's id."""
        told = await ana.posts(f"<@{self.workspace.bot_user}> I need a sandbox account in Demos for {email}", channel)
        await self.settles()
        await self.presses(ana, "Yes, go ahead", channel, told.ts)
        found = re.search(r"Request (qm-[0-9a-z]{8}) is placed", self.read(channel, told.ts))
        assert found, self.read(channel, told.ts)
        return found[1]

    async def presses(self, member: Member, title: str, channel: str, thread: str = "", about: str = "") -> None:
        """Press the newest button of that title, in a message that says `about`."""
        buttons: dict[str, Any] = {}
        for message in self.said(channel, thread):
            if about in read(message):
                buttons |= buttons_of(message)
        assert title in buttons, f"no button {title!r} among {sorted(buttons)}"
        answer = await member.presses(buttons[title])
        assert answer.status_code == 200, answer.text
        await self.settles()


def read(message: Message) -> str:
    """Return what one reads of a message."""
    return " ".join(words_of(message.blocks, message.text))
