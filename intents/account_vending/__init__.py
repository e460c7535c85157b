"""Vend an AWS account through Control Tower's Account Factory."""

from __future__ import annotations

from bot.intent import Intent
from bot.services import Services
from intents.account_vending.intent import AccountVending


def create(services: Services) -> list[Intent]:
    """Return this folder's intents."""
    return [AccountVending(services)]
