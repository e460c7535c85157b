"""The list of insights that a sentence asks for."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from difflib import get_close_matches

from bot.activity import Person
from bot.card import Button, Card, Item, Table, Text, Tone
from bot.errors import Invalid
from bot.insight_desk import Listed, Wanted
from bot.insights import CLOUDWATCH, Details, Found, Insight
from bot.intent import Answer, Ask, Definition, Query
from bot.services import Services
from bot.words import either
from intents.insights import definitions
from intents.insights.asking import Watcher
from intents.insights.cards import MARKS, reference_to, row_of, still_reading
from intents.insights.desk import CLOSED_LOOK, Desk
from intents.insights.filters import Filters, read_filters
from intents.insights.names import Names
from intents.insights.narrowing import say_filters
from intents.insights.when import Span, length_words

SHOWN = 10
"""Insights a page."""
NAMED = 4
"""Places that are named in a title."""


class InsightsList(Query):
    """Lists insights of all accounts and Regions, or of those that are named."""

    def __init__(self, services: Services, watcher: Watcher) -> None:
        super().__init__(services)
        self._watcher = watcher
        self._desk = Desk(services, watcher)

    async def list_insights(self, person: Person | None, wanted: Wanted, cursor: str, limit: int) -> Listed:
        """Return a page for a program or a page; see `bot.insights.InsightDesk`."""
        return await self._desk.list_insights(person, self.definition, wanted, cursor, limit)

    async def show_insight(self, person: Person | None, insight_id: str, account: str, region: str) -> Details:
        """Return all about one insight; see `bot.insights.InsightDesk`."""
        return await self._desk.show_insight(person, self.definition, insight_id, account, region)

    def forget(self, account: str, region: str) -> None:
        """Read that account and Region anew at the next question."""
        self._watcher.reader.forget(account, region)

    def define(self) -> Definition:
        """Return the definition."""
        return definitions.define_list()

    async def answer(self, ask: Ask) -> Answer:
        """Return a page of them; raises Invalid for names and times that can't be, CloudError when nothing is read."""
        card, pending = await self._read(ask, whole=False)
        if not pending:
            return Answer(card.as_text(), card)

        async def read_whole() -> Card:
            return (await self._read(ask, whole=True))[0]

        return await self._watcher.filling.begin(ask, still_reading(card, pending), read_whole)

    async def follow_up(self, ask: Ask) -> str:
        """Return the list that was shown last as a follow-up changes it, or one of what health was told of."""
        change = await self._watcher.follow_up(ask)
        return say_filters(change.whole) if change else ""

    async def _read(self, ask: Ask, *, whole: bool) -> tuple[Card, int]:
        """Return the card, and how many parts of it are still being read."""
        now = self.services.clock.now()
        names, regions = await self._watcher.surroundings()
        filters = read_filters(ask.text, ask.slots, now, names.organization, regions)
        span = filters.span
        if filters.state == "closed" and span is None:
            usual = Span(now - CLOSED_LOOK, now, f"in the past {length_words(CLOSED_LOOK)}")
            filters = replace(filters, span=usual)
        found = await self._watcher.find(filters, names, regions, whole=whole)
        if not found.insights and filters.thing and not found.pending:
            filters, found = await self._take_for_a_resource(filters, names, regions)
        asked = say_filters(replace(filters, span=span))
        what = describe_filters(filters, names)
        missing: tuple[Item, ...] = tuple(Text(f"⚠ {sentence}") for sentence in found.missing)
        if not found.insights:
            nothing = "nothing more is known" if found.missing else "none so far" if found.pending else "there are none"
            card = Card(f"{what[:1].upper()}{what[1:]}: {nothing}", missing, footer=self._watcher.footer)
            if not found.pending:
                lines = await self._watcher.unwatched(filters, names, regions)
                card = replace(card, items=(*card.items, *(Text(f"⚠ {line}") for line in lines)))
        else:
            card = _page(ask.text, filters, found.insights, what, missing, names, now)
            card = replace(card, footer=self._watcher.footer)
        return replace(card, asked=asked), found.pending

    async def _take_for_a_resource(
        self, filters: Filters, names: Names, regions: tuple[str, ...]
    ) -> tuple[Filters, Found]:
        """Return what a name means that no account, OU, Region or stack has; raises Invalid when nothing has it."""
        wider = replace(filters, thing="", resource=filters.thing)
        found = await self._watcher.find(wider, names, regions)
        if found.insights:
            return wider, found
        everything = await self._watcher.find(replace(filters, thing=""), names, regions)
        raise Invalid(nothing_called(filters.thing, everything.insights, names, regions), next_step=HOW_TO_NAME)


