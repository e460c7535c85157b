"""The orders: tell a room about insights, what is told to whom, tell it no more."""

from __future__ import annotations

from dataclasses import replace

from bot.card import Button, Card, Facts, Item, Text
from bot.errors import Invalid
from bot.intent import Answer, Ask, Definition, Watch
from bot.services import Services
from bot.watches import INSIGHTS, about_account
from bot.watches import Watch as Kept
from bot.workflow.periodic import Job
from intents.insights import watch_definitions as definitions
from intents.insights.asking import Watcher
from intents.insights.cards import when
from intents.insights.filters import Filters, read_filters
from intents.insights.listing import describe_filters
from intents.insights.names import Names
from intents.insights.orders import HERE, OWN, Order, is_ending, is_order, read_order
from intents.insights.quieting import change_quiet
from intents.insights.rooms import room_of, room_words
from intents.insights.scope import scope_of
from intents.insights.watching import key_of
from intents.insights.wishes import read_wish

_NOT_DONE = "I have done nothing: I am not sure that you asked me to."


class InsightsWatch(Watch):
    """Begins to tell a room."""

    def __init__(self, services: Services, watcher: Watcher) -> None:
        super().__init__(services)
        self._watcher = watcher

    def define(self) -> Definition:
        """Return the definition."""
        return definitions.define_begin()

    async def answer(self, ask: Ask) -> Answer:
        """Begin, or change the quiet hours of what is told; raises Invalid for names and times that can't be."""
        if wish := read_wish(ask.text, self.services.settings.working_hours):
            return await change_quiet(self.services, self._watcher, ask, wish)
        if not is_order(ask.text):
            return Answer(f"{_NOT_DONE} To be told, say “{self.definition.examples[0]}”.")
        order = read_order(ask.text, self.services.settings.working_hours)
        filters, names = await _filters_of(self._watcher, self.services, order)
        room = await room_of(self.services, order.room, ask)
        words = describe_filters(replace(filters, state="new"), names)
        scope = scope_of(filters, names.organization)
        watch = await self.services.watches.begin(INSIGHTS, room, words, scope, order.quiet, ask.person)
        return _said(watch, order, self.services)


def _said(watch: Kept, order: Order, services: Services) -> Answer:
    text = (
        f"From now on I tell {room_words(watch.room)} about {watch.words}: one "
        "message each, with a chart, kept up to date, and below it what changes and when it is over."
    )
    rows = [("Told", room_words(watch.room)), ("About", watch.words)]
    if order.quiet:
        rows.append(
            (
                "Quiet",
                f"{order.quiet.phrase.removeprefix('quiet ')}; what comes meanwhile is told as a summary afterwards",
            )
        )
    items: list[Item] = [Text(text), Facts(tuple(rows))]
    if not services.settings.sns_allowed_topics:
        items.append(Text("⚠ SNS_ALLOWED_TOPICS is not set, so nothing is told to me yet. Ask your platform team."))
    buttons = (
        Button("What is open now?", "say", _scope_words(watch)),
        Button("What do you watch for?", "say", "what do you watch for?"),
    )
    return Answer(text, Card("I watch", tuple(items), buttons, tone="good"))


class InsightsWatchList(Watch):
    """Tells what is told to whom."""

    def __init__(self, services: Services, watcher: Watcher, jobs: tuple[Job, ...]) -> None:
        super().__init__(services)
        self._watcher, self.jobs = watcher, jobs

    def define(self) -> Definition:
        """Return the definition."""
        return definitions.define_list()

    async def answer(self, ask: Ask) -> Answer:
        """Return the watches of this room first, then the others that are for rooms of many, and what is muted."""
        services = self.services
        here = services.rooms.room_of(ask.conversation)
        own = (await services.rooms.own(ask)).id
        active = await services.watches.active(INSIGHTS)
        shown = sorted(
            (w for w in active if w.room.id in (here, own) or w.room.name[:1] == "#" or w.person_id == ask.person.id),
            key=lambda watch: watch.room.id != here,
        )
        muted = await services.watches.muted(here)
        items: list[Item] = []
        if shown:
            items.append(Facts(tuple((room_words(w.room, here), _watch_words(w)) for w in shown)))
        if others := len(active) - len(shown):
            items.append(Text(f"{others} more are other people's own.", subtle=True))
        if muted:
            rows = [
                (f"Muted: {await self._words_of(subject, here)}", f"until {when(until)}") for subject, until in muted
            ]
            items.append(Facts(tuple(rows)))
        count = f"{len(shown)} thing{'s' if len(shown) != 1 else ''}" if shown else "nothing here"
        title = f"I watch for {count}"
        if not shown:
            items.append(Text("Say “tell us here about high severity insights in Production”, for example."))
        card = Card(title, tuple(items))
        return Answer(card.as_text(), card)

    async def _words_of(self, subject: str, room: str) -> str:
        """Return what a mute is about: an account by its name, an insight as its card in this room is headed."""
        kind, _, name = subject.partition(":")
        if subject == about_account(name):
            names, _ = await self._watcher.surroundings()
            return f"the account {names.account(name)}"
        standing = await self.services.standing.get(key_of(room, name))
        card = standing.message.card if standing else None
        return card.title.partition(": ")[2] or card.title if card else f"{kind} {name}"


