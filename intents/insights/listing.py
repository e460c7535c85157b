"""The list of insights that a sentence asks for."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from bot.card import Button, Card, Item, Table, Text, Tone
from bot.errors import Invalid
from bot.insights import Insight
from bot.intent import Answer, Ask, Definition, Query
from bot.services import Services
from bot.words import either
from intents.insights import definitions
from intents.insights.asking import Names, Watcher
from intents.insights.cards import MARKS, reference_to, row_of
from intents.insights.filters import Filters, read_filters
from intents.insights.when import Span, length_words

SHOWN = 10
"""Insights a page."""
CLOSED_LOOK = timedelta(days=7)
"""How far back closed ones are looked for when no time is named."""


class InsightsList(Query):
    """Lists insights of all accounts and Regions, or of those that are named."""

    def __init__(self, services: Services, watcher: Watcher) -> None:
        super().__init__(services)
        self._watcher = watcher

    def define(self) -> Definition:
        """Return the definition."""
        return definitions.define_list()

    async def answer(self, ask: Ask) -> Answer:
        """Return a page of them; raises Invalid for names and times that can't be, CloudError when nothing is read."""
        now = self.services.clock.now()
        names, regions = await self._watcher.surroundings()
        filters = read_filters(ask.text, ask.slots, now, names.organization, regions)
        if filters.state == "closed" and filters.span is None:
            span = Span(now - CLOSED_LOOK, now, f"in the past {length_words(CLOSED_LOOK)}")
            filters = replace(filters, span=span)
        found = await self._watcher.find(filters, regions)
        if not found.insights and filters.thing:
            everything = await self._watcher.find(replace(filters, thing=""), regions)
            raise Invalid(_nothing_called(filters.thing, everything.insights), next_step=_TO_NAME)
        what = describe_filters(filters, names)
        missing: tuple[Item, ...] = tuple(Text(f"⚠ {sentence}") for sentence in found.missing)
        if not found.insights:
            nothing = "nothing more is known" if found.missing else "there are none"
            card = Card(f"{what[:1].upper()}{what[1:]}: {nothing}", missing)
            return Answer(card.as_text(), card)
        return _page(ask.text, filters, found.insights, what, missing, names, now)


def _page(
    said: str,
    filters: Filters,
    insights: tuple[Insight, ...],
    what: str,
    missing: tuple[Item, ...],
    names: Names,
    now: datetime,
) -> Answer:
    pages = -(-len(insights) // SHOWN)
    page = min(filters.page, pages)
    first = (page - 1) * SHOWN
    shown = insights[first : first + SHOWN]
    rows = tuple(row_of(n, i, now, names.account(i.account)) for n, i in enumerate(shown, first + 1))
    items: list[Item] = [Table(("", "Severity", "Insight", "Account", "Region", "State"), rows), *missing]
    buttons = [
        Button(f"Insight {n}", "say", f"tell me about {reference_to(i)}") for n, i in enumerate(shown, first + 1)
    ]
    if page < pages:
        following = f"{_without_page(said)}, page {page + 1}"
        items.append(Text(f"Page {page} of {pages}. For more say “{following}”.", subtle=True))
        buttons.append(Button("Next page", "say", following))
    counts = ", ".join(
        f"{count} {MARKS[severity].casefold()}" for severity in MARKS if (count := _count(insights, severity))
    )
    title = f"{len(insights)} {what if len(insights) != 1 else what.replace('insights', 'insight', 1)} ({counts})"
    tone: Tone = "bad" if any(i.severity == "HIGH" and i.is_open for i in insights) else "warning"
    card = Card(title, tuple(items), tuple(buttons), tone=tone)
    return Answer(card.as_text(), card)


def describe_filters(filters: Filters, names: Names) -> str:
    """Return what was asked for, as it was understood: "open high severity insights in Platform/Prod"."""
    parts = []
    if filters.state or filters.span is None:
        parts.append(filters.state or "open")
    if filters.severities:
        parts.append(" and ".join(MARKS[s].casefold() for s in filters.severities) + " severity")
    if filters.kind:
        parts.append(filters.kind.casefold())
    parts.append("insights")
    if filters.topics:
        parts.append("about " + either([_TOPIC_WORDS.get(t, t) for t in filters.topics]))
    if filters.services:
        parts.append("of " + " and ".join(s.replace("_", " ") for s in filters.services))
    if filters.stack or filters.thing:
        parts.append(f"of {filters.stack or filters.thing}")
    places = [*filters.named_units, *(names.account(a) for a in filters.accounts)]
    if places:
        parts.append("in " + _and(places))
    if filters.regions:
        parts.append(("and " if places else "in ") + _and(list(filters.regions)))
    if filters.span:
        verb = "" if filters.state == "closed" else "opened "
        parts.append(f"{verb}{filters.span.words}")
    return " ".join(parts)


_TOPIC_WORDS = {"throttl": "throttling", "error": "errors"}
_TO_NAME = "Name an account by its id or name, an OU by its path, a Region, a stack, or leave it out."


def _nothing_called(thing: str, others: tuple[Insight, ...]) -> str:
    stacks = sorted({stack for insight in others for stack in insight.stacks})
    there = f" The stacks with insights are {_and(stacks[:6])}." if stacks else ""
    return f"I know no account, OU, Region or stack with insights that is called “{thing[:60]}”.{there}"


def _and(values: list[str]) -> str:
    return " and ".join(filter(None, (", ".join(values[:-1]), "".join(values[-1:]))))


def _count(insights: tuple[Insight, ...], severity: str) -> int:
    return sum(i.severity == severity for i in insights)


def _without_page(said: str) -> str:
    return said.rpartition(", page ")[0] if ", page " in said else said.rstrip(" ?.!")