def _page(
    said: str,
    filters: Filters,
    insights: tuple[Insight, ...],
    what: str,
    missing: tuple[Item, ...],
    names: Names,
    now: datetime,
) -> Card:
    pages = -(-len(insights) // SHOWN)
    page = min(filters.page, pages)
    first = (page - 1) * SHOWN
    shown = insights[first : first + SHOWN]
    rows = tuple(row_of(n, i, now, names.account(i.account)) for n, i in enumerate(shown, first + 1))
    items: list[Item] = [Table(("", "Severity", "Insight", "Account", "Region", "State"), rows), *missing]
    buttons = [
        Button(f"Insight {n}", "say", f"tell me about {reference_to(i)}") for n, i in enumerate(shown, first + 1)
    ]
    if doubled := sum(bool(insight.also) for insight in insights):
        who = "One of these is" if doubled == 1 else f"{doubled} of these are"
        items.append(Text(f"{who} told by {CLOUDWATCH} as well, and shown once.", subtle=True))
    if page < pages:
        following = f"{_without_page(said)}, page {page + 1}"
        items.append(Text(f"Page {page} of {pages}. For more say “next page”.", subtle=True))
        buttons.append(Button("Next page", "say", following))
    elif pages > 1:
        items.append(Text(f"Page {page} of {pages}, the last.", subtle=True))
    counts = ", ".join(
        f"{count} {MARKS[severity].casefold()}" for severity in MARKS if (count := _count(insights, severity))
    )
    title = f"{len(insights)} {what if len(insights) != 1 else what.replace('insights', 'insight', 1)} ({counts})"
    tone: Tone = "bad" if any(i.severity == "HIGH" and i.is_open for i in insights) else "warning"
    return Card(title, tuple(items), tuple(buttons), tone=tone)


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
    parts += filter(None, (describe_places(filters, names),))
    if filters.span:
        verb = "" if filters.state == "closed" else "opened "
        parts.append(f"{verb}{filters.span.words}")
    return " ".join(parts)


def describe_places(filters: Filters, names: Names) -> str:
    """Return what the filters name of the organization: "of LAMBDA in Platform/Prod and us-east-1"."""
    parts = []
    if filters.services:
        parts.append("of " + " and ".join(s.replace("_", " ") for s in filters.services))
    for word, value in (("", filters.stack or filters.thing), ("the resource ", filters.resource)):
        if value:
            parts.append(f"of {word}{value}")
    if filters.tags:
        parts.append("tagged " + _and(list(filters.tags)))
    places = [*filters.named_units, *(names.account(a) for a in filters.accounts)]
    if len(places) > NAMED:
        places = [*places[:NAMED], f"{len(places) - NAMED} more"]
    if places:
        parts.append("in " + _and(places))
    if filters.regions:
        parts.append(("and " if places else "in ") + _and(list(filters.regions)))
    return " ".join(parts)


_TOPIC_WORDS = {"throttl": "throttling", "error": "errors"}
HOW_TO_NAME = "Name an account by its id or name, an OU by its path, a Region, a stack, or leave it out."


def nothing_called(thing: str, others: tuple[Insight, ...], names: Names, regions: tuple[str, ...]) -> str:
    """Return that nothing has a name, with the names that are near to it."""
    stacks = sorted({stack for insight in others for stack in insight.stacks})
    organization = names.organization
    known = [
        *(account["Name"] for account in organization.accounts),
        *(unit.path for unit in organization.units),
        *(unit.name for unit in organization.units),
        *regions,
        *stacks,
    ]
    folded = {name.casefold(): name for name in known}
    near = [folded[name] for name in get_close_matches(thing.casefold(), list(folded), n=4, cutoff=0.6)]
    there = f" The stacks with insights are {_and(stacks[:6])}." if stacks else ""
    if near:
        there = f" Did you mean {either(near)}?"
    return f"I know no account, OU, Region, stack or resource with insights that is called “{thing[:60]}”.{there}"


def _and(values: list[str]) -> str:
    return " and ".join(filter(None, (", ".join(values[:-1]), "".join(values[-1:]))))


def _count(insights: tuple[Insight, ...], severity: str) -> int:
    return sum(i.severity == severity for i in insights)


def _without_page(said: str) -> str:
    return said.rpartition(", page ")[0] if ", page " in said else said.rstrip(" ?.!")
