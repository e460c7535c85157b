"""Talks with the shipped bot: its own intents, dialogue and engine, in an organization made for tests."""

from __future__ import annotations

import itertools
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from adapters.lex.local import LocalRecognizer
from bot.activity import Activity
from bot.clock import SystemClock
from bot.database.migrating import migrate
from bot.dialogue import Dialogue
from bot.dialogue.session import Sessions
from bot.errors import NotFound
from bot.intent import Answer, Ask, Query, Registry
from bot.lexshape import lex_definition
from bot.main import build_services, discover
from bot.misses import Misses
from bot.services import Services
from bot.settings import Settings
from tests.understanding.organization import Organization

SENTENCES = Path(__file__).with_name("sentences.jsonl")
OPENING = "I need a new account on AWS"
MAILBOX = "ops@corp.example"
POINTS: Mapping[str, Mapping[str, str]] = {
    "type": {},
    "email": {"AccountType": "Sandbox"},
    "ou": {"AccountType": "Sandbox", "RootEmail": MAILBOX},
    "confirm": {"AccountType": "Sandbox", "RootEmail": MAILBOX, "AccountOU": "Demos"},
}
"""Points in the order's conversation from which a sentence is said, by what has been answered by then."""


@dataclass(frozen=True)
class Sentence:
    """What is said from a point, and where it must lead.

    `then`: "asks <slot>", "ready" (the plan is shown), "placed", "dropped", "nothing" (not understood), a query's
    name, "no order" (anything but a form), or several of these joined by " or ".
    """

    says: tuple[str, ...]
    start: str
    then: str
    slots: Mapping[str, str] | None
    request: str
    held_out: bool


@dataclass
class Reached:
    """Where a sentence led."""

    then: str
    slots: Mapping[str, str]
    request: str
    texts: list[str] = field(default_factory=list)

    def satisfies(self, sentence: Sentence) -> bool:
        """Whether this is what the sentence meant."""
        wanted = sentence.then.split(" or ")
        ordering = self.then.startswith("asks ") or self.then in {"ready", "placed"}
        if self.then not in wanted and not ("no order" in wanted and not ordering):
            return False
        if sentence.slots is not None and dict(sentence.slots) != dict(self.slots):
            return False
        return not sentence.request or self.request.casefold() == sentence.request


def read_sentences() -> list[Sentence]:
    """All sentences of the data file, in its order."""
    entries = (json.loads(line) for line in SENTENCES.read_text("utf-8").splitlines())
    return [
        Sentence(
            says=tuple(entry["says"]) if isinstance(entry["says"], list) else (entry["says"],),
            start=entry["from"],
            then=entry["then"],
            slots=entry.get("slots"),
            request=entry.get("request", ""),
            held_out=entry["held_out"],
        )
        for entry in entries
    ]


class Talks:
    """Plays sentences, each in a conversation of its own."""

    def __init__(self, services: Services) -> None:
        self._services = services
        services.registry = discover(services)
        self._asked: list[tuple[str, str]] = []
        for intent in services.registry.intents.values():
            if isinstance(intent, Query):
                self._note_questions(intent)
        self.definition = lex_definition(services.registry)
        self._dialogue = Dialogue(services, LocalRecognizer(self.definition))
        self._sessions = Sessions(services.database, services.clock)
        self._numbers = itertools.count()

    @property
    def registry(self) -> Registry:
        """The intents that are talked with."""
        return self._services.registry

    @property
    def misses(self) -> Misses:
        """What was not understood."""
        return self._services.misses

    def _note_questions(self, query: Query) -> None:
        """Note what is asked of a query; requests named in sentences do not exist, which is an answer too."""
        really = query.answer

        async def answer(ask: Ask) -> Answer:
            self._asked.append((query.definition.name, ask.slots.get("RequestId", "")))
            try:
                return await really(ask)
            except NotFound as missing:
                return Answer(missing.sentence())

        query.answer = answer  # type: ignore[method-assign]

    async def play(self, sentence: Sentence) -> Reached:
        """Bring a conversation to the sentence's point, say it, and tell where that led."""
        person = await self._services.people.of_email("ana@corp.example", given_name="Ana", family_name="Lopez")
        conversation = f"talk:{next(self._numbers)}"

        async def tell(**what: Any) -> tuple[list[str], str]:
            key = f"{conversation}:{next(self._numbers)}"
            activity = Activity(key, "test", conversation, person, **what)
            decided = await self._dialogue.handle(activity)
            await self._services.database.write(decided.commit)
            return [answer.text for answer in decided.answers], decided.request

        if sentence.start in POINTS:
            await tell(text=OPENING)
            for slot, value in POINTS[sentence.start].items():
                await tell(kind="press", verb="fill", value=f"{slot}={value}")
        self._asked.clear()
        texts: list[str] = []
        request = ""
        for text in sentence.says:
            self._asked.clear()
            texts, request = await tell(text=text)
        session = await self._sessions.load(Activity("look", "test", conversation, person))
        form = session.form
        slots = dict(form.slots) if form else {}
        if self._asked:
            name, about = self._asked[-1]
            return Reached(name, slots, about, texts)
        if request:
            await self._services.requests.cancel(request, person, surface="test")
            return Reached("placed", slots, "", texts)
        if form:
            return Reached("ready" if form.digest else f"asks {form.asking}", slots, "", texts)
        return Reached("dropped" if sentence.start in POINTS else "nothing", slots, "", texts)


@asynccontextmanager
async def open_talks(folder: Path, **given: Any) -> AsyncIterator[Talks]:
    """Talks on a fresh database in a folder, with these settings."""
    settings = Settings(database_url=f"sqlite:///{folder}/talks.sqlite", var_dir=folder, **given)
    migrate(settings.database_url)
    services = build_services(settings, SystemClock(), Organization())
    await services.database.start()
    try:
        yield Talks(services)
    finally:
        await services.database.close()
