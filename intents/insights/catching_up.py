"""What nobody told: SNS that was off, a provider that publishes nothing. Looked for now and then, and told as news."""

from __future__ import annotations

from datetime import datetime, timedelta

import structlog

from bot.insights import Insight
from bot.services import Services
from bot.watches import INSIGHTS, Watch
from bot.workflow.periodic import Job
from intents.insights.asking import Watcher
from intents.insights.names import Names
from intents.insights.scope import filters_of
from intents.insights.told import Kind, Told
from intents.insights.watching import Telling, is_about, key_of

log = structlog.get_logger(__name__)

LOOK = timedelta(minutes=10)
_BACK = timedelta(days=1)
"""How far back those that have closed are looked for."""


class CatchingUp:
    """Compares what is open with what was told; only where somebody watches."""

    def __init__(self, services: Services, watcher: Watcher, telling: Telling) -> None:
        self._services, self._watcher, self._telling = services, watcher, telling
        self.job = Job("insight-catch-up", LOOK, self.catch_up)

    async def catch_up(self, last: datetime) -> None:
        """Tell what opened since somebody watches and was not told, and what has closed meanwhile."""
        watches = await self._services.watches.active(INSIGHTS)
        if not watches:
            return
        names, regions = await self._watcher.surroundings()
        found = await self._watcher.provider.ongoing(regions)
        for insight in found.insights:
            if await self._is_news(insight, watches, names):
                await self._tell("NEW_INSIGHT", insight)
        if found.missing or found.pending:
            return  # what is not among them may well be open
        ongoing = {name for insight in found.insights for name in (insight.id, *insight.also)}
        shown = {key.rpartition(":")[2] for key in await self._services.standing.keys("insight:%", is_open=True)}
        if gone := shown - ongoing:
            now = self._services.clock.now()
            closed = await self._watcher.provider.closed(regions, now - _BACK, now)
            for insight in (i for i in closed.insights if i.id in gone):
                await self._tell("CLOSED_INSIGHT", insight)

    async def _is_news(self, insight: Insight, watches: list[Watch], names: Names) -> bool:
        """Tell whether a room that wants to hear of it has not; what was open before somebody watched is no news."""
        for watch in watches:
            key = key_of(watch.room.id, insight.id)
            if insight.start < watch.since or not is_about(filters_of(watch.scope, names.organization), insight):
                continue
            if not await self._services.standing.keys(key) and not await self._services.watches.is_held(
                f"{key}:new_insight"
            ):
                return True
        return False

    async def _tell(self, kind: Kind, insight: Insight) -> None:
        log.info("insights.caught_up", insight=insight.id, kind=kind)
        commit = await self._telling.decide(Told(kind, insight, 0, "", ""))
        await self._services.database.write(commit)
