"""Telling rooms about insights: one card an insight and room, shown anew as it goes on, with its news below it."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import structlog

from bot.card import Card, Image, Item, Text
from bot.causes import Cause, Trouble
from bot.charts import png
from bot.database import Transaction
from bot.errors import QuartermasterError, Unavailable
from bot.insights import Anomaly, Details, Insight
from bot.services import Services
from bot.sns import Commit, Notification
from bot.watches import INSIGHTS, Held, Watch, about_account, about_insight
from bot.workflow.periodic import Job
from intents.insights.asking import Watcher
from intents.insights.cards import REFERENCE, reference_to
from intents.insights.filters import Filters
from intents.insights.scope import filters_of
from intents.insights.told import Told, read_told
from intents.insights.watch_cards import View, card_of, news_of, summary_of

log = structlog.get_logger(__name__)

LOOK = timedelta(minutes=1)
"""How often it is looked whether what was held back may be told."""
_AROUND = timedelta(hours=1)


@dataclass(frozen=True)
class Target:
    """A room that may be told: by its watches that are about the insight, or as where its cause is talked about."""

    room: str
    watches: tuple[Watch, ...] = ()
    cause: Cause | None = None


class Telling:
    """Hears what DevOps Guru publishes, and tells whoever watches; all it knows is in rows."""

    def __init__(self, services: Services, watcher: Watcher) -> None:
        self._services, self._watcher = services, watcher
        services.insights_changed.connect(watcher.provider)
        self.job = Job("insight-summaries", LOOK, self.summarise)

    def lane_of(self, notification: Notification) -> str:
        """Return the insight that a notification is about; empty for those of others."""
        told = read_told(notification)
        return f"insight:{told.insight.id}" if told else ""

    async def hear(self, notification: Notification) -> Commit:
        """Read the insight as it is now, and return what tells the rooms about it."""
        told = read_told(notification)
        if told is None:
            return _nothing
        self._services.insights_changed.tell(told.insight.account, told.insight.region)
        return await self.decide(told)

    async def decide(self, told: Told) -> Commit:
        """Return what tells the rooms about a piece of news, however it came; once, however often it comes."""
        event = told.insight
        watches = await self._services.watches.active(INSIGHTS)
        causes = await self._causes(event)
        if not watches and not causes:
            return _nothing
        names, _ = await self._watcher.surroundings()
        view = await self._look(told, tuple(causes))
        now = self._services.clock.now()
        wanting = [w for w in watches if is_about(filters_of(w.scope, names.organization), view.insight)]
        targets = _targets(watches, wanting, causes)
        words = news_of(told, view.insight, names, now)

        async def commit(transaction: Transaction) -> None:
            for target in targets:
                card = card_of(view, names, now, self._watcher.footer, target.cause)
                await self._tell(transaction, target, told, view, card, words)

        return commit

    async def _causes(self, insight: Insight) -> list[Cause]:
        return await self._services.causes.of(Trouble(insight.account, insight.region, insight.stacks, insight.start))

    async def _look(self, told: Told, causes: tuple[Cause, ...]) -> View:
        """Return the insight as AWS tells it; as the message did where AWS can't be asked."""
        event = told.insight
        try:
            details, unit = await asyncio.gather(self._watcher.provider.details(event), self._unit_of(event))
        except QuartermasterError as error:
            log.warning("insights.news_not_read", insight=event.id, error=error.detail)
            return View(event, (), (), (), causes, is_partial=True)
        services = unit.services or event.services
        tags = (await self._watcher.tags()).get(event.account, ())
        insight = replace(details.insight, unit=unit.unit, services=services, resources=_resources(details), tags=tags)
        if told.kind == "CLOSED_INSIGHT" and insight.is_open:
            insight = replace(insight, end=event.end)
        drawable = [a for a in details.anomalies if a.can_be_drawn]
        newest = [
            a for a in drawable if told.kind == "NEW_ASSOCIATION" and told.newest == f"{a.metric} of {a.resource}"
        ]
        pictures, news = [await self._picture(listed[0]) if listed else () for listed in (drawable, newest)]
        return View(insight, details.events, details.recommendations, pictures, causes, news=news)

    async def _picture(self, anomaly: Anomaly) -> tuple[Item, ...]:
        """Return an anomaly's chart with its words; nothing where it can't be drawn just now."""
        try:
            drawn = await self._services.charts.draw(anomaly)
        except Unavailable as error:
            log.warning("insights.chart_not_drawn", error=error.detail)
            return ()
        words = f"{anomaly.metric} ({anomaly.statistic}) of {anomaly.resource}"
        return Text(words), Image(png.data_url(drawn), f"Chart of {anomaly.metric} of {anomaly.resource}")

    async def _unit_of(self, event: Insight) -> Insight:
        """Return an insight as listings show it: they alone tell its OU and its services."""
        provider, now = self._watcher.provider, self._services.clock.now()
        found = await provider.opened((event.region,), event.start - _AROUND, now, event.account)
        return next((i for i in found.insights if i.id == event.id), event)

    async def _tell(
        self, transaction: Transaction, target: Target, told: Told, view: View, card: Card, words: str
    ) -> None:
        """Tell one room once, or keep it for later."""
        insight, is_new = view.insight, told.kind == "NEW_INSIGHT"
        standing, watches = self._services.standing, self._services.watches
        active = [watch for watch in target.watches if await watches.is_active(transaction, watch.id)]
        key = key_of(target.room, insight.id)
        state = await standing.state_of(transaction, key)
        if state is None and not active and target.cause is None:
            return
        notice = f"{key}:{_mark_of(told)}"[:255]
        if state is not None and (not view.is_partial or not insight.is_open):
            await standing.change(transaction, key, card.as_text(), card, _state_of(insight))
        if state is not None and is_new:
            return  # it was told otherwise, or what came of it was heard first
        due = await self._quiet_until(transaction, target.room, active, insight) if active else None
        if due is not None:
            held = Held(notice, active[0].id, about_insight(insight.id), words, reference_to(insight), self._now(), due)
            await watches.hold(transaction, held)
        elif state is None:
            await standing.open(transaction, key, target.room, card.as_text(), card, _state_of(insight))
        else:
            # What a card was posted with stays on Slack and Teams: what came after is drawn where it is told.
            await standing.reply(transaction, key, notice, words, Card(words, view.news) if view.news else None)

    async def _quiet_until(
        self, transaction: Transaction, room: str, active: Sequence[Watch], insight: Insight
    ) -> datetime | None:
        """Return until when a room is not to be told, None when it may be now: one watch that may speak is enough."""
        subjects = (about_insight(insight.id), about_account(insight.account))
        muted = await self._services.watches.muted_until(transaction, room, subjects)
        if muted:
            return muted[1]
        times = [_quiet_of(watch, insight, self._now()) for watch in active]
        quiet = [until for until in times if until is not None]
        return min(quiet) if len(quiet) == len(times) else None

    def _now(self) -> datetime:
        return self._services.clock.now()

    async def summarise(self, last: datetime) -> None:
        """Tell what was held back and may be told now, one message a watch."""
        watches = self._services.watches
        due = await watches.due()
        if not due:
            return
        rooms: dict[str, list[Held]] = {}
        for watch in await watches.active(INSIGHTS):
            mine = [held for held in due if held.watch_id == watch.id]
            muted = dict(await watches.muted(watch.room.id)) if mine else {}
            for held in mine:
                if (until := put_off_until(watch, held, muted, self._now())) is not None:
                    await watches.put_off([held.key], until)
                else:
                    rooms.setdefault(watch.room.id, []).append(held)
        for room, kept in rooms.items():
            await self._summarise(room, sorted(kept, key=lambda one: (one.at, one.key)))

    async def _summarise(self, room: str, held: Sequence[Held]) -> None:
        keys = [one.key for one in held]
        text, card = summary_of([(h.at, h.words, h.reference) for h in held], "Held back until now")
        digest = hashlib.sha256("\n".join(sorted(keys)).encode()).hexdigest()[:40]

        async def work(transaction: Transaction) -> None:
            if await self._services.watches.told(transaction, keys):
                # Standing, as an insight's card is: on channels with threads, what it tells of is talked about below.
                await self._services.standing.open(transaction, f"held:{digest}", room, text, card, {})

        await self._services.database.write(work)


