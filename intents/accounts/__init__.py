"""An account's life after it was made: who owns it, what it costs, where it is, how long it stays, its end."""

from __future__ import annotations

from bot.intent import Intent
from bot.services import Services
from intents.accounts.queries import AccountOwner, ExpiringAccounts, MyAccounts, OwnerlessAccounts
from intents.accounts.spend import AccountSpend


def create(services: Services) -> list[Intent]:
    """Return this folder's intents."""
    return [
        AccountOwner(services),
        MyAccounts(services),
        OwnerlessAccounts(services),
        ExpiringAccounts(services),
        AccountSpend(services),
    ]
