"""Slack beside a stage: the stand-in that its bot calls, and when the bot has done all that it was told."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select

from bot.database.tables import inbox, outbox
from bot.services import Services
from tests.support.slack.standin import StandIn, Workspace
from tests.support.slack.talking import SECRET


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
        assert self.services is not None
        end = time.monotonic() + within
        while waiting := await self._waiting():
            assert time.monotonic() < end, f"not handled or not sent: {waiting}"
            await self.services.signals.wait("outbox", 0.02)

    async def _waiting(self) -> list[str]:
        assert self.services is not None
        undone = select(inbox.c.key).where(inbox.c.done_at.is_(None)).limit(3)
        unsent = select(outbox.c.key).where(
            outbox.c.channel == "slack", outbox.c.sent_at.is_(None), outbox.c.given_up_at.is_(None)
        )
        async with self.services.database.read() as connection:
            found = list((await connection.execute(undone)).scalars())
            return found or list((await connection.execute(unsent.limit(3))).scalars())
