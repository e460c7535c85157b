"""What a room is shown of an insight that it is told about."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.card import Button, Card, Facts, Item, Text, Tone
from bot.causes import Cause
from bot.insights import Event, Insight, Recommendation
from bot.words import lasting
from intents.insights.cards import (
    MARKS,
    cause_rows,
    deployment_before,
    kind_of,
    mark_of_causes,
    place_of_cause,
    reference_to,
    when,
)
from intents.insights.names import Names
from intents.insights.told import Told


@dataclass(frozen=True)
class View:
    """An insight as it is now, as far as it could be read; `pictures` are its charts with their words."""

    insight: Insight
    events: tuple[Event, ...]
    recommendations: tuple[Recommendation, ...]
    pictures: tuple[Item, ...]
    causes: tuple[Cause, ...]
    is_partial: bool = False
    """Whether AWS could not be asked, so that this is only what the news told."""
    news: tuple[Item, ...] = ()
    """The chart of the anomaly that the news is about, with its words."""


def card_of(view: View, names: Names, now: datetime, footer: str, cause: Cause | None = None) -> Card:
    """Return an insight's standing card; with `cause`, the one in the thread of what may have caused it."""
    insight = view.insight
    items: list[Item] = []
    if cause is not None:
        items.append(Text(f"{_words_of(cause, insight)} It may have to do with it."))
    if insight.description:
        items.append(Text(insight.description))
    rows = [
        ("Account", names.account(insight.account)),
        ("OU", names.unit(insight.unit) if insight.unit else ""),
        ("Region", insight.region),
        ("Severity", f"{MARKS[insight.severity]}, {kind_of(insight)}"),
        ("Opened", when(insight.start)),
        ("Closed", f"{when(insight.end)}, after {lasting(insight.lasted(now))}" if insight.end else ""),
        ("Expected", when(insight.prediction) if insight.prediction and insight.is_open else ""),
        ("Stacks", ", ".join(insight.stacks)),
        *(cause_rows(view.causes, insight) if cause is None else ()),
    ]
    items.append(Facts(tuple((n, v) for n, v in rows if v)))
    items.extend(view.pictures)
    if sentence := deployment_before(view.events, insight):
        items.append(Text(sentence))
    if view.recommendations and insight.is_open:
        items.append(Text(f"→ {view.recommendations[0].name}. {view.recommendations[0].reason}".strip()))
    which = reference_to(insight)
    buttons = [Button("Tell me more", "say", f"tell me about {which}")]
    if insight.is_open:
        buttons.append(Button("What should I do about it?", "say", f"show recommendations of {which}"))
        buttons.append(Button("Mute for 2 hours", "say", f"mute {which} for 2 hours"))
    tone: Tone = "good" if not insight.is_open else "bad" if insight.severity == "HIGH" else "warning"
    return Card(_title(view, now), tuple(items), tuple(buttons), tone=tone, footer=footer)


def _title(view: View, now: datetime) -> str:
    insight = view.insight
    if not insight.is_open:
        return f"Closed after {lasting(insight.lasted(now))}: {insight.name}"
    return f"{mark_of_causes(view.causes)}{MARKS[insight.severity]}: {insight.name}"


def news_of(told: Told, insight: Insight, names: Names, now: datetime) -> str:
    """Return one piece of news in a sentence that stands alone."""
    what = {
        "NEW_INSIGHT": f"a {MARKS[insight.severity].casefold()} severity insight has opened.",
        "NEW_ASSOCIATION": f"a further anomaly belongs to it: {told.newest or 'see its chart'}.",
        "SEVERITY_UPGRADED": f"its severity is {MARKS[insight.severity].casefold()} now.",
        "NEW_RECOMMENDATION": f"DevOps Guru advises: {told.advice or 'see its recommendations'}.",
        "CLOSED_INSIGHT": f"it has closed, after {lasting(insight.lasted(now))}.",
    }[told.kind]
    return f"{insight.name} in {names.account(insight.account)}: {what}"


def _words_of(cause: Cause, insight: Insight) -> str:
    place = place_of_cause(cause)
    if cause.is_certain:
        return f"This opened while the experiment of request {cause.request} was running on the same {place}."
    later = lasting(insight.start - cause.at)
    return f"This opened {later} after request {cause.request} on the same {place}."


def summary_of(rows: Sequence[tuple[datetime, str, str]], why: str) -> tuple[str, Card]:
    """Return what was held back as (text, card); each row is when, in which words, and what names the insight."""
    title = f"{why}: {len(rows)} piece{'s' if len(rows) != 1 else ''} of news"
    lines = tuple(Text(f"{when(at)}: {words}") for at, words, _ in rows)
    named = list(dict.fromkeys(reference for _, _, reference in rows))[:5]
    buttons = tuple(Button(f"Insight {n}", "say", f"tell me about {reference}") for n, reference in enumerate(named, 1))
    card = Card(title, lines, buttons, tone="warning")
    return card.as_text(), card
