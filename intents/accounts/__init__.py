"""An account's life after it was made: who owns it, what it costs, where it is, how long it stays, its end."""

from __future__ import annotations

from bot.intent import Intent
from bot.services import Services
from intents.accounts.closing import CloseAccount
from intents.accounts.expiry import Expiry
from intents.accounts.moving import MoveAccount, UpdateAccount
from intents.accounts.queries import AccountOwner, ExpiringAccounts, MyAccounts, OwnerlessAccounts
from intents.accounts.spend import AccountSpend
from intents.accounts.tagging import ChangeAccountOwner, RenewAccount


def create(services: Services) -> list[Intent]:
    """Return this folder's intents."""
    closing = CloseAccount(services)
    closing.jobs = (Expiry(services, closing).job,)
    return [
        AccountOwner(services),
        MyAccounts(services),
        OwnerlessAccounts(services),
        ExpiringAccounts(services),
        AccountSpend(services),
        MoveAccount(services),
        ChangeAccountOwner(services),
        UpdateAccount(services),
        RenewAccount(services),
        closing,
    ]
