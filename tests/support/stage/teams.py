"""Teams beside a stage: the stand-in that its bot calls, and when the bot has done all that it was told."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from bot.services import Services
from sandbox.teams.framework import BotFramework
from sandbox.teams.tenants import Tenant
from tests.support.stage.settling import settles


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
            "teams_openid_url": self.framework.url + "/v1/openid",
            "teams_login_url": f"{self.framework.url}/",
            "teams_service_urls": f"{self.framework.url}/teams/",
        }

    async def settles(self, within: float = 30.0) -> None:
        """Wait until everything that came in is handled, and what follows from it has been sent."""
        await settles(self.services, "teams", within)
