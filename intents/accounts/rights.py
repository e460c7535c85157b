"""Whose account it is to the person who asks, as policies see it, and what policy then says."""

from __future__ import annotations

from email.utils import parseaddr

from bot.accounts import Account
from bot.intent import Ask, Intent
from bot.people import checked_email
from bot.policy import Decision
from bot.services import Services

RELATION = "Relation"
"""Name of the value that policies/asking.cedar decides by: "owner", "other", or "service" for the bot itself."""


def service_address(services: Services) -> str:
    """Return the address under which the service itself asks, where an account has no owner."""
    return checked_email(parseaddr(services.settings.mail_from)[1])


def decide(intent: Intent, ask: Ask, account: Account) -> Decision:
    """Ask policy whether the person may ask for this intent about this account."""
    relation = "other"
    if ask.person.email == account.owner:
        relation = "owner"
    elif ask.person.email == service_address(intent.services):
        relation = "service"
    values = {**ask.slots, "Account": account.id, RELATION: relation}
    return intent.services.policy.may_ask(ask.person, intent.definition, intent.shape, values)


def decide_all(intent: Intent, ask: Ask) -> Decision:
    """Ask policy whether the person may ask for this intent about everybody's accounts."""
    return intent.services.policy.may_ask(ask.person, intent.definition, intent.shape, {RELATION: "other"})
