"""People of a tenant who talk to the bot: really signed activities over HTTP."""

from __future__ import annotations

from typing import Any

import httpx

from sandbox.teams.framework import BotFramework
from sandbox.teams.people import Person
from sandbox.teams.tenants import Tenant
from tests.support.teams.signing import bearer

PATH = "/api/messages"


class Member(Person):
    """One user of a tenant, and what they send."""

    def __init__(
        self, framework: BotFramework, tenant: Tenant, client: httpx.AsyncClient, told: dict[str, Any]
    ) -> None:
        super().__init__(framework, tenant, told)
        self.client = client

    async def sends(self, activity: Any, **different: Any) -> httpx.Response:
        """Send an activity with a token, genuine but for what is `different`; see `bearer`."""
        headers = bearer(self.tenant.app_id, self.tenant.service_url, **different)
        return await self.client.post(PATH, json=activity, headers=headers)
