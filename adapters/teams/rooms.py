"""Channels and chats of Teams as rooms that are told of the bot's own accord."""

from __future__ import annotations

import structlog

from adapters.teams.connector import TeamsRefused
from adapters.teams.places import THREAD, Places
from bot.activity import Person
from bot.rooms import Room

log = structlog.get_logger(__name__)


class TeamsRooms:
    """See bot.rooms.RoomFinder. Teams tells a bot no channel by its name: people say it in the channel itself."""

    def __init__(self, places: Places) -> None:
        self._places = places

    def room_of(self, conversation: str) -> str:
        """Return the channel of a thread, or the chat itself."""
        return conversation.partition(THREAD)[0]

    async def own_room(self, person: Person, conversation: str) -> str:
        """Return somebody's own chat with the bot, opened if need be."""
        if not conversation.split(":", 2)[-1].startswith("19:"):
            return conversation  # it is said there
        try:
            found = await self._places.of_person(person)
        except TeamsRefused as error:
            log.info("teams.no_chat", error=error.detail)
            return ""
        return found.id if found else ""

    async def find(self, name: str, conversation: str) -> Room | None:
        """Return None: no room has a name that is known here."""
        return None
