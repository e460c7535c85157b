"""The form: every slot of an order at once in a modal, held to the same validation as the chat."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from adapters.slack.arrived import Arrived
from adapters.slack.blocks import Block, plain
from adapters.slack.envelope import CHANNEL, FORM
from adapters.slack.interactions import answers_of, metadata_of
from adapters.slack.web import SlackRefused, Web
from bot.activity import MAX_TEXT, Activity
from bot.dialogue.ended import nothing, say
from bot.dialogue.exchange import Decided
from bot.order_form import Field, faults_of, form_of
from bot.services import Services

TITLE, SUBMIT, OPTIONS, OPTION, MODAL_BLOCKS, HINT, LABEL = 24, 24, 100, 75, 100, 150, 150
OPTION_VALUE = 150
IN_PLACE = 1.5
"""Seconds that may go by until a form's answers are checked: Slack waits three for the acknowledgement."""
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
            conversation = str(wanted.get("conversation") or activity.conversation)
            form = await form_of(self._services, CHANNEL, arrived.person, conversation, str(wanted["intent"]))
        except (ValueError, KeyError, TypeError, AttributeError):
            return say(self._services, activity, "That form is no longer there. Tell me what you need.")
        metadata = {"conversation": conversation, "intent": form.intent}
        fields = [_block_of(field) for field in form.fields[:MODAL_BLOCKS]]
        view = modal(FORM, form.title, "Continue", fields, metadata)
        return await open_view(self._services, self._web, arrived, view)

    async def check(self, arrived: Arrived, view: Mapping[str, Any]) -> dict[str, Any] | None:
        """Return what is wrong with a submitted form as Slack shows it at the fields; None when nothing is."""
        intent, said = str(metadata_of(view).get("intent")), answers_of(view)
        conversation = arrived.activity.conversation
        try:
            found = await faults_of(
                self._services, CHANNEL, arrived.person, conversation, intent, said, within=IN_PLACE
            )
        except KeyError:
            return None
        faults = {name: sentence[:2000] for name, sentence in found.items()}
        return {"response_action": "errors", "errors": faults} if faults else None


def _block_of(field: Field) -> Block:
    element: Block
    if 0 < len(field.choices) <= OPTIONS and all(0 < len(c) <= OPTION for c in field.choices):
        options = [{"text": plain(c, OPTION), "value": c} for c in field.choices]
        element = {"type": "static_select", "action_id": f"choice:{field.name}"[:255], "options": options}
        if chosen := next((o for o in options if o["value"] == field.held), None):
            element["initial_option"] = chosen
    else:
        element = {"type": "plain_text_input", "action_id": f"words:{field.name}"[:255], "max_length": MAX_TEXT}
        if field.held:
            element["initial_value"] = field.held[:MAX_TEXT]
    block: Block = {
        "type": "input",
        "block_id": field.name,
        "label": plain(field.label, LABEL),
        "element": element,
        "optional": not field.required,
    }
    if field.why:
        block["hint"] = plain(field.why, HINT)
    return block


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
