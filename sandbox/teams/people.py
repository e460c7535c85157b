"""People of a tenant: what they do, as Teams tells a bot of it."""

from __future__ import annotations

import html
import uuid
from typing import Any

from sandbox.teams.framework import BotFramework
from sandbox.teams.tenants import Tenant


class Person:
    """One user of a tenant."""

    def __init__(self, framework: BotFramework, tenant: Tenant, told: dict[str, Any]) -> None:
        self.framework, self.tenant, self.told = framework, tenant, told
        self.personal = tenant.chats.setdefault(told["id"], f"a:{uuid.uuid4().hex}")

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

    def installs(self) -> list[Any]:
        """Return the two activities with which Teams tells that the app was installed for this person."""
        added = [{"id": self.told["id"]}, {"id": self.tenant.bot}]
        told = [
            self.activity("installationUpdate", action="add"),
            self.activity("conversationUpdate", membersAdded=added),
        ]
        return [{**activity, "id": f"f:{uuid.uuid4()}"} for activity in told]

    def message(self, text: str, **more: Any) -> Any:
        """Return words to the bot in the personal chat."""
        return self.activity("message", text=html.escape(text, quote=False), textFormat="plain", **more)

    def mention(self, text: str, conversation: str, conversation_type: str = "channel") -> Any:
        """Return words that mention the bot in a channel's thread or a group chat."""
        name = "<at>Quartermaster</at>"
        entity = {"type": "mention", "text": name, "mentioned": {"id": self.tenant.bot, "name": "Quartermaster"}}
        words = f"{name}&nbsp;{html.escape(text, quote=False)}\r\n"
        return self.activity("message", conversation, conversation_type, text=words, entities=[entity])

    def press(
        self, action: dict[str, Any], conversation: str = "", conversation_type: str = "personal", **filled: str
    ) -> Any:
        """Return the press of a button, with what was filled into the card's inputs."""
        pressed = {**action, "data": {**action.get("data", {}), **filled}} if filled else action
        value = {"action": pressed, "trigger": "manual"}
        return self.activity("invoke", conversation, conversation_type, name="adaptiveCard/action", value=value)
