"""What is wrong across the organization: its health, lists of insights, and one of them with its chart."""

from __future__ import annotations

from bot.intent import Intent
from bot.services import Services
from intents.insights.asking import Watcher
from intents.insights.detail import InsightDetail
from intents.insights.health import InsightsHealth
from intents.insights.listing import InsightsList


def create(services: Services) -> list[Intent]:
    """Return this folder's intents."""
    watcher = Watcher(services)
    services.insights = watcher.provider
    return [
        InsightsHealth(services, watcher),
        InsightsList(services, watcher),
        InsightDetail(services, watcher),
    ]
