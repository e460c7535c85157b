"""The page of what is told of the bot's own accord: the watches, what is muted, what is held back for a summary."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from adapters.console.forms import read_form, safe_path
from adapters.console.pages import Pages
from adapters.console.routes import ConsoleRouter
from adapters.console.visits import Doorkeeper, Visit, visit_of
from bot.activity import Person
from bot.errors import Invalid, NotFound, QuartermasterError, Refused
from bot.rooms import Room
from bot.services import Services
from bot.watches import INSIGHTS, Held, Watch, about_account

PATH = "/insights/told"
LENGTHS: Mapping[str, str] = {"1": "1 hour", "2": "2 hours", "8": "8 hours", "24": "a day", "168": "a week"}
"""For how long something may be muted: hours, and how they are called."""
_SUBJECT = re.compile(r"insight:[\w-]{1,100}|account:\d{12}")


@dataclass(frozen=True)
class Told:
    """One watch as the page shows it, with what is held back for it."""

    watch: Watch
    where: str
    held: Sequence[Held]


@dataclass(frozen=True)
class Muted:
    """Something that a room does not hear of until a time."""

    room: Room
    where: str
    subject: str
    words: str
    until: datetime


class WatchPages:
    """The routes /insights/told…; people mute where they speak now, and where they began a watch."""

    def __init__(self, services: Services, doorkeeper: Doorkeeper, pages: Pages) -> None:
        self._services, self._doorkeeper, self._pages = services, doorkeeper, pages

    def add_to(self, router: ConsoleRouter) -> None:
        """Add the routes; before those of single insights, which take any last part."""
        router.add("GET", PATH, self.show)
        router.add("POST", f"{PATH}/mute", self.mute)
        router.add("POST", f"{PATH}/unmute", self.unmute)

    async def show(self, request: Request) -> Response:
        """Who is told what, what is muted until when, and the summaries to come."""
        visit = visit_of(request)
        person = self._doorkeeper.require(visit)
        self._admit(person, "InsightsWatchList")
        active = await self._services.watches.active(INSIGHTS)
        shown = [w for w in active if w.person_id == person.id or w.room.name.startswith("#")]
        held = await self._services.watches.untold([watch.id for watch in shown])
        return self._pages.answer(
            request,
            "told.html",
            told=[
                Told(w, words_of(w.room, visit), [h for h in held if h.watch_id == w.id])
                for w in sorted(shown, key=lambda watch: watch.person_id != person.id)
            ],
            muted=await self._muted(rooms_of(visit, person, active), visit),
        )

    async def mute(self, request: Request) -> Response:
        """Keep quiet about an insight or an account in a room of the person's own."""
        return await self._change(request, ends=False)

    async def unmute(self, request: Request) -> Response:
        """Tell of it again; what was held back is told at once."""
        return await self._change(request, ends=True)

    async def _change(self, request: Request, *, ends: bool) -> Response:
        visit = visit_of(request)
        person = self._doorkeeper.require(visit)
        form = await read_form(request, visit.session)
        self._admit(person, "InsightMute")
        room, subject, hours = (form.get(name, "") for name in ("room", "subject", "hours"))
        if room not in {one.id for one in rooms_of(visit, person, await self._services.watches.active(INSIGHTS))}:
            raise Refused(
                "This is no room of yours.", next_step="Say it in that channel instead: “mute this for 2 hours”."
            )
        if not _SUBJECT.fullmatch(subject):
            raise Invalid("This is nothing that can be muted.", field="subject")
        if not ends and hours not in LENGTHS:
            raise Invalid("Choose for how long.", field="hours", choices=tuple(LENGTHS.values()))
        length = timedelta(0) if ends else timedelta(hours=int(hours))
        await self._services.watches.mute(room, subject, self._services.clock.now() + length, person)
        return RedirectResponse(safe_path(form.get("back", PATH)), 303)

    async def _muted(self, rooms: Sequence[Room], visit: Visit) -> list[Muted]:
        found = []
        for room in rooms:
            for subject, until in await self._services.watches.muted(room.id):
                words = await self._words_of(subject)
                found.append(Muted(room, words_of(room, visit), subject, words, until))
        return found

    async def _words_of(self, subject: str) -> str:
        kind, _, name = subject.partition(":")
        if subject != about_account(name):
            return f"{kind} {name}"
        return await account_words(self._services, name)

    def _admit(self, person: Person, intent_name: str) -> None:
        intent = self._services.registry.get(intent_name)
        if intent is None:
            raise NotFound("Nothing is told here of the bot's own accord.")
        decision = self._services.policy.may_ask(person, intent.definition, intent.shape, {}, channel="console")
        if not decision.allowed:
            raise Refused(f"You may not ask for this. {decision.reason}", policy=decision.policy)


async def account_words(services: Services, account: str) -> str:
    """Return an account's name with its id; the id alone where AWS can't be asked."""
    try:
        known = (await services.organization.recent()).account(account)
    except QuartermasterError:
        return account
    return f"{known['Name']} ({account})" if known else account


def rooms_of(visit: Visit, person: Person, active: Sequence[Watch]) -> list[Room]:
    """Return the rooms in which a person may mute from the console: the conversation shown, and where they watch."""
    own = {visit.conversation: Room(visit.conversation, "here")}
    own |= {watch.room.id: watch.room for watch in active if watch.person_id == person.id}
    return list(own.values())


def words_of(room: Room, visit: Visit) -> str:
    """Return how a room is called on a page: "here" is said from within it."""
    if room.id == visit.conversation:
        return "your conversation in the console"
    if room.name.startswith("#"):
        return room.name
    channel = room.id.partition(":")[0]
    return f"{'you' if room.name == 'you' else 'a conversation'}, by {channel}"
