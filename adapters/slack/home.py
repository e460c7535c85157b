"""The home tab: what somebody has asked for, what waits for them, and what they may ask for by policy."""

from __future__ import annotations

import re
from collections.abc import Mapping

from adapters.slack.arrived import Arrived
from adapters.slack.blocks import Block, blocks_of, buttons_of, label, link, mrkdwn, paragraphs, plain
from adapters.slack.envelope import LOCAL, START
from adapters.slack.forms import modal, open_view
from adapters.slack.persons import Persons
from adapters.slack.web import Web
from bot.activity import MAX_TEXT, Person
from bot.card import Button, Text
from bot.dialogue.exchange import Decided
from bot.errors import QuartermasterError
from bot.intent import Intent
from bot.requests import STATE_WORDS, Filter, RequestRecord
from bot.services import Services

LISTED = 10
"""Requests that are shown of a kind."""
PROMPTS = 4
NAME = 100
"""Characters of the name of whose message it is."""


class Home:
    """Draws home tabs, and opens the window in which one says what one needs."""

    def __init__(self, services: Services, web: Web, persons: Persons) -> None:
        self._services, self._web, self._persons = services, web, persons

    async def view(self, person: Person) -> Block:
        """Return somebody's home tab."""
        waiting = await self._services.requests.list(Filter(waits_for=person.email, limit=LISTED))
        mine = await self._services.requests.list(Filter(person_id=person.id, limit=LISTED))
        ask = [
            Button("Ask for something", LOCAL + "start", "home", "positive"),
            Button("Refresh", LOCAL + "home", "home"),
        ]
        blocks: list[Block] = [
            {"type": "header", "text": plain("Quartermaster", 150)},
            *paragraphs("What do you need? Ask here, in a message to me, or with /ops."),
            *buttons_of(ask),
        ]
        blocks += _heading("Waiting for you")
        for n, record in enumerate(waiting.items):
            blocks += self._row(record, n)
        blocks += [] if waiting.items else blocks_of(Text("Nothing waits for your decision.", subtle=True))
        blocks += _heading("What you asked for")
        for record in mine.items:
            blocks += self._row(record)
        blocks += [] if mine.items else blocks_of(Text("Nothing yet.", subtle=True))
        blocks += _heading("What you can ask for")
        for n, intent in enumerate(self.allowed(person)):
            blocks += offer(intent, n)
        return {"type": "home", "blocks": blocks[:100]}

    def allowed(self, person: Person) -> list[Intent]:
        """Return what policy lets somebody ask for, what changes something first."""
        found = [i for i in self._services.registry.intents.values() if i.is_offered_to(person)]
        return sorted(found, key=lambda i: i.shape != "change")

    def _row(self, record: RequestRecord, decidable: int | None = None) -> list[Block]:
        """Return one request in a line, with its buttons for those who may decide."""
        url = f"{self._services.settings.public_url.rstrip('/')}/requests/{record.id}"
        fields = [mrkdwn(link(record.id, url)), plain(STATE_WORDS[record.state], 200), plain(record.plan.summary, 1500)]
        if decidable is None:
            return [{"type": "section", "fields": fields}]
        value = f"{record.id}:{record.version}"
        elements = [
            {
                "type": "button",
                "action_id": f"{LOCAL}{verb}:{decidable}",
                "text": plain(title, 75),
                "value": value,
                "style": style,
            }
            for verb, title, style in (("approve", "Approve", "primary"), ("reject", "Reject", "danger"))
        ]
        by = plain(f"asked by {record.requester.email}", 400)
        return [{"type": "section", "fields": [*fields, by]}, {"type": "actions", "elements": elements}]

    async def start(self, arrived: Arrived) -> Decided:
        """Open the window in which one says in a sentence what one needs."""
        examples = [e for i in self.allowed(arrived.person) for e in i.definition.examples[:1]][:PROMPTS]
        field = _sentence(examples[0] if examples else "Say it in a sentence")
        hints = blocks_of(Text("For example: " + " · ".join(examples), subtle=True)) if examples else []
        view = modal(START, "Ask Quartermaster", "Ask", [field, *hints], {})
        return await open_view(self._services, self._web, arrived, view)

    async def about(self, arrived: Arrived) -> Decided:
        """Show what somebody else wrote, to be changed and asked: nobody's words count as another's."""
        about = arrived.payload.get("about") or {}
        told = await self._persons.told(arrived.workspace, str(about["user"])) if about.get("user") else None
        named = str(((told or {}).get("profile") or {}).get("real_name") or "")
        name = re.sub(r"[*_~`|\n]", "", named).strip()[:NAME] or "somebody"
        metadata = {
            "conversation": arrived.activity.conversation,
            "about": {"name": name, "link": await self._permalink(arrived, about)},
        }
        words = Text(f"This was written by {name}. Change it as you like: what you send is said by you.", subtle=True)
        field = _sentence("Say it in a sentence", arrived.activity.value)
        view = modal(START, "Ask Quartermaster", "Ask", [*blocks_of(words), field], metadata)
        return await open_view(self._services, self._web, arrived, view)

    async def _permalink(self, arrived: Arrived, about: Mapping[str, str]) -> str:
        where = {"channel": about.get("channel", ""), "message_ts": about.get("ts", "")}
        try:
            told = await self._web.call(arrived.workspace.token, "chat_getPermalink", **where)
        except QuartermasterError:  # where the bot is no member it can't tell
            return ""
        return str(told.get("permalink") or "")

    def prompts(self, person: Person) -> list[dict[str, str]]:
        """Return what the agent view suggests to begin with."""
        found = [(i.definition.title, e) for i in self.allowed(person) for e in i.definition.examples[:1]]
        return [{"title": title[:60], "message": example} for title, example in found[:PROMPTS]]


def _sentence(example: str, words: str = "") -> Block:
    """Return the field for a sentence."""
    element: Block = {
        "type": "plain_text_input",
        "action_id": "words",
        "multiline": True,
        "max_length": MAX_TEXT,
        "placeholder": plain(example, 150),
    }
    if words:
        element["initial_value"] = words[:MAX_TEXT]
    return {"type": "input", "block_id": "text", "label": plain("What do you need?", 100), "element": element}


def _heading(text: str) -> list[Block]:
    return [{"type": "divider"}, {"type": "section", "text": label(text)}]


def offer(intent: Intent, n: int) -> list[Block]:
    """Return what may be asked for: with a button if it can be said in bare words, else by example."""
    definition = intent.definition
    bare = "" if definition.acts_at_once else next((u for u in definition.utterances if "{" not in u), "")
    words = definition.description if bare else f"{definition.description} Say: “{definition.examples[0]}”"
    block: Block = {
        "type": "section",
        "block_id": f"offer-{definition.name}"[:255],
        "text": plain(words, 600),
    }
    if bare:
        block["accessory"] = {
            "type": "button",
            "action_id": f"say:{n}",
            "text": plain("Start" if intent.shape == "change" else "Ask", 75),
            "value": bare,
        }
    return [block]
