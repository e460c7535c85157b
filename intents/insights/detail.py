"""One insight: overview, charts, events, recommendations."""

from __future__ import annotations

import asyncio
import re
from datetime import UTC, datetime

from bot.card import Button, Card, Facts, Image, Item, Link, Table, Text, Tone
from bot.errors import CloudError, NotFound
from bot.insights import KEPT, Anomaly, Details, Insight
from bot.intent import Answer, Ask, Definition, Query
from bot.services import Services
from bot.words import lasting
from intents.insights import definitions
from intents.insights.asking import Names, Watcher
from intents.insights.cards import (
    MARKS,
    deployment_before,
    kind_of,
    reference_to,
    state_of,
    timeline,
    when,
)
from intents.insights.chart import data_url, draw
from intents.insights.spoken import Named, insight_meant

CHARTS, EVENTS, ADVICE = 2, 6, 3
"""How many of each the overview shows."""
_EVENTS = re.compile(r"\b(?:events?|deployments?|deployed|before|timeline|cloudtrail)\b")
_ADVICE = re.compile(r"\b(?:recommend\w*|advice|advise|fix|do about|should)\b")
_CHARTS = re.compile(r"\b(?:charts?|graphs?|metrics?|picture)\b")


class InsightDetail(Query):
    """Tells about the insight that is named, or that was shown last."""

    def __init__(self, services: Services, watcher: Watcher) -> None:
        super().__init__(services)
        self._watcher = watcher

    def define(self) -> Definition:
        """Return the definition."""
        return definitions.define_detail()

    async def answer(self, ask: Ask) -> Answer:
        """Return the whole insight, or the part that is asked for; raises Invalid, NotFound or CloudError."""
        named = await insight_meant(self.services, ask)
        names, regions = await self._watcher.surroundings()
        insight = await self._found(named, regions)
        try:
            details = await self._watcher.provider.details(insight)
        except CloudError as error:
            if error.code == "ResourceNotFoundException":
                raise _unknown(insight.id) from error
            raise
        now, folded = self.services.clock.now(), ask.text.casefold()
        if _EVENTS.search(folded):
            card = _events_card(details, names)
        elif _ADVICE.search(folded):
            card = _advice_card(details, names)
        else:
            pictures = await _charts(details, None if _CHARTS.search(folded) else CHARTS)
            card = _overview(details, names, now, pictures)
        return Answer(card.as_text(), card)

    async def _found(self, named: Named, regions: tuple[str, ...]) -> Insight:
        """Return the insight as far as it is known; one that is named by its id alone is looked for everywhere."""
        identifier, account, region = named
        if account:
            nowhen = datetime.min.replace(tzinfo=UTC)
            return Insight(identifier, account, region, "", "LOW", False, nowhen, None)
        now = self.services.clock.now()
        found, ongoing = await asyncio.gather(
            self._watcher.provider.opened(regions, now - KEPT, now), self._watcher.provider.ongoing(regions)
        )
        insight = next((i for i in (*found.insights, *ongoing.insights) if i.id == identifier), None)
        if insight is None:
            raise _unknown(identifier)
        return insight


def _unknown(identifier: str) -> NotFound:
    return NotFound(
        f"There is no insight {identifier[:40]} in the past {KEPT.days} days.",
        next_step="Say “which insights are open?” to see those there are.",
    )


async def _charts(details: Details, most: int | None) -> list[Item]:
    """Return pictures of the anomalous metrics, drawn off the event loop, each below its words."""
    wanted = [a for a in details.anomalies if a.points][:most]
    drawn = await asyncio.gather(*(asyncio.to_thread(draw, anomaly) for anomaly in wanted))
    found: list[Item] = []
    for anomaly, png in zip(wanted, drawn, strict=True):
        alt = f"Chart of {anomaly.metric} of {anomaly.resource}"
        found += [Text(_words_of(anomaly)), Image(data_url(png), alt)]
    return found


