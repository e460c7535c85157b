"""People of a tenant: what they do reaches the bot as really signed activities, what they see is what Teams shows."""

from __future__ import annotations

import html
import uuid
from typing import Any

import httpx

from tests.support.teams.signing import bearer
from tests.support.teams.standin import BotFramework, Tenant

PATH = "/api/messages"


class Member:
    """One user of a tenant, and what they send."""

    def __init__(
        self, framework: BotFramework, tenant: Tenant, client: httpx.AsyncClient, told: dict[str, Any]
    ) -> None:
        self.framework, self.tenant, self.client, self.told = framework, tenant, client, told
        self.personal = f"a:{uuid.uuid4().hex}"

    def activity(self, kind: str, conversation: str = "", conversation_type: str = "personal", **more: Any) -> Any:
        """Return an activity of this person's, as Teams sends it."""
        return {
            "type": kind,
            "id": self.framework.number(),
            "timestamp": "2026-11-22T18:00:00.000Z",
            "serviceUrl": self.tenant.service_url,
            "channelId": "msteams",
            "from": {k: self.told[k] for k in ("id", "name", "aadObjectId") if k in self.told},
            "conversation": {
                "id": conversation or self.personal,
                "conversationType": conversation_type,
                "isGroup": conversation_type != "personal",
                "tenantId": self.tenant.id,
            },
            "recipient": {"id": self.tenant.bot, "name": "Quartermaster"},
            "channelData": {"tenant": {"id": self.tenant.id}},
            **more,
        }

    def message(self, text: str, **more: Any) -> Any:
        """Return words to the bot in the personal chat."""
        return self.activity("message", text=html.escape(text, quote=False), textFormat="plain", **more)

    def mention(self, text: str, conversation: str, conversation_type: str = "channel") -> Any:
        """Return words that mention the bot in a channel's thread or a group chat."""
        name = "<at>Quartermaster</at>"
        entity = {"type": "mention", "text": name, "mentioned": {"id": self.tenant.bot, "name": "Quartermaster"}}
        words = f"{name}&nbsp;{html.escape(text, quote=False)}\r\n"
        return self.activity("message", conversation, conversation_type, text=words, entities=[entity])

    def press(self, action: dict[str, Any], conversation: str = "", conversation_type: str = "personal") -> Any:
        """Return the press of a button."""
        value = {"action": action, "trigger": "manual"}
        return self.activity("invoke", conversation, conversation_type, name="adaptiveCard/action", value=value)

    async def sends(self, activity: Any, **different: Any) -> httpx.Response:
        """Send an activity with a token, genuine but for what is `different`; see `bearer`."""
        headers = bearer(self.tenant.app_id, self.tenant.service_url, **different)
        return await self.client.post(PATH, json=activity, headers=headers)
