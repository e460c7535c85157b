"""Channels and direct conversations of Slack as rooms that are told of the bot's own accord."""

from __future__ import annotations

import re
from typing import Any

from sqlalchemy import select

from adapters.slack.envelope import CHANNEL
from adapters.slack.places import Places
from adapters.slack.web import SlackRefused, Web
from adapters.slack.workspaces import Workspace, Workspaces
from bot.activity import Person
from bot.database.tables import identities
from bot.errors import Invalid
from bot.rooms import Room
from bot.services import Services

PAGES = 20
"""Pages of a workspace's channels that are looked through for a name, 500 a page."""
_ID = re.compile(r"C[A-Z0-9]{8,30}")


class SlackRooms:
    """See bot.rooms.RoomFinder. A room's id is a conversation's without its thread."""

    def __init__(self, services: Services, web: Web, workspaces: Workspaces, places: Places) -> None:
        self._services, self._web, self._workspaces, self._places = services, web, workspaces, places

    def room_of(self, conversation: str) -> str:
        """Return the channel of a thread, or the direct conversation itself."""
        return ":".join(conversation.split(":")[:3])

    async def own_room(self, person: Person, conversation: str) -> str:
        """Return somebody's direct conversation in the workspace in which they speak."""
        _, home, where = conversation.split(":")[:3]
        if where.startswith("@"):
            return conversation
        query = select(identities.c.platform_id).where(
            identities.c.channel == CHANNEL, identities.c.person_id == person.id
        )
        async with self._services.database.read() as connection:
            known = [str(found).partition("/") for found in (await connection.execute(query)).scalars()]
        user = next((user for of, _, user in known if of == home), known[0][2] if known else "")
        return f"{CHANNEL}:{home}:@{user}" if user else ""

    async def find(self, name: str, conversation: str) -> Room | None:
        """Return the public channel of that name or id; raises Invalid when the bot must not write there."""
        channel, home = conversation.split(":")[:2]
        served = await self._workspaces.everywhere()
        for workspace in sorted(served, key=lambda w: channel == CHANNEL and w.home != home):
            found = await self._channel(workspace, name)
            if found is None:
                continue
            shown = f"#{found.get('name') or name}"
            if not found.get("is_member"):
                raise Invalid(f"I am not a member of {shown}.", next_step=f"Invite me to {shown} first.")
            if await self._places.is_shared(workspace.token, workspace.team_id, str(found["id"])):
                raise Invalid(
                    f"People from other organisations read {shown}, so I tell nothing there.",
                    next_step="Name another channel.",
                )
            return Room(f"{CHANNEL}:{workspace.home}:{found['id']}", shown)
        return None

    async def _channel(self, workspace: Workspace, name: str) -> dict[str, Any] | None:
        try:
            if _ID.fullmatch(name):
                told = await self._web.call(workspace.token, "conversations_info", channel=name)
                return dict(told.get("channel") or {}) or None
            cursor = ""
            for _ in range(PAGES):
                told = await self._web.call(
                    workspace.token,
                    "conversations_list",
                    types="public_channel",
                    exclude_archived=True,
                    limit=500,
                    **({"cursor": cursor} if cursor else {}),
                )
                for channel in told.get("channels") or ():
                    if str(channel.get("name")).casefold() == name.casefold():
                        return dict(channel)
                cursor = str((told.get("response_metadata") or {}).get("next_cursor") or "")
                if not cursor:
                    break
        except SlackRefused:
            return None
        return None
