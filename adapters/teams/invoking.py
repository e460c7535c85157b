"""Pressed buttons, answered before Teams gives up: with a person's own view, with what is wrong, or with what is next.

What is only looked at is answered and not kept. What acts is kept first; nothing here waits for longer than Teams
does, whatever AWS or the roster takes: the conversation goes on behind the inbox all the same.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import replace
from typing import Any

import structlog

from adapters.teams.arrivals import APPROVE, CHANNEL, FORM, MESSAGE, REJECT, VIEW
from adapters.teams.forms import render_form
from adapters.teams.persons import Persons
from adapters.teams.rendering import CONTENT_TYPE, content_of
from adapters.teams.views import Views, note_of
from bot.activity import Activity, Person
from bot.approvals.pressing import named_in
from bot.errors import QuartermasterError
from bot.order_form import OrderForm, faults_of, form_of
from bot.services import Services

log = structlog.get_logger(__name__)

Answer = dict[str, Any]

LOOK, NEXT = 1.6, 0.9
"""Seconds that may go by before a press is kept, and after it: together less than the three that Teams waits."""
CHECK = 1.0
"""Seconds of those for a form's answers; what is not checked by then is checked in the conversation."""
PENDING = "Your decision is being recorded…"
SAY_WHY = "Say why, so that the requester can mend it."
TOO_LONG = "That took me longer than Teams waits. Please press it again, or tell me in words."


class Presses:
    """Answers presses; see Receiver."""

    def __init__(self, services: Services, persons: Persons, views: Views) -> None:
        self._services, self._persons, self._views = services, persons, views
        self._looks: dict[str, Callable[[Activity, Person], Awaitable[Answer | None]]] = {
            VIEW: self._view,
            FORM: self._form,
            APPROVE: self._object,
            REJECT: self._object,
            "submit": self._check,
        }

    async def look(self, activity: Activity) -> Answer | None:
        """Return the answer to a press that is not to be kept; None for one that is."""
        look = self._looks.get(activity.verb)
        if look is None:
            return None
        acts = activity.verb not in (VIEW, FORM)
        try:
            async with asyncio.timeout(LOOK):
                found = await self._persons.find(activity)
                if found.person is None:
                    return None if acts else words("I show this to members of the organisation that I work for.")
                return await look(activity, found.person)
        except TimeoutError:
            log.info("teams.press_not_looked_at_in_time", verb=activity.verb)
            return None if acts else words(TOO_LONG)
        except QuartermasterError as error:
            log.info("teams.press_not_looked_at", verb=activity.verb, error=error.detail)
            return None if acts else words(error.sentence())

    async def next_state(self, activity: Activity) -> Answer:
        """Return what the person who pressed sees after the press was kept."""
        try:
            async with asyncio.timeout(NEXT):
                shown = await self._next(activity)
        except (TimeoutError, QuartermasterError) as error:
            log.info("teams.next_state_unknown", verb=activity.verb, error=type(error).__name__)
            shown = None
        return card(shown) if shown else words("Got it.")

    async def _next(self, activity: Activity) -> dict[str, Any] | None:
        user = str(activity.address["user"])
        if activity.verb in (APPROVE, REJECT):
            with suppress(TimeoutError):  # mostly it is decided by then
                async with asyncio.timeout(NEXT / 2):
                    await self._services.inbox.reply(activity.key)
            found = await self._persons.find(activity)
            request, _ = named_in(activity.value)
            return await self._views.standing(request, found.person, user, PENDING) if found.person else None
        number = int(activity.raw.get(MESSAGE) or 0)
        if settled := await self._views.settled_by(activity, number):
            answered, title = settled
            return content_of(self._views.answered(answered, number, note_of(title)))
        return None

    async def _view(self, activity: Activity, person: Person) -> Answer:
        """Show a request's card with what that person can do about it."""
        user = str(activity.address["user"])
        request, version = named_in(activity.value)
        if own := await self._views.for_one(activity.value, person, user):
            return card(own)
        if standing := await self._views.standing(request, person, ""):
            return card(standing)
        return words(await self._services.approvals.objection(request, version, person, surface=CHANNEL))

    async def _object(self, activity: Activity, person: Person) -> Answer | None:
        """Refuse a decision that can't be taken, with the reason why."""
        request, version = named_in(activity.value)
        if objection := await self._services.approvals.objection(request, version, person, surface=CHANNEL):
            return words(objection)
        if activity.verb == REJECT and not activity.text:
            shown = await self._views.for_one(activity.value, person, str(activity.address["user"]), SAY_WHY)
            return card(shown) if shown else None
        return None

    async def _form(self, activity: Activity, person: Person) -> Answer:
        """Show the form of the order that is being asked for."""
        try:
            form = await form_of(self._services, CHANNEL, person, activity.conversation, activity.value)
        except KeyError:
            return words("That form is no longer there. Tell me what you need.")
        return card(render_form(form, int(activity.raw.get(MESSAGE) or 0)))

    async def _check(self, activity: Activity, person: Person) -> Answer | None:
        """Show a form again with what is wrong with its answers."""
        given = json.loads(activity.value)
        intent, said, place = str(given["intent"]), dict(given["slots"]), activity.conversation
        try:
            faults = await faults_of(self._services, CHANNEL, person, place, intent, said, within=CHECK)
            if not faults:
                return None
            form: OrderForm = await form_of(self._services, CHANNEL, person, place, intent)
        except KeyError:
            return None
        fields = tuple(replace(field, held=said.get(field.name, "")) for field in form.fields)
        form = replace(form, fields=fields)
        return card(render_form(form, int(activity.raw.get(MESSAGE) or 0), faults=faults))


def words(text: str) -> Answer:
    """Return an answer in words, shown to who pressed."""
    return {"statusCode": 200, "type": "application/vnd.microsoft.activity.message", "value": text}


def card(content: dict[str, Any]) -> Answer:
    """Return a card, shown to who pressed in place of the one that was there."""
    return {"statusCode": 200, "type": CONTENT_TYPE, "value": content}
