"""The chat: what is posted becomes an Activity in the inbox, what the bot says comes back as events."""

from __future__ import annotations

import asyncio
import itertools
import re
import time
import uuid
from collections.abc import AsyncIterator, Coroutine, Mapping
from dataclasses import dataclass
from typing import Any

import anyio
from sse_starlette import EventSourceResponse, ServerSentEvent
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from adapters.console.forms import read_form
from adapters.console.overview import Overview
from adapters.console.pages import TRANSIENT, Pages, is_partial
from adapters.console.routes import ConsoleRouter
from adapters.console.visits import Doorkeeper, Visit, visit_of
from bot.activity import MAX_TEXT, Activity, Person, clean_text
from bot.conversations import Message
from bot.errors import Invalid, Unavailable
from bot.services import Services

HISTORY = 100
"""Messages shown when the page opens."""

PATIENCE = 20.0
"""Seconds that a post from our script waits for the turn's end; events bring what comes later."""

PATIENCE_WITHOUT_SCRIPT = 8.0
"""Seconds that a plain form post waits, so that the next page holds the answer."""

HEARTBEAT = 15
"""Seconds between signs of life on a stream that has nothing to say."""

STREAM_LIFETIME = 300.0
"""Seconds after which a stream ends; the browser comes back, and who is signed in is checked again."""

RECHECK = 4.0
"""Seconds between looks whether the one who listens has signed out, at most; also before anything is told."""

SHUTDOWN_GRACE = 2
"""Seconds that a stream has to end in good order when the server closes."""

_KEY = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@dataclass(frozen=True)
class Shown:
    """A message as the page shows it; `is_answerable` tells whether its questions still stand."""

    message: Message
    is_answerable: bool


class Chat:
    """The routes / and /chat…."""

    def __init__(self, services: Services, doorkeeper: Doorkeeper, pages: Pages, overview: Overview) -> None:
        self._services, self._doorkeeper, self._pages, self._overview = services, doorkeeper, pages, overview

    def add_to(self, router: ConsoleRouter) -> None:
        """Add the routes."""
        router.add("GET", "/", self.show)
        router.add("GET", "/overview", self.show_overview)
        router.add("POST", "/chat", self.receive)
        router.add("POST", "/chat/new", self.begin_anew)
        router.add("GET", "/chat/events", self.stream)

    async def show(self, request: Request) -> Response:
        """The page: the conversation, and what is going on beside it."""
        return await self._page(request)

    async def show_overview(self, request: Request) -> Response:
        """The part beside the chat, for refreshing."""
        person = self._doorkeeper.require(visit_of(request))
        return self._pages.answer(request, "_overview.html", going=await self._overview.going(person))

    async def receive(self, request: Request) -> Response:
        """Take a text or a press; answers when the turn is done, or patience is."""
        visit = visit_of(request)
        person = self._doorkeeper.require(visit)
        form = await read_form(request, visit.session)
        try:
            activity = _activity(form, person, visit.conversation_of(form.get("talk", "")))
        except Invalid as error:
            if is_partial(request):
                raise
            return await self._page(request, status=422, problem=error.sentence(), draft=form.get("text", ""))
        await self._services.inbox.receive(activity)
        patience = PATIENCE if is_partial(request) else PATIENCE_WITHOUT_SCRIPT
        await self._services.inbox.reply(activity.key, patience)
        if not is_partial(request):
            return RedirectResponse("/#latest", 303)
        after = _number(form.get("after", ""))
        said = await self._services.conversations.after(activity.conversation, after)
        parts = [self._render(visit, Shown(m, True)) for m in said]
        return HTMLResponse("".join(parts))

    async def begin_anew(self, request: Request) -> Response:
        """Leave the conversation as it is and begin another."""
        visit = visit_of(request)
        self._doorkeeper.require(visit)
        await read_form(request, visit.session)
        visit.begin_talk()
        return RedirectResponse("/", 303)

    async def stream(self, request: Request) -> Response:
        """What is said from now on, one event a message; its id is where to go on from."""
        visit = visit_of(request)
        self._doorkeeper.require(visit)
        resume = request.headers.get("last-event-id") or request.query_params.get("after", "")
        closing = anyio.Event()
        conversation = visit.conversation_of(request.query_params.get("talk", ""))
        events = self._events(visit, conversation, _number(resume), closing)
        return EventSourceResponse(events, ping=HEARTBEAT, shutdown_event=closing, shutdown_grace_period=SHUTDOWN_GRACE)

    async def _events(
        self, visit: Visit, conversation: str, seq: int, closing: anyio.Event
    ) -> AsyncIterator[ServerSentEvent]:
        yield ServerSentEvent(comment="connected", retry=2000)
        end = time.monotonic() + STREAM_LIFETIME
        while (left := end - time.monotonic()) > 0 and not closing.is_set():
            wait = self._services.conversations.wait(conversation, seq, min(RECHECK, left))
            try:
                said = await _until(closing, wait)
                if not await self._doorkeeper.still_counts(visit):
                    return
            except Unavailable:
                return  # the process stops, or its database does; the browser connects again
            for message in said:
                seq = message.seq
                yield ServerSentEvent(self._render(visit, Shown(message, True)), event="message", id=str(seq))

    async def _page(self, request: Request, *, status: int = 200, problem: str = "", draft: str = "") -> Response:
        visit = visit_of(request)
        person = self._doorkeeper.require(visit)
        history = await self._history(visit.conversation)
        return self._pages.answer(
            request,
            "chat.html",
            status=status,
            talk=visit.conversation.rpartition(":")[2],
            history=_shown(history),
            last=history[-1].seq if history else 0,
            going=await self._overview.going(person),
            examples=self._examples(),
            problem=problem,
            draft=draft,
            fresh_key=_fresh_key,
        )

    async def _history(self, conversation: str) -> list[Message]:
        kept: list[Message] = []
        seq = 0
        while page := await self._services.conversations.after(conversation, seq, limit=200):
            kept, seq = [*kept, *page][-HISTORY:], page[-1].seq
        return kept

    def _render(self, visit: Visit, shown: Shown) -> str:
        return self._pages.render("_message.html", visit, shown=shown, fresh_key=_fresh_key)

    def _examples(self) -> list[str]:
        """Return sentences to begin with: what changes something, and the first question that one can ask."""
        intents = self._services.registry.intents.values()
        changes = [i.definition.examples for i in intents if i.shape == "change"]
        queries = [i.definition.examples[:1] for i in intents if i.shape == "query"]
        in_turn = [e for turn in itertools.zip_longest(*changes) for e in turn if e]
        return [*in_turn[:3], *itertools.chain(*queries)][:4]


