"""What is wrong across the organization: its health, lists of insights, one with its chart, and what is not watched."""

from __future__ import annotations

from bot.intent import Intent
from bot.services import Services
from intents.insights.asking import Watcher
from intents.insights.catching_up import CatchingUp
from intents.insights.covering import CoverStack
from intents.insights.detail import InsightDetail
from intents.insights.health import InsightsHealth
from intents.insights.listing import InsightsList
from intents.insights.muting import InsightMute
from intents.insights.unwatched import InsightsCoverage
from intents.insights.watches import InsightsWatch, InsightsWatchEnd, InsightsWatchList
from intents.insights.watching import Telling


def create(services: Services) -> list[Intent]:
    """Return this folder's intents."""
    watcher = Watcher(services)
    services.insights = watcher.provider
    telling = Telling(services, watcher)
    services.notifications.connect(telling)
    return [
        InsightsHealth(services, watcher),
        InsightsList(services, watcher),
        InsightDetail(services, watcher),
        InsightsCoverage(services, watcher),
        CoverStack(services, watcher),
        InsightsWatch(services, watcher),
        InsightsWatchList(services, watcher, (telling.job, CatchingUp(services, watcher, telling).job)),
        InsightsWatchEnd(services, watcher),
        InsightMute(services, watcher),
    ]
