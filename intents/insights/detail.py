"""One insight: overview, charts, events, recommendations."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from bot.card import Button, Card, Facts, Image, Item, Link, Table, Text, Tone
from bot.causes import Cause, Trouble
from bot.charts import png, svg
from bot.dialogue.phrases import bare
from bot.errors import Unavailable
from bot.insights import Anomaly, Details, Insight, Recommendation
from bot.intent import Answer, Ask, Definition, Query
from bot.services import Services
from bot.words import lasting
from intents.insights import definitions
from intents.insights.asking import Watcher
from intents.insights.cards import (
    MARKS,
    cause_rows,
    deployment_before,
    kind_of,
    mark_of_causes,
    reference_to,
    references_in,
    state_of,
    timeline,
    when,
)
from intents.insights.names import Names
from intents.insights.shown import just_shown
from intents.insights.spoken import Named, insight_meant

CHARTS, EVENTS, ADVICE = 2, 6, 3
"""How many of each the overview shows."""
_EVENTS = re.compile(r"\b(?:events?|deployments?|deployed|before|timeline|cloudtrail)\b")
_BEFORE = re.compile(r"\b(?:before|deployments?|deployed)\b")
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
        details = await self._watcher.details(await self._found(named, names, regions))
        now, folded = self.services.clock.now(), ask.text.casefold()
        if _EVENTS.search(folded):
            causes = await self._causes(details.insight)
            card = _events_card(details, names, causes)
            if _BEFORE.search(folded):
                card = replace(card, items=(*self._none_before(details, causes), *card.items))
        elif _ADVICE.search(folded):
            card = _advice_card(details, names)
        else:
            most = None if _CHARTS.search(folded) else CHARTS
            pictures = await self._charts(details, most, ask.channel == "console")
            card = _overview(details, names, now, pictures, await self._causes(details.insight))
        for identifier in await self._watcher.told_also(details.insight, names, regions):
            other = reference_to(replace(details.insight, id=identifier))
            card = replace(card, buttons=(*card.buttons, Button("The alarm about it", "say", f"tell me about {other}")))
        if details.missing:
            card = replace(card, items=(*card.items, *(Text(f"⚠ {sentence}") for sentence in details.missing)))
        return Answer(card.as_text(), card)

    async def follow_up(self, ask: Ask) -> str:
        """Return the question about the insight that was shown last; which, when it was several, is asked back."""
        shown = [references_in(card) for card in (await just_shown(self.services, ask.conversation))[:1]]
        if not shown or not shown[0]:
            return ""
        which = f"insight {'_'.join(shown[0][0])}" if len(shown[0]) == 1 else "that one"
        is_ours = re.fullmatch(definitions.OURS, bare(ask.text).rstrip(" ?"))
        return f"which deployment came before {which}" if is_ours else f"tell me about {which}"

    async def _causes(self, insight: Insight) -> list[Cause]:
        """Return what of ours came before it."""
        return await self.services.causes.of(Trouble(insight.account, insight.region, insight.stacks, insight.start))

    def _none_before(self, details: Details, causes: Sequence[Cause]) -> list[Item]:
        """Return what is said where no deployment, or no request of ours, came before: no word would be no answer."""
        items: list[Item] = []
        if not deployment_before(details.events, details.insight):
            items.append(Text("None of the events before it is a deployment."))
        if not causes:
            window = lasting(timedelta(minutes=self.services.settings.insight_cause_minutes))
            items.append(Text(f"No request of ours touched its account in the {window} before."))
        return items

    async def _found(self, named: Named, names: Names, regions: tuple[str, ...]) -> Insight:
        """Return the insight as far as it is known; one that is named by its id alone is looked for everywhere."""
        identifier, account, region = named
        if account:
            nowhen = datetime.min.replace(tzinfo=UTC)
            return Insight(identifier, account, region, "", "LOW", False, nowhen, None)
        return await self._watcher.look_for(identifier, names, regions)

    async def _charts(self, details: Details, most: int | None, is_page: bool) -> list[Item]:
        """Return pictures of the anomalous metrics, each below its words: SVG on pages, which scale it."""
        found: list[Item] = []
        for anomaly in [a for a in details.anomalies if a.can_be_drawn][:most]:
            found.append(Text(_words_of(anomaly)))
            try:
                picture = await self.services.charts.draw(anomaly, "svg" if is_page else "png")
            except Unavailable:
                continue  # the words above say the same
            url = svg.data_url(picture) if is_page else png.data_url(picture)
            found.append(Image(url, f"Chart of {anomaly.metric} of {anomaly.resource}"))
        return found


def _words_of(anomaly: Anomaly) -> str:
    """Return a chart in words, for those who do not see it."""
    before = [value for at, value in anomaly.points if at < anomaly.start]
    during = [v for at, v in anomaly.points if at >= anomaly.start and (anomaly.end is None or at <= anomaly.end)]
    if anomaly.comparisons:
        limit = f"; {anomaly.limit:,.0f} processors" if anomaly.limit is not None else ""
        figures = "; ".join(f"{c.label} usually {c.usually:,.1f}, now {c.now:,.1f}" for c in anomaly.comparisons)
        return f"{anomaly.metric} ({anomaly.statistic}) of {anomaly.resource}: {figures}{limit}"
    unit = {"Percent": " %", "Milliseconds": " ms", "Seconds": " s"}.get(anomaly.unit, "")
    usually = f"usually {sum(before) / len(before):,.0f}{unit}, " if before else ""
    peak = f"up to {max(during):,.0f}{unit} since {when(anomaly.start)}" if during else "no values"
    foretold = ""
    if anomaly.prediction and anomaly.limit is not None:
        foretold = f"; expected to reach {anomaly.limit:,.0f}{unit} {when(anomaly.prediction)}"
    expected = ""
    if anomaly.band:
        low, high = anomaly.band[-1][1:]
        expected = f"; {low:,.0f} to {high:,.0f}{unit} was expected"
    return f"{anomaly.metric} ({anomaly.statistic}) of {anomaly.resource}: {usually}{peak}{expected}{foretold}"


def _overview(details: Details, names: Names, now: datetime, pictures: list[Item], causes: Sequence[Cause]) -> Card:
    insight = details.insight
    rows = [
        ("Account", names.account(insight.account)),
        ("Region", insight.region),
        ("Severity", f"{MARKS[insight.severity]}, {kind_of(insight)}"),
        ("State", state_of(insight, now)),
        ("Opened", when(insight.start)),
        ("Closed", when(insight.end) if insight.end else ""),
        ("Expected", _expected(insight, now)),
        ("Lasted", lasting(insight.lasted(now)) if insight.end else ""),
        ("Stacks", ", ".join(insight.stacks)),
        ("Resources", ", ".join(insight.resources)),
        ("Tags", ", ".join(insight.tags)),
        *cause_rows(causes, insight),
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
        items += _advice(advice)
    if (more := len(details.recommendations) - ADVICE) > 0:
        items.append(Text(f"{more} more recommendations: ask “what should I do about it?”", subtle=True))
    return _card(insight, f"{mark_of_causes(causes)}{insight.name}", items)


def _expected(insight: Insight, now: datetime) -> str:
    if insight.prediction is None:
        return ""
    ahead = insight.prediction - now
    return when(insight.prediction) + (f", in {lasting(ahead)}" if ahead.total_seconds() > 0 else "")


def _events_card(details: Details, names: Names, causes: Sequence[Cause]) -> Card:
    insight = details.insight
    title = f"Events around “{insight.name}” in {names.account(insight.account)}"
    items: list[Item] = [Facts(tuple(cause_rows(causes, insight)))] if causes else []
    if not details.events:
        return _card(insight, title, [*items, Text("CloudTrail has no events that belong to this insight.")])
    if sentence := deployment_before(details.events, insight):
        items.append(Text(sentence))
    items.append(Table(("When", "What happened", "Where"), tuple(timeline(details.events, insight))))
    return _card(insight, title, items)


def _advice_card(details: Details, names: Names) -> Card:
    insight = details.insight
    items: list[Item] = []
    for advice in details.recommendations:
        items += _advice(advice)
    title = f"What {insight.source} advises about “{insight.name}” in {names.account(insight.account)}"
    return _card(insight, title, items or [Text("It has no recommendation.")])


def _advice(advice: Recommendation) -> list[Item]:
    found: list[Item] = [Text(f"→ {advice.name}. {advice.description} {advice.reason}".replace("  ", " ").strip())]
    if advice.because:
        found.append(Text(f"Because of {', '.join(advice.because)}.", subtle=True))
    return [*found, Link("How to", advice.link)] if advice.link.startswith("https://") else found


def _card(insight: Insight, title: str, items: list[Item]) -> Card:
    which = reference_to(insight)
    tone: Tone = "good" if not insight.is_open else "bad" if insight.severity == "HIGH" else "warning"
    buttons = (
        Button("Show its events", "say", f"show events of {which}"),
        Button("What should I do about it?", "say", f"show recommendations of {which}"),
    )
    return Card(title, tuple(items), buttons, tone=tone, footer=f"From {insight.source}")
