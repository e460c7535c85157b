"""Who a user of Slack is: a workspace's id and a user's id, tied to one corporate address; names decide nothing."""

from __future__ import annotations

import time
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any, Literal

from adapters.slack.envelope import CHANNEL
from adapters.slack.web import SlackRefused, Web
from adapters.slack.workspaces import Workspace
from bot.activity import Person
from bot.errors import Invalid
from bot.services import Services

FRESH = 600.0
"""Seconds for which Slack is not asked about a user again: so long a guest may still pass for a member."""
MOST = 10_000

Standing = Literal["member", "outsider", "nobody", "unknown"]
"""Outsiders are guests and people of other organisations; nobody is a bot or a closed account; of the unknown, Slack
shows no address."""


@dataclass(frozen=True)
class Found:
    """What is known about a user; `person` is set for members only."""

    standing: Standing
    person: Person | None = None


class Persons:
    """Finds people; Slack's word is kept for a few minutes."""

    def __init__(self, services: Services, web: Web) -> None:
        self._services, self._web = services, web
        self._told: OrderedDict[tuple[str, str], tuple[float, dict[str, Any]]] = OrderedDict()

    async def find(self, workspace: Workspace, user: str, home: str) -> Found:
        """Return who a user is; `home` is the team that the event says is theirs. Raises Unavailable, RateLimited."""
        ids = platform_ids(workspace, user)
        named = next((e for i in ids if (e := self._services.directory.email_of(CHANNEL, i))), "")
        if named and home in ("", workspace.team_id, workspace.enterprise_id):
            return Found("member", await self._tie(ids[0], named, {}))
        if not workspace.enterprise_id and home not in ("", workspace.team_id):
            return Found("outsider")
        told = await self.told(workspace, user)
        if told is None or told.get("deleted") or told.get("is_bot") or told.get("is_workflow_bot"):
            return Found("nobody")
        if _is_outside(told, workspace):
            return Found("outsider")
        known = await self._services.people.of_identity(CHANNEL, ids[0])
        if known is not None:
            return Found("member", known)
        profile = told.get("profile") or {}
        address = str(profile.get("email") or "")
        if not address:
            return Found("unknown")
        try:
            return Found("member", await self._tie(ids[0], address, profile))
        except Invalid:
            return Found("unknown")

    async def _tie(self, platform_id: str, address: str, profile: dict[str, Any]) -> Person:
        """Return the person of an address, known from now on by that platform id too."""
        person = await self._services.people.of_email(
            address,
            name=str(profile.get("real_name") or ""),
            given_name=str(profile.get("first_name") or ""),
            family_name=str(profile.get("last_name") or ""),
        )
        tied = await self._services.people.of_identity(CHANNEL, platform_id)
        if tied is None:
            await self._services.people.link(CHANNEL, platform_id, person)
        return person

    async def told(self, workspace: Workspace, user: str) -> dict[str, Any] | None:
        """Return what Slack says about a user, None when there is none."""
        key, now = (workspace.home, user), time.monotonic()
        kept = self._told.get(key)
        if kept and now - kept[0] < FRESH:
            return kept[1]
        try:
            answer = await self._web.call(workspace.token, "users_info", user=user)
        except SlackRefused as error:
            if error.code in ("user_not_found", "user_not_visible"):
                return None
            raise
        found: dict[str, Any] = answer.get("user") or {}
        self._told[key] = (now, found)
        if len(self._told) > MOST:
            self._told.popitem(last=False)
        return found

    async def user_of(self, workspace: Workspace, email: str) -> str:
        """Return the id of the member with that address, empty when there is none in the workspace."""
        for listed in self._services.directory.identities_of(CHANNEL, email):
            home, _, user = listed.partition("/")
            if home in (workspace.team_id, workspace.enterprise_id):
                return user
        try:
            answer = await self._web.call(workspace.token, "users_lookupByEmail", email=email)
        except SlackRefused as error:
            if error.code == "users_not_found":
                return ""
            raise
        told: dict[str, Any] = answer.get("user") or {}
        if told.get("deleted") or told.get("is_bot") or _is_outside(told, workspace):
            return ""
        return str(told.get("id") or "")


def platform_ids(workspace: Workspace, user: str) -> tuple[str, ...]:
    """Return the ids under which a user may be known, the one that ties are made with first.

    In an organisation a user is the same in all its workspaces.
    """
    if workspace.enterprise_id:
        return (f"{workspace.enterprise_id}/{user}", *((f"{workspace.team_id}/{user}",) if workspace.team_id else ()))
    return (f"{workspace.team_id}/{user}",)


def _is_outside(told: dict[str, Any], workspace: Workspace) -> bool:
    """Tell whether somebody is a guest, or belongs to another organisation."""
    if told.get("is_restricted") or told.get("is_ultra_restricted") or told.get("is_stranger"):
        return True
    organisation = str((told.get("enterprise_user") or {}).get("enterprise_id") or "")
    if workspace.enterprise_id:
        return bool(organisation) and organisation != workspace.enterprise_id
    return str(told.get("team_id") or workspace.team_id) != workspace.team_id
