"""Slack beside a stage: the stand-in that its bot calls, and when the bot has done all that it was told."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from bot.services import Services
from tests.support.slack.standin import StandIn, Workspace
from tests.support.slack.talking import SECRET
from tests.support.stage.settling import settles


@dataclass
class SlackSide:
    """One workspace for one stage; `services` are set when the bot is built."""

    standin: StandIn
    workspace: Workspace
    services: Services | None = None
    more: dict[str, Any] = field(default_factory=dict)

    @property
    def settings(self) -> dict[str, Any]:
        """What the bot is told about Slack. Nothing is paced: a story says more in a second than people do."""
        return {
            "slack_signing_secret": SECRET,
            "slack_bot_token": self.workspace.token,
            "slack_api_url": self.standin.api_url,
            "slack_pace": 0,
            **self.more,
        }

    async def settles(self, within: float = 30.0) -> None:
        """Wait until everything that came in is handled, and what follows from it has been sent."""
        await settles(self.services, "slack", within)
