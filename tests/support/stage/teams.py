"""Teams beside a stage: the stand-in that its bot calls, and when the bot has done all that it was told."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from bot.database.tables import inbox, outbox
from bot.services import Services
from tests.support.teams.standin import BotFramework, Tenant


@dataclass
class TeamsSide:
    """One tenant for one stage; `services` are set when the bot is built."""

    framework: BotFramework
    tenant: Tenant
    services: Services | None = None

    @property
    def settings(self) -> dict[str, Any]:
        """What the bot is told about Teams."""
        return {
            "teams_app_id": self.tenant.app_id,
            "teams_app_secret": self.tenant.secret,
            "teams_tenant_id": self.tenant.id,
            "teams_openid_url": self.framework.openid_url,
            "teams_login_url": f"{self.framework.url}/",
            "teams_service_urls": f"{self.framework.url}/teams/",
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
            outbox.c.channel == "teams", outbox.c.sent_at.is_(None), outbox.c.given_up_at.is_(None)
        )
        async with self.services.database.read() as connection:
            found = list((await connection.execute(undone)).scalars())
            return found or list((await connection.execute(unsent.limit(3))).scalars())
