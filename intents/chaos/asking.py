"""What all orders for experiments ask and check alike: which template, on what, for how long."""

from __future__ import annotations

import re

from bot.activity import clean_text
from bot.errors import Invalid
from bot.intent import Ask, Change
from bot.recurrence import find_recurrence
from bot.services import Services
from intents.chaos import definitions
from intents.chaos.finding import newest
from intents.chaos.fis import Fis
from intents.chaos.gathering import Gathering, minutes_of
from intents.chaos.schedule_definitions import RECURRENCE, SCHEDULE

_NAMED = re.compile(
    r"(?:^|\b)(?:run|start|schedule|repeat|launch|execute|begin|plan)\s+(?:the\s+|an?\s+)?(?:chaos\s+)?"
    r"(?:experiment\s+(?P<after>[\w-]+)|(?P<before>.+?)\s+experiment)\b(?:\s+(?:on|in|against)\s+(?P<stack>[\w-]+))?",
    re.IGNORECASE,
)
_TALKED_ABOUT = re.compile(r"\b(?:it|that|this)\b", re.IGNORECASE)
_WHERE = re.compile(r"\b(?:on|in|against)\s+(?P<stack>[\w-]+)", re.IGNORECASE)


class ExperimentOrder(Change):
    """An order for an experiment: now, as a preview, or again and again."""

    def __init__(self, services: Services, fis: Fis) -> None:
        super().__init__(services)
        self._fis, self._gathering = fis, Gathering(services, fis)

    async def suggestions(self, slot: str, ask: Ask) -> tuple[str, ...]:
        """Return the templates' names, those of a stack when one was named."""
        if slot != "Experiment":
            return await super().suggestions(slot, ask)
        known = await self._fis.templates()
        stack = ask.slots.get("Stack", "").casefold()
        fitting = [t.name for t in known if stack in t.stack.casefold() or stack in t.name]
        return tuple(fitting or [t.name for t in known])[:12]

    async def validate(self, slot: str, value: str, ask: Ask) -> str:
        """Return the value as it is kept: a template's name, words cut to what a card can hold, a known duration."""
        if slot == "Experiment":
            template = await self._fis.find(value, ask.slots.get("Stack", ""))
            names = [t.name for t in await self._fis.templates()]
            return template.name if names.count(template.name) == 1 else template.id
        if slot in ("Expectation", "OverrideReason", "Stack"):
            return clean_text(value).rstrip(".")[: definitions.MAX_WORDS]
        if slot == "RunTime" and not 1 <= minutes_of(value) <= 12 * 60:
            raise Invalid(
                "The time limit must be from 1 minute to 12 hours.", field=slot, next_step="Such as “10 minutes”."
            )
        return await super().validate(slot, value, ask)

    async def rather(self, ask: Ask) -> tuple[str, dict[str, str]] | None:
        """Return the schedule that a sentence asks for which says when it is to come again, whatever it begins with."""
        found = find_recurrence(ask.text)
        if found is None:
            return None
        when, rest = found
        slots = {name: ask.slots[name] for name in ("RunTime", "Expectation") if name in ask.slots}
        if named := _NAMED.search(rest):
            slots["Experiment"] = named["after"] or named["before"]
        where = named if named and named["stack"] else _WHERE.search(rest)
        if where:
            slots["Stack"] = where["stack"]
        if not named and _TALKED_ABOUT.search(rest) and (talked_about := await newest(self.services, ask)):
            slots["Experiment"] = str(talked_about.plan.effects["template"])
        return SCHEDULE, {**slots, RECURRENCE: when}
