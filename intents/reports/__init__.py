"""The monthly report: what was opened, closed, spent, what failed, and what leavers leave behind."""

from __future__ import annotations

from bot.intent import Intent
from bot.services import Services
from intents.reports.intent import MonthlyReport


def create(services: Services) -> list[Intent]:
    """Return this folder's intents."""
    return [MonthlyReport(services)]
