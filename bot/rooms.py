"""Where something can be told of the bot's own accord: a channel, a chat, somebody's own conversation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from bot.activity import Person
from bot.errors import Invalid
from bot.intent import Ask


@dataclass(frozen=True)
class Room:
    """A conversation that messages are written to, and how people call it: "#ops", "here", "you"."""

    id: str
    name: str


class RoomFinder(Protocol):
    """What one channel knows of its rooms."""

    def room_of(self, conversation: str) -> str:
        """Return the id of the room that a conversation takes place in: the channel of a thread, mostly itself."""
        ...

    async def own_room(self, person: Person, conversation: str) -> str:
        """Return the id of somebody's own conversation with the bot, empty when there is none."""
        ...

    async def find(self, name: str, conversation: str) -> Room | None:
        """Return the room of that name, None when there is none. Raises Invalid when the bot can't write there."""
        ...


class Rooms:
    """Asks whichever channel knows."""

    def __init__(self) -> None:
        self._finders: dict[str, RoomFinder] = {}

    def connect(self, channel: str, finder: RoomFinder) -> None:
        """Add what knows the rooms of the conversations whose id begins with the channel's name."""
        self._finders[channel] = finder

    def room_of(self, conversation: str) -> str:
        """Return the room of a conversation; on channels without rooms it is its own."""
        finder = self._finders.get(conversation.partition(":")[0])
        return finder.room_of(conversation) if finder else conversation

    def here(self, ask: Ask) -> Room:
        """Return the room in which somebody speaks."""
        return Room(self.room_of(ask.conversation), "here")

    async def own(self, ask: Ask) -> Room:
        """Return the person's own conversation; where they speak now, on channels without others."""
        finder = self._finders.get(ask.conversation.partition(":")[0])
        found = await finder.own_room(ask.person, ask.conversation) if finder else ask.conversation
        return Room(found or self.room_of(ask.conversation), "you")

    async def named(self, name: str, ask: Ask) -> Room:
        """Return the room of that name, first of the channel in which it is asked for. Raises Invalid."""
        first = ask.conversation.partition(":")[0]
        for channel in sorted(self._finders, key=lambda channel: channel != first):
            if room := await self._finders[channel].find(name, ask.conversation):
                return room
        raise Invalid(
            f"I know no channel called #{name}.",
            next_step="Say it in that channel instead: “tell us here about …”. I have to be a member of it.",
        )
