"""The organization's health on one card."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.card import Button, Card, Facts, Item, Table, Text, Tone
from bot.insights import SEVERITIES, Insight
from bot.intent import Answer, Ask, Definition, Query
from bot.services import Services
from bot.words import lasting
from intents.insights import definitions
from intents.insights.asking import Names, Watcher, ordered
from intents.insights.cards import MARKS, reference_to

WEEK = timedelta(days=7)
SHOWN = 8
_WORST = 3


@dataclass(frozen=True)
class Health:
    """The figures; of each place that has open insights how many by severity, gravest first."""

    ongoing: tuple[Insight, ...]
    accounts: tuple[tuple[str, Counter[str]], ...]
    units: tuple[tuple[str, Counter[str]], ...]
    stacks: tuple[tuple[str, Counter[str]], ...]
    recovery: timedelta | None
    """How long those that opened and closed this week were open, on average; None when there was none."""
    recovery_before: timedelta | None
    opened: int
    opened_before: int


def measure(ongoing: Sequence[Insight], opened: Sequence[Insight], now: datetime) -> Health:
    """Count what is open, and this week against the one before; `opened` are those of the last two weeks."""
    this_week = [i for i in opened if i.start > now - WEEK]
    before = [i for i in opened if now - 2 * WEEK < i.start <= now - WEEK]
    return Health(
        ongoing=ordered(ongoing),
        accounts=_places(ongoing, lambda i: (i.account,)),
        units=_places(ongoing, lambda i: (i.unit,) if i.unit else ()),
        stacks=_places(ongoing, lambda i: i.stacks),
        recovery=_recovery(this_week),
        recovery_before=_recovery(before),
        opened=len(this_week),
        opened_before=len(before),
    )


class InsightsHealth(Query):
    """Tells how the whole organization is."""

    def __init__(self, services: Services, watcher: Watcher) -> None:
        super().__init__(services)
        self._watcher = watcher

    def define(self) -> Definition:
        """Return the definition."""
        return definitions.define_health()

    async def answer(self, ask: Ask) -> Answer:
        """Return the card; raises CloudError when no Region answers."""
        now = self.services.clock.now()
        names, regions = await self._watcher.surroundings()
        ongoing, opened, unwatched = await asyncio.gather(
            self._watcher.provider.ongoing(regions),
            self._watcher.provider.opened(regions, now - 2 * WEEK, now),
            self._watcher.provider.unwatched(regions),
        )
        health = measure(ongoing.insights, opened.insights, now)
        missing = tuple(dict.fromkeys((*ongoing.missing, *opened.missing)))
        notes = [*missing, *(f"{region} is not watched: DevOps Guru analyses nothing there." for region in unwatched)]
        card = _card(health, names, regions, notes)
        return Answer(card.as_text(), card)


def _card(health: Health, names: Names, regions: Sequence[str], notes: Sequence[str]) -> Card:
    grave = sum(i.severity == "HIGH" for i in health.ongoing)
    tone: Tone = "bad" if grave else "warning" if health.ongoing or notes else "good"
    count, places = len(health.ongoing), len(health.accounts)
    title = (
        f"{count} open insight{'s' if count != 1 else ''} in {places} account{'s' if places != 1 else ''}"
        if health.ongoing
        else "No open insights where I could look"
        if notes
        else "No open insights"
    )
    items: list[Item] = [Text(f"⚠ {note}") for note in notes]
    if health.ongoing:
        rows = tuple(
            (MARKS[severity], *(str(sum(_is(i, severity, kind) for i in health.ongoing)) for kind in (False, True)))
            for severity in SEVERITIES
        )
        items.append(Table(("Severity", "Reactive", "Proactive"), rows))
    items.append(Facts(_facts(health, regions)))
    for what, found, called in (
        ("Account", health.accounts, names.account),
        ("OU", health.units, names.unit),
        ("Stack", health.stacks, str),
    ):
        if found:
            table = tuple((called(p), *(str(counts[s] or "–") for s in SEVERITIES)) for p, counts in found[:SHOWN])
            items.append(Table((what, *MARKS.values()), table))
            if len(found) > SHOWN:
                items.append(Text(f"{len(found) - SHOWN} more are not shown.", subtle=True))
    buttons = [
        Button(f"Insight {n}", "say", f"tell me about {reference_to(i)}")
        for n, i in enumerate(health.ongoing[:_WORST], 1)
    ]
    if health.ongoing:
        worst = "; ".join(
            f"{n}. {i.name}, {names.account(i.account)}" for n, i in enumerate(health.ongoing[:_WORST], 1)
        )
        items.append(Text(f"Gravest: {worst}."))
        buttons.append(Button("Which insights are open?", "say", "which insights are open?"))
    return Card(title, tuple(items), tuple(buttons), tone=tone, footer="From Amazon DevOps Guru")


def _facts(health: Health, regions: Sequence[str]) -> tuple[tuple[str, str], ...]:
    recovery = lasting(health.recovery) if health.recovery is not None else "none has closed"
    if health.recovery is not None and health.recovery_before is not None:
        recovery += f" ({lasting(health.recovery_before)} the week before)"
    change = health.opened - health.opened_before
    trend = "as many as" if not change else f"{abs(change)} {'more' if change > 0 else 'fewer'} than"
    return (
        ("Opened in 7 days", f"{health.opened}, {trend} the week before"),
        ("Mean time to recover", recovery),
        ("Regions", ", ".join(regions)),
    )


def _is(insight: Insight, severity: str, is_proactive: bool) -> bool:
    return insight.severity == severity and insight.is_proactive == is_proactive


def _places(
    insights: Sequence[Insight], of: Callable[[Insight], tuple[str, ...]]
) -> tuple[tuple[str, Counter[str]], ...]:
    counts: dict[str, Counter[str]] = {}
    for insight in insights:
        for place in of(insight):
            counts.setdefault(place, Counter())[insight.severity] += 1
    return tuple(sorted(counts.items(), key=lambda pair: ([-pair[1][s] for s in SEVERITIES], pair[0])))


def _recovery(insights: Sequence[Insight]) -> timedelta | None:
    times = [i.end - i.start for i in insights if i.end is not None and not i.is_proactive]
    return sum(times, timedelta()) / len(times) if times else None
