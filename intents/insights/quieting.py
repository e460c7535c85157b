"""Quiet hours of the watches that there are: kept from now on, or ended, in the room in which it is said."""

from __future__ import annotations

from collections.abc import Sequence

from bot.card import Button, Card, Facts, Text
from bot.errors import Invalid
from bot.intent import Answer, Ask
from bot.services import Services
from bot.watches import INSIGHTS, Watch
from intents.insights.asking import Watcher
from intents.insights.filters import read_filters
from intents.insights.orders import HERE, OWN
from intents.insights.rooms import room_of, room_words
from intents.insights.scope import scope_of
from intents.insights.wishes import Wish

_HOW = "Say “tell us here about high severity insights, but not at night”, for example, to begin one."
_AFTERWARDS = "What comes meanwhile is told as a summary afterwards."


async def change_quiet(services: Services, watcher: Watcher, ask: Ask, wish: Wish) -> Answer:
    """Have the watches of a room keep quiet hours, or none; raises Invalid where there is no such watch."""
    room = await room_of(services, OWN if wish.is_own else HERE, ask)
    active = await services.watches.active(INSIGHTS, room.id)
    where = room_words(room)
    if not active:
        raise Invalid(f"I tell {where} about no insights of my own accord, so I disturb nobody.", next_step=_HOW)
    meant = await _about(services, watcher, active, wish.about)
    if not meant:
        known = " and about ".join(watch.words for watch in active)
        raise Invalid(f"There is no such watch for {where}. I tell it about {known}.", next_step="Name one of these.")
    words = " and about ".join(watch.words for watch in meant)
    if wish.quiet is None:
        if not any(watch.quiet for watch in meant):
            return Answer(f"I keep no quiet hours for {where}: I tell about {words} at any time.")
        await services.watches.keep_quiet([watch.id for watch in meant], None, ask.person)
        return Answer(f"I tell {where} about {words} at any time again.")
    await services.watches.keep_quiet([watch.id for watch in meant], wish.quiet, ask.person)
    hours = wish.quiet.phrase.removeprefix("quiet ")
    text = f"From now on I tell {where} nothing about {words} {hours}. {_AFTERWARDS}"
    card = Card(
        "I keep quiet",
        (Text(text), Facts((("Quiet", hours), ("About", words)))),
        (Button("End the quiet hours", "say", f"end {'my' if wish.is_own else 'our'} quiet hours"),),
        tone="good",
    )
    return Answer(text, card)


async def _about(services: Services, watcher: Watcher, active: Sequence[Watch], about: str) -> list[Watch]:
    """Return the watches that are about what is named, all where nothing is."""
    if not about:
        return list(active)
    names, regions = await watcher.surroundings()
    filters = read_filters(about, {}, services.clock.now(), names.organization, regions)
    scope = scope_of(filters, names.organization)
    return [watch for watch in active if all(watch.scope.get(name) == value for name, value in scope.items())]
