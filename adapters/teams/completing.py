"""Behind the inbox: an arrival becomes a whole activity with its person, or the end of the matter."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace

import structlog
from sqlalchemy import or_, select, update

from adapters.teams.arrivals import CHANNEL, INSTALLED, REMOVED, conversation_of
from adapters.teams.connector import Connector
from adapters.teams.persons import Persons
from bot.activity import Activity
from bot.card import Button, Card, Text
from bot.database import Transaction
from bot.database.tables import conversations
from bot.dialogue.exchange import Decided
from bot.errors import QuartermasterError
from bot.intent import Answer
from bot.services import Services

log = structlog.get_logger(__name__)

HELP_ONLY = (
    "I am Quartermaster. I take orders for AWS accounts and other things from members of the organisation that I work "
    "for, and I have to leave it at this for guests and for people from elsewhere. Ask somebody who works there."
)
UNKNOWN = (
    "Teams shows me no e-mail address of yours, and that is how I know who may do what. Ask your platform team to name "
    "you in the directory with this id: {id}"
)
WELCOME = Card(
    "Hello, I am Quartermaster",
    (
        Text("I get you AWS accounts and look after them. What changes something is planned, approved and recorded."),
        Text("In a channel or a group chat, mention me. Begin with “I need a new account”, or ask for help."),
    ),
    (Button("What can you do?", "say", "help"),),
)
MOMENT = 0.7
"""Seconds that a turn may take until it shows that somebody is at work on it."""
Also = Callable[[Transaction], Awaitable[None]]


class Completing:
    """Makes whole activities of arrivals; the inbox calls `complete`, see Inbox.complete_by."""

    def __init__(self, services: Services, connector: Connector, persons: Persons) -> None:
        self._services, self._connector, self._persons = services, connector, persons
        self._typing: set[asyncio.Task[None]] = set()

    async def complete(self, activity: Activity) -> Activity | Decided:
        """Return the whole activity, or what was decided without the dialogue. Raises Unavailable: not yet."""
        if activity.verb == INSTALLED:
            return self._say(activity, WELCOME.title, WELCOME)
        if activity.verb == REMOVED:
            return self._forget(activity)
        found = await self._persons.find(activity)
        match found.standing:
            case "nobody":
                return _nothing()
            case "outsider":
                return self._say(activity, HELP_ONLY)
        if found.person is None:
            return self._say(activity, UNKNOWN.format(id=activity.platform_id))
        if activity.address.get("kind") != "channel":  # channels show no such thing
            self._show_typing(activity)
        return replace(activity, person=found.person, raw={})

    async def close(self) -> None:
        """End what is under way."""
        for task in self._typing:
            task.cancel()
        await asyncio.gather(*self._typing, return_exceptions=True)

    def _show_typing(self, activity: Activity) -> None:
        task = asyncio.create_task(self._type(activity))
        self._typing.add(task)
        task.add_done_callback(self._typing.discard)

    async def _type(self, activity: Activity) -> None:
        """Show that the bot is at work, if its answer takes longer than a moment."""
        if await self._services.signals.wait(f"inbox:{activity.key}", MOMENT):
            return
        address = activity.address
        try:
            await self._connector.send(str(address["service_url"]), str(address["conversation"]), {"type": "typing"})
        except QuartermasterError as error:
            log.info("teams.no_typing", error=error.detail)

    def _say(self, activity: Activity, text: str, card: Card | None = None) -> Decided:
        services = self._services

        async def commit(transaction: Transaction) -> None:
            await services.conversations.remember(transaction, activity)
            await services.conversations.say(transaction, activity.conversation, text, card, inbox_key=activity.key)

        return Decided([Answer(text, card)], commit)

    def _forget(self, activity: Activity) -> Decided:
        """Say nothing more where the bot was uninstalled, threads included; who writes there again is answered."""
        whole = conversation_of(str(activity.address["tenant"]), str(activity.address["conversation"]))
        place = whole.partition(";messageid=")[0]
        its = or_(conversations.c.id == place, conversations.c.id.startswith(f"{place};", autoescape=True))

        async def commit(transaction: Transaction) -> None:
            found = await transaction.execute(select(conversations.c.id, conversations.c.address).where(its))
            for row in found.all():
                gone = update(conversations).where(conversations.c.id == row.id, conversations.c.channel == CHANNEL)
                await transaction.execute(gone.values(address={**row.address, "is_gone": True}))

        return Decided([], commit)


def _nothing() -> Decided:
    async def commit(transaction: Transaction) -> None:
        return None

    return Decided([], commit)
