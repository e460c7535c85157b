"""The form: every slot of an order at once in a modal, held to the same validation as the chat."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import structlog
from sqlalchemy import select

from adapters.slack.arrivals import CHANNEL, FORM, answers_of, metadata_of
from adapters.slack.arrived import Arrived, nothing, say
from adapters.slack.blocks import Block, plain
from adapters.slack.web import SlackRefused, Web
from bot.activity import MAX_TEXT, Activity
from bot.database.tables import sessions
from bot.dialogue.exchange import Decided
from bot.errors import CloudError, Invalid
from bot.intent import Ask, Change, Slot
from bot.services import Services

log = structlog.get_logger(__name__)

TITLE, SUBMIT, OPTIONS, OPTION, MODAL_BLOCKS, HINT, LABEL = 24, 24, 100, 75, 100, 150, 150
OPTION_VALUE = 150
IN_PLACE = 2.0
"""Seconds that may go by before a form is acknowledged: Slack waits for three. What is not checked by then is checked
in the conversation."""
EXPIRED = frozenset({"expired_trigger_id", "trigger_expired", "exchanged_trigger_id", "trigger_exchanged"})


class Forms:
    """Opens forms, and checks them in place when they are submitted."""

    def __init__(self, services: Services, web: Web) -> None:
        self._services, self._web = services, web

    async def open(self, arrived: Arrived) -> Decided:
        """Open the form of the order that is being asked for."""
        activity = arrived.activity
        try:
            wanted = json.loads(activity.value or "{}")
            intent = self._services.registry.change(str(wanted["intent"]))
        except (ValueError, KeyError, TypeError):
            return say(self._services, activity, "That form is no longer there. Tell me what you need.")
        conversation = str(wanted.get("conversation") or activity.conversation)
        form = await self._form(conversation, arrived.person.id)
        held = dict(form.get("slots") or {}) if form.get("intent") == intent.definition.name else {}
        ask = Ask(arrived.person, held, conversation, CHANNEL)
        # What is secret is asked in the conversation, where it is taken out before anything is stored.
        slots = [slot for slot in await intent.slots(ask) if not slot.secret]
        metadata = {"conversation": conversation, "intent": intent.definition.name}
        fields = [await self._field(intent, slot, ask) for slot in slots[:MODAL_BLOCKS]]
        view = modal(FORM, _capitalised(intent.definition.title), "Continue", fields, metadata)
        return await open_view(self._services, self._web, arrived, view)

    async def _form(self, conversation: str, person_id: str) -> dict[str, Any]:
        query = select(sessions.c.state).where(
            sessions.c.conversation == conversation, sessions.c.person_id == person_id
        )
        async with self._services.database.read() as connection:
            state = (await connection.execute(query)).scalar_one_or_none()
        return dict((state or {}).get("form") or {})

    async def _field(self, intent: Change, slot: Slot, ask: Ask) -> Block:
        held = ask.slots.get(slot.name, "")
        try:
            choices = await intent.choices(slot.name, ask) or await intent.suggestions(slot.name, ask)
        except (CloudError, KeyError):
            choices = ()
        element: Block
        if 0 < len(choices) <= OPTIONS and all(0 < len(c) <= OPTION for c in choices):
            options = [{"text": plain(c, OPTION), "value": c} for c in dict.fromkeys(choices)]
            element = {"type": "static_select", "action_id": f"choice:{slot.name}"[:255], "options": options}
            if chosen := next((o for o in options if o["value"] == held), None):
                element["initial_option"] = chosen
        else:
            element = {"type": "plain_text_input", "action_id": f"words:{slot.name}"[:255], "max_length": MAX_TEXT}
            if held:
                element["initial_value"] = held[:MAX_TEXT]
        field: Block = {
            "type": "input",
            "block_id": slot.name,
            "label": plain(slot.label or slot.name, LABEL),
            "element": element,
            "optional": not slot.required,
        }
        if slot.why:
            field["hint"] = plain(slot.why, HINT)
        return field

    async def check(self, arrived: Arrived, view: Mapping[str, Any]) -> dict[str, Any] | None:
        """Return what is wrong with a submitted form as Slack shows it at the fields; None when nothing is."""
        try:
            intent = self._services.registry.change(str(metadata_of(view).get("intent")))
        except KeyError:
            return None
        said = answers_of(view)
        faults: dict[str, str] = {}
        ask = Ask(arrived.person, {}, arrived.activity.conversation, CHANNEL)
        try:
            async with asyncio.timeout(IN_PLACE):
                for slot in await intent.slots(replace(ask, slots=said)):
                    if slot.name not in said:
                        continue
                    try:
                        value = await intent.validate(slot.name, said[slot.name], ask)
                        ask = replace(ask, slots={**ask.slots, slot.name: value})
                    except Invalid as error:
                        faults[slot.name] = error.sentence()[:2000]
        except (TimeoutError, CloudError):
            log.info("slack.form_not_checked_in_time")
        return {"response_action": "errors", "errors": faults} if faults else None


def modal(callback: str, title: str, submit: str, blocks: list[Block], metadata: Mapping[str, Any]) -> Block:
    """Return a modal; with no word on its submit button it can only be closed."""
    view: Block = {
        "type": "modal",
        "callback_id": callback,
        "title": plain(title, TITLE),
        "close": plain("Cancel" if submit else "Close", SUBMIT),
        "blocks": blocks,
        "private_metadata": json.dumps(metadata),
    }
    if submit:
        view["submit"] = plain(submit, SUBMIT)
    return view


async def open_view(services: Services, web: Web, arrived: Arrived, view: Block) -> Decided:
    """Open a modal over what the person sees; one that comes too late is asked to be opened again."""
    try:
        await web.call(arrived.workspace.token, "views_open", trigger_id=arrived.trigger, view=view)
    except SlackRefused as error:
        if error.code not in EXPIRED:
            raise
        text = "That took me too long, and Slack lets me open a window only at once. Please press it again."
        return say(services, own(arrived), text)
    return nothing()


def own(arrived: Arrived) -> Activity:
    """Return the activity as one of the person's own conversation, for what others need not read."""
    address = {**arrived.activity.address, "channel": "", "thread": ""}
    return replace(arrived.activity, conversation=arrived.own_conversation, address=address)


def _capitalised(title: str) -> str:
    """Return an order's name as a title; within a sentence it begins small."""
    return title[:1].upper() + title[1:]
