"""How an arrival ends that the dialogue need not hear of: with nothing, or with a few words."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from bot.activity import Activity
from bot.card import Card
from bot.database import Transaction
from bot.dialogue.exchange import Decided
from bot.intent import Answer
from bot.services import Services

Also = Callable[[Transaction], Awaitable[None]]


def nothing() -> Decided:
    """Return the end of what needs no answer."""

    async def commit(transaction: Transaction) -> None:
        return None

    return Decided([], commit)


def say(
    services: Services, activity: Activity, text: str, also: Also | None = None, *, card: Card | None = None
) -> Decided:
    """Return the end of what is answered with a few words; `also` is written in the same transaction."""

    async def commit(transaction: Transaction) -> None:
        await services.conversations.remember(transaction, activity)
        if also:
            await also(transaction)
        await services.conversations.say(transaction, activity.conversation, text, card, inbox_key=activity.key)

    return Decided([Answer(text, card)], commit)
