"""What all orders for experiments ask and check alike: which template, on what, for how long."""

from __future__ import annotations

import re

from bot.activity import clean_text
from bot.errors import Invalid, QuartermasterError
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
_ORDERS = re.compile(
    r"\b(?:run|start|launch|execute|begin|simulate|inject|cause|trigger|kick\s+off|schedule|repeat|rerun)\b",
    re.IGNORECASE,
)
_TELLS_OR_ASKS = re.compile(
    r"\b(?:how|why|what|which|who|when|where|did|was|is|are|has|not|don't|never|report|stop|abort|end)\b", re.IGNORECASE
)
_FOR = re.compile(
    r"\bfor\s+(?P<many>\d{1,3}|an?|half\s+an)\s*(?P<unit>m(?:in(?:ute)?s?)?|h(?:(?:ou)?rs?)?)\b", re.IGNORECASE
)
_LASTS = re.compile(r"\b(?:for|after|limit|minutes?|hours?)\b", re.IGNORECASE)
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

    async def claim(self, ask: Ask) -> dict[str, str] | None:
        """Return what a sentence orders that names an experiment without the word: “run az outage on checkout”."""
        is_order = _ORDERS.search(ask.text) and not _TELLS_OR_ASKS.search(ask.text)
        if self.definition.name != definitions.START or not is_order:
            return None
        try:
            experiment, limit = await self._mentioned(ask.text), _limit_in(ask.text)
        except QuartermasterError:  # switched off, or AWS does not answer: then it is not understood, as before
            return None
        return {"Experiment": experiment, **({"RunTime": limit} if limit else {})} if experiment else None

    async def validate(self, slot: str, value: str, ask: Ask) -> str:
        """Return the value as it is kept: a template's name, words cut to what a card can hold, a known duration."""
        if slot == "Experiment":
            template = await self._fis.find(value, ask.slots.get("Stack", ""))
            names = [t.name for t in await self._fis.templates()]
            return template.name if names.count(template.name) == 1 else template.id
        if slot == "Expectation" and value.rstrip().endswith("?"):  # the report would call it held or not
            raise Invalid(
                f"“{clean_text(value)[: definitions.MAX_WORDS]}” is a question, nothing that can stay true.",
                field=slot,
                next_step="Such as “orders go through all the time”.",
            )
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
            return await self._named_in_passing(ask)
        when, rest = found
        lasts = _LASTS.search(rest)  # “in two weeks” is no time limit
        slots = {name: ask.slots[name] for name in ("RunTime", "Expectation") if name in ask.slots}
        slots = slots if lasts else {name: value for name, value in slots.items() if name != "RunTime"}
        if experiment := await self._mentioned(rest):
            return SCHEDULE, {**slots, "Experiment": experiment, RECURRENCE: when}
        if named := _NAMED.search(rest):
            slots["Experiment"] = named["after"] or named["before"]
        where = named if named and named["stack"] else _WHERE.search(rest)
        if where:
            slots["Stack"] = where["stack"]
        if not named and _TALKED_ABOUT.search(rest) and (talked_about := await newest(self.services, ask)):
            slots["Experiment"] = str(talked_about.plan.effects["template"])
        return SCHEDULE, {**slots, RECURRENCE: when}

    async def _named_in_passing(self, ask: Ask) -> tuple[str, dict[str, str]] | None:
        """Return the opening with the one experiment that it names where the recogniser heard less; None to keep it."""
        if ask.slots.get("Experiment") and ask.slots.get("Stack"):
            return None
        fits, words = await self._fis.mentioned(ask.text)
        heard = ask.slots.get("Experiment", "")
        experiment = fits[0].name if len(fits) == 1 else words if fits and not heard else heard
        return (self.definition.name, {**ask.slots, "Experiment": experiment}) if experiment != heard else None

    async def _mentioned(self, text: str) -> str:
        """Return the one template's name that a text mentions, or the words of several; empty when it mentions none."""
        fits, words = await self._fis.mentioned(text)
        return fits[0].name if len(fits) == 1 else words if fits else ""


def _limit_in(text: str) -> str:
    """Return the time limit that a text names as Lex words it (PT10M); empty when it names none."""
    found = _FOR.search(text)
    if found is None:
        return ""
    many, is_hours = found["many"].casefold(), found["unit"].casefold().startswith("h")
    if many.isdigit():
        return f"PT{int(many)}{'H' if is_hours else 'M'}"
    return ("PT30M" if many.startswith("half") else "PT1H") if is_hours else "PT1M"
