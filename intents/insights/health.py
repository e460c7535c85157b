"""The health of the organization, or of a part of it, on one card."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import get_args

from bot.card import Button, Card, Facts, Item, Table, Text, Tone
from bot.errors import Invalid
from bot.insights import SEVERITIES, Gap, Insight, Question
from bot.intent import Answer, Ask, Definition, Query
from bot.services import Services
from bot.words import lasting
from intents.insights import definitions
from intents.insights.asking import Watcher
from intents.insights.cards import MARKS, gap_lines, reference_to, still_reading
from intents.insights.figures import WEEK, Dimension, Figures, Places, measure, measure_by
from intents.insights.filters import Filters, read_filters
from intents.insights.listing import HOW_TO_NAME, describe_places, nothing_called
from intents.insights.names import Names
from intents.insights.narrowing import say_health

SHOWN, SHOWN_ALONE = 6, 25
"""Places of each kind: among others, and when they are asked for by their kind."""
_WORST = 3
_BY: Mapping[Dimension, str] = {
    "account": r"accounts?",
    "ou": r"ous?|organizational units?",
    "region": r"regions?",
    "stack": r"stacks?",
    "service": r"services?",
    "tag": r"tags?",
}
_HEADS: Mapping[Dimension, str] = {
    "account": "Account",
    "ou": "OU",
    "region": "Region",
    "stack": "Stack",
    "service": "Service",
    "tag": "Tag",
}
_HEALTH_OF = re.compile(
    r"\bhow healthy (?:is|are) (.+)|\bhow(?: is| are|[\u2019']?s|[\u2019']re) (.+?) doing\b"
    r"|^(?:hey |so |and )?(?:is|are) (.+?) (?:(?:un)?healthy|ok(?:ay)?|fine|all right|alright|up)\b"
)
_ALL_OF_IT = frozenset(
    "the a an all of our my we you us it they everything anything something things organization organisation company"
    " account accounts ou ous stack stacks region regions system systems cloud aws whole today now".split()
)
_USUAL: tuple[Dimension, ...] = ("account", "ou", "stack", "region")


class InsightsHealth(Query):
    """Tells how the organization is, or what is named of it; by account, OU, Region, stack, service or tag."""

    def __init__(self, services: Services, watcher: Watcher) -> None:
        super().__init__(services)
        self._watcher = watcher

    def define(self) -> Definition:
        """Return the definition."""
        return definitions.define_health()

    async def answer(self, ask: Ask) -> Answer:
        """Return the card; raises Invalid for places that there are none of, CloudError when nothing is read."""
        card, pending = await self._read(ask, whole=False)
        if not pending:
            return Answer(card.as_text(), card)

        async def read_whole() -> Card:
            return (await self._read(ask, whole=True))[0]

        return await self._watcher.filling.begin(ask, still_reading(card, pending), read_whole)

    async def follow_up(self, ask: Ask) -> str:
        """Return the health that was shown last of another place, or by other places; lists answer for the rest."""
        dimension, key, rest = _read_dimension(ask.text)
        by = f"by {dimension} {key}".strip() if dimension else ""
        change = await self._watcher.follow_up(ask, rest, may_be_same=bool(by))
        if change is None or not change.was_health or not (by or change.names_places_alone):
            return ""
        return say_health(change.whole, by or change.by)

    async def _read(self, ask: Ask, *, whole: bool) -> tuple[Card, int]:
        """Return the card, and how many parts of it are still being read."""
        now = self.services.clock.now()
        names, regions = await self._watcher.surroundings()
        by, key, rest = _read_dimension(ask.text)
        filters = replace(read_filters(rest, {}, now, names.organization, regions), state="", span=None)
        filters = replace(filters, thing=filters.thing or _place_named(rest, filters))
        if by == "tag":
            filters = replace(filters, tags=())
        asked = [Question(), Question("opened", now - 2 * WEEK)]
        scope = await self._watcher.scope(filters, names, regions)
        watched = await self._watcher.scope(filters, names, regions, exact=True) if filters.units else scope
        (ongoing, opened), gaps, tags = await asyncio.gather(
            asyncio.gather(*(self._watcher.find(filters, names, regions, q, whole=whole) for q in asked)),
            self._watcher.gaps(watched),
            self._watcher.tags() if by == "tag" else _nothing(),
        )
        pending = max(ongoing.pending, opened.pending)
        if filters.thing and not (ongoing.insights or opened.insights or pending):
            everything = await self._watcher.find(replace(filters, thing=""), names, regions, asked[1])
            problem = nothing_called(filters.thing, everything.insights, names, regions)
            raise Invalid(problem, next_step=HOW_TO_NAME)
        notes = [f"⚠ {sentence}" for sentence in dict.fromkeys((*ongoing.missing, *opened.missing))]
        figures = measure(ongoing.insights, opened.insights, now)
        places = {
            dimension: measure_by(ongoing.insights, opened.insights, now, _places_of(dimension, names, tags, key))
            for dimension in ((by,) if by else _USUAL)
        }
        card = self._card(filters, figures, places, ongoing.insights, names, scope.regions, gaps, notes)
        said = say_health(filters, f"by {by} {key}".strip() if by else "")
        return replace(card, asked=said), pending

    def _card(
        self,
        filters: Filters,
        whole: Figures,
        places: Mapping[Dimension, Mapping[str, Figures]],
        ongoing: Sequence[Insight],
        names: Names,
        regions: Sequence[str],
        gaps: Sequence[Gap],
        notes: Sequence[str],
    ) -> Card:
        unwatched = gap_lines(gaps, names.account)
        items: list[Item] = [*(Text(note) for note in notes)]
        if ongoing:
            rows = tuple(
                (MARKS[severity], *(str(sum(_is(i, severity, kind) for i in ongoing)) for kind in (False, True)))
                for severity in SEVERITIES
            )
            items.append(Table(("Severity", "Reactive", "Proactive"), rows))
        items.append(Facts((*_facts(whole), ("Regions", ", ".join(regions)))))
        for dimension, found in places.items():
            items += _table(dimension, found, len(places) == 1)
        items += [Text(f"⚠ {line}") for line in unwatched]
        buttons = [
            Button(f"Insight {n}", "say", f"tell me about {reference_to(i)}") for n, i in enumerate(ongoing[:_WORST], 1)
        ]
        if ongoing:
            worst = "; ".join(f"{n}. {i.name}, {names.account(i.account)}" for n, i in enumerate(ongoing[:_WORST], 1))
            items.append(Text(f"Gravest: {worst}."))
            buttons.append(Button("Which insights are open?", "say", "which insights are open?"))
        if unwatched:
            buttons.append(Button("What is not watched?", "say", "what is not watched?"))
        where = describe_places(filters, names)
        accounts = len({i.account for i in ongoing})
        title = (
            f"{len(ongoing)} open insight{'s' if len(ongoing) != 1 else ''} in "
            f"{accounts} account{'s' if accounts != 1 else ''}"
            if ongoing
            else "No open insights where I could look"
            if notes or unwatched
            else "No open insights"
        )
        grave = any(i.severity == "HIGH" for i in ongoing)
        tone: Tone = "bad" if grave else "warning" if ongoing or notes or unwatched else "good"
        footer = self._watcher.footer
        return Card(f"{title} {where}".strip(), tuple(items), tuple(buttons), tone=tone, footer=footer)


def _read_dimension(text: str) -> tuple[Dimension | None, str, str]:
    """Return by what places are told apart, the key of tags, and the text without it."""
    for dimension in get_args(Dimension):
        words = _BY[dimension]
        by = rf"\b(?:by|per|for each|each) (?:{words})\b"
        if dimension == "tag":
            by += r"(?: ([\w.:-]+))?"
        if found := re.search(by, text, re.IGNORECASE):
            key = found[1] or "" if dimension == "tag" else ""
            return dimension, key.casefold(), f"{text[: found.start()]} {text[found.end() :]}"
        if found := re.search(rf"\bwhich (?:{words}) (?:is|are) (?:un)?healthy\b", text, re.IGNORECASE):
            return dimension, "", f"{text[: found.start()]} {text[found.end() :]}"
    return None, "", text


def _place_named(text: str, filters: Filters) -> str:
    """Return whose health is asked for where that is nothing the organization has: "how healthy is Atlantis?"."""
    found = _HEALTH_OF.search(text.casefold())
    is_read = any((filters.accounts, filters.units, filters.regions, filters.stack, filters.resource, filters.services))
    if found is None or is_read or filters.tags or filters.topics:
        return ""
    words = [word for word in re.findall(r"[\w./-]+", found[1] or found[2] or found[3]) if word not in _ALL_OF_IT]
    return " ".join(words)


def _places_of(dimension: Dimension, names: Names, tags: Mapping[str, tuple[str, ...]], key: str) -> Places:
    untagged = f"without the tag {key}" if key else "without tags"

    def tagged(insight: Insight) -> list[str]:
        held = dict.fromkeys((*insight.tags, *tags.get(insight.account, ())))
        return [tag for tag in held if not key or tag.partition("=")[0].casefold() == key] or [untagged]

    of: Mapping[Dimension, Places] = {
        "account": lambda i: (names.account(i.account),),
        "ou": lambda i: names.above(i.unit),
        "region": lambda i: (i.region,),
        "stack": lambda i: i.stacks,
        "service": lambda i: i.services,
        "tag": tagged,
    }
    return of[dimension]


def _table(dimension: Dimension, found: Mapping[str, Figures], is_alone: bool) -> list[Item]:
    """Return a table of places; alone with all that is known of each, else those with something open."""
    shown = {place: f for place, f in found.items() if is_alone or f.open.total()}
    if not shown:
        return [Text(f"Nothing is known by {_HEADS[dimension]} here.", subtle=True)] if is_alone else []
    most = SHOWN_ALONE if is_alone else SHOWN
    head = (_HEADS[dimension], *MARKS.values(), "7 days", "Recovery")
    rows = tuple(
        (
            place,
            *(str(figures.open[severity] or "–") for severity in SEVERITIES),
            figures.trend,
            lasting(figures.recovery) if figures.recovery is not None else "–",
        )
        for place, figures in list(shown.items())[:most]
    )
    items: list[Item] = [Table(head, rows)]
    if len(shown) > most:
        word = _HEADS[dimension]
        items.append(Text(f"And {len(shown) - most} more: ask for “health by {word}”.", subtle=True))
    return items


def _facts(health: Figures) -> tuple[tuple[str, str], ...]:
    recovery = lasting(health.recovery) if health.recovery is not None else "none has closed"
    if health.recovery is not None and health.recovery_before is not None:
        recovery += f" ({lasting(health.recovery_before)} the week before)"
    change = health.opened - health.opened_before
    trend = "as many as" if not change else f"{abs(change)} {'more' if change > 0 else 'fewer'} than"
    return (
        ("Opened in 7 days", f"{health.opened}, {trend} the week before"),
        ("Mean time to recover", recovery),
    )


def _is(insight: Insight, severity: str, is_proactive: bool) -> bool:
    return insight.severity == severity and insight.is_proactive == is_proactive


async def _nothing() -> dict[str, tuple[str, ...]]:
    return {}