async def _until(closing: anyio.Event, wait: Coroutine[Any, Any, list[Message]]) -> list[Message]:
    """Return what was waited for, or nothing once the server closes."""
    waiting, closed = asyncio.create_task(wait), asyncio.create_task(closing.wait())
    try:
        await asyncio.wait((waiting, closed), return_when=asyncio.FIRST_COMPLETED)
        return waiting.result() if waiting.done() else []
    finally:
        waiting.cancel()
        closed.cancel()


def _activity(form: Mapping[str, str], person: Person, conversation: str) -> Activity:
    """Return what was posted as an Activity; raises Invalid for a text that is empty or too long.

    Control characters go from all of it: PostgreSQL keeps no NUL in a text.
    """
    given = form.get("key", "").lower()
    key = f"console:{person.id}:{given if _KEY.fullmatch(given) else _fresh_key()}"
    if form.get("verb", ""):
        verb, value = clean_text(form["verb"]), clean_text(form.get("value", ""))
        if not verb or len(verb) > 64 or len(value) > 4096:
            raise Invalid("That is not a button of ours.", field="verb")
        return Activity(key, "console", conversation, person, kind="press", verb=verb, value=value)
    text = clean_text(form.get("text", ""))
    if not text:
        raise Invalid("Write something first.", field="text")
    if len(text) > MAX_TEXT:
        raise Invalid(
            f"That is {len(text):,} characters long, and the bot reads at most {MAX_TEXT:,} at once.",
            field="text",
            next_step="Shorten it, or send it in parts.",
        )
    return Activity(key, "console", conversation, person, text=text)


def _shown(history: list[Message]) -> list[Shown]:
    """Mark the messages whose questions still stand: nothing was answered or asked since."""
    shown: list[Shown] = []
    stands = True
    for message in reversed(history):
        shown.append(Shown(message, stands))
        card = message.card
        asks = card is not None and any(b.verb in TRANSIENT for b in card.buttons)
        if message.role == "person" or asks or (card is not None and card.request):
            stands = False
    return shown[::-1]


def _fresh_key() -> str:
    return str(uuid.uuid4())


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else 0