def _words_of(anomaly: Anomaly) -> str:
    """Return a chart in words, for those who do not see it."""
    before = [value for at, value in anomaly.points if at < anomaly.start]
    during = [v for at, v in anomaly.points if at >= anomaly.start and (anomaly.end is None or at <= anomaly.end)]
    unit = {"Percent": " %", "Milliseconds": " ms", "Seconds": " s"}.get(anomaly.unit, "")
    usually = f"usually {sum(before) / len(before):,.0f}{unit}, " if before else ""
    peak = f"up to {max(during):,.0f}{unit} since {when(anomaly.start)}" if during else "no values"
    foretold = ""
    if anomaly.prediction and anomaly.limit is not None:
        foretold = f"; expected to reach {anomaly.limit:,.0f}{unit} {when(anomaly.prediction)}"
    return f"{anomaly.metric} ({anomaly.statistic}) of {anomaly.resource}: {usually}{peak}{foretold}"


def _overview(details: Details, names: Names, now: datetime, pictures: list[Item]) -> Card:
    insight = details.insight
    rows = [
        ("Account", names.account(insight.account)),
        ("Region", insight.region),
        ("Severity", f"{MARKS[insight.severity]}, {kind_of(insight)}"),
        ("State", state_of(insight, now)),
        ("Opened", when(insight.start)),
        ("Closed", when(insight.end) if insight.end else ""),
        ("Expected", _expected(insight, now)),
        ("Stacks", ", ".join(insight.stacks)),
        ("Id", insight.id),
    ]
    items: list[Item] = [Text(insight.description)] if insight.description else []
    items.append(Facts(tuple((n, v) for n, v in rows if v)))
    items.extend(pictures)
    if sentence := deployment_before(details.events, insight):
        items.append(Text(sentence))
    if details.events:
        items.append(Table(("When", "What happened", "Where"), tuple(timeline(details.events[-EVENTS:], insight))))
    for advice in details.recommendations[:ADVICE]:
        items += _advice(advice.name, advice.reason, advice.link)
    return _card(insight, insight.name, items)


def _expected(insight: Insight, now: datetime) -> str:
    if insight.prediction is None:
        return ""
    ahead = insight.prediction - now
    return when(insight.prediction) + (f", in {lasting(ahead)}" if ahead.total_seconds() > 0 else "")


def _events_card(details: Details, names: Names) -> Card:
    insight = details.insight
    title = f"Events around “{insight.name}” in {names.account(insight.account)}"
    if not details.events:
        return _card(insight, title, [Text("CloudTrail has no events that belong to this insight.")])
    items: list[Item] = [Table(("When", "What happened", "Where"), tuple(timeline(details.events, insight)))]
    if sentence := deployment_before(details.events, insight):
        items.insert(0, Text(sentence))
    return _card(insight, title, items)


def _advice_card(details: Details, names: Names) -> Card:
    insight = details.insight
    items: list[Item] = []
    for advice in details.recommendations:
        items += _advice(advice.name, advice.reason, advice.link)
    title = f"What DevOps Guru advises about “{insight.name}” in {names.account(insight.account)}"
    return _card(insight, title, items or [Text("It has no recommendation.")])


def _advice(name: str, reason: str, link: str) -> list[Item]:
    found: list[Item] = [Text(f"→ {name}. {reason}".strip())]
    return [*found, Link("How to", link)] if link.startswith("https://") else found


def _card(insight: Insight, title: str, items: list[Item]) -> Card:
    which = reference_to(insight)
    tone: Tone = "good" if not insight.is_open else "bad" if insight.severity == "HIGH" else "warning"
    buttons = (
        Button("Show its events", "say", f"show events of {which}"),
        Button("What should I do about it?", "say", f"show recommendations of {which}"),
    )
    return Card(title, tuple(items), buttons, tone=tone, footer="From Amazon DevOps Guru")
