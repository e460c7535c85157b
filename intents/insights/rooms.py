"""Which room a watch is for, as it is said, and how it is called back."""

from __future__ import annotations

from bot.intent import Ask
from bot.rooms import Room
from bot.services import Services
from intents.insights.orders import HERE, OWN


async def room_of(services: Services, said: str, ask: Ask) -> Room:
    """Return the room that is meant; raises Invalid for one that is not known, or that the bot can't write to."""
    if said == HERE:
        return services.rooms.here(ask)
    if said == OWN:
        return await services.rooms.own(ask)
    return await services.rooms.named(said, ask)


def room_words(room: Room, here: str = "") -> str:
    """Return how a room is called to those who are in it, or in the one of the id `here`."""
    if room.id == here:
        return "here"
    return {HERE: "you here"}.get(room.name, room.name)
