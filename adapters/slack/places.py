"""Where to say something: a thread, a person's own conversation, or the eyes of who typed a command."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import select

from adapters.slack.envelope import CHANNEL
from adapters.slack.persons import Persons
from adapters.slack.web import SlackRefused, Web
from adapters.slack.workspaces import Workspace, Workspaces
from bot.database.tables import identities, requests
from bot.errors import Unavailable
from bot.services import Services

FRESH = 300.0
"""Seconds for which Slack is not asked again whether a channel is shared with other organisations."""
MOST = 10_000


@dataclass(frozen=True)
class Place:
    """A channel and thread, or with neither the person's own conversation, whose id is `dm` if it is known."""

    team: str
    token: str
    enterprise: str = ""
    """The organisation whose installation the token is of; empty for a workspace's own."""
    user: str = ""
    channel: str = ""
    thread: str = ""
    dm: str = ""
    response_url: str = ""

    @property
    def served(self) -> str:
        """The workspace as `Places.token_of` finds it again."""
        return f"{self.team}@{self.enterprise}" if self.enterprise else self.team

    def in_person(self) -> Place:
        """Return the person's own conversation instead."""
        return replace(self, channel="", thread="", response_url="")


def place_of(served: str, channel: str, ts: str) -> str:
    """Return the name of a message's place; `served` is that of its `Place`."""
    return f"{served}/{channel}/{ts}"


def pace_of_place(place: str) -> str:
    """Return the outbox's name for everything that is written to a message's channel, in order."""
    served, channel, _ = place.split("/")
    return _pace_of(served.partition("@")[0], channel)


def pace_of_conversation(conversation: str) -> str:
    """Return the outbox's name for everything that is written to a conversation's channel, in order."""
    _, team, where, *_ = [*conversation.split(":"), "", ""]
    return _pace_of(team, where)


def _pace_of(team: str, channel: str) -> str:
    return f"{CHANNEL}:{team}:{channel}"[:255]


class Places:
    """Finds places; what is pushed goes to no channel that other organisations read."""

    def __init__(self, services: Services, web: Web, workspaces: Workspaces, persons: Persons) -> None:
        self._services, self._web, self._workspaces, self._persons = services, web, workspaces, persons
        self._direct: OrderedDict[tuple[str, str], str] = OrderedDict()
        self._shared: OrderedDict[tuple[str, str], tuple[float, bool]] = OrderedDict()

    async def find(
        self, conversation: str, answered: Mapping[str, Any], *, is_push: bool, request: str = ""
    ) -> Place | None:
        """Return where a conversation takes place; None when there is nowhere that may be used.

        `answered` is the address of what is answered, empty when the bot speaks of its own accord; what it says then
        is for who placed `request`, or another in that conversation, whoever spoke there last.
        """
        address: Mapping[str, Any] = answered
        if not address:
            record = await self._services.conversations.get(conversation)
            address = record.address if record and record.address.get("team") else _parsed(conversation)
        team = str(address.get("team") or "")
        workspace = await self._workspaces.find(
            team, str(address.get("enterprise") or ""), bool(address.get("is_enterprise_install"))
        )
        if workspace is None:
            return None
        place = Place(
            team=team or workspace.team_id,
            token=workspace.token,
            enterprise=str(address.get("enterprise") or ""),
            user=str(address.get("user") or ""),
            channel=str(address.get("channel") or ""),
            thread=str(address.get("thread") or ""),
            dm=str(address.get("dm") or ""),
            response_url=str(answered.get("response_url") or "") if answered else "",
        )
        if not is_push:
            return place
        if not place.channel:
            return replace(place, thread="")  # the thread of the last message has nothing to do with it
        place = replace(place, user=await self._requester(conversation, request, workspace) or place.user)
        if await self.is_shared(place.token, place.team, place.channel):
            return place.in_person() if place.user else None
        return place

    async def _requester(self, conversation: str, request: str, workspace: Workspace) -> str:
        """Return the user who placed a request, or a conversation's newest; empty when Slack does not know them."""
        which = requests.c.id == request if request else requests.c.conversation == conversation
        query = (
            select(identities.c.platform_id)
            .join(requests, requests.c.person_id == identities.c.person_id)
            .where(which, identities.c.channel == CHANNEL)
            .order_by(requests.c.created_at.desc(), identities.c.created_at.desc())
        )
        async with self._services.database.read() as connection:
            for platform_id in (await connection.execute(query)).scalars():
                home, _, user = platform_id.partition("/")
                if home in (workspace.team_id, workspace.enterprise_id):
                    return str(user)
        return ""

    async def of_approver(self, email: str) -> Place | None:
        """Return where to ask somebody for approval, or with no address where to ask everybody; None for nowhere."""
        for workspace in await self._workspaces.everywhere():
            if not email:
                channel = self._services.settings.slack_approvals_channel
                team = workspace.team_id or workspace.enterprise_id
                if not await self.is_shared(workspace.token, team, channel):
                    return Place(team, workspace.token, workspace.enterprise_id, channel=channel)
            elif user := await self._persons.user_of(workspace, email):
                return self.in_person(workspace, user)
        return None

    def in_person(self, workspace: Workspace, user: str) -> Place:
        """Return a user's own conversation with the bot."""
        team = workspace.team_id or workspace.enterprise_id
        return Place(team, workspace.token, workspace.enterprise_id, user=user)

    async def token_of(self, served: str) -> str:
        """Return the token of a workspace by its `Place.served`, empty when it is not served any more."""
        team, _, enterprise = served.partition("@")
        workspace = await self._workspaces.find(team, enterprise)
        if workspace is None and enterprise:
            workspace = await self._workspaces.find(team, enterprise, True)
        return workspace.token if workspace else ""

    async def channel_of(self, place: Place) -> str:
        """Return the id of the channel to write to; a person's own conversation is opened if need be."""
        if place.channel or place.dm:
            return place.channel or place.dm
        key = (place.team, place.user)
        if key not in self._direct:
            told = await self._web.call(place.token, "conversations_open", users=place.user)
            channel = str((told.get("channel") or {}).get("id") or "")
            if not channel:
                raise Unavailable("Slack opened no conversation.")
            self._direct[key] = channel
            if len(self._direct) > MOST:
                self._direct.popitem(last=False)
        return self._direct[key]

    async def is_shared(self, token: str, team: str, channel: str) -> bool:
        """Tell whether a channel is read by people of other organisations; one that can't be looked into counts so."""
        key, now = (team, channel), time.monotonic()
        kept = self._shared.get(key)
        if kept and now - kept[0] < FRESH:
            return kept[1]
        try:
            told = (await self._web.call(token, "conversations_info", channel=channel)).get("channel") or {}
            shared = bool(told.get("is_ext_shared") or told.get("is_pending_ext_shared"))
        except SlackRefused:
            shared = True
        self._shared[key] = (now, shared)
        if len(self._shared) > MOST:
            self._shared.popitem(last=False)
        return shared


def _parsed(conversation: str) -> dict[str, Any]:
    """Return the address in a conversation's id: slack:T…:@U…, slack:T…:C… or slack:T…:C…:<ts>, or with E… for T…."""
    _, home, where, *thread = [*conversation.split(":"), "", ""][:4]
    whose: dict[str, Any] = {"team": home}
    if home.startswith("E"):
        whose = {"team": "", "enterprise": home, "is_enterprise_install": True}
    if where.startswith("@"):
        return {**whose, "user": where[1:]}
    return {**whose, "channel": where, "thread": thread[0] if thread else ""}
