"""An order as one form: what its fields are and hold, and what is wrong with the answers, as the chat would say it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import structlog
from sqlalchemy import select

from bot.activity import Person
from bot.database.tables import sessions
from bot.errors import CloudError, Invalid
from bot.intent import Ask, Change, Slot
from bot.services import Services

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Field:
    """One field. With `choices` one of them is to be chosen if they fit in a list; `held` is what was said before."""

    name: str
    label: str
    required: bool
    why: str
    choices: tuple[str, ...]
    held: str


@dataclass(frozen=True)
class OrderForm:
    """The fields of one intent's order, in the order in which they are asked."""

    intent: str
    title: str
    fields: tuple[Field, ...]


async def form_of(services: Services, channel: str, person: Person, conversation: str, intent_name: str) -> OrderForm:
    """Return the form of an order with what the person has said there so far; KeyError when there is no such order.

    What is secret is no field: it is asked in the conversation, where it is taken out before anything is stored.
    """
    intent = services.registry.change(intent_name)
    open_form = await _open_form(services, conversation, person.id)
    held = dict(open_form.get("slots") or {}) if open_form.get("intent") == intent.definition.name else {}
    ask = Ask(person, held, conversation, channel)
    slots = [slot for slot in await intent.slots(ask) if not slot.secret]
    title = intent.definition.title
    fields = [await _field(intent, slot, ask) for slot in slots]
    return OrderForm(intent.definition.name, title[:1].upper() + title[1:], tuple(fields))


async def faults_of(
    services: Services,
    channel: str,
    person: Person,
    conversation: str,
    intent_name: str,
    said: Mapping[str, str],
    *,
    within: float,
) -> dict[str, str]:
    """Return what is wrong with a form's answers, by field; empty fields are no fault, they are asked for later.

    What can't be checked within so many seconds is left for the conversation to check, which does so anyway.
    Raises KeyError for an order that there is none of.
    """
    intent = services.registry.change(intent_name)
    faults: dict[str, str] = {}
    ask = Ask(person, {}, conversation, channel)
    try:
        async with asyncio.timeout(within):
            for slot in await intent.slots(replace(ask, slots=said)):
                if slot.name not in said:
                    continue
                try:
                    value = await intent.validate(slot.name, said[slot.name], ask)
                    ask = replace(ask, slots={**ask.slots, slot.name: value})
                except Invalid as error:
                    faults[slot.name] = error.sentence()
    except (TimeoutError, CloudError):
        log.info("form.not_checked_in_time", channel=channel)
    return faults


async def _open_form(services: Services, conversation: str, person_id: str) -> dict[str, Any]:
    query = select(sessions.c.state).where(sessions.c.conversation == conversation, sessions.c.person_id == person_id)
    async with services.database.read() as connection:
        state = (await connection.execute(query)).scalar_one_or_none()
    return dict((state or {}).get("form") or {})


async def _field(intent: Change, slot: Slot, ask: Ask) -> Field:
    try:
        choices = await intent.choices(slot.name, ask) or await intent.suggestions(slot.name, ask)
    except (CloudError, KeyError):
        choices = ()
    held = ask.slots.get(slot.name, "")
    return Field(slot.name, slot.label or slot.name, slot.required, slot.why, tuple(dict.fromkeys(choices)), held)
