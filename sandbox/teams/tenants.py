"""Tenants of the fake Bot Framework: who is in them, and what was said there."""

from __future__ import annotations

import secrets
import uuid
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Sent:
    """A message of the bot's as it stands."""

    id: str
    conversation: str
    activity: dict[str, Any]
    versions: int = 1


@dataclass
class Tenant:
    """One tenant with the app in it; `answers` are statuses and headers with which the next calls are refused."""

    id: str
    app_id: str
    secret: str
    service_url: str
    tokens: set[str] = field(default_factory=set)
    graph_tokens: set[str] = field(default_factory=set)
    groups: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    """What Microsoft Graph tells of who is in a group, by its object id."""
    members: dict[str, dict[str, Any]] = field(default_factory=dict)
    rosters: dict[str, set[str]] = field(default_factory=dict)
    """Ids of those who take part in a conversation; everybody, where it is not named."""
    chats: dict[str, str] = field(default_factory=dict)
    """The conversation that somebody has alone with the bot, by their id."""
    sent: list[Sent] = field(default_factory=list)
    typing: list[str] = field(default_factory=list)
    calls: list[tuple[str, str]] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    answers: list[tuple[int, dict[str, str]]] = field(default_factory=list)
    proofs: list[dict[str, str]] = field(default_factory=list)
    """What the app proved itself with, login by login."""
    login_status: int = 200

    @property
    def bot(self) -> str:
        return f"28:{self.app_id}"

    def member(self, email: str, name: str = "", **more: Any) -> dict[str, Any]:
        """Return what the roster says about somebody with that address, made if there is nobody."""
        if email and (known := self.known_as(email)):
            return known
        given, _, family = name.partition(" ")
        made = {"id": f"29:{secrets.token_urlsafe(24)}", "aadObjectId": str(uuid.uuid4()), "name": name, "email": email}
        made |= {"givenName": given, "surname": family, "userPrincipalName": email, "tenantId": self.id}
        self.members[made["id"]] = made | {"userRole": "user"} | more
        return self.members[made["id"]]

    def in_graph(self, member: dict[str, Any], **more: Any) -> dict[str, Any]:
        """Return what Microsoft Graph tells of a member, with `more` in its place."""
        told = {"@odata.type": "#microsoft.graph.user", "id": member["aadObjectId"], "mail": member["email"]}
        told |= {"userPrincipalName": member["userPrincipalName"], "userType": "Member", "accountEnabled": True}
        return told | more

    def known_as(self, name: str) -> dict[str, Any] | None:
        """Return whom an id, an object id or an address means."""
        named = (m for m in self.members.values() if name in (m["id"], m["aadObjectId"], m["email"]))
        return next(named, None)

    def shown_in(self, conversation: str) -> list[Sent]:
        """Return what the bot shows in a conversation, oldest first."""
        return [sent for sent in self.sent if sent.conversation == conversation]
