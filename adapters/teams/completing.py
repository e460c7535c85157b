"""Behind the inbox: an arrival becomes a whole activity with its person, or the end of the matter."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Protocol

import structlog
from sqlalchemy import or_, select, update

from adapters.teams.arrivals import APPROVE, CHANNEL, INSTALLED, MESSAGE, REJECT, REMOVED, conversation_of
from adapters.teams.connector import Connector, TeamsRefused
from adapters.teams.persons import Persons
from adapters.teams.places import Places, in_chat
from adapters.teams.views import Views, note_of
from bot.activity import Activity, Person
from bot.address_proof import AddressProof
from bot.answered import Answered
from bot.approvals.pressing import decide_by
from bot.card import Button, Card, Text
from bot.conversations import ConversationRecord, open_place
from bot.database import Transaction
from bot.database.tables import conversations
from bot.dialogue.ended import nothing, say
from bot.dialogue.exchange import Decided
from bot.errors import QuartermasterError
from bot.services import Services

log = structlog.get_logger(__name__)

HELP_ONLY = (
    "I am Quartermaster. I take orders for AWS accounts and other things from members of the organisation that I work "
    "for, and I have to leave it at this for guests and for people from elsewhere. Ask somebody who works there."
)
UNKNOWN = (
    "Teams shows me no e-mail address of yours, and that is how I know who may do what. Write to me in a chat of your "
    "own, and I will have you prove it; or ask your platform team to name you in the directory with this id: {id}"
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
MOVED = "People from other organisations read this, so I answer you in our own chat."
ADD_ME = "People from other organisations read this. Add me in a chat of your own, and ask me there."


class Answering(Protocol):
    """Shows everybody that a question was answered; see TeamsSender."""

    async def settle(self, activity: Activity, answered: Answered, note: str) -> None:
        """Take a question's buttons away; once, however often it is called."""
        ...


class Completing:
    """Makes whole activities of arrivals; the inbox calls `complete`, see Inbox.complete_by."""

    def __init__(
        self, services: Services, connector: Connector, persons: Persons, places: Places, views: Views, cards: Answering
    ) -> None:
        self._services, self._connector, self._persons = services, connector, persons
        self._places, self._views, self._cards = places, views, cards
        self._proof = AddressProof(services, CHANNEL, "Teams")
        self._typing: set[asyncio.Task[None]] = set()

    async def complete(self, activity: Activity) -> Activity | Decided:
        """Return the whole activity, or what was decided without the dialogue. Raises Unavailable: not yet."""
        if activity.verb == REMOVED:
            return self._forget(activity)
        if activity.verb == INSTALLED:
            return await self._welcome(activity)
        found = await self._persons.find(activity)
        match found.standing:
            case "nobody":
                return nothing()
            case "outsider":
                return say(self._services, activity, HELP_ONLY)
        if await self._places.is_shared(activity.address):
            return await self._move_away(activity, found.person)
        if found.person is None:
            return await self._prove(activity)
        return await self._go_on(replace(activity, person=found.person))

    async def _welcome(self, activity: Activity) -> Decided:
        """Get to know where the bot was installed, and for whom; greet there unless it was there already.

        Teams tells of most installs twice, of some in one way or the other only, and of each new version.
        """
        activity, found = await self._persons.meet(activity)
        if found.person is not None:
            activity = replace(activity, person=found.person)

        async def commit(transaction: Transaction) -> None:
            if await open_place(transaction, activity, self._services.clock):
                words = (activity.conversation, WELCOME.title, WELCOME)
                await self._services.conversations.say(transaction, *words, inbox_key=activity.key)

        return Decided([], commit)

    async def _go_on(self, activity: Activity) -> Activity | Decided:
        """Take what a member said or pressed, where it may be answered."""
        if activity.verb in (APPROVE, REJECT):
            decision = "approve" if activity.verb == APPROVE else "reject"
            objection = await decide_by(self._services, activity, decision)
            return say(self._services, await self._in_person(activity), objection) if objection else nothing()
        if settled := await self._views.settled_by(activity, int(activity.raw.get(MESSAGE) or 0)):
            await self._cards.settle(activity, settled[0], note_of(settled[1], activity.person))
        if activity.address.get("kind") != "channel":  # channels show no such thing
            self._show_typing(activity)
        return replace(activity, raw={})

    async def _prove(self, activity: Activity) -> Decided:
        """Ask somebody whose address is hidden for a proof of it, where nobody else reads along."""
        if activity.address.get("kind") != "personal":
            return say(self._services, activity, UNKNOWN.format(id=activity.platform_id))
        return await self._proof.hear(activity, activity.platform_id)

    async def _move_away(self, activity: Activity, person: Person | None) -> Activity | Decided:
        """Answer in somebody's own chat what they asked where people of other organisations read."""
        chat = await self._chat_of(person, activity) if person else None
        if person is None or chat is None:
            return say(self._services, activity, ADD_ME)
        address = activity.address
        notice = {"type": "message", "text": MOVED, "textFormat": "plain"}
        try:
            await self._connector.send(str(address["service_url"]), str(address["conversation"]), notice)
        except QuartermasterError as error:
            log.info("teams.not_told", error=error.detail)
        return await self._go_on(replace(in_chat(activity, chat), person=person))

    async def _in_person(self, activity: Activity) -> Activity:
        """Return the activity as one of the person's own chat, if there is one: others need not read what was wrong."""
        chat = await self._chat_of(activity.person, activity)
        return in_chat(activity, chat) if chat else activity

    async def _chat_of(self, person: Person, activity: Activity) -> ConversationRecord | None:
        try:
            return await self._places.of_person(person, activity.address)
        except TeamsRefused as error:
            log.info("teams.no_own_chat", error=error.detail)
            return None

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
