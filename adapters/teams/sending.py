"""What the outbox hands over becomes messages in Teams, in order per conversation; cards are updated in place."""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Mapping
from typing import Any

import structlog
from sqlalchemy import select, update

from adapters.teams.arrivals import CHANNEL, FORM
from adapters.teams.connector import Connector, TeamsRefused, TryLater
from adapters.teams.mentions import ping_of
from adapters.teams.places import THREAD, Places
from adapters.teams.views import Views
from bot.activity import Activity
from bot.answered import Answered, answered_by
from bot.card import Button
from bot.card_copies import CardCopies, Copy
from bot.channel import Delivery, DeliveryFailed
from bot.conversations import ConversationRecord
from bot.database import Transaction
from bot.database.tables import outbox
from bot.errors import Unavailable
from bot.request_card import Audience
from bot.services import Services

log = structlog.get_logger(__name__)

LONGEST = 60.0
"""Seconds between tries at most, while Teams does not say when to come again."""
SENT = "sent"
"""Where a delivery's payload keeps the id that Teams gave to the message."""


class TeamsSender:
    """Delivers the outbox channel "teams": what CardCopies hands in, and {"kind": "settled", "seq", "note"}."""

    def __init__(
        self, services: Services, connector: Connector, places: Places, cards: CardCopies, views: Views
    ) -> None:
        self._services, self._connector, self._places = services, connector, places
        self._cards, self._views = cards, views

    async def __call__(self, delivery: Delivery) -> None:
        """Deliver one row; raises DeliveryFailed."""
        try:
            match delivery.payload.get("kind"):
                case "message":
                    await self._message(delivery)
                case "settled":
                    await self._settled(delivery)
                case "card":
                    await self._refresh(str(delivery.payload.get("place")))
                case "standing":
                    await self._show(str(delivery.payload.get("key")))
                case "reply":
                    await self._services.standing.pass_on(delivery.payload)
                case "ask":
                    await self._cards.ask_everybody(delivery)
                case "ask_one":
                    await self._ask_one(delivery)
                case kind:
                    raise DeliveryFailed(f"Teams knows no message of kind {kind!r}.", retryable=False)
        except TryLater as error:
            pause = error.retry_after if error.retry_after is not None else min(LONGEST, 2.0**delivery.attempt)
            # Never earlier than it was asked for, and not everybody at once.
            later = pause * random.uniform(1.0, 1.5)
            raise DeliveryFailed(error.detail, retryable=True, retry_after=later) from error
        except Unavailable as error:
            raise DeliveryFailed(error.detail, retryable=True) from error
        except TeamsRefused as error:
            raise DeliveryFailed(error.detail, retryable=False) from error

    async def settle(self, activity: Activity, answered: Answered, note: str) -> None:
        """Take a question's buttons away; once, however often it is called."""
        seq = answered.message.seq
        payload = {"kind": "settled", "seq": seq, "note": note}
        pace = pace_of_conversation(activity.conversation)

        async def work(transaction: Transaction) -> None:
            await self._services.outbox.put(transaction, f"{CHANNEL}:settled:{seq}", CHANNEL, payload, pace=pace)

        await self._services.database.write(work)

    async def _message(self, delivery: Delivery) -> None:
        """Say what the bot has said; news of a request whose card stands here goes into the card."""
        number = int(delivery.payload["seq"])
        answered = await answered_by(self._services, CHANNEL, number)
        if answered is None:
            return
        message = answered.message
        record = await self._where(message.conversation, is_push=answered.is_push, request=answered.request)
        if record is None:
            return
        if answered.is_news and answered.request and record.id == message.conversation:
            copies = await self._cards.copies(answered.request, message.conversation)
            for copy in copies:
                await self._refresh(copy.place)
            if copies:
                await self._ping(delivery, answered, record)
                return
        request = message.card.request if message.card else ""
        audience: Audience = "requester" if request and await self._cards.is_first(request, message) else "reader"
        said = self._views.said(answered, number, _offer(answered))
        if not request:
            thread, sent = record, ""
            if is_channel(record):
                thread, sent = await self._begun(delivery, said, record.address)
            else:
                sent = await self._send(delivery, record, said)
            stands = await self._services.standing.of_message(number) if answered.is_news else None
            if stands:
                await self._services.standing.begun(stands, thread.id, place_of(thread.id, sent), digest_of(said))
            return
        # The one card of a request shows from the first how it stands; an answer about it stays until that is old.
        standing = await self._views.for_all(request, audience, message.text, record.address)
        sent = await self._send(delivery, record, standing if audience == "requester" else said)
        await self._keep(Copy(place_of(record.id, sent), request, record.id, audience, message.text), standing)

    async def _where(self, conversation: str, *, is_push: bool, request: str) -> ConversationRecord | None:
        """Return where a conversation takes place; None where nothing may be said, or nobody would read it.

        News of a request that can't be told there are told to who placed it, whoever spoke there last.
        """
        record = await self._services.conversations.get(conversation) or await self._places.channel(conversation)
        if record is None or not record.address.get("service_url"):
            log.warning("teams.nowhere_to_say", conversation=conversation)
            return None
        if record.address.get("is_gone"):
            log.warning("teams.uninstalled_there", conversation=conversation)
            return None
        if not self._places.is_served(record.address):
            log.warning("teams.tenant_not_served", conversation=conversation)
            return None
        if is_push and await self._places.is_shared(record.address):
            log.warning("teams.others_read_there", conversation=conversation)
            services = self._services
            placed = await services.requests.find(request) if request else None
            person = placed.requester if placed else await services.people.get(record.person_id)
            return await self._places.of_person(person) if person else None
        return record

    async def _send(self, delivery: Delivery, record: ConversationRecord, activity: Mapping[str, Any]) -> str:
        """Send a message once Teams has not said yet that it has it; returns its id."""
        if sent := delivery.payload.get(SENT):
            return str(sent)
        address = record.address
        try:
            sent = await self._connector.send(str(address["service_url"]), str(address["conversation"]), activity)
        except TeamsRefused as error:
            if error.is_gone:
                await self._mark_gone(record.id)
            raise
        await self._note(delivery, {SENT: sent})
        return sent

    async def _note(self, delivery: Delivery, more: Mapping[str, str]) -> None:
        """Remember with a delivery what has become of it: a repeat goes on from there."""

        async def work(transaction: Transaction) -> None:
            mine = update(outbox).where(outbox.c.key == delivery.key)
            await transaction.execute(mine.values(payload={**delivery.payload, **more}))

        await self._services.database.write(work)

    async def _settled(self, delivery: Delivery) -> None:
        """Show everybody that a question was answered."""
        number = int(delivery.payload["seq"])
        query = select(outbox.c.payload).where(outbox.c.key == f"{CHANNEL}:message:{number}")
        async with self._services.database.read() as connection:
            payload = (await connection.execute(query)).scalar_one_or_none() or {}
        answered = await answered_by(self._services, CHANNEL, number)
        record = await self._services.conversations.get(answered.message.conversation) if answered else None
        if answered is None or record is None or record.address.get("is_gone") or not payload.get(SENT):
            return
        activity = self._views.answered(answered, number, str(delivery.payload["note"]))
        await self._update(record, str(payload[SENT]), activity)

    async def _update(self, record: ConversationRecord, message: str, activity: Mapping[str, Any]) -> bool:
        """Show a message anew; tell whether it was still there."""
        address = record.address
        try:
            await self._connector.update(str(address["service_url"]), str(address["conversation"]), message, activity)
        except TeamsRefused as error:
            if not error.is_gone:
                raise
            log.info("teams.message_gone", conversation=record.id, error=error.detail)
            return False
        return True

    async def _refresh(self, place: str) -> None:
        """Show a request's card as it stands, if it does not yet."""
        copy = await self._cards.copy(place)
        conversation, _, message = place.rpartition("/")
        record = await self._services.conversations.get(conversation) if copy else None
        if (
            copy is None
            or record is None
            or record.address.get("is_gone")
            or not self._places.is_served(record.address)
        ):
            return
        if await self._places.is_shared(record.address):
            await self._update(record, message, self._views.withdrawn(copy.request))
            await self._cards.drop(place)
            return
        activity = await self._views.for_all(copy.request, copy.audience, copy.said, record.address)
        if digest_of(activity) == copy.shown:
            return
        if await self._update(record, message, activity):
            await self._cards.mark(place, digest_of(activity))
        else:
            await self._cards.drop(place)

    async def _show(self, key: str) -> None:
        """Show a standing card as it is now, if it does not yet; one that is still on its way will be up to date."""
        stands = await self._services.standing.get(key)
        if stands is None or not stands.place:
            return
        conversation, _, message = stands.place.rpartition("/")
        record = await self._where(conversation, is_push=True, request="")
        answered = await answered_by(self._services, CHANNEL, stands.message.seq)
        if record is None or record.id != conversation or answered is None:
            return
        activity = self._views.said(answered, stands.message.seq)
        if digest_of(activity) != stands.shown:
            await self._update(record, message, activity)
            await self._services.standing.mark(key, digest_of(activity))

    async def _keep(self, copy: Copy, activity: Mapping[str, Any]) -> None:
        if copy.place:
            await self._cards.keep(copy, digest_of(activity))

    async def _ask_one(self, delivery: Delivery) -> None:
        """Ask for approval in the approvers' channel, or one approver in their own chat."""
        payload = delivery.payload
        request = await self._services.requests.find(str(payload["request_id"]))
        if request.version != payload["version"] or request.state != "awaiting_approval":
            return
        email = str(payload.get("approver", ""))
        if not email:
            if await self._places.is_approvals_channel_shared():
                log.warning("teams.approvals_channel_is_shared", request=request.id)
                return
            activity = await self._views.for_all(request.id, "approver", "", self._places.approvals_channel())
            record, sent = await self._begun(delivery, activity)
        else:
            person = await self._services.people.of_email(email)
            found = await self._places.of_person(person)
            if found is None:
                log.info("teams.approver_not_known", request=request.id)
                return
            record = found
            activity = await self._views.for_all(request.id, "approver", "", record.address)
            sent = await self._send(delivery, record, activity)
        await self._keep(Copy(place_of(record.id, sent), request.id, "", "approver", ""), activity)

    async def _begun(
        self, delivery: Delivery, activity: Mapping[str, Any], address: Mapping[str, Any] | None = None
    ) -> tuple[ConversationRecord, str]:
        """Return the thread that begins with a message, begun once, and the message's id; see Places.begin_thread."""
        if begun := delivery.payload.get("thread"):
            record = await self._services.conversations.get(str(begun))
            if record is not None:
                return record, str(delivery.payload[SENT])
        record, sent = await self._places.begin_thread(activity, address)
        await self._note(delivery, {SENT: sent, "thread": record.id})
        return record, sent

    async def _ping(self, delivery: Delivery, news: Answered, record: ConversationRecord) -> None:
        """Say where the card stands that a request is over: an update alone notifies nobody."""
        request = await self._services.requests.find(news.request)
        if not request.is_final or news.message.seq != await self._cards.newest_news(request.id):
            return
        is_own = record.address.get("kind") == "personal"
        readers = () if is_own else await self._places.readers(record.address, [request.requester.email])
        await self._send(delivery, record, ping_of(request, readers[0] if readers else ""))

    async def _mark_gone(self, conversation: str) -> None:
        """Remember that nothing can be said there until somebody writes there again."""
        record = await self._services.conversations.get(conversation)
        if record is None:
            return
        address = {**record.address, "is_gone": True}

        async def work(transaction: Transaction) -> None:
            await self._services.conversations.move(transaction, conversation, address)

        await self._services.database.write(work)


def is_channel(record: ConversationRecord) -> bool:
    """Tell whether a conversation is a channel itself: what is said there begins a thread."""
    return record.address.get("kind") == "channel" and THREAD not in str(record.address.get("conversation"))


def place_of(conversation: str, message: str) -> str:
    """Return the name of a message's place; empty for a message that can't be found again."""
    place = f"{conversation}/{message}"
    return place if message and "/" not in message and len(place) <= 255 else ""


def pace_of_place(place: str) -> str:
    """Return the outbox's name for everything that is written to a message's conversation, in order."""
    return pace_of_conversation(place.rpartition("/")[0])


def pace_of_conversation(conversation: str) -> str:
    """Return the outbox's name for everything that is written to a conversation, in order."""
    return conversation[:255]


def digest_of(activity: Mapping[str, Any]) -> str:
    """Return what tells two renderings apart."""
    return hashlib.sha256(json.dumps(activity).encode()).hexdigest()


def _offer(answered: Answered) -> tuple[Button, ...]:
    """Offer the form to who is asked a question, below the last thing that was said."""
    return (Button("Fill in a form", FORM, str(answered.form["intent"])),) if answered.form else ()