class InsightsWatchEnd(Watch):
    """Tells a room no more."""

    def __init__(self, services: Services, watcher: Watcher) -> None:
        super().__init__(services)
        self._watcher = watcher

    def define(self) -> Definition:
        """Return the definition."""
        return definitions.define_end()

    async def answer(self, ask: Ask) -> Answer:
        """End the watches of a room that fit what was said; which, if that leaves several, is asked back."""
        if wish := read_wish(ask.text, self.services.settings.working_hours):
            return await change_quiet(self.services, self._watcher, ask, wish)  # not at night is not never
        if not is_ending(ask.text):
            return Answer(f"{_NOT_DONE} To end a watch, say “{self.definition.examples[0]}”.")
        order = read_order(ask.text.replace("any more", " "), self.services.settings.working_hours)
        filters, names = await _filters_of(self._watcher, self.services, order)
        room = await room_of(self.services, order.room, ask)
        active = await self.services.watches.active(INSIGHTS, room.id)
        scope = scope_of(filters, names.organization)
        fitting = [w for w in active if all(w.scope.get(name) == value for name, value in scope.items())]
        if not fitting:
            known = f" I tell it about {' and about '.join(w.words for w in active)}." if active else ""
            where = room_words(room)
            raise Invalid(f"There is no such watch for {where}.{known}", next_step="Say “what do you watch for?”.")
        exact = [w for w in fitting if dict(w.scope) == scope]
        is_all = " all " in f" {ask.text.casefold()} "
        chosen = exact or fitting
        if len(chosen) > 1 and not is_all:
            buttons = tuple(
                Button(f"Stop: {w.words}"[:75], "say", f"stop telling {_said_room(order)} about {_scope_words(w)}")
                for w in chosen[:5]
            )
            told = _said_room(order)
            text = (
                f"There are {len(chosen)} watches for {room_words(room)}. Which shall I end? "
                f"For all of them say “stop telling {told} about all insights”."
            )
            return Answer(text, Card("Which one?", (Text(text),), buttons))
        await self.services.watches.end([w.id for w in chosen], ask.person)
        text = f"I tell {room_words(room)} no more about {' and about '.join(w.words for w in chosen)}."
        return Answer(text)


async def _filters_of(watcher: Watcher, services: Services, order: Order) -> tuple[Filters, Names]:
    names, regions = await watcher.surroundings()
    filters = read_filters(order.rest, {}, services.clock.now(), names.organization, regions)
    if filters.span is not None:
        raise Invalid(
            "A watch is for what is to come, so it has no time in the past.",
            next_step="Say “tell us here about high severity insights”, or ask for a list with a time.",
        )
    if filters.thing and filters.thing not in ("new", "all", "something", "anything", "breaks", "opens"):
        raise Invalid(
            f"I know no account, OU, Region or service that is called “{filters.thing[:60]}”.",
            next_step=f"If it is a stack, say “the stack {filters.thing[:60]}”.",
        )
    return replace(filters, thing="", state="", page=1), names


def _watch_words(watch: Kept) -> str:
    return watch.words + (f"; {watch.quiet.phrase}" if watch.quiet else "")


def _said_room(order: Order) -> str:
    return {HERE: "us", OWN: "me"}.get(order.room, f"#{order.room}")


def _scope_words(watch: Kept) -> str:
    return watch.words.removeprefix("new ")