def key_of(room: str, insight_id: str) -> str:
    """Return the name of an insight's card in a room."""
    return f"insight:{hashlib.sha256(room.encode()).hexdigest()[:24]}:{insight_id}"


def _targets(watches: Sequence[Watch], wanting: Sequence[Watch], causes: Sequence[Cause]) -> list[Target]:
    """Return each room once: those with watches at all, for a card may stand there, and where causes are told of."""
    rooms = {w.room.id: Target(w.room.id, tuple(v for v in wanting if v.room.id == w.room.id)) for w in watches}
    for cause in causes:
        if cause.conversation and not (known := rooms.get(cause.conversation, Target(""))).watches:
            rooms[cause.conversation] = replace(known, room=cause.conversation, cause=known.cause or cause)
    return list(rooms.values())


def _quiet_of(watch: Watch, insight: Insight, now: datetime) -> datetime | None:
    if watch.quiet is None or (watch.quiet.pierced and insight.severity == "HIGH"):
        return None
    return watch.quiet.until(now)


def put_off_until(watch: Watch, held: Held, muted: Mapping[str, datetime], now: datetime) -> datetime | None:
    """Return until when something that was due is to wait: what holds may have changed since it was held back."""
    quiet = watch.quiet.until(now) if watch.quiet else None
    named = REFERENCE.search(held.reference)
    subjects = (held.subject, about_account(named[2]) if named else "")
    return max((until for until in (quiet, *map(muted.get, subjects)) if until is not None), default=None)


async def _nothing(transaction: Transaction) -> None:
    return None


def is_about(filters: Filters, insight: Insight) -> bool:
    """Tell whether a watch of these filters is about an insight."""
    in_region = not filters.regions or insight.region in filters.regions
    return in_region and filters.passes(insight)


def _state_of(insight: Insight) -> dict[str, object]:
    return {"severity": insight.severity, "is_open": insight.is_open}


def _mark_of(told: Told) -> str:
    """Return what tells one piece of news about an insight from the others, however often and by whom it is told."""
    match told.kind:
        case "SEVERITY_UPGRADED":
            return f"severity-{told.insight.severity}"
        case "NEW_ASSOCIATION":
            return f"anomalies-{told.anomalies}"
        case kind:
            return kind.casefold()


def _resources(details: Details) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*details.insight.resources, *(a.resource for a in details.anomalies if a.resource))))
