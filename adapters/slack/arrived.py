"""An arrival with what was found out about it, and the ways to end it without the dialogue."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from adapters.slack.arrivals import conversation_of
from adapters.slack.workspaces import Workspace
from bot.activity import Activity, Person
from bot.database import Transaction
from bot.dialogue.exchange import Decided
from bot.intent import Answer
from bot.services import Services


@dataclass(frozen=True)
class Arrived:
    """Something a member of a served workspace did; `activity` is whole."""

    activity: Activity
    workspace: Workspace
    person: Person
    payload: Mapping[str, Any]

    @property
    def user(self) -> str:
        """The user's id."""
        return str(self.activity.address["user"])

    @property
    def trigger(self) -> str:
        """What lets a modal be opened, once and within three seconds; empty when there is nothing."""
        return str(self.payload.get("trigger_id") or "")

    @property
    def own_conversation(self) -> str:
        """The id of the person's own conversation with the bot."""
        return conversation_of(str(self.activity.address["team"]), self.user)


Also = Callable[[Transaction], Awaitable[None]]


def nothing() -> Decided:
    """Return the end of what needs no answer."""

    async def commit(transaction: Transaction) -> None:
        return None

    return Decided([], commit)


def say(services: Services, activity: Activity, text: str, also: Also | None = None) -> Decided:
    """Return the end of what is answered with a few words; `also` is written in the same transaction."""

    async def commit(transaction: Transaction) -> None:
        await services.conversations.remember(transaction, activity)
        if also:
            await also(transaction)
        await services.conversations.say(transaction, activity.conversation, text, inbox_key=activity.key)

    return Decided([Answer(text)], commit)
